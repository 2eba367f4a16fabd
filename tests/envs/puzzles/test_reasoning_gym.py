"""Reasoning-gym's data sets through our doors: seeds, splits, and what is not paid."""

from __future__ import annotations

import json
import random

import pytest

import proofgym
from proofgym.errors import BadInput, MissingExtra, Unjudged

try:
    import reasoning_gym
except ImportError:
    reasoning_gym = None

installed = pytest.mark.skipif(reasoning_gym is None, reason="needs reasoning-gym")


@pytest.mark.skipif(reasoning_gym is not None, reason="reasoning-gym is installed")
def test_a_missing_package_is_named_with_its_extra() -> None:
    with pytest.raises(MissingExtra, match=r"proofgym\[reasoning-gym\]"):
        proofgym.make("ReasoningGym")


def test_refusals_have_reasons() -> None:
    from proofgym.envs.puzzles.reasoning_gym import REFUSED

    assert all(len(reason) > 10 for reason in REFUSED.values())


SOUND = [
    "spell_backward", "sudoku", "maze", "n_queens", "spiral_matrix", "binary_matrix", "string_insertion", "puzzle24",
    "countdown", "gcd", "base_conversion", "lcm",
]  # fmt: skip


@installed
@pytest.mark.parametrize("dataset", SOUND)
def test_the_stored_answer_earns_one_and_junk_nothing(dataset: str) -> None:
    env = proofgym.make("ReasoningGym", dataset=dataset).unwrapped
    for index in range(5):
        env.reset(seed=1, options={"index": index})
        answer = env.oracle()
        assert env.step(answer)[1] == 1.0, answer
        for junk in ("", "nan", "9**9**9", "__import__('os').system('true')", "[]", "Answer: 1e400"):
            env.reset(seed=1, options={"index": index})
            assert env.step(junk)[1] == 0.0


@installed
def test_neighbouring_seeds_share_nothing_and_splits_never_meet() -> None:
    seen = {}
    for split in ("train", "test"):
        env = proofgym.make("ReasoningGym", dataset="chain_sum", split=split).unwrapped
        seen[split] = {env.reset(seed=s, options={"index": i})[0] for s in (42, 43) for i in range(40)}
        assert len(seen[split]) >= 79
    assert not seen["train"] & seen["test"]
    state = env.state()
    assert json.loads(json.dumps(state)) == state
    assert env.fork().state() == state


@installed
def test_nothing_is_evaluated(tmp_path_factory: pytest.TempPathFactory) -> None:
    marker = tmp_path_factory.mktemp("eval") / "ran"
    code = f"__import__('pathlib').Path({str(marker)!r}).touch()"
    for dataset in SOUND:
        env = proofgym.make("ReasoningGym", dataset=dataset).unwrapped
        env.reset(seed=3)
        env.step(code)
    assert not marker.exists()


@installed
def test_what_is_unsound_is_refused() -> None:
    for dataset, said in (
        ("game_of_life_halting", "any text"),
        ("no_such", "no data set"),
        ("word_ladder", "hash seed"),
    ):
        with pytest.raises(BadInput, match=said):
            proofgym.make("ReasoningGym", dataset=dataset)
    with pytest.raises(BadInput, match="refuses"):
        proofgym.make("ReasoningGym", dataset="gcd", config={"colour": 1}).reset(seed=1)


@installed
def test_a_scorer_that_raises_gives_no_score() -> None:
    env = proofgym.make("ReasoningGym", dataset="prime_factorization").unwrapped
    random.seed(0)
    env.reset(seed=1)
    with pytest.raises(Unjudged, match="prime_factorization"):
        env.step("2 x a x ( x")
