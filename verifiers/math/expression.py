"""The one grammar of arithmetic expressions: read, evaluated exactly, and never handed to an interpreter.

    sum    = term (("+" | "-") term)*
    term   = factor (("*" | "/") factor)*
    factor = "-"* (number | "(" sum ")")
    number = [0-9]+

Signs that people write (`×`, `·`, `÷`, `−`) are read as `*`, `*`, `/`, `-`. There are no powers, names or calls, so a
value has at most as many digits as the text, and length, depth and digits are bounded before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from proofgym.errors import BadInput

__all__ = [
    "MAX_DEPTH", "MAX_DIGITS", "MAX_LENGTH", "Expression", "Unreadable", "Value", "combine", "evaluate", "number",
    "parse",
]  # fmt: skip

MAX_LENGTH, MAX_DEPTH, MAX_DIGITS = 1000, 40, 20

Value = int | Fraction
"""Exact; a `Fraction` only where the value is no integer."""

_TOKEN = re.compile(r"[ \t]*(?:([0-9]+)|([-+*/()]))")
_PLAIN = re.compile(r"[0-9+*/() \t-]*")
_SPLIT = re.compile(r"[0-9]+|[-+*/()]")
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-"})
_BINDS = {"+": 1, "-": 1, "*": 2, "/": 2}


class Unreadable(BadInput):
    """A text that is no expression of the grammar, or one beyond its bounds, or one that divides by zero."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A number, or two expressions joined by a sign.

    Args:
        value: Exact.
        operations: Binary signs in it; a minus before a number is none.
        sign: One of `+ - * /`, or `~` for a minus before brackets; empty for a number.
        parts: The two sides, or what stands in the brackets; empty for a number.
        literals: The numbers as written, from left to right.
    """

    value: Value
    operations: int = 0
    sign: str = ""
    parts: tuple[Expression, ...] = ()
    literals: tuple[int, ...] = ()

    def __str__(self) -> str:
        """The expression with the fewest parentheses, negative numbers inside it in their own.

        >>> str(parse("((2*3))-(4-(-5))"))
        '2 * 3 - (4 - (-5))'
        """
        if not self.sign:
            return str(self.value)
        if self.sign == "~":
            return f"-({self.parts[0]})"
        left, right = self.parts
        mine = _BINDS[self.sign]
        return f"{left._inside(mine)} {self.sign} {right._inside(mine + 1)}"

    def _inside(self, binds: int) -> str:
        bare = _BINDS.get(self.sign, 0) >= binds if self.sign else self.value >= 0
        return str(self) if bare else f"({self})"

    def step(self) -> Expression:
        """Carry out one operation, the leftmost of those that stand between two numbers.

        >>> str(parse("(1 + 2) * (3 + 4)").step())
        '3 * (3 + 4)'
        """
        if self.operations < 2:
            return number(self.value)
        if self.sign == "~":
            return _negated(self.parts[0].step())
        left, right = self.parts
        if left.operations:
            return combine(self.sign, left.step(), right)
        return combine(self.sign, left, right.step())


def number(value: Value) -> Expression:
    """The expression that is just a number."""
    return Expression(value, literals=(value,) if isinstance(value, int) else ())


def combine(sign: str, left: Expression, right: Expression) -> Expression:
    """Join two expressions.

    Raises:
        Unreadable: For a division by zero.
    """
    return Expression(
        _calculate(sign, left.value, right.value),
        left.operations + right.operations + 1,
        sign,
        (left, right),
        left.literals + right.literals,
    )


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        Unreadable: With the reason, in time proportional to the text's first `MAX_LENGTH` characters.

    >>> parse("7 / 2 × 4").value, parse("1 / 3").value
    (14, Fraction(1, 3))
    >>> parse("9**9**9")
    Traceback (most recent call last):
    proofgym.verifiers.math.expression.Unreadable: a number or '(' should stand before '*'
    """
    return _Reader(_tokens(text)).whole()


def evaluate(text: str) -> tuple[Value, list[int]]:
    """The value of an expression and its literals, a few times faster than `parse`, which also keeps its form.

    Raises:
        Unreadable: For what `parse` refuses, with its reason.

    >>> evaluate("7 / 2 × (4 - -1)")
    (Fraction(35, 2), [7, 2, 4, 1])
    """
    text = text.translate(_SIGNS)
    if len(text) <= MAX_LENGTH and _PLAIN.fullmatch(text):
        tokens = _SPLIT.findall(text)
        tokens.append("")
        literals: list[int] = []
        value, at = _sum(tokens, 0, 0, literals)
        if value is not None and at == len(tokens) - 1:
            return value, literals
    expression = parse(text)
    return expression.value, list(expression.literals)


