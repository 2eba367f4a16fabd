"""Stages: rejection sampling, PPO, preferences, early stop, each resumable; what is not finite is counted and said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.verifiers import Verdict

torch: Any = pytest.importorskip("torch")
from proofgym.agents import checkpoint, warm_start  # noqa: E402 - only where torch is
from proofgym.agents.config import GRPO, RFT, load_recipe  # noqa: E402
from proofgym.agents.evaluation import Score  # noqa: E402
from proofgym.agents.learner import Learner  # noqa: E402
from proofgym.agents.log import RunLog  # noqa: E402
from proofgym.agents.policy import tiny  # noqa: E402
from proofgym.agents.preferences import conversations, pairs, preference_step  # noqa: E402
from proofgym.agents.recipe import train  # noqa: E402
from proofgym.agents.stages import grpo as stage  # noqa: E402
from proofgym.agents.stages.rft import select  # noqa: E402
from proofgym.agents.trainer import Trainer  # noqa: E402

pytestmark = pytest.mark.train
MakeTurn, MakeEpisode = Callable[..., Turn], Callable[..., Trajectory]

RECIPE = """
name: stages
seed: 3
threads: 1
environment: {id: proofgym/RunningTotal-v0, kwargs: {style: bare, steps: 2, largest: 2}}
model: {spec: "tiny:0123456789", width: 16, layers: 1, heads: 2, context: 32}
warm_start: {target: 0.2, max_steps: 60, batch: 16, learning_rate: 0.004, evaluate_every: 2, evaluate_items: 24}
rft: {rounds: 2, prompts: 6, group: 4, at_least: 0.5, batch: 4, learning_rate: 0.001}
grpo: {updates: 4, prompts: 4, group: 4, max_tokens: 4, advantage: gae, value: {model: separate, warm_up: 1},
       kl: {weight: 0.01, target: 0.01}, entropy: {target: 1.0}, recompute_old: true, validate_every: 1,
       validate_items: 16, checkpoint_every: 1, optimizer_steps: 2, epochs: 2, schedule: cosine, warm_up: 1,
       replay: {share: 0.5, keep: all}, early_stop: {restore: true}}
