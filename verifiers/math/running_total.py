"""Judges a chain of dependent additions, each step against what the policy itself wrote before it."""

from __future__ import annotations

from dataclasses import dataclass

from proofgym.verifiers import Credit, Verdict

__all__ = ["RunningTotalVerifier"]

_DIGITS = frozenset("0123456789")  # `str.isdigit` would let in other scripts
_BLANKS = frozenset(" \n")


@dataclass(frozen=True, slots=True)
class RunningTotalVerifier:
    """Pays every digit that follows from the digit written before it.

    Step k is right when the k-th digit written is the one before it plus the k-th digit to add, modulo 10; step 1
    starts from the question's first digit. So one slip costs one step, and what follows soundly from it is paid.
    What stands after the last step costs one step's pay (never more than was earned): the answer has to end.

    Args:
        digits: The question: a start and then one digit for each step.
        spaced: Whether blanks and newlines may stand between digits.

    >>> RunningTotalVerifier((3, 1, 4, 1)).verify("489").score
    1.0
    >>> RunningTotalVerifier((3, 1, 4, 1)).verify("478").reason
    '2 of 3 steps follow'
    >>> RunningTotalVerifier((3, 1, 4, 1)).verify("48x").reason
    "2 of 3 steps follow; 'x' is not a digit"
    """

    digits: tuple[int, ...]
    spaced: bool = False

    def verify(self, answer: str) -> Verdict:
        """Judge one answer."""
        return self.grade(answer)[0]

    def grade(self, answer: str) -> tuple[Verdict, list[Credit]]:
        """Judge one answer and pay its steps, each on its digit; the credits sum to the score."""
        steps = len(self.digits) - 1
        pay = 1.0 / steps
        credits_: list[Credit] = []
        before, written, sound, fine, flaw = self.digits[0], 0, 0, 0, ""
        for at, char in enumerate(answer):
            if self.spaced and char in _BLANKS:
                continue
            if written == steps:
                fine, flaw = min(1, sound), f"the answer goes on after step {steps}"
                credits_.append(Credit(at, len(answer), -pay if fine else 0.0, "extra", flaw))
                break
            if char not in _DIGITS:
                flaw = f"{char!r} is not a digit"
                credits_.append(Credit(at, len(answer), 0.0, "step", flaw))
                break
            written += 1
            total = before + self.digits[written]
            before = int(char)
            follows = before == total % 10
            sound += follows
            reason = f"the sum is {total}" if follows else f"the sum is {total}, so {char} does not follow"
            credits_.append(Credit(at, at + 1, pay if follows else 0.0, "step", reason))
        share = sound / steps
        if not written:
            return Verdict.malformed(flaw or "no digit at all", steps=0.0), credits_
        if sound == steps and not flaw:
            return Verdict.right(f"all {steps} steps follow", steps=share), credits_
        reason = f"{sound} of {steps} steps follow" + (f"; {flaw}" if flaw else "")
        return Verdict.partial((sound - fine) / steps, reason, steps=share), credits_
