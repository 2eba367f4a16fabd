"""Functions and classes: calls go in, typed values come out, and are compared here.

Calls of several cases share a process, and a time limit that is that of one case. Where it ends early, the cases that
got an answer keep it, and the others go again: the first of them at the head of a job of its own, so that its time, its
memory and its crash are its own. Visible and hidden cases never share a process.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from proofgym.sandboxes import Call, Job, Limits, Opaque, Outcome
from proofgym.verifiers.code import checking, texts
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proofgym.sandboxes import Answer, Result
    from proofgym.verifiers.code.pools import Runner
    from proofgym.verifiers.code.task import Case, CodeTask, Step

__all__ = ["run"]

DRIVER = """


def __proofgym_step(__name, __args, __kwargs, __held={{}}):
    if __name is None:
        __held[0] = {entry}(*__args, **__kwargs)
        return None
    return getattr(__held[0], __name)(*__args, **__kwargs)
"""
_LOAD_FAULT = re.compile(r"\w+: |\w+:$")


@dataclass(frozen=True, slots=True)
class _Unit:
    """One case as calls, with its place in the report."""

    place: int
    case: Case
    calls: tuple[Call, ...]


def run(task: CodeTask, code: str, cases: Sequence[Case], runner: Runner) -> list[Fate]:
    """Judge the cases of a `function` or `class` task, in their order."""
    source, entry = code, task.entry
    if task.kind == "class":
        source, entry = code + DRIVER.format(entry=task.entry), "__proofgym_step"
    fates: dict[int, Fate] = {}
    waiting: list[checking.Question] = []
    spent = 0
    for group in _groups(task, code, cases):
        queue = list(group)
        while queue and spent < runner.patience:
            limits = queue[0].case.limits or task.limits
            head = [queue[0]] if task.fresh else queue
            job = Job.calls(
                source, entry, [call for unit in head for call in unit.calls], observe=task.observe,
                files=dict(task.files), limits=limits,
            )  # fmt: skip
            result = runner.run(job)
            if result.outcome is Outcome.TAMPERED:
                return [texts.tampered(case, result) for case in cases]
            left, at = [], 0
            for unit in head:
                answers = result.answers[at : at + len(unit.calls)]
                at += len(unit.calls)
                if any(answer.status == "missing" for answer in answers):
                    left.append(unit)
                else:
                    fates[unit.place] = _judge(task, unit, answers, result, len(head), waiting)
            if not left:
                queue = queue[len(head) :]
                continue
            if len(left) == len(head) and result.outcome is Outcome.ERROR and _LOAD_FAULT.match(result.detail):
                return [texts.ended(case, result) for case in cases]
            if left[0] is head[0]:
                fates[left[0].place] = texts.ended(left[0].case, result)
                spent += fates[left[0].place].costly(limits.wall_s)
                left = left[1:]
            queue = left + queue[len(head) :]
    fates |= checking.decide(task, waiting, runner)
    return [fates.get(place) or texts.unrun(case, runner.patience) for place, case in enumerate(cases)]


def _groups(task: CodeTask, code: str, cases: Sequence[Case]) -> list[list[_Unit]]:
    """Cases that may share a job. Hidden ones are shuffled, the same way for the same submission."""
    seed = hashlib.blake2b(code.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    order = random.Random(int.from_bytes(seed, "big"))  # noqa: S311 - an order, not a secret
    groups: dict[tuple[bool, Limits], list[_Unit]] = {}
    for place, case in enumerate(cases):
        unit = _Unit(place, case, _calls(task, case))
        groups.setdefault((not case.visible, case.limits or task.limits), []).append(unit)
    for (hidden, _), units in groups.items():
        if hidden:
            order.shuffle(units)
    return [group for _, group in sorted(groups.items(), key=lambda item: item[0][0])]


def _calls(task: CodeTask, case: Case) -> tuple[Call, ...]:
    if task.kind == "function":
        return (Call(*case.args, **case.kwargs),)
    steps = [Call(step.method, step.args, dict(step.kwargs)) for step in case.steps]
    return (Call(None, case.args, dict(case.kwargs)), *steps)


def _judge(
    task: CodeTask, unit: _Unit, answers: Sequence[Answer], result: Result, shared: int,
    waiting: list[checking.Question],
) -> Fate:  # fmt: skip
    case = unit.case
    fate = Fate(
        case.name, Ending.PASSED, visible=case.visible, points=1.0, wall_s=result.wall_s / shared,
        cpu_s=result.cpu_s / shared, memory_mb=result.max_rss_kb / 1024, output=texts.printed(case, result),
    )  # fmt: skip
    if task.kind == "class":
        return _steps(task, case, answers, fate)
    (answer,) = answers
    compare = case.compare or task.compare
    if case.raises or answer.status == "raised":
        return _raised(case.raises, answer, fate)
    fate = replace(fate, got=texts.shown(answer.value))
    if isinstance(answer.value, Opaque):
        return _fails(fate, f"it returned {texts.opaque(answer.value)}")
    if compare.kind == "checker":
        given = [*case.args, *([dict(case.kwargs)] if case.kwargs else [])]
        waiting.append(checking.Question(unit.place, given, answer.value, case.expected, fate))
        return fate
    if compare.agree(answer.value, case.expected):
        return fate
    return _fails(fate, f"it returned {fate.got}, expected {texts.wanted(compare, case.expected)}")


def _steps(task: CodeTask, case: Case, answers: Sequence[Answer], fate: Fate) -> Fate:
    """The first step that went wrong decides."""
    compare = case.compare or task.compare
    if answers[0].status == "raised":
        return _raised(case.raises, answers[0], fate, f"{task.entry}(...)")
    for number, (step, answer) in enumerate(zip(case.steps, answers[1:], strict=True), 1):
        where = f"step {number}, {step.method}{_written(step)}:"
        if step.raises or answer.status == "raised":
            fate = _raised(step.raises, answer, fate, where)
            if not fate.passed:
                return fate
        elif step.checked and not compare.agree(answer.value, step.expected):
            got = texts.shown(answer.value)
            return replace(
                _fails(fate, f"{where} it returned {got}, expected {texts.wanted(compare, step.expected)}"), got=got
            )
    return fate


def _written(step: Step) -> str:
    parts = [*map(texts.shown, step.args), *(f"{name}={texts.shown(value)}" for name, value in step.kwargs.items())]
    return texts.short(f"({', '.join(parts)})", 80)


def _raised(wanted: tuple[str, ...], answer: Answer, fate: Fate, where: str = "") -> Fate:
    lead = f"{where} " if where else ""
    if answer.status != "raised":
        return _fails(
            replace(fate, got=texts.shown(answer.value)),
            f"{lead}it returned {texts.shown(answer.value)}, expected {' or '.join(wanted)}",
        )
    said = texts.short(f"{answer.error}: {answer.message}" if answer.message else answer.error)
    if answer.error in wanted:
        return replace(fate, got=said)
    if answer.error == "MemoryError":
        return replace(fate, ending=Ending.LIMIT, points=0.0, got=said, detail=f"{lead}it ran out of memory")
    tail = f", expected {' or '.join(wanted)}" if wanted else ""
    return replace(fate, ending=Ending.ERROR, points=0.0, got=said, detail=f"{lead}it raised {said}{tail}")


def _fails(fate: Fate, detail: str) -> Fate:
    return replace(fate, ending=Ending.FAILED, points=0.0, detail=detail)
