"""Number sequences with a shortest formula."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["NumberSequence"]

_CONSTANTS = range(1, 10)
_FORMULA = "npq123456789"
_LARGEST = 10**9
_AHEAD = 3

Tree = str | tuple[str, Any, Any]


class NumberSequence(Puzzle):
    """Continue a sequence whose terms follow from a formula in the place and the two terms before.

    Every formula of at most three operands is tried: all of the shortest ones that fit continue the sequence in the
    same way, so the answer is unique.
    """

    family = "number_sequence"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "operands": Knob(2, 3, "operands of the formula", 1, 3),
        "terms": Knob(7, 7, "terms that are shown", 5, 12),
        "start": Knob(9, 60, "largest of the first two terms", 1, 100),
    }
    hardness_of = "formulas that are shorter or tried before, and the digits of the terms"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            trees: list[Tree] = [
                _FORMULA[int(rng.integers(3))] if rng.random() < 0.7 else str(rng.integers(1, 10))
                for _ in range(knobs["operands"])
            ]
            while len(trees) > 1:
                one, two = trees.pop(int(rng.integers(len(trees)))), trees.pop(0)
                trees.append(("+-*"[int(rng.integers(3))], one, two))
            terms = rng.integers(1, knobs["start"] + 1, size=2).tolist()
            for n in range(3, knobs["terms"] + 1):
                terms.append(_value(trees[0], n, terms[-1], terms[-2]))
                if abs(terms[-1]) > 10**6:
                    break
            if len(terms) < knobs["terms"] or len(set(terms)) < len(terms) - 1 or abs(terms[-1]) > 10**6:
                continue
            puzzle = cls({"terms": terms})
            if puzzle.ahead is not None and puzzle.operands == knobs["operands"]:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "terms")
        self.terms = fields.wholes(data, "terms", -_LARGEST, _LARGEST, least=5, most=20)

    def prove(self) -> None:
        if self.ahead is None:
            raise BadInput(
                "the shortest formulas that fit do not agree on the next terms, or there is none, or they are huge"
            )

    @functools.cached_property
    def _searched(self) -> tuple[list[Tree], int, int]:
        """All shortest formulas that fit, their operands, and how many formulas were shorter."""
        wanted = self.terms[2:]
        leaves: list[tuple[tuple[int, ...], Tree]] = [
            (tuple(range(3, len(self.terms) + 1)), "n"), (self.terms[1:-1], "p"), (self.terms[:-2], "q"),
            *(((c,) * len(wanted), str(c)) for c in _CONSTANTS),
        ]  # fmt: skip
        found = [tree for values, tree in leaves if values == wanted]
        if found:
            return found, 1, 0
        pairs = list(_joined(leaves, leaves))
        found = [tree for values, tree in pairs if values == wanted]
        if found:
            return found, 2, len(leaves)
        first = wanted[0]
        for a, x in leaves:
            for b, y in pairs:
                one, two = a[0], b[0]
                if one + two == first and all(i + j == w for i, j, w in zip(a, b, wanted, strict=True)):
                    found.append(("+", x, y))
                if one * two == first and all(i * j == w for i, j, w in zip(a, b, wanted, strict=True)):
                    found.append(("*", x, y))
                if one - two == first and all(i - j == w for i, j, w in zip(a, b, wanted, strict=True)):
                    found.append(("-", x, y))
                if two - one == first and all(j - i == w for i, j, w in zip(a, b, wanted, strict=True)):
                    found.append(("-", y, x))
        return found, 3, len(leaves) + len(pairs)

    @property
    def operands(self) -> int:
        """Operands of a shortest formula."""
        return self._searched[1]

    @functools.cached_property
    def ahead(self) -> list[int] | None:
        """The next terms, if all shortest formulas agree on them."""
        futures = set()
        for tree in self._searched[0]:
            terms = list(self.terms)
            for n in range(len(terms) + 1, len(terms) + _AHEAD + 1):
                terms.append(_value(tree, n, terms[-1], terms[-2]))
            futures.add(tuple(terms[-_AHEAD:]))
        ahead = futures.pop() if len(futures) == 1 else ()
        return list(ahead) if ahead and max(map(abs, ahead)) < 10**17 else None

    def question(self) -> str:
        return (
            f"A sequence begins {', '.join(map(str, self.terms))}. From the third term on, each term is the same "
            "formula of at most three operands joined by +, - or * (with parentheses where needed); an operand is "
            "the place n of the term (3 for the third), the term before it, the term before that, or a whole number "
            f"from 1 to 9. Use a formula with as few operands as possible. What are the next {_AHEAD} terms?\n"
            f"End with a line 'Answer: ' and the {_AHEAD} numbers, separated by blanks."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.wholes(answer, count=_AHEAD)
        return Verdict.right() if said == self.ahead else Verdict.wrong("the sequence goes on in another way")

    def solution(self) -> str:
        assert self.ahead is not None
        return " ".join(map(str, self.ahead))

    def hardness(self) -> float:
        return float(self._searched[2] + sum(len(str(t)) for t in self.terms))

    def cheats(self) -> Sequence[str]:
        last = self.terms[-1]
        same = f"Answer: {last} {last} {last}"
        return tuple(text for text in (same, "Answer: 1 2 3") if text != f"Answer: {self.solution()}")


def _value(tree: Tree, n: int, p: int, q: int) -> int:
    if isinstance(tree, str):
        return {"n": n, "p": p, "q": q}[tree] if tree in "npq" else int(tree)
    sign, one, two = tree
    a, b = _value(one, n, p, q), _value(two, n, p, q)
    return a + b if sign == "+" else a - b if sign == "-" else a * b


def _joined(
    one: list[tuple[tuple[int, ...], Tree]], two: list[tuple[tuple[int, ...], Tree]]
) -> Iterator[tuple[tuple[int, ...], Tree]]:
    for i, (a, x) in enumerate(one):
        for j, (b, y) in enumerate(two):
            yield tuple(s - t for s, t in zip(a, b, strict=True)), ("-", x, y)
            if i <= j:
                yield tuple(s + t for s, t in zip(a, b, strict=True)), ("+", x, y)
                yield tuple(s * t for s, t in zip(a, b, strict=True)), ("*", x, y)
