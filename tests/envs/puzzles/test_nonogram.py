"""Nonograms: unique among all pictures, several solutions accepted, and near misses."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from proofgym.envs.puzzles.nonogram import Nonogram
from proofgym.errors import BadInput


def runs(line: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(map(len, "".join(map(str, line)).replace("0", " ").split()))


def clues(cells: tuple[int, ...], size: int) -> tuple[tuple[int, ...], ...]:
    rows = [cells[at : at + size] for at in range(0, size * size, size)]
    return (*map(runs, rows), *map(runs, zip(*rows, strict=True)))


def test_the_picture_is_the_only_one_among_all() -> None:
    line = {cells: runs(cells) for cells in itertools.product((0, 1), repeat=4)}
    seen: Counter[tuple[tuple[int, ...], ...]] = Counter()
    for rows in itertools.product(line, repeat=4):
        seen[(*(line[row] for row in rows), *(line[column] for column in zip(*rows, strict=True)))] += 1
    for i in range(60):
        puzzle = Nonogram.generate(np.random.default_rng([2, i]), Nonogram.settings(0.0, {"size": 4}))
        key = (*map(tuple, puzzle.data["rows"]), *map(tuple, puzzle.data["columns"]))
        assert seen[key] == 1
        painted = tuple(int(cell == "#") for cell in puzzle.solutions()[0])
        assert clues(painted, 4) == key


def test_both_pictures_of_an_ambiguous_board_are_right() -> None:
    puzzle = Nonogram.from_instance({"rows": [[1], [1]], "columns": [[1], [1]]})
    assert len(puzzle.solutions()) == 2
    assert puzzle.verify("#.\n.#").correct
    assert puzzle.verify(". #\n# .").correct
    assert puzzle.verify("##\n..").score == 0.0
    assert puzzle.verify("..\n..").score == 0.0
    state = puzzle.apply(puzzle.start(), "mark r1c2")
    assert puzzle.distance(state) == 1
    assert puzzle.best(state) == "mark r2c1"
    assert puzzle.distance(puzzle.apply(state, "mark r1c1")) == 2


def test_runs_that_touch_and_order_count() -> None:
    puzzle = Nonogram.from_instance({"rows": [[1, 2]], "columns": [[1], [], [], [1], [1]]})
    assert puzzle.verify("#..##").correct
    assert puzzle.verify("##.#.").score == 0.0
    wrong = {"rows": [[3, 2]], "columns": [[1]] * 5}
    with pytest.raises(BadInput, match="does not fit"):
        Nonogram.from_instance(wrong)
    with pytest.raises(BadInput, match="no solution"):
        Nonogram.from_instance({"rows": [[5]], "columns": [[1], [1], [], [1], [1]]})
