"""Learn which of two attempts at one task is better, from pairs that share as much text as possible."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from proofgym.agents import lora
from proofgym.agents.config import DPO, GRPO
from proofgym.agents.preferences import Pair, conversations, pairs, preference_step
from proofgym.agents.trainer import Trainer
from proofgym.envs.trajectory import Trajectory

__all__ = ["run"]


def run(trainer: Trainer) -> None:
    """Sample attempts, pair better with worse, and take DPO steps on the pairs.

    With `grpo.tree` the attempts are leaves of trees, and a pair differs from where its branches part. The pairs are
    left in `pairs.jsonl`, in the form that TRL's `DPOTrainer` takes.
    """
    plan = trainer.recipe.dpo
    if not plan.pairs:
        return
    reference = None if lora.attached(trainer.policy.model) else trainer.make_reference()
    config = replace(
        trainer.recipe.grpo, learning_rate=plan.learning_rate, prompts=plan.prompts, group=plan.group,
        temperature=plan.temperature, advantage="trajectory",
    )  # fmt: skip
    learner = trainer.make_learner(config, reference)
    found = _pairs(_sample(trainer, config), plan)
    if trainer.world.first:
        lines = "".join(json.dumps(row) + "\n" for row in conversations(found))
        (trainer.log.folder / "pairs.jsonl").write_text(lines, encoding="utf-8")
    steps = [
        np.random.default_rng([trainer.seed("dpo"), epoch]).permutation(len(found))[first : first + plan.batch]
        for epoch in range(plan.epochs)
        for first in range(0, len(found), plan.batch)
    ]
    trainer.log.stage("dpo", len(steps), trainer.step)
    for chosen in steps:
        numbers = preference_step(learner, [found[i] for i in chosen], plan.beta)
        trainer.count(skipped_steps=numbers["skipped"])
        trainer.step += 1
        trainer.log.metrics("dpo", trainer.step, pairs=float(len(found)), **numbers)
    trainer.policy.version += 1


def _sample(trainer: Trainer, config: GRPO) -> list[Trajectory]:
    collected = trainer.make_collector(config, "dpo").collect(0)
    return trainer.world.gather(collected.episodes)


def _pairs(episodes: Sequence[Trajectory], plan: DPO) -> list[Pair]:
    return pairs(episodes, plan.margin)[: plan.pairs]
