"""Rows of SWE-bench, on checkouts that the tests write."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.code.diffs import apply_diff, apply_hunks
from proofgym.envs.code.swe import swe_bench
from proofgym.errors import BadInput
from proofgym.sandboxes import Pool
from proofgym.verifiers.code import judge

CORE = "def area(a, b):\n    return a + b\n\n\ndef edge(a, b):\n    return 2 * (a + b)\n"
TESTS = "from shapes.core import area, edge\n\n\ndef test_edge():\n    assert edge(1, 2) == 6\n"
ROW: dict[str, Any] = {
    "repo": "o/shapes", "instance_id": "o__shapes-1", "base_commit": "0" * 40, "version": "1.0",
    "problem_statement": "area adds.", "hints_text": "", "created_at": "2024-01-01",
    "patch": "diff --git a/shapes/core.py b/shapes/core.py\n--- a/shapes/core.py\n+++ b/shapes/core.py\n@@ -1,2 +1,2 @@\n def area(a, b):\n-    return a + b\n+    return a * b\n",
    "test_patch": "--- a/tests/test_core.py\n+++ b/tests/test_core.py\n@@ -4,2 +4,6 @@\n def test_edge():\n     assert edge(1, 2) == 6\n+\n+\n+def test_area():\n+    assert area(2, 3) == 6\n",
    "FAIL_TO_PASS": json.dumps(["tests/test_core.py::test_area"]),
    "PASS_TO_PASS": json.dumps(["tests/test_core.py::test_edge"]),
}  # fmt: skip


@pytest.fixture
def checkouts(tmp_path: Path) -> Path:
    folder = tmp_path / "o__shapes-1"
    for path, text in {
        "shapes/__init__.py": "",
        "shapes/core.py": CORE,
        "tests/test_core.py": TESTS,
        ".git/config": "secret",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_row_and_its_checkout_become_a_task(checkouts: Path) -> None:
    question = swe_bench(ROW, checkouts)
    assert question.task.module == "shapes/core.py"
    assert [case.name.split(":")[0] for case in question.task.cases] == ["repaired", "kept"]
    assert "test_area" in question.task.files["tests/test_core.py"]
    assert "a * b" in question.reference
    assert not any(".git" in path for path in question.task.files), "no history comes along"
    assert "a * b" not in question.text


def test_the_gold_patch_passes_and_the_given_file_does_not(checkouts: Path, sandbox: Pool) -> None:
    pytest.importorskip("pytest")
    question = swe_bench(ROW, checkouts)
    good = judge(question.task, question.reference, extract=False)
    assert good.verdict.correct, good.verdict
    bad = judge(question.task, CORE, extract=False)
    assert [fate.passed for fate in bad.tests] == [False, True]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"patch": ""}, "patch"), ({"problem_statement": 3}, "problem_statement"), ({"instance_id": "../x"}, "instance_id"),
        ({"instance_id": "other"}, "no checkout"), ({"FAIL_TO_PASS": "[]"}, "FAIL_TO_PASS"), ({"FAIL_TO_PASS": "{"}, "FAIL_TO_PASS"),
        ({"PASS_TO_PASS": '["test_edge"]'}, "PASS_TO_PASS"), ({"patch": ROW["patch"] + ROW["test_patch"]}, "2 files"),
        ({"patch": ROW["patch"].replace("core", "gone")}, "does not have"), ({"test_patch": ROW["test_patch"].replace("edge(1", "edge(7")}, "test_patch"),
        ({"FAIL_TO_PASS": '["tests/none.py::test"]'}, "in no file"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_refused_by_its_field(checkouts: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        swe_bench({**ROW, **change}, checkouts)


def test_a_diff_makes_deletes_and_changes_files() -> None:
    files = {"a": "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "b": "x\n"}
    diff = (
        "--- a/a\n+++ b/a\n@@ -1,3 +1,2 @@\n 1\n-2\n 3\n@@ -8,2 +7,3 @@\n 8\n+new\n 9\n"
        "--- /dev/null\n+++ b/c/d\n@@ -0,0 +1,2 @@\n+p\n+q\n--- a/b\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    assert apply_diff(files, diff) == {"a": "1\n3\n4\n5\n6\n7\n8\nnew\n9\n", "c/d": "p\nq\n"}


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_what_difflib_writes_is_applied_exactly(old: list[str], new: list[str]) -> None:
    import difflib

    before, after = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    diff = "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "a/f", "b/f"))
    assert apply_diff({"f": before}, diff)["f"].rstrip("\n") == after.rstrip("\n")


def test_hunks_are_applied_to_one_text_whatever_file_they_name() -> None:
    answer = "I see.\n```diff\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n```\nDone."
    text, start, end = apply_hunks("one\ntwo\n", answer)
    assert text == "one\nTWO\n"
    assert answer[start:end] == "@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n"
    with pytest.raises(BadInput, match="does not have this line"):
        apply_hunks("one\nthree\n", answer)


@given(st.text(st.sampled_from("-+@ 123,ab/\n"), max_size=120))
def test_any_text_is_applied_or_refused(text: str) -> None:
    with contextlib.suppress(BadInput):  # the one thing that it may raise
        assert all(isinstance(path, str) for path in apply_diff({"a": "1\n2\n"}, text))
