"""Control groups: the real ones where there are any, and imitations of both layouts everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofgym.sandboxes import Limits, cgroups

V1 = """25 20 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
26 20 0:23 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
"""
V2 = "25 20 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"


class Kernel:
    """Plays the kernel on a plain directory: a new group gets its files."""

    def __init__(self, root: Path, mounts: str, own: str, files: tuple[str, ...]) -> None:
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/self/mountinfo").write_text(mounts)
        (root / "proc/self/cgroup").write_text(own)
        self.root, self.files = root, files

    def mkdir(self, path: Path, *args: object, **kwargs: object) -> None:
        Path.__dict__["_real_mkdir"](path, *args, **kwargs)
        if path.name.startswith("proofgym-"):
            for file in self.files:
                (path / file).write_text("")


def patch(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    monkeypatch.setattr(Path, "_real_mkdir", Path.mkdir, raising=False)
    monkeypatch.setattr(Path, "mkdir", lambda self, *a, **k: kernel.mkdir(self, *a, **k))


def test_version_one_gets_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("memory/outer", "pids"):
        (tmp_path / "sys/fs/cgroup" / name).mkdir(parents=True)
    kernel = Kernel(tmp_path, V1, "8:pids:/\n4:memory:/outer\n", ("memory.limit_in_bytes", "pids.max", "cgroup.procs"))
    patch(monkeypatch, kernel)
    group = cgroups.Group(Limits(memory_mb=100, scratch_mb=10, processes=7), tmp_path)
    (memory,) = (tmp_path / "sys/fs/cgroup/memory/outer").glob("proofgym-*")
    (pids,) = (tmp_path / "sys/fs/cgroup/pids").glob("proofgym-*")
    assert int((memory / "memory.limit_in_bytes").read_text()) == (110 + cgroups.WORKER_MB) << 20
    assert (pids / "pids.max").read_text() == "9"
    group.join(77)
    assert (memory / "cgroup.procs").read_text() == (pids / "cgroup.procs").read_text() == "77"
    (memory / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n")
    (pids / "pids.events").write_text("max 5\n")
    assert group.counters() == (3, 5)


def test_version_two_gets_one_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sys/fs/cgroup/user.slice/me").mkdir(parents=True)
    kernel = Kernel(tmp_path, V2, "0::/user.slice/me\n", ("memory.max", "pids.max", "cgroup.procs", "memory.swap.max"))
    patch(monkeypatch, kernel)
    group = cgroups.Group(Limits(memory_mb=100, scratch_mb=10), tmp_path)
    (folder,) = (tmp_path / "sys/fs/cgroup/user.slice/me").glob("proofgym-*")
    assert int((folder / "memory.max").read_text()) == (110 + cgroups.WORKER_MB) << 20
    assert (folder / "memory.swap.max").read_text() == "0"
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\n")
    (folder / "pids.events").write_text("max 0\n")
    assert group.counters() == (1, 0)
    group.set_limits(Limits(memory_mb=300, scratch_mb=10))
    assert int((folder / "memory.max").read_text()) == (310 + cgroups.WORKER_MB) << 20


def test_a_controller_that_is_not_delegated_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    patch(monkeypatch, Kernel(tmp_path, V2, "0::/\n", ("pids.max",)))
    with pytest.raises(OSError, match=r"memory\.max.*not delegated"):
        cgroups.Group(Limits(), tmp_path)
    with pytest.raises(OSError, match="no memory and pids"):
        cgroups.Group(Limits(), _bare(tmp_path / "bare"))


def _bare(root: Path) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text("")
    (root / "proc/self/cgroup").write_text("")
    return root


def test_groups_of_dead_owners_are_removed(tmp_path: Path) -> None:
    parent = tmp_path / "sys/fs/cgroup"
    for name in ("proofgym-999999999-1", "proofgym-1-1", "unrelated"):
        (parent / name).mkdir(parents=True)
    Kernel(tmp_path, V2, "0::/\n", ())
    cgroups.sweep(tmp_path)
    assert sorted(path.name for path in parent.iterdir()) == ["proofgym-1-1", "unrelated"]


def test_real_groups_count(pool: object) -> None:
    try:
        group = cgroups.Group(Limits())
    except OSError as error:
        pytest.skip(str(error))
    try:
        assert group.counters() == (0, 0)
        for limits in (Limits(memory_mb=64), Limits(memory_mb=900), Limits(memory_mb=32)):
            group.set_limits(limits)
    finally:
        group.remove()
