"""What rows of a batch have in common at their beginning goes through the model once.

The attempts of a group share their prompt, the leaves of a tree share whole turns. `fold` lays the rows that begin
alike out as one row that holds every shared token once, with its depth as its position and a mask by which each token
sees the beginning that led to it and nothing else. The hidden states are then dealt out to the rows again. Values and
gradients are those of separate rows, up to rounding: a token's hidden state depends on the tokens before it only, and
what several rows say about a shared token adds up in the backward pass by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Folded", "fold"]

_WORTH = 0.8  # fold only if at most this share of the positions is left


@dataclass(frozen=True, slots=True)
class Folded:
    """Rows laid out as a trie. C clusters of rows that begin alike, U places in the longest.

    Args:
        ids_CU, positions_CU: What goes through the model; the depth of each token.
        seen_CUU: True where a token (second axis) may see another (third).
        cluster_B, place_BL: Where each token of the original rows is found.
    """

    ids_CU: Tensor
    positions_CU: Tensor
    seen_CUU: Tensor
    cluster_B: Tensor
    place_BL: Tensor

    def dealt(self, hidden_CUD: Tensor) -> Tensor:
        """The hidden states of the original rows, (B, L, D)."""
        return hidden_CUD[self.cluster_B[:, None], self.place_BL]


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
    longest = max(len(tokens) for tokens, _, _ in laid)
    # A token attends to the whole of its row, so both the positions and the size of the mask must shrink.
    if longest * len(laid) > _WORTH * ids.size or longest**2 * len(laid) > 4 * ids.size * ids.shape[1]:
        return None
    ids_CU = np.zeros((len(laid), longest), dtype=np.int64)
    depth_CU = np.zeros((len(laid), longest), dtype=np.int64)
    seen_CUU = np.zeros((len(laid), longest, longest), dtype=np.bool_)
    seen_CUU[:, :, 0] = True  # padding sees something, or its softmax would be of nothing
    for c, (tokens, depths, seen) in enumerate(laid):
        ids_CU[c, : len(tokens)], depth_CU[c, : len(tokens)] = tokens, depths
        seen_CUU[c, : len(tokens), : len(tokens)] = seen
    device = ids_BL.device
    return Folded(*(torch.from_numpy(a).to(device) for a in (ids_CU, depth_CU, seen_CUU, of, place)))


def _lay(
    ids: NDArray[np.int64], lengths: NDArray[np.int64], rows: list[int], place: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """One cluster: its tokens, their depths, who sees whom. In lexicographic order a row shares most with the last."""
    rows = sorted(rows, key=lambda b: ids[b, : lengths[b]].tolist())
    tokens: list[NDArray[np.int64]] = []
    depths: list[NDArray[np.int64]] = []
    begins = []
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
        begins.append(shared)
        count += length - shared
        before = b
    seen = np.zeros((count, count), dtype=np.bool_)
    for b, shared in zip(rows, begins, strict=True):
        way = place[b, : lengths[b]]
        own = np.arange(shared, lengths[b])
        seen[way[own][:, None], way[None, :]] = np.arange(lengths[b])[None, :] <= own[:, None]
    return np.concatenate(tokens), np.concatenate(depths), seen
