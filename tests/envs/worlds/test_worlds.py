"""What every world of ours keeps to: exact states, honest lists of commands, and refusals instead of crashes."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgym.envs.worlds.base import WorldEnv
from proofgym.envs.worlds.crafting import Crafting
from proofgym.envs.worlds.grid import COMMANDS, GridMission
from proofgym.envs.worlds.household.engine import NOTHING
from proofgym.envs.worlds.household.environment import HouseholdEnv, HouseholdPlus
from proofgym.envs.worlds.lab import Lab
from proofgym.envs.worlds.quest import Quest
from proofgym.envs.worlds.shop import WebShop
from proofgym.errors import BadInput

MAKE: dict[str, Any] = {
    "household": lambda: HouseholdEnv(level=0.2, grammar="strict"), "household plus": lambda: HouseholdPlus(level=0.2),
    "quest": lambda: Quest(level=0.6), "lab": lambda: Lab(level=0.5), "crafting": lambda: Crafting(level=0.3),
    "shop": lambda: WebShop(level=0.2), "grid": lambda: GridMission(level=0.8),
}  # fmt: skip
ENVS: dict[str, WorldEnv] = {name: make() for name, make in MAKE.items()}
each_world = pytest.mark.parametrize("name", MAKE)


def walked(env: WorldEnv, index: int, steps: int) -> tuple[Any, np.random.Generator]:
    """A world after some random admissible commands, before its episode is over, and the chance that chose them."""
    env.reset(seed=21, options={"index": index})
    rng = np.random.default_rng(index)
    world = env._world
    for _ in range(steps):
        before = world.copy()
        menu = world.admissible()
        world.step(menu[int(rng.integers(len(menu)))])
        if world.won or world.lost:
            return before, rng
    return world, rng


def over(world: Any) -> bool:
    return bool(world.won or world.lost)


# States ---------------------------------------------------------------------------------------------------------------


@each_world
@settings(max_examples=12)
@given(index=st.integers(0, 60), steps=st.integers(0, 40))
def test_a_state_that_is_restored_is_the_same_and_goes_on_the_same(name: str, index: int, steps: int) -> None:
    env = ENVS[name]
    world, rng = walked(env, index, steps)
    state = json.loads(json.dumps(world.state()))
    other = env.build(env.task.instance)
    other.restore(copy.deepcopy(state))
    for _ in range(6):
        assert json.loads(json.dumps(other.state())) == json.loads(json.dumps(world.state()))
        assert list(other.admissible()) == list(world.admissible())
        assert (other.won, other.lost) == (world.won, world.lost)
        assert other.plan() == world.plan()
        if over(world):
            break
        menu = list(world.admissible())
        command = menu[int(rng.integers(len(menu)))]
        assert other.step(command) == world.step(command)


@each_world
@settings(max_examples=8)
@given(index=st.integers(0, 60), steps=st.integers(0, 25))
def test_a_copy_shares_nothing_that_changes(name: str, index: int, steps: int) -> None:
    world, rng = walked(ENVS[name], index, steps)
    twin, before = world.copy(), world.state()
    for _ in range(10):
        menu = list(twin.admissible())
        if not menu:
            break
        twin.step(menu[int(rng.integers(len(menu)))])
    assert world.state() == before


# Commands -------------------------------------------------------------------------------------------------------------


def household_commands(world: Any) -> Iterator[str]:
    objects, receptacles = world.layout.o_name, world.layout.r_name
    yield from ("look", "inventory", "help")
    for r in receptacles:
        yield from (f"go to {r}", f"open {r}", f"close {r}", f"examine {r}")
    for o in objects:
        yield from (f"use {o}", f"examine {o}")
    links = (("take", "from"), ("move", "to"), ("heat", "with"), ("cool", "with"), ("clean", "with"))
    for (verb, link), o, r in product(links, objects, [*receptacles, *objects]):
        yield f"{verb} {o} {link} {r}"
    yield from (f"unlock {r} with {o}" for r, o in product(receptacles, objects))
    yield from (f"slice {o} with {k}" for o, k in product(objects, objects))


def quest_commands(world: Any) -> Iterator[str]:
    items, lids, holders = list(world.where), list(world.shut), list(world.holders)
    yield from ("look", "inventory", "help", "prepare meal", "eat meal")
    yield from (f"go {way}" for way in ("north", "east", "south", "west"))
    for lid in [*lids, *holders]:
        yield from (f"open {lid}", f"close {lid}", *(f"unlock {lid} with {item}" for item in items))
    for item in items:
        yield from (f"{verb} {item}" for verb in ("drop", "examine", "slice", "dice", "chop"))
        yield from (f"cook {item} with {name}" for name in ("stove", "oven", "grill"))
        if world.where[item] not in holders:  # else a short form of what is listed
            yield f"take {item}"
        for holder in holders:
            yield from (f"take {item} from {holder}", f"put {item} {world._at(holder)}")


def lab_commands(world: Any) -> Iterator[str]:
    things = list(world.at)
    yield from ("look", "inventory", "help", "wait")
    yield from (f"go to {room}" for room in ("hallway", "kitchen", "workshop", "greenhouse", "living room"))
    for verb, thing in product(("look at", "take", "turn on", "turn off", "measure", "mix", "water", "focus on",
                                "slide block on"), things):  # fmt: skip
        yield f"{verb} {thing}"
    for one, other in permutations(things, 2):
        yield from (f"put {one} in {other}", f"connect {one} to {other}")


def crafting_commands(world: Any) -> Iterator[str]:
    yield from ("inventory", "impossible")
    for thing in [*world.raw, *world.recipes, "moon"]:
        yield from (f"get 1 {thing}", f"craft {thing}")


def shop_commands(world: Any) -> Iterator[str]:
    yield from (f"click[{text}]" for text in ("Buy", "Next", "Previous", "Back to search", "Back to results", "red",
                                              "black", "medium", "small", *(f"P{i}" for i in range(20))))  # fmt: skip
    if world.page != "home":  # where any search does something
        yield from (f"search[{kind}]" for kind in ("shirt", "lamp", world.wanted["kind"]))


COMMANDS_OF: dict[str, Any] = {
    "household": household_commands, "household plus": household_commands, "quest": quest_commands,
    "lab": lab_commands, "crafting": crafting_commands, "shop": shop_commands, "grid": lambda _: iter(COMMANDS),
}  # fmt: skip
TELLING = ("look", "inventory", "help", "examine", "look at", "wait", "measure", "mix", "water", "focus", "slide",
           "use", "heat", "cool", "clean", "slice", "click")  # fmt: skip


@each_world
@settings(max_examples=10)
@given(index=st.integers(0, 60), steps=st.integers(0, 40))
def test_the_admissible_commands_are_those_that_do_or_tell_something(name: str, index: int, steps: int) -> None:
    world, rng = walked(ENVS[name], index, steps)
    before, idle = world.state(), world.copy()
    if name == "lab":
        idle.step("wait")  # a refused command takes its time there too
    listed = set(world.admissible())
    assert len(listed) == len(world.admissible())
    for command in listed:
        twin = world.copy()
        said = twin.step(command)
        if name.startswith("household"):
            assert said != NOTHING
        assert twin.state() != before or command.startswith(TELLING), command
    every = [command for command in COMMANDS_OF[name](world) if command not in listed]
    for i in rng.permutation(len(every))[:400].tolist():
        twin = world.copy()
        said = twin.step(every[i])
        if name.startswith("household"):
            assert said == NOTHING, every[i]
        assert twin.state() in (before, idle.state()), every[i]


# Refusals -------------------------------------------------------------------------------------------------------------

WRONG: list[Any] = [None, -1, 10**9, True, 0.5, "", "x", "nowhere 1", [], {}, ["x"], [[]], {"x": 1}]


def spots(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in JSON content, as a container and a key."""
    keys = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from spots(data[key])


