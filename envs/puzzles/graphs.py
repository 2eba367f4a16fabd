"""What the puzzles on graphs share: drawing graphs, writing them down, and reading edges and sets of nodes."""

from __future__ import annotations

import math
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Puzzle
from proofgym.envs.puzzles.draw import Board

__all__ = ["GraphPuzzle", "drawn", "listed", "masks", "node_set", "random_edges", "read_edges"]

_SEPARATORS = re.compile(r"[\s,;()\[\]{}–-]+")


class GraphPuzzle(Puzzle):
    """A puzzle on an undirected graph without weights: nodes from 0, and edges."""

    most_nodes = 32

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "nodes", "edges")
        self.nodes = fields.whole(data, "nodes", 2, self.most_nodes)
        self.edges = fields.edges(data, "edges", self.nodes)
        self.near = masks(self.nodes, self.edges)

    def canonical(self) -> Any:
        """Edges in order, smaller node first."""
        return [self.nodes, sorted([min(u, v), max(u, v)] for u, v in self.edges)]

    def question(self) -> str:
        edges = listed(self.edges)
        return f"An undirected graph has the nodes 0 to {self.nodes - 1} and these edges:\n{edges}\n{self.task()}"

    def svg(self) -> str:
        """The nodes on a circle."""
        return drawn(self.nodes, self.edges)

    @abstractmethod
    def task(self) -> str:
        """What is asked, and how to write the answer."""


def drawn(nodes: int, edges: Sequence[Sequence[int]]) -> str:
    """A picture with the nodes on a circle, as SVG."""
    board = Board(8, 8)
    places = [
        (4 - 3.5 * math.cos(2 * math.pi * v / nodes), 4 + 3.5 * math.sin(2 * math.pi * v / nodes)) for v in range(nodes)
    ]
    for u, v, *_ in edges:
        board.line(*places[u], *places[v], width=1.5, colour="#9aa7b8")
    for v, (row, column) in enumerate(places):
        board.circle(row - 0.5, column - 0.5, "#dfe7f2", radius=0.3).text(row - 0.5, column - 0.5, str(v), size=0.35)
    return board.svg(ruled=False)


def random_edges(rng: np.random.Generator, nodes: int, count: int, *, connected: bool = True) -> list[list[int]]:
    """Some distinct edges `[u, v]` with u < v, sorted; a random tree is among them if the graph is to be connected.

    `count` is raised to what a tree has and lowered to what is possible.
    """
    chosen: set[tuple[int, int]] = set()
    if connected:
        order = rng.permutation(nodes).tolist()
        for i in range(1, nodes):
            u, v = order[i], order[int(rng.integers(i))]
            chosen.add((min(u, v), max(u, v)))
    free = [(u, v) for u in range(nodes) for v in range(u + 1, nodes) if (u, v) not in chosen]
    more = min(max(0, count - len(chosen)), len(free))
    if more:
        chosen.update(free[i] for i in rng.permutation(len(free))[:more].tolist())
    return [list(edge) for edge in sorted(chosen)]


def masks(nodes: int, edges: Sequence[Sequence[int]]) -> list[int]:
    """For each node its neighbours, as bits."""
    near = [0] * nodes
    for u, v, *_ in edges:
        near[u] |= 1 << v
        near[v] |= 1 << u
    return near


def listed(edges: Sequence[Sequence[int]], arrow: str = "-") -> str:
    """Edges in one line, weights in parentheses.

    >>> listed([[0, 1], [1, 2, 7]])
    '0-1, 1-2 (7)'
    """
    return ", ".join(f"{e[0]}{arrow}{e[1]}" + (f" ({e[2]})" if len(e) > 2 else "") for e in edges)


def read_edges(text: str, most: int = 1000) -> list[tuple[int, int]]:
    """Edges such as `0-1, 1-2`, the smaller node first; brackets do not matter.

    >>> read_edges("(1, 0), 2-5")
    [(0, 1), (2, 5)]
    """
    text = text.strip().rstrip(".")
    parts = [part for part in _SEPARATORS.split(text) if part]
    if len(parts) > 2 * most or len(parts) % 2:
        raise Unreadable(f"edges such as 0-1, 1-2 are asked for, found {text[:40]!r}")
    ends = [answers.whole(part, 0) for part in parts]
    return [(min(u, v), max(u, v)) for u, v in zip(ends[::2], ends[1::2], strict=True)]


def node_set(text: str, nodes: int) -> list[int]:
    """Different nodes, separated by blanks or commas."""
    found = answers.wholes(text, most=4 * nodes)
    if any(not 0 <= node < nodes for node in found):
        raise Unreadable(f"the nodes go from 0 to {nodes - 1}")
    if len(set(found)) < len(found):
        raise Unreadable("a node is named twice")
    return found
