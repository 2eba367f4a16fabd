"""Our taskset inside verifiers: real rollouts where it is installed, and its arithmetic on imitations of its traces."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from proofgym.adapters.episode import Episode
from proofgym.errors import BadInput, Unjudged

HARNESS = '''
import httpx
import verifiers.v1 as vf
from verifiers.v1.harnesses.null import NullHarnessConfig
__all__ = ["Direct"]


class Direct(vf.Harness[NullHarnessConfig]):
    """verifiers' own chat loop runs as a script whose packages `uv` fetches; this one asks from inside the process."""

    SUPPORTS_RESUME = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(self, ctx, trace, runtime, endpoint, secret, mcp_urls, data, **_):
        _, prompt = self.resolve_prompt(data)
        told = [m.model_dump(exclude_none=True) for m in prompt] if not isinstance(prompt, str) else prompt
        messages = told if isinstance(told, list) else [{"role": "user", "content": told}]
        async with httpx.AsyncClient() as http:
            headers = {"Authorization": f"Bearer {secret}"}
            body = {"model": ctx.model, "messages": messages}
            (await http.post(f"{endpoint}/chat/completions", headers=headers, json=body)).raise_for_status()
        return vf.ProgramResult(0, "", "")
'''


class _Anything:
    """A base class that takes any settings and any type arguments, as pydantic's and verifiers' own do."""

    def __init__(self, *_: Any, **settings: Any) -> None:
        self.__dict__.update(settings)

    def __class_getitem__(cls, _: Any) -> type[_Anything]:
        return cls


class _Taskset(_Anything):
    _bounded = None

    def __init__(self, config: Any) -> None:
        super().__init__(config=config)


class _Task(_Anything):
    def __init__(self, data: Any, config: Any = None) -> None:
        super().__init__(data=data, config=config)


class _Env(_Anything):
    pass


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The adapter upon base classes with verifiers' signatures."""
    fake = ModuleType("verifiers.v1")
    named = {"Taskset": _Taskset, "Task": _Task, "Env": _Env}
    for name in ("TasksetConfig", "TaskData", "EnvConfig", "AgentConfig", "Taskset", "Task", "Env"):
        setattr(fake, name, named.get(name, _Anything))
    package = ModuleType("verifiers")
    package.v1 = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "verifiers", package)
    monkeypatch.setitem(sys.modules, "verifiers.v1", fake)
    monkeypatch.delitem(sys.modules, "proofgym.adapters.verifiers", raising=False)
    import proofgym.adapters.verifiers as module

    yield module
    sys.modules.pop("proofgym.adapters.verifiers", None)


def _trace(*messages: int) -> Any:
    """A trace whose sampled messages have so many tokens, each behind a question of two."""
    nodes = []
    for count in messages:
        nodes += [
            SimpleNamespace(sampled=False, mask=[False, False]),
            SimpleNamespace(sampled=True, mask=[False] + [True] * count),
        ]
    trace = SimpleNamespace(branches=[SimpleNamespace(nodes=nodes)], info={}, rewards={}, metrics={})
    trace.record_reward = lambda name, value, weight=1.0: trace.rewards.update({name: value * weight})
    trace.record_metric = lambda name, value: trace.metrics.update({name: value})
    return trace


def _config(**settings: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{"env": "Sudoku4Steps", "n": 3, "seed": 0, "split": "train", "env_kwargs": "{}", "task": None, **settings}
    )


def test_tasks_name_items_and_never_answers(adapter: Any) -> None:
    tasks = list(adapter.ProofgymTaskset(_config(n=300, env="Countdown")).load())
    assert len({task.key for task in tasks}) == 300
    again = list(adapter.ProofgymTaskset(_config(n=2, env="Countdown")).load())
    assert [task.data.prompt for task in again] == [task.data.prompt for task in tasks[:2]]
    assert set(tasks[0].data.row) == {
        "env", "kwargs", "seed", "index", "fingerprint", "split", "family", "difficulty",
    }  # fmt: skip
    assert not adapter.ProofgymTaskset(_config(n=None)).bounded
    for settings, words in (({"env": ""}, "which environment"), ({"env_kwargs": "[1]"}, "JSON object")):
        with pytest.raises(BadInput, match=words):
            adapter.ProofgymTaskset(_config(**settings))


def test_an_episode_is_played_and_recorded(adapter: Any, drive: Callable[..., Any]) -> None:
    [task] = adapter.ProofgymTaskset(_config(n=1)).load()
    with Episode("Sudoku4Steps") as oracle:
        oracle.start(0, 0)

        def answer(_: str) -> str:
            text: str = oracle.env.unwrapped.oracle()  # type: ignore[attr-defined]
            oracle.act(text)
            return text

        trace = drive(adapter, task, answer, _trace())
    assert trace.rewards == {"reward": pytest.approx(1.0)}
    assert trace.metrics["solved"] == 1.0
    told = trace.info["proofgym"]
    assert len(told["turns"]) == trace.metrics["turns"] > 1
    assert sum(turn["reward"] for turn in told["turns"]) == pytest.approx(1.0)


def test_what_nobody_can_judge_raises_and_records_nothing(adapter: Any, drive: Callable[..., Any], flaky: str) -> None:
    reference = {"env": flaky, "kwargs": "{}", "seed": 0, "index": 0}
    task = adapter.ProofgymTask(SimpleNamespace(row=reference, prompt=""))
    trace = _trace()
    with pytest.raises(Unjudged, match="strike"):
        drive(adapter, task, lambda _: "break", trace)
    assert not trace.rewards


@pytest.fixture
def drive() -> Callable[..., Any]:
    """Let `ProofgymEnv.run` talk with a function in the place of an agent."""
    import asyncio
    import contextlib

    def run(adapter: Any, task: Any, answer: Callable[[str], str], trace: Any) -> Any:
        class Interaction:
            def __init__(self) -> None:
                self.trace = trace

            async def turn(self, message: str = "") -> Any:
                return SimpleNamespace(terminated=False, last_reply=answer(message))

        @contextlib.asynccontextmanager
        async def interaction(_: Any) -> Any:
            yield Interaction()

        agents = SimpleNamespace(player=SimpleNamespace(interaction=interaction))
        asyncio.run(adapter.ProofgymEnv().run(task, agents))
        return trace

    return run


def test_turn_advantages_are_rewards_to_go_minus_the_others_return(adapter: Any) -> None:
    first, second, third = _trace(2, 1), _trace(1), _trace(3, 2)
    for trace, rewards in ((first, [0.5, 0.25]), (second, [1.0]), (third, [0.0])):
        trace.info["proofgym"] = {"turns": [{"reward": reward} for reward in rewards]}
    found = adapter.turn_advantages([first, second, third])
    assert found[0] == pytest.approx([0.75 - 0.5, 0.75 - 0.5, 0.25 - 0.5])
    assert found[1] == pytest.approx([1.0 - 0.375])
    assert found[2] == pytest.approx([-0.875] * 3 + [0.0] * 2)  # its second answer was never played
    assert adapter.turn_advantages([first], gamma=0.5)[0] == pytest.approx([0.625, 0.625, 0.25])
    with pytest.raises(BadInput, match="not played by ProofgymEnv"):
        adapter.turn_advantages([_trace(1)])
    second.info["proofgym"]["turns"] *= 2
    with pytest.raises(BadInput, match="was rewritten"):
        adapter.turn_advantages([second])


@pytest.mark.slow
def test_vf_eval_plays_our_items(real: Any, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("verifiers")
    if spec is None or "site-packages" not in str(spec.origin):  # started here, `verifiers` is our own folder
        pytest.skip("verifiers is not installed here; `make test-adapters` brings it")
    real("verifiers.v1")
    assert importlib.util.find_spec("proofgym_verifiers"), "the taskset package comes with proofgym"

    class Model(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            message = {"role": "assistant", "content": "row 1 column 1 = 1"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
            told = {"id": "x", "object": "chat.completion", "created": 0, "model": asked["model"]}
            body = json.dumps({**told, "choices": [choice], "usage": usage}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "proofgym_direct.py").write_text(HARNESS)
    source = str(Path(importlib.util.find_spec("proofgym").origin).parents[1])  # type: ignore[union-attr, arg-type]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("vf-eval")), "proofgym-verifiers", "--env.taskset.env", "Sudoku4Steps",
         "--env.taskset.env-kwargs", '{"max_turns": 2}', "-n", "2", "-r", "2", "-m", "m", "--push", "False",
         "--client.base-url", f"http://127.0.0.1:{server.server_port}/v1",
         "--env.player.harness.id", "proofgym-direct", "--output-dir", str(tmp_path / "out")],
        env={**os.environ, "OPENAI_API_KEY": "none", "PYTHONPATH": f"{source}:{tmp_path}"}, cwd=tmp_path,
        capture_output=True, text=True, timeout=250, check=False,
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    [written] = (tmp_path / "out").rglob("traces.jsonl")
    lines = [json.loads(line) for line in written.read_text().splitlines()]
    assert len(lines) == 4, done.stdout[-2000:] + done.stderr[-2000:]
    for line in lines:
        [trace] = line["traces"]
        assert line["ok"], line["errors"]
        told = trace["info"]["proofgym"]
        assert trace["rewards"]["reward"]["score"] == pytest.approx(sum(turn["reward"] for turn in told["turns"]))
        assert trace["metrics"]["turns"] == 2.0
