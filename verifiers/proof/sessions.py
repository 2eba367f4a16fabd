"""Warm prover processes: who holds which, how one is replaced, and how a state is reached again.

A session is one process at one point of one proof. To go to a state is to hand the session a task and a path of
tactics; it does what is new against where it stands. So a killed process loses nothing: a fresh one walks the same
path. The pool hands out the session that is nearest, starts new ones up to its size, and retires those that are old,
fat, stuck or dead.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from proofgym.errors import Unjudged
from proofgym.verifiers.proof.protocol import (
    Goal,
    ProofState,
    ProofTask,
    ProverLost,
    Report,
    StatementRefused,
    StepResult,
    shorten,
)
from proofgym.verifiers.verdict import Verdict

__all__ = ["LiveBackend", "PoolReport", "Reply", "Session", "SessionDied", "SessionPool", "SessionStuck", "rss_mb"]

LiveT = TypeVar("LiveT", bound="LiveBackend")

ATTEMPTS = 3
MOST_USES = 5000


class SessionDied(Exception):
    """The process ended, or said something that is not its protocol."""


class SessionStuck(Exception):
    """The process did not answer in time; it has to be killed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a session found at the end of a path: open goals, or the first error on the way."""

    goals: tuple[Goal, ...] = ()
    error: str = ""
    limit: bool = False


class Session(Protocol):
    """One prover process."""

    pid: int
    header: str
    uses: int

    def near(self, task: ProofTask, path: Sequence[str]) -> int:
        """How many tactics of the path it has already run; -1 if it stands in another theorem."""

    def goto(self, task: ProofTask, path: Sequence[str]) -> Reply:
        """Walk to the end of a path. Raises `SessionDied` or `SessionStuck`."""

    def close(self) -> None:
        """Kill the process. Safe to call twice."""


@dataclass
class PoolReport:
    """Counts so far."""

    started: int = 0
    died: int = 0
    stuck: int = 0
    retired: int = 0
    steps: int = 0


@dataclass
class SessionPool:
    """Sessions of one prover.

    Args:
        start: Makes a session for a header.
        size: How many may live at once.
        memory_mb: A session whose resident set is larger is retired after its step.
    """

    start: Callable[[ProofTask], Session]
    size: int
    memory_mb: int = 1024
    report: PoolReport = field(default_factory=PoolReport)
    _idle: list[Session] = field(default_factory=list)
    _busy: int = 0
    _room: threading.Condition = field(default_factory=threading.Condition)
    _owner: int = field(default_factory=os.getpid)

    def goto(self, task: ProofTask, path: Sequence[str]) -> Reply:
        """The goals at the end of a path, by whichever session is nearest.

        Raises:
            ProverLost: Every session that was tried died.
        """
        reasons: list[str] = []
        for _ in range(ATTEMPTS):
            session = self._take(task, path)
            keep = False
            try:
                reply = session.goto(task, path)
                session.uses += 1
                self.report.steps += 1
                keep = session.uses < MOST_USES and rss_mb(session.pid) <= self.memory_mb
                self.report.retired += not keep
                return reply
            except SessionStuck as error:
                self.report.stuck += 1
                return Reply(error=str(error), limit=True)
            except SessionDied as error:
                self.report.died += 1
                reasons.append(str(error))
            finally:
                self._give(session, keep)
        raise ProverLost(f"the prover died on {ATTEMPTS} workers: {'; '.join(dict.fromkeys(reasons))}")

    def pids(self) -> list[int]:
        """The processes of the idle sessions."""
        with self._room:
            return [session.pid for session in self._idle]

    def close(self) -> None:
        """Kill the idle sessions; those at work are killed when they come back."""
        with self._room:
            sessions, self._idle = self._idle, []
            mine = self._owner == os.getpid()
        for session in sessions if mine else ():
            session.close()

    def _take(self, task: ProofTask, path: Sequence[str]) -> Session:
        with self._room:
            if self._owner != os.getpid():  # after a fork the processes belong to the parent
                self._owner, self._busy, self._idle = os.getpid(), 0, []
            while True:
                fitting = [s for s in self._idle if s.header == task.header]
                if fitting:
                    best = max(fitting, key=lambda s: s.near(task, path))
                    spare = len(self._idle) + self._busy < self.size
                    if best.near(task, path) >= 0 or not spare:
                        self._idle.remove(best)
                        self._busy += 1
                        return best
                    if self._busy == 0:  # a warm session is dearer than a second one
                        self._idle.remove(best)
                        self._busy += 1
                        return best
                if len(self._idle) + self._busy < self.size:
                    self._busy += 1
                    break
                if self._idle:  # all of them under another header: the one that has waited longest goes
                    self._idle.pop(0).close()
                    self.report.retired += 1
                    continue
                self._room.wait()
        try:
            session = self.start(task)
        except BaseException as error:
            with self._room:
                self._busy -= 1
                self._room.notify()
            if isinstance(error, SessionDied | SessionStuck):
                raise ProverLost(f"a prover does not start: {error}") from error
            raise
        self.report.started += 1
        return session

    def _give(self, session: Session, keep: bool) -> None:
        if not keep:
            session.close()
        with self._room:
            self._busy -= 1
            if keep:
                self._idle.append(session)
            self._room.notify()


class LiveBackend:
    """What Lean and Coq share: states reached through sessions, text gated before it gets there.

    A subclass says how a session starts, which words are refused, and how a whole proof is examined.
    """

    name = ""

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or max(1, min(4, len(os.sched_getaffinity(0))))
        self.pool = SessionPool(self._start, self.workers)

    # A subclass provides ----------------------------------------------------------------------------------------------

    def _start(self, task: ProofTask) -> Session:
        raise NotImplementedError

    def gate(self, text: str) -> str:
        """Why a text is refused, or the empty string."""
        raise NotImplementedError

    def examine(self, task: ProofTask, proof: str) -> Report:
        """Judge a whole proof in a fresh process, and say everything that was found."""
        raise NotImplementedError

    def complete(self, task: ProofTask) -> ProofTask:
        """The task with the backend's own header where it has none."""
        raise NotImplementedError

    # Protocol ---------------------------------------------------------------------------------------------------------

    def open(self, task: ProofTask) -> ProofState:
        """Start on a theorem. Raises `StatementRefused` if the statement does not compile."""
        task = self.complete(task)
        reply = self.pool.goto(task, ())
        if reply.limit:
            raise Unjudged(f"the statement of {task.name} took too long: {reply.error}")
        if reply.error or not reply.goals:
            raise StatementRefused(f"the statement of {task.name} is refused: {reply.error or 'it opens no goal'}")
        return ProofState(task, (), reply.goals)

    def run(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to a state."""
        refused = self.gate(tactic)
        if refused:
            return StepResult(None, refused, layer="gate")
        if state.finished:
            return StepResult(None, "no goal is open")
        path = (*state.path, tactic)
        reply = self.pool.goto(state.task, path)
        if reply.error or reply.limit:
            return StepResult(None, shorten(reply.error), reply.limit)
        return StepResult(ProofState(state.task, path, reply.goals))

    def expand(self, state: ProofState, tactics: Sequence[str]) -> list[StepResult]:
        """Each of several tactics on the same state, in parallel over the workers; results in order."""
        if self.workers == 1 or len(tactics) < 2:
            return [self.run(state, tactic) for tactic in tactics]
        with ThreadPoolExecutor(min(self.workers, len(tactics))) as threads:
            return list(threads.map(lambda tactic: self.run(state, tactic), tactics))

    async def arun(self, state: ProofState, tactic: str) -> StepResult:
        """`run` for asyncio."""
        return await asyncio.to_thread(self.run, state, tactic)

    async def aexpand(self, state: ProofState, tactics: Sequence[str]) -> list[StepResult]:
        """`expand` for asyncio."""
        return await asyncio.to_thread(self.expand, state, tactics)

    def final_check(self, task: ProofTask, proof: str) -> Verdict:
        """Judge a whole proof in a fresh process."""
        return self.examine(task, proof).verdict

    def close(self) -> None:
        """Kill the sessions."""
        self.pool.close()

    def __enter__(self: LiveT) -> LiveT:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def rss_mb(pid: int) -> float:
    """What a process holds in memory, shared pages included; 0 when it is gone."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    return 0.0
