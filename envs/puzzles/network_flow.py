"""Maximum flows and minimum cuts of networks."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.graphs import drawn, listed, node_set
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["MaxFlow", "MinCut"]


class _Network(Puzzle):
    """A directed network with capacities, a source 0 and a sink, the last node."""

    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(6, 14, "nodes", 5, 30),
        "degree": Knob(2.0, 2.6, "edges a node has, on average", 1.5, 5.0),
        "capacity": Knob(9, 30, "largest capacity", 2, 1000),
    }
    hardness_of = "augmenting paths of the Edmonds-Karp algorithm, each counted by its edges"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes = knobs["nodes"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            pairs: set[tuple[int, int]] = set()
            for v in range(1, nodes):
                pairs.add((int(rng.integers(v)), v))
            wanted = min(round(knobs["degree"] * nodes), (nodes - 2) * (nodes + 1) // 2 + 1)
            while len(pairs) < wanted:
                u, v = int(rng.integers(nodes - 1)), int(rng.integers(1, nodes))
                if u != v and (v, u) not in pairs:
                    pairs.add((u, v))
            names = [0, *(1 + rng.permutation(nodes - 2)).tolist(), nodes - 1]
            pairs = {(names[u], names[v]) for u, v in pairs}
            edges = [[u, v, int(rng.integers(1, knobs["capacity"] + 1))] for u, v in sorted(pairs)]
            puzzle = cls({"nodes": nodes, "edges": edges})
            value, side = puzzle.best[0], puzzle.best[2]
            around = [sum(w for u, v, w in edges if end in (u, v)) for end in (0, nodes - 1)]
            if value and 1 < len(side) < nodes - 1 and value < min(around):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "edges")
        self.nodes = fields.whole(data, "nodes", 2, 40)
        self.edges = fields.edges(data, "edges", self.nodes, weighted=True, directed=True, most=400)
        if not self.edges:
            raise BadInput("a network has at least one edge")

    @functools.cached_property
    def best(self) -> tuple[int, list[int], list[int], int]:
        """The value of a maximum flow, its flow in each edge, the source's side of a minimum cut, and the work."""
        left = [w for *_, w in self.edges] + [0] * len(self.edges)
        out: list[list[tuple[int, int]]] = [[] for _ in range(self.nodes)]
        for i, (u, v, _) in enumerate(self.edges):
            out[u].append((v, i))
            out[v].append((u, i + len(self.edges)))
        value = work = 0
        while True:
            came: dict[int, tuple[int, int]] = {0: (-1, -1)}
            queue = deque([0])
            while queue and self.nodes - 1 not in came:
                u = queue.popleft()
                for v, i in out[u]:
                    if left[i] and v not in came:
                        came[v] = (u, i)
                        queue.append(v)
            if self.nodes - 1 not in came:
                break
            path, v = [], self.nodes - 1
            while v:
                v, i = came[v]
                path.append(i)
            more = min(left[i] for i in path)
            for i in path:
                left[i] -= more
                left[(i + len(self.edges)) % len(left)] += more
            value += more
            work += len(path)
        return value, left[len(self.edges) :], sorted(came), work

    def canonical(self) -> Any:
        return [self.nodes, sorted(map(list, self.edges))]

    def network(self) -> str:
        """The network in words."""
        return (
            f"A network has the nodes 0 to {self.nodes - 1} and these directed edges, with capacities in parentheses:\n"
            f"{listed(self.edges, '->')}\nThe source is 0, the sink is {self.nodes - 1}.\n"
        )

    def hardness(self) -> float:
        return float(self.best[3])

    def svg(self) -> str:
        return drawn(self.nodes, self.edges)


class MaxFlow(_Network):
    """Find a maximum flow of a network; any flow of that value is right. A minimum cut proves the value."""

    family = "max_flow"

    def question(self) -> str:
        return (
            f"{self.network()}Find a maximum flow from the source to the sink: in every other node as much arrives "
            "as leaves, and no edge carries more than its capacity.\nEnd with a line 'Answer: ' and the flow in each "
            "edge, in the order in which the edges are listed, as whole numbers separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        flows = answers.wholes(answer, count=len(self.edges))
        balance = [0] * self.nodes
        for (u, v, capacity), flow in zip(self.edges, flows, strict=True):
            if not 0 <= flow <= capacity:
                return Verdict.wrong(f"{u}->{v} carries from 0 to {capacity}, found {flow}")
            balance[u] -= flow
            balance[v] += flow
        for node in range(1, self.nodes - 1):
            if balance[node]:
                return Verdict.wrong(f"in node {node}, arrivals less departures are {balance[node]}")
        value, best = balance[-1], self.best[0]
        if value < best:
            return Verdict.wrong(f"its value is {value}, and {best} is possible", optimal=max(0, value) / best)
        return Verdict.right(f"value {value}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best[1]))

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + "0 " * len(self.edges), "Answer: " + " ".join(str(w) for *_, w in self.edges))

    def prove(self) -> None:
        if not self.best[0]:
            raise BadInput("nothing can flow from the source to the sink")


class MinCut(_Network):
    """Find a minimum cut of a network; any cut of that capacity is right. A maximum flow proves the capacity."""

    family = "min_cut"
    floor: ClassVar[float] = 0.08

    def question(self) -> str:
        return (
            f"{self.network()}Find a minimum cut: a set of nodes that holds the source and not the sink, so that the "
            "edges that lead out of the set have the smallest possible total capacity.\n"
            "End with a line 'Answer: ' and the nodes of the set, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        side = set(node_set(answer, self.nodes))
        if 0 not in side or self.nodes - 1 in side:
            return Verdict.wrong("the set has to hold the source and not the sink")
        capacity, best = sum(w for u, v, w in self.edges if u in side and v not in side), self.best[0]
        if capacity > best:
            return Verdict.wrong(f"its capacity is {capacity}, and {best} is possible", optimal=best / capacity)
        return Verdict.right(f"capacity {capacity}", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best[2]))

    def cheats(self) -> Sequence[str]:
        return ("Answer: 0", "Answer: " + " ".join(map(str, range(self.nodes - 1))), "Answer: " + "0 " * self.nodes)

    def prove(self) -> None:
        if not self.best[0]:
            raise BadInput("source and sink are not connected: there is nothing to cut")
