"""The pool: order, room, cancelling, faults, and what is left when it is closed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest

from proofgym.sandboxes import (
    InfraError,
    Isolation,
    IsolationUnavailable,
    Job,
    JobRefused,
    Limits,
    Outcome,
    Pool,
    PoolClosed,
    QueueFull,
    Result,
    boot,
    make_backend,
    probe,
)
from proofgym.sandboxes.embedded import EmbeddedBackend
from proofgym.sandboxes.errors import WorkerLost
from proofgym.sandboxes.types import Worker

DOUBLE = Job.calls("def f(x): return 2 * x", "f", [(21,)])
SLEEP = Job.script("import time\ntime.sleep(30)", limits=Limits(wall_s=40))


class FakeWorker:
    """A worker in this process, which does what it is told and counts its ends."""

    isolation, gaps, worn = Isolation.NAMESPACED, (), False

    def __init__(self, backend: FakeBackend) -> None:
        self.backend = backend

    def run(self, job: Job, limits: Limits, cancel: threading.Event | None = None) -> Result:
        return self.backend.answer(job)

    def pids(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        self.backend.closed += 1


class FakeBackend:
    name, isolation, gaps = "fake", Isolation.NAMESPACED, ()

    def __init__(self, answer: Any) -> None:
        self.answer: Callable[[Job], Result] = answer
        self.started = self.closed = 0

    def start(self, slot: int, limits: Limits) -> Worker:
        self.started += 1
        return FakeWorker(self)

    def close(self) -> None:
        return


def test_a_worker_that_cannot_start_is_an_error_and_never_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boot, "bundled_argv", lambda python: ["/bin/false"])
    with (
        Pool(EmbeddedBackend(Isolation.REDUCED), 1, min_isolation="reduced") as pool,
        pytest.raises(InfraError, match="start"),
    ):
        pool.run(DOUBLE)


def test_results_come_in_the_order_of_the_jobs(pool: Pool) -> None:
    jobs = [Job.calls("def f(x): return x", "f", [(n,)]) for n in range(50)]
    assert [result.values for result in pool.map(iter(jobs))] == [[n] for n in range(50)]


def test_memory_that_other_jobs_left_on_a_worker_is_not_charged() -> None:
    """Its heap keeps megabytes after a large file or output, and every child begins as its copy."""
    small = Job.script("x = 1")
    large = Job.script("print('x' * 3_900_000)", limits=Limits(output_kb=4096))
    with Pool(workers=1) as pool:
        before = pool.run(small).max_rss_kb
        assert pool.run(large).ok
        after = pool.run(small).max_rss_kb
        held = pool.run(Job.script("x = bytearray(20 << 20)")).max_rss_kb
    assert abs(after - before) < 2048
    assert 19 << 10 < held - before < 23 << 10


def test_map_takes_jobs_only_as_fast_as_they_run(pool: Pool) -> None:
    taken = 0

    def endless() -> Iterator[Job]:
        nonlocal taken
        while True:
            taken += 1
            yield DOUBLE

    results = pool.map(endless())
    for _ in range(10):
        assert next(results).ok
    results.close()  # type: ignore[attr-defined]
    assert taken <= 10 + 4 * pool.workers


def test_higher_priorities_go_first_and_equal_ones_in_order() -> None:
    gate, order = threading.Event(), []

    def answer(job: Job) -> Result:
        gate.wait(5)
        order.append(job.source)
        return Result(Outcome.OK)

    with Pool(FakeBackend(answer), 1) as pool:
        pool.submit(Job.script("first"))
        time.sleep(0.1)
        futures = [
            pool.submit(Job.script(name), priority=level)
            for name, level in (("a", 0), ("b", 5), ("c", 0), ("d", 5), ("e", -1))
        ]
        gate.set()
        for future in futures:
            future.result(5)
    assert order == ["first", "b", "d", "a", "c", "e"]


def test_a_full_queue_pushes_back() -> None:
    gate = threading.Event()

    def answer(job: Job) -> Result:
        gate.wait(10)
        return Result(Outcome.OK)

    with Pool(FakeBackend(answer), 1, queue=2) as pool:
        futures = [pool.submit(DOUBLE)]
        time.sleep(0.1)
        futures += [pool.submit(DOUBLE), pool.submit(DOUBLE)]
        with pytest.raises(QueueFull):
            pool.submit(DOUBLE, block=False)
        begun = time.monotonic()
        with pytest.raises(QueueFull):
            pool.submit(DOUBLE, timeout_s=0.2)
        assert 0.15 < time.monotonic() - begun < 20
        threading.Timer(0.2, gate.set).start()
        futures.append(pool.submit(DOUBLE))
        assert all(future.result(5).ok for future in futures)


def test_a_waiting_job_can_be_cancelled_and_makes_room() -> None:
    gate = threading.Event()

    def answer(job: Job) -> Result:
        gate.wait(10)
        return Result(Outcome.OK)

    with Pool(FakeBackend(answer), 1, queue=1) as pool:
        first = pool.submit(DOUBLE)
        time.sleep(0.1)
        second = pool.submit(DOUBLE)
        assert second.cancel()
        third = pool.submit(DOUBLE, timeout_s=1)
        gate.set()
        assert first.result(5).ok
        assert third.result(5).ok
        with pytest.raises(CancelledError):
            second.result(1)


def test_a_running_job_can_be_cancelled_and_the_worker_lives_on(pool: Pool) -> None:
    started = pool.report().workers_started
    future = pool.submit(SLEEP)
    while not future.running():
        time.sleep(0.01)
    begun = time.monotonic()
    assert future.cancel()
    with pytest.raises(CancelledError):
        future.result(5)
    assert time.monotonic() - begun < 20
    assert pool.run(DOUBLE).values == [42]
    assert pool.report().workers_started == started


def test_asyncio_runs_streams_and_cancels(pool: Pool) -> None:
    async def main() -> None:
        assert (await pool.arun(DOUBLE)).values == [42]
        seen = {}
        async for index, result in pool.astream(Job.calls("def f(x): return x", "f", [(n,)]) for n in range(100)):
            seen[index] = result.values
        assert seen == {n: [n] for n in range(100)}
        results = await asyncio.gather(*(pool.arun(DOUBLE) for _ in range(300)))
        assert all(result.values == [42] for result in results)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(pool.arun(SLEEP), 0.3)
        assert (await pool.arun(DOUBLE)).values == [42]

    asyncio.run(main())


def test_many_threads_share_a_pool(pool: Pool) -> None:
    wrong: list[Any] = []

    def work(number: int) -> None:
        for n in range(20):
            got = pool.run(Job.calls("def f(x): return x", "f", [(number * 100 + n,)])).values
            if got != [number * 100 + n]:
                wrong.append(got)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


def test_a_lost_worker_costs_a_retry_and_no_result() -> None:
    tries = []

    def answer(job: Job) -> Result:
        tries.append(1)
        if len(tries) < 3:
            raise WorkerLost("it fell over")
        return Result(Outcome.OK)

    backend = FakeBackend(answer)
    with Pool(backend, 1) as pool:
        result = pool.run(DOUBLE)
        assert result.ok
        assert result.metrics.attempts == 3
        assert (pool.report().retries, pool.report().infra_errors) == (2, 0)
    assert backend.started == backend.closed == 3


def test_three_lost_workers_are_an_error_and_never_a_score() -> None:
    def answer(job: Job) -> Result:
        raise WorkerLost("it fell over")

    with Pool(FakeBackend(answer), 1) as pool:
        with pytest.raises(InfraError, match=r"3 workers.*it fell over"):
            pool.run(DOUBLE)
        report = pool.report()
        assert (report.jobs, report.retries, report.infra_errors) == (0, 2, 1)


def test_our_own_bug_is_an_infra_error_with_its_cause() -> None:
    def answer(job: Job) -> Result:
        raise ZeroDivisionError("ours")

    with Pool(FakeBackend(answer), 1) as pool:
        with pytest.raises(InfraError, match="ours") as caught:
            pool.run(DOUBLE)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_killing_workers_in_mid_run_loses_no_job_and_invents_no_score(pool: Pool) -> None:
    jobs = [
        Job.calls("import time\ndef f(x):\n    time.sleep(0.01)\n    return x + 1", "f", [(n,)]) for n in range(200)
    ]
    stop = threading.Event()

    def killer() -> None:
        while not stop.wait(0.12):
            for pid in pool.pids():
                try:
                    if (
                        b"proofgym" not in Path(f"/proc/{pid}/cmdline").read_bytes()
                        and b"nanny" not in Path(f"/proc/{pid}/cmdline").read_bytes()
                    ):
                        continue
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
                break

    thread = threading.Thread(target=killer)
    thread.start()
    answered = faults = 0
    try:
        for number, future in enumerate([pool.submit(job) for job in jobs[:100]]):
            try:
                result = future.result(60)
            except InfraError:
                faults += 1
                continue
            assert result.ok
            assert result.values == [number + 1]
            answered += 1
    finally:
        stop.set()
        thread.join()
    assert answered + faults == 100
    assert answered > 50
    assert pool.report().retries > 0
    assert pool.run(DOUBLE).values == [42]


@pytest.mark.parametrize("which", [0, 1])
def test_a_worker_killed_while_idle_is_replaced(which: int, pool: Pool) -> None:
    assert pool.run(DOUBLE).ok
    for slot in pool._slots:
        if slot.pids():
            os.kill(slot.pids()[min(which, len(slot.pids()) - 1)], signal.SIGKILL)
    for _ in range(2 * pool.workers):
        assert pool.run(DOUBLE).values == [42]


def test_closing_leaves_no_process_descriptor_or_thread() -> None:
    backend = EmbeddedBackend(probe.choose("reduced"))
    descriptors = _descriptors()
    pool = Pool(backend, 2, min_isolation="reduced")
    assert all(result.ok for result in pool.map([DOUBLE] * 10))
    running = pool.submit(SLEEP)
    waiting = [pool.submit(SLEEP) for _ in range(5)]
    while not running.running():
        time.sleep(0.01)
    pids = pool.pids()
    assert pids
    pool.close()
    pool.close()
    for future in (running, *waiting):
        with pytest.raises(CancelledError):
            future.result(1)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert _descriptors() <= descriptors
    assert not [
        thread
        for thread in threading.enumerate()
        if thread.name.startswith("sandbox-") and thread in {s.thread for s in pool._slots}
    ]
    with pytest.raises(PoolClosed):
        pool.submit(DOUBLE)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_pool_is_refused_in_a_forked_process(pool: Pool) -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            pool.submit(DOUBLE)
        except PoolClosed as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    said = os.read(reader, 1000)
    os.close(reader)
    os.waitpid(pid, 0)
    assert b"make one of your own" in said


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_the_owners_death_is_the_workers_death(tmp_path: Path) -> None:
    """Not even SIGKILL of the owner in the middle of a job leaves a process behind."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            mine = Pool(EmbeddedBackend(probe.choose("reduced")), 1, min_isolation="reduced")
            mine.submit(SLEEP)
            while not mine.pids() or len(mine.pids()) < 3:
                time.sleep(0.02)
            os.write(writer, " ".join(map(str, mine.pids())).encode())
            time.sleep(60)
        finally:
            os._exit(1)
    os.close(writer)
    pids = [int(word) for word in os.read(reader, 1000).split()]
    os.close(reader)
    assert len(pids) >= 3
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(Path(f"/proc/{one}").exists() for one in pids):
        time.sleep(0.05)
    assert not [one for one in pids if Path(f"/proc/{one}").exists() and _state(one) != "Z"]


