"""The one pool of sandboxes that all environments of this chapter share within a process.

It starts when an environment first needs it, and closes when no environment is left that does: a little later than the
last `close`, so that closing one environment and making the next costs nothing. A forked process makes one of its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Any

from proofgym.errors import Unjudged
from proofgym.sandboxes import IsolationUnavailable, Pool

__all__ = ["LINGER_S", "lease", "release", "running"]

LINGER_S = 20.0

_lock = threading.RLock()
_users: weakref.WeakSet[Any] = weakref.WeakSet()
_pool: Pool | None = None
_owner = 0


def lease(user: object) -> Pool:
    """The shared pool, kept open until `user` is released or collected.

    Raises:
        Unjudged: This machine cannot give the isolation that judging needs.
    """
    global _pool, _owner
    with _lock:
        if _owner != os.getpid():  # a pool does not survive a fork; the parent's is the parent's
            _users.clear()
            _pool, _owner = None, os.getpid()
        if user not in _users:
            _users.add(user)
            weakref.finalize(user, _close_later).atexit = False  # at exit the pool closes itself
        if _pool is None:
            try:
                _pool = Pool(site=False)
            except IsolationUnavailable as error:
                raise Unjudged(f"no sandbox to judge in: {error}") from error
        return _pool


def release(user: object) -> None:
    """Say that `user` needs no pool any more."""
    with _lock:
        _users.discard(user)
    _close_later()


def running() -> bool:
    """Whether this process has the pool open."""
    return _pool is not None and _owner == os.getpid()


def _close_later() -> None:
    if not running() or _users:
        return
    timer = threading.Timer(LINGER_S, _close_unused)
    timer.daemon = True
    timer.start()


def _close_unused() -> None:
    global _pool
    with _lock:
        if _users or not running():
            return
        pool, _pool = _pool, None
    if pool is not None:
        pool.close()
