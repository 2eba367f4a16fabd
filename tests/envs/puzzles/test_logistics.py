"""Logistics: moves, distances and PDDL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.logistics import PDDL_DOMAIN, Logistics
from proofgym.errors import BadInput

LINE = {"towns": 3, "roads": [[0, 1], [1, 2]], "room": 1, "truck": 0, "start": [0, 2], "goal": [2, 0]}


def test_by_hand() -> None:
    """Across with one parcel, back with the other: two loads, two unloads, four drives."""
    puzzle = Logistics.from_instance(LINE)
    assert puzzle.distance(puzzle.start()) == 8
    told = "load p1, go to B, drive C, unload P1, load 2, drive to b, drive to a, unload p2"
    assert puzzle.verify(f"Answer: {told}").parts["optimal"] == 1.0


def test_illegal_moves_are_explained() -> None:
    puzzle = Logistics.from_instance(LINE)
    for move, why in (
        ("drive to c", "No road"),
        ("load p2", "not here"),
        ("unload p1", "not in"),
        ("load p3", "A move is"),
    ):
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)
    full = Logistics.from_instance({**LINE, "start": [0, 0], "goal": [2, 2]})
    with pytest.raises(Illegal, match="truck is full"):
        full.apply(full.apply(full.start(), "load p1"), "load p2")


def test_every_distance_agrees_with_a_search_by_moves(
    every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]],
) -> None:
    puzzle = Logistics.generate(np.random.default_rng(2), Logistics.settings(0.0))
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


def test_pddl_goes_out_and_comes_back() -> None:
    for index in range(10):
        puzzle = Logistics.generate(np.random.default_rng(index), Logistics.settings(0.5))
        text = puzzle.pddl()
        assert text.count("(") == text.count(")")
        assert Logistics.from_pddl(text.upper()).canonical() == puzzle.canonical()
    assert PDDL_DOMAIN.count("(") == PDDL_DOMAIN.count(")")
    for bad in ("", "(:goal", puzzle.pddl().replace("(= (room)", "(= (rooms)"), "(" * 30_000):
        with pytest.raises(BadInput):
            Logistics.from_pddl(bad)
