"""Water jugs: measure an amount by filling, emptying and pouring."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import StateGraph
from proofgym.errors import BadInput

__all__ = ["WaterJugs"]

_POUR = re.compile(r"pour (?:from )?(?:jug )?([a-d]) (?:in)?to (?:jug )?([a-d])", re.ASCII)
_ONE = re.compile(r"(fill|empty) (?:jug )?([a-d])", re.ASCII)

Position = tuple[int, ...]
"""The litres in each jug."""


class WaterJugs(StateGraph[Position]):
    """Reach given amounts in jugs without marks; the distance is exact, by breadth-first search over all fillings."""

    family = "water_jugs"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "jugs": Knob(3, 3, "jugs", 2, 4),
        "largest": Knob(12, 24, "litres of the largest jug, at most", 5, 24),
        "moves": Knob(5, 11, "least number of moves", 2, 20),
    }
    hardness_of = "least number of moves"
    steps_floor = 0.2

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        tries = 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            capacities = sorted((rng.permutation(knobs["largest"] - 1)[: knobs["jugs"]] + 2).tolist())
            puzzle = cls({"capacities": capacities, "goal": [0] * len(capacities)})
            by_distance = _layers(puzzle)
            least = knobs["moves"] - tries // 50
            if len(by_distance) <= least:
                continue
            layer = by_distance[least]
            return cls({"capacities": capacities, "goal": list(layer[int(rng.integers(len(layer)))])})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "capacities", "goal")
        self.capacities = fields.wholes(data, "capacities", 1, 24, least=2, most=4)
        self._goal = fields.wholes(data, "goal", 0, 24, least=len(self.capacities), most=len(self.capacities))
        if any(wanted > most for wanted, most in zip(self._goal, self.capacities, strict=True)):
            raise BadInput(f"'goal' fits into the jugs, found {list(self._goal)} litres for {list(self.capacities)}")
        jugs = range(len(self.capacities))
        self._pairs = [(i, j, f"pour {'abcd'[i]} into {'abcd'[j]}") for i in jugs for j in jugs if i != j]

    def rules(self) -> str:
        jugs = ", ".join(f"{'ABCD'[i]} holds {c}" for i, c in enumerate(self.capacities))
        return (
            f"Water jugs without marks, all empty at first; in litres: {jugs}. A move is 'fill a' (to the brim), "
            "'empty a' (into the drain) or 'pour a into b' (until A is empty or B is full). "
            f"Reach exactly: {self.view(self._goal)}."
        )

    def start(self) -> Position:
        return (0,) * len(self.capacities)

    def goal(self, state: Position) -> bool:
        return state == self._goal

    def named(self, move: str) -> str:
        if found := _POUR.fullmatch(move):
            return f"pour {found[1]} into {found[2]}"
        found = _ONE.fullmatch(move)
        return f"{found[1]} {found[2]}" if found else move

    def refusal(self, state: Position, move: str) -> str:
        jugs = "abcd"[: len(self.capacities)]
        found = _POUR.fullmatch(move) or _ONE.fullmatch(move)
        if not found or any(len(word) == 1 and word not in jugs for word in found.groups()):
            return f"A move is 'fill a', 'empty a' or 'pour a into b', with the jugs {', '.join(jugs.upper())}."
        return "That would change nothing."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        found = []
        for i, (held, most) in enumerate(zip(state, self.capacities, strict=True)):
            if held < most:
                found.append((f"fill {'abcd'[i]}", (*state[:i], most, *state[i + 1 :])))
            if held:
                found.append((f"empty {'abcd'[i]}", (*state[:i], 0, *state[i + 1 :])))
        for i, j, name in self._pairs:
            flow = min(state[i], self.capacities[j] - state[j])
            if flow:
                after = list(state)
                after[i] -= flow
                after[j] += flow
                found.append((name, tuple(after)))
        return found

    def view(self, state: Position) -> str:
        return ", ".join(
            f"{'ABCD'[i]} {held}/{c}" for i, (held, c) in enumerate(zip(state, self.capacities, strict=True))
        )

    def svg(self) -> str:
        tallest = max(self.capacities)
        board = Board(tallest, 2 * len(self.capacities) - 1)
        for i, (most, wanted) in enumerate(zip(self.capacities, self._goal, strict=True)):
            for level in range(most):
                board.fill(tallest - 1 - level, 2 * i, "#7fb2e5" if level < wanted else "#e9eef4")
        return board.svg(ruled=False)


def _layers(puzzle: WaterJugs) -> list[list[Position]]:
    """All fillings by their distance from empty jugs."""
    seen = {puzzle.start()}
    found = [[puzzle.start()]]
    while found[-1]:
        layer = []
        for state in found[-1]:
            for _, after in puzzle.steps(state):
                if after not in seen:
                    seen.add(after)
                    layer.append(after)
        found.append(layer)
    return found[:-1]
