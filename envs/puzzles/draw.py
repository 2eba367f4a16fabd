"""Small pictures of boards, as SVG text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["Board"]

_CELL = 36
_PAD = 4
_INK = "#1a2433"


class Board:
    """A board of square cells to write, shade and rule, row and column counted from 0.

    `top`, `left`, `bottom` and `right` leave room for clues outside the board, in cells.

    >>> Board(1, 2).text(0, 1, "7").svg().count("<text")
    1
    """

    def __init__(
        self, rows: int, columns: int, *, top: float = 0, left: float = 0, bottom: float = 0, right: float = 0
    ) -> None:
        self.rows, self.columns, self.top, self.left, self.bottom, self.right = rows, columns, top, left, bottom, right
        self._under: list[str] = []
        self._over: list[str] = []

    def _x(self, column: float) -> float:
        return _PAD + (self.left + column) * _CELL

    def _y(self, row: float) -> float:
        return _PAD + (self.top + row) * _CELL

    def fill(self, row: float, column: float, colour: str) -> Board:
        """Shade a cell."""
        x, y = self._x(column), self._y(row)
        self._under.append(f'<rect x="{x:g}" y="{y:g}" width="{_CELL}" height="{_CELL}" fill="{colour}"/>')
        return self

    def text(self, row: float, column: float, text: str, *, size: float = 0.5, colour: str = _INK) -> Board:
        """Write into the middle of a cell; clues stand at row -1 or column -1. `size` is in cells."""
        x, y = self._x(column + 0.5), self._y(row + 0.5)
        self._over.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size * _CELL:g}" fill="{colour}" '
            f'text-anchor="middle" dominant-baseline="central" font-family="sans-serif">{escape(text)}</text>'
        )
        return self

    def circle(self, row: float, column: float, colour: str, *, radius: float = 0.35) -> Board:
        """A disc in the middle of a cell; the radius is in cells."""
        x, y = self._x(column + 0.5), self._y(row + 0.5)
        self._over.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius * _CELL:g}" fill="{colour}"/>')
        return self

    def line(
        self, row: float, column: float, to_row: float, to_column: float, *, width: float = 3, colour: str = _INK
    ) -> Board:
        """A line between two corners of cells."""
        x, y, to_x, to_y = self._x(column), self._y(row), self._x(to_column), self._y(to_row)
        self._over.append(
            f'<line x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}" '
            f'stroke="{colour}" stroke-width="{width:g}" stroke-linecap="round"/>'
        )
        return self

    def cells(self, rows: Iterable[Iterable[str]], *, blank: str = ".") -> Board:
        """Write a whole board, leaving blanks free."""
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                if cell != blank:
                    self.text(r, c, cell)
        return self

    def svg(self, *, ruled: bool = True) -> str:
        """The picture."""
        width = 2 * _PAD + (self.left + self.columns + self.right) * _CELL
        height = 2 * _PAD + (self.top + self.rows + self.bottom) * _CELL
        lines: list[str] = []
        if ruled:
            right, bottom = self._x(self.columns), self._y(self.rows)
            lines += (f"M{self._x(0):g} {self._y(r):g}H{right:g}" for r in range(self.rows + 1))
            lines += (f"M{self._x(c):g} {self._y(0):g}V{bottom:g}" for c in range(self.columns + 1))
        grid = f'<path d="{"".join(lines)}" stroke="#9aa7b8" fill="none"/>' if lines else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}">{"".join(self._under)}{grid}{"".join(self._over)}</svg>'
        )
