"""Weighted interval scheduling."""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["IntervalScheduling"]


class IntervalScheduling(Puzzle):
    """Choose bookings of a room that do not overlap and pay most; any choice that pays as much is right."""

    family = "interval_scheduling"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "bookings": Knob(6, 26, "bookings", 3, 60),
        "longest": Knob(8, 14, "longest booking, in hours", 2, 48),
        "highest": Knob(9, 40, "highest pay", 2, 1000),
    }
    hardness_of = "pairs of bookings that overlap"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["bookings"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rows = []
            for _ in range(n):
                start = int(rng.integers(0, 2 * n + 8))
                rows.append(
                    [
                        start,
                        start + int(rng.integers(1, knobs["longest"] + 1)),
                        int(rng.integers(1, knobs["highest"] + 1)),
                    ]
                )
            puzzle = cls({"bookings": rows})
            if 2 <= len(puzzle.best[1]) < n and puzzle.greedy() < puzzle.best[0]:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "bookings")
        self.bookings = fields.matrix(data, "bookings", 0, 10**6, columns=3)
        for start, end, pay in self.bookings:
            if start >= end or not pay:
                raise BadInput(
                    f"a booking is [start, end, pay] with start before end and pay, found {[start, end, pay]}"
                )

    @functools.cached_property
    def best(self) -> tuple[int, list[int]]:
        """The most that can be earned, and bookings that earn it, numbered from 1."""
        order = sorted(range(len(self.bookings)), key=lambda i: self.bookings[i][1])
        ends = [self.bookings[i][1] for i in order]
        most = [0]
        for k, i in enumerate(order):
            start, _, pay = self.bookings[i]
            most.append(max(most[-1], pay + most[bisect.bisect_right(ends, start, 0, k)]))
        chosen, k = [], len(order)
        while k:
            start, _, pay = self.bookings[order[k - 1]]
            before = bisect.bisect_right(ends, start, 0, k - 1)
            if most[k] == pay + most[before] and most[k] > most[k - 1]:
                chosen.append(order[k - 1] + 1)
                k = before
            else:
                k -= 1
        return most[-1], sorted(chosen)

    def greedy(self) -> int:
        """What taking the best paid booking that still fits comes to."""
        taken: list[tuple[int, int]] = []
        total = 0
        for start, end, pay in sorted(self.bookings, key=lambda b: (-b[2], b)):
            if all(end <= s or e <= start for s, e in taken):
                taken.append((start, end))
                total += pay
        return total

    def canonical(self) -> Any:
        return sorted(map(list, self.bookings))

    def question(self) -> str:
        rows = "\n".join(f"{i}: from {s} to {e}, pays {p}" for i, (s, e, p) in enumerate(self.bookings, 1))
        return (
            f"These bookings ask for one room, with times in hours:\n{rows}\nOne booking may start when another "
            "ends, but two cannot overlap. Choose bookings that pay as much as possible in total.\n"
            "End with a line 'Answer: ' and the numbers of the chosen bookings, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        chosen = answers.wholes(answer, most=4 * len(self.bookings))
        if any(not 1 <= i <= len(self.bookings) for i in chosen) or len(set(chosen)) < len(chosen):
            return Verdict.wrong(f"it does not name different bookings from 1 to {len(self.bookings)}")
        spans = sorted(self.bookings[i - 1] for i in chosen)
        for (_, end, _), (start, *_) in itertools.pairwise(spans):
            if start < end:
                return Verdict.wrong(f"two bookings overlap at {start}")
        total, best = sum(p for *_, p in spans), self.best[0]
        if total < best:
            return Verdict.wrong(f"it pays {total}, and {best} is possible", optimal=total / best)
        return Verdict.right(f"pays {total}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best[1]))

    def hardness(self) -> float:
        rows = self.bookings
        return float(sum(a[0] < b[1] and b[0] < a[1] for i, a in enumerate(rows) for b in rows[:i]))

    def cheats(self) -> Sequence[str]:
        first = self.best[1][0]
        everything = " ".join(map(str, range(1, len(self.bookings) + 1)))
        return (f"Answer: {everything}", f"Answer: {f'{first} ' * 20}", "Answer: 0")
