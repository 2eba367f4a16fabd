"""The configuration of a training run: one tree of frozen dataclasses, read from YAML, checked once when built."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import field, fields, is_dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ArgsKwargs

from proofgym.agents.advantages import KINDS, AdvantageKind
from proofgym.agents.conventions import Convention, with_preset
from proofgym.agents.levers import KL, Correction, EarlyStop, Entropy, Lora, Loss, Value
from proofgym.agents.plans import Engine, Replay, Sampler, Tree
from proofgym.errors import BadInput

__all__ = [
    "DPO",
    "GRPO",
    "KL",
    "RFT",
    "Correction",
    "EarlyStop",
    "Entropy",
    "Environment",
    "Evaluation",
    "Lora",
    "Loss",
    "Model",
    "Recipe",
    "Value",
    "WarmStart",
    "load_recipe",
]

_STRICT = ConfigDict(extra="forbid")

Natural = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]
PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True, config=_STRICT)
class Environment:
    """Which environment, and what its constructor gets (`split` is set by the run)."""

    id: str
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class Model:
    """Which policy to start from. `width`, `layers` and `heads` shape a `tiny:` model only.

    Args:
        architecture: As transformers calls it (`qwen2`, `llama`); for a dry run of a model whose name does not say.
        checkpointing: Keep no activations of the layers and compute them again in the backward pass.
        chunk: Positions whose logits are held at a time when log-probabilities are computed; 0 holds all at once.
    """

    spec: str = "tiny:0123456789"
    architecture: str = ""
    width: Annotated[int, Field(ge=8)] = 96
    layers: Count = 2
    heads: Count = 4
    context: Annotated[int, Field(ge=16)] = 512
    lora: Lora = field(default_factory=Lora)
    checkpointing: bool = False
    chunk: Natural = 4096


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
class RFT:
    """Rejection-sampling fine-tuning: sample, keep what was judged good, imitate it.

    Args:
        rounds: How often; 0 skips the stage. A round samples from the policy that the last one made.
        prompts, group: Tasks a round, and attempts at each.
        at_least: An attempt is kept if its reward is at least this; the default asks for a correct verdict.
        keep: The most attempts kept of one task: different texts, the shortest first.
        epochs: Passes over what was kept.
        batch: Episodes a gradient step.
    """

    rounds: Natural = 0
    prompts: Count = 64
    group: Count = 8
    at_least: float | None = None
    keep: Count = 4
    epochs: Count = 1
    batch: Count = 64
    temperature: Positive = 1.0
    learning_rate: Positive = 1e-5
    weight_decay: NonNegative = 0.0


@dataclass(frozen=True, config=_STRICT)
class GRPO:
    """Policy optimisation from groups of attempts, with step credit; with a value model, PPO.

    Args:
        convention: Whose constants fill what is not said here: `proofgym`, `trl`, `verl`, `openrlhf`.
        updates: How many batches are sampled and learned from.
        prompts, group: Tasks an update, and attempts at each.
        temperature, max_tokens: Of sampling; the temperature is part of every log-probability.
        advantage: `step` (reward to go minus leave-one-out), or any of `AdvantageKind`.
        gamma: Discount a step (`step`, `turn_gae`, `gigpo`), or a token (`gae`, `reinforce_pp`).
        scale: Divide advantages by one standard deviation of the batch, unless the estimator has a scale of its own.
        std_ddof, std_eps: Of the spreads that `grpo`, `gigpo` and `tree_grpo` divide by.
        whiten_ddof: Of the variance where advantages are whitened (`reinforce_pp`, and with a value model).
        gigpo_weight: Of the anchor states' part.
        min_form_temperature: Of `pure`.
        loss, kl, entropy, correction, value: See their sections.
        truncated: `keep` episodes cut at the token limit, or `mask` them: they stay in their group's statistics.
        overlong_buffer: Tokens before the limit over which a penalty up to 1 grows; 0 for none.
        count_empty: Whether fully masked episodes count in the denominators.
        max_staleness: Leave out turns sampled more updates ago than this; 0 accepts all.
        recompute_old: Compute the old log-probabilities with the trainer instead of taking the sampler's.
        schedule, warm_up: Of the learning rate, in updates.
        epochs: Passes over an update's episodes.
        optimizer_steps: Gradient steps a pass; each takes an equal share of the trajectories.
        tokens_per_batch: Positions a forward pass may hold.
        packing: Put several episodes in one row, without padding. Needs an attention that knows (sdpa, flash).
        validate_every, validate_items: Greedy evaluation on the validation split; 0 never.
        checkpoint_every: Updates between checkpoints.
        max_failures: Give up after so many updates in a row whose every step was not finite.
        sampler, replay, tree, engine: See `plans`.
    """

    convention: Convention = "proofgym"
    updates: Natural = 60
    prompts: Count = 16
    group: Count = 16
    temperature: Positive = 1.0
    max_tokens: Count = 64
    advantage: AdvantageKind = "step"
    gamma: Share = 1.0
    scale: bool = True
    std_ddof: Annotated[int, Field(ge=0, le=1)] = 1
    std_eps: NonNegative = 1e-4
    whiten_ddof: Annotated[int, Field(ge=0, le=1)] = 1
    gigpo_weight: NonNegative = 1.0
    min_form_temperature: Positive = 0.1
    loss: Loss = field(default_factory=Loss)
    kl: KL = field(default_factory=KL)
    entropy: Entropy = field(default_factory=Entropy)
    correction: Correction = field(default_factory=Correction)
    value: Value = field(default_factory=Value)
    truncated: Literal["keep", "mask"] = "keep"
    overlong_buffer: Natural = 0
    count_empty: bool = False
    max_staleness: Natural = 0
    recompute_old: bool = False
    learning_rate: Positive = 1e-3
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warm_up: Natural = 0
    weight_decay: NonNegative = 0.0
    max_grad_norm: Positive = 1.0
    epochs: Count = 1
    optimizer_steps: Count = 1
    tokens_per_batch: Count = 16384
    packing: bool = False
    validate_every: Natural = 10
    validate_items: Count = 128
    early_stop: EarlyStop = field(default_factory=EarlyStop)
    checkpoint_every: Count = 10
    max_failures: Count = 10
    sampler: Sampler = field(default_factory=Sampler)
    replay: Replay = field(default_factory=Replay)
    tree: Tree = field(default_factory=Tree)
    engine: Engine = field(default_factory=Engine)

    @model_validator(mode="before")
    @classmethod
    def _fill_convention(cls, data: Any) -> Any:
        """Put the convention's constants below what is said here."""
        if isinstance(data, ArgsKwargs):
            return ArgsKwargs(data.args, with_preset(data.kwargs or {}))
        return with_preset(data) if isinstance(data, Mapping) else data

    def __post_init__(self) -> None:
        """Refuse what could not teach anything, or could not be computed."""
        if self.group < 2 and KINDS[self.advantage].baseline:
            raise ValueError(
                f"advantage {self.advantage} compares attempts at one task: group should be greater than or equal to 2"
            )
        if self.overlong_buffer > self.max_tokens:
            raise ValueError(f"overlong_buffer {self.overlong_buffer} is longer than max_tokens {self.max_tokens}")
        if self.correction.mode != "off" and not self.recompute_old:
            raise ValueError("a correction compares the sampler with the trainer, so it needs recompute_old: true")
        if self.kl.place == "reward" and self.kl.weight > 0 and KINDS[self.advantage].unit != "token":
            raise ValueError(
                "kl.place: reward pays every token, so it goes with advantage reinforce_pp, gae or bilevel_gae"
            )


