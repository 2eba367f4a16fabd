"""The client is a Gymnasium environment that plays as the local one does, and never plays an action twice."""

from __future__ import annotations

import contextlib
import copy
import gc
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import proofgym
from proofgym.adapters.client import RemoteEnv
from proofgym.adapters.wire import ServerRefused, SessionLost, Unreachable
from proofgym.envs.base import reset_item
from proofgym.errors import BadInput, EpisodeOver, Unjudged, UnknownEnv

Serve = Callable[..., contextlib.AbstractContextManager[str]]
TOKEN = "a token of more than sixteen characters"


@pytest.fixture
def remote(url: str) -> Iterator[Callable[..., RemoteEnv]]:
    """Connect, and close when the test is over."""
    made: list[RemoteEnv] = []

    def connect(env: str, **args: Any) -> RemoteEnv:
        made.append(proofgym.connect(url, env=env, **args))
        return made[-1]

    yield connect
    for env in made:
        env.close()


Connect = Callable[..., RemoteEnv]


def test_it_passes_gymnasiums_own_check(remote: Connect) -> None:
    check_env(remote("Countdown"))


@pytest.mark.parametrize("name", ["Countdown", "Sudoku4Steps"])
def test_it_plays_as_the_local_one_does(remote: Connect, name: str) -> None:
    there, here = remote(name, level=0.3), proofgym.make(name, level=0.3)
    assert there.observation_space == here.observation_space
    assert there.action_space == here.action_space
    assert there.max_turns == here.unwrapped.max_turns  # type: ignore[attr-defined]
    for seed in range(3):
        assert there.reset(seed=seed) == here.reset(seed=seed)
        ended, turns = False, 0
        while not ended and turns < 6:
            expert: str = here.unwrapped.oracle()  # type: ignore[attr-defined]
            assert there.oracle() == expert
            action = expert if turns % 2 == 0 else f"{expert} \ud800 nonsense"
            played = there.step(action)
            assert played == here.step(action)
            ended, turns = played[2] or played[3], turns + 1
    assert there.reset() == here.reset()
    assert reset_item(there, 7, 3) == reset_item(here, 7, 3)


def test_errors_are_the_local_ones(remote: Connect) -> None:
    env = remote("Countdown")
    with pytest.raises(EpisodeOver):
        env.step("x")
    with pytest.raises(BadInput, match="cheat"):
        env.reset(options={"cheat": 1})
    with pytest.raises(TypeError):
        env.step(5)  # type: ignore[arg-type]
    env.reset()
    env.close()
    env.close()
    with pytest.raises(EpisodeOver, match="closed"):
        env.step("x")


@pytest.mark.parametrize("action", ["unjudged", "bug"])
def test_unjudged_is_raised_as_unjudged(remote: Connect, action: str) -> None:
    env = remote("Broken")
    env.reset()
    with pytest.raises(Unjudged):
        env.step(action)
    with pytest.raises(EpisodeOver):
        env.step("on")
    assert env.reset()[0]


def test_forks_and_states_travel_there_and_back(remote: Connect) -> None:
    env = remote("Sudoku4Steps")
    env.reset(seed=5)
    env.step(env.oracle())
    forked, state = proofgym.fork(env), env.state()
    action = env.oracle()
    expected = env.step(action)
    assert forked.step(action) == expected
    env.restore(state)
    assert env.step(action) == expected
    here = proofgym.make("Sudoku4Steps").unwrapped
    here.restore(copy.deepcopy(state))  # type: ignore[attr-defined]
    assert here.step(action) == expected
    forked.close()
    with pytest.raises(ServerRefused, match="signed"):
        env.restore({**state, "turns": 0})


class Lossy:
    """A connection that breaks after a message was sent: before the server heard it, or before we hear the reply."""

    def __init__(self, inner: Any, *, deaf: bool) -> None:
        self._inner, self._deaf = inner, deaf

    def send(self, text: str) -> None:
        if self._deaf:
            self._inner.send(text)

    def recv(self, timeout: float) -> str:
        if self._deaf:
            self._inner.recv(timeout=timeout)  # the server has played it, and the reply is lost
        self._inner.close()
        raise ConnectionResetError

    def close(self) -> None:
        self._inner.close()


@pytest.mark.parametrize("deaf", [False, True])
def test_a_connection_that_breaks_plays_no_action_twice(remote: Connect, deaf: bool) -> None:
    env = remote("Broken")
    first, _ = env.reset(seed=1)
    env._connection._socket = Lossy(env._connection._socket, deaf=deaf)
    assert env.step("a")[0] == "heard a"
    assert env.state()["turns"] == 1
    env._connection._socket = Lossy(env._connection._socket, deaf=deaf)
    second, _ = env.reset()
    assert env.state()["index"] == 1
    assert second != first
    env._connection._socket = Lossy(env._connection._socket, deaf=deaf)
    env.fork().close()


def test_a_session_that_is_gone_is_unjudged_and_the_next_reset_makes_another(serve: Serve) -> None:
    with serve(ttl_s=0.3) as url:
        env = proofgym.connect(url, env="Countdown", level=0.2)
        question, _ = env.reset(seed=3)
        time.sleep(1.0)
        with pytest.raises(SessionLost):
            env.step("x")
        assert env.reset(seed=3)[0] == question
        env.close()


