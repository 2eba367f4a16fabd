"""Tents: one way among all, pairs of trees and tents, and tents that touch."""

from __future__ import annotations

import itertools

import numpy as np

from proofgym.envs.puzzles.tents import Tents


def ways(board: list[str], rows: list[int], columns: list[int]) -> set[frozenset[tuple[int, int]]]:
    """Every tree picks a cell beside it; what is left after the rules."""
    high, wide = len(board), len(board[0])
    trees = [(r, c) for r in range(high) for c in range(wide) if board[r][c] == "T"]
    beside = [
        [(y, x) for y, x in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1))
         if 0 <= y < high and 0 <= x < wide and board[y][x] == "."]
        for r, c in trees
    ]  # fmt: skip
    found = set()
    for tents in itertools.product(*beside):
        apart = all(max(abs(a - c), abs(b - d)) > 1 for (a, b), (c, d) in itertools.combinations(tents, 2))
        in_rows = [sum(r == n for r, _ in tents) for n in range(high)]
        in_columns = [sum(c == n for _, c in tents) for n in range(wide)]
        if apart and all(a in (-1, b) for a, b in zip([*rows, *columns], [*in_rows, *in_columns], strict=True)):
            found.add(frozenset(tents))
    return found


def test_there_is_exactly_one_way() -> None:
    for i in range(40):
        puzzle = Tents.generate(np.random.default_rng([3, i]), Tents.settings(0.0, {"hidden": (i % 3) / 4}))
        data = puzzle.data
        found = ways(list(data["board"]), data["rows"], data["columns"])
        assert len(found) == 1
        drawn = [
            "".join("A" if (r, c) in min(found, key=sorted) else cell for c, cell in enumerate(row))
            for r, row in enumerate(data["board"])
        ]
        assert puzzle.verify("\n".join(drawn)).correct


def test_numbers_touching_and_pairs() -> None:
    free = {"rows": [-1, -1, -1], "columns": [-1, -1, -1]}
    puzzle = Tents({"board": ["T..", "...", "..T"], **free})
    assert puzzle.verify("TA.\n...\n.AT").correct
    assert "touch" in puzzle.verify("TA.\n..A\n..T").reason
    assert "paired" in puzzle.verify("TA.\n...\n..T").reason
    assert "paired" in puzzle.verify("TA.\n...\nA.T").reason
    assert puzzle.verify("TAT\n...\n.AT").score == 0.0
    assert puzzle.verify("AA.\n...\n.AT").score == 0.0
    both = Tents({"board": ["TT.", "...", "..."], "rows": [1, 1, 0], "columns": [1, 0, 1]})
    assert both.verify("TTA\nA..\n...").correct
    assert "row 1" in both.verify("TT.\n...\nA.A").reason
