"""Judges 4x4 sudoku by the rules, and knows all its solutions exactly.

There are 288 full grids. For each cell and digit, `_WITH` holds the set of grids that have this digit there, as the
bits of one integer, so the solutions of a position are an intersection: exact, complete, and a few hundred nanoseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.numeric import lines

__all__ = ["CELLS", "DIGITS", "GRIDS", "PEERS", "SIZE", "SudokuVerifier", "count_solutions", "distance", "solutions"]

SIZE, CELLS, DIGITS = 4, 16, "1234"

PEERS: tuple[tuple[int, ...], ...] = tuple(
    tuple(
        j
        for j in range(CELLS)
        if j != i and (i // 4 == j // 4 or i % 4 == j % 4 or (i // 8 == j // 8 and i % 4 // 2 == j % 4 // 2))
    )
    for i in range(CELLS)
)
"""For each cell, the other cells of its row, column and box. Cells are counted row by row from 0."""

_ROW_MARKS = str.maketrans("", "", " \t|,")
_RULE = frozenset("-+| ")


def _grow(cells: str) -> Iterator[str]:
    if len(cells) == CELLS:
        yield cells
        return
    for digit in DIGITS:
        if all(cells[j] != digit for j in PEERS[len(cells)] if j < len(cells)):
            yield from _grow(cells + digit)


GRIDS: tuple[str, ...] = tuple(_grow(""))
"""Every full grid, sorted; `GRIDS[k]` is bit k of the sets below."""

_ALL = (1 << len(GRIDS)) - 1
_WITH = tuple(
    {digit: sum(1 << k for k, grid in enumerate(GRIDS) if grid[cell] == digit) for digit in DIGITS}
    for cell in range(CELLS)
)


def count_solutions(position: str) -> int:
    """How many full grids have the digits of a position (16 characters, `.` for an empty cell).

    >>> count_solutions("." * 16), count_solutions("1...2..........."), count_solutions("11..............")
    (288, 24, 0)
    """
    return _fitting(position).bit_count()


def solutions(position: str) -> list[str]:
    """Every full grid that has the digits of a position, sorted.

    >>> solutions("1....23....4....")
    ['1342423131242413']
    """
    left, found = _fitting(position), []
    while left:
        lowest = left & -left
        found.append(GRIDS[lowest.bit_length() - 1])
        left ^= lowest
    return found


def distance(position: str, goals: Iterable[str]) -> int:
    """The exact number of moves to the nearest goal: 1 for an empty cell, 2 for a wrong one (clear it, set it).

    No move brings a goal nearer by more than 1, and clearing what is wrong first, then filling, never meets a digit in
    its way; so this many moves are needed and are enough.

    >>> distance("134.423131242411", ["1342423131242413"])
    3
    """
    return min(
        sum((have != want) + (have not in (want, ".")) for have, want in zip(position, goal, strict=True))
        for goal in goals
    )


@dataclass(frozen=True, slots=True)
class SudokuVerifier:
    r"""Accepts every full grid that keeps the rules and the given digits.

    The answer is the last four rows that follow each other: lines of four digits, with blanks, commas or bars between
    the digits and blank lines or rules between the lines at will.

    Args:
        givens: 16 characters, row by row, `.` for an empty cell.

    >>> SudokuVerifier("1....23....4....").verify("1 3 | 4 2\n4 2 | 3 1\n----+----\n3 1 | 2 4\n2 4 | 1 3").correct
    True
    """

    givens: str

    def verify(self, answer: str) -> Verdict:
        """Judge one answer."""
        return self.grade(answer)[0]

    def grade(self, answer: str) -> tuple[Verdict, list[Credit]]:
        """Judge one answer; the one credit lies on the grid."""
        rows = _last_rows(answer)
        if not rows:
            return Verdict.malformed("there is no row of four digits from 1 to 4"), []
        start, end = rows[0][0], rows[-1][1]
        if len(rows) < SIZE:
            verdict = Verdict.malformed(f"the last block of rows has {len(rows)}, not {SIZE}")
        else:
            verdict = self._judge("".join(row for _, _, row in rows))
        return verdict, [Credit(start, end, verdict.score, "answer", verdict.reason)]

    def _judge(self, grid: str) -> Verdict:
        for i, (given, digit) in enumerate(zip(self.givens, grid, strict=True)):
            if given not in (".", digit):
                return Verdict.wrong(f"row {i // 4 + 1} column {i % 4 + 1} is given as {given}, found {digit}")
        for i, digit in enumerate(grid):
            twin = next((j for j in PEERS[i] if grid[j] == digit), None)
            if twin is not None:
                where = "row" if i // 4 == twin // 4 else "column" if i % 4 == twin % 4 else "box"
                return Verdict.wrong(f"{digit} stands twice in one {where}")
        return Verdict.right()


def _fitting(position: str) -> int:
    fitting = _ALL
    for having, digit in zip(_WITH, position, strict=True):
        if digit != ".":
            fitting &= having[digit]
    return fitting


def _last_rows(answer: str) -> list[tuple[int, int, str]]:
    """The last rows that follow each other, at most four; rules between boxes do not part them."""
    block: list[tuple[int, int, str]] = []
    for start, end in reversed(list(lines(answer))):
        text = answer[start:end] if end - start <= 40 else ""
        row = text.translate(_ROW_MARKS)
        if len(row) == SIZE and set(row) <= set(DIGITS):
            block.append((start, end, row))
            if len(block) == SIZE:
                break
        elif block and not (text and set(text) <= _RULE):
            break
    return block[::-1]
