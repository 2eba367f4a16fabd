"""Hitori: one solution among all ways to shade, and each of the three rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.hitori import Hitori
from proofgym.errors import BadInput

CELLS = list(itertools.product(range(4), repeat=2))


def connected(cells: set[tuple[int, int]]) -> bool:
    stack, left = [min(cells)], cells - {min(cells)}
    while stack:
        r, c = stack.pop()
        for near in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            if near in left:
                left = left - {near}
                stack.append(near)
    return not left


SHADINGS = [
    shaded
    for chosen in itertools.product((False, True), repeat=16)
    for shaded in [{cell for cell, here in zip(CELLS, chosen, strict=True) if here}]
    if not any((r + 1, c) in shaded or (r, c + 1) in shaded for r, c in shaded) and connected(set(CELLS) - shaded)
]


def test_the_solution_is_the_only_one_among_all_ways_to_shade() -> None:
    for i in range(40):
        puzzle = Hitori.generate(np.random.default_rng([3, i]), Hitori.settings(0.0))
        board = puzzle.data["board"]
        fits = []
        for shaded in SHADINGS:
            rows = [[board[r][c] for c in range(4) if (r, c) not in shaded] for r in range(4)]
            columns = [[board[r][c] for r in range(4) if (r, c) not in shaded] for c in range(4)]
            if all(len(set(line)) == len(line) for line in rows + columns):
                fits.append(shaded)
        assert len(fits) == 1
        drawn = ["".join("#" if (r, c) in fits[0] else "." for c in range(4)) for r in range(4)]
        assert puzzle.verify("\n".join(drawn)).correct


def test_each_rule_is_kept() -> None:
    puzzle = Hitori({"board": [[1, 1, 2], [1, 3, 3], [3, 2, 1]]})
    assert puzzle.verify("#..\n..#\n...").correct
    for bad, why in (
        ("...\n...\n...", "twice"),
        ("##.\n..#\n...", "touches"),
        ("#..\n..#\n.#.", "connected"),
    ):
        assert why in puzzle.verify(bad).reason
    assert puzzle.verify("#..\n.#.\n...").correct
    with pytest.raises(BadInput, match="no solution"):
        Hitori.from_instance({"board": [[1, 1], [1, 1]]})
