"""Skyscrapers: one solution by a plain count, clues counted from the right side, and near misses."""

from __future__ import annotations

import itertools

import numpy as np

from proofgym.envs.puzzles.skyscrapers import Skyscrapers

LATIN_4 = [
    rows
    for rows in itertools.product(itertools.permutations((1, 2, 3, 4)), repeat=4)
    if all(len(set(column)) == 4 for column in zip(*rows, strict=True))
]


def seen(line: tuple[int, ...]) -> int:
    return sum(height == max(line[: n + 1]) for n, height in enumerate(line))


def clues(rows: tuple[tuple[int, ...], ...]) -> dict[str, list[int]]:
    columns = list(zip(*rows, strict=True))
    return {
        "top": [seen(c) for c in columns],
        "bottom": [seen(c[::-1]) for c in columns],
        "left": [seen(r) for r in rows],
        "right": [seen(r[::-1]) for r in rows],
    }


def test_there_is_exactly_one_solution_among_all_latin_squares() -> None:
    every = [(rows, clues(rows)) for rows in LATIN_4]
    for i in range(40):
        puzzle = Skyscrapers.generate(np.random.default_rng([4, i]), Skyscrapers.settings(0.0))
        fits = [
            rows
            for rows, shown in every
            if all(g in (".", str(c)) for g, c in zip(puzzle.givens, itertools.chain(*rows), strict=True))
            and all(a in (0, b) for side in shown for a, b in zip(puzzle.data[side], shown[side], strict=True))
        ]
        assert ["".join(map(str, itertools.chain(*rows))) for rows in fits] == ["".join(puzzle.solutions()[0])]


def test_a_board_worked_by_hand() -> None:
    # from the left 3, 2, 1 towers are seen in the three rows: 1 2 3 can only stand in the first
    data = {"board": ["...", "...", "..."], "left": [3, 2, 1], "right": [0] * 3, "top": [0] * 3, "bottom": [0] * 3}
    puzzle = Skyscrapers.from_instance(data)
    assert puzzle.solution() == "1 2 3\n2 3 1\n3 1 2"
    assert puzzle.verify("123\n231\n312").correct
    assert puzzle.verify("123\n312\n231").reason == "from the left of row 2, 1 towers are seen, not 2"
    assert puzzle.verify("321\n213\n132").score == 0.0
