"""Sokoban: least steps, dead ends, and levels from outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.sokoban import Sokoban
from proofgym.errors import BadInput


def test_a_level_by_hand() -> None:
    puzzle = Sokoban.from_xsb("######\n#@ $.#\n######")
    assert puzzle.solution() == "right, right"
    assert puzzle.verify("Answer: R, r").correct
    assert puzzle.verify("Answer: right, left, right, right").parts["optimal"] == 0.5
    assert not puzzle.verify("Answer: right").correct


def test_a_box_in_a_corner_is_a_dead_end() -> None:
    puzzle = Sokoban.from_xsb("######\n#  . #\n# @$ #\n#    #\n######")
    after = puzzle.apply(puzzle.start(), "right")
    assert puzzle.distance(after) is None
    assert puzzle.potential(after) == -1.0
    assert puzzle.distance(puzzle.start()) == 3


def test_illegal_moves_are_explained() -> None:
    puzzle = Sokoban({"board": ["#######", "#@$$.-#", "#-.---#", "#######"]})
    for move, why in (("up", "wall"), ("right", "box behind"), ("jump", "'up', 'down'")):
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)


@pytest.mark.parametrize("index", range(6))
def test_every_distance_agrees_with_a_search_by_moves(
    index: int, every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]
) -> None:
    puzzle = Sokoban.generate(np.random.default_rng(index), Sokoban.settings(0.0, {"boxes": 1 + index % 2}))
    outside = Sokoban.loads(puzzle.dumps())
    reached, lefts = every_distance(puzzle)
    assert len(lefts) < len(reached), "some positions are dead ends"
    for state in sorted(reached):
        assert puzzle.distance(state) == outside.distance(state) == lefts.get(state)


def test_xsb_goes_out_and_comes_back() -> None:
    puzzle = Sokoban.generate(np.random.default_rng(7), Sokoban.settings(0.5))
    assert Sokoban.from_xsb(f"; a comment\n{puzzle.xsb()}\n").data == puzzle.data
    assert set(puzzle.xsb()) <= set("#@$.*+ \n")


@pytest.mark.parametrize(
    ("level", "why"),
    [
        ("#####\n#@$ #\n#####", "1 boxes and 0 goals"),
        ("#####\n#@*.$#\n####", "rows of|boxes|cannot|cells"),
        ("######\n#@# $#\n#.####\n######", "in the part"),
        ("#####\n# $.#\n#####", "0 players"),
        ("######\n#$@ .#\n######", "cannot be reached"),
        ("#####\n#@* #\n#####", "solved already"),
        ("", "board"),
    ],
)
def test_levels_that_are_none_are_refused(level: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        Sokoban.from_xsb(level)


def test_a_position_from_outside_is_checked() -> None:
    puzzle = Sokoban.from_xsb("######\n#@ $.#\n######")
    for bad in ([0, [0]], [0, [1, 2]], [9, [1]], [0], {"player": 0}):
        with pytest.raises(BadInput):
            puzzle.unpack(json.loads(json.dumps(bad)))
