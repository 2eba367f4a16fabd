"""Whole runs: killed and resumed they are the same to the last bit; mistakes are found before anything is written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from proofgym.errors import BadInput, UnknownEnv

torch: Any = pytest.importorskip("torch")
from proofgym.agents import checkpoint  # noqa: E402 - only where torch is
from proofgym.agents.config import Recipe, load_recipe  # noqa: E402
from proofgym.agents.log import RunLog  # noqa: E402
from proofgym.agents.recipe import train  # noqa: E402
from proofgym.agents.trainer import Trainer  # noqa: E402

pytestmark = pytest.mark.train

RECIPE = """
name: small
seed: 3
threads: 1
environment: {id: proofgym/RunningTotal-v0, kwargs: {style: bare, steps: 3, largest: 2}}
model: {spec: "tiny:0123456789", width: 16, layers: 1, heads: 2, context: 32}
warm_start: {target: 0.2, max_steps: 60, batch: 16, learning_rate: 0.004, evaluate_every: 2, evaluate_items: 24}
grpo: {updates: 6, prompts: 4, group: 4, max_tokens: 5, kl: {weight: 0.01}, validate_every: 2, validate_items: 16,
       checkpoint_every: 2, optimizer_steps: 2}
evaluation: {items: 24, keep_episodes: 8}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "small.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody interrupted."""
    return train(recipe, run_dir=tmp_path_factory.mktemp("runs") / "whole")


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if "seconds" not in k} for line in lines]


def assert_same_run(a: Path, b: Path) -> None:
    assert metrics(a) == metrics(b)
    for name in ("before", "train", "after"):
        file = f"episodes/{name}.jsonl"
        assert (a / file).read_bytes() == (b / file).read_bytes()
    x, y = (checkpoint.load(folder / "checkpoint.pt") for folder in (a, b))
    assert x["scores"] == y["scores"]
    assert x["model"].keys() == y["model"].keys()
    assert all(torch.equal(x["model"][key], y["model"][key]) for key in x["model"])
    assert (a / "policy" / "model.safetensors").read_bytes() == (b / "policy" / "model.safetensors").read_bytes()


def test_a_run_leaves_everything_behind(whole: Path) -> None:
    config = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    assert (config["kind"], config["seed"], config["recipe"]["name"]) == ("train", 3, "small")
    summary = json.loads((whole / "summary.json").read_text(encoding="utf-8"))
    assert summary["before"]["n"] == summary["after"]["n"] == 24
    stages = [row["stage"] for row in metrics(whole)]
    assert stages.count("grpo") == 6
    assert stages.count("validation") == 3
    assert stages[0] == "warm_start"
    assert list((whole / "tensorboard").iterdir())
    assert len((whole / "episodes" / "before.jsonl").read_text(encoding="utf-8").splitlines()) == 8


def test_the_trained_policy_can_be_loaded(whole: Path) -> None:
    from proofgym.agents.policy import load

    state = checkpoint.load(whole / "checkpoint.pt")["model"]
    policy = load(f"hf:{whole}/policy", dtype=torch.float32)
    assert all(torch.equal(state[key], value) for key, value in policy.model.state_dict().items())


KILLED = """
import os, signal, sys
from pathlib import Path
from proofgym.agents import trainer
from proofgym.agents.recipe import train

stage, step, after_save = sys.argv[3], int(sys.argv[4]), sys.argv[5] == "saved"
metrics, save = trainer.RunLog.metrics, trainer.Trainer._save

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

def watched(self, found, at, **values):
    metrics(self, found, at, **values)
    if (found, at) == (stage, step) and not after_save:
        kill()

def saved(self):
    save(self)
    if (self.stage, self.step) == (stage, step) and after_save:
        kill()

trainer.RunLog.metrics, trainer.Trainer._save = watched, saved
train(sys.argv[1], run_dir=Path(sys.argv[2]))
"""


