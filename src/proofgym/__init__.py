"""Environments for language-model policies whose rewards are proved, not guessed.

>>> import proofgym
>>> env = proofgym.make("proofgym/Sudoku4Steps-v0")
>>> question, info = env.reset(seed=7)
>>> env.close()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proofgym.envs import fork, list_envs, make, make_vec
from proofgym.envs.registry import register_all
from proofgym.errors import Unjudged
from proofgym.verifiers import Credit, Status, Verdict

if TYPE_CHECKING:
    from proofgym.adapters.client import connect as connect

__version__ = "0.1.0.dev0"
__all__ = ["Credit", "Status", "Unjudged", "Verdict", "connect", "fork", "list_envs", "make", "make_vec"]

register_all()


def __getattr__(name: str) -> Any:
    """`connect` is loaded when it is first asked for."""
    if name == "connect":
        from proofgym.adapters.client import connect

        return connect
    raise AttributeError(f"module 'proofgym' has no attribute {name!r}")
