"""The 8-puzzle."""

from __future__ import annotations

import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.n_puzzle import NPuzzle, _table
from proofgym.errors import BadInput

ORDERED = "123456780"


def test_the_table_has_the_published_counts() -> None:
    """181,440 arrangements, none further than 31 moves, two of them at 31; 2 x 3: 360, 21 and one (Reinefeld 1993)."""
    lefts, by_distance = _table(3)
    assert (len(lefts), len(by_distance) - 1, len(by_distance[31])) == (181_440, 31, 2)
    lefts, by_distance = _table(2)
    assert (len(lefts), len(by_distance) - 1, len(by_distance[21])) == (360, 21, 1)


def test_by_hand() -> None:
    puzzle = NPuzzle.from_instance({"start": "123456078", "goal": ORDERED})
    assert puzzle.solution() == "left, left"
    assert puzzle.verify("Answer: slide tile 7, 8").correct
    assert puzzle.view("123456078").endswith("4 5 6\n_ 7 8")
    with pytest.raises(Illegal, match="next to the hole"):
        puzzle.apply("123456078", "right")
    with pytest.raises(Illegal):
        puzzle.apply("123456078", "5")


def test_another_goal_is_the_same_puzzle_with_other_names() -> None:
    puzzle = NPuzzle.from_instance({"start": "876543021", "goal": "876543210"})
    assert puzzle.distance(puzzle.start()) == 2


def test_the_other_parity_is_refused() -> None:
    with pytest.raises(BadInput, match="cannot be reached"):
        NPuzzle.from_instance({"start": "213456780", "goal": ORDERED})
    with pytest.raises(BadInput, match="the hole 0 in the last cell"):
        NPuzzle.from_instance({"start": ORDERED, "goal": "012345678"})
