"""Quests: rules, spoiled meals, plans through locked doors, and refusals."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from proofgym.envs.worlds.quest import Quest, QuestWorld
from proofgym.errors import BadInput

HOUSE: dict[str, Any] = {
    "rooms": {"kitchen": {"east": "hall"}, "hall": {"west": "kitchen", "north": "cellar"}, "cellar": {"south": "hall"}},
    "doors": [["hall", "north", "iron door", "locked", "iron key"]],
    "holders": [["chest", "hall", "chest", "closed", ""], ["table", "kitchen", "stand", "open", ""]],
    "appliances": {"oven": "kitchen"},
    "items": {"iron key": "chest", "ruby": "cellar", "carrot": "cellar", "knife": "table", "cookbook": "kitchen"},
    "start": "kitchen",
    "goal": {"kind": "find", "item": "ruby"},
}


def changed(**fields: Any) -> dict[str, Any]:
    return {**copy.deepcopy(HOUSE), **fields}


COOK = changed(goal={"kind": "cook", "recipe": {"carrot": ["diced", "roasted"]}})


def test_a_walkthrough_of_a_treasure() -> None:
    world = QuestWorld(HOUSE)
    assert "find the ruby" in world.welcome()
    for command, said in [
        ("go north", "You cannot go north from here."),
        ("Go East.", "-= Hall =-\nThere is a chest; it is closed."),
        ("go north", "The iron door is locked."),
        ("unlock iron door with iron key", "You need the key"),
        ("open the chest", "You open the chest. In it you see an iron key."),
        ("take iron key from chest", "You take the iron key."),
        ("unlock iron door with iron key", "You unlock the iron door"),
        ("open iron door", "You open the iron door."),
        ("go north", "-= Cellar =-"),
    ]:
        listed = world.admissible()
        told = world.step(command)
        assert told.startswith(said), (command, told)
        bare = command.lower().rstrip(".").replace("the ", "")
        assert (bare in listed) == (not told.startswith(("You cannot", "The iron door is", "You need")))
    assert not world.won
    world.step("take ruby")
    assert world.won


def test_the_plan_is_a_shortest_one_here() -> None:
    plan = QuestWorld(HOUSE).plan()
    assert plan == [
        "go east", "open chest", "take iron key from chest", "unlock iron door with iron key", "open iron door",
        "go north", "take ruby",
    ]  # fmt: skip


def test_a_meal_is_cooked_as_the_book_says_or_spoiled_for_ever() -> None:
    env = Quest()
    env.reset(options={"instance": COOK})
    assert "carrot: diced, roasted" in env.step("examine cookbook")[0]
    earned, over = 0.0, False
    while not over:
        _, reward, over, _, info = env.step(env.oracle())
        earned += reward
    assert info["verdict"].correct
    assert earned == pytest.approx(1.0)
    for wrong in ("slice carrot", "twice"):
        env.reset(options={"instance": COOK})
        earned = 0.0
        for command in ["take knife from table", "go east", "open chest", "take iron key from chest",
                        "unlock iron door with iron key", "open iron door", "go north", "take carrot", "go south",
                        "go west", *(["cook carrot with oven"] * 2 if wrong == "twice" else [wrong])]:  # fmt: skip
            _, reward, over, _, info = env.step(command)
            earned += reward
        assert over
        assert not info["verdict"].correct
        assert "spoiled" in info["verdict"].reason
        assert earned == pytest.approx(-1.0)


def test_every_admissible_command_changes_or_tells_something_and_no_other_changes_anything() -> None:
    rng = np.random.default_rng(0)
    env = Quest(level=0.8)
    for index in range(6):
        env.reset(seed=1, options={"index": index})
        world: QuestWorld = env._world
        for _ in range(40):
            listed = world.admissible()
            assert listed == sorted(set(listed))
            for command in listed:
                said = world.copy().step(command)
                assert not said.startswith(("You see no ", "You carry no ", "That is not", "You cannot")), command
            for item in world.where:
                for command in (f"take {item}", f"drop {item}", f"slice {item}"):
                    twin = world.copy()
                    twin.step(command)
                    if twin.state() != world.state():
                        assert any(each.startswith(command) for each in listed), command
            world.step(listed[int(rng.integers(len(listed)))])
            if world.won or world.lost:
                break


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        (changed(rooms={"kitchen": {"east": "hall"}}), "which is no room"),
        (changed(rooms={"kitchen": {"east": "hall"}, "hall": {}}), "no way leads back"),
        (changed(doors=[["hall", "north", "iron door", "locked", ""]]), "needs a key"),
        (changed(items={**HOUSE["items"], "ruby": "moon"}), "no room or holder"),
        (changed(goal={"kind": "find", "item": "moon"}), "'goal' is to find"),
        (changed(appliances={"kettle": "kitchen"}), "'appliances'"),
        (changed(start="moon"), "'start'"),
    ],
)
def test_a_broken_quest_is_refused_with_the_reason(instance: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        QuestWorld(instance)


def test_a_key_behind_its_own_door_is_not_asked() -> None:
    locked_away = changed(items={**HOUSE["items"], "iron key": "cellar"})
    with pytest.raises(BadInput, match="cannot be reached"):
        Quest().reset(options={"instance": locked_away})
