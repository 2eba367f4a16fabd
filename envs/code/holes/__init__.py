"""Programs with a planted weakness: each does its work, and each can be attacked until it is repaired."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping

from proofgym.envs.code.holes.hole import HOLES, Hole
from proofgym.envs.code.program import Draw

__all__ = ["Hole", "holes"]


@functools.lru_cache(maxsize=1)
def holes() -> Mapping[str, Callable[[Draw], Hole]]:
    """Every kind of hole by its CWE number, in an order that never changes."""
    for module in ("injection", "trust", "limits"):
        importlib.import_module(f"proofgym.envs.code.holes.{module}")
    return dict(sorted(HOLES.items()))
