"""River crossing."""

from __future__ import annotations

import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.river_crossing import RiverCrossing
from proofgym.errors import BadInput

CLASSIC = {"weights": [1, 1, 1], "foes": [[0, 1], [1, 2]], "seats": 1, "load": 1}


def test_wolf_goat_and_cabbage_take_seven_crossings() -> None:
    puzzle = RiverCrossing.from_instance(CLASSIC)
    assert puzzle.distance(puzzle.start()) == 7
    gold = ["goat", "alone", "wolf", "goat", "cabbage", "alone", "goat"]
    told = ", ".join("cross alone" if thing == "alone" else f"take the {thing}" for thing in gold)
    assert puzzle.verify(f"Answer: {told}").parts["optimal"] == 1.0


def test_who_leaves_foes_alone_has_lost() -> None:
    puzzle = RiverCrossing.from_instance(CLASSIC)
    after = puzzle.apply(puzzle.start(), "cross with wolf")
    assert puzzle.lost(after) == "The goat and the cabbage were left alone."
    assert puzzle.potential(after) == -1.0
    assert puzzle.moves(after) == []
    assert not puzzle.verify("Answer: cross with wolf, cross with wolf").correct


def test_illegal_moves_are_explained() -> None:
    puzzle = RiverCrossing.from_instance({**CLASSIC, "weights": [1, 2, 3], "seats": 2, "load": 3})
    for move, why in (
        ("cross with goat and cabbage", "weight of at most 3"), ("cross with wolf goat cabbage", "at most 2 things"),
        ("swim", "A move is"),
    ):  # fmt: skip
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)
    with pytest.raises(Illegal, match="other bank"):
        puzzle.apply((1, 2), "cross with wolf")


def test_crossings_that_cannot_be_managed_are_refused() -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        RiverCrossing.from_instance({**CLASSIC, "foes": [[0, 1], [1, 2], [0, 2]]})
