"""A derivation a step at a time: a tutor says whether each step follows, and pays for coming closer."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.math.algebra import LETTERS, Algebra, AlgebraKnobs
from proofgym.envs.math.arithmetic import Arithmetic, read_expression
from proofgym.envs.math.chance import WORDINGS, Draw, Words
from proofgym.envs.math.lessons import ArithmeticLesson, Judgement, Lesson, LinearLesson, QuadraticLesson, SystemLesson
from proofgym.envs.task import Task, fingerprint
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math import verify
from proofgym.verifiers.math.answer import find_answer
from proofgym.verifiers.math.expression import Expression
from proofgym.verifiers.math.numeric import lines

__all__ = ["MISTAKE", "MathTutor"]

MISTAKE = 0.1
"""What a step that does not follow costs, in reward units."""

_KINDS = ("arithmetic", "linear", "quadratic", "system")
_MOST_MISTAKES = 3
_HOW = (
    "Write one step a turn, one formula on one line; you will be told whether it follows from the task. "
    r"Go on until it is solved, or give the answer at once in \boxed{}."
)
_WHAT = {
    "arithmetic": "Each step is the whole expression again with at least one operation carried out.",
    "linear": "Each step is an equation.",
    "quadratic": "Each step is an equation; the last one names both solutions, as in 'x = 1 or x = -5'.",
    "system": "Each step is an equation, or one for each unknown.",
}
_DECLARED = re.compile(r"\\boxed|####|answer\s*(?:is|:)", re.IGNORECASE)


class MathTutor(VerifiableEnv):
    r"""Asks for a derivation one step a turn and pays every step by how much closer it comes.

    Observation: the task; then whether the last step follows, and the best line so far. Neither why nor what is left.
    Action: one formula on the last line, or the answer in `\boxed{}`, after `####` or after "the answer is".
    Episode: terminated when solved, at a final answer, and at the third step that does not follow; truncated after
    `max_turns`.

    The potential is 1 - steps left / steps left at the start - 0.1 for each mistake, where the steps left are those of
    the best line so far, by a measure of each kind of task (see `proofgym.envs.math.lessons`). A turn's reward is the
    change of the potential: an episode that is solved without a mistake earns 1.0, however many steps it took, and true
    lines that lead nowhere earn nothing. What cannot be read, or told, costs a turn and nothing else.

    Tasks held out from `Algebra` and `Arithmetic` are held out here: the fingerprints are theirs.

    Args:
        kinds: Which of `arithmetic`, `linear`, `quadratic` and `system` are drawn; all by default.
        knobs: Knobs of `AlgebraKnobs` to set by hand.
    """

    family: ClassVar[str] = "math_tutor"
    floor: float = 0.03
    default_max_turns: ClassVar[int] = 16

    def __init__(
        self, *, kinds: Sequence[str] | None = None, knobs: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        names = _KINDS if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
        unknown = [name for name in names if name not in _KINDS]
        if unknown or not names:
            raise BadInput(f"kinds are among {', '.join(_KINDS)}; found {unknown or 'none'}")
        self.kinds = tuple(name for name in _KINDS if name in names)
        self.knobs = AlgebraKnobs.at(self.level, **(knobs or {}))
        self._arithmetic = Arithmetic(level=self.level)
        self._lesson: Lesson | None = None
        self._kind = ""
        self._left = self._mistakes = 0
        self._solved = False
        self._notes: list[str] = []
        self._line = ""

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        draw = Draw(rng)
        kind = draw.pick(self.kinds)
        wording = draw.between(0, WORDINGS - 1)
        if kind == "arithmetic":
            return {"kind": kind, "expression": self._arithmetic.generate(rng)["expression"], "wording": wording}
        return {"kind": kind, "numbers": list(Algebra.table[kind].draw(draw, self.knobs)), "wording": wording}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """As `Algebra` and `Arithmetic` have it."""
        kind, lesson = _read(instance)
        if kind == "arithmetic":
            return lesson.question
        return [kind, list(Algebra.table[kind].canonical(tuple(instance["numbers"])))]

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the number of steps from the task to its solution."""
        return min(1.0, _read(instance)[1].start / 10)

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._kind, lesson = _read(instance)
        self._lesson = lesson
        self._left, self._mistakes, self._solved = lesson.start, 0, False
        self._notes, self._line = [], ""
        words = Words(instance["wording"])
        verb = words.pick(("Evaluate", "Work out", "Find the value of") if self._kind == "arithmetic" else
                          ("Solve", "Find the solution of", "Solve, one step a turn:"))  # fmt: skip
        gap = "\n" if "\n" in lesson.question else " "
        return f"{verb}{gap}{lesson.question}\n{_WHAT[self._kind]} {_HOW}"

    def turn(self, action: str) -> TurnResult:
        lesson = self._current()
        if _DECLARED.search(action):
            return self._answered(lesson, action)
        spans = list(lines(action))
        start, end = spans[-1] if spans else (0, 0)
        text = action[start:end]
        judgement = self._judged(lesson, text)
        before = self._potential()
        if judgement.follows is None:
            return TurnResult(
                self._tell("That is not a step that can be checked."), self._credit(start, end, 0.0, judgement)
            )
        if not judgement.follows:
            self._mistakes += 1
            over = self._mistakes >= _MOST_MISTAKES
            verdict = self._partial(f"{self._mistakes} steps do not follow") if over else None
            credits_ = self._credit(start, end, self._potential() - before, judgement)
            return TurnResult(self._tell("That does not follow."), credits_, verdict, terminated=over)
        self._notes += judgement.notes
        if judgement.distance < self._left:
            self._left, self._line = judgement.distance, text[:200]
        credits_ = self._credit(start, end, self._potential() - before, judgement)
        if self._left == 0:
            self._solved = True
            return TurnResult("That follows, and it is the solution.", credits_, self._end(), terminated=True)
        return TurnResult(self._tell("That follows."), credits_)

    def save(self) -> dict[str, Any]:
        return {
            "left": self._left, "mistakes": self._mistakes, "solved": self._solved, "notes": list(self._notes),
            "line": self._line,
        }  # fmt: skip

    def load(self, data: Mapping[str, Any]) -> None:
        self._left, self._mistakes, self._solved = int(data["left"]), int(data["mistakes"]), bool(data["solved"])
        self._notes, self._line = [str(note) for note in data["notes"]], str(data["line"])

    def potential(self) -> float:
        """1 when solved without a mistake, 0 at the start, below 0 when there is nothing but mistakes."""
        return self._potential()

    def unfinished(self) -> Verdict:
        """Partial, by how far the derivation came."""
        return self._partial(f"not solved after {self.max_turns} turns")

    def oracle(self) -> str:
        return self._current().next(self._left, self._notes)

    def cheats(self) -> Sequence[str]:
        lesson = self._current()
        asked = lesson.question.splitlines()[0]
        return (
            *super().cheats(), asked, "0 = 0", "1 = 1", "x = x", f"{asked} \\text{{ and }} 0 = 0", r"\boxed{}", "####",
            rf"\boxed{{{asked}}}", f"#### {asked}", "the answer is x", "x = 1/0", "9^{9^{9^9}} = x", "x + 1 = x + 1",
            " ".join(rf"\boxed{{{n}}}" for n in range(-40, 40)), "x = " + " or x = ".join(map(str, range(-40, 40))),
            "\n".join(f"x = {n}" for n in range(60, 120)), "2 + 2 = 4", "x = ٤",
        )  # fmt: skip

    # Inside -----------------------------------------------------------------------------------------------------------

    def _as_task(self, instance: Mapping[str, Any]) -> Task:
        content, kind = self.canonical(instance), instance["kind"]
        family = Arithmetic.family if kind == "arithmetic" else Algebra.family
        return Task(self.family, instance, fingerprint(family, content), self.difficulty(instance))

    def _current(self) -> Lesson:
        assert self._lesson is not None, "begin() comes first"
        return self._lesson

    def _potential(self) -> float:
        lesson = self._current()
        done = 1.0 if self._solved else 1.0 - self._left / lesson.start
        return done - MISTAKE * self._mistakes

    def _judged(self, lesson: Lesson, text: str) -> Judgement:
        """The line as a whole, or else the last formula in it that says something."""
        from proofgym.verifiers.math.segments import segments

        judgement = lesson.judge(text, self._notes)
        if judgement.follows is None and len(text) <= 2000:
            for segment in reversed(segments(text)[-4:]):
                found = lesson.judge(segment.text, self._notes)
                if found.follows is not None:
                    return found
        return judgement

    def _answered(self, lesson: Lesson, action: str) -> TurnResult:
        before = self._potential()
        place = find_answer(action)
        verdict = verify(lesson.gold, action)
        undone = lesson.form.refuses(place.text) if verdict.correct else ""
        self._solved = verdict.correct and not undone
        start, end = (place.start, place.end) if action[place.start : place.end].strip() else (0, len(action))
        reason = undone or verdict.reason
        credits_ = [Credit(start, end, self._potential() - before, "answer", reason)] if self._solved else (
            [Credit(start, end, 0.0, "answer", reason)]
        )  # fmt: skip
        if self._solved:
            return TurnResult("That is the solution.", credits_, self._end(), terminated=True)
        return TurnResult(
            "That is not the answer.", credits_, self._partial(f"a wrong answer: {reason}"), terminated=True
        )

    def _end(self) -> Verdict:
        if not self._mistakes:
            return Verdict.right("solved, and every step follows", answer=1.0, sound=1.0)
        score = max(0.0, self._potential())
        return Verdict.partial(score, f"solved after {self._mistakes} steps that do not follow", answer=1.0, sound=0.0)

    def _partial(self, reason: str) -> Verdict:
        done = 1.0 - self._left / self._current().start
        parts = {"answer": 0.0, "sound": float(not self._mistakes), "working": done}
        return Verdict.partial(max(0.0, self._potential()), reason, **parts)

    def _credit(self, start: int, end: int, pay: float, judgement: Judgement) -> list[Credit]:
        label = "mistake" if pay < 0 else "step"
        return [Credit(start, end, pay, label, judgement.reason)] if end > start else []

    def _tell(self, said: str) -> str:
        so_far = f"\nSo far: {self._line}" if self._line else ""
        return f"{said}\n{self._current().question}{so_far}\nWrite the next step."


