"""Symbolic workers: bounded, replaced when killed, usable from threads, forks and asyncio, and gone when we are."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from proofgym.errors import Unjudged
from proofgym.verifiers import math
from proofgym.verifiers.math.parser import parse
from proofgym.verifiers.math.tree import dumps
from proofgym.verifiers.math.workers import POOL, Pool

SYMBOLIC = [(r"\sin 2x", r"2\sin x\cos x", True), (r"\sqrt{12}", r"2\sqrt3", True), (r"\sqrt2", r"\sqrt3", False)]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123
        return stat.read().rpartition(")")[2].split()[0] != "Z"
    return True


def wait_until(condition: Any, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool(2)
    yield made
    made.close()


def request(gold: str, answer: str) -> dict[str, Any]:
    return {"gold": dumps(parse(gold)), "answer": dumps(parse(answer)), "policy": {}}


def test_a_pool_answers_and_ends_with_no_process_left(pool: Pool) -> None:
    assert pool.ask(request("\\sqrt{8}", "2\\sqrt2"), 5.0)["kind"] == "same"
    pids = pool.pids()
    assert len(pids) == 2
    assert all(map(alive, pids))
    pool.close()
    assert wait_until(lambda: not any(map(alive, pids)))
    assert pool.pids() == []
    assert pool.ask(request("\\sqrt{8}", "3"), 5.0)["kind"] == "different"


def test_a_case_over_its_budget_is_ended_and_the_worker_replaced(pool: Pool) -> None:
    pool.start()
    heavy = request("x^{50}-x^{49}+x^3-17x+1<0", "x^{48}-x^{47}+x^3-19x+1<0")
    began = time.monotonic()
    assert pool.ask(heavy, 0.3)["kind"] == "timeout"
    assert time.monotonic() - began < 1.5
    assert pool.killed == 1
    assert pool.ask(request("\\sqrt{8}", "2\\sqrt2"), 5.0)["kind"] == "same"


def test_a_worker_killed_from_outside_is_replaced(pool: Pool) -> None:
    pool.start()
    os.kill(pool.pids()[1], signal.SIGKILL)
    assert pool.ask(request("\\sqrt{8}", "2\\sqrt2"), 5.0)["kind"] == "timeout"
    assert pool.ask(request("\\sqrt{8}", "2\\sqrt2"), 5.0)["kind"] == "same"


def test_a_nursery_killed_from_outside_is_replaced_and_takes_its_workers_along(pool: Pool) -> None:
    pool.start()
    nursery, worker = pool.pids()
    os.kill(nursery, signal.SIGKILL)
    assert wait_until(lambda: not alive(worker))
    pool.ask(request("\\sqrt{8}", "2\\sqrt2"), 5.0)
    assert pool.ask(request("\\sqrt{8}", "2\\sqrt2"), 5.0)["kind"] == "same"


@pytest.mark.parametrize(
    "body", [{}, {"gold": 1, "answer": 2, "policy": {}}, {"gold": ["__import__", "os"], "answer": [], "policy": {}}]
)
def test_a_request_that_is_no_tree_is_answered_with_undecided(pool: Pool, body: dict[str, Any]) -> None:
    assert pool.ask(body, 2.0)["kind"] == "undecided"


def test_threads_get_the_same_verdicts() -> None:
    with ThreadPoolExecutor(8) as threads:
        cases = SYMBOLIC * 20
        verdicts = list(threads.map(lambda case: math.verify_answer(case[0], case[1]).correct, cases))
    assert verdicts == [case[2] for case in cases]
    assert len(POOL.pids()) <= POOL.size + 1


def test_asyncio_loops_get_the_same_verdicts() -> None:
    async def judge() -> list[bool]:
        tasks = [asyncio.to_thread(math.verify_answer, gold, answer) for gold, answer, _ in SYMBOLIC * 5]
        return [verdict.correct for verdict in await asyncio.gather(*tasks)]

    assert asyncio.run(judge()) == [case[2] for case in SYMBOLIC * 5]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_has_workers_of_its_own_and_leaves_ours_alone() -> None:
    assert math.verify_answer(r"\sqrt{12}", r"2\sqrt3").correct
    ours = POOL.pids()
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)

    def child() -> None:
        verdict = math.verify_answer(r"\sqrt{12}", r"2\sqrt3").correct
        sending.send((verdict, POOL.pids()))
        POOL.close()
        os._exit(0)

    process = context.Process(target=child)
    process.start()
    assert receiving.poll(60)
    correct, theirs = receiving.recv()
    process.join(20)
    assert correct
    assert not set(ours) & set(theirs)
    assert wait_until(lambda: not any(map(alive, theirs)))
    assert all(map(alive, ours))
    assert math.verify_answer(r"\sqrt{12}", r"2\sqrt3").correct


@pytest.mark.parametrize(
    "end", ["pass", "import os; os._exit(3)", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_no_process_is_left_however_the_owner_ends(end: str) -> None:
    code = (
        "from proofgym.verifiers import math; from proofgym.verifiers.math.workers import POOL;"
        r"assert math.verify_answer(r'\sqrt{12}', r'2\sqrt3').correct; print(*POOL.pids(), flush=True);" + end
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    pids = [int(word) for word in done.stdout.split()]
    assert len(pids) == 2
    assert wait_until(lambda: not any(map(alive, pids)))


def test_a_busy_worker_is_gone_when_its_owner_is_killed() -> None:
    code = (
        "import threading, time, os, signal; from proofgym.verifiers import math;"
        "from proofgym.verifiers.math.workers import POOL; POOL.start(); print(*POOL.pids(), flush=True);"
        "policy = math.MathPolicy(budget_s=60);"
        "threading.Thread(target=math.verify_answer, args=('x^{50}-x^{49}+x^3-17x+1<0', 'x^{48}-x^{47}+x^3-19x+1<0'),"
        "kwargs={'policy': policy}).start(); time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    pids = [int(word) for word in done.stdout.split()]
    assert pids
    assert wait_until(lambda: not any(map(alive, pids)))


def test_numbers_and_words_need_no_worker_and_no_sympy() -> None:
    code = (
        "import sys; from proofgym.verifiers import math; from proofgym.verifiers.math.workers import POOL;"
        r"assert math.verify('1/2', r'so \boxed{\frac{2}{4}}').correct;"
        r"assert math.verify_answer('no solution', '\\emptyset').correct;"
        "assert math.verify_answer('(1,2)', '(1, 2.0)').correct; assert not math.verify_answer('odd', 'even').correct;"
        "assert not POOL.pids(); sys.exit(' '.join({'sympy', 'mpmath'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_caller_that_waits_too_long_for_a_worker_is_unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Pool(1)
    monkeypatch.setattr("proofgym.verifiers.math.workers._QUEUE_S", 0.05)
    small._slots.acquire()
    with pytest.raises(Unjudged, match="no symbolic worker was free"):
        small.ask(request("1", "2"), 1.0)


def test_without_sympy_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Pool(1)
    monkeypatch.setattr(sys, "executable", "/bin/true")
    with pytest.raises(Unjudged, match=r"proofgym\[math\]"):
        small.ask(request("1", "2"), 1.0)
    assert threading.active_count() < 50
