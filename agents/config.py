"""The configuration of a training run: one tree of frozen dataclasses, read from YAML, checked once when built."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import field, fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from proofgym.agents.advantages import AdvantageKind
from proofgym.errors import BadInput

__all__ = ["GRPO", "Environment", "Evaluation", "Model", "Recipe", "WarmStart", "load_recipe"]

_STRICT = ConfigDict(extra="forbid")

Natural = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True, config=_STRICT)
class Environment:
    """Which environment, and what its constructor gets (`split` is set by the run)."""

    id: str
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class Model:
    """Which policy to start from. `width`, `layers` and `heads` shape a `tiny:` model only."""

    spec: str = "tiny:0123456789"
    width: Annotated[int, Field(ge=8)] = 96
    layers: Count = 2
    heads: Count = 4
    context: Annotated[int, Field(ge=16)] = 512


@dataclass(frozen=True, config=_STRICT)
class WarmStart:
    """Supervised learning on the oracle's episodes until a *target* is reached; a fixed step count is fragile.

    Args:
        target: Stop once the mean reward of greedy answers on the validation split reaches this; 0 skips the stage.
        max_steps: Give up, loudly, after so many steps.
        batch: Episodes a step.
        warm_up: Steps over which the learning rate rises.
        evaluate_every, evaluate_items: How often the target is looked at, and on how many items.
        restart_after, restart_below: If so many steps after fresh weights the reward is still below this, take other
            weights and start over: small models sit on plateaus by bad luck. 0 never restarts.
    """

    target: Share = 0.0
    max_steps: Count = 2000
    batch: Count = 64
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.0
    warm_up: Natural = 20
    restart_after: Natural = 0
    restart_below: Share = 0.0
    evaluate_every: Count = 25
    evaluate_items: Count = 128


@dataclass(frozen=True, config=_STRICT)
class GRPO:
    """Group-relative policy optimisation with step credit.

    Args:
        updates: How many batches are sampled and learned from.
        prompts, group: Tasks an update, and attempts at each.
        temperature, max_tokens: Of sampling; the temperature is part of every log-probability.
        advantage: `step` (reward to go minus leave-one-out), `trajectory`, `outcome`, `grpo`; see `advantages.py`.
        gamma: Discount a step, for `step`.
        scale: Divide advantages by one standard deviation of the batch.
        clip_low, clip_high: Of the probability ratio, below and above 1.
        kl: Weight of the k3 penalty towards the policy at the start of this stage; 0 keeps no reference.
        optimizer_steps: Gradient steps an update; each takes an equal share of the trajectories.
        tokens_per_batch: Positions a forward pass may hold.
        validate_every, validate_items: Greedy evaluation on the validation split; 0 never.
        checkpoint_every: Updates between checkpoints.
    """

    updates: Natural = 60
    prompts: Count = 16
    group: Annotated[int, Field(ge=2)] = 16
    temperature: Positive = 1.0
    max_tokens: Count = 64
    advantage: AdvantageKind = "step"
    gamma: Share = 1.0
    scale: bool = True
    clip_low: OpenShare = 0.2
    clip_high: Positive = 0.28
    kl: NonNegative = 0.0
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.0
    max_grad_norm: Positive = 1.0
    optimizer_steps: Count = 1
    tokens_per_batch: Count = 16384
    validate_every: Natural = 10
    validate_items: Count = 128
    checkpoint_every: Count = 10


@dataclass(frozen=True, config=_STRICT)
class Evaluation:
    """The held-out evaluation before and after, on the test split."""

    items: Count = 500
    temperature: NonNegative = 0.0
    keep_episodes: Natural = 60


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """One training run, from a model to a report.

    Args:
        name: Also the default folder below `runs/`.
        seed: Of everything: weights, items, sampling.
        threads: CPU threads for torch; 0 leaves it alone. Results repeat exactly for the same number.
    """

    name: str
    environment: Environment
    model: Model = field(default_factory=Model)
    warm_start: WarmStart = field(default_factory=WarmStart)
    grpo: GRPO = field(default_factory=GRPO)
    evaluation: Evaluation = field(default_factory=Evaluation)
    seed: Natural = 0
    threads: Natural = 0
    dtype: Literal["float32", "bfloat16"] = "float32"


def load_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe by the name of a shipped one, or from a YAML file.

    Args:
        recipe: `demo`, or a path ending in `.yaml`.
        overrides: `grpo.updates=20` and the like; the value is YAML.
    Raises:
        BadInput: If it does not exist, or something in it is unknown or out of range; with the place and the reason.
    """
    shipped = {path.name.removesuffix(".yaml"): path for path in files("proofgym.agents").joinpath("recipes").iterdir()}
    path = Path(recipe)
    if str(recipe) in shipped:
        text = shipped[str(recipe)].read_text(encoding="utf-8")
    elif path.is_file():
        text = path.read_text(encoding="utf-8", errors="replace")  # YAML itself refuses what is no text
    else:
        raise BadInput(
            f"no recipe {str(recipe)!r}; shipped are {', '.join(sorted(shipped))}, or give a path to a YAML file"
        )
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadInput(f"{recipe} is not YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(data, dict):
        raise BadInput(f"{recipe} holds no recipe: a mapping of names to values was expected")
    for override in overrides:
        _override(data, override)
    try:
        return TypeAdapter(Recipe).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"]]
        raise BadInput(
            f"{recipe}, {'.'.join(place) or 'top level'}: {first['msg'].lower()}{_nearest(place)}"
        ) from error


def _override(data: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        raise BadInput(f"an override has the form grpo.updates=20, found {override!r}")
    *path, last = key.split(".")
    for part in path:
        data = data.setdefault(part, {})
        if not isinstance(data, dict):
            raise BadInput(f"{override!r}: {part} is a value, not a section")
    try:
        data[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise BadInput(f"the value of the override {override!r} is not YAML") from error


def _nearest(place: Sequence[str]) -> str:
    """A hint for a misspelt name."""
    known: Any = Recipe
    for part in place[:-1]:
        found = {f.name: f.type for f in fields(known)} if is_dataclass(known) else {}
        known = {"environment": Environment, "model": Model, "warm_start": WarmStart, "grpo": GRPO,
                 "evaluation": Evaluation}.get(part) if part in found else None  # fmt: skip
    if not place or not is_dataclass(known):
        return ""
    names = [f.name for f in fields(known)]
    if place[-1] in names:
        return ""
    close = difflib.get_close_matches(place[-1], names, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(names)}"


def as_dict(recipe: Recipe) -> Mapping[str, Any]:
    """The recipe as plain data, to be written beside the results."""
    data: Mapping[str, Any] = TypeAdapter(Recipe).dump_python(recipe, mode="json")
    return data
