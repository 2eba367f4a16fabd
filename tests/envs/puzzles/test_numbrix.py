"""Numbrix: one solution among all paths, any path from outside, and numbers that do not touch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from proofgym.envs.puzzles.numbrix import Numbrix
from proofgym.errors import BadInput


def paths(size: int) -> Iterator[list[tuple[int, int]]]:
    """Every path through all cells, by a plain depth-first walk."""

    def walk(path: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
        if len(path) == size * size:
            yield path
            return
        r, c = path[-1]
        for near in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            if 0 <= near[0] < size and 0 <= near[1] < size and near not in path:
                yield from walk([*path, near])

    for r in range(size):
        for c in range(size):
            yield from walk([(r, c)])


def test_the_path_is_the_only_one_among_all() -> None:
    every = [{cell: str(n) for n, cell in enumerate(path, 1)} for path in paths(4)]
    assert len(every) == 552
    for i in range(60):
        settings = Numbrix.settings(0.0, {"clues": 0.2 + 0.1 * (i % 4)})
        puzzle = Numbrix.generate(np.random.default_rng([5, i]), settings)
        boards = [[path[r, c] for r in range(4) for c in range(4)] for path in every]
        fits = [b for b in boards if all(g in (".", n) for g, n in zip(puzzle.givens, b, strict=True))]
        assert fits == [list(puzzle.solutions()[0])]


def test_every_path_that_fits_is_found_and_right() -> None:
    puzzle = Numbrix.from_instance({"board": [[0, 0, 0], [0, 5, 0], [0, 0, 0]]})
    assert len(puzzle.solutions()) == len({str(path) for path in paths(3) if path[4] == (1, 1)})
    assert puzzle.verify("1 2 3\n6 5 4\n7 8 9").correct
    assert puzzle.verify("9 8 7\n4 5 6\n3 2 1").correct
    for bad, why in (
        ("1 2 3\n4 5 6\n7 8 9", "3 and 4"),
        ("1 2 3\n4 6 5\n7 8 9", "given"),
        ("1 2 3\n6 5 4\n7 8 8", "twice"),
    ):
        assert why in puzzle.verify(bad).reason
    with pytest.raises(BadInput, match="no solution"):
        Numbrix.from_instance({"board": [[1, 0, 2], [0, 0, 0], [0, 0, 0]]})
    with pytest.raises(BadInput, match="one or more"):
        Numbrix.from_instance({"board": [[0] * 3] * 3})
