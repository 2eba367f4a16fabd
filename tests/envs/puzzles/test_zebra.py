"""Zebra puzzles: one solution by a plain count, no clue to spare, and every kind of clue."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.zebra import Zebra
from proofgym.errors import BadInput


def holds(clue: Any, place: list[int]) -> bool:
    kind, a, b = clue
    x, y = place[a] + 1, (b if kind in ("at", "not_at") else place[b] + 1)
    return {
        "same": x == y, "left": x + 1 == y, "before": x < y, "beside": abs(x - y) == 1, "apart": abs(x - y) > 1,
        "at": x == y, "not_at": x != y, "differ": x != y,
    }[kind]  # fmt: skip


def worlds(houses: int, attributes: int) -> list[list[int]]:
    orders = list(itertools.permutations(range(houses)))
    return [list(itertools.chain(*chosen)) for chosen in itertools.product(orders, repeat=attributes)]


@pytest.mark.parametrize(("houses", "attributes"), [(3, 3), (4, 2), (2, 4)])
def test_one_solution_and_no_clue_to_spare_by_a_plain_count(houses: int, attributes: int) -> None:
    every = worlds(houses, attributes)
    for i in range(20):
        settings = Zebra.settings(0.0, {"houses": houses, "attributes": attributes})
        puzzle = Zebra.generate(np.random.default_rng([3, i]), settings)
        clues = puzzle.data["clues"]
        assert sum(all(holds(clue, place) for clue in clues) for place in every) == 1
        for spare in clues:
            assert sum(all(holds(clue, place) for clue in clues if clue is not spare) for place in every) > 1


@pytest.mark.parametrize("kind", ["same", "left", "before", "beside", "apart", "at", "not_at", "differ"])
def test_each_kind_of_clue_leaves_what_it_should(kind: str) -> None:
    for a, b in itertools.product((0, 3, 6), range(1, 5) if kind in ("at", "not_at") else range(8)):
        if a == b and kind not in ("at", "not_at"):
            continue
        data = {"houses": 4, "attributes": 2, "clues": [[kind, a, b]]}
        expected = [place for place in worlds(4, 2) if holds([kind, a, b], place)]
        found = Zebra(data)
        for place in (expected + worlds(4, 2))[:: max(1, len(expected) // 4)]:
            rows = [[""] * 2 for _ in range(4)]
            for value, house in enumerate(place):
                rows[house][value // 4] = found.names[value]
            verdict = found.verify("\n".join(" ".join(row) for row in rows))
            assert verdict.correct == holds([kind, a, b], place)


def test_near_misses_are_wrong_and_open_puzzles_refused() -> None:
    puzzle = Zebra.from_instance({"houses": 2, "attributes": 2, "clues": [["at", 0, 1], ["same", 1, 2]]})
    assert puzzle.solution() == "Alice, blue\nBob, red"
    assert puzzle.verify("Answer:\nalice BLUE\nbob, red").correct
    for bad in ("Alice, red\nBob, blue", "Bob, red\nAlice, blue", "blue, Alice\nred, Bob", "Alice, blue\nAlice, red"):
        assert puzzle.verify(bad).score == 0.0
    with pytest.raises(BadInput, match="more than one"):
        Zebra.from_instance({"houses": 2, "attributes": 2, "clues": [["at", 0, 1]]})
    with pytest.raises(BadInput, match="fit no solution"):
        Zebra.from_instance({"houses": 2, "attributes": 1, "clues": [["at", 0, 1], ["at", 1, 1]]})
