"""How an answer is judged: by value through the verifier, by form here; and its working, where that is wanted."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math import MathPolicy, verify
from proofgym.verifiers.math.answer import find_answer

if TYPE_CHECKING:
    from proofgym.envs.math.generated import Problem

__all__ = ["WORKING_SHARE", "grade", "grade_steps", "judged"]

WORKING_SHARE = 0.5
"""Of the score, for the working, where the working is checked; the rest is for the answer."""


_MOST_FORMULAS = 60
_QUICK = MathPolicy(budget_s=0.25)
"""A step that takes longer is not checkable: it costs nothing, and earns nothing unless it is the solution's own."""


def judged(problem: Problem, action: str) -> Verdict:
    """The verdict on the final answer of an action.

    Raises:
        Unjudged: If the verifier cannot decide.
    """
    verdict = verify(problem.gold, action)
    if verdict.correct:
        undone = problem.form.refuses(find_answer(action).text)
        if undone:
            return Verdict.wrong(f"the value is right, but {undone}")
    return verdict


def grade(problem: Problem, action: str) -> tuple[Verdict, list[Credit]]:
    """Judge an action; the one credit lies on the place where it gives its final answer."""
    verdict = judged(problem, action)
    place = find_answer(action)
    if not action[place.start : place.end].strip():
        return verdict, []
    return verdict, [Credit(place.start, place.end, verdict.score, "answer", verdict.reason)]


def grade_steps(problem: Problem, action: str) -> tuple[Verdict, list[Credit]]:
    """Judge an action's working and its answer.

    The potential of the working is the share of the worked solution's own lines that it has come to, as long as every
    step follows. A line earns its rise times `WORKING_SHARE`. The first step that does not follow ends that pay; if all
    lines had been written, it costs the last one's. The right answer earns the rest of the whole after a sound chain,
    so that the right answer alone earns 1, and only its own share after a broken one. True lines that lead nowhere are
    not lines of the solution and earn nothing. The first 60 formulas are read.
    """
    from proofgym.verifiers.math.segments import segments
    from proofgym.verifiers.math.steps import judge_steps

    verdict = judged(problem, action)
    known = _known(problem)
    left = set(known)
    unit = WORKING_SHARE / max(1, len(left))
    credits_: list[Credit] = []
    flaw = ""
    formulas = segments(action)[:_MOST_FORMULAS]
    read = action[: formulas[-1].end] if formulas else ""
    for step in judge_steps("\n".join(problem.facts) or problem.question, read, policy=_QUICK):
        text = action[step.start : step.end]
        value, reason = 0.0, f"{step.judgement}: {step.reason}"
        if flaw:
            reason = "after a step that does not follow"
        elif step.judgement == "does not follow" and _key(text) not in known:  # the solution's own lines are true
            flaw = f"{text.strip()[:60]!r} does not follow: {step.reason}"
            value = 0.0 if left else -unit
        elif (key := _key(text)) in left:
            left.remove(key)
            value = unit
        credits_.append(Credit(step.start, step.end, value, "working", reason))
    working = math.fsum(credit.value for credit in credits_)
    place = find_answer(action)
    if action[place.start : place.end].strip():
        rest = 1.0 - WORKING_SHARE if flaw else 1.0 - working
        credits_.append(Credit(place.start, place.end, rest if verdict.correct else 0.0, "answer", verdict.reason))
    parts = {"answer": float(verdict.correct), "sound": float(not flaw), "working": max(0.0, working) / WORKING_SHARE}
    if verdict.correct and not flaw:
        return Verdict.right("the answer, and no step that does not follow", **parts), credits_
    score = min(1.0, max(0.0, math.fsum(credit.value for credit in credits_)))
    if score == 0.0:
        return Verdict(verdict.status, 0.0, verdict.reason, parts), credits_
    return Verdict.partial(score, "; ".join(filter(None, (flaw, verdict.reason))), **parts), credits_


@functools.lru_cache(maxsize=256)
def _known(problem: Problem) -> frozenset[str]:
    """The worked solution's lines, those left out that the question states already."""
    from proofgym.verifiers.math.segments import segments

    asked = {_key(segment.text) for segment in segments(problem.question)}
    lines = "\n".join(problem.steps)
    return frozenset(key for segment in segments(lines) if (key := _key(segment.text))) - asked


def _key(text: str) -> str:
    """One text for all ways of writing the same line, or nothing if it cannot be read."""
    from proofgym.errors import BadInput
    from proofgym.verifiers.math.parser import parse
    from proofgym.verifiers.math.reading import unwrap

    try:
        node = parse(unwrap(text.lstrip("= \t")))
    except (BadInput, RecursionError):
        return ""
    return node.key() if node.op not in ("sym", "const", "text", "num") else ""
