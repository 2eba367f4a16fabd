"""Battleship."""

from __future__ import annotations

import itertools
import math

import pytest

from proofgym.envs.puzzles.battleship import Battleship
from proofgym.envs.puzzles.contract import Illegal
from proofgym.errors import BadInput

FLEET = {"size": 3, "ships": [[0, 1]], "known": [8], "shots": 7}


def test_fleets_are_counted_exactly() -> None:
    """Ships of two cells on 3 x 3: 12 places, 2 of them over the known corner."""
    puzzle = Battleship.from_instance(FLEET)
    assert len(puzzle._fleets(frozenset())) == 10
    after = puzzle.apply((), "r1c1")
    assert puzzle.told((), "r1c1", after) == "Hit."
    assert len(puzzle._fleets(frozenset(after))) == 2
    assert puzzle.potential(after) == pytest.approx(1 - (math.log(3) + 1) / (math.log(11) + 2))
    assert puzzle.view(after) == "X..\n...\n..o\nShots left: 6"
    assert puzzle.solved(puzzle.apply(after, "fire at row 1 column 2"))


def test_two_ships_do_not_overlap() -> None:
    puzzle = Battleship({"size": 3, "ships": [[0, 1, 2], [3, 4]], "known": [], "shots": 9})
    lines = [{3 * i, 3 * i + 1, 3 * i + 2} for i in range(3)] + [{i, i + 3, i + 6} for i in range(3)]
    pairs = [{a, a + 1} for a in range(9) if a % 3 < 2] + [{a, a + 3} for a in range(6)]
    expected = {frozenset(one | two) for one, two in itertools.product(lines, pairs) if not one & two}
    assert set(puzzle._fleets(frozenset())) == expected


def test_when_the_shots_run_out_nothing_is_left() -> None:
    puzzle = Battleship({**FLEET, "shots": 2})
    state = puzzle.apply(puzzle.apply((), "r1c1"), "r3c1")
    assert puzzle.lost(state) == "You have no shots left."
    assert puzzle.potential(state) == 0.0
    assert puzzle.moves(state) == []


def test_shots_and_fleets_that_are_none_are_refused() -> None:
    puzzle = Battleship.from_instance(FLEET)
    for move, why in (("r3c3", "known already"), ("r4c1", "3 rows"), ("shoot", "such as")):
        with pytest.raises(Illegal, match=why):
            puzzle.apply((), move)
    for change in ({"ships": [[0, 2]]}, {"ships": [[0, 1], [1, 4]]}, {"known": [0, 1]}, {"shots": 1}, {"ships": []}):
        with pytest.raises(BadInput):
            Battleship.from_instance({**FLEET, **change})
