"""Entailment: labels by a plain truth table, what a statement has to be, and countermodels that are none."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.entailment import Entailment
from proofgym.errors import BadInput


def true(formula: Any, values: dict[str, bool]) -> bool:
    if isinstance(formula, str):
        return values[formula]
    kind, *rest = formula
    told = [true(part, values) for part in rest]
    return {
        "not": not told[0], "and": all(told), "or": any(told), "if": not told[0] or told[-1],
        "iff": told[0] == told[-1], "xor": told[0] != told[-1],
    }[kind]  # fmt: skip


def test_labels_and_claims_by_a_plain_truth_table() -> None:
    for i in range(80):
        puzzle = Entailment.generate(np.random.default_rng([2, i]), Entailment.settings(0.5))
        letters = "ABCDEFGH"[: puzzle.variables]
        worlds = [dict(zip(letters, row, strict=True)) for row in itertools.product((True, False), repeat=len(letters))]
        premises, statements = puzzle.data["premises"], puzzle.data["statements"]
        models = [world for world in worlds if all(true(premise, world) for premise in premises)]
        assert models
        said = [pair.split("=")[1] for pair in puzzle.solution().split(", ")]
        assert 0 < said.count("follows") < len(said)
        for statement, label in zip(statements, said, strict=True):
            if all(true(statement, world) for world in models):
                assert label == "follows"
                assert not all(true(statement, world) for world in worlds), "no tautology"
                for premise in premises:
                    assert not all(true(statement, world) for world in worlds if true(premise, world)), "needs several"
            else:
                world = {letter: sign == "T" for letter, sign in zip(letters, label, strict=True)}
                assert all(true(premise, world) for premise in premises)
                assert not true(statement, world)
                assert any(true(statement, world) for world in worlds), "no contradiction"


def test_any_countermodel_is_right_and_others_are_not() -> None:
    premises = [["or", "A", "B"], ["if", "A", "C"], ["if", "B", "C"]]
    data = {"variables": 3, "premises": premises, "statements": ["C", "A"]}
    puzzle = Entailment.from_instance(data)
    assert puzzle.verify("Answer: 1=follows, 2=FTT").correct
    assert puzzle.verify("Answer: 2: ftt; 1: Follows").correct
    for wrong in ("1=follows, 2=follows", "1=FTT, 2=FTT", "1=follows, 2=FFT", "1=follows, 2=TTT", "1=follows, 2=FT",
    "1=follows",
                  "1=follows, 2=FTT, 2=follows", "1=follows, 2=fol"):  # fmt: skip
        assert puzzle.verify(f"Answer: {wrong}").score == 0.0, wrong


def test_what_a_guess_would_solve_is_refused() -> None:
    for statements in (["A"], ["B"], []):
        with pytest.raises(BadInput):
            Entailment.from_instance({"variables": 2, "premises": ["A"], "statements": statements})
    with pytest.raises(BadInput, match="contradict"):
        Entailment.from_instance({"variables": 1, "premises": ["A", ["not", "A"]], "statements": ["A"]})
    deep: Any = "A"
    for _ in range(5000):
        deep = ["not", deep]
    for bad in (deep, "C", ["and", "A"], ["nand", "A", "B"], [["A"]], 3):
        with pytest.raises(BadInput):
            Entailment.from_instance({"variables": 2, "premises": [bad], "statements": ["A", "B"]})
