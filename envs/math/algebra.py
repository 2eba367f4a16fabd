"""Equations, systems, polynomials and inequalities, drawn from their solutions and solved line by line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import EXPANDED, FRACTION, INTERVAL, LIST, RADICAL, TUPLE
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require
from proofgym.envs.math.symbols import (
    Number,
    eliminated,
    inner,
    joined,
    listed,
    scaled,
    square_root,
    surd,
    times,
    value_at,
    written,
)

__all__ = ["LETTERS", "Algebra", "AlgebraKnobs"]

LETTERS = "xyztnw"
_SIGNS = ("<", r"\le", ">", r"\ge")


@dataclass(frozen=True)
class AlgebraKnobs(Knobs):
    """What makes algebra hard.

    Args:
        largest: Of the numbers that are drawn; those worked out from them can be larger.
        fractions: Share of the equations whose solution is a fraction.
        brackets: Share of the linear equations with brackets.
        unknowns: Most unknowns of a system, 2 or 3.
        degree: Highest degree of a polynomial.
    """

    largest: int = knob(6, 20)
    fractions: float = knob(0.0, 0.8)
    brackets: float = knob(0.0, 1.0)
    unknowns: int = knob(2, 3)
    degree: int = knob(3, 5)


class Algebra(GeneratedMath):
    r"""Asks to solve equations, systems and inequalities and to work with polynomials; pays 1.0 for the right answer.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `linear` (one unknown, on both sides), `quadratic` (rational roots), `surd` (the larger of two irrational
    roots), `system` (2 or 3 unknowns), `expand` (a product of polynomials), `remainder` (of a division by x - r),
    `rational` (an equation of two fractions), `vieta` (a symmetric expression in the roots), `inequality`.

    Args:
        level: See `AlgebraKnobs`: numbers up to 6 and whole solutions at 0; up to 20, brackets, 3 unknowns and mostly
            fractions at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `AlgebraKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "algebra"
    floor: float = 0.04
    knobs_type: ClassVar[type[Knobs]] = AlgebraKnobs
    longest: ClassVar[int] = 260


def _root(d: Draw, k: AlgebraKnobs) -> Fraction:
    below = d.between(2, 5) if d.chance(k.fractions) else 1
    return Fraction(d.nonzero(k.largest), below)


# linear: a(x + p) + b = c(x + q) + d


def _draw_linear(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    x = _root(d, k)
    a = x.denominator * d.nonzero(max(2, k.largest // x.denominator))
    c = d.between(-k.largest, k.largest) * x.denominator if d.chance(0.4 + 0.6 * k.brackets) else 0
    if c == a:
        c = 0
    p = q = 0
    if d.chance(k.brackets):
        p, q = d.nonzero(k.largest), d.nonzero(k.largest) if c else 0
    b = d.between(-k.largest, k.largest) if a != 1 or c or p else d.nonzero(k.largest)
    return a, p, b, c, q, int(a * (x + p) + b - c * (x + q))


def linear_sides(n: Numbers, name: str) -> tuple[str, str]:
    """The two sides of a linear equation."""
    a, p, b, c, q, e = n

    def side(factor: int, shift: int, constant: int) -> str:
        return joined([(factor, f"({written((shift, 1), name)})" if shift else name), (constant, "")])

    return side(a, p, b), side(c, q, e)


def linear_steps(n: Numbers, name: str) -> tuple[list[str], Fraction]:
    """The working of a linear equation and its solution."""
    a, p, b, c, q, e = n
    require(a != c, "the unknown drops out")
    x = Fraction(e + c * q - a * p - b, a - c)
    lines = [" = ".join(linear_sides(n, name))]
    for state in (
        f"{written((a * p + b, a), name)} = {written((c * q + e, c), name)}",
        f"{written((a * p + b, a - c), name)} = {c * q + e}",
        f"{written((0, a - c), name)} = {c * q + e - a * p - b}",
        f"{name} = {x}",
    ):
        if state != lines[-1]:
            lines.append(state)
    return lines[1:], x


def _linear(n: Numbers, w: Words) -> Problem:
    name = w.pick(LETTERS)
    left, right = linear_sides(n, name)
    steps, x = linear_steps(n, name)
    equation = f"${left} = {right}$"
    ask = w.pick(
        (
            f"Solve {equation} for ${name}$.",
            f"Find the value of ${name}$ that satisfies {equation}.",
            f"What is ${name}$ if {equation}?",
            f"For which ${name}$ is {equation} true?",
        )
    )
    return Problem(ask, FRACTION, str(x), tuple(steps), unknown=name)


# quadratic: a x^2 + b x + c = 0 with rational roots


def _draw_quadratic(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    r, s = _root(d, k), _root(d, k)
    while r == s:
        s = _root(d, k)
    lead = d.pick((1, 1, 1, 2, 3, -1, -2)) if k.fractions else 1
    product = times((-r.numerator, r.denominator), (-s.numerator, s.denominator))
    return [int(c) * lead for c in reversed(product)]


def _discriminant(n: Numbers) -> tuple[int, int, int, int]:
    a, b, c = n
    require(a, "the square drops out")
    require(max(map(abs, n)) <= 10**6, "numbers above 10**6 take long to factor")
    return a, b, c, b * b - 4 * a * c


def quadratic_roots(n: Numbers) -> tuple[Fraction, Fraction]:
    """The two rational roots, the smaller one first."""
    a, b, _, square = _discriminant(n)
    require(square > 0, "there are no two real roots")
    root = math.isqrt(square)
    require(root * root == square, "the roots are not rational")
    low, high = sorted((Fraction(-b - root, 2 * a), Fraction(-b + root, 2 * a)))
    return low, high


def quadratic_factors(n: Numbers, name: str) -> str:
    """The quadratic as a product of linear factors."""
    low, high = quadratic_roots(n)
    lead = n[0] // (low.denominator * high.denominator)
    body = "".join(f"({written((-r.numerator, r.denominator), name)})" if r else name for r in (low, high))
    return joined([(lead, body)])


def _quadratic(n: Numbers, w: Words) -> Problem:
    name = w.pick("xxyztu")
    a, b, c, square = _discriminant(n)
    low, high = quadratic_roots(n)
    equation = f"{written((c, b, a), name)} = 0"
    ask = w.pick(
        (
            f"Find all solutions of ${equation}$.",
            f"Solve ${equation}$ for ${name}$.",
            f"Which values of ${name}$ satisfy ${equation}$?",
            f"Determine both roots of ${written((c, b, a), name)}$.",
        )
    )
    root = math.isqrt(square)
    steps = (
        f"{inner(b)}^2 - 4 * {inner(a)} * {inner(c)} = {square} = {root}^2",
        f"{quadratic_factors(n, name)} = 0",
        f"{name} = {low} or {name} = {high}",
    )
    return Problem(ask, LIST, listed((low, high)), steps, asked=equation, unknown=name)


# surd: the larger root of a x^2 + b x + c = 0, irrational


def _draw_surd(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    lead = d.pick((1, 1, 2, 3)) if k.fractions else 1
    while True:
        a, b, c = lead, d.between(-2 * k.largest, 2 * k.largest), d.between(-2 * k.largest, 2 * k.largest)
        square = b * b - 4 * a * c
        if square > 0 and math.isqrt(square) ** 2 != square:
            return a, b, c


def _surd(n: Numbers, w: Words) -> Problem:
    a, b, c, square = _discriminant(n)
    require(a > 0, "the square has a positive coefficient")
    require(square > 0 and math.isqrt(square) ** 2 != square, "the roots are real and irrational")
    name = w.pick("xxyztu")
    outside, inside = square_root(square)
    equation = f"{written((c, b, a), name)} = 0"
    gold = surd(Fraction(-b, 2 * a), Fraction(outside, 2 * a), inside)
    other = surd(Fraction(-b, 2 * a), -Fraction(outside, 2 * a), inside)
    ask = w.pick(
        (
            f"What is the larger solution of ${equation}$?",
            f"Find the greater root of ${written((c, b, a), name)}$.",
            f"The equation ${equation}$ has two real solutions. Give the larger one.",
        )
    )
    steps = (
        f"{inner(b)}^2 - 4 * {a} * {inner(c)} = {square}",
        *([rf"\sqrt{{{square}}} = {outside}\sqrt{{{inside}}}"] if outside > 1 else []),
        rf"{name} = {gold} or {name} = {other}",
    )
    return Problem(ask, RADICAL, gold, steps, unknown=name)


# system: rows of coefficients and right sides, for 2 or 3 unknowns


def _draw_system(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    size = d.between(2, k.unknowns)
    small = max(2, min(12, k.largest // 2 if size == 2 else k.largest // 3))
    below = d.pick((2, 3)) if d.chance(k.fractions / 2) else 1
    x = [Fraction(d.nonzero(k.largest), below) for _ in range(size)]
    while True:
        rows = [[d.nonzero(small) for _ in range(size)] for _ in range(size)]
        right = [sum((c * v for c, v in zip(row, x, strict=True)), Fraction(0)) for row in rows]
        if determinant(rows) and all(value.denominator == 1 for value in right):
            break
        if below > 1 and d.chance(0.1):
            below, x = 1, [Fraction(v.numerator) for v in x]
    return [size, *(number for row, value in zip(rows, right, strict=True) for number in (*row, int(value)))]


def determinant(rows: Sequence[Sequence[int]]) -> int:
    """Of two or three rows."""
    if len(rows) == 2:
        (a, b), (c, e) = (row[:2] for row in rows)
        return a * e - b * c
    (a, b, c), (e, f, g), (h, i, j) = (row[:3] for row in rows)
    return a * (f * j - g * i) - b * (e * j - g * h) + c * (e * i - f * h)


def system_rows(n: Numbers) -> list[Numbers]:
    """The equations of a system, each its coefficients and its right side."""
    size = n[0]
    require(size in (2, 3) and len(n) == 1 + size * (size + 1), "2 or 3 equations in as many unknowns")
    rows = [n[1 + r * (size + 1) : 1 + (r + 1) * (size + 1)] for r in range(size)]
    require(determinant(rows), "there is not exactly one solution")
    return rows


def system_line(row: Sequence[Number], names: Sequence[str]) -> str:
    """One equation of a system."""
    return f"{joined(zip(row, names, strict=False))} = {row[-1]}"


def system_steps(n: Numbers, names: Sequence[str]) -> tuple[list[str], list[Fraction]]:
    """The working of a system and its solution."""
    rows = system_rows(n)
    made, x = eliminated(rows)
    lines = [system_line(row, names) for row in made]
    lines += [f"{name} = {value}" for name, value in reversed(list(zip(names, x, strict=True)))]
    return list(dict.fromkeys(lines)), x


def _system(n: Numbers, w: Words) -> Problem:
    rows = system_rows(n)
    names = w.pick(("xy", "ab", "st", "uv", "pq") if len(rows) == 2 else ("xyz", "abc", "uvw", "rst"))
    steps, x = system_steps(n, names)
    body = "\n".join(f"${system_line(row, names)}$" for row in rows)
    pair = f"$({', '.join(names)})$"
    ask = w.pick(
        (
            f"Solve the system of equations\n{body}\nfor {pair}.",
            f"Find {pair} such that\n{body}\nhold together.",
            f"What is {pair} if\n{body}?",
            f"The following equations have exactly one common solution {pair}:\n{body}\nFind it.",
        )
    )
    return Problem(ask, TUPLE, f"({listed(x)})", tuple(steps), unknown=names)


def _system_canonical(n: Numbers) -> Sequence[int]:
    return [n[0], *(c for row in sorted(system_rows(n)) for c in row)]


# expand: two polynomials, each its degree and its coefficients, the constant first


def _draw_expand(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    low = d.between(1, k.degree - 1)
    numbers: list[int] = []
    for degree in (low, max(1, d.between(1, k.degree - low))):
        middle = [d.between(-k.largest, k.largest) for _ in range(degree - 1)]
        numbers += [degree, d.nonzero(k.largest), *middle, d.nonzero(min(9, k.largest))]
    return numbers


def _two_polynomials(n: Numbers) -> tuple[Numbers, Numbers]:
    first = n[1 : n[0] + 2]
    rest = n[n[0] + 2 :]
    second = rest[1:]
    require(1 <= n[0] <= 9 and 1 <= rest[0] <= 9 and len(second) == rest[0] + 1, "two polynomials of degree 1 to 9")
    require(first[-1] and second[-1], "the leading coefficients are not 0")
    return first, second


def _expand(n: Numbers, w: Words) -> Problem:
    one, other = _two_polynomials(n)
    name = w.pick("xxxtyz")
    product = times(one, other)
    gold = written(product, name)
    asked = f"({written(one, name)})({written(other, name)})"
    rows = [written([0] * m + list(scaled(other, c)), name) for m, c in reversed(list(enumerate(one))) if c]
    ask = w.pick(
        (
            f"Expand ${asked}$.",
            f"Multiply out ${asked}$.",
            f"Write ${asked}$ as a polynomial in ${name}$.",
            f"What polynomial is the product ${asked}$?",
        )
    )
    steps = (f"{asked} = {' + '.join(f'({row})' for row in rows)}", f"{asked} = {gold}")
    require(any(c for c in product[:-1]), "the product has more than one term")
    return Problem(ask, EXPANDED, gold, steps, asked=asked)


def _expand_canonical(n: Numbers) -> Sequence[int]:
    return [c for part in sorted(_two_polynomials(n), key=lambda part: (len(part), part)) for c in (len(part), *part)]


# remainder: r, then a polynomial, the constant first


def _draw_remainder(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    degree = d.between(2, k.degree)
    return [d.nonzero(max(2, k.largest // 3)), *(d.between(-k.largest, k.largest) for _ in range(degree)), d.nonzero(5)]


def _remainder(n: Numbers, w: Words) -> Problem:
    r, polynomial = n[0], n[1:]
    require(3 <= len(polynomial) <= 12 and polynomial[-1], "a polynomial of degree 2 to 11")
    name = w.pick("xxxtyz")
    p, by = written(polynomial, name), written((-r, 1), name)
    value = value_at(polynomial, r)
    ask = w.pick(
        (
            f"What is the remainder when ${p}$ is divided by ${by}$?",
            f"Find the remainder of the division of ${p}$ by ${by}$.",
            f"Dividing ${p}$ by ${by}$ leaves a constant remainder. Which one?",
        )
    )
    at = " + ".join(
        f"{inner(c)} * {inner(r)}^{e}" if e > 1 else f"{inner(c)} * {inner(r)}" if e else inner(c)
        for e, c in reversed(list(enumerate(polynomial)))
        if c
    )
    return Problem(ask, FRACTION, str(value), (f"{at} = {value}",))


# rational: a / (k x + p) = b / (k x + q)


def _draw_rational(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    below = d.between(2, 4) if d.chance(k.fractions) else 1
    a = d.nonzero(k.largest)
    b = d.nonzero(k.largest)
    while b == a:
        b = d.nonzero(k.largest)
    t, s = d.nonzero(max(2, k.largest // 3)), d.nonzero(k.largest)
    return a, b, below, a * t - s, b * t - s


def _rational(n: Numbers, w: Words) -> Problem:
    a, b, k, p, q = n
    require(a and b and k, "the numerators and the coefficient of the unknown are not 0")
    require(a != b, "the unknown drops out")
    x = Fraction(b * p - a * q, k * (a - b))
    require(k * x + p and k * x + q, "the solution is a pole")
    name = w.pick(LETTERS)
    one, other = written((p, k), name), written((q, k), name)
    equation = rf"\frac{{{a}}}{{{one}}} = \frac{{{b}}}{{{other}}}"
    ask = w.pick(
        (
            f"Solve ${equation}$ for ${name}$.",
            f"Find ${name}$ if ${equation}$.",
            f"Which number ${name}$ satisfies ${equation}$?",
        )
    )
    lines = [
        f"{joined([(a, f'({other})')])} = {joined([(b, f'({one})')])}",
        f"{written((a * q, a * k), name)} = {written((b * p, b * k), name)}",
        f"{written((0, (a - b) * k), name)} = {b * p - a * q}",
        f"{name} = {x}",
    ]
    return Problem(ask, FRACTION, str(x), tuple(dict.fromkeys(lines)), unknown=name)


# vieta: a, b, c and which expression in the roots


_SYMMETRIC = ("r^2 + s^2", r"\frac{1}{r} + \frac{1}{s}", "r^3 + s^3", "(r - s)^2", r"\frac{r}{s} + \frac{s}{r}")


def _draw_vieta(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    a = d.between(2, max(2, k.largest // 3)) if d.chance(k.fractions) else 1
    return a, d.nonzero(k.largest), d.nonzero(k.largest), d.between(0, 2 if k.fractions < 0.3 else 4)


def _vieta(n: Numbers, w: Words) -> Problem:
    a, b, c, which = n
    require(a and c, "the first and the last coefficient are not 0")
    require(0 <= which < len(_SYMMETRIC), f"the last number picks one of {len(_SYMMETRIC)} expressions")
    total, product = Fraction(-b, a), Fraction(c, a)
    s, p = inner(total), inner(product)
    working, value = (
        (f"{s}^2 - 2 * {p}", total**2 - 2 * product),
        (f"{s}/{p}", total / product),
        (f"{s}^3 - 3 * {s} * {p}", total**3 - 3 * total * product),
        (f"{s}^2 - 4 * {p}", total**2 - 4 * product),
        (f"({s}^2 - 2 * {p})/{p}", (total**2 - 2 * product) / product),
    )[which]
    name = w.pick("xxyzt")
    equation, asked = f"{written((c, b, a), name)} = 0", _SYMMETRIC[which]
    ask = w.pick(
        (
            f"Let $r$ and $s$ be the (possibly complex) roots of ${equation}$. Find ${asked}$.",
            f"The solutions of ${equation}$, real or not, are $r$ and $s$. What is ${asked}$?",
            f"If $r$ and $s$ denote the two roots of ${written((c, b, a), name)}$, compute ${asked}$.",
        )
    )
    return Problem(
        ask,
        FRACTION,
        str(value),
        (f"r + s = {total}", f"rs = {product}", f"{asked} = {working} = {value}"),
        asked=asked,
        facts=(f"r + s = {total}", f"rs = {product}"),
    )


# inequality: a x + b (sign) c x + d


def _draw_inequality(d: Draw, k: AlgebraKnobs) -> Sequence[int]:
    x = _root(d, k)
    a = x.denominator * d.nonzero(max(2, k.largest // x.denominator))
    c = d.between(-k.largest, k.largest) * x.denominator if d.chance(0.3 + 0.7 * k.brackets) else 0
    c = 0 if c == a else c
    b = d.between(-k.largest, k.largest)
    return a, b, c, int(a * x + b - c * x), d.between(0, 3)


def _inequality(n: Numbers, w: Words) -> Problem:
    a, b, c, e, which = n
    require(a != c, "the unknown drops out")
    require(0 <= which < 4, "the last number picks one of 4 signs")
    name = w.pick(LETTERS)
    x = Fraction(e - b, a - c)
    flipped = (which + 2) % 4 if a < c else which
    sign, turned = _SIGNS[which], _SIGNS[flipped]
    gold = (rf"(-\infty, {x})", rf"(-\infty, {x}]", rf"({x}, \infty)", rf"[{x}, \infty)")[flipped]
    text = f"{written((b, a), name)} {sign} {written((e, c), name)}"
    ask = w.pick(
        (
            f"Solve ${text}$.",
            f"Find all real ${name}$ with ${text}$.",
            f"For which real numbers ${name}$ is ${text}$?",
        )
    )
    lines = [text, f"{written((0, a - c), name)} {sign} {e - b}", f"{name} {turned} {x}"]
    return Problem(ask, INTERVAL, gold, tuple(dict.fromkeys(lines))[1:], asked=text, unknown=name)


Algebra.table = {
    "linear": Kind(_draw_linear, _linear),
    "quadratic": Kind(_draw_quadratic, _quadratic),
    "surd": Kind(_draw_surd, _surd),
    "system": Kind(_draw_system, _system, _system_canonical),
    "expand": Kind(_draw_expand, _expand, _expand_canonical),
    "remainder": Kind(_draw_remainder, _remainder),
    "rational": Kind(_draw_rational, _rational),
    "vieta": Kind(_draw_vieta, _vieta),
    "inequality": Kind(_draw_inequality, _inequality),
}
