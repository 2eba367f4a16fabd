"""What all generated mathematics shares: kinds of tasks, knobs of difficulty, wordings, and how an answer is judged.

A task is a kind and a few whole numbers. They are what the question states, never the answer: the answer is worked out
from them with exact arithmetic each time it is asked, together with the working. So an instance can be checked, one
from outside too, and its fingerprint is that of the mathematics, whatever the words.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.math import judging
from proofgym.envs.math.chance import WORDINGS, Draw, Words
from proofgym.envs.math.forms import Form
from proofgym.errors import BadInput

__all__ = ["GeneratedMath", "Kind", "Knobs", "Numbers", "Problem", "knob", "require"]

Numbers = tuple[int, ...]
KnobsT = TypeVar("KnobsT", bound="Knobs")
ValueT = TypeVar("ValueT", int, float)

_LARGEST, _MOST = 10**9, 64  # of the numbers of an instance, and how many there may be

_TRIED_FIRST = ("0", "1", "-1")

_END = (
    r"Show your working, and end with the answer in \boxed{}.",
    r"Work step by step; put the final answer in \boxed{}.",
    r"Write the steps one a line, then the final answer in \boxed{}.",
    r"Reason step by step and finish with \boxed{} around the answer.",
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One task, asked and solved.

    Args:
        question: The task in words, without the form of the answer.
        form: The form of the answer.
        gold: The answer, in that form.
        steps: The working, a line each; it leads to the answer.
        asked: The formula that is asked for, where one could be copied for an answer.
        unknown: The letter that is solved for, where there is one.
        facts: What the working starts from, where the question does not say it in formulas. Steps are checked against
            it; it is never shown.
    """

    question: str
    form: Form
    gold: str
    steps: tuple[str, ...]
    asked: str = ""
    unknown: str = ""
    facts: tuple[str, ...] = ()


def knob(easy: ValueT, hard: ValueT) -> ValueT:
    """A field of `Knobs` that goes from one value at level 0 to another at level 1."""
    middle = _between(easy, hard, 0.5)
    return field(default=middle, metadata={"easy": easy, "hard": hard})  # type: ignore[no-any-return]


def _between(easy: Any, hard: Any, level: float) -> Any:
    value = easy + (hard - easy) * level
    return round(value) if isinstance(easy, int) else value


@dataclass(frozen=True)
class Knobs:
    """What makes the tasks of an environment hard, by name; each environment has its own."""

    @classmethod
    def at(cls: type[KnobsT], level: float, **chosen: Any) -> KnobsT:
        """The knobs of a level in [0, 1], some of them chosen otherwise.

        Raises:
            BadInput: For a knob that there is not, or a value outside its range.
        """
        fields = {f.name: f for f in dataclasses.fields(cls)}
        values = {name: _between(f.metadata["easy"], f.metadata["hard"], level) for name, f in fields.items()}
        for name, value in chosen.items():
            if name not in fields:
                raise BadInput(f"{cls.__name__} has the knobs {', '.join(fields)}; found {name!r}")
            low, high = sorted((fields[name].metadata["easy"], fields[name].metadata["hard"]))
            number = isinstance(value, (int, float) if isinstance(low, float) else int) and not isinstance(value, bool)
            if not (number and low <= value <= high):
                raise BadInput(f"the knob {name} lies in {low} to {high}, found {value!r}")
            values[name] = value
        return cls(**values)


@dataclass(frozen=True)
class Kind(Generic[KnobsT]):
    """One kind of task.

    Args:
        draw: Draws the numbers of a task.
        pose: Turns numbers into words and solves them. It raises `BadInput` or another `ValueError` for numbers that
            make no task of this kind.
        canonical: The numbers with what makes no difference taken out, such as the order of equations.
    """

    draw: Callable[[Draw, KnobsT], Sequence[int]]
    pose: Callable[[Numbers, Words], Problem]
    canonical: Callable[[Numbers], Sequence[int]] = tuple


def require(condition: object, reason: str) -> None:
    """Refuse numbers that make no task.

    Raises:
        BadInput: With the reason, unless the condition holds.
    """
    if not condition:
        raise BadInput(reason)


