"""Numbers from one base to another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["BaseConversion"]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class BaseConversion(Puzzle):
    """Write a number given in one base in another base."""

    family = "base_conversion"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "digits": Knob(4, 12, "digits of the given number", 1, 40),
        "base": Knob(10, 36, "largest base", 4, 36),
    }
    hardness_of = "digits carried when the digits are worked in one after the other"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            source, target = (2 + rng.choice(knobs["base"] - 1, size=2, replace=False)).tolist()
            digits = rng.integers(0, source, size=knobs["digits"])
            digits[0] = max(1, digits[0])
            puzzle = cls({"digits": "".join(_DIGITS[d] for d in digits.tolist()), "source": source, "target": target})
            if puzzle.solution() != puzzle.digits and len(puzzle.solution()) > 1:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "digits", "source", "target")
        self.source = fields.whole(data, "source", 2, 36)
        self.target = fields.whole(data, "target", 2, 36)
        self.digits = fields.text(data, "digits", _DIGITS[: self.source], most=100)
        if self.source == self.target:
            raise BadInput(f"'source' and 'target' differ, found {self.source} twice")

    def question(self) -> str:
        return (
            f"The number {self.digits} is written in base {self.source}. Write it in base {self.target}. "
            f"The digits above 9 are a = 10, b = 11 and so on.\n"
            "End with a line 'Answer: ' and the digits, without blanks."
        )

    def judge(self, answer: str) -> Verdict:
        said = answer.strip(" \t\r\n.*`$").lower()
        if not re.fullmatch(r"[0-9a-z]{1,400}", said):
            raise Unreadable(f"digits are asked for, found {said[:40]!r}")
        said = said.lstrip("0") or "0"
        return Verdict.right() if said == self.solution() else Verdict.wrong(f"{said[:60]} is another number")

    def solution(self) -> str:
        value, text = int(self.digits, self.source), ""
        while value:
            value, digit = divmod(value, self.target)
            text = _DIGITS[digit] + text
        return text or "0"

    def hardness(self) -> float:
        value, work = 0, 0
        for digit in self.digits:
            value = value * self.source + int(digit, 36)
            work += value.bit_length()
        return work / max(1, self.target.bit_length())

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.digits}", f"Answer: {int(self.digits, self.source)} (base 10)")
