"""The held-out score at the end."""

from __future__ import annotations

from proofgym.agents.trainer import Trainer

__all__ = ["run"]


def run(trainer: Trainer) -> None:
    """Score the policy on test items under the name `after`."""
    trainer.held_out("after")
