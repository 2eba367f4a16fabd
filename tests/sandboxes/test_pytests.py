"""Pytest jobs: the host fixes the tests, absence is failure, and the common forgeries are seen."""

from __future__ import annotations

import pytest

from proofgym.sandboxes import Job, JobRefused, Limits, Outcome, Pool, ToolchainMissing
from proofgym.sandboxes.embedded import EmbeddedBackend

TESTS = """
import pytest
from solution import double

def test_two(): assert double(2) == 4

def test_zero(): assert double(0) == 0

@pytest.mark.parametrize("n", [1, 5])
def test_many(n): assert double(n) == 2 * n

class TestInside:
    def test_text(self): assert double("a") == "aa"

def test_slow():
    import time
    time.sleep(double(0))
"""
NAMES = [
    "test_it.py::test_two",
    "test_it.py::test_zero",
    "test_it.py::test_many[5]",
    "test_it.py::TestInside::test_text",
]


def job(solution: str, names: list[str] = NAMES, **more: object) -> Job:
    return Job.pytest({"test_it.py": TESTS, "solution.py": solution}, names, **more)  # type: ignore[arg-type]


def test_a_right_solution_passes_every_named_test(pool: Pool) -> None:
    result = pool.run(job("def double(n): return 2 * n"))
    assert result.ok, result
    assert result.tests == dict.fromkeys(NAMES, "passed")
    assert result.integrity == "in_process"
    assert len(result.runs) == len(NAMES)


def test_each_test_is_reported_by_itself(pool: Pool) -> None:
    result = pool.run(job("def double(n): return n + 2"))
    assert result.outcome is Outcome.ERROR
    assert list(result.tests.values()) == ["passed", "failed", "failed", "failed"]
    assert "3 of 4" in result.detail
    assert b"assert 2 == 0" in result.stdout


def test_a_test_that_is_not_there_has_failed(pool: Pool) -> None:
    result = pool.run(job("def double(n): return 2 * n", ["test_it.py::test_two", "test_it.py::test_nowhere"]))
    assert list(result.tests.values()) == ["passed", "missing"]
    assert not result.ok


def test_a_solution_that_does_not_import_fails_all(pool: Pool) -> None:
    result = pool.run(job("def double(n: return"))
    assert not result.ok
    assert "passed" not in result.tests.values()


def test_a_skipped_test_is_not_passed(pool: Pool) -> None:
    result = pool.run(job("import pytest\ndef double(n): pytest.skip('no')"))
    assert not result.ok
    assert set(result.tests.values()) == {"skipped"}


@pytest.mark.parametrize("delay", ["import time\ndef double(n): time.sleep(9)", "def double(n):\n    while True: pass"])
def test_a_hanging_test_ends_in_time(delay: str, pool: Pool) -> None:
    result = pool.run(job(delay, ["test_it.py::test_two"], limits=Limits(wall_s=1.0)))
    assert not result.ok
    assert result.tests["test_it.py::test_two"] in ("timeout", "cpu")


def test_a_test_cannot_spoil_the_next(pool: Pool) -> None:
    tests = "import os\ndef test_a():\n    open('x', 'w'); os.environ['X'] = '1'\ndef test_b():\n    assert not os.path.exists('x') and 'X' not in os.environ\n"
    result = pool.run(Job.pytest({"test_it.py": tests}, ["test_it.py::test_a", "test_it.py::test_b"]))
    assert result.ok, result.stdout


@pytest.mark.parametrize(
    "forgery",
    [
        # every assertion is true
        "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\ndef double(n): return 0",
        # the reports say so
        "import _pytest.runner as r\nold = r.TestReport.from_item_and_call\n"
        "def new(item, call):\n    call.excinfo = None\n    return old(item, call)\n"
        "r.TestReport.from_item_and_call = new\ndef double(n): return 0",
        # a plugin of its own
        "open('conftest.py', 'w')\ndef double(n): return 0\nimport pytest\n"
        "class A:\n    @pytest.hookimpl(tryfirst=True)\n    def pytest_pyfunc_call(self, pyfuncitem): return True\n"
        "import gc, _pytest.config\n"
        "for o in gc.get_objects():\n    if isinstance(o, _pytest.config.PytestPluginManager): o.register(A())",
        # report for whatever is asked, and leave
        "import gc, os, sys\n"
        "for o in gc.get_objects():\n"
        "    if isinstance(o, dict) and isinstance(o.get('tests'), list):\n"
        "        w = sys.modules['proofgym_nanny_wire']\n"
        "        os.write(3, w.frame(w.TEST, w.encode((o['tests'][0], 'passed'))) + w.frame(w.END))\n"
        "os._exit(0)",
    ],
)
def test_a_forged_pass_shows_in_the_canaries(forgery: str, pool: Pool) -> None:
    result = pool.run(job(forgery))
    assert result.outcome is Outcome.TAMPERED, result
    assert "nobody can pass" in result.detail


@pytest.mark.parametrize(
    "dodge", ["import os\nos._exit(0)", "import sys\nsys.exit(0)", "import pytest\npytest.exit('bye', 0)"]
)
def test_leaving_early_passes_nothing(dodge: str, pool: Pool) -> None:
    result = pool.run(job(dodge))
    assert not result.ok
    assert "passed" not in result.tests.values()


def test_tests_must_come_with_their_file(pool: Pool) -> None:
    with pytest.raises(JobRefused, match="does not come with the job"):
        pool.run(Job.pytest({"a.py": ""}, ["test_it.py::test"]))


def test_without_pytest_in_the_sandbox_nothing_is_judged(pool: Pool) -> None:
    with (
        Pool(EmbeddedBackend(pool.backend.isolation, site=False), 1, min_isolation="reduced") as bare,
        pytest.raises(ToolchainMissing, match="pytest"),
    ):
        bare.run(job("def double(n): return 2 * n"))
