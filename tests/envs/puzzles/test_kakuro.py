"""Kakuro: one solution by a plain search, sums of the right runs, and walls that stay."""

from __future__ import annotations

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.kakuro import Kakuro
from proofgym.errors import BadInput


def runs(board: list[str]) -> tuple[list[list[tuple[int, int]]], list[list[tuple[int, int]]]]:
    def split(lines: list[list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
        found: list[list[tuple[int, int]]] = []
        for line in lines:
            joined = "".join(board[r][c] for r, c in line)
            at = 0
            for part in joined.split("#"):
                if part:
                    found.append(line[at : at + len(part)])
                at += len(part) + 1
        return found

    high, wide = len(board), len(board[0])
    return (
        split([[(r, c) for c in range(wide)] for r in range(high)]),
        split([[(r, c) for r in range(high)] for c in range(wide)]),
    )


def count(board: list[str], across: list[int], down: list[int]) -> int:
    lines = [*zip(runs(board)[0], across, strict=True), *zip(runs(board)[1], down, strict=True)]
    cells = [(r, c) for r, row in enumerate(board) for c, cell in enumerate(row) if cell != "#"]
    held: dict[tuple[int, int], int] = {}

    def fill(number: int) -> int:
        if number == len(cells):
            return 1
        at = cells[number]
        given = board[at[0]][at[1]]
        total = 0
        for digit in range(1, 10) if given == "." else (int(given),):
            held[at] = digit
            for run, wanted in lines:
                if at in run:
                    have = [held[cell] for cell in run if cell in held]
                    if len(set(have)) < len(have) or sum(have) > wanted:
                        break
                    if len(have) == len(run) and sum(have) != wanted:
                        break
            else:
                total += fill(number + 1)
            del held[at]
        return total

    return fill(0)


def test_there_is_exactly_one_solution_by_a_plain_search() -> None:
    for i in range(15):
        puzzle = Kakuro.generate(np.random.default_rng([4, i]), Kakuro.settings(0.0))
        data = puzzle.data
        assert count(list(data["board"]), data["across"], data["down"]) == 1


def test_sums_digits_and_walls() -> None:
    puzzle = Kakuro.from_instance({"board": ["..#", "...", "#.."], "across": [4, 14, 5], "down": [7, 6, 10]})
    assert puzzle.verify("13#\n617\n#23").correct
    first = puzzle.solution().replace(" ", "")
    assert puzzle.verify(first).correct
    assert count(["..#", "...", "#.."], [4, 14, 5], [7, 6, 10]) == len(puzzle.solutions())
    assert puzzle.verify(first.replace("#", "1")).score == 0.0
    assert puzzle.verify("##" + first[2:]).score == 0.0
    assert "twice" in puzzle.verify("22#\n222\n#22").reason
    with pytest.raises(Illegal, match="digit"):
        puzzle.apply(puzzle.start(), "r1c1=#")
    assert not any(move.endswith("#") for move in puzzle.moves(puzzle.start()))


def test_boards_with_lonely_cells_or_impossible_sums_are_refused() -> None:
    with pytest.raises(BadInput, match="runs"):
        Kakuro.from_instance({"board": [".#", ".."], "across": [3], "down": [3]})
    with pytest.raises(BadInput, match="no solution"):
        Kakuro.from_instance({"board": ["..", ".."], "across": [3, 3], "down": [17, 17]})
