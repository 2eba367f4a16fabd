"""Holes: every attack succeeds before and fails after, and ordinary use works all the time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.code.holes import holes
from proofgym.envs.code.program import Draw, block
from proofgym.envs.code.security import SecurityRepair
from proofgym.verifiers.code import judge

Made = Callable[..., Any]
SLOW = {"CWE-1333"}  # its attacks run into the time limit


def instance(env: Any, cwe: str, seed: int, level: float = 0.5) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 3])
    return dict(json.loads(json.dumps(env.complete(holes()[cwe](Draw(rng, level)), rng))))


def check(env: Any, cwe: str, seed: int) -> None:
    given = instance(env, cwe, seed)
    env.reset(options={"instance": given})
    report = judge(env._code_task, given["broken"], pool=env.pool(), extract=False, patience=20)
    assert {fate.name for fate in report.tests if not fate.passed} == set(given["failing"])
    assert env.step(env.oracle())[1] == 1.0


def test_there_are_many_kinds_of_weakness() -> None:
    assert len(holes()) >= 15
    assert {"CWE-89", "CWE-22", "CWE-78", "CWE-79", "CWE-502", "CWE-918", "CWE-1333"} <= set(holes())


@pytest.mark.parametrize("cwe", sorted(set(holes()) - SLOW))
def test_each_attack_succeeds_before_and_fails_after(made: Made, cwe: str) -> None:
    check(made(SecurityRepair), cwe, 0)


@pytest.mark.slow
@pytest.mark.parametrize("cwe", sorted(holes()))
def test_each_attack_succeeds_before_and_fails_after_however_it_is_drawn(made: Made, cwe: str) -> None:
    for seed in range(1, 12):
        check(made(SecurityRepair), cwe, seed)


@pytest.mark.parametrize("cwe", ["CWE-89", "CWE-22", "CWE-601", "CWE-915"])
def test_refusing_everything_is_no_repair(made: Made, cwe: str) -> None:
    env = made(SecurityRepair)
    env.reset(options={"instance": instance(env, cwe, 0)})
    for answer in ("None", "False", "''", "[]", "{}"):
        _, reward, *_ = env.step(block(f"def {env._code_task.entry}(*args):\n    return {answer}"))
        assert reward == 0.0
        if env._over:
            break


def test_half_a_repair_is_worth_half_of_the_attacks_it_stops(made: Made) -> None:
    env = made(SecurityRepair)
    given = instance(env, "CWE-915", 0)
    env.reset(options={"instance": given})
    attacks = [case for case in env._code_task.cases if case.name in env._failing]
    stopped = attacks[0]
    half = f"{given['broken']}\n_weak = update\n\n\ndef update(profile, changes):\n    if changes == {stopped.args[1]!r}:\n        return {stopped.expected!r}\n    return _weak(profile, changes)\n"
    _, reward, *_ = env.step(block(half))
    assert 0 < reward < 1
    assert reward * len(attacks) == pytest.approx(round(reward * len(attacks)))


def test_below_a_level_the_weakness_is_named_and_above_it_is_not(made: Made) -> None:
    for level, named in ((0.2, True), (0.9, False)):
        env = made(SecurityRepair, level=level)
        given = instance(env, "CWE-79", 0, level)
        given["hint"] = env.complete(
            holes()["CWE-79"](Draw(np.random.default_rng(1), level)), np.random.default_rng(1)
        )["hint"]
        observation, _ = env.reset(options={"instance": given})
        assert ("CWE-79" in observation) == named


def test_attacks_are_never_shown(made: Made) -> None:
    env = made(SecurityRepair)
    for cwe in ("CWE-89", "CWE-601", "CWE-347"):
        observation, _ = env.reset(options={"instance": instance(env, cwe, 0)})
        more = env.step(block(env._broken))[0]
        for case in env._code_task.hidden:
            if case.name in env._failing and len(repr(case.args[-1])) > 8:
                assert repr(case.args[-1]) not in observation + more
