"""The calculator: exact, bounded, free, and no way to an answer that was not given."""

from __future__ import annotations

import time
from typing import Any

import pytest

from proofgym.envs.math.calculator import MathCalculator
from proofgym.envs.math.number_theory import NumberTheory
from proofgym.envs.math.word_problem import WordProblem
from proofgym.errors import BadInput

SHARING = {"family": "word_problem", "kind": "sharing", "numbers": [0, 8, 9, 18, 9], "wording": 0}  # the answer is 6


def asked(**kwargs: Any) -> MathCalculator:
    env = MathCalculator(**kwargs)
    env.reset(options={"instance": SHARING})
    return env


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("8 * 9 - 18", "= 54"),
        ("(8 * 9 - 18) / 9", "= 6"),
        ("7 / 2", "= 7/2"),
        ("1 / 3 + 1 / 6", "= 1/2"),
        (" 2\n+ 3 ", "= 5"),
        ("6 × 7 ÷ 2", "= 21"),
        ("1/0", "divides by zero"),
        ("9**9**9", "cannot be calculated"),
        ("2^10", "cannot be calculated"),
        ("__import__('os').abort()", "cannot be calculated"),
        ("open('/etc/passwd')", "cannot be calculated"),
        ("1e400", "cannot be calculated"),
        ("٤ + 1", "cannot be calculated"),
        ("9" * 50, "at most 20 digits"),
        ("(" * 200, "cannot be calculated"),
        ("", "cannot be calculated"),
        ("x + 1", "cannot be calculated"),
        ("*".join(["99999999999999999999"] * 15), " = "),
    ],
)
def test_a_call_is_answered_exactly_or_with_the_reason(call: str, said: str) -> None:
    env = asked()
    started = time.perf_counter()
    observation, reward, terminated, truncated, info = env.step(f"Let me see: <calc>{call}</calc>")
    assert time.perf_counter() - started < 0.5
    assert said in observation
    assert reward == 0.0
    assert not terminated
    assert not truncated
    assert "verdict" not in info
    assert env.observation_space.contains(observation)


def test_calls_cost_nothing_and_the_answer_ends_it() -> None:
    env = asked()
    for call in ("8 * 9", "72 - 18", "54 / 9"):
        assert env.step(f"<calc>{call}</calc>")[1] == 0.0
    _, reward, terminated, _, info = env.step(r"So each child gets \boxed{6}.")
    assert (reward, terminated, info["verdict"].correct) == (1.0, True, True)


def test_the_calculator_is_limited_and_says_so() -> None:
    env = asked(calls=2, max_turns=5)
    said = [env.step("<calc>1 + 1</calc>")[0] for _ in range(3)]
    assert "1 call left" in said[0]
    assert "0 calls left" in said[1]
    assert "answers no more" in said[2]
    assert "= 2" not in said[2]
    assert env.step(r"\boxed{6}")[1] == 1.0


def test_calls_alone_are_no_answer() -> None:
    env = asked(max_turns=3)
    for _ in range(2):
        env.step(r"<calc>54 / 9</calc> \boxed{6}")
    _, reward, terminated, truncated, info = env.step(r"<calc>54 / 9</calc> \boxed{6}")
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert not info["verdict"].correct


@pytest.mark.parametrize(
    "answer", ["<calc>6", "</calc>6<calc>", "<calc></calc", "&lt;calc&gt;6&lt;/calc&gt;", "54 / 9", "9 + 9"]
)
def test_what_is_no_call_is_an_answer_and_a_wrong_one_earns_nothing(answer: str) -> None:
    _, reward, terminated, _, _ = asked().step(answer)
    assert terminated
    assert reward == 0.0


def test_the_last_call_of_a_turn_counts_and_floods_are_cheap() -> None:
    env = asked()
    assert env.step("<calc>1 + 1</calc> and <calc>2 + 2</calc>")[0].startswith("2 + 2 = 4")
    started = time.perf_counter()
    env.step("<calc>" * 1300)
    assert time.perf_counter() - started < 0.5
    env = asked()
    env.step("<calc>1</calc>" * 580)
    assert time.perf_counter() - started < 1.0


def test_tasks_are_those_of_the_families() -> None:
    env, sources = MathCalculator(), {"word_problem": WordProblem(), "number_theory": NumberTheory()}
    families = set()
    for index in range(40):
        _, info = env.reset(seed=2, options={"index": index})
        instance = env.state()["instance"]
        families.add(instance["family"])
        inner = {key: value for key, value in instance.items() if key != "family"}
        found = sources[instance["family"]].reset(options={"instance": inner})[1]["task"]
        assert found["fingerprint"] == info["task"]["fingerprint"]
        assert found["split"] == info["task"]["split"]
    assert families == set(sources)


def test_a_fork_keeps_the_calls_that_are_left() -> None:
    env = asked(calls=2)
    env.step("<calc>1 + 1</calc>")
    fork = env.fork()
    fork.step("<calc>1 + 1</calc>")
    assert "0 calls left" in env.step("<calc>1 + 1</calc>")[0]
    assert "no more" in fork.step("<calc>1 + 1</calc>")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"families": ["algebra"]}, "among"), ({"families": []}, "among"), ({"calls": 0}, "at least once")],
)
def test_arguments_that_cannot_be_used_are_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        MathCalculator(**arguments)
