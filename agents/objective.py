"""The policy's objective on one micro-batch: which loss, whose weight, what penalty, as the configuration says."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from proofgym.agents import losses
from proofgym.agents.batch import Batch
from proofgym.agents.config import GRPO
from proofgym.agents.forward import Scores

__all__ = ["Objective", "policy_loss", "policy_objective"]


@dataclass(slots=True)
class Objective:
    """What one micro-batch contributes.

    Args:
        loss_N: A number a token, to be minimised.
        weight_N: How much each counts, over the whole gradient step.
        sums: Sums over tokens, for the log.
        alike: Whether every token counts the same.
    """

    loss_N: Tensor
    weight_N: Tensor
    alike: bool
    sums: dict[str, float] = field(default_factory=dict)

    def total(self, tokens: float) -> Tensor:
        """The contribution to the loss; `tokens` are those of the whole gradient step."""
        return self.loss_N.sum() / tokens if self.alike else (self.weight_N * self.loss_N).sum()


def policy_loss(logprobs: Tensor, batch: Batch, config: GRPO) -> tuple[Tensor, Tensor]:
    """The configured loss a token, and where its gradient was taken away or bounded."""
    plan, old, taught = config.loss, batch.old_N, batch.advantages_N
    low, high = plan.bounds()
    none = torch.zeros_like(batch.expert_N)
    if plan.kind == "ppo":
        return losses.clipped_policy_loss(logprobs, old, taught, clip_low=low, clip_high=high, dual=plan.dual)
    if plan.kind == "gspo":
        return losses.gspo(logprobs, old, taught, batch.row_N, clip_low=low, clip_high=high)
    if plan.kind == "gmpo":
        return losses.gmpo(logprobs, old, taught, batch.row_N, clip_low=low, clip_high=high)
    if plan.kind == "cispo":
        return losses.cispo(logprobs, old, taught, ratio_low=plan.ratio_low, ratio_high=plan.ratio_high)
    if plan.kind == "dppo":
        return losses.dppo(logprobs, old, taught, delta=plan.delta)
    if plan.kind == "sapo":
        return losses.sapo(logprobs, old, taught), none
    if plan.kind == "topr":
        return losses.topr(logprobs, old, taught, batch.row_N), none
    return losses.reinforce(logprobs, taught, old if plan.kind == "is_reinforce" else None), none


def policy_objective(
    scores: Scores, batch: Batch, config: GRPO, *, kl_weight: float, bonus: float, generator: torch.Generator
) -> Objective:
    """Put the parts together: policy loss, importance weights, entropy's clips, an expert's tokens, KL, bonus.

    Args:
        scores: Of the batch, with gradients.
        kl_weight, bonus: As they are now; both may adapt.
        generator: For the random choice of Clip-Cov.
    """
    logprobs, plan = scores.logprobs, config.entropy
    loss, clipped = policy_loss(logprobs, batch, config)
    sums: dict[str, float] = {}
    if plan.cov == "kl":
        loss = losses.reinforce(logprobs, batch.advantages_N, batch.old_N)
        loss = loss + losses.kl_cov(
            logprobs, batch.old_N, batch.advantages_N, share=plan.cov_share, weight=plan.cov_weight
        )
        clipped = torch.zeros_like(clipped)
    elif plan.cov == "clip":
        dropped = losses.clip_cov(
            logprobs, batch.advantages_N, clipped, share=plan.cov_share, low=plan.cov_low, high=plan.cov_high,
            generator=generator,
        )  # fmt: skip
        loss = torch.where(dropped, torch.zeros_like(loss), loss)
        sums["cov_dropped"] = float(dropped.sum())
    fix = config.correction
    if fix.mode != "off":
        weights, outside = losses.importance_weights(
            batch.old_N, batch.sampled_N, batch.row_N, level=fix.level, mode=fix.mode, low=fix.low, high=fix.high
        )
        loss = loss * torch.where(batch.expert_N, torch.ones_like(weights), weights)
        sums["corrected_share"] = float(outside.sum())
    if fix.off_policy_delta > 0.0:
        left = losses.off_policy_rows(logprobs, batch.sampled_N, batch.advantages_N, batch.row_N, fix.off_policy_delta)
        loss = torch.where(left & ~batch.expert_N, torch.zeros_like(loss), loss)
        sums["left_behind"] = float(left.sum())
    if plan.top < 1.0:
        kept = losses.most_uncertain(scores.entropy.detach(), plan.top)
        loss = torch.where(kept, loss, torch.zeros_like(loss))
    if bool(batch.expert_N.any()):
        imitated = losses.luffy(logprobs, batch.advantages_N, gamma=config.loss.expert_gamma)
        loss = torch.where(batch.expert_N, imitated, loss)
        sums["expert_share"] = float(batch.expert_N.sum())
    if batch.reference_N is not None:
        kl = losses.kl(logprobs, batch.reference_N, config.kl.estimator, old=batch.old_N)
        if config.kl.place == "loss":
            loss = loss + kl_weight * kl
        sums["kl"] = float(kl.detach().sum())
    if bonus > 0.0:
        loss = loss - bonus * scores.entropy
    sums["entropy"] = float(scores.entropy.detach().sum())
    sums["clip_share"] = float(clipped.sum())
    return Objective(loss, batch.weight_N, config.loss.aggregate == "token_mean", sums)
