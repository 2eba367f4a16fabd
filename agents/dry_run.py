"""`proofgym train RECIPE --dry-run`: every stage of a recipe once, in seconds, with a tiny model of its architecture.

What a long run would only meet after hours is met now: an environment that is not there, data that cannot be read, a
section that contradicts another, an architecture that a lever does not fit.
"""

from __future__ import annotations

import string
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from proofgym.agents import trainer as trainers
from proofgym.agents.config import Model, Recipe, load_recipe
from proofgym.agents.log import RunLog
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Item
from proofgym.agents.tokens import CharFormat
from proofgym.envs import registry
from proofgym.errors import BadInput, MissingExtra, UnknownEnv, need

__all__ = ["DryRun", "dry_run", "report", "tiny_like"]

# The architecture of the models that recipes name; `model.architecture` says it of others.
_FAMILIES = {"tiny:": "llama", "smollm2": "llama", "smollm": "llama", "qwen2.5": "qwen2", "qwen2": "qwen2",
             "qwen3": "qwen3", "llama": "llama", "gemma": "gemma", "mistral": "mistral"}  # fmt: skip


@dataclass(slots=True)
class DryRun:
    """What came of it.

    Args:
        recipe: Its name.
        missing: What is not there on this machine, in sentences; the run itself would be refused.
        stages: What was carried out.
        numbers: Of the last line of each stage's metrics.
    """

    recipe: str
    missing: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    numbers: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def dry_run(recipe: str | Path, overrides: Sequence[str] = ()) -> DryRun:
    """Carry out every stage of a recipe once, on two tasks, with a tiny model; nothing is left behind.

    Args:
        recipe, overrides: As for `train`.
    Returns:
        What was done. An environment that is unknown or cannot be made here, and data that cannot be reached, are
        reported as missing.
    Raises:
        BadInput: If the recipe itself cannot be used.
    """
    plan = load_recipe(recipe, overrides)
    found, observation = DryRun(plan.name), ""
    try:
        env = registry.make(plan.environment.id, **plan.environment.kwargs)
        observation, _ = env.reset(seed=0)
        env.close()
    except UnknownEnv as error:
        found.missing.append(str(error))
    except (MissingExtra, BadInput, OSError) as error:
        found.missing.append(f"{plan.environment.id}: {error}")
    for name in plan.loggers:
        try:
            need(name, name)
        except MissingExtra as error:
            found.missing.append(str(error))
    if plan.model.lora.rank:
        try:
            need("peft", "lora")
        except MissingExtra as error:
            found.missing.append(str(error))
    if found.fine:
        _run(plan, found, context=3 * len(observation) + 128)  # a few turns of a long episode are enough
    return found


def _run(plan: Recipe, found: DryRun, context: int) -> None:
    small = _small(plan, context)
    with tempfile.TemporaryDirectory() as folder:
        log = _Remembered(Path(folder) / "run", found)
        with log:
            run = _Trainer(small, log)
            if plan.warm_start.target:  # a target cannot be reached in one step, so the step is taken by itself
                _demonstrate(run)
                found.stages.append("warm_start")
            run.run()
        found.stages += [stage for stage in small.stages if stage in ("before", "after") or stage in found.numbers]


def _small(plan: Recipe, context: int) -> Recipe:
    """The recipe with everything that takes time cut down."""
    grpo = plan.grpo
    small = replace(
        grpo, updates=min(grpo.updates, 1), prompts=2, group=min(grpo.group, 2), max_tokens=min(grpo.max_tokens, 12),
        overlong_buffer=min(grpo.overlong_buffer, 4), validate_every=1, validate_items=2, optimizer_steps=1,
        tokens_per_batch=min(grpo.tokens_per_batch, 4096), loss=replace(grpo.loss, constant=None),
        engine=replace(grpo.engine, kind="transformers", staleness=0),
    )  # fmt: skip
    return replace(
        plan,
        stages=[stage for stage in plan.stages if stage != "warm_start"],
        grpo=small,
        rft=replace(plan.rft, rounds=min(plan.rft.rounds, 1), prompts=2, group=2, at_least=None, batch=2),
        dpo=replace(plan.dpo, pairs=min(plan.dpo.pairs, 2), prompts=2, group=2, batch=2),
        evaluation=replace(plan.evaluation, items=2, keep_episodes=2),
        model=replace(plan.model, context=context, lora=replace(plan.model.lora, rank=min(plan.model.lora.rank, 4))),
        loggers=[],
        threads=1,
    )


class _Remembered(RunLog):
    """A log that also keeps each stage's last line."""

    def __init__(self, folder: Path, found: DryRun) -> None:
        from rich.console import Console

        super().__init__(folder, Console(quiet=True))
        self.found = found

    def metrics(self, stage: str, step: int, **values: float) -> None:
        super().metrics(stage, step, **values)
        self.found.numbers[stage] = values


class _Trainer(trainers.Trainer):
    """A trainer whose policy is a tiny one of the recipe's architecture."""

    def fresh_policy(self, attempt: int) -> Policy:
        """The stand-in, with the recipe's LoRA."""
        from proofgym.agents import lora

        policy = tiny_like(self.recipe.model, seed=attempt)
        if self.recipe.model.lora.rank:
            lora.attach(policy, self.recipe.model.lora)
        return policy


def _demonstrate(run: trainers.Trainer) -> None:
    from proofgym.agents import warm_start

    episodes = warm_start.demonstrations(run.policy, run.envs("train", 2), [Item(0, 0), Item(0, 1)])
    numbers = run.make_learner(run.recipe.grpo).supervised(episodes)
    run.log.metrics("warm_start", 1, **numbers)
    run.learner = None


def tiny_like(model: Model, *, seed: int = 0) -> Policy:
    """A model of a few thousand weights, of the architecture of the one that a recipe names; a token is a character.

    Raises:
        BadInput: If the architecture cannot be told from the name, or transformers has none of that name.
    """
    import torch

    transformers = need("transformers", "train")
    kind = model.architecture or _family(model.spec)
    form = CharFormat("".join(dict.fromkeys(string.printable)))
    shape = {
        "vocab_size": form.vocabulary_size, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8,
        "max_position_embeddings": max(model.context, 64),
        "pad_token_id": form.pad_id, "bos_token_id": CharFormat.OBSERVATION, "eos_token_id": CharFormat.END,
    }  # fmt: skip
    try:
        config = transformers.AutoConfig.for_model(kind, **shape)
    except ValueError as error:
        raise BadInput(f"transformers has no architecture {kind!r}; set model.architecture") from error
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = transformers.AutoModelForCausalLM.from_config(config)
    return Policy(made.eval(), form, f"dry:{kind}")


def _family(spec: str) -> str:
    for start, kind in _FAMILIES.items():
        if start in spec.lower():
            return kind
    raise BadInput(f"the architecture of {spec!r} cannot be told from its name; set model.architecture, say to qwen2")


def report(found: DryRun) -> str:
    """A few lines for the terminal."""
    if not found.fine:
        return "\n".join(f"{found.recipe}: missing: {line}" for line in found.missing)
    return f"{found.recipe}: {', '.join(found.stages)}: fine"
