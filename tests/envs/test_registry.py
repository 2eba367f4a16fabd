"""The registry: ids, hints, and an import that stays light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

import proofgym
from proofgym.envs.registry import ENTRIES, find, list_envs
from proofgym.errors import UnknownEnv

ROOT = Path(__file__).resolve().parents[2]


def python(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)


def test_the_table_is_sorted_and_its_ids_are_well_formed() -> None:
    ids = [entry.id for entry in ENTRIES]
    assert ids == sorted(set(ids))
    for entry in ENTRIES:
        assert entry.id in gymnasium.registry
        assert entry.summary.endswith(".")
        assert entry.id.startswith("proofgym/")
    assert {entry.domain for entry in list_envs("math")} == {"math"}


@pytest.mark.parametrize("asked", ["proofgym/Sudoku4Step-v0", "Sudoku4Step", "proofgym:proofgym/Sudoku4Steps-v9"])
def test_an_unknown_id_is_answered_with_the_nearest(asked: str) -> None:
    with pytest.raises(UnknownEnv, match=r"did you mean 'proofgym/Sudoku4Steps-v0'\?"):
        proofgym.make(asked)
    with pytest.raises(UnknownEnv, match="did you mean"):
        proofgym.make_vec(asked, 2)
    with pytest.raises(UnknownEnv, match="proofgym list"):
        find("qqqqqqqq")


@pytest.mark.parametrize("asked", ["Countdown", "Countdown-v0", "proofgym/Countdown", "proofgym:proofgym/Countdown-v0"])
def test_ids_may_be_shortened(asked: str) -> None:
    assert find(asked).id == "proofgym/Countdown-v0"


@pytest.mark.parametrize("folder", ["envs", "verifiers", "agents", "bench", "sandboxes", "adapters"])
def test_a_bare_import_of_a_folder_is_refused_in_words(folder: str) -> None:
    run = python(f"import {folder}", cwd=ROOT)
    assert run.returncode != 0
    assert f"this folder is `proofgym.{folder}`" in run.stderr
    assert "ImportError" in run.stderr


def test_gymnasium_makes_our_environments_in_a_fresh_interpreter(tmp_path: Path) -> None:
    code = "import gymnasium as g; e = g.make('proofgym:proofgym/Sudoku4Steps-v0'); print(e.reset(seed=1)[0])"
    run = python(code, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert "sudoku" in run.stdout


def test_making_an_environment_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, proofgym\n"
        "for name in ('Arithmetic', 'Countdown', 'RunningTotal', 'Sudoku4Steps'): proofgym.make(name).reset()\n"
        "print([m for m in ('torch', 'transformers', 'datasets', 'sympy', 'scipy', 'docker') if m in sys.modules])"
    )
    assert python(code, cwd=tmp_path).stdout.strip() == "[]"
