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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proofgym.envs.code.diffs import apply_diff, side
from proofgym.envs.code.rows import Question
from proofgym.errors import BadInput
from proofgym.sandboxes import Limits
from proofgym.verifiers.code import Case, CodeTask

__all__ = ["swe_bench"]

_LIMITS = Limits(wall_s=20.0, cpu_s=20.0, memory_mb=1024, processes=64)
_MOST_FILES, _MOST_BYTES = 1500, 16 << 20
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


def _touched(diff: str, name: str) -> list[str]:
    found = [side(line) for line in diff.split("\n") if line.startswith("+++ ")]
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
