"""Sandboxes on a Ray cluster: two nodes on this machine, one of which is killed. Needs the extra `ray`."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

import pytest

from proofgym.sandboxes import Job, Limits, Pool, conformance
from proofgym.sandboxes.errors import JobRefused
from proofgym.sandboxes.ray_backend import RayBackend
from proofgym.sandboxes.scaling import Scaling
from proofgym.sandboxes.types import Isolation, Outcome

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray leaves sockets and files to the end
ray = pytest.importorskip("ray")

ECHO = "import time\ndef echo(n):\n    time.sleep(0.1)\n    return n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    ray.init(address=made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()


def echo(n: int) -> Job:
    return Job.calls(ECHO, "echo", [(n,)])


def test_a_job_runs_somewhere_and_says_how_well_contained(cluster: Any) -> None:
    with Pool("ray") as pool:
        result = pool.run(Job.calls("def double(n): return 2 * n", "double", [(4,)]))
        assert result.values == [8]
        assert result.isolation >= Isolation.NAMESPACED
        late = pool.run(Job.script("while True: pass").within(Limits(wall_s=0.3)))
        assert late.outcome in (Outcome.TIMEOUT, Outcome.CPU)
        with pytest.raises(JobRefused):
            pool.run(Job.calls("def f(): pass", "f", [()], files={f"f{n}": b"x" * (20 << 20) for n in range(2)}))


def test_a_job_is_killed_where_it_runs(cluster: Any) -> None:
    with Pool("ray", workers=1) as pool:
        assert pool.run(echo(1)).values == [1]
        future = pool.submit(Job.script("import time; time.sleep(60)").within(Limits(wall_s=50)))
        time.sleep(0.3)
        began = time.monotonic()
        future.cancel()
        with pytest.raises(CancelledError):
            future.result(20)
        assert time.monotonic() - began < 5
        assert pool.run(echo(2)).values == [2]


def test_it_keeps_what_every_backend_promises(cluster: Any) -> None:
    report = conformance.check(RayBackend(), workers=1)
    assert report.ok, str(report)


def test_a_node_that_dies_takes_no_job_along(cluster: Any) -> None:
    second = cluster.add_node(num_cpus=2)
    cluster.wait_for_nodes()
    backend = RayBackend(scaling=Scaling(backlog=1, idle_s=1.0), room_s=3.0)
    assert backend.processors == 3
    with Pool(backend) as pool:
        deadline = time.monotonic() + 120
        while len({getattr(slot.worker, "node", "") for slot in pool._slots} - {""}) < 2:
            assert time.monotonic() < deadline, "the second node was never used"
            assert all(result.ok for result in pool.map([echo(0)] * 12))
        before = pool.report().jobs
        ended: list[int] = []
        lock = threading.Lock()
        futures = [pool.submit(echo(n)) for n in range(120)]
        for n, future in enumerate(futures):

            def note(_: Any, n: int = n) -> None:
                with lock:
                    ended.append(n)

            future.add_done_callback(note)
        while len(ended) < 20:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cluster.remove_node(second)
        assert len(ended) < 110, "the node died too late to matter"
        values = [future.result(120).values for future in futures]
        assert values == [[n] for n in range(120)]
        assert sorted(ended) == list(range(120))
        report = pool.report()
        assert (report.jobs - before, report.infra_errors) == (120, 0)
        assert report.retries >= 1
        deadline = time.monotonic() + 20
        while pool._manned():  # idle workers give their processors back
            assert time.monotonic() < deadline
            time.sleep(0.1)
