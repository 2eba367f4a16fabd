"""Minesweeper: what the numbers prove, and boards that need no guess."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgym.envs.puzzles.mine_logic import certain
from proofgym.envs.puzzles.minesweeper import Minesweeper
from proofgym.errors import BadInput


@st.composite
def boards(draw: st.DrawFn) -> tuple[list[tuple[int, int]], int, int]:
    """True constraints on a few cells, some of them under no constraint."""
    size = draw(st.integers(2, 9))
    mines = draw(st.integers(1, (1 << size) - 1))
    regions = draw(st.lists(st.integers(1, (1 << size) - 1), max_size=5))
    return [(region, (region & mines).bit_count()) for region in regions], (1 << size) - 1, mines.bit_count()


@given(boards())
@settings(max_examples=150, deadline=None)
def test_what_is_certain_agrees_with_trying_every_arrangement(board: tuple[list[tuple[int, int]], int, int]) -> None:
    told, hidden, count = board
    fits = [
        mines for mines in range(hidden + 1)
        if mines.bit_count() == count and all((mines & cells).bit_count() == number for cells, number in told)
    ]  # fmt: skip
    ever = never = 0
    for mines in fits:
        ever |= mines
        never |= hidden & ~mines
    safe, mined = certain(told, hidden, count)
    assert safe & ever == 0
    assert mined & never == 0
    assert bool(safe) == (ever != hidden), "a free cell is found exactly if there is one"


def test_by_hand() -> None:
    """A mine in the corner of 3 x 3: opening the far corner opens all the rest."""
    puzzle = Minesweeper({"rows": 3, "columns": 3, "mines": [0], "start": 8})
    assert puzzle.view(puzzle.start()) == "#1.\n11.\n..."
    with pytest.raises(BadInput, match="solved already"):
        Minesweeper.from_instance(puzzle.data)


def test_opening_a_mine_loses() -> None:
    puzzle = Minesweeper({"rows": 3, "columns": 3, "mines": [0, 2], "start": 4})
    after = puzzle.apply(puzzle.start(), "open row 1, column 1")
    assert puzzle.lost(after)
    assert puzzle.potential(after) == -1.0
    assert puzzle.view(after).startswith("*")
    assert puzzle.moves(after) == []


def test_boards_that_need_a_guess_are_refused() -> None:
    """Two closed cells in a corner, one mine: nothing tells which."""
    with pytest.raises(BadInput, match="without guessing"):
        Minesweeper.from_instance({"rows": 2, "columns": 5, "mines": [0], "start": 4})


@pytest.mark.parametrize("mines", [[0], [0, 9], [0, 5, 20, 24], [6, 8, 16, 18], list(range(5))])
def test_the_distance_is_the_fewest_cells_to_open(mines: list[int]) -> None:
    """By trying sets of cells, the smallest first."""
    puzzle = Minesweeper({"rows": 5, "columns": 5, "mines": mines, "start": 12})
    left = puzzle.distance(puzzle.start())
    assert left is not None
    closed = [m for m in puzzle.moves(puzzle.start()) if not puzzle.lost(puzzle.apply(puzzle.start(), m))]
    for count in range(min(left, 3) + 1):
        clears = False
        for chosen in itertools.combinations(closed, count):
            state = puzzle.start()
            for move in chosen:
                if move in puzzle.moves(state):
                    state = puzzle.apply(state, move)
            clears = clears or puzzle.solved(state)
        assert clears == (count == left)
