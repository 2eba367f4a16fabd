"""Hamiltonian paths."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.graphs import GraphPuzzle
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["HamiltonianPath"]


class HamiltonianPath(GraphPuzzle):
    """Find a path that visits every node of a graph exactly once; any such path is right."""

    family = "hamiltonian_path"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(8, 18, "nodes", 4, 20),
        "degree": Knob(3.0, 3.2, "edges a node has, on average", 2.0, 8.0),
    }
    hardness_of = "nodes of a search that goes on from the ends of every path, to the first solution"
    floor: ClassVar[float] = 0.01
    most_nodes = 20

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes = knobs["nodes"]
        order = rng.permutation(nodes).tolist()
        chosen = {(min(pair), max(pair)) for pair in itertools.pairwise(order)}
        wanted = min(round(knobs["degree"] * nodes / 2), nodes * (nodes - 1) // 2)
        while len(chosen) < wanted:
            u, v = sorted(rng.integers(nodes, size=2).tolist())
            if u != v:
                chosen.add((u, v))
        return cls({"nodes": nodes, "edges": [list(edge) for edge in sorted(chosen)]})

    def prove(self) -> None:
        if not self.found[0]:
            raise BadInput("this graph has no path through all its nodes")

    @functools.cached_property
    def found(self) -> tuple[list[int], int]:
        """A path (empty without one), and the nodes of the search; visited sets that failed are not tried again."""
        everything = (1 << self.nodes) - 1
        failed: set[tuple[int, int]] = set()
        visited = 0

        def search(v: int, seen: int, path: list[int]) -> bool:
            nonlocal visited
            visited += 1
            if seen == everything:
                return True
            if (v, seen) in failed:
                return False
            ahead = [u for u in range(self.nodes) if self.near[v] >> u & 1 and not seen >> u & 1]
            for u in sorted(ahead, key=lambda u: (self.near[u] & ~seen).bit_count()):
                path.append(u)
                if search(u, seen | 1 << u, path):
                    return True
                path.pop()
            failed.add((v, seen))
            return False

        for start in range(self.nodes):
            path = [start]
            if search(start, 1 << start, path):
                return path, visited
        return [], visited

    def task(self) -> str:
        return (
            "Find a path along edges that visits every node exactly once; it may start and end anywhere.\n"
            "End with a line 'Answer: ' and the nodes in order, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        path = answers.wholes(answer.replace("->", " ").replace("→", " "), count=self.nodes)
        if sorted(path) != list(range(self.nodes)):
            return Verdict.wrong("it does not visit every node exactly once")
        for u, v in itertools.pairwise(path):
            if not self.near[u] >> v & 1:
                return Verdict.wrong(f"there is no edge {u}-{v}")
        return Verdict.right()

    def solution(self) -> str:
        return " ".join(map(str, self.found[0]))

    def hardness(self) -> float:
        return float(self.found[1])

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + "0 " * self.nodes, f"Answer: {self.nodes}")
