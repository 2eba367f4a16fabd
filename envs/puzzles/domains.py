"""Exact search over cells that hold one of a few values: what sudoku, futoshiki, kenken, kakuro and zebras share.

A domain is an `int`: bit v is set while value v is possible. Units are sets of cells that all differ; a unit with as
many cells as values holds each value once, so a value with one place left goes there. Further rules narrow domains by
themselves. The search branches on the cell with the fewest values and finds every solution, so "only one" is a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from proofgym.envs.puzzles.chance import Chance

__all__ = ["Domains", "Narrow", "among", "latin_units", "less", "packed", "values"]

Narrow = Callable[[list[int]], bool]
"""Narrows the domains of its cells in place, soundly; whether anything is left. On single values, it decides."""


class Domains:
    """Cells, units of cells that all differ, and further rules.

    Args:
        cells: How many cells there are.
        size: How many values; a domain has that many bits.
        units: Sets of cells that all differ.
        rules: Cells, and what narrows them.
    """

    def __init__(
        self, cells: int, size: int, units: Iterable[Sequence[int]], rules: Iterable[tuple[Sequence[int], Narrow]] = ()
    ) -> None:
        self.cells = cells
        self.full = (1 << size) - 1
        self.effort = 0
        """Cells set by searches so far, dead ends included."""
        groups = [tuple(unit) for unit in units]
        near: list[set[int]] = [set() for _ in range(cells)]
        for unit in groups:
            for cell in unit:
                near[cell].update(unit)
        self.peers = [tuple(sorted(near[cell] - {cell})) for cell in range(cells)]
        self._exact = [unit for unit in groups if len(unit) == size]
        self._rules = [(tuple(where), narrow) for where, narrow in rules]
        self._watch = [0] * cells
        for number, (where, _) in enumerate(self._rules):
            for cell in where:
                self._watch[cell] |= 1 << number

    def open(self) -> list[int]:
        """Every value possible everywhere."""
        return [self.full] * self.cells

    def solve(self, domains: Sequence[int], most: int, chance: Chance | None = None) -> list[tuple[int, ...]]:
        """Up to `most` solutions, as values; fewer mean that there are no others. With `chance`, random ones first."""
        found: list[tuple[int, ...]] = []
        state = list(domains)
        if 0 not in state and self._settle(state, list(range(self.cells)), (1 << len(self._rules)) - 1):
            self._search(state, most, found, chance)
        return found

    def _search(self, state: list[int], most: int, found: list[tuple[int, ...]], chance: Chance | None) -> None:
        fewest, at = 1 << 30, -1
        for cell, domain in enumerate(state):
            if domain & (domain - 1):
                count = domain.bit_count()
                if count < fewest:
                    fewest, at = count, cell
                    if count == 2:
                        break
        if at < 0:
            found.append(tuple(domain.bit_length() - 1 for domain in state))
            return
        options = [1 << value for value in values(state[at])]
        for option in options if chance is None else chance.shuffled(options):
            branch = state.copy()
            branch[at] = option
            if self._settle(branch, [at], 0):
                self._search(branch, most, found, chance)
                if len(found) >= most:
                    return

    def _settle(self, state: list[int], queue: list[int], pending: int) -> bool:
        """Narrow until nothing changes; whether every cell still has a value. `queue` holds cells that changed."""
        peers, watch = self.peers, self._watch
        while True:
            while queue:
                cell = queue.pop()
                domain = state[cell]
                pending |= watch[cell]
                if domain & (domain - 1):
                    continue
                self.effort += 1
                for peer in peers[cell]:
                    have = state[peer]
                    if have & domain:
                        left = have ^ domain
                        if not left:
                            return False
                        state[peer] = left
                        if watch[peer] or not left & (left - 1):
                            queue.append(peer)
            if pending:
                low = pending & -pending
                pending ^= low
                where, narrow = self._rules[low.bit_length() - 1]
                before = [state[cell] for cell in where]
                if not narrow(state):
                    return False
                queue += [cell for cell, old in zip(where, before, strict=True) if state[cell] != old]
                continue
            for unit in self._exact:
                once = twice = 0
                for cell in unit:
                    domain = state[cell]
                    twice |= once & domain
                    once |= domain
                if once != self.full:
                    return False
                single = once & ~twice
                for cell in unit:
                    domain = state[cell]
                    here = domain & single
                    if here and here != domain:
                        if here & (here - 1):
                            return False
                        state[cell] = here
                        queue.append(cell)
            if not queue:
                return True

    def dig(
        self, base: Sequence[int], solution: Sequence[int], chance: Chance, least: int, where: Sequence[int]
    ) -> list[int]:
        """Take clues away in random order while the solution stays the only one; the cells whose values stay, sorted.

        Args:
            base: The domains without a clue.
            solution: The values; every cell of `where` starts as a clue.
            chance: What decides the order.
            least: Stop at so many clues.
            where: The cells that may be clues.
        """
        state = list(base)
        clues = set(where)
        for cell in clues:
            state[cell] = 1 << solution[cell]
        for cell in chance.shuffled(where):
            if len(clues) <= least:
                break
            value = state[cell]
            others = base[cell] & ~value
            for peer in self.peers[cell]:
                if peer in clues:
                    others &= ~state[peer]
            if others:
                state[cell] = others
                if self.solve(state, 1):
                    state[cell] = value
                    continue
            state[cell] = base[cell]
            clues.remove(cell)
        return sorted(clues)


def values(domain: int) -> list[int]:
    """The values of a domain.

    >>> values(0b1010)
    [1, 3]
    """
    found = []
    while domain:
        low = domain & -domain
        found.append(low.bit_length() - 1)
        domain ^= low
    return found


@lru_cache(maxsize=32)
def latin_units(size: int) -> tuple[tuple[int, ...], ...]:
    """The rows and then the columns of a square board."""
    rows = [tuple(r * size + c for c in range(size)) for r in range(size)]
    return (*rows, *zip(*rows, strict=True))


def less(small: int, large: int) -> tuple[tuple[int, int], Narrow]:
    """The rule that one cell holds less than another."""

    def narrow(state: list[int]) -> bool:
        top = (1 << (state[large].bit_length() - 1)) - 1  # below the largest value of `large`
        state[small] &= top
        if not state[small]:
            return False
        low = state[small] & -state[small]
        state[large] &= ~((low << 1) - 1)
        return state[large] != 0

    return (small, large), narrow


def among(where: Sequence[int], size: int, allowed: Sequence[int]) -> tuple[Sequence[int], Narrow]:
    """The rule that some cells together hold one of the given tuples, each packed by `packed`."""
    place = [(cell, number * size) for number, cell in enumerate(where)]
    mask = (1 << size) - 1

    def narrow(state: list[int]) -> bool:
        have = 0
        for cell, shift in place:
            have |= state[cell] << shift
        union = 0
        for one_of in allowed:
            if one_of & have == one_of:
                union |= one_of
        if not union:
            return False
        for cell, shift in place:
            state[cell] = union >> shift & mask
        return True

    return where, narrow


def packed(chosen: Sequence[int], size: int) -> int:
    """A tuple of values as one `int`, for `among`.

    >>> bin(packed((1, 0), 2))
    '0b110'
    """
    return sum(1 << (number * size + value) for number, value in enumerate(chosen))
