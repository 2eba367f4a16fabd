"""Repairing a bracket word with the fewest changes."""

from __future__ import annotations

import functools
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

__all__ = ["BracketRepair"]

_PAIRS = ("()", "[]", "{}", "<>")


class BracketRepair(Puzzle):
    """Replace as few brackets as possible so that all of them match; any word with that few changes is right.

    The fewest changes are found by dynamic programming over the stretches of the word.
    """

    family = "bracket_repair"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "length": Knob(8, 28, "brackets", 4, 40),
        "changes": Knob(2, 6, "brackets replaced at random", 1, 12),
        "kinds": Knob(2, 4, "kinds of brackets", 1, 4),
    }
    hardness_of = "fewest changes, times the length"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        kinds, half = _PAIRS[: knobs["kinds"]], knobs["length"] // 2
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            word, stack = "", list[str]()
            while len(word) < 2 * half:
                if len(stack) < 2 * half - len(word) and (not stack or rng.random() < 0.55):
                    pair = kinds[int(rng.integers(len(kinds)))]
                    word, stack = word + pair[0], [*stack, pair[1]]
                else:
                    word += stack.pop()
            letters = list(word)
            for at in rng.permutation(len(word))[: knobs["changes"]].tolist():
                letters[at] = "".join(kinds)[int(rng.integers(2 * len(kinds)))]
            puzzle = cls({"word": "".join(letters)})
            if puzzle.best[0] >= max(1, min(knobs["changes"] // 2, half // 2)):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "word")
        self.word = fields.text(data, "word", "".join(_PAIRS), least=2, most=40)
        if len(self.word) % 2:
            raise BadInput(f"'word' has evenly many brackets, found {len(self.word)}")

    def prove(self) -> None:
        if not self.best[0]:
            raise BadInput("these brackets match already: there is nothing to repair")

    @functools.cached_property
    def best(self) -> tuple[int, str]:
        """The fewest changes, and a word that has them."""
        word, n = self.word, len(self.word)
        cost = [[0] * (n + 1) for _ in range(n + 1)]
        split = [[0] * (n + 1) for _ in range(n + 1)]
        for size in range(2, n + 1, 2):
            for i in range(n - size + 1):
                j, least = i + size, n + 1
                for k in range(i + 1, j, 2):  # the partner of i
                    total = _change(word[i], word[k]) + cost[i + 1][k] + cost[k + 1][j]
                    if total < least:
                        least, split[i][j] = total, k
                cost[i][j] = least
        letters, stack = list(word), [(0, n)]
        while stack:
            i, j = stack.pop()
            if i < j:
                k = split[i][j]
                pair = next((p for p in _PAIRS if word[i] == p[0]), None) or next(
                    (p for p in _PAIRS if word[k] == p[1]), "()"
                )
                letters[i], letters[k] = pair[0], pair[1]
                stack += [(i + 1, k), (k + 1, j)]
        return cost[0][n], "".join(letters)

    def question(self) -> str:
        return (
            f"These brackets do not match:\n{self.word}\nThe kinds are {' '.join(_PAIRS)}. Replace as few of them as "
            "possible by other brackets so that every bracket matches one of its kind, properly nested.\n"
            f"End with a line 'Answer: ' and the repaired word of {len(self.word)} brackets."
        )

    def judge(self, answer: str) -> Verdict:
        said = "".join(answer.split())
        if len(said) != len(self.word) or any(c not in "()[]{}<>" for c in said):
            raise Unreadable(f"{len(self.word)} brackets are asked for, found {said[:60]!r}")
        stack = []
        for c in said:
            pair = next(p for p in _PAIRS if c in p)
            if c == pair[0]:
                stack.append(pair[1])
            elif not stack or stack.pop() != c:
                return Verdict.wrong("the brackets do not match")
        if stack:
            return Verdict.wrong("the brackets do not match")
        changes, best = sum(a != b for a, b in zip(said, self.word, strict=True)), self.best[0]
        if changes > best:
            return Verdict.wrong(f"it changes {changes}, and {best} are enough", optimal=best / changes)
        return Verdict.right(f"{changes} changes", optimal=1.0)

    def solution(self) -> str:
        return self.best[1]

    def hardness(self) -> float:
        return float(self.best[0] * len(self.word))

    def cheats(self) -> Sequence[str]:
        half = len(self.word) // 2
        return (f"Answer: {self.word}", f"Answer: {'(' * half}", f"Answer: {')' * half}{'(' * half}")


def _change(one: str, two: str) -> int:
    """How many of two brackets have to be replaced so that they match."""
    pair = next(p for p in _PAIRS if one in p)
    if one + two == pair:
        return 0
    return 1 if one == pair[0] or any(two == p[1] for p in _PAIRS) else 2
