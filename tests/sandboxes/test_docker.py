"""The Docker backend: hardened as it says, exact about limits, and clean after every kind of death."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.errors import MissingExtra
from proofgym.sandboxes import (
    InfraError,
    IsolationUnavailable,
    Job,
    Limits,
    Pool,
    Session,
    client,
    conformance,
    docker_backend,
    docker_seccomp,
)
from proofgym.sandboxes.docker_backend import LABEL, MAKER, OWNER, Demultiplexer, DockerBackend, DockerWorker
from proofgym.sandboxes.errors import WorkerLost
from proofgym.sandboxes.image import IMAGE, build_image, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_docker = pytest.mark.docker
RIGHT = [[n, n * n] for n in range(5)]
JOB = Job.calls("def f(n): return [n, n * n]", "f", [(n,) for n in range(5)])
SLOW = Job.calls("import time\ndef f(n):\n    time.sleep(0.3)\n    return [n, n * n]", "f", [(n,) for n in range(5)])


# Without a daemon ----------------------------------------------------------------------------------------------------


def test_import_does_not_load_the_sdk() -> None:
    code = "import sys, proofgym.sandboxes.docker_backend; sys.exit('docker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=20),
    st.lists(st.integers(1, 60), min_size=1, max_size=20),
)
def test_headers_come_out_however_the_stream_is_cut(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    wire = b"".join(bytes([which, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for which, data in frames)
    demultiplexer, got, at, turn = Demultiplexer(), b"", 0, 0
    while at < len(wire):
        step = cuts[turn % len(cuts)]
        got += demultiplexer.feed(wire[at : at + step])
        at, turn = at + step, turn + 1
    assert got == b"".join(data for which, data in frames if which == 1)
    assert bytes(demultiplexer.errors) == b"".join(data for which, data in frames if which == 2)


def test_no_daemon_is_said_with_the_cure() -> None:
    pytest.importorskip("docker.api")
    with pytest.raises(IsolationUnavailable, match=r"no Docker daemon answers.*dockerd"):
        DockerBackend(base_url="unix:///no/such/socket")


def test_folder_named_docker_is_not_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docker", types.ModuleType("docker"))
    with pytest.raises(MissingExtra, match=r"proofgym\[docker\]"):
        DockerBackend()


@pytest.mark.parametrize("bad", [{"cpus": 0}, {"cpus": float("nan")}, {"most_jobs": 0}, {"ahead": -1}])
def test_impossible_settings_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        DockerBackend(**bad)


def test_seccomp_profile_leaves_out_what_it_promises() -> None:
    profile = json.loads(docker_seccomp.profile())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    allowed = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
    refused = (
        "io_uring_setup io_uring_enter io_uring_register keyctl add_key request_key userfaultfd ptrace "
        "process_vm_readv process_vm_writev bpf mount umount2 unshare setns pivot_root chroot perf_event_open "
        "open_by_handle_at kexec_load init_module finit_module swapon reboot syslog fsopen move_mount open_tree "
        "quotactl acct iopl ioperm settimeofday"
    )
    assert not allowed & set(refused.split())
    clones = [rule for rule in profile["syscalls"] if rule["names"] == ["clone"]]
    assert clones[0]["args"][0]["op"] == "SCMP_CMP_MASKED_EQ"
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert clones[0]["args"][0]["value"] & flag


def test_owner_is_alive_until_it_is_not() -> None:
    me = docker_backend._process(os.getpid())
    assert docker_backend._alive(me)
    assert docker_backend._alive("nonsense")
    assert docker_backend._alive("")
    assert not docker_backend._alive(f"{os.getpid()}:1"), "the number was given to another process since"
    with subprocess.Popen(["sleep", "60"]) as child:
        written = docker_backend._process(child.pid)
        assert docker_backend._alive(written)
        child.kill()
    assert not docker_backend._alive(written)


def test_owner_is_known_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_backend, "Path", lambda _: Path("/no/such/place"))
    assert docker_backend._whereabouts().count("/") == 1
    me = docker_backend._process(os.getpid())
    assert me == f"{os.getpid()}:"
    assert docker_backend._alive(me)


def test_groups_of_version_two_are_set_and_read(tmp_path: Path) -> None:
    for name, text in {
        "memory.max": "max", "pids.max": "max", "memory.events": "low 0\noom 3\noom_kill 2\noom_group_kill 0\n",
        "pids.events": "max 5\n", "cgroup.procs": "7\n8\n",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    groups = docker_backend._Groups(tmp_path, tmp_path, two=True)
    assert groups.complete
    groups.limit(1 << 20, 9)
    assert ((tmp_path / "memory.max").read_text(), (tmp_path / "pids.max").read_text()) == (str(1 << 20), "9")
    assert groups.counts() == (2, 5)
    assert groups.pids() == (7, 8)


def test_process_of_another_machine_is_never_touched() -> None:
    assert docker_backend._open_process(os.getpid(), "0123456789ab" * 5) == -1
    assert docker_backend._open_process(2**22 + 1, "0123456789ab" * 5) == -1


def test_groups_of_another_machine_count_nothing() -> None:
    groups = docker_backend._Groups()
    assert not groups.complete
    assert groups.counts() == (0, 0)
    assert groups.pids() == ()


# With one ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def daemon() -> Iterator[Any]:
    """The SDK's client of a daemon that has our image; else the tests are skipped, or fail with REQUIRE_DOCKER=1."""
    try:
        sdk = connect(timeout=60)
    except Exception as error:
        if os.environ.get("REQUIRE_DOCKER") == "1":
            pytest.fail(f"REQUIRE_DOCKER=1, but no Docker daemon answers: {error}")
        pytest.skip(f"no Docker daemon answers: {error}")
    if not sdk.images(IMAGE):
        build_image()
    yield sdk
    sdk.close()


