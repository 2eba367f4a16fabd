"""Supervised learning on what the oracle writes, until the policy can do the task now and then."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from proofgym.agents.batch import collate
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Item, TextEnv, rollout
from proofgym.agents.scripted import OraclePlayer
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput

__all__ = ["demonstrations", "supervised_step"]


def demonstrations(policy: Policy, envs: Sequence[TextEnv], items: Sequence[Item]) -> list[Trajectory]:
    """Oracle episodes, tokenised in the policy's format.

    Raises:
        BadInput: If one of them cannot be judged: a demonstration nobody can check is none.
    """
    episodes = list(rollout(OraclePlayer(), envs, items))
    for episode in episodes:
        if episode.unjudged:
            raise BadInput(f"the oracle's episode on {episode.task.get('id')} could not be judged: {episode.fault}")
        previous: list[int] = []
        for k, turn in enumerate(episode.turns):
            form = policy.format
            turn.prompt_ids = form.between(turn.observation, previous) if k else form.open(turn.observation)
            turn.action_ids = previous = form.encode_action(turn.action)
            turn.logprobs = [0.0] * len(turn.action_ids)
            _, turn.token_ends = form.decode(turn.action_ids)
    return episodes


def supervised_step(
    policy: Policy, optimizer: torch.optim.Optimizer, episodes: Sequence[Trajectory], *, max_grad_norm: float = 1.0
) -> float:
    """One gradient step on the negative log-likelihood of the demonstrated actions; none if it is not finite.

    Returns:
        The loss, nats a token.
    """
    ones = [[np.ones(len(turn.action_ids)) for turn in episode.turns] for episode in episodes]
    batches = collate(episodes, ones, policy.format.pad_id, tokens_per_batch=16384, device=policy.device)
    tokens = float(sum(len(batch.old_N) for batch in batches))
    total = 0.0
    optimizer.zero_grad(set_to_none=True)
    for batch in batches:
        logprobs, _ = policy.logprobs(batch.ids_BL, batch.keep_BL)
        loss = -logprobs.sum() / tokens
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    norm = float(torch.nn.utils.clip_grad_norm_(policy.model.parameters(), max_grad_norm))
    if math.isfinite(total) and math.isfinite(norm):
        optimizer.step()
    return total
