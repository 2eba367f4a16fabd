"""Suites whose tests and submission live apart: ordinary tests work, and only plain values decide."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from proofgym.errors import Unjudged
from proofgym.sandboxes import Pool
from proofgym.verifiers.code import CodeReport, judge, live

Run = Callable[..., CodeReport]

SUITE = """
import unittest
import pytest
import solution
from solution import *
from solution import Vector, Empty, Stack

def test_plain(): assert add(2, 3) == 5 and solution.NAME == "it"
def test_objects():
    stack = Stack()
    stack.push(1); stack.push([2])
    assert len(stack) == 2 and stack.pop() == [2] and stack.items == [1] and isinstance(stack, Stack)
    stack.items = []
    with pytest.raises(Empty, match="empty"): stack.pop()
    with pytest.raises(IndexError): stack.pop()
def test_in_place():
    rows, seen = [3, 1, 2], {}
    solution.order(rows, seen)
    assert rows == [1, 2, 3] and seen == {"n": 3}
def test_printing(capsys):
    solution.hello("you")
    assert capsys.readouterr().out == "hello you\\n"
def test_lazily(): assert list(solution.count(3)) == [0, 1, 2] and next(solution.count(9)) == 0
def test_unnamed():
    assert solution.half(Vector(2, 4)) == solution.Pair(1, 2) and solution.Pair(1, 2) != solution.Pair(2, 1)
def test_operators(): assert Vector(1, 2) + Vector(2, 3) == Vector(3, 5) and (Vector(1, 2) * 2).x == 2
def test_named(): assert solution.point().x == 4 and solution.point() == (4, 5)
def test_context():
    with solution.Held() as held: assert held.open
    assert not held.open
def test_nested(): assert solution.nested() == {"a": [(1, {2}), None], 3: b"x"}
@pytest.fixture
def stack(): return Stack()
def test_fixture(stack): assert not stack.items
@pytest.mark.parametrize("n", [1, 2])
def test_many(n): assert add(n, n) == 2 * n
class TestCase(unittest.TestCase):
    def setUp(self): self.stack = Stack()
    def test_unit(self): self.assertAlmostEqual(solution.third(), 1 / 3); self.assertEqual(len(self.stack), 0)
@pytest.mark.skip(reason="not today")
def test_skipped(): pass
@pytest.mark.xfail
def test_expected_to_fail(): assert False
def test_callback(): assert solution.apply(lambda n: n + 1, 1) == 2
"""
SOLUTION = """
import collections
NAME = "it"
class Empty(IndexError): pass
class Stack:
    def __init__(self): self.items = []
    def push(self, item): self.items.append(item)
    def pop(self):
        if not self.items: raise Empty("it is empty")
        return self.items.pop()
    def __len__(self): return len(self.items)
def add(a, b): return a + b
def order(rows, seen): rows.sort(); seen["n"] = len(rows)
def hello(name): print("hello", name)
def count(n): yield from range(n)
class Vector:
    def __init__(self, x, y): self.x, self.y = x, y
    def __add__(self, other): return Vector(self.x + other.x, self.y + other.y)
    def __mul__(self, k): return Vector(self.x * k, self.y * k)
    def __eq__(self, other): return (self.x, self.y) == (other.x, other.y)
