"""Slitherlink: one loop by trying every inside, what is no single loop, and the picture kept as it is."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np

from proofgym.envs.puzzles.slitherlink import Slitherlink

Edge = tuple[tuple[int, int], tuple[int, int]]


def boundary(inside: set[tuple[int, int]]) -> list[Edge]:
    edges = []
    for r, c in inside:
        for near, edge in (
            ((r - 1, c), ((r, c), (r, c + 1))),
            ((r + 1, c), ((r + 1, c), (r + 1, c + 1))),
            ((r, c - 1), ((r, c), (r + 1, c))),
            ((r, c + 1), ((r, c + 1), (r + 1, c + 1))),
        ):
            if near not in inside:
                edges.append(edge)
    return edges


def one_loop(edges: list[Edge]) -> bool:
    """Walk along it: back at the start after every edge, each corner met twice."""
    at: dict[tuple[int, int], list[Edge]] = defaultdict(list)
    for edge in edges:
        for end in edge:
            at[end].append(edge)
    if not edges or any(len(lines) != 2 for lines in at.values()):
        return False
    edge, corner, steps = edges[0], edges[0][1], 1
    while corner != edges[0][0]:
        edge = next(other for other in at[corner] if other != edge)
        corner = edge[1] if edge[0] == corner else edge[0]
        steps += 1
    return steps == len(edges)


def numbers(edges: list[Edge], size: int) -> list[int]:
    own = set(edges)
    return [
        sum(
            edge in own
            for edge in (
                ((r, c), (r, c + 1)),
                ((r + 1, c), (r + 1, c + 1)),
                ((r, c), (r + 1, c)),
                ((r, c + 1), (r + 1, c + 1)),
            )
        )
        for r in range(size)
        for c in range(size)
    ]


def drawn(edges: list[Edge], board: list[str]) -> str:
    size = len(board)
    picture = [["+" if r % 2 == c % 2 == 0 else "." for c in range(2 * size + 1)] for r in range(2 * size + 1)]
    for r, c in itertools.product(range(size), repeat=2):
        picture[2 * r + 1][2 * c + 1] = board[r][c].replace(".", "?")
    for (r, c), (y, x) in edges:
        picture[r + y][c + x] = "#"
    return "\n".join("".join(row) for row in picture)


def test_the_loop_is_the_only_one_among_all() -> None:
    size = 3
    squares = list(itertools.product(range(size), repeat=2))
    loops = []
    for chosen in itertools.product((False, True), repeat=size * size):
        edges = boundary({square for square, here in zip(squares, chosen, strict=True) if here})
        if one_loop(edges):
            loops.append((edges, numbers(edges, size)))
    assert len(loops) == 213  # cycles of the 4 x 4 grid graph
    for i in range(40):
        settings = Slitherlink.settings(0.0, {"size": size, "clues": 0.3 + 0.1 * (i % 7)})
        puzzle = Slitherlink.generate(np.random.default_rng([1, i]), settings)
        board = puzzle.data["board"]
        asked = "".join(board)
        fits = [e for e, shown in loops if all(a in (".", str(n)) for a, n in zip(asked, shown, strict=True))]
        assert len(fits) == 1
        assert puzzle.verify(drawn(fits[0], board)).correct


def test_what_is_no_single_loop_is_wrong() -> None:
    board = ["...", "...", "..."]
    puzzle = Slitherlink({"board": board})
    whole = boundary(set(itertools.product(range(3), repeat=2)))
    assert puzzle.verify(drawn(whole, board)).correct
    assert "closed loop" in puzzle.verify(drawn(whole[1:], board)).reason
    assert "several" in puzzle.verify(drawn(boundary({(0, 0), (2, 2)}), board)).reason
    assert "closed loop" in puzzle.verify(drawn(boundary({(0, 0), (1, 1)}), board)).reason  # they touch at a corner
    ring = boundary(set(itertools.product(range(3), repeat=2)) - {(1, 1)})
    assert "several" in puzzle.verify(drawn(ring, board)).reason
    assert puzzle.verify(drawn([], board)).score == 0.0


def test_the_picture_has_to_be_kept() -> None:
    board = ["3."]
    puzzle = Slitherlink.from_instance({"board": board})
    whole = "+#+#+\n#3.?#\n+#+#+"  # around both squares: three sides of the first
    assert puzzle.solution().replace(" ", "") == whole
    assert puzzle.verify(whole).correct
    for old, new in (("3", "0"), ("?", "#"), ("+", "#"), ("?", "3"), ("3.", "3#")):
        assert puzzle.verify(whole.replace(old, new)).score == 0.0
