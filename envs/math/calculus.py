"""Derivatives, integrals and limits of sums of powers, sines, cosines and exponentials, worked out exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import EXPRESSION, FRACTION, LINE, LIST
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require
from proofgym.envs.math.symbols import (
    Number,
    Polynomial,
    add,
    derivative,
    frac,
    inner,
    listed,
    power,
    scaled,
    signed,
    size,
    tidy,
    times,
    value_at,
    written,
)

__all__ = ["Calculus", "CalculusKnobs"]

_POWER, _SIN, _COS, _EXP = range(4)
Term = tuple[Number, int, int]
"""A coefficient, one of the four functions, and its exponent or the factor of x."""


@dataclass(frozen=True)
class CalculusKnobs(Knobs):
    """What makes calculus hard.

    Args:
        largest: Of the coefficients that are drawn.
        terms: Of a sum.
        degree: Highest power.
        functions: Share of the terms that are no power of x.
        fractions: Share of the tasks with fractions where whole numbers would do.
    """

    largest: int = knob(5, 15)
    terms: int = knob(2, 4)
    degree: int = knob(3, 6)
    functions: float = knob(0.0, 0.8)
    fractions: float = knob(0.0, 0.8)


class Calculus(GeneratedMath):
    r"""Asks for derivatives, integrals and limits; pays 1.0 for the right answer.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `derivative` (of a sum), `product` (rule), `slope` (of a quotient, at a point), `tangent` (line),
    `antiderivative` (with a given value at 0), `integral` (definite, of a polynomial), `limit` (at a common zero),
    `infinity` (limit of a quotient), `critical` (points of a cubic).

    An answer that still holds an integral, a limit or a derivative sign is no answer, though its value be right.

    Args:
        level: See `CalculusKnobs`: 2 terms, powers only at 0; 4 terms, mostly other functions, at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `CalculusKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "calculus"
    floor: float = 0.03
    knobs_type: ClassVar[type[Knobs]] = CalculusKnobs
    longest: ClassVar[int] = 260


# Sums of functions ----------------------------------------------------------------------------------------------------


def _symbol(kind: int, n: int) -> str:
    if kind == _POWER:
        return power("x", n)
    inside = "x" if n == 1 else f"{n}x"
    return (rf"\sin({inside})", rf"\cos({inside})", f"e^{{{inside}}}")[kind - 1]


def _part(term: Term) -> tuple[bool, str]:
    c, kind, n = term
    amount = size(c)
    if kind == _POWER and n < 0:
        amount = tidy(amount)
        above, below = (amount.numerator, amount.denominator)
        return c < 0, rf"\frac{{{above}}}{{{below if below > 1 else ''}{power('x', -n)}}}"
    symbol = _symbol(kind, n)
    return c < 0, symbol if symbol and amount == 1 else frac(amount) + symbol


def _sum(terms: Sequence[Term]) -> str:
    return signed(_part(term) for term in terms if term[0])


def _derived(term: Term) -> Term:
    c, kind, n = term
    if kind == _POWER:
        return c * n, _POWER, n - 1
    return {_SIN: (c * n, _COS, n), _COS: (-c * n, _SIN, n), _EXP: (c * n, _EXP, n)}[kind]


def _integrated(term: Term) -> Term:
    c, kind, n = term
    if kind == _POWER:
        return Fraction(c) / (n + 1), _POWER, n + 1
    return {_SIN: (-Fraction(c) / n, _COS, n), _COS: (Fraction(c) / n, _SIN, n), _EXP: (Fraction(c) / n, _EXP, n)}[kind]


def _terms(n: Numbers, lowest: int) -> list[Term]:
    require(len(n) % 3 == 0 and 3 <= len(n) <= 30, "one to ten terms, three numbers each")
    terms: list[Term] = [(n[i], n[i + 1], n[i + 2]) for i in range(0, len(n), 3)]
    for c, kind, m in terms:
        require(c and 0 <= kind <= _EXP, "a coefficient that is not 0, and a function from 0 to 3")
        require(lowest <= m <= 20 if kind == _POWER else 1 <= m <= 20, "an exponent or factor within its bounds")
    require(len({term[1:] for term in terms}) == len(terms), "each term is of another form")
    return terms


def _draw_terms(d: Draw, k: CalculusKnobs, lowest: int, step: bool = False) -> list[int]:
    found: dict[tuple[int, int], int] = {}
    while len(found) < k.terms:
        kind = d.between(_SIN, _EXP) if d.chance(k.functions) else _POWER
        n = (
            d.between(lowest if k.functions or lowest >= 0 else 1, k.degree)
            if kind == _POWER
            else d.between(1, max(2, k.largest // 3))
        )
        even = (n + 1 if kind == _POWER else n) if step and not d.chance(k.fractions) else 1
        found[kind, n] = d.nonzero(k.largest) * even
    ordered = sorted(found.items(), key=lambda item: (item[0][0], -item[0][1]))
    return [number for (kind, n), c in ordered for number in (c, kind, n)]


def _sorted_terms(n: Numbers) -> Sequence[int]:
    return [number for i in sorted(range(0, len(n), 3), key=lambda i: n[i + 1 : i + 3]) for number in n[i : i + 3]]


def _draw_derivative(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    while True:
        numbers = _draw_terms(d, k, -3)
        if not any(numbers[i + 1] == _POWER and numbers[i + 2] == 0 for i in range(0, len(numbers), 3)):
            return numbers


def _derivative(n: Numbers, w: Words) -> Problem:
    terms = _terms(n, -6)
    derived = [_derived(term) for term in terms]
    require(derived != terms, "the function is its own derivative")
    f, gold = _sum(terms), _sum(derived)
    ask = w.pick(
        (
            f"Differentiate $f(x) = {f}$.",
            f"Find $f'(x)$ for $f(x) = {f}$.",
            f"What is the derivative of ${f}$ with respect to $x$?",
            f"Compute $\\frac{{d}}{{dx}}\\left({f}\\right)$.",
        )
    )
    lines = [rf"\frac{{d}}{{dx}}({_sum([t])}) = {_sum([s])}" for t, s in zip(terms, derived, strict=True)]
    return Problem(ask, EXPRESSION, gold, (*lines, f"f'(x) = {gold}"), asked=rf"\frac{{d}}{{dx}}({f})", unknown="x")


# product: a function, the factor of x, and a polynomial


def _draw_product(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    degree = d.between(1, max(1, k.degree // 2))
    polynomial = [d.between(-k.largest, k.largest) for _ in range(degree)]
    kind = d.between(_SIN, _EXP)
    return [kind, d.between(1, max(2, k.largest // 2)), *polynomial, d.nonzero(k.largest)]


def _factored(u: Polynomial, kind: int, m: int) -> tuple[bool, str]:
    """A polynomial times a function, as a part of a sum."""
    held = [(n, c) for n, c in enumerate(u) if c]
    if len(held) == 1:
        (n, c), symbol = held[0], _symbol(kind, m)
        return c < 0, ("" if size(c) == 1 else frac(size(c))) + power("x", n) + symbol
    return False, f"({written(u)}){_symbol(kind, m)}"


def _product(n: Numbers, w: Words) -> Problem:
    kind, m, *rest = n
    u = tuple(rest)
    require(_SIN <= kind <= _EXP and 1 <= m <= 50, "a function from 1 to 3 and a factor from 1 to 50")
    require(2 <= len(u) <= 10 and u[-1], "a polynomial of degree 1 to 9")
    du = derivative(u)
    if kind == _EXP:
        parts = [(add(du, scaled(u, m)), _EXP)]
    else:
        c, other, _ = _derived((1, kind, m))
        parts = [(du, kind), (scaled(u, c), other)]
    g = _symbol(kind, m)
    f = signed([_factored(u, kind, m)])
    gold = signed(_factored(p, part, m) for p, part in parts)
    ask = w.pick(
        (
            f"Differentiate $f(x) = {f}$.",
            f"Find the derivative of ${f}$ with respect to $x$.",
            f"Use the product rule to find $f'(x)$ for $f(x) = {f}$.",
        )
    )
    lines = (
        rf"\frac{{d}}{{dx}}({written(u)}) = {written(du)}",
        rf"\frac{{d}}{{dx}}({g}) = {_sum([_derived((1, kind, m))])}",
        f"f'(x) = ({written(du)}){g} + ({written(u)})({_sum([_derived((1, kind, m))])})",
        f"f'(x) = {gold}",
    )
    return Problem(ask, EXPRESSION, gold, lines, asked=rf"\frac{{d}}{{dx}}({f})", unknown="x")


# slope: of (a x + b) / (c x + d) at a point


def _draw_slope(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    while True:
        a, b, c, e = (
            d.between(-k.largest, k.largest),
            d.between(-k.largest, k.largest),
            d.nonzero(k.largest),
            d.between(-k.largest, k.largest),
        )
        x = d.between(-k.largest // 2, k.largest // 2)
        if c * x + e and a * e - b * c and a:
            return a, b, c, e, x


def _slope(n: Numbers, w: Words) -> Problem:
    a, b, c, e, x = n
    below = c * x + e
    require(c and below, "the denominator depends on x and is not 0 at the point")
    value = Fraction(a * e - b * c, below**2)
    f = rf"\frac{{{written((b, a))}}}{{{written((e, c))}}}"
    ask = w.pick(
        (
            f"Let $f(x) = {f}$. Find $f'({x})$.",
            f"What is the slope of the graph of $f(x) = {f}$ at $x = {x}$?",
            f"Compute the derivative of ${f}$ at $x = {x}$.",
        )
    )
    lines = (
        rf"f'(x) = \frac{{{inner(a)}({written((e, c))}) - {inner(c)}({written((b, a))})}}{{({written((e, c))})^2}}",
        rf"f'(x) = \frac{{{a * e - b * c}}}{{({written((e, c))})^2}}",
        f"f'({x}) = {a * e - b * c}/{inner(below)}^2 = {value}",
    )
    return Problem(ask, FRACTION, str(value), lines, asked=f"f'({x})")


# tangent: a point, then a polynomial


def _draw_tangent(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    degree = d.between(2, max(2, k.degree - 1))
    return [d.nonzero(3), *(d.between(-k.largest, k.largest) for _ in range(degree)), d.nonzero(max(2, k.largest // 2))]


def _polynomial(n: Sequence[int], lowest: int, highest: int) -> Polynomial:
    require(lowest + 1 <= len(n) <= highest + 1 and n[-1], f"a polynomial of degree {lowest} to {highest}")
    return tuple(n)


def _tangent(n: Numbers, w: Words) -> Problem:
    x, p = n[0], _polynomial(n[1:], 2, 12)
    y, m = value_at(p, x), value_at(derivative(p), x)
    gold = f"y = {written((y - m * x, m))}"
    ask = w.pick(
        (
            f"Find the tangent line to $y = {written(p)}$ at $x = {x}$.",
            (
                f"What is the equation of the line that touches the graph of $f(x) = {written(p)}$ at the point with "
                f"$x = {x}$?"
            ),
            f"The graph of $y = {written(p)}$ has a tangent at $x = {x}$. Give its equation.",
        )
    )
    lines = (
        f"f({x}) = {y}",
        f"f'(x) = {written(derivative(p))}",
        f"f'({x}) = {m}",
        f"y = {m}({written((-x, 1))}) + {inner(y)}",
        gold,
    )
    return Problem(ask, LINE, gold, lines)


# antiderivative: the value at 0, then terms


def _draw_antiderivative(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    return [d.between(-k.largest, k.largest), *_draw_terms(d, k, 0, step=True)]


def _antiderivative(n: Numbers, w: Words) -> Problem:
    start, terms = n[0], _terms(n[1:], 0)
    whole = [_integrated(term) for term in terms]
    at_zero = sum((c for c, kind, _ in whole if kind in (_COS, _EXP)), Fraction(0))
    constant = start - at_zero
    f, gold = _sum(terms), _sum([*whole, (constant, _POWER, 0)])
    ask = w.pick(
        (
            f"Find the function $F$ with $F'(x) = {f}$ and $F(0) = {start}$.",
            f"Which antiderivative $F$ of $f(x) = {f}$ satisfies $F(0) = {start}$?",
            f"Let $F'(x) = {f}$ and $F(0) = {start}$. Find $F(x)$.",
        )
    )
    lines = (
        rf"\int ({f}) \, dx = {_sum(whole)} + C",
        f"F(0) = {tidy(at_zero)} + C = {start}",
        f"C = {tidy(constant)}",
        f"F(x) = {gold}",
    )
    return Problem(ask, EXPRESSION, gold, lines, asked=rf"\int {f} \, dx", unknown="x")


def _antiderivative_canonical(n: Numbers) -> Sequence[int]:
    return [n[0], *_sorted_terms(n[1:])]


# integral: the bounds, then a polynomial


def _draw_integral(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    degree = d.between(1, max(2, k.degree - 2))
    low = d.between(-3, 2)
    p = [d.between(-k.largest, k.largest) for _ in range(degree)] + [d.nonzero(k.largest)]
    if not d.chance(k.fractions):
        p = [c * (m + 1) if m else c for m, c in enumerate(p)]
    return [low, low + d.between(1, 4), *p]


def _integral(n: Numbers, w: Words) -> Problem:
    low, high, *rest = n
    require(low < high and max(-low, high) <= 100, "bounds from -100 to 100, the lower one first")
    p = _polynomial(rest, 1, 12)
    whole: Polynomial = (0, *(Fraction(c) / (m + 1) for m, c in enumerate(p)))
    top, bottom = value_at(whole, high), value_at(whole, low)
    value = tidy(top - bottom)
    asked = rf"\int_{{{low}}}^{{{high}}} ({written(p)}) \, dx"
    ask = w.pick(
        (
            f"Evaluate ${asked}$.",
            f"Compute the definite integral ${asked}$.",
            f"What is the integral of $f(x) = {written(p)}$ from $x = {low}$ to $x = {high}$?",
        )
    )
    lines = (
        f"F(x) = {written(whole)}",
        f"F({high}) = {top}",
        f"F({low}) = {bottom}",
        f"{inner(top)} - {inner(bottom)} = {value}",
    )
    return Problem(ask, FRACTION, str(value), lines, asked=asked)


# limit: the point, then numerator and denominator of degree 2, which share a zero there


def _draw_limit(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    a = d.between(-k.largest, k.largest)
    while True:
        one = (d.nonzero(k.largest), d.nonzero(k.largest) if k.fractions else 1)
        other = (d.nonzero(k.largest), d.nonzero(max(2, k.largest // 2)) if k.fractions else 1)
        if one != other and value_at(other, a):
            return [a, *(int(c) for part in (one, other) for c in times((-a, 1), part))]


def _limit(n: Numbers, w: Words) -> Problem:
    a, p, q = n[0], n[1:4], n[4:7]
    require(len(n) == 7, "a point and two polynomials of degree 2")
    require(p[2] and q[2] and not value_at(p, a) and not value_at(q, a), "both polynomials are 0 at the point")
    one, other = (p[1] + p[2] * a, p[2]), (q[1] + q[2] * a, q[2])
    below = value_at(other, a)
    require(below, "the limit exists")
    value = Fraction(value_at(one, a)) / below
    fraction = rf"\frac{{{written(p)}}}{{{written(q)}}}"
    asked = rf"\lim_{{x \to {a}}} {fraction}"
    ask = w.pick(
        (
            f"Evaluate ${asked}$.",
            f"Find the limit of ${fraction}$ as $x$ approaches ${a}$.",
            f"What is ${asked}$?",
        )
    )
    by = written((-a, 1)) if a else "x"
    lines = (
        f"{written(p)} = ({by})({written(one)})",
        f"{written(q)} = ({by})({written(other)})",
        (
            rf"\lim_{{x \to {a}}} \frac{{{written(one)}}}{{{written(other)}}} = {value_at(one, a)}/{inner(below)} = "
            rf"{value}"
        ),
    )
    return Problem(ask, FRACTION, str(value), lines, asked=asked)


# infinity: how many coefficients the numerator has, then both polynomials, the constant first


def _draw_infinity(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    below = d.between(2, k.degree)
    above = below - 1 if d.chance(0.1) else below
    one, other = (
        [d.between(-k.largest, k.largest) for _ in range(m)] + [d.nonzero(3 * k.largest)] for m in (above, below)
    )
    return [above + 1, *one, *other]


def _infinity(n: Numbers, w: Words) -> Problem:
    size = n[0]
    require(2 <= size <= 12, "a numerator of 2 to 12 coefficients")
    p, q = _polynomial(n[1 : size + 1], 1, 11), _polynomial(n[size + 1 :], 1, 11)
    require(len(p) <= len(q), "the limit exists")
    value = Fraction(int(p[-1]), int(q[-1])) if len(p) == len(q) else Fraction(0)
    fraction = rf"\frac{{{written(p)}}}{{{written(q)}}}"
    asked = rf"\lim_{{x \to \infty}} {fraction}"
    ask = w.pick(
        (
            f"Evaluate ${asked}$.",
            f"Which number does ${fraction}$ approach as $x$ grows without bound?",
            f"Find the limit of ${fraction}$ as $x \\to \\infty$.",
        )
    )
    top = frac(p[-1]) + power("x", len(p) - 1)
    line = rf"\lim_{{x \to \infty}} \frac{{{top}}}{{{frac(q[-1])}{power('x', len(q) - 1)}}} = {value}"
    return Problem(ask, FRACTION, str(value), (line,), asked=asked)


# critical: a cubic with rational critical points, the constant first


def _draw_critical(d: Draw, k: CalculusKnobs) -> Sequence[int]:
    r, s = d.some(range(-k.largest, k.largest + 1), 2)
    lead = 6 * d.nonzero(2)
    below = d.between(2, 3) if d.chance(k.fractions) else 1
    slope = scaled(times((-r, below), (-s, 1)), lead)
    if r == s * below:
        return _draw_critical(d, k)
    return [d.between(-k.largest, k.largest), *(int(Fraction(c) / (m + 1)) for m, c in enumerate(slope))]


def _critical(n: Numbers, w: Words) -> Problem:
    p = _polynomial(n, 3, 3)
    slope = derivative(p)
    c, b, a = (int(v) for v in slope)
    square = Fraction(b * b - 4 * a * c)
    require(square > 0, "there are two critical points")
    root = Fraction(_whole_root(int(square)))
    low, high = sorted(((-b - root) / (2 * a), (-b + root) / (2 * a)))
    f = written(p)
    ask = w.pick(
        (
            f"Find all $x$ at which $f(x) = {f}$ has a horizontal tangent.",
            f"What are the critical points of $f(x) = {f}$? Give the $x$-values.",
            f"Where is the derivative of ${f}$ zero?",
        )
    )
    lines = (f"f'(x) = {written(slope)}", f"{written(slope)} = 0", f"x = {low} or x = {high}")
    return Problem(ask, LIST, listed((low, high)), lines, unknown="x", facts=lines[1:2])


def _whole_root(number: int) -> int:
    root = math.isqrt(number)
    require(root * root == number, "the critical points are rational")
    return root


Calculus.table = {
    "derivative": Kind(_draw_derivative, _derivative, _sorted_terms),
    "product": Kind(_draw_product, _product),
    "slope": Kind(_draw_slope, _slope),
    "tangent": Kind(_draw_tangent, _tangent),
    "antiderivative": Kind(_draw_antiderivative, _antiderivative, _antiderivative_canonical),
    "integral": Kind(_draw_integral, _integral),
    "limit": Kind(_draw_limit, _limit),
    "infinity": Kind(_draw_infinity, _infinity),
    "critical": Kind(_draw_critical, _critical),
}
