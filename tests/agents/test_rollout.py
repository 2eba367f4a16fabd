"""Rollouts: scripted players, every way an episode can end, and faults that touch one episode only. No torch."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest

import proofgym
from proofgym.agents.rollout import Item, rollout
from proofgym.agents.scripted import OraclePlayer, RandomPlayer
from proofgym.envs.base import VerifiableEnv
from proofgym.envs.trajectory import Trajectory
from proofgym.envs.wrappers import InjectFaults, MaskUnjudged
from proofgym.errors import BadInput, EpisodeOver, Unjudged
from proofgym.verifiers import Credit, Verdict

ITEMS = [Item(3, index, sample) for index in range(3) for sample in range(2)]


class Stranger(gymnasium.Env[str, str]):
    """Somebody else's environment: says how often it was called, and does what its action names."""

    def __init__(self, refuses: bool = False) -> None:
        self.observation_space = gymnasium.spaces.Text(1000)
        self.action_space = gymnasium.spaces.Text(1000)
        self.refuses = refuses
        self.calls = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.calls = 0
        if self.refuses:
            raise OSError("the license server is down")
        return f"hello {seed}", {}

    def step(self, action: str) -> tuple[str, Any, bool, bool, dict[str, Any]]:
        self.calls += 1
        reward: Any = {"nan": math.nan, "inf": math.inf, "words": "much"}.get(action, 0.5)
        infos: dict[str, dict[str, Any]] = {
            "masked": {"unjudged": "my own reason"},
            "odd": {"credits": 3, "verdict": "good", "task": "mine"},
            "half": {"credits": [Credit(0, 2, 0.2, "step")]},
        }
        if action == "raise":
            raise ZeroDivisionError("their bug")
        if action == "unjudged":
            raise Unjudged("nobody there")
        if action == "over":
            raise EpisodeOver("asked too late")
        return f"turn {self.calls}", reward, action == "end", action == "cut", infos.get(action, {})


def play(scripted: Any, texts: list[str], *, env: Any = None) -> Trajectory:
    player = scripted(lambda item, turn, observation: texts[turn] if turn < len(texts) else None)
    return next(iter(rollout(player, [env or Stranger()], [Item(1, 0)])))


def test_a_trajectory_says_what_happened(scripted: Any) -> None:
    found = play(scripted, ["a", "b", "end"])
    assert [t.action for t in found.turns] == ["a", "b", "end"]
    assert found.turns[0].observation.startswith("hello ")
    assert [t.observation for t in found.turns[1:]] == ["turn 1", "turn 2"]
    assert (found.env, found.seed, found.index, found.end, found.fault) == ("Stranger", 1, 0, "terminated", "")
    assert found.reward == 1.5
    assert {t.policy_version for t in found.turns} == {7}


def test_truncated_and_full_contexts_are_truncated(scripted: Any) -> None:
    assert play(scripted, ["a", "cut"]).end == "truncated"
    stopped = play(scripted, ["a", "b"])  # the player had no room for a third turn
    assert (stopped.end, len(stopped.turns), stopped.reward) == ("truncated", 2, 1.0)


@pytest.mark.parametrize(
    ("action", "fault"),
    [
        ("nan", "the reward was nan"), ("inf", "the reward was inf"), ("words", "ValueError: could not convert"),
        ("masked", "my own reason"), ("raise", "ZeroDivisionError: their bug"), ("unjudged", "nobody there"),
    ],
)  # fmt: skip
def test_faults_are_unjudged_with_their_reason(action: str, fault: str, scripted: Any) -> None:
    found = play(scripted, ["a", action, "never"])
    assert found.unjudged
    assert fault in found.fault
    assert math.isnan(found.reward)
    assert [t.action for t in found.turns] == ["a", action]
    assert found.turns[-1].reward == 0.0
    assert json.loads(found.line())["end"] == "unjudged"


def test_a_reset_that_fails_is_an_unjudged_episode_and_its_neighbours_play_on(scripted: Any) -> None:
    envs = [Stranger(), Stranger(refuses=True), Stranger()]
    found = list(rollout(scripted(lambda *_: "end"), envs, [Item(1, i) for i in range(3)]))
    assert [e.end for e in found] == ["terminated", "unjudged", "terminated"]
    assert found[1].fault == "reset failed: OSError: the license server is down"
    assert found[1].turns == []


