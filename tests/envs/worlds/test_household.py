"""Households: ALFWorld's text and rules, exact distances, grammars, extended rules, equality with the real engine."""

from __future__ import annotations

import copy
import json
import lzma
import os
import re
import subprocess
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proofgym
from proofgym.envs.worlds.household import Scene
from proofgym.envs.worlds.household.engine import NOTHING, Layout, World
from proofgym.envs.worlds.household.environment import HouseholdEnv, HouseholdPlus
from proofgym.envs.worlds.household.expert import Expert
from proofgym.envs.worlds.household.generator import EXTENDED, PLAIN, generate
from proofgym.envs.worlds.household.grammar import carry_out, menu
from proofgym.envs.worlds.household.pddl import write_problem
from proofgym.envs.worlds.household.planner import plan
from proofgym.errors import BadInput

KITCHEN: dict[str, Any] = {
    "goal": {"text": "put a hot apple in fridge", "kind": "place", "object": "apple", "receptacle": "fridge",
             "count": 1, "must_be": ["hot"]},
    "start": 0,
    "receptacles": [
        {"name": "fridge 1", "place": 1, "openable": True},
        {"name": "microwave 1", "place": 2, "openable": True},
        {"name": "countertop 1", "place": 3, "openable": False},
        {"name": "drawer 1", "place": 3, "openable": True},
        {"name": "sinkbasin 1", "place": 4, "openable": False},
    ],
    "objects": [
        {"name": "apple 1", "in": ["countertop 1"]},
        {"name": "apple 2", "in": ["fridge 1"], "is": ["cool"]},
        {"name": "knife 1", "in": ["drawer 1"]},
        {"name": "bowl 1", "in": ["countertop 1"]},
    ],
}  # fmt: skip


def world(scene: Any = KITCHEN) -> World:
    return Layout(Scene.load(scene)).world()


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(KITCHEN), **fields}


def test_a_walkthrough_reads_as_in_alfworld() -> None:
    house = world()
    assert house.layout.welcome() == (
        "-= Welcome to TextWorld, ALFRED! =-\n\nYou are in the middle of a room. Looking quickly around you, you see "
        "a countertop 1, a drawer 1, a fridge 1, a microwave 1, and a sinkbasin 1.\n\n"
        "Your task is to: put a hot apple in fridge."
    )
    for command, said in [
        ("look", "You are in the middle of a room. Looking quickly around you, you see nothing."),
        ("inventory", "You are not carrying anything."),
        ("open fridge 1", NOTHING),
        ("go to countertop 1", "You arrive at countertop 1. On the countertop 1, you see a apple 1, and a bowl 1."),
        ("go to drawer 1", NOTHING),
        ("look", "You are facing the countertop 1, and drawer 1. Next to it, you see nothing."),
        ("examine drawer 1", "The drawer 1 is closed."),
        ("open drawer 1", "You open the drawer 1. The drawer 1 is open. In it, you see a knife 1."),
        ("examine apple 1", NOTHING),
        ("take apple 1 from countertop 1", "You pick up the apple 1 from the countertop 1."),
        ("take knife 1 from drawer 1", NOTHING),
        ("examine apple 1", "There's nothing special about apple 1."),
        ("inventory", "You are carrying: a apple 1."),
        ("go to microwave 1", "You arrive at microwave 1. The microwave 1 is closed."),
        ("heat apple 1 with microwave 1", "You heat the apple 1 using the microwave 1."),
        ("examine apple 1", "This is a hot apple 1."),
        ("go to fridge 1", "You arrive at fridge 1. The fridge 1 is closed."),
        ("move apple 1 to fridge 1", NOTHING),
        ("open fridge 1", "You open the fridge 1. The fridge 1 is open. In it, you see a apple 2."),
        ("move apple 1 to fridge 1", "You move the apple 1 to the fridge 1."),
    ]:
        assert not house.won
        assert house.step(command) == said, command
    assert house.won


def test_admissible_commands_are_sorted_and_each_does_something() -> None:
    env = HouseholdEnv(scene=KITCHEN, grammar="strict")
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    for _ in range(200):
        house = env._world
        listed = list(house.admissible())
        assert listed == sorted(set(listed))
        for command in listed:
            assert house.copy().step(command) != NOTHING
        every = [f"{verb} {o} {link} {r}" for verb, link in (("take", "from"), ("move", "to"), ("heat", "with"))
                 for o in house.layout.o_name for r in house.layout.r_name]  # fmt: skip
        assert {command for command in every if house.copy().step(command) != NOTHING} <= set(listed)
        house.step(listed[int(rng.integers(len(listed)))])


