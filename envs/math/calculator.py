"""Word problems and number theory with a calculator: a tool that is shown, limited and free."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.math import judging
from proofgym.envs.math.generated import GeneratedMath, Problem
from proofgym.envs.math.number_theory import NumberTheory
from proofgym.envs.math.word_problem import WordProblem
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.expression import Unreadable, parse

__all__ = ["MathCalculator"]

_CALL = re.compile(r"<calc>(.{0,400}?)</calc>", re.DOTALL)
_FAMILIES: Mapping[str, type[GeneratedMath]] = {"number_theory": NumberTheory, "word_problem": WordProblem}
_LEFT_SIDE = re.compile(r"([0-9 +\-*/()]*[0-9)]) = ")
_HOW = (
    "You have a calculator: write <calc>(12 + 7) * 3 / 4</calc> and its exact value is shown to you. It knows numbers, "
    "+ - * / and parentheses, and answers {calls} times. A turn without it is your answer."
)


class MathCalculator(VerifiableEnv):
    r"""Asks a word problem or a number-theory task, lends a calculator, and pays 1.0 for the right number.

    Observation: the question and how to use the calculator; after a call, its value or why there is none.
    Action: one `<calc>expression</calc>`, with any text around it, or the answer in `\boxed{}`.
    Episode: terminated by the first turn without a call; truncated after `max_turns`.

    The last call of a turn is carried out. Expressions are read by the closed grammar of
    `proofgym.verifiers.math.expression`: whole numbers, `+ - * /` and parentheses, exact, bounded, and never evaluated
    as code. A call costs nothing, also one that fails; after `calls` of them the calculator says so and only the answer
    is left. Using it is neither needed nor paid.

    Tasks held out from `WordProblem` and `NumberTheory` are held out here: the fingerprints are theirs.

    Args:
        families: Which of `word_problem` and `number_theory` are asked; both by default.
        calls: How often the calculator answers.
    """

    family: ClassVar[str] = "math_calculator"
    floor: float = 0.05
    default_max_turns: ClassVar[int] = 12

    def __init__(self, *, families: Sequence[str] | None = None, calls: int = 8, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        names = tuple(_FAMILIES) if families is None else (families,) if isinstance(families, str) else tuple(families)
        if not names or set(names) - set(_FAMILIES):
            raise BadInput(f"families are among {', '.join(_FAMILIES)}; found {names!r:.60}")
        if calls < 1:
            raise BadInput(f"the calculator answers at least once, found calls={calls!r}")
        self.families, self.calls = tuple(name for name in _FAMILIES if name in names), calls
        self._sources = {name: _FAMILIES[name](level=self.level) for name in _FAMILIES}
        self._problem: Problem | None = None
        self._used = 0

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        name = self.families[int(rng.integers(len(self.families)))]
        return {"family": name, **self._sources[name].generate(rng)}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """As the family has it."""
        return self._source(instance).canonical(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """As the family has it."""
        return self._source(instance).difficulty(instance)

    def begin(self, instance: Mapping[str, Any]) -> str:
        source = self._source(instance)
        question = source.begin(instance)
        self._problem, self._used = source.problem, 0
        return f"{question}\n{_HOW.format(calls=self.calls)}"

    def turn(self, action: str) -> TurnResult:
        calls = list(_CALL.finditer(action))
        if not calls:
            verdict, credits_ = judging.grade(self._current(), action)
            return TurnResult("", credits_, verdict, terminated=True)
        last = calls[-1]
        if self._used >= self.calls:
            said = "The calculator answers no more: write the answer."
        else:
            self._used += 1
            said = _calculated(last[1])
        left = self.calls - self._used
        text = f"{said}\n{left} call{'s' * (left != 1)} left."
        return TurnResult(text, [Credit(last.start(), last.end(), 0.0, "call", said)])

    def save(self) -> dict[str, Any]:
        return {"used": self._used}

    def load(self, data: Mapping[str, Any]) -> None:
        self._used = int(data["used"])

    def unfinished(self) -> Verdict:
        """Calls alone are no answer."""
        return Verdict.wrong(f"no answer within {self.max_turns} turns")

    def oracle(self) -> str:
        """The calculations of the worked solution one by one, as far as the calculator can do them, and the answer."""
        problem = self._current()
        wanted = [
            found[1]
            for line in problem.steps
            for found in [_LEFT_SIDE.match(line)]
            if found and _worth_a_call(found[1])
        ]
        wanted = wanted[: min(self.calls, self.max_turns - 1)]
        if self._used < len(wanted):
            return f"<calc>{wanted[self._used]}</calc>"
        return f"The final answer is \\boxed{{{problem.gold}}}"

    def cheats(self) -> Sequence[str]:
        problem = self._current()
        return (
            *(cheat for cheat in super().cheats() if problem.gold != "1"),
            "<calc></calc>", "<calc>9**9**9</calc>", "<calc>__import__('os')</calc>", "<calc>1/0</calc>",
            "<calc>" * 500,
            f"<calc>{'9' * 300}</calc>", f"<calc>{problem.gold}</calc>", f"<calc>{'(' * 300}</calc>",
            rf"<calc>1</calc>\boxed{{{problem.gold}}}", r"\boxed{<calc>}", "<calc>٤ + 1</calc>",
            " ".join(rf"\boxed{{{n}}}" for n in range(-30, 30)), r"\boxed{1 or 2}", problem.question,
        )  # fmt: skip

    # Inside -----------------------------------------------------------------------------------------------------------

    def _as_task(self, instance: Mapping[str, Any]) -> Task:
        source = self._source(instance)
        return Task(
            self.family, instance, fingerprint(source.family, source.canonical(instance)), source.difficulty(instance)
        )

    def _source(self, instance: Any) -> GeneratedMath:
        name = instance.get("family") if isinstance(instance, Mapping) else None
        if not (isinstance(name, str) and name in self._sources):
            raise BadInput(f"an instance's 'family' is one of {', '.join(_FAMILIES)}; found {name!r:.40}")
        return self._sources[name]

    def _current(self) -> Problem:
        assert self._problem is not None, "begin() comes first"
        return self._problem


def _calculated(text: str) -> str:
    try:
        return f"{' '.join(text.split())[:200]} = {parse(' '.join(text.split())).value}"
    except Unreadable as error:
        return f"That cannot be calculated: {error}."


def _worth_a_call(text: str) -> bool:
    try:
        return parse(text).operations > 0
    except Unreadable:
        return False
