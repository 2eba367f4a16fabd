"""Orders of tasks that keep given precedences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["TopologicalOrder"]


class TopologicalOrder(Puzzle):
    """Put tasks into an order that keeps all given precedences; any such order is right."""

    family = "topological_order"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "tasks": Knob(6, 18, "tasks", 3, 60),
        "precedences": Knob(1.4, 2.2, "precedences a task has, on average", 0.5, 8.0),
    }
    hardness_of = "pairs of tasks whose order is forced"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["tasks"]
        order = rng.permutation(n).tolist()
        wanted = min(round(knobs["precedences"] * n), n * (n - 1) // 2)
        pairs: set[tuple[int, int]] = set()
        while len(pairs) < wanted:
            i, j = sorted(rng.integers(n, size=2).tolist())
            if i != j:
                pairs.add((order[i], order[j]))
        listed = sorted(pairs)
        return cls({"tasks": n, "before": [list(listed[i]) for i in rng.permutation(len(listed)).tolist()]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "tasks", "before")
        self.tasks = fields.whole(data, "tasks", 2, 100)
        self.before = fields.edges(data, "before", self.tasks, directed=True)
        self._order = self._sorted()

    def prove(self) -> None:
        if len(self._order) < self.tasks:
            raise BadInput("the precedences go in a circle")

    def canonical(self) -> Any:
        return [self.tasks, sorted(map(list, self.before))]

    def question(self) -> str:
        pairs = ", ".join(f"{u} before {v}" for u, v in self.before)
        return (
            f"The tasks 0 to {self.tasks - 1} are to be done one after the other, so that\n{pairs}.\nFind an order.\n"
            "End with a line 'Answer: ' and all tasks in order, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        order = answers.wholes(answer, count=self.tasks)
        if sorted(order) != list(range(self.tasks)):
            return Verdict.wrong("it does not hold every task exactly once")
        place = {task: i for i, task in enumerate(order)}
        for u, v in self.before:
            if place[u] > place[v]:
                return Verdict.wrong(f"{u} has to come before {v}")
        return Verdict.right()

    def solution(self) -> str:
        return " ".join(map(str, self._order))

    def hardness(self) -> float:
        after = [0] * self.tasks
        pairs = 0
        for u in reversed(self._order):
            for one, two in self.before:
                if one == u:
                    after[u] |= after[two] | 1 << two
            pairs += after[u].bit_count()
        return float(pairs)

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + " ".join(map(str, reversed(self._order))), "Answer: " + "0 " * self.tasks)

    def _sorted(self) -> list[int]:
        """Kahn's algorithm; shorter than the tasks if there is a circle."""
        waiting = [0] * self.tasks
        follow: list[list[int]] = [[] for _ in range(self.tasks)]
        for u, v in self.before:
            waiting[v] += 1
            follow[u].append(v)
        free = [v for v, count in enumerate(waiting) if not count]
        order = []
        while free:
            u = free.pop()
            order.append(u)
            for v in follow[u]:
                waiting[v] -= 1
                if not waiting[v]:
                    free.append(v)
        return order
