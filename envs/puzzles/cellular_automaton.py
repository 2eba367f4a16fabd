"""One-dimensional cellular automata: running one, and finding the rule of one."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["AutomatonRule", "CellularAutomaton", "run"]

_HOODS = [f"{i:03b}".replace("0", ".").replace("1", "#") for i in range(7, -1, -1)]


def run(rule: int, row: str, steps: int) -> str:
    """A row of `.` and `#` after some steps of an elementary automaton (Wolfram 1983); the ends meet.

    >>> run(90, "..#..", 1), run(30, "...#...", 2)
    ('.#.#.', '.##..#.')
    """
    cells = _after(rule, _bits(row), len(row), steps)
    return "".join("#" if cells >> i & 1 else "." for i in range(len(row)))


def _bits(row: str) -> int:
    return sum(1 << i for i, cell in enumerate(row) if cell == "#")


def _after(rule: int, cells: int, width: int, steps: int) -> int:
    """A row as bits, the first cell lowest, after some steps."""
    full = (1 << width) - 1
    for _ in range(steps):
        left, right = cells << 1 | cells >> (width - 1), cells >> 1 | (cells & 1) << (width - 1)
        after = 0
        for hood in range(8):
            if rule >> hood & 1:
                after |= (
                    (left if hood & 4 else ~left) & (cells if hood & 2 else ~cells) & (right if hood & 1 else ~right)
                )
        cells = after & full
    return cells


def _random_row(rng: np.random.Generator, width: int) -> str:
    return "".join(".#"[i] for i in rng.integers(2, size=width).tolist())


class CellularAutomaton(Puzzle):
    """Run an elementary cellular automaton for some steps."""

    family = "cellular_automaton"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "width": Knob(9, 25, "cells", 3, 60),
        "steps": Knob(1, 5, "steps", 1, 20),
    }
    hardness_of = "cells that are worked out and differ from those before"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rule, row = int(rng.integers(1, 255)), _random_row(rng, knobs["width"])
            puzzle = cls({"rule": rule, "row": row, "steps": knobs["steps"]})
            if (
                len(set(puzzle.after)) == 2
                and puzzle.after != row
                and puzzle.hardness() > 0.2 * len(row) * knobs["steps"]
            ):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rule", "row", "steps")
        self.rule, self.steps = fields.whole(data, "rule", 0, 255), fields.whole(data, "steps", 1, 100)
        self.row = fields.text(data, "row", ".#", least=3, most=100)
        self.after = run(self.rule, self.row, self.steps)

    def question(self) -> str:
        rules = ", ".join(f"{hood} -> {run(self.rule, hood, 1)[1]}" for hood in _HOODS)
        return (
            "In each step every cell of a row becomes '#' or '.' by itself and its two neighbours (left, itself, "
            f"right), all at once:\n{rules}\nThe row is closed to a ring: its first and last cell are neighbours. "
            f"The row is\n{self.row}\n"
            f"Which row is it after {self.steps} step{'s' * (self.steps > 1)}?\nEnd with a line 'Answer: ' and the row."
        )

    def judge(self, answer: str) -> Verdict:
        return _same(answer, self.after)

    def solution(self) -> str:
        return self.after

    def hardness(self) -> float:
        rows = [run(self.rule, self.row, k) for k in range(self.steps + 1)]
        return float(sum(a != b for one, two in itertools.pairwise(rows) for a, b in zip(one, two, strict=True)))

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.row}", f"Answer: {'.' * len(self.row)}", f"Answer: {'#' * len(self.row)}")

    def svg(self) -> str:
        return _picture([self.row])


class AutomatonRule(Puzzle):
    """Find a rule of an elementary cellular automaton from rows some steps apart; any rule that fits is right."""

    family = "automaton_rule"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "width": Knob(14, 18, "cells", 5, 60),
        "apart": Knob(1, 3, "steps between the rows that are shown", 1, 6),
        "pairs": Knob(2, 3, "pairs of rows", 1, 5),
    }
    hardness_of = "steps between the rows, each counted once more for every pair"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rule = int(rng.integers(1, 255))
            firsts = [_random_row(rng, knobs["width"]) for _ in range(knobs["pairs"])]
            pairs = [[row, run(rule, row, knobs["apart"])] for row in firsts]
            puzzle = cls({"pairs": pairs, "apart": knobs["apart"]})
            if all(len(set(after)) == 2 and after != before for before, after in pairs) and len(puzzle.fits) <= 2:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "pairs", "apart")
        self.apart = fields.whole(data, "apart", 1, 10)
        pairs = data["pairs"]
        if not (isinstance(pairs, (list, tuple)) and 1 <= len(pairs) <= 8):
            raise BadInput(f"'pairs' are 1 to 8 pairs of rows, found {pairs!r:.80}")
        self.pairs = [fields.rows({"pairs": pair}, "pairs", ".#", count=2) for pair in pairs]
        if min(len(row) for pair in self.pairs for row in pair) < 3:
            raise BadInput("a row has at least 3 cells")
        self._rows = [(_bits(one), _bits(two), len(one)) for one, two in self.pairs]

    def prove(self) -> None:
        if not self.fits:
            raise BadInput("no rule fits these rows")

    @functools.cached_property
    def fits(self) -> list[int]:
        """Every rule that fits."""
        return [rule for rule in range(256) if self._fault(rule) is None]

    def _fault(self, rule: int) -> int | None:
        rows = enumerate(self._rows, 1)
        return next((i for i, (one, two, n) in rows if _after(rule, one, n, self.apart) != two), None)

    def canonical(self) -> Any:
        return [sorted(map(list, self.pairs)), self.apart]

    def question(self) -> str:
        pairs = "\n\n".join(f"{before}\n{after}" for before, after in self.pairs)
        later = f"{self.apart} steps" if self.apart > 1 else "one step"
        return (
            "In each step every cell of a row becomes '#' or '.' by itself and its two neighbours (left, itself, "
            "right), all at once, by a secret rule. A row is closed to a ring: its first and last cell are "
            f"neighbours. Each of these pairs shows a row and the same row {later} later:\n{pairs}\nFind the "
            f"rule.\nEnd with a line 'Answer: ' and eight signs without blanks: what a cell becomes for "
            f"{', '.join(_HOODS)}, in this order."
        )

    def judge(self, answer: str) -> Verdict:
        said = "".join(answer.split()).strip("'\"`")
        if len(said) != 8 or set(said) - set(".#"):
            raise Unreadable(f"eight signs '.' or '#' are asked for, found {said[:40]!r}")
        fault = self._fault(int(said.replace(".", "0").replace("#", "1"), 2))
        return Verdict.right() if fault is None else Verdict.wrong(f"it does not fit pair {fault}")

    def solution(self) -> str:
        return f"{self.fits[0]:08b}".replace("0", ".").replace("1", "#")

    def hardness(self) -> float:
        return float((self.apart - 1) * (len(self.pairs) + 1) + len(self.pairs))

    def cheats(self) -> Sequence[str]:
        return ("Answer: ........", "Answer: ########", f"Answer: {self.pairs[0][1]}")

    def svg(self) -> str:
        return _picture([row for pair in self.pairs for row in pair])


def _same(answer: str, row: str) -> Verdict:
    said = "".join(answer.split()).strip("'\"`")
    if len(said) != len(row) or set(said) - set(".#"):
        raise Unreadable(f"a row of {len(row)} signs '.' or '#' is asked for, found {said[:60]!r}")
    wrong = next((i for i, (a, b) in enumerate(zip(said, row, strict=True), 1) if a != b), None)
    return Verdict.right() if wrong is None else Verdict.wrong(f"cell {wrong} is wrong")


def _picture(rows: Sequence[str]) -> str:
    board = Board(len(rows), max(map(len, rows)))
    for r, row in enumerate(rows):
        for c, cell in enumerate(row):
            if cell == "#":
                board.fill(r, c, "#2f3b4c")
    return board.svg()
