"""Functions and classes: the reference earns, other programs do not, and nothing hidden is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.code.families import families
from proofgym.envs.code.function import CodeFunction, task_of
from proofgym.envs.code.program import block, draw_program
from proofgym.errors import BadInput
from proofgym.verifiers.code import CodeTask

Made = Callable[..., Any]


def instance(name: str, seed: int = 0) -> dict[str, Any]:
    program = draw_program(np.random.default_rng([seed, 5]), 0.5, {name: families()[name]})
    return {
        "program": name, "spec": program.spec, "signature": program.signature, "reference": program.source,
        "difficulty": program.difficulty, "task": json.loads(json.dumps(task_of(program).to_json())),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["cache", "account", "queue", "flatten", "postfix", "cheapest_way", "chain_of_text"])
def test_the_reference_earns_everything_and_an_empty_one_nothing(made: Made, name: str) -> None:
    env = made(CodeFunction)
    env.reset(options={"instance": instance(name)})
    assert env.step(env.oracle())[1] == 1.0
    env.reset(options={"instance": instance(name)})
    entry = env._code_task.entry
    body = f"class {entry}:\n    pass" if env._code_task.kind == "class" else f"def {entry}(*a):\n    return None"
    assert env.step(block(body))[1] == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(families()))
def test_the_reference_of_every_family_earns_in_the_sandbox_and_no_cheat_does(made: Made, name: str) -> None:
    env = made(CodeFunction)
    for seed in range(2):
        env.reset(options={"instance": instance(name, seed)})
        assert env.step(env.oracle())[1] == 1.0
        for cheat in env.cheats():
            env.reset(options={"instance": instance(name, seed)})
            assert env.step(cheat)[1] == 0.0, cheat


def test_hidden_cases_are_in_no_observation_and_no_info(made: Made) -> None:
    env = made(CodeFunction, max_turns=3)
    for index in range(6):
        observation, info = env.reset(seed=2, options={"index": index})
        task = env._code_task
        shown = observation + json.dumps(info)
        wrong = block(f"def {task.entry}(*args):\n    return 'zzz'")
        if task.kind == "class":
            wrong = block(f"class {task.entry}:\n    pass")
        more, _, _, _, info = env.step(wrong)
        shown += more + repr(info)
        nearly = (
            env._reference.replace(f"def {task.entry}(", "def _right(")
            + f"\n\ndef {task.entry}(*args):\n    return ['zzz']\n"
        )
        more, _, _, _, info = env.step(block(nearly if task.kind == "function" else wrong))
        shown += more + repr(info)
        for case in task.hidden:
            call = ", ".join(map(repr, case.args))
            if len(call) > 25:
                assert call not in shown
            if len(repr(case.expected)) > 12 and repr(case.expected) not in {repr(c.expected) for c in task.visible}:
                assert repr(case.expected) not in shown


def test_a_verdict_quotes_no_hidden_value(made: Made) -> None:
    """A program that passes what is shown fails on hidden cases only; the log says how many, and not on what."""
    env = made(CodeFunction)
    env.reset(options={"instance": instance("flatten")})
    table = {repr(case.args[0]): case.expected for case in env._code_task.visible}
    *_, info = env.step(block(f"def flatten(data):\n    return {table!r}.get(repr(data), 'zzz')"))
    assert "hidden" in info["verdict"].parts
    assert "zzz" not in info["verdict"].reason
    assert info["verdict"].reason == "3 of 15 cases passed, 12 failed"


def test_feedback_says_which_visible_case_failed_and_how(made: Made) -> None:
    env = made(CodeFunction, max_turns=4)
    env.reset(options={"instance": instance("lift")})
    first = env._code_task.visible[0]
    observation, reward, terminated, truncated, info = env.step(block("def lift(calls):\n    return -7"))
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert f"call: lift({first.args[0]!r})" in observation
    assert f"expected: {first.expected!r}" in observation
    assert "got: -7" in observation
    observation, reward, *_ = env.step(block("def lift(calls):\n    print('here')\n    return 1 / 0"))
    assert "ZeroDivisionError" in observation
    observation, reward, *_ = env.step("I do not know.")
    assert "Not accepted" in observation
    observation, reward, terminated, _, info = env.step(env.oracle())
    assert (reward, terminated) == (1.0, True)
    assert info["verdict"].correct


def test_passing_what_is_shown_is_not_enough(made: Made) -> None:
    env = made(CodeFunction, max_turns=2)
    env.reset(options={"instance": instance("lift")})
    table = {str(case.args[0]): case.expected for case in env._code_task.visible}
    observation, reward, *_ = env.step(block(f"def lift(calls):\n    return {table!r}.get(str(calls), 0)"))
    assert reward == 0.0
    assert "All 3 visible cases passed. Some hidden cases did not." in observation


def test_qualities_are_measured_where_asked_and_change_no_reward(made: Made) -> None:
    env = made(CodeFunction, quality=("length", "complexity"))
    env.reset(options={"instance": instance("lift")})
    _, reward, _, _, info = env.step(env.oracle())
    assert reward == info["verdict"].score == 1.0
    assert any(name.startswith("length") for name in info["verdict"].parts)
    assert any(name.startswith("complexity") for name in info["verdict"].parts)
    plain = made(CodeFunction)
    plain.reset(options={"instance": instance("lift")})
    assert set(plain.step(plain.oracle())[4]["verdict"].parts) == {"passed", "hidden"}


def test_partial_pays_the_share_of_hidden_cases_once(made: Made) -> None:
    env = made(CodeFunction, partial=True, max_turns=3)
    env.reset(options={"instance": instance("lift")})
    assert env.floor > 0
    hidden = env._code_task.hidden
    value = hidden[0].expected
    share = sum(case.expected == value for case in hidden) / len(hidden)
    constant = block(f"def lift(calls):\n    return {value}")
    assert env.step(constant)[1] == pytest.approx(share)
    assert env.step(constant)[1] == 0.0, "the same again earns nothing"
    assert env.step(env.oracle())[1] == pytest.approx(1 - share)


def test_a_fork_between_turns_remembers_what_was_paid(made: Made) -> None:
    env = made(CodeFunction, partial=True, max_turns=3)
    env.reset(options={"instance": instance("lift")})
    value = env._code_task.hidden[0].expected
    env.step(block(f"def lift(calls):\n    return {value}"))
    fork = env.fork()
    assert fork.state() == env.state()
    assert fork.step(env.oracle()) == env.step(env.oracle())


def test_items_are_remembered_without_mixing_levels_or_splits(made: Made) -> None:
    seen = {}
    for level in (0.0, 1.0):
        for split in ("train", "test"):
            env = made(CodeFunction, level=level, split=split)
            texts = [[env.reset(seed=4, options={"index": i})[0] for i in range(4)] for _ in range(2)]
            assert texts[0] == texts[1]
            env.reset(seed=4, options={"index": 1})
            after = env.np_random.bit_generator.state
            env.reset(seed=4, options={"index": 1})
            assert env.np_random.bit_generator.state == after
            seen[level, split] = tuple(texts[0])
    assert len(set(seen.values())) == 4


@pytest.mark.parametrize("change", [{"cases": []}, {"kind": "stdio"}, {"entry": ""}, {"cases": [{"args": [1]}] * 2001}])
def test_a_broken_task_is_refused_by_its_field(made: Made, change: dict[str, Any]) -> None:
    env = made(CodeFunction)
    bad = instance("lift")
    bad["task"] = {**bad["task"], **change}
    with pytest.raises(BadInput, match=r"task\.|entry|cases"):
        env.reset(options={"instance": bad})


def test_the_task_of_a_program_is_json_and_back() -> None:
    for name in ("cache", "flatten"):
        task = task_of(draw_program(np.random.default_rng(1), 0.5, {name: families()[name]}))
        assert CodeTask.from_json(json.loads(json.dumps(task.to_json()))) == task
