"""Isomorphism of graphs: a mapping that carries one onto the other."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.graphs import drawn, listed, masks
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Isomorphism"]


class Isomorphism(Puzzle):
    """Find a mapping of the nodes of one graph to those of another that keeps all edges; any such mapping is right.

    The graphs are nearly regular, so that degrees alone say little.
    """

    family = "isomorphism"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(6, 14, "nodes of each graph", 4, 24),
        "degree": Knob(2.6, 3.4, "edges a node has, on average", 2.0, 6.0),
    }
    hardness_of = "nodes of a search that maps one node after the other"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["nodes"]
        wanted = min(round(knobs["degree"] * n / 2), n * (n - 1) // 2 - 1)
        most = 2 * wanted // n + 1  # nobody has many more neighbours than an even share
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            edges: set[tuple[int, int]] = set()
            degree = [0] * n
            for _ in range(20 * wanted):
                u, v = sorted(rng.integers(n, size=2).tolist())
                if u != v and (u, v) not in edges and max(degree[u], degree[v]) < most:
                    edges.add((u, v))
                    degree[u] += 1
                    degree[v] += 1
                if len(edges) == wanted:
                    break
            names = rng.permutation(n).tolist()
            other = sorted(sorted((names[u], names[v])) for u, v in edges)
            if len(edges) == wanted and min(degree) > 0 and other != sorted(map(list, edges)):
                return cls({"nodes": n, "first": [list(e) for e in sorted(edges)], "second": other})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "first", "second")
        self.nodes = fields.whole(data, "nodes", 2, 24)
        self.first = fields.edges(data, "first", self.nodes)
        self.second = fields.edges(data, "second", self.nodes)
        self._edges = {(min(u, v), max(u, v)) for u, v in self.second}
        if len(self.first) != len(self.second):
            raise BadInput(f"'first' has {len(self.first)} edges and 'second' {len(self.second)}: no mapping exists")

    def prove(self) -> None:
        if not self.found[0]:
            raise BadInput("the graphs are not isomorphic")

    @functools.cached_property
    def found(self) -> tuple[list[int], int]:
        """A mapping (empty without one), and the nodes of the search."""
        one, two = masks(self.nodes, self.first), masks(self.nodes, self.second)
        order: list[int] = []
        seen = 0
        while len(order) < self.nodes:  # nodes with many mapped neighbours first
            v = max((v for v in range(self.nodes) if not seen >> v & 1),
                    key=lambda v: ((one[v] & seen).bit_count(), one[v].bit_count(), -v))  # fmt: skip
            order.append(v)
            seen |= 1 << v
        image = [-1] * self.nodes
        visited = 0

        def search(i: int, used: int) -> bool:
            nonlocal visited
            visited += 1
            if i == self.nodes:
                return True
            v = order[i]
            for w in range(self.nodes):
                if used >> w & 1 or one[v].bit_count() != two[w].bit_count():
                    continue
                if all((one[v] >> u & 1) == (two[w] >> image[u] & 1) for u in order[:i]):
                    image[v] = w
                    if search(i + 1, used | 1 << w):
                        return True
            image[v] = -1
            return False

        return (image if search(0, 0) else []), visited

    def canonical(self) -> Any:
        return [self.nodes, *(sorted([min(u, v), max(u, v)] for u, v in edges) for edges in (self.first, self.second))]

    def question(self) -> str:
        return (
            f"Two undirected graphs have the nodes 0 to {self.nodes - 1}. The edges of the first "
            f"are\n{listed(self.first)}\n"
            f"and those of the second are\n{listed(self.second)}\nThey are the same graph with other node numbers. "
            "Find, for each node of the first, the node of the second that it becomes.\n"
            "End with a line 'Answer: ' and those nodes in the order of the first graph's nodes, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        image = answers.wholes(answer, count=self.nodes)
        if sorted(image) != list(range(self.nodes)):
            return Verdict.wrong("it does not use every node of the second graph exactly once")
        for u, v in self.first:
            if (min(image[u], image[v]), max(image[u], image[v])) not in self._edges:
                return Verdict.wrong(f"{u}-{v} becomes {image[u]}-{image[v]}, which is no edge")
        return Verdict.right()

    def solution(self) -> str:
        return " ".join(map(str, self.found[0]))

    def hardness(self) -> float:
        return float(self.found[1])

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + " ".join(map(str, range(self.nodes))), "Answer: " + "0 " * self.nodes)

    def svg(self) -> str:
        return drawn(self.nodes, self.first)
