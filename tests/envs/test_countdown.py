"""Countdown: every generated task is solvable, not trivially, and named by its numbers and target."""

from __future__ import annotations

import math

import numpy as np
import pytest

from proofgym.envs.puzzles.environments import Countdown
from proofgym.errors import BadInput


@pytest.mark.parametrize(("level", "size"), [(0.0, 3), (0.5, 5), (1.0, 6)])
def test_tasks_are_solvable_and_not_trivial(level: float, size: int) -> None:
    env = Countdown(level=level)
    for index in range(150):
        env.reset(seed=1, options={"index": index})
        instance = env.state()["instance"]
        numbers, target = instance["numbers"], instance["target"]
        assert len(numbers) == size
        assert 10 <= target <= 999
        assert target not in (*numbers, sum(numbers), math.prod(numbers))
        assert env.step(env.oracle())[1] == 1.0


def test_another_solution_than_the_stored_one_is_right_too() -> None:
    env = Countdown()
    instance = {"numbers": [2, 3, 4, 6], "target": 24, "solution": "2 * 3 * 4"}
    for other, earned in (("6 * 4", 1.0), ("so\nAnswer: 3 * (2 + 6)", 1.0), ("6*4=24", 1.0), ("6 * 4 + 0", 0.0)):
        env.reset(options={"instance": instance})
        assert env.step(other)[1] == earned, other


def test_the_order_of_numbers_and_the_solution_make_no_new_task() -> None:
    env = Countdown()
    one = env.reset(options={"instance": {"numbers": [2, 3, 4], "target": 24}})[1]["task"]["fingerprint"]
    other = {"numbers": [4, 2, 3], "target": 24, "solution": "2 * 3 * 4"}
    assert env.reset(options={"instance": other})[1]["task"]["fingerprint"] == one
    assert env.reset(options={"instance": {"numbers": [2, 3, 4], "target": 25}})[1]["task"]["fingerprint"] != one


def test_a_given_instance_needs_no_solution_and_an_impossible_one_says_so() -> None:
    env = Countdown()
    env.reset(options={"instance": {"numbers": [1, 5, 5, 5], "target": 24}})
    assert env.step(env.oracle())[1] == 1.0
    env.reset(options={"instance": {"numbers": [1, 1], "target": 999}})
    assert env.step("1 + 1")[1] == 0.0
    env.reset(options={"instance": {"numbers": [1, 1], "target": 999}})
    with pytest.raises(BadInput, match="cannot be reached"):
        env.oracle()


def test_duplicates_are_rare() -> None:
    for level, most in ((0.0, 0.12), (0.5, 0.01), (1.0, 0.01)):
        env = Countdown(level=level)
        marks = [env.reset(seed=3, options={"index": i})[1]["task"]["fingerprint"] for i in range(1000)]
        assert 1 - len(set(marks)) / 1000 <= most


def test_no_fixed_expression_earns_more_than_the_floor() -> None:
    env, earned = Countdown(level=0.0), []
    for index in range(2000):
        env.reset(seed=4, options={"index": index})
        earned.append(env.step(("3 + 8", "2 + 9", "10 * 2", "4 * 3 + 2")[index % 4])[1])
    assert np.mean(earned) <= Countdown.floor + 3 * np.sqrt(Countdown.floor / 2000)


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        ({"numbers": [], "target": 10}, "1 to 8"),
        ({"numbers": [1.5], "target": 10}, "whole numbers"),
        ({"numbers": [True], "target": 10}, "whole numbers"),
        ({"numbers": [1, -2], "target": 10}, "whole numbers"),
        ({"numbers": [1] * 9, "target": 10}, "1 to 8"),
        ({"numbers": [1, 2], "target": 3.0}, "'target'"),
        ({"numbers": [1, 2], "target": 3, "solution": "2 + 2"}, "does not reach"),
        ({"numbers": [1, 2], "target": 3, "solution": 3}, "'solution'"),
    ],
)
def test_given_instances_are_checked(instance: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        Countdown().reset(options={"instance": instance})
