"""The system-call filter, run by an interpreter of our own for both architectures; and what lies beneath it."""

from __future__ import annotations

import struct

import pytest

from proofgym.sandboxes import _sys

ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x50001, 0x50026


def answer(program: bytes, number: int, arch: int, args: tuple[int, ...] = (0,) * 6) -> int:
    """What the kernel would say: a small interpreter of the filter language."""
    data = struct.pack("<iIQ6Q", number, arch, 0, *args)
    at = value = 0
    for _ in range(4096):
        op, yes, no, k = struct.unpack_from("<HBBI", program, 8 * at)
        at += 1
        if op == 0x20:
            (value,) = struct.unpack_from("<I", data, k)
        elif op == 0x06:
            return int(k)
        elif op == 0x05:
            at += k
        else:
            at += yes if {0x15: value == k, 0x35: value >= k, 0x45: bool(value & k)}[op] else no
    raise AssertionError("the filter does not end")


def both(arch: str, number: int, audit: int, args: tuple[int, ...] = (0,) * 6, **options: bool) -> int:
    """What the two filters say together: the kernel takes the stricter answer, and the lower number is the stricter."""
    answers = [answer(program, number, audit, args) for program in _sys.bpf_filters(arch, **options)]
    return KILL if KILL in answers else min(answers)


@pytest.mark.parametrize(("arch", "audit", "column"), [("x86_64", 0xC000003E, 0), ("aarch64", 0xC00000B7, 1)])
def test_filter_says_of_every_number_what_the_table_says(arch: str, audit: int, column: int) -> None:
    refused = {numbers[column] for numbers in _sys._REFUSED.values()} - {None}
    special = {numbers[column] for numbers in _sys._SPECIAL.values()}
    assert not refused & special
    for number in range(1024):
        if number not in special:
            assert both(arch, number, audit) == (EPERM if number in refused else ALLOW), number


@pytest.mark.parametrize(("arch", "audit", "column"), [("x86_64", 0xC000003E, 0), ("aarch64", 0xC00000B7, 1)])
def test_filter_looks_at_arguments(arch: str, audit: int, column: int) -> None:
    number = {name: numbers[column] for name, numbers in _sys._SPECIAL.items()}
    assert both(arch, number["socket"], audit, (1, 1, 0, 0, 0, 0)) == ALLOW
    for family in (0, 2, 10, 16, 17, 38, 40):
        assert both(arch, number["socket"], audit, (family, 1, 0, 0, 0, 0)) == 0x50061
    assert both(arch, number["clone"], audit, (0x11, 0, 0, 0, 0, 0)) == ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert both(arch, number["clone"], audit, (flag | 0x11, 0, 0, 0, 0, 0)) == EPERM
    assert both(arch, number["clone3"], audit) == ENOSYS
    assert both(arch, number["ioctl"], audit, (0, 0x5412, 0, 0, 0, 0)) == EPERM
    assert both(arch, number["ioctl"], audit, (0, 0x541C, 0, 0, 0, 0)) == EPERM
    assert both(arch, number["ioctl"], audit, (0, 0x5401, 0, 0, 0, 0)) == ALLOW
    assert both(arch, number["socket"], audit, (1, 1, 0, 0, 0, 0), sockets=False) == EPERM


def test_foreign_entries_are_killed_by_either_filter() -> None:
    for program in _sys.bpf_filters("x86_64"):
        assert answer(program, 20, 0x40000003) == KILL  # 32-bit
        assert answer(program, 0x40000001, 0xC000003E) == KILL  # x32
    for program in _sys.bpf_filters("aarch64"):
        assert answer(program, 20, 0x40000028) == KILL  # 32-bit arm


def test_signals_can_be_refused_too() -> None:
    assert both("x86_64", 62, 0xC000003E, signals=False) == EPERM
    assert both("x86_64", 62, 0xC000003E) == ALLOW


def test_a_job_has_little_to_load() -> None:
    worker, job = _sys.bpf_filters("x86_64")
    assert len(worker) // 8 < 320
    assert len(job) // 8 < 50
