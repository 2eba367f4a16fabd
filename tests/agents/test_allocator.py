"""Freed memory stays with the process, unless its owner has other plans."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from proofgym.agents import allocator

FAULTS = """
import resource, sys
from proofgym.agents.allocator import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "keep" else None
def churn():
    held = [bytearray(1 << 20) for _ in range(20)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    del held
    held = [bytearray(1 << 20) for _ in range(20)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
churn()
print(kept, churn())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_pages_are_not_asked_for_again() -> None:
    found = {}
    for way in ("keep", "leave"):
        done = subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True)
        kept, faults = done.stdout.split()
        assert kept == ("True" if way == "keep" else "None")
        found[way] = int(faults)
    assert found["keep"] < 100 < found["leave"]


def test_whoever_has_set_it_by_hand_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "1000")
    assert not allocator.keep_freed_memory()


def test_another_libc_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert not allocator.keep_freed_memory()
