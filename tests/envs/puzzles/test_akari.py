"""Akari: one placement among all sets of lamps, light that stops at walls, and walls that stay."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.akari import Akari
from proofgym.errors import BadInput


def right(board: list[str], lamps: set[tuple[int, int]]) -> bool:
    high, wide = len(board), len(board[0])
    lit: dict[tuple[int, int], int] = {}
    for r, c in lamps:
        lit[r, c] = lit.get((r, c), 0) + 1
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            y, x = r + dy, c + dx
            while 0 <= y < high and 0 <= x < wide and board[y][x] == ".":
                lit[y, x] = lit.get((y, x), 0) + 1
                y, x = y + dy, x + dx
    for r, c in itertools.product(range(high), range(wide)):
        if board[r][c] == ".":
            if (r, c) not in lit or ((r, c) in lamps and lit[r, c] > 1):
                return False
        elif board[r][c] != "#" and sum(abs(r - y) + abs(c - x) == 1 for y, x in lamps) != int(board[r][c]):
            return False
    return True


def test_the_placement_is_the_only_one_among_all_sets_of_lamps() -> None:
    for i in range(25):
        settings = Akari.settings(0.0, {"size": 4, "walls": 0.4, "numbers": (i % 5) / 5})
        puzzle = Akari.generate(np.random.default_rng([2, i]), settings)
        board = list(puzzle.data["board"])
        open_ = [(r, c) for r in range(4) for c in range(4) if board[r][c] == "."]
        fits = []
        for chosen in itertools.product((0, 1), repeat=len(open_)):
            lamps = {cell for cell, here in zip(open_, chosen, strict=True) if here}
            if right(board, lamps):
                fits.append(lamps)
        assert len(fits) == 1
        drawn = ["".join("L" if (r, c) in fits[0] else board[r][c] for c in range(4)) for r in range(4)]
        assert puzzle.verify("\n".join(drawn)).correct


def test_light_stops_at_walls_and_walls_stay() -> None:
    puzzle = Akari.from_instance({"board": ["..#", "#..", "..1"]})
    for good in puzzle.solutions():
        assert puzzle.verify(puzzle.drawn(good)).correct
    for bad, why in (
        ("LL#\n#.L\nL.1", "lit by another"),
        ("..#\n#..\n..1", "dark"),
        ("L.L\n#.L\nL.1", "is '#' on the board"),
        ("L.#\n#L.\n..1", "dark"),
        ("L.#\n#.L\nL.0", "is '1' on the board"),
        ("###\n#..\n..1", "open"),
    ):
        assert why in puzzle.verify(bad).reason
    with pytest.raises(BadInput, match="no solution"):
        Akari.from_instance({"board": ["4."]})