def _sum(tokens: list[str], at: int, depth: int, literals: list[int]) -> tuple[Value | None, int]:
    """One sum from a sign on, and where it ends; `None` for anything that `parse` had better explain."""
    total: Value = 0
    plus = True
    while True:
        value, at = _factor(tokens, at, depth, literals)
        if value is None:
            return None, at
        sign = tokens[at]
        while sign == "*" or sign == "/":
            factor, at = _factor(tokens, at + 1, depth, literals)
            if factor is None or (factor == 0 and sign == "/"):
                return None, at
            if sign == "*":
                value *= factor
            elif isinstance(value, int) and isinstance(factor, int) and not value % factor:
                value //= factor
            else:
                value = Fraction(value) / factor
            sign = tokens[at]
        total = total + value if plus else total - value
        if sign != "+" and sign != "-":
            break
        plus = sign == "+"
        at += 1
    if isinstance(total, Fraction) and total.denominator == 1:
        total = total.numerator
    return total, at


def _factor(tokens: list[str], at: int, depth: int, literals: list[int]) -> tuple[Value | None, int]:
    sign, negative = tokens[at], False
    while sign == "-":
        negative = not negative
        at += 1
        sign = tokens[at]
    value: Value | None
    if sign == "(":
        if depth >= MAX_DEPTH:
            return None, at
        value, at = _sum(tokens, at + 1, depth + 1, literals)
        if value is None or tokens[at] != ")":
            return None, at
    elif sign and sign not in "+*/)" and len(sign) <= MAX_DIGITS:
        value = int(sign)
        literals.append(value)
    else:
        return None, at
    return (-value if negative else value), at + 1


def _negated(inner: Expression) -> Expression:
    if inner.operations:
        return Expression(-inner.value, inner.operations, "~", (inner,), inner.literals)
    return Expression(-inner.value, literals=inner.literals)


def _calculate(sign: str, left: Value, right: Value) -> Value:
    if sign == "+":
        value: Value = left + right
    elif sign == "-":
        value = left - right
    elif sign == "*":
        value = left * right
    elif right == 0:
        raise Unreadable("it divides by zero")
    else:
        value = Fraction(left) / right
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _tokens(text: str) -> list[str]:
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"an expression has at most {MAX_LENGTH} characters, found {len(text)}")
    text = text.translate(_SIGNS).rstrip(" \t")
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            stray = text[at:].lstrip(" \t")[0]
            raise Unreadable(f"{stray!r} has no place in an expression")
        tokens.append(found[1] or found[2])
        at = found.end()
    return tokens


class _Reader:
    """Recursive descent, one method for each rule of the grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [*tokens, ""]
        self.at = 0
        self.depth = 0

    def whole(self) -> Expression:
        expression = self.sum()
        if self.tokens[self.at]:
            raise Unreadable(f"a sign should stand before {self.tokens[self.at]!r}")
        return expression

    def sum(self) -> Expression:
        return self._joined("+-", self.term)

    def term(self) -> Expression:
        return self._joined("*/", self.factor)

    def factor(self) -> Expression:
        negative = False
        while self.tokens[self.at] == "-":
            negative = not negative
            self.at += 1
        word = self.tokens[self.at]
        self.at += 1
        if word == "(":
            inner = self._bracketed()
        elif word.isdigit():
            if len(word) > MAX_DIGITS:
                raise Unreadable(f"a number has at most {MAX_DIGITS} digits, found {len(word)}")
            inner = number(int(word))
        else:
            raise Unreadable(f"a number or '(' should stand {f'before {word!r}' if word else 'at the end'}")
        return _negated(inner) if negative else inner

    def _bracketed(self) -> Expression:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable(f"parentheses nest at most {MAX_DEPTH} deep")
        inner = self.sum()
        if self.tokens[self.at] != ")":
            raise Unreadable("a ')' is missing")
        self.at += 1
        self.depth -= 1
        return inner

    def _joined(self, signs: str, operand: Callable[[], Expression]) -> Expression:
        expression = operand()
        while self.tokens[self.at] and self.tokens[self.at] in signs:
            sign = self.tokens[self.at]
            self.at += 1
            expression = combine(sign, expression, operand())
        return expression