def test_what_was_taken_and_put_back_elsewhere_stands_beside() -> None:
    """As the real engine says it: once for each receptacle of the place that the thing was taken from."""
    counters = [{"name": f"countertop {i}", "place": 3, "openable": False} for i in (1, 2, 3)]
    house = world(
        changed(
            receptacles=[*KITCHEN["receptacles"][:2], *counters],
            objects=[{"name": "bowl 1", "in": ["countertop 1"]}, {"name": "apple 1", "in": ["fridge 1"]}],
        )
    )
    facing = "You are facing the countertop 3, countertop 2, and countertop 1. Next to it, you see"
    house.step("go to countertop 1")
    assert house.step("look") == f"{facing} nothing."
    house.step("take bowl 1 from countertop 1")
    house.step("move bowl 1 to countertop 3")
    assert house.step("look") == f"{facing} a bowl 1."
    house.step("take bowl 1 from countertop 3")
    house.step("move bowl 1 to countertop 2")
    assert house.step("look") == f"{facing} a bowl 1, and a bowl 1."
    house.step("take bowl 1 from countertop 2")
    house.step("move bowl 1 to countertop 1")
    assert house.step("look") == f"{facing} a bowl 1, and a bowl 1."


# Tasks --------------------------------------------------------------------------------------------------------------


@settings(max_examples=15)
@given(st.integers(0, 200), st.floats(0, 1), st.randoms(use_true_random=False))
def test_renaming_numbers_and_places_makes_no_new_task(seed: int, level: float, random: Any) -> None:
    scene = generate(np.random.default_rng(seed), level, (*PLAIN, *EXTENDED))
    data = scene.to_json()
    names = {}
    for rows in (data["receptacles"], data["objects"]):
        kinds: dict[str, list[str]] = {}
        for row in rows:
            kinds.setdefault(row["name"].split(" ")[0], []).append(row["name"])
        for each in kinds.values():
            names |= dict(zip(each, random.sample(each, len(each)), strict=True))
    places = {place: 100 + i for i, place in enumerate(random.sample(range(200), 200))}
    for row in (*data["receptacles"], *data["objects"]):
        row["name"] = names[row["name"]]
        row["in"] = [names[name] for name in row["in"]] if "in" in row else None
        row["place"] = places[row["place"]] if "place" in row else None
        for key in ("in", "place"):
            if row[key] is None:
                del row[key]
        random.shuffle(row.get("in", []))
    data["start"] = places[data["start"]]
    data["goal"]["text"] = "otherwise said"
    random.shuffle(data["receptacles"])
    random.shuffle(data["objects"])
    assert Scene.load(data).canonical() == scene.canonical()


@pytest.mark.parametrize(
    "fields",
    [
        {"start": 3},
        {"goal": {**KITCHEN["goal"], "must_be": ["cool"]}},
        {"objects": [{"name": "apple 1", "in": ["drawer 1"]}, *KITCHEN["objects"][1:]]},
        {"objects": [{"name": "apple 1", "in": ["countertop 1"], "is": ["hot"]}, *KITCHEN["objects"][1:]]},
        {"objects": KITCHEN["objects"][:3]},
        {"receptacles": [{"name": "fridge 1", "place": 1, "openable": False}, *KITCHEN["receptacles"][1:]]},
        {"receptacles": [{"name": "fridge 1", "place": 2, "openable": True}, *KITCHEN["receptacles"][1:]]},
        {"holds": {"fridge": ["apple"]}},
        {"extended": True},
    ],
)
def test_what_changes_what_can_be_done_makes_a_new_task(fields: dict[str, Any]) -> None:
    assert Scene.load(changed(**fields)).canonical() != Scene.load(KITCHEN).canonical()


def test_what_is_held_out_from_one_household_is_held_out_from_the_others() -> None:
    one, other = HouseholdEnv(scene=KITCHEN), HouseholdPlus(scene=KITCHEN)
    one.reset(seed=0)
    other.reset(seed=0)
    assert one.task.fingerprint == other.task.fingerprint


