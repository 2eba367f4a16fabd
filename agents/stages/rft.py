"""Rejection-sampling fine-tuning: sample, keep what was judged good, imitate it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from proofgym.agents.config import GRPO, RFT
from proofgym.agents.grpo import episode_numbers
from proofgym.agents.trainer import Trainer
from proofgym.envs.trajectory import Trajectory

__all__ = ["run", "select"]


def run(trainer: Trainer) -> None:
    """`rounds` times: sample from the policy as it is, keep the good attempts, imitate them.

    Source:
        Yuan et al. 2023, RFT (arXiv:2308.01825); the rounds are those of RAFT, Dong et al. 2023 (arXiv:2304.06767).
    """
    plan = trainer.recipe.rft
    if not plan.rounds:
        return
    trainer.log.stage("rft", plan.rounds, trainer.step)
    learner = trainer.make_learner(GRPO(learning_rate=plan.learning_rate, weight_decay=plan.weight_decay))
    while trainer.step < plan.rounds:
        episodes = trainer.sample("rft", plan.prompts, plan.group, plan.temperature, trainer.step)
        kept = select(episodes, plan)
        losses, skipped = [], 0.0
        for epoch in range(plan.epochs):
            order = np.random.default_rng([trainer.seed("rft"), trainer.step, epoch]).permutation(len(kept))
            for first in range(0, len(kept), plan.batch):
                numbers = learner.supervised([kept[i] for i in order[first : first + plan.batch]])
                losses.append(numbers["loss"])
                skipped += numbers["skipped"]
        trainer.step += 1
        trainer.policy.version += 1
        trainer.count(skipped_steps=skipped)
        trainer.log.metrics(
            "rft", trainer.step, loss=float(np.mean(losses)) if losses else math.nan, kept=float(len(kept)),
            skipped=skipped, **episode_numbers(episodes),
        )  # fmt: skip
        trainer.save()


def select(episodes: Sequence[Trajectory], plan: RFT) -> list[Trajectory]:
    """The attempts worth imitating: judged good, of one task at most `keep`, all different, the shortest first."""
    tasks: dict[tuple[str, int, int], list[Trajectory]] = {}
    for episode in episodes:
        if episode.unjudged or not _good(episode, plan):
            continue
        tasks.setdefault((episode.env, episode.seed, episode.index), []).append(episode)
    kept = []
    for good in tasks.values():
        different = {tuple(turn.action for turn in episode.turns): episode for episode in reversed(good)}
        shortest = sorted(different.values(), key=lambda e: (sum(len(turn.action_ids) for turn in e.turns), e.sample))
        kept += shortest[: plan.keep]
    return kept


def _good(episode: Trajectory, plan: RFT) -> bool:
    if plan.at_least is None:
        return episode.verdict is not None and episode.verdict.correct
    return episode.reward >= plan.at_least
