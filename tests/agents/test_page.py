"""The page on training: its Python runs, and every constant it shares with the code is the code's."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml

pytest.importorskip("torch")
from proofgym.agents import advantages, losses
from proofgym.agents.config import GRPO, Loss, load_recipe

pytestmark = pytest.mark.train
DOCS = Path(__file__).resolve().parents[2] / "docs"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / "training.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_python_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for code in blocks("python"):
        exec(compile(code, "training.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[3].startswith("Score(mean=0.")
    assert lines[4].startswith("tensor(")


def test_the_recipe_loads(tmp_path: Path) -> None:
    for text in blocks("yaml"):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        assert load_recipe(path).name == yaml.safe_load(text)["name"]


def table(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the first table below a heading, by their first cell."""
    lines = text.split(f"## {heading}\n", 1)[1].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[start:]]
    found = {}
    for row in rows[2:]:
        if len(row) < 2:
            break
        found[row[0]] = row[1:]
    return found


def test_the_presets_are_those_of_the_code() -> None:
    rows = table((DOCS / "conventions.md").read_text(encoding="utf-8"), "What a preset sets")
    for column, name in enumerate(("proofgym", "trl", "verl", "openrlhf")):
        made = GRPO(convention=name)  # type: ignore[arg-type]
        cells = {key: row[column] for key, row in rows.items()}
        spread = next(cell for key, cell in cells.items() if "std_eps" in key)
        assert [float(x) for x in spread.split(", ")] == [made.std_ddof, made.std_eps]
        assert int(next(cell for key, cell in cells.items() if "whiten_ddof" in key)) == made.whiten_ddof
        assert next(cell for key, cell in cells.items() if "`scale`" in key) == ("yes" if made.scale else "no")
        clips = next(cell for key, cell in cells.items() if "clip_low" in key)
        assert tuple(float(x) for x in clips.split(", ")) == made.loss.bounds()
        dual = cells["`loss.dual`"].split()[0]
        assert (None if dual == "none" else float(dual)) == made.loss.dual
        if cells["`loss.ratio_low`, `ratio_high` (CISPO)"] != "–":
            ratios = cells["`loss.ratio_low`, `ratio_high` (CISPO)"].split(", ")
            assert [float(x) for x in ratios] == [made.loss.ratio_low, made.loss.ratio_high]
        assert cells["`loss.aggregate`"].split(" (")[0].replace(" ", "_") == made.loss.aggregate
        assert cells["`kl.estimator`, `place`"].split(", ") == [made.kl.estimator, made.kl.place]
        if cells["`value.clip`"] != "–":
            assert float(cells["`value.clip`"]) == made.value.clip
        assert float(cells["`weight_decay`"]) == made.weight_decay
        assert made.recompute_old == cells["`recompute_old`"].startswith("yes")
        empty = next(cell for key, cell in cells.items() if "count_empty" in key)
        assert made.count_empty == (empty == "yes")
    assert (GRPO(convention="trl").correction.mode, GRPO(convention="trl").correction.high) == ("mask", 3.0)


def test_the_functions_agree_with_the_defaults() -> None:
    grpo = inspect.signature(advantages.trajectory_grpo).parameters
    clip = inspect.signature(losses.clipped_policy_loss).parameters
    assert (grpo["ddof"].default, grpo["eps"].default) == (GRPO().std_ddof, GRPO().std_eps)
    assert (clip["clip_low"].default, clip["clip_high"].default) == GRPO().loss.bounds()
    for kind, function in (("gspo", losses.gspo), ("gmpo", losses.gmpo)):
        own = inspect.signature(function).parameters
        assert (own["clip_low"].default, own["clip_high"].default) == Loss(kind=kind).bounds()  # type: ignore[arg-type]


def test_every_estimator_and_loss_is_in_the_tables() -> None:
    text = (DOCS / "conventions.md").read_text(encoding="utf-8")
    assert {key.strip("`") for key in table(text, "Advantages")} == set(advantages.KINDS)
    kinds = {name.strip("`") for key in table(text, "Losses") for name in key.split(", ")} - {"an expert's tokens"}
    assert kinds == set(get_args(get_type_hints(Loss)["kind"]))
    assert f"{len(advantages.KINDS)} estimators" in (DOCS / "training.md").read_text(encoding="utf-8")