@pytest.mark.parametrize(("require", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_missing_daemon_skips_here_and_fails_where_it_is_required(require: str, outcome: str) -> None:
    env = {**os.environ, "DOCKER_HOST": "unix:///no/such/socket", "REQUIRE_DOCKER": require}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "as_hard_as_promised"]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=False).stdout
    assert outcome in said
    assert "no Docker daemon answers" in said


@pytest.fixture
def backend(daemon: Any) -> Iterator[DockerBackend]:
    """One for this test, which must leave no container behind."""
    made = DockerBackend()
    yield made
    made.close()
    assert not daemon.containers(all=True, filters={"label": f"{MAKER}={made._id}"})


@pytest.fixture(scope="module")
def pool(daemon: Any) -> Iterator[Pool]:
    del daemon
    with Pool(DockerBackend(), 2) as made:
        yield made


@pytest.fixture(scope="module")
def lasting(daemon: Any) -> Iterator[DockerBackend]:
    del daemon
    made = DockerBackend()
    yield made
    made.close()


@pytest.fixture
def worker(lasting: DockerBackend) -> Iterator[DockerWorker]:
    made = lasting.start(0, Limits())
    assert isinstance(made, DockerWorker)
    yield made
    made.close()


@needs_docker
@pytest.mark.parametrize("claim", conformance.CLAIMS)
def test_claim_is_kept(claim: str, pool: Pool) -> None:
    finding = conformance.run(claim, pool)
    assert finding.kept, finding.seen


@needs_docker
def test_container_is_as_hard_as_promised(daemon: Any, worker: DockerWorker) -> None:
    found = daemon.inspect_container(worker.container.id)
    host, config = found["HostConfig"], found["Config"]
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == {"KILL", "SETGID", "SETPCAP", "SETUID"}
    assert "no-new-privileges" in host["SecurityOpt"]
    assert any(option.startswith("seccomp=") and "unconfined" not in option for option in host["SecurityOpt"])
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] == 65
    assert host["NanoCpus"] == 10**9
    assert host["IpcMode"] == "none"
    assert host["LogConfig"]["Type"] == "none"
    assert host["AutoRemove"] is True
    assert not host["Privileged"]
    assert not host["Binds"]
    assert not host["PortBindings"]
    assert not host["Devices"]
    assert all(word in host["Tmpfs"]["/tmp"] for word in ("nosuid", "nodev", "size=", "nr_inodes="))
    assert {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}["core"] == 1
    assert not config["Tty"]
    assert config["OpenStdin"]
    assert config["StdinOnce"]
    assert config["Labels"][LABEL] == "1"
    assert config["Labels"][OWNER].endswith(docker_backend._process(os.getpid()))


