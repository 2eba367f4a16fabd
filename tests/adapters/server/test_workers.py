"""Worker processes: they are pinned, they may die or hang, and no session but theirs notices."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

import proofgym
from proofgym.adapters.server import Settings
from proofgym.adapters.server.hosts import ProcessHost
from proofgym.adapters.server.sessions import Reply
from proofgym.errors import Unjudged

Serve = Callable[..., contextlib.AbstractContextManager[str]]
COUNTDOWN = "proofgym/Countdown-v0"


def test_a_worker_that_dies_makes_its_calls_unjudged_and_comes_back() -> None:
    replaced: list[int] = []

    async def play() -> None:
        settings = Settings(envs=(COUNTDOWN,), step_timeout_s=20)
        host = ProcessHost(settings, "w0", lambda _: None, lambda: replaced.append(1))
        await host.start()
        first = host.pid
        session = made(await host.calls([("create", {"env": COUNTDOWN})]))
        (asked,) = await host.calls([("reset", {"session": session, "seed": 1})])
        assert asked.status == 200
        assert host.live == 1
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        calls: list[Any] = [("step", {"session": session, "action": "x"})] * 3
        waiting = asyncio.create_task(host.calls(calls))
        await asyncio.sleep(0.1)
        os.kill(first, signal.SIGKILL)
        replies = await waiting
        assert [reply.status for reply in replies] == [424] * 3
        assert b"died" in replies[0].body
        (gone,) = await host.calls([("step", {"session": session, "action": "x"})])
        assert gone.status == 404
        assert made(await host.calls([("create", {"env": COUNTDOWN})]))
        assert host.pid != first
        assert replaced == [1]
        second = host.pid
        await host.close()
        assert not Path(f"/proc/{second}").exists()

    asyncio.run(play())


def made(replies: list[Reply]) -> str:
    import json

    assert replies[0].status == 201, replies[0].body
    session: str = json.loads(replies[0].body)["session"]
    return session


def test_a_call_that_hangs_is_unjudged_and_holds_up_nobody(serve: Serve) -> None:
    with serve(step_timeout_s=0.5, threads=2) as url:
        stuck, other = (proofgym.connect(url, env="Broken") for _ in range(2))
        stuck.reset()
        other.reset()
        found: list[str] = []

        def hang() -> None:
            try:
                stuck.step("hang")
            except Unjudged as error:
                found.append(str(error))

        thread = threading.Thread(target=hang)
        thread.start()
        time.sleep(0.1)
        began = time.monotonic()
        assert other.step("a")[0] == "heard a"
        assert time.monotonic() - began < 0.4
        thread.join(10)
        assert "more than 0.5 s" in found[0]
        assert stuck.reset()[0]
        stuck.close()
        other.close()


def test_a_client_that_breaks_off_leaves_no_session(serve: Serve) -> None:
    with serve(grace_s=0.2) as url, httpx.Client(base_url=url, trust_env=False) as http:
        env = proofgym.connect(url, env="Countdown")
        env._finalizer.detach()
        raw: socket.socket = env._connection._socket.socket
        raw.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 20
        while "proofgym_sessions 0.0" not in http.get("/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        env._connection.close()


@pytest.mark.slow
def test_a_thousand_sessions_of_a_killed_client_are_reaped_and_every_descriptor_comes_back(tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "proofgym", "serve", "Countdown", "--port", "0", "--grace", "1", "--workers", "2"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        url = server.stderr.readline().split(" at ")[1].split()[0]
        with httpx.Client(base_url=url, trust_env=False, timeout=30) as http:

            def sessions() -> float:
                lines = http.get("/metrics").text.splitlines()
                return float(next(line for line in lines if line.startswith("proofgym_sessions ")).split()[1])

            def descriptors() -> int:
                family = [server.pid, *_children(server.pid)]
                assert len(family) >= 3
                return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family)

            assert sessions() == 0
            before = descriptors()
            code = (
                "import sys, time, proofgym\n"
                f"held = [proofgym.connect({url!r}, num_envs=100) for _ in range(10)]\n"
                "[envs.reset(seed=1) for envs in held]\n"
                "print('up', flush=True); time.sleep(600)\n"
            )
            client = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
            assert client.stdout is not None
            assert client.stdout.readline() == "up\n"
            assert sessions() == 1000
            assert descriptors() >= before + 10
            client.kill()
            client.communicate()
            deadline = time.monotonic() + 30
            while sessions() > 0 or descriptors() > before:
                assert time.monotonic() < deadline, (sessions(), descriptors(), before)
                time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) in (0, -signal.SIGTERM)
    finally:
        server.kill()
        server.communicate()


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")  # whichever of its threads started them
    return [int(child) for task in tasks for child in task.read_text().split()]
