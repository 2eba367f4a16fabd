"""The configuration of how a policy learns: the loss and everything that bends it. `config.GRPO` puts it together."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

__all__ = ["KL", "Correction", "EarlyStop", "Entropy", "Lora", "Loss", "Value"]

_STRICT = ConfigDict(extra="forbid")

Natural = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
OpenShare = Annotated[float, Field(gt=0.0, lt=1.0)]
PositiveShare = Annotated[float, Field(gt=0.0, le=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


@dataclass(frozen=True, config=_STRICT)
class Lora:
    """Train a low-rank addition to the weights in place of the weights.

    Args:
        rank: Of the addition; 0 trains all weights.
        alpha: The addition is scaled by alpha / rank.
        targets: Which layers, by the end of their names; `all-linear` is every linear layer but the output's.
    """

    rank: Natural = 0
    alpha: Positive = 16.0
    targets: str | list[str] = "all-linear"


@dataclass(frozen=True, config=_STRICT)
class Loss:
    """Which policy loss, and how tokens are added up; see `losses`.

    Args:
        kind: `ppo`, `gspo`, `cispo`, `gmpo`, `sapo`, `dppo`, `topr`, `reinforce`, or `is_reinforce` (with the ratio).
        clip_low, clip_high: Of the ratio below and above 1; None takes the kind's own (ppo 0.2 and 0.28, gspo 0.0003
            and 0.0004, gmpo 0.4 and 0.4 in logs).
        dual: PPO's second bound where the advantage is negative; None leaves it out.
        ratio_low, ratio_high: CISPO's bounds, as ratios.
        delta: DPPO's bound on how far a probability moves.
        aggregate: `token_mean`, `sequence_mean`, `sequence_sum`, `constant`, `prompt_mean`.
        constant: The length that `constant` divides by; None takes max_tokens.
        expert_gamma: LUFFY's shaping of an expert's tokens.
    """

    kind: Literal["ppo", "gspo", "cispo", "gmpo", "sapo", "dppo", "topr", "reinforce", "is_reinforce"] = "ppo"
    clip_low: OpenShare | None = None
    clip_high: Positive | None = None
    dual: Annotated[float, Field(gt=1.0)] | None = None
    ratio_low: NonNegative = 0.0
    ratio_high: Positive = 5.0
    delta: Positive = 0.15
    aggregate: Literal["token_mean", "sequence_mean", "sequence_sum", "constant", "prompt_mean"] = "token_mean"
    constant: Count | None = None
    expert_gamma: Positive = 0.1

    def bounds(self) -> tuple[float, float]:
        """The clip's distances below and above."""
        low, high = {"gspo": (3e-4, 4e-4), "gmpo": (0.4, 0.4)}.get(self.kind, (0.2, 0.28))
        return low if self.clip_low is None else self.clip_low, high if self.clip_high is None else self.clip_high


@dataclass(frozen=True, config=_STRICT)
class KL:
    """The pull towards a reference: the policy at the start of the stage, or with LoRA the base model.

    Args:
        weight: 0 keeps no reference.
        estimator: `k1`, `k2`, `k3`, `k1+`, `k3+`, `k3_ratio`; see `losses.kl`.
        place: A term of the `loss`, or subtracted from the `reward` of each token (always as k1).
        target, horizon: Adapt the weight so that the KL comes near the target (nats a token); 0 keeps it.
    """

    weight: NonNegative = 0.0
    estimator: Literal["k1", "k2", "k3", "k1+", "k3+", "k3_ratio"] = "k3"
    place: Literal["loss", "reward"] = "loss"
    target: NonNegative = 0.0
    horizon: Positive = 10000.0


@dataclass(frozen=True, config=_STRICT)
class Entropy:
    """Against becoming sure too soon.

    Args:
        bonus: Weight of the mean entropy in the objective.
        target, step: If given, the bonus rises by a step an update while entropy is below the target.
        top: Train only on this share of the most uncertain tokens of a micro-batch.
        cov: Leave out (`clip`) or penalise (`kl`) tokens of the highest covariance.
        cov_share, cov_low, cov_high, cov_weight: See `losses.clip_cov` and `losses.kl_cov`.
    """

    bonus: NonNegative = 0.0
    target: NonNegative = 0.0
    step: Positive = 0.005
    top: PositiveShare = 1.0
    cov: Literal["none", "clip", "kl"] = "none"
    cov_share: PositiveShare = 2e-4
    cov_low: float = 1.0
    cov_high: float = 5.0
    cov_weight: NonNegative = 1.0


@dataclass(frozen=True, config=_STRICT)
class Correction:
    """Weights for what the sampler and the trainer find differently likely; acts with `recompute_old`.

    Args:
        mode: `off`, `truncate` or `mask`.
        level: `token`, `sequence` (product of ratios) or `geometric` (their mean).
        low, high: Bounds of the weight, as ratios.
        off_policy_delta: Leave out bad sequences that the policy has left behind by this many nats a token; 0 never.
    """

    mode: Literal["off", "truncate", "mask"] = "off"
    level: Literal["token", "sequence", "geometric"] = "token"
    low: NonNegative = 0.0
    high: Positive = 2.0
    off_policy_delta: NonNegative = 0.0


@dataclass(frozen=True, config=_STRICT)
class Value:
    """The value model of `gae`, `turn_gae` and `bilevel_gae`.

    Args:
        model: A `head` on the policy's last layer, or a `separate` copy of the whole model.
        weight: Of its loss, for a head.
        learning_rate: Of the head, or of the separate model.
        clip: Reward units by which a prediction may move within an update; None for no bound.
        lam: Of the policy's advantages.
        critic_lam: Of the critic's returns, if other (VAPO: 1).
        adaptive_alpha: If positive, the policy's lambda is 1 − 1 / (alpha · length) (VAPO: 0.05).
        turn_lam: Between turns, for `bilevel_gae`; None takes `lam`.
        warm_up: Updates in which only the value model learns, and of a head nothing below it.
        whiten: Subtract the mean of the advantages and divide by their spread.
    """

    model: Literal["head", "separate"] = "head"
    weight: NonNegative = 0.5
    learning_rate: Positive = 1e-3
    clip: Positive | None = 0.2
    lam: Share = 0.95
    critic_lam: Share | None = None
    adaptive_alpha: NonNegative = 0.0
    turn_lam: Share | None = None
    warm_up: Natural = 0
    whiten: bool = True


@dataclass(frozen=True, config=_STRICT)
class EarlyStop:
    """Stop when validation no longer gets better.

    Args:
        patience: Validations in a row without a new best; 0 never stops.
        min_delta: By how much a new best must be better.
        restore: Go back to the weights of the best validation at the end of the stage.
    """

    patience: Natural = 0
    min_delta: NonNegative = 0.0
    restore: bool = False
