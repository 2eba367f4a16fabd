"""Longest common subsequences."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import tidy
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["CommonSubsequence"]

_ALPHABET = "abcdef"


class CommonSubsequence(Puzzle):
    """Find a longest common subsequence of some words; any of that length is right."""

    family = "common_subsequence"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "words": Knob(2, 3, "words", 2, 3),
        "letters": Knob(8, 16, "letters of each word", 5, 24),
        "alphabet": Knob(3, 5, "different letters", 2, 6),
    }
    hardness_of = "cells of the dynamic program, times the length found, per letter"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            words = [
                "".join(_ALPHABET[i] for i in rng.integers(knobs["alphabet"], size=int(knobs["letters"])).tolist())
                for _ in range(knobs["words"])
            ]
            puzzle = cls({"words": words})
            if len(set(words)) == len(words) and 3 <= len(puzzle.best) < knobs["letters"]:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "words")
        self.words = fields.texts(data, "words", _ALPHABET, least=2, most=3, longest=24)

    def prove(self) -> None:
        if not self.best:
            raise BadInput("these words have no letter in common")

    @functools.cached_property
    def best(self) -> str:
        """One of the longest, by dynamic programming over the rests of the words."""
        size: dict[tuple[int, ...], int] = {}
        words = self.words
        for at in itertools.product(*(range(len(word), -1, -1) for word in words)):
            if any(i == len(word) for i, word in zip(at, words, strict=True)):
                size[at] = 0
            elif len({word[i] for i, word in zip(at, words, strict=True)}) == 1:
                size[at] = 1 + size[tuple(i + 1 for i in at)]
            else:
                size[at] = max(size[(*at[:k], at[k] + 1, *at[k + 1 :])] for k in range(len(words)))
        at, found = (0,) * len(words), ""
        while size[at]:
            if len({word[i] for i, word in zip(at, words, strict=True)}) == 1:
                found += words[0][at[0]]
                at = tuple(i + 1 for i in at)
            else:
                steps = [(*at[:k], at[k] + 1, *at[k + 1 :]) for k in range(len(words))]
                at = next(step for step in steps if size[step] == size[at])
        return found

    def canonical(self) -> Any:
        return sorted(self.words)

    def question(self) -> str:
        return (
            "Find a longest common subsequence of these words, that is, letters that stand in each of them in the "
            f"same order, not necessarily next to each other:\n{chr(10).join(self.words)}\n"
            "End with a line 'Answer: ' and its letters, without blanks."
        )

    def judge(self, answer: str) -> Verdict:
        said = tidy(answer).strip("'\"")
        for word in self.words:
            rest = iter(word)
            if not all(c in rest for c in said):
                return Verdict.wrong(f"it is no subsequence of {word}")
        best = len(self.best)
        if len(said) < best:
            return Verdict.wrong(f"it has {len(said)} letters, and {best} are possible", optimal=len(said) / best)
        return Verdict.right(f"{best} letters", optimal=1.0)

    def solution(self) -> str:
        return self.best

    def hardness(self) -> float:
        cells = 1
        for word in self.words:
            cells *= len(word)
        return cells * len(self.best) / len(self.words[0])

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.words[0]}", f"Answer: {self.best[0]}", f"Answer: {''.join(self.words)}")
