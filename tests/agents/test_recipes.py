"""Recipes: each can be carried out, with a tiny model of its architecture; what is not there is said, not met."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from proofgym.envs import registry

pytest.importorskip("torch")
pytest.importorskip("pydantic")
from proofgym.agents.config import as_dict, load_recipe
from proofgym.agents.dry_run import dry_run, tiny_like
from proofgym.errors import BadInput

pytestmark = pytest.mark.train

FOLDER = Path(__file__).parents[2] / "examples" / "recipes"
RECIPES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
DATA = {"gsm8k": [{"question": f"What is {n} + 1?", "answer": f"Add.\n#### {n + 1}"} for n in range(60)]}


def data(name: str, folder: Path) -> list[str]:
    """What a recipe needs that is not on this machine: a small file in its place."""
    if "gsm8k" not in name:
        return []
    path = folder / "gsm8k.jsonl"
    path.write_text("\n".join(map(json.dumps, DATA["gsm8k"])), encoding="utf-8")
    return [f"environment.kwargs.path={path}"]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_can_be_carried_out(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = FOLDER / f"{name}.yaml"
    plan = load_recipe(path)
    assert plan.name == name
    if plan.model.lora.rank:
        pytest.importorskip("peft", reason="needs peft: pip install 'proofgym[lora]'")
    known = {entry.id for entry in registry.list_envs()}
    found = dry_run(path, data(name, tmp_path))
    if plan.environment.id not in known:
        assert not found.fine
        assert plan.environment.id in found.missing[0]
        assert not found.stages
        found = dry_run(path, [*stand_in(plan), *data(name, tmp_path)])  # the rest of it, on another environment
    assert found.fine, found.missing
    assert {"before", "grpo", "after"} <= set(found.stages)
    assert ("warm_start" in found.stages) == (plan.warm_start.target > 0)
    assert ("rft" in found.stages) == (plan.rft.rounds > 0)
    assert found.numbers["grpo"]["skipped"] == 0
    assert [p.name for p in tmp_path.iterdir() if p.name != "gsm8k.jsonl"] == []  # nothing is left behind


def stand_in(plan: Any) -> list[str]:
    turns = plan.grpo.tree.roots > 0 or plan.grpo.advantage == "gigpo"
    return [f"environment.id=proofgym/{'Sudoku4Steps' if turns else 'Countdown'}-v0", "environment.kwargs={}"]


def test_the_first_recipe_is_the_demo() -> None:
    shipped, spelled = (as_dict(load_recipe(x)) for x in ("demo", FOLDER / "tiny-cpu.yaml"))
    assert {**shipped, "name": ""} == {**spelled, "name": ""}


def test_the_table_lists_every_recipe() -> None:
    listed = re.findall(r"^\| `([\w-]+)` ", (FOLDER / "README.md").read_text(encoding="utf-8"), flags=re.M)
    assert sorted(listed) == RECIPES


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("hf:Qwen/Qwen2.5-0.5B-Instruct", "qwen2"),
        ("smollm2", "llama"),
        ("hf:Qwen/Qwen3-1.7B", "qwen3"),
        ("tiny:01", "llama"),
    ],
)
def test_the_stand_in_has_the_architecture_of_the_model(spec: str, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(
        f"name: x\nenvironment: {{id: proofgym/Countdown-v0}}\nmodel: {{spec: '{spec}'}}\n", encoding="utf-8"
    )
    policy = tiny_like(load_recipe(path).model)
    assert policy.model.config.model_type == kind
    assert policy.parameters() < 60_000


def test_an_architecture_that_nobody_can_tell_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nenvironment: {id: proofgym/Countdown-v0}\nmodel: {spec: 'hf:./mine'}\n", encoding="utf-8")
    with pytest.raises(BadInput, match=r"set model\.architecture"):
        dry_run(path)
    assert dry_run(path, ["model.architecture=qwen2", "grpo.updates=1"]).fine
    with pytest.raises(BadInput, match="no architecture 'gpt99'"):
        dry_run(path, ["model.architecture=gpt99"])


def test_missing_things_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("name: x\nenvironment: {id: proofgym/GSM8K-v0, kwargs: {path: nowhere.jsonl}}\n", encoding="utf-8")
    found = dry_run(path)
    assert not found.fine
    assert "nowhere.jsonl" in found.missing[0]


def test_the_command_says_what_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from proofgym.__main__ import main

    path = tmp_path / "x.yaml"
    path.write_text("name: x\nenvironment: {id: proofgym/Sudokku-v0}\n", encoding="utf-8")
    assert main(["train", str(path), "--dry-run"]) == 1
    assert "x: missing: " in capsys.readouterr().out
    assert main(["train", "demo", "--dry-run"]) == 0
    assert "warm_start, before, grpo, after: fine" in capsys.readouterr().out
