"""Close the hole: a program that does its work and can be attacked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.code.base import checked
from proofgym.envs.code.function import task_of
from proofgym.envs.code.holes import Hole, holes
from proofgym.envs.code.program import Draw, Program, Trusted
from proofgym.envs.code.repair import CodeRepair
from proofgym.sandboxes import Limits

__all__ = ["SecurityRepair"]

_LIMITS = Limits(wall_s=1.0, cpu_s=1.0, memory_mb=128, processes=16, output_kb=64)
_NAMED_BELOW = 0.67  # from this level on, the question does not say which weakness it is


class SecurityRepair(CodeRepair):
    """Asks to close a security hole without breaking what the program is for.

    Observation: what the program must do, the program, some ordinary calls, and, below level 0.67, the kind of
    weakness with its CWE number; after a turn, whether the ordinary calls still work.
    Action: search-and-replace blocks or a unified diff for the program as it stands, or a whole new program in a Python
    block.
    Episode: up to four turns; it ends when every attack fails and every ordinary call works.

    The hidden cases are ordinary calls and attacks (`proofgym.envs.code.holes` has them by CWE number). The potential
    is the share of attacks that fail, as long as every ordinary call works, and 0 otherwise: a program that refuses
    everything is worth nothing.
    """

    family: ClassVar[str] = "code_security"
    content_family: ClassVar[str] = "code_security"
    floor: float = 0.0
    default_max_turns: ClassVar[int] = 4

    def draw_content(self, rng: np.random.Generator) -> tuple[Any, Hole]:
        names = list(holes())
        made = holes()[names[int(rng.integers(len(names)))]](Draw(rng, self.level))
        return _content(made), made

    def complete(self, drawn: Any, rng: np.random.Generator) -> Mapping[str, Any] | None:
        assert isinstance(drawn, Hole)
        program = _with_cases(drawn, rng)
        task = dataclasses.replace(task_of(program), limits=_LIMITS)
        names = [case.name for case in task.cases]
        return {
            **_content(drawn), "signature": drawn.signature, "reference": drawn.sound,
            "bug": drawn.weakness, "failing": names[len(drawn.uses) :], "task": task.to_json(),
            "difficulty": round(min(1.0, 0.3 + 0.7 * self.level), 3), "hint": _hint(drawn, self.level),
        }  # fmt: skip

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The weakness, what the program must do, and the program."""
        return checked(instance, {"program": str, "spec": str, "broken": str})

    def begin(self, instance: Mapping[str, Any]) -> str:
        checked(instance, {"hint": str})
        return super().begin(instance)

    def intro(self, instance: Mapping[str, Any]) -> str:
        return f"This Python program has a security hole. {instance['hint']} Keep it doing its work."


def _hint(made: Hole, level: float) -> str:
    return f"It is {made.cwe}, {made.weakness}; close it." if level < _NAMED_BELOW else "Find it and close it."


def _content(made: Hole) -> dict[str, str]:
    return {"program": made.cwe, "spec": " ".join(made.spec.split()), "broken": made.weak}


def _with_cases(made: Hole, rng: np.random.Generator) -> Program:
    """Ordinary calls first, some of them visible, then the attacks; each part in an order of its own."""
    uses = [made.uses[int(at)] for at in rng.permutation(len(made.uses))]
    attacks = [made.attacks[int(at)] for at in rng.permutation(len(made.attacks))]
    run = made.expected or Trusted(made.sound, made.entry, made.kind).run
    cases = tuple((args, run(args)) for args in (*uses, *attacks))
    return Program(
        made.cwe, made.kind, made.entry, made.signature, " ".join(made.spec.split()), made.sound, cases,
        min(3, len(uses) - 2), 0.5,
    )  # fmt: skip
