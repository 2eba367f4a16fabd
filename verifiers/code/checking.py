"""Special judges: the task's trusted checker, run in a sandbox of its own on what the submission gave back.

The checker never meets the submission, only its output as a plain value. If it fails on an output, or gives no
judgement, it is run on the expected output too: where it accepts that, the submission's output is at fault; where it
does not, nobody could judge. Of a case without an expected output, a `ValueError` says that the output cannot be read.
So a submission cannot choose an output that spares it the verdict.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from proofgym.errors import Unjudged
from proofgym.sandboxes import Job, Limits
from proofgym.verifiers.code import texts
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofgym.sandboxes import Answer
    from proofgym.verifiers.code.pools import Runner
    from proofgym.verifiers.code.task import CodeTask

__all__ = ["Question", "decide", "read_points"]

LIMITS = Limits(wall_s=20, cpu_s=20, memory_mb=1024)


@dataclass(frozen=True, slots=True)
class Question:
    """One output for the checker, and the fate it will have if accepted."""

    place: int
    given: Any
    output: Any
    expected: Any
    fate: Fate


def decide(task: CodeTask, questions: Sequence[Question], runner: Runner) -> dict[int, Fate]:
    """The fates of all questions, by place.

    Raises:
        Unjudged: The checker fails on the expected output as well, or returns what is no judgement.
    """
    decided: dict[int, Fate] = {}
    left, spent = list(questions), 0
    while left and spent < runner.patience:
        calls = [(one.given, one.output, one.expected) for one in left]
        result = runner.run(Job.calls(task.checker, "check", calls, files=dict(task.files), limits=LIMITS))
        missing: list[Question] = []
        for one, answer in zip(left, result.answers, strict=True):
            if answer.status == "missing":
                missing.append(one)
            elif answer.status == "raised":
                decided[one.place] = _blamed(task, one, f"{answer.error}: {answer.message}", runner)
            else:
                try:
                    decided[one.place] = _fate(one, answer)
                except Unjudged as error:
                    decided[one.place] = _blamed(task, one, str(error), runner)
        if missing and missing[0] is left[0]:
            decided[missing[0].place] = _blamed(task, missing[0], result.detail or str(result.outcome), runner)
            missing = missing[1:]
            spent += 1
        left = missing
    for one in left:
        detail = f"not checked: the checker came to no end on {spent} outputs before it"
        decided[one.place] = replace(one.fate, ending=Ending.UNRUN, points=0.0, detail=detail)
    return decided


def _fate(one: Question, answer: Answer) -> Fate:
    points, reason = read_points(answer.value, "check")
    if points == 1.0:
        return replace(one.fate, detail=reason)
    detail = reason or f"the checker gave it {points:g}"
    return replace(one.fate, ending=Ending.FAILED, points=points, detail=detail)


def read_points(value: Any, name: str) -> tuple[float, str]:
    """The judgement in what a trusted function returned: True, False, points in [0, 1], or a pair of that and a reason.

    Raises:
        Unjudged: It is none of these.
    """
    reason = ""
    if isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[1], str):
        value, reason = value[0], texts.short(value[1])
    if type(value) in (bool, int, float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value), reason
    raise Unjudged(
        f"the task's own `{name}` returned {texts.shown(value)}, which is neither a bool nor points in [0, 1]"
    )


def _blamed(task: CodeTask, one: Question, trouble: str, runner: Runner) -> Fate:
    """The checker failed on an output. If it accepts the expected one, the output was unreadable."""
    if one.expected is None:
        unreadable = trouble.startswith("ValueError")
    else:
        call = (one.given, one.expected, one.expected)
        job = Job.calls(task.checker, "check", [call], files=dict(task.files), limits=LIMITS)
        (control,) = runner.run(job).answers
        unreadable = control.returned and read_points(control.value, "check")[0] == 1.0
    if unreadable:
        detail = f"the checker cannot read its output ({texts.short(trouble, 160)})"
        return replace(one.fate, ending=Ending.FAILED, points=0.0, detail=detail)
    raise Unjudged(f"the task's own `check` fails on {one.fate.name!r}: {texts.short(trouble)}")
