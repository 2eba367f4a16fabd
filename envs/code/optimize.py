"""Make it fast: the same results in a fraction of the processor time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import OneProgram, checked, discreet, text_of
from proofgym.envs.code.function import LIMITS
from proofgym.envs.code.program import Draw, Exhausted, Trusted, block
from proofgym.envs.code.slow import SLOW, Slow
from proofgym.errors import BadInput, Unjudged
from proofgym.sandboxes import Limits
from proofgym.verifiers import Verdict
from proofgym.verifiers.code import Case, CodeReport, CodeTask, judge

__all__ = ["FACTOR", "CodeOptimize", "Measured"]

FACTOR = 3.0
"""How many times faster than the given program an accepted one is."""
_VISIBLE, _HIDDEN = 2, 8
_NEAR = 1.6  # within this factor of the border, a measurement is repeated
_REPEATS = 4
_LARGE = Limits(wall_s=10.0, cpu_s=6.0, memory_mb=256, processes=8, output_kb=64)
_ROUNDS = 3_000_000

_lock = threading.Lock()
_known: dict[str, float] = {}  # processor seconds of the given program on its large case, by the task's fingerprint


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor seconds on the large case: of the answer, and of the given program."""

    answer_s: float
    given_s: float


class CodeOptimize(OneProgram):
    """Asks for a program that does what a slow one does in at most a third of its time, and pays 1.0 for that.

    Observation: what the program does, the slow program, two examples.
    Action: the whole new program, in a Python block or bare.
    Episode: one turn; with `max_turns` above 1, one program a turn until one is right and fast.

    An answer must first be right on hidden cases. Then it is run on a large case, alone in a sandbox, and so is the
    given program; the kernel's count of processor time, start of the process included, is compared from outside. The
    fast ways are eight times faster and more, and a measurement near the border is repeated and its least value taken,
    so that a verdict does not hang on chance. `measured` holds the last figures; they are no part of the verdict.
    """

    family: ClassVar[str] = "code_optimize"
    content_family: ClassVar[str] = "code_optimize"
    floor: float = 0.0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.partial:
            raise BadInput("a program is fast enough or it is not: partial is not for CodeOptimize")
        self.measured: Measured | None = None
        self._slow = ""
        self._large: CodeTask | None = None

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, tuple[Slow, float]]:
        draw = Draw(rng, self.level)
        names = list(SLOW)
        while True:
            made = SLOW[names[int(rng.integers(len(names)))]](draw)
            if draw.chance(1.0 - 0.8 * abs(made.hard / 2 - self.level)):
                return {"program": made.name, "spec": made.spec}, (made, self.level)

    def complete(self, drawn: tuple[Slow, float], rng: np.random.Generator) -> Mapping[str, Any] | None:
        made, level = drawn
        fast, slow = Trusted(made.fast, made.entry), Trusted(made.slow, made.entry)
        rows: list[tuple[list[Any], Any]] = []
        for _ in range(20 * (_VISIBLE + _HIDDEN)):
            args = made.small()
            result = slow.run(args)
            if any(args == other for other, _ in rows) or sum(result == known for _, known in rows) > _HIDDEN // 2:
                continue
            rows.append((args, result))
            if len(rows) == _VISIBLE + _HIDDEN:
                break
        else:
            return None
        large = made.large()
        try:
            expected = fast.run(large, _ROUNDS)
        except Exhausted:
            return None
        task = CodeTask(
            "function",
            tuple(
                Case(f"case {number}", args=tuple(args), expected=result, visible=number <= _VISIBLE)
                for number, (args, result) in enumerate(rows, start=1)
            ),
            entry=made.entry, limits=LIMITS,
        )  # fmt: skip
        return {
            "program": made.name, "spec": made.spec, "signature": made.signature, "reference": made.fast,
            "slow": made.slow, "large": {"args": large, "expected": expected}, "task": task.to_json(),
            "difficulty": round(0.3 * made.hard + 0.4 * level, 3),
        }  # fmt: skip

    def begin(self, instance: Mapping[str, Any]) -> str:
        found = checked(instance, {"slow": str, "large": dict})
        question = super().begin(instance)
        large = found["large"]
        if not isinstance(large.get("args"), list) or "expected" not in large or self._code_task is None:
            raise BadInput(f"'large' holds args and expected, found {large!r:.60}")
        self._slow, self.measured = found["slow"], None
        case = Case("large case", args=tuple(large["args"]), expected=large["expected"])
        self._large = CodeTask("function", (case,), entry=self._code_task.entry, limits=_LARGE)
        return question

    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        found = checked(instance, {"program": str, "spec": str, "signature": str, "slow": str})
        examples = "\n".join(text_of(task, case) for case in task.visible)
        return (
            f"This Python program is right, but far too slow on large inputs:\n\n{block(found['slow'])}\n\n"
            f"{found['signature']}\n\n{found['spec']}\n\nExamples:\n\n{examples}\n\n"
            f"Write one that does the same in less than a third of the time, with the standard library only. Put the "
            f"whole program into one ```python block."
        )

    def rated(self, report: CodeReport) -> Verdict:
        if not report.verdict.correct:
            return discreet(report)
        given = self._given_time()
        answer = self._time(report.code, given)
        if answer is None:
            return Verdict.wrong("right on small cases, but wrong or beyond the limits on the large one")
        self.measured = Measured(answer, given)
        if answer * FACTOR > given:
            return Verdict.wrong("right, but not three times as fast")
        return Verdict.right("right, and at least three times as fast")

    def feedback(self, report: CodeReport) -> str:
        if report.verdict.correct:
            return "It is right on small cases, but not fast enough, or not right, on a large one."
        return super().feedback(report)

    def _given_time(self) -> float:
        mark = self.task.fingerprint
        with _lock:
            known = _known.get(mark)
        if known is None:
            known = self._time(self._slow, None)
            if known is None:
                raise Unjudged("the given program fails on its own large case, so nothing can be compared with it")
            with _lock:
                _known[mark] = known
        return known

    def _time(self, code: str, given: float | None) -> float | None:
        """The least processor time of some runs on the large case; None if a run is not right."""
        assert self._large is not None
        best: float | None = None
        for _ in range(_REPEATS):
            (fate,) = judge(self._large, code, pool=self.pool(), extract=False).tests
            if not fate.passed:
                return None
            best = fate.cpu_s if best is None else min(best, fate.cpu_s)
            ratio = best * FACTOR / given if given else 0.0
            if given is None or not 1 / _NEAR < ratio < _NEAR:
                break
        return best
