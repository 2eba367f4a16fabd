"""Optimising: right and fast earns, right and slow does not, fast and wrong does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.code.optimize import FACTOR, CodeOptimize
from proofgym.envs.code.program import Draw, block
from proofgym.envs.code.slow import SLOW
from proofgym.errors import BadInput, Unjudged

Made = Callable[..., Any]


def instance(env: Any, name: str, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 3])
    made = env.complete((SLOW[name](Draw(rng, 0.5)), 0.5), rng)
    assert made is not None
    return dict(made)


@pytest.mark.parametrize("name", sorted(SLOW))
def test_the_fast_way_earns_and_the_given_program_does_not(made: Made, name: str) -> None:
    env = made(CodeOptimize)
    given = instance(env, name)
    env.reset(options={"instance": given})
    _, reward, _, _, info = env.step(env.oracle())
    assert reward == 1.0
    assert info["verdict"].correct
    assert env.measured.given_s > 2 * FACTOR * env.measured.answer_s, "the fast way lies well beyond the border"
    env.reset(options={"instance": given})
    _, reward, _, _, info = env.step(block(given["slow"]))
    assert reward == 0.0
    assert "not three times as fast" in info["verdict"].reason


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SLOW))
def test_the_fast_way_lies_beyond_the_border_however_it_is_drawn(made: Made, name: str) -> None:
    env = made(CodeOptimize)
    for seed in range(1, 10):
        env.reset(options={"instance": instance(env, name, seed)})
        assert env.step(env.oracle())[1] == 1.0
        assert env.measured.given_s > 1.5 * FACTOR * env.measured.answer_s


def test_a_program_that_is_fast_and_wrong_on_the_large_case_earns_nothing(made: Made) -> None:
    env = made(CodeOptimize, max_turns=2)
    given = instance(env, "best_stretch")
    env.reset(options={"instance": given})
    body = "return 0 if len(numbers) > 50 else _slow(numbers)"
    cheat = f"{given['slow']}\n_slow = stretch\n\n\ndef stretch(numbers):\n    {body}\n"
    observation, reward, _, _, info = env.step(block(cheat))
    assert reward == 0.0
    assert "wrong or beyond the limits" in info["verdict"].reason
    assert "not fast enough" in observation


def test_a_program_that_forgets_the_small_cases_is_told_so(made: Made) -> None:
    env = made(CodeOptimize, max_turns=2)
    env.reset(options={"instance": instance(env, "best_stretch")})
    observation, reward, *_ = env.step(block("def stretch(numbers):\n    return -1"))
    assert reward == 0.0
    assert "visible cases passed" in observation


def test_a_given_program_that_fails_its_own_case_is_no_verdict(made: Made) -> None:
    env = made(CodeOptimize)
    given = instance(env, "counted_pairs", 4)
    given["large"] = {**given["large"], "expected": -1}
    given["spec"] += " "  # a fingerprint of its own
    env.reset(options={"instance": {**given, "spec": given["spec"] + "Really."}})
    with pytest.raises(Unjudged, match="given program"):
        env.step(env.oracle())


def test_part_of_being_fast_is_not_for_sale(made: Made) -> None:
    with pytest.raises(BadInput, match="partial"):
        made(CodeOptimize, partial=True)
