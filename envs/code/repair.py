"""Find the bug: a program that was right until one small change of it, and the cases that it fails."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult
from proofgym.envs.code import patches
from proofgym.envs.code.base import CodeEnv, checked, discreet, feedback, missing
from proofgym.envs.code.cheating import cheats_against
from proofgym.envs.code.diffs import apply_hunks, has_hunks
from proofgym.envs.code.families import families
from proofgym.envs.code.function import task_of
from proofgym.envs.code.mutation import plant
from proofgym.envs.code.program import Drawn, Program, block, sketch_program
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.code import CodeReport, CodeTask, extract, judge

__all__ = ["CodeRepair"]

_VISIBLE, _HIDDEN = 4, 14
_LEAST_KEPT = 3  # hidden cases that the broken program passes, so that they can be lost again


class CodeRepair(CodeEnv):
    """Asks to repair a program, over several turns, and pays for each turn by the tests that it wins or loses.

    Observation: the specification, the broken program, and some cases, with the word on which of them fail; after a
    turn, what the visible cases come to now.
    Action: search-and-replace blocks or a unified diff for the program as it stands, or a whole new program in a Python
    block.
    Episode: up to six turns; it ends when every case passes.

    A turn is paid by the change of a potential: the share of the hidden failing cases that pass now, as long as every
    hidden case that passed at the start still does, and 0 otherwise. So the rewards of an episode telescope to where
    it ends: breaking and mending again earns nothing, nor does a program that only answers the failing cases.

    The bugs are mutations of a syntax tree (`proofgym.envs.code.mutation`), each of which changes what the program
    does on some hidden case. One bug at level 0, up to three at level 1. Programs held out from `CodeFunction` are held
    out here.
    """

    family: ClassVar[str] = "code_repair"
    content_family: ClassVar[str] = "code"
    floor: float = 0.0
    default_max_turns: ClassVar[int] = 6

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._code_task: CodeTask | None = None
        self._reference = self._broken = self._program = ""
        self._failing = self._kept = frozenset()  # type: frozenset[str]
        self._potential = 0.0

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, Any]:
        drawn = sketch_program(rng, self.level, families())
        return drawn.content, drawn

    def complete(self, drawn: Any, rng: np.random.Generator) -> Mapping[str, Any] | None:
        assert isinstance(drawn, Drawn)
        program = drawn.finish(visible=0, hidden=_VISIBLE + _HIDDEN)
        if program is None:
            return None
        program = dataclasses.replace(program, source=ast.unparse(ast.parse(program.source)) + "\n")
        planted = plant(program, rng, bugs=drawn.draw.whole(1, drawn.draw.scale(1, 3)))
        if planted is None:
            return None
        mutant, failed = planted
        program, failing = _shown_first(program, failed)
        hidden = [number for number in failing if int(number.removeprefix("case ")) > program.visible]
        if not hidden or _HIDDEN - len(hidden) < _LEAST_KEPT:
            return None
        return {
            "program": program.family, "spec": program.spec, "signature": program.signature,
            "reference": program.source, "broken": mutant.source, "bug": mutant.operator,
            "failing": failing, "difficulty": program.difficulty, "task": task_of(program).to_json(),
        }  # fmt: skip

    def begin(self, instance: Mapping[str, Any]) -> str:
        found = checked(
            instance,
            {
                "program": str, "spec": str, "signature": str, "reference": str, "broken": str, "bug": str,
                "failing": list, "difficulty": float, "task": dict,
            },
        )  # fmt: skip
        self._code_task = task = CodeTask.from_json(found["task"], "task")
        hidden, named = {case.name for case in task.hidden}, {case.name for case in task.cases}
        failing = found["failing"]
        if not all(isinstance(name, str) for name in failing) or not named >= set(failing) or not hidden & set(failing):
            raise BadInput(f"'failing' names cases, hidden ones among them, found {failing!r:.60}")
        self._failing, self._kept = frozenset(failing), frozenset(hidden - set(failing))
        self._reference, self._broken, self._program = found["reference"], found["broken"], found["broken"]
        self._potential = 0.0
        return (
            f"{self.intro(instance)}\n\n    {found['signature']}\n\n{found['spec']}\n\n"
            f"The program:\n\n{block(self._broken)}\n\nSome cases:\n\n{self._start(task)}\n\n"
            f"Answer with search-and-replace blocks of the form\n\n{patches.HOW}\n\n"
            f"or with a unified diff, or with the whole repaired program in one ```python block. "
            f"It is tested on further cases."
        )

    def intro(self, instance: Mapping[str, Any]) -> str:
        """The first words of the question."""
        return "This Python program has a bug (or several). Repair it."

    def _start(self, task: CodeTask) -> str:
        """The visible cases, as the specification has them; the first observation needs no sandbox."""
        lines = []
        for case in task.visible:
            now = "FAILS NOW" if case.name in self._failing else "passes"
            if task.kind == "class":
                made = f"{task.entry}({', '.join(map(repr, case.args))})"
                steps = "; ".join(f"{s.method}({', '.join(map(repr, s.args))}) -> {s.expected!r}" for s in case.steps)
                lines.append(f"- ({now}) {made}: {steps}")
            else:
                call = f"{task.entry}({', '.join(map(repr, case.args))})"
                lines.append(f"- ({now}) {call} must return {case.expected!r}")
        return "\n".join(lines)

    def turn(self, action: str) -> TurnResult:
        assert self._code_task is not None
        program, span, trouble = self._edited(action)
        if trouble:
            return TurnResult(f"Nothing was changed: {trouble}.", (), Verdict.malformed(trouble))
        self._program = program
        report = judge(self._code_task, program, pool=self.pool(), extract=False)
        before, self._potential = self._potential, self._worth(report)
        gain = self._potential - before
        reason = discreet(report).reason
        credits_ = [Credit(*span, gain, "tests", reason)] if gain else []
        if report.verdict.correct:
            return TurnResult("", credits_, Verdict.right(reason), terminated=True)
        return TurnResult(feedback(self._code_task, report), credits_, self._verdict(reason))

    def _edited(self, action: str) -> tuple[str, tuple[int, int], str]:
        """The program after an answer, the part of the answer that made it, and what was wrong with it, if anything."""
        assert self._code_task is not None
        changes = patches.edits(action)
        if changes:
            try:
                return patches.apply(self._program, changes), (changes[0].start, changes[-1].end), ""
            except ValueError as error:
                return self._program, (0, 0), str(error)
        if has_hunks(action):
            try:
                program, start, end = apply_hunks(self._program, action)
            except BadInput as error:
                return self._program, (0, 0), str(error)
            return program, (start, end), ""
        found = extract(action, "python", self._code_task.entry)
        trouble = missing(self._code_task, action)
        if trouble or found is None:
            return self._program, (0, 0), trouble or "no Python code was found in it"
        return found.code, (found.start, found.end), ""

    def _worth(self, report: CodeReport) -> float:
        hidden = {fate.name: fate.passed for fate in report.tests if not fate.visible}
        if not hidden or not all(hidden[name] for name in self._kept):
            return 0.0
        return sum(passed for name, passed in hidden.items() if name not in self._kept) / (
            len(hidden) - len(self._kept)
        )

    def _verdict(self, reason: str) -> Verdict:
        return Verdict.partial(min(self._potential, 1 - 1e-9), reason)

    def unfinished(self) -> Verdict:
        """The share of the failing cases that the last program passes, nothing broken."""
        return self._verdict(f"not every case passes after {self.max_turns} turns")

    def potential(self) -> float | None:
        """The share of the hidden failing cases that pass; 0 while a case is broken that was not."""
        return self._potential

    def save(self) -> dict[str, Any]:
        return {"program": self._program, "potential": self._potential}

    def load(self, data: Mapping[str, Any]) -> None:
        self._program, self._potential = str(data["program"]), float(data["potential"])

    def oracle(self) -> str:
        return block(self._reference)

    def cheats(self) -> Sequence[str]:
        assert self._code_task is not None
        return (*super().cheats(), block(self._broken), *cheats_against(self._code_task))


def _shown_first(program: Program, failed: Sequence[bool]) -> tuple[Program, list[str]]:
    """The cases in an order that shows at least one failure, and the names of all cases that fail."""
    bad = [at for at, wrong in enumerate(failed) if wrong]
    good = [at for at, wrong in enumerate(failed) if not wrong]
    bad_shown = max(1, min(_VISIBLE // 2, len(bad) - 1))
    shown = [*bad[:bad_shown], *good[: _VISIBLE - bad_shown]]
    rest = [at for at in range(len(failed)) if at not in shown]
    order = [*sorted(shown), *rest]
    cases = tuple(program.cases[at] for at in order)
    failing = [f"case {number}" for number, at in enumerate(order, start=1) if failed[at]]
    return dataclasses.replace(program, cases=cases, visible=len(shown)), failing
