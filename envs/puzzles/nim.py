"""Nim and other subtraction games against an opponent that never errs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs, MovePuzzle, Option
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import StateGraph
from proofgym.errors import BadInput

__all__ = ["Nim"]

_TAKE = re.compile(r"(?:take )?([1-9][0-9]?) (?:from|of) (?:pile |heap )?([a-e])", re.ASCII)

Position = tuple[int, ...]
"""The piles when it is your turn; (-1,) once you have lost, (-2,) once you have won."""

_LOST, _WON = (-1,), (-2,)


class Nim(StateGraph[Position]):
    """Win a won game of taking from piles: one mistake, and the opponent wins.

    The opponent takes the win when it can, and otherwise holds out with the smallest move, so what it does is decided
    by the position. Which positions are won is worked out exactly, from the end of the game backwards.
    """

    family = "nim"
    knobs: ClassVar[Mapping[str, Knob | Option]] = {
        "piles": Knob(3, 4, "piles", 2, 5),
        "largest": Knob(6, 12, "things in a pile, at most", 3, 13),
        "takes": Option(("some", "any"), "whether only some numbers may be taken, or any as in plain nim"),
        "last": Option(("either", "wins", "loses"), "whether who moves last wins or loses"),
    }
    hardness_of = "moves to the win"
    single = False

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        largest = knobs["largest"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            piles = rng.integers(2, largest + 1, size=(knobs["piles"],)).tolist()
            takes = list(range(1, largest + 1))
            if knobs["takes"] == "some":
                takes = sorted((rng.permutation(min(largest, 7))[: int(rng.integers(2, 5))] + 1).tolist())
            wins = bool(rng.integers(2)) if knobs["last"] == "either" else knobs["last"] == "wins"
            puzzle = cls({"piles": piles, "takes": takes, "last_wins": wins})
            if not puzzle._good(tuple(sorted(piles))):
                continue
            shares = [puzzle._good(after) for _, after in puzzle._after(tuple(sorted(piles)))]
            if sum(shares) > len(shares) // 2 and puzzle._from_start() > 2:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "piles", "takes", "last_wins")
        self._begin = fields.wholes(data, "piles", 0, 13, most=5)
        self.takes = tuple(sorted(set(fields.wholes(data, "takes", 1, 13, most=13))))
        self.last_wins = fields.flag(data, "last_wins")
        self._won: dict[Position, bool] = {}
        self._lefts: dict[Position, tuple[int, str]] = {_WON: (0, "")}

    def prove(self) -> None:
        if not self._good(tuple(sorted(self._begin))):
            raise BadInput(f"the game {list(self._begin)} is lost against a perfect opponent: there is nothing to ask")
        MovePuzzle.prove(self)

    def canonical(self) -> Any:
        """The order of the piles does not matter."""
        return [sorted(self._begin), list(self.takes), self.last_wins]

    def rules(self) -> str:
        whole = self.takes == tuple(range(1, len(self.takes) + 1)) and self.takes[-1] >= max(self._begin)
        some = "one or more" if whole else " or ".join(map(str, self.takes))
        ends = "wins" if self.last_wins else "loses"
        return (
            f"You and a perfect opponent take turns; you begin. A turn takes {some} things from one pile. Who "
            f"makes the "
            f"last possible move {ends}. A move is '{self.takes[0]} from b', to take {self.takes[0]} from pile B. "
            f"You can win."
        )

    def start(self) -> Position:
        return self._begin

    def goal(self, state: Position) -> bool:
        return state == _WON

    def lost(self, state: Position) -> str | None:
        return "You have lost." if state == _LOST else None

    def named(self, move: str) -> str:
        found = _TAKE.fullmatch(move)
        return f"{found[1]} from {found[2]}" if found else move

    def refusal(self, state: Position, move: str) -> str:
        found = _TAKE.fullmatch(move)
        if not found or "abcde".index(found[2]) >= len(self._begin) or int(found[1]) not in self.takes:
            return f"A move takes {' or '.join(map(str, self.takes))} from a pile, such as '{self.takes[0]} from b'."
        return f"Pile {found[2].upper()} has not so many things."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        return [(f"{took} from {'abcde'[pile]}", self._replied(left)) for (pile, took), left in self._after(state)]

    def _after(self, piles: Position) -> list[tuple[tuple[int, int], Position]]:
        return [
            ((pile, took), (*piles[:pile], held - took, *piles[pile + 1 :]))
            for pile, held in enumerate(piles)
            for took in self.takes
            if took <= held
        ]

    def _good(self, piles: Position) -> bool:
        """Whether who is to move can win; the piles in order."""
        known = self._won.get(piles)
        if known is None:
            after = {tuple(sorted(left)) for _, left in self._after(piles)}
            known = any(not self._good(left) for left in after) if after else not self.last_wins
            self._won[piles] = known
        return known

    def _reply(self, piles: Position) -> tuple[tuple[int, int], Position] | None:
        """The opponent's move: the first that leaves a lost position, or else the least from the largest pile."""
        moves = self._after(piles)
        for move, left in moves:
            if not self._good(tuple(sorted(left))):
                return move, left
        return min(moves, key=lambda found: (found[0][1], -piles[found[0][0]]), default=None)

    def _replied(self, piles: Position) -> Position:
        reply = self._reply(piles)
        if reply is None:
            return _WON if self.last_wins else _LOST
        if not self._after(reply[1]):
            return _LOST if self.last_wins else _WON
        return reply[1]

    def _win(self, state: Position) -> tuple[int, str] | None:
        """The fewest moves to the win, and the first; whatever lets the opponent win is lost for good."""
        if state == _LOST or (state != _WON and not self._good(tuple(sorted(state)))):
            return None
        known = self._lefts.get(state)
        if known is None:
            good = [
                (won[0] + 1, f"{took} from {'abcde'[pile]}")
                for (pile, took), left in self._after(state)
                if not self._good(tuple(sorted(left))) and (won := self._win(self._replied(left)))
            ]
            if not good:  # who cannot move has won already, in the game that the last mover loses
                return None
            known = self._lefts[state] = min(good, key=lambda found: found[0])
        return known

    def distance(self, state: Position) -> int | None:
        won = self._win(state)
        return won[0] if won else None

    def best(self, state: Position) -> str:
        won = self._win(state)
        return won[1] if won and won[0] else next(iter(self.moves(state)), "")

    def unpack(self, data: Any) -> Position:
        piles: Position = fields.wholes({"piles": data}, "piles", -2, 13, most=5)
        inside = len(piles) == len(self._begin) and all(0 <= n <= m for n, m in zip(piles, self._begin, strict=True))
        if not inside and piles not in (_LOST, _WON):
            raise BadInput(f"a position has no more in any pile than {list(self._begin)}, found {list(piles)}")
        return piles

    def view(self, state: Position) -> str:
        if state[0] < 0:
            return "The game is over."
        return ", ".join(f"{'ABCDE'[i]}: {held}" for i, held in enumerate(state))

    def told(self, state: Position, move: str, after: Position) -> str:
        mine = next(
            left for (pile, took), left in self._after(state) if f"{took} from {'abcde'[pile]}" == self.named(move)
        )
        reply = self._reply(mine)
        return f"The opponent takes {reply[0][1]} from pile {'ABCDE'[reply[0][0]]}." if reply else ""
