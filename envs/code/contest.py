"""Contest problems: read standard input, print the answer; where many answers are right, a checker decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import OneProgram, checked, text_of
from proofgym.envs.code.families import families
from proofgym.envs.code.judged import PROBLEMS, Problem
from proofgym.envs.code.printed import FORMS, as_program, formats, parameters, printable, written, written_result
from proofgym.envs.code.program import Draw, Drawn, Trusted, sketch_program
from proofgym.sandboxes import Limits
from proofgym.verifiers.code import Case, CodeTask, Comparator

__all__ = ["LIMITS", "CodeContest"]

LIMITS = Limits(wall_s=3.0, cpu_s=3.0, memory_mb=256, processes=8, output_kb=64)
_VISIBLE, _HIDDEN = 2, 8
_MAIN = "\n\nimport sys\n\nprint(solve(sys.stdin.read()))\n"


@dataclass(frozen=True, slots=True)
class _Judged:
    """A drawn problem with a checker."""

    problem: Problem
    level: float


class CodeContest(OneProgram):
    """Asks for a program that reads standard input and prints the answer, and pays 1.0 for a right one.

    Observation: the statement, the forms of input and output, and two examples.
    Action: the whole Python program, in a block or bare.
    Episode: one turn; with `max_turns` above 1, one program a turn until one is right.

    Half the problems are those of `CodeFunction` with their arguments as text, held out where those are held out. The
    others have many right answers (any shortest route, any best split), and a checker in a sandbox of its own decides.

    Args:
        judged: The share of problems with a checker.
    """

    family: ClassVar[str] = "code_contest"
    content_family: ClassVar[str] = "code"
    floor: float = 0.0

    def __init__(self, *, judged: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.judged = judged

    def variant(self) -> tuple[Any, ...]:
        return (self.judged,)

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, Any]:
        if rng.random() < self.judged:
            draw = Draw(rng, self.level)
            problem = PROBLEMS[list(PROBLEMS)[int(rng.integers(len(PROBLEMS)))]](draw)
            return {"program": problem.name, "spec": problem.spec}, _Judged(problem, self.level)
        while True:
            drawn = sketch_program(rng, self.level, families())
            sketch = drawn.sketch
            given, _ = parameters(f"def f({sketch.params}) -> {sketch.returns}")
            if sketch.kind == "function" and sketch.returns in FORMS and all(kind in FORMS for _, kind in given):
                return drawn.content, drawn

    def complete(self, drawn: Any, rng: np.random.Generator) -> Mapping[str, Any] | None:
        return _with_checker(drawn) if isinstance(drawn, _Judged) else _printed(drawn)

    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        found = checked(instance, {"program": str, "spec": str, "format": str})
        examples = "\n\n".join(text_of(task, case) for case in task.visible)
        return (
            f"Write a Python program that reads standard input and prints the answer.\n\n{found['spec']}\n\n"
            f"{found['format']}\n\n{examples}\n\n"
            f"It is tested on further inputs. Put the whole program into one ```python block."
        )


def _printed(drawn: Drawn) -> Mapping[str, Any] | None:
    program = drawn.finish(visible=_VISIBLE, hidden=_HIDDEN)
    if program is None or not printable(program):
        return None
    cases = tuple(
        Case(
            f"case {number}", stdin=written(program.signature, args),
            expected=written_result(program.signature, result), visible=number <= _VISIBLE,
        )
        for number, (args, result) in enumerate(program.cases, start=1)
    )  # fmt: skip
    task = CodeTask("stdio", cases, limits=LIMITS)
    return {
        "program": program.family, "spec": program.spec, "format": formats(program.signature),
        "reference": as_program(program), "difficulty": program.difficulty, "task": task.to_json(),
    }  # fmt: skip


def _with_checker(drawn: _Judged) -> Mapping[str, Any] | None:
    problem = drawn.problem
    solve = Trusted(problem.source, "solve")
    cases = _different(problem.inputs, solve)
    if cases is None:
        return None
    task = CodeTask(
        "stdio",
        tuple(
            Case(f"case {number}", stdin=text, expected=answer, visible=number <= _VISIBLE)
            for number, (text, answer) in enumerate(cases, start=1)
        ),
        compare=Comparator(kind="checker"), checker=problem.checker, limits=LIMITS,
    )  # fmt: skip
    return {
        "program": problem.name, "spec": problem.spec,
        "format": "Numbers in the input are separated by blanks and line ends, as described.",
        "reference": problem.source.rstrip() + _MAIN, "difficulty": round(0.25 * problem.hard + 0.5 * drawn.level, 3),
        "task": task.to_json(),
    }  # fmt: skip


def _different(inputs: Callable[[], str], solve: Trusted) -> list[tuple[str, str]] | None:
    """Cases with different inputs, of whose answers none is that of more than half."""
    cases: list[tuple[str, str]] = []
    wanted = _VISIBLE + _HIDDEN
    for _ in range(12 * wanted):
        text = inputs()
        if any(text == other for other, _ in cases):
            continue
        answer = str(solve.run([text]))
        if sum(answer + "\n" == other for _, other in cases) < wanted // 2:
            cases.append((text, answer + "\n"))
        if len(cases) == wanted:
            return cases
    return None