def test_nothing_in_a_generated_house_is_a_trap() -> None:
    """What can be picked up can be put down somewhere; in ALFWorld a teddy bear cannot."""
    rng = np.random.default_rng(8)
    for task in (*PLAIN, *EXTENDED):
        layout = Layout(generate(rng, 1.0, (task,)))
        free = [may for r, may in zip(layout.receptacles, layout.holds, strict=True) if not r.locked_by]
        for o, name in enumerate(layout.o_name):
            assert not layout.able["take"] >> o & 1 or any(may >> o & 1 for may in free), name


def test_what_nothing_may_hold_stays_in_hand() -> None:
    house = world(changed(objects=[*KITCHEN["objects"], {"name": "teddybear 1", "in": ["countertop 1"]}]))
    assert house.plan()
    house.step("go to countertop 1")
    house.step("take teddybear 1 from countertop 1")
    assert house.plan() is None


# Distances ------------------------------------------------------------------------------------------------------------


def breadth_first(house: World, most: int = 15_000) -> int | None:
    """The fewest commands by trying everything."""

    def key(w: World) -> Any:
        return (w.place, w.held, w.opened, tuple(w.contents), *w.states.values(), tuple(w.at))

    seen, queue = {key(house)}, deque([(house, 0)])
    while queue:
        here, depth = queue.popleft()
        if here.won:
            return depth
        for command in here.admissible():
            if command.split(" ")[0] in ("examine", "look", "inventory", "help", "close"):
                continue
            after = here.copy()
            after.step(command)
            if key(after) not in seen:
                seen.add(key(after))
                queue.append((after, depth + 1))
        if len(seen) > most:
            return None
    return None


KINDS = {"countertop": False, "drawer": True, "fridge": True, "microwave": True, "sinkbasin": False, "sidetable": False}


@st.composite
def small_scenes(draw: st.DrawFn) -> Scene:
    receptacles, numbers = [], dict.fromkeys(KINDS, 0)
    for kind in draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=3, max_size=5)):
        numbers[kind] += 1
        door = KINDS[kind] and (kind != "drawer" or draw(st.booleans()))
        receptacles.append({"name": f"{kind} {numbers[kind]}", "place": draw(st.integers(1, 3)), "openable": door})
    names = [r["name"] for r in receptacles]
    objects = []
    for i, kind in enumerate(draw(st.lists(st.sampled_from(["apple", "desklamp", "mug"]), min_size=1, max_size=4))):
        lies = draw(st.lists(st.sampled_from(names), min_size=1, max_size=1 + (i == 0), unique=True))
        objects.append({"name": f"{kind} {i + 1}", "in": lies})
    wanted = draw(st.sampled_from(["apple", "mug"]))
    if draw(st.integers(0, 4)) == 0:
        goal: dict[str, Any] = {"text": "x", "kind": "light", "object": wanted, "light": "desklamp"}
    else:
        goal = {"text": "x", "kind": "place", "object": wanted, "receptacle": names[0].split(" ")[0],
                "count": draw(st.sampled_from([1, 1, 2])), "must_be": []}  # fmt: skip
        if goal["count"] == 1:
            goal["must_be"] = draw(st.sampled_from([[], ["hot"], ["cool"], ["clean"]]))
    return Scene.load({"goal": goal, "start": 0, "receptacles": receptacles, "objects": objects})


@settings(max_examples=25)
@given(small_scenes(), st.integers(0, 12), st.randoms(use_true_random=False))
def test_the_plan_is_as_short_as_a_breadth_first_search_finds(scene: Scene, walked: int, random: Any) -> None:
    house = Layout(scene).world()
    for _ in range(walked):
        house.step(random.choice(house.admissible()))
    fewest = breadth_first(house)
    found = plan(house)
    if fewest is None:
        return
    assert found is not None
    assert len(found) == fewest, found
    for command in found:
        assert house.step(command) != NOTHING
    assert house.won


def test_an_episode_earns_its_potential_on_every_way() -> None:
    env = HouseholdEnv()
    rng = np.random.default_rng(3)
    for index in range(10):
        env.reset(seed=4, options={"index": index})
        earned = 0.0
        for _ in range(30):
            menu_ = env.admissible()
            _, reward, over, _, info = env.step(menu_[int(rng.integers(len(menu_)))])
            earned += reward
            assert earned == pytest.approx(info["potential"])
            if over:
                break


# Grammars -------------------------------------------------------------------------------------------------------------


