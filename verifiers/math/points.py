"""Values of a tree at points, to any precision, by mpmath. In the symbolic workers only, where it can be killed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath
from mpmath import mp

from proofgym.verifiers.math.exact import fold
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable

__all__ = ["NoValue", "Point", "evaluate"]

_MAX_MAGNITUDE = 2**40
_MAX_TERMS = 2000
_ROUNDING = 40  # bits at the end of a value that may be noise


class NoValue(Unreadable):
    """The tree has no value at this point."""


class Point:
    """One assignment of the symbols, and what was seen while evaluating there.

    Args:
        values: The symbols' values.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.spread = 0.0  # bits that a sum or a function may have lost

    def lose(self, bits: float) -> None:
        """Note that an operation may have lost so many bits."""
        self.spread = max(self.spread, bits)


def size(value: Any) -> float:
    """log2 of a value's magnitude; minus infinity for zero."""
    if not value:
        return float("-inf")
    return float(mp.mag(value))


def rational(value: Fraction) -> Any:
    """A fraction as a number of the current precision."""
    return mp.mpf(value.numerator) / value.denominator


def evaluate(node: Node, point: Point) -> Any:
    """The value at a point, at mpmath's current precision.

    Raises:
        NoValue: Where it has none.
        TooBig: Where it cannot be held.
    """
    op, args = node.op, node.args
    if op == "num":
        return rational(node.value)
    if op == "const":
        if node.value == "oo":
            return mp.inf
        return {"pi": mp.pi, "e": mp.e, "i": mp.j}[node.value] + 0
    if op == "sym":
        if node.value not in point.values:
            raise NoValue(f"{node.value} has no value")
        return point.values[node.value]
    if op == "neg":
        return -evaluate(args[0], point)
    if op == "add":
        return _sum([evaluate(arg, point) for arg in args], point)
    if op == "mul":
        product = mp.mpf(1)
        for arg in args:
            product = product * evaluate(arg, point)
        return _finite(product)
    if op in ("div", "ratio"):
        below = evaluate(args[1], point)
        if not below:
            raise NoValue("it divides by zero")
        return evaluate(args[0], point) / below
    if op == "pow":
        return _power(args[0], args[1], point)
    if op in ("fn", "apply"):
        return _function(node, point)
    if op in ("sum", "prod"):
        return _series(node, point)
    if op == "unit":
        return evaluate(args[0], point)
    raise NoValue(f"{op} has no numeric value")


def _finite(value: Any) -> Any:
    """The value, if it is a number; without an imaginary or real part that is only rounding."""
    if mp.isnan(value):
        raise NoValue("it is not a number")
    if isinstance(value, mp.mpc):
        if not value.imag or (value.real and size(value.imag) < size(value.real) - mp.prec + _ROUNDING):
            return value.real
        if value.real and size(value.real) < size(value.imag) - mp.prec + _ROUNDING:
            return mp.mpc(0, value.imag)
    return value


def _sum(parts: list[Any], point: Point) -> Any:
    total = mp.fsum(parts)
    sizes = [size(part) for part in parts if part and mp.isfinite(part)]
    if len(sizes) > 1:
        point.lose(max(sizes) - min(sizes))
    if sizes and total and size(total) < max(sizes) - mp.prec + _ROUNDING:
        return mp.mpf(0)  # the parts cancel; where a tiny part remains, `lose` has called for more digits
    if sizes and total:
        point.lose(max(sizes) - size(total))
    return _finite(total)


def _power(base: Node, exponent: Node, point: Point) -> Any:
    power = evaluate(exponent, point)
    if base.op == "const" and base.value == "e":
        if mp.isfinite(power) and size(power) > 40:
            raise TooBig("a power this large")
        return _finite(mp.exp(power))
    value = evaluate(base, point)
    if not value:
        if mp.re(power) > 0:
            return mp.mpf(0)
        if power == 0:
            return mp.mpf(1)
        raise NoValue("it divides by zero")
    if (
        mp.isfinite(value)
        and mp.isfinite(power)
        and abs(size(value)) * float(min(abs(power), mp.mpf(10) ** 30)) > _MAX_MAGNITUDE
    ):
        raise TooBig("a power this large")
    if size(power) > 0:
        point.lose(size(power))
    if mp.im(value) == 0 and mp.re(value) < 0:
        exact = _small_fold(exponent)
        if exact is not None and exact.denominator % 2 and exact.denominator > 1:
            root = mp.power(-mp.re(value), rational(exact))
            return root if exact.numerator % 2 == 0 else -root
        if mp.isint(power):
            return _finite(value ** int(mp.re(power)))
    return _finite(mp.power(value, power))


def _small_fold(node: Node) -> Fraction | None:
    try:
        return fold(node)
    except Unreadable:
        return None


def _series(node: Node, point: Point) -> Any:
    body, variable, below, above = node.args
    first, last = evaluate(below, point), evaluate(above, point)
    if mp.isinf(last):
        raise NoValue("an infinite series")
    if not (mp.isint(first) and mp.isint(last)):
        raise NoValue("a series between bounds that are no integers")
    if last - first > _MAX_TERMS:
        raise TooBig(f"a series of more than {_MAX_TERMS} terms")
    parts = []
    values = dict(point.values)
    for k in range(int(first), int(last) + 1):
        values[variable.value] = mp.mpf(k)
        inner = Point(values)
        parts.append(evaluate(body, inner))
        point.lose(inner.spread)
    if node.op == "sum":
        return _sum(parts, point)
    return _finite(mp.fprod(parts))


def _real(value: Any) -> Any:
    if mp.im(value):
        raise NoValue("a value that should be real")
    return mp.re(value)


