"""Minimum spanning trees, and Steiner trees that join only some of the nodes."""

from __future__ import annotations

import functools
from abc import abstractmethod
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

__all__ = ["SpanningTree", "SteinerTree"]

Pair = tuple[int, int]


class _Joining(Puzzle):
    """Edges of the least total length that join some nodes."""

    def read(self, data: Mapping[str, Any]) -> None:
        self.nodes = fields.whole(data, "nodes", 2, 60)
        self.edges = fields.edges(data, "edges", self.nodes, weighted=True)
        self.weights: dict[Pair, int] = {(min(u, v), max(u, v)): w for u, v, w in self.edges}

    @property
    @abstractmethod
    def joined(self) -> Sequence[int]:
        """The nodes to join."""

    @property
    @abstractmethod
    def best(self) -> tuple[int, list[Pair]]:
        """The least length, and edges that have it."""

    def graph(self) -> str:
        """The graph in words."""
        return (
            f"An undirected graph has the nodes 0 to {self.nodes - 1} and these edges, with lengths in parentheses:\n"
            f"{listed(self.edges)}\n"
        )

    def judge(self, answer: str) -> Verdict:
        chosen = set(read_edges(answer))
        missing = next((edge for edge in sorted(chosen) if edge not in self.weights), None)
        if missing:
            return Verdict.wrong(f"there is no edge {missing[0]}-{missing[1]}")
        parts = _Parts(self.nodes)
        for u, v in chosen:
            parts.join(u, v)
        roots = {parts.root(node) for node in self.joined}
        if len(roots) > 1:
            return Verdict.wrong("the chosen edges do not join all the nodes")
        length, best = sum(self.weights[edge] for edge in chosen), self.best[0]
        if length > best:
            return Verdict.wrong(f"the length is {length}, and {best} is possible", optimal=best / length)
        return Verdict.right(f"length {length}", optimal=1.0)

    def solution(self) -> str:
        return ", ".join(f"{u}-{v}" for u, v in self.best[1])

    def cheats(self) -> Sequence[str]:
        u, v = self.best[1][0]
        return (f"Answer: {listed([e[:2] for e in self.edges])}", f"Answer: {u}-{v}")

    def svg(self) -> str:
        return drawn(self.nodes, self.edges)


def _weighted(rng: np.random.Generator, nodes: int, degree: float, heaviest: int) -> list[list[int]]:
    pairs = random_edges(rng, nodes, round(degree * nodes / 2))
    return [[*e, w] for e, w in zip(pairs, rng.integers(1, heaviest + 1, size=len(pairs)).tolist(), strict=True)]


class SpanningTree(_Joining):
    """Find a minimum spanning tree; any tree of that length is right. The length is Kruskal's."""

    family = "spanning_tree"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(6, 18, "nodes", 3, 50),
        "degree": Knob(3.0, 4.5, "edges a node has, on average", 2.0, 8.0),
        "heaviest": Knob(12, 60, "largest length", 1, 1000),
    }
    hardness_of = "edges that Kruskal's algorithm looks at"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        edges = _weighted(rng, knobs["nodes"], max(knobs["degree"], 2.2), knobs["heaviest"])
        return cls({"nodes": knobs["nodes"], "edges": edges})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "edges")
        super().read(data)

    def prove(self) -> None:
        if len(self.best[1]) < self.nodes - 1:
            raise BadInput("this graph is not connected")

    def canonical(self) -> Any:
        return [self.nodes, sorted([u, v, w] for (u, v), w in self.weights.items())]

    @property
    def joined(self) -> Sequence[int]:
        return range(self.nodes)

    @functools.cached_property
    def _kruskal(self) -> tuple[int, list[Pair], int]:
        return _least(self.nodes, self.weights)

    @property
    def best(self) -> tuple[int, list[Pair]]:
        return self._kruskal[:2]

    def question(self) -> str:
        return (
            f"{self.graph()}Choose edges that connect all nodes with the smallest possible total length.\n"
            "End with a line 'Answer: ' and the chosen edges, as in '0-1, 2-3'."
        )

    def hardness(self) -> float:
        return float(self._kruskal[2])


