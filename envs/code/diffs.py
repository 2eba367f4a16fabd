"""Unified diffs, applied exactly: no fuzz, no offsets, nothing outside the files that are given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from proofgym.errors import BadInput

__all__ = ["apply_diff", "apply_hunks", "has_hunks", "side"]

_HUNK = re.compile(r"^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")


def apply_diff(files: Mapping[str, str], diff: str, name: str = "patch") -> dict[str, str]:
    """The files after a unified diff, which must fit exactly: no fuzz, no offsets.

    Raises:
        BadInput: It does not fit, or is no unified diff.

    >>> apply_diff({"a": "x\\ny\\n"}, "--- a/a\\n+++ b/a\\n@@ -1,2 +1,2 @@\\n x\\n-y\\n+z\\n")
    {'a': 'x\\nz\\n'}
    """
    made = dict(files)
    lines = diff.split("\n")
    at = 0
    while at < len(lines):
        if not lines[at].startswith("--- "):
            at += 1
            continue
        if at + 1 >= len(lines) or not lines[at + 1].startswith("+++ "):
            raise BadInput(f"{name!r}, line {at + 1}: a line with --- is not followed by one with +++")
        old, new = side(lines[at]), side(lines[at + 1])
        before = made.get(old, "").split("\n") if old else []
        if old and old not in made:
            raise BadInput(f"{name!r} changes {old!r}, which is not there")
        at, after = _hunks(lines, at + 2, before, name)
        if old:
            del made[old]
        if new:
            made[new] = "\n".join(after)
    return made


def _hunks(lines: Sequence[str], at: int, before: Sequence[str], name: str) -> tuple[int, list[str]]:
    after: list[str] = []
    done = 0
    while at < len(lines) and (found := _HUNK.match(lines[at])):
        start, count = int(found[1]), int(found[2] or 1)
        begin = start - 1 if count else start
        if not done <= begin <= len(before):
            raise BadInput(f"{name!r}, line {at + 1}: the hunk lies outside the file")
        after += before[done:begin]
        done, left, right = begin, count, int(found[4] or 1)
        at += 1
        while left > 0 or right > 0:
            sign, text = (lines[at][:1] or " ", lines[at][1:]) if at < len(lines) else ("", "")
            if sign not in (" ", "-", "+"):
                if sign == "\\":
                    at += 1
                    continue
                raise BadInput(f"{name!r}, line {at + 1}: the hunk is broken off")
            if sign != "+" and (done >= len(before) or before[done] != text):
                raise BadInput(f"{name!r}, line {at + 1}: the file does not have this line here")
            if sign != "-":
                after.append(text)
            done += sign != "+"
            left -= sign != "+"
            right -= sign != "-"
            at += 1
    after += before[done:]
    if done == 0 and not before and after and after[-1] != "":
        after.append("")
    return at, after


def side(line: str) -> str:
    path = line[4:].split("\t")[0].strip()
    return "" if path == "/dev/null" else re.sub(r"^[ab]/", "", path)


def has_hunks(text: str) -> bool:
    """Whether a text has a hunk of a unified diff in it."""
    return any(_HUNK.match(line) for line in text.split("\n"))


def apply_hunks(text: str, diff: str) -> tuple[str, int, int]:
    """One text after the hunks of a diff, whatever file they name, and where the hunks stand in the diff.

    Raises:
        BadInput: They do not fit exactly.

    >>> apply_hunks("x\\ny\\n", "so:\\n@@ -2 +2 @@\\n-y\\n+z\\nthat is it")[0]
    'x\\nz\\n'
    """
    lines = diff.split("\n")
    first = next(at for at, line in enumerate(lines) if _HUNK.match(line))
    last, after = _hunks(lines, first, text.split("\n"), "the diff")
    start = sum(len(line) + 1 for line in lines[:first])
    return "\n".join(after), start, min(len(diff), sum(len(line) + 1 for line in lines[:last]))
