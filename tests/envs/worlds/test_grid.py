"""Grid missions: what is seen, rules, plans through locked doors, pictures."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

import numpy as np
import pytest

import proofgym
from proofgym.envs.worlds.grid import COMMANDS, GridMission, GridWorld, WithImage
from proofgym.errors import BadInput

TWO_ROOMS: dict[str, Any] = {
    "rows": ["#########", "#...#...#", "#.......#", "#...#...#", "#########"],
    "things": [[1, 1, "red key"], [1, 7, "blue ball"], [3, 3, "green box"]],
    "doors": [[2, 4, "red", "locked"]],
    "agent": [3, 1, 0],
    "mission": {"kind": "pick", "thing": "blue ball"},
}


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(TWO_ROOMS), **fields}


def test_a_walkthrough() -> None:
    world = GridWorld(TWO_ROOMS)
    assert world.seen() == (
        "You see a green box 2 steps right, a red key 2 steps forward, "
        "a locked red door 1 step forward and 3 steps right, a wall 3 steps forward."
    )
    for command, said in [
        ("toggle", "There is no door before you."),
        ("go forward", "You see a red key 1 step forward, a locked red door 3 steps right"),
        ("go forward", "The red key is in your way."),
        ("Pick up.", "You see a locked red door 3 steps right, a wall 2 steps forward. You carry a red key."),
        ("turn right", "a locked red door 3 steps forward"),
        ("go forward", "a locked red door 2 steps forward"),
        ("go forward", "a locked red door 1 step forward"),
        ("go forward", "The red door is locked."),
        ("toggle", "a open red door 1 step forward"),
    ]:
        told = world.step(command)
        assert said in told, (command, told)
    assert "blue ball" in world.seen()
    plan = world.plan()
    assert plan is not None
    for command in plan:
        world.step(command)
    assert world.won


def test_the_plan_is_as_short_as_a_search_through_everything_where_nothing_has_to_be_carried() -> None:
    rng = np.random.default_rng(0)
    env = GridMission(level=0.2)
    checked = 0
    for index in range(40):
        env.reset(seed=5, options={"index": index})
        world: GridWorld = env._world
        if world.mission.kind not in ("go", "pick", "open"):
            continue
        for _ in range(int(rng.integers(8))):
            world._try(COMMANDS[int(rng.integers(3))])
        world._update()
        plan = world.plan()
        assert plan is not None
        assert len(plan) == shortest(world)
        checked += 1
    assert checked > 15


def shortest(world: GridWorld) -> int:
    seen, queue = set(), deque([(world, 0)])
    while queue:
        here, depth = queue.popleft()
        if here.won:
            return depth
        for command in COMMANDS:
            if command == "drop" or (command == "pick up" and here._name(here._ahead()) != here.mission.thing):
                continue  # nothing is carried out of the way
            after = here.copy()
            if after._try(command) == "":
                after._update()
                key = repr(after.state())
                if key not in seen:
                    seen.add(key)
                    queue.append((after, depth + 1))
    raise AssertionError("the mission cannot be done")


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        (changed(rows=["###", "#.#"]), "stands in a wall"),
        (changed(agent=[0, 0, 0]), "free floor"),
        (changed(mission={"kind": "pick", "thing": "blue box"}), "not there"),
        (changed(mission={"kind": "open", "thing": "blue ball"}), "not of the right kind"),
        (changed(mission={"kind": "put", "thing": "blue ball", "other": "blue ball"}), "next to itself"),
        (changed(things=[[1, 1, "red key"], [1, 2, "red key"]]), "two red keys"),
        (changed(doors=[[2, 4, "red", "ajar"]]), "open, closed or locked"),
    ],
)
def test_a_broken_grid_is_refused_with_the_reason(instance: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        GridWorld(instance)


@pytest.mark.parametrize("where", [[0, 0], [99, 1], [-1, 1]])
def test_a_state_with_a_thing_off_the_floor_is_refused(where: list[int]) -> None:
    world = GridWorld(changed())
    state = world.state()
    state["things"][0][:2] = where
    with pytest.raises(BadInput, match="no state of this grid"):
        world.restore(state)


def test_a_mission_whose_key_lies_behind_its_own_door_is_not_asked() -> None:
    locked_away = changed(things=[[1, 7, "red key"], [3, 7, "blue ball"]])
    with pytest.raises(BadInput, match="cannot be reached"):
        GridMission().reset(options={"instance": locked_away})


def test_pictures_come_with_the_text() -> None:
    env = WithImage(proofgym.make("GridMission"))
    assert env.observation_space.contains(env.reset(seed=0)[0])
    observation, _ = env.reset(seed=1)
    assert observation["image"].shape == (112, 112, 3)
    assert len(np.unique(observation["image"].reshape(-1, 3), axis=0)) > 3
    with pytest.raises(BadInput, match="GridMission"):
        WithImage(proofgym.make("Household"))
