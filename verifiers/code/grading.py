"""Judge a submission: `grade` for a verdict, `judge` for every case's fate, `grade_many` for a batch."""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.code import calls, extraction, stdio, texts
from proofgym.verifiers.code import quality as qualities
from proofgym.verifiers.code.pools import Runner, shared
from proofgym.verifiers.code.report import CodeReport, Ending, Fate
from proofgym.verifiers.code.task import Case, CodeTask
from proofgym.verifiers.verdict import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from proofgym.sandboxes import Pool

__all__ = ["grade", "grade_many", "judge"]

MOST_CHARACTERS = 1 << 20
_FUTURE = re.compile(r"^from[ \t]+__future__[ \t]+import[^\n]*", re.MULTILINE)
_UNREADABLE = (
    "SyntaxError",
    "IndentationError",
    "TabError",
    "it does not compile",
    "AttributeError: module 'solution'",
)


def grade(
    task: CodeTask | Mapping[str, Any],
    submission: str,
    *,
    pool: Pool | None = None,
    partial: bool = True,
    only: Literal["all", "visible", "hidden"] = "all",
    extract: bool = True,
    quality: Sequence[str] = (),
    in_process: bool = False,
    patience: int = 3,
) -> Verdict:
    """Judge a submission by a task's cases, in sandboxes; `judge` explains the arguments and returns every case's fate.

    Raises:
        Unjudged: Nobody could judge: no sandbox, a missing toolchain, a checker that fails. It is no score of 0.
        BadInput: The task is no task.
    """
    return judge(
        task, submission, pool=pool, partial=partial, only=only, extract=extract, quality=quality,
        in_process=in_process, patience=patience,
    ).verdict  # fmt: skip


def judge(
    task: CodeTask | Mapping[str, Any],
    submission: str,
    *,
    pool: Pool | None = None,
    partial: bool = True,
    only: Literal["all", "visible", "hidden"] = "all",
    extract: bool = True,
    quality: Sequence[str] = (),
    in_process: bool = False,
    patience: int = 3,
) -> CodeReport:
    """Judge a submission and say what became of every case.

    Args:
        task: A `CodeTask`, or JSON data for one.
        submission: A model's whole answer, or bare code; see `extract`.
        pool: Where to run it; by default a pool of the process's own.
        partial: Whether the score is the share of cases passed, by weight. If not, it is 1 for all of them, else 0.
        only: Judge by the visible or the hidden cases alone.
        extract: Whether to look for the program in fenced blocks. If not, the whole text is the program.
        quality: Names of qualities to measure, such as `lint`; see `quality.QUALITIES`. Measured, and put into the
            parts, only if every case is passed; they never change the score.
        in_process: Accept a task whose integrity is `in_process`, which a submission can forge.
        patience: How many cases may run past a limit before the rest are left unrun.
    Raises:
        Unjudged: Nobody could judge.
        BadInput: The task is no task, or asks for what is not accepted.
    """
    task = task if isinstance(task, CodeTask) else CodeTask.from_json(task)
    if patience < 1:
        raise BadInput(f"patience is {patience}; at least one case must be allowed to run past its limit")
    if task.integrity == "in_process" and not in_process:
        raise BadInput("this task runs judge and judged in one process, so a pass can be forged; say in_process=True")
    if only not in ("all", "visible", "hidden"):
        raise BadInput(f"only is {only!r}; there are 'all', 'visible' and 'hidden'")
    cases = {"all": task.cases, "visible": task.visible, "hidden": task.hidden}[only]
    if not cases:
        raise BadInput(f"the task has no {only} cases")
    if quality:
        qualities.check(task, quality)
    weight = math.fsum(case.weight for case in cases)
    whole = (0, len(submission))
    if len(submission) > MOST_CHARACTERS:
        return _unread(cases, weight, whole, f"{len(submission)} characters, more than {MOST_CHARACTERS}")
    if extract:
        found = extraction.extract(submission, task.language, task.entry)
        if found is None:
            return _unread(cases, weight, whole, f"no block of {task.language} code in it")
        code, span = found.code, (found.start, found.end)
    else:
        code, span = submission, whole
    if not code.strip():
        return _unread(cases, weight, span, "no code in it")
    try:
        bad = "\0" in code or not code.encode()
    except UnicodeEncodeError:
        bad = True
    if bad:
        return _unread(cases, weight, span, "characters in it that no program can have")
    code = _assembled(task, code)
    runner = Runner(pool or shared(task.packages), patience)
    fates = _run(task, code, cases, runner, pool)
    fates = [replace(fate, share=case.weight / weight) for fate, case in zip(fates, cases, strict=True)]
    verdict = _verdict(fates, partial=partial)
    if quality and verdict.correct:
        reference = _assembled(task, task.reference)
        measured = qualities.measure(code, reference, quality, lambda source: _run(task, source, cases, runner, pool))
        verdict = replace(verdict, parts={**verdict.parts, **measured})
    return CodeReport(verdict, tuple(fates), span, code, runner.isolation, task.integrity, runner.gaps)


