"""Anagrams: words of a list that use up given letters exactly."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.short_words import FOUR, THREE
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["LetterBank"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class LetterBank(Puzzle):
    """Choose words of a list that together use up given letters exactly; any such choice is right."""

    family = "letter_bank"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "words": Knob(3, 7, "words to find", 2, 12),
        "listed": Knob(12, 70, "words of the list", 4, 150),
    }
    hardness_of = "words that a search tries until it has a choice"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        pool = (*THREE, *FOUR)
        listed = [pool[i] for i in rng.permutation(len(pool))[: knobs["listed"]].tolist()]
        bank = "".join(sorted("".join(listed[: min(knobs["words"], len(listed) - 1)])))
        return cls({"letters": bank, "words": sorted(listed)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "letters", "words")
        self.letters = fields.text(data, "letters", _LETTERS, most=100)
        self.words = fields.texts(data, "words", _LETTERS, most=200, longest=20)
        if len(set(self.words)) < len(self.words):
            raise BadInput("'words' holds a word twice")

    def prove(self) -> None:
        if not self.found[0]:
            raise BadInput("no words of the list use up these letters")

    @functools.cached_property
    def found(self) -> tuple[list[str], int]:
        """A choice (empty without one), and the words that the search tried."""
        count = [0] * 26
        for c in self.letters:
            count[_LETTERS.index(c)] += 1
        bags = [tuple(word.count(c) for c in _LETTERS) for word in self.words]
        tried = 0

        def search(left: list[int], free: list[int]) -> list[int] | None:
            nonlocal tried
            if not any(left):
                return []
            fits = [i for i in free if all(a <= b for a, b in zip(bags[i], left, strict=True))]
            tried += len(free)
            having = [[i for i in fits if bags[i][c]] for c, n in enumerate(left) if n]
            for i in min(having, key=len):  # the letter that fewest words hold
                rest = search([a - b for a, b in zip(left, bags[i], strict=True)], [j for j in fits if j != i])
                if rest is not None:
                    return [i, *rest]
            return None

        found = search(count, list(range(len(self.words))))
        return sorted(self.words[i] for i in found or ()), tried

    def canonical(self) -> Any:
        return ["".join(sorted(self.letters)), sorted(self.words)]

    def question(self) -> str:
        return (
            f"These letters are given:\n{' '.join(self.letters)}\nChoose words of this list that together use every "
            f"letter exactly as often as it is given; a word can be chosen once:\n{' '.join(self.words)}\n"
            "End with a line 'Answer: ' and the chosen words, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        chosen = answers.words(answer, most=200)
        strange = next((word for word in chosen if word not in self.words), None)
        if strange is not None:
            return Verdict.wrong(f"{strange[:40]!r} is not in the list")
        if len(set(chosen)) < len(chosen):
            return Verdict.wrong("a word is chosen twice")
        if sorted("".join(chosen)) != sorted(self.letters):
            return Verdict.wrong("the letters are not used up exactly")
        return Verdict.right()

    def solution(self) -> str:
        return " ".join(self.found[0])

    def hardness(self) -> float:
        return float(self.found[1])

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.letters}", f"Answer: {' '.join(self.words)}", f"Answer: {' '.join(self.letters)}")
