"""Tables in, table out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import OneProgram, checked
from proofgym.envs.code.program import Draw, Exhausted, Trusted
from proofgym.envs.code.relations import Work, draw_work
from proofgym.sandboxes import Limits
from proofgym.verifiers.code import Case, CodeTask, Comparator

__all__ = ["DataWrangle"]

_LIMITS = Limits(wall_s=3.0, cpu_s=3.0, memory_mb=256, processes=8, output_kb=64)
_VISIBLE, _HIDDEN = 2, 8
_Drawn = tuple[Work, Callable[[], list[Any]], float]


class DataWrangle(OneProgram):
    """Asks for a function that makes one table out of two, and pays 1.0 if it does so on every hidden pair of tables.

    Observation: the steps, in words, and two examples with their tables.
    Action: a Python program that defines `wrangle(tables)`, in a block or bare.
    Episode: one turn; with `max_turns` above 1, one program a turn until one is right.

    Steps clean, filter, join, derive columns, group, rank and sort. Tables are judged by their values: rows in any
    order where the task sorts nothing, fractions with a tolerance of one in a thousand million.
    """

    family: ClassVar[str] = "data_wrangle"
    content_family: ClassVar[str] = "data_wrangle"
    floor: float = 0.0

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, _Drawn]:
        work, inputs = draw_work(Draw(rng, self.level))
        return {"program": work.theme.events, "spec": work.spec}, (work, inputs, self.level)

    def complete(self, drawn: _Drawn, rng: np.random.Generator) -> Mapping[str, Any] | None:
        work, inputs, level = drawn
        reference = Trusted(work.source, "wrangle")
        cases: list[tuple[list[Any], Any]] = []
        empty = 0
        for _ in range(4 * (_VISIBLE + _HIDDEN)):
            args = inputs()
            try:
                result = reference.run(args)
            except Exhausted:
                return None
            if not result:
                empty += 1
                if empty > 1:  # one empty result is a fair test; more would let an empty table pass for an answer
                    continue
            if any(result == other for _, other in cases):
                continue
            cases.append((args, result))
            if len(cases) == _VISIBLE + _HIDDEN:
                break
        else:
            return None
        cases.sort(key=lambda case: not case[1])  # an empty result is no example
        task = CodeTask(
            "function",
            tuple(
                Case(f"case {number}", args=tuple(args), expected=result, visible=number <= _VISIBLE)
                for number, (args, result) in enumerate(cases, start=1)
            ),
            entry="wrangle", limits=_LIMITS, compare=Comparator(rel=1e-9, unordered=0 if work.ordered else 1),
        )  # fmt: skip
        return {
            "program": work.theme.events, "spec": work.spec, "reference": work.source,
            "difficulty": round(min(1.0, 0.1 * len(work.sentences) + 0.2 * level), 3), "task": task.to_json(),
        }  # fmt: skip

    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        found = checked(instance, {"program": str, "spec": str})
        examples = "\n\n".join(_example(case) for case in task.visible)
        return (
            f"Write a Python function wrangle(tables).\n\n{found['spec']}\n\nExamples:\n\n{examples}\n\n"
            f"It is tested on further tables. Put the whole program into one ```python block."
        )


def _example(case: Case) -> str:
    lines = ["tables = {"]
    tables = case.args[0] if case.args and isinstance(case.args[0], dict) else {}
    for name, rows in tables.items():
        lines.append(f"    {name!r}: [")
        lines += [f"        {row!r}," for row in (rows if isinstance(rows, list) else [])]
        lines.append("    ],")
    lines += ["}", "wrangle(tables) == ["]
    lines += [f"    {row!r}," for row in (case.expected if isinstance(case.expected, list) else [])]
    return "\n".join([*lines, "]"])
