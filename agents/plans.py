"""The configuration of sampling: which tasks, how episodes branch, what is replayed, and which engine generates."""

from __future__ import annotations

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

__all__ = ["Engine", "Replay", "Sampler", "Tree"]

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class Sampler:
    """Which tasks an update asks."""


@dataclass(frozen=True, config=_STRICT)
class Replay:
    """Which earlier episodes an update learns from again."""


@dataclass(frozen=True, config=_STRICT)
class Tree:
    """Where episodes branch."""


@dataclass(frozen=True, config=_STRICT)
class Engine:
    """Who generates."""
