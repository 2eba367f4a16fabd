"""Programs that read standard input and print: each case in a sandbox of its own, in any language there is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proofgym.sandboxes import Job, Outcome
from proofgym.verifiers.code import checking, texts
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofgym.sandboxes import Result
    from proofgym.verifiers.code.pools import Runner
    from proofgym.verifiers.code.task import Case, CodeTask

__all__ = ["run"]


def run(task: CodeTask, code: str, cases: Sequence[Case], runner: Runner) -> list[Fate]:
    """Judge the cases of a `stdio` task, in their order."""
    compiled = task.language != "python"
    left = runner.patience

    def enough(result: Result) -> bool:
        nonlocal left
        left -= not result.ok and texts.ended(task.cases[0], result).costly(task.limits.wall_s)
        return left <= 0 or result.outcome is Outcome.TAMPERED or (compiled and not result.runs)

    results = runner.in_order([_job(task, code, case) for case in cases], enough, warm=compiled)
    last = results[-1]
    if last.outcome is Outcome.TAMPERED:
        return [texts.tampered(case, last) for case in cases]
    if compiled and not last.runs:
        return [_uncompiled(case, last) for case in cases]
    waiting: list[checking.Question] = []
    fates = [
        _judge(task, place, case, result, waiting)
        for place, (case, result) in enumerate(zip(cases, results, strict=False))
    ]
    for place, fate in checking.decide(task, waiting, runner).items():
        fates[place] = fate
    return fates + [texts.unrun(case, runner.patience) for case in cases[len(fates) :]]


def _job(task: CodeTask, code: str, case: Case) -> Job:
    limits = case.limits or task.limits
    if task.language == "python":
        return Job.script(code, case.stdin, files=dict(task.files), limits=limits)
    return Job.compiled(task.language, code, [case.stdin], limits=limits)


def _uncompiled(case: Case, result: Result) -> Fate:
    fate = texts.ended(case, result)
    said = texts.complaint(result.stderr)
    return replace(fate, detail=texts.short(f"{result.detail}: {said}" if said else result.detail))


def _judge(task: CodeTask, place: int, case: Case, result: Result, waiting: list[checking.Question]) -> Fate:
    if not result.ok:
        return texts.ended(case, result)
    said = texts.text(result.stdout)
    fate = Fate(
        case.name, Ending.PASSED, got=texts.short(said, 400), visible=case.visible, points=1.0, wall_s=result.wall_s,
        cpu_s=result.cpu_s, memory_mb=result.max_rss_kb / 1024, output=texts.printed(case, result),
    )  # fmt: skip
    compare = case.compare or task.compare
    if compare.kind == "checker":
        waiting.append(checking.Question(place, case.stdin, said, case.expected, fate))
        return fate
    if compare.agree(said, case.expected):
        return fate
    detail = f"it printed {texts.shown(said)}, expected {texts.wanted(compare, case.expected)}"
    return replace(fate, ending=Ending.FAILED, points=0.0, detail=detail)
