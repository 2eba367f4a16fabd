"""Largest cliques and independent sets, smallest vertex covers and dominating sets, each with a proven optimum."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.graphs import GraphPuzzle, node_set, random_edges
from proofgym.verifiers import Verdict

__all__ = ["Clique", "DominatingSet", "IndependentSet", "VertexCover"]


class _VertexSet(GraphPuzzle):
    """A set of nodes with a property and the best possible size."""

    hardness_of = "nodes of the exact search"
    largest: ClassVar[bool]
    noun: ClassVar[str]
    meaning: ClassVar[str]

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes = knobs["nodes"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            edges = random_edges(rng, nodes, round(knobs["density"] * nodes * (nodes - 1) / 2))
            puzzle = cls({"nodes": nodes, "edges": edges})
            if 2 <= len(puzzle.best) < nodes - 1:
                return puzzle

    @functools.cached_property
    def _searched(self) -> tuple[int, int]:
        return self.search()

    @functools.cached_property
    def best(self) -> list[int]:
        """One of the best sets."""
        return _members(self._searched[0])

    @abstractmethod
    def search(self) -> tuple[int, int]:
        """A best set as bits, and the nodes of the search that proves it."""

    @abstractmethod
    def fault(self, chosen: int) -> str | None:
        """Why a set has not the property."""

    def task(self) -> str:
        size = "largest" if self.largest else "smallest"
        return (
            f"Find a {size} {self.noun}: {self.meaning}.\n"
            "End with a line 'Answer: ' and the nodes of the set, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        said = node_set(answer, self.nodes)
        fault = self.fault(sum(1 << node for node in said))
        if fault:
            return Verdict.wrong(fault)
        best = len(self.best)
        optimal = min(best, len(said)) / max(best, len(said), 1)
        if len(said) != best:
            return Verdict.wrong(f"it has {len(said)} nodes, and {best} are possible", optimal=optimal)
        return Verdict.right(f"{best} nodes", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best))

    def hardness(self) -> float:
        return float(self._searched[1])

    def cheats(self) -> Sequence[str]:
        everything = " ".join(map(str, range(self.nodes)))
        return (
            f"Answer: {everything}",
            "Answer: 0",
            f"Answer: {' '.join(['0'] * len(self.best))}",
            f"Answer: {self.nodes}",
        )

    def _apart(self, chosen: int) -> str | None:
        for u in _members(chosen):
            if self.near[u] & chosen:
                return f"{u} and {_members(self.near[u] & chosen)[0]} are joined"
        return None


class Clique(_VertexSet):
    """Find a largest clique of a graph; any clique of that size is right."""

    family = "clique"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(8, 26, "nodes", 4, 30),
        "density": Knob(0.45, 0.65, "share of all possible edges", 0.1, 0.9),
    }
    largest = True
    noun = "clique"
    meaning = "a set of nodes that are all joined with each other"
    floor: ClassVar[float] = 0.03

    def search(self) -> tuple[int, int]:
        everything = (1 << self.nodes) - 1
        return _independent([everything & ~near & ~(1 << v) for v, near in enumerate(self.near)])

    def fault(self, chosen: int) -> str | None:
        for u in _members(chosen):
            apart = chosen & ~self.near[u] & ~(1 << u)
            if apart:
                return f"{u} and {_members(apart)[0]} are not joined"
        return None


class IndependentSet(_VertexSet):
    """Find a largest independent set of a graph; any independent set of that size is right."""

    family = "independent_set"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(8, 30, "nodes", 4, 32),
        "density": Knob(0.3, 0.3, "share of all possible edges", 0.1, 0.9),
    }
    largest = True
    noun = "independent set"
    meaning = "a set of nodes of which no two are joined"
    floor: ClassVar[float] = 0.04

    def search(self) -> tuple[int, int]:
        return _independent(self.near)

    def fault(self, chosen: int) -> str | None:
        return self._apart(chosen)


class VertexCover(_VertexSet):
    """Find a smallest vertex cover of a graph; any cover of that size is right."""

    family = "vertex_cover"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(8, 28, "nodes", 4, 32),
        "density": Knob(0.3, 0.25, "share of all possible edges", 0.1, 0.9),
    }
    largest = False
    noun = "vertex cover"
    meaning = "a set of nodes that holds at least one end of every edge"
    floor: ClassVar[float] = 0.04

    def search(self) -> tuple[int, int]:
        chosen, visited = _independent(self.near)
        return ((1 << self.nodes) - 1) & ~chosen, visited

    def fault(self, chosen: int) -> str | None:
        for u, v in self.edges:
            if not (chosen >> u & 1 or chosen >> v & 1):
                return f"neither end of {u}-{v} is in the set"
        return None


class DominatingSet(_VertexSet):
    """Find a smallest dominating set of a graph; any dominating set of that size is right."""

    family = "dominating_set"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(10, 28, "nodes", 4, 32),
        "density": Knob(0.2, 0.15, "share of all possible edges", 0.05, 0.9),
    }
    largest = False
    noun = "dominating set"
    meaning = "a set of nodes so that every other node is joined with at least one of them"
    floor: ClassVar[float] = 0.04

    def search(self) -> tuple[int, int]:
        everything = (1 << self.nodes) - 1
        reach = [near | 1 << v for v, near in enumerate(self.near)]
        visited = 0

        def cover(open_: int, chosen: int, left: int) -> int | None:
            nonlocal visited
            visited += 1
            if not open_:
                return chosen
            if not left or max((r & open_).bit_count() for r in reach) * left < open_.bit_count():
                return None
            hardest = min(_members(open_), key=lambda v: reach[v].bit_count())
            for v in _members(reach[hardest]):
                found = cover(open_ & ~reach[v], chosen | 1 << v, left - 1)
                if found is not None:
                    return found
            return None

        for size in range(1, self.nodes + 1):
            found = cover(everything, 0, size)
            if found is not None:
                return found, visited
        raise AssertionError("all nodes together dominate")

    def fault(self, chosen: int) -> str | None:
        for v, near in enumerate(self.near):
            if not (near | 1 << v) & chosen:
                return f"{v} is neither in the set nor joined with it"
        return None


def _members(bits: int) -> list[int]:
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


def _independent(near: Sequence[int]) -> tuple[int, int]:
    """A largest independent set as bits, and the nodes of the search: take the node of highest degree, or leave it."""
    best = visited = 0

    def search(free: int, chosen: int, size: int) -> None:
        nonlocal best, visited
        visited += 1
        if size + free.bit_count() <= best.bit_count():
            return
        pivot, degree = -1, -1
        rest = free
        while rest:
            low = rest & -rest
            v = low.bit_length() - 1
            d = (near[v] & free).bit_count()
            if d <= 1:  # some largest set holds it
                search(free & ~near[v] & ~low, chosen | low, size + 1)
                return
            if d > degree:
                pivot, degree = v, d
            rest ^= low
        if pivot < 0:
            best = chosen
            return
        search(free & ~near[pivot] & ~(1 << pivot), chosen | 1 << pivot, size + 1)
        search(free & ~(1 << pivot), chosen, size)

    search((1 << len(near)) - 1, 0, 0)
    return best, visited
