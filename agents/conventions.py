"""The constants that published trainers differ in, as settings of ours: `grpo.convention: trl` and the like.

A preset sets what the other trainer would compute with its defaults, given the same batch; whatever the recipe says
itself goes before it. Which estimator, how many samples and how long to train are no constants, so no preset sets them.
`docs/conventions.md` has the table; `tests/agents/test_peers.py` compares with the peers themselves where they import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["CONVENTIONS", "Convention", "preset", "with_preset"]

Convention = Literal["proofgym", "trl", "verl", "openrlhf"]

CONVENTIONS: dict[str, dict[str, Any]] = {
    "proofgym": {},
    # TRL 1.16, GRPOConfig's defaults (loss_type "dapo", scale_rewards "group", beta 0).
    "trl": {
        "std_ddof": 1,
        "whiten_ddof": 1,
        "std_eps": 1e-4,
        "scale": False,
        "recompute_old": True,
        "truncated": "keep",
        "count_empty": True,
        "loss": {"kind": "ppo", "clip_low": 0.2, "clip_high": 0.2, "dual": None, "aggregate": "token_mean",
                 "ratio_low": 0.0, "ratio_high": 5.0},
        "kl": {"estimator": "k3_ratio", "place": "loss"},
        "correction": {"level": "sequence", "mode": "mask", "low": 0.0, "high": 3.0},
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
    },
    # verl 0.9, the defaults of its actor and algorithm configuration.
    "verl": {
        "std_ddof": 1,
        "whiten_ddof": 1,
        "std_eps": 1e-6,
        "scale": False,
        "recompute_old": True,
        "truncated": "keep",
        "count_empty": False,
        "loss": {"kind": "ppo", "clip_low": 0.2, "clip_high": 0.2, "dual": 3.0, "aggregate": "token_mean",
                 "ratio_low": 0.8, "ratio_high": 1.2},
        "kl": {"estimator": "k3", "place": "loss"},
        "correction": {"mode": "off"},
        "value": {"clip": 0.5},
        "weight_decay": 0.01,
        "max_grad_norm": 1.0,
    },
    # OpenRLHF 0.11, the defaults of its command line, PolicyLoss and ValueLoss.
    "openrlhf": {
        "std_ddof": 1,
        "whiten_ddof": 0,
        "std_eps": 1e-9,
        "scale": False,
        "recompute_old": True,
        "truncated": "keep",
        "count_empty": False,
        "loss": {"kind": "ppo", "clip_low": 0.2, "clip_high": 0.2, "dual": None, "aggregate": "token_mean"},
        "kl": {"estimator": "k1", "place": "reward"},
        "correction": {"mode": "off"},
        "value": {"clip": 0.5},
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
    },
}  # fmt: skip


def preset(convention: str) -> dict[str, Any]:
    """The settings of the section `grpo` that a convention stands for.

    >>> preset("verl")["std_eps"]
    1e-06
    """
    return {k: dict(v) if isinstance(v, dict) else v for k, v in CONVENTIONS[convention].items()}


def with_preset(section: Mapping[str, Any]) -> dict[str, Any]:
    """The section `grpo` of a recipe with its convention filled in below what it says itself.

    >>> made = with_preset({"convention": "verl", "loss": {"clip_high": 0.28}})
    >>> made["loss"]["clip_high"], made["loss"]["dual"], made["std_eps"]
    (0.28, 3.0, 1e-06)
    """
    convention = section.get("convention", "proofgym")
    if convention not in CONVENTIONS:
        return dict(section)  # the checks of the configuration say what is wrong with it
    filled = preset(convention)
    for key, value in section.items():
        base = filled.get(key)
        filled[key] = {**base, **value} if isinstance(base, dict) and isinstance(value, Mapping) else value
    return filled
