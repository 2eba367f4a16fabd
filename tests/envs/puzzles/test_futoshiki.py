"""Futoshiki: one solution by a plain count, signs read the right way round, and near misses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.futoshiki import Futoshiki
from proofgym.errors import BadInput

LATIN_4 = [
    "".join("".join(row) for row in rows)
    for rows in itertools.product(itertools.permutations("1234"), repeat=4)
    if all(len(set(column)) == 4 for column in zip(*rows, strict=True))
]


def test_there_is_exactly_one_solution_among_all_latin_squares() -> None:
    for i in range(60):
        puzzle = Futoshiki.generate(np.random.default_rng([3, i]), Futoshiki.settings(0.0, {"clues": 0.0}))
        fits = [
            square
            for square in LATIN_4
            if all(given in (".", cell) for given, cell in zip(puzzle.givens, square, strict=True))
            and all(square[a] < square[b] for a, b in puzzle.data["less"])
        ]
        assert fits == ["".join(puzzle.solutions()[0])]


def test_signs_are_drawn_as_they_hold() -> None:
    # 1 < 2 > ... in the first row; the first cell is below the one under it, the second above
    puzzle = Futoshiki.from_instance({"board": ["1..", "...", "..."], "less": [[0, 1], [0, 3], [2, 1], [4, 7]]})
    assert puzzle.view(puzzle.start()).split("\n")[:3] == ["1 < . > .", "^", ".   .   ."]
    assert puzzle.solution() == "1 3 2\n2 1 3\n3 2 1"
    assert puzzle.verify("132\n213\n321").correct
    assert "less" in puzzle.verify("123\n231\n312").reason
    assert puzzle.verify("132\n321\n213").score == 0.0
    assert puzzle.verify("132\n213\n312").score == 0.0


def test_signs_between_cells_that_do_not_touch_are_refused() -> None:
    for pair in ([0, 2], [2, 3], [0, 4]):
        with pytest.raises(BadInput, match="neighbouring"):
            Futoshiki.from_instance({"board": ["1..", "...", "..."], "less": [pair]})
    with pytest.raises(BadInput, match="no solution"):
        Futoshiki.from_instance({"board": ["1..", "...", "..."], "less": [[1, 0]]})
