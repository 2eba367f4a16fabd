"""Environments in worker processes: the same episodes, and deaths and delays that cost one episode."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterator
from typing import Any

import gymnasium
import pytest

import proofgym
from proofgym.agents.rollout import Item, rollout
from proofgym.agents.scripted import OraclePlayer, RandomPlayer
from proofgym.agents.workers import WorkerEnv, close_all, worker_envs
from proofgym.envs.base import fork
from proofgym.errors import EpisodeOver, Unjudged

# A host imports what it makes from where it is pickled by name, so the makers are functions of installed modules.
SUDOKU = functools.partial(proofgym.make, "Sudoku4Steps", max_turns=4)
RUDE = functools.partial(eval, "__import__('runpy').run_path(path)['Rude']()", {"path": __file__})


class Rude(gymnasium.Env[str, str]):
    """Does to its process what the action says."""

    def __init__(self) -> None:
        self.observation_space = self.action_space = gymnasium.spaces.Text(100)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        return f"{os.getpid()}", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if action == "die":
            os._exit(3)
        if action == "sleep":
            time.sleep(60.0)
        if action == "nap":
            time.sleep(0.4)
        if action == "raise":
            raise ZeroDivisionError("their bug")
        info = {"odd": (n for n in "a generator cannot travel")} if action == "odd" else {}
        return action, 1.0, False, False, info


@pytest.fixture
def made() -> Iterator[list[Any]]:
    envs: list[Any] = []
    yield envs
    close_all(envs)


def test_episodes_in_processes_are_those_played_here(made: list[Any]) -> None:
    items = [Item(3, index, sample) for index in range(4) for sample in range(2)]
    made += worker_envs(SUDOKU, 5, processes=2)
    player = RandomPlayer(4)

    class Blind(RandomPlayer):  # it asks the environment for its legal actions, which a worker does not show
        def seat(self, envs: Any, items: Any) -> Any:
            return RandomPlayer.seat(self, [gymnasium.Env() for _ in envs], items)

    player = Blind(4)
    here = list(rollout(player, [SUDOKU() for _ in range(5)], items))
    there = list(rollout(player, made, items))
    assert [e.line() for e in there] == [e.line() for e in here]
    assert there[0].env == "proofgym/Sudoku4Steps-v0"
    with pytest.raises(ValueError, match="no oracle"):
        list(rollout(OraclePlayer(), made[:1], items))


def test_a_fork_is_exact_and_independent_there_too(made: list[Any]) -> None:
    made += worker_envs(SUDOKU, 1)
    env, twin = made[0], SUDOKU()
    env.reset_item(3, 0)
    twin.reset(seed=3, options={"index": 0})
    move = twin.unwrapped.oracle()
    copy = fork(env)
    assert isinstance(copy, WorkerEnv)
    wanted = twin.step(move)[:4]
    assert env.step(move)[:4] == wanted
    assert copy.step("nonsense")[0] != wanted[0]
    assert fork(env).step("x")[:4] == twin.step("x")[:4]
    del copy
    env.reset(seed=3, options={"index": 0})
    assert env.step(move)[:4] == wanted


def test_a_process_that_dies_costs_its_episodes_and_is_replaced(made: list[Any]) -> None:
    made += worker_envs(RUDE, 2, processes=1)
    first, second = made
    assert first.reset(seed=1)[0] == second.reset(seed=1)[0]  # one process
    with pytest.raises(Unjudged, match=r"died \(exit code 3\)"):
        first.step("die")
    with pytest.raises(Unjudged):
        second.step("x")
    before = first.reset(seed=1)[0]
    with pytest.raises(Unjudged, match="replaced in mid-episode"):
        second.step("x")
    assert second.reset(seed=1)[0] == before
    assert second.step("fine")[0] == "fine"


def test_a_step_that_takes_too_long_is_unjudged_and_keeps_nobody_waiting(made: list[Any]) -> None:
    made += worker_envs(RUDE, 2, processes=1, timeout_s=20.0)
    made[0].reset(seed=1)
    made[1].reset(seed=1)
    made[0].host._timeout_s = 0.3
    with pytest.raises(Unjudged, match=r"more than 0\.3 s over step"):
        made[0].step("sleep")
    assert made[1].step("fine")[0] == "fine"
    made[0].host._timeout_s = 20.0
    assert made[0].reset(seed=2)[0] == made[1].reset(seed=2)[0]  # a fresh environment in the same process


def test_what_goes_wrong_there_says_so_here(made: list[Any]) -> None:
    made += worker_envs(RUDE, 1)
    made += worker_envs(SUDOKU, 1)
    made[0].reset(seed=1)
    with pytest.raises(Unjudged, match="ZeroDivisionError: their bug"):
        made[0].step("raise")
    with pytest.raises(Unjudged, match="generator"):
        made[0].step("odd")
    assert made[0].step("fine")[0] == "fine"
    made[1].reset(seed=0)
    for _ in range(4):
        made[1].step("x")
    with pytest.raises(EpisodeOver, match="call reset"):  # our own mistake stays what it is
        made[1].step("x")


def test_waiting_environments_of_one_process_overlap(made: list[Any]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    made += worker_envs(RUDE, 4, processes=1)
    for env in made:
        env.reset(seed=1)
    started = time.perf_counter()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda env: env.step("nap")[0], made)) == ["nap"] * 4
    assert time.perf_counter() - started < 1.2  # one after the other they would take 1.6 s


def test_levels_reach_the_process_and_survive_it(made: list[Any]) -> None:
    made += worker_envs(functools.partial(proofgym.make, "Countdown"), 1)
    env = made[0]
    env.set_level(0.0)
    easy = env.reset_item(3, 0)[0]
    env.host._process.kill()
    env.host._process.join()
    time.sleep(0.2)
    assert env.reset_item(3, 0)[0] == easy
    env.set_level(1.0)
    assert env.reset_item(3, 0)[0] != easy