def test_a_server_that_went_away_is_unjudged(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proofgym.adapters.client._PAUSES_S", (0.01,))
    with serve() as url:
        env = proofgym.connect(url, env="Countdown")
        env.reset()
    with pytest.raises(Unreachable):
        env.step("x")
    env.close()
    with pytest.raises(Unreachable):
        proofgym.connect(url)


def test_the_token_is_asked_for_and_kept_out_of_the_spec(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROOFGYM_TOKEN", raising=False)
    with serve(token=TOKEN, envs=("proofgym/Countdown-v0",)) as url:
        with pytest.raises(ServerRefused, match="Bearer"):
            proofgym.connect(url)
        with pytest.raises(ServerRefused, match="Bearer"):
            proofgym.connect(url, TOKEN[:-1])
        env = proofgym.connect(url, TOKEN)
        assert env.spec is not None
        assert TOKEN not in env.spec.to_json()
        again = env.spec.make()
        assert again.reset(seed=1) == env.reset(seed=1)
        again.close()
        env.close()


@pytest.mark.parametrize("bad", ["localhost:8000", "ftp://localhost", "http://", "http://user:secret@localhost"])
def test_a_url_that_is_none_is_bad_input(bad: str) -> None:
    with pytest.raises(BadInput, match="looks like"):
        proofgym.connect(bad)


def test_the_environment_is_named_where_there_are_several(url: str) -> None:
    with pytest.raises(UnknownEnv, match="name one"):
        proofgym.connect(url)
    with pytest.raises(UnknownEnv, match="Countdown"):
        proofgym.connect(url, env="Sudoku9")
    with pytest.raises(BadInput, match="path"):
        proofgym.connect(url, env="Countdown", path="/etc/passwd")


def test_an_environment_that_nobody_holds_closes_its_session(url: str) -> None:
    env = proofgym.connect(url, env="Broken")
    session, watch = env._session, proofgym.connect(url, env="Broken")
    del env
    gc.collect()
    with pytest.raises(SessionLost):
        watch._connection.call("show", session=session)
    watch.close()


def test_environments_are_used_from_many_threads(url: str) -> None:
    found: list[float] = []

    def play(seed: int) -> None:
        env = proofgym.connect(url, env="Countdown")
        env.reset(seed=seed)
        found.append(env.step(env.oracle())[1])
        env.close()

    threads = [threading.Thread(target=play, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1.0] * 6


# The vector environment -----------------------------------------------------------------------------------------------


def test_the_vector_environment_plays_as_the_local_one_does(url: str) -> None:
    there = proofgym.connect(url, env="Sudoku4Steps", num_envs=3, max_turns=3)
    here = proofgym.make_vec("Sudoku4Steps", 3, max_turns=3)
    assert there.observation_space == here.observation_space
    assert there.action_space == here.action_space
    assert there.metadata["autoreset_mode"] == here.metadata["autoreset_mode"]
    same(there.reset(seed=11), here.reset(seed=11))
    rng = np.random.default_rng(0)
    for _ in range(8):
        actions = tuple(f"r{a}c{b}={c}" for a, b, c in rng.integers(1, 5, (3, 3)).tolist())
        same(there.step(actions), here.step(actions))
    there.close()
    here.close()


def same(one: Any, other: Any) -> None:
    """Equal, arrays and the dictionaries of a vector environment's infos included."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            same(one[key], other[key])
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()
    elif isinstance(one, (tuple, list)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    else:
        assert one == other


def test_a_fault_masks_its_own_copy_only(url: str) -> None:
    envs = proofgym.connect(url, env="Broken", num_envs=3)
    envs.reset(seed=0)
    _, rewards, terminated, truncated, infos = envs.step(["a", "unjudged", "b"])
    assert np.isnan(rewards[1])
    assert rewards[[0, 2]].tolist() == [0.25, 0.25]
    assert terminated.tolist() == [False] * 3
    assert truncated.tolist() == [False, True, False]
    assert infos["unjudged"][1] == "the sandbox died"
    texts, rewards, *_ = envs.step(["a", "", "b"])
    assert texts[1].isdigit()
    assert rewards[1] == 0.0
    envs.close()


def test_a_lost_copy_is_masked_and_made_anew(url: str) -> None:
    envs = proofgym.connect(url, env="Broken", num_envs=2)
    envs.reset(seed=0)
    envs._connection.call("close", session=envs._sessions[0])
    _, rewards, _, truncated, _ = envs.step(["a", "a"])
    assert np.isnan(rewards[0])
    assert truncated.tolist() == [True, False]
    texts, *_ = envs.step(["a", "a"])
    assert texts[0].isdigit()
    mask = np.array([False, True])
    kept, _ = envs.reset(options={"reset_mask": mask})
    assert kept[0] == texts[0]
    assert kept[1] != texts[1]
    envs.close()


def test_nothing_on_the_wire_is_a_pickle(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("something was pickled")

    for name in ("dumps", "loads", "Pickler", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    env = proofgym.connect(url, env="Countdown")
    env.reset()
    env.step("cos\nsystem\n(S'true'\ntR.")
    env.close()
