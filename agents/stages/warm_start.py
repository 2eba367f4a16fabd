"""Imitate the oracle until the policy can do the task now and then."""

from __future__ import annotations

from proofgym.agents import warm_start
from proofgym.agents.config import GRPO
from proofgym.agents.rollout import Item
from proofgym.agents.trainer import Trainer
from proofgym.errors import BadInput

__all__ = ["run"]


def run(trainer: Trainer) -> None:
    """Supervised steps on demonstrations, until greedy answers to validation items reach the target.

    Raises:
        BadInput: If the target is not reached within `max_steps`.
    """
    plan, memory = trainer.recipe.warm_start, trainer.memory
    if plan.target == 0.0:
        return
    trainer.log.stage("warm start", plan.max_steps, trainer.step)
    memory.setdefault("attempt", 0)  # which weights
    memory.setdefault("attempt_start", 0)  # since which step
    config = GRPO(learning_rate=plan.learning_rate, weight_decay=plan.weight_decay)
    learner = trainer.make_learner(config)
    seed = trainer.seed("warm_start")
    while trainer.step < plan.max_steps:
        first = trainer.step * plan.batch
        items = [Item(seed, first + i) for i in range(plan.batch)]
        episodes = warm_start.demonstrations(trainer.policy, trainer.envs("train", plan.batch), items)
        done = trainer.step - memory["attempt_start"]
        learner.rate(min(1.0, (done + 1) / plan.warm_up) if plan.warm_up else 1.0)
        numbers = learner.supervised(episodes)
        trainer.count(skipped_steps=numbers["skipped"])
        trainer.step += 1
        if trainer.step % plan.evaluate_every:
            continue
        reached = trainer.validate(plan.evaluate_items, write=False)
        trainer.log.metrics(
            "warm_start", trainer.step, loss=numbers["loss"], accuracy=reached.mean, solved=reached.solved,
            **({"skipped": numbers["skipped"]} if numbers["skipped"] else {}),
        )  # fmt: skip
        if reached.mean >= plan.target:
            trainer.log.say(f"warm start: {reached.mean:.3f} after {trainer.step} steps (target {plan.target})")
            return
        if _stuck(trainer, reached.mean):
            learner = trainer.make_learner(config)
        trainer.save()
    raise BadInput(
        f"the warm start did not reach {plan.target} in {plan.max_steps} steps; lower warm_start.target, raise "
        "warm_start.max_steps, or take another seed"
    )


def _stuck(trainer: Trainer, reached: float) -> bool:
    """A tiny model sometimes sits on a plateau for thousands of steps; fresh weights are cheaper than waiting."""
    plan, memory = trainer.recipe.warm_start, trainer.memory
    steps = trainer.step - memory["attempt_start"]
    if not (plan.restart_after and steps >= plan.restart_after and reached < plan.restart_below):
        return False
    memory["attempt"], memory["attempt_start"] = memory["attempt"] + 1, trainer.step
    trainer.log.say(
        f"warm start: {reached:.3f} after {steps} steps is a plateau; fresh weights, attempt {memory['attempt'] + 1}"
    )
    trainer.policy = trainer.fresh_policy(memory["attempt"])
    return True
