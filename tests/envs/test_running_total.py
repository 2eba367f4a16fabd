"""RunningTotal: the two styles, and what each asks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from proofgym.envs.math.running_total import RunningTotal
from proofgym.errors import BadInput


def test_the_bare_style_is_the_digits_and_nothing_else() -> None:
    env = RunningTotal(style="bare")
    observation, _ = env.reset(options={"instance": {"digits": "31415926535"}})
    assert observation == "31415926535"
    assert env.oracle() == "4894351694"
    assert env.step("4894351694")[1] == 1.0


def test_the_prose_style_explains_and_allows_blanks() -> None:
    env = RunningTotal()
    observation, _ = env.reset(options={"instance": {"digits": "31415926535"}})
    assert "Start from 3" in observation
    assert "1 4 1 5 9 2 6 5 3 5" in observation
    assert env.step(" 4 8 9 4 3\n5 1 6 9 4\n")[1] == 1.0
    env.reset(options={"instance": {"digits": "2944"}})
    assert env.step("159")[1] == 1.0, "the example of the prompt is right"


def test_in_the_bare_style_a_blank_is_not_a_digit() -> None:
    env = RunningTotal(style="bare")
    env.reset(options={"instance": {"digits": "31415926535"}})
    assert env.step("48 94351694")[1] == pytest.approx(0.2)


@pytest.mark.parametrize("steps", [1, 3, 49, 200])
def test_any_number_of_steps_adds_up_to_exactly_one(steps: int) -> None:
    env = RunningTotal(style="bare", steps=steps)
    env.reset(seed=1)
    *_, info = env.step(env.oracle())
    assert sum(credit.value > 0 for credit in info["credits"]) == steps
    assert info["reward_terms"]["step"] == pytest.approx(1.0, abs=1e-12)
    assert info["verdict"].correct


def test_digits_written_blindly_earn_a_tenth() -> None:
    env, rng = RunningTotal(style="bare"), np.random.default_rng(0)
    policies: list[Callable[[], str]] = [lambda: "0" * 10, lambda: "".join(map(str, rng.integers(10, size=10)))]
    for policy in policies:
        earned = []
        for index in range(1500):
            env.reset(seed=2, options={"index": index})
            earned.append(env.step(policy())[1])
        assert np.mean(earned) == pytest.approx(RunningTotal.floor, abs=4 * np.std(earned) / np.sqrt(1500))


def test_difficulty_is_the_share_of_steps_that_pass_ten() -> None:
    env = RunningTotal()
    assert env.reset(options={"instance": {"digits": "00000"}})[1]["task"]["difficulty"] == 0.0
    assert env.reset(options={"instance": {"digits": "99999"}})[1]["task"]["difficulty"] == 1.0
    assert env.reset(options={"instance": {"digits": "55550"}})[1]["task"]["difficulty"] == 0.5


@pytest.mark.parametrize("digits", ["3", "", "31x", "٣١", 314, None, "1" * 202])
def test_instances_that_are_no_digits_are_refused(digits: object) -> None:
    with pytest.raises(BadInput, match="a start and then 1 to 200 to add"):
        RunningTotal().reset(options={"instance": {"digits": digits}})


def test_styles_and_lengths_are_checked() -> None:
    with pytest.raises(BadInput, match="bare, prose"):
        RunningTotal(style="verse")  # type: ignore[arg-type]
    for steps in (0, 201):
        with pytest.raises(BadInput, match="1 to 200"):
            RunningTotal(steps=steps)
