"""4x4 sudoku in two forms: the whole grid in one answer, or one cell a turn with pay for coming closer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.numeric import lines
from proofgym.verifiers.puzzles.sudoku import (
    CELLS,
    DIGITS,
    GRIDS,
    PEERS,
    SIZE,
    SudokuVerifier,
    count_solutions,
    distance,
    solutions,
)

__all__ = ["Sudoku4", "Sudoku4Steps"]

_EASY_CLUES, _HARD_CLUES = 8, 4  # no 4x4 sudoku with fewer than 4 clues has one solution

_RULES = "Every row, column and 2x2 box of this 4x4 sudoku holds 1, 2, 3 and 4 once each; dots are empty cells."
_HOW = "Write one move a turn, such as 'row 1 column 2 = 3' or 'clear row 1 column 2'."

_MOVE = re.compile(
    r"(?:(clear)|set)?\s*(?:row|r)?\s*([0-9])\s*,?\s*(?:column|col|c)?\s*([0-9])(?:\s*(?:=|:|,|to)?\s*([0-9]))?",
    re.IGNORECASE | re.ASCII,
)
_NAMES = tuple(f"row {cell // SIZE + 1} column {cell % SIZE + 1}" for cell in range(CELLS))
_SETS = tuple({digit: f"{name} = {digit}" for digit in DIGITS} for name in _NAMES)
_CLEARS = tuple(f"clear {name}" for name in _NAMES)


class _Sudoku(VerifiableEnv):
    """What both forms share: how puzzles are drawn, named and checked.

    They share a family too, so that a puzzle held out from one is held out from the other.
    """

    family: ClassVar[str] = "sudoku4"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._givens = "." * CELLS
        self._goals: list[str] = []

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        cells = list(GRIDS[int(rng.integers(len(GRIDS)))])
        clues = round(_EASY_CLUES + self.level * (_HARD_CLUES - _EASY_CLUES))
        for cell in rng.permutation(CELLS).tolist():
            if CELLS - cells.count(".") <= clues:
                break
            digit, cells[cell] = cells[cell], "."
            if count_solutions("".join(cells)) > 1:
                cells[cell] = digit
        return {"givens": "".join(cells)}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The givens with digits renamed by first appearance: renaming digits makes no new puzzle."""
        names: dict[str, str] = {".": "."}
        return "".join(names.setdefault(digit, str(len(names))) for digit in _read(instance))

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the number of clues."""
        clues = CELLS - _read(instance).count(".")
        return min(1.0, max(0.0, (_EASY_CLUES - clues) / (_EASY_CLUES - _HARD_CLUES)))

    def _start(self, instance: Mapping[str, Any]) -> None:
        self._givens = _read(instance)
        self._goals = solutions(self._givens)


class Sudoku4(_Sudoku):
    """Asks for a full 4x4 sudoku and pays 1.0 for any that keeps the rules and the givens.

    Observation: the rules and four rows such as `1 . 3 .`, at most 300 characters.
    Action: anything, and then the four rows of the full grid; the last block of rows is read.
    Episode: one turn, always terminated, never truncated.

    Nothing is paid for a grid that is partly right, so guessing cells earns nothing. Generated puzzles have exactly one
    solution; a given instance may have several, and each is right.

    Args:
        level: 8 clues at 0; at 1 as few as can be reached by taking clues away one at a time, 4 to 6.
    """

    floor: float = 0.004  # a full grid written blindly fits with a chance of 1 in 288

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._start(instance)
        return f"{_RULES}\n{_grid(self._givens)}\nEnd with the four rows of the full grid, and nothing after them."

    def turn(self, action: str) -> TurnResult:
        verdict, credits_ = SudokuVerifier(self._givens).grade(action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        return _grid(self._goals[0])

    def cheats(self) -> Sequence[str]:
        asked = _grid(self._givens)
        return (
            *super().cheats(), asked, asked.replace(".", "1234"), asked.replace(".", "*"), "1111\n" * 4, "1234\n" * 4,
            "1234\n3412\n2143", "١٢٣٤\n٣٤١٢\n٢١٤٣\n٤٣٢١", "1234 3412 2143 4321", "solved", "[[1,2,3,4]]" * 4,
        )  # fmt: skip


class Sudoku4Steps(_Sudoku):
    """Asks for one move a turn and pays every move by how much closer to the solution it comes.

    Observation: the grid; at first also the rules, later also what the last move did or why it was refused. Whether a
    legal move was right is never said.
    Action: one move on the last line, `row 1 column 2 = 3` (also `1 2 3`, `r1c2=3`) or `clear row 1 column 2`.
    Episode: terminated when the grid is full, which the rules allow for a solution only; truncated after `max_turns`.

    The potential is 1 - distance / distance at the start, where the distance is the exact number of moves to the
    solution: 1 for an empty cell, 2 for a wrong one. A move's reward is the change of the potential, so an episode
    earns 1.0 when solved, detours cost what they later win back, and no round trip earns. It is below 0 while there are
    more wrong cells than right ones. A refused move changes nothing and earns 0.

    Args:
        level: As in `Sudoku4`.
    """

    floor: float = 0.5
    default_max_turns: ClassVar[int] = 40

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._cells = self._givens

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._start(instance)
        self._cells = self._givens
        return f"{_RULES} Fill it.\n{_HOW}\n{_grid(self._cells)}"

    def turn(self, action: str) -> TurnResult:
        spans = list(lines(action))
        start, end = spans[-1] if spans else (0, 0)
        refusal, cell, digit = self._legal(action[start:end])
        if refusal:
            return TurnResult(f"{refusal}\n{_grid(self._cells)}", [Credit(start, end, 0.0, "move", refusal)])
        before = distance(self._cells, self._goals)
        self._cells = self._cells[:cell] + digit + self._cells[cell + 1 :]
        gain = before - distance(self._cells, self._goals)
        nearer = "one move closer" if gain > 0 else "one move further away"
        credits_ = [Credit(start, end, gain / self._givens.count("."), "move", nearer)]
        if "." not in self._cells:
            return TurnResult(f"Solved.\n{_grid(self._cells)}", credits_, Verdict.right("solved"), terminated=True)
        done = f"Cleared {_NAMES[cell]}." if digit == "." else f"Placed {digit} at {_NAMES[cell]}."
        return TurnResult(f"{done}\n{_grid(self._cells)}", credits_)

    def save(self) -> dict[str, Any]:
        return {"cells": self._cells}

    def load(self, data: Mapping[str, Any]) -> None:
        cells = data.get("cells")
        if not (isinstance(cells, str) and len(cells) == CELLS and set(cells) <= {*DIGITS, "."}):
            raise BadInput(f"a state of Sudoku4Steps has 16 'cells', found {cells!r:.80}")
        self._cells = cells

    def potential(self) -> float:
        """1 when solved, 0 at the start, below 0 when most of what was placed is wrong."""
        return 1.0 - distance(self._cells, self._goals) / self._givens.count(".")

    def admissible(self) -> list[str]:
        """Every digit that no row, column or box forbids in an empty cell, and every cell that can be cleared."""
        moves = []
        for cell, held in enumerate(self._cells):
            if held == ".":
                seen = {self._cells[peer] for peer in PEERS[cell]}
                moves += [move for digit, move in _SETS[cell].items() if digit not in seen]
            elif self._givens[cell] == ".":
                moves.append(_CLEARS[cell])
        return moves

    def unfinished(self) -> Verdict:
        """Partial, by how close the last position is."""
        progress = self.potential()
        reason = f"not full after {self.max_turns} turns"
        return Verdict.partial(max(0.0, progress), reason, progress=progress)

    def oracle(self) -> str:
        goal = min(self._goals, key=lambda goal: distance(self._cells, [goal]))
        for cell, (held, wanted) in enumerate(zip(self._cells, goal, strict=True)):
            if held not in (wanted, "."):
                return _CLEARS[cell]
        cell = self._cells.find(".")
        return _SETS[cell][goal[cell]] if cell >= 0 else "the grid is full"

    def cheats(self) -> Sequence[str]:
        given = next((cell for cell in range(CELLS) if self._givens[cell] != "."), 0)
        return (
            *super().cheats(), "solve", "solved", "row 1 column 1 = 5", "row 0 column 0 = 1", "row 5 column 1 = 1",
            "clear row 1 column 1", "row ١ column ٢ = ٣", "1 1 1 1 2 2 1 3 3", "row 1 column 1 = 1; row 1 column 2 = 2",
            f"clear {_NAMES[given]}", "1234\n3412\n2143\n4321", "row 1 column -1 = 1", "1 1",
        )  # fmt: skip

    def _legal(self, text: str) -> tuple[str, int, str]:
        """Why a move is refused, or else its cell and what the cell will hold."""
        found = _MOVE.fullmatch(text)
        clear = found is not None and found[1] is not None
        if found is None or clear == (found[4] is not None):
            return f"That is not a move. {_HOW}", 0, ""
        row, column, digit = found[2], found[3], found[4] or "."
        if not {row, column, digit} <= {*DIGITS, "."}:
            return "Rows, columns and digits go from 1 to 4.", 0, ""
        cell = (int(row) - 1) * SIZE + int(column) - 1
        held = self._cells[cell]
        if self._givens[cell] != ".":
            return f"Not allowed: {_NAMES[cell]} is given and stays.", 0, ""
        if clear and held == ".":
            return f"Not allowed: {_NAMES[cell]} is empty already.", 0, ""
        if not clear and held != ".":
            return f"Not allowed: {_NAMES[cell]} holds {held}; clear it first.", 0, ""
        twin = next((peer for peer in PEERS[cell] if not clear and self._cells[peer] == digit), None)
        if twin is not None:
            where = "row" if twin // SIZE == cell // SIZE else "column" if twin % SIZE == cell % SIZE else "box"
            return f"Not allowed: {digit} stands in the same {where} at {_NAMES[twin]}.", 0, ""
        return "", cell, digit


def _grid(cells: str) -> str:
    return "\n".join(" ".join(cells[at : at + SIZE]) for at in range(0, CELLS, SIZE))


def _read(instance: Any) -> str:
    givens = instance.get("givens") if isinstance(instance, Mapping) else None
    if not (isinstance(givens, str) and len(givens) == CELLS and set(givens) <= {*DIGITS, "."}):
        raise BadInput(f"'givens' are 16 characters of 1234 and '.' for empty, row by row; found {givens!r:.80}")
    if "." not in givens:
        raise BadInput(f"the grid {givens} has no empty cell: there is nothing to ask")
    if not count_solutions(givens):
        raise BadInput(f"the grid {givens} has no solution")
    return givens