def _descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def test_report_counts_outcomes_and_times(pool: Pool) -> None:
    before = pool.report()
    pool.run(DOUBLE)
    pool.run(Job.script("1/0"))
    after = pool.report()
    assert after.jobs == before.jobs + 2
    assert after.outcomes["error"] == before.outcomes.get("error", 0) + 1
    assert after.setup_s[0] > 0
    assert after.run_s[1] >= after.run_s[0] > 0
    assert after.isolation == pool.backend.isolation.label


def test_nothing_but_jobs_is_taken(pool: Pool) -> None:
    with pytest.raises(JobRefused):
        pool.submit("print(1)")  # type: ignore[arg-type]
    with pytest.raises(JobRefused, match="no language"):
        pool.submit(Job.compiled("cobol", ""))
    with pytest.raises(ValueError, match="workers"):
        Pool(FakeBackend(None), 0)
    with pytest.raises(ValueError, match="backend"):
        make_backend("podman")


def test_isolation_none_must_be_asked_for_twice() -> None:
    with pytest.raises(IsolationUnavailable, match="insecure=True"):
        probe.choose("none")
    with pytest.raises(IsolationUnavailable, match="less than"):
        Pool(FakeBackend(None), 1, min_isolation="namespaced+cgroup")


def test_what_fails_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: EmbeddedBackend, slot: int, limits: Limits) -> Worker:
        raise WorkerLost("user, mount, pid, network, ipc, uts and cgroup namespaces: unshare: Operation not permitted")

    monkeypatch.setattr(EmbeddedBackend, "start", refuse)
    probe._tried.cache_clear()
    try:
        with pytest.raises(IsolationUnavailable) as caught:
            make_backend("embedded")
        assert "Operation not permitted" in str(caught.value)
        assert "sysctl" in str(caught.value)
        assert "min_isolation='reduced'" in str(caught.value)
    finally:
        probe._tried.cache_clear()


