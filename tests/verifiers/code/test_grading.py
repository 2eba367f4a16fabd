"""The judge: right programs earn all, wrong ones what they pass, and every ending has its name."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import proofgym
from proofgym.errors import BadInput, Unjudged
from proofgym.sandboxes import Limits, Pool
from proofgym.verifiers import Status, Verdict, code
from proofgym.verifiers.code import Case, CodeReport, CodeTask, Comparator, Ending, grade, grade_many, judge
from proofgym.verifiers.code.exploits import HONEST, TASKS

Run = Callable[..., CodeReport]

SQUARE: dict[str, Any] = {
    "kind": "function",
    "entry": "f",
    "limits": {"wall_s": 2.5, "memory_mb": 128},
    "cases": [{"args": [n], "expected": n * n, "visible": n < 2} for n in range(6)],
}


def endings(report: CodeReport) -> list[str]:
    return [fate.ending.value for fate in report.tests]


@pytest.mark.parametrize("name", sorted(TASKS))
def test_an_honest_program_is_right(run: Run, name: str) -> None:
    report = run(TASKS[name], HONEST[name])
    assert report.verdict == Verdict.right(report.verdict.reason, **report.verdict.parts)
    assert all(fate.passed for fate in report.tests)
    assert report.isolation


def test_the_door_takes_a_models_answer_and_a_dict(sandbox: Pool) -> None:
    answer = "Square it:\n```python\ndef f(n):\n    return n * n\n```\nThat is all."
    assert code.grade(SQUARE, answer).correct
    assert code.grade(SQUARE, answer, pool=sandbox) == proofgym.Verdict.right(
        "6 of 6 cases passed", passed=1.0, visible=1.0, hidden=1.0
    )


def test_each_case_counts_by_its_weight(run: Run) -> None:
    cases = [{"args": [1], "expected": 1, "weight": 3}, {"args": [2], "expected": 5}]
    report = run({**SQUARE, "cases": cases}, "def f(n): return n")
    assert report.verdict.status is Status.PARTIAL
    assert report.verdict.score == 0.75
    assert [fate.share for fate in report.tests] == [0.75, 0.25]
    assert run({**SQUARE, "cases": cases}, "def f(n): return n", partial=False).verdict.score == 0.0


def test_credits_lie_on_the_code_and_sum_to_the_score(sandbox: Pool) -> None:
    answer = "Well.\n```python\ndef f(n): return n * n if n < 4 else 0\n```"
    report = judge(SQUARE, answer)
    assert math.isclose(sum(credit.value for credit in report.credits), report.verdict.score)
    assert {answer[credit.start : credit.end] for credit in report.credits} == {report.code}
    strict = judge(SQUARE, answer, partial=False)
    assert sum(credit.value for credit in strict.credits) == strict.verdict.score == 0.0


def test_visible_and_hidden_cases_are_judged_apart(run: Run) -> None:
    by_heart = "def f(n): return {0: 0, 1: 1}.get(n)"
    report = run(SQUARE, by_heart)
    assert (report.verdict.parts["visible"], report.verdict.parts["hidden"]) == (1.0, 0.0)
    assert run(SQUARE, by_heart, only="visible").verdict.correct
    assert run(SQUARE, by_heart, only="hidden").verdict.score == 0.0
    assert [fate.name for fate in report.shown()] == ["case 1", "case 2"]


def test_a_hidden_case_leaks_nothing_into_a_visible_one(run: Run) -> None:
    """Inputs of hidden cases are never in the process that answers visible ones."""
    spy = """
import gc
def f(n):
    seen = [thing for thing in gc.get_objects() if type(thing) in (list, tuple)]
    found = {item[0][0] for thing in seen for item in thing if type(item) is tuple and item[1:] == ({},)
             and type(item[0]) is tuple and len(item[0]) == 1 and type(item[0][0]) is int}
    raise ValueError(sorted(found))
