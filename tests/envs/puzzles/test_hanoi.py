"""The tower of Hanoi."""

from __future__ import annotations

import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.hanoi import Hanoi
from proofgym.errors import BadInput


@pytest.mark.parametrize(("pegs", "disks", "least"), [(3, 3, 7), (3, 6, 63), (4, 4, 9), (4, 6, 17), (5, 5, 11)])
def test_whole_towers_take_the_known_numbers_of_moves(pegs: int, disks: int, least: int) -> None:
    """2^n - 1 with three pegs, and the Frame-Stewart numbers with more, proved for four by Bousch (2014)."""
    puzzle = Hanoi.from_instance({"pegs": pegs, "start": [0] * disks, "goal": [pegs - 1] * disks})
    assert puzzle.distance(puzzle.start()) == least
    assert puzzle.verify(f"Answer: {puzzle.solution()}").parts["optimal"] == 1.0


def test_an_instance_with_too_many_positions_is_refused() -> None:
    """Nine disks on five pegs stand in almost two million ways."""
    with pytest.raises(BadInput, match="more than 200000 positions"):
        Hanoi.from_instance({"pegs": 5, "start": [0] * 9, "goal": [1] * 9})


def test_moves_are_read_in_several_spellings_and_refused_in_words() -> None:
    puzzle = Hanoi.from_instance({"pegs": 3, "start": [0, 1], "goal": [2, 2]})
    assert puzzle.view(puzzle.start()) == "A: 1\nB: 2\nC: -"
    for move in ("b to c", "move disk 2 from peg b to peg c", "b->c", "bc"):
        assert puzzle.apply((0, 1), move) == (0, 2)
    for move, why in (("c to a", "empty"), ("b to a", "smaller"), ("a to d", "pegs a, b, c"), ("a to a", "not move")):
        with pytest.raises(Illegal, match=why):
            puzzle.apply((0, 1), move)
