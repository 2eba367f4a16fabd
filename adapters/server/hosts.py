"""Where sessions live: threads of the server itself, or worker processes that it talks to through sockets.

A `Host` takes calls and gives replies. A worker process is a fresh interpreter with the table of `sessions`, a reader
and a pool of threads; what passes through its socket is length-prefixed JSON, never pickle. A worker that dies makes
the calls in it unjudged and is replaced; its sessions are gone, and the next call to one of them says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import multiprocessing
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from proofgym.adapters.server.sessions import Call, Reply, Sessions, failure
from proofgym.adapters.server.settings import Settings

__all__ = ["Host", "ProcessHost", "ThreadHost"]

_HEAD = struct.Struct(">II")
_STUCK = 4  # calls past their time that a worker may hold before it is replaced


class Host(Protocol):
    """A holder of sessions. `live` counts them as last heard; `pending` counts those being made."""

    name: str
    pending: int

    @property
    def live(self) -> int:
        """How many sessions it holds."""

    @property
    def ready(self) -> bool:
        """Whether it takes calls."""

    async def start(self) -> None:
        """Come up."""

    async def calls(self, calls: Sequence[Call]) -> list[Reply]:
        """Carry out calls, independent of each other, and reply in their order."""

    async def close(self) -> None:
        """Close every session and go."""


Reaped = Callable[[int], None]


class ThreadHost:
    """Sessions in threads of this process: no hop, but environments that compute share one interpreter lock."""

    def __init__(self, settings: Settings, name: str, reaped: Reaped) -> None:
        self.name, self.pending = name, 0
        self._settings, self._reaped = settings, reaped
        self._sessions = Sessions(settings, name)
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="session")
        self._reaper: asyncio.Task[None] | None = None

    @property
    def live(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    @property
    def ready(self) -> bool:
        """Whether it takes calls."""
        return self._reaper is not None

    async def start(self) -> None:
        """Begin to look for idle sessions."""
        self._reaper = asyncio.create_task(self._reap())

    async def calls(self, calls: Sequence[Call]) -> list[Reply]:
        """Carry them out, several at once."""
        loop = asyncio.get_running_loop()
        if len(calls) == 1:
            single = loop.run_in_executor(self._pool, self._sessions.handle, *calls[0])
            try:
                return [await asyncio.wait_for(single, self._settings.step_timeout_s)]
            except asyncio.TimeoutError:
                self._sessions.abandon(calls[0][1].get("session", ""))
                return [_late(self._settings)]
        parts = [loop.run_in_executor(self._pool, _all, self._sessions, part) for part in _parts(calls, self._settings)]
        gathered = asyncio.gather(*parts)
        try:
            replies = await asyncio.wait_for(gathered, self._settings.step_timeout_s)
        except asyncio.TimeoutError:
            for _, request in calls:
                self._sessions.abandon(request.get("session", ""))
            return [_late(self._settings)] * len(calls)
        return [reply for part in replies for reply in part]

    async def close(self) -> None:
        """Close every session."""
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._sessions.close()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(_pause(self._settings))
            self._reaped(await asyncio.to_thread(self._sessions.reap))


class ProcessHost:
    """Sessions in a process of their own.

    Args:
        settings: The server's.
        name: Put in front of its sessions' ids.
        reaped: Told how many idle sessions were closed.
        replaced: Told when the process had to be started again.
    """

    def __init__(self, settings: Settings, name: str, reaped: Reaped, replaced: Callable[[], None]) -> None:
        self.name, self.pending, self._live = name, 0, 0
        self._settings, self._reaped, self._replaced = settings, reaped, replaced
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[list[Reply]], int]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._process: Any = None
        self._up = asyncio.Event()
        self._closing = False
        self._stuck = 0
        self._keeper: asyncio.Task[None] | None = None

    @property
    def live(self) -> int:
        """How many sessions there are, as last heard."""
        return self._live

    @property
    def ready(self) -> bool:
        """Whether the process is up."""
        return self._up.is_set()

    @property
    def pid(self) -> int | None:
        """The worker's process id, for tests and the curious."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start the process and wait until it greets."""
        self._keeper = asyncio.create_task(self._keep())
        waiter = asyncio.create_task(self._up.wait())
        await asyncio.wait({waiter, self._keeper}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if self._keeper.done():
            self._keeper.result()

    async def calls(self, calls: Sequence[Call]) -> list[Reply]:
        """Send them over and wait; what a dead worker held is unjudged."""
        if not self._up.is_set():
            try:
                await asyncio.wait_for(self._up.wait(), 20.0)
            except asyncio.TimeoutError:
                return [failure("unavailable", "the worker process is not up; try again")] * len(calls)
        assert self._writer is not None
        number = next(self._numbers)
        answer: asyncio.Future[list[Reply]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer, len(calls)
        self._writer.write(_frame([number, calls], b""))
        try:
            await self._writer.drain()
            return await asyncio.wait_for(answer, self._settings.step_timeout_s)
        except asyncio.TimeoutError:
            self._forsake(calls)
            return [_late(self._settings)] * len(calls)
        except (ConnectionError, OSError):
            return await answer  # the keeper sees the death too, and answers
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Hang up; the process closes its sessions and leaves. One that does not leave is killed."""
        self._closing = True
        if self._writer is not None:
            self._writer.close()
        if self._keeper is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(asyncio.shield(self._keeper), 10.0)
        if self._process is not None and self._process.is_alive():
            self._process.kill()
            await asyncio.to_thread(self._process.join, 5.0)

    def _forsake(self, calls: Sequence[Call]) -> None:
        """Nobody waits for these any longer. Their sessions are given up, and after several the process."""
        self._stuck += 1
        if self._stuck >= _STUCK and self._process is not None:
            self._process.kill()
        elif self._writer is not None:
            names = [request["session"] for _, request in calls if "session" in request]
            self._writer.write(_frame([0, [("abandon", {"sessions": names})]], b""))

    async def _keep(self) -> None:
        """Keep a process running until told to close."""
        starts = 0
        while not self._closing:
            begun = time.monotonic()
            await self._run()
            self._up.clear()
            lost, self._waiting = self._waiting, {}
            code = self._process.exitcode
            for answer, count in lost.values():
                if not answer.done():
                    reply = failure("unjudged", f"the worker process died (exit code {code}) and the session with it")
                    answer.set_result([reply] * count)
            self._live = 0
            if self._closing:
                return
            self._replaced()
            starts = starts + 1 if time.monotonic() - begun < 5.0 else 0
            await asyncio.sleep(min(5.0, 0.05 * 2**starts))

    async def _run(self) -> None:
        """One life of the process: start it, read its replies, see it die."""
        ours, theirs = socket.socketpair()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_worker, args=(theirs, self._settings, self.name), daemon=True)
        await asyncio.to_thread(self._process.start)
        theirs.close()
        self._stuck = 0
        reader, self._writer = await asyncio.open_connection(sock=ours)
        try:
            while True:
                head, body = await _read(reader)
                number, self._live, replies = head
                if number == 0:  # it is up, or it closed idle sessions
                    self._up.set()
                    self._reaped(replies)
                    continue
                answer, _ = self._waiting.pop(number, (None, 0))
                if answer is None or answer.done():
                    continue
                found, at = [], 0
                for status, size, note in replies:
                    found.append(Reply(status, body[at : at + size], note))
                    at += size
                answer.set_result(found)
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            self._writer.close()
            if not self._closing:
                self._process.kill()
            await asyncio.to_thread(self._process.join, 10.0)


def _late(settings: Settings) -> Reply:
    return failure("unjudged", f"the call took more than {settings.step_timeout_s:g} s; the session is closed")


def _pause(settings: Settings) -> float:
    return min(5.0, settings.ttl_s / 4, settings.grace_s / 4)


def _parts(calls: Sequence[Call], settings: Settings) -> list[Sequence[Call]]:
    """Calls in as many runs as there are threads, so that those which wait overlap."""
    count = min(len(calls), settings.threads)
    size = -(-len(calls) // count) if count else 1
    return [calls[at : at + size] for at in range(0, len(calls), size)]


def _all(sessions: Sessions, calls: Sequence[Call]) -> list[Reply]:
    return [sessions.handle(operation, request) for operation, request in calls]


def _frame(head: Any, body: bytes) -> bytes:
    text = json.dumps(head, separators=(",", ":")).encode("ascii")
    return _HEAD.pack(len(text), len(body)) + text + body


async def _read(reader: asyncio.StreamReader) -> tuple[Any, bytes]:
    size, more = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return json.loads(await reader.readexactly(size)), await reader.readexactly(more) if more else b""


# In the worker process ------------------------------------------------------------------------------------------------


def _worker(pipe: socket.socket, settings: Settings, name: str) -> None:
    """Read calls until the server hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the server, which ends its workers in order
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    sessions = Sessions(settings, name)
    pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="session")
    lock = threading.Lock()

    def send(number: int, replies: Any, body: bytes) -> None:
        with lock, contextlib.suppress(OSError):
            pipe.sendall(_frame([number, len(sessions), replies], body))

    def finish(number: int, replies: Sequence[Reply]) -> None:
        heads = [[reply.status, len(reply.body), reply.note] for reply in replies]
        send(number, heads, b"".join(reply.body for reply in replies))

    def single(number: int, calls: Sequence[Call]) -> None:
        finish(number, _all(sessions, calls))

    def several(number: int, calls: Sequence[Call]) -> None:
        parts = _parts(calls, settings)
        done: list[list[Reply]] = [[] for _ in parts]
        left = itertools.count(len(parts) - 1, -1)

        def work(place: int, part: Sequence[Call]) -> None:
            done[place] = _all(sessions, part)
            if next(left) == 0:  # the last one speaks for all
                finish(number, [reply for replies in done for reply in replies])

        for place, part in enumerate(parts):
            pool.submit(work, place, part)

    def reap() -> None:
        while True:
            time.sleep(_pause(settings))
            reaped = sessions.reap()
            if reaped:
                send(0, reaped, b"")

    threading.Thread(target=reap, daemon=True, name="reaper").start()
    send(0, 0, b"")
    stream = pipe.makefile("rb")
    try:
        while True:
            start = stream.read(_HEAD.size)
            if len(start) < _HEAD.size:
                break
            size, _ = _HEAD.unpack(start)
            number, calls = json.loads(stream.read(size))
            if number == 0:
                for session_id in calls[0][1]["sessions"]:
                    sessions.abandon(session_id)
            elif len(calls) == 1:
                pool.submit(single, number, calls)
            else:
                several(number, calls)
    except OSError:
        pass
    pool.shutdown(wait=False, cancel_futures=True)
    sessions.close()
    os._exit(0)  # a thread that never returns must not keep the process