dpo: {pairs: 8, prompts: 4, group: 4, batch: 4, learning_rate: 0.001}
evaluation: {items: 16, keep_episodes: 4}
"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipes") / "stages.yaml"
    path.write_text(RECIPE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def whole(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run through all stages that nobody interrupted."""
    return train(recipe, run_dir=tmp_path_factory.mktemp("runs") / "whole")


def metrics(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if "seconds" not in k} for line in lines]


def test_a_recipe_goes_through_all_its_stages(whole: Path) -> None:
    rows = metrics(whole)
    stages = list(dict.fromkeys(row["stage"] for row in rows))
    assert [s for s in stages if s != "validation"] == ["warm_start", "rft", "grpo", "dpo"]
    updates = [row for row in rows if row["stage"] == "grpo"]
    assert all({"value_loss", "explained_variance", "kl_weight", "mismatch_kl"} <= row.keys() for row in updates)
    dpo = [row for row in rows if row["stage"] == "dpo"]
    assert dpo[0]["loss"] == pytest.approx(math.log(2), abs=1e-3)  # at first the policy is its own reference
    summary = json.loads((whole / "summary.json").read_text(encoding="utf-8"))
    assert summary["skipped_steps"] == 0
    assert summary["after"]["n"] == 16


class Stopped(Exception):
    """The run was interrupted."""


@pytest.mark.parametrize(("where", "step"), [("rft", 1), ("grpo", 2), ("dpo", 0)])
def test_a_run_interrupted_in_any_stage_ends_the_same_bit_for_bit(
    where: str, step: int, recipe: Path, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Value model, two optimizers, replay, adaptive weights, reference and best weights are all taken up again."""
    save = Trainer._save

    def saved(self: Trainer) -> None:
        save(self)
        if (self.stage, self.step) == (where, step):
            raise Stopped

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save", saved)
        with pytest.raises(Stopped):
            train(recipe, run_dir=tmp_path / "run")
    torch.rand(7)  # somebody else draws from the global generators in between
    np.random.random(3)  # noqa: NPY002
    train(recipe, run_dir=tmp_path / "run", resume=True)
    assert metrics(tmp_path / "run") == metrics(whole)
    a, b = (checkpoint.load(folder / "checkpoint.pt") for folder in (whole, tmp_path / "run"))
    assert all(torch.equal(a["model"][name], b["model"][name]) for name in a["model"])
    assert torch.equal(a["generators"]["torch"], b["generators"]["torch"])
    assert a["generators"]["numpy"] == b["generators"]["numpy"]
    boards = list((tmp_path / "run" / "tensorboard").iterdir())
    assert len(boards) == 1  # one file, whatever happened


def test_tensorboard_has_every_number_once_after_a_resume(whole: Path, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = RunLog(tmp_path)
    with log:
        log.metrics("grpo", 1, reward=0.25)
        sizes = log.sizes()
        log.metrics("grpo", 2, reward=0.5)
    again = RunLog(tmp_path)
    with again:
        again.cut_back(sizes)
        again.metrics("grpo", 2, reward=0.75)
    board = EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [(e.step, e.value) for e in board.Scalars("grpo/reward")] == [(1, 0.25), (2, 0.75)]


def test_seconds_are_those_of_all_legs(recipe: Path, tmp_path: Path) -> None:
    trainer = Trainer(load_recipe(recipe, ["warm_start.target=0"]), RunLog(tmp_path))
    trainer._spent = 1000.0
    with trainer.log:
        trainer.save()
        again = Trainer(trainer.recipe, trainer.log)
        again.resume()
    assert 1000.0 < again.seconds < 1060.0


# Rejection sampling ---------------------------------------------------------------------------------------------------


def test_what_is_kept_is_good_different_and_short(turn: MakeTurn, episode: MakeEpisode) -> None:
    def one(text: str, sample: int, *, right: bool = True, index: int = 0, **fields: Any) -> Trajectory:
        made = turn(text, [(0, len(text), float(right))])
        made.verdict = Verdict.right() if right else Verdict.wrong("no")
        return episode([made], index=index, sample=sample, **fields)

    episodes = [
        one("1+1+1=3", 0), one("3", 1), one("3", 2), one("4", 3, right=False), one("2+1=3", 4),
        one("9", 0, index=1, end="unjudged"), one("7", 1, index=1),
    ]  # fmt: skip
    kept = select(episodes, RFT(rounds=1, keep=2))
    assert [(e.index, e.sample, e.turns[0].action) for e in kept] == [(0, 1, "3"), (0, 4, "2+1=3"), (1, 1, "7")]
    assert len(select(episodes, RFT(rounds=1, keep=9, at_least=0.0))) == 5


# Preferences ----------------------------------------------------------------------------------------------------------


def attempts(turn: MakeTurn, episode: MakeEpisode, policy: Any) -> list[Trajectory]:
    made = []
    for sample, (text, reward) in enumerate([("123", 1.0), ("456", 0.0), ("126", 0.2), ("777", 0.95)]):
        e = episode([turn(text, [(0, 3, reward)])], sample=sample)
        e.turns[0].prompt_ids, e.turns[0].action_ids = policy.format.open("5"), policy.format.encode_action(text)
        made.append(e)
    return made


def test_pairs_share_as_much_as_they_can(turn: MakeTurn, episode: MakeEpisode) -> None:
    policy = tiny("0123456789", width=16, layers=1, heads=2, context=32)
    made = attempts(turn, episode, policy)
    found = [(p.better.sample, p.worse.sample, p.shared) for p in pairs(made, 0.1)]
    assert found == [(0, 2, 5), (2, 1, 3), (3, 1, 3)]
    made[2].end = "unjudged"
    assert [(p.better.sample, p.worse.sample) for p in pairs(made, 0.1)] == [(0, 1), (3, 1)]


def test_preferences_are_learned(turn: MakeTurn, episode: MakeEpisode) -> None:
    policy = tiny("0123456789", width=16, layers=1, heads=2, context=32)
    learner = Learner(policy, GRPO(learning_rate=0.01), reference=policy.frozen_copy())
    chosen = pairs(attempts(turn, episode, policy), 0.1)
    found = [preference_step(learner, chosen, 0.5) for _ in range(12)]
    assert found[0]["loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert found[-1]["loss"] < 0.5
    assert found[-1]["accuracy"] == 1.0
    assert found[-1]["margin"] > 0.5


def test_a_pair_goes_to_trl_with_its_shared_turns_in_the_prompt(turn: MakeTurn, episode: MakeEpisode) -> None:
    def played(*said: tuple[str, str], reward: float, sample: int) -> Trajectory:
        made = episode([turn(action, [(0, len(action), reward / len(said))]) for _, action in said], sample=sample)
        for step, (observation, action) in zip(made.turns, said, strict=True):
            step.observation, step.action_ids = observation, [ord(c) for c in action]
        return made

    def messages(*texts: str, first: str = "user") -> list[dict[str, str]]:
        roles = ("user", "assistant") if first == "user" else ("assistant", "user")
        return [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]

    better = played(("go", "left"), ("a wall", "up"), ("a door", "open"), reward=1.0, sample=0)
    worse = played(("go", "left"), ("a wall", "down"), reward=0.0, sample=1)
    assert conversations(pairs([better, worse], 0.5)) == [{
        "prompt": messages("go", "left", "a wall"),
        "chosen": messages("up", "a door", "open", first="assistant"),
        "rejected": messages("down", first="assistant"),
    }]  # fmt: skip
    # One attempt is the other's beginning: each still has a text of its own.
    worse = played(("go", "left"), ("a wall", "up"), reward=0.0, sample=1)
    found = conversations(pairs([better, worse], 0.5))[0]
    assert (len(found["prompt"]), len(found["chosen"]), len(found["rejected"])) == (3, 3, 1)
    # The world answered the same text differently: what follows cannot share a prompt.
    worse = played(("go", "left"), ("a cat", "up"), reward=0.0, sample=1)
    found = conversations(pairs([better, worse], 0.5))[0]
    assert found["prompt"] == messages("go")
    assert found["rejected"] == messages("left", "a cat", "up", first="assistant")


# Stopping and failing -------------------------------------------------------------------------------------------------


def score(mean: float) -> Score:
    return Score(mean, mean, mean, 0.0, 0.0, 0.0, 10, 0)


def test_training_stops_when_validation_no_longer_gets_better(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    means = iter([0.1, 0.3, 0.3, 0.29, 0.9])
    changes = [
        "warm_start.target=0", "rft.rounds=0", "dpo.pairs=0", "grpo.updates=5", "grpo.early_stop.patience=2",
        "grpo.advantage=step",
    ]  # fmt: skip
    trainer = Trainer(load_recipe(recipe, changes), RunLog(tmp_path))
    seen: list[Any] = []

    def validate(self: Trainer, items: int, *, write: bool = True) -> Score:
        seen.append({n: p.clone() for n, p in self.policy.model.state_dict().items()})
        return score(next(means))

    monkeypatch.setattr(Trainer, "validate", validate)
    with trainer.log:
        trainer.run()
    assert len(seen) == 4  # 0.1, 0.3, and two that are no better
    state = trainer.policy.model.state_dict()
    assert all(torch.equal(seen[1][n], p) for n, p in state.items())  # back at the best


def test_updates_that_fail_are_counted_said_and_at_last_end_the_run(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = ["warm_start.target=0", "rft.rounds=0", "grpo.max_failures=2", "grpo.advantage=step"]
    trainer = Trainer(load_recipe(recipe, changes), RunLog(tmp_path))
    learn = Learner.learn

    def poisoned(self: Learner, episodes: Any, greedy: Any = None) -> Any:
        with torch.no_grad():
            next(iter(self.policy.model.parameters()))[:] = math.inf
        return learn(self, episodes, greedy)

    monkeypatch.setattr(Learner, "learn", poisoned)
    with trainer.log, pytest.raises(stage.TrainingFailed, match="no step of the last 2 updates was finite"):
        trainer.run()
    assert trainer.counts["skipped_steps"] == 8  # two updates of two passes with two steps
    assert "update 1: 4 step(s) not finite and skipped" in capsys.readouterr().err
    assert [row["skipped"] for row in metrics(tmp_path) if row["stage"] == "grpo"] == [4, 4]


def test_a_supervised_step_that_is_not_finite_is_counted() -> None:
    policy = tiny("0123456789", width=16, layers=1, heads=2, context=32)
    import proofgym
    from proofgym.agents.rollout import Item

    envs = [proofgym.make("RunningTotal", style="bare", steps=2, largest=2)]
    episodes = warm_start.demonstrations(policy, envs, [Item(0, 0)])
    learner = Learner(policy, GRPO())
    assert learner.supervised(episodes)["skipped"] == 0
    with torch.no_grad():
        next(iter(policy.model.parameters()))[:] = math.nan
    before = {n: p.clone() for n, p in policy.model.state_dict().items()}
    assert learner.supervised(episodes)["skipped"] == 1
    assert all(torch.equal(before[n].nan_to_num(), p.nan_to_num()) for n, p in policy.model.state_dict().items())


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_written(recipe: Path, tmp_path: Path) -> None:
    import importlib.util

    from proofgym.errors import MissingExtra

    if importlib.util.find_spec("wandb"):
        pytest.skip("wandb is installed here")
    with pytest.raises(MissingExtra, match=r"proofgym\[wandb\]"):
        train(recipe, overrides=["loggers=[wandb]"], run_dir=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_tracker_gets_every_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    seen: list[Any] = []

    class Run:
        def log(self, values: Any) -> None:
            seen.append(values)

        def finish(self) -> None:
            seen.append("finished")

    fake = ModuleType("trackio")
    fake.init = lambda **kwargs: seen.append(kwargs) or Run()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trackio", fake)
    with RunLog(tmp_path / "mine", trackers=["trackio"]) as log:
        log.metrics("grpo", 3, reward=0.5, loss=math.nan)
    assert seen == [{"project": "proofgym", "name": "mine"}, {"grpo/reward": 0.5, "step": 3}, "finished"]


def test_a_checkpoint_of_another_number_of_processes_is_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "checkpoint.pt", {"world": 2})
    from proofgym.errors import BadInput

    with pytest.raises(BadInput, match="was written by 2 process"):
        checkpoint.load(tmp_path / "checkpoint.pt", world=1)


# Several processes --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_of_two_processes_is_that_of_one_and_can_be_resumed(tmp_path: Path) -> None:
    """`torchrun -m proofgym train`: the same episodes, advantages and losses; a second leg goes on from the first."""
    import subprocess
    import sys

    text = """
name: two
seed: 3
threads: 1
environment: {id: proofgym/RunningTotal-v0, kwargs: {style: bare, steps: 2, largest: 2}}
model: {spec: "tiny:0123456789", width: 16, layers: 2, heads: 2, context: 32}
warm_start: {target: 0.05, max_steps: 60, batch: 16, learning_rate: 0.004, evaluate_every: 2, evaluate_items: 24}
grpo: {updates: 3, prompts: 5, group: 4, max_tokens: 4, kl: {weight: 0.01}, validate_every: 1, validate_items: 15,
       checkpoint_every: 1, optimizer_steps: 2, learning_rate: 0.0005}
evaluation: {items: 15, keep_episodes: 4}
"""
    path = tmp_path / "two.yaml"
    path.write_text(text, encoding="utf-8")
    alone = train(path, run_dir=tmp_path / "alone")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

    def run(folder: Path, *more: str) -> None:
        command = [*launch, "-m", "proofgym", "train", str(path), "--run-dir", str(folder), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    run(tmp_path / "both")
    for one, two in zip(metrics(alone), metrics(tmp_path / "both"), strict=True):
        for name, value in one.items():
            if name not in ("sampled_tokens", "stage"):  # each process counts its own samples
                assert two[name] == pytest.approx(value, rel=2e-3, abs=2e-4), (one["stage"], one["step"], name)
    summary = json.loads((tmp_path / "both" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["processes"], summary["after"]["n"]) == (2, 15)
    (tmp_path / "both" / "summary.json").unlink()
    run(tmp_path / "both", "--resume")  # it was at its end: the same again
    assert json.loads((tmp_path / "both" / "summary.json").read_text(encoding="utf-8"))["after"] == summary["after"]
    with pytest.raises(Exception, match="was written by 2 process"):
        train(path, run_dir=tmp_path / "both", resume=True)
