"""The travelling salesman's problem."""

from __future__ import annotations

import functools
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

__all__ = ["TravellingSalesman"]


class TravellingSalesman(Puzzle):
    """Find a shortest round trip through all towns on a grid of streets; any trip of that length is right.

    Going to the nearest unvisited town is never good enough, wherever it starts.

    Source:
        Held and Karp 1962: the optimum is found by dynamic programming over sets of towns.
    """

    family = "travelling_salesman"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "towns": Knob(6, 10, "towns", 4, 11),
        "side": Knob(12, 40, "largest coordinate", 5, 500),
    }
    hardness_of = "sets of towns that the dynamic program meets, times how much the nearest-town trip is too long"
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            towns = rng.integers(0, knobs["side"] + 1, size=(knobs["towns"], 2)).tolist()
            if len({tuple(town) for town in towns}) < len(towns):
                continue
            puzzle = cls({"towns": towns})
            if puzzle.nearest() > puzzle.best[0]:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "towns")
        self.towns = fields.matrix(data, "towns", 0, 10_000, columns=2, most=12)
        if len(self.towns) < 3 or len(set(self.towns)) < len(self.towns):
            raise BadInput("'towns' are at least three different places [x, y]")
        self._far = [[abs(a - c) + abs(b - d) for c, d in self.towns] for a, b in self.towns]

    @functools.cached_property
    def best(self) -> tuple[int, list[int]]:
        """The least length, and a trip that has it."""
        n, far = len(self.towns) - 1, self._far  # the last town is where the trip starts and ends
        full = (1 << n) - 1
        length: list[dict[int, int]] = [{} for _ in range(full + 1)]
        for v in range(n):
            length[1 << v][v] = far[n][v]
        for seen in range(1, full):
            for v, so_far in length[seen].items():
                row = far[v]
                for u in range(n):
                    if not seen >> u & 1:
                        ahead = length[seen | 1 << u]
                        total = so_far + row[u]
                        if total < ahead.get(u, total + 1):
                            ahead[u] = total
        last = min(range(n), key=lambda v: (length[full][v] + far[v][n], v))
        best = length[full][last] + far[last][n]
        trip, seen = [n, last], full
        while seen & (seen - 1):
            v = trip[-1]
            before = seen ^ 1 << v
            seen, after = before, length[seen][v]
            trip.append(next(u for u, so_far in sorted(length[before].items()) if so_far + far[u][v] == after))
        return best, trip

    def nearest(self) -> int:
        """The shortest of the trips that always go to the nearest unvisited town."""
        lengths = []
        for start in range(len(self.towns)):
            left, at, length = set(range(len(self.towns))) - {start}, start, 0
            while left:
                after = min(left, key=lambda v: (self._far[at][v], v))
                length += self._far[at][after]
                left.discard(after)
                at = after
            lengths.append(length + self._far[at][start])
        return min(lengths)

    def canonical(self) -> Any:
        """The towns in order; which of them is named first does not matter."""
        return sorted(map(list, self.towns))

    def question(self) -> str:
        towns = "\n".join(f"{i}: ({x}, {y})" for i, (x, y) in enumerate(self.towns))
        return (
            f"Towns lie at these places (x, y):\n{towns}\nThe way between two towns is the difference of their x "
            "plus the difference of their y. Find a shortest round trip that visits every town once and returns to "
            "its start.\n"
            "End with a line 'Answer: ' and the numbers of the towns in order, each once, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        trip = answers.wholes(answer.replace("->", " ").replace("→", " "), most=2 * len(self.towns))
        if len(trip) == len(self.towns) + 1 and trip[0] == trip[-1]:
            trip = trip[:-1]
        if sorted(trip) != list(range(len(self.towns))):
            return Verdict.wrong("it does not visit every town exactly once")
        length = sum(self._far[u][v] for u, v in zip(trip, [*trip[1:], trip[0]], strict=True))
        best = self.best[0]
        if length > best:
            return Verdict.wrong(f"its length is {length}, and {best} is possible", optimal=best / length)
        return Verdict.right(f"length {length}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best[1]))

    def hardness(self) -> float:
        return (1 << len(self.towns) - 1) * self.nearest() / self.best[0]

    def cheats(self) -> Sequence[str]:
        n = len(self.towns)
        return ("Answer: " + "0 " * n, f"Answer: {n}", "Answer: " + "0 1 " * n)

    def svg(self) -> str:
        most = max(max(town) for town in self.towns) or 1
        board = Board(8, 8)
        for i, (x, y) in enumerate(self.towns):
            row, column = 7 - 7 * y / most, 7 * x / most
            board.circle(row, column, "#dfe7f2", radius=0.3).text(row, column, str(i), size=0.35)
        return board.svg(ruled=False)
