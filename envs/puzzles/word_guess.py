"""Word guess: find a five-letter word from which letters of your guesses it shares."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.five_letters import WORDS
from proofgym.envs.puzzles.guessing import GuessingGame
from proofgym.errors import BadInput

__all__ = ["WordGuess", "marks"]


class WordGuess(GuessingGame[str]):
    """Find a common five-letter word within a few guesses, told the letters that are right or misplaced.

    The words are a list of this package's own; guesses are words of the list.
    """

    family = "word_guess"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "spare": Knob(3, 1, "guesses beyond those of a careful player", 0, 10),
        "turns": Knob(2, 4, "guesses of a careful player, at least", 2, 5),
    }
    hardness_of = "guesses of a player who tries the first word that fits all answers"
    steps_floor = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        draws = Draws(cls.family)
        while True:
            draws.count()
            secret = WORDS[int(rng.integers(len(WORDS)))]
            opening = WORDS[int(rng.integers(len(WORDS)))]
            puzzle = cls({"secret": secret, "opening": opening, "guesses": 20})
            turns = int(puzzle.hardness())
            if turns >= knobs["turns"]:
                return cls({"secret": secret, "opening": opening, "guesses": turns + knobs["spare"]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "secret", "opening", "guesses")
        for key in ("secret", "opening"):
            if not isinstance(data[key], str) or data[key] not in _listed():
                raise BadInput(f"{key!r} is one of the {len(WORDS)} words of the list, found {data[key]!r:.80}")
        self.secret, self.opening = data["secret"], data["opening"]
        self.limit = fields.whole(data, "guesses", 1, 20)

    def candidates(self) -> Sequence[str]:
        """The words that fit the hint that is given at the start."""
        found: list[str] | None = self.__dict__.get("_fit")
        if found is None:
            told = marks(self.opening, self.secret)
            found = self.__dict__["_fit"] = [word for word in WORDS if marks(self.opening, word) == told]
        return found

    def asking(self) -> Sequence[str]:
        return WORDS

    def naming(self, candidate: str) -> str:
        return candidate

    def named(self, move: str) -> str:
        word = move.removeprefix("guess ").strip("'\"")
        if word not in _listed():
            raise Illegal("A move is one five-letter English word that is common enough to be in the list.")
        return word

    def answer(self, move: str, candidate: str) -> str:
        return marks(move, candidate)

    def rules(self) -> str:
        return (
            "A secret five-letter English word. After each guess, a word too, each letter of it is marked: 'G' if "
            "it stands in the right place, 'Y' if it is in the secret but elsewhere, '-' if it is not (so often). "
            f"Find the secret within {self.limit} guesses. A move is a word.\n"
            f"As a hint, {self.opening} would be marked {marks(self.opening, self.secret)}."
        )


@functools.cache
def _listed() -> frozenset[str]:
    return frozenset(WORDS)


def marks(guess: str, secret: str) -> str:
    """G for a letter in its place, Y for one that stands elsewhere, - for one that is not there, or not so often.

    >>> marks("sleet", "eagle"), marks("eerie", "there")
    ('-YYY-', 'Y-Y-G')
    """
    found = ["G" if one == two else "-" for one, two in zip(guess, secret, strict=True)]
    spare = [two for one, two in zip(guess, secret, strict=True) if one != two]
    for at, letter in enumerate(guess):
        if found[at] == "-" and letter in spare:
            spare.remove(letter)
            found[at] = "Y"
    return "".join(found)