def grade_many(
    pairs: Iterable[tuple[CodeTask | Mapping[str, Any], str]],
    *,
    pool: Pool | None = None,
    workers: int | None = None,
    **options: Any,
) -> Iterator[Verdict | Unjudged]:
    """Verdicts in the order of the (task, submission) pairs, many at a time.

    A pair that nobody could judge gives its `Unjudged`, as a value: it does not end the batch, and it is no verdict.
    Pairs are taken only as fast as they are judged.

    Args:
        workers: How many are judged at a time; by default twice as many as the pool has workers.
        options: For `grade`.
    """
    pools = [pool] if pool else []

    def one(task: CodeTask | Mapping[str, Any], submission: str) -> Verdict | Unjudged:
        try:
            return grade(task, submission, pool=pool, **options)
        except Unjudged as error:
            return error

    count = workers or 2 * (pools[0].workers if pools else _processors())
    waiting: deque[Future[Verdict | Unjudged]] = deque()
    executor = ThreadPoolExecutor(count, thread_name_prefix="grade")
    try:
        for task, submission in pairs:
            waiting.append(executor.submit(one, task, submission))
            if len(waiting) >= 2 * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _processors() -> int:
    import os

    return len(os.sched_getaffinity(0))


def _assembled(task: CodeTask, code: str) -> str:
    """The module's text: prelude, stub where the submission continues it, submission."""
    if task.stub and not extraction.defines(code, task.entry):
        code = task.stub + code
    if not task.prelude:
        return code
    imports = "\n".join(found[0] for found in _FUTURE.finditer(code))
    return f"{imports}\n{task.prelude}\n{_FUTURE.sub('', code)}" if imports else f"{task.prelude}\n{code}"


def _run(task: CodeTask, code: str, cases: Sequence[Case], runner: Runner, pool: Pool | None) -> list[Fate]:
    if task.kind in ("function", "class"):
        return calls.run(task, code, cases, runner)
    if task.kind == "stdio":
        return stdio.run(task, code, cases, runner)
    if task.kind == "interactive":
        from proofgym.verifiers.code import interactive

        return interactive.run(task, code, cases, runner)
    from proofgym.verifiers.code import suites

    return suites.run(task, code, cases, runner, pool or shared(packages=True))


def _unread(cases: Sequence[Case], weight: float, span: tuple[int, int], reason: str) -> CodeReport:
    fates = [Fate(case.name, Ending.UNRUN, reason, visible=case.visible, share=case.weight / weight) for case in cases]
    parts = dict.fromkeys(_parts(fates), 0.0)
    return CodeReport(Verdict(Status.MALFORMED, 0.0, reason, parts), tuple(fates), span)


def _parts(fates: Sequence[Fate]) -> dict[str, float]:
    """The share passed of all cases, of the visible and of the hidden ones, each by weight."""
    parts: dict[str, float] = {}
    for name, some in (
        ("passed", fates),
        ("visible", [fate for fate in fates if fate.visible]),
        ("hidden", [fate for fate in fates if not fate.visible]),
    ):
        if some:
            earned = math.fsum(fate.share * fate.points for fate in some)
            parts[name] = min(1.0, earned / math.fsum(fate.share for fate in some))
    return parts


def _verdict(fates: Sequence[Fate], *, partial: bool) -> Verdict:
    parts = _parts(fates)
    if any(fate.ending is Ending.TAMPERED for fate in fates):
        detail = next(fate.detail for fate in fates if fate.ending is Ending.TAMPERED)
        return Verdict(Status.WRONG, 0.0, f"tampered: {detail}", {**dict.fromkeys(parts, 0.0), "tampered": 1.0})
    bad = [fate for fate in fates if not fate.passed]
    if not bad:
        return Verdict(Status.CORRECT, 1.0, f"{len(fates)} of {len(fates)} cases passed", parts)
    counts = Counter(fate.ending.value for fate in bad)
    counted = ", ".join(f"{count} {ending}" for ending, count in sorted(counts.items()))
    first = bad[0]
    reason = texts.short(
        f"{len(fates) - len(bad)} of {len(fates)} cases passed, {counted}; {first.name}: {first.detail}", 400
    )
    score = min(parts["passed"], math.nextafter(1.0, 0.0)) if partial else 0.0
    if score > 0:
        return Verdict(Status.PARTIAL, score, reason, parts)
    if all(fate.detail.startswith(_UNREADABLE) for fate in bad if fate.ending is Ending.ERROR) and len(bad) == len(
        fates
    ) == counts.get("error", 0):
        return Verdict(Status.MALFORMED, 0.0, first.detail, parts)
    if counts.get("limit", 0):
        return Verdict(Status.LIMIT, 0.0, reason, parts)
    return Verdict(Status.WRONG, 0.0, reason, parts)
