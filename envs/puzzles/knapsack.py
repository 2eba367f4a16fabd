"""The 0/1 knapsack problem."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Knapsack"]


class Knapsack(Puzzle):
    """Choose items of the greatest total value that fit into a knapsack; any choice of that value is right.

    Values follow weights with some noise, and the greedy choice by value per weight is never the best.

    Source:
        Nemhauser and Ullmann 1969: the optimum is among the undominated pairs of weight and value.
    """

    family = "knapsack"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "items": Knob(6, 22, "items", 3, 40),
        "heaviest": Knob(15, 60, "largest weight", 5, 200),
    }
    hardness_of = "undominated pairs of weight and value, over all items"
    floor: ClassVar[float] = 0.03

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n, most = knobs["items"], knobs["heaviest"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            weights = rng.integers(1, most + 1, size=n)
            values = np.maximum(1, weights + rng.integers(-most // 4, most // 4 + 1, size=n))
            capacity = int(weights.sum() * rng.uniform(0.35, 0.65))
            items = [[w, v] for w, v in zip(weights.tolist(), values.tolist(), strict=True)]
            if capacity < max(w for w, _ in items):
                continue
            puzzle = cls({"items": items, "capacity": capacity})
            if puzzle.best[0] > puzzle.greedy():
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "items", "capacity")
        self.items = fields.matrix(data, "items", 1, 10_000, columns=2, most=40)
        self.capacity = fields.whole(data, "capacity", 1, 10_000)

    def prove(self) -> None:
        if not self.best[1]:
            raise BadInput("no item fits into the knapsack")

    @functools.cached_property
    def best(self) -> tuple[int, list[int], int]:
        """The greatest value, the items of a choice that has it, and the work."""
        front: list[tuple[int, int, int]] = [(0, 0, 0)]  # weight, value, items as bits; both grow
        work = 0
        for i, (w, v) in enumerate(self.items):
            more = [(a + w, b + v, c | 1 << i) for a, b, c in front if a + w <= self.capacity]
            merged = sorted(front + more, key=lambda pair: (pair[0], -pair[1]))
            front, highest = [], -1
            for pair in merged:
                if pair[1] > highest:
                    front.append(pair)
                    highest = pair[1]
            work += len(front)
        _, value, bits = front[-1]
        return value, [i for i in range(len(self.items)) if bits >> i & 1], work

    def greedy(self) -> int:
        """What the choice by value per weight comes to."""
        left, value = self.capacity, 0
        for w, v in sorted(self.items, key=lambda item: (-item[1] / item[0], item[0])):
            if w <= left:
                left -= w
                value += v
        return value

    def canonical(self) -> Any:
        return [sorted(map(list, self.items)), self.capacity]

    def question(self) -> str:
        items = "\n".join(f"{i}: weight {w}, value {v}" for i, (w, v) in enumerate(self.items, 1))
        return (
            f"A knapsack carries a total weight of at most {self.capacity}. There are these items, one of "
            f"each:\n{items}\n"
            "Choose items of the greatest possible total value that it can carry.\n"
            "End with a line 'Answer: ' and the numbers of the chosen items, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        chosen = answers.wholes(answer, most=4 * len(self.items))
        if any(not 1 <= i <= len(self.items) for i in chosen) or len(set(chosen)) < len(chosen):
            return Verdict.wrong(f"it does not name different items from 1 to {len(self.items)}")
        weight, value = (sum(self.items[i - 1][k] for i in chosen) for k in (0, 1))
        if weight > self.capacity:
            return Verdict.wrong(f"it weighs {weight}, more than {self.capacity}")
        best = self.best[0]
        if value < best:
            return Verdict.wrong(f"its value is {value}, and {best} is possible", optimal=value / best)
        return Verdict.right(f"value {value}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(str(i + 1) for i in self.best[1])

    def hardness(self) -> float:
        return float(self.best[2])

    def cheats(self) -> Sequence[str]:
        everything = " ".join(map(str, range(1, len(self.items) + 1)))
        first = self.best[1][0] + 1
        return (f"Answer: {everything}", f"Answer: {f'{first} ' * 50}", "Answer: -1", "Answer: 0")
