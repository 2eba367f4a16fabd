"""Crafting: the least number of commands, certified impossible aims, refusals."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

import numpy as np
import pytest

from proofgym.envs.worlds.crafting import Crafting, CraftWorld
from proofgym.errors import BadInput

WORKSHOP: dict[str, Any] = {
    "recipes": {
        "oak plank": [4, {"oak": 1}], "oak rod": [2, {"oak plank": 2}], "oak frame": [1, {"oak rod": 3, "sand": 1}],
    },
    "raw": ["oak", "sand", "moss"],
    "target": "oak frame",
    "amount": 1,
}  # fmt: skip


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(WORKSHOP), **fields}


def test_a_walkthrough() -> None:
    world = CraftWorld(WORKSHOP)
    assert world.plan() == [
        "get 1 sand",
        "get 1 oak",
        "craft oak plank",
        "craft oak rod",
        "craft oak rod",
        "craft oak frame",
    ]
    for command, said in [
        ("craft oak rod", "You have 0 oak plank, and 2 are needed."),
        ("get 5 oak plank", "oak plank cannot be gathered."),
        ("get 1 Oak.", "You get 1 oak."),
        ("craft oak plank", "You craft 4 oak plank."),
        ("craft oak rod", "You craft 2 oak rod."),
        ("inventory", "You have 2 oak plank, 2 oak rod."),
        ("craft oak rod", "You craft 2 oak rod."),
        ("get 1 sand", "You get 1 sand."),
    ]:
        assert world.step(command) == said
    assert not world.won
    world.step("craft oak frame")
    assert world.won


def test_the_plan_is_as_short_as_a_search_finds() -> None:
    """The search gets raw things in the plan's amounts or any less, and crafts at will."""
    rng = np.random.default_rng(0)
    env = Crafting(level=0.0)
    compared = 0
    for index in range(30):
        env.reset(seed=3, options={"index": index})
        world: CraftWorld = env._world
        plan = world.plan()
        assert plan is not None
        if plan == ["impossible"] or len(plan) > 7:
            continue
        for _ in range(int(rng.integers(3))):
            world.step(str(rng.choice(world.plan() or ["inventory"])))
        plan = world.plan()
        assert plan is not None
        assert shortest(world) == len(plan)
        compared += 1
    assert compared > 8


def shortest(world: CraftWorld) -> int:
    seen, queue = set(), deque([(world, 0)])
    while queue:
        here, depth = queue.popleft()
        if here.won:
            return depth
        gets = [f"get 30 {thing}" for thing in here.raw if here.held.get(thing, 0) < 30]
        for command in [*gets, *(f"craft {thing}" for thing in here.recipes)]:
            after = here.copy()
            after.step(command)
            key = tuple(sorted((k, v) for k, v in after.held.items() if v))
            if key not in seen:
                seen.add(key)
                queue.append((after, depth + 1))
    raise AssertionError("never reached")


def test_a_quarter_is_impossible_and_saying_so_wrongly_costs() -> None:
    env = Crafting(level=0.5)
    possible = []
    for index in range(60):
        env.reset(seed=1, options={"index": index})
        possible.append(env._world.possible)
        _, reward, over, _, info = env.step("impossible")
        assert over
        assert reward == (-1.0 if possible[-1] else 1.0)
        assert info["verdict"].correct != possible[-1]
    assert 30 <= sum(possible) <= 55


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        (changed(target="moss"), "'target' is a thing with a recipe"),
        (changed(amount=0), "'amount' is a whole number"),
        (changed(recipes={"oak": [1, {"sand": 1}]}), "that is not raw"),
        (changed(recipes={"oak plank": [0, {"oak": 1}]}), "'gives' is a whole number"),
    ],
)
def test_a_broken_workshop_is_refused_with_the_reason(instance: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        CraftWorld(instance)


def test_what_needs_itself_or_nothing_known_is_impossible() -> None:
    circle = changed(recipes={"oak rod": [1, {"oak frame": 1}], "oak frame": [1, {"oak rod": 1}]})
    unknown = changed(recipes={"oak frame": [1, {"amber": 1}]})
    for instance in (circle, unknown):
        world = CraftWorld(instance)
        assert not world.possible
        assert world.plan() == ["impossible"]