def _read(instance: Any) -> tuple[str, Lesson]:
    """Check an instance and prepare its lesson."""
    data = instance if isinstance(instance, Mapping) else {}
    kind, wording = data.get("kind"), data.get("wording")
    if kind not in _KINDS:
        raise BadInput(f"an instance's 'kind' is one of {', '.join(_KINDS)}; found {kind!r:.40}")
    if not (isinstance(wording, int) and not isinstance(wording, bool) and 0 <= wording < WORDINGS):
        raise BadInput(f"an instance's 'wording' is a whole number from 0 to 2**48, found {wording!r:.40}")
    if kind == "arithmetic":
        return kind, _evaluated(read_expression(instance))
    numbers = data.get("numbers")
    if not (
        isinstance(numbers, (list, tuple))
        and len(numbers) <= 20
        and all(isinstance(n, int) and not isinstance(n, bool) and abs(n) <= 10**6 for n in numbers)
    ):
        raise BadInput(f"an instance's 'numbers' are at most 20 whole numbers up to 10**6, found {numbers!r:.60}")
    try:
        return kind, _lesson(kind, tuple(numbers), wording)
    except BadInput:
        raise
    except (ValueError, ArithmeticError, LookupError) as error:
        raise BadInput(f"the numbers {list(numbers)!r:.60} make no {kind!r} task ({error})") from error


@functools.lru_cache(maxsize=512)
def _evaluated(expression: Expression) -> Lesson:
    return ArithmeticLesson(expression)


@functools.lru_cache(maxsize=512)
def _lesson(kind: str, numbers: tuple[int, ...], wording: int) -> Lesson:
    words = Words(wording)
    if kind == "linear":
        return LinearLesson(numbers, words.pick(LETTERS))
    if kind == "quadratic":
        return QuadraticLesson(numbers, words.pick("xyztw"))
    return SystemLesson(numbers, words.pick(("xy", "ab", "st", "uv") if numbers[0] == 2 else ("xyz", "abc", "uvw")))
