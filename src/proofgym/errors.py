"""Every exception that proofgym raises on purpose, in one tree.

    ProofgymError
    ├── Unjudged          (RuntimeError)  nobody could judge: a dead sandbox, a missing tool, our own bug
    ├── UnknownEnv        (LookupError)   an id that is in no registry
    ├── MissingExtra      (ImportError)   an optional dependency that is not installed
    ├── BadInput          (ValueError)    a file, an option or an argument that cannot be used
    ├── EpisodeOver       (RuntimeError)  `step` before `reset`, or after the episode ended
    └── NotForkable       (TypeError)     `fork`, `state` or `restore` asked of an environment without them

Each is also a standard type, so `except ValueError` keeps working. Other modules derive from these and never
start a second tree.
"""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["BadInput", "EpisodeOver", "MissingExtra", "NotForkable", "ProofgymError", "Unjudged", "UnknownEnv", "need"]


class ProofgymError(Exception):
    """The root of the tree: catch it to catch whatever proofgym raises on purpose."""


class Unjudged(ProofgymError, RuntimeError):
    """An answer that could not be judged. It has no score: drop or mask the episode and count it.

    A fault is never a reward. A policy that is paid 0.0 because a grader broke learns our bugs.
    """


class UnknownEnv(ProofgymError, LookupError):
    """An environment id that neither we nor any installed plug-in registered."""


class MissingExtra(ProofgymError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class BadInput(ProofgymError, ValueError):
    """A file, an option or an argument that cannot be used; the message says what was found and what to do."""


class EpisodeOver(ProofgymError, RuntimeError):
    """`step` was called outside an episode."""


class NotForkable(ProofgymError, TypeError):
    """An environment that cannot hand out its state was asked for it."""


def need(module: str, extra: str) -> Any:
    """Import an optional module, or say in one sentence which extra brings it.

    Raises:
        MissingExtra: If the module, or something it needs, is not installed.

    >>> need("json", "train").dumps(1)
    '1'
    >>> need("no_such_module", "train")
    Traceback (most recent call last):
    proofgym.errors.MissingExtra: no_such_module is not installed; `pip install 'proofgym[train]'` brings it
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtra(f"{error.name} is not installed; `pip install 'proofgym[{extra}]'` brings it") from error
