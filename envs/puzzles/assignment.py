"""The assignment problem."""

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

__all__ = ["Assignment"]


class Assignment(Puzzle):
    """Give each worker one task at the least total cost; any assignment of that cost is right.

    Giving out the cheapest pairs first is never good enough.
    """

    family = "assignment"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 9, "workers and tasks", 2, 12),
        "highest": Knob(20, 99, "highest cost", 5, 1000),
    }
    hardness_of = "steps that the assignment problem takes by shortest augmenting paths"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["size"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            puzzle = cls({"costs": rng.integers(1, knobs["highest"] + 1, size=(n, n)).tolist()})
            if puzzle.greedy() > puzzle.best[0]:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "costs")
        self.costs = fields.matrix(data, "costs", 0, 10**6, most=16)
        if len(self.costs) != len(self.costs[0]) or len(self.costs) < 2:
            raise BadInput(f"'costs' is a square table, found {len(self.costs)} x {len(self.costs[0])}")

    @functools.cached_property
    def best(self) -> tuple[int, list[int], int]:
        """The least cost, the task of each worker from 0, and the steps: the Hungarian algorithm."""
        n, steps = len(self.costs), 0
        up, down = [0] * (n + 1), [0] * (n + 1)
        owner, back = [0] * (n + 1), [0] * (n + 1)
        for i in range(1, n + 1):
            owner[0], j0 = i, 0
            slack, done = [10**12] * (n + 1), [False] * (n + 1)
            while True:
                steps += 1
                done[j0] = True
                i0, delta, j1 = owner[j0], 10**12, 0
                for j in range(1, n + 1):
                    if not done[j]:
                        reduced = self.costs[i0 - 1][j - 1] - up[i0] - down[j]
                        if reduced < slack[j]:
                            slack[j], back[j] = reduced, j0
                        if slack[j] < delta:
                            delta, j1 = slack[j], j
                for j in range(n + 1):
                    if done[j]:
                        up[owner[j]] += delta
                        down[j] -= delta
                    else:
                        slack[j] -= delta
                j0 = j1
                if not owner[j0]:
                    break
            while j0:
                owner[j0] = owner[back[j0]]
                j0 = back[j0]
        tasks = [0] * n
        for j in range(1, n + 1):
            tasks[owner[j] - 1] = j - 1
        return sum(self.costs[i][j] for i, j in enumerate(tasks)), tasks, steps

    def greedy(self) -> int:
        """What giving out the cheapest pair first comes to."""
        n, total = len(self.costs), 0
        workers, tasks = set(range(n)), set(range(n))
        while workers:
            cost, i, j = min((self.costs[i][j], i, j) for i in workers for j in tasks)
            total += cost
            workers.discard(i)
            tasks.discard(j)
        return total

    def question(self) -> str:
        rows = "\n".join(f"worker {i}: " + " ".join(map(str, row)) for i, row in enumerate(self.costs, 1))
        n = len(self.costs)
        return (
            f"{n} workers are to do {n} tasks, one each. Their costs for the tasks 1 to {n} are:\n{rows}\nFind the "
            "assignment of the least total cost.\nEnd with a line 'Answer: ' and the task of each worker in order, "
            "separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        tasks = answers.wholes(answer, count=len(self.costs))
        if sorted(tasks) != list(range(1, len(self.costs) + 1)):
            return Verdict.wrong("it does not give out every task exactly once")
        cost, best = sum(row[j - 1] for row, j in zip(self.costs, tasks, strict=True)), self.best[0]
        if cost > best:
            return Verdict.wrong(f"it costs {cost}, and {best} is possible", optimal=best / cost)
        return Verdict.right(f"costs {cost}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(str(j + 1) for j in self.best[1])

    def hardness(self) -> float:
        return float(self.best[2])

    floor: ClassVar[float] = 0.06

    def cheats(self) -> Sequence[str]:
        cheapest = " ".join(str(row.index(min(row)) + 1) for row in self.costs)
        fair = len(set(cheapest.split())) == len(self.costs)
        return ("Answer: " + "1 " * len(self.costs), *(() if fair else (f"Answer: {cheapest}",)))