"""
    report = run(SQUARE, spy)
    assert "[0, 1]" in report.tests[0].detail
    assert "5" not in report.tests[0].detail
    assert all(fate.output == "" for fate in report.tests if not fate.visible)


@pytest.mark.parametrize(
    ("program", "status", "ending", "words"),
    [
        ("def f(n): return n", "partial", "failed", "expected 4"),
        ("def f(n): return -1", "wrong", "failed", "it returned -1, expected 0"),
        ("def f(n): return 1 / 0", "wrong", "error", "ZeroDivisionError"),
        ("def f(n): return object()", "wrong", "failed", "no plain value but 'object'"),
        ("def f(n: return", "malformed", "error", "SyntaxError"),
        ("  def f(n): return 1\nx", "malformed", "error", "IndentationError"),
        ("def g(n): return n * n", "malformed", "error", "no attribute 'f'"),
        ("import nothing_of_that_name", "wrong", "error", "ModuleNotFoundError"),
        ("import os\nos._exit(0)", "wrong", "error", "status 0"),
        ("import ctypes\nctypes.string_at(0)", "wrong", "error", "signal 11"),
        ("def f(n):\n    while True: pass", "limit", "limit", "timeout"),
        ("def f(n): return bytes(1 << 30)", "limit", "limit", "memory"),
        ("import os\nos.write(3, b'I passed')\ndef f(n): return n * n", "wrong", "tampered", "runner"),
        ("", "malformed", "unrun", "no code"),
        ("   \n", "malformed", "unrun", "no code"),
        ("def f(n): return '\ud800'", "malformed", "unrun", "characters"),
        ("\0", "malformed", "unrun", "characters"),
        ("#" * (1 << 20) + "x", "malformed", "unrun", "more than"),
    ],
)
def test_each_ending_has_its_name(run: Run, program: str, status: str, ending: str, words: str) -> None:
    report = run(SQUARE, program, patience=1)
    assert report.verdict.status.value == status, report.verdict
    bad = next(fate for fate in report.tests if not fate.passed)
    assert bad.ending.value == ending
    assert words in bad.detail


def test_prose_is_malformed(sandbox: Pool) -> None:
    for prose in ("I cannot do that.", "```rust\nfn main() {}\n```", "<think> well"):
        assert grade(SQUARE, prose).status is Status.MALFORMED


def test_one_slow_case_costs_only_itself(run: Run) -> None:
    slow = "import time\ndef f(n):\n    if n == 3: time.sleep(9)\n    return n * n"
    report = run(SQUARE, slow)
    assert endings(report).count("passed") == 5
    assert report.tests[3].ending is Ending.LIMIT


def test_a_case_that_kills_its_process_costs_only_itself(run: Run) -> None:
    report = run(SQUARE, "import os\ndef f(n):\n    if n in (0, 4): os._exit(0)\n    return n * n")
    assert endings(report) == ["error", "passed", "passed", "passed", "error", "passed"]


def test_patience_bounds_what_a_hanging_program_costs(run: Run) -> None:
    cases = [{"args": [n], "expected": 0} for n in range(50)]
    report = run({**SQUARE, "cases": cases, "limits": {"wall_s": 0.2}}, "def f(n):\n    while True: pass", patience=2)
    assert endings(report).count("limit") == 2
    assert endings(report).count("unrun") == 48
    assert sum(fate.wall_s for fate in report.tests) < 2


def test_patience_is_tried_by_slow_deaths_too(run: Run) -> None:
    cases = [{"args": [n], "expected": 0} for n in range(30)]
    slow = "import os, time\ndef f(n):\n    time.sleep(0.25)\n    os._exit(0)"
    report = run({**SQUARE, "cases": cases, "limits": {"wall_s": 0.4}}, slow)
    assert endings(report).count("unrun") == 27
    stdio = {
        "kind": "stdio",
        "limits": {"wall_s": 0.4},
        "cases": [{"stdin": str(n), "expected": "1"} for n in range(30)],
    }
    report = run(stdio, "import time\ntime.sleep(0.25)\nraise SystemExit(1)")
    assert endings(report).count("unrun") == 27


def test_limits_of_one_case(run: Run) -> None:
    cases = [{"args": [0.3], "expected": 1}, {"args": [0.3], "expected": 1, "limits": {"wall_s": 0.1}}]
    report = run({**SQUARE, "cases": cases}, "import time\ndef f(n):\n    time.sleep(n)\n    return 1")
    assert endings(report) == ["passed", "limit"]


def test_the_same_submission_has_the_same_fates(run: Run) -> None:
    leaky = "seen = []\ndef f(n):\n    seen.append(n)\n    return n * n if len(seen) < 3 else 0"
    first = run(SQUARE, leaky)
    assert all(endings(run(SQUARE, leaky)) == endings(first) for _ in range(3))


def test_fresh_gives_each_case_a_process_of_its_own(run: Run) -> None:
    leaky = "seen = []\ndef f(n):\n    seen.append(n)\n    return n * n if len(seen) < 2 else 0"
    assert not run(SQUARE, leaky).verdict.correct
    assert run({**SQUARE, "fresh": True}, leaky).verdict.correct


def test_expected_exceptions(run: Run) -> None:
    task = {**SQUARE, "cases": [{"args": [-1], "raises": ["ValueError", "KeyError"]}, {"args": [1], "expected": 1}]}
    right = "def f(n):\n    if n < 0: raise ValueError(n)\n    return n"
    assert run(task, right).verdict.correct
    assert run(task, right.replace("ValueError", "TypeError")).tests[0].ending is Ending.ERROR
    assert run(task, "def f(n): return n").tests[0].ending is Ending.FAILED


def test_arguments_left_behind(run: Run) -> None:
    task = {
        "kind": "function",
        "entry": "f",
        "observe": "arguments",
        "cases": [{"args": [[3, 1]], "expected": [[1, 3]]}],
    }
    assert run(task, "def f(row): row.sort()").verdict.correct
    assert not run(task, "def f(row): return [[1, 3]]").verdict.correct


def test_a_stub_may_be_continued_or_written_anew(run: Run) -> None:
    task = {**SQUARE, "stub": "import math\ndef f(n):\n    '''The square.'''\n"}
    assert run(task, "    return math.prod((n, n))\n").verdict.correct
    assert run(task, "def f(n): return n * n").verdict.correct


def test_a_prelude_runs_first_and_leaves_future_imports_in_place(run: Run) -> None:
    task = {**SQUARE, "prelude": "from math import prod"}
    assert run(task, "def f(n): return prod((n, n))").verdict.correct
    assert run(task, "from __future__ import annotations\ndef f(n: Unknown): return prod((n, n))").verdict.correct


def test_a_class_is_judged_step_by_step(run: Run) -> None:
    late = HONEST["stack"].replace("pop()", "pop(0)")
    report = run(TASKS["stack"], late)
    assert endings(report) == ["failed", "passed"]
    assert "step 3, pop()" in report.tests[0].detail


def test_a_class_returns_what_it_held_then(run: Run) -> None:
    task = {
        "kind": "class",
        "entry": "C",
        "cases": [{"steps": [["all", [], []], ["add", [1], None], ["all", [], [1]]]}],
    }
    assert run(
        task, "class C:\n    def __init__(s): s.a = []\n    def add(s, x): s.a.append(x)\n    def all(s): return s.a"
    ).verdict.correct


CHECKED: dict[str, Any] = {
    "kind": "stdio",
    "compare": "checker",
    "checker": "def check(given, output, expected):\n"
    "    a, b = map(int, output.split())\n"
    "    return (a * b == int(given), f'{a} times {b}')",
    "cases": [{"stdin": "12", "expected": "3 4"}, {"stdin": "35", "expected": "5 7"}],
}


def test_a_checker_decides_where_many_answers_are_right(run: Run) -> None:
    assert run(CHECKED, "print(1, input())").verdict.correct
    report = run(CHECKED, "print(2, 6)")
    assert endings(report) == ["passed", "failed"]
    assert report.tests[1].detail == "2 times 6"


def test_output_that_the_checker_cannot_read_is_wrong(run: Run) -> None:
    report = run(CHECKED, "print('twelve')")
    assert report.verdict.status is Status.WRONG
    assert "cannot read its output" in report.tests[0].detail


@pytest.mark.parametrize(
    "checker",
    ["def check(given, output, expected): return undefined", "def check(given, output, expected): return 'yes'",
     "def check(given, output, expected): return 2", "def check(given, output, expected): return float('nan')",
     "def check(given, output, expected): raise ValueError('always')",
     "def check(given, output, expected):\n    import os\n    os._exit(0)"],
)  # fmt: skip
def test_a_broken_checker_is_unjudged_and_no_score(run: Run, checker: str) -> None:
    with pytest.raises(Unjudged, match="`check`"):
        run({**CHECKED, "checker": checker}, "print(3, 4)")


def test_a_checker_may_give_points(run: Run) -> None:
    task = {
        **SQUARE, "compare": "checker", "cases": [{"args": [4], "expected": 16}],
        "checker": "def check(given, output, expected): return max(0, 1 - abs(output - expected) / 16)",
    }  # fmt: skip
    assert run(task, "def f(n): return 12").verdict.score == 0.75
    assert run(task, "def f(n): return 16").verdict.correct


@pytest.mark.parametrize("output", ["float('nan')", "-10 ** 9", "'x'", "None", "[[]] * 9"])
def test_no_output_spares_a_submission_the_verdict(run: Run, output: str) -> None:
    task = {
        **SQUARE, "compare": "checker", "cases": [{"args": [4], "expected": 16}],
        "checker": "def check(given, output, expected): return 1 - abs(output - expected) / 16",
    }  # fmt: skip
    assert run(task, f"def f(n): return {output}").verdict.status is Status.WRONG
    lone = {**task, "cases": [{"args": [4]}], "checker": "def check(given, output, expected): return int(output) == 16"}
    assert run(lone, "def f(n): return 'x'").verdict.status is Status.WRONG


def test_a_checker_that_a_submission_makes_slow_is_run_a_few_times_only(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proofgym.verifiers.code import checking

    monkeypatch.setattr(checking, "LIMITS", Limits(wall_s=0.8, cpu_s=0.8))
    checker = "def check(given, output, expected):\n    while output != expected: pass\n    return True"
    cases = [{"args": [n], "expected": n} for n in range(12)]
    task = {**SQUARE, "compare": "checker", "checker": checker, "cases": cases}
    report = run(task, "def f(n): return -1", patience=2)
    assert sorted(endings(report)) == ["failed"] * 2 + ["unrun"] * 10
    assert run(task, "def f(n): return n", patience=2).verdict.correct


def test_a_checker_never_meets_the_submission(run: Run) -> None:
    """Both are called `check`, both patch `int`, and neither sees the other."""
    hostile = "import builtins\nbuiltins.int = lambda *a: 0\ndef check(*a): return True\nprint('2 2')"
    assert run(CHECKED, hostile).verdict.score == 0.0


def test_an_interactor_that_breaks_is_unjudged_and_a_broken_protocol_is_wrong(run: Run) -> None:
    task = TASKS["guess"].to_json()
    assert run(task, "print('abc')").verdict.status is Status.WRONG
    with pytest.raises(Unjudged, match="interactor"):
        run({**task, "interactor": "def interact(data, hear, say): return undefined"}, HONEST["guess"])


def test_a_program_that_stops_listening_is_judged_all_the_same(run: Run) -> None:
    deaf = "import os, time\nos.close(0)\nfor n in (1, 2, 3): print(n, flush=True); time.sleep(0.02)\n"
    report = run(TASKS["guess"], deaf)
    assert endings(report) == ["passed", "failed", "failed"]


ODD = {
    "prints slowly": ("total", """
