"""Loss functions: pure, on tensors; hand-checked and compared with slow references in `tests/agents/`.

They see log-probabilities, advantages and masks, and nothing of the trainer. Axes: B sequences, T tokens; or N sampled
tokens of all sequences in a row, which needs no mask. Functions that look at whole sequences take N tokens and `row_N`,
the number of the sequence that each token belongs to; from padded arrays, that is `x[mask]` and `mask.nonzero()[:, 0]`.
Each returns one number a token; `row_weights` says how much each counts.

| module | what |
| --- | --- |
| `policy` | PPO's clip (two bounds, dual), GSPO, CISPO, GMPO, SAPO, DPPO, TOPR, REINFORCE, LUFFY's shaping |
| `aggregate` | token mean, sequence mean, Dr. GRPO's constant, prompt mean |
| `kl` | k1, k2, k3, their gradient-correct forms, an adaptive weight |
| `entropy` | an adaptive bonus, the most uncertain tokens only, Clip-Cov and KL-Cov |
| `correction` | truncated and masked importance weights between sampler and trainer; staleness |
| `value` | the value model's squared error, clipped |
| `preference` | DPO |
"""

from proofgym.agents.losses.aggregate import Aggregate, row_weights, token_mean
from proofgym.agents.losses.correction import (
    Mismatch,
    importance_weights,
    mismatch,
    off_policy_rows,
)
from proofgym.agents.losses.entropy import (
    AdaptiveEntropy,
    clip_cov,
    covariance,
    kl_cov,
    most_uncertain,
)
from proofgym.agents.losses.kl import AdaptiveKL, Estimator, kl, kl_k3
from proofgym.agents.losses.policy import (
    cispo,
    clipped_policy_loss,
    dppo,
    gmpo,
    gspo,
    luffy,
    reinforce,
    row_means,
    sapo,
    sequence_ratio,
    topr,
)
from proofgym.agents.losses.preference import dpo
from proofgym.agents.losses.value import clipped_value_loss

__all__ = [
    "AdaptiveEntropy",
    "AdaptiveKL",
    "Aggregate",
    "Estimator",
    "Mismatch",
    "cispo",
    "clip_cov",
    "clipped_policy_loss",
    "clipped_value_loss",
    "covariance",
    "dpo",
    "dppo",
    "gmpo",
    "gspo",
    "importance_weights",
    "kl",
    "kl_cov",
    "kl_k3",
    "luffy",
    "mismatch",
    "most_uncertain",
    "off_policy_rows",
    "reinforce",
    "row_means",
    "row_weights",
    "sapo",
    "sequence_ratio",
    "token_mean",
    "topr",
]
