"""Knights and knaves: one assignment by a plain count, classic instances, and answers that name too much."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.knights import KnightsAndKnaves
from proofgym.errors import BadInput


def true(statement: Any, roles: tuple[str, ...]) -> bool:
    kind, *rest = statement
    if kind == "is":
        return roles[rest[0]] == rest[1]
    if kind == "count":
        return roles.count(rest[0]) == rest[1]
    if kind == "says":
        return says(roles, rest[0], rest[1])
    told = [true(part, roles) for part in rest]
    return {
        "not": not told[0],
        "and": all(told),
        "or": any(told),
        "if": not told[0] or told[-1],
        "iff": told[0] == told[-1],
    }[kind]


def says(roles: tuple[str, ...], person: int, statement: Any) -> bool:
    return roles[person] == "normal" or true(statement, roles) == (roles[person] == "knight")


@pytest.mark.parametrize("normals", [0, 1])
def test_exactly_one_assignment_fits_by_a_plain_count(normals: int) -> None:
    for i in range(60):
        settings = KnightsAndKnaves.settings(0.5, {"people": 4, "normals": normals, "depth": 1 + i % 3})
        puzzle = KnightsAndKnaves.generate(np.random.default_rng([8, i]), settings)
        fits = [
            roles
            for roles in itertools.product(("knight", "knave", "normal"), repeat=4)
            if roles.count("normal") == normals and all(says(roles, n, s) for n, s in enumerate(puzzle.data["said"]))
        ]
        assert len(fits) == 1
        assert [pair.split("=")[1] for pair in puzzle.solution().split(", ")] == list(fits[0])


def test_classic_instances() -> None:
    # A says that they are of different kinds: B cannot be a knave (Smullyan)
    both = KnightsAndKnaves.from_instance(
        {"people": 2, "normals": 0, "said": [["and", ["is", 0, "knave"], ["is", 1, "knave"]], ["is", 0, "knave"]]}
    )
    assert both.solution() == "Ann=knave, Bob=knight"
    assert both.verify("Answer: bob: knight, ann: Knave").correct
    for wrong in ("Ann=knight, Bob=knight", "Ann=knave", "Ann=knave, Bob=knight, Ann=knight", "Ann=knave, Bob=normal"):
        assert both.verify(f"Answer: {wrong}").score == 0.0
    with pytest.raises(BadInput, match="no assignment"):
        KnightsAndKnaves.from_instance({"people": 1, "normals": 0, "said": [["is", 0, "knave"]]})


def test_any_assignment_that_fits_is_right() -> None:
    puzzle = KnightsAndKnaves.from_instance(
        {"people": 2, "normals": 0, "said": [["is", 1, "knight"], ["is", 0, "knight"]]}
    )
    assert puzzle.verify("Answer: Ann=knight, Bob=knight").correct
    assert puzzle.verify("Answer: Ann=knave, Bob=knave").correct
    assert puzzle.verify("Answer: Ann=knight, Bob=knave").reason == "then Ann would not say that"


def test_statements_that_are_none_are_refused() -> None:
    deep: Any = ["is", 0, "knight"]
    for _ in range(50):
        deep = ["not", deep]
    for bad in (deep, ["is", 2, "knight"], ["is", 0, "normal"], ["not"], ["xor", ["is", 0, "knave"]], "is", None, []):
        with pytest.raises(BadInput):
            KnightsAndKnaves.from_instance({"people": 1, "normals": 0, "said": [bad]})