def mutated(data: Any, where: int, how: int) -> Any:
    """The content with one place deleted, or replaced by something wrong."""
    data = json.loads(json.dumps(data))
    found = list(spots(data))
    container, key = found[where % len(found)]
    if how == 0:
        del container[key]
    else:
        container[key] = WRONG[how % len(WRONG)]
    return data


def refused(call: Callable[[], Any]) -> str | None:
    """Why something was refused, if it was; any other exception fails the test."""
    try:
        call()
    except BadInput as error:
        return str(error)
    return None


@each_world
@settings(max_examples=40)
@given(index=st.integers(0, 20), where=st.integers(0, 10**6), how=st.integers(0, len(WRONG)))
def test_a_broken_instance_is_refused_or_can_be_played(name: str, index: int, where: int, how: int) -> None:
    env = MAKE[name]()
    env.reset(seed=22, options={"index": index})
    instance = mutated(env.task.instance, where, how)
    said = refused(lambda: env.reset(options={"instance": instance}))
    if said is not None:
        assert len(said) > 20
        return
    env._world.map()
    for _ in range(4):
        env._world.plan()
        menu = env.admissible()
        if env.step(menu[-1])[2]:
            break


@each_world
@settings(max_examples=40)
@given(steps=st.integers(0, 20), where=st.integers(0, 10**6), how=st.integers(0, len(WRONG)))
def test_a_broken_state_is_refused_or_can_be_played(name: str, steps: int, where: int, how: int) -> None:
    env = ENVS[name]
    world, _ = walked(env, 3, steps)
    state = mutated(world.state(), where, how)
    other = env.build(env.task.instance)
    said = refused(lambda: other.restore(state))
    if said is not None:
        assert len(said) > 20
        return
    other.map()
    for _ in range(4):
        if over(other):
            break
        other.plan()
        other.step(list(other.admissible())[-1])
    json.dumps(other.state())


# Pay ------------------------------------------------------------------------------------------------------------------


@each_world
@settings(max_examples=10)
@given(index=st.integers(0, 60), seed=st.integers(0, 10**6))
def test_a_command_that_changes_nothing_earns_nothing(name: str, index: int, seed: int) -> None:
    env = ENVS[name]
    env.reset(seed=23, options={"index": index})
    rng = np.random.default_rng(seed)
    for _ in range(25):
        before, potential = env._world.state(), env.potential()
        menu = env.admissible()
        command = env.oracle() if rng.random() < 0.4 else menu[int(rng.integers(len(menu)))]
        _, reward, terminated, truncated, info = env.step(command)
        if env._world.state() == before:
            assert reward == 0.0
        assert reward == pytest.approx(info["potential"] - potential)
        if terminated or truncated:
            break


# Pictures -------------------------------------------------------------------------------------------------------------


@each_world
def test_a_map_shows_the_world_and_changes_with_it(name: str) -> None:
    env = ENVS[name]
    env.reset(seed=3)
    world = env._world
    maps = {world.map()}
    for command in world.plan():
        world.step(command)
        maps.add(world.map())
    assert len(maps) > 1
    env.render_mode = "ansi"
    assert env.render() == world.map()
    env.render_mode = None
