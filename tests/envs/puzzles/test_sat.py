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


def test_every_step_of_a_refutation_is_a_resolution_and_the_last_is_empty() -> None:
    for i in range(60):
        settings = Satisfiability.settings(i / 60, {"impossible": 1.0})
        puzzle = Satisfiability.generate(np.random.default_rng([6, i]), settings)
        known = [set(clause) for clause in puzzle.data["clauses"]]
        for step in puzzle.solution().removeprefix("UNSAT: ").split("; "):
            one, other = (known[int(n) - 1] for n in step.split())
            (clash,) = [v for v in one if -v in other]
            known.append((one - {clash}) | (other - {-clash}))
        assert known[-1] == set()
        assert all(known[:-1])


def test_a_refutation_by_hand_and_steps_that_prove_nothing() -> None:
    puzzle = Satisfiability.from_instance({"variables": 2, "clauses": ALL_OF_TWO})
    for right in ("UNSAT: 1 2; 3 4; 5 6", "unsat 3, 4; 2 1; 6 5;", "UNSAT: 1 3; 2 4; 6 5; 1 1"):
        assert puzzle.verify(f"Answer: {right}").correct, right
    for wrong in (
        "UNSAT", "UNSAT:", "UNSAT: 1 2; 3 4", "UNSAT: 1 4; 2 3", "UNSAT: 1 2; 3 4; 5 7", "UNSAT: 1 1", "UNSAT: 5 6",
        "UNSAT: 1 2 3", "UNSAT: 1; 2", "UNSAT: x y", "UNSAT: 0 1", "UNSAT: -1 1", "1 2", "1 -2", "-1 -2", "",
    ):  # fmt: skip
        assert puzzle.verify(f"Answer: {wrong}").score == 0.0, wrong


def test_no_list_of_steps_refutes_many_formulas() -> None:
    settings = Satisfiability.settings(0.0, {"impossible": 1.0})
    puzzles = [Satisfiability.generate(np.random.default_rng([7, i]), settings) for i in range(60)]
    for steps in {puzzle.solution() for puzzle in puzzles}:
        assert sum(puzzle.verify(f"Answer: {steps}").correct for puzzle in puzzles) <= 2


def test_unsat_is_never_accepted_for_what_can_be_satisfied() -> None:
    puzzle = Satisfiability.from_instance({"variables": 3, "clauses": [*ALL_OF_TWO[:3], [1, 2, 3]]})
    for lines in itertools.product(["1 2", "1 3", "2 3", "3 4", "4 5", "5 5"], repeat=3):
        assert not puzzle.verify(f"Answer: UNSAT: {'; '.join(lines)}").correct
    assert puzzle.verify("Answer: 1 2 -3").correct
    assert puzzle.verify("Answer: 2, 1").correct, "variable 3 does not matter"
    for wrong in ("1 -2 3", "1 2 -2", "1 1", "1 2 4", "0 1 2", "-1 2 3"):
        assert puzzle.verify(f"Answer: {wrong}").score == 0.0, wrong


def test_long_lists_are_judged_quickly_or_not_read() -> None:
    puzzle = Satisfiability.from_instance({"variables": 3, "clauses": [[1, 2, 3]]})
    assert puzzle.verify("Answer: UNSAT: " + "1 1; " * 500).status.value == "malformed"
    with pytest.raises(BadInput):
        Satisfiability.from_instance({"variables": 3, "clauses": [[1, -1]]})
    with pytest.raises(BadInput):
        Satisfiability.from_instance({"variables": 3, "clauses": [[0]]})