@needs_docker
def test_outer_filter_stands_without_the_jobs_own(daemon: Any, backend: DockerBackend) -> None:
    """A program that is root in the container, with the nanny's capabilities, is refused by the container alone."""
    numbers = {
        "x86_64": {
            "io_uring_setup": 425, "keyctl": 250, "add_key": 248, "userfaultfd": 323, "ptrace": 101, "bpf": 321,
            "unshare": 272, "mount": 165, "perf_event_open": 298, "process_vm_readv": 310, "setns": 308, "fsopen": 430,
        },
        "aarch64": {
            "io_uring_setup": 425, "keyctl": 219, "add_key": 217, "userfaultfd": 282, "ptrace": 117, "bpf": 280,
            "unshare": 97, "mount": 40, "perf_event_open": 241, "process_vm_readv": 270, "setns": 268, "fsopen": 430,
        },
    }[os.uname().machine]  # fmt: skip
    code = f"""
import ctypes, os, json
libc = ctypes.CDLL(None, use_errno=True)
found = {{}}
for name, number in {numbers!r}.items():
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), 0, 0, 0, 0, 0, 0)
    found[name] = 0 if result >= 0 else ctypes.get_errno()
found["uid"] = os.getuid()
for path in ("/x", "/etc/x", "/usr/x", "/var/x", "/dev/shm/x", "/sys/x", "/proc/sys/kernel/hostname"):
    try:
        open(path, "w").write("x")
        found[path] = "written"
    except OSError:
        found[path] = ""
found["interfaces"] = [name for _, name in __import__("socket").if_nameindex()]
found["no_new_privs"] = libc.prctl(39, 0, 0, 0, 0)
print(json.dumps(found))
"""
    made = backend._settings.create(daemon, Limits(), ["python3", "-c", code])
    attached = docker_backend._AttachStream(
        daemon.attach_socket(made, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    )
    daemon.start(made)
    text = b""
    while part := attached.recv(30):
        text += part
    attached.close()
    found = json.loads(text)
    assert found["uid"] == 0
    assert {name: found[name] for name in numbers} == dict.fromkeys(numbers, 1), "every call gives EPERM"
    assert [path for path, state in found.items() if state == "written"] == []
    assert found["interfaces"] == ["lo"]
    assert found["no_new_privs"] == 1


ATTACKS = {
    "kill the nanny": "import os\ndef attack():\n    os.kill(1, 9)\n    return 'sent'",
    "stop the nanny": "import os\ndef attack():\n    os.kill(1, 19)\n    return 'sent'",
    "memory of the nanny": "def attack(): return open('/proc/1/mem', 'rb') and 'opened'",
    "descriptors of the nanny": "import os\ndef attack(): return os.listdir('/proc/1/fd')",
    "environment of the nanny": "def attack(): return open('/proc/1/environ').read()",
    "the nanny's end of the channel": "def attack(): return open('/proc/1/fd/1', 'wb').write(b'forged')",
    "where the container lies on the host": "def attack(): return open('/proc/self/mountinfo').read()",
    "control groups": "import os\ndef attack(): return os.listdir('/sys/fs/cgroup')",
    "raising the limit on processes": "def attack(): return open('/sys/fs/cgroup/pids/pids.max', 'w').write('max')",
    "the daemon's socket": (
        "import socket\ndef attack():\n    s = socket.socket(socket.AF_UNIX)\n"
        "    s.connect('/var/run/docker.sock')\n    return 'connected'"
    ),
    "becoming root": "import os\ndef attack():\n    os.setuid(0)\n    return os.getuid()",
    "writing to the image": "def attack(): return open('/usr/planted', 'w').write('x')",
    "writing beside scratch": "def attack(): return open('/var/planted', 'w').write('x')",
    "a file beside the devices": "def attack(): return open('/dev/planted', 'w').write('x')",
    "shared memory": "def attack(): return open('/dev/shm/left', 'w').write('x')",
    "a device": "import os\ndef attack(): return os.mknod('disk', 0o60666, os.makedev(8, 0)) or 'made'",
    "a set-user-id program of its own": (
        "import os, shutil, subprocess\ndef attack():\n"
        "    shutil.copy('/usr/bin/id', 'id')\n    os.chmod('id', 0o6777)\n"
        "    text = subprocess.run(['./id', '-u'], capture_output=True, text=True).stdout.strip()\n"
        "    return None if text == '65534' else text"
    ),
    "capabilities": (
        "import ctypes\ndef attack():\n    libc = ctypes.CDLL(None)\n"
        "    return [cap for cap in range(41) if libc.prctl(23, cap, 0, 0, 0) == 1] or None"
    ),
}


@needs_docker
@pytest.mark.parametrize("name", ATTACKS)
def test_attack_on_the_container_gets_nothing(name: str, worker: DockerWorker) -> None:
    before = worker.pids()
    result = worker.run(Job.calls(ATTACKS[name], "attack", [()]), Limits())
    (answer,) = result.answers
    assert answer.status in ("returned", "raised"), result
    assert answer.value is None
    assert answer.status == "returned" or answer.error in (
        "PermissionError", "FileNotFoundError", "OSError", "ProcessLookupError", "NotADirectoryError",
    ), answer  # fmt: skip
    assert worker.run(JOB, Limits()).values == RIGHT
    assert worker.pids() == before, "the same nanny serves on, and nothing is left beside it"


@needs_docker
def test_limits_are_changed_between_jobs(worker: DockerWorker) -> None:
    fill = """
def f():
    for n in range(8):
        try:
            open(f"part{n}", "wb").write(bytes(1 << 20))
        except OSError:
            return n
    return 8
"""
    files = """
def f():
    for n in range(200):
        try:
            open(f"{n}", "w").close()
        except OSError:
            return n
    return 200
"""
    fork = """
import os
def f():
    try:
        if os.fork() == 0: os._exit(0)
    except OSError:
        return "refused"
    os.wait()
    return "forked"
"""

    def value(source: str, **limits: Any) -> Any:
        return worker.run(Job.calls(source, "f", [()]), Limits(**limits)).values[0]

    if not worker.container.local:
        pytest.skip("the daemon's control groups cannot be written from here")
    assert value(fill, scratch_mb=4) < 5
    assert value(fill, scratch_mb=64) == 8
    assert value(files, inodes=64) < 64
    assert value(files, inodes=4096) == 200
    assert value(fork, processes=1) == "refused"
    assert value(fork, processes=8) == "forked"
    grab = "def f(): return len(bytearray(300 << 20))"
    assert value(grab, memory_mb=512) == 300 << 20
    assert worker.run(Job.calls(grab, "f", [()]), Limits(memory_mb=64)).outcome == "memory"
    assert worker.jobs == 8


@needs_docker
def test_other_limits_get_another_container_where_they_cannot_be_changed(
    daemon: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_backend._Groups, "complete", False)
    with Pool(DockerBackend(), 1, Limits()) as pool:
        first = pool.run(JOB)
        assert first.values == RIGHT
        assert docker_backend.GAP_REMOTE in first.gaps
        result = pool.run(JOB.within(Limits(scratch_mb=2)))
        assert result.values == RIGHT
        assert pool.report().workers_started == 2
    hungry = "import os\nfor _ in range(4): os.fork()\nx = bytearray(60 << 20)\nimport time; time.sleep(5)"
    with Pool(DockerBackend(), 1) as pool:
        result = pool.run(Job.script(hungry, limits=Limits(memory_mb=128, wall_s=8)))
        assert result.outcome == "memory", "limits hold without the host's hand too"


@needs_docker
def test_container_that_contains_nothing_is_not_trusted(daemon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_backend.probe, "attack", lambda _: ["reading a file of the host"])
    with pytest.raises(IsolationUnavailable, match="did not contain reading a file of the host"):
        DockerBackend()


@needs_docker
def test_memory_of_many_processes_is_counted_and_wears_the_worker(worker: DockerWorker) -> None:
    hungry = "import os\nfor _ in range(4): os.fork()\nx = bytearray(60 << 20)\nimport time; time.sleep(5)"
    result = worker.run(Job.script(hungry), Limits(memory_mb=128, wall_s=8))
    assert result.outcome == "memory"
    assert worker.worn


@needs_docker
def test_container_is_replaced_after_its_share(daemon: Any) -> None:
    made = DockerBackend(most_jobs=8)
    with Pool(made, 1) as pool:
        for _ in range(30):
            assert pool.run(JOB).values == RIGHT
        assert pool.report().workers_started == 4
        assert pool.report().retries == 0
    assert not daemon.containers(all=True, filters={"label": f"{MAKER}={made._id}"})


@needs_docker
def test_fresh_gives_each_job_a_container_of_its_own(daemon: Any) -> None:
    made = DockerBackend(fresh=True)
    assert made.gaps == ()
    seen = set()
    for _ in range(4):
        worker = made.start(0, Limits())
        assert isinstance(worker, DockerWorker)
        assert not worker.worn
        assert worker.run(JOB, Limits()).values == RIGHT
        assert worker.worn
        seen.add(worker.container.id)
        worker.close()
    assert len(seen) == 4
    until = time.monotonic() + 20
    while not made._ahead._ready and time.monotonic() < until:
        time.sleep(0.02)
    begun = time.monotonic()
    with Pool(made, 1) as pool:
        assert pool.run(JOB).values == RIGHT
        assert time.monotonic() - begun < 300
    assert not daemon.containers(all=True, filters={"label": f"{MAKER}={made._id}"})


@needs_docker
def test_sessions_pytest_and_packages_work_inside(pool: Pool) -> None:
    with Session(pool) as session:
        session.cell("x = 20")
        before = session.snapshot()
        session.cell("x += 1")
        assert session.cell("print(x)").stdout == b"21\n"
        session.restore(before)
        assert session.cell("print(x)").stdout == b"20\n"
    test = {"test_it.py": "def test_a(): assert 1\ndef test_b(): assert 0"}
    names, patient = ["test_it.py::test_a", "test_it.py::test_b"], Limits(wall_s=20, cpu_s=20)
    result = pool.run(Job.pytest(test, names, limits=patient))
    assert result.tests == {"test_it.py::test_a": "passed", "test_it.py::test_b": "failed"}, result
    source = "def f():\n    import numpy\n    return float(numpy.arange(4).sum())"
    assert pool.run(Job.calls(source, "f", [()], limits=patient)).values == [6.0]


@needs_docker
def test_unusable_images_are_refused(daemon: Any) -> None:
    with pytest.raises(IsolationUnavailable, match="build-image"):
        DockerBackend("proofgym-no-such-image:latest")
    made = daemon.create_container(IMAGE, ["true"])["Id"]
    changed = "proofgym-test-volume"
    try:
        daemon.commit(made, changed, changes=["VOLUME /data"])
        with pytest.raises(IsolationUnavailable, match="volumes"):
            DockerBackend(changed)
        daemon.remove_image(changed, force=True)
        daemon.commit(made, changed, changes=["ENV PATH=/nowhere"])
        with pytest.raises(IsolationUnavailable, match=r"no worker starts.*python3"):
            DockerBackend(changed)
        assert not [found for found in daemon.containers(all=True) if found["Image"] == changed]
    finally:
        daemon.remove_container(made, force=True)
        with contextlib.suppress(Exception):
            daemon.remove_image(changed, force=True)


# Deaths --------------------------------------------------------------------------------------------------------------


@needs_docker
def test_killed_container_loses_no_job(daemon: Any, backend: DockerBackend) -> None:
    with Pool(backend, 2) as pool:
        assert pool.run(JOB).values == RIGHT
        futures = [pool.submit(SLOW) for _ in range(4)]
        time.sleep(0.5)
        for slot in pool._slots:
            assert isinstance(slot.worker, DockerWorker)
            daemon.kill(slot.worker.container.id)
        results = [future.result(60) for future in futures]
        assert [result.values for result in results] == [RIGHT] * 4
        assert max(result.metrics.attempts for result in results) == 2
        assert pool.report().retries == 2


@needs_docker
def test_job_whose_container_is_always_killed_has_no_score(daemon: Any, backend: DockerBackend) -> None:
    stop = threading.Event()
    with Pool(backend, 1) as pool:

        def killer() -> None:
            while not stop.wait(0.05):
                worker = pool._slots[0].worker
                if isinstance(worker, DockerWorker) and worker.jobs:
                    with contextlib.suppress(Exception):
                        daemon.kill(worker.container.id)

        thread = threading.Thread(target=killer)
        thread.start()
        try:
            with pytest.raises(InfraError, match="3 workers"):
                pool.run(SLOW)
        finally:
            stop.set()
            thread.join()
        assert pool.run(JOB).values == RIGHT


@needs_docker
def test_frozen_container_is_given_up(daemon: Any, backend: DockerBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "GRACE_S", 1.0)
    with Pool(backend, 1) as pool:
        assert pool.run(JOB).values == RIGHT
        worker = pool._slots[0].worker
        assert isinstance(worker, DockerWorker)
        daemon.pause(worker.container.id)
        result = pool.run(JOB.within(Limits(wall_s=1)))
        assert result.values == RIGHT
        assert result.metrics.attempts == 2


@needs_docker
def test_closing_is_quick_final_and_repeatable(daemon: Any, backend: DockerBackend) -> None:
    worker = backend.start(0, Limits())
    assert isinstance(worker, DockerWorker)
    (pid,) = worker.pids()
    begun = time.monotonic()
    worker.close()
    worker.close()
    assert time.monotonic() - begun < 30
    until = time.monotonic() + 20  # the daemon's shim reaps it a moment later
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    assert worker.worn
    with pytest.raises(WorkerLost):
        worker.run(JOB, Limits())


@needs_docker
def test_nothing_accumulates(daemon: Any) -> None:
    def once() -> None:
        made = DockerBackend()
        for _ in range(2):
            worker = made.start(0, Limits())
            assert worker.run(JOB, Limits()).values == RIGHT
            worker.close()
        made.close()

    def held() -> tuple[int, int]:
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count()

    once()
    before = held()
    for _ in range(3):
        once()
    assert held() <= before


@needs_docker
@pytest.mark.parametrize("count", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_soak_leaves_nothing(daemon: Any, count: int) -> None:
    kinds = [
        JOB,
        Job.script("print(1)"),
        Job.script("import os\nopen('left', 'w').write('x')\nif os.fork() == 0:\n    import time; time.sleep(99)"),
        Job.calls("def f(): raise ValueError", "f", [()]),
        Job.script("import os; os.abort()"),
    ]

    def held() -> tuple[int, int, int]:
        mounts = len(Path("/proc/self/mountinfo").read_text().splitlines())
        return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), mounts

    before = held()
    made = DockerBackend(most_jobs=100)
    with Pool(made, 2) as pool:
        outcomes = [result.outcome.value for result in pool.map(kinds[number % 5] for number in range(count))]
        assert outcomes == ["ok", "ok", "ok", "ok", "crash"] * (count // 5)
        assert pool.report().retries == 0
        assert len(pool.pids()) == 2
        assert pool.report().workers_started >= count // 100
    assert held() <= before
    assert not daemon.containers(all=True, filters={"label": f"{MAKER}={made._id}"})


OWNER_SCRIPT = """
import sys, time
from proofgym.sandboxes import Job, Limits, Pool
from proofgym.sandboxes.docker_backend import DockerBackend
with Pool(DockerBackend(), 1) as pool:
    future = pool.submit(Job.script("import time\\nwhile True: time.sleep(1)", limits=Limits(wall_s=600)))
    while not pool.pids(): time.sleep(0.01)
    time.sleep(0.5)
    print(pool._slots[0].worker.container.id, flush=True)
    time.sleep(600)
"""


@needs_docker
def test_container_ends_when_its_owner_is_killed(daemon: Any) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER_SCRIPT], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        made = owner.stdout.readline().strip()
        assert daemon.inspect_container(made)["State"]["Running"]
        owner.kill()
    until = time.monotonic() + 15
    while daemon.containers(all=True, filters={"id": made}):
        assert time.monotonic() < until, "the container outlived its owner"
        time.sleep(0.1)


@needs_docker
def test_only_containers_of_dead_owners_are_cleaned_up(daemon: Any) -> None:
    here = docker_backend._whereabouts()
    boot, _, space = here.rpartition("/")
    with subprocess.Popen(["sleep", "60"]) as child:
        dead = docker_backend._process(child.pid)
        child.kill()
    owners = {
        "dead": f"{here}/{dead}",
        "number given again": f"{here}/{os.getpid()}:1",
        "alive": f"{here}/{docker_backend._process(os.getpid())}",
        "parent": f"{here}/{docker_backend._process(os.getppid())}",
        "another boot or machine": f"00000000-0000-0000-0000-000000000000/{space}/{dead}",
        "another namespace": f"{boot}/1/{dead}",
        "unreadable": "who knows",
        "nobody": None,
    }
    made = {}
    for name, owner in owners.items():
        labels = {LABEL: "1"} | ({OWNER: owner} if owner else {})
        made[name] = daemon.create_container(IMAGE, ["sleep", "600"], labels=labels)["Id"]
    made["not ours"] = daemon.create_container(IMAGE, ["sleep", "600"], labels={OWNER: owners["dead"]})["Id"]
    try:
        daemon.start(made["dead"])
        DockerBackend().close()
        until = time.monotonic() + 10  # another process that starts may be removing them just now
        left = set(made.values())
        while left & {made["dead"], made["number given again"]} and time.monotonic() < until:
            left = {found["Id"] for found in daemon.containers(all=True)}
        assert {name for name, container in made.items() if container not in left} == {"dead", "number given again"}
    finally:
        for container in made.values():
            with contextlib.suppress(Exception):
                daemon.remove_container(container, force=True)


# A daemon of our own, to be killed and to be given strange runtimes -------------------------------------------------


class OwnDaemon:
    """A second dockerd that shares nothing with the first, not even the name of its bridge."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pgd"))
        self.url = f"unix://{self.folder}/d.sock"
        self.bridge = f"pgym{os.getpid() % 100000}"
        self.process: subprocess.Popen[bytes] | None = None
        subprocess.run(["ip", "link", "add", "name", self.bridge, "type", "bridge"], check=True)
        subprocess.run(["ip", "addr", "add", "10.213.77.1/24", "dev", self.bridge], check=True)
        for name, text in {
            "broken": "#!/bin/sh\nexit 1\n",
            "wrapped": f'#!/bin/sh\nexec {shutil.which("runc")} "$@"\n',
        }.items():
            (self.folder / name).write_text(text)
            (self.folder / name).chmod(0o755)
        self.start()

    def start(self) -> None:
        runsc = shutil.which("runsc")
        config = {
            "runtimes": {
                "broken": {"path": str(self.folder / "broken")},
                "wrapped": {"path": str(self.folder / "wrapped")},
                **({"runsc": {"path": runsc, "runtimeArgs": ["--network=none", "--platform=ptrace"]}} if runsc else {}),
            }
        }
        (self.folder / "daemon.json").write_text(json.dumps(config))
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "dockerd", "-H", self.url, f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec",
                    f"--pidfile={self.folder}/pid", f"--config-file={self.folder}/daemon.json",
                    f"--bridge={self.bridge}", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
                    "--ip-masq=false",
                ],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        sdk = self.sdk()
        sdk.close()

    def sdk(self) -> Any:
        until = time.monotonic() + 60
        while True:
            try:
                return connect(self.url, timeout=60)
            except Exception:
                assert time.monotonic() < until, (self.folder / "log").read_text()[-2000:]
                time.sleep(0.1)

    def kill(self) -> None:
        """Kill it with its containerd, and wait until both are gone; the shims and containers live on."""
        assert self.process is not None
        containerd = int((self.folder / "exec/containerd/containerd.pid").read_text())
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.kill(containerd, signal.SIGKILL)
                time.sleep(0.02)

    def close(self) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for command in Path("/proc").glob("[0-9]*/cmdline"):  # shims outlive a daemon that never came back
            with contextlib.suppress(OSError):
                if f"{self.folder}/exec/containerd/containerd.sock".encode() in command.read_bytes().split(b"\0"):
                    os.kill(int(command.parent.name), signal.SIGKILL)
        for line in Path("/proc/self/mountinfo").read_text().splitlines()[::-1]:
            place = line.split()[4]
            if place.startswith(str(self.folder)):
                ctypes.CDLL(None).umount2(place.encode(), 2)
        subprocess.run(["ip", "link", "del", self.bridge], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def own_daemon(daemon: Any) -> Iterator[OwnDaemon]:
    missing = [name for name in ("dockerd", "ip") if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        reason = f"{' and '.join(missing)} not found" if missing else "only root can start a daemon"
        if os.environ.get("REQUIRE_DOCKER") == "1":
            pytest.fail(f"REQUIRE_DOCKER=1, but {reason}")
        pytest.skip(reason)
    del daemon
    made = OwnDaemon()
    try:
        build_image(base_url=made.url, packages=[])
        yield made
    finally:
        made.close()


@needs_docker
def test_killed_daemon_loses_no_job(own_daemon: OwnDaemon) -> None:
    made = DockerBackend(base_url=own_daemon.url)
    with Pool(made, 2) as pool:
        assert pool.run(JOB).values == RIGHT
        futures = [pool.submit(SLOW) for _ in range(4)]
        time.sleep(0.5)
        own_daemon.kill()
        time.sleep(0.5)
        own_daemon.start()
        results = [future.result(60) for future in futures]
        assert [result.values for result in results] == [RIGHT] * 4
        assert max(result.metrics.attempts for result in results) > 1
        assert pool.run(JOB).values == RIGHT
    sdk = own_daemon.sdk()
    assert not sdk.containers(all=True)
    sdk.close()


@needs_docker
def test_daemon_that_stays_away_gives_no_score(own_daemon: OwnDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_backend, "PATIENCE_S", 0.5)
    made = DockerBackend(base_url=own_daemon.url)
    with Pool(made, 1) as pool:
        assert pool.run(JOB).values == RIGHT
        future = pool.submit(SLOW)
        time.sleep(0.5)
        pids = pool.pids()
        own_daemon.kill()
        with pytest.raises(InfraError, match="daemon"):
            future.result(60)
        assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()], "its container does not run on without it"
    own_daemon.start()
    DockerBackend(base_url=own_daemon.url).close()
    sdk = own_daemon.sdk()
    assert not [found for found in sdk.containers(all=True) if found["State"] == "running"]
    sdk.close()


@needs_docker
def test_runtime_is_used_only_after_a_hundred_jobs(own_daemon: OwnDaemon) -> None:
    with pytest.raises(IsolationUnavailable, match=r"knows no runtime 'nonsense'; it knows .*runc"):
        DockerBackend(base_url=own_daemon.url, runtime="nonsense")
    with pytest.raises(IsolationUnavailable, match="failed job 1 of a self-test of 100"):
        DockerBackend(base_url=own_daemon.url, runtime="broken")
    made = DockerBackend(base_url=own_daemon.url, runtime="wrapped")
    with Pool(made, 1) as pool:
        assert pool.run(JOB).values == RIGHT
        sdk = own_daemon.sdk()
        (found,) = sdk.containers(filters={"label": LABEL})
        assert sdk.inspect_container(found["Id"])["HostConfig"]["Runtime"] == "wrapped"
        sdk.close()


@needs_docker
def test_runtime_that_fails_half_way_is_refused(own_daemon: OwnDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    run, count = DockerWorker.run, [0]

    def dies_at_sixty(self: DockerWorker, *args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        if count[0] == 60:
            os.kill(self.pids()[0], signal.SIGKILL)
        return run(self, *args, **kwargs)

    monkeypatch.setattr(DockerWorker, "run", dies_at_sixty)
    with pytest.raises(IsolationUnavailable, match="failed job 60 of a self-test"):
        DockerBackend(base_url=own_daemon.url, runtime="wrapped")


@needs_docker
@pytest.mark.skipif(shutil.which("runsc") is None, reason="runsc (gVisor) is not installed")
def test_gvisor_is_accepted_or_refused_but_never_trusted_blindly(own_daemon: OwnDaemon) -> None:
    refusal = ""
    try:
        with Pool(DockerBackend(base_url=own_daemon.url, runtime="runsc"), 1) as pool:
            assert pool.run(JOB).values == RIGHT
    except IsolationUnavailable as error:
        refusal = str(error)
    assert not refusal or "self-test" in refusal
