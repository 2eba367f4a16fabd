"""Other suites' environments with our verdicts, splits, forks and audit around them.

Each class is an ordinary environment of ours: `gym.make("proofgym/import.TextArena-v0", game="Wordle-v0")`, or the
class itself. Their packages are extras.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["Gem", "GymnasiumText", "OpenEnv", "TextArena", "VerifiersTaskset"]

_HOMES = {
    "Gem": "gem",
    "GymnasiumText": "gymnasium",
    "OpenEnv": "openenv",
    "TextArena": "textarena",
    "VerifiersTaskset": "verifiers",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"proofgym.adapters.imports.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
