"""Bin packing."""

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

__all__ = ["BinPacking"]


class BinPacking(Puzzle):
    """Pack items into as few bins as possible; any packing into that many is right.

    Generated bins are nearly full, so the total size alone proves that fewer are not enough, and first-fit in order of
    size needs more. For other instances an exact search proves it.
    """

    family = "bin_packing"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "bins": Knob(3, 6, "bins of the best packing", 2, 8),
        "items": Knob(2.4, 3.2, "items a bin, on average", 2.3, 4.0),
        "capacity": Knob(20, 60, "capacity of a bin", 10, 200),
    }
    hardness_of = "items, and how often the search puts one into a bin until it has a best packing"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        bins, capacity = knobs["bins"], knobs["capacity"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            sizes: list[tuple[int, int]] = []
            for b in range(bins):
                parts = int(knobs["items"] + rng.random())
                full = capacity - int(rng.integers(0, 2)) * int(rng.integers(0, capacity // (2 * bins) + 1))
                cuts = np.sort(rng.choice(full - 1, size=parts - 1, replace=False) + 1).tolist() if parts > 1 else []
                sizes += [(high - low, b) for low, high in zip([0, *cuts], [*cuts, full], strict=True)]
            sizes = [sizes[i] for i in rng.permutation(len(sizes)).tolist()]
            items = [size for size, _ in sizes]
            if -(-sum(items) // capacity) == bins and _first_fit(items, capacity) > bins:
                solution = " ".join(str(b + 1) for _, b in sizes)
                return cls({"items": items, "capacity": capacity, "solution": solution})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "items", "capacity", optional=("solution",))
        self.capacity = fields.whole(data, "capacity", 1, 10_000)
        self.items = fields.wholes(data, "items", 1, self.capacity, most=32)
        self._stored = fields.text(data, "solution") if "solution" in data else ""
        if self._stored:
            try:
                bins = self._packed(self._stored)
            except answers.Unreadable as error:
                raise BadInput(f"'solution' cannot be read: {error}") from None
            if isinstance(bins, str):
                raise BadInput(f"'solution' is wrong: {bins}")
            if bins > -(-sum(self.items) // self.capacity):
                self._stored = ""  # it may not be the best
        if not self._stored and len(self.items) > 18:
            raise BadInput("with more than 18 items, a solution that the total size proves best has to be given")

    @functools.cached_property
    def best(self) -> tuple[list[int], int]:
        """A bin for each item, from 1, and the work of the search."""
        work = 0
        for bins in range(-(-sum(self.items) // self.capacity), len(self.items) + 1):
            found, more = _pack(self.items, self.capacity, bins)
            work += more
            if found:
                return found, work
        raise AssertionError("a bin for each item is enough")

    @property
    def fewest(self) -> int:
        """The least number of bins."""
        return -(-sum(self.items) // self.capacity) if self._stored else max(self.best[0])

    def canonical(self) -> Any:
        return [sorted(self.items), self.capacity]

    def question(self) -> str:
        items = ", ".join(map(str, self.items))
        return (
            f"There are {len(self.items)} items of the sizes {items}. Pack them into as few bins as possible; the "
            f"sizes in a bin add up to at most {self.capacity}.\nEnd with a line 'Answer: ' and, for each item in "
            "order, the number of its bin (1, 2, ...), separated by blanks."
        )

    def _packed(self, answer: str) -> int | str:
        """The bins that an answer uses, or what is wrong with it."""
        bins = answers.wholes(answer, count=len(self.items))
        load: dict[int, int] = {}
        for size, b in zip(self.items, bins, strict=True):
            load[b] = load.get(b, 0) + size
            if load[b] > self.capacity:
                return f"bin {b} holds more than {self.capacity}"
        return len(load)

    def judge(self, answer: str) -> Verdict:
        bins = self._packed(answer)
        if isinstance(bins, str):
            return Verdict.wrong(bins)
        if bins > self.fewest:
            return Verdict.wrong(f"it uses {bins} bins, and {self.fewest} are enough", optimal=self.fewest / bins)
        return Verdict.right(f"{bins} bins", optimal=1.0)

    def solution(self) -> str:
        return self._stored or " ".join(map(str, self.best[0]))

    def hardness(self) -> float:
        return float(len(self.items) + self.best[1])

    def cheats(self) -> Sequence[str]:
        n = len(self.items)
        return ("Answer: " + "1 " * n, "Answer: " + " ".join(map(str, range(1, n + 1))), f"Answer: {self.fewest}")


def _first_fit(items: Sequence[int], capacity: int) -> int:
    left: list[int] = []
    for size in sorted(items, reverse=True):
        i = next((i for i, free in enumerate(left) if free >= size), None)
        if i is None:
            left.append(capacity - size)
        else:
            left[i] -= size
    return len(left)


def _pack(items: Sequence[int], capacity: int, bins: int) -> tuple[list[int], int]:
    """A bin for each item if so many are enough, or an empty list; and how often an item was put into a bin."""
    order = sorted(range(len(items)), key=lambda i: (-items[i], i))
    left, where = [capacity] * bins, [0] * len(items)
    work = 0
    failed: set[tuple[int, tuple[int, ...]]] = set()

    def search(k: int) -> bool:
        nonlocal work
        if k == len(order):
            return True
        key = (k, tuple(sorted(left)))
        if key in failed:
            return False
        i = order[k]
        tried = set()
        for b in sorted(range(bins), key=lambda b: left[b]):
            if left[b] >= items[i] and left[b] not in tried:
                tried.add(left[b])
                left[b] -= items[i]
                where[i] = b + 1
                work += 1
                if search(k + 1):
                    return True
                left[b] += items[i]
        failed.add(key)
        return False

    return (where if search(0) else []), work
