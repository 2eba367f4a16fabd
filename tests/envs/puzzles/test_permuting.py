"""Pancakes, TopSpin and Twiddle; ice and pegs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.ice_sliding import IceSliding
from proofgym.envs.puzzles.pancake import Pancake
from proofgym.envs.puzzles.peg_solitaire import PegSolitaire
from proofgym.envs.puzzles.permuting import Permuting, _table
from proofgym.envs.puzzles.top_spin import TopSpin
from proofgym.envs.puzzles.twiddle import Twiddle
from proofgym.errors import BadInput

Search = Callable[[Any], tuple[set[Any], dict[Any, int]]]


@pytest.mark.parametrize(("size", "most"), [(4, 4), (5, 5), (6, 7), (7, 8)])
def test_pancakes_need_the_known_numbers_of_flips(size: int, most: int) -> None:
    """The pancake numbers (OEIS A058986)."""
    assert len(_table(Pancake, size)[1]) - 1 == most


@pytest.mark.parametrize("kind", [Pancake, TopSpin, Twiddle])
def test_moves_come_with_their_inverses(kind: type[Permuting]) -> None:
    for size in kind.sizes:
        moves = [places for _, places in kind.moves_of(size)]
        identity = tuple(range(size))
        for places in moves:
            assert sorted(places) == list(identity)
            assert any(tuple(places[p] for p in other) == identity for other in moves)


@pytest.mark.parametrize("kind", [Pancake, TopSpin, Twiddle])
def test_every_distance_agrees_with_a_search_by_moves(kind: type[Permuting], every_distance: Search) -> None:
    size = kind.sizes.start
    puzzle = kind.generate(np.random.default_rng(1), {"size": size, "moves": 3})
    assert puzzle.hardness() == 3
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


def test_moves_by_hand() -> None:
    assert Pancake({"start": [3, 1, 2, 4], "goal": [1, 2, 3, 4]}).apply((3, 1, 2, 4), "flip the top 3") == (2, 1, 3, 4)
    ring = TopSpin({"start": [1, 2, 3, 4, 5, 6], "goal": [1, 2, 3, 4, 6, 5]})
    assert ring.apply(ring.start(), "shift left") == (2, 3, 4, 5, 6, 1)
    assert ring.apply(ring.start(), "f") == (4, 3, 2, 1, 5, 6)
    board = Twiddle({"start": [1, 2, 3, 4, 5, 6], "goal": [1, 2, 3, 4, 6, 5]})
    assert board.apply(board.start(), "2 clockwise") == (1, 5, 2, 4, 6, 3)
    assert board.apply(board.apply(board.start(), "1 right"), "turn block 1 left") == board.start()
    for puzzle in (ring, board):
        with pytest.raises(Illegal, match="A move is"):
            puzzle.apply(puzzle.start(), "3 up")


def test_orders_that_are_none_are_refused() -> None:
    for start in ([1, 1, 2, 3], [1, 2, 3], [2, 3, 4, 5], list(range(1, 10))):
        with pytest.raises(BadInput):
            Pancake.from_instance({"start": start, "goal": [1, 2, 3, 4]})


def test_ice_by_hand(every_distance: Search) -> None:
    puzzle = IceSliding.from_instance({"board": ["@...#", ".....", "#..X.", "...#."]})
    assert puzzle.solution() == "right, down"
    assert puzzle.distance(puzzle.apply(puzzle.start(), "down")) is not None
    with pytest.raises(Illegal, match="cannot move"):
        puzzle.apply(puzzle.start(), "up")
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


def test_passing_over_the_goal_is_not_enough() -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        IceSliding.from_instance({"board": ["@.X.."]})


def test_pegs_by_hand() -> None:
    puzzle = PegSolitaire.from_instance({"board": ["oo..", "..o.", "...."]})
    assert puzzle.solution() in ("r1c1 right, r2c3 up", "r1c1 right, r1c3 down")
    for move, why in (
        ("r2c1 right", "no peg"), ("r2c3 left", "jump over"), ("r1c2 right", "jump over"), ("r9", "A move"),
        ("r1c1 up", "no hole"),
    ):  # fmt: skip
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)
    with pytest.raises(BadInput, match="cannot be reached"):
        PegSolitaire.from_instance({"board": ["o..o", "....", "...."]})


@pytest.mark.parametrize("index", range(3))
def test_peg_distances_agree_with_a_search_by_moves(index: int, every_distance: Search) -> None:
    puzzle = PegSolitaire.generate(np.random.default_rng(index), PegSolitaire.settings(0.0))
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}
