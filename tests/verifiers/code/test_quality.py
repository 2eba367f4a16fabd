"""Qualities: parts that a better program raises, that no comment can buy, and that only a right program has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.code import CodeReport
from proofgym.verifiers.code.quality import QUALITIES, struck

Run = Callable[..., CodeReport]

TASK: dict[str, Any] = {
    "kind": "function",
    "entry": "f",
    "reference": "def f(n):\n    return n * n\n",
    "cases": [{"args": [n], "expected": n * n} for n in range(4)],
}
CLEAN = 'def f(n: int) -> int:\n    """Return the square."""\n    return n * n\n'


def part(run: Run, program: str, name: str) -> float:
    verdict = run(TASK, program, quality=[name]).verdict
    assert verdict.correct
    assert verdict.score == 1.0
    value = verdict.parts[name]
    assert 0.0 <= value <= 1.0
    return value


def test_off_by_default_and_gated_by_correctness(run: Run) -> None:
    assert not set(QUALITIES) & set(run(TASK, CLEAN).verdict.parts)
    assert not set(QUALITIES) & set(run(TASK, "def f(n): return n", quality=["lint", "length"]).verdict.parts)


@pytest.mark.parametrize("name", ["lint", "complexity", "types", "security"])
def test_a_clean_program_has_full_marks(run: Run, name: str) -> None:
    assert part(run, CLEAN, name) == 1.0


@pytest.mark.parametrize(
    ("name", "worse", "quiet"),
    [
        (
            "lint",
            "import os\ndef f(n):\n    l = n\n    return l * n\n",
            "import os  # noqa\ndef f(n):  # noqa: E741\n    l = n  # ruff: noqa\n    return l * n\n",
        ),
        (
            "types",
            "def f(n):\n    return n * n\n",
            "# mypy: ignore-errors\ndef f(n):  # type: ignore\n    return n * n\n",
        ),
        (
            "security",
            "def f(n):\n    exec('1')\n    return n * n\n",
            "def f(n):\n    exec('1')  # nosec\n    return n * n\n",
        ),
    ],
)  # fmt: skip
def test_a_worse_program_has_less_and_a_comment_cannot_buy_it_back(run: Run, name: str, worse: str, quiet: str) -> None:
    assert part(run, worse, name) < 1.0
    assert part(run, quiet, name) < part(run, worse, name)


def test_a_knot_of_branches_is_complex(run: Run) -> None:
    knot = (
        "def f(n):\n" + "".join(f"    if n == {10 + k}:\n        return 0\n" for k in range(30)) + "    return n * n\n"
    )
    assert part(run, knot, "complexity") == pytest.approx(10 / 31)


def test_length_is_measured_against_the_reference(run: Run) -> None:
    assert part(run, TASK["reference"], "length") == 1.0
    assert part(run, "# " + "x" * 300 + "\n" + TASK["reference"], "length") < 0.2


def test_time_and_memory_are_measured_against_the_reference(run: Run) -> None:
    slow = "def f(n):\n    sum(range(2_000_000))\n    return n * n\n"
    parts = run(TASK, slow, quality=["time"]).verdict.parts
    assert parts["time"] == parts["speedup"] < 0.6
    hungry = "HELD = bytearray(60 << 20)\n" + TASK["reference"]
    assert part(run, hungry, "memory") < 0.7
    assert part(run, TASK["reference"], "memory") > 0.8


def test_a_reference_runs_with_the_same_prelude(run: Run) -> None:
    task = {**TASK, "prelude": "import math", "reference": "def f(n): return math.prod((n, n))"}
    assert run(task, task["reference"], quality=["time", "length"]).verdict.parts["length"] == 1.0


def test_a_reference_that_fails_is_unjudged(run: Run) -> None:
    with pytest.raises(Unjudged, match="reference"):
        run({**TASK, "reference": "def f(n): return 0"}, CLEAN, quality=["time"])


def test_qualities_of_python_are_asked_of_python_only(run: Run) -> None:
    task = {"kind": "stdio", "language": "c", "cases": [{"expected": "1"}]}
    with pytest.raises(BadInput, match="Python only"):
        run(task, "int main() {}", quality=["lint"])


def test_nothing_of_the_submission_is_run_by_the_tools(run: Run) -> None:
    """At the second time of asking it would fail; the tools only read it."""
    once = CLEAN + "\nif __name__ != 'solution':\n    raise SystemExit('somebody imported me')\n"
    assert part(run, once, "types") == 1.0
    assert part(run, once, "security") == 1.0


@pytest.mark.parametrize(
    ("name", "line", "count"),
    [("lint", "x = 1  # NOQA", 1), ("lint", "s = 'plain'  # a word", 0), ("types", "x = 1  #type:ignore[x]", 1),
     ("types", "# mypy: disallow-any=False", 1), ("types", "@no_type_check", 1),
     ("types", "x = []  # type: list[int]", 0),
     ("security", "exec(x)  # nosec B102", 1)],
)  # fmt: skip
def test_which_comments_count(name: str, line: str, count: int) -> None:
    assert struck(line, name)[1] == count
