"""One pool for all environments of a process, closed when the last of them is; faults are no scores."""

from __future__ import annotations

import gc
import math
import multiprocessing
import time
from typing import Any

import pytest

from proofgym.envs.code import workbench
from proofgym.envs.code.function import CodeFunction
from proofgym.envs.wrappers import MaskUnjudged
from proofgym.errors import Unjudged
from proofgym.sandboxes import IsolationUnavailable, Pool


def test_a_hundred_environments_share_one_pool(sandbox: Pool) -> None:
    envs = [CodeFunction() for _ in range(100)]
    pools = {id(env.pool()) for env in envs}
    assert len(pools) == 1
    assert workbench.running()
    for env in envs:
        env.close()


def test_the_pool_closes_a_little_after_the_last_environment(sandbox: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbench, "LINGER_S", 0.05)
    one, other = CodeFunction(), CodeFunction()
    pool = one.pool()
    assert other.pool() is pool
    one.close()
    time.sleep(0.3)
    assert workbench.running(), "somebody still needs it"
    other.close()
    workbench._users.clear()
    workbench.release(other)
    deadline = time.monotonic() + 10
    while workbench.running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not workbench.running()
    again = CodeFunction()
    assert again.pool() is not pool
    again.close()


def test_an_environment_that_is_forgotten_gives_its_lease_back(sandbox: Pool) -> None:
    env = CodeFunction()
    env.pool()
    count = len(workbench._users)
    del env
    gc.collect()
    assert len(workbench._users) == count - 1


def _in_child(queue: Any) -> None:
    env = CodeFunction()
    env.reset(seed=1)
    queue.put(env.step(env.oracle())[1])
    env.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_makes_a_pool_of_its_own(sandbox: Pool) -> None:
    env = CodeFunction()
    env.reset(seed=1)
    assert env.step(env.oracle())[1] == 1.0
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == 1.0
    child.join(timeout=30)
    env.reset(seed=2)
    assert env.step(env.oracle())[1] == 1.0, "the parent's pool still works"
    env.close()


def test_a_fork_uses_the_pool_of_its_origin(sandbox: Pool) -> None:
    env = CodeFunction(pool=sandbox, max_turns=2)
    env.reset(seed=1)
    assert env.fork().pool() is sandbox


class _Dead:
    def __getattr__(self, name: str) -> Any:
        raise Unjudged("the machine is gone")


def test_a_dead_sandbox_is_no_score() -> None:
    env = CodeFunction(pool=_Dead())  # type: ignore[arg-type]
    env.reset(seed=1)
    with pytest.raises(Unjudged, match="gone"):
        env.step(env.oracle())
    masked = MaskUnjudged(CodeFunction(pool=_Dead()))  # type: ignore[arg-type]
    masked.reset(seed=1)
    _, reward, _, _, info = masked.step(masked.unwrapped.oracle())  # type: ignore[attr-defined]
    assert math.isnan(reward)
    assert "gone" in info["unjudged"]


def test_a_machine_without_isolation_is_told_of_and_gives_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise IsolationUnavailable("no namespaces here")

    monkeypatch.setattr(workbench, "Pool", refuse)
    monkeypatch.setattr(workbench, "_pool", None)
    env = CodeFunction()
    env.reset(seed=1)
    with pytest.raises(Unjudged, match="no namespaces here"):
        env.step(env.oracle())
