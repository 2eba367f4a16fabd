"""The arrays that advantages are made of, and the table of estimators that a recipe can name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "AdvantageKind", "Bools", "Floats", "Ints", "Needs", "groups", "judged_rows", "leave_one_out"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AdvantageKind = Literal[
    "step", "trajectory", "outcome", "grpo", "dr_grpo", "grpo_batch_std", "opo", "gpg", "max_rl", "pass_at_k", "remax",
    "reinforce_pp", "reinforce_pp_baseline", "gigpo", "pure", "gae", "turn_gae", "bilevel_gae",
    "spo", "treerl", "tree_grpo", "treepo",
]  # fmt: skip
"""What a recipe may name; see `KINDS` for what each needs and `docs/conventions.md` for the formulas."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an estimator asks of the trainer.

    Args:
        unit: It credits whole `trajectory`s, `step`s, `token`s or tree `node`s.
        value: A value model.
        greedy: A greedy answer to every task.
        tree: Rollouts that branch.
        scaled: It brings its own scale, so `scale` does not act on it.
        baseline: It compares the attempts at one task, so a group needs two.
    """

    unit: Literal["trajectory", "step", "token", "node"]
    value: bool = False
    greedy: bool = False
    tree: bool = False
    scaled: bool = False
    baseline: bool = True


KINDS: dict[str, Needs] = {
    "step": Needs("step"),
    "trajectory": Needs("trajectory"),
    "outcome": Needs("trajectory"),
    "grpo": Needs("trajectory", scaled=True),
    "dr_grpo": Needs("trajectory", scaled=True),
    "grpo_batch_std": Needs("trajectory", scaled=True),
    "opo": Needs("trajectory"),
    "gpg": Needs("trajectory", scaled=True),
    "max_rl": Needs("trajectory", scaled=True),
    "pass_at_k": Needs("trajectory"),
    "remax": Needs("trajectory", greedy=True, baseline=False),
    "reinforce_pp": Needs("token", scaled=True, baseline=False),
    "reinforce_pp_baseline": Needs("trajectory", scaled=True),
    "gigpo": Needs("step", scaled=True),
    "pure": Needs("step"),
    "gae": Needs("token", value=True, scaled=True, baseline=False),
    "turn_gae": Needs("step", value=True, scaled=True, baseline=False),
    "bilevel_gae": Needs("token", value=True, scaled=True, baseline=False),
    "spo": Needs("node", tree=True),
    "treerl": Needs("node", tree=True),
    "tree_grpo": Needs("trajectory", tree=True, scaled=True),
    "treepo": Needs("trajectory", tree=True),
}


def groups(group_B: Ints, judged_B: Bools, at_least: int = 2) -> list[NDArray[np.intp]]:
    """The rows of each group that has at least so many judged trajectories."""
    found = [np.flatnonzero((group_B == g) & judged_B) for g in np.unique(group_B)]
    return [rows for rows in found if len(rows) >= at_least]


def judged_rows(rewards_BK: Floats, mask_BK: Bools) -> Bools:
    """Which trajectories have only finite rewards."""
    return np.asarray(np.isfinite(np.where(mask_BK, rewards_BK, 0.0)).all(axis=1), dtype=np.bool_)


def leave_one_out(values: Floats) -> Floats:
    """Each row minus the mean of the others. Counted from the first row, so that equal rows give exactly 0."""
    above: Floats = values - values[0]
    others: Floats = (above.sum(axis=0) - above) / (len(values) - 1)
    return above - others
