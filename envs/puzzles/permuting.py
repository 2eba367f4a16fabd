"""Puzzles that permute things by a few named moves, with a table of all arrangements.

Things are renamed so that the goal is in order; so one table, made once a process for each kind and size, serves every
goal. The moves are permutations: the thing at `move[i]` comes to place `i`.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.search import layers
from proofgym.errors import BadInput

__all__ = ["Permuting"]

Arrangement = tuple[int, ...]
Moves = tuple[tuple[str, Arrangement], ...]


class Permuting(MovePuzzle[Arrangement]):
    """Bring things from one order into another. A subclass gives `moves_of`, `sizes` and the texts."""

    sizes: ClassVar[range]
    hardness_of = "least number of moves"

    @staticmethod
    @abstractmethod
    def moves_of(size: int) -> Moves:
        """The moves for a size, each with its permutation."""

    @abstractmethod
    def named(self, move: str) -> str:
        """A move in its canonical spelling."""

    @abstractmethod
    def form(self) -> str:
        """How a move is written, as one sentence."""

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size = knobs["size"]
        by_distance = _table(cls, size)[1]
        layer = by_distance[min(knobs["moves"], len(by_distance) - 1)]
        ordered = layer[int(rng.integers(len(layer)))]
        names = (rng.permutation(size) + 1).tolist()
        return cls({"start": [names[thing] for thing in ordered], "goal": names})

    @classmethod
    def depth_knob(cls, easy: int, hard: int) -> Knob:
        """The knob for the distance; beyond the deepest arrangement of a size, it means that."""
        return Knob(easy, hard, "least number of moves, as far as the size allows", 1, 30)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "start", "goal")
        most = self.sizes.stop - 1
        self._begin = fields.wholes(data, "start", 1, most, least=self.sizes.start, most=most)
        self._goal = fields.wholes(data, "goal", 1, most, least=self.sizes.start, most=most)
        self.size = len(self._goal)
        in_order = list(range(1, self.size + 1))
        if self.size not in self.sizes or sorted(self._begin) != in_order or sorted(self._goal) != in_order:
            raise BadInput(
                f"'start' and 'goal' hold 1 to {self.size} once each, in one of the sizes {list(self.sizes)}"
            )
        self._ranks = {thing: place for place, thing in enumerate(self._goal)}
        self._moves = self.moves_of(self.size)
        self._by_name = dict(self._moves)

    def start(self) -> Arrangement:
        return self._begin

    def pack(self, state: Arrangement) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Arrangement:
        state = fields.wholes({"order": data}, "order", 1, self.size, least=self.size, most=self.size)
        if len(set(state)) < self.size:
            raise BadInput(f"a position holds 1 to {self.size} once each, found {list(state)}")
        return state

    def moves(self, state: Arrangement) -> list[str]:
        return [name for name, _ in self._moves]

    def apply(self, state: Arrangement, move: str) -> Arrangement:
        places = self._by_name.get(self.named(move))
        if places is None:
            raise Illegal(self.form())
        return tuple([state[place] for place in places])

    def distance(self, state: Arrangement) -> int | None:
        ranks = self._ranks
        return _table(type(self), self.size)[0].get(tuple([ranks[thing] for thing in state]))

    def best(self, state: Arrangement) -> str:
        left = self.distance(state)
        for name, _ in self._moves:
            if left and self.distance(self.apply(state, name)) == left - 1:
                return name
        return self._moves[0][0]


@functools.cache
def _table(kind: type[Permuting], size: int) -> tuple[dict[Arrangement, int], list[list[Arrangement]]]:
    """The distance from every arrangement to the ordered one, and the arrangements by distance.

    The moves of every kind here come with their inverses, so distances there and back are the same.
    """
    moves = [places for _, places in kind.moves_of(size)]

    def neighbours(state: Arrangement) -> list[Arrangement]:
        return [tuple([state[place] for place in places]) for places in moves]

    by_distance = layers([tuple(range(size))], neighbours, 10**6)
    return {state: left for left, layer in enumerate(by_distance) for state in layer}, by_distance
