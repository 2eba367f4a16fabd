"""Pytest jobs: one sandbox per test, names and number fixed by the host, canaries among them.

In one process with its judge, hostile code can always forge a pass: it can patch pytest, write the report itself, or
leave with status 0. What is done here makes the common forgeries visible, and no more: a test that is not reported as
passed has failed, canaries that nobody can pass look like the other tests, and one that passes makes it `tampered`.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from proofgym.sandboxes.errors import JobRefused, MissingProgram, ToolchainMissing
from proofgym.sandboxes.types import Limits, Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Callable

    from proofgym.sandboxes.types import Job

__all__ = ["run"]

_CANARIES = (
    "\n\ndef {name}():\n    total = sum(range({number}))\n    assert total == {wrong}\n",
    "\n\ndef {name}():\n    items = [n * n for n in range({number})]\n    assert len(items) > {wrong}\n",
    "\n\ndef {name}():\n    raise AssertionError({number} - {wrong})\n",
)


def run(job: Job, execute: Callable[[Job], Result]) -> Result:
    """Run each named test, and each canary, as a job of its own; put their ends together.

    Raises:
        ToolchainMissing: pytest is not among the packages that jobs can import.
    """
    files, canaries = _plant(job) if job.canaries else (dict(job.files), [])
    order = [*job.tests, *canaries]
    secrets.SystemRandom().shuffle(order)
    ends: dict[str, Result] = {}
    for test in order:
        try:
            ends[test] = execute(replace(job, files=files, tests=(test,)))
        except MissingProgram as error:
            raise ToolchainMissing(f"pytest jobs need pytest: {error}") from error
    wall_s = job.limits.wall_s if job.limits else Limits().wall_s
    tests = {test: _state(test, ends[test], wall_s) for test in job.tests}
    forged = [test for test in canaries if _state(test, ends[test]) == "passed"]
    if forged:
        outcome, detail = Outcome.TAMPERED, f"{len(forged)} of {len(canaries)} tests that nobody can pass were passed"
    elif all(state == "passed" for state in tests.values()):
        outcome, detail = Outcome.OK, ""
    else:
        worst = next((end for end in ends.values() if end.outcome not in (Outcome.OK, Outcome.ERROR)), None)
        named = [test for test in job.tests if ends[test] is worst]
        outcome = worst.outcome if worst is not None and named else Outcome.ERROR
        failed = [test for test, state in tests.items() if state != "passed"]
        detail = f"{len(failed)} of {len(tests)} tests did not pass: {', '.join(failed[:5])}"
    parts = [ends[test] for test in job.tests]
    return replace(
        parts[0], outcome=outcome, detail=detail, exit_code=0 if outcome is Outcome.OK else 1, signal=None,
        stdout=b"".join(part.stdout for part in parts), stderr=b"".join(part.stderr for part in parts),
        tests=tests, runs=tuple(parts), integrity="in_process", truncated=any(part.truncated for part in parts),
        wall_s=sum(part.wall_s for part in parts), cpu_s=sum(part.cpu_s for part in parts),
        max_rss_kb=max(part.max_rss_kb for part in parts),
    )  # fmt: skip


def _state(test: str, end: Result, wall_s: float = 1e9) -> str:
    """How one test ended. Only a report, an orderly end and status 0 together are a pass."""
    state = end.tests.get(test, "missing")
    if end.outcome is Outcome.OK and end.exit_code == 0:
        return state
    if state == "missing" and end.exit_code == 1 and end.wall_s >= 0.85 * wall_s:
        return "timeout"  # pytest-timeout ended it, just before our own clock would have
    if end.outcome in (Outcome.OK, Outcome.ERROR):
        return "failed" if state == "passed" else state
    return str(end.outcome)


def _plant(job: Job) -> tuple[dict[str, bytes], list[str]]:
    """Append canaries to the first test's file, under names like any other."""
    name = job.tests[0].partition("::")[0]
    if name not in job.files:
        raise JobRefused(f"the test {job.tests[0]!r} names a file that does not come with the job")
    source, planted = bytes(job.files[name]), []
    for template in _CANARIES:
        number = 5 + secrets.randbelow(90)
        test = f"test_case_{secrets.token_hex(3)}"
        source += template.format(name=test, number=number, wrong=number * number + 1).encode()
        planted.append(f"{name}::{test}")
    return {**job.files, name: source}, planted
