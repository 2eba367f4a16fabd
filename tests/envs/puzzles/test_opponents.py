"""Games against a perfect opponent, checked by a plain search of the whole game."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.connect import Connect, TicTacToe
from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.nim import Nim
from proofgym.errors import BadInput


@pytest.mark.parametrize("piles", [(1, 2, 3), (3, 4, 5), (2, 2), (1, 1, 1), (1, 1), (0, 4, 4), (5, 6, 7), (1, 4, 5, 3)])
@pytest.mark.parametrize("last_wins", [True, False])
def test_plain_nim_is_won_as_boutons_theorem_says(piles: tuple[int, ...], last_wins: bool) -> None:
    total = functools.reduce(lambda a, b: a ^ b, piles)
    won = total != 0 if last_wins or max(piles) > 1 else sum(piles) % 2 == 0
    data = {"piles": list(piles), "takes": list(range(1, 14)), "last_wins": last_wins}
    if won:
        assert Nim.from_instance(data).hardness() >= 1
    else:
        with pytest.raises(BadInput, match="lost against a perfect opponent"):
            Nim.from_instance(data)


def test_one_mistake_loses_nim() -> None:
    puzzle = Nim.from_instance({"piles": [3, 1], "takes": [1, 2, 3], "last_wins": True})
    assert puzzle.best(puzzle.start()) == "2 from a"
    after = puzzle.apply(puzzle.start(), "take 3 from pile a")
    assert puzzle.lost(after) == "You have lost."
    assert puzzle.potential(puzzle.apply(puzzle.start(), "1 from a")) == -1.0
    good = puzzle.apply(puzzle.start(), "2 from a")
    assert puzzle.told(puzzle.start(), "2 from a", good) == "The opponent takes 1 from pile A."
    assert good == (0, 1)
    for move, why in (("4 from a", "takes 1 or 2 or 3"), ("2 from b", "not so many"), ("1 from c", "such as")):
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)


@pytest.mark.parametrize("index", range(6))
def test_nim_distances_agree_with_a_search_by_moves(
    index: int, every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]
) -> None:
    puzzle = Nim.generate(np.random.default_rng(index), {"piles": 3, "largest": 5, "takes": "some", "last": "either"})
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


def _forced(puzzle: Connect, mover: int, other: int, mine: bool) -> int | None:
    """Moves of X until a win that nothing prevents, by trying everything; `None` if there is none."""
    full = (1 << puzzle.rows * puzzle.columns) - 1
    taken = mover | other
    if taken == full:
        return None
    found: list[int | None] = []
    for at in range(puzzle.rows * puzzle.columns):
        below = at + puzzle.columns
        if taken >> at & 1 or (puzzle.gravity and below <= full.bit_length() - 1 and not taken >> below & 1):
            continue
        stones = mover | 1 << at
        if any(stones & line == line for line in puzzle._lines):
            found.append(1 if mine else None)
        else:
            later = _forced(puzzle, other, stones, not mine)
            found.append(None if later is None else later + mine)
    if mine:
        return min((f for f in found if f is not None), default=None)
    return None if None in found else max(f for f in found if f is not None)


@pytest.mark.parametrize("kind", [Connect, TicTacToe])
def test_the_distance_is_the_forced_win(kind: type[Connect]) -> None:
    for index in range(8):
        puzzle = kind.generate(np.random.default_rng(index), kind.settings(0.0))
        state = puzzle.start()
        assert puzzle.distance(state) == _forced(puzzle, *state, mine=True)
        for move in puzzle.moves(state):
            after = puzzle.apply(state, move)
            if not puzzle.solved(after) and not puzzle.lost(after):
                assert puzzle.distance(after) == _forced(puzzle, *after, mine=True)


def test_connect_by_hand() -> None:
    puzzle = Connect.from_instance({"line": 3, "board": ["....", "....", "OO..", "XX.O"]})
    assert puzzle.best(puzzle.start()) == "3"
    assert puzzle.solved(puzzle.apply(puzzle.start(), "drop in column 3"))
    with pytest.raises(Illegal, match="from 1 to 4"):
        puzzle.apply(puzzle.start(), "5")


@pytest.mark.parametrize(
    ("kind", "board", "why"),
    [
        (Connect, ["X...", "....", "....", "...."], "on the ground"),
        (Connect, ["....", "....", "....", "...."], "12 cells are free"),
        (Connect, ["....", "O...", "XXX.", "OOXO"], "no forced win"),
        (TicTacToe, ["XX", "OO"], "does not fit"),
        (TicTacToe, ["XOX", "XOO", "O.."], "no forced win"),
    ],
)
def test_positions_that_are_not_won_are_refused(kind: Any, board: list[str], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        kind.from_instance({"line": 3, "board": board})
