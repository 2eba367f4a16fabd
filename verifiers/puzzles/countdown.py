"""Judges an expression that should reach a target from given numbers, and finds one where there is one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.expression import Expression, Unreadable, combine, evaluate, number, parse
from proofgym.verifiers.math.numeric import lines

__all__ = ["CountdownVerifier", "solve"]

_ANSWER = re.compile(r"(?<![A-Za-z])answer[*_ \t]{0,9}:", re.IGNORECASE)
_DECORATION = " \t`$*_."


@dataclass(frozen=True, slots=True)
class CountdownVerifier:
    """Accepts every expression of the target's value that uses each given number at most once.

    The answer stands after `Answer:`, to the end of its line, or, without that, is the last line; there is one answer
    only. `= target` may follow it. Division is exact, so `7 / 2 * 4` is 14.

    Args:
        numbers: What may be used, each as often as it is listed.
        target: What is to be reached.

    >>> CountdownVerifier((2, 3, 7), 13).verify("Answer: 2 * 3 + 7 = 13").correct
    True
    >>> CountdownVerifier((2, 3, 7), 13).verify("7 + 7 - 1").reason
    'it uses 7 more often than it is given'
    """

    numbers: tuple[int, ...]
    target: int

    def verify(self, answer: str) -> Verdict:
        """Judge one answer."""
        return self.grade(answer)[0]

    def grade(self, answer: str) -> tuple[Verdict, list[Credit]]:
        """Judge one answer; the one credit lies on the expression."""
        places = _places(answer)
        if not places:
            return Verdict.malformed("there is no answer"), []
        start, end = places[-1]
        if len({answer[left:right] for left, right in places}) > 1:
            verdict = Verdict.malformed("it gives several answers")
        else:
            verdict = self._judge(answer[start:end])
        return verdict, [Credit(start, end, verdict.score, "answer", verdict.reason)]

    def _judge(self, text: str) -> Verdict:
        text, equals, claimed = text.partition("=")
        try:
            value, literals = evaluate(text)
            stated = parse(claimed) if equals else None
        except Unreadable as error:
            return Verdict.malformed(f"{text.strip()[:40]!r} cannot be read: {error}")
        left = list(self.numbers)
        for literal in literals:
            if literal not in left:
                fault = " more often than it is given" if literal in self.numbers else ", which is not given"
                return Verdict.wrong(f"it uses {literal}{fault}")
            left.remove(literal)
        if stated is not None and (stated.operations or stated.value != self.target):
            return Verdict.wrong("what follows '=' is not the target")
        if value != self.target:
            return Verdict.wrong(f"its value is {str(value)[:40]}, the target is {self.target}")
        return Verdict.right()


def solve(numbers: tuple[int, ...], target: int) -> Expression | None:
    """An expression that reaches the target, or `None` when there is none: the search is complete.

    It takes milliseconds for four numbers and up to minutes for six that cannot reach the target.

    >>> str(solve((1, 5, 5, 5), 24))
    '5 * (5 - 1 / 5)'
    >>> solve((1, 1, 1), 50) is None
    True
    """
    seen: set[tuple[int | Fraction, ...]] = set()

    def search(parts: tuple[Expression, ...]) -> Expression | None:
        key = tuple(sorted(part.value for part in parts))
        if key in seen:
            return None
        seen.add(key)
        for part in parts:
            if part.value == target:
                return part
        for i, j in combinations(range(len(parts)), 2):
            rest = tuple(part for k, part in enumerate(parts) if k not in (i, j))
            high, low = (parts[i], parts[j]) if parts[i].value >= parts[j].value else (parts[j], parts[i])
            joined = [combine("+", high, low), combine("*", high, low), combine("-", high, low)]
            joined += [combine("/", a, b) for a, b in ((high, low), (low, high)) if b.value]
            for expression in joined:
                found = search((*rest, expression))
                if found is not None:
                    return found
        return None

    return search(tuple(number(n) for n in numbers))


def _places(answer: str) -> list[tuple[int, int]]:
    spans = list(lines(answer))
    marked = []
    for start, end in spans:
        found = [*_ANSWER.finditer(answer, start, end)]
        marked += [
            (mark.end(), after.start() if after else end)
            for mark, after in zip(found, [*found[1:], None], strict=False)  # an answer ends where the next begins
        ]
    places = []
    for start, end in marked or spans[-1:]:
        while start < end and answer[start] in _DECORATION:
            start += 1
        while start < end and answer[end - 1] in _DECORATION:
            end -= 1
        if start < end:
            places.append((start, end))
    return places
