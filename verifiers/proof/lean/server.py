"""One Lean worker: the process behind an editor's window, spoken to in the Language Server Protocol.

`lean --worker URI` holds one document. Text is changed from where it differs, Lean elaborates from there on, and the
diagnostics of the new version are read. Nobody waits longer than a deadline: a worker that is late is killed.

Source: the Language Server Protocol 3.17; Lean's extension `textDocument/waitForDiagnostics`. Without
`server.reportDelayMs=0` Lean waits 200 ms before it says anything.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

from proofgym.verifiers.proof.lean.toolchain import Toolchain
from proofgym.verifiers.proof.protocol import Budget
from proofgym.verifiers.proof.sessions import SessionDied, SessionStuck, rss_mb

__all__ = ["LeanWorker", "options"]

_MOST_BYTES = 32 << 20
_URI = "file:///proof/Proof.lean"


def options(budget: Budget) -> list[str]:
    """The options that hold in live sessions and in the final check alike."""
    return [f"-DmaxHeartbeats={budget.heartbeats}", "-DautoImplicit=false", f"-M{budget.memory_mb}"]


class LeanWorker:
    """A document in a Lean process.

    Args:
        toolchain: Which Lean.
        text: The first version of the document; its imports are those of all later versions.
        budget: Heartbeats and memory.
        start_s: How long imports may take.
    """

    def __init__(self, toolchain: Toolchain, text: str, budget: Budget, *, start_s: float = 60.0) -> None:
        self._folder = tempfile.mkdtemp(prefix="proofgym-lean-")
        env = {**toolchain.environment, "HOME": self._folder, "PROOFGYM_LIVE": "1"}
        argv = [*toolchain.argv, "-Dserver.reportDelayMs=0", *options(budget), "--worker", _URI]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the user's Lean or ours
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self._folder,
                env=env,
                start_new_session=True, bufsize=0,
            )  # fmt: skip
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SessionDied(f"{argv[0]} cannot be started: {error}") from error
        self.pid, self._memory_mb = self._process.pid, budget.memory_mb
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(self.pid, resource.RLIMIT_CORE, (0, 0))
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, 0))
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._buffer = b""
        self._id = 0
        self.version = 1
        self._diagnostics: dict[int, list[Mapping[str, Any]]] = {}
        try:
            initialize = {
                "processId": None,
                "rootUri": None,
                "capabilities": {},
                "initializationOptions": {"editDelay": 0},
            }
            deadline = time.monotonic() + start_s
            self._send({"id": 0, "method": "initialize", "params": initialize}, deadline)
            document = {"uri": _URI, "languageId": "lean4", "version": 1, "text": text}
            self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}}, deadline)
            self.diagnostics = self._settle(deadline)
        except BaseException:
            self.close()
            raise

    def change(self, line: int, end: int, text: str, timeout_s: float) -> None:
        """Replace whole lines `line:end` by a text and wait until Lean has read the result.

        Raises:
            SessionStuck: Lean is not done in time.
            SessionDied: The process ended.
        """
        deadline = time.monotonic() + timeout_s
        self.version += 1
        span = {"start": {"line": line, "character": 0}, "end": {"line": end, "character": 0}}
        params = {
            "textDocument": {"uri": _URI, "version": self.version},
            "contentChanges": [{"range": span, "text": text}],
        }
        self._send({"method": "textDocument/didChange", "params": params}, deadline)
        self.diagnostics = self._settle(deadline)

    def close(self) -> None:
        """Kill the process and its group, and remove its folder."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._process.kill()
        for end in (self._process.stdin, self._process.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _settle(self, deadline: float) -> Sequence[Mapping[str, Any]]:
        self._id += 1
        params = {"uri": _URI, "version": self.version}
        self._send({"id": self._id, "method": "textDocument/waitForDiagnostics", "params": params}, deadline)
        while True:
            message = self._receive(deadline)
            if message.get("method") == "textDocument/publishDiagnostics":
                told = message["params"]
                self._diagnostics[int(told.get("version") or 0)] = told["diagnostics"]
            elif "method" in message and "id" in message:
                self._send({"id": message["id"], "result": None}, deadline)
            elif message.get("id") == self._id:
                if "error" in message:
                    raise SessionDied(f"Lean refused to wait: {str(message['error'])[:200]}")
                found = self._diagnostics.get(self.version, [])
                self._diagnostics = {}
                return found

    def _send(self, message: Mapping[str, Any], deadline: float) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        data = b"Content-Length: %d\r\n\r\n" % len(body) + body
        while data:
            left = deadline - time.monotonic()
            _, ready, _ = select.select([], [self._in], [], max(0.0, left))
            if not ready:
                raise SessionStuck("Lean reads no more")
            try:
                data = data[os.write(self._in, data[:4096]) :]
            except OSError as error:
                raise SessionDied(f"Lean has ended: {self._ending()}") from error

    def _receive(self, deadline: float) -> dict[str, Any]:
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if found:
                size = _length(head)
                if len(rest) >= size:
                    self._buffer = rest[size:]
                    return _message(rest[:size])
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._out], [], [], min(0.2, max(0.0, left)))
            if not ready:
                if left <= 0.2:
                    raise SessionStuck("Lean did not finish in time")
                # Lean reserves address space by the gigabyte, so only what it really holds can be limited.
                if rss_mb(self.pid) > 1.25 * self._memory_mb:
                    raise SessionStuck(f"Lean holds more than {self._memory_mb} MB")
                continue
            data = os.read(self._out, 1 << 16)
            if not data:
                raise SessionDied(f"Lean has ended: {self._ending()}")
            self._buffer += data
            if len(self._buffer) > _MOST_BYTES:
                raise SessionDied("Lean says more than it should")

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"exit status {self._process.wait(1)}"
        return "its output is closed"


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit() and len(value) < 12:
            return int(value)
    raise SessionDied("Lean's message has no length")


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body)
    except ValueError as error:
        raise SessionDied(f"Lean's message is no JSON: {error}") from error
    if not isinstance(message, dict):
        raise SessionDied("Lean's message is no object")
    return message
