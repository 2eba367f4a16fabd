"""Advantages of rollouts that branch: what a piece of text is worth is what its continuations earn.

A tree is given by its leaves. `paths[i]` lists the nodes of leaf i from the first after the root to the leaf's own;
leaves that share text share nodes. The root is not listed. `returns[i]` is what leaf i earned, `nan` if nobody could
judge it: such a leaf is in no value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from proofgym.agents.advantages.groups import trajectory_grpo
from proofgym.agents.advantages.types import Bools, Floats, Ints, judged_rows

__all__ = ["ROOT", "node_values", "spo", "tree_grpo", "treepo", "treerl", "vineppo"]

ROOT = -1
"""The key of the root's value."""


def node_values(
    paths: Sequence[Sequence[int]], returns: Floats, mean: Literal["leaf", "child"] = "leaf"
) -> dict[int, float]:
    """The mean return below every node, the root's under `ROOT`.

    Args:
        paths, returns: See the module.
        mean: Over `leaf`s (TreeRL), or over `child`ren of their means (SPO). They differ where one branch has more
            leaves than another.
    Returns:
        Reward units; `nan` below which nothing could be judged.

    >>> node_values([[1, 2], [1, 3], [4]], np.array([1.0, 0.0, 0.0]))
    {-1: 0.3333333333333333, 1: 0.5, 2: 1.0, 3: 0.0, 4: 0.0}
    >>> node_values([[1, 2], [1, 3], [4]], np.array([1.0, 0.0, 0.0]), "child")[-1]
    0.25
    """
    below: dict[int, list[float]] = {ROOT: []}
    children: dict[int, list[int]] = {ROOT: []}
    for path, earned in zip(paths, returns, strict=True):
        parent = ROOT
        below[ROOT] += [float(earned)] if math.isfinite(earned) else []
        for node in path:
            if node not in below:
                below[node], children[node] = [], []
                children[parent].append(node)
            below[node] += [float(earned)] if math.isfinite(earned) else []
            parent = node
    if mean == "leaf":
        return {node: sum(found) / len(found) if found else math.nan for node, found in below.items()}
    values: dict[int, float] = {}
    for node in reversed(below):  # children were entered after their parents
        known = [values[child] for child in children[node] if math.isfinite(values[child])]
        own = below[node] if not children[node] else []
        pool = known or own
        values[node] = sum(pool) / len(pool) if pool else math.nan
    return {node: values[node] for node in below}


def spo(paths: Sequence[Sequence[int]], returns: Floats) -> list[Floats]:
    """What each node added: its value minus its parent's, values being means over children.

    Returns:
        `[leaf]` -> one number a node of its path; 0 where a value is unknown. The numbers of a path sum to the leaf's
        return minus the root's value.
    Source:
        Guo et al. 2025, SPO-tree (arXiv:2505.23564), section 4.2.

    >>> [a.tolist() for a in spo([[1, 2], [1, 3], [4]], np.array([1.0, 0.0, 0.0]))]
    [[0.25, 0.5], [0.25, -0.5], [-0.25]]
    """
    values = node_values(paths, returns, "child")
    return [
        np.array([_known(values[n] - values[p]) for p, n in zip([ROOT, *path], path, strict=False)])
        for path in map(list, paths)
    ]


def treerl(paths: Sequence[Sequence[int]], returns: Floats, *, reweigh: bool = True) -> list[Floats]:
    """How much better a node is than the whole tree, plus how much better than its parent.

    (2 V(n) − V(root) − V(parent)) / sqrt(leaves below n), values being means over leaves.

    Args:
        reweigh: Divide by the root of the number of judged leaves below, because a shared node is trained that often.
    Source:
        Hou et al. 2025, TreeRL (arXiv:2506.11902), equations 6 and 7.

    >>> [a.tolist() for a in treerl([[1, 2], [1, 3], [4], [5]], np.array([1.0, 0.0, 0.0, 1.0]), reweigh=False)]
    [[0.0, 1.0], [0.0, -1.0], [-1.0], [1.0]]
    """
    values = node_values(paths, returns, "leaf")
    leaves: dict[int, int] = {}
    for path, earned in zip(paths, returns, strict=True):
        for node in path:
            leaves[node] = leaves.get(node, 0) + bool(math.isfinite(earned))
    return [
        np.array(
            [
                _known(2 * values[n] - values[ROOT] - values[p]) / (math.sqrt(max(leaves[n], 1)) if reweigh else 1.0)
                for p, n in zip([ROOT, *path], path, strict=False)
            ]
        )
        for path in map(list, paths)
    ]


