"""Blocks world: plan lengths, and PDDL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.blocksworld import Blocksworld
from proofgym.envs.puzzles.contract import Illegal
from proofgym.errors import BadInput


def test_the_sussman_anomaly_takes_three_moves() -> None:
    """c on a, b beside; wanted a on b on c: neither goal can be kept while the other is reached (Sussman 1975)."""
    puzzle = Blocksworld.from_instance({"start": [-1, -1, 0], "goal": [1, 2, -1]})
    assert puzzle.solution() == "c on table, b on c, a on b"
    assert puzzle.verify("Answer: put c on the table; move b onto c; a on b").correct


@pytest.mark.parametrize("index", range(8))
def test_every_distance_agrees_with_a_search_by_moves(
    index: int, every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]
) -> None:
    """All 501 arrangements of 5 blocks, so for every goal also those where blocks wait for each other in circles."""
    puzzle = Blocksworld.generate(np.random.default_rng(index), {"blocks": 5})
    reached, lefts = every_distance(puzzle)
    assert len(reached) == 501
    for state in reached:
        assert puzzle.distance(state) == lefts[state]


def test_illegal_moves_are_explained() -> None:
    puzzle = Blocksworld.from_instance({"start": [-1, -1, 0], "goal": [1, 2, -1]})
    for move, why in (
        ("a on b", "a has a block"), ("c on a", "already"), ("b on a", "a has a block"), ("b on b", "itself"),
        ("b on e", "a to c"), ("b up", "A move is"),
    ):  # fmt: skip
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)


def test_pddl_goes_out_and_comes_back() -> None:
    for index in range(20):
        puzzle = Blocksworld.generate(np.random.default_rng(index), Blocksworld.settings(0.5))
        text = puzzle.pddl()
        assert text.count("(") == text.count(")")
        assert Blocksworld.from_pddl(text.upper()).data == {k: list(v) for k, v in puzzle.data.items()}


def test_what_is_no_pddl_problem_is_refused() -> None:
    for text in ("", "(:goal", "(" * 30_000, "(:init (on a) ) (:goal (on a b))", "(:init (on a a)) (:goal (on a b))"):
        with pytest.raises(BadInput):
            Blocksworld.from_pddl(text)
    with pytest.raises(BadInput, match="circle"):
        Blocksworld.from_instance({"start": [1, 0], "goal": [-1, 0]})