@dataclass(frozen=True, config=_STRICT)
class DPO:
    """Preference optimisation on pairs of better and worse attempts at one task.

    Args:
        pairs: How many at most; 0 skips the stage.
        prompts, group: Tasks sampled for them, and attempts at each.
        margin: By how much the better one's reward must be higher.
        beta: Of the implicit reward.
        epochs, batch, learning_rate: Of the training.
    """

    pairs: Natural = 0
    prompts: Count = 64
    group: Count = 8
    margin: Positive = 0.1
    beta: Positive = 0.1
    epochs: Count = 1
    batch: Count = 8
    learning_rate: Positive = 1e-6
    temperature: Positive = 1.0


@dataclass(frozen=True, config=_STRICT)
class Evaluation:
    """The held-out evaluation before and after, on the test split."""

    items: Count = 500
    temperature: NonNegative = 0.0
    keep_episodes: Natural = 60


Stage = Literal["warm_start", "before", "rft", "grpo", "dpo", "after"]


@dataclass(frozen=True, config=_STRICT)
class Recipe:
    """One training run, from a model to a report.

    Args:
        name: Also the default folder below `runs/`.
        stages: What is done, in order; a stage whose own section turns it off is passed over.
        seed: Of everything: weights, items, sampling.
        threads: CPU threads for torch; 0 leaves it alone. Results repeat exactly for the same number.
        dtype: Of the weights; `mixed` keeps them in float32 and computes in bfloat16.
        loggers: Further places that metrics go to: `trackio`, `wandb`. JSON Lines and TensorBoard always.
        liger: Use Liger's kernels where they are installed and the device is a GPU.
    """

    name: str
    environment: Environment
    model: Model = field(default_factory=Model)
    stages: list[Stage] = field(default_factory=lambda: ["warm_start", "before", "rft", "grpo", "dpo", "after"])
    warm_start: WarmStart = field(default_factory=WarmStart)
    rft: RFT = field(default_factory=RFT)
    grpo: GRPO = field(default_factory=GRPO)
    dpo: DPO = field(default_factory=DPO)
    evaluation: Evaluation = field(default_factory=Evaluation)
    seed: Natural = 0
    threads: Natural = 0
    dtype: Literal["float32", "bfloat16", "mixed"] = "float32"
    loggers: list[Literal["trackio", "wandb"]] = field(default_factory=list)
    liger: bool = True

    def __post_init__(self) -> None:
        """Refuse a stage named twice: each has one section."""
        twice = sorted({stage for stage in self.stages if self.stages.count(stage) > 1})
        if twice:
            raise ValueError(f"a stage can be named once, found {', '.join(twice)} again")


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
        known = get_type_hints(known).get(part) if is_dataclass(known) else None
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