def test_a_lower_tier_warns_once_and_labels_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "choose", lambda least, insecure=False: Isolation.REDUCED)
    with pytest.warns(UserWarning, match="reduced"):
        backend = make_backend("embedded", min_isolation="reduced")
    with Pool(backend, 1, min_isolation="reduced") as pool:
        result = pool.run(DOUBLE)
    assert result.isolation is Isolation.REDUCED
    assert len(result.gaps) >= 2


def test_an_out_of_memory_kill_is_seen_even_when_the_parent_ends_well() -> None:
    if probe.choose("reduced") is not Isolation.NAMESPACED_CGROUP:
        pytest.skip("no control group here")
    source = """
import os, time
for _ in range(4):
    if os.fork() == 0:
        x = bytearray(b"x") * (70 << 20)
        time.sleep(0.5)
        os._exit(0)
for _ in range(4):
    os.wait()
print("all is well")
"""
    with Pool("embedded", 1) as pool:
        result = pool.run(Job.script(source, limits=Limits(memory_mb=100, scratch_mb=8)))
    assert result.outcome is Outcome.MEMORY
    assert "out of memory" in result.detail


def test_control_groups_are_gone_afterwards() -> None:
    if probe.choose("reduced") is not Isolation.NAMESPACED_CGROUP:
        pytest.skip("no control group here")
    name = f"proofgym-{os.getpid()}-*"
    before = list(Path("/sys/fs/cgroup").rglob(name))
    with Pool("embedded", 2) as pool:
        assert all(result.ok for result in pool.map([DOUBLE] * 10))
        assert len(list(Path("/sys/fs/cgroup").rglob(name))) > len(before)
    assert list(Path("/sys/fs/cgroup").rglob(name)) == before
