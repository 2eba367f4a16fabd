"""Batched sampling with a key-value cache that lives as long as the episodes do.

Episodes of a batch have contexts of different lengths. Each block of new tokens is padded on the right to a common
length, the padding is masked out for ever, and positions count real tokens only. So a next turn appends its few new
tokens to the cache instead of reading the whole conversation again, and no token is ever tokenised twice.

Every request draws its uniforms from a generator of its own, `default_rng(key)`, and tokens are chosen by inverting the
cumulative distribution: a sample does not depend on which requests shared its batch, up to floating point.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from proofgym.agents.policy import Policy
from proofgym.errors import need

__all__ = ["Sample", "Sampling", "Stream"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample.

    Args:
        temperature: 0 takes the most likely token.
        max_tokens: The most tokens an action may have.
    """

    temperature: float = 1.0
    max_tokens: int = 64

    def __post_init__(self) -> None:
        """Refuse what no sampler can do."""
        if self.temperature < 0.0:
            raise ValueError(f"a temperature is not negative, found {self.temperature}")
        if self.max_tokens < 1:
            raise ValueError(f"an action needs at least one token, found max_tokens={self.max_tokens}")


@dataclass(slots=True)
class Sample:
    """One sampled action: its tokens, their log-probabilities (nats), and whether the token limit ended it."""

    ids: list[int]
    logprobs: list[float]
    cut: bool


class Stream:
    """The growing contexts of a batch of episodes.

    Args:
        policy: Sampled from as it is now; its weights must not change while the stream lives.
        rows: How many episodes.
    """

    def __init__(self, policy: Policy, rows: int) -> None:
        self.policy = policy
        self.cache: Any = need("transformers", "train").DynamicCache(config=policy.model.config)
        forward = inspect.signature(policy.model.forward).parameters
        self._cache_name = "cache" if "cache" in forward else "past_key_values"  # renamed in transformers 5
        self.mask = torch.zeros((rows, 0), dtype=torch.long, device=policy.device)
        self.pending: list[list[int]] = [[] for _ in range(rows)]

    def __len__(self) -> int:
        return len(self.pending)

    def lengths(self) -> list[int]:
        """How many tokens each context holds, those not yet in the cache included."""
        seen = self.mask.sum(1).tolist()
        return [s + len(p) for s, p in zip(seen, self.pending, strict=True)]

    def keep(self, rows: Sequence[int]) -> None:
        """Drop all other episodes."""
        index = torch.tensor(list(rows), dtype=torch.long, device=self.policy.device)
        if self.mask.shape[1]:
            self.cache.batch_select_indices(index)
        self.mask = self.mask[index]
        self.pending = [self.pending[row] for row in rows]

    def append(self, tokens: Sequence[Sequence[int]]) -> None:
        """Add tokens to each context; they are read when the next action is sampled."""
        for row, new in zip(self.pending, tokens, strict=True):
            row.extend(new)

    @torch.no_grad()
    def sample(self, sampling: Sampling, keys: Sequence[Sequence[int]]) -> list[Sample]:
        """Sample one action for every episode, until its stop token or the token limit.

        Args:
            sampling: Temperature and limit.
            keys: One a row; non-negative integers that name the request.
        """
        stop = torch.tensor(sorted(self.policy.format.stop_ids), device=self.policy.device)
        uniforms = np.stack([np.random.default_rng(list(key)).random(sampling.max_tokens) for key in keys])
        draws_TB = torch.from_numpy(uniforms.T.copy()).to(self.policy.device)
        logits = self._read_pending()
        active = torch.ones(len(self), dtype=torch.bool, device=self.policy.device)
        chosen_TB, logprobs_TB, active_TB = [], [], []
        for t in range(sampling.max_tokens):
            token, logprob = _choose(logits, draws_TB[t], sampling.temperature)
            chosen_TB.append(token)
            logprobs_TB.append(logprob)
            active_TB.append(active)
            active = active & ~torch.isin(token, stop)
            if t + 1 == sampling.max_tokens or not bool(active.any()):
                break
            fed = torch.where(active, token, torch.full_like(token, self.policy.format.pad_id))
            logits = self._forward(fed.unsqueeze(1), active.unsqueeze(1).long())
        ids = torch.stack(chosen_TB, dim=1).tolist()
        values = torch.stack(logprobs_TB, dim=1).tolist()
        counts = torch.stack(active_TB, dim=1).sum(1).tolist()
        ended = (~active).tolist()
        samples = []
        for row, count in enumerate(counts):
            samples.append(Sample(ids[row][:count], values[row][:count], not ended[row]))
            self.pending[row] = [ids[row][count - 1]]  # the last token was chosen but never read
        return samples

    def _read_pending(self) -> Tensor:
        longest = max(len(row) for row in self.pending)
        assert all(self.pending), "every context needs a token to be sampled from"
        pad, device = self.policy.format.pad_id, self.policy.device
        block = torch.tensor([row + [pad] * (longest - len(row)) for row in self.pending], device=device)
        real = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in self.pending], device=device)
        logits = self._forward(block, real)
        self.pending = [[] for _ in self.pending]
        return logits

    def _forward(self, block: Tensor, real: Tensor) -> Tensor:
        """Read a block into the cache and return each row's logits after its last real token, (B, V) in float32."""
        before = self.mask.sum(1, keepdim=True)
        self.mask = torch.cat([self.mask, real], dim=1)
        positions = (before + real.cumsum(1) - 1).clamp(min=0)
        last = (real.sum(1) - 1).clamp(min=0)
        wanted, slot = torch.unique(last, return_inverse=True)
        output = self.policy.model(
            input_ids=block,
            attention_mask=self.mask,
            position_ids=positions,
            **{self._cache_name: self.cache},
            use_cache=True,
            logits_to_keep=wanted,
        )
        logits: Tensor = output.logits[torch.arange(len(self), device=block.device), slot]
        return logits.float()


def _choose(logits: Tensor, uniform: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """One token a row and its log-probability: under the tempered distribution, or at temperature 0 the plain one."""
    logp = torch.log_softmax(logits / temperature if temperature > 0.0 else logits, dim=-1)
    if temperature > 0.0:
        cumulative = logp.double().exp().cumsum(-1)
        target = uniform.unsqueeze(-1) * cumulative[:, -1:]
        token = torch.searchsorted(cumulative, target, right=True).squeeze(-1).clamp(max=logits.shape[-1] - 1)
    else:
        token = logp.argmax(-1)
    return token, logp.gather(-1, token.unsqueeze(-1)).squeeze(-1)
