"""Vector environments hand over the true texts, and one fault does not cost the neighbours."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest

import proofgym
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.registry import ENTRIES
from proofgym.envs.wrappers import InjectFaults, RecordEpisodes
from proofgym.errors import Unjudged

IDS = [entry.id for entry in ENTRIES if not entry.needs]
# Where every answer runs in a sandbox, and for families and worlds that share a few classes, six are many.
SIX = {entry.id for entry in ENTRIES if entry.domain in ("code", "proof", "puzzles", "worlds")}
MakeEnv = Callable[..., VerifiableEnv]
Kwargs = Callable[[str], dict[str, Any]]

# `fork` is Linux's default where Python has threads; newer Pythons warn about it, and the choice is Gymnasium's.
forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def compare(env_id: str, vector: Any, singles: list[VerifiableEnv], turns: int) -> None:
    texts, _ = vector.reset(seed=100)
    assert texts == tuple(env.reset(seed=100 + k)[0] for k, env in enumerate(singles))
    over = [False] * len(singles)
    for turn in range(turns):
        actions = tuple(env.oracle() if k % 2 else f"π {turn}\n" for k, env in enumerate(singles))
        texts, rewards, terminated, truncated, _ = vector.step(actions)
        for k, env in enumerate(singles):
            if over[k]:  # Gymnasium's next-step autoreset: this step is the reset, its action is ignored
                observation, _ = env.reset()
                expected: tuple[Any, ...] = (observation, 0.0, False, False)
            else:
                expected = env.step(actions[k])[:4]
            assert (texts[k], rewards[k], terminated[k], truncated[k]) == expected, (env_id, turn, k)
            over[k] = bool(expected[2] or expected[3])


@pytest.mark.parametrize("env_id", IDS)
def test_many_in_one_process_show_the_true_texts(env_id: str, make_env: MakeEnv, env_kwargs: Kwargs) -> None:
    count = 6 if env_id in SIX else 64
    vector = gymnasium.make_vec(env_id, count, vectorization_mode="sync", **env_kwargs(env_id))
    compare(env_id, vector, [make_env(env_id) for _ in range(count)], turns=4)
    vector.close()


@forks
@pytest.mark.parametrize("env_id", ["proofgym/Sudoku4Steps-v0", "proofgym/Arithmetic-v0"])
@pytest.mark.parametrize("shared_memory", [True, False])
def test_environments_in_processes_show_the_true_texts(env_id: str, shared_memory: bool, make_env: MakeEnv) -> None:
    vector = gymnasium.make_vec(
        env_id, 4, vectorization_mode="async", vector_kwargs={"shared_memory": shared_memory}
    )  # fmt: skip
    compare(env_id, vector, [make_env(env_id) for _ in range(4)], turns=5)
    vector.close()


@forks
def test_64_environments_in_processes_show_the_true_texts() -> None:
    vector = gymnasium.make_vec("proofgym/RunningTotal-v0", 64, vectorization_mode="async", style="bare")
    texts, _ = vector.reset(seed=7)
    single = proofgym.make("proofgym/RunningTotal-v0", style="bare")
    assert texts == tuple(single.reset(seed=7 + k)[0] for k in range(64))
    vector.close()


@pytest.mark.parametrize("mode", ["sync", pytest.param("async", marks=forks)])
def test_a_fault_is_masked_and_leaves_the_neighbours_alone(mode: str) -> None:
    breaking = functools.partial(InjectFaults, rate=0.3, seed=1)
    vector = proofgym.make_vec("RunningTotal", 4, vectorization_mode=mode, wrappers=[breaking], style="bare")
    whole = proofgym.make_vec("RunningTotal", 4, style="bare")
    faults = 0
    for seed in range(12):
        texts, _ = vector.reset(seed=seed)
        assert texts == whole.reset(seed=seed)[0]
        _, rewards, terminated, truncated, info = vector.step(("1111111111",) * 4)
        _, expected, *_ = whole.step(("1111111111",) * 4)
        masked = np.isnan(rewards)
        faults += int(masked.sum())
        assert np.array_equal(truncated, masked)
        assert np.array_equal(terminated, ~masked)
        assert np.array_equal(rewards[~masked], expected[~masked])
        if masked.any():
            assert all("injected fault" in reason for reason in np.array(info["unjudged"])[masked])
    assert 0 < faults < 48
    vector.close()
    whole.close()


def test_without_the_mask_a_fault_is_an_exception() -> None:
    env = InjectFaults(proofgym.make("RunningTotal"), rate=1.0)
    env.reset(seed=1)
    with pytest.raises(Unjudged, match="injected"):
        env.step("1")


def test_a_recorder_inside_the_mask_writes_the_fault_down(tmp_path: Any) -> None:
    path = tmp_path / "episodes.jsonl"
    vector = proofgym.make_vec(
        "RunningTotal", 1, wrappers=[functools.partial(InjectFaults, rate=1.0), lambda env: RecordEpisodes(env, path)]
    )
    vector.reset(seed=1)
    vector.step(("1",))
    vector.close()
    assert '"end":"unjudged"' in path.read_text(encoding="utf-8")
