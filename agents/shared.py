"""What rows of a batch have in common at their beginning goes through the model once.

The attempts of a group share their prompt, the leaves of a tree share whole turns. `fold` lays the rows that begin
alike out as one row that holds every shared token once, with its depth as its position and a mask by which each token
sees the beginning that led to it and nothing else. With the layers of `engines/lean.py`, attention alone goes row by
row where that is less work than the mask. The hidden states are then dealt out to the rows again. Values and gradients
are those of separate rows, up to rounding: a token's hidden state depends on the tokens before it only, and what
several rows say about a shared token adds up in the backward pass by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from proofgym.agents.engines.lean import Attend, Step

__all__ = ["Folded", "fold"]

_SHORT = 64  # rows in which attention by plain products takes less time than a fused kernel
_WORTH = 0.8  # fold only if at most this share of the positions is left


@dataclass(frozen=True)
class Folded:
    """Rows laid out as a trie. C clusters of rows that begin alike, U places in the longest.

    Args:
        ids_CU, positions_CU: What goes through the model; the depth of each token.
        cluster_B, place_BL: Where each token of the original rows is found.
        ways: `[cluster]` -> of each row the places of its tokens, and how many of them an earlier row has too.
        trunk: How many first tokens the rows of every cluster have in common, at least.
    """

    ids_CU: Tensor
    positions_CU: Tensor
    cluster_B: Tensor
    place_BL: Tensor
    ways: list[list[tuple[NDArray[np.int64], int]]]
    trunk: int

    @cached_property
    def seen_CUU(self) -> Tensor:  # noqa: N802 - a tensor's axes
        """True where a token (second axis) may see another (third)."""
        seen = np.zeros((*self.ids_CU.shape, self.ids_CU.shape[1]), dtype=np.bool_)
        seen[:, :, 0] = True  # padding sees something, or its softmax would be of nothing
        for c, ways in enumerate(self.ways):
            for way, shared in ways:
                order = np.arange(len(way))
                seen[c, way[shared:, None], way] = order <= order[shared:, None]
        return torch.from_numpy(seen).to(self.ids_CU.device)

    def dealt(self, hidden_CUD: Tensor) -> Tensor:
        """The hidden states of the original rows, (B, L, D)."""
        return hidden_CUD[self.cluster_B[:, None], self.place_BL]

    def through(self, step: Step, wanted_BL: Tensor) -> Tensor:
        """The hidden states of some tokens of the original rows, (N, D), by the layers of a lean model."""
        places_BL = self.cluster_B[:, None] * self.ids_CU.shape[1] + self.place_BL
        wanted, which_N = torch.unique(places_BL[wanted_BL], return_inverse=True)
        return step(self.ids_CU, self.positions_CU, self._attention(places_BL), wanted).index_select(0, which_N)

    def _attention(self, places_BL: Tensor) -> Attend:
        """All tokens of a cluster at once, under its mask; or, if that is less work, row by row behind the trunk."""
        (clusters, longest), (rows, length), trunk = self.ids_CU.shape, self.place_BL.shape, self.trunk
        if not trunk or rows * (length - trunk) * length + clusters * trunk**2 >= clusters * longest**2:
            seen = self.seen_CUU.unsqueeze(1)
            return lambda q, k, v, _: _attend(q, k, v, seen)
        behind_BQ, device = places_BL[:, trunk:], places_BL.device
        order = torch.arange(length, device=device)
        causal = order[trunk:, None] >= order
        bias = torch.zeros(causal.shape).masked_fill_(~causal, -torch.inf) if length <= _SHORT else None
        # A token that rows share behind the trunk is attended from in each of them; the last one counts.
        ahead = torch.arange(clusters, device=device)[:, None] * longest + order[:trunk]
        filled = torch.cat((behind_BQ.flatten(), ahead.flatten()))
        chosen = torch.zeros(clusters * longest, dtype=torch.long, device=device)
        chosen.scatter_reduce_(0, filled, torch.arange(len(filled), device=device), "amax")

        def attend(q: Tensor, k: Tensor, v: Tensor, _: int) -> Tensor:
            first = _attend(q[:, :trunk], k[:, :trunk], v[:, :trunk], causal=True)
            q, k, v = _taken(q, behind_BQ), _taken(k, places_BL), _taken(v, places_BL)
            rest = _attend(q, k, v, causal) if bias is None else _attend_short(q, k, v, bias)
            found = torch.cat((rest.flatten(0, 1), first.flatten(0, 1)))
            return found.index_select(0, chosen)

        return attend


def fold(ids_BL: Tensor, keep_BL: Tensor) -> Folded | None:
    """Lay rows out so that what they share is there once; None if that saves too little.

    Args:
        ids_BL: (B, L) token ids, one sequence a row, padded on the right with anything.
        keep_BL: (B, L) True at sampled tokens. Rows form a cluster if all before their first one is equal; a row ends
            before its last one, which is predicted but predicts nothing that is asked for.
    """
    if ids_BL.shape[0] < 2:
        return None
    ids, keep = ids_BL.cpu().numpy(), keep_BL.cpu().numpy()
    lengths = np.where(keep.any(axis=1), keep.shape[1] - 1 - keep[:, ::-1].argmax(axis=1), 1)
    clusters: dict[bytes, list[int]] = {}
    for b in range(len(ids)):
        clusters.setdefault(ids[b, : int(keep[b].argmax())].tobytes(), []).append(b)
    place = np.zeros(ids.shape, dtype=np.int64)
    of = np.zeros(len(ids), dtype=np.int64)
    laid = []
    for c, rows in enumerate(clusters.values()):
        of[rows] = c
        laid.append(_lay(ids, lengths, rows, place))
    longest = max(len(tokens) for tokens, *_ in laid)
    # A token attends to the whole of its row, so both the positions and the size of the mask must shrink.
    if longest * len(laid) > _WORTH * ids.size or longest**2 * len(laid) > 4 * ids.size * ids.shape[1]:
        return None
    ids_CU = np.zeros((len(laid), longest), dtype=np.int64)
    depth_CU = np.zeros((len(laid), longest), dtype=np.int64)
    for c, (tokens, depths, _) in enumerate(laid):
        ids_CU[c, : len(tokens)], depth_CU[c, : len(tokens)] = tokens, depths
    trunk = min(int(keep[rows].argmax(axis=1).min()) for rows in clusters.values())

    def there(part: NDArray[Any]) -> Tensor:
        return torch.from_numpy(part).to(ids_BL.device)

    return Folded(there(ids_CU), there(depth_CU), there(of), there(place), [ways for *_, ways in laid], trunk)


def _lay(
    ids: NDArray[np.int64], lengths: NDArray[np.int64], rows: list[int], place: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[NDArray[np.int64], int]]]:
    """One cluster: its tokens, their depths, its ways. In lexicographic order a row shares most with the last."""
    rows = sorted(rows, key=lambda b: ids[b, : lengths[b]].tolist())
    tokens: list[NDArray[np.int64]] = []
    depths: list[NDArray[np.int64]] = []
    ways = []
    count, before = 0, -1
    for b in rows:
        length, shared = int(lengths[b]), 0
        if before >= 0:
            same = min(length, int(lengths[before]))
            differ = np.flatnonzero(ids[b, :same] != ids[before, :same])
            shared = int(differ[0]) if differ.size else same
            place[b, :shared] = place[before, :shared]
        place[b, shared:length] = np.arange(count, count + length - shared)
        tokens.append(ids[b, shared:length])
        depths.append(np.arange(shared, length))
        ways.append((place[b, :length].copy(), shared))
        count += length - shared
        before = b
    return np.concatenate(tokens), np.concatenate(depths), ways


def _attend(q: Tensor, k: Tensor, v: Tensor, seen: Tensor | None = None, *, causal: bool = False) -> Tensor:
    """Queries (B, T, H, W), keys and values (B, K, G, W) -> (B, T, H, W)."""
    found = functional.scaled_dot_product_attention(
        q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attn_mask=seen, is_causal=causal,
        enable_gqa=q.shape[2] != k.shape[2],
    )  # fmt: skip
    return found.transpose(1, 2)


def _attend_short(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """`_attend` by plain products, with a bias (T, K): in rows this short a fused kernel's blocks are mostly empty."""
    rows, length, heads, width = q.shape
    groups = k.shape[2]
    q = q.view(rows, length, groups, heads // groups, width).permute(0, 2, 3, 1, 4).reshape(rows * groups, -1, width)
    k, v = (x.transpose(1, 2).reshape(rows * groups, -1, width) for x in (k, v))
    scores = torch.baddbmm(bias.repeat(heads // groups, 1), q, k.transpose(1, 2), alpha=width**-0.5)
    found = torch.bmm(scores.softmax(-1), v)
    return found.view(rows, groups, heads // groups, length, width).permute(0, 3, 1, 2, 4).flatten(2, 3)


def _taken(x_CUHW: Tensor, places: Tensor) -> Tensor:
    """What stands at these places of C * U."""
    found = x_CUHW.flatten(2).flatten(0, 1).index_select(0, places.flatten())
    return found.view(*places.shape, *x_CUHW.shape[2:])
