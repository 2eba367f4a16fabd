"""Recipes: what is shipped loads, and whatever is wrong is said in one sentence with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("pydantic")
from proofgym.agents.config import Recipe, as_dict, load_recipe
from proofgym.errors import BadInput

pytestmark = pytest.mark.train
GOOD = "name: x\nenvironment: {id: proofgym/Countdown-v0}\n"


def recipe(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_recipe_loads() -> None:
    demo = load_recipe("demo")
    assert demo.environment.id == "proofgym/RunningTotal-v0"
    assert demo.grpo.advantage == "step"


def test_overrides_reach_any_depth_and_are_yaml(tmp_path: Path) -> None:
    made = load_recipe(
        recipe(tmp_path, GOOD),
        ["grpo.updates=3", "grpo.learning_rate=1e-4", "environment.kwargs.level=0.25", "seed=7", "grpo.scale=false"],
    )
    assert (made.grpo.updates, made.grpo.learning_rate, made.seed, made.grpo.scale) == (3, 1e-4, 7, False)
    assert made.environment.kwargs == {"level": 0.25}


def test_a_recipe_survives_its_own_json(tmp_path: Path) -> None:
    made = load_recipe(recipe(tmp_path, GOOD), ["grpo.kl.weight=0.1"])
    assert Recipe(**as_dict(made)) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "grpo: {updaets: 3}", r"grpo\.updaets: .*did you mean 'updates'\?"),
        (GOOD + "gpro: {updates: 3}", r"gpro: .*did you mean 'grpo'\?"),
        (GOOD + "grpo: {zzz: 3}", r"grpo\.zzz: .*known are convention, updates, "),
        (GOOD + "grpo: {updates: -1}", r"grpo\.updates: .*greater than or equal to 0"),
        (GOOD + "grpo: {group: 1}", r"grpo: .*group should be greater than or equal to 2"),
        (GOOD + "grpo: {gamma: 1.5}", r"grpo\.gamma: .*less than or equal to 1"),
        (GOOD + "grpo: {loss: {clip_low: 1.0}}", r"grpo\.loss\.clip_low: .*less than 1"),
        (GOOD + "grpo: {temperature: 0}", r"grpo\.temperature: .*greater than 0"),
        (GOOD + "grpo: {advantage: best}", r"grpo\.advantage: .*'step', 'trajectory'"),
        (GOOD + "grpo: {updates: many}", r"grpo\.updates: .*integer"),
        (GOOD + "warm_start: {target: 2}", r"warm_start\.target: .*less than or equal to 1"),
        (GOOD + "model: {width: 1}", r"model\.width: .*greater than or equal to 8"),
        ("environment: {id: x}", r"name: .*"),
        ("name: x\nenvironment: {}", r"environment\.id: .*"),
        ("- a\n- b", "holds no recipe"),
        ("", "holds no recipe"),
        ("name: [", "is not YAML"),
        ("name: \x07", "is not YAML"),
    ],
)
def test_a_mistake_is_said_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said) as caught:
        load_recipe(recipe(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert "mine.yaml" in str(caught.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("grpo.updates", "has the form"), ("=3", "has the form"), ("", "has the form"),
        ("grpo.updates=[", "is not YAML"), ("name.first=x", "name is a value, not a section"),
        ("grpo.updaets=3", r"did you mean 'updates'"), ("grpo.=3", r"known are"), ("grpo=3", r"grpo: "),
    ],
)  # fmt: skip
def test_a_bad_override_is_refused(override: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=said):
        load_recipe(recipe(tmp_path, GOOD), [override])


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    for missing in ("no-such", tmp_path, tmp_path / "gone.yaml"):
        with pytest.raises(BadInput, match=r"shipped are .*demo"):
            load_recipe(missing)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(BadInput):
        load_recipe(tmp_path / "mine.yaml")
