"""Binairo: one solution among all boards, and each rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.binairo import Binairo
from proofgym.errors import BadInput

LINES = ["".join(line) for line in itertools.product("01", repeat=4) if line.count("1") == 2]
BOARDS = [
    "".join(rows)
    for rows in itertools.permutations(LINES, 4)
    for columns in [["".join(column) for column in zip(*rows, strict=True)]]
    if all(column in LINES for column in columns) and len(set(columns)) == 4
]


def test_the_solution_is_the_only_one_among_all_boards() -> None:
    assert len(BOARDS) == 72
    for i in range(60):
        puzzle = Binairo.generate(np.random.default_rng([1, i]), Binairo.settings(0.0, {"clues": (i % 5) / 10}))
        fits = [b for b in BOARDS if all(g in (".", c) for g, c in zip(puzzle.givens, b, strict=True))]
        assert fits == ["".join(puzzle.solutions()[0])]


def test_each_rule_is_kept() -> None:
    puzzle = Binairo({"board": ["......"] * 6})
    good = ["001011", "010011", "101100", "110010", "001101", "110100"]
    assert puzzle.verify("\n".join(good)).correct, puzzle.verify("\n".join(good)).reason
    for bad, why in (
        (["001011", "001011", "110100", "110010", "001101", "110100"], "same"),
        (["000111", *good[1:]], "three alike"),
        (["001001", *good[1:]], "ones"),
    ):
        assert why in puzzle.verify("\n".join(bad)).reason
    with pytest.raises(BadInput, match="even number"):
        Binairo.from_instance({"board": ["..."] * 3})
    with pytest.raises(BadInput, match="no solution"):
        Binairo.from_instance({"board": ["111.", "....", "....", "...."]})
