"""Crafting: least days, tools and deadlines."""

from __future__ import annotations

import itertools
from collections import deque

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.crafting import Crafting
from proofgym.errors import BadInput

TABLE = {
    "items": ["wood", "plank", "axe", "table"],
    "recipes": [[1, [], -1], [4, [[0, 1]], -1], [1, [[0, 2]], -1], [1, [[1, 5]], 2]],
    "goal": 3, "count": 1, "days": 9,
}  # fmt: skip


def test_by_hand() -> None:
    """Five planks are two batches and two wood, the axe two more: 4 + 2 + 1 + 1."""
    puzzle = Crafting.from_instance(TABLE)
    assert puzzle.distance(puzzle.start()) == 8
    told = ["gather wood"] * 4 + ["craft axe", "craft plank", "craft plank", "craft table"]
    assert puzzle.verify("Answer: " + ", ".join(told)).correct
    assert not puzzle.verify("Answer: " + ", ".join(["gather wood"] * 2 + told)).correct, "two days too many"


def test_a_wasted_day_too_many_is_a_dead_end() -> None:
    puzzle = Crafting.from_instance({**TABLE, "days": 8})
    state = puzzle.start()
    for move in ["gather wood"] * 4 + ["craft axe"]:
        state = puzzle.apply(state, move)
    assert puzzle.distance(state) == 3
    assert puzzle.potential(puzzle.apply(state, "gather wood")) == -1.0
    with pytest.raises(BadInput, match="cannot be reached"):
        Crafting.from_instance({**TABLE, "days": 7})


def test_what_is_lacking_is_said() -> None:
    puzzle = Crafting.from_instance(TABLE)
    for move, why in (("craft plank", "takes 1 wood"), ("craft table", "need a axe"), ("sleep", "one of: gather wood")):
        with pytest.raises(Illegal, match=why):
            puzzle.apply(puzzle.start(), move)


def test_the_least_number_of_days_agrees_with_a_search() -> None:
    """Breadth first over inventories, on small recipes."""
    checked = 0
    for index in itertools.count():
        puzzle = Crafting.generate(np.random.default_rng(index), {"raw": 2, "made": 2, "days": 5})
        if puzzle.hardness() > 7:
            continue
        seen, queue, found = {puzzle.start()}, deque([(0, puzzle.start())]), None
        while found is None:
            depth, state = queue.popleft()
            if puzzle.solved(state):
                found = depth
            for move in puzzle.moves(state):
                after = puzzle.apply(state, move)
                if after not in seen:
                    seen.add(after)
                    queue.append((depth + 1, after))
        assert puzzle.hardness() == found
        checked += 1
        if checked == 15:
            break


@pytest.mark.parametrize(
    ("recipe", "why"),
    [
        ([1, [[3, 1]], -1], "earlier"),
        ([1, [[2, 1]], -1], "used up"),
        ([0, [], -1], "batch"),
        ([1, [], 3], "tool"),
        ([1], "recipe"),
    ],
)
def test_recipes_that_are_none_are_refused(recipe: list[object], why: str) -> None:
    recipes = [[1, [], -1], [1, [], -1], [1, [[0, 1]], -1], [1, [[1, 1]], 2]]
    recipes[3] = recipe
    bad = {**TABLE, "items": ["wood", "clay", "axe", "pot", "cup"], "recipes": [*recipes, [1, [[0, 1]], 2]]}
    with pytest.raises(BadInput, match=why):
        Crafting.from_instance(bad)
