"""Euler trails."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.graphs import GraphPuzzle
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["EulerTrail"]


class EulerTrail(GraphPuzzle):
    """Walk along every edge of a graph exactly once; any such trail is right."""

    family = "euler_trail"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(6, 14, "nodes", 4, 30),
        "edges": Knob(8, 32, "edges", 4, 100),
    }
    hardness_of = "edges"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes = knobs["nodes"]
        wanted = min(max(knobs["edges"], nodes), nodes * (nodes - 1) // 2)
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            at = int(rng.integers(nodes))
            edges: set[tuple[int, int]] = set()
            seen = {at}
            while len(edges) < wanted:
                free = [v for v in range(nodes) if v != at and (min(at, v), max(at, v)) not in edges]
                if not free:
                    break
                new = [v for v in free if v not in seen]
                if nodes - len(seen) >= wanted - len(edges):  # every step has to find a new node
                    free = new
                after = free[int(rng.integers(len(free)))]
                edges.add((min(at, after), max(at, after)))
                at = after
                seen.add(at)
            names = rng.permutation(nodes).tolist()
            ends = sorted(sorted((names[u], names[v])) for u, v in edges)
            if len({node for edge in ends for node in edge}) == nodes and len(edges) >= 0.8 * wanted:
                return cls({"nodes": nodes, "edges": ends})

    def prove(self) -> None:
        odd = sum(near.bit_count() % 2 for near in self.near)
        if odd > 2 or len(self._trail()) != len(self.edges) + 1:
            raise BadInput("no walk goes along every edge of this graph exactly once")

    def task(self) -> str:
        return (
            f"Find a walk that goes along each of the {len(self.edges)} edges exactly once; nodes may be visited "
            "again.\n"
            "End with a line 'Answer: ' and the nodes in order, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        walk = answers.wholes(answer.replace("->", " ").replace("→", " "), count=len(self.edges) + 1)
        left = {(min(u, v), max(u, v)) for u, v in self.edges}
        for u, v in itertools.pairwise(walk):
            edge = (min(u, v), max(u, v))
            if edge not in left:
                return Verdict.wrong(f"{u}-{v} is no edge, or is walked twice")
            left.discard(edge)
        return Verdict.right()

    def solution(self) -> str:
        return " ".join(map(str, self._trail()))

    def hardness(self) -> float:
        return float(len(self.edges))

    def cheats(self) -> Sequence[str]:
        u, v = self.edges[0]
        return ("Answer: " + f"{u} {v} " * (len(self.edges) // 2 + 1), "Answer: 0")

    def _trail(self) -> list[int]:
        """Hierholzer's algorithm."""
        near = list(self.near)
        odd = [v for v, bits in enumerate(near) if bits.bit_count() % 2]
        stack, trail = [odd[0] if odd else self.edges[0][0]], []
        while stack:
            v = stack[-1]
            if near[v]:
                u = (near[v] & -near[v]).bit_length() - 1
                near[v] ^= 1 << u
                near[u] ^= 1 << v
                stack.append(u)
            else:
                trail.append(stack.pop())
        return trail
