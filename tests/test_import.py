"""Importing, naming and packaging: what a user meets before anything runs."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ("adapters", "agents", "bench", "envs", "sandboxes", "verifiers")
HEAVY = {
    "torch", "transformers", "sympy", "scipy", "docker", "datasets", "matplotlib", "rich", "typer", "yaml", "jinja2",
}  # fmt: skip

# The names by which everybody comes in. One that is here stays; to retire it, see STYLE: one release with a warning.
DOORS = (
    "proofgym:make", "proofgym:make_vec", "proofgym:list_envs", "proofgym:fork", "proofgym:Verdict", "proofgym:Status",
    "proofgym:connect",
    "proofgym:Credit", "proofgym:Unjudged", "proofgym.errors:ProofgymError", "proofgym.verifiers:Verifier",
    "proofgym.envs:VerifiableEnv", "proofgym.envs:TurnResult", "proofgym.envs:EnvEntry", "proofgym.envs:AnyText",
    "proofgym.envs:Task", "proofgym.envs:Trajectory", "proofgym.envs:Turn", "proofgym.envs:reset_item",
    "proofgym.envs.wrappers:RecordEpisodes", "proofgym.envs.wrappers:TimeLimit",
    "proofgym.envs.wrappers:ChatMessages", "proofgym.envs.wrappers:MaskUnjudged",
    "proofgym.bench.statistics:mean_interval", "proofgym.bench.statistics:wilson",
    "proofgym.bench.statistics:pass_at_k", "proofgym.bench.statistics:paired", "proofgym.bench.report:write",
    "proofgym.agents:__all__", "proofgym.bench.evaluate:evaluate",
    "proofgym.bench:evaluate", "proofgym.bench:compare", "proofgym.chat:ApiModel", "proofgym.chat:ChatModel",
    "proofgym.sandboxes:Pool", "proofgym.sandboxes:Job", "proofgym.sandboxes:Limits", "proofgym.sandboxes:Call",
    "proofgym.sandboxes:Session", "proofgym.sandboxes:Outcome", "proofgym.sandboxes:InfraError",
    "proofgym.verifiers.math:verify", "proofgym.verifiers.math:verify_answer", "proofgym.verifiers.math:check_steps",
    "proofgym.verifiers.math:grade", "proofgym.verifiers.math:MathPolicy",
    "proofgym.sandboxes:make_backend", "proofgym.sandboxes.conformance:check",
)  # fmt: skip


def python(code: str, cwd: Path = ROOT / "tests") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_import_loads_nothing_heavy() -> None:
    done = python(f"import sys, proofgym; sys.exit(', '.join({HEAVY} & set(sys.modules)) or 0)")
    assert done.returncode == 0, done.stderr


def test_gymnasium_makes_an_environment_without_our_import() -> None:
    done = python(
        "import gymnasium as gym; env = gym.make('proofgym:proofgym/Sudoku4Steps-v0');"
        "question, info = env.reset(seed=0); assert info['task']['split'] == 'train'; print(question)"
    )
    assert done.returncode == 0, done.stderr
    assert "sudoku" in done.stdout


@pytest.mark.parametrize("door", DOORS)
def test_door_is_open(door: str) -> None:
    module, _, name = door.partition(":")
    assert hasattr(importlib.import_module(module), name)


def test_every_public_name_of_the_package_exists() -> None:
    import proofgym

    assert all(hasattr(proofgym, name) for name in proofgym.__all__)


@pytest.mark.parametrize("folder", HOUSE)
def test_a_folder_refuses_to_be_imported_by_its_bare_name(folder: str) -> None:
    done = python(f"import {folder}", cwd=ROOT)
    assert done.returncode == 1
    assert f"this folder is `proofgym.{folder}`" in done.stderr


def _modules() -> set[str]:
    return {
        f"proofgym/{path.relative_to(ROOT).as_posix()}"
        for folder in HOUSE
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix in (".py", ".html", ".css", ".js", ".yaml")
    }


def _build(source: Path, kind: str, into: Path) -> Path:
    into.mkdir(parents=True)
    code = f"from setuptools import build_meta; print(build_meta.build_{kind}({str(into)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=source)
    assert done.returncode == 0, done.stderr
    return into / done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_wheel_and_source_archive_hold_the_files_behind_the_links(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path / "copy"
    leave = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "runs", "__pycache__", "shared", "site")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=leave)

    archive = _build(copy, "sdist", tmp_path / "dist")
    with tarfile.open(archive) as tar:
        members = {member.name.partition("/")[2]: member for member in tar.getmembers()}
        for module in _modules():
            assert members[f"src/{module}"].isfile(), f"{module} is not in the source archive as a file"
        tar.extractall(tmp_path / "unpacked", filter="data")

    (unpacked,) = (tmp_path / "unpacked").iterdir()
    for source in (copy, unpacked):
        with zipfile.ZipFile(_build(source, "wheel", tmp_path / "wheels" / source.name)) as wheel:
            names = set(wheel.namelist())
            wheel.extractall(tmp_path / "site")
        assert _modules() <= names, f"missing from the wheel: {sorted(_modules() - names)}"
        assert "proofgym/py.typed" in names
        assert not [name for name in names if name.startswith(("tests", "envs", "bench/"))]

    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); import proofgym, proofgym.bench.report;"
        "print(proofgym.bench.report.__file__); proofgym.make('Sudoku4Steps').reset(seed=1)"
    )
    done = python(code, cwd=tmp_path)
    assert done.stdout.startswith(str(tmp_path)), done.stderr
    assert done.returncode == 0, done.stderr
