"""Wrappers keep what they promise, and keep `state`, `restore` and `fork`."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import pytest
from gymnasium.utils.env_checker import check_env

import proofgym
from proofgym.envs import trajectory
from proofgym.envs.base import VerifiableEnv, fork, reset_item
from proofgym.envs.wrappers import (
    ChatMessages,
    ForkableWrapper,
    History,
    InjectFaults,
    MaskUnjudged,
    RecordEpisodes,
    TimeLimit,
)
from proofgym.errors import BadInput, EpisodeOver, NotForkable, Unjudged

MakeEnv = Callable[..., VerifiableEnv]


def sudoku(**kwargs: Any) -> gymnasium.Env[str, str]:
    return proofgym.make("proofgym/Sudoku4Steps-v0", **kwargs)


WRAPPERS: dict[str, Callable[[gymnasium.Env[str, str], Path], ForkableWrapper[Any]]] = {
    "TimeLimit": lambda env, _: TimeLimit(env, 6),
    "ChatMessages": lambda env, _: ChatMessages(env, system="You solve sudokus."),
    "History": lambda env, _: History(env, turns=2),
    "RecordEpisodes": lambda env, folder: RecordEpisodes(env, folder / "episodes.jsonl"),
    "InjectFaults": lambda env, _: InjectFaults(env, rate=0.0),
    "MaskUnjudged": lambda env, _: MaskUnjudged(env),
    "all": lambda env, folder: MaskUnjudged(
        TimeLimit(RecordEpisodes(InjectFaults(env, rate=0.0), folder / "episodes.jsonl"), 6)
    ),
}  # fmt: skip

each_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


def move(env: gymnasium.Env[Any, str]) -> str:
    inner = env.unwrapped
    assert isinstance(inner, VerifiableEnv)
    return inner.oracle()


@each_wrapper
@pytest.mark.filterwarnings("ignore:.*is different from the unwrapped version:UserWarning")
def test_gymnasium_accepts_the_wrapped_environment(wrap: Any, tmp_path: Path) -> None:
    env = wrap(sudoku(), tmp_path)
    check_env(env, skip_render_check=True)
    env.close()


@each_wrapper
def test_gymnasium_makes_the_wrapped_environment_again_from_its_spec(wrap: Any, tmp_path: Path) -> None:
    env = wrap(sudoku(level=1.0), tmp_path)
    again = gymnasium.make(env.spec)
    assert str(again) == str(env)
    assert again.reset(seed=1) == env.reset(seed=1)


@each_wrapper
def test_a_fork_of_a_wrapper_is_equal_and_independent(wrap: Any, tmp_path: Path) -> None:
    env = wrap(sudoku(), tmp_path)
    env.reset(seed=3)
    env.step(move(env))
    branch = env.fork()
    assert type(branch) is type(env)
    assert branch.state() == env.state()
    before = copy.deepcopy(env.state())
    ahead = [branch.step(move(branch)) for _ in range(3)]
    assert env.state() == before
    assert [env.step(move(env)) for _ in range(3)] == ahead
    env.close()
    branch.close()


@each_wrapper
def test_the_state_of_a_wrapper_is_json_and_restores(wrap: Any, tmp_path: Path) -> None:
    env, other = wrap(sudoku(), tmp_path), wrap(sudoku(), tmp_path)
    env.reset(seed=4)
    env.step(move(env))
    state = json.loads(json.dumps(env.state()))
    other.reset(seed=99)
    other.restore(state)
    assert other.state() == state
    for _ in range(3):
        assert other.step(move(other))[:4] == env.step(move(env))[:4]
    env.close()
    other.close()


def test_gymnasiums_own_wrappers_fork_with_their_counts() -> None:
    env = gymnasium.wrappers.TimeLimit(sudoku(), 3)
    env.reset(seed=1)
    env.step("1 1 1")
    branch = fork(env)
    assert [branch.step("x")[3], branch.step("x")[3]] == [False, True]
    assert [env.step("x")[3], env.step("x")[3]] == [False, True]


def test_what_cannot_be_forked_is_named() -> None:
    with pytest.raises(NotForkable, match="CartPole"):
        fork(gymnasium.make("CartPole-v1"))
    with pytest.raises(NotForkable, match="CartPole"):
        MaskUnjudged(gymnasium.make("CartPole-v1")).state()


def test_items_are_asked_of_anybodys_environment() -> None:
    env = sudoku()
    assert reset_item(env, 5, 2)[0] == env.reset(seed=5, options={"index": 2})[0]
    other = gymnasium.make("CartPole-v1")
    assert reset_item(other, 5, 2)[0].tolist() == reset_item(other, 5, 2)[0].tolist()
    assert reset_item(other, 5, 2)[0].tolist() != reset_item(other, 5, 3)[0].tolist()


def test_the_time_limit_truncates_at_its_turn_and_counts_anew() -> None:
    env = TimeLimit(sudoku(), 3)
    for seed in (1, 2):
        env.reset(seed=seed)
        assert [env.step("nothing")[3] for _ in range(3)] == [False, False, True]
    with pytest.raises(BadInput, match="max_turns=0"):
        TimeLimit(sudoku(), 0)


def test_chat_messages_show_the_whole_conversation() -> None:
    env = ChatMessages(sudoku(), system="Be brief.")
    messages, _ = env.reset(seed=1)
    assert [m["role"] for m in messages] == ["system", "user"]
    later, *_ = env.step("1 1 1")
    assert later[: len(messages)] == messages
    assert [m["role"] for m in later[2:]] == ["assistant", "user"]
    assert later[2]["content"] == "1 1 1"
    assert env.observation_space.contains(later)
    assert len(env.reset()[0]) == 2, "a new episode is a new conversation"
    later[0]["content"] = "changed by the caller"
    assert env.reset()[0][0]["content"] == "Be brief."


def test_finished_abandoned_and_unjudged_episodes_are_recorded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "episodes.jsonl"
    env = RecordEpisodes(sudoku(), path)
    env.reset(seed=1)
    over = False
    while not over:
        *_, over, _, _ = env.step(move(env))
    env.reset()  # never played: not written
    env.reset()
    env.step("1 1 1")
    env.reset(seed=8, options={"index": 5})  # abandons the one before
    env.step("nonsense")
    env.close()
    faulty = RecordEpisodes(InjectFaults(sudoku(), rate=1.0), path)
    faulty.reset(seed=2)
    with pytest.raises(Unjudged):
        faulty.step("1 1 1")
    faulty.close()
    episodes, broken = trajectory.read(path)
    assert broken == []
    assert [e.end for e in episodes] == ["terminated", "truncated", "truncated", "unjudged"]
    assert [(e.seed, e.index) for e in episodes] == [(1, 0), (1, 2), (8, 5), (2, 0)]
    assert episodes[0].reward == pytest.approx(1.0)
    assert episodes[0].verdict is not None
    assert episodes[0].verdict.correct
    assert episodes[3].reward != episodes[3].reward, "an unjudged episode has no score"
    assert "injected fault" in episodes[3].fault
    assert all(e.env == "proofgym/Sudoku4Steps-v0" for e in episodes)


def test_a_recorded_episode_replays(tmp_path: Path) -> None:
    env = RecordEpisodes(sudoku(), tmp_path / "e.jsonl")
    env.reset(seed=12)
    for _ in range(4):
        env.step(move(env))
    env.close()
    (episode,), _ = trajectory.read(tmp_path / "e.jsonl")
    again = sudoku()
    observation, info = reset_item(again, episode.seed, episode.index)
    assert info["task"] == episode.task
    for turn in episode.turns:
        assert observation == turn.observation
        observation, reward, *_, info = again.step(turn.action)
        assert (reward, info["credits"]) == (turn.reward, turn.credits)


def test_a_forked_recorder_writes_its_own_episode(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    env = RecordEpisodes(sudoku(), path)
    env.reset(seed=1)
    env.step(move(env))
    branch = env.fork()
    branch.step("the branch")
    env.step("the trunk")
    branch.close()
    env.close()
    assert [e.turns[1].action for e in trajectory.read(path)[0]] == ["the branch", "the trunk"]


def test_a_restored_recorder_goes_on_with_the_restored_episode(tmp_path: Path) -> None:
    one, other = RecordEpisodes(sudoku(), tmp_path / "1.jsonl"), RecordEpisodes(sudoku(), tmp_path / "2.jsonl")
    one.reset(seed=1)
    one.step("before")
    other.reset(seed=99)
    other.step("abandoned")
    other.restore(json.loads(json.dumps(one.state())))
    other.step("after")
    other.close()
    episodes, _ = trajectory.read(tmp_path / "2.jsonl")
    assert [[turn.action for turn in episode.turns] for episode in episodes] == [["abandoned"], ["before", "after"]]
    assert [episode.seed for episode in episodes] == [99, 1]


def test_injected_faults_come_at_their_rate_and_repeat() -> None:
    def faults(seed: int) -> list[bool]:
        env, hit = InjectFaults(proofgym.make("RunningTotal"), rate=0.2, seed=seed), []
        for index in range(300):
            env.reset(seed=1, options={"index": index})
            try:
                env.step("1")
                hit.append(False)
            except Unjudged:
                hit.append(True)
        return hit

    assert faults(1) == faults(1)
    assert faults(1) != faults(2)
    assert 30 < sum(faults(1)) < 90
    with pytest.raises(BadInput, match="rate"):
        InjectFaults(sudoku(), rate=1.5)


def test_a_fault_is_masked_with_nan_and_ends_the_episode(broken: VerifiableEnv) -> None:
    env = MaskUnjudged(broken)
    for action, said in (("break", "our own bug"), ("unjudged", "sandbox is gone")):
        env.reset(seed=1)
        assert env.step("go on")[1] == 0.0
        observation, reward, terminated, truncated, info = env.step(action)
        assert reward != reward
        assert (observation, terminated, truncated) == ("", False, True)
        assert said in info["unjudged"]
        assert "verdict" not in info


def test_our_own_bug_is_unjudged_and_never_a_zero(broken: VerifiableEnv) -> None:
    broken.reset(seed=1)
    with pytest.raises(Unjudged, match=r"Broken failed on an action \(KeyError: 'our own bug'\)"):
        broken.step("break")
    with pytest.raises(EpisodeOver):
        broken.step("go on")


def test_a_history_shows_the_task_the_last_turns_and_a_summary_of_the_rest() -> None:
    env = History(proofgym.make("Household", grammar="strict"), turns=2)
    first, _ = env.reset(seed=1)
    env.step("look")
    second, *_ = env.step(" inventory ")
    assert second.startswith(first)
    assert second.endswith("> inventory\nYou are not carrying anything.")
    third, *_ = env.step("examine nothing")
    assert "(1 earlier turns are not shown)" in third
    assert "> look" not in third
    told: list[str] = []
    short = History(proofgym.make("Household"), turns=1, summary=lambda text: told.append(text) or "You looked around.")
    short.reset(seed=1)
    short.step("look")
    assert "You looked around.\n\n> inventory" in short.step("inventory")[0]
    assert told[0].startswith("> look\n")
    with pytest.raises(BadInput, match="at least one turn"):
        History(proofgym.make("Household"), turns=0)
