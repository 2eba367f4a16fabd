"""Star battle: one placement among all, and stars that touch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.star_battle import StarBattle
from proofgym.errors import BadInput


def test_the_placement_is_the_only_one_among_all() -> None:
    for i in range(40):
        size = 5 + i % 2
        puzzle = StarBattle.generate(np.random.default_rng([1, i]), StarBattle.settings(0.0, {"size": size}))
        regions = puzzle.data["regions"]
        fits = [
            columns
            for columns in itertools.permutations(range(size))
            if all(abs(a - b) > 1 for a, b in itertools.pairwise(columns))
            and len({regions[r][c] for r, c in enumerate(columns)}) == size
        ]
        assert len(fits) == 1
        drawn = "\n".join("".join("S" if c == column else "." for c in range(size)) for column in fits[0])
        assert puzzle.verify(drawn).correct


def test_two_stars_in_each_line() -> None:
    puzzle = StarBattle.generate(np.random.default_rng(1), StarBattle.settings(0.0, {"size": 9, "stars": 2}))
    rows = ["".join(puzzle.solutions()[0][at : at + 9]) for at in range(0, 81, 9)]
    assert all(row.count("S") == 2 for row in rows)
    assert puzzle.verify("\n".join(rows[::-1])).score == 0.0


def test_stars_that_touch_or_share_a_line_or_region_are_wrong() -> None:
    puzzle = StarBattle({"regions": ["AABB", "AABB", "CCDD", "CCDD"], "stars": 1})
    for bad, why in (
        ("S...|..S.|.S..|...S", "touch"),
        ("S...|S...|..S.|..S.", "column 1"),
        ("S.S.|....|.S..|...S", "row 1"),
        ("....|....|....|....", "row 1"),
    ):
        assert why in puzzle.verify(bad.replace("|", "\n")).reason
    assert puzzle.verify(".S..\n...S\nS...\n..S.").correct
    assert puzzle.verify("..S.\nS...\n...S\n.S..").correct
    with pytest.raises(BadInput, match="as many regions"):
        StarBattle.from_instance({"regions": ["AAAA"] * 4, "stars": 1})