import sys, time
row = [int(word) for word in sys.stdin.read().split()]
for letter in f"{sum(row)}\\n{max(row)}\\n":
    print(end=letter, flush=True)
    time.sleep(0.02)
"""),
    "reads raw bytes": ("total", """
import os
row, word = [], b""
while True:
    letter = os.read(0, 1)
    if letter.isdigit():
        word += letter
    elif word:
        row.append(int(word))
        word = b""
    if not letter:
        break
os.write(1, f"{sum(row)} {max(row)}".encode())
"""),
    "ends late": ("total", HONEST["total"] + "import time\ntime.sleep(0.2)\n"),
    "other digits of a float": ("ratio", """
from fractions import Fraction
print(float(Fraction("/".join(input().split()))))
"""),
    "recurses deeply": ("steps", """
import sys
sys.setrecursionlimit(10**5)
def deep(n): return 0 if n == 0 else 1 + deep(n - 1)
assert deep(9000) == 9000
""" + HONEST["steps"]),
    "uses a thread": ("steps", """
import threading
def solve(n):
    found = []
    thread = threading.Thread(target=lambda: found.append(inner(n)))
    thread.start()
    thread.join()
    return found[0]
""" + HONEST["steps"].replace("solve", "inner")),
}  # fmt: skip


@pytest.mark.parametrize("habit", sorted(ODD))
def test_honest_programs_with_odd_habits_pass(run: Run, habit: str) -> None:
    name, program = ODD[habit]
    report = run(TASKS[name], program)
    assert report.verdict.correct, [fate.detail for fate in report.failures]


def test_an_interactive_program_may_end_without_being_asked_to(run: Run) -> None:
    report = run(TASKS["guess"], "print(1)\nraise SystemExit(0)")
    assert endings(report) == ["passed", "failed", "failed"]
    assert run(TASKS["guess"], HONEST["guess"] + "raise SystemExit(3)").tests[0].ending is Ending.ERROR


PROGRAMS = {
    "c": "#include <stdio.h>\n"
    'int main(void) { int n, s = 0; while (scanf("%d", &n) == 1) s += n; printf("%d\\n", s); }',
    "cpp": "#include <iostream>\nint main() { int n, s = 0; while (std::cin >> n) s += n; std::cout << s; }",
    "rust": "use std::io::*;\nfn main() { let mut t = String::new(); stdin().read_to_string(&mut t).unwrap();\n"
    'println!("{}", t.split_whitespace().map(|w| w.parse::<i64>().unwrap()).sum::<i64>()); }',
    "go": 'package main\nimport "fmt"\nfunc main() { s, n := 0, 0\n'
    "for { if _, e := fmt.Scan(&n); e != nil { break }; s += n }; fmt.Println(s) }",
    "java": "import java.util.*;\npublic class Sum { public static void main(String[] a) {\n"
    "Scanner in = new Scanner(System.in); int s = 0;\nwhile (in.hasNextInt()) s += in.nextInt();\n"
    "System.out.println(s); } }",
    "javascript": "const t = require('fs').readFileSync(0, 'utf8');\n"
    "console.log(t.trim().split(/\\s+/).map(Number).reduce((a, b) => a + b, 0));",
}
TOOLS = {"c": "gcc", "cpp": "g++", "rust": "rustc", "go": "go", "java": "javac", "javascript": "node"}
WRONG = {"java": ("s += ", "s -= "), "javascript": ("a + b", "a - b"), "rust": ("sum", "product")}


@pytest.mark.parametrize(
    "language", [pytest.param(name, marks=pytest.mark.slow) if name == "java" else name for name in sorted(PROGRAMS)]
)
def test_programs_in_other_languages(run: Run, language: str) -> None:
    task = {
        "kind": "stdio", "language": language, "limits": {"wall_s": 10, "cpu_s": 10, "processes": 128},
        "cases": [{"stdin": "1 2 3", "expected": "6"}, {"stdin": "10 -4", "expected": "6"}],
    }  # fmt: skip
    if shutil.which(TOOLS[language]) is None:
        with pytest.raises(Unjudged, match=language):
            run(task, PROGRAMS[language])
        pytest.skip(f"no {TOOLS[language]} here; that it is unjudged was checked")
    assert run(task, PROGRAMS[language]).verdict.correct
    assert not run(task, PROGRAMS[language].replace(*WRONG.get(language, ("s += n", "s -= n")))).verdict.correct


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here")
def test_a_program_that_does_not_compile_is_malformed(run: Run) -> None:
    task = {"kind": "stdio", "language": "c", "cases": [{"stdin": "", "expected": "1"}] * 1}
    report = run(task, "int main(void) { return undeclared; }")
    assert report.verdict.status is Status.MALFORMED
    assert "undeclared" in report.verdict.reason


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here")
def test_a_compiled_program_can_be_interactive(run: Run) -> None:
    source = """#include <stdio.h>
    #include <string.h>
    int main(void) { int low = 1, high = 1000; char word[9];
      while (1) { int m = (low + high) / 2; printf("%d\\n", m); fflush(stdout); scanf("%8s", word);
        if (!strcmp(word, "yes")) break; if (!strcmp(word, "higher")) low = m + 1; else high = m - 1; } }"""
    assert run({**TASKS["guess"].to_json(), "language": "c", "limits": {"wall_s": 5}}, source).verdict.correct


def test_a_batch_keeps_its_order_and_survives_what_cannot_be_judged(sandbox: Pool) -> None:
    broken = {**CHECKED, "checker": "def check(given, output, expected): return undefined"}
    pairs: list[tuple[Any, str]] = [(SQUARE, f"def f(n): return n ** {k}") for k in range(1, 6)]
    pairs.insert(2, (broken, "print(3, 4)"))
    found = list(grade_many(iter(pairs), pool=sandbox))
    assert isinstance(found[2], Unjudged)
    assert [isinstance(one, Verdict) and one.correct for one in found] == [False, True, False, False, False, False]


def test_what_is_asked_wrongly_is_refused(run: Run) -> None:
    with pytest.raises(BadInput, match="patience"):
        run(SQUARE, "x", patience=0)
    with pytest.raises(BadInput, match="only is"):
        run(SQUARE, "x", only="some")
    with pytest.raises(BadInput, match="no visible cases"):
        run({**SQUARE, "cases": [{"args": [1], "expected": 1}]}, "x", only="visible")
    with pytest.raises(BadInput, match="in_process=True"):
        run({**TASKS["suite"].to_json(), "integrity": "in_process"}, "x")
    with pytest.raises(BadInput, match="no quality 'beauty'"):
        run(SQUARE, "x", quality=["beauty"])
    with pytest.raises(BadInput, match="against a reference"):
        run(SQUARE, "x", quality=["time"])


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(st.text(), inner, max_size=3)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(plain, min_size=1, max_size=12))
def test_values_go_in_and_come_back_as_they_were(run: Run, held: list[Any]) -> None:
    """Through JSON, into the sandbox, back over the wire, past the strictest comparator; and only onto themselves."""
    cases = tuple(Case(args=(value,), expected=value) for value in held)
    task = CodeTask("function", cases, entry="f", compare=Comparator(types="exact"))
    same = CodeTask.from_json(json.loads(json.dumps(task.to_json())))
    assert run(same, "def f(x): return x").verdict.correct
    assert run(same, "def f(x): return [x]").verdict.score == 0.0


def test_a_report_is_plain_data(run: Run) -> None:
    data = json.loads(json.dumps(run(SQUARE, "def f(n): return n").to_json()))
    assert data["verdict"]["status"] == "partial"
    assert len(data["tests"]) == 6


def test_a_case_can_be_written_in_python(run: Run) -> None:
    task = CodeTask("function", (Case(args=({1, 2},), expected=3), Case(args=(frozenset({5}),), expected=5)), entry="f")
    assert run(task, "def f(s): return sum(s)").verdict.correct
