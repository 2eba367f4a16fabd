"""Magic squares: the eight of order 3, unique completions by a plain search, and near misses."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.magic_square import MagicSquare
from proofgym.errors import BadInput

LINES_3 = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))
ORDER_3 = [
    square
    for square in itertools.permutations(range(1, 10))
    if square[0] + square[1] + square[2] == 15 and all(sum(square[at] for at in line) == 15 for line in LINES_3)
]


def completions(square: list[int], size: int, lines: list[list[int]], total: int) -> int:
    if 0 not in square:
        return 1
    at = square.index(0)
    count = 0
    for number in set(range(1, size * size + 1)) - set(square):
        square[at] = number
        whole = [line for line in lines if at in line and all(square[n] for n in line)]
        if all(sum(square[n] for n in line) == total for line in whole):
            count += completions(square, size, lines, total)
        square[at] = 0
    return count


def test_the_completion_is_the_only_one() -> None:
    assert len(ORDER_3) == 8
    for i in range(40):
        puzzle = MagicSquare.generate(
            np.random.default_rng([1, i]), MagicSquare.settings(0.0, {"size": 3, "clues": 0.3})
        )
        fits = [s for s in ORDER_3 if all(g in (".", str(c)) for g, c in zip(puzzle.givens, s, strict=True))]
        assert [list(map(str, square)) for square in fits] == [list(puzzle.solutions()[0])]
    lines = [[4 * r + c for c in range(4)] for r in range(4)] + [[4 * r + c for r in range(4)] for c in range(4)]
    lines += [[0, 5, 10, 15], [3, 6, 9, 12]]
    for i in range(12):
        puzzle = MagicSquare.generate(np.random.default_rng([2, i]), MagicSquare.settings(0.5, {"clues": 0.5}))
        assert completions([n for row in puzzle.data["board"] for n in row], 4, lines, 34) == 1


def test_near_misses_are_wrong() -> None:
    puzzle = MagicSquare.from_instance({"board": [[2, 0, 0], [0, 0, 0], [0, 0, 0]]})
    assert len(puzzle.solutions()) == 2
    assert puzzle.verify("2 7 6\n9 5 1\n4 3 8").correct
    assert puzzle.verify("2, 9, 4\n7, 5, 3\n6, 1, 8").correct
    assert "given" in puzzle.verify("4 9 2\n3 5 7\n8 1 6").reason
    assert "diagonal" in puzzle.verify("2 6 7\n9 1 5\n4 8 3").reason
    assert puzzle.verify("2 5 8\n5 5 5\n8 5 2").reason == "a number stands twice"
    with pytest.raises(BadInput, match="no solution"):
        MagicSquare.from_instance({"board": [[1, 2, 0], [0, 0, 0], [0, 0, 0]]})
