"""Queens: the completions are all there are, any of them is right, and attacks are seen in every direction."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.queens import Queens
from proofgym.errors import BadInput


def placements(size: int) -> list[str]:
    return [
        "".join("." * c + "Q" + "." * (size - c - 1) for c in columns)
        for columns in itertools.permutations(range(size))
        if len({r + c for r, c in enumerate(columns)}) == len({r - c for r, c in enumerate(columns)}) == size
    ]


def test_the_completions_are_all_there_are() -> None:
    every = placements(7)
    assert len(every) == 40
    for i in range(60):
        puzzle = Queens.generate(np.random.default_rng([2, i]), Queens.settings(0.0, {"completions": 1 + i % 8}))
        fits = [p for p in every if all(g in (".", c) for g, c in zip(puzzle.givens, p, strict=True))]
        assert sorted("".join(cells) for cells in puzzle.solutions()) == sorted(fits)
        assert 1 <= len(fits) <= 1 + i % 8
        for full in fits:
            assert puzzle.verify("\n".join(full[n : n + 7] for n in range(0, 49, 7))).correct


def test_both_placements_of_four_queens_are_right() -> None:
    puzzle = Queens.from_instance({"board": ["...."] * 4})
    assert puzzle.verify(".Q..\n...Q\nQ...\n..Q.").correct
    assert puzzle.verify("..q.\nq...\n...q\n.q..").correct


@pytest.mark.parametrize(
    "bad",
    [
        "Q...\n..Q.\n.Q..\n...Q",
        "QQ..\n...Q\nQ...\n..Q.",
        ".Q..\n.Q..\nQ...\n..Q.",
        ".Q..\n...Q\nQ...\n....",
        "....\n" * 4,
    ],
)
def test_attacks_and_missing_queens_are_wrong(bad: str) -> None:
    assert Queens.from_instance({"board": ["...."] * 4}).verify(bad).score == 0.0


def test_a_queen_on_the_board_stays() -> None:
    puzzle = Queens.from_instance({"board": [".Q..", "....", "....", "...."]})
    assert "missing" in puzzle.verify("..Q.\nQ...\n...Q\n.Q..").reason
    with pytest.raises(BadInput, match="no solution"):
        Queens.from_instance({"board": ["Q...", ".Q..", "....", "...."]})
