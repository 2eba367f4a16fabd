"""Latin squares: one completion by a plain count, and what is no Latin square."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.latin import LatinSquare
from proofgym.errors import BadInput

LATIN_4 = [
    rows
    for rows in itertools.product(itertools.permutations("1234"), repeat=4)
    if all(len(set(column)) == 4 for column in zip(*rows, strict=True))
]


def test_there_are_576_latin_squares_of_order_4() -> None:
    assert len(LATIN_4) == 576


def test_there_is_exactly_one_completion_among_all_squares() -> None:
    for i in range(60):
        puzzle = LatinSquare.generate(np.random.default_rng([3, i]), LatinSquare.settings(0.0, {"size": 4, "clues": 0}))
        fits = [
            cells
            for rows in LATIN_4
            for cells in ["".join("".join(row) for row in rows)]
            if all(given in (".", cell) for given, cell in zip(puzzle.givens, cells, strict=True))
        ]
        assert fits == ["".join(puzzle.solutions()[0])]
        assert puzzle.givens.count(".") >= 8


def test_every_completion_is_right_and_what_is_none_is_wrong() -> None:
    puzzle = LatinSquare.from_instance({"board": ["1..", "...", "..."]})
    assert len(puzzle.solutions()) == 4
    for good in ("123/231/312", "132/213/321", "1 2 3/3 1 2/2 3 1"):
        assert puzzle.verify(good.replace("/", "\n")).correct
    for bad in ("213/132/321", "123/123/123", "111/222/333", "123/231", "124/241/412"):
        assert puzzle.verify(bad.replace("/", "\n")).score == 0.0


def test_numbers_renamed_make_no_new_task() -> None:
    one, other = LatinSquare({"board": ["1..", ".2.", "..."]}), LatinSquare({"board": ["3..", ".1.", "..."]})
    assert one.canonical() == other.canonical() != LatinSquare({"board": ["1..", ".1.", "..."]}).canonical()
    with pytest.raises(BadInput, match="no solution"):
        LatinSquare.from_instance({"board": ["12.", "...", ".13"]})