def test_the_older_grammar_puts_in_and_on() -> None:
    house = world()
    house.step("go to countertop 1")
    house.step("take apple 1 from countertop 1")
    assert "put apple 1 in/on countertop 1" in menu(house, "classic")
    assert not [command for command in menu(house, "classic") if command.startswith("move")]
    assert carry_out(house, "move apple 1 to countertop 1", "classic") == NOTHING
    said = carry_out(house, "put apple 1 in/on countertop 1", "classic")
    assert said == "You put the apple 1 in/on the countertop 1."


@pytest.mark.parametrize(
    ("before", "written", "said"),
    [
        ([], "Go to the Countertop.", "You arrive at countertop 1."),
        ([], "walk to countertop1", "You arrive at countertop 1."),
        (["go to countertop 1"], "pick up the apple", "You pick up the apple 1 from the countertop 1."),
        (["go to countertop 1"], "> grab apple 1 from countertop", "You pick up the apple 1 from the countertop 1."),
        (["go to countertop 1"], "shut the drawer", "The drawer 1 is closed already."),
        (["go to countertop 1"], "take the knife", "You see no knife here."),
        (["go to countertop 1"], "take knife 1 from drawer 1", "The drawer 1 is closed."),
        (["go to countertop 1"], "go to drawer 1", "You are at drawer 1 already."),
        ([], "open the fridge", "You are not at fridge 1: go there first."),
        ([], "dance", "That is not a command. Write 'help' for the forms of commands."),
        (["go to countertop 1", "take apple 1 from countertop 1"], "take bowl 1 from countertop 1",
         "You are carrying apple 1: put it down first."),
        (["go to countertop 1", "take apple 1 from countertop 1"], "place it", "You see no it here."),
        (["go to countertop 1", "take apple 1 from countertop 1"], "drop the apple", "You move the apple 1 to the"),
        (["go to countertop 1", "take apple 1 from countertop 1", "go to microwave 1"], "cook apple in the microwave",
         "You heat the apple 1 using the microwave 1."),
        (["go to countertop 1", "take apple 1 from countertop 1"], "wash apple in sink basin",
         "You are not at sinkbasin 1: go there first."),
    ],
)  # fmt: skip
def test_the_forgiving_grammar_understands_or_says_why(before: list[str], written: str, said: str) -> None:
    house = world()
    for command in before:
        assert house.step(command) != NOTHING
    assert carry_out(house, written, "lenient").startswith(said)


@given(st.text(max_size=300))
def test_no_text_stops_the_forgiving_grammar(text: str) -> None:
    for grammar in ("strict", "classic", "lenient"):
        assert carry_out(world(), text, grammar)  # type: ignore[arg-type]


def test_every_strict_command_is_understood_by_the_forgiving_grammar() -> None:
    env = HouseholdEnv(grammar="strict")
    rng = np.random.default_rng(1)
    for index in range(5):
        env.reset(seed=1, options={"index": index})
        house = env._world
        for _ in range(40):
            listed = house.admissible()
            command = listed[int(rng.integers(len(listed)))]
            twin = house.copy()
            assert carry_out(twin, command, "lenient") == house.step(command)
            assert twin.state() == house.state()


# Extended rules -------------------------------------------------------------------------------------------------------


def test_containers_locks_and_slices() -> None:
    scene = changed(
        extended=True,
        receptacles=[
            *KITCHEN["receptacles"],
            {"name": "safe 1", "place": 5, "openable": True, "locked_by": "keychain"},
        ],
        objects=[*KITCHEN["objects"], {"name": "keychain 1", "in": ["drawer 1"]}],
    )
    house = world(scene)
    for command, said in [
        ("go to safe 1", "You arrive at safe 1. The safe 1 is closed."),
        ("open safe 1", NOTHING),
        ("go to drawer 1", "You arrive at drawer 1. The drawer 1 is closed."),
        ("open drawer 1", "You open the drawer 1. The drawer 1 is open. In it, you see a keychain 1, and a knife 1."),
        ("take knife 1 from drawer 1", "You pick up the knife 1 from the drawer 1."),
        ("slice apple 1 with knife 1", "You sliced the apple 1 with the knife 1."),
        ("move knife 1 to bowl 1", "You move the knife 1 to the bowl 1."),
        ("take bowl 1 from countertop 1", "You pick up the bowl 1 from the countertop 1."),
        ("examine bowl 1", "This is a normal bowl 1. In it, you see a knife 1."),
        ("move bowl 1 to countertop 1", "You move the bowl 1 to the countertop 1."),
        ("take knife 1 from bowl 1", "You pick up the knife 1 from the bowl 1."),
        ("move knife 1 to drawer 1", "You move the knife 1 to the drawer 1."),
        ("take keychain 1 from drawer 1", "You pick up the keychain 1 from the drawer 1."),
        ("go to safe 1", "You arrive at safe 1. The safe 1 is closed."),
        ("unlock safe 1 with keychain 1", "You unlock the safe 1 with the keychain 1."),
        ("open safe 1", "You open the safe 1. The safe 1 is open. In it, you see nothing."),
    ]:
        listed = house.admissible()
        assert house.step(command) == said, command
        assert (command in listed) == (said != NOTHING)


