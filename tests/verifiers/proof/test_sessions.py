"""The worker pool by itself, with sessions that die, hang and remember."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

import pytest

from proofgym.verifiers.proof import Goal, ProofTask, ProverLost
from proofgym.verifiers.proof.sessions import Reply, SessionDied, SessionPool, SessionStuck

TASK = ProofTask("t", "p", "header")


class Fake:
    """A session whose behaviour is in the tactics."""

    pid = 0

    def __init__(self, log: list[str], header: str) -> None:
        self.header, self.uses, self.closed, self.at, self.log = header, 0, False, (), log

    at: tuple[str, ...]

    def near(self, task: ProofTask, path: Sequence[str]) -> int:
        count = 0
        for a, b in zip(self.at, path, strict=False):
            if a != b:
                break
            count += 1
        return count

    def goto(self, task: ProofTask, path: Sequence[str]) -> Reply:
        assert not self.closed
        for step in path[self.near(task, path) :]:
            self.log.append(step)
            if step == "die" or (step == "die once" and self.log.count(step) == 1):
                raise SessionDied("killed")
            if step == "hang":
                raise SessionStuck("too slow")
            if step == "wait":
                time.sleep(0.05)
        self.at = tuple(path)
        return Reply((Goal(" ".join(path) or "p"),))

    def close(self) -> None:
        self.closed = True


def pool(size: int = 2) -> tuple[SessionPool, list[str]]:
    log: list[str] = []
    return SessionPool(lambda task: Fake(log, task.header), size), log


def test_a_session_that_dies_is_replaced_and_the_path_is_walked_again() -> None:
    sessions, log = pool()
    sessions.goto(TASK, ("a", "b"))
    assert sessions.goto(TASK, ("a", "b", "die once", "c")).goals[0].target == "a b die once c"
    assert log == ["a", "b", "die once", "a", "b", "die once", "c"]
    assert (sessions.report.died, sessions.report.started) == (1, 2)


def test_a_path_that_kills_every_worker_is_nobodys_verdict() -> None:
    sessions, _ = pool()
    with pytest.raises(ProverLost, match="3 workers"):
        sessions.goto(TASK, ("die",))
    assert sessions.goto(TASK, ("a",)).goals, "the next one works"


def test_a_session_that_hangs_is_retired_and_the_step_is_a_limit() -> None:
    sessions, _ = pool()
    reply = sessions.goto(TASK, ("hang",))
    assert (reply.limit, reply.error) == (True, "too slow")
    assert sessions.report.stuck == 1
    assert sessions.pids() == []


def test_the_nearest_session_is_taken() -> None:
    sessions, log = pool(size=2)
    barrier = threading.Barrier(2)

    def walk(path: tuple[str, ...]) -> None:
        barrier.wait()
        sessions.goto(TASK, ("wait", *path))

    threads = [threading.Thread(target=walk, args=(path,)) for path in (("a", "b"), ("c", "d"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions.report.started == 2
    log.clear()
    sessions.goto(TASK, ("wait", "a", "b", "x"))
    sessions.goto(TASK, ("wait", "c", "d", "y"))
    assert log == ["x", "y"]


def test_another_header_gets_another_session_within_the_size() -> None:
    sessions, _ = pool(size=1)
    sessions.goto(TASK, ())
    sessions.goto(ProofTask("t", "p", "other"), ())
    assert sessions.report.started == 2
    assert sessions.report.retired == 1
    assert len(sessions.pids()) == 1


def test_more_callers_than_sessions_wait_their_turn() -> None:
    sessions, _ = pool(size=2)
    threads = [threading.Thread(target=sessions.goto, args=(TASK, ("wait", str(i)))) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions.report.steps == 8
    assert sessions.report.started <= 2


def test_a_session_that_cannot_start_gives_its_place_back() -> None:
    tries: list[int] = []

    def start(task: ProofTask) -> Fake:
        tries.append(1)
        if len(tries) < 3:
            raise SessionDied("no")
        return Fake([], task.header)

    sessions = SessionPool(start, 1)
    for _ in range(2):
        with pytest.raises(ProverLost, match="does not start"):
            sessions.goto(TASK, ())
    assert sessions.goto(TASK, ()).goals
