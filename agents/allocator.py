"""Keep memory that is used again at once.

A training step frees its activations and asks for the same sizes a moment later. glibc hands large blocks and the top
of its heap back to the system each time, and the system has to find and clear the same pages again: for a small model
on a CPU that is a few percent of an update (`benchmarks/trainer.py`, "tiny 32x16").
"""

from __future__ import annotations

import ctypes
import os
import platform

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # <malloc.h>
_TRIM_BYTES, _MMAP_BYTES = 256 << 20, 32 << 20  # 32 MiB is the most that glibc takes
_BY_HAND = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Let this process keep up to 256 MiB of freed memory, and take blocks of up to 32 MiB from its heap (mallopt(3)).

    Whoever has set glibc's own variables in the environment is left alone.

    Returns:
        Whether it is done; False without glibc.
    """
    if platform.libc_ver()[0] != "glibc" or any(name in os.environ for name in _BY_HAND):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_MMAP_THRESHOLD, _MMAP_BYTES)) and bool(mallopt(_TRIM_THRESHOLD, _TRIM_BYTES))
