"""An environment's tools, called by the official package's own client: in this process, and over standard input."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

mcp = pytest.importorskip("mcp")

import proofgym  # noqa: E402
from proofgym.adapters.mcp.cli import server  # noqa: E402
from proofgym.adapters.server.settings import Settings  # noqa: E402
from proofgym.errors import BadInput, Unjudged  # noqa: E402

Call = Callable[..., Awaitable[dict[str, Any]]]


def play(talk: Callable[[Call, Any], Awaitable[None]], env: str = "proofgym/Countdown-v0", **more: Any) -> None:
    """Talk to a server in this process."""
    hints = more.pop("hints", False)
    made = server(Settings(envs=(env,), **more), hints=hints)

    async def meet() -> None:
        async with mcp.Client(made) as client:
            await talk(caller(client), client)

    asyncio.run(meet())


def caller(client: Any) -> Call:
    async def call(tool: str, **arguments: Any) -> dict[str, Any]:
        result = await client.call_tool(tool, arguments)
        if result.is_error:
            return {"error": result.content[0].text}
        assert result.structured_content is not None
        found: dict[str, Any] = result.structured_content
        return found

    return call


def expert(env: str, seed: int, **options: Any) -> tuple[str, str]:
    here = proofgym.make(env)
    question, _ = here.reset(seed=seed, options=options or None)
    return question, here.unwrapped.oracle()  # type: ignore[attr-defined]


def test_the_tools_and_their_schemas() -> None:
    async def talk(_: Call, client: Any) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"reset", "act", "verdict"}
        taken = tools["act"].input_schema
        assert taken["required"] == ["action"]
        assert taken["properties"]["action"]["maxLength"] == 8192
        assert set(tools["verdict"].output_schema["properties"]) == {"status", "score", "reward"}
        assert tools["verdict"].annotations.read_only_hint
        assert all(tool.description for tool in tools.values())

    play(talk)


def test_an_episode_from_reset_to_verdict() -> None:
    question, answer = expert("Countdown", 4, index=2)

    async def talk(call: Call, _: Any) -> None:
        asked = await call("reset", seed=4, index=2)
        assert asked["observation"] == question
        assert asked["turns_left"] == 1
        assert "not over" in (await call("verdict"))["error"]
        played = await call("act", action=answer)
        assert (played["done"], played["turns_left"]) == (True, 0)
        assert await call("verdict") == {"status": "correct", "score": 1.0, "reward": 1.0}
        assert "over" in (await call("act", action=answer))["error"]
        await call("reset", seed=4, index=2)
        await call("act", action="Answer: 1")
        judged = await call("verdict")
        assert (judged["status"] in ("wrong", "malformed"), judged["score"], judged["reward"]) == (True, 0.0, 0.0)

    play(talk)


def test_an_episode_of_many_turns_adds_up() -> None:
    async def talk(call: Call, _: Any) -> None:
        asked, left = await call("reset", seed=1), 40
        assert asked["turns_left"] == left
        done = False
        while not done:
            played = await call("act", action=(await call("hint"))["action"])
            done, left = played["done"], left - 1
            assert played["turns_left"] == left
        assert (await call("verdict"))["reward"] == pytest.approx(1.0)

    play(talk, "proofgym/Sudoku4Steps-v0", hints=True)


def test_several_episodes_side_by_side() -> None:
    async def talk(call: Call, _: Any) -> None:
        names = [(await call("reset", seed=seed))["episode"] for seed in range(3)]
        await asyncio.gather(*(call("act", action=expert("Countdown", s)[1], episode=n) for s, n in enumerate(names)))
        assert [(await call("verdict", episode=name))["status"] for name in names] == ["correct"] * 3
        assert "no episode" in (await call("act", action="x", episode="episode-9"))["error"]

    play(talk)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("reset", {"seed": -1}), ("reset", {"index": 3}), ("reset", {"seed": "one"}), ("act", {"action": "x" * 9000}),
        ("act", {}), ("act", {"action": 5}), ("verdict", {"episode": "none"}), ("act", {"action": "x"}),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_an_error_of_the_tool(tool: str, arguments: dict[str, Any]) -> None:
    async def talk(call: Call, _: Any) -> None:
        assert "error" in await call(tool, **arguments)

    play(talk)


def test_unjudged_is_an_error_and_never_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    from proofgym.envs.puzzles.environments import PuzzleEnv

    def broken(*_: Any) -> Any:
        raise Unjudged("the sandbox died")

    monkeypatch.setattr(PuzzleEnv, "turn", broken)

    async def talk(call: Call, _: Any) -> None:
        await call("reset")
        assert "unjudged: the sandbox died" in (await call("act", action="x"))["error"]
        found = await call("verdict")
        assert "no score" in found["error"]
        assert "score" not in found

    play(talk)


def test_episodes_are_limited_and_those_that_ended_make_room() -> None:
    async def talk(call: Call, _: Any) -> None:
        for _ in range(4):
            await call("reset")
            await call("act", action="x")
        for _ in range(3):
            assert "observation" in await call("reset")
        assert "as many as are allowed" in (await call("reset"))["error"]

    play(talk, max_sessions=3)


def test_one_environment_a_server() -> None:
    with pytest.raises(BadInput, match="one environment"):
        server(Settings(envs=("proofgym/Countdown-v0", "proofgym/Sudoku4-v0")))


async def once(client: Any) -> None:
    question, answer = expert("Countdown", 4)
    call = caller(client)
    assert (await call("reset", seed=4))["observation"] == question
    assert (await call("act", action=answer))["done"]
    assert (await call("verdict"))["status"] == "correct"


@pytest.mark.slow
def test_over_standard_input_as_a_desktop_client_starts_it() -> None:
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client

    async def meet() -> None:
        command = StdioServerParameters(
            command=sys.executable, args=["-m", "proofgym", "mcp", "Countdown"], env=dict(os.environ)
        )
        async with mcp.Client(stdio_client(command)) as client:
            await once(client)

    asyncio.run(meet())


@pytest.mark.slow
def test_over_streamable_http_with_a_token() -> None:
    import httpx

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "PROOFGYM_TOKEN": "a token of more than sixteen characters"}
    command = [sys.executable, "-m", "proofgym", "mcp", "Countdown", "--http", "--port", str(port)]
    process = subprocess.Popen(command, env=environment)
    try:
        url = f"http://127.0.0.1:{port}/mcp"
        deadline = time.monotonic() + 30
        while True:
            try:
                assert httpx.post(url, json={}, trust_env=False).status_code == 401
                break
            except httpx.ConnectError:
                assert time.monotonic() < deadline
                time.sleep(0.1)

        async def meet() -> None:
            from mcp.client.streamable_http import streamable_http_client

            headers = {"authorization": f"Bearer {environment['PROOFGYM_TOKEN']}"}
            library = __import__("httpx2") if "httpx2" in sys.modules else httpx
            async with (
                library.AsyncClient(headers=headers, trust_env=False) as http,
                mcp.Client(streamable_http_client(url, http_client=http)) as client,
            ):
                await once(client)

        asyncio.run(meet())
    finally:
        process.terminate()
        assert process.wait(20) in (0, -15)
