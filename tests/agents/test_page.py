"""The page on training: its Python runs, and every constant it shares with the code is the code's."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import yaml

pytest.importorskip("torch")
from proofgym.agents import advantages, losses
from proofgym.agents.config import load_recipe

pytestmark = pytest.mark.train
DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / "training.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks("python"):
        exec(compile(code, "training.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("Score(mean=0.")


def test_the_recipe_loads(tmp_path: Path) -> None:
    for text in blocks("yaml"):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_recipe(path).name == yaml.safe_load(text)["name"]


def test_the_conventions_are_those_of_the_code() -> None:
    text = (DOCS / "conventions.md").read_text(encoding="utf-8")
    grpo = inspect.signature(advantages.trajectory_grpo).parameters
    clip = inspect.signature(losses.clipped_policy_loss).parameters
    scale = inspect.signature(advantages.batch_scale).parameters
    assert (grpo["ddof"].default, grpo["eps"].default) == (1, 1e-4)
    assert "(std + 1e-4), `ddof=1`" in text
    assert f"1 − {clip['clip_low'].default}, 1 + {clip['clip_high'].default}" in text
    assert scale["eps"].default == 1e-8
    assert "0 below 1e-8" in text
    defaults = load_recipe("demo").grpo
    assert (defaults.clip_low, defaults.clip_high) == (clip["clip_low"].default, clip["clip_high"].default)
