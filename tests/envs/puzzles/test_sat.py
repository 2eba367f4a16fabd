"""Satisfiability: labels by trying everything, refutations checked line by line, and lists that prove nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.sat import Satisfiability
from proofgym.errors import BadInput

ALL_OF_TWO = [[1, 2], [1, -2], [-1, 2], [-1, -2]]


def satisfiable(variables: int, clauses: list[list[int]]) -> bool:
    return any(
        all(any((v > 0) == world[abs(v) - 1] for v in clause) for clause in clauses)
        for world in itertools.product((False, True), repeat=variables)
    )


def test_both_kinds_occur_and_are_what_they_claim() -> None:
    kinds = []
    for i in range(60):
        puzzle = Satisfiability.generate(np.random.default_rng([5, i]), Satisfiability.settings(0.5))
        kinds.append(satisfiable(puzzle.variables, puzzle.data["clauses"]))
        assert puzzle.solution().startswith("UNSAT") != kinds[-1]
        assert puzzle.verify(f"Answer: {puzzle.solution()}").correct
    assert 15 < sum(kinds) < 45


def test_every_line_of_a_refutation_is_implied() -> None:
    for i in range(40):
        settings = Satisfiability.settings(0.3, {"impossible": 1.0})
        puzzle = Satisfiability.generate(np.random.default_rng([6, i]), settings)
        known = list(puzzle.data["clauses"])
        for line in puzzle.solution().removeprefix("UNSAT: ").split("; "):
            clause = [int(v) for v in line.split()]
            assert not satisfiable(puzzle.variables, [*known, *([-v] for v in clause)])
            known.append(clause)


def test_a_refutation_by_hand_and_lists_that_prove_nothing() -> None:
    puzzle = Satisfiability.from_instance({"variables": 2, "clauses": ALL_OF_TWO})
    for right in ("UNSAT: 1", "unsat 1", "UNSAT: -2;", "Unsat: 1; 2"):
        assert puzzle.verify(f"Answer: {right}").correct, right
    for wrong in (
        "UNSAT",
        "UNSAT:",
        "UNSAT: 3",
        "UNSAT: 1 -1",
        "UNSAT: x",
        "1 2",
        "1 -2",
        "-1 -2",
        "",
        "UNSAT: 1 2; 1 -2",
    ):
        assert puzzle.verify(f"Answer: {wrong}").score == 0.0, wrong


def test_unsat_is_never_accepted_for_what_can_be_satisfied() -> None:
    puzzle = Satisfiability.from_instance({"variables": 3, "clauses": [*ALL_OF_TWO[:3], [1, 2, 3]]})
    for lines in itertools.product(["1", "-1", "2", "-2", "3", "1 2", "1 -1", "-1 -2"], repeat=2):
        assert not puzzle.verify(f"Answer: UNSAT: {'; '.join(lines)}").correct
    assert puzzle.verify("Answer: 1 2 -3").correct
    assert puzzle.verify("Answer: 2, 1").correct, "variable 3 does not matter"
    for wrong in ("1 -2 3", "1 2 -2", "1 1", "1 2 4", "0 1 2", "-1 2 3"):
        assert puzzle.verify(f"Answer: {wrong}").score == 0.0, wrong


def test_long_lists_are_judged_quickly_or_not_read() -> None:
    puzzle = Satisfiability.from_instance({"variables": 3, "clauses": [[1, 2, 3]]})
    assert puzzle.verify("Answer: UNSAT: " + "1; " * 500).status.value == "malformed"
    with pytest.raises(BadInput):
        Satisfiability.from_instance({"variables": 3, "clauses": [[1, -1]]})
    with pytest.raises(BadInput):
        Satisfiability.from_instance({"variables": 3, "clauses": [[0]]})
