"""The laboratory: processes, sub-goals of every task, fatal mistakes, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from proofgym.envs.worlds.lab import TASKS, Lab, LabWorld
from proofgym.errors import BadInput

MELT: dict[str, Any] = {
    "task": "melt",
    "things": {"butter": ["substance", "kitchen"], "tin cup": ["cup", "kitchen"], "bell": ["lifeless", "kitchen"],
               "thermometer": ["thermometer", "kitchen"]},
    "start": "kitchen",
    "names": {"thing": "butter", "cup": "tin cup", "tool": "stove", "focus": "butter"},
}  # fmt: skip


def test_butter_melts_on_the_stove_and_the_score_follows() -> None:
    world = LabWorld(MELT)
    assert "melt the butter" in world.welcome()
    for command, said, score in [
        ("take butter", "You take the butter.", 0),
        ("put butter in stove", "The butter cannot be put in stove.", 0),
        ("put the butter in the tin cup", "You put the butter in the tin cup.", 20),
        ("take tin cup", "You take the tin cup.", 20),
        ("put tin cup in stove", "You put the tin cup in the stove.", 50),
        ("look at butter", "You see: solid butter.", 50),
        ("turn on stove", "You turn on the stove.", 80),
        ("look at stove", "You see: stove (on) with tin cup with liquid butter.", 80),
        ("take thermometer", "You take the thermometer.", 80),
        ("measure butter", "The thermometer shows 95 degrees; the butter is liquid.", 80),
        ("xyzzy", "That is not a command. Write 'help' to see them.", 80),
        ("focus on butter", "You focus on the butter.", 100),
    ]:
        assert world.step(command) == said, command
        assert world.score == score
    assert world.won


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_expert_earns_the_maximum_on_every_task(task: str) -> None:
    for level in (0.0, 1.0):
        env = Lab(tasks=[task], level=level)
        for index in range(4):
            env.reset(seed=3, options={"index": index})
            earned, over, scores = 0.0, False, [0]
            while not over:
                command = env.oracle()
                assert command in env.admissible()
                _, reward, terminated, truncated, info = env.step(command)
                assert reward >= 0.0
                earned, over = earned + reward, terminated or truncated
                scores.append(env._world.score)
            assert scores == sorted(scores)
            assert info["verdict"].correct
            assert earned == pytest.approx(1.0)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_points_add_up_to_a_hundred(task: str) -> None:
    env = Lab(tasks=[task])
    env.reset(seed=1)
    assert sum(goal.points for goal in env._world.goals) == 100
    assert "{" not in env._world.welcome()


def test_a_wrong_focus_and_a_wrong_box_end_the_episode_at_minus_one() -> None:
    env = Lab()
    env.reset(options={"instance": MELT})
    env.step("take butter")
    env.step("put butter in tin cup")
    _, reward, over, _, info = env.step("focus on bell")
    assert over
    assert reward == pytest.approx(-1.2)
    assert info["verdict"].reason == "it was the bell that was focused on"
    env = Lab(tasks=["conductor"])
    env.reset(seed=5)
    wrong, thing = env._world.names["wrong box"], env._world.names["thing"]
    over = False
    while not over:
        world: LabWorld = env._world
        _, _, over, _, info = env.step(world.bring(thing, wrong))
    assert not info["verdict"].correct
    assert "lies in the" in info["verdict"].reason


def test_no_current_without_a_loop_and_none_through_wood() -> None:
    things = {name: [kind, "workshop"] for name, kind in (
        ("battery", "battery"), ("lamp", "lamp"), ("black wire", "wire"), ("orange wire", "wire"),
        ("wooden spoon", "sample"), ("iron nail", "sample"))}  # fmt: skip
    for thing, shines in (("wooden spoon", False), ("iron nail", True)):
        names = {"thing": thing, "right box": "red box", "wrong box": "blue box"}
        world = LabWorld({"task": "conductor", "things": things, "start": "workshop", "names": names})
        for one, other in (
            ("battery", "black wire"),
            ("black wire", thing),
            (thing, "orange wire"),
            ("orange wire", "lamp"),
        ):
            world.step(f"connect {one} to {other}")
            assert not world.lit()
        world.step("connect lamp to battery")
        assert world.lit() == shines


def test_a_flower_bears_no_fruit_without_bees() -> None:
    env = Lab(tasks=["fruit"])
    env.reset(seed=2)
    world: LabWorld = env._world.copy()
    seed, pot = world.names["seed"], world.names["pot"]
    world.at.update({seed: pot, "watering can": "hand", "bees": "living room"})
    world.place = world.room_of(pot)
    for _ in range(8):
        world.step(f"water {pot}")
    assert world.stage[seed] == 3
    world.at["bees"] = world.place
    world.step("wait")
    assert world.stage[seed] == 4


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"task": "win"}, "'task' is one of"),
        ({"start": "moon"}, "'start' is one of"),
        ({"things": {"butter": ["cheese", "kitchen"]}}, "no known kind"),
        ({"things": {"butter": ["substance", "moon"]}}, "which is not there"),
        ({"names": {}}, "which the instance lacks"),
    ],
)
def test_a_broken_laboratory_is_refused_with_the_reason(change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        LabWorld({**MELT, **change})
