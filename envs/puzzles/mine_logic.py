"""What the numbers of a minesweeper board prove: cells that are free, or mines, in every arrangement that fits.

Cells are bits of an integer. A constraint `(cells, count)` says that exactly `count` of the cells are mines.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["certain"]

_WIDEST = 22  # cells that depend on each other; beyond this, only the simple rules are used


def certain(told: Iterable[tuple[int, int]], hidden: int, mines: int) -> tuple[int, int]:
    """The cells that are free, and those that are mines, whatever fits; sound, and complete for parts of 22 cells.

    Args:
        told: Constraints on hidden cells.
        hidden: All hidden cells.
        mines: How many of the hidden cells are mines.

    >>> certain([(0b011, 1), (0b110, 1)], 0b111, 1) == (0b101, 0b010)
    True
    """
    constraints = {cells: count for cells, count in told if cells}
    safe, mined = _simple(dict(constraints))
    if safe or mined == hidden:
        return safe, mined
    return _exact(constraints, hidden, mines)


def _simple(constraints: dict[int, int]) -> tuple[int, int]:
    """Take a constraint away from each that contains it, until nothing new comes up."""
    safe = mined = 0
    fresh = list(constraints.items())
    while fresh:
        cells, count = fresh.pop()
        if count == 0:
            safe |= cells
        elif count == cells.bit_count():
            mined |= cells
        for other, more in list(constraints.items()):
            if other == cells:
                continue
            if cells & other == cells:
                rest, left = other ^ cells, more - count
            elif cells & other == other:
                rest, left = cells ^ other, count - more
            else:
                continue
            if rest not in constraints:
                constraints[rest] = left
                fresh.append((rest, left))
        if safe:
            break
    return safe, mined


def _exact(constraints: dict[int, int], hidden: int, mines: int) -> tuple[int, int]:
    """Every arrangement of each part of the board whose cells depend on each other, joined by the number of mines."""
    edge = 0
    for cells in constraints:
        edge |= cells
    inner = (hidden & ~edge).bit_count()
    parts = _parts(constraints)
    if any(cells.bit_count() > _WIDEST for cells, _ in parts):
        return 0, 0
    tables = [_arrangements(cells, held) for cells, held in parts]
    fits = [set(table) for table in tables]
    totals = {0}
    for counts in fits:
        totals = {total + count for total in totals for count in counts}
    totals = {total for total in totals if mines - inner <= total <= mines}
    safe = mined = 0
    for index, (cells, _) in enumerate(parts):
        others = {0}
        for at, counts in enumerate(fits):
            if at != index:
                others = {total + count for total in others for count in counts}
        ever_mined = ever_free = 0
        for count, (held, free) in tables[index].items():
            if any(mines - inner <= count + rest <= mines for rest in others):
                ever_mined |= held
                ever_free |= free
        safe |= cells & ~ever_mined
        mined |= cells & ~ever_free
    if totals == {mines}:
        safe |= hidden & ~edge
    if totals == {mines - inner}:
        mined |= hidden & ~edge
    return safe, mined


def _parts(constraints: dict[int, int]) -> list[tuple[int, list[tuple[int, int]]]]:
    parts: list[tuple[int, list[tuple[int, int]]]] = []
    for cells, count in constraints.items():
        held, apart = [(cells, count)], []
        for other, inside in parts:
            if other & cells:
                cells |= other
                held += inside
            else:
                apart.append((other, inside))
        parts = [*apart, (cells, held)]
    return parts


def _arrangements(cells: int, constraints: list[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """For each number of mines that fits: the cells that are a mine in some arrangement, and those free in some."""
    order = []
    left = cells
    for held, _ in sorted(constraints):
        while held & left:
            bit = held & left & -(held & left)
            order.append(bit)
            left ^= bit
    touched = [[(held, count) for held, count in constraints if held & bit] for bit in order]
    found: dict[int, tuple[int, int]] = {}
    stack = [(0, 0, 0)]
    while stack:
        depth, chosen, seen = stack.pop()
        if depth == len(order):
            number = chosen.bit_count()
            held, free = found.get(number, (0, 0))
            found[number] = (held | chosen, free | cells & ~chosen)
            continue
        bit = order[depth]
        seen |= bit
        for mine in (0, bit):
            now = chosen | mine
            if all(
                (now & h).bit_count() <= c <= (now & h).bit_count() + (h & ~seen).bit_count() for h, c in touched[depth]
            ):
                stack.append((depth + 1, now, seen))
    return found
