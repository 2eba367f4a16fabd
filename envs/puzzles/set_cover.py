"""Set cover with costs."""

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

__all__ = ["SetCover"]


class SetCover(Puzzle):
    """Choose sets of the least total cost that hold every element; any choice of that cost is right.

    Taking the set with the lowest cost for each new element is never good enough. The optimum is exact, by branch and
    bound on the element that fewest sets hold.
    """

    family = "set_cover"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "elements": Knob(7, 16, "elements", 4, 24),
        "sets": Knob(6, 16, "sets", 4, 24),
        "dearest": Knob(6, 20, "highest cost", 1, 100),
    }
    hardness_of = "nodes of the branch and bound"
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["elements"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            sets = []
            for _ in range(knobs["sets"]):
                size = int(rng.integers(2, max(3, n // 2) + 1))
                members = sorted((1 + rng.permutation(n)[:size]).tolist())
                sets.append([max(1, round(size * rng.uniform(0.5, 1.5) * knobs["dearest"] / (n // 2))), *members])
            if len({e for row in sets for e in row[1:]}) < n:
                continue
            puzzle = cls({"elements": n, "sets": sets})
            if puzzle.best[0] < puzzle.greedy():
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "elements", "sets")
        self.elements = fields.whole(data, "elements", 1, 24)
        sets = data["sets"]
        if not (isinstance(sets, (list, tuple)) and 1 <= len(sets) <= 24):
            raise BadInput(f"'sets' are 1 to 24 lists [cost, element, ...], found {sets!r:.80}")
        self.costs, self.sets = [], []
        for row in sets:
            cost, *members = fields.wholes({"sets": row}, "sets", 1, 1000, least=2, most=25)
            fields.wholes({"sets": members}, "sets", 1, self.elements)
            self.costs.append(cost)
            self.sets.append(members)
        self._bits = [sum(1 << e - 1 for e in set(members)) for members in self.sets]
        self._full = (1 << self.elements) - 1

    def prove(self) -> None:
        together = 0
        for bits in self._bits:
            together |= bits
        if together != self._full:
            raise BadInput("an element lies in none of the sets")

    @functools.cached_property
    def best(self) -> tuple[int, list[int], int]:
        """The least cost, sets from 1 that have it, and the nodes of the search."""
        best, chosen, visited = sum(self.costs) + 1, [0], 0
        holders = [[i for i, bits in enumerate(self._bits) if bits >> e & 1] for e in range(self.elements)]
        cheapest = min(cost / bits.bit_count() for cost, bits in zip(self.costs, self._bits, strict=True))

        def search(open_: int, cost: int, taken: tuple[int, ...]) -> None:
            nonlocal best, chosen, visited
            visited += 1
            if not open_:
                if cost < best:
                    best, chosen = cost, sorted(i + 1 for i in taken)
                return
            if cost + open_.bit_count() * cheapest > best - 1 + 1e-9:
                return
            e = min((e for e in range(self.elements) if open_ >> e & 1), key=lambda e: len(holders[e]))
            for i in sorted(holders[e], key=lambda i: self.costs[i] / (self._bits[i] & open_).bit_count()):
                search(open_ & ~self._bits[i], cost + self.costs[i], (*taken, i))

        search(self._full, 0, ())
        return best, chosen, visited

    def greedy(self) -> int:
        """What taking the lowest cost for each new element comes to."""
        open_, cost = self._full, 0
        while open_:
            new = [i for i, bits in enumerate(self._bits) if bits & open_]
            i = min(new, key=lambda i: (self.costs[i] / (self._bits[i] & open_).bit_count(), i))
            cost += self.costs[i]
            open_ &= ~self._bits[i]
        return cost

    def canonical(self) -> Any:
        return [self.elements, sorted([c, *sorted(set(s))] for c, s in zip(self.costs, self.sets, strict=True))]

    def question(self) -> str:
        rows = "\n".join(
            f"{i}: cost {cost}, elements {' '.join(map(str, members))}"
            for i, (cost, members) in enumerate(zip(self.costs, self.sets, strict=True), 1)
        )
        return (
            f"There are these sets of the elements 1 to {self.elements}:\n{rows}\nChoose sets of the least possible "
            "total cost so that every element lies in at least one of them.\n"
            "End with a line 'Answer: ' and the numbers of the chosen sets, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        chosen = answers.wholes(answer, most=4 * len(self.sets))
        if any(not 1 <= i <= len(self.sets) for i in chosen) or len(set(chosen)) < len(chosen):
            return Verdict.wrong(f"it does not name different sets from 1 to {len(self.sets)}")
        together = 0
        for i in chosen:
            together |= self._bits[i - 1]
        if together != self._full:
            missing = next(e for e in range(self.elements) if not together >> e & 1) + 1
            return Verdict.wrong(f"element {missing} lies in none of the chosen sets")
        cost, best = sum(self.costs[i - 1] for i in chosen), self.best[0]
        if cost > best:
            return Verdict.wrong(f"it costs {cost}, and {best} is possible", optimal=best / cost)
        return Verdict.right(f"costs {cost}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best[1]))

    def hardness(self) -> float:
        return float(self.best[2])

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + " ".join(map(str, range(1, len(self.sets) + 1))), "Answer: 0", "Answer: 1 1 1")
