"""Evaluation: right players score right, nothing is asked twice, and what nobody could judge is counted apart."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from rich.console import Console

import proofgym
from proofgym.bench.evaluate import EnvResult, evaluate, summarise
from proofgym.envs import registry, trajectory
from proofgym.envs.registry import ENTRIES, EnvEntry
from proofgym.envs.trajectory import Trajectory
from proofgym.envs.wrappers import InjectFaults
from proofgym.errors import BadInput, UnknownEnv

module: Any = importlib.import_module("proofgym.bench.evaluate")
IDS = [entry.id for entry in ENTRIES if not entry.needs]
QUIET = Console(quiet=True)
Kwargs = Callable[[str], dict[str, Any]]


def result(env_id: str, model: str, folder: Path, **arguments: Any) -> EnvResult:
    return evaluate([env_id], model, run_dir=folder, console=QUIET, **arguments).results[0]


def episodes(folder: Path, name: str = "Countdown-v0") -> list[Trajectory]:
    found, broken = trajectory.read(folder / "episodes" / f"{name}.jsonl")
    assert not broken
    return found


@pytest.mark.parametrize("env_id", IDS)
def test_the_oracle_scores_one_and_chance_the_floor(env_id: str, env_kwargs: Kwargs, tmp_path: Path) -> None:
    kwargs = env_kwargs(env_id)
    oracle = result(env_id, "oracle", tmp_path / "oracle", n=12, env_kwargs=kwargs, split="train")
    assert oracle.mean == pytest.approx(1.0)
    assert (oracle.solved, oracle.n, oracle.unjudged) == (1.0, 12, 0)
    chance = result(env_id, "random", tmp_path / "random", n=30, env_kwargs=kwargs, split="train")
    floor: Any = proofgym.make(env_id, **kwargs).unwrapped
    assert chance.low is not None
    assert chance.low <= floor.floor


def test_items_are_those_of_the_split_in_order(tmp_path: Path) -> None:
    result("Countdown", "random", tmp_path, n=5, k=2, split="validation", batch_size=3)
    found = episodes(tmp_path)
    assert [(e.index, e.sample) for e in found] == [(i, s) for i in range(5) for s in range(2)]
    assert {e.task["split"] for e in found} == {"validation"}
    assert len({e.task["fingerprint"] for e in found}) == 5


def test_the_same_evaluation_twice_gives_the_same_episodes(tmp_path: Path) -> None:
    for name, width in (("a", 2), ("b", 7)):
        result("Sudoku4Steps", "random", tmp_path / name, n=6, batch_size=width)
    a, b = (tmp_path / name / "episodes" / "Sudoku4Steps-v0.jsonl" for name in ("a", "b"))
    assert a.read_bytes() == b.read_bytes()


class Interrupted(Exception):
    pass


def interrupt(monkeypatch: pytest.MonkeyPatch, after: int) -> list[tuple[int, int]]:
    """Let `after` episodes be played, then stop; returns a list that fills with what is asked."""
    asked: list[tuple[int, int]] = []
    real = module.rollout

    def stopping(*arguments: Any, on_episode: Any) -> Any:
        def counted(episode: Trajectory) -> None:
            if len(asked) == after:
                raise Interrupted
            asked.append((episode.index, episode.sample))
            on_episode(episode)

        return real(*arguments, on_episode=counted)

    monkeypatch.setattr(module, "rollout", stopping)
    return asked


def test_an_interrupted_run_asks_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result("Countdown", "random", tmp_path / "whole", n=9, k=2)
    with monkeypatch.context() as patch:
        first = interrupt(patch, 7)
        with pytest.raises(Interrupted):
            result("Countdown", "random", tmp_path / "run", n=9, k=2, batch_size=4)
    with monkeypatch.context() as patch:
        rest = interrupt(patch, 10**6)
        resumed = result("Countdown", "random", tmp_path / "run", n=9, k=2, batch_size=4, resume=True)
    assert len(first) == 7
    assert not set(first) & set(rest)
    assert sorted(first + rest) == [(i, s) for i in range(9) for s in range(2)]
    assert (resumed.mean, resumed.low, resumed.solved) == (whole.mean, whole.low, whole.solved)
    assert [e.line() for e in episodes(tmp_path / "run")] == [e.line() for e in episodes(tmp_path / "whole")]


def test_a_damaged_line_costs_its_episode_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = result("Countdown", "random", tmp_path, n=6)
    path = tmp_path / "episodes" / "Countdown-v0.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'{"env": \xff\n'
    lines[5] = lines[5][:40]  # killed in mid-write
    path.write_bytes(b"".join(lines))
    asked = interrupt(monkeypatch, 10**6)
    resumed = result("Countdown", "random", tmp_path, n=6, resume=True)
    assert sorted(asked) == [(2, 0), (5, 0)]
    assert resumed.n == 6
    assert resumed.mean == pytest.approx(whole.mean)
    assert sorted(e.index for e in episodes(tmp_path)) == list(range(6))


def faults(monkeypatch: pytest.MonkeyPatch, rate: float) -> None:
    make = registry.make
    seeds = iter(range(10**6))
    monkeypatch.setattr(
        module.registry, "make", lambda env_id, **kw: InjectFaults(make(env_id, **kw), rate, seed=next(seeds))
    )


def test_unjudged_episodes_are_counted_and_played_again_on_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        faults(patch, 0.4)
        first = result("Countdown", "oracle", tmp_path, n=12, batch_size=12)
    assert 0 < first.unjudged < 12
    assert first.n == 12 - first.unjudged
    assert first.mean == pytest.approx(1.0)
    lost = {(e.index, e.sample) for e in episodes(tmp_path) if e.unjudged}
    asked = interrupt(monkeypatch, 10**6)
    second = result("Countdown", "oracle", tmp_path, n=12, batch_size=12, resume=True)
    assert set(asked) == lost
    assert second.mean == pytest.approx(1.0)
    assert (second.n, second.unjudged) == (12, 0)


def test_an_environment_that_nobody_can_judge_has_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults(monkeypatch, 1.0)
    found = result("Countdown", "oracle", tmp_path, n=4)
    assert (found.n, found.unjudged, found.mean, found.low, found.solved) == (0, 4, None, None, None)
    text = (tmp_path / "summary.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["results"][0]["mean"] is None


def test_one_judged_episode_has_no_interval_and_is_still_json(tmp_path: Path) -> None:
    found = result("Countdown", "oracle", tmp_path, n=1)
    assert (found.mean, found.low, found.high) == (1.0, None, None)


def test_attempts_at_one_task_are_one_cluster(tmp_path: Path) -> None:
    def episode(index: int, sample: int, reward: float) -> Trajectory:
        turn = trajectory.Turn("", "", reward)
        return Trajectory("e", {"fingerprint": str(index)}, 0, index, sample, [turn], "terminated")

    wide = summarise("e", [episode(i, s, float(i % 2)) for i in range(4) for s in range(8)], 0.0)
    narrow = summarise("e", [episode(8 * i + s, 0, float(i % 2)) for i in range(4) for s in range(8)], 0.0)
    assert wide.mean == narrow.mean == 0.5
    assert None not in (wide.low, narrow.low)
    assert math.isfinite(wide.low or math.nan)
    assert (wide.low or 0.0) < (narrow.low or 0.0) - 0.2


@pytest.mark.parametrize("change", [{"n": 4}, {"seed": 1}, {"split": "train"}, {"env_kwargs": {"level": 0.1}}])
def test_a_run_is_resumed_with_its_own_settings_only(change: dict[str, Any], tmp_path: Path) -> None:
    result("Countdown", "random", tmp_path, n=3)
    before = (tmp_path / "episodes" / "Countdown-v0.jsonl").read_bytes()
    with pytest.raises(BadInput, match="other settings"):
        result("Countdown", "random", tmp_path, **{"n": 3, **change}, resume=True)
    assert (tmp_path / "episodes" / "Countdown-v0.jsonl").read_bytes() == before


def test_a_folder_holds_one_run(tmp_path: Path) -> None:
    result("Countdown", "random", tmp_path, n=3)
    with pytest.raises(BadInput, match="already holds a run; go on with --resume"):
        result("Countdown", "random", tmp_path, n=3)
    assert len(episodes(tmp_path)) == 3


def test_arguments_that_are_paths_can_be_resumed(word_problems: Path, tmp_path: Path) -> None:
    for resume in (False, True):
        found = result(
            "GSM8K", "oracle", tmp_path, n=3, split="train", env_kwargs={"path": word_problems}, resume=resume
        )
        assert found.mean == 1.0


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ({"n": 0}, BadInput, "at least 1"), ({"k": 0}, BadInput, "at least 1"),
        ({"batch_size": 0}, BadInput, "at least 1"), ({"split": "exam"}, BadInput, "split is one of"),
        ({"resume": True}, BadInput, "nothing to resume"), ({"env_kwargs": {"level": 7}}, BadInput, "level lies in"),
    ],
)  # fmt: skip
def test_mistakes_are_found_before_anything_is_played(
    arguments: dict[str, Any], kind: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=said):
        result("Countdown", "random", tmp_path / "run", **arguments)
    assert not (tmp_path / "run").exists()
    with pytest.raises(UnknownEnv, match="did you mean"):
        evaluate(["Countdown", "Countdwon"], "random", run_dir=tmp_path / "run")


def test_an_environment_named_twice_is_played_once(tmp_path: Path) -> None:
    summary = evaluate(["Countdown", "proofgym/Countdown-v0"], "oracle", n=2, run_dir=tmp_path, console=QUIET)
    assert [r.env for r in summary.results] == ["proofgym/Countdown-v0"]
    assert len(episodes(tmp_path)) == 2


class Stranger(gymnasium.Env[str, str]):
    """A plug-in that knows no splits, and counts how many of it are open."""

    opened = 0

    def __init__(self, max_turns: int = 1) -> None:
        self.observation_space = self.action_space = gymnasium.spaces.Text(100)
        Stranger.opened += 1

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return f"q{seed}", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        return "", 0.25, True, False, {}

    def close(self) -> None:
        Stranger.opened -= 1


def test_a_strangers_environment_is_played_without_split_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = EnvEntry("stranger/Quiz-v3", f"{__name__}:Stranger", "math", "Anything goes.")
    monkeypatch.setitem(registry._plugins, entry.id, entry)
    gymnasium.register(entry.id, entry_point=lambda **kwargs: Stranger(**kwargs), disable_env_checker=True)
    try:
        found = result("stranger/Quiz-v3", "random", tmp_path, n=5, batch_size=3)
    finally:
        gymnasium.registry.pop(entry.id)
    assert (found.n, found.mean, found.solved) == (5, 0.25, 0.0)
    assert len({e.turns[0].observation for e in episodes(tmp_path, "Quiz-v3")}) == 5
    assert Stranger.opened == 0


@pytest.mark.train
def test_a_model_is_evaluated_and_its_tokens_are_kept(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    found = result("RunningTotal", "tiny:0123456789", tmp_path, n=4, max_tokens=12, env_kwargs={"style": "bare"})
    assert found.n == 4
    assert 0 < found.tokens <= 12
    for e in episodes(tmp_path, "RunningTotal-v0"):
        for t in e.turns:
            assert len(t.action_ids) == len(t.logprobs) == len(t.token_ends) > 0
