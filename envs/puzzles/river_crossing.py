"""River crossing: ferry things that must not be left alone with each other."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import StateGraph

__all__ = ["RiverCrossing"]

_THINGS = ("wolf", "goat", "cabbage", "fox", "goose", "corn", "cat", "mouse")

Position = tuple[int, int]
"""The boat's bank (0 left, 1 right), and the things on the right bank as bits."""


class RiverCrossing(StateGraph[Position]):
    """Bring everything across in a small boat; whoever leaves the wrong pair on a bank alone has lost.

    Pairs, weights and the boat's limits are drawn at random; crossings that cannot be managed, or only trivially, are
    thrown away after a full search.
    """

    family = "river_crossing"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "things": Knob(4, 7, "things to bring across", 3, 8),
        "seats": Knob(2, 3, "things that fit into the boat", 1, 4),
        "moves": Knob(5, 11, "least number of crossings", 3, 30),
    }
    hardness_of = "least number of crossings"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        things, tries = knobs["things"], 0
        pairs = list(itertools.combinations(range(things), 2))
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            share = 0.2 + 0.4 * float(rng.random())
            foes = [
                list(pair)
                for pair, chance in zip(pairs, rng.random(len(pairs)).tolist(), strict=True)
                if chance < share
            ]
            weights = rng.integers(1, 6, size=(things,)).tolist()
            load = int(rng.integers(max(weights), 2 * max(weights) + 1))
            puzzle = cls({"weights": weights, "foes": foes, "seats": knobs["seats"], "load": load})
            way = puzzle.way()
            if way and way[puzzle.start()][0] >= knobs["moves"] - tries // 200:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "weights", "foes", "seats", "load")
        self._weights = fields.wholes(data, "weights", 1, 99, least=2, most=8)
        things = len(self._weights)
        self._foes = [(u, v) for u, v in fields.edges(data, "foes", things)]
        self._seats = fields.whole(data, "seats", 1, 8)
        self._load = fields.whole(data, "load", 1, 999)
        self.names = _THINGS[:things]
        self._all = (1 << things) - 1
        pairs = [1 << u | 1 << v for u, v in self._foes]
        self._quiet = [all(bank & pair != pair for pair in pairs) for bank in range(self._all + 1)]
        self._cargos = []
        for cargo in range(self._all + 1):
            on = [i for i in range(things) if cargo >> i & 1]
            if len(on) <= self._seats and sum(self._weights[i] for i in on) <= self._load:
                self._cargos.append((cargo, self._named([self.names[i] for i in on])))
        self._cargos.sort(key=lambda cargo: (cargo[0].bit_count(), cargo[0]))

    @staticmethod
    def _named(on: list[str]) -> str:
        return f"cross with {' and '.join(on)}" if on else "cross alone"

    def canonical(self) -> Any:
        """Pairs in order."""
        return [list(self._weights), sorted(sorted(foes) for foes in self._foes), self._seats, self._load]

    def rules(self) -> str:
        things = ", ".join(f"{name} (weight {w})" for name, w in zip(self.names, self._weights, strict=True))
        foes = "; ".join(f"{self.names[u]} and {self.names[v]}" for u, v in self._foes) or "none"
        return (
            f"River crossing: you and these things are on the left bank: {things}. The boat holds you and at most "
            f"{self._seats} things of total weight at most {self._load}; only you can row. If one of these pairs is on "
            f"a bank without you, whoever else is there, all is lost: {foes}. Bring everything and "
            "yourself to the right bank. A move is 'cross alone', or 'cross with' and the things, such as "
            "'cross with goat and wolf'."
        )

    def start(self) -> Position:
        return (0, 0)

    def goal(self, state: Position) -> bool:
        return state == (1, self._all)

    def named(self, move: str) -> str:
        words = [w for w in move.replace(",", " ").split() if w not in ("cross", "with", "and", "the", "take", "row")]
        if words in (["alone"], ["back"], ["nothing"]):
            return "cross alone"
        if words and set(words) <= set(self.names) and len(set(words)) == len(words):
            return self._named([name for name in self.names if name in words])
        return move

    def refusal(self, state: Position, move: str) -> str:
        if not move.startswith("cross "):
            return f"A move is 'cross alone' or 'cross with' some of: {', '.join(self.names)}."
        on = [name for name in self.names if name in move.split()]
        here = state[1] if state[0] else self._all ^ state[1]
        away = next((name for name in on if not here >> self.names.index(name) & 1), None)
        if away:
            return f"The {away} is on the other bank."
        if len(on) > self._seats:
            return f"The boat holds at most {self._seats} things."
        if sum(self._weights[self.names.index(name)] for name in on) > self._load:
            return f"The boat carries a weight of at most {self._load}."
        return "That cannot be done."

    def lost(self, state: Position) -> str | None:
        alone = self._all ^ state[1] if state[0] else state[1]
        pair = next(((u, v) for u, v in self._foes if alone >> u & alone >> v & 1), None)
        return f"The {self.names[pair[0]]} and the {self.names[pair[1]]} were left alone." if pair else None

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        bank, right = state
        here = right if bank else self._all ^ right
        if not self._quiet[self._all ^ here]:
            return []
        return [(name, (1 - bank, right ^ cargo)) for cargo, name in self._cargos if cargo & here == cargo]

    def view(self, state: Position) -> str:
        banks = [", ".join(n for i, n in enumerate(self.names) if state[1] >> i & 1 == side) or "-" for side in (0, 1)]
        return f"Left bank: {banks[0]}\nRight bank: {banks[1]}\nThe boat and you: {('left', 'right')[state[0]]}"