def kill(recipe: Path, folder: Path, stage: str, step: int, when: str) -> None:
    command = [sys.executable, "-c", KILLED, str(recipe), str(folder), stage, str(step), when]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize(
    ("stage", "step", "when"),
    [
        ("warm_start", 2, "logged"),  # before the first checkpoint
        pytest.param("warm_start", 4, "logged", marks=pytest.mark.slow),
        ("grpo", 5, "logged"),  # an update after the last checkpoint
        pytest.param("before", 0, "saved", marks=pytest.mark.slow),
        pytest.param("grpo", 4, "saved", marks=pytest.mark.slow),
        pytest.param("after", 0, "saved", marks=pytest.mark.slow),
    ],
)
def test_a_killed_run_goes_on_to_the_same_end(
    stage: str, step: int, when: str, recipe: Path, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    kill(recipe, folder, stage, step, when)
    assert not (folder / "summary.json").exists()
    train(recipe, run_dir=folder, resume=True)
    assert_same_run(folder, whole)


@pytest.mark.slow
def test_a_run_killed_again_and_again_at_any_moment(recipe: Path, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code = "import sys; from pathlib import Path; from proofgym.agents.recipe import train\n"
    code += "train(sys.argv[1], run_dir=Path(sys.argv[2]), resume=Path(sys.argv[2], 'config.json').exists())"
    saved = folder / "checkpoint.pt"
    for pause in (0.0, 0.4, 0.1, 0.7, 0.2):
        before = saved.stat().st_mtime_ns if saved.exists() else None
        process = subprocess.Popen([sys.executable, "-c", code, str(recipe), str(folder)], stderr=subprocess.DEVNULL)
        while process.poll() is None and (not saved.exists() or saved.stat().st_mtime_ns == before):
            time.sleep(0.001)
        time.sleep(pause)
        process.kill()
        process.wait()
    train(recipe, run_dir=folder, resume=True)
    assert_same_run(folder, whole)


def test_an_unjudged_episode_here_and_there_is_counted_and_repeats(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proofgym.envs.wrappers import InjectFaults

    make = Trainer._make_env

    def faulty(self: Trainer, split: str) -> Any:
        return (
            InjectFaults(make(self, split), 0.2, seed=len(self._envs[split])) if split != "train" else make(self, split)
        )

    monkeypatch.setattr(Trainer, "_make_env", faulty)
    train(recipe, run_dir=tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary["before"]["unjudged"] > 0
    assert summary["before"]["n"] + summary["before"]["unjudged"] == 24


def test_all_unjudged_is_a_run_without_scores(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from proofgym.envs.wrappers import InjectFaults

    make = Trainer._make_env
    monkeypatch.setattr(Trainer, "_make_env", lambda self, split: InjectFaults(make(self, split), 1.0))
    train(recipe, overrides=["warm_start.target=0"], run_dir=tmp_path / "run")
    text = (tmp_path / "run" / "summary.json").read_text(encoding="utf-8")
    summary = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert summary["after"]["mean"] is None
    assert summary["after"]["unjudged"] == 24
    start = Trainer(load_recipe(recipe), RunLog(tmp_path / "fresh")).policy.model.state_dict()
    end = checkpoint.load(tmp_path / "run" / "checkpoint.pt")["model"]
    assert all(torch.equal(start[key], end[key]) for key in start)


# Mistakes -------------------------------------------------------------------------------------------------------------


def test_a_folder_with_a_run_is_not_overwritten(recipe: Path, whole: Path) -> None:
    before = metrics(whole)
    with pytest.raises(BadInput, match="already holds a run; go on with --resume"):
        train(recipe, run_dir=whole)
    assert metrics(whole) == before


def test_another_recipe_cannot_be_resumed(recipe: Path, whole: Path) -> None:
    before = metrics(whole)
    with pytest.raises(BadInput, match="was started with another recipe"):
        train(recipe, overrides=["grpo.updates=7"], run_dir=whole, resume=True)
    assert metrics(whole) == before


def test_a_finished_run_resumes_to_itself(recipe: Path, whole: Path) -> None:
    before = metrics(whole), (whole / "checkpoint.pt").read_bytes()
    train(recipe, run_dir=whole, resume=True)
    assert (metrics(whole), (whole / "checkpoint.pt").read_bytes()) == before


def test_there_must_be_something_to_resume(recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to resume"):
        train(recipe, run_dir=tmp_path / "run", resume=True)
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_cannot_be_read_is_said(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"half a fi")
    with pytest.raises(BadInput, match="cannot be read"):
        Trainer(load_recipe(recipe), RunLog(tmp_path)).resume()


@pytest.mark.parametrize(
    ("override", "kind"),
    [
        ("environment.id=proofgym/RunningTotals-v0", UnknownEnv),
        ("environment.kwargs.largest=77", BadInput),
        ("model.spec=tinny:01", BadInput),
    ],
)
def test_a_mistake_leaves_the_folder_free(override: str, kind: Any, recipe: Path, tmp_path: Path) -> None:
    with pytest.raises(kind):
        train(recipe, overrides=[override], run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_warm_start_that_never_arrives_says_what_to_do(recipe: Path, tmp_path: Path) -> None:
    changes = ["warm_start.target=1.0", "warm_start.max_steps=4"]
    with pytest.raises(BadInput, match=r"did not reach 1.0 in 4 steps; lower warm_start.target"):
        train(recipe, overrides=changes, run_dir=tmp_path / "run")


# Parts ----------------------------------------------------------------------------------------------------------------


def changed(recipe: Path, overrides: Sequence[str]) -> Recipe:
    return load_recipe(recipe, overrides)


def test_a_plateau_is_left_with_fresh_weights(recipe: Path, tmp_path: Path) -> None:
    """Nothing can reach 1.0 so soon, so every four steps the weights are drawn anew."""
    changes = ["warm_start.restart_after=4", "warm_start.restart_below=1.0", "warm_start.target=1.0"]
    plan = changed(recipe, [*changes, "warm_start.max_steps=9"])
    trainer = Trainer(plan, RunLog(tmp_path))
    with trainer.log, pytest.raises(BadInput, match="did not reach"):
        trainer.run()
    assert trainer.memory == {"attempt": 2, "attempt_start": 8}
    again = Trainer(plan, RunLog(tmp_path))
    first = {key: value.clone() for key, value in again.policy.model.state_dict().items()}
    again.resume()
    assert (again.memory, again.step) == ({"attempt": 2, "attempt_start": 8}, 8)
    state = again.policy.model.state_dict()
    assert not any(torch.equal(first[key], state[key]) for key in state if "norm" not in key)


def test_uses_of_the_seed_never_meet(recipe: Path, tmp_path: Path) -> None:
    trainer = Trainer(changed(recipe, []), RunLog(tmp_path))
    seeds = {trainer.seed(use) for use in ("warm_start", "grpo", "validation", "test")}
    assert len(seeds) == 4
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_a_checkpoint_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "checkpoint.pt"
    checkpoint.save(path, {"x": torch.ones(2), "n": 1})

    class Unsaveable:
        def __reduce__(self) -> Any:
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        checkpoint.save(path, {"x": Unsaveable()})
    assert checkpoint.load(path)["n"] == 1


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "was-here"),)

    torch.save({"x": Evil()}, tmp_path / "checkpoint.pt")
    with pytest.raises(BadInput, match="cannot be read"):
        checkpoint.load(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "was-here").exists()


def test_what_was_logged_after_a_checkpoint_is_cut_away(tmp_path: Path) -> None:
    log = RunLog(tmp_path)
    with log:
        log.metrics("grpo", 1, loss=0.5)
        sizes = log.sizes()
        log.metrics("grpo", 2, loss=float("nan"))
        rows = metrics(tmp_path)
        assert [row["loss"] for row in rows] == [0.5, None]
        (tmp_path / "episodes").mkdir()
        (tmp_path / "episodes" / "train.jsonl").write_text("later\n")
        log.cut_back(sizes)
    assert metrics(tmp_path) == rows[:1]
    assert (tmp_path / "episodes" / "train.jsonl").read_text() == ""
