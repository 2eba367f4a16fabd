"""Small repositories of several modules: each template draws its names and rules, and can be exercised by scripts."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping

from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates.repository import TEMPLATES, Repository

__all__ = ["Repository", "templates"]


@functools.lru_cache(maxsize=1)
def templates() -> Mapping[str, Callable[[Draw], Repository]]:
    """Every template by its name, in an order that never changes."""
    for module in ("shop", "tracker", "formulas", "agenda", "router"):
        importlib.import_module(f"proofgym.envs.code.templates.{module}")
    return dict(sorted(TEMPLATES.items()))
