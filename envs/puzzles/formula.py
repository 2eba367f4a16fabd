"""A closed grammar of polynomial formulas, worked out in any ring while it is read.

    sum     = "-"? product (("+" | "-") product)*
    product = power ("*"? power)*
    power   = atom ("^" digits)?
    atom    = digits | name | "(" sum ")"

`×`, `·`, `−` and `**` are read as `*`, `*`, `-` and `^`. Length, depth, digits, exponents and operations are bounded
before anything is computed, and nothing is handed to an interpreter.
"""

from __future__ import annotations

import re
from typing import Generic, Protocol, TypeVar

from proofgym.envs.puzzles.answers import Unreadable

__all__ = ["MAX_EXPONENT", "Ring", "read_formula"]

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS, MAX_EXPONENT = 1000, 20, 12, 12

_TOKEN = re.compile(r"[ \t]*(?:([0-9]+)|([a-z])|([-+*^()]))", re.ASCII)
_SIGNS = str.maketrans({"×": "*", "·": "*", "−": "-"})

T = TypeVar("T")


class Ring(Protocol[T]):
    """What a formula is worked out in. `power` gets exponents from 0 to `MAX_EXPONENT`."""

    def number(self, n: int) -> T:
        """A whole number."""
        ...

    def name(self, letter: str) -> T:
        """A variable; `Unreadable` if there is none of that name."""
        ...

    def add(self, a: T, b: T) -> T:
        """A sum."""
        ...

    def negate(self, a: T) -> T:
        """The opposite."""
        ...

    def multiply(self, a: T, b: T) -> T:
        """A product."""
        ...

    def power(self, a: T, n: int) -> T:
        """A power."""
        ...


def read_formula(text: str, ring: Ring[T], most: int = 200) -> tuple[T, int]:
    """The value of a formula and how many operations it has: signs, powers, and products written without a sign.

    Raises:
        Unreadable: With the reason.
    """
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"a formula has at most {MAX_LENGTH} characters, found {len(text)}")
    text = text.lower().replace("**", "^").translate(_SIGNS).strip()
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Unreadable(f"{text[at:].lstrip()[:1]!r} has no place in a formula")
        tokens.append(found[1] or found[2] or found[3])
        at = found.end()
    reader = _Reader(tokens, ring, most)
    value = reader.sum(0)
    if reader.tokens[reader.at]:
        raise Unreadable(f"{reader.tokens[reader.at]!r} is out of place")
    return value, reader.operations


class _Reader(Generic[T]):
    def __init__(self, tokens: list[str], ring: Ring[T], most: int) -> None:
        self.tokens, self.at, self.ring = [*tokens, ""], 0, ring
        self.operations, self.most = 0, most

    def count(self) -> None:
        self.operations += 1
        if self.operations > self.most:
            raise Unreadable(f"more than {self.most} operations")

    def sum(self, depth: int) -> T:
        negative = self.tokens[self.at] == "-"
        if negative:
            self.count()
            self.at += 1
        total = self.product(depth)
        if negative:
            total = self.ring.negate(total)
        while self.tokens[self.at] in ("+", "-"):
            sign = self.tokens[self.at]
            self.count()
            self.at += 1
            term = self.product(depth)
            total = self.ring.add(total, term if sign == "+" else self.ring.negate(term))
        return total

    def product(self, depth: int) -> T:
        total = self.power(depth)
        while True:
            word = self.tokens[self.at]
            if word == "*":
                self.at += 1
            elif not word or word in "+-^)":
                return total
            self.count()
            total = self.ring.multiply(total, self.power(depth))

    def power(self, depth: int) -> T:
        value = self.atom(depth)
        if self.tokens[self.at] == "^":
            self.count()
            word = self.tokens[self.at + 1]
            if not word.isdigit() or len(word) > 3 or int(word) > MAX_EXPONENT:
                raise Unreadable(f"an exponent is a whole number up to {MAX_EXPONENT}, found {word[:20]!r}")
            self.at += 2
            value = self.ring.power(value, int(word))
        return value

    def atom(self, depth: int) -> T:
        word = self.tokens[self.at]
        self.at += 1
        if word == "(":
            if depth >= MAX_DEPTH:
                raise Unreadable(f"parentheses nest at most {MAX_DEPTH} deep")
            value = self.sum(depth + 1)
            if self.tokens[self.at] != ")":
                raise Unreadable("a ')' is missing")
            self.at += 1
            return value
        if word.isdigit():
            if len(word) > MAX_DIGITS:
                raise Unreadable(f"a number has at most {MAX_DIGITS} digits, found {len(word)}")
            return self.ring.number(int(word))
        if word.isalpha():
            return self.ring.name(word)
        raise Unreadable(f"a number, a name or '(' should stand {f'before {word!r}' if word else 'at the end'}")