@pytest.mark.parametrize("task", [*PLAIN, *EXTENDED])
def test_every_kind_of_task_is_generated_and_solved(task: str) -> None:
    rng = np.random.default_rng(5)
    for level in (0.0, 0.2, 0.6, 1.0):
        scene = generate(rng, level, (task,))
        assert scene.extended == (task in EXTENDED)
        assert Scene.load(json.loads(json.dumps(scene.to_json()))) == scene
        env = (HouseholdPlus if task in EXTENDED else HouseholdEnv)(scene=scene)
        env.reset(seed=0)
        earned, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, info = env.step(env.oracle())
            earned, over = earned + reward, terminated or truncated
        assert info["verdict"].correct
        assert earned == pytest.approx(1.0)


def test_the_expert_that_reads_does_the_plain_tasks() -> None:
    env = HouseholdEnv(grammar="strict", level=1.0)
    won = 0
    for index in range(40):
        observation, _ = env.reset(seed=2, options={"index": index})
        expert, over = Expert(), False
        while not over:
            observation, _, terminated, truncated, _ = env.step(expert.act(observation))
            over = terminated or truncated
        won += terminated
    assert won >= 38


def test_sparse_pay_is_alfworlds() -> None:
    env = HouseholdEnv(scene=KITCHEN, grammar="strict", pay="sparse")
    env.reset(seed=0)
    rewards = []
    over = False
    while not over:
        _, reward, over, _, _ = env.step(env.oracle())
        rewards.append(reward)
    assert rewards == [0.0] * (len(rewards) - 1) + [1.0]


def test_pictures_show_the_house() -> None:
    env = HouseholdEnv(scene=KITCHEN, render_mode="ansi")
    env.reset(seed=0)
    env.step("go to countertop 1")
    shown = env.render()
    assert shown is not None
    assert "> " in shown
    assert "apple 2 [cool]" in shown
    root = ElementTree.fromstring(env.svg())
    words = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words[:2] == ["put a hot apple in fridge", "in hand: nothing"]
    assert {"fridge 1", "closed", "apple 2 [cool]"} <= set(words)


