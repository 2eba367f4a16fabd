"""Shortest path in a weighted graph."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["ShortestPath"]


class ShortestPath(Puzzle):
    """Find a shortest path between two nodes of a weighted graph; any path of that length is right.

    The optimum is Dijkstra's; ends joined by an edge that is shortest are not asked.
    """

    family = "shortest_path"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(6, 18, "nodes", 3, 40),
        "degree": Knob(2.5, 3.5, "edges a node, on average", 1.5, 6.0),
        "heaviest": Knob(5, 30, "largest weight", 1, 1000),
    }
    hardness_of = "nodes that Dijkstra's algorithm settles before the goal"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes, heaviest = knobs["nodes"], knobs["heaviest"]
        while True:
            order = rng.permutation(nodes).tolist()
            pairs = {
                tuple(sorted((order[i], order[int(rng.integers(i))]))) for i in range(1, nodes)
            }  # a tree joins all
            wanted = min(round(knobs["degree"] * nodes / 2), nodes * (nodes - 1) // 2)
            while len(pairs) < wanted:
                u, v = sorted(rng.choice(nodes, size=2, replace=False).tolist())
                pairs.add((u, v))
            edges = [[u, v, int(rng.integers(1, heaviest + 1))] for u, v in sorted(pairs)]
            source, target = rng.choice(nodes, size=2, replace=False).tolist()
            puzzle = cls({"nodes": nodes, "edges": edges, "source": source, "target": target})
            if len(puzzle.path) > 2:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "edges", "source", "target")
        self.nodes = fields.whole(data, "nodes", 2, 100)
        self.edges = fields.edges(data, "edges", self.nodes, weighted=True)
        self.source = fields.whole(data, "source", 0, self.nodes - 1)
        self.target = fields.whole(data, "target", 0, self.nodes - 1)
        if self.source == self.target:
            raise BadInput(f"'source' and 'target' differ, found {self.source} twice")
        self._weights = {(u, v): w for u, v, w in self.edges} | {(v, u): w for u, v, w in self.edges}
        self.length, self.path, self._settled = self._dijkstra()

    def prove(self) -> None:
        if not self.path:
            raise BadInput(f"no path leads from {self.source} to {self.target}")

    def canonical(self) -> Any:
        """Edges in order, and ends in order: the graph is undirected."""
        edges = sorted([min(u, v), max(u, v), w] for u, v, w in self.edges)
        return [self.nodes, edges, sorted((self.source, self.target))]

    def question(self) -> str:
        edges = ", ".join(f"{u}-{v} ({w})" for u, v, w in self.edges)
        return (
            f"An undirected graph has the nodes 0 to {self.nodes - 1} and these edges, with lengths in parentheses:\n"
            f"{edges}\nFind a shortest path from {self.source} to {self.target}.\n"
            "End with a line 'Answer: ' and the nodes on the path in order, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        path = answers.wholes(answer.replace("->", " ").replace("→", " "), most=2 * self.nodes)
        if not path or path[0] != self.source or path[-1] != self.target:
            return Verdict.wrong(f"the path has to lead from {self.source} to {self.target}")
        length = 0
        for u, v in pairwise(path):
            if (u, v) not in self._weights:
                return Verdict.wrong(f"there is no edge {u}-{v}")
            length += self._weights[u, v]
        if length > self.length:
            return Verdict.wrong(f"its length is {length}, and {self.length} is possible", optimal=self.length / length)
        return Verdict.right(f"length {length}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.path))

    def hardness(self) -> float:
        return float(self._settled)

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.source} {self.target}", f"Answer: {self.source}", f"Answer: {self.target}")

    def _dijkstra(self) -> tuple[int, list[int], int]:
        near: dict[int, list[tuple[int, int]]] = {}
        for (u, v), w in self._weights.items():
            near.setdefault(u, []).append((v, w))
        heap, came, settled = [(0, self.source, -1)], {}, 0
        while heap:
            length, node, before = heapq.heappop(heap)
            if node in came:
                continue
            came[node] = before
            settled += 1
            if node == self.target:
                path = [node]
                while came[path[-1]] >= 0:
                    path.append(came[path[-1]])
                return length, path[::-1], settled
            for v, w in near.get(node, ()):
                if v not in came:
                    heapq.heappush(heap, (length + w, v, node))
        return 0, [], settled
