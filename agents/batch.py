"""Trajectories as tensors: rows of token ids, padded or packed, and everything a loss needs at their sampled tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from proofgym.agents.advantages import Bools, Floats
from proofgym.envs.trajectory import Trajectory

__all__ = ["Batch", "Row", "collate", "pack", "row_of"]


@dataclass(slots=True)
class Row:
    """One trajectory, flat. N sampled tokens that take part, in order.

    Args:
        ids: Every token of the context.
        keep: True at the sampled tokens that take part.
        sampled: Their log-probabilities as the sampler reported them; `nan` for an expert's.
        old: The same under the policy before the gradient steps: the sampler's own, or computed again.
        advantages: What each is taught.
        returns, values: What the value model is to predict (`nan`: nothing), and what it did.
        reference: Log-probabilities under the reference.
        weight: How much each of its tokens counts.
        expert: Whether somebody else wrote it.
        number: Its place among the batch's trajectories.
    """

    ids: list[int]
    keep: Bools
    sampled: Floats
    old: Floats
    advantages: Floats
    returns: Floats | None = None
    values: Floats | None = None
    reference: Floats | None = None
    weight: float = 1.0
    expert: bool = False
    number: int = 0

    @property
    def tokens(self) -> int:
        """How many tokens take part."""
        return int(self.keep.sum())


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as tensors. B rows of the tensor, L positions; N sampled tokens in row order, R trajectories.

    Args:
        ids_BL: Token ids, padded on the right, or several trajectories one after another.
        keep_BL: True at sampled tokens.
        positions_BL: Of packed rows, counted from 0 in each trajectory; None if a row holds one.
        ends_R: The place of each trajectory's last token in the flattened ids.
        row_N: Which trajectory of the batch each token belongs to.
        sampled_N, old_N, advantages_N, weight_N, expert_N, returns_N, values_N, reference_N: See `Row`.
        numbers: `Row.number` of each trajectory.
    """

    ids_BL: Tensor
    keep_BL: Tensor
    positions_BL: Tensor | None
    ends_R: Tensor
    row_N: Tensor
    sampled_N: Tensor
    old_N: Tensor
    advantages_N: Tensor
    weight_N: Tensor
    expert_N: Tensor
    returns_N: Tensor | None
    values_N: Tensor | None
    reference_N: Tensor | None
    numbers: list[int]


def row_of(
    episode: Trajectory, taught: Sequence[Floats], kept: Sequence[Bools] | None = None, *, number: int = 0
) -> Row:
    """Flatten one trajectory.

    Args:
        taught: `[turn]` -> the advantage of each sampled token.
        kept: `[turn]` -> whether it takes part; all by default.
        number: To find it again.
    Raises:
        ValueError: If a token of the policy's own has no log-probability.
    """
    ids: list[int] = []
    sampled: list[bool] = []
    for turn in episode.turns:
        ids += turn.prompt_ids + turn.action_ids
        sampled += [False] * len(turn.prompt_ids) + [True] * len(turn.action_ids)
    logprobs = [value for turn in episode.turns for value in turn.logprobs]
    expert = episode.source == "expert"
    if len(logprobs) != sum(sampled):
        if not expert:
            raise ValueError(
                f"item {episode.index}, attempt {episode.sample}: {sum(sampled)} sampled tokens but {len(logprobs)} "
                "log-probabilities; only what this policy sampled can be learned from"
            )
        logprobs = [float("nan")] * sum(sampled)
    keep = np.array(sampled, dtype=np.bool_)
    part = np.concatenate([*kept, np.zeros(0, dtype=np.bool_)]) if kept is not None else np.ones(len(logprobs), bool)
    keep[keep] = part
    old = np.array(logprobs)[part]
    return Row(ids, keep, old, old, np.concatenate([*taught, np.zeros(0)])[part], expert=expert, number=number)


