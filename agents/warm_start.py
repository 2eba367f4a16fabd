"""Supervised learning on what the oracle writes, until the policy can do the task now and then."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from proofgym.agents.config import GRPO
from proofgym.agents.learner import Learner
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
    learner = Learner(policy, GRPO(max_grad_norm=max_grad_norm), optimizer=optimizer)
    return learner.supervised(episodes)["loss"]
