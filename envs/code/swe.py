"""Rows in the form of SWE-bench, read into tasks of a test suite, from checkouts that lie on this machine.

A row names a repository, a commit, a patch that resolves an issue, and a patch of the tests. The repository itself is
not in it: a folder holds one checkout for each row, under its `instance_id`. Of the row, the tests that must come to
pass and those that must still pass become cases, the test patch is applied, and the one module that the patch changes
is what is asked for. Rows whose patch changes several files are refused.

Source: Jimenez et al. 2024, SWE-bench (arXiv:2310.06770).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proofgym.envs.code.rows import Question
from proofgym.errors import BadInput
from proofgym.sandboxes import Limits
from proofgym.verifiers.code import Case, CodeTask

__all__ = ["apply_diff", "swe_bench"]

_LIMITS = Limits(wall_s=20.0, cpu_s=20.0, memory_mb=1024, processes=64)
_MOST_FILES, _MOST_BYTES = 1500, 16 << 20
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_SUFFIXES = (".py", ".txt", ".md", ".rst", ".json", ".toml", ".cfg", ".ini", ".csv", ".yaml", ".yml")


def swe_bench(row: Any, repositories: str | Path) -> Question:
    """A row of SWE-bench: `instance_id`, `problem_statement`, `patch`, `test_patch`, `FAIL_TO_PASS`, `PASS_TO_PASS`.

    Args:
        repositories: A folder with a checkout of the base commit for each row, in a folder called its `instance_id`.
    Raises:
        BadInput: A field is missing or cannot be used; a patch does not apply; several files are changed.
    """
    if not isinstance(row, Mapping):
        raise BadInput(f"a row is an object, found {type(row).__name__}")
    for name in ("instance_id", "problem_statement", "patch", "test_patch"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            raise BadInput(f"{name!r} is no text, found {row.get(name)!r:.40}")
    if not re.fullmatch(r"[\w.-]{1,200}", row["instance_id"]) or set(row["instance_id"]) <= {"."}:
        raise BadInput(f"'instance_id' is {row['instance_id']!r:.60}; it names a folder")
    files = _files(Path(repositories) / row["instance_id"])
    changed = _touched(row["patch"], "patch")
    if len(changed) != 1:
        raise BadInput(f"'patch' changes {len(changed)} files ({', '.join(changed)[:100]}); one module is asked for")
    (module,) = changed
    if module not in files:
        raise BadInput(f"'patch' changes {module!r}, which the checkout does not have")
    files = apply_diff(files, row["test_patch"], "test_patch")
    given = files[module]
    gold = apply_diff(files, row["patch"], "patch")[module]
    cases = [
        *(Case(f"repaired: {node}", node=node) for node in _nodes(row, "FAIL_TO_PASS")),
        *(Case(f"kept: {node}", node=node) for node in _nodes(row, "PASS_TO_PASS")),
    ]
    if not any(case.name.startswith("repaired") for case in cases):
        raise BadInput("'FAIL_TO_PASS' is empty; nothing would show that the issue is resolved")
    rest = {path: text for path, text in files.items() if path != module}
    missing = next((case.node for case in cases if case.node.partition("::")[0] not in rest), None)
    if missing:
        raise BadInput(f"the test {missing!r:.80} is in no file of the checkout")
    task = CodeTask(
        "pytest", tuple(cases), files=rest, module=module, limits=_LIMITS, packages=True, reference=gold,
        origin=row["instance_id"],
    )  # fmt: skip
    text = (
        f"{row['problem_statement'].strip()}\n\nResolve this in the file {module}, which now reads:\n\n{given}\n\n"
        f"Give the whole new file."
    )
    return Question(text, task, gold, 0.8)


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
        old, new = _side(lines[at]), _side(lines[at + 1])
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


def _side(line: str) -> str:
    path = line[4:].split("\t")[0].strip()
    return "" if path == "/dev/null" else re.sub(r"^[ab]/", "", path)


def _touched(diff: str, name: str) -> list[str]:
    found = [_side(line) for line in diff.split("\n") if line.startswith("+++ ")]
    if not found:
        raise BadInput(f"{name!r} is no unified diff")
    return list(dict.fromkeys(found))


def _nodes(row: Mapping[str, Any], name: str) -> list[str]:
    value = row.get(name)
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name!r} is no JSON: {error}") from None
    if not isinstance(value, list) or not all(isinstance(node, str) and "::" in node for node in value):
        raise BadInput(f"{name!r} is no list of tests such as 'tests/test_a.py::test_b', found {value!r:.60}")
    return value


def _files(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise BadInput(f"no checkout at {folder}; put the repository at its base commit there")
    found: dict[str, str] = {}
    size = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix not in _SUFFIXES or path.is_symlink() or not path.is_file() or ".git" in inside.parts:
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue  # data that no test of text reads
        found[inside.as_posix()] = text
        size += len(text)
        if len(found) > _MOST_FILES or size > _MOST_BYTES:
            raise BadInput(f"{folder} has more than {_MOST_FILES} files or {_MOST_BYTES >> 20} MiB of text")
    return found
