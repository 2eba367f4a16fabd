"""The tutor: steps are judged, pay telescopes, and nothing that repeats or guesses earns."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.math.algebra import Algebra
from proofgym.envs.math.arithmetic import Arithmetic
from proofgym.envs.math.lessons import LinearLesson, QuadraticLesson, SystemLesson
from proofgym.envs.math.tutor import MISTAKE, MathTutor
from proofgym.errors import BadInput

# 2(x + 3) + 4 = 5x - 2 has the solution 4; x^2 - 2x - 24 = 0 has -4 and 6; x + y = 5, 2x - y = 4 has (3, 2).
LINEAR = {"kind": "linear", "numbers": [2, 3, 4, 5, 0, -2], "wording": 0}
QUADRATIC = {"kind": "quadratic", "numbers": [1, -2, -24], "wording": 0}
SYSTEM = {"kind": "system", "numbers": [2, 1, 1, 5, 2, -1, 4], "wording": 0}
ARITHMETIC = {"kind": "arithmetic", "expression": "2 * 3 + 4 * 5 - 1", "wording": 0}


def play(instance: dict[str, Any], *actions: str) -> tuple[list[float], MathTutor, dict[str, Any], bool]:
    env = MathTutor()
    env.reset(options={"instance": instance})
    names = "".join(getattr(env._lesson, "names", getattr(env._lesson, "name", "")))
    letters = dict(zip("xyz", names, strict=False))
    rewards: list[float] = []
    info: dict[str, Any] = {}
    over = False
    for action in actions:
        _, reward, terminated, truncated, info = env.step(
            re.sub(r"(?<![a-z\\])[xyz](?![a-z])", lambda at: letters.get(at[0], at[0]), action)
        )
        rewards.append(round(reward, 10))
        over = terminated or truncated
    return rewards, env, info, over


@pytest.mark.parametrize(
    ("instance", "actions", "wanted"),
    [
        (LINEAR, ["2x + 10 = 5x - 2", "12 = 3x", "x = 4"], [0.25, 0.5, 0.25]),
        (LINEAR, ["Collect terms: $-3x = -12$.", "x = 4"], [0.75, 0.25]),
        (LINEAR, ["x = 12/3", r"x = \frac{4}{1}", "4 = x"], [0.75, 0.0, 0.25]),
        (LINEAR, [r"\boxed{4}"], [1.0]),
        (LINEAR, ["#### x = 4"], [1.0]),
        (QUADRATIC, ["(x - 6)(x + 4) = 0", "x = 6 or x = -4"], [0.5, 0.5]),
        (QUADRATIC, ["(x - 1)^2 = 25", "x = 1 ± 5", "x = 6, x = -4"], [0.5, 0.0, 0.5]),
        (QUADRATIC, [r"x = \frac{2 \pm \sqrt{100}}{2}", "x = -4 or x = 6"], [0.5, 0.5]),
        (QUADRATIC, ["x^2 = 2x + 24", "x = 6", "x = 6 or x = -4"], [0.0, 0.0, 1.0]),
        (QUADRATIC, ["x^2 - 2x - 24 = 0 or 0 = 0", "x = 6 or x = -4"], [0.0, 1.0]),
        (SYSTEM, ["3x = 9", "x = 3", "y = 2"], [0.3333333333, 0.3333333333, 0.3333333333]),
        (SYSTEM, ["y = 5 - x", "2x - (5 - x) = 4", "x = 3, y = 2"], [0.0, 0.3333333333, 0.6666666667]),
        (SYSTEM, ["(x, y) = (3, 2)"], [1.0]),
        (ARITHMETIC, ["6 + 4 * 5 - 1", "= 6 + 20 - 1 = 26 - 1", "25"], [0.25, 0.5, 0.25]),
    ],
)
def test_a_derivation_earns_one_however_it_is_cut(
    instance: dict[str, Any], actions: list[str], wanted: list[float]
) -> None:
    rewards, _, info, over = play(instance, *actions)
    assert rewards == pytest.approx(wanted, abs=1e-9)
    assert over
    assert info["verdict"].correct


@pytest.mark.parametrize(
    ("instance", "lines"),
    [
        (
            LINEAR,
            [
                "2(x + 3) + 4 = 5x - 2",
                "x = x",
                "0 = 0",
                "2 + 2 = 4",
                "4 = 4",
                "2x + 6 + 4 = 5x - 2",
                "x - x = 0",
                "2(x + 3) + 4 + x = 6x - 2",
                "x + 1 = x + 1",
                "4(x + 3) + 8 = 10x - 4",
            ],
        ),
        (
            QUADRATIC,
            ["x^2 - 2x - 24 = 0", "2x^2 - 4x - 48 = 0", "x^2 - 2x = 24", "0 = 0", "(x - x)(x + 1) = 0", "x = 6"],
        ),
        (SYSTEM, ["x + y = 5", "2x + 2y = 10", "x - x = 0", "3x + 0y = 3x", "x + y + 1 = 6", "3 = 3", "y = 5 - x"]),
        (ARITHMETIC, ["2 * 3 + 4 * 5 - 1", "2 * 3 + 4 * 5 - 1 + 0", "25 + 0 + 0 + 0 + 0", "1 * (2 * 3 + 4 * 5 - 1)"]),
    ],
)
def test_true_lines_that_lead_nowhere_earn_nothing(instance: dict[str, Any], lines: list[str]) -> None:
    rewards, env, _, _ = play(instance, *lines)
    assert rewards == [0.0] * len(lines)
    assert env.potential() == 0.0


@pytest.mark.parametrize(
    ("instance", "line"),
    [
        (LINEAR, "x = 5"),
        (LINEAR, "2x = 5"),
        (LINEAR, "2 + 2 = 5"),
        (QUADRATIC, "(x - 6)(x - 4) = 0"),
        (QUADRATIC, "x = 6 or x = 4"),
        (QUADRATIC, "x = 7"),
        (SYSTEM, "x = 4"),
        (SYSTEM, "x + y = 6"),
        (ARITHMETIC, "24"),
        (ARITHMETIC, "6 + 20"),
        (SYSTEM, "x = 3, y = 3"),
    ],
)
def test_a_step_that_does_not_follow_costs_and_the_third_ends_it(instance: dict[str, Any], line: str) -> None:
    rewards, _, info, over = play(instance, line, line, line)
    assert rewards == pytest.approx([-MISTAKE] * 3)
    assert over
    assert info["verdict"].score == 0.0
    assert info["reward_terms"] == {"mistake": pytest.approx(-MISTAKE)}


@pytest.mark.parametrize(
    "line",
    [
        "(x - 1)(x - 2)(x - 3)(x - 4) = 0",
        "x > 3",
        "x^2 = 16",
        "y = 4",
        "I think it is 4",
        "x = ",
        "9^{9^{9^9}} = x",
        "x = 1/0",
        "x(x - 4) = 0",
        r"x \ne 3",
        "",
        "x \\in \\{1, 2, 3, 4, 5\\",
        "4",
    ],
)
def test_what_would_only_narrow_the_guess_is_not_judged(line: str) -> None:
    rewards, env, info, over = play(LINEAR, line)
    assert rewards == [0.0]
    assert not over
    assert env.potential() == 0.0
    assert "verdict" not in info


def test_a_wrong_final_answer_ends_the_episode_with_what_was_earned() -> None:
    rewards, _, info, over = play(LINEAR, "12 = 3x", r"\boxed{5}")
    assert rewards == [0.75, 0.0]
    assert over
    assert info["verdict"].score == pytest.approx(0.75)
    assert info["verdict"].parts["answer"] == 0.0


@pytest.mark.parametrize("cheat", [r"\boxed{2 * 3 + 4 * 5 - 1}", "#### 6 + 20 - 1", "the answer is 26 - 1"])
def test_a_final_answer_is_worked_out(cheat: str) -> None:
    rewards, _, _, over = play(ARITHMETIC, cheat)
    assert rewards == [0.0]
    assert over


def test_a_mistake_is_never_won_back() -> None:
    rewards, _, info, over = play(LINEAR, "x = 5", "12 = 3x", "x = 4")
    assert sum(rewards) == pytest.approx(1.0 - MISTAKE)
    assert over
    assert info["verdict"].score == pytest.approx(1.0 - MISTAKE)
    assert info["verdict"].parts == {"answer": 1.0, "sound": 0.0}


@pytest.mark.parametrize("kind", ["arithmetic", "linear", "quadratic", "system"])
def test_pay_telescopes_on_random_walks(kind: str) -> None:
    rng = np.random.default_rng(3)
    for index in range(25):
        env = MathTutor(kinds=[kind], level=float(rng.random()))
        env.reset(seed=8, options={"index": index})
        lesson = env._current()
        total, over = 0.0, False
        while not over:
            wrong = "1 = 2" if kind != "arithmetic" else "123456789"
            action = str(rng.choice([*lesson.lines, lesson.question.splitlines()[0], wrong, "what?"]))
            _, reward, terminated, truncated, info = env.step(action)
            total, over = total + reward, terminated or truncated
            assert total == pytest.approx(env.potential(), abs=1e-9)
            assert info["potential"] == pytest.approx(total, abs=1e-9)
        assert total <= 1.0 + 1e-12
        assert max(0.0, total) == pytest.approx(info["verdict"].score, abs=1e-9)


@given(
    st.lists(
        st.sampled_from(["2x + 10 = 5x - 2", "12 = 3x", "x + y = 3", "3x = 12", "0 = 0", "x = 12/3", "2 = 2"]),
        max_size=12,
    )
)
def test_no_order_of_true_lines_earns_more_than_the_way_itself(lines: list[str]) -> None:
    rewards, env, _, _ = play(LINEAR, *lines)
    assert sum(rewards) == pytest.approx(env.potential())
    assert sum(rewards) <= 0.75 + 1e-9


@given(st.text(max_size=60))
def test_any_text_is_judged(text: str) -> None:
    for instance in (LINEAR, QUADRATIC, SYSTEM, ARITHMETIC):
        env = MathTutor()
        env.reset(options={"instance": instance})
        _, reward, *_ = env.step(text)
        assert reward <= 1.0


@pytest.mark.parametrize("numbers", [[1, 0, 0, 0, 0, 5], [2, 0, 1, 2, 0, 5], [0, 0, 1, 0, 0, 1]])
def test_an_equation_that_is_no_task_is_refused(numbers: list[int]) -> None:
    with pytest.raises(BadInput):
        MathTutor().reset(options={"instance": {"kind": "linear", "numbers": numbers, "wording": 0}})


def test_lessons_measure_what_is_left() -> None:
    linear = LinearLesson((2, 3, 4, 5, 0, -2), "x")
    assert linear.solution == Fraction(4)
    distances = [
        linear.judge(line, ()).distance for line in (linear.question, "2x + 10 = 5x - 2", "-3x = -12", "x = 4")
    ]
    assert distances == [4, 3, 1, 0]
    assert QuadraticLesson((1, -2, -24), "x").start == 2
    system = SystemLesson((3, 1, 1, 1, 6, 1, -1, 1, 2, 2, 1, -1, 1), "xyz")
    assert system.start == 5
    assert system.judge("2y = 4", ()).distance == 3
    assert system.judge("y = 2", ()).distance == 2


def test_tasks_are_those_of_algebra_and_arithmetic() -> None:
    algebra, arithmetic, tutor = Algebra(), Arithmetic(), MathTutor()
    for index in range(40):
        _, info = tutor.reset(seed=2, options={"index": index})
        instance = tutor.state()["instance"]
        other = arithmetic if instance["kind"] == "arithmetic" else algebra
        asked = {"expression": instance["expression"]} if other is arithmetic else instance
        assert other.reset(options={"instance": asked})[1]["task"]["fingerprint"] == info["task"]["fingerprint"]


def test_a_fork_in_mid_derivation_goes_on_alike() -> None:
    env = MathTutor()
    for instance in (LINEAR, SYSTEM, ARITHMETIC):
        env.reset(options={"instance": instance})
        env.step(env.oracle())
        env.step("nonsense")
        fork = env.fork()
        assert fork.state() == env.state()
        assert fork.step(fork.oracle()) == env.step(env.oracle())
