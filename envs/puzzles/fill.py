"""Boards that are filled in: what all of them share, as one answer and as moves.

A board has `rows` x `columns` cells, each holding one of `symbols`. Two kinds:

- `FillPuzzle`: cells start open (`.`), a move writes a symbol or clears one. The distance is 1 for an open cell and 2
  for a wrong one, which has to be cleared and set.
- `MarkPuzzle`: cells start unmarked (`.`), a move marks a cell or takes its mark back, and the board without a mark is
  a position like any other. The distance is the number of cells that differ.

A move is refused if it does not fit the board (a given cell, a taken one), never because it breaks a rule:
to find that out is the puzzle. So no sweep over all cells and symbols solves anything.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from proofgym.envs.puzzles.answers import grid
from proofgym.envs.puzzles.contract import Illegal, MovePuzzle
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["FillPuzzle", "MarkPuzzle"]

Cells = tuple[str, ...]

_MOST_SOLUTIONS = 32  # an instance with more has no useful distance, and is only judged

_WRITE = re.compile(r"(?:(clear|unmark|mark|set)\s*)?(?:row|r)?\s*([0-9]{1,2})\s*,?\s*(?:column|col|c)?\s*([0-9]{1,2})"
                    r"(?:\s*(?:=|:|to)\s*(\S{1,8}))?", re.ASCII)  # fmt: skip


class _Board(MovePuzzle[Cells]):
    """What both kinds share. `read` sets `rows`, `columns`, `symbols` and `givens`."""

    rows: int
    columns: int
    symbols: Sequence[str]
    """What a full board is made of."""
    givens: Cells
    """The cells as asked, row by row; `.` where nothing is given."""
    can_undo: ClassVar[bool] = True

    @abstractmethod
    def broken(self, cells: Cells) -> str | None:
        """The first rule that a full board breaks, in words, or `None`. That it keeps the givens is checked already."""

    @abstractmethod
    def solve(self, most: int) -> list[Cells]:
        """Up to `most` solutions, by an exact search: fewer than `most` means that there are no others."""

    @abstractmethod
    def law(self) -> str:
        """The rules in words, and what the board does not show; without the board, and without how to answer."""

    def statement(self) -> str:
        """The rules and the board."""
        return f"{self.law()}\nThe board:\n{self.view(self.start())}"

    def solutions(self) -> list[Cells]:
        """Every solution, if there are at most 32; worked out once.

        Raises:
            BadInput: If there is none, or there are more.
        """
        found: list[Cells] | None = self.__dict__.get("_solutions")
        if found is None:
            found = self.solve(_MOST_SOLUTIONS + 1)
            self.known(found)
        if not found:
            raise BadInput(f"this instance of {self.family} has no solution")
        if len(found) > _MOST_SOLUTIONS:
            raise BadInput(
                f"this instance of {self.family} has more than {_MOST_SOLUTIONS} solutions; it needs more clues"
            )
        return found

    def known(self, solutions: list[Cells]) -> None:
        """Keep the solutions that a generator has proved to be all there are."""
        self.__dict__["_solutions"] = solutions

    def prove(self) -> None:
        """It has a solution, and not so many that nobody could tell the distance to them."""
        self.solutions()
        super().prove()

    # As one answer ----------------------------------------------------------------------------------------------------

    def question(self) -> str:
        return f"{self.statement()}\nEnd with 'Answer:' and the full grid below it, one row a line."

    def answer_lines(self) -> int:
        return self.rows

    def judge(self, answer: str) -> Verdict:
        """By the givens and the rules alone; any grid that keeps them is right."""
        cells = tuple(cell for row in grid(answer, self.rows, self.columns, self.symbols) for cell in row)
        for at, (given, cell) in enumerate(zip(self.givens, cells, strict=True)):
            if given not in (".", cell):
                return Verdict.wrong(f"{self.name(at)} is given as {given}, found {cell}")
        broken = self.broken(cells)
        return Verdict.wrong(broken) if broken else Verdict.right()

    def solution(self) -> str:
        return self.drawn(self.solutions()[0])

    def cheats(self) -> Sequence[str]:
        asked = self.drawn(self.givens)
        return (asked, *(self.drawn((symbol,) * (self.rows * self.columns)) for symbol in list(self.symbols)[:3]))

    # As moves ---------------------------------------------------------------------------------------------------------

    def rules(self) -> str:
        return f"{self.law()}\n{self._how()}"

    def view(self, state: Cells) -> str:
        return self.drawn(state)

    def drawn(self, cells: Cells) -> str:
        """A board as text, one row a line."""
        width = max(len(symbol) for symbol in self.symbols)
        return "\n".join(
            " ".join(cell.rjust(width) for cell in cells[at : at + self.columns]).rstrip()
            for at in range(0, self.rows * self.columns, self.columns)
        )

    def start(self) -> Cells:
        return self.givens

    def pack(self, state: Cells) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Cells:
        size = self.rows * self.columns
        known = {*self.symbols, "."}
        if not (isinstance(data, list) and len(data) == size and all(isinstance(c, str) and c in known for c in data)):
            raise BadInput(f"a position of {self.family} is a list of {size} symbols, found {data!r:.80}")
        return tuple(data)

    def name(self, at: int) -> str:
        """A cell in words."""
        return f"row {at // self.columns + 1} column {at % self.columns + 1}"

    def short(self, at: int) -> str:
        """A cell as moves name it."""
        return f"r{at // self.columns + 1}c{at % self.columns + 1}"

    def _cell(self, move: str) -> tuple[str, int, str | None]:
        found = _WRITE.fullmatch(move)
        if not found:
            raise Illegal(f"That is not a move. {self._how()}")
        row, column = int(found[2]), int(found[3])
        if not (1 <= row <= self.rows and 1 <= column <= self.columns):
            raise Illegal(f"Rows go from 1 to {self.rows} and columns from 1 to {self.columns}.")
        at = (row - 1) * self.columns + column - 1
        if self.givens[at] != ".":
            raise Illegal(f"{self.name(at)} is given and stays.")
        return found[1] or "", at, found[4]

    @abstractmethod
    def _how(self) -> str: ...

    def distance(self, state: Cells) -> int | None:
        return min(self._moves_to(state, goal) for goal in self.solutions())

    @abstractmethod
    def _moves_to(self, state: Cells, goal: Cells) -> int: ...


class FillPuzzle(_Board):
    """A board whose open cells are filled with symbols."""

    def _how(self) -> str:
        return f"A move is 'r1c2={self.symbols[0]}' to fill row 1, column 2, or 'clear r1c2'."

    def moves(self, state: Cells) -> list[str]:
        found = []
        for at, cell in enumerate(state):
            if cell == ".":
                found += [f"{self.short(at)}={symbol}" for symbol in self.symbols]
            elif self.givens[at] == ".":
                found.append(f"clear {self.short(at)}")
        return found

    def apply(self, state: Cells, move: str) -> Cells:
        verb, at, symbol = self._cell(move)
        if (verb == "clear") == (symbol is not None) or verb in ("mark", "unmark"):
            raise Illegal(f"That is not a move. {self._how()}")
        if verb == "clear":
            if state[at] == ".":
                raise Illegal(f"{self.name(at)} is open already.")
            return (*state[:at], ".", *state[at + 1 :])
        known = next((s for s in self.symbols if s.lower() == symbol), None)
        if known is None:
            raise Illegal(f"A cell holds one of {' '.join(self.symbols)}.")
        if state[at] != ".":
            raise Illegal(f"{self.name(at)} holds {state[at]}; clear it first.")
        return (*state[:at], known, *state[at + 1 :])

    def _moves_to(self, state: Cells, goal: Cells) -> int:
        return sum((have != want) + (have not in (want, ".")) for have, want in zip(state, goal, strict=True))

    def best(self, state: Cells) -> str:
        goal = min(self.solutions(), key=lambda goal: self._moves_to(state, goal))
        for at, (have, want) in enumerate(zip(state, goal, strict=True)):
            if have not in (want, "."):
                return f"clear {self.short(at)}"
        at = next((at for at, cell in enumerate(state) if cell == "."), 0)
        return f"{self.short(at)}={goal[at]}"


class MarkPuzzle(_Board):
    """A board on which some cells are marked; `marked` is the mark, and unmarked cells show `.`."""

    marked: ClassVar[str] = "#"

    @property
    def symbols(self) -> Sequence[str]:  # type: ignore[override]
        """The mark, and the dot of an unmarked cell."""
        return (".", self.marked)

    def question(self) -> str:
        return (
            f"{self.statement()}\nEnd with 'Answer:' and the full grid below it, one row a line, "
            f"'{self.marked}' for a marked cell and '.' for any other."
        )

    def judge(self, answer: str) -> Verdict:
        """By the rules alone."""
        cells = tuple(cell for row in grid(answer, self.rows, self.columns, self.symbols) for cell in row)
        broken = self.broken(cells)
        return Verdict.wrong(broken) if broken else Verdict.right()

    def _how(self) -> str:
        return "A move is 'mark r1c2' for row 1, column 2, or 'unmark r1c2'."

    def moves(self, state: Cells) -> list[str]:
        return [
            f"{'mark' if cell == '.' else 'unmark'} {self.short(at)}"
            for at, cell in enumerate(state)
            if self.givens[at] == "."
        ]

    def apply(self, state: Cells, move: str) -> Cells:
        verb, at, symbol = self._cell(move)
        if verb not in ("mark", "unmark") or symbol is not None:
            raise Illegal(f"That is not a move. {self._how()}")
        if (verb == "mark") == (state[at] != "."):
            raise Illegal(f"{self.name(at)} is {'marked' if state[at] != '.' else 'not marked'} already.")
        return (*state[:at], self.marked if verb == "mark" else ".", *state[at + 1 :])

    def _moves_to(self, state: Cells, goal: Cells) -> int:
        return sum(have != want for have, want in zip(state, goal, strict=True))

    def best(self, state: Cells) -> str:
        goal = min(self.solutions(), key=lambda goal: self._moves_to(state, goal))
        for at, (have, want) in enumerate(zip(state, goal, strict=True)):
            if have != want:
                return f"{'mark' if want != '.' else 'unmark'} {self.short(at)}"
        return self.moves(state)[0]
