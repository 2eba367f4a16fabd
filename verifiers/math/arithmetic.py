"""Judges the working and the answer of an arithmetic expression, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.math.expression import Expression, Unreadable, parse
from proofgym.verifiers.math.numeric import lines, read_number

__all__ = ["WORKING_SHARE", "ArithmeticVerifier"]

WORKING_SHARE = 0.5
"""Of the score, for the working; the rest is for the answer."""

_MAX_ANSWER = 20_000


@dataclass(frozen=True, slots=True)
class ArithmeticVerifier:
    """Pays each line that brings an expression closer to its value, and the value after `####`.

    The working is a chain: every line, and every side of an `=` on a line, rewrites the whole expression. Its potential
    is the share of operations carried out, by the shortest line so far. A line of the same value with fewer operations
    earns the rise of the potential times `WORKING_SHARE`; a line that only repeats, or cannot be read, earns nothing
    and does no harm. A line of another value does not follow: it breaks the chain, and no working after it is paid; if
    the value had been reached already, it costs the last operation's pay, so that only sound working earns 1.
    The answer is the chain's last line too, so the right number alone earns 1, and true lines cannot be piled up for
    more. After a broken chain the right answer earns its own share only.

    Args:
        problem: The expression.

    >>> verifier = ArithmeticVerifier(parse("2 * 3 + 4"))
    >>> verdict, credits = verifier.grade("6 + 4\\n#### 10")
    >>> verdict.score, [(c.value, c.label) for c in credits]
    (1.0, [(0.25, 'working'), (0.25, 'working'), (0.5, 'answer')])
    >>> verifier.verify("= 6 + 4 = 11\\n#### 10").parts
    {'sound': 0.0, 'answer': 1.0, 'working': 0.5}
    """

    problem: Expression

    def verify(self, answer: str) -> Verdict:
        """Judge one answer."""
        return self.grade(answer)[0]

    def grade(self, answer: str) -> tuple[Verdict, list[Credit]]:
        """Judge one answer and pay its lines; the credits sum to the score."""
        if len(answer) > _MAX_ANSWER:
            reason = f"at most {_MAX_ANSWER} characters are read, found {len(answer)}"
            return Verdict.malformed(reason, sound=0.0, answer=0.0, working=0.0), []
        chain = _Chain(self.problem)
        spans = list(lines(answer))
        last = next((k for k, (start, _) in enumerate(spans) if answer.startswith("####", start)), len(spans))
        for start, end in spans[:last]:
            for left, right in _sides(answer, start, end):
                chain.add(left, right, answer[left:right])
        if last == len(spans):
            return chain.verdict("no line '#### n' at the end"), chain.credits
        start, end = spans[last]
        claimed = read_number(answer[start + 4 : end])
        if last + 1 < len(spans):
            end = spans[-1][1]
            flaw = "the answer goes on after its line '#### n'"
        elif claimed is None:
            flaw = f"{answer[start:end][:40]!r} is not one number after '####'"
        else:
            flaw = chain.close(start, end, claimed)
        if flaw:
            chain.credits.append(Credit(start, end, 0.0, "answer", flaw))
        return chain.verdict(flaw), chain.credits


class _Chain:
    """The working so far: how far it came, and whether every line of it follows."""

    def __init__(self, problem: Expression) -> None:
        self.value, self.operations = problem.value, problem.operations
        self.left = self.operations
        self.read = self.answered = False
        self.flaw = ""
        self.credits: list[Credit] = []

    def add(self, start: int, end: int, text: str) -> None:
        """Judge one line of working, or one side of an `=`."""
        try:
            line = parse(text.lstrip("= \t"))
        except Unreadable as error:
            self.credits.append(Credit(start, end, 0.0, "working", f"not an expression: {error}"))
            return
        self.read = True
        if line.value == self.value:
            self._rise(start, end, line.operations)
            return
        pay = 0.0
        if not self.flaw:
            self.flaw = f"{text.strip()[:40]!r} does not follow: its value is not the line's before it"
            if self.left == 0:  # the value was reached and is given up: the last operation is open again
                self.left, pay = 1, -WORKING_SHARE / self.operations
        self.credits.append(Credit(start, end, pay, "working", "does not follow: another value"))

    def close(self, start: int, end: int, claimed: Fraction) -> str:
        """Take the answer as the last line; returns what is wrong with it."""
        self.read = True
        if claimed != self.value:
            self.flaw = self.flaw or "the answer does not follow from the working"
            return f"{claimed} is not the value"
        self.answered = True
        self._rise(start, end, 0)
        self.credits.append(Credit(start, end, 1.0 - WORKING_SHARE, "answer", "the value"))
        return ""

    def verdict(self, flaw: str) -> Verdict:
        """The judgement on the whole."""
        done = 1.0 - self.left / self.operations
        parts = {"sound": float(self.read and not self.flaw), "answer": float(self.answered), "working": done}
        if not self.read:
            return Verdict.malformed(flaw, **parts)
        if self.answered and not self.flaw:
            return Verdict.right("every line follows", **parts)
        score = WORKING_SHARE * done + (1.0 - WORKING_SHARE) * self.answered
        return Verdict.partial(score, "; ".join(filter(None, (self.flaw, flaw))), **parts)

    def _rise(self, start: int, end: int, operations: int) -> None:
        if self.flaw:
            value, reason = 0.0, "follows a line that does not follow"
        elif operations >= self.left:
            value, reason = 0.0, "follows, and comes no closer"
        else:
            value = WORKING_SHARE * (self.left - operations) / self.operations
            reason = f"follows: {self.left} operations before, {operations} now"
            self.left = operations
        self.credits.append(Credit(start, end, value, "working", reason))


def _sides(answer: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The sides of the `=` signs on a line, each span beginning with its sign; an empty first side is left out."""
    at = start
    while at < end:
        sign = answer.find("=", at + 1, end)
        stop = sign if sign >= 0 else end
        if answer[at:stop].strip("= \t") or stop == end:
            yield at, at + len(answer[at:stop].rstrip())
        at = stop
