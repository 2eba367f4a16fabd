"""Games of hidden information: ask, hear what the secret answers, and name it within a number of turns.

The secret is one of some candidates, and every answer is what the secret says, so nothing is left to chance. How near
the goal is, is measured by information: with n of N candidates still possible, the potential is
1 - log(1 + n) / log(1 + N), and 1 once the secret is named. When the turns run out, it falls back to 0: what was learnt
on the way counts for nothing in the end, so guessing blindly earns no more than the chance to hit the secret.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, MovePuzzle
from proofgym.errors import BadInput

__all__ = ["Asked", "GuessingGame"]

C = TypeVar("C")

Asked = tuple[str, ...]
"""The moves so far, in their canonical spelling."""


class GuessingGame(MovePuzzle[Asked], Generic[C]):
    """A game against a secret. `read` sets `secret` and `limit`."""

    single: ClassVar[bool] = False
    secret: C
    limit: int
    """Turns, the naming of the secret included."""

    @abstractmethod
    def candidates(self) -> Sequence[C]:
        """Everything that the secret may be."""

    @abstractmethod
    def naming(self, candidate: C) -> str:
        """The move that names a candidate."""

    @abstractmethod
    def asking(self) -> Sequence[str]:
        """Every move, namings included."""

    @abstractmethod
    def answer(self, move: str, candidate: C) -> str:
        """What a move is answered if the secret is this candidate."""

    @abstractmethod
    def named(self, move: str) -> str:
        """A move in its canonical spelling.

        Raises:
            Illegal: If it is none.
        """

    def careful(self, possible: Sequence[C]) -> str:
        """What a careful player asks next: the first candidate that fits, unless a family knows better."""
        return self.naming(possible[0])

    def possible(self, state: Asked) -> Sequence[C]:
        """The candidates that give the same answers as the secret."""
        known: dict[Asked, Sequence[C]] = self.__dict__.setdefault("_possible", {(): self.candidates()})
        found = known.get(state)
        if found is None:
            before = self.possible(state[:-1])
            said = self.answer(state[-1], self.secret)
            if len(known) > 256:
                known.clear()
                known[()] = self.candidates()
            found = known[state] = [one for one in before if self.answer(state[-1], one) == said]
        return found

    def start(self) -> Asked:
        return ()

    def pack(self, state: Asked) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Asked:
        asked = fields.texts({"asked": data}, "asked", least=0, most=self.limit, longest=60)
        for at, move in enumerate(asked):
            try:
                ended = bool(self.lost(asked[:at])) or self.solved(asked[:at])
                if ended or self.named(move) != move:
                    raise BadInput(f"a position is a list of moves in their own spelling, found {move!r:.80}")
            except Illegal as illegal:
                raise BadInput(f"a position is a list of moves: {illegal}") from None
        return asked

    def view(self, state: Asked) -> str:
        lines = [f"{move}: {self.answer(move, self.secret)}" for move in state]
        return "\n".join([*lines, f"Turns left: {self.limit - len(state)}"])

    def moves(self, state: Asked) -> list[str]:
        return [] if self.solved(state) or self.lost(state) else list(self.asking())

    def apply(self, state: Asked, move: str) -> Asked:
        if len(state) >= self.limit:
            raise Illegal("The game is over.")
        return (*state, self.named(move))

    def solved(self, state: Asked) -> bool:
        return bool(state) and state[-1] == self.naming(self.secret)

    def lost(self, state: Asked) -> str | None:
        return "You have no turns left." if len(state) >= self.limit and not self.solved(state) else None

    def told(self, state: Asked, move: str, after: Asked) -> str:
        return "" if self.solved(after) else f"The answer is: {self.answer(after[-1], self.secret)}"

    def distance(self, state: Asked) -> int | None:
        """One, for whoever knows the secret."""
        return 0 if self.solved(state) else None if self.lost(state) else 1

    def best(self, state: Asked) -> str:
        return self.naming(self.secret)

    def potential(self, state: Asked) -> float:
        """By how many candidates are left; 0 when the turns have run out."""
        if self.solved(state):
            return 1.0
        if self.lost(state):
            return 0.0
        return 1.0 - math.log(1 + len(self.possible(state))) / math.log(1 + len(self.candidates()))

    def prove(self) -> None:
        """A careful player names the secret within the turns."""
        if self.hardness() > self.limit:
            raise BadInput(f"a careful player needs {self.hardness():.0f} turns, more than the limit of {self.limit}")

    def hardness(self) -> float:
        """The turns that a careful player takes."""
        state: Asked = ()
        while not self.solved(state):
            state = (*state, self.careful(self.possible(state)))
        return float(len(state))
