"""Puzzles: families of instances with proved properties, judged by their rules (see `contract`)."""

from proofgym.envs.puzzles.families import FAMILIES, family

__all__ = ["FAMILIES", "family"]