def tree_grpo(returns_B: Floats, tree_B: Ints, group_B: Ints, *, ddof: int = 1, eps: float = 1e-6) -> Floats:
    """A leaf against the leaves of its own tree, plus against all leaves of all trees of its task.

    Args:
        returns_B: (B,) of leaves, `nan` for unjudged.
        tree_B: (B,) which tree a leaf hangs on.
        group_B: (B,) which task.
        ddof, eps: Of the two spreads.
    Source:
        Ji et al. 2025, Tree-GRPO (arXiv:2509.21240), equation 6.

    >>> tree_grpo(np.array([1.0, 0.0, 0.0, 0.0]), np.array([0, 0, 1, 1]), np.zeros(4, int), eps=0.0).round(3).tolist()
    [2.207, -1.207, -0.5, -0.5]
    """
    _, tree_B = np.unique(np.stack([group_B, tree_B]), axis=1, return_inverse=True)
    inside = trajectory_grpo(returns_B, np.ravel(tree_B).astype(np.int64), ddof=ddof, eps=eps)
    return inside + trajectory_grpo(returns_B, group_B, ddof=ddof, eps=eps)


def treepo(paths: Sequence[Sequence[int]], returns: Floats) -> Floats:
    """A leaf against every set of leaves it belongs to: the mean over its ancestors of return minus their mean.

    Args:
        paths, returns: Of one task; the root's set holds all leaves. A set of one leaf says nothing and is left out.
    Returns:
        One number a leaf, reward units; 0 if nobody could judge it.
    Source:
        Li et al. 2025, TreePO (arXiv:2508.17445), section 3.3, before its division by the batch's spread.

    >>> treepo([[1, 2], [1, 3], [4]], np.array([1.0, 0.0, 0.5])).tolist()
    [0.5, -0.5, 0.0]
    """
    values = node_values(paths, returns, "leaf")
    leaves: dict[int, int] = {}
    for path, earned in zip(paths, returns, strict=True):
        for node in [ROOT, *path]:
            leaves[node] = leaves.get(node, 0) + bool(math.isfinite(earned))
    found = []
    for path, earned in zip(paths, returns, strict=True):
        gaps = [earned - values[node] for node in [ROOT, *path] if leaves[node] > 1]
        found.append(sum(gaps) / len(gaps) if gaps and math.isfinite(earned) else 0.0)
    return np.array(found)


def vineppo(rewards_BK: Floats, values_BK: Floats, mask_BK: Bools, gamma: float = 1.0) -> Floats:
    """What each step changed in the value of the state, values being means of rollouts finished from there.

    A_k = r_k + gamma · V_{k+1} − V_k, with V = 0 after the end.

    Args:
        rewards_BK, mask_BK: As everywhere.
        values_BK: (B, K) the mean return of a few continuations started *before* step k, say from `env.fork()`.
    Source:
        Kazemnejad et al. 2024, VinePPO (arXiv:2410.01679), equation 8. Gaps between steps are skipped.

    >>> vineppo(np.array([[0.0, 1.0]]), np.array([[0.5, 0.75]]), np.ones((1, 2), bool)).tolist()
    [[0.25, 0.25]]
    """
    judged_B = judged_rows(rewards_BK, mask_BK)
    live = mask_BK & judged_B[:, None]
    after, found = np.zeros(len(rewards_BK)), np.zeros(rewards_BK.shape)
    for k in range(rewards_BK.shape[1] - 1, -1, -1):
        here = live[:, k]
        value = np.where(here, values_BK[:, k], 0.0)
        found[:, k] = np.where(here, np.where(here, rewards_BK[:, k], 0.0) + gamma * after - value, 0.0)
        after = np.where(here, value, after)
    return found


def _known(value: float) -> float:
    return value if math.isfinite(value) else 0.0
