"""Conversions between invented units, as a chain of exact fractions."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["UnitChains"]

_FIRST, _LAST = (
    ("bl", "cr", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z"),
    ("n", "p", "g", "st"),
)


class UnitChains(Puzzle):
    """Convert an amount between invented units through a chain of given equalities; the answer is an exact fraction."""

    family = "unit_chains"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "chain": Knob(2, 6, "equalities on the way", 1, 12),
        "spare": Knob(0, 5, "equalities that are not needed", 0, 10),
        "number": Knob(6, 30, "largest number in an equality", 2, 1000),
    }
    hardness_of = "equalities on the way, each counted by its digits"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        units = [f"{a}{v}{b}" for a in _FIRST for v in "aeiou" for b in _LAST]
        size = knobs["chain"] + 1 + knobs["spare"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            names = [units[i] for i in rng.permutation(len(units))[:size].tolist()]
            pairs = [(i, i + 1) for i in range(knobs["chain"])]
            pairs += [(int(rng.integers(i)), i) for i in range(knobs["chain"] + 1, size)]
            facts = []
            for i in rng.permutation(len(pairs)).tolist():
                u, v = pairs[i] if rng.random() < 0.5 else pairs[i][::-1]
                x, y = rng.integers(1, knobs["number"] + 1, size=2).tolist()
                facts.append([x, names[u], y, names[v]])
            amount = int(rng.integers(2, knobs["number"] + 1))
            puzzle = cls({"facts": facts, "amount": amount, "source": names[0], "target": names[knobs["chain"]]})
            if puzzle.value not in (1, amount):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "facts", "amount", "source", "target")
        facts = data["facts"]
        if not (isinstance(facts, (list, tuple)) and 1 <= len(facts) <= 60):
            raise BadInput(f"'facts' are 1 to 60 rows such as [3, 'pin', 4, 'dag'], found {facts!r:.80}")
        self.facts: list[tuple[int, str, int, str]] = []
        for row in facts:
            if not (isinstance(row, (list, tuple)) and len(row) == 4):
                raise BadInput(f"'facts' are rows such as [3, 'pin', 4, 'dag'], found {row!r:.80}")
            x, y = fields.wholes({"facts": [row[0], row[2]]}, "facts", 1, 10**6)
            u, v = fields.texts({"facts": [row[1], row[3]]}, "facts", "abcdefghijklmnopqrstuvwxyz", longest=20)
            self.facts.append((x, u, y, v))
        self.amount = fields.whole(data, "amount", 1, 10**6)
        self.source, self.target = fields.text(data, "source", most=20), fields.text(data, "target", most=20)

    def prove(self) -> None:
        values: dict[str, Fraction] = {self.source: Fraction(1)}
        for name, (value, _) in self._reached.items():
            values[name] = value
        for x, u, y, v in self.facts:
            if u in values and v in values and values[u] * y != values[v] * x:
                raise BadInput(f"'facts' contradict each other at {x} {u} = {y} {v}")
        if self.target not in self._reached or self.source == self.target:
            raise BadInput(f"no chain of 'facts' leads from {self.source!r:.40} to {self.target!r:.40}")

    @functools.cached_property
    def _reached(self) -> dict[str, tuple[Fraction, int]]:
        """How many of each unit one source is, and the digits on the way there."""
        near: dict[str, list[tuple[str, Fraction, int]]] = {}
        for x, u, y, v in self.facts:
            digits = len(f"{x}{y}")
            near.setdefault(u, []).append((v, Fraction(y, x), digits))
            near.setdefault(v, []).append((u, Fraction(x, y), digits))
        reached, queue = {self.source: (Fraction(1), 0)}, deque([self.source])
        while queue:
            unit = queue.popleft()
            for other, ratio, digits in near.get(unit, ()):
                if other not in reached:
                    reached[other] = (reached[unit][0] * ratio, reached[unit][1] + digits)
                    queue.append(other)
        return reached

    @property
    def value(self) -> Fraction:
        """The answer."""
        return self.amount * self._reached[self.target][0]

    def canonical(self) -> Any:
        """The facts in any order."""
        return [sorted(list(fact) for fact in self.facts), self.amount, self.source, self.target]

    def question(self) -> str:
        facts = "\n".join(f"{x} {u} = {y} {v}" for x, u, y, v in self.facts)
        return (
            f"These amounts are equal:\n{facts}\nHow many {self.target} are {self.amount} {self.source}?\n"
            "End with a line 'Answer: ' and the exact number, as a whole number or a fraction like 3/4."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.rational(answer.strip().removesuffix(self.target))
        return Verdict.right() if said == self.value else Verdict.wrong(f"{str(said)[:40]} is not the amount")

    def solution(self) -> str:
        return str(self.value)

    def hardness(self) -> float:
        return float(self._reached[self.target][1])

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.amount}", f"Answer: {self.amount} {self.source}", "Answer: 1")
