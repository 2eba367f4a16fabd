"""One update: sample groups, give every token its advantage, take clipped gradient steps."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from proofgym.agents import losses
from proofgym.agents.batch import Batch, collate, token_advantages
from proofgym.agents.config import GRPO
from proofgym.agents.player import PolicyPlayer
from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Item, TextEnv, rollout
from proofgym.agents.sampling import Sampling
from proofgym.envs.trajectory import Trajectory

__all__ = ["collect", "learn", "update"]

_GRPO_STREAM = 1  # the first number of every sampling key of this stage


def collect(policy: Policy, envs: Sequence[TextEnv], config: GRPO, *, seed: int, step: int) -> list[Trajectory]:
    """Sample `group` attempts at each of the next `prompts` items.

    Everything is a function of the weights, the seed and the update number, so an update can be repeated exactly.
    """
    items = [
        Item(seed, step * config.prompts + prompt, sample)
        for prompt in range(config.prompts)
        for sample in range(config.group)
    ]
    sampling = Sampling(config.temperature, config.max_tokens)
    return list(rollout(PolicyPlayer(policy, sampling, (_GRPO_STREAM, seed, step)), envs, items))


@dataclass
class _Totals:
    """What one gradient step adds up over its micro-batches."""

    tokens: float = 0.0
    loss: float = 0.0
    entropy: float = 0.0
    clipped: float = 0.0
    kl: float = 0.0
    skipped: int = 0
    idle: int = 0
    grad_norms: list[float] = field(default_factory=list)


def learn(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    episodes: Sequence[Trajectory],
    config: GRPO,
    reference: Policy | None = None,
) -> dict[str, float]:
    """Take `optimizer_steps` gradient steps on these episodes.

    Unjudged episodes have no part in it: no statistic, no token, no denominator. A step whose loss or gradient is not
    finite is skipped and counted; if there is nothing to learn from, nothing is changed.

    Returns:
        Means over the tokens trained on: loss, entropy, clip_share, kl; grad_norm before clipping; steps skipped (not
        finite) and idle (every advantage zero); tokens trained on, those of skipped and idle steps left out.
    """
    taught = token_advantages(episodes, config.advantage, gamma=config.gamma, scale=config.scale)
    usable = [i for i, e in enumerate(episodes) if not e.unjudged and any(t.action_ids for t in e.turns)]
    totals = _Totals()
    for share in np.array_split(np.asarray(usable, dtype=np.int64), config.optimizer_steps):
        chosen = [int(i) for i in share]
        batches = collate(
            [episodes[i] for i in chosen], [taught[i] for i in chosen], policy.format.pad_id,
            tokens_per_batch=config.tokens_per_batch, device=policy.device,
        )  # fmt: skip
        if batches:
            _gradient_step(policy, optimizer, batches, config, reference, totals)
    policy.version += 1
    count = max(totals.tokens, 1.0)
    return {
        "loss": totals.loss / max(len(totals.grad_norms), 1),
        "entropy": totals.entropy / count,
        "clip_share": totals.clipped / count,
        "kl": totals.kl / count,
        "grad_norm": float(np.mean(totals.grad_norms)) if totals.grad_norms else 0.0,
        "skipped": float(totals.skipped),
        "idle": float(totals.idle),
        "tokens": totals.tokens,
    }


def _gradient_step(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    batches: Sequence[Batch],
    config: GRPO,
    reference: Policy | None,
    totals: _Totals,
) -> None:
    if reference is None and not any(bool(batch.advantages_N.any()) for batch in batches):
        totals.idle += 1  # nothing to learn; stepping would only follow the optimizer's old momentum
        return
    optimizer.zero_grad(set_to_none=True)
    tokens = float(sum(len(batch.old_N) for batch in batches))
    step_loss = step_entropy = step_clipped = step_kl = 0.0
    for batch in batches:
        logprobs, entropy = policy.logprobs(batch.ids_BL, batch.keep_BL, config.temperature)
        loss_N, clipped = losses.clipped_policy_loss(
            logprobs, batch.old_N, batch.advantages_N, clip_low=config.clip_low, clip_high=config.clip_high
        )
        if reference is not None:
            with torch.no_grad():
                reference_N, _ = reference.logprobs(batch.ids_BL, batch.keep_BL, config.temperature)
            kl_N = losses.kl_k3(logprobs, reference_N)
            loss_N = loss_N + config.kl * kl_N
            step_kl += float(kl_N.detach().sum())
        loss = losses.token_mean(loss_N, torch.ones_like(loss_N, dtype=torch.bool), tokens)
        loss.backward()  # type: ignore[no-untyped-call]
        step_loss += float(loss.detach())
        step_entropy += float(entropy.sum())
        step_clipped += float(clipped.sum())
    norm = float(torch.nn.utils.clip_grad_norm_(policy.model.parameters(), config.max_grad_norm))
    if math.isfinite(step_loss) and math.isfinite(norm):
        optimizer.step()
        totals.tokens += tokens
        totals.grad_norms.append(norm)
        totals.loss += step_loss
        totals.entropy += step_entropy
        totals.clipped += step_clipped
        totals.kl += step_kl
    else:
        totals.skipped += 1
    optimizer.zero_grad(set_to_none=True)


def update(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    envs: Sequence[TextEnv],
    config: GRPO,
    *,
    seed: int,
    step: int,
    reference: Policy | None = None,
) -> tuple[list[Trajectory], dict[str, float]]:
    """Collect and learn once.

    Returns:
        The episodes, and numbers for the log: those of `learn`, and of the episodes the mean reward, its spread, the
        share solved, how many could not be judged, and how many groups were flat and so taught nothing.
    """
    started = time.perf_counter()
    episodes = collect(policy, envs, config, seed=seed, step=step)
    sampled = time.perf_counter()
    numbers = learn(policy, optimizer, episodes, config, reference)
    judged = [episode for episode in episodes if not episode.unjudged]
    rewards = np.array([episode.reward for episode in judged])
    groups: dict[int, set[float]] = {}
    for episode in judged:
        groups.setdefault(episode.index, set()).add(episode.reward)
    return episodes, {
        "reward": float(rewards.mean()) if rewards.size else math.nan,
        "reward_std": float(rewards.std()) if rewards.size else math.nan,
        "solved": float(np.mean([e.verdict is not None and e.verdict.correct for e in judged])) if judged else math.nan,
        "unjudged": float(len(episodes) - len(judged)),
        "flat_groups": float(sum(len(values) == 1 for values in groups.values())),
        **numbers,
        "seconds": time.perf_counter() - started,
        "sampling_seconds": sampled - started,
    }
