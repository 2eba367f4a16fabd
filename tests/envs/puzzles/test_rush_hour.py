"""Rush hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.rush_hour import RushHour
from proofgym.errors import BadInput

JAM = {"board": ["..A.", "XXA.", "....", "BB.."]}


def test_by_hand() -> None:
    puzzle = RushHour.from_instance(JAM)
    assert puzzle.solution() == "a down 2, x right 2"
    assert puzzle.verify("Answer: move car A down by 2, x right, x right 1").correct
    assert puzzle.verify("Answer: a down 2, x right, x right 1").parts["optimal"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("move", "why"),
    [("x right 2", "free cells"), ("a left 1", "up and down only"), ("q up 1", "no car"), ("go", "such as")],
)
def test_illegal_moves_are_explained(move: str, why: str) -> None:
    puzzle = RushHour.from_instance(JAM)
    with pytest.raises(Illegal, match=why):
        puzzle.apply(puzzle.start(), move)


def test_every_distance_agrees_with_a_search_by_moves(
    every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]],
) -> None:
    puzzle = RushHour.generate(np.random.default_rng(1), RushHour.settings(0.0))
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


@pytest.mark.parametrize(
    ("board", "why"),
    [
        (["A.A.", "XX..", "....", "...."], "car A is a line"),
        (["....", "XX.A", "....", "...."], "car A is a line"),
        (["....", ".AA.", "....", "...."], "a car X"),
        (["..A.", "XXA.", "..A.", "..A."], "cannot be reached"),
        (["....", "..XX", "....", "...."], "solved already"),
        (["XX..", "...."], "square"),
    ],
)
def test_boards_that_are_none_are_refused(board: list[str], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        RushHour.from_instance({"board": board})
