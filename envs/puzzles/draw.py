"""Small pictures of boards, as SVG text."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

__all__ = ["Board"]

_CELL = 36
_PAD = 4


class Board:
    """A board of square cells to write, shade and rule, row and column counted from 0.

    `top` and `left` leave room for clues outside the board, in cells.

    >>> Board(1, 2).text(0, 1, "7").svg().count("<text")
    1
    """

    def __init__(self, rows: int, columns: int, *, top: float = 0, left: float = 0) -> None:
        self.rows, self.columns, self.top, self.left = rows, columns, top, left
        self._under: list[str] = []
        self._over: list[str] = []

    def _x(self, column: float) -> float:
        return _PAD + (self.left + column) * _CELL

    def _y(self, row: float) -> float:
        return _PAD + (self.top + row) * _CELL

    def fill(self, row: float, column: float, colour: str) -> Board:
        """Shade a cell."""
        self._under.append(
            f'<rect x="{self._x(column):g}" y="{self._y(row):g}" width="{_CELL}" height="{_CELL}" fill="{colour}"/>'
        )
        return self

    def text(self, row: float, column: float, text: str, *, size: float = 0.5, colour: str = "#1a2433") -> Board:
        """Write into the middle of a cell; clues stand at row -1 or column -1. `size` is in cells."""
        self._over.append(
            f'<text x="{self._x(column + 0.5):g}" y="{self._y(row + 0.5):g}" font-size="{size * _CELL:g}" fill="{colour}" '
            f'text-anchor="middle" dominant-baseline="central" font-family="sans-serif">{escape(text)}</text>'
        )
        return self

    def circle(self, row: float, column: float, colour: str, *, radius: float = 0.35) -> Board:
        """A disc in the middle of a cell; the radius is in cells."""
        self._over.append(
            f'<circle cx="{self._x(column + 0.5):g}" cy="{self._y(row + 0.5):g}" r="{radius * _CELL:g}" fill="{colour}"/>'
        )
        return self

    def line(
        self, row: float, column: float, to_row: float, to_column: float, *, width: float = 3, colour: str = "#1a2433"
    ) -> Board:
        """A line between two corners of cells."""
        self._over.append(
            f'<line x1="{self._x(column):g}" y1="{self._y(row):g}" x2="{self._x(to_column):g}" y2="{self._y(to_row):g}" '
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
        width = 2 * _PAD + (self.left + self.columns) * _CELL
        height = 2 * _PAD + (self.top + self.rows) * _CELL
        lines = []
        if ruled:
            for r in range(self.rows + 1):
                lines.append(f"M{self._x(0):g} {self._y(r):g}H{self._x(self.columns):g}")
            for c in range(self.columns + 1):
                lines.append(f"M{self._x(c):g} {self._y(0):g}V{self._y(self.rows):g}")
        grid = f'<path d="{"".join(lines)}" stroke="#9aa7b8" fill="none"/>' if lines else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
            f'height="{height:g}">{"".join(self._under)}{grid}{"".join(self._over)}</svg>'
        )
