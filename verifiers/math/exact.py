"""Exact values of constant trees, by integers and fractions alone, within bounds that are checked before any work."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

from proofgym.verifiers.math.tree import Node, TooBig, Unreadable

__all__ = ["MAX_BITS", "Undefined", "fold"]

MAX_BITS = 70_000
_MAX_FACTORIAL, _MAX_TERMS = 5_000, 400


class Undefined(Unreadable):
    """A division by zero, or another value that does not exist."""


def fold(node: Node) -> Fraction | None:
    """The value of a tree, if it is rational and found by arithmetic alone; `None` if it is not.

    Raises:
        TooBig: If an intermediate value would have more than `MAX_BITS` bits.
        Undefined: If it divides by zero.

    >>> from proofgym.verifiers.math.parser import parse
    >>> fold(parse("\\\\binom{16}{2} - \\\\sqrt{4} + 50%"))
    Fraction(237, 2)
    """
    op, args = node.op, node.args
    if op == "num":
        value: Fraction = node.value
        return value
    if op == "unit":
        return fold(args[0])
    if op == "neg":
        inner = fold(args[0])
        return None if inner is None else -inner
    if op in ("add", "mul"):
        total = Fraction(op == "mul")
        for arg in args:
            part = fold(arg)
            if part is None:
                return None
            total = _bounded(total + part if op == "add" else total * part)
        return total
    if op in ("div", "ratio") and len(args) == 2:
        above, below = fold(args[0]), fold(args[1])
        if below == 0:
            raise Undefined("it divides by zero")
        return None if above is None or below is None else _bounded(above / below)
    if op == "pow":
        return _power(args[0], args[1])
    if op == "fn":
        return _function(node)
    if op in ("sum", "prod"):
        return _series(node)
    return None


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _bounded(value: Fraction) -> Fraction:
    if _bits(value) > MAX_BITS:
        raise TooBig(f"a value has more than {MAX_BITS} bits")
    return value


def _power(base: Node, exponent: Node) -> Fraction | None:
    above = fold(exponent)
    if above is None:
        return None
    below = fold(base)
    if below is None:
        return None
    if above.denominator != 1:
        root = _root(below, above.denominator) if above.denominator <= 64 else None
        if root is None:
            return None
        below, above = root, Fraction(above.numerator)
    power = above.numerator
    if below == 0 and power < 0:
        raise Undefined("it divides by zero")
    if below in (0, 1, -1):
        return below ** (power % 2 if below == -1 else min(power, 1) if below == 0 else 1)
    if _bits(below) * abs(power) > MAX_BITS:
        raise TooBig(f"a power has more than {MAX_BITS} bits")
    return Fraction(below**power)


def _root(value: Fraction, degree: int) -> Fraction | None:
    """The real root, if it is rational."""
    if value < 0:
        inner = _root(-value, degree) if degree % 2 else None
        return None if inner is None else -inner
    parts = [_int_root(part, degree) for part in (value.numerator, value.denominator)]
    return None if None in parts else Fraction(parts[0] or 0, parts[1] or 1)


def _int_root(value: int, degree: int) -> int | None:
    if degree == 2:
        found = math.isqrt(value)
        return found if found * found == value else None
    if value < 2:
        return value
    low, high = 1, 1 << (value.bit_length() // degree + 1)
    while low <= high:
        middle = (low + high) // 2
        power = middle**degree
        if power == value:
            return middle
        low, high = (middle + 1, high) if power < value else (low, middle - 1)
    return None


def _series(node: Node) -> Fraction | None:
    body, variable, below, above = node.args
    first, last = fold(below), fold(above)
    if first is None or last is None or first.denominator != 1 or last.denominator != 1:
        return None
    if last - first > _MAX_TERMS:
        return None
    total = Fraction(node.op == "prod")
    for k in range(first.numerator, last.numerator + 1):
        part = fold(body.swap(variable, Node("num", value=Fraction(k))))
        if part is None:
            return None
        total = _bounded(total + part if node.op == "sum" else total * part)
    return total


def _function(node: Node) -> Fraction | None:
    name = node.value
    if name not in _KNOWN:
        return None
    if name == "det":
        return _determinant(node.args[0])
    values = [fold(arg) for arg in node.args]
    if not values or any(value is None for value in values):
        return None
    known = [value for value in values if value is not None]
    return _KNOWN_ONE[name](known[0]) if name in _KNOWN_ONE else _several(name, known)


def _determinant(matrix: Node) -> Fraction | None:
    if matrix.op != "matrix" or matrix.value[0] != matrix.value[1] or matrix.value[0] > 12:
        return None
    n = matrix.value[0]
    cells = [fold(cell) for cell in matrix.args]
    rows = [[cell for cell in cells[k * n : k * n + n] if cell is not None] for k in range(n)]
    if any(len(row) != n for row in rows):
        return None
    result = Fraction(1)
    for k in range(n):
        pivot = next((r for r in range(k, n) if rows[r][k]), None)
        if pivot is None:
            return Fraction(0)
        if pivot != k:
            rows[k], rows[pivot], result = rows[pivot], rows[k], -result
        result = _bounded(result * rows[k][k])
        for r in range(k + 1, n):
            factor = rows[r][k] / rows[k][k]
            rows[r] = [_bounded(x - factor * y) for x, y in zip(rows[r], rows[k], strict=True)]
    return result


def _factorial(value: Fraction) -> Fraction | None:
    if value.denominator != 1:
        return None
    if value < 0:
        raise Undefined("a factorial of a negative number")
    if value > _MAX_FACTORIAL:
        raise TooBig(f"a factorial of more than {_MAX_FACTORIAL}")
    return Fraction(math.factorial(value.numerator))


def _double_factorial(value: Fraction) -> Fraction | None:
    if value.denominator != 1 or value < -1:
        return None
    if value > _MAX_FACTORIAL:
        raise TooBig(f"a factorial of more than {_MAX_FACTORIAL}")
    return Fraction(math.prod(range(value.numerator, 0, -2)))


def _several(name: str, values: list[Fraction]) -> Fraction | None:
    if name in ("min", "max"):
        return min(values) if name == "min" else max(values)
    if name in ("gcd", "lcm"):
        below = math.lcm(*(value.denominator for value in values))
        whole = [abs(int(value * below)) for value in values]
        return Fraction(math.gcd(*whole) if name == "gcd" else math.lcm(*whole), below)
    if len(values) != 2:
        return None
    first, second = values
    if name == "mod":
        if second == 0:
            raise Undefined("it divides by zero")
        return first % second
    if name == "root":
        return _root(first, second.numerator) if second.denominator == 1 and 1 <= second <= 64 else None
    if name == "binom" and first.denominator == second.denominator == 1 and first >= 0:
        if first > 3 * _MAX_FACTORIAL and min(second, first - second) > _MAX_FACTORIAL // 2:
            raise TooBig("a binomial coefficient of numbers this large")
        if min(abs(second), abs(first - second)) * first.numerator.bit_length() > MAX_BITS:
            raise TooBig("a binomial coefficient of numbers this large")
        return Fraction(math.comb(first.numerator, second.numerator)) if second >= 0 else Fraction(0)
    return None


_KNOWN_ONE: dict[str, Callable[[Fraction], Fraction | None]] = {
    "sqrt": lambda value: _root(value, 2),
    "abs": abs,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceiling": lambda value: Fraction(math.ceil(value)),
    "factorial": _factorial,
    "doublefactorial": _double_factorial,
    "pct": lambda value: value / 100,
    "sgn": lambda value: Fraction((value > 0) - (value < 0)),
    "re": lambda value: value,
    "conj": lambda value: value,
    "im": lambda _: Fraction(0),
}
_KNOWN = {*_KNOWN_ONE, "min", "max", "gcd", "lcm", "mod", "root", "binom", "det"}
