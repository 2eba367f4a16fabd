"""PuzzleMix: weights, levels, and the same tasks as the families themselves."""

from __future__ import annotations

from collections import Counter

import pytest

import proofgym
from proofgym.envs.puzzles.mix import PuzzleMix
from proofgym.errors import BadInput


def test_families_are_drawn_by_weight_and_paid_as_by_themselves() -> None:
    env = PuzzleMix(families={"LightsOut": 3, "ShortestPath": 1, "LightsOutSteps": 1})
    drawn: Counter[str] = Counter()
    for index in range(100):
        env.reset(seed=1, options={"index": index})
        name = env.task.instance["puzzle"]
        drawn[name] += 1
        alone = proofgym.make(name)
        asked, info = alone.reset(options={"instance": env.task.instance["instance"]})
        assert asked == env.reset(options={"instance": env.task.instance})[0]
        assert info["task"]["fingerprint"] == env.task.fingerprint
        reward, over = 0.0, False
        while not over:
            _, gained, terminated, truncated, _ = env.step(env.oracle())
            reward, over = reward + gained, terminated or truncated
        assert reward == pytest.approx(1.0)
    assert 45 <= drawn["LightsOut"] <= 75
    assert drawn["ShortestPath"] > 8
    assert drawn["LightsOutSteps"] > 8


def test_levels_may_differ_by_family_and_change_on_the_way() -> None:
    env = PuzzleMix(families=["LightsOut", "ShortestPath"], levels={"LightsOut": 1.0}, level=0.0)
    sizes = {"LightsOut": set(), "ShortestPath": set()}  # type: dict[str, set[int]]
    for index in range(40):
        env.reset(seed=2, options={"index": index})
        instance = env.task.instance["instance"]
        sizes[env.task.instance["puzzle"]].add(instance.get("nodes") or len(instance["board"]))
    assert sizes == {"LightsOut": {5}, "ShortestPath": {6}}
    env.set_level(1.0)
    env.set_level(0.0, "LightsOut")
    for index in range(40):
        env.reset(seed=3, options={"index": index})
        instance = env.task.instance["instance"]
        sizes[env.task.instance["puzzle"]].add(instance.get("nodes") or len(instance["board"]))
    assert sizes == {"LightsOut": {3, 5}, "ShortestPath": {6, 18}}


def test_an_episode_of_moves_has_its_own_limit() -> None:
    env = PuzzleMix(families=["LightsOutSteps"])
    env.reset(seed=1)
    turns = 0
    over = False
    while not over:
        *_, terminated, truncated, _ = env.step("r1c1")
        turns, over = turns + 1, terminated or truncated
    assert turns == 40


def test_mistaken_mixes_are_told_in_words() -> None:
    for families, said in (({"Sudokku": 1}, "Sudokku"), ({"LightsOut": 0}, "positive"), ([], "positive")):
        with pytest.raises(BadInput, match=said):
            PuzzleMix(families=families)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="ShortestPath"):
        PuzzleMix(families=["LightsOut"], levels={"ShortestPath": 0.5})
    with pytest.raises(BadInput, match="level"):
        PuzzleMix(families=["LightsOut"], levels={"LightsOut": (0.5, 0.2)})
