"""Numbers as people write them: decimal, repeating, mixed, scientific, to another base."""

from __future__ import annotations

import re
from fractions import Fraction

from proofgym.verifiers.math.cursor import Cursor
from proofgym.verifiers.math.lexer import Token
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, big_int, num

__all__ = ["Numerals", "decimal", "repeating"]

_MAX_DIGITS, _MAX_EXPONENT = 20_000, 20_000
_REPEATS = re.compile(
    r"\\(?:overline|bar)\s*\{(\d+)\}|\((\d+)\)(?!\s*[\^\d])|(\\dot\s*\{?\d\}?(?:\d*\\dot\s*\{?\d\}?)?)"
)
_BASED = re.compile(r"([0-9A-Z]+)\s*_\s*(?:\{\s*(\d{1,2})\s*\}|(\d{1,2}))")
_MIXED = re.compile(
    r"\s*\\[dt]?frac\s*(?:\{\s*(\d{1,40})\s*\}|(\d))\s*(?:\{\s*(\d{1,40})\s*\}|(\d))|"
    r"\s+(\d{1,40})\s*/\s*(\d{1,40})(?![\d.(])"
)


def decimal(text: str) -> Fraction:
    """A decimal or scientific number, exactly.

    >>> decimal("1.5e3"), decimal(".25")
    (Fraction(1500, 1), Fraction(1, 4))
    """
    body, _, exponent = text.lower().partition("e")
    whole, _, places = body.partition(".")
    if len(body) > _MAX_DIGITS:
        raise TooBig(f"a number has at most {_MAX_DIGITS} digits")
    if len(exponent) > 7 or abs(int(exponent or 0)) > _MAX_EXPONENT:
        raise TooBig(f"an exponent of ten is at most {_MAX_EXPONENT}")
    value: Fraction = Fraction(big_int(whole + places or "0"), 10 ** len(places))
    power = int(exponent or 0)
    return value * Fraction(10) ** power


def repeating(head: str, period: str) -> Fraction:
    """A repeating decimal: `head` as written, then `period` for ever.

    >>> repeating("0.1", "6")
    Fraction(1, 6)
    """
    if not period.isdigit() or len(period) > 500:
        raise Unreadable("the repeating part is not a row of digits")
    places = len(head.partition(".")[2])
    return decimal(head) + Fraction(int(period), (10 ** len(period) - 1) * 10**places)


class Numerals(Cursor):
    """The rules of numbers."""

    def number(self, token: Token) -> Node:
        text = token.value.rstrip(".")
        if self.is_op("...") or (self.is_cmd("ldots") and "." in text):
            places = text.partition(".")[2]
            for size in (1, 2, 3):
                if len(places) >= 3 * size and places.endswith(places[-size:] * 3):
                    self.at += 1
                    return num(repeating(text, places[-size:]))
        if "." in token.value and (self.is_cmd("overline", "dot", "bar") or self.is_op("(")) and not self.token.spaced:
            return self.repeating(token)
        if self.is_op("_") or (self.token.kind == "id" and self.token.value.isupper() and not self.token.spaced):
            based = self.based(token)
            if based is not None:
                return based
        mixed = self.mixed(token)
        return mixed if mixed is not None else num(decimal(text))

    def repeating(self, token: Token) -> Node:
        """A repeating decimal: 0.1(6), 0.1\\overline{6}, 0.\\dot{1}\\dot{6}."""
        found = _REPEATS.match(self.text, self.token.start)
        if found is None:
            return num(decimal(token.value.rstrip(".")))
        period = found[1] or found[2] or re.sub(r"\D", "", found[3])
        self.skip_to(found.end())
        return num(repeating(token.value, period))

    def skip_to(self, end: int) -> None:
        """Pass the tokens that begin before a character."""
        while self.token.kind != "end" and self.token.start < end:
            self.at += 1

    def based(self, token: Token) -> Node | None:
        """Digits with a base as their subscript, such as 1A3_{16}."""
        found = _BASED.match(self.text, token.start)
        if found is None:
            return None
        base = int(found[2] or found[3])
        digits = [int(char, 36) for char in found[1]]
        if not 2 <= base <= 36 or any(digit >= base for digit in digits) or len(digits) > 2000:
            raise Unreadable(f"{found[1][:20]!r} is no number to base {base}")
        self.skip_to(found.end())
        value = 0
        for digit in digits:
            value = value * base + digit
        return num(value)

    def mixed_ahead(self) -> bool:
        """Whether a mixed number stands here."""
        following = self.tokens[self.at + 1]
        return self.token.kind == "num" and following.kind == "cmd" and following.value == "frac"

    def mixed(self, token: Token) -> Node | None:
        """A mixed number: 3\\frac{1}{2}, or 3 1/2 in plain text."""
        if not token.value.isdigit():
            return None
        found = _MIXED.match(self.text, token.end)
        if found is None:
            return None
        above = int(found[1] or found[2] or found[5])
        below = int(found[3] or found[4] or found[6])
        if not 0 < above < below:
            return None
        self.skip_to(found.end())
        return num(Fraction(above, below) + decimal(token.value))
