"""The held-out score before reinforcement learning."""

from __future__ import annotations

from proofgym.agents.trainer import Trainer

__all__ = ["run"]


def run(trainer: Trainer) -> None:
    """Score the policy on test items under the name `before`."""
    trainer.held_out("before")
