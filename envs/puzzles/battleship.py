"""Battleship: find and sink hidden ships within a number of shots."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput

__all__ = ["Battleship"]

_SHOT = re.compile(r"(?:shoot |fire )?(?:at )?(?:row |r)?([1-8]),? ?(?:column |col |c)?([1-8])", re.ASCII)
_MOST_FLEETS = 30_000

Shots = tuple[int, ...]
"""The cells that were shot at, in order."""


class Battleship(MovePuzzle[Shots]):
    """Sink all ships of a hidden fleet; a shot is answered with hit or miss.

    With n of N fleets still possible and h ship cells not yet hit, the potential falls with log(1 + n) + h, from 0 at
    the start; it is 1 once every ship is sunk, and 0 when the shots have run out, so that what was learnt counts for
    nothing in the end. The possible fleets are counted exactly.
    """

    family = "battleship"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 6, "rows and columns", 4, 7),
        "longest": Knob(3, 4, "cells of the longest of two ships; the other has one less", 3, 4),
        "spare": Knob(3, 2, "shots beyond those of a careful player", 0, 20),
    }
    hardness_of = "shots of a player who always shoots where most possible fleets have a ship"
    single = False
    steps_floor = 0.45  # ten shots at random and then none: 0.41

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, lengths = knobs["size"], [knobs["longest"], knobs["longest"] - 1]
        draws = Draws(cls.family)
        while True:
            draws.count()
            ships: list[list[int]] = []
            for length in lengths:
                places = [p for p in _places(size, length) if not any(set(p) & set(ship) for ship in ships)]
                ships.append(list(places[int(rng.integers(len(places)))]) if places else [])
            if not all(ships):
                continue
            opened = rng.permutation(size * size)[:2].tolist()
            puzzle = cls({"size": size, "ships": ships, "known": sorted(opened), "shots": size * size})
            if puzzle.distance(puzzle.start()) == 0:
                continue
            shots = int(puzzle.hardness()) + knobs["spare"]
            return cls({**puzzle.data, "shots": shots})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "size", "ships", "known", "shots")
        self.size = fields.whole(data, "size", 3, 7)
        last = self.size**2 - 1
        if not isinstance(data["ships"], (list, tuple)) or not 1 <= len(data["ships"]) <= 3:
            raise BadInput(f"'ships' are 1 to 3 lists of cells, found {data['ships']!r:.80}")
        self.ships = [fields.wholes({"ships": ship}, "ships", 0, last, least=2, most=5) for ship in data["ships"]]
        self.known = fields.wholes(data, "known", 0, last, least=0, most=last)
        self.limit = fields.whole(data, "shots", 1, last + 1)
        cells = [cell for ship in self.ships for cell in ship]
        straight = all(ship in _places(self.size, len(ship)) for ship in self.ships)
        if len(set(cells)) < len(cells) or not straight or len(set(self.known)) < len(self.known):
            raise BadInput("ships are straight lines of cells that do not overlap, and 'known' are different cells")
        self._fleet = frozenset(cells)
        self._fits: dict[frozenset[int], list[frozenset[int]]] = {}

    def canonical(self) -> Any:
        """Ships and known cells in order."""
        return [self.size, sorted(map(sorted, self.ships)), sorted(self.known), self.limit]

    def prove(self) -> None:
        """A careful player sinks the fleet within the shots."""
        super().prove()
        if self.hardness() > self.limit:
            raise BadInput(f"a careful player needs {self.hardness():.0f} shots, more than the limit of {self.limit}")

    def _fleets(self, shots: frozenset[int]) -> list[frozenset[int]]:
        """The fleets that answer these shots and the known cells as the hidden one does."""
        found = self._fits.get(shots)
        if found is None:
            if len(self._fits) > 64:
                self._fits.clear()
            seen = shots | set(self.known)
            hits, misses = seen & self._fleet, seen - self._fleet
            ways = [[frozenset(p) for p in _places(self.size, len(ship)) if not misses & set(p)] for ship in self.ships]
            if math.prod(map(len, ways)) > _MOST_FLEETS:
                raise BadInput(f"there are at most {_MOST_FLEETS} possible fleets")
            total = len(self._fleet)
            fleets = {frozenset().union(*ships) for ships in itertools.product(*ways)}
            found = self._fits[shots] = [fleet for fleet in fleets if len(fleet) == total and hits <= fleet]
        return found

    def rules(self) -> str:
        lengths = " and ".join(str(len(ship)) for ship in self.ships)
        return (
            f"Battleship on {self.size} rows and {self.size} columns: hidden ships of {lengths} cells stand in "
            f"straight "
            "lines, across or down, without overlap; they may touch. A shot at a cell is answered with hit 'X' "
            "or miss 'o'. "
            f"Hit every ship cell within {self.limit} shots; hits that are shown at the start count. A move is "
            f"'r1c2' to "
            "shoot at row 1, column 2."
        )

    def start(self) -> Shots:
        return ()

    def pack(self, state: Shots) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Shots:
        shots = fields.wholes({"shots": data}, "shots", 0, self.size**2 - 1, least=0, most=self.limit)
        if len({*shots, *self.known}) < len(shots) + len(self.known) or (shots and self.solved(shots[:-1])):
            raise BadInput(f"a position is a list of different cells that were shot at, found {list(shots)}")
        return shots

    def view(self, state: Shots) -> str:
        seen = {*state, *self.known}
        cells = ["." if at not in seen else "X" if at in self._fleet else "o" for at in range(self.size**2)]
        board = "\n".join("".join(cells[at : at + self.size]) for at in range(0, len(cells), self.size))
        return f"{board}\nShots left: {self.limit - len(state)}"

    def moves(self, state: Shots) -> list[str]:
        if self.solved(state) or self.lost(state):
            return []
        seen = {*state, *self.known}
        return [f"r{at // self.size + 1}c{at % self.size + 1}" for at in range(self.size**2) if at not in seen]

    def apply(self, state: Shots, move: str) -> Shots:
        found = _SHOT.fullmatch(move)
        if not found or max(int(found[1]), int(found[2])) > self.size:
            raise Illegal(f"A move is a cell, such as 'r1c2', of {self.size} rows and columns.")
        at = (int(found[1]) - 1) * self.size + int(found[2]) - 1
        if at in state or at in self.known:
            raise Illegal("That cell is known already.")
        if len(state) >= self.limit:
            raise Illegal("There are no shots left.")
        return (*state, at)

    def told(self, state: Shots, move: str, after: Shots) -> str:
        return "Hit." if after[-1] in self._fleet else "Miss."

    def distance(self, state: Shots) -> int | None:
        """The ship cells that are not hit yet, if the shots are enough for them."""
        left = len(self._fleet - {*state, *self.known})
        return left if left <= self.limit - len(state) else None

    def solved(self, state: Shots) -> bool:
        return self._fleet <= {*state, *self.known}

    def lost(self, state: Shots) -> str | None:
        return "You have no shots left." if len(state) >= self.limit and not self.solved(state) else None

    def best(self, state: Shots) -> str:
        at = min(self._fleet - {*state, *self.known}, default=None)
        return (
            f"r{at // self.size + 1}c{at % self.size + 1}" if at is not None else next(iter(self.moves(state)), "r1c1")
        )

    def potential(self, state: Shots) -> float:
        """By the fleets that are possible and the cells that are not hit; 0 when the shots have run out."""
        if self.solved(state):
            return 1.0
        return 0.0 if self.lost(state) else 1.0 - self._open(state) / self._open(())

    def _open(self, state: Shots) -> float:
        return math.log(1 + len(self._fleets(frozenset(state)))) + len(self._fleet - {*state, *self.known})

    def hardness(self) -> float:
        """Played out; the first of equally good cells is taken."""
        state: Shots = ()
        while not self.solved(state):
            seen = {*state, *self.known}
            fleets = self._fleets(frozenset(state))
            counts = [0] * self.size**2
            for fleet in fleets:
                for at in fleet:
                    counts[at] += 1
            state = (
                *state,
                max((at for at in range(self.size**2) if at not in seen), key=lambda at: (counts[at], -at)),
            )
        return float(len(state))


_PLACES: dict[tuple[int, int], list[tuple[int, ...]]] = {}


def _places(size: int, length: int) -> list[tuple[int, ...]]:
    """Every place of a ship on a board, as cells in order."""
    if (size, length) not in _PLACES:
        across = [tuple(r * size + c + i for i in range(length)) for r in range(size) for c in range(size - length + 1)]
        down = [tuple((r + i) * size + c for i in range(length)) for r in range(size - length + 1) for c in range(size)]
        _PLACES[size, length] = across + down
    return _PLACES[size, length]
