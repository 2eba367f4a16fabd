"""Families of small programs: each draws a specification in English, a reference in Python, and inputs."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping

from proofgym.envs.code.program import FAMILIES, Family

__all__ = ["MODULES", "families"]

MODULES = (
    "strings",
    "sequences",
    "numbers",
    "parsing",
    "machines",
    "graphs",
    "tabulation",
    "intervals",
    "mappings",
    "classes",
)


@functools.lru_cache(maxsize=1)
def families() -> Mapping[str, Family]:
    """Every family by its name, in an order that never changes."""
    for module in MODULES:
        importlib.import_module(f"proofgym.envs.code.families.{module}")
    importlib.import_module("proofgym.envs.code.pipeline")
    return dict(sorted(FAMILIES.items()))