def test_our_own_mistakes_are_not_swallowed(scripted: Any) -> None:
    with pytest.raises(EpisodeOver):
        play(scripted, ["over"])


def test_interruptions_pass(scripted: Any) -> None:
    def interrupt(*_: Any) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(rollout(scripted(interrupt), [Stranger()], [Item(0, 0)]))


def test_an_environment_without_credits_is_credited_as_a_whole(scripted: Any) -> None:
    assert play(scripted, ["hello", "end"]).turns[0].credits == [Credit(0, 5, 0.5, "reward")]


def test_what_credits_leave_is_the_whole_actions(scripted: Any) -> None:
    """So that credits and reward agree, whatever a wrapper did to the reward."""
    found = play(scripted, ["half"]).turns[0]
    assert found.credits[0] == Credit(0, 2, 0.2, "step")
    rest = found.credits[1]
    assert (rest.start, rest.end, rest.label) == (0, 4, "reward")
    assert rest.value == pytest.approx(0.3)
    doubled = gymnasium.wrappers.TransformReward(proofgym.make("RunningTotal", style="bare"), lambda r: 2 * float(r))
    env: Any = doubled
    for episode in rollout(OraclePlayer(), [env], [Item(0, 0)]):
        assert episode.reward == pytest.approx(2.0)
        assert sum(c.value for c in episode.turns[0].credits) == pytest.approx(2.0)


def test_what_a_stranger_calls_credits_is_not_ours(scripted: Any) -> None:
    found = play(scripted, ["odd"]).turns[0]
    assert found.credits == [Credit(0, 3, 0.5, "reward")]
    assert found.verdict is None


def test_only_text_can_be_played(scripted: Any) -> None:
    env: Any = gymnasium.make("CartPole-v1")
    with pytest.raises(BadInput, match="CartPole-v1 shows a ndarray"):
        play(scripted, ["1"], env=env)


def test_a_rollout_needs_environments_of_its_own(scripted: Any) -> None:
    with pytest.raises(ValueError, match="at least one environment"):
        list(rollout(scripted(lambda *_: ""), [], ITEMS))
    with pytest.raises(ValueError, match="there twice"):
        list(rollout(scripted(lambda *_: ""), [Stranger()] * 2, ITEMS))


@pytest.mark.parametrize("width", [1, 4, 64])
def test_episodes_come_in_the_order_of_their_items(width: int, scripted: Any) -> None:
    items = [Item(9, index, sample) for index in range(25) for sample in range(2)]
    player = scripted(lambda item, turn, _: "end" if turn == (item.index * 7) % 4 else "on")
    called: list[Trajectory] = []
    found = list(rollout(player, [Stranger() for _ in range(width)], items, on_episode=called.append))
    assert [(e.seed, e.index, e.sample) for e in found] == [(i.seed, i.index, i.sample) for i in items]
    assert [len(e.turns) for e in found] == [1 + (i.index * 7) % 4 for i in items]
    assert called == found


def test_items_are_read_lazily(scripted: Any) -> None:
    endless = (Item(0, index) for index in range(10**9))
    player = scripted(lambda *_: "end")
    assert next(rollout(player, [Stranger(), Stranger()], endless)).index == 0
    assert next(endless).index == 2


@pytest.mark.parametrize("width", [1, 3, 16])
def test_how_many_play_side_by_side_changes_nothing(width: int) -> None:
    def run(count: int) -> list[str]:
        envs = [proofgym.make("Sudoku4Steps") for _ in range(count)]
        return [e.line() for e in rollout(RandomPlayer(4), envs, ITEMS)]

    assert run(width) == run(2)


def test_a_fault_masks_its_own_episode_only(scripted: Any) -> None:
    def run(rate: float) -> list[Trajectory]:
        envs: list[Any] = [InjectFaults(proofgym.make("Sudoku4Steps"), rate, seed=s) for s in range(6)]
        return list(rollout(OraclePlayer(), envs, ITEMS))

    found, sound = run(0.05), run(0.0)
    assert 0 < sum(e.unjudged for e in found) < 6
    for a, b in zip(found, sound, strict=True):
        if a.unjudged:
            assert "injected fault" in a.fault
        else:
            assert a.line() == b.line()


