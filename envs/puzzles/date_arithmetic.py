"""Clock and calendar arithmetic across time zones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["DateArithmetic"]

_UNITS = {"minutes": 1, "hours": 60, "days": 1440, "weeks": 10080}
_FORM = "%Y-%m-%d %H:%M"
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}", re.ASCII)


class DateArithmetic(Puzzle):
    """Follow a clock and a calendar through additions, subtractions and a change of the time zone.

    The calendar is the Gregorian one; zones have fixed offsets, so every answer is exact.
    """

    family = "date_arithmetic"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "steps": Knob(1, 6, "additions and subtractions", 1, 20),
        "days": Knob(40, 4000, "largest step, in days", 1, 40_000),
    }
    hardness_of = "carries between minutes, hours, days, months and years, summed over the steps"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        start = datetime(1950, 1, 1) + timedelta(minutes=int(rng.integers(100 * 365 * 1440)))  # noqa: DTZ001 - no zone
        steps = []
        names = list(_UNITS)
        for _ in range(knobs["steps"]):
            unit = names[int(rng.integers(4))]
            most = max(2, min(999, knobs["days"] * 1440 // _UNITS[unit]))
            steps.append([int(rng.choice([-1, 1])) * int(rng.integers(1, most + 1)), unit])
        zones = (15 * rng.integers(-44, 53, size=2)).tolist()
        return cls({"start": start.strftime(_FORM), "steps": steps, "zones": zones})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "start", "steps", "zones")
        text = fields.text(data, "start", most=16)
        try:
            self.start = _read(text)
        except Unreadable as error:
            raise BadInput(f"'start': {error}") from None
        steps = data["steps"]
        if not (isinstance(steps, (list, tuple)) and 1 <= len(steps) <= 40):
            raise BadInput(f"'steps' are 1 to 40 pairs such as [3, 'days'], found {steps!r:.80}")
        self.steps: list[tuple[int, str]] = []
        for step in steps:
            if not (isinstance(step, (list, tuple)) and len(step) == 2):
                raise BadInput(f"'steps' are pairs such as [3, 'days'], found {step!r:.80}")
            amount = fields.whole({"steps": step[0]}, "steps", -(10**6), 10**6)
            self.steps.append((amount, fields.one_of({"steps": step[1]}, "steps", list(_UNITS))))
        self.zones = fields.wholes(data, "zones", -720, 840, least=2, most=2)
        self.path = [self.start]
        try:
            for amount, unit in self.steps:
                self.path.append(self.path[-1] + timedelta(minutes=amount * _UNITS[unit]))
            self.path.append(self.path[-1] + timedelta(minutes=self.zones[1] - self.zones[0]))
        except OverflowError:
            raise BadInput("the steps leave the years 1 to 9999") from None

    def question(self) -> str:
        steps = "\n".join(f"{'add' if amount > 0 else 'subtract'} {abs(amount)} {unit}" for amount, unit in self.steps)
        one, two = (f"UTC{'+' if z >= 0 else '-'}{abs(z) // 60:02}:{abs(z) % 60:02}" for z in self.zones)
        return (
            f"A clock in the time zone {one} shows {_pretty(self.start)} (year-month-day hour:minute).\n{steps}\n"
            f"What does a clock in the time zone {two} show then?\n"
            "End with a line 'Answer: ' and date and time in the same form."
        )

    def judge(self, answer: str) -> Verdict:
        said = _read(" ".join(answer.replace("T", " ").strip(" \t\r\n.*`$").split()))
        if said == self.path[-1]:
            return Verdict.right()
        return Verdict.wrong(f"{said.strftime(_FORM)} is off by {said - self.path[-1]}")

    def solution(self) -> str:
        return _pretty(self.path[-1])

    def hardness(self) -> float:
        carries = 0
        for before, after in zip(self.path, self.path[1:], strict=False):
            if before != after:
                pairs = zip(before.timetuple()[:5], after.timetuple()[:5], strict=True)
                carries += sum(a != b for a, b in pairs)
        return float(carries)

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.start.strftime('%Y-%m-%d')}", "Answer: 2024-02-30 25:61", "Answer: 9999-99-99 99:99")


def _pretty(moment: datetime) -> str:
    return f"{moment.year:04}-{moment.strftime('%m-%d %H:%M')}"


def _read(text: str) -> datetime:
    if not _WRITTEN.fullmatch(text):
        raise Unreadable(f"a date and time such as '1999-12-31 23:59' is asked for, found {text[:40]!r}")
    try:
        return datetime.strptime(text, _FORM)  # noqa: DTZ007 - no zone
    except ValueError as error:
        raise Unreadable(f"{text!r} is no date and time: {error}") from None
