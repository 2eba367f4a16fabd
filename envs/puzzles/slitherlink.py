"""Slitherlink: draw one closed loop along the lines of a grid, as the numbers in its squares say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.counts import Counts, bits, exactly
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.fill import MarkPuzzle

__all__ = ["Slitherlink"]


class Slitherlink(MarkPuzzle):
    """Draw one closed loop along grid lines; each number counts the sides of its square on the loop.

    Exactly one loop, proved by an exhaustive search. The board is drawn as a picture with one symbol for every corner,
    line and square, so that a line has a row and a column like any cell. `board` holds the squares: a number or a dot.
    """

    family = "slitherlink"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 7, "rows and columns of squares", 3, 8),
        "clues": Knob(0.9, 0.6, "share of squares with a number, where one solution allows it", 0.3, 1.0),
    }
    steps_floor: ClassVar[float] = 0.05
    hardness_of = "lines that an exact search decides, dead ends included"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, chance = knobs["size"], Chance(rng)
        net = _net(size, size)
        draws = Draws(cls.family, 500)
        while True:
            draws.count()
            inside = _region(size, chance)
            loop = sum(1 << edge for edge, (one, other) in enumerate(net.sides) if (one in inside) != (other in inside))
            numbers = [(loop & mask).bit_count() for mask in net.around]
            search = net.search(numbers)
            if search.solve(2) != [loop]:
                continue
            corners = len(net.meeting)
            every = list(range(len(search.limits)))
            kept = search.thin(every, every[corners:], chance, round(knobs["clues"] * size * size), loop)
            shown = {number - corners for number in kept}
            cells = "".join(str(number) if at in shown else "." for at, number in enumerate(numbers))
            puzzle = cls({"board": [cells[at : at + size] for at in range(0, size * size, size)]})
            puzzle.known([puzzle.picture(loop)])
            return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board")
        board = fields.rows(data, "board", "0123.", most=10)
        self._high, self._wide = len(board), len(board[0])
        self.rows, self.columns = 2 * self._high + 1, 2 * self._wide + 1
        self._numbers = [int(cell) if cell != "." else None for cell in "".join(board)]
        self._net = _net(self._high, self._wide)
        shown = "".join(board).replace(".", "?")
        self.givens = tuple(
            "+" if r % 2 == c % 2 == 0 else shown[r // 2 * self._wide + c // 2] if r % 2 == c % 2 == 1 else "."
            for r in range(self.rows)
            for c in range(self.columns)
        )
        self._effort: int | None = None

    @property
    def symbols(self) -> Sequence[str]:  # type: ignore[override]
        """Unmarked and marked lines, corners, squares without and with a number."""
        return (".", "#", "+", "?", "0", "1", "2", "3")

    def law(self) -> str:
        return (
            f"Slitherlink with {self._high}x{self._wide} squares. In the picture '+' is a corner, a number or '?' "
            "is a "
            "square, and '.' between two corners is a line that is not marked. Mark lines so that they form one "
            "closed "
            "loop that never crosses or touches itself, and each number counts the marked lines among the four around "
            "its square; '?' says nothing. Rows and columns are counted in the whole picture, corners included."
        )

    def question(self) -> str:
        return (
            f"{self.statement()}\nEnd with 'Answer:' and the whole picture below it, one row a line, with '#' for "
            "every marked line and everything else as it is."
        )

    def broken(self, cells: Sequence[str]) -> str | None:
        loop = 0
        for at, (given, cell) in enumerate(zip(self.givens, cells, strict=True)):
            if given != "." and cell != given:
                return f"{self.name(at)} is {given!r} in the picture, found {cell!r}"
            if given == "." and cell not in ".#":
                return f"{self.name(at)} is a line, found {cell!r}"
            if given == "." and cell == "#":
                loop |= 1 << self._net.edge_at[at]
        for number, mask in zip(self._numbers, self._net.around, strict=True):
            if number is not None and (loop & mask).bit_count() != number:
                return f"a square with {number} has {(loop & mask).bit_count()} marked lines"
        if not loop or any((loop & mask).bit_count() not in (0, 2) for mask in self._net.meeting):
            return "the marked lines do not form a closed loop"
        return None if self._net.one_loop(loop, self._net.all & ~loop) else "the marked lines form several loops"

    def picture(self, loop: int) -> tuple[str, ...]:
        """The board with a loop, given by the bits of its lines."""
        edge_at = self._net.edge_at
        return tuple(
            given if given != "." else "#" if loop >> edge_at[at] & 1 else "." for at, given in enumerate(self.givens)
        )

    def solve(self, most: int) -> list[tuple[str, ...]]:
        search = self._net.search(self._numbers)
        found = search.solve(most)
        self._effort = search.effort
        return [self.picture(loop) for loop in found]

    def hardness(self) -> float:
        if self._effort is None:
            self.solve(2)
        return float(self._effort or 0)

    def svg(self) -> str:
        board = Board(self._high, self._wide)
        for at, number in enumerate(self._numbers):
            if number is not None:
                board.text(at // self._wide, at % self._wide, str(number))
        for r in range(self._high + 1):
            for c in range(self._wide + 1):
                board.line(r, c, r, c, width=5)
        return board.svg()


class _Net:
    """The lines of a grid, numbered in the order in which the picture shows them.

    `sides` holds the two squares that a line parts (-1 outside), `around` the lines of each square and `meeting` those
    of each corner, as bits.
    """

    def __init__(self, high: int, wide: int) -> None:
        self.edge_at: dict[int, int] = {}
        self.ends: list[tuple[int, int]] = []
        self.sides: list[tuple[int, int]] = []
        self.around = [0] * (high * wide)
        self.meeting = [0] * ((high + 1) * (wide + 1))
        for y in range(2 * high + 1):
            for x in range(2 * wide + 1):
                if y % 2 == x % 2:
                    continue
                edge = len(self.ends)
                self.edge_at[y * (2 * wide + 1) + x] = edge
                r, c = y // 2, x // 2
                corner = r * (wide + 1) + c
                across = x % 2 == 1  # a line from left to right, with squares above and below
                self.ends.append((corner, corner + 1 if across else corner + wide + 1))
                squares = [(r - 1, c), (r, c)] if across else [(r, c - 1), (r, c)]
                numbers = [v * wide + u if 0 <= v < high and 0 <= u < wide else -1 for v, u in squares]
                self.sides.append((numbers[0], numbers[1]))
                for square in numbers:
                    if square >= 0:
                        self.around[square] |= 1 << edge
                for end in self.ends[-1]:
                    self.meeting[end] |= 1 << edge
        self.all = (1 << len(self.ends)) - 1

    def search(self, numbers: Sequence[int | None]) -> Counts:
        """The exact search: first the limits of the corners, then those of the numbers."""
        limits = [(mask, exactly(0, 2)) for mask in self.meeting]
        limits += [(mask, exactly(n)) for mask, n in zip(self.around, numbers, strict=True) if n is not None]
        return Counts(len(self.ends), limits, self.one_loop)

    def one_loop(self, on: int, off: int) -> tuple[int, int] | None:
        """No loop but one: leave out lines that would close a part, and all that is open once the loop is closed."""
        free = self.all & ~(on | off)
        root = list(range(len(self.meeting)))

        def find(corner: int) -> int:
            while root[corner] != corner:
                root[corner] = root[root[corner]]
                corner = root[corner]
            return corner

        closed = -1
        corners = 0
        lines = bits(on)
        for edge in lines:
            one, other = self.ends[edge]
            corners |= 1 << one | 1 << other
            one, other = find(one), find(other)
            if one == other:
                closed = one
            root[one] = other
        if closed >= 0:
            whole = find(closed)
            return (on, off | free) if all(find(self.ends[edge][0]) == whole for edge in lines) else None
        if not free and not on:
            return None
        if corners.bit_count() - len(lines) > 1:  # several paths: none of them may be closed alone
            for edge in bits(free):
                one, other = self.ends[edge]
                if corners >> one & corners >> other & 1 and find(one) == find(other):
                    off |= 1 << edge
        return on, off


@lru_cache(maxsize=16)
def _net(high: int, wide: int) -> _Net:
    return _Net(high, wide)


def _region(size: int, chance: Chance) -> set[int]:
    """Squares inside a loop that winds: connected, without holes, and never touching itself at a corner."""
    ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    inside = {chance.below(size * size)}
    length = 4
    for _ in range(size * size * 6):
        if length >= size * (size + 1) - 2:  # under half of all lines, so that marking everything does not pay
            break
        r, c = divmod(chance.below(size * size), size)
        if r * size + c in inside:
            continue
        has = [0 <= r + y < size and 0 <= c + x < size and (r + y) * size + c + x in inside for y, x in ring]
        changes = sum(has[n] != has[n - 1] for n in range(8))
        corner = any(has[n] and not has[n - 1] and not has[(n + 1) % 8] for n in (0, 2, 4, 6))
        beside = sum(has[1::2])
        if changes == 2 and not corner and (beside == 1 or (beside == 2 and chance.share() < 0.15)):
            inside.add(r * size + c)
            length += 4 - 2 * beside
    return inside
