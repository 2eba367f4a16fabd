"""Say it in another language: a Python program, to be written in C, C++, Rust, Go, Java or JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import OneProgram, checked, text_of
from proofgym.envs.code.program import Draw, Exhausted, Trusted, block
from proofgym.envs.code.tiny import draw_tiny
from proofgym.envs.code.tongues import write
from proofgym.errors import BadInput
from proofgym.sandboxes import Limits, ToolchainMissing
from proofgym.sandboxes.languages import available, check
from proofgym.verifiers.code import Case, CodeTask

__all__ = ["CodeTranslate"]

_NAMES = {"c": "C", "cpp": "C++", "rust": "Rust", "go": "Go", "java": "Java", "javascript": "JavaScript (node)"}
_LIMITS = Limits(wall_s=5.0, cpu_s=5.0, memory_mb=512, processes=64, output_kb=64)
_VISIBLE, _HIDDEN = 2, 6


class CodeTranslate(OneProgram):
    """Asks to write a Python program in another language, and pays 1.0 if it prints the same on hidden inputs.

    Observation: the Python program and two examples.
    Action: the whole program in the other language, in a block of that language or bare.
    Episode: one turn; with `max_turns` above 1, one program a turn until one is right.

    Programs are drawn in a tiny language of whole numbers and lists (`proofgym.envs.code.tiny`) that can be written in
    each of the others. Division and remainder round down in Python and towards zero elsewhere: that is what
    translations miss. Tasks held out in one language are held out in all.

    Args:
        language: `c`, `cpp`, `rust`, `go`, `java` or `javascript`.
    Raises:
        BadInput: For another language.
        ToolchainMissing: If this machine cannot compile or run the language, and no pool of another machine is given.
    """

    family: ClassVar[str] = "code_translate"
    content_family: ClassVar[str] = "code_translate"
    floor: float = 0.0

    def __init__(self, *, language: str = "cpp", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        try:
            self.language = check(language)
        except ValueError as error:
            raise BadInput(str(error)) from None
        if self.language not in _NAMES:
            raise BadInput(f"programs are translated into {', '.join(_NAMES)}, found {language!r}")
        if self._given_pool is None and not available()[self.language]:
            raise ToolchainMissing(f"this machine has no toolchain for {_NAMES[self.language]}")

    def variant(self) -> tuple[Any, ...]:
        return (self.language,)

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, tuple[Draw, list[Any]]]:
        draw = Draw(rng, self.level)
        body = draw_tiny(draw)
        return {"program": "tiny", "spec": write(body, "python")}, (draw, body)

    def complete(self, drawn: tuple[Draw, list[Any]], rng: np.random.Generator) -> Mapping[str, Any] | None:
        draw, body = drawn
        python = write(body, "python")
        rows = _rows(draw, python)
        if rows is None:
            return None
        task = CodeTask(
            "stdio",
            tuple(
                Case(f"case {number}", stdin=text, expected=printed, visible=number <= _VISIBLE)
                for number, (text, printed) in enumerate(rows, start=1)
            ),
            language=self.language, limits=_LIMITS,
        )  # fmt: skip
        return {
            "program": "tiny", "spec": python, "reference": write(body, self.language), "task": task.to_json(),
            "difficulty": round(min(1.0, 0.2 + 0.1 * python.count("\n") * self.level), 3),
        }  # fmt: skip

    def begin(self, instance: Mapping[str, Any]) -> str:
        checked(instance, {"program": str, "spec": str})
        question = super().begin(instance)
        assert self._code_task is not None
        if self._code_task.language != self.language:
            raise BadInput(
                f"task.language is {self._code_task.language!r}; this environment asks for {self.language!r}"
            )
        return question

    def question(self, instance: Mapping[str, Any], task: CodeTask) -> str:
        examples = "\n\n".join(text_of(task, case) for case in task.visible)
        tag = self.language
        return (
            f"Write this Python program in {_NAMES[tag]}:\n\n{block(instance['spec'])}\n\nExamples:\n\n{examples}\n\n"
            f"It must print the same on further inputs. Put the whole program into one ```{tag} block."
        )

    def cheats(self) -> Sequence[str]:
        assert self._code_task is not None
        return (*super().cheats(), block(self.task.instance["spec"]), block(self.task.instance["spec"], self.language))


def _rows(draw: Draw, python: str) -> list[tuple[str, str]] | None:
    """Inputs and what the program prints for them; None if nearly all of it is the same."""
    body = python.partition("\n\n")[2].partition("\n")[2]
    lines = "\n".join(f"    {line}" for line in body.rstrip().split("\n"))
    head = "def run(k, a):\n    out = []\n    print = lambda *words: out.append(' '.join(map(str, words)))\n"
    program = Trusted(f"{head}{lines}\n    return out\n", "run")
    rows: list[tuple[str, str]] = []
    for _ in range(10 * (_VISIBLE + _HIDDEN)):
        k, a = draw.whole(-6, 12), draw.ints(1, 9, -30, 60)
        try:
            printed = "\n".join(program.run([k, a], 20_000)) + "\n"
        except Exhausted:
            return None
        if sum(printed == other for _, other in rows) < 2:
            rows.append((f"{k}\n{' '.join(map(str, a))}\n", printed))
        if len(rows) == _VISIBLE + _HIDDEN:
            return rows
    return None
