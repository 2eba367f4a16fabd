"""A pool whose workers cost something: as many as the queue asks for, let go when idle, and no job lost for room."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import pytest

from proofgym.sandboxes import pool as pools
from proofgym.sandboxes.errors import InfraError, JobRefused, NoRoom
from proofgym.sandboxes.pool import Pool
from proofgym.sandboxes.scaling import Scaling
from proofgym.sandboxes.types import Isolation, Job, Limits, Outcome, Result

JOB = Job.script("pass")


class Places:
    """A backend with so many places, whose jobs take as long as they are told to."""

    name = "places"
    isolation = Isolation.NAMESPACED
    gaps: tuple[str, ...] = ()

    def __init__(self, places: int, scaling: Scaling, takes_s: float = 0.02) -> None:
        self.scaling, self.takes_s = scaling, takes_s
        self.free, self.most, self.live = places, 0, 0
        self.lock = threading.Lock()

    def start(self, slot: int, limits: Limits) -> Any:
        with self.lock:
            if self.free == 0:
                raise NoRoom("every place is taken")
            self.free -= 1
            self.live += 1
            self.most = max(self.most, self.live)
        return Place(self)

    def close(self) -> None:
        assert self.live == 0


class Place:
    isolation = Isolation.NAMESPACED
    gaps: tuple[str, ...] = ()
    worn = False

    def __init__(self, backend: Places) -> None:
        self.backend, self.open = backend, True

    def run(self, job: Job, limits: Limits, cancel: Any = None) -> Result:
        time.sleep(self.backend.takes_s)
        return Result(Outcome.OK)

    def pids(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        with self.backend.lock:
            self.backend.live -= self.open
            self.backend.free += self.open
            self.open = False


def until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_workers_come_with_the_queue_and_go_when_idle() -> None:
    backend = Places(8, Scaling(least=1, backlog=2, idle_s=0.15))
    with Pool(backend, workers=6) as pool:
        until(lambda: backend.live == 1)
        assert pool.run(JOB).ok
        assert backend.most == 1
        assert all(result.ok for result in pool.map([JOB] * 60))
        assert 2 <= backend.most <= 6
        until(lambda: backend.live == 1)
        assert pool.run(JOB).ok


def test_without_a_least_there_is_nobody_until_a_job_comes() -> None:
    backend = Places(4, Scaling(idle_s=0.1))
    with Pool(backend, workers=4) as pool:
        assert backend.live == 0
        assert pool.run(JOB).ok
        until(lambda: backend.live == 0)


def test_no_job_is_lost_for_want_of_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "REST_S", 0.05)
    backend = Places(1, Scaling(least=1, backlog=0))
    with Pool(backend, workers=4) as pool:
        futures = [pool.submit(JOB) for _ in range(40)]
        assert all(future.result(20).ok for future in futures)
        assert backend.most == 1
        assert pool.report().jobs == 40
        assert pool.report().infra_errors == 0


def test_a_job_that_nobody_can_take_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "REST_S", 0.02)
    monkeypatch.setattr(pools, "NO_ROOM_S", 0.1)
    with Pool(Places(0, Scaling()), workers=2) as pool, pytest.raises(InfraError, match="every place is taken"):
        pool.run(JOB)


def test_a_job_that_waits_for_room_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "REST_S", 0.02)
    with Pool(Places(0, Scaling()), workers=1) as pool:
        future = pool.submit(JOB)
        until(lambda: future.no_room_since is not None)
        future.cancel()
        with pytest.raises(CancelledError):
            future.result(10)


def test_numbers_that_make_no_rule_are_refused() -> None:
    with pytest.raises(JobRefused):
        Scaling(idle_s=0)