class SteinerTree(_Joining):
    """Connect some nodes of a graph with the least total length; other nodes may lie on the way.

    Source:
        Dreyfus and Wagner 1971: dynamic programming over the subsets of the terminals.
    """

    family = "steiner_tree"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(7, 15, "nodes", 4, 30),
        "terminals": Knob(3, 5, "nodes to join", 3, 7),
        "degree": Knob(2.8, 3.2, "edges a node has, on average", 2.0, 6.0),
        "heaviest": Knob(9, 20, "largest length", 1, 1000),
    }
    hardness_of = "sets of terminals times nodes, and the edges of the tree"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            edges = _weighted(rng, knobs["nodes"], knobs["degree"], knobs["heaviest"])
            terminals = sorted(rng.permutation(knobs["nodes"])[: min(knobs["terminals"], knobs["nodes"] - 1)].tolist())
            puzzle = cls({"nodes": knobs["nodes"], "edges": edges, "terminals": terminals})
            if len(puzzle.best[1]) >= len(terminals):  # some other node helps
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "edges", "terminals")
        super().read(data)
        self.terminals = fields.wholes(data, "terminals", 0, self.nodes - 1, least=2, most=8)
        if len(set(self.terminals)) < len(self.terminals):
            raise BadInput(f"'terminals' holds a node twice: {list(self.terminals)}")

    def prove(self) -> None:
        if not self.best[1]:
            raise BadInput("the terminals are not connected")

    def canonical(self) -> Any:
        return [self.nodes, sorted([u, v, w] for (u, v), w in self.weights.items()), sorted(self.terminals)]

    @property
    def joined(self) -> Sequence[int]:
        return self.terminals

    def question(self) -> str:
        return (
            f"{self.graph()}Choose edges that connect the nodes {', '.join(map(str, self.terminals))} with each "
            "other, with the smallest possible total length; they may lead through other nodes.\n"
            "End with a line 'Answer: ' and the chosen edges, as in '0-1, 2-3'."
        )

    @functools.cached_property
    def best(self) -> tuple[int, list[Pair]]:
        far = 10**12
        n, (*others, last) = self.nodes, self.terminals
        near: list[list[tuple[int, int]]] = [[] for _ in range(n)]
        for (u, v), w in self.weights.items():
            near[u].append((v, w))
            near[v].append((u, w))
        length = [[far] * n for _ in range(1 << len(others))]
        came: list[list[tuple[int, int] | None]] = [[None] * n for _ in range(1 << len(others))]
        for i, t in enumerate(others):
            length[1 << i][t] = 0
        for some in range(1, 1 << len(others)):
            row, back = length[some], came[some]
            part = (some - 1) & some
            while part:
                one, two = length[part], length[some ^ part]
                if part < some ^ part:
                    for v in range(n):
                        if one[v] + two[v] < row[v]:
                            row[v], back[v] = one[v] + two[v], (-1, part)
                part = (part - 1) & some
            open_ = set(range(n))
            while open_:  # Dijkstra's algorithm from all nodes at once
                u = min(open_, key=lambda v: (row[v], v))
                open_.discard(u)
                for v, w in near[u]:
                    if row[u] + w < row[v]:
                        row[v], back[v] = row[u] + w, (u, some)
        if length[-1][last] >= far:
            return 0, []
        edges: set[Pair] = set()
        stack = [(len(length) - 1, last)]
        while stack:
            some, v = stack.pop()
            step = came[some][v]
            if step is None:
                continue
            u, part = step
            if u < 0:
                stack += [(part, v), (some ^ part, v)]
            else:
                edges.add((min(u, v), max(u, v)))
                stack.append((some, u))
        return length[-1][last], sorted(edges)

    def hardness(self) -> float:
        return float((1 << len(self.terminals)) * self.nodes + len(self.best[1]))


class _Parts:
    """Disjoint sets."""

    def __init__(self, nodes: int) -> None:
        self._up = list(range(nodes))

    def root(self, v: int) -> int:
        while self._up[v] != v:
            self._up[v] = self._up[self._up[v]]
            v = self._up[v]
        return v

    def join(self, u: int, v: int) -> bool:
        u, v = self.root(u), self.root(v)
        self._up[u] = v
        return u != v


def _least(nodes: int, weights: Mapping[Pair, int]) -> tuple[int, list[Pair], int]:
    """Kruskal's algorithm: the length, the edges, and how many edges it looked at."""
    parts, chosen, looked = _Parts(nodes), [], 0
    for edge in sorted(weights, key=lambda e: (weights[e], e)):
        looked += 1
        if parts.join(*edge):
            chosen.append(edge)
            if len(chosen) == nodes - 1:
                break
    return sum(weights[e] for e in chosen), sorted(chosen), looked
