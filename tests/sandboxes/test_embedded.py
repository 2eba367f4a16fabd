"""What a worker shows and hides, and how it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from proofgym.sandboxes import Isolation, Job, Limits, Pool, boot, embedded, probe
from proofgym.sandboxes.embedded import EmbeddedBackend


def works(tier: str) -> Isolation:
    isolation = Isolation.parse(tier)
    found = next(one for one in probe.probe().tiers if one.isolation is isolation)
    if not found.works:
        pytest.skip(f"{tier}: {found.reason}")
    return isolation


@pytest.mark.parametrize("tier", ["namespaced", "reduced"])
def test_neighbours_can_be_imported_and_proofgym_cannot_be_read(
    tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    isolation = works(tier)
    site = tmp_path / "site"
    for name in ("proofgym", "neighbour"):
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text(f"HERE = {name!r}\n")
    for folder in (site, *site.iterdir(), *tmp_path.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    monkeypatch.setattr(sysconfig, "get_path", lambda key: str(site))
    source = """
def look(path):
    import neighbour
    try:
        import proofgym
        found = getattr(proofgym, "HERE", None)
    except (ImportError, OSError):
        found = None
    try:
        text = open(path).read()
    except OSError:
        text = None
    return neighbour.HERE, found, text
"""
    with Pool(EmbeddedBackend(isolation), 1, min_isolation="reduced") as pool:
        result = pool.run(Job.calls(source, "look", [(str(site / "proofgym" / "__init__.py"),)]))
    assert result.values == [("neighbour", None, None)], result


def test_our_own_package_is_among_the_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = tmp_path / "proofgym" / "sandboxes"
    installed.mkdir(parents=True)
    monkeypatch.setattr(embedded, "__file__", str(installed / "embedded.py"))
    assert str(tmp_path / "proofgym") in embedded.hidden()


def test_without_site_there_are_no_packages() -> None:
    with Pool(EmbeddedBackend(probe.choose("reduced"), site=False), 1, min_isolation="reduced") as pool:
        result = pool.run(Job.script("import pytest"))
    assert b"No module named 'pytest'" in result.stderr


def test_numpy_works_inside(pool: Pool) -> None:
    source = "import numpy as np\ndef f(n): return np.trace(np.eye(n) * 2), np.arange(n).sum()"
    result = pool.run(Job.calls(source, "f", [(3,), (4,)]))
    assert result.values == [(6.0, 3), (8.0, 6)], result


def test_a_host_directory_can_be_shown(tmp_path: Path) -> None:
    folder = tmp_path / "shown"
    folder.mkdir()
    (folder / "data.txt").write_text("data")
    for above in (folder, *folder.parents):
        if above.is_relative_to("/tmp") and above != Path("/tmp"):
            above.chmod(0o755)
    source = "def f(path):\n    try: open(path, 'a')\n    except OSError: return open(path).read()"
    for isolation in dict.fromkeys((probe.choose("reduced"), Isolation.REDUCED)):
        with Pool(EmbeddedBackend(isolation, binds=[folder]), 1, min_isolation="reduced") as pool:
            assert pool.run(Job.calls(source, "f", [(str(folder / "data.txt"),)])).values == ["data"]


def test_the_callers_environment_and_modules_stay_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "struct.py").write_text("raise SystemExit('a planted module was imported')")
    (tmp_path / "types.py").write_text("raise SystemExit('a planted module was imported')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "types.py"))
    monkeypatch.setenv("LD_PRELOAD", "/nowhere.so")
    monkeypatch.chdir(tmp_path)
    with Pool(EmbeddedBackend(probe.choose("reduced")), 1, min_isolation="reduced") as pool:
        result = pool.run(
            Job.script("import os, sys\nprint(sorted(os.environ), [p for p in sys.path if 'pytest' in p])")
        )
    assert result.ok
    assert b"LD_PRELOAD" not in result.stdout
    assert b"PYTHONPATH" not in result.stdout
    assert result.stdout.rstrip().endswith(b"[]")


def test_workers_are_lean() -> None:
    with Pool(EmbeddedBackend(probe.choose("reduced")), 1, min_isolation="reduced") as pool:
        for _ in range(20):
            assert pool.run(Job.calls("def f(x): return x", "f", [(1,)])).ok
        private = 0
        for pid in pool.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Private_"):
                    private += int(line.split()[1])
    assert private <= 15 << 10, f"{private} KiB"


def test_a_bundled_nanny_needs_no_files_of_ours() -> None:
    """What a container is sent: the same code, from its standard input."""
    from proofgym.sandboxes import wire

    process = subprocess.Popen(
        boot.bundled_argv(embedded._interpreter()), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=boot.ENV, cwd="/"
    )
    config = {
        "mode": "none", "uid": None, "binds": [], "links": [], "devices": [], "scratch": "/nonexistent", "syspath": [],
        "hide": [], "preload": ["no_such_module", "json"], "env": {"PATH": "/usr/bin:/bin"},
    }  # fmt: skip
    out, _ = process.communicate(boot.bundle() + wire.frame(wire.CONFIG, wire.encode(config)), timeout=30)
    frames = wire.Frames()
    frames.feed(out)
    ((kind, _, body),) = list(frames)
    assert kind == wire.READY
    assert wire.decode(body)["python"] == sys.version.split()[0]


def test_limits_of_one_job_do_not_bind_the_next(pool: Pool) -> None:
    big = Job.script("x = bytearray(300 << 20)\nprint(len(x))", limits=Limits(memory_mb=400))
    small = Job.script("x = bytearray(300 << 20)", limits=Limits(memory_mb=64))
    for _ in range(2):
        assert pool.run(small).outcome.value == "memory"
        assert pool.run(big).ok


def test_files_of_a_job_count_as_its_disk(pool: Pool) -> None:
    result = pool.run(Job.script("", files={"big": bytes(3 << 20)}, limits=Limits(scratch_mb=1)))
    assert not result.ok
    assert result.outcome.value in ("error", "crash")


def test_uid_inside_is_never_root(pool: Pool) -> None:
    result = pool.run(Job.script("import os\nprint(os.getuid(), os.geteuid(), os.getgid(), os.getgroups())"))
    assert b"0" not in result.stdout.split()[:3]
    assert os.geteuid() != 0 or result.stdout.rstrip().endswith((b"[]", b"[1000]")) or b"61" in result.stdout
