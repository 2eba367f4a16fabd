"""Our environment as SkyRL sees it: against skyrl-gym where it is installed, against its signatures elsewhere."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from proofgym.adapters.export import shaped
from proofgym.adapters.rows import rows
from proofgym.errors import BadInput, MissingExtra, Unjudged

HAVE = importlib.util.find_spec("skyrl_gym") is not None


class FakeBaseTextEnv:
    """The part of skyrl_gym 0.4's BaseTextEnv that its generator uses."""

    def __init__(self) -> None:
        self.turns, self.max_turns = 0, 1

    def init(self, prompt: Any) -> Any:
        return prompt, {}

    @staticmethod
    def aggregate_metrics(metrics: list[dict[str, Any]]) -> dict[str, Any]:
        return {key: sum(m[key] for m in metrics) / len(metrics) for key in metrics[0]}


@pytest.fixture
def env_class(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from proofgym.adapters import skyrl

    if not HAVE:
        base = ModuleType("skyrl_gym.envs.base_text_env")
        base.BaseTextEnv = FakeBaseTextEnv  # type: ignore[attr-defined]
        for name, module in (
            ("skyrl_gym", ModuleType("skyrl_gym")),
            ("skyrl_gym.envs", ModuleType("skyrl_gym.envs")),
            ("skyrl_gym.envs.base_text_env", base),
        ):
            monkeypatch.setitem(sys.modules, name, module)
    vars(skyrl).pop("ProofgymTextEnv", None)
    yield skyrl.ProofgymTextEnv
    vars(skyrl).pop("ProofgymTextEnv", None)


def extras(env_id: str, **kwargs: Any) -> tuple[dict[str, Any], list[dict[str, str]]]:
    row = shaped(next(rows(env_id, 1, **kwargs)), "skyrl")
    return {k: v for k, v in row.items() if k != "prompt"}, row["prompt"]


def test_every_turn_keeps_its_own_reward(env_class: Any) -> None:
    row, prompt = extras("Sudoku4Steps")
    env = env_class({}, extras=row)
    messages, info = env.init(prompt)
    assert messages == prompt
    assert info["split"] == "train"
    paid = []
    done = False
    while not done:
        out = env.step(env.episode.env.unwrapped.oracle())
        paid.append(out["reward"])
        done = out["done"]
        assert out["observations"] == [] if done else out["observations"][0]["role"] == "user"
        json.dumps(out["metadata"])
    assert len(paid) > 3
    assert min(paid) > 0.0
    metrics = env.get_metrics()
    assert metrics == {"reward": pytest.approx(1.0), "turns": len(paid), "correct": 1.0, "malformed": 0.0}
    assert env_class.aggregate_metrics([metrics, {**metrics, "correct": 0.0}])["correct"] == 0.5
    env.close()


def test_credits_inside_a_turn_are_summed_and_it_says_so(env_class: Any, caplog: pytest.LogCaptureFixture) -> None:
    row, prompt = extras("RunningTotal")
    env = env_class({}, extras=row)
    env.init(prompt)
    with caplog.at_level(logging.WARNING, "proofgym.adapters"):
        out = env.step(env.episode.env.unwrapped.oracle())
    assert out["reward"] == pytest.approx(1.0)
    assert len(out["metadata"]["credits"]) == 10
    assert "10 credits inside a turn" in caplog.text


def test_what_nobody_could_judge_stops_the_batch(env_class: Any, flaky: str) -> None:
    reference = json.dumps(next(rows(flaky, 1)).reference())
    env = env_class({}, extras={"reward_spec": {"ground_truth": reference}, "max_turns": 2})
    env.init([])
    with pytest.raises(Unjudged, match="no way to leave one episode out"):
        env.step("break")


def test_max_turns_stops_an_episode_earlier(env_class: Any) -> None:
    row, prompt = extras("Sudoku4Steps")
    env = env_class({"max_turns": 2}, extras=row)
    env.init(prompt)
    assert [env.step("x")["done"], env.step("x")["done"]] == [False, True]


def test_a_row_that_is_not_ours_is_refused(env_class: Any) -> None:
    with pytest.raises(BadInput, match="names an item"):
        env_class({}, extras={"reward_spec": {"ground_truth": "42"}})


@pytest.mark.skipif(HAVE, reason="skyrl-gym is installed")
def test_a_missing_skyrl_is_named() -> None:
    from proofgym.adapters import skyrl

    with pytest.raises(MissingExtra, match="pip install skyrl-gym"):
        _ = skyrl.ProofgymTextEnv


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_skyrl_makes_it_by_its_id(real: Any) -> None:
    skyrl_gym = real("skyrl_gym")
    row, prompt = extras("Countdown")
    skyrl_gym.register(id="proofgym-test", entry_point="proofgym.adapters.skyrl:ProofgymTextEnv")
    env = skyrl_gym.make("proofgym-test", env_config={}, extras=row)
    env.init(prompt)
    assert env.step(env.episode.env.unwrapped.oracle())["reward"] == 1.0
