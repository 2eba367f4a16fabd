"""Cryptarithms: letters stand for digits in an addition."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Cryptarithm"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Cryptarithm(Puzzle):
    """Find the digit of each letter so that an addition is true; any assignment that makes it true is right.

    Letters stand for different digits and no number starts with 0.
    """

    family = "cryptarithm"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "addends": Knob(2, 3, "numbers that are added", 2, 5),
        "digits": Knob(3, 6, "digits of the longest", 2, 9),
    }
    hardness_of = "nodes of a search from the right column to the left, to the first solution"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            longest = knobs["digits"]
            sizes = [longest, *rng.integers(max(2, longest - 1), longest + 1, size=knobs["addends"] - 1).tolist()]
            addends = [int(rng.integers(10 ** (size - 1), 10**size)) for size in sizes]
            numbers = [*map(str, addends), str(sum(addends))]
            used = "".join(sorted(set("".join(numbers))))
            if len(used) < 4:
                continue
            letters = [_LETTERS[i] for i in rng.permutation(26)[: len(used)].tolist()]
            words = ["".join(letters[used.index(d)] for d in text) for text in numbers]
            solution = ", ".join(f"{letter}={digit}" for letter, digit in sorted(zip(letters, used, strict=True)))
            return cls({"addends": words[:-1], "total": words[-1], "solution": solution})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "addends", "total", optional=("solution",))
        self.addends = fields.texts(data, "addends", _LETTERS, least=2, most=6, longest=12)
        self.total = fields.text(data, "total", _LETTERS, most=13)
        self.letters = sorted({*"".join(self.addends), *self.total})
        if len(self.letters) > 10:
            raise BadInput(f"there are at most 10 letters, found {len(self.letters)}")
        self._stored = fields.text(data, "solution") if "solution" in data else ""
        if self._stored:
            try:
                verdict = self.judge(self._stored)
            except answers.Unreadable as error:
                raise BadInput(f"'solution' cannot be read: {error}") from None
            if not verdict.correct:
                raise BadInput(f"'solution' is wrong: {verdict.reason}")

    def prove(self) -> None:
        if not self._stored and self.searched[0] is None:
            raise BadInput("no digits make this addition true")

    def canonical(self) -> Any:
        """The addition with its letters renamed in order of appearance: the names of letters do not matter."""
        names: dict[str, int] = {}
        return [[names.setdefault(letter, len(names)) for letter in word] for word in (*self.addends, self.total)]

    def question(self) -> str:
        return (
            "In this addition each letter stands for one digit, different letters for different digits, and no number "
            f"starts with 0:\n{' + '.join(self.addends)} = {self.total}\nFind the digits.\n"
            f"End with a line 'Answer: ' and a digit for each of the letters {', '.join(self.letters)}, written as "
            f"{', '.join(f'{letter}=...' for letter in self.letters[:2])} and so on."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.mapping(answer, self.letters)
        digits = {letter: answers.whole(value, 0, 9) for letter, value in said.items()}
        if len(set(digits.values())) < len(digits):
            return Verdict.wrong("two letters stand for the same digit")
        if any(digits[word[0]] == 0 for word in (*self.addends, self.total) if len(word) > 1):
            return Verdict.wrong("a number starts with 0")
        *parts, total = (int("".join(str(digits[c]) for c in word)) for word in (*self.addends, self.total))
        return Verdict.right() if sum(parts) == total else Verdict.wrong(f"the sum is {sum(parts)}, not {total}")

    def solution(self) -> str:
        if self._stored:
            return self._stored
        found = self.searched[0]
        assert found is not None
        return ", ".join(f"{letter}={found[letter]}" for letter in self.letters)

    def hardness(self) -> float:
        return float(self.searched[1])

    def cheats(self) -> Sequence[str]:
        zeros = ", ".join(f"{letter}=0" for letter in self.letters)
        return (f"Answer: {zeros}", f"Answer: {zeros.replace('0', '00')}")

    @functools.cached_property
    def searched(self) -> tuple[dict[str, int] | None, int]:
        """The first solution of a search by columns from the right, and the nodes that it took."""
        width = len(self.total)
        if any(len(word) > width for word in self.addends):
            return None, 0
        columns = [[word[-1 - i] for word in self.addends if i < len(word)] for i in range(width)]
        nonzero = {word[0] for word in (*self.addends, self.total) if len(word) > 1}
        digit: dict[str, int] = {}
        free = set(range(10))
        nodes = 0

        def column(i: int, row: int, total: int) -> bool:
            nonlocal nodes
            nodes += 1
            if i == width:
                return total == 0
            if row == len(columns[i]):
                return place(self.total[-1 - i], [total % 10], lambda: column(i + 1, 0, total // 10))
            letter = columns[i][row]
            return place(letter, range(10), lambda: column(i, row + 1, total + digit[letter]))

        def place(letter: str, wanted: Sequence[int], then: Any) -> bool:
            if letter in digit:
                return digit[letter] in wanted and then()
            for d in wanted:
                if d in free and (d or letter not in nonzero):
                    digit[letter] = d
                    free.discard(d)
                    if then():
                        return True
                    del digit[letter]
                    free.add(d)
            return False

        return (dict(digit) if column(0, 0, 0) else None), nodes
