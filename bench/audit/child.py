"""A child process that answers requests: started once, asked often, ended with whoever started it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any

__all__ = ["HASH_SEEDS", "Child", "ChildFailed", "ChildLost", "shared"]

HASH_SEEDS = ("0", "4711")
"""The two hash seeds under which everything is asked again."""


class ChildLost(Exception):
    """The child died or did not answer in time."""


class ChildFailed(Exception):
    """The request raised in the child; the message says what."""

    def __init__(self, message: str, unjudged: bool) -> None:
        super().__init__(message)
        self.unjudged = unjudged


class Child:
    """One process of `proofgym.bench.audit.probe`.

    Args:
        hash_seed: Its PYTHONHASHSEED; by default this process's own setting.
        quiet: Whether what it prints is thrown away.
    """

    def __init__(self, hash_seed: str | None = None, quiet: bool = True) -> None:
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
        if hash_seed is not None:
            environment["PYTHONHASHSEED"] = hash_seed
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "proofgym.bench.audit.probe"], env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None,
            encoding="utf-8", start_new_session=True,  # Ctrl-C is for the parent, which ends its children itself
        )  # fmt: skip
        self._replies: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as replies:
            for line in replies:
                self._replies.put(line)
        self._replies.put(None)

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any], timeout_s: float = 300.0) -> Any:
        """Send one request and wait for its value.

        Raises:
            ChildFailed: If it raised there.
            ChildLost: If the process died, or did not answer in time and was ended.
        """
        try:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request, ensure_ascii=True) + "\n")
            self._process.stdin.flush()
            line = self._replies.get(timeout=timeout_s)
        except queue.Empty:
            self.close()
            raise ChildLost(f"another process did not answer within {timeout_s:g} s") from None
        except OSError:
            line = None
        if line is None:
            code = self._process.wait(timeout=10)
            raise ChildLost(f"another process died with exit code {code}")
        reply = json.loads(line)
        if "error" in reply:
            raise ChildFailed(reply["error"], bool(reply.get("unjudged")))
        return reply["value"]

    def close(self) -> None:
        """End it; what it started ends with its pipes."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=10)
        self._reader.join(timeout=5)


_children: dict[tuple[int, str], Child] = {}


def shared(hash_seed: str) -> Child:
    """This process's child with a hash seed, started when first asked for."""
    key = os.getpid(), hash_seed
    if key not in _children or not _children[key].alive:
        if key in _children:
            _children.pop(key).close()
        atexit.register(close_shared)
        _children[key] = Child(hash_seed)
    return _children[key]


def close_shared() -> None:
    """End the shared children of this process."""
    for key in [key for key in _children if key[0] == os.getpid()]:
        _children.pop(key).close()
