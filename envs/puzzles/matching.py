"""Matchings of the greatest weight in general graphs."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.graphs import drawn, listed, random_edges, read_edges
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Matching"]


class Matching(Puzzle):
    """Choose edges without common nodes of the greatest total weight; any such choice is right.

    The optimum is found by dynamic programming over the sets of nodes that are left.
    """

    family = "matching"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(6, 14, "nodes", 4, 16),
        "degree": Knob(2.5, 3.5, "edges a node has, on average", 1.5, 6.0),
        "heaviest": Knob(9, 30, "largest weight", 1, 1000),
    }
    hardness_of = "sets of nodes that the dynamic program meets"
    floor: ClassVar[float] = 0.03

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes = knobs["nodes"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            pairs = random_edges(rng, nodes, round(knobs["degree"] * nodes / 2))
            weights = rng.integers(1, knobs["heaviest"] + 1, size=len(pairs)).tolist()
            puzzle = cls({"nodes": nodes, "edges": [[*e, w] for e, w in zip(pairs, weights, strict=True)]})
            if len(puzzle.best[1]) > 1:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "edges")
        self.nodes = fields.whole(data, "nodes", 2, 18)
        self.edges = fields.edges(data, "edges", self.nodes, weighted=True)
        if not self.edges:
            raise BadInput("a graph without edges has nothing to choose from")
        self._weights = {(min(u, v), max(u, v)): w for u, v, w in self.edges}

    @functools.cached_property
    def best(self) -> tuple[int, list[tuple[int, int]], int]:
        """The greatest weight, a matching that has it, and the number of sets met."""
        ahead: list[list[tuple[int, int]]] = [[] for _ in range(self.nodes)]
        for (u, v), w in self._weights.items():
            ahead[u].append((v, w))
        known: dict[int, tuple[int, tuple[int, int] | None]] = {0: (0, None)}

        def value(free: int) -> int:
            if free not in known:
                low = free & -free
                u = low.bit_length() - 1
                found, choice = value(free ^ low), None
                for v, w in ahead[u]:
                    if free >> v & 1:
                        other = w + value(free ^ low ^ 1 << v)
                        if other > found:
                            found, choice = other, (u, v)
                known[free] = (found, choice)
            return known[free][0]

        free, chosen = (1 << self.nodes) - 1, []
        best = value(free)
        while free:
            pair = known[free][1]
            low = free & -free
            free ^= low
            if pair:
                chosen.append(pair)
                free ^= 1 << pair[1]
        return best, chosen, len(known)

    def canonical(self) -> Any:
        return [self.nodes, sorted([u, v, w] for (u, v), w in self._weights.items())]

    def question(self) -> str:
        return (
            f"An undirected graph has the nodes 0 to {self.nodes - 1} and these edges, with weights in parentheses:\n"
            f"{listed(self.edges)}\nChoose edges so that no node belongs to two of them and their total weight is as "
            "large as possible.\nEnd with a line 'Answer: ' and the chosen edges, as in '0-1, 2-3'."
        )

    def judge(self, answer: str) -> Verdict:
        chosen = read_edges(answer)
        ends = [node for edge in chosen for node in edge]
        for edge in chosen:
            if edge not in self._weights:
                return Verdict.wrong(f"there is no edge {edge[0]}-{edge[1]}")
        if len(set(ends)) < len(ends):
            return Verdict.wrong("a node belongs to two chosen edges")
        weight, best = sum(self._weights[edge] for edge in chosen), self.best[0]
        if weight < best:
            return Verdict.wrong(f"its weight is {weight}, and {best} is possible", optimal=weight / best)
        return Verdict.right(f"weight {weight}", optimal=1.0)

    def solution(self) -> str:
        return ", ".join(f"{u}-{v}" for u, v in self.best[1])

    def hardness(self) -> float:
        return float(self.best[2])

    def cheats(self) -> Sequence[str]:
        u, v = self.best[1][0]
        return (f"Answer: {listed([e[:2] for e in self.edges])}", f"Answer: {f'{u}-{v}, ' * 20}")

    def svg(self) -> str:
        return drawn(self.nodes, self.edges)
