"""Graph colouring with as few colours as possible."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.graphs import GraphPuzzle, random_edges
from proofgym.verifiers import Verdict

__all__ = ["Colouring"]


class Colouring(GraphPuzzle):
    """Colour a graph with as few colours as possible; any proper colouring with that many is right.

    That one colour less is impossible is proved by an exact search (DSATUR, Brelaz 1979).
    """

    family = "colouring"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "nodes": Knob(7, 26, "nodes", 6, 32),
        "density": Knob(0.4, 0.35, "share of all possible edges", 0.3, 0.9),
    }
    hardness_of = "nodes of the exact search, for the colouring and for the proof that it is best"
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nodes = knobs["nodes"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            edges = random_edges(rng, nodes, round(knobs["density"] * nodes * (nodes - 1) / 2))
            puzzle = cls({"nodes": nodes, "edges": edges})
            if 3 <= max(puzzle.best[0]) < nodes:
                return puzzle

    @functools.cached_property
    def best(self) -> tuple[list[int], int]:
        """A colouring with the fewest colours, from 1, and the nodes of the search."""
        visited = 0
        for colours in range(1, self.nodes + 1):
            found, more = _colour(self.near, colours)
            visited += more
            if found:
                return found, visited
        raise AssertionError("as many colours as nodes are enough")

    def task(self) -> str:
        return (
            "Give each node a colour, numbered from 1, so that joined nodes have different colours and as few "
            "colours as possible are used.\nEnd with a line 'Answer: ' and the colours of the nodes from 0 to "
            f"{self.nodes - 1} in order, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        colours = answers.wholes(answer, count=self.nodes)
        for u, v in self.edges:
            if colours[u] == colours[v]:
                return Verdict.wrong(f"{u} and {v} are joined and have the same colour")
        used, fewest = len(set(colours)), max(self.best[0])
        if used > fewest:
            return Verdict.wrong(f"it uses {used} colours, and {fewest} are enough", optimal=fewest / used)
        return Verdict.right(f"{used} colours", optimal=1.0)

    def solution(self) -> str:
        return " ".join(map(str, self.best[0]))

    def hardness(self) -> float:
        return float(self.best[1])

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + " ".join(map(str, range(1, self.nodes + 1))), "Answer: " + "1 " * self.nodes)


def _colour(near: Sequence[int], colours: int) -> tuple[list[int], int]:
    """A colouring with at most so many colours, or an empty list, and the nodes of the search."""
    colour = [0] * len(near)
    banned = [0] * len(near)
    visited = 0

    def search(left: int, used: int) -> bool:
        nonlocal visited
        visited += 1
        if not left:
            return True
        v = max(
            (v for v, c in enumerate(colour) if not c),
            key=lambda v: (banned[v].bit_count(), near[v].bit_count(), -v),
        )
        for c in range(1, min(used + 1, colours) + 1):
            if banned[v] >> c & 1:
                continue
            changed = [u for u, d in enumerate(colour) if not d and near[v] >> u & 1 and not banned[u] >> c & 1]
            colour[v] = c
            for u in changed:
                banned[u] |= 1 << c
            if search(left - 1, max(used, c)):
                return True
            colour[v] = 0
            for u in changed:
                banned[u] &= ~(1 << c)
        return False

    return (colour if search(len(near), 0) else []), visited