def test_a_masking_wrapper_says_the_same(scripted: Any) -> None:
    env: Any = MaskUnjudged(InjectFaults(proofgym.make("Countdown"), 1.0))
    found = next(rollout(OraclePlayer(), [env], ITEMS))
    assert found.unjudged
    assert found.fault == "injected fault at call 1"


def test_broken_families_are_unjudged(broken: VerifiableEnv, scripted: Any) -> None:
    assert "our own bug" in play(scripted, ["x", "break"], env=broken).fault
    assert play(scripted, ["unjudged"], env=broken).fault == "the sandbox is gone"
    assert play(scripted, ["x", "x", "x"], env=broken).end == "truncated"


@pytest.mark.parametrize("env_id", ["Arithmetic", "Sudoku4Steps", "RunningTotal"])
def test_trajectories_survive_json(env_id: str) -> None:
    for player in (OraclePlayer(), RandomPlayer(1)):
        for episode in rollout(player, [proofgym.make(env_id), proofgym.make(env_id)], ITEMS[:2]):
            assert Trajectory.from_json(json.loads(episode.line())) == episode


def test_the_oracle_is_right_and_names_its_task() -> None:
    for episode in rollout(OraclePlayer(), [proofgym.make("Sudoku4Steps") for _ in range(3)], ITEMS):
        assert episode.reward == pytest.approx(1.0)
        assert isinstance(episode.verdict, Verdict)
        assert episode.verdict.correct
        assert episode.task["fingerprint"]


def test_an_oracle_is_needed_to_play_it() -> None:
    with pytest.raises(BadInput, match="Stranger has no oracle"):
        next(rollout(OraclePlayer(), [Stranger()], ITEMS))


def test_random_players_differ_by_seed_item_and_attempt() -> None:
    class Once(Stranger):
        def step(self, action: str) -> Any:
            return "", 0.0, True, False, {}

    def actions(seed: int, items: list[Item]) -> list[str]:
        return [e.turns[0].action for e in rollout(RandomPlayer(seed), [Once()], items)]

    assert actions(0, ITEMS) == actions(0, ITEMS)
    assert len(set(actions(0, ITEMS))) == len(ITEMS)
    assert not set(actions(0, ITEMS)) & set(actions(1, ITEMS))


def test_sixty_four_environments_of_a_vector_agree_with_a_rollout() -> None:
    vector = proofgym.make_vec("RunningTotal", 64, style="bare")
    observations, _ = vector.reset(seed=5)
    vector.close()
    envs = [proofgym.make("RunningTotal", style="bare") for _ in range(64)]
    found = list(rollout(OraclePlayer(), envs, [Item(5 + i, 0) for i in range(64)]))
    assert [e.turns[0].observation for e in found] == [str(o) for o in observations]
    assert np.mean([e.reward for e in found]) == pytest.approx(1.0)


BLOCKED = """
import sys
for name in ("torch", "transformers", "pydantic", "scipy.stats", "tensorboard"):
    sys.modules[name] = None  # any import of it fails
sys.argv = ["proofgym"]
from pathlib import Path
import proofgym
from proofgym.agents.rollout import Item, rollout
from proofgym.agents.scripted import OraclePlayer
from proofgym.agents import advantages
from proofgym.bench.evaluate import evaluate
from proofgym.errors import MissingExtra
done = list(rollout(OraclePlayer(), [proofgym.make("Countdown")], [Item(0, 0)]))
assert done[0].reward == 1.0
summary = evaluate(["Countdown", "Sudoku4Steps"], "oracle", n=3, run_dir=Path(sys.path.pop()))
assert [result.mean for result in summary.results] == [1.0, 1.0]
from proofgym.agents.recipe import train
for ask in (lambda: train("demo"), lambda: evaluate(["Countdown"], "tiny:01")):
    try:
        ask()
    except MissingExtra as error:
        print(error)
"""


def test_scripted_play_and_evaluation_need_no_torch(tmp_path: Any) -> None:
    code = f"import sys; sys.path.append({str(tmp_path / 'run')!r}){BLOCKED}"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("`pip install 'proofgym[train]'` brings it") == 2
    assert not (tmp_path / "runs").exists()
