"""Policies, rollouts, advantages, losses and the trainer.

`advantages` needs NumPy only; everything that touches a model needs the extra `train`.
"""

if __name__ != "proofgym.agents":
    raise ImportError(
        f"this folder is `proofgym.agents`; install proofgym and import it by that name, not as {__name__!r}"
    )

__all__ = ["advantages", "losses", "policy", "recipe", "rollout", "scripted", "trainer"]