# Files ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        (changed(start=-1), "start is a place"),
        (changed(colour=1), "unknown field 'colour'"),
        (changed(receptacles=[]), "is empty"),
        (changed(receptacles=[{"name": "Fridge", "place": 1, "openable": True}]), r"receptacles\[0\] has a name"),
        (changed(objects=[{"name": "apple 1", "in": ["shelf 1"]}]), "'shelf 1', which is no receptacle"),
        (changed(objects=[{"name": "apple 1", "in": []}]), "lies either"),
        (changed(objects=[{"name": "apple 1", "in": ["fridge 1"], "is": ["blue"]}]), "is a list of clean"),
        (changed(objects=[{"name": "apple 1", "in": ["fridge 1"]}] * 2), "'apple 1' is named twice"),
        (changed(goal={"text": "x", "kind": "win"}), "goal.object is missing"),
        (changed(goal={**KITCHEN["goal"], "receptacle": "sofa"}), "of which there is none"),
        (changed(goal={**KITCHEN["goal"], "count": True}), "whole number from 1 to 9"),
        (
            changed(
                receptacles=[
                    *KITCHEN["receptacles"],
                    {"name": "safe 1", "place": 9, "openable": True, "locked_by": "keychain"},
                ]
            ),
            "'safe 1' is locked: only",
        ),
        (changed(goal={**KITCHEN["goal"], "inside": "bowl"}), "goal.inside names a container: only"),
        (changed(objects=[{"name": "bowl 1", "in": ["fridge 1"], "shows": ["bowl 1"]}]), "or the container itself"),
        (changed(objects=[{"name": "apple 1", "in": [""]}]), "lies in '', which is no receptacle"),
        ("{", "not JSON"),
        ("no/such/file.json", "no scene file"),
        ({"pddl_problem": "(define (problem x) (:init)\n)", "grammar": ""}, "has no :objects"),
        ({"pddl_problem": "(define (problem x)\n(:init", "grammar": ""}, "line 2 of the PDDL problem is never closed"),
        ({"pddl_problem": "(define))", "grammar": ""}, "line 1 of the PDDL problem closes"),
        ({"pddl_problem": "(define (:objects)\n(:init (opened))\n(:goal))", "grammar": ""}, "line 2 .* takes 1 words"),
    ],
)
def test_a_broken_scene_is_refused_with_the_place_and_the_reason(scene: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Scene.load(scene)


def test_a_scene_that_cannot_be_done_or_is_done_is_not_asked() -> None:
    nothing = changed(objects=[{"name": "bowl 1", "in": ["countertop 1"]}])
    done = changed(objects=[{"name": "apple 1", "in": ["fridge 1"], "is": ["hot"]}])
    for scene, said in ((nothing, "cannot be reached"), (done, "holds already")):
        with pytest.raises(BadInput, match=said):
            HouseholdEnv(scene=scene).reset(seed=0)


def test_many_scenes_are_read_from_a_file_and_a_folder(tmp_path: Path) -> None:
    lines = tmp_path / "scenes.jsonl"
    lines.write_text(f"{json.dumps(KITCHEN)}\n\n{json.dumps(changed(start=9))}\n")
    env = proofgym.make("Household", scenes=str(lines))
    assert "hot apple" in env.reset(seed=1)[0]
    folder = tmp_path / "games" / "trial"
    folder.mkdir(parents=True)
    grammar = '"rhs": "Your task is to: put a hot apple in fridge."'
    game = {"pddl_problem": write_problem(Scene.load(KITCHEN)), "grammar": grammar}
    (folder / "game.tw-pddl").write_text(json.dumps(game))
    other = proofgym.make("Household", scenes=str(tmp_path / "games"))
    assert other.reset(seed=1)[0] == env.reset(seed=1)[0]
    lines.write_text('{"goal": 1}\n')
    with pytest.raises(BadInput, match="line 1"):
        proofgym.make("Household", scenes=str(tmp_path / "broken.jsonl") if False else str(_copy(lines)))


def _copy(path: Path) -> Path:
    other = path.with_name("broken.jsonl")
    other.write_text(path.read_text())
    return other


@settings(max_examples=20)
@given(small_scenes(), st.randoms(use_true_random=False))
def test_a_scene_written_as_pddl_and_read_again_plays_the_same(scene: Scene, random: Any) -> None:
    game = {"pddl_problem": write_problem(scene), "grammar": '"Your task is to: x."'}
    one, other = Layout(scene).world(), Layout(Scene.load(game)).world()
    assert one.layout.welcome() == other.layout.welcome()
    for _ in range(25):
        listed = one.admissible()
        assert listed == other.admissible()
        command = random.choice(listed)
        assert one.step(command) == other.step(command)
        assert one.won == other.won


@settings(max_examples=150)
@given(
    st.integers(0, 10**6),
    st.integers(0, 40),
    st.sampled_from(["", "(", ")", "fridge", "apple_1", "?", "\x00", "9" * 400]),
)
def test_a_damaged_game_file_is_refused_or_can_be_played(start: int, length: int, instead: str) -> None:
    problem = write_problem(Scene.load(KITCHEN))
    start %= len(problem)
    damaged = problem[:start] + instead + problem[start + length :]
    try:
        house = Layout(Scene.load({"pddl_problem": damaged, "grammar": '"Your task is to: x."'})).world()
    except BadInput:
        return
    house.plan()
    for command in house.admissible():
        house.copy().step(command)


@pytest.mark.parametrize(
    "fields",
    [{"pddl_problem": None}, {"pddl_problem": 3}, {"pddl_problem": ""}, {"grammar": None}, {"grammar": []},
     {"pddl_problem": "(" * 100_000}],
)  # fmt: skip
def test_a_game_file_of_another_form_is_refused(fields: dict[str, Any]) -> None:
    game = {"pddl_problem": write_problem(Scene.load(KITCHEN)), "grammar": '"Your task is to: x."', **fields}
    with pytest.raises(BadInput, match=r".{20}"):
        Scene.load(game)


@pytest.mark.parametrize("goal", [{"count": 3}, {"must_be": ["sliced"]}])
def test_what_alfworld_cannot_ask_is_not_written_for_it(goal: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="none of ALFWorld's six kinds"):
        write_problem(Scene.load(changed(goal={**KITCHEN["goal"], **goal})))


def test_a_container_tells_what_the_scene_says_is_in_it() -> None:
    shown = [
        *KITCHEN["objects"][:3],
        {"name": "bowl 1", "in": ["countertop 1"], "shows": ["egg 1", "knife 1", "egg 2"]},
    ]
    house = world(changed(objects=shown))
    house.step("go to countertop 1")
    house.step("take bowl 1 from countertop 1")
    told = "This is a normal bowl 1. In it, you see a egg 2, a egg 1, and a knife 1."
    assert house.step("examine bowl 1") == told
    game = {"pddl_problem": write_problem(Scene.load(changed(objects=shown))), "grammar": '"Your task is to: x."'}
    other = Layout(Scene.load(game)).world()
    other.step("go to countertop 1")
    other.step("take bowl 1 from countertop 1")
    assert other.step("examine bowl 1") == told
    problem = str(game["pddl_problem"])
    bowl = re.search(r"isreceptacleobject (\S+)\)", problem)
    assert bowl is not None
    itself = problem.replace(bowl[0], f"{bowl[0]}\n(inreceptacleobject {bowl[1]} {bowl[1]})")
    again = Scene.load({**game, "pddl_problem": itself})
    assert again == Scene.load(game)  # as the real engine, which never lists a container in itself


# The real engine ------------------------------------------------------------------------------------------------------

_ABLE = {"p": "take", "h": "heat", "l": "cool", "c": "clean", "s": "slice", "t": "use"}
_MUST = {"isHot": "hot", "isCool": "cool", "isClean": "clean"}


def alfworld_scenes(path: Path) -> Iterator[tuple[Scene, list[str]]]:
    """ALFWorld's training scenes in the compact rows of the data folder, with a walkthrough each."""
    with lzma.open(path, "rt") as rows:
        for line in rows:
            name, text, goal, start, receptacles, objects, walkthrough = json.loads(line)
            if goal["kind"] == "hold_and_light":
                wanted = {"kind": "light", "object": goal["object"], "light": goal["light"]}
            else:
                must = [_MUST[state] for state in goal["must_be"]]
                wanted = {"kind": "place", **{k: goal[k] for k in ("object", "receptacle", "count")}, "must_be": must}
            yield Scene.load({
                "id": name, "goal": {"text": text, **wanted}, "start": start,
                "receptacles": [{"name": r, "place": p, "openable": bool(door)} for r, p, door in receptacles],
                "objects": [{"name": o, "in": lies, "able": [_ABLE[c] for c in able]} for o, lies, able in objects],
            }), walkthrough  # fmt: skip


def test_every_walkthrough_of_the_training_scenes_wins_and_none_is_shorter_than_the_plan(data_folder: Path) -> None:
    path = data_folder / "alfworld_train_scenes.jsonl.xz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    for number, (scene, walkthrough) in enumerate(alfworld_scenes(path)):
        if number % 12:
            continue
        house = Layout(scene).world()
        shortest = plan(house)
        assert shortest is not None
        for command in walkthrough:
            assert house.step(command) != NOTHING, (scene.id, command)
        assert house.won, scene.id
        assert len(shortest) <= len(walkthrough)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("source", ["generated", "alfworld"])
def test_it_equals_the_real_alfworld(source: str, request: pytest.FixtureRequest) -> None:
    """Text, admissible commands, wins, rewards and ends, on walkthroughs mixed with random, probing and wrong commands.

    `PROOFGYM_ALFWORLD_SCENES` and `PROOFGYM_ALFWORLD_SEED` say how many scenes of which draw.
    """
    python = os.environ.get("PROOFGYM_ALFWORLD_PYTHON")
    if not python:
        pytest.skip("PROOFGYM_ALFWORLD_PYTHON names no Python with alfworld; `make test-all` makes one")
    rng = np.random.default_rng(int(os.environ.get("PROOFGYM_ALFWORLD_SEED", "0")))
    count = int(os.environ.get("PROOFGYM_ALFWORLD_SCENES", "12"))
    if source == "generated":
        scenes = [_filled(generate(rng, float(rng.random())), rng) for _ in range(count)]
        chosen = [(scene, plan(Layout(scene).world()) or []) for scene in scenes]
    else:
        path = request.getfixturevalue("data_folder") / "alfworld_train_scenes.jsonl.xz"
        if not path.is_file():
            pytest.skip(f"no {path.name} in the data folder")
        known = list(alfworld_scenes(path))
        chosen = [known[number] for number in rng.choice(len(known), size=count, replace=False).tolist()]
    asked, ours = [], []
    for scene, walkthrough in chosen:
        house = Layout(scene).world()
        commands = [] if source == "alfworld" else _examinations(scene)
        for command in commands:
            house.step(command)
        commands += _wander(house, list(walkthrough), rng)
        ours.append(_played(scene, commands))
        asked.append(json.dumps({"problem": write_problem(scene), "goal": scene.goal.text, "commands": commands}))
    peer = Path(__file__).with_name("alfworld_peer.py")
    run = subprocess.run([python, str(peer)], input="\n".join(asked), capture_output=True, text=True, check=True)
    theirs = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("[[")]
    assert len(theirs) == len(ours)
    for mine, real in zip(ours, theirs, strict=True):
        assert mine == real


