"""Systems of linear congruences: the Chinese remainder theorem, modular inverses, and systems without a solution."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.verifiers import Verdict

__all__ = ["Congruences", "smallest"]

_NONE = "none"


class Congruences(Puzzle):
    """Find the smallest whole number that satisfies a system of linear congruences, or say that there is none.

    Moduli may share factors, and each unknown may have a coefficient to invert. A tenth of the systems contradict
    themselves.
    """

    family = "congruences"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "count": Knob(2, 5, "congruences", 2, 8),
        "modulus": Knob(15, 60, "largest modulus", 12, 1000),
        "coefficients": Knob(0.0, 1.0, "share of congruences with a coefficient"),
        "impossible": Knob(0.1, 0.1, "share of systems without a solution", 0.0, 0.5),
    }
    hardness_of = "binary digits of the modulus of the whole system"
    floor: ClassVar[float] = 0.11

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        possible = rng.random() >= knobs["impossible"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rows = []
            unknown = int(rng.integers(10**9))
            for _ in range(knobs["count"]):
                m = int(rng.integers(4, knobs["modulus"] + 1))
                a = int(rng.integers(2, m)) if rng.random() < knobs["coefficients"] else 1
                rows.append([a, a * unknown % m, m])
            if not possible:
                row = rows[int(rng.integers(len(rows)))]
                row[1] = (row[1] + int(rng.integers(1, row[2]))) % row[2]
            puzzle = cls({"rows": rows})
            x, period = puzzle.found
            if possible == (x is not None) and period >= 50 and len({row[2] for row in rows}) == len(rows):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rows")
        self.rows = fields.matrix(data, "rows", 0, 10**6, columns=3, most=12)
        for row in self.rows:
            fields.whole({"modulus": row[2]}, "modulus", 2, 10**6)

    @functools.cached_property
    def found(self) -> tuple[int | None, int]:
        """See `smallest`."""
        return smallest(self.rows)

    def canonical(self) -> Any:
        return sorted([a % m, b % m, m] for a, b, m in self.rows)

    def question(self) -> str:
        lines = "\n".join(f"{a if a != 1 else ''}x = {b} (mod {m})" for a, b, m in self.rows)
        return (
            f"Find the smallest whole number x >= 0 that satisfies all of these congruences:\n{lines}\n"
            f"End with a line 'Answer: ' and the number, or '{_NONE}' if there is none."
        )

    def judge(self, answer: str) -> Verdict:
        x, _ = self.found
        if answers.tidy(answer) == _NONE:
            return Verdict.right("they contradict each other") if x is None else Verdict.wrong("there is a solution")
        said = answers.whole(answer.strip().removeprefix("x").strip(" ="))
        broken = next((row for row in self.rows if said < 0 or (row[0] * said - row[1]) % row[2]), None)
        if broken:
            return Verdict.wrong(f"{said} does not satisfy {broken[0]}x = {broken[1]} (mod {broken[2]})")
        return Verdict.right() if said == x else Verdict.wrong(f"{said} satisfies them, and {x} is smaller")

    def solution(self) -> str:
        x, _ = self.found
        return _NONE if x is None else str(x)

    def hardness(self) -> float:
        return math.log2(math.lcm(*(m for _, _, m in self.rows)))

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {10**17}", "Answer: x", "Answer: -1", "Answer: none or 1")


def smallest(rows: Sequence[Sequence[int]]) -> tuple[int | None, int]:
    """The smallest x >= 0 with a x = b (mod m) for every row, and the period of solutions; `None` without one.

    >>> smallest([(1, 2, 3), (1, 3, 5), (2, 4, 14)]), smallest([(2, 1, 4)])
    ((23, 105), (None, 2))
    """
    x, period, possible = 0, 1, True
    for a, b, m in rows:
        step = a * period
        common = math.gcd(step, m)
        need = b - a * x
        if need % common:
            possible = False
        else:
            x += period * (need // common * pow(step // common, -1, m // common) % (m // common))
        period *= m // common
    return (x % period if possible else None), period