def collate(
    episodes: Sequence[Trajectory],
    advantages_: Sequence[Sequence[Floats]],
    pad_id: int,
    *,
    tokens_per_batch: int,
    device: torch.device,
    packing: bool = False,
) -> list[Batch]:
    """Judged trajectories as micro-batches of similar length; see `pack`.

    Args:
        episodes, advantages_: As from `token_advantages`. Unjudged trajectories and empty ones are left out.
    Raises:
        ValueError: If a token has no log-probability.
    """
    rows = [
        row_of(episode, taught, number=b)
        for b, (episode, taught) in enumerate(zip(episodes, advantages_, strict=True))
        if not episode.unjudged and any(turn.action_ids for turn in episode.turns)
    ]
    return pack(rows, pad_id, tokens_per_batch=tokens_per_batch, device=device, packing=packing)


def pack(
    rows: Sequence[Row], pad_id: int, *, tokens_per_batch: int, device: torch.device, packing: bool = False
) -> list[Batch]:
    """Micro-batches within a budget of positions, the longest first.

    Args:
        tokens_per_batch: The most positions (rows times length) of a micro-batch; a longer trajectory gets its own.
        packing: Put trajectories one after another in one row, each counting its positions from 0, so that nothing is
            padding. Each goes into the first row with room (first fit, longest first).
    """
    left = sorted(rows, key=lambda row: len(row.ids))
    batches: list[Batch] = []
    if packing:
        bins: list[tuple[int, list[Row]]] = []
        for row in reversed(left):
            for i, (used, chosen) in enumerate(bins):
                if used + len(row.ids) <= tokens_per_batch:
                    bins[i] = (used + len(row.ids), [*chosen, row])
                    break
            else:
                bins.append((len(row.ids), [row]))
        return [_packed(chosen, device) for _, chosen in bins]
    while left:
        longest, count = len(left[-1].ids), max(1, tokens_per_batch // len(left[-1].ids))
        chosen, left = left[-count:], left[:-count]
        batches.append(_padded(chosen, longest, pad_id, device))
    return batches


def _padded(rows: Sequence[Row], longest: int, pad_id: int, device: torch.device) -> Batch:
    ids_BL = torch.tensor([row.ids + [pad_id] * (longest - len(row.ids)) for row in rows], device=device)
    keep = np.zeros((len(rows), longest), dtype=np.bool_)
    for b, row in enumerate(rows):
        keep[b, : len(row.ids)] = row.keep
    ends = [b * longest + len(row.ids) - 1 for b, row in enumerate(rows)]
    return _batch(rows, ids_BL, torch.from_numpy(keep).to(device), None, ends)


def _packed(rows: Sequence[Row], device: torch.device) -> Batch:
    ids_BL = torch.tensor([[i for row in rows for i in row.ids]], device=device)
    keep_BL = torch.from_numpy(np.concatenate([row.keep for row in rows])[None]).to(device)
    positions_BL = torch.tensor([[p for row in rows for p in range(len(row.ids))]], device=device)
    ends = (np.cumsum([len(row.ids) for row in rows]) - 1).tolist()
    return _batch(rows, ids_BL, keep_BL, positions_BL, ends)


def _batch(rows: Sequence[Row], ids_BL: Tensor, keep_BL: Tensor, positions_BL: Tensor | None, ends: list[int]) -> Batch:
    device = ids_BL.device

    def floats(parts: Sequence[Floats]) -> Tensor:
        return torch.tensor(np.concatenate(parts), dtype=torch.float32, device=device)

    def optional(parts: Sequence[Floats | None]) -> Tensor | None:
        found = [part for part in parts if part is not None]
        return floats(found) if len(found) == len(parts) else None

    counts = [row.tokens for row in rows]
    return Batch(
        ids_BL, keep_BL, positions_BL,
        ends_R=torch.tensor(ends, device=device),
        row_N=torch.repeat_interleave(torch.arange(len(rows)), torch.tensor(counts)).to(device),
        sampled_N=floats([row.sampled for row in rows]),
        old_N=floats([row.old for row in rows]),
        advantages_N=floats([row.advantages for row in rows]),
        weight_N=floats([np.full(n, row.weight) for n, row in zip(counts, rows, strict=True)]),
        expert_N=torch.tensor(np.repeat([row.expert for row in rows], counts), dtype=torch.bool, device=device),
        returns_N=optional([row.returns for row in rows]),
        values_N=optional([row.values for row in rows]),
        reference_N=optional([row.reference for row in rows]),
        numbers=[row.number for row in rows],
    )  # fmt: skip
