"""Syllogisms: conclusions by trying every world, Aristotle's moods, and worlds that are none."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.syllogism import Syllogism, _refuting
from proofgym.errors import BadInput


def holds(statement: Any, world: tuple[int, ...]) -> bool:
    form, s, p = statement
    subjects = [kind for kind in world if kind >> s & 1]
    if form in ("all", "some_not"):
        return all(kind >> p & 1 for kind in subjects) == (form == "all")
    return any(kind >> p & 1 for kind in subjects) == (form == "some")


WORLDS = [
    world
    for size in range(8)
    for world in itertools.combinations(range(1, 8), size)
    if all(any(kind >> term & 1 for kind in world) for term in range(3))
]


def test_conclusions_follow_exactly_if_every_world_says_so() -> None:
    for i in range(60):
        puzzle = Syllogism.generate(np.random.default_rng([4, i]), Syllogism.settings(0.0))
        models = [w for w in WORLDS if all(holds(premise, w) for premise in puzzle.data["premises"])]
        assert models
        for conclusion, said in zip(puzzle.data["conclusions"], puzzle.solution().split(", "), strict=True):
            assert said.endswith("follows") == all(holds(conclusion, world) for world in models)


def test_the_moods_of_two_premises() -> None:
    """Of the 256 moods of the four figures, 24 are valid if every term has a member."""
    count = 0
    for first, second, third in itertools.product(("all", "no", "some", "some_not"), repeat=3):
        for major, minor in itertools.product(((1, 2), (2, 1)), ((0, 1), (1, 0))):
            premises = [[first, *major], [second, *minor]]
            conclusion = [third, 0, 2]
            follows = _refuting(3, premises, conclusion) is None
            models = [w for w in WORLDS if all(holds(premise, w) for premise in premises)]
            assert follows == all(holds(conclusion, world) for world in models)
            count += follows and bool(models)
    assert count == 24


def test_barbara_and_what_does_not_follow() -> None:
    data = {"terms": 3, "premises": [["all", 0, 1], ["all", 1, 2]], "conclusions": [["all", 0, 2], ["all", 2, 0]]}
    puzzle = Syllogism.from_instance(data)
    for right in ("1=follows, 2=ABC+C", "2=bc + cab, 1=Follows", "1=follows, 2=ABC+BC+C"):
        assert puzzle.verify(f"Answer: {right}").correct, right
    for wrong in ("1=follows, 2=follows", "1=ABC, 2=C", "1=follows, 2=C", "1=follows, 2=ABC", "1=follows, 2=A+C+ABC",
    "1=follows",
                  "1=follows, 2=", "1=follows, 2=+", "1=follows, 2=ABC+X"):  # fmt: skip
        assert puzzle.verify(f"Answer: {wrong}").score == 0.0, wrong
    with pytest.raises(BadInput, match="contradict"):
        Syllogism.from_instance({**data, "premises": [["all", 0, 1], ["no", 0, 1]]})
    with pytest.raises(BadInput, match="guess"):
        Syllogism.from_instance({**data, "conclusions": [["all", 0, 2]]})
