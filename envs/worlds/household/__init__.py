"""Households: ALFWorld's rules to the letter, thousands of times faster, and houses that it has not."""

from proofgym.envs.worlds.household.scene import Goal, Scene

__all__ = ["Goal", "Scene"]