def _rounded(value: Any, function: Any) -> Any:
    real = _real(value)
    nearest = mp.nint(real)
    if abs(real - nearest) < mp.mpf(2) ** (-mp.prec // 2) * max(1, abs(real)):
        return nearest  # an integer, but for rounding
    if size(real) > mp.prec - 20:
        raise NoValue("too large to round")
    return function(real)


def _log(value: Any) -> Any:
    if not value:
        raise NoValue("the logarithm of zero")
    return mp.log(value)


def _over(function: Any) -> Any:
    def reciprocal(value: Any) -> Any:
        below = function(value)
        if abs(below) < mp.mpf(2) ** (20 - mp.prec):
            raise NoValue("it divides by zero")
        return 1 / below

    return reciprocal


def _tan(value: Any) -> Any:
    return mp.sin(value) * _over(mp.cos)(value)


def _factorial(value: Any) -> Any:
    if size(value) > 34:
        raise TooBig("a factorial this large")
    if mp.isint(value) and mp.re(value) < 0:
        raise NoValue("a factorial of a negative number")
    return mp.factorial(value)


def _cbrt_like(value: Any, degree: Any) -> Any:
    if not mp.isint(degree) or degree == 0:
        return mp.power(value, 1 / degree)
    if mp.im(value) == 0 and mp.re(value) < 0 and int(mp.re(degree)) % 2:
        return -mp.power(-mp.re(value), 1 / degree)
    return mp.power(value, 1 / degree)


def _binom(above: Any, below: Any) -> Any:
    if size(above) > 34 or size(below) > 34:
        raise TooBig("a binomial coefficient this large")
    return mp.binomial(above, below)


def _integers(values: list[Any]) -> list[int]:
    if not all(mp.isint(value) and size(value) < 2000 for value in values):
        raise NoValue("not integers")
    return [abs(int(mp.re(value))) for value in values]


def _gcd(*values: Any) -> Any:
    import math

    return mp.mpf(math.gcd(*_integers(list(values))))


def _lcm(*values: Any) -> Any:
    import math

    return mp.mpf(math.lcm(*_integers(list(values))))


def _mod(first: Any, second: Any) -> Any:
    if not second:
        raise NoValue("it divides by zero")
    return _real(first) - _real(second) * _rounded(first / second, mp.floor)


_FUNCTIONS: dict[str, Any] = {
    "sin": mp.sin, "cos": mp.cos, "tan": _tan, "cot": lambda x: mp.cos(x) * _over(mp.sin)(x), "sec": _over(mp.cos),
    "csc": _over(mp.sin), "arcsin": mp.asin, "arccos": mp.acos, "arctan": mp.atan,
    "arccot": lambda x: mp.pi / 2 - mp.atan(x), "arcsec": lambda x: mp.acos(1 / x), "arccsc": lambda x: mp.asin(1 / x),
    "sinh": mp.sinh, "cosh": mp.cosh, "tanh": mp.tanh, "coth": lambda x: 1 / mp.tanh(x), "sech": mp.sech,
    "csch": mp.csch,
    "arcsinh": mp.asinh, "arccosh": mp.acosh, "arctanh": mp.atanh, "exp": mp.exp, "ln": _log, "sqrt": mp.sqrt,
    "abs": abs,
    "floor": lambda x: _rounded(x, mp.floor), "ceiling": lambda x: _rounded(x, mp.ceil), "factorial": _factorial,
    "doublefactorial": mp.fac2, "pct": lambda x: x / 100, "deg": lambda x: x * mp.pi / 180, "sgn": mp.sign, "re": mp.re,
    "im": mp.im, "conj": mp.conj, "arg": mp.arg, "binom": _binom, "root": _cbrt_like, "gcd": _gcd, "lcm": _lcm,
    "mod": _mod,
    "min": lambda *values: min(map(_real, values)), "max": lambda *values: max(map(_real, values)), "gamma": mp.gamma,
}  # fmt: skip
_VANISHES = {"sin", "cos", "tan", "cot", "ln", "arcsin", "arccos", "arctan", "sinh", "tanh", "arcsinh", "arctanh"}
_SATURATES = {"sinh", "cosh", "tanh", "coth", "sech", "csch"}
_GROWS = {"exp", "sinh", "cosh", "tanh", "coth", "sech", "csch", "gamma", "doublefactorial"}


def _function(node: Node, point: Point) -> Any:
    values = [evaluate(arg, point) for arg in node.args]
    for value in values:
        if value and mp.isfinite(value):
            point.lose(2 * abs(size(value)))
            if node.value in _SATURATES:  # such as tanh, whose distance from 1 is exp(-2x)
                point.lose(3 * float(min(abs(value), mp.mpf(2) ** 40)))
            if node.value in _GROWS and size(value) > 36:
                raise TooBig("a value this large")
    if node.op == "apply":
        return _unknown(node.value, values)
    function = _FUNCTIONS.get(node.value)
    if function is None or not values:
        raise NoValue(f"{node.value} has no numeric value")
    try:
        found = _finite(function(*values))
        if node.value in _VANISHES and found and size(found) < max(0.0, size(values[0])) - mp.prec + _ROUNDING:
            return mp.mpf(0)  # such as sin(pi)
        return found
    except (ZeroDivisionError, ValueError, mpmath.libmp.ComplexResult) as error:
        raise NoValue(f"{node.value} has no value here") from error


def _unknown(name: str, values: list[Any]) -> Any:
    """An unknown function's value: some fixed number for each name and arguments."""
    shown = ",".join(mp.nstr(value, 25) for value in values)
    digest = hashlib.sha256(f"{name}({shown})".encode()).digest()
    return mp.mpf(int.from_bytes(digest, "big")) / 2**255