class GeneratedMath(VerifiableEnv):
    r"""What the generated environments share.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Args:
        kinds: Which kinds of task are drawn, each equally often; all of them by default.
        knobs: Knobs to set by hand instead of by `level`: a mapping of names to values, or the whole dataclass.
        steps: Check the working too. The answer then pays half and the working half.
    """

    table: ClassVar[Mapping[str, Kind[Any]]]
    knobs_type: ClassVar[type[Knobs]]
    longest: ClassVar[int]
    """Characters of working that count as difficulty 1."""

    def __init__(
        self,
        *,
        kinds: Sequence[str] | None = None,
        knobs: Knobs | Mapping[str, Any] | None = None,
        steps: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kinds = self._known(kinds)
        if isinstance(knobs, Knobs):
            if not isinstance(knobs, self.knobs_type):
                raise BadInput(f"{type(self).__name__} takes {self.knobs_type.__name__}, found {type(knobs).__name__}")
            self.knobs = knobs
        else:
            self.knobs = self.knobs_type.at(self.level, **(knobs or {}))
        self.steps = steps
        self._posed: tuple[tuple[str, Numbers, int], Problem] | None = None
        self._problem: Problem | None = None

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """Draw a task whose answer is not one of those that are tried without reading."""
        draw = Draw(rng)
        while True:
            name = draw.pick(self.kinds)
            numbers = list(self.table[name].draw(draw, self.knobs))
            instance = {"kind": name, "numbers": numbers, "wording": draw.between(0, WORDINGS - 1)}
            if self._pose(instance).gold not in _TRIED_FIRST:
                return instance

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The kind and its numbers; the words do not matter."""
        self._pose(instance)
        name, numbers, _ = _read(instance, self.table)
        return [name, list(self.table[name].canonical(numbers))]

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the length of the worked solution."""
        return min(1.0, sum(map(len, self._pose(instance).steps)) / self.longest)

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._problem = self._pose(instance)
        return f"{self._problem.question} {self._problem.form.asks}\n{_END[instance['wording'] % len(_END)]}"

    def turn(self, action: str) -> TurnResult:
        problem = self.problem
        grade = judging.grade_steps if self.steps else judging.grade
        verdict, credits_ = grade(problem, action)
        return TurnResult("", credits_, verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        return solution(self.problem)

    def cheats(self) -> Sequence[str]:
        problem = self.problem
        common = [cheat for cheat in super().cheats() if problem.gold != "1" or "1" not in cheat]
        return (*common, *cheats(problem.question, problem.asked))

    @property
    def problem(self) -> Problem:
        """The running episode's task; for tests and for those who write lessons, never for the policy."""
        assert self._problem is not None, "begin() comes first"
        return self._problem

    def _pose(self, instance: Mapping[str, Any]) -> Problem:
        key = _read(instance, self.table)
        if self._posed is None or self._posed[0] != key:
            self._posed = key, pose(self.table, *key)
        return self._posed[1]

    def _known(self, kinds: Sequence[str] | None) -> tuple[str, ...]:
        if kinds is None:
            return tuple(self.table)
        names = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        for name in names:
            if name not in self.table:
                close = difflib.get_close_matches(str(name), self.table, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(self.table)}"
                raise BadInput(f"{type(self).__name__} has no kind {name!r}; {hint}")
        if not names:
            raise BadInput(f"kinds names at least one of {', '.join(self.table)}")
        return tuple(name for name in self.table if name in names)


def pose(table: Mapping[str, Kind[Any]], name: str, numbers: Numbers, wording: int) -> Problem:
    """Put a task into words and solve it.

    Raises:
        BadInput: For numbers that make no task of this kind.
    """
    try:
        return table[name].pose(numbers, Words(wording))
    except BadInput as error:
        raise BadInput(f"the numbers {list(numbers)!r:.60} make no {name!r} task: {error}") from error
    except (ValueError, ArithmeticError, LookupError) as error:
        raise BadInput(f"the numbers {list(numbers)!r:.60} make no {name!r} task ({error})") from error


def solution(problem: Problem) -> str:
    """The worked solution, as an expert would write it."""
    return "\n".join([*problem.steps, f"The final answer is \\boxed{{{problem.gold}}}"])


def cheats(question: str, asked: str) -> tuple[str, ...]:
    """Answers that solve nothing."""
    copies = (rf"\boxed{{{asked}}}", f"The final answer is {asked}", f"#### {asked}") if asked else ()
    return (
        *copies, question, rf"\boxed{{{question}}}", r"\boxed{}", r"\boxed{x}", r"\boxed{?}", "####", "#### nan",
        r"\boxed{\text{correct}}", r"\boxed{1 or 2 or 3 or 4 or 5}", r"\boxed{\infty - \infty}", r"\boxed{0/0}",
        " ".join(rf"\boxed{{{n}}}" for n in range(-30, 30)), r"\boxed{9^{9^{9^9}}}", "the answer",
        r"\boxed{__import__('os').abort()}", r"\boxed{٤}" + "\n" + r"\boxed{x = 1 or x = 2 or x = 3}",
    )  # fmt: skip


def _read(instance: Any, table: Mapping[str, Kind[Any]]) -> tuple[str, Numbers, int]:
    data = instance if isinstance(instance, Mapping) else {}
    name, numbers, wording = data.get("kind"), data.get("numbers"), data.get("wording")
    if not (isinstance(name, str) and name in table):
        raise BadInput(f"an instance's 'kind' is one of {', '.join(table)}; found {name!r:.40}")
    if not (isinstance(numbers, (list, tuple)) and len(numbers) <= _MOST and all(map(_whole, numbers))):
        raise BadInput(f"an instance's 'numbers' are at most {_MOST} whole numbers, found {numbers!r:.60}")
    if not (isinstance(wording, int) and not isinstance(wording, bool) and 0 <= wording < WORDINGS):
        raise BadInput(f"an instance's 'wording' is a whole number from 0 to 2**48, found {wording!r:.40}")
    return name, tuple(numbers), wording


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -_LARGEST <= value <= _LARGEST
