"""How often a generator draws before it says that its knobs leave nothing to draw."""

from __future__ import annotations

from proofgym.errors import BadInput

__all__ = ["Draws"]


class Draws:
    """Counts the draws of a generator that goes on until an instance has the property it claims.

    >>> draws = Draws("sudoku", most=1)
    >>> draws.count()
    >>> draws.count()
    Traceback (most recent call last):
    proofgym.errors.BadInput: no instance of sudoku in 1 draws; these knobs leave next to none, so relax one of them
    """

    def __init__(self, family: str, most: int = 10_000) -> None:
        self._family, self._most, self._drawn = family, most, 0

    def count(self) -> None:
        """Count one more draw.

        Raises:
            BadInput: After too many.
        """
        if self._drawn >= self._most:
            found = f"no instance of {self._family} in {self._most} draws"
            raise BadInput(f"{found}; these knobs leave next to none, so relax one of them")
        self._drawn += 1
