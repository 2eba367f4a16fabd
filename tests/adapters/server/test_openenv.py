"""OpenEnv's protocol: in its words here, and against the real package's client where that is installed."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect as open_socket

import proofgym

Serve = Callable[..., contextlib.AbstractContextManager[str]]
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(url: str) -> Iterator[Ask]:
    with open_socket("ws" + url.removeprefix("http") + "/openenv/Countdown/ws", proxy=None) as ws:

        def exchange(kind: str, data: Any = None) -> dict[str, Any]:
            ws.send(json.dumps({"type": kind} if data is None else {"type": kind, "data": data}))
            found: dict[str, Any] = json.loads(ws.recv(timeout=20))
            return found

        yield exchange


def test_an_episode_in_openenvs_words(ask: Ask) -> None:
    here = proofgym.make("Countdown")
    question, _ = here.reset(seed=4)
    asked = ask("reset", {"seed": 4, "episode_id": "mine"})
    assert asked["type"] == "observation"
    assert asked["data"]["observation"]["text"] == question
    assert (asked["data"]["reward"], asked["data"]["done"]) == (None, False)
    assert ask("state") == {"type": "state", "data": {"episode_id": "mine", "step_count": 0}}
    played = ask("step", {"text": here.unwrapped.oracle()})["data"]  # type: ignore[attr-defined]
    assert (played["reward"], played["done"]) == (1.0, True)
    assert played["observation"]["info"]["verdict"]["status"] == "correct"
    assert ask("state")["data"]["step_count"] == 1


@pytest.mark.parametrize(
    ("kind", "data", "code"),
    [
        ("dance", {}, "UNKNOWN_TYPE"), ("step", {"text": "x"}, "EXECUTION_ERROR"), ("step", {}, "VALIDATION_ERROR"),
        ("step", {"text": 5}, "VALIDATION_ERROR"), ("step", {"text": "x", "eval": "y"}, "VALIDATION_ERROR"),
        ("reset", {"seed": "x"}, "VALIDATION_ERROR"), ("reset", [1], "VALIDATION_ERROR"),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_used_is_an_error(ask: Ask, kind: str, data: Any, code: str) -> None:
    answer = ask(kind, data)
    assert (answer["type"], answer["data"]["code"]) == ("error", code)
    assert "reward" not in answer["data"]


def test_an_unjudged_step_is_an_error_without_a_reward(url: str) -> None:
    with open_socket("ws" + url.removeprefix("http") + "/openenv/Broken/ws", proxy=None) as ws:
        for message in ({"type": "reset"}, {"type": "step", "data": {"text": "unjudged"}}):
            ws.send(json.dumps(message))
            answer = json.loads(ws.recv(timeout=20))
        assert answer == {
            "type": "error", "data": {"message": "unjudged: the sandbox died", "code": "EXECUTION_ERROR"},
        }  # fmt: skip


def test_the_other_paths_of_openenv_answer(url: str) -> None:
    with httpx.Client(base_url=f"{url}/openenv/Countdown", trust_env=False) as http:
        assert http.get("/health").json() == {"status": "healthy"}
        assert http.get("/metadata").json()["name"] == "proofgym/Countdown-v0"
        assert http.get("/schema").json()["action"]["required"] == ["text"]


@pytest.mark.slow
def test_openenvs_own_client_plays(serve: Serve) -> None:
    client = pytest.importorskip("openenv.core.generic_client")
    here = proofgym.make("Sudoku4Steps")
    with serve(envs=("proofgym/Sudoku4Steps-v0",)) as url:
        for base in (url, f"{url}/openenv/Sudoku4Steps"):
            with client.GenericEnvClient(base_url=base).sync() as env:
                for seed in range(3):
                    question, _ = here.reset(seed=seed)
                    result = env.reset(seed=seed)
                    assert result.observation["text"] == question
                    turns = 0
                    while not result.done:
                        action = here.unwrapped.oracle()  # type: ignore[attr-defined]
                        observation, reward, terminated, truncated, _ = here.step(action)
                        result = env.step({"text": action})
                        turns += 1
                        assert (result.observation["text"], result.reward) == (observation, reward)
                        assert result.done == (terminated or truncated)
                    assert env.state()["step_count"] == turns
                with pytest.raises(RuntimeError, match="episode-over"):
                    env.step({"text": "x"})