def _filled(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene with things that examining containers tells to be in them, which generated houses have not."""
    data = scene.to_json()
    names = [row["name"] for row in data["objects"]]
    for o, row in zip(scene.objects, data["objects"], strict=True):
        if o.told_inside is not None:
            some = [names[i] for i in rng.permutation(len(names))[: int(rng.integers(3))].tolist()]
            row["shows"] = [name for name in some if name != o.name]
        elif o.kind == "book":
            row["shows"] = []
        if o.kind == "plate":
            row["shows"] = None
    return Scene.load(data)


def _examinations(scene: Scene) -> list[str]:
    """Commands that pick up and examine two containers that show something."""
    boxes = [o for o in scene.objects if o.told_inside]
    return [
        command
        for o in boxes[:2]
        for r in o.inside_of[:1]
        for command in (
            f"go to {r}",
            f"open {r}",
            f"take {o.name} from {r}",
            f"examine {o.name}",
            f"move {o.name} to {r}",
        )
    ]


def _played(scene: Scene, commands: list[str]) -> list[list[Any]]:
    """What our engine says to all the commands, checked against the environment until its episode ends."""
    house = Layout(scene).world()
    env = HouseholdEnv(scene=scene, grammar="strict", pay="sparse", max_turns=len(commands) + 1)
    first, info = env.reset(seed=0)
    said: list[list[Any]] = [[first, info["admissible"], house.won, 0, False]]
    over = False
    for command in commands:
        text = house.step(command)
        said.append([text, list(house.admissible()), house.won, int(house.won), house.won])
        if not over:
            observation, reward, over, _, info = env.step(command)
            assert [observation, reward, over] == [text, float(house.won), house.won]
            assert over or info["admissible"] == said[-1][1]
    return said


def _wander(house: World, walkthrough: list[str], rng: np.random.Generator) -> Iterator[str]:
    """The walkthrough with random steps, probes and mistaken commands between."""
    layout = house.layout
    for _ in range(50):
        listed = house.admissible()
        chance = float(rng.random())
        thing, place = (names[int(rng.integers(len(names)))] for names in (layout.o_name, layout.r_name))
        if chance < 0.12:
            probes = ["look", "inventory", "help", "xyzzy", f"examine {thing}", f"take {thing} from {place}",
                      f"move {thing} to {place}", f"open {place}", f" examine {place} "]  # fmt: skip
            command = probes[int(rng.integers(len(probes)))]
        elif chance < 0.5 and walkthrough and walkthrough[0] in listed:
            command = walkthrough.pop(0)
        else:
            verbs = sorted({each.split(" ")[0] for each in listed})
            verb = verbs[int(rng.integers(len(verbs)))]
            those = [each for each in listed if each.split(" ")[0] == verb]
            command = those[int(rng.integers(len(those)))]
        house.step(command)
        yield command
