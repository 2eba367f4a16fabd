"""Sessions: a sandbox with a memory, for tool use over many turns. Run a cell, edit a file, run the tests, go back.

>>> from proofgym.sandboxes import Pool, Session
>>> with Pool(workers=1) as pool, Session(pool) as session:  # doctest: +SKIP
...     session.cell("x = 20")
...     before = session.snapshot()
...     session.cell("x += 1")
...     session.restore(before)
...     session.cell("print(x + 1)").stdout
b'21\\n'

A snapshot is a plain value that pickles: the files, byte for byte, and the turns that led here. Restoring runs the
turns again in a fresh sandbox and then compares how they ended and every file; a difference raises `ReplayDiverged` and
is never passed over. A session without cells has no interpreter state, and only its files are put back. Chance is fixed
(`random` is seeded, hash seeds are equal); time is not, so cells whose effects depend on the clock cannot be restored.

What is contained: what the backend contains. What is not: a session's own turns, which share one interpreter and can
deceive each other. Never take a verdict from inside a session; take its files and judge them in a job of their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from proofgym.sandboxes import wire
from proofgym.sandboxes.client import NannyWorker
from proofgym.sandboxes.errors import InfraError, JobRefused, PoolClosed, ReplayDiverged, WorkerLost
from proofgym.sandboxes.pool import Pool
from proofgym.sandboxes.types import Job, Limits, Outcome, Result, checked_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from proofgym.sandboxes.types import Backend

__all__ = ["Session", "Snapshot"]

ATTEMPTS = 3
GRACE_S = 2.0
PART = 1 << 19
CHANGING = ("cell", "command", "write", "delete")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a session stood. Equal snapshots have equal files and equal histories."""

    turns: tuple[tuple[dict[str, Any], str], ...] = ()
    files: Mapping[str, tuple[bytes, bool]] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A hash of the files and turns, to compare and to log."""
        return hashlib.sha256(wire.encode([list(self.turns), sorted(self.files.items())], strict=True)).hexdigest()


class Session:
    """One sandbox that lives over many turns, with a working directory and a Python interpreter.

    Args:
        home: The pool or backend whose kind of worker it gets; a worker of its own, beside the pool's slots.
        limits: For each turn (`wall_s`), and for the whole session (memory, processes, disk).
        cpu_s: Processor time for the whole session.
        files: What lies in the working directory at the start.

    A turn that kills the interpreter (memory, a crash, a hang that cannot be interrupted) ends with that outcome, and
    the next turn finds the state from before it.
    """

    def __init__(
        self,
        home: Pool | Backend,
        limits: Limits | None = None,
        *,
        cpu_s: float = 600.0,
        files: Mapping[str, str | bytes] | None = None,
    ) -> None:
        self._backend: Backend = home.backend if isinstance(home, Pool) else home
        self.limits = limits or Limits()
        self._cpu_s = cpu_s
        self._worker: NannyWorker | None = None
        self._live = self._closed = False
        self._number = 0
        self._turns: list[tuple[dict[str, Any], str]] = []
        for name, data in (files or {}).items():
            self.write(name, data)

    # Turns ------------------------------------------------------------------------------------------------------------

    def cell(self, source: str) -> Result:
        """Run Python in the session's interpreter; the value of a last bare expression is printed."""
        return self._do({"do": "cell", "source": source})[0]

    def command(self, argv: Sequence[str], stdin: str | bytes = b"") -> Result:
        """Run a program in the working directory."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        return self._do({"do": "command", "argv": list(Job.command(argv).argv), "stdin": data})[0]

    def write(self, path: str, data: str | bytes, *, executable: bool = False) -> None:
        """Put a file into the working directory."""
        data = data.encode() if isinstance(data, str) else data
        result, _ = self._do(
            {"do": "write", "path": checked_path(path), "data": data, "executable": executable, "more": False}
        )
        if not result.ok:
            raise JobRefused(f"{path!r} cannot be written: {result.detail}")

    def read(self, path: str) -> bytes:
        """The content of a file in the working directory. Raises FileNotFoundError."""
        parts: list[bytes] = []
        while True:
            result, part = self._do({"do": "read", "path": checked_path(path), "at": sum(map(len, parts))})
            if not result.ok or not isinstance(part, bytes):
                raise FileNotFoundError(f"{path!r}: {result.detail}")
            parts.append(part)
            if len(part) < PART:
                return b"".join(parts)

    def files(self) -> dict[str, tuple[bytes, bool]]:
        """All regular files of the working directory: path -> (content, executable)."""
        result, listed = self._do({"do": "list"})
        if not result.ok or not isinstance(listed, list):
            raise InfraError(f"the session could not list its files: {result.detail}")
        return {path: (self.read(path), executable) for path, _, executable in listed}

    # Going back -------------------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Where the session stands now, as a value."""
        return Snapshot(tuple(self._turns), self.files())

    def restore(self, snapshot: Snapshot) -> None:
        """Go to where a session stood, this one or another, in this process or another.

        Raises:
            ReplayDiverged: The turns did not do again what they had done.
        """
        self._hang_up()
        self._turns = list(snapshot.turns)
        if not any(turn["do"] == "cell" for turn, _ in snapshot.turns):
            # No interpreter state: the files are all there is, and their making need not be repeated.
            self._turns = [(_writing(path, *made), "ok") for path, made in snapshot.files.items()]
        self._revive()
        found = self.files()
        if found != dict(snapshot.files):
            odd = sorted(
                {*found, *snapshot.files} - {path for path in found if found[path] == snapshot.files.get(path)}
            )
            self._hang_up()
            raise ReplayDiverged(f"after the same turns these files differ: {', '.join(odd[:5])}")
        self._turns = list(snapshot.turns)

    def fork(self) -> Session:
        """Another session, exactly where this one stands."""
        other = Session(self._backend, self.limits, cpu_s=self._cpu_s)
        try:
            other.restore(self.snapshot())
        except BaseException:
            other.close()
            raise
        return other

    def close(self) -> None:
        """End it and everything in it."""
        self._closed = True
        self._hang_up()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # How it is done ---------------------------------------------------------------------------------------------------

    def _do(self, turn: dict[str, Any]) -> tuple[Result, Any]:
        """One turn; if the machinery fails, again from the start in another worker."""
        if self._closed:
            raise PoolClosed("the session is closed")
        reasons: list[str] = []
        for _ in range(ATTEMPTS):
            try:
                if not self._live:
                    self._revive()
                result, value = self._send(turn)
            except (WorkerLost, OSError) as error:
                reasons.append(str(error))
                self._hang_up()
                continue
            if self._live and turn["do"] in CHANGING:
                self._turns.append((turn, str(result.outcome)))
            return result, value
        raise InfraError(f"the session failed in {ATTEMPTS} workers: {'; '.join(dict.fromkeys(reasons))}")

    def _revive(self) -> None:
        """A fresh sandbox, and all turns so far again."""
        self._hang_up()
        worker = self._backend.start(0, self._whole_limits())
        if not isinstance(worker, NannyWorker):
            worker.close()
            raise JobRefused(f"backend {self._backend.name!r} has no live jobs, so no sessions")
        self._worker = worker
        worker.begin(Job("session"), self._whole_limits())
        self._live = True
        for turn, before in self._turns:
            now = str(self._send(turn)[0].outcome)
            if now != before:
                self._hang_up()
                raise ReplayDiverged(f"a turn that ended {before!r} now ends {now!r}; it depends on time or chance")

    def _whole_limits(self) -> Limits:
        return replace(self.limits, wall_s=86_400.0, cpu_s=self._cpu_s, output_kb=1 << 16)

    def _send(self, turn: dict[str, Any]) -> tuple[Result, Any]:
        data = turn.get("data")
        if isinstance(data, bytes) and len(data) > PART:
            for at in range(0, len(data), PART):
                result = self._one({**turn, "data": data[at : at + PART], "more": at > 0})
                if not result[0].ok:
                    break
            return result
        return self._one(turn)

    def _one(self, turn: dict[str, Any]) -> tuple[Result, Any]:
        worker = self._worker
        if worker is None:
            raise WorkerLost("the session has no worker")
        self._number = (self._number + 1) & 0xFFFF
        mark = secrets.token_bytes(16)
        request = wire.encode({**turn, "wall": float(self.limits.wall_s), "mark": mark}, strict=True)
        begun = time.monotonic()
        deadline = begun + self.limits.wall_s + GRACE_S
        streams = {1: bytearray(), 2: bytearray(), 3: bytearray()}
        worker.feed(wire.frame(wire.VALUE, request, self._number))
        most = self.limits.output_kb << 10
        while True:
            try:
                kind, index, body = worker.event(deadline - time.monotonic())
            except TimeoutError:
                return self._dead(
                    Outcome.TIMEOUT, f"still running after {self.limits.wall_s:g} s", streams, mark, begun
                )
            if kind == wire.DONE:
                return self._dead(*_ending(worker, json.loads(body)), streams, mark, begun)
            if kind == wire.FAILED:
                raise WorkerLost(str(wire.decode(body)))
            if kind != wire.DATA:
                continue
            streams[index] += body
            if len(streams[1]) + len(streams[2]) > most + 1024:
                return self._dead(Outcome.OUTPUT, f"more than {most >> 10} KiB of output", streams, mark, begun)
            if len(streams[3]) > wire.MAX_ANSWERS:
                return self._dead(Outcome.TAMPERED, "an answer without an end", streams, mark, begun)
            if mark in streams[1] and mark in streams[2]:
                try:
                    reply = self._reply(bytes(streams[3]))
                except wire.Malformed as error:
                    return self._dead(Outcome.TAMPERED, str(error), streams, mark, begun)
                if reply is not None:
                    status, detail, value = reply
                    code = value if turn["do"] == "command" and isinstance(value, int) else None
                    return self._result(Outcome(status), detail, streams, mark, begun, code), value

    def _reply(self, channel: bytes) -> tuple[str, str, Any] | None:
        """The answer to the turn, once it is whole. Raises Malformed for anything else."""
        if len(channel) < 8:
            return None
        kind, zero, index, length = wire.HEADER.unpack_from(channel)
        if kind != wire.VALUE or zero or index != self._number or length > wire.MAX_ANSWERS:
            raise wire.Malformed("an answer to another question")
        if len(channel) < 8 + length:
            return None
        value = wire.decode(channel[8:])
        if not (isinstance(value, tuple) and [type(part) for part in value[:2]] == [str, str] and len(value) == 3):
            raise wire.Malformed("an answer of another shape")
        if value[0] not in ("ok", "error", "crash", "timeout"):
            raise wire.Malformed("an answer of an unknown kind")
        return value

    def _result(
        self,
        outcome: Outcome,
        detail: str,
        streams: dict[int, bytearray],
        mark: bytes,
        begun: float,
        code: int | None = None,
    ) -> Result:
        worker = self._worker
        return Result(
            outcome,
            code,
            stdout=bytes(streams[1]).partition(mark)[0],
            stderr=bytes(streams[2]).partition(mark)[0],
            detail=detail,
            wall_s=time.monotonic() - begun,
            isolation=worker.isolation if worker else self._backend.isolation,
            gaps=worker.gaps if worker else self._backend.gaps,
            integrity="in_process",
        )

    def _dead(
        self, outcome: Outcome, detail: str, streams: dict[int, bytearray], mark: bytes, begun: float
    ) -> tuple[Result, None]:
        """The sandbox did not survive the turn. The next turn gets one as it was before."""
        result = self._result(outcome, f"{detail}; the session goes back to before this turn", streams, mark, begun)
        self._hang_up()
        return result, None

    def _hang_up(self) -> None:
        worker, self._worker, self._live = self._worker, None, False
        if worker is not None:
            worker.close()


def _writing(path: str, data: bytes, executable: bool) -> dict[str, Any]:
    return {"do": "write", "path": path, "data": data, "executable": executable, "more": False}


def _ending(worker: NannyWorker, done: dict[str, Any]) -> tuple[Outcome, str]:
    """What the end of a live job means for the turn that met it."""
    if done["why"] == "setup":
        raise WorkerLost(f"the sandbox could not be built: {done['detail']}")
    outcome = Outcome.CRASH
    with contextlib.suppress(ValueError):
        outcome = Outcome(done["why"])
    if done["why"] == "killed":
        raise CancelledError
    if worker.out_of_memory():
        outcome = Outcome.MEMORY
    return outcome, done["detail"] or f"the interpreter died (status {done['code']}, signal {done['signal']})"
