"""Policy optimisation: collect, learn, measure, again and again."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from proofgym.agents import lora
from proofgym.agents.checkpoint import load, save
from proofgym.agents.config import GRPO
from proofgym.agents.evaluation import Score
from proofgym.agents.grpo import episode_numbers, greedy_returns
from proofgym.agents.trainer import Trainer
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import ProofgymError

__all__ = ["TrainingFailed", "rate_at", "run"]

_BEST = "best.pt"


class TrainingFailed(ProofgymError, RuntimeError):
    """Update after update, no step was finite: going on would only warm the room."""


def run(trainer: Trainer) -> None:
    """All updates of the section `grpo`, or fewer if validation stops getting better.

    Raises:
        TrainingFailed: If no gradient step of `max_failures` updates in a row was finite.
    """
    plan, log = trainer.recipe.grpo, trainer.log
    log.stage("grpo", plan.updates, trainer.step)
    reference = trainer.make_reference() if plan.kl.weight > 0.0 and not lora.attached(trainer.policy.model) else None
    learner = trainer.make_learner(plan, reference)
    collector = trainer.make_collector(plan, "grpo")
    while trainer.step < plan.updates and not trainer.memory.get("stopped"):
        started = time.perf_counter()
        trainer.tell_progress()  # here too, for collectors that took their environments once
        collected = collector.collect(trainer.step)
        sampled = time.perf_counter() - started
        episodes, greedy = _everybodys(trainer, collected.episodes), _everybodys(trainer, collected.greedy)
        learner.rate(rate_at(plan, trainer.step))
        numbers = learner.learn(episodes, greedy_returns(episodes, greedy))
        collector.updated(episodes, numbers)
        trainer.step += 1
        log.metrics(
            "grpo", trainer.step,
            **{**collected.numbers, **episode_numbers(episodes), **numbers,
               "seconds": time.perf_counter() - started, "sampling_seconds": sampled},
        )  # fmt: skip
        _watch(trainer, numbers)
        if plan.validate_every and trainer.step % plan.validate_every == 0:
            score = trainer.validate(plan.validate_items)
            log.episodes("train", episodes[:: max(1, len(episodes) // 4)][:4])
            _maybe_stop(trainer, score)
        if trainer.step % plan.checkpoint_every == 0:
            trainer.save()
    if plan.early_stop.restore and "best" in trainer.memory:
        _restore(trainer)


def _everybodys(trainer: Trainer, mine: Sequence[Trajectory]) -> list[Trajectory]:
    """The episodes of all processes, in the order in which one alone would have asked for them."""
    if trainer.world.size == 1:
        return list(mine)
    return sorted(trainer.world.gather(mine), key=lambda e: (e.source, e.env, e.seed, e.index, e.sample))


def rate_at(plan: GRPO, step: int) -> float:
    """The share of the learning rate at an update: it rises over `warm_up`, then follows the schedule.

    >>> [round(rate_at(GRPO(updates=4, warm_up=2, schedule="linear"), step), 2) for step in range(4)]
    [0.5, 1.0, 1.0, 0.5]
    """
    if step < plan.warm_up:
        return (step + 1) / plan.warm_up
    if plan.schedule == "constant":
        return 1.0
    progress = (step - plan.warm_up) / max(plan.updates - plan.warm_up, 1)
    return 1.0 - progress if plan.schedule == "linear" else 0.5 * (1.0 + math.cos(math.pi * progress))


def _watch(trainer: Trainer, numbers: Mapping[str, float]) -> None:
    """A step that was not finite is said at once, and counted; too many in a row end the run."""
    skipped, memory = numbers["skipped"], trainer.memory
    trainer.count(skipped_steps=skipped, idle_steps=numbers["idle"])
    if not skipped:
        memory["failures"] = 0
        return
    trainer.log.say(f"grpo: update {trainer.step}: {skipped:.0f} step(s) not finite and skipped")
    memory["failures"] = memory.get("failures", 0) + 1 if not numbers["tokens"] else 0
    if memory["failures"] >= trainer.recipe.grpo.max_failures:
        raise TrainingFailed(
            f"no step of the last {memory['failures']} updates was finite; lower grpo.learning_rate or "
            "grpo.max_grad_norm, or take dtype float32"
        )


def _maybe_stop(trainer: Trainer, score: Score) -> None:
    """Remember the best validation, and stop after `patience` of them without a new best."""
    plan, memory = trainer.recipe.grpo.early_stop, trainer.memory
    if not plan.patience and not plan.restore:
        return
    if math.isfinite(score.mean) and score.mean > memory.get("best", -math.inf) + plan.min_delta:
        memory["best"], memory["best_step"], memory["since"] = score.mean, trainer.step, 0
        if plan.restore and trainer.world.first:
            save(trainer.log.folder / _BEST, {"step": trainer.step, "model": lora.own_state(trainer.policy.model)})
    else:
        memory["since"] = memory.get("since", 0) + 1
    if plan.patience and memory["since"] >= plan.patience:
        memory["stopped"] = True
        trainer.log.say(
            f"grpo: stopped after update {trainer.step}; the best validation was {memory['best']:.3f} "
            f"at update {memory['best_step']}"
            if "best" in memory
            else f"grpo: stopped after update {trainer.step}; no validation could be judged"
        )


def _restore(trainer: Trainer) -> None:
    trainer.world.wait()
    state: dict[str, Any] = load(trainer.log.folder / _BEST)
    with torch.no_grad():
        trainer.policy.model.load_state_dict(state["model"], strict=False)
    trainer.log.say(f"grpo: back to the weights of update {state['step']}")
