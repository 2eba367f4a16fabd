"""What a trainer cannot carry is said once, in one sentence, on stderr."""

from __future__ import annotations

import logging
import threading

__all__ = ["forget", "said_once"]

_LOGGER = logging.getLogger("proofgym.adapters")
_said: set[str] = set()
_lock = threading.Lock()


def said_once(key: str, text: str, *, level: int = logging.WARNING) -> bool:
    """Log a sentence, unless one was logged under this key by this process before.

    It goes to the logger `proofgym.adapters`. Where the program has set up no logging, Python's handler of last resort
    writes warnings to stderr, so they are seen without any set-up; who wants silence sets that logger's level.

    Args:
        key: What the sentence is about, such as `trl.scalar`.
        text: What is lost, and what the user can do.
        level: A level of `logging`.
    Returns:
        Whether it was said now.

    >>> said_once("doctest", "nothing is lost", level=logging.DEBUG)
    True
    >>> said_once("doctest", "nothing is lost", level=logging.DEBUG)
    False
    """
    with _lock:
        if key in _said:
            return False
        _said.add(key)
    _LOGGER.log(level, text)
    return True


def forget() -> None:
    """Let everything be said again; for tests."""
    with _lock:
        _said.clear()
