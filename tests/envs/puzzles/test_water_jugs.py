"""Water jugs."""

from __future__ import annotations

import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.water_jugs import WaterJugs
from proofgym.errors import BadInput


def test_four_litres_with_three_and_five_take_six_moves() -> None:
    puzzle = WaterJugs.from_instance({"capacities": [3, 5], "goal": [3, 4]})
    assert puzzle.distance(puzzle.start()) == 6
    told = "fill B, pour B into A, empty A, pour from jug B to A, fill jug B, pour B into A"
    assert puzzle.verify(f"Answer: {told}").parts["optimal"] == 1.0


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        WaterJugs.from_instance({"capacities": [3, 6], "goal": [0, 1]})
    with pytest.raises(BadInput, match="fits"):
        WaterJugs.from_instance({"capacities": [3, 6], "goal": [4, 0]})


def test_illegal_moves_are_explained() -> None:
    puzzle = WaterJugs.from_instance({"capacities": [3, 5], "goal": [3, 4]})
    for move, why in (
        ("empty a", "change nothing"),
        ("fill c", "jugs A, B"),
        ("pour a into a", "nothing"),
        ("x", "A move"),
    ):
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)
