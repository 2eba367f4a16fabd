"""Conway's game of life: forwards, and backwards to any predecessor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["LifeForward", "LifePredecessor", "grown"]


def grown(board: Sequence[int], columns: int) -> list[int]:
    """A board one generation later; rows are whole numbers whose bits are the cells, and all around is dead.

    All cells of a row are added up at once: three rows of neighbours in bitwise adders.
    """
    full = (1 << columns) - 1
    sums = []
    for row in (0, *board, 0):
        left, right = row << 1 & full, row >> 1
        sums.append((left ^ right, left & right, left ^ row ^ right, left & row | right & (left | row)))
    after = []
    for r, row in enumerate(board):
        a1, a2 = sums[r][2:]  # above: three cells as two bits
        b1, b2 = sums[r + 1][:2]  # beside: two cells
        c1, c2 = sums[r + 2][2:]  # below
        one = a1 ^ b1 ^ c1
        carry = a1 & b1 | c1 & (a1 | b1)
        twos = a2 ^ b2 ^ c2 ^ carry
        more = (a2 & b2) | (c2 & carry) | ((a2 ^ b2) & (c2 ^ carry))
        after.append(twos & ~more & (one | row))
    return after


def _bits(row: str) -> int:
    return sum(1 << i for i, cell in enumerate(row) if cell == "#")


def _text(board: Sequence[int], columns: int) -> list[str]:
    return ["".join("#" if row >> i & 1 else "." for i in range(columns)) for row in board]


def _picture(rows: Sequence[str]) -> str:
    board = Board(len(rows), len(rows[0]))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell == "#":
                board.fill(r, c, "#2f3b4c")
    return board.svg()


_RULES = (
    "Conway's game of life: '#' is a living cell, '.' a dead one, and everything outside the board is dead. All at "
    "once, a living cell with two or three living neighbours (of eight) stays alive, a dead cell with exactly three "
    "becomes alive, and all others die or stay dead."
)


class LifeForward(Puzzle):
    """Run the game of life for some generations on a board with dead surroundings."""

    family = "life_forward"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 12, "rows and columns", 3, 24),
        "generations": Knob(1, 3, "generations", 1, 10),
        "density": Knob(0.35, 0.4, "share of living cells", 0.05, 0.9),
    }
    hardness_of = "cells that are born or die"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = knobs["size"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            cells = (rng.random((size, size)) < knobs["density"]).tolist()
            rows = ["".join("#" if cell else "." for cell in row) for row in cells]
            puzzle = cls({"board": rows, "generations": knobs["generations"]})
            if any(puzzle.after) and puzzle.after != puzzle.board:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "generations")
        self.rows = fields.rows(data, "board", ".#", most=40)
        self.generations = fields.whole(data, "generations", 1, 50)
        self.columns = len(self.rows[0])
        self.board = [_bits(row) for row in self.rows]
        self.after, self._changed = self.board, 0
        for _ in range(self.generations):
            before, self.after = self.after, grown(self.after, self.columns)
            self._changed += sum((a ^ b).bit_count() for a, b in zip(before, self.after, strict=True))

    def question(self) -> str:
        board = "\n".join(self.rows)
        times = f"{self.generations} generations" if self.generations > 1 else "one generation"
        return (
            f"{_RULES}\n{board}\nWhat does the board look like after {times}?\n"
            "End with 'Answer:' and the board below it, one row a line."
        )

    def answer_lines(self) -> int:
        return len(self.rows)

    def judge(self, answer: str) -> Verdict:
        said = answers.grid(answer, len(self.rows), self.columns, ".#")
        right = _text(self.after, self.columns)
        for r, (row, wanted) in enumerate(zip(said, right, strict=True), 1):
            if "".join(row) != wanted:
                return Verdict.wrong(f"row {r} is wrong")
        return Verdict.right()

    def solution(self) -> str:
        return "\n".join(_text(self.after, self.columns))

    def hardness(self) -> float:
        return float(self._changed)

    def cheats(self) -> Sequence[str]:
        empty = "\n".join(["." * self.columns] * len(self.rows))
        return ("Answer:\n" + "\n".join(self.rows), *((f"Answer:\n{empty}",) if any(self.after) else ()))

    def svg(self) -> str:
        return _picture(self.rows)


class LifePredecessor(Puzzle):
    """Find a board that the game of life turns into a given one; any predecessor is right."""

    family = "life_predecessor"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 8, "rows and columns", 3, 12),
        "density": Knob(0.4, 0.4, "share of living cells in the predecessor", 0.1, 0.8),
    }
    hardness_of = "living cells of the board, and its rows"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = knobs["size"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            cells = (rng.random((size, size)) < knobs["density"]).tolist()
            before = [sum(1 << i for i, cell in enumerate(row) if cell) for row in cells]
            after = grown(before, size)
            if sum(row.bit_count() for row in after) >= size and after != before:
                return cls({"board": _text(after, size), "solution": _text(before, size)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "solution")
        self.rows = fields.rows(data, "board", ".#", most=24)
        self.columns = len(self.rows[0])
        self.board = [_bits(row) for row in self.rows]
        self._stored = fields.rows(data, "solution", ".#", count=len(self.rows), width=self.columns)
        if grown([_bits(row) for row in self._stored], self.columns) != self.board:
            raise BadInput("'solution' does not become 'board'")

    def question(self) -> str:
        board = "\n".join(self.rows)
        return (
            f"{_RULES}\n{board}\nFind a board of the same size that looks like this after one generation.\n"
            "End with 'Answer:' and your board below it, one row a line."
        )

    def answer_lines(self) -> int:
        return len(self.rows)

    def judge(self, answer: str) -> Verdict:
        said = answers.grid(answer, len(self.rows), self.columns, ".#")
        after = grown([_bits("".join(row)) for row in said], self.columns)
        wrong = next((r for r, (a, b) in enumerate(zip(after, self.board, strict=True), 1) if a != b), None)
        return Verdict.right() if wrong is None else Verdict.wrong(f"row {wrong} becomes another one")

    def solution(self) -> str:
        return "\n".join(self._stored)

    def hardness(self) -> float:
        return float(sum(row.bit_count() for row in self.board) + len(self.rows))

    def cheats(self) -> Sequence[str]:
        rows = [*self.rows, "." * self.columns]
        still = grown(self.board, self.columns) == self.board
        full = "\n".join(["#" * self.columns] * len(self.rows))
        return (f"Answer:\n{full}", "\n".join(rows), *(() if still else ("Answer:\n" + "\n".join(self.rows),)))

    def svg(self) -> str:
        return _picture(self.rows)
