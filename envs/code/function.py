"""Write a function or a class from a specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import OneProgram, checked, text_of
from proofgym.envs.code.families import families
from proofgym.envs.code.program import Drawn, Program, sketch_program
from proofgym.sandboxes import Limits
from proofgym.verifiers.code import Case, CodeTask, Step

__all__ = ["LIMITS", "CodeFunction", "task_of"]

LIMITS = Limits(wall_s=3.0, cpu_s=3.0, memory_mb=256, processes=8, output_kb=64)


class CodeFunction(OneProgram):
    """Asks for a Python function, or a class, that does what a specification says, and pays 1.0 for a right one.

    Observation: the specification, the signature and three examples.
    Action: the whole program, in a Python block or bare.
    Episode: one turn; with `max_turns` above 1, one program a turn until one is right, each answered by what the
    visible cases came to.

    The programs come from `proofgym.envs.code.families`: compositions of typed steps and families of many kinds.
    `level` decides which families are drawn, how many steps are composed and how large some numbers are.
    """

    family: ClassVar[str] = "code_function"
    content_family: ClassVar[str] = "code"
    floor: float = 0.0

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, Drawn]:
        drawn = sketch_program(rng, self.level, families())
        return drawn.content, drawn

    def complete(self, drawn: Drawn, rng: np.random.Generator) -> Mapping[str, Any] | None:
        program = drawn.finish(visible=3, hidden=12)
        if program is None:
            return None
        return {
            "program": program.family, "spec": program.spec, "signature": program.signature,
            "reference": program.source, "difficulty": program.difficulty, "task": task_of(program).to_json(),
        }  # fmt: skip

    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        found = checked(instance, {"program": str, "spec": str, "signature": str})
        what = "class" if task.kind == "class" else "function"
        examples = "\n".join(text_of(task, case) for case in task.visible)
        return (
            f"Write this Python {what}:\n\n    {found['signature']}\n\n{found['spec']}\n\nExamples:\n\n{examples}\n\n"
            f"It is tested on further inputs. Put the whole program into one ```python block."
        )


def task_of(program: Program) -> CodeTask:
    """What a program drawn here is judged by."""
    cases = []
    for number, (args, expected) in enumerate(program.cases, start=1):
        visible = number <= program.visible
        if program.kind == "class":
            steps = tuple(
                Step(name, tuple(rest), expected=value) for (name, rest), value in zip(args[1], expected, strict=True)
            )
            cases.append(Case(f"case {number}", args=tuple(args[0]), steps=steps, visible=visible))
        else:
            cases.append(Case(f"case {number}", args=tuple(args), expected=expected, visible=visible))
    return CodeTask(
        "class" if program.kind == "class" else "function", tuple(cases), entry=program.entry, limits=LIMITS
    )
