"""Rows of public data sets of programming, read into questions and the tasks that judge them.

One function for each format, from a row to a `Question`. A row that cannot be used is refused with the field's name.
The solutions of a row are the work of strangers: they run in sandboxes only, where their results are needed at all.

Sources: HumanEval (arXiv:2107.03374), MBPP (arXiv:2108.07732), HumanEval+ and MBPP+ (arXiv:2305.01210), APPS
(arXiv:2105.09938), TACO (arXiv:2312.14852), LiveCodeBench (arXiv:2403.07974), CodeContests (arXiv:2203.07814).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from proofgym.envs.code import fields
from proofgym.errors import BadInput, Unjudged
from proofgym.sandboxes import Job, Limits, Pool
from proofgym.verifiers.code import Case, CodeTask, Comparator
from proofgym.verifiers.code import humaneval as recorded

__all__ = ["FORMATS", "Question", "read_row", "sniff"]

_MOST_CASES = 400
_RUNNING = Limits(wall_s=30.0, cpu_s=30.0, memory_mb=1024)


@dataclass(frozen=True, slots=True)
class Question:
    """What a row asks.

    Args:
        text: The question, without how to answer.
        task: What judges it.
        reference: A right program in the task's language; empty where the row has none.
        difficulty: In [0, 1], by the row's own word where it has one.
    """

    text: str
    task: CodeTask
    reference: str
    difficulty: float = 0.5


def human_eval(row: Mapping[str, Any], pool: Pool | None) -> Question:
    """A row of HumanEval: `prompt`, `entry_point`, `canonical_solution`, `test`."""
    task = recorded.task(fields.texts(row, *recorded.FIELDS), pool=pool, limits=fields.LIMITS)
    shown = sum(1 for line in row["prompt"].split("\n") if line.strip().startswith(">>>"))
    text = f"Complete this Python function:\n\n{row['prompt']}"
    return Question(text, task, task.reference, min(1.0, 0.3 + 0.1 * max(0, 3 - shown)))


def eval_plus(row: Mapping[str, Any], pool: Pool | None) -> Question:
    """A row of HumanEval+ or MBPP+: as HumanEval, with `base_input` and `plus_input` and a tolerance `atol`.

    What is expected is what `canonical_solution` returns, run in a sandbox. Both kinds of input are judged.
    """
    found = fields.texts(row, "prompt", "entry_point", "canonical_solution")
    inputs = [*fields.rows_of_arguments(row, "base_input"), *fields.rows_of_arguments(row, "plus_input")][:_MOST_CASES]
    if not inputs:
        raise BadInput("'base_input' and 'plus_input' are empty; nothing could be judged")
    solution = found["prompt"] + found["canonical_solution"]
    if f"def {found['entry_point']}" in found["canonical_solution"]:
        solution = found["canonical_solution"]
    results = _results(solution, found["entry_point"], inputs, pool)
    atol = row.get("atol", 0)
    if type(atol) not in (int, float) or not 0 <= atol < 1:
        raise BadInput(f"'atol' is {atol!r:.40}; give a number from 0 to below 1")
    # EvalPlus compares floats within 1e-6 of each other where a row gives no tolerance of its own
    compare = Comparator(types="python", abs=float(atol) or 1e-6, rel=1e-7)
    cases = tuple(
        Case(f"case {n}", args=tuple(args), expected=value)
        for n, (args, value) in enumerate(zip(inputs, results, strict=True), 1)
    )
    stub = found["prompt"] if f"def {found['entry_point']}" in found["prompt"] else ""
    task = CodeTask(
        "function", cases, entry=found["entry_point"], stub=stub, compare=compare, limits=fields.LIMITS,
        reference=solution, origin=str(row.get("task_id", "")),
    )  # fmt: skip
    return Question(f"Write the Python function {found['entry_point']}:\n\n{found['prompt']}", task, solution)


def mbpp(row: Mapping[str, Any], pool: Pool | None) -> Question:
    """A row of MBPP: `text` (or `prompt`), `code`, `test_list`, and possibly `test_setup_code` or `test_imports`.

    The first assertion is shown, as it tells the function's name; the others judge, those of `challenge_test_list` too.
    """
    code = fields.text(row, "code")
    said = fields.text(row, "text", "prompt")
    tests = fields.list_of_texts(row, "test_list")
    more = fields.list_of_texts(row, "challenge_test_list") if row.get("challenge_test_list") else []
    setup = row.get("test_setup_code") or "\n".join(row.get("test_imports") or ())
    if not isinstance(setup, str):
        raise BadInput("'test_setup_code' is no text")
    entry = _called(tests, code)
    renamed = [_renamed(test, entry) for test in (*tests, *more)]
    body = "\n".join(f"    {line}" for test in renamed for line in test.split("\n"))
    as_human_eval = {
        "task_id": f"mbpp/{row.get('task_id', '?')}", "prompt": "", "entry_point": entry,
        "canonical_solution": f"{setup}\n{code}\n", "test": f"def check(candidate):\n{body}\n",
    }  # fmt: skip
    task = recorded.task(as_human_eval, pool=pool, limits=fields.LIMITS)
    first = replace(task.cases[0], visible=True)
    if len(task.cases) < 2:
        raise BadInput("'test_list' has one assertion, which is shown; nothing is left to judge by")
    task = replace(task, cases=(first, *task.cases[1:]), prelude=setup)
    return Question(f"{said.strip()}\n\nYour Python code should pass tests such as:\n\n{tests[0]}", task, code)


def apps(row: Mapping[str, Any], pool: Pool | None) -> Question:
    """A row of APPS or TACO: `question`, `input_output` (JSON text with `inputs`, `outputs`, possibly `fn_name`)."""
    said = fields.text(row, "question")
    tests = fields.json_of(row, "input_output", Mapping)
    starter = row.get("starter_code") or ""
    inputs, outputs = tests.get("inputs"), tests.get("outputs")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs) or not inputs:
        raise BadInput("'input_output' has no equally long, non-empty 'inputs' and 'outputs'")
    limits = fields.time_and_memory(row)
    pairs = list(zip(inputs, outputs, strict=True))[:_MOST_CASES]
    name = tests.get("fn_name")
    if name:
        entry = _entry(str(name), str(starter))
        cases = tuple(_call(f"case {n}", given, wanted) for n, (given, wanted) in enumerate(pairs, 1))
        task = CodeTask("function", cases, entry=entry, limits=limits, origin=str(row.get("url") or ""))
    else:
        cases = tuple(_printed(n, given, wanted) for n, (given, wanted) in enumerate(pairs, 1))
        task = CodeTask("stdio", cases, compare=_NUMBERS, limits=limits, origin=str(row.get("url") or ""))
    given = f"\n\nBegin with:\n\n{starter}" if starter else ""
    return Question(f"{said.strip()}{given}", task, fields.first_solution(row), fields.level(row.get("difficulty")))


def live_code_bench(row: Mapping[str, Any], pool: Pool | None) -> Question:
    """A row of LiveCodeBench: `question_content`, `public_test_cases`, `private_test_cases`, `metadata`.

    Private cases may be packed as base64 of zlib of a pickled text. They are unpacked within bounds, and the text is
    read out of the pickle's opcodes: nothing is unpickled.
    """
    said = fields.text(row, "question_content")
    public, private = _live_cases(row, "public_test_cases"), _live_cases(row, "private_test_cases")
    starter = row.get("starter_code") or ""
    metadata = fields.json_of(row, "metadata", Mapping) if row.get("metadata") else {}
    tests = [(test, True) for test in public] + [(test, False) for test in private]
    kinds = {test.get("testtype") for test, _ in tests}
    if len(kinds) != 1 or not kinds <= {"stdin", "functional"}:
        raise BadInput(f"cases have one 'testtype', stdin or functional; found {sorted(map(str, kinds))}")
    if not private:
        raise BadInput("'private_test_cases' is empty; nothing could be judged")
    tests = tests[:_MOST_CASES]
    for test, _ in tests:
        fields.texts(test, "input", "output")
    if kinds == {"stdin"}:
        made = tuple(replace(_printed(n, t["input"], t["output"]), visible=v) for n, (t, v) in enumerate(tests, 1))
        task = CodeTask("stdio", made, compare=Comparator(kind="lines"), limits=fields.LIMITS)
    else:
        name = metadata.get("func_name")
        if not isinstance(name, str) or not name.isidentifier():
            raise BadInput(f"'metadata' has no 'func_name' for functional cases, found {name!r:.40}")
        made = tuple(
            replace(_call(f"case {n}", fields.lines_of_json(t["input"]), fields.one_json(t["output"])), visible=v)
            for n, (t, v) in enumerate(tests, 1)
        )
        task = CodeTask("function", made, entry=_entry(name, str(starter)), limits=fields.LIMITS)
    given = f"\n\nBegin with:\n\n{starter}" if starter else ""
    return Question(
        f"{said.strip()}{given}",
        replace(task, origin=str(row.get("question_id", ""))),
        fields.first_solution(row),
        fields.level(row.get("difficulty")),
    )


def code_contests(row: Mapping[str, Any], pool: Pool | None) -> Question:
    """A row of CodeContests: `description`, and three kinds of tests, each with `input` and `output`."""
    said = fields.text(row, "description")
    for name in ("input_file", "output_file"):
        if row.get(name):
            raise BadInput(f"{name!r} is {row[name]!r:.40}; programs that read or write files are not asked")
    cases: list[Case] = []
    for part in ("public_tests", "private_tests", "generated_tests"):
        tests = row.get(part) or {}
        if not isinstance(tests, Mapping):
            raise BadInput(f"{part!r} is no object with 'input' and 'output'")
        given, wanted = list(tests.get("input", ())), list(tests.get("output", ()))
        if len(given) != len(wanted):
            raise BadInput(f"{part!r} has {len(given)} inputs and {len(wanted)} outputs")
        for text, printed in zip(given, wanted, strict=True):
            if len(cases) < _MOST_CASES:
                cases.append(replace(_printed(len(cases) + 1, text, printed), visible=part == "public_tests"))
    if not any(not case.visible for case in cases):
        raise BadInput("'private_tests' and 'generated_tests' are empty; nothing could be judged")
    task = CodeTask(
        "stdio", tuple(cases), compare=_NUMBERS, limits=fields.time_and_memory(row), origin=str(row.get("name", ""))
    )
    difficulty = row.get("difficulty")
    return Question(
        said.strip(),
        task,
        fields.python_solution(row),
        min(1.0, difficulty / 20) if type(difficulty) is int and difficulty > 0 else 0.5,
    )


FORMATS: Mapping[str, Callable[[Mapping[str, Any], Pool | None], Question]] = {
    "humaneval": human_eval, "humaneval+": eval_plus, "mbpp": mbpp, "mbpp+": eval_plus, "apps": apps, "taco": apps,
    "livecodebench": live_code_bench, "codecontests": code_contests,
}  # fmt: skip


def sniff(row: Mapping[str, Any]) -> str:
    """The format a row has, by its fields.

    Raises:
        BadInput: It is none of them.
    """
    for field, name in (
        ("plus_input", "humaneval+"), ("canonical_solution", "humaneval"), ("test_list", "mbpp"),
        ("input_output", "apps"), ("private_test_cases", "livecodebench"), ("private_tests", "codecontests"),
    ):  # fmt: skip
        if field in row:
            return name
    raise BadInput(
        f"no known format has the fields {', '.join(map(str, row))[:100]}; pass format=, one of {', '.join(FORMATS)}"
    )


def read_row(row: Any, form: str, pool: Pool | None = None) -> Question:
    """A row in the named format, or in the one that its fields show, for `auto`.

    Raises:
        BadInput: It cannot be used; the message names the field.
        Unjudged: Its own solution fails its own tests, or there is no sandbox to try that in.
    """
    if not isinstance(row, Mapping):
        raise BadInput(f"a row is an object, found {type(row).__name__}")
    return FORMATS[sniff(row) if form == "auto" else form](row, pool)


_NUMBERS = Comparator(kind="tokens", abs=1e-6, rel=1e-6)


def _results(solution: str, entry: str, inputs: list[list[Any]], pool: Pool | None) -> list[Any]:
    from proofgym.verifiers.code.pools import shared

    result = (pool or shared()).run(Job.calls(solution, entry, [tuple(args) for args in inputs], limits=_RUNNING))
    for args, answer in zip(inputs, result.answers, strict=True):
        if not answer.returned:
            why = answer.error or result.detail or str(result.outcome)
            raise Unjudged(f"'canonical_solution' has no result for {args!r:.60} ({why})")
    return [answer.value for answer in result.answers]


def _called(tests: Sequence[str], code: str) -> str:
    """The function that assertions are about: the one that the code defines and a test calls."""
    try:
        defined = {node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)}
        calls = [node.func for node in ast.walk(ast.parse(tests[0])) if isinstance(node, ast.Call)]
        called = [function.id for function in calls if isinstance(function, ast.Name)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"'code' or 'test_list' is no Python: {error}") from None
    found = [name for name in called if name in defined]
    if not found:
        raise BadInput(f"'test_list' calls none of the functions of 'code' ({', '.join(sorted(defined)) or 'none'})")
    return found[0]


def _renamed(test: str, entry: str) -> str:
    try:
        tree = ast.parse(test)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"'test_list' holds what is no Python: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == entry:
            node.id = "candidate"
    return ast.unparse(tree)


def _entry(name: str, starter: str) -> str:
    if not name.isidentifier():
        raise BadInput(f"'fn_name' is {name!r:.40}; give the name of a function")
    return f"Solution.{name}" if "class Solution" in starter else name


def _call(name: str, given: Any, wanted: Any) -> Case:
    if not isinstance(given, list):
        raise BadInput(f"'inputs' of {name} is no list of arguments, found {given!r:.40}")
    if isinstance(wanted, list) and len(wanted) == 1:  # many rows wrap what is returned into a list of one
        return Case(name, args=tuple(given), expected=[wanted, wanted[0]], compare=Comparator(any_of=True))
    return Case(name, args=tuple(given), expected=wanted)


def _printed(number: int, given: Any, wanted: Any) -> Case:
    texts = []
    for value in (given, wanted):
        lines = value if isinstance(value, list) else [value]
        if not all(isinstance(line, str) for line in lines):
            raise BadInput(f"case {number} is no text, found {value!r:.40}")
        texts.append("\n".join(lines))
    return Case(f"case {number}", stdin=texts[0], expected=texts[1])


def _live_cases(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = row.get(name)
    if isinstance(value, str) and not value.lstrip().startswith("["):
        value = fields.unpacked(value, name)
    found = fields.json_of({name: value}, name, list)
    if not all(isinstance(test, Mapping) for test in found):
        raise BadInput(f"{name!r} holds what is no case")
    return list(found)
