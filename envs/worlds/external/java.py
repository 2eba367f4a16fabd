"""Engines that run on Java: the process and its pipes are ended, which their own `close` leaves to the interpreter."""

from __future__ import annotations

import contextlib
import subprocess
from typing import Any

__all__ = ["end_java"]

_PATIENCE = 10.0  # seconds until a Java process that was asked to end is killed


def end_java(env: Any) -> None:
    """Close an engine that py4j connects to its Java process, wait for the process, and free its pipes.

    Args:
        env: A `ScienceWorldEnv` or a `TextWorldExpressEnv`. Closing one twice does nothing.
    """
    process: subprocess.Popen[bytes] = env._gateway.java_process
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError):  # the process may be gone, and its pipe with it
        env.close()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    env.close = _nothing  # its destructor would close again


def _nothing() -> None:
    """What is left to do for an engine that was ended."""
