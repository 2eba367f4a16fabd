"""Exact search over cells that are marked or not: what slitherlink, star battle, tents, akari, hitori and others share.

A position is two `int`s: bit i of `on` for a marked cell, of `off` for one that stays unmarked. A limit is a set of
cells and the numbers of marks it may have, which says "exactly 2 of these", "at most 1" or "0 or 2". Whatever else a
puzzle asks (one loop, connected cells) is a check that may also mark cells. The search finds every solution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from proofgym.envs.puzzles.chance import Chance

__all__ = ["Check", "Counts", "at_least", "at_most", "bits", "exactly", "reach"]

Check = Callable[[int, int], "tuple[int, int] | None"]
"""Takes `on` and `off`, returns them with more cells decided, or `None` in a dead end; on a full board, it decides."""


class Counts:
    """Cells under limits.

    Args:
        cells: How many cells there are.
        limits: Sets of cells as bits, each with its allowed numbers of marks, as bits too.
        check: What limits cannot say.
    """

    def __init__(self, cells: int, limits: Iterable[tuple[int, int]], check: Check | None = None) -> None:
        self.cells = cells
        self.all = (1 << cells) - 1
        self.limits = list(limits)
        self.effort = 0
        """Cells that searches tried to mark or leave, and positions they settled, dead ends included."""
        self._check = check
        self._touch = [0] * cells
        for number, (mask, _) in enumerate(self.limits):
            for cell in bits(mask):
                self._touch[cell] |= 1 << number

    def solve(
        self, most: int, on: int = 0, off: int = 0, chance: Chance | None = None, limits: Sequence[int] | None = None
    ) -> list[int]:
        """Up to `most` solutions, as bits of marked cells; fewer mean that there are no others.

        Args:
            most: When to stop.
            on: Cells known to be marked.
            off: Cells known not to be.
            chance: Random solutions first.
            limits: The numbers of the limits in force; all of them by default.
        """
        active = (1 << len(self.limits)) - 1 if limits is None else sum(1 << number for number in limits)
        found: list[int] = []
        if not on & off:
            self._search(on, off, active, active, most, found, chance)
        return found

    def _search(
        self, on: int, off: int, pending: int, active: int, most: int, found: list[int], chance: Chance | None
    ) -> None:
        settled = self._settle(on, off, pending, active)
        if settled is None:
            return
        on, off = settled
        free = self.all & ~(on | off)
        if not free:
            found.append(on)
            return
        at = self._branch(on, off, free, active, chance)
        cell = 1 << at
        first = chance is None or chance.share() < 0.5
        for mark in (first, not first):
            self.effort += 1
            touched = self._touch[at] & active
            self._search(on | cell if mark else on, off if mark else off | cell, touched, active, most, found, chance)
            if len(found) >= most:
                return

    def _branch(self, on: int, off: int, free: int, active: int, chance: Chance | None) -> int:
        """A cell of a limit with the fewest open cells, so that what follows from it is much."""
        if chance is not None:
            return chance.pick(bits(free))
        decided = on | off
        fewest, where = 1 << 30, 0
        for number, (mask, _) in enumerate(self.limits):
            left = mask & ~decided
            if left and active >> number & 1:
                count = left.bit_count()
                if count < fewest:
                    fewest, where = count, left
                    if count <= 2:
                        break
        where = where or free
        return (where & -where).bit_length() - 1

    def _settle(self, on: int, off: int, pending: int, active: int) -> tuple[int, int] | None:
        limits, touch = self.limits, self._touch
        while True:
            while pending:
                low = pending & -pending
                pending ^= low
                mask, allowed = limits[low.bit_length() - 1]
                free = mask & ~(on | off)
                count = free.bit_count()
                more = allowed >> (mask & on).bit_count() & ((2 << count) - 1)  # bit j: j of the free cells marked
                if not more:
                    return None
                if not free:
                    continue
                if more == 1:
                    off |= free
                elif more == 1 << count:
                    on |= free
                else:
                    continue
                self.effort += count
                for cell in bits(free):
                    pending |= touch[cell] & active
            if self._check is None:
                return on, off
            checked = self._check(on, off)
            if checked is None:
                return None
            new = (checked[0] & ~on) | (checked[1] & ~off)
            if not new:
                return checked
            on, off = checked
            if on & off:
                return None
            for cell in bits(new):
                pending |= touch[cell] & active

    def thin(self, limits: Sequence[int], optional: Sequence[int], chance: Chance, least: int, on: int) -> list[int]:
        """Drop optional limits in random order while `on` stays the only solution; the limits that stay.

        Args:
            limits: The numbers of all limits in force.
            optional: Those that may be dropped.
            chance: What decides the order.
            least: Stop at so many optional limits.
            on: The only solution under all of `limits`.
        """
        kept = sorted(limits)
        left = len(optional)
        for number in chance.shuffled(optional):
            if left <= least:
                break
            fewer = [other for other in kept if other != number]
            if self.solve(2, limits=fewer) == [on]:
                kept, left = fewer, left - 1
        return kept


def bits(mask: int) -> list[int]:
    """The numbers of the bits that are set.

    >>> bits(0b1010)
    [1, 3]
    """
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


def exactly(*counts: int) -> int:
    """Allowed numbers of marks.

    >>> bin(exactly(0, 2))
    '0b101'
    """
    return sum(1 << count for count in set(counts))


def at_most(count: int) -> int:
    """Up to so many marks."""
    return (2 << count) - 1


def at_least(count: int, cells: int) -> int:
    """So many marks or more, out of so many cells."""
    return ((2 << cells) - 1) & ~((1 << count) - 1)


def reach(start: int, inside: int, near: Sequence[int]) -> int:
    """The cells of `inside` that are connected to `start`, as bits; `near` holds each cell's neighbours."""
    seen = fresh = start & inside
    while fresh:
        low = fresh & -fresh
        fresh ^= low
        new = near[low.bit_length() - 1] & inside & ~seen
        seen |= new
        fresh |= new
    return seen
