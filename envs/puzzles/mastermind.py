"""Mastermind: find a code from how well guesses fit it."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.guessing import GuessingGame
from proofgym.errors import BadInput

__all__ = ["Mastermind"]

_GUESS = re.compile(r"(?:guess |try )?([1-9](?:[ -]?[1-9]){1,5})", re.ASCII)
_MOST_CODES = 10_000


class Mastermind(GuessingGame[str]):
    """Find a code of colours, told after each guess how many stand right and how many are right but stand elsewhere."""

    family = "mastermind"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "pegs": Knob(3, 4, "places of the code", 2, 5),
        "colours": Knob(6, 8, "colours", 3, 9),
        "guesses": Knob(7, 8, "guesses", 4, 12),
    }
    hardness_of = "guesses of a player who tries the first code that fits all answers"
    steps_floor = 0.05  # at level 0, 7 guesses at 216 codes

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        pegs, colours = knobs["pegs"], knobs["colours"]
        while colours**pegs > _MOST_CODES:
            colours -= 1
        draws = Draws(cls.family)
        while True:
            draws.count()
            code, clue = ("".join(map(str, row)) for row in rng.integers(1, colours + 1, size=(2, pegs)).tolist())
            puzzle = cls({"secret": code, "clues": [clue], "colours": colours, "guesses": knobs["guesses"]})
            if puzzle.hardness() <= puzzle.limit:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "secret", "clues", "colours", "guesses")
        self.colours = fields.whole(data, "colours", 2, 9)
        self._digits = "123456789"[: self.colours]
        self.secret = fields.text(data, "secret", self._digits, least=2, most=6)
        self.limit = fields.whole(data, "guesses", 1, 20)
        places = len(self.secret)
        self._clues = fields.texts(data, "clues", self._digits, least=0, most=4, shortest=places, longest=places)
        if self.colours ** len(self.secret) > _MOST_CODES:
            raise BadInput(f"there are at most {_MOST_CODES} codes, found {self.colours} ** {len(self.secret)}")

    def candidates(self) -> Sequence[str]:
        found: Sequence[str] | None = self.__dict__.get("_fit")
        if found is None:
            found = self.asking()
            for clue in self._clues:
                said = self.answer(clue, self.secret)
                found = [code for code in found if self.answer(clue, code) == said]
            self.__dict__["_fit"] = found
        return found

    def asking(self) -> Sequence[str]:
        return _codes(self._digits, len(self.secret))

    def naming(self, candidate: str) -> str:
        return candidate

    def named(self, move: str) -> str:
        found = _GUESS.fullmatch(move)
        code = found[1].replace(" ", "").replace("-", "") if found else ""
        if len(code) != len(self.secret) or not set(code) <= set(self._digits):
            raise Illegal(f"A guess is {len(self.secret)} digits up to {self.colours}, like '{self._example()}'.")
        return code

    def _example(self) -> str:
        return (self._digits * 6)[: len(self.secret)]

    def answer(self, move: str, candidate: str) -> str:
        exact = 0
        for one, two in zip(move, candidate, strict=True):
            exact += one == two
        common = 0
        for digit in set(move):
            common += min(move.count(digit), candidate.count(digit))
        return f"{exact} right, {common - exact} misplaced"

    def rules(self) -> str:
        clues = "".join(f"\n{clue}: {self.answer(clue, self.secret)}" for clue in self._clues)
        return (
            f"Mastermind: a secret code has {len(self.secret)} places, each a digit from 1 to {self.colours}, "
            "and digits may repeat. After each guess you hear how many digits are right and in the right place, "
            "and how many more are "
            f"in the code but elsewhere. Find the code within {self.limit} guesses. A move is a code such as "
            f"'{self._example()}'. Known already:{clues or ' nothing'}"
        )


@functools.cache
def _codes(digits: str, places: int) -> tuple[str, ...]:
    return tuple("".join(code) for code in itertools.product(digits, repeat=places))