class Pair(Vector): pass
def half(v): return Pair(v.x // 2, v.y // 2)
def third(): return 0.33333333333
def point(): return collections.namedtuple("Point", "x y")(4, 5)
class Held:
    def __enter__(self): self.open = True; return self
    def __exit__(self, *_): self.open = False
def nested(): return {"a": [(1, {2}), None], 3: b"x"}
def apply(f, x): return f(x)
"""
GOOD = [
    "plain",
    "objects",
    "in_place",
    "printing",
    "lazily",
    "operators",
    "unnamed",
    "named",
    "context",
    "nested",
    "fixture",
    "many[2]",
]


def task(*names: str, **more: Any) -> dict[str, Any]:
    nodes = [name if "::" in name else f"test_it.py::test_{name}" for name in names]
    return {
        "kind": "pytest", "entry": "Vector", "files": {"test_it.py": SUITE}, "limits": {"wall_s": 3},
        "cases": [{"name": node.rpartition("::")[2], "node": node, "visible": True} for node in nodes], **more,
    }  # fmt: skip


def fates(report: CodeReport) -> dict[str, str]:
    return {fate.name: fate.ending.value for fate in report.tests}


def test_ordinary_tests_work_across_the_border(run: Run) -> None:
    report = run(task(*GOOD, "test_it.py::TestCase::test_unit"), SOLUTION)
    assert report.verdict.correct, [(fate.name, fate.detail) for fate in report.failures]
    assert report.integrity == "values"


def test_each_fault_is_found_by_the_test_it_concerns(run: Run) -> None:
    wrong = SOLUTION.replace("return a + b", "return a - b").replace("rows.sort()", "rows.reverse()")
    report = run(task("plain", "in_place", "nested"), wrong)
    assert fates(report) == {"test_plain": "failed", "test_in_place": "failed", "test_nested": "passed"}
    assert "-1 == 5" in report.tests[0].detail
    assert "test_plain" in report.tests[0].output


def test_only_a_report_of_passed_is_a_pass(run: Run) -> None:
    report = run(task("skipped", "expected_to_fail", "nowhere"), SOLUTION)
    assert fates(report) == {"test_skipped": "failed", "test_expected_to_fail": "failed", "test_nowhere": "error"}
    assert report.verdict.score == 0.0


def test_what_came_from_the_submission_can_go_back(run: Run) -> None:
    """Or a submission could choose what to return so that nobody can judge it."""
    suite = """
import solution
def test_compose(): assert solution.compose(solution.inc, solution.inc)(3) == 5
def test_builtin(): assert solution.compose(len, len)
def test_error():
    try: solution.boom()
    except Exception as error: assert solution.told(error) == "no"
def test_named(): assert solution.told(solution.point()) == "named"
"""
    right = """
import collections
Point = collections.namedtuple("Point", "x y")
class Odd(Exception): pass
def inc(n): return n + 1
def compose(f, g): return lambda n: f(g(n))
def boom(): raise Odd("no")
def told(thing): return "named" if isinstance(thing, tuple) else str(thing)
def point(): return Point(1, 2)
"""
    cases = [{"node": f"test_b.py::test_{name}"} for name in ("compose", "builtin", "error", "named")]
    data = {"kind": "pytest", "files": {"test_b.py": suite}, "cases": cases}
    assert run(data, right).verdict.correct
    for odd in ("inc = ValueError", "inc = ValueError('x')", "inc = Point(1, 2)", "inc = Odd", "inc = float('nan')"):
        assert run(data, f"{right}\n{odd}\n").tests[0].ending.value in ("failed", "error"), odd


def test_what_cannot_cross_is_unjudged(run: Run) -> None:
    with pytest.raises(Unjudged, match="function, which cannot cross"):
        run(task("callback"), SOLUTION)


def test_in_one_process_everything_crosses_and_the_report_says_so(run: Run) -> None:
    report = run(task("callback", "plain", integrity="in_process"), SOLUTION, in_process=True)
    assert report.verdict.correct
    assert report.integrity == "in_process"


def test_in_one_process_a_pass_that_nobody_can_earn_is_tampered(run: Run) -> None:
    forged = SOLUTION + "\nimport _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n"
    report = run(task("plain", integrity="in_process"), forged, in_process=True)
    assert fates(report) == {"test_plain": "tampered"}
    assert report.verdict.score == 0.0


def test_operators_belong_to_the_suite_unless_the_task_names_the_class(run: Run) -> None:
    yes = """
class Yes:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    def __contains__(self, other): return True
"""
    suite = """
from solution import f
def test_eq(): assert f() == 3
def test_sub(): assert abs(f() - 3) < 1
def test_in(): assert 3 in f()
"""
    cases = [{"node": f"test_y.py::test_{name}"} for name in ("eq", "sub", "in")]
    report = run({"kind": "pytest", "files": {"test_y.py": suite}, "cases": cases}, yes + "def f(): return Yes()")
    assert not any(fate.passed for fate in report.tests)


def test_a_class_named_by_the_task_lends_its_operators_to_nothing_else(run: Run) -> None:
    """Not to what its methods return, nor to another class that calls itself by that name."""
    forged = """
class Vector:
    def __init__(self, *a): self.x = 3
    def __eq__(self, other): return True
    def norm(self): return Vector()
    def __add__(self, other): return Vector()
def f(): return Vector()
g = type("Vector", (Vector,), {})
"""
    suite = """
import solution
from solution import Vector
def test_method(): assert Vector(1).norm() == 5
def test_operator(): assert Vector(1) + Vector(2) == 5
def test_function(): assert solution.f() == 5
def test_other(): assert solution.g() == 5
def test_its_own(): assert Vector(1) + Vector(2) == Vector(3) and Vector(1).x == 3
"""
    cases = [
        {"name": n, "node": f"test_v.py::test_{n}"} for n in ("method", "operator", "function", "other", "its_own")
    ]
    report = run({"kind": "pytest", "entry": "Vector", "files": {"test_v.py": suite}, "cases": cases}, forged)
    assert [fate.name for fate in report.tests if fate.passed] == ["its_own"]


def test_the_files_of_the_tests_do_not_lie_beside_the_submission(run: Run) -> None:
    spy = (
        "import os\ndef f():\n"
        "    return sorted(n for _, _, names in os.walk('.') for n in names if n.endswith(('.py', '.txt')))"
    )
    suite = "from solution import f\ndef test_f(): assert f() == ['helper.py', 'solution.py']\n"
    files = {"test_f.py": suite, "conftest.py": "", "tests/expected.txt": "3", "helper.py": "x = 1"}
    assert run({"kind": "pytest", "files": files, "cases": [{"node": "test_f.py::test_f"}]}, spy).verdict.correct


def test_a_submission_without_end_is_stopped(run: Run) -> None:
    loop = SOLUTION.replace("return a + b", "\n    while True: pass")
    report = run(task("plain", limits={"wall_s": 0.7}), loop)
    assert fates(report) == {"test_plain": "limit"}


def test_live_workers_end_with_their_pool(sandbox: Pool) -> None:
    with Pool(workers=1) as pool:
        assert judge(task("plain"), SOLUTION, pool=pool, extract=False).verdict.correct
        own = list(live._idle[pool])
        pids = [pid for worker in own for pid in worker.pids()]
        assert len(own) == 2
        assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
