"""Rollouts without barriers: the same episodes however they overlap, and a fault that stays where it happened."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from typing import Any

import gymnasium
import numpy as np
import pytest

import proofgym
from proofgym.agents.engines.base import Request, Stats
from proofgym.agents.rollout import Item
from proofgym.agents.sampling import Sample, Sampling
from proofgym.agents.streaming import Begin, Chain, Runner, stream
from proofgym.agents.tokens import CharFormat
from proofgym.envs.trajectory import Trajectory
from proofgym.envs.wrappers import InjectFaults
from proofgym.errors import EpisodeOver

ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ=.,:'-\n|#?!()"


class FakeEngine:
    """Samples without a model: an action is a function of the context and the key. `slow` ones take more polls."""

    def __init__(self, *, fault: str = "", slow: int = 1) -> None:
        self.format, self.stats, self.max_context, self.version = CharFormat(ALPHABET), Stats(), 4000, 3
        self.fault, self.slow = fault, slow
        self.waiting: list[list[Any]] = []
        self.released: set[int] = set()

    @property
    def busy(self) -> int:
        return len(self.waiting)

    def submit(self, request: Request) -> None:
        rng = np.random.default_rng([*request.key, len(request.context)])
        delay = int(np.random.default_rng(list(request.key)).integers(self.slow))
        self.waiting.append([1 + delay, request, rng])

    def poll(self, wait_s: float = 0.0) -> list[tuple[Request, Sample]]:
        done = []
        for entry in list(self.waiting):
            entry[0] -= 1
            if entry[0] <= 0:
                self.waiting.remove(entry)
                done.append((entry[1], self.answer(entry[1], entry[2])))
        return done

    def answer(self, request: Request, rng: np.random.Generator) -> Sample:
        if self.fault and np.random.default_rng([7, *request.key]).random() < 0.1:
            return Sample([], [], False, fault=self.fault)
        count = int(rng.integers(1, request.sampling.max_tokens + 1))
        ids = [int(i) for i in rng.integers(5, 15, size=count)]
        self.stats.generated += count
        return Sample(ids, rng.uniform(-2.0, 0.0, count).tolist(), True, self.version)

    def release(self, session: int) -> None:
        self.released.add(session)

    def load(self, weights: Iterable[tuple[str, Any]], version: int) -> None:
        self.version = version

    def sleep(self) -> None: ...

    def wake(self) -> None: ...

    def close(self) -> None: ...


class Waits(gymnasium.Env[str, str]):
    """Three turns, each of which takes as long as the item says."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.observation_space = self.action_space = gymnasium.spaces.Text(100)
        self.seconds, self.turns, self.threads = seconds, 0, set[int]()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.turns = 0
        return f"{seed}", {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        self.threads.add(threading.get_ident())
        time.sleep(self.seconds)
        self.turns += 1
        return f"{self.turns}", 0.25, self.turns == 3, False, {}


ITEMS = [Item(3, index, sample) for index in range(8) for sample in range(2)]


def sudokus(count: int, **kwargs: Any) -> list[Any]:
    return [proofgym.make("Sudoku4Steps", max_turns=6, **kwargs) for _ in range(count)]


def lines(**kwargs: Any) -> list[str]:
    count = kwargs.pop("count", 16)
    engine = kwargs.pop("engine", None) or FakeEngine(slow=kwargs.pop("slow", 1))
    return [e.line() for e in stream(engine, Sampling(1.0, 6), sudokus(count), ITEMS, key=(1,), **kwargs)]


def test_episodes_are_the_same_however_they_overlap() -> None:
    wanted = lines()
    assert len(set(wanted)) == len(ITEMS)
    assert lines(count=1) == wanted
    assert lines(count=5, slow=7) == wanted
    assert lines(count=5, slow=3, workers=4) == wanted
    assert sorted(lines(count=5, slow=5, workers=2, ordered=False)) == sorted(wanted)


def test_contexts_only_grow_by_what_was_sampled() -> None:
    for line in lines()[:4]:
        episode = Trajectory.from_json(json.loads(line))
        form = CharFormat(ALPHABET)
        for k, turn in enumerate(episode.turns):
            wanted = (
                form.between(turn.observation, episode.turns[k - 1].action_ids) if k else form.open(turn.observation)
            )
            assert turn.prompt_ids == wanted
            assert form.decode(turn.action_ids) == (turn.action, turn.token_ends)
            assert len(turn.logprobs) == len(turn.action_ids)
            assert turn.policy_version == 3


def test_a_full_context_ends_the_episode_as_it_stands() -> None:
    engine = FakeEngine()
    engine.max_context = 700
    found = list(stream(engine, Sampling(1.0, 6), sudokus(3), ITEMS[:3], key=(1,)))
    assert {e.end for e in found} == {"truncated"}
    assert all(0 < len(e.turns) < 6 for e in found)


def test_a_slow_environment_delays_nobody_else() -> None:
    """One environment of eight takes 0.2 s a step; with threads the others are done long before it."""
    envs = [Waits(0.2 if n == 0 else 0.0) for n in range(8)]
    finished: list[tuple[float, int]] = []
    started = time.perf_counter()
    items = [Item(0, n) for n in range(40)]
    done = list(
        stream(
            FakeEngine(), Sampling(1.0, 4), list(envs), items, workers=8,
            on_episode=lambda e: finished.append((time.perf_counter() - started, e.index)),
        )
    )  # fmt: skip
    assert [e.index for e in done] == list(range(40))
    assert finished[-1][0] >= 0.6  # three steps of the slow one
    assert sorted(at for at, _ in finished)[30] < 0.4
    assert all(threading.get_ident() not in env.threads for env in envs)


def test_without_workers_environments_step_here() -> None:
    env = Waits()
    list(stream(FakeEngine(), Sampling(1.0, 4), [env], [Item(0, 0)]))
    assert env.threads == {threading.get_ident()}


@pytest.mark.parametrize("workers", [0, 3])
def test_a_faulty_environment_masks_its_episode_and_stops_nobody(workers: int) -> None:
    def run(rate: float) -> list[Trajectory]:
        envs: list[Any] = [InjectFaults(env, rate, seed=n) for n, env in enumerate(sudokus(16))]
        return list(stream(FakeEngine(), Sampling(1.0, 6), envs, ITEMS, key=(1,), workers=workers))

    sound, found = run(0.0), run(0.06)
    assert 0 < sum(e.unjudged for e in found) < len(found)
    for a, b in zip(found, sound, strict=True):
        assert ("injected fault" in a.fault) if a.unjudged else (a.line() == b.line())


def test_an_engine_that_fails_masks_the_episode_it_failed() -> None:
    wanted = set(lines())
    found = [Trajectory.from_json(json.loads(line)) for line in lines(engine=FakeEngine(fault="the server is gone"))]
    assert {e.fault for e in found if e.unjudged} == {"the server is gone"}
    assert 0 < sum(e.unjudged for e in found) < len(found) == len(ITEMS)
    assert all(e.unjudged or e.line() in wanted for e in found)


@pytest.mark.parametrize("workers", [0, 2])
def test_our_own_mistakes_are_not_swallowed(workers: int) -> None:
    class Over(Waits):
        def step(self, action: str) -> Any:
            raise EpisodeOver("asked too late")

    with pytest.raises(EpisodeOver):
        list(stream(FakeEngine(), Sampling(), [Over()], [Item(0, 0)], workers=workers))


def test_nothing_that_finished_is_lost_when_interrupted() -> None:
    """An interruption in mid-tick: who had finished in that very tick is still handed to the sink."""

    class Interrupts(Waits):
        def step(self, action: str) -> Any:
            if self.turns == 2 and self.slow:
                raise KeyboardInterrupt
            return super().step(action)

        slow = False

    envs: list[Any] = [Interrupts() for _ in range(4)]
    envs[3].slow = True
    kept: list[int] = []
    engine = FakeEngine()
    with pytest.raises(KeyboardInterrupt):
        list(
            stream(
                engine,
                Sampling(1.0, 4),
                envs,
                [Item(0, n) for n in range(4)],
                on_episode=lambda e: kept.append(e.index),
            )
        )
    assert len(kept) == 3
    assert len(engine.released) == 4


def test_items_are_read_lazily_and_a_late_first_episode_holds_a_bounded_number() -> None:
    class Late(Waits):
        def step(self, action: str) -> Any:
            if not barrier.is_set() and self.first:
                barrier.wait(10.0)
            return super().step(action)

        first = False

    barrier = threading.Event()
    envs: list[Any] = [Late() for _ in range(3)]
    begun: list[int] = []

    def items() -> Any:
        for n in range(10**9):
            begun.append(n)
            yield Item(0, n)

    envs[0].first = True
    playing = stream(FakeEngine(), Sampling(1.0, 4), envs, items(), workers=3)
    threading.Timer(0.5, barrier.set).start()
    assert next(playing).index == 0
    assert len(begun) <= 8 * 3 + 1
    playing.close()


def test_a_rollout_needs_environments_of_its_own() -> None:
    env = Waits()
    for envs, said in (([], "at least one environment"), ([env, env], "there twice")):
        with pytest.raises(ValueError, match=said):
            list(stream(FakeEngine(), Sampling(), envs, ITEMS))


# Branches -------------------------------------------------------------------------------------------------------------


def played(runner: Runner, chain: Chain) -> Chain:
    while True:
        for found in runner.tick():
            if found is chain:
                return chain


def test_a_branch_begins_exactly_where_its_parent_was() -> None:
    engine = FakeEngine()
    runner = Runner(engine, Sampling(1.0, 6), sudokus(1), keep_forks=True)
    parent = played(runner, runner.start(Item(3, 0), (1,)))
    for turn in range(len(parent.episode.turns)):
        for kept in range(min(3, len(parent.episode.turns[turn].action_ids))):
            branch = played(runner, runner.branch(Begin(parent, turn, kept), 7, (2,)))
            a, b = parent.episode, branch.episode
            assert (b.seed, b.index, b.sample, b.task) == (a.seed, a.index, 7, a.task)
            assert [t.to_json() for t in b.turns[:turn]] == [t.to_json() for t in a.turns[:turn]]
            assert b.turns[turn].observation == a.turns[turn].observation
            assert b.turns[turn].prompt_ids == a.turns[turn].prompt_ids
            assert b.turns[turn].action_ids[:kept] == a.turns[turn].action_ids[:kept]
            assert b.turns[turn].logprobs[:kept] == a.turns[turn].logprobs[:kept]
            assert len(b.turns[turn].action_ids) <= 6
    replay = proofgym.make("Sudoku4Steps", max_turns=6).unwrapped
    for turn, taken in enumerate(branch.episode.turns):  # the last branch, against an environment of its own
        if turn == 0:
            observation, _ = replay.reset(seed=3, options={"index": 0})
            assert observation == taken.observation
        following, reward, *_ = replay.step(taken.action)
        assert reward == taken.reward
        if turn + 1 < len(branch.episode.turns):
            assert following == branch.episode.turns[turn + 1].observation


def test_a_paused_chain_goes_on_as_if_it_never_paused() -> None:
    engine = FakeEngine()
    runner = Runner(engine, Sampling(1.0, 6), sudokus(1), keep_forks=True)
    whole = played(runner, runner.start(Item(3, 1, 2), (1,)))
    chain = played(runner, runner.start(Item(3, 1, 2), (1,), until=1))
    assert chain.paused
    for turn in range(1, len(whole.episode.turns)):
        chain = played(runner, runner.branch(Begin(chain, turn), 2, (1,), until=turn + 1))
    assert chain.episode.line() == whole.episode.line()
    assert not chain.paused
