"""Small matrices and vectors, worked out exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import FRACTION, LIST, MATRIX, TUPLE
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require
from proofgym.envs.math.symbols import Number, eliminated, frac, inner, joined, listed, matrix, written

__all__ = ["LinearAlgebra", "LinearAlgebraKnobs"]


@dataclass(frozen=True)
class LinearAlgebraKnobs(Knobs):
    """What makes linear algebra hard.

    Args:
        largest: Of the entries.
        size: Most rows of a determinant or a linear system, 2 or 3.
        fractions: Share of the tasks with fractions where whole numbers would do.
    """

    largest: int = knob(5, 12)
    size: int = knob(2, 3)
    fractions: float = knob(0.0, 0.8)


class LinearAlgebra(GeneratedMath):
    r"""Asks for determinants, products, inverses, eigenvalues and the like; pays 1.0 for the right answer.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `determinant`, `product` (of matrices), `inverse` (of a 2 by 2 matrix), `solve` (A x = b), `eigenvalues` (of
    a 2 by 2 matrix), `cross` (product), `projection` (of one vector onto another), `dot` (product of sums of vectors).

    Args:
        level: See `LinearAlgebraKnobs`: entries up to 5, two rows, at 0; up to 12, up to three rows, at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `LinearAlgebraKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "linear_algebra"
    floor: float = 0.03
    knobs_type: ClassVar[type[Knobs]] = LinearAlgebraKnobs
    longest: ClassVar[int] = 320


def _rows(n: Sequence[int], width: int) -> list[list[int]]:
    return [list(n[i : i + width]) for i in range(0, len(n), width)]


def _vector(values: Sequence[Number]) -> str:
    return f"({listed(values)})"


def _entries(d: Draw, k: LinearAlgebraKnobs, count: int) -> list[int]:
    return [d.between(-k.largest, k.largest) for _ in range(count)]


def _two(n: Sequence[int]) -> str:
    a, b, c, e = n
    return f"{inner(a)} * {inner(e)} - {inner(b)} * {inner(c)}"


# determinant: 4 or 9 entries


def _draw_determinant(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    return _entries(d, k, d.between(2, k.size) ** 2)


def _determinant(n: Numbers, w: Words) -> Problem:
    require(len(n) in (4, 9), "4 or 9 entries")
    size = math.isqrt(len(n))
    rows = _rows(n, size)
    if size == 2:
        value = n[0] * n[3] - n[1] * n[2]
        lines = [f"{_two(n)} = {value}"]
    else:
        minors = [[rows[r][c] for r in (1, 2) for c in range(3) if c != skip] for skip in range(3)]
        values = [m[0] * m[3] - m[1] * m[2] for m in minors]
        value = rows[0][0] * values[0] - rows[0][1] * values[1] + rows[0][2] * values[2]
        lines = [f"{_two(m)} = {v}" for m, v in zip(minors, values, strict=True)]
        terms = [f"{inner(a)} * {inner(v)}" for a, v in zip(rows[0], values, strict=True)]
        lines.append(f"{terms[0]} - {terms[1]} + {terms[2]} = {value}")
    shown = matrix(rows)
    ask = w.pick(
        (
            f"What is the determinant of ${shown}$?",
            f"Compute $\\det {shown}$.",
            f"Find $\\det A$ for $A = {shown}$.",
        )
    )
    return Problem(ask, FRACTION, str(value), tuple(lines), asked=rf"\det {shown}")


# product: rows, middle and columns, then both matrices


def _draw_product(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    p, q, r = 2, d.between(2, k.size), 2
    return p, q, r, *_entries(d, k, p * q + q * r)


def _product(n: Numbers, w: Words) -> Problem:
    p, q, r = n[:3]
    require(all(1 <= s <= 4 for s in (p, q, r)) and len(n) == 3 + p * q + q * r, "two matrices whose sizes fit")
    one, other = _rows(n[3 : 3 + p * q], q), _rows(n[3 + p * q :], r)
    lines, rows = [], []
    for i in range(p):
        rows.append([sum(one[i][m] * other[m][j] for m in range(q)) for j in range(r)])
        lines += [
            f"{' + '.join(f'{inner(one[i][m])} * {inner(other[m][j])}' for m in range(q))} = {rows[i][j]}"
            for j in range(r)
        ]
    a, b = matrix(one), matrix(other)
    ask = w.pick(
        (
            f"Let $A = {a}$ and $B = {b}$. Compute $AB$.",
            f"Multiply the matrices ${a}$ and ${b}$, in this order.",
            f"What is the product ${a}{b}$?",
        )
    )
    return Problem(ask, MATRIX, matrix(rows), tuple(lines), asked=f"{a}{b}")


# inverse: 4 entries


def _draw_inverse(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    if d.chance(k.fractions):
        while True:
            n = _entries(d, k, 4)
            if n[0] * n[3] != n[1] * n[2]:
                return n
    p, q = d.nonzero(k.largest), d.nonzero(k.largest)  # a product of shears: the determinant is 1 or -1
    r = d.nonzero(4)
    a, b, c, e = 1 + p * q, p, q, 1
    a, c = a + r * b, c + r * e
    return (a, b, c, e) if d.chance(0.5) else (c, e, a, b)


def _inverse(n: Numbers, w: Words) -> Problem:
    a, b, c, e = n
    det = a * e - b * c
    require(det, "the matrix has an inverse")
    shown = matrix(_rows(n, 2))
    gold = matrix([[Fraction(e, det), Fraction(-b, det)], [Fraction(-c, det), Fraction(a, det)]])
    ask = w.pick(
        (
            f"Find the inverse of ${shown}$.",
            f"Let $A = {shown}$. Compute $A^{{-1}}$.",
            f"Which matrix, multiplied by ${shown}$, gives the identity?",
        )
    )
    adjoint = matrix([[e, -b], [-c, a]])
    lines = (f"{_two(n)} = {det}", rf"{frac(Fraction(1, det))} * {adjoint} = {gold}")
    return Problem(ask, MATRIX, gold, lines, asked=f"{shown}^{{-1}}")


# solve: the size, then rows with their right sides


def _draw_solve(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    size = d.between(2, k.size)
    x = _entries(d, k, size)
    rows = [[d.between(-k.largest, k.largest) for _ in range(size)] for _ in range(size)]
    try:
        eliminated([[*row, 0] for row in rows])
    except ValueError:
        return _draw_solve(d, k)
    return size, *(c for row in rows for c in (*row, sum(a * b for a, b in zip(row, x, strict=True))))


def _solve(n: Numbers, w: Words) -> Problem:
    size = n[0]
    require(size in (2, 3) and len(n) == 1 + size * (size + 1), "2 or 3 rows, each with its right side")
    rows = _rows(n[1:], size + 1)
    made, x = eliminated(rows)
    names = [f"x_{i + 1}" for i in range(size)]
    a, b = matrix([row[:-1] for row in rows]), matrix([row[-1:] for row in rows])
    ask = w.pick(
        (
            f"Solve $Ax = b$ for $A = {a}$ and $b = {b}$.",
            f"Find the vector $x$ with ${a}x = {b}$.",
            f"Which vector does the matrix ${a}$ map to ${b}$?",
        )
    )
    lines = [f"{joined(zip(row, names, strict=False))} = {row[-1]}" for row in made]
    lines += [f"{name} = {value}" for name, value in reversed(list(zip(names, x, strict=True)))]
    facts = tuple(f"{joined(zip(row, names, strict=False))} = {row[-1]}" for row in rows)
    return Problem(ask, TUPLE, _vector(x), tuple(dict.fromkeys(lines)), unknown="x", facts=facts)


# eigenvalues: 4 entries with whole eigenvalues


def _draw_eigenvalues(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    p, q = d.some(range(-k.largest, k.largest + 1), 2)
    s, t = d.nonzero(3), d.nonzero(3)
    # Shears on both sides keep the eigenvalues of an upper triangular matrix.
    a, b, c, e = p, s, 0, q
    a, b, c, e = a - b * t, b, c + t * a - t * (e + t * b), e + t * b
    return a, b, c, e


def _eigenvalues(n: Numbers, w: Words) -> Problem:
    a, b, c, e = n
    trace, det = a + e, a * e - b * c
    square = trace * trace - 4 * det
    require(square > 0 and math.isqrt(square) ** 2 == square, "there are two rational eigenvalues")
    low, high = Fraction(trace - math.isqrt(square), 2), Fraction(trace + math.isqrt(square), 2)
    shown = matrix(_rows(n, 2))
    ask = w.pick(
        (
            f"Find the eigenvalues of ${shown}$.",
            f"What are the eigenvalues of the matrix $A = {shown}$?",
            f"For which numbers $t$ does $Av = tv$ with $A = {shown}$ have a solution $v \\ne 0$?",
        )
    )
    lines = (
        f"{inner(a)} + {inner(e)} = {trace}",
        f"{_two(n)} = {det}",
        f"{written((det, -trace, 1), 't')} = 0",
        f"t = {low} or t = {high}",
    )
    return Problem(ask, LIST, listed((low, high)), lines, unknown="t", facts=lines[2:3])


# cross: two vectors in space


def _draw_six(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    return _entries(d, k, 6)


def _cross(n: Numbers, w: Words) -> Problem:
    a, b = n[:3], n[3:]
    require(len(n) == 6, "two vectors in space")
    pairs = ((1, 2), (2, 0), (0, 1))
    value = [a[i] * b[j] - a[j] * b[i] for i, j in pairs]
    lines = tuple(
        f"{inner(a[i])} * {inner(b[j])} - {inner(a[j])} * {inner(b[i])} = {v}"
        for (i, j), v in zip(pairs, value, strict=True)
    )
    ask = w.pick(
        (
            f"Compute the cross product ${_vector(a)} \\times {_vector(b)}$.",
            f"Let $u = {_vector(a)}$ and $v = {_vector(b)}$. Find $u \\times v$.",
        )
    )
    return Problem(ask, TUPLE, _vector(value), lines, asked=rf"{_vector(a)} \times {_vector(b)}")


# projection: of the first vector onto the second, in the plane or in space


def _draw_projection(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    size = d.between(2, k.size)
    a, b = _entries(d, k, size), _entries(d, k, size)
    return (*a, *b) if any(b) and any(x * y for x, y in zip(a, b, strict=True)) else _draw_projection(d, k)


def _projection(n: Numbers, w: Words) -> Problem:
    require(len(n) in (4, 6), "two vectors in the plane or in space")
    size = len(n) // 2
    a, b = n[:size], n[size:]
    require(any(b), "the second vector is not 0")
    dot, square = sum(x * y for x, y in zip(a, b, strict=True)), sum(y * y for y in b)
    value = [Fraction(dot * y, square) for y in b]
    ask = w.pick(
        (
            f"Find the orthogonal projection of ${_vector(a)}$ onto ${_vector(b)}$.",
            f"Let $u = {_vector(a)}$ and $v = {_vector(b)}$. What is the projection of $u$ onto $v$?",
        )
    )
    lines = (
        f"{' + '.join(f'{inner(x)} * {inner(y)}' for x, y in zip(a, b, strict=True))} = {dot}",
        f"{' + '.join(f'{inner(y)}^2' for y in b)} = {square}",
        *(f"{dot}/{square} * {inner(y)} = {v}" for y, v in zip(b, value, strict=True)),
    )
    return Problem(ask, TUPLE, _vector(value), tuple(dict.fromkeys(lines)))


# dot: p, q, r, s and three vectors u, v: (p u + q v) . (r u + s v)


def _draw_dot(d: Draw, k: LinearAlgebraKnobs) -> Sequence[int]:
    size = d.between(2, k.size)
    return *(d.nonzero(4) for _ in range(4)), *_entries(d, k, 2 * size)


def _dot(n: Numbers, w: Words) -> Problem:
    require(len(n) in (8, 10), "four numbers and two vectors in the plane or in space")
    (p, q, r, s), size = n[:4], (len(n) - 4) // 2
    u, v = n[4 : 4 + size], n[4 + size :]
    one = [p * x + q * y for x, y in zip(u, v, strict=True)]
    other = [r * x + s * y for x, y in zip(u, v, strict=True)]
    value = sum(x * y for x, y in zip(one, other, strict=True))
    left, right = joined([(p, "u"), (q, "v")]), joined([(r, "u"), (s, "v")])
    asked = rf"({left}) \cdot ({right})"
    ask = w.pick(
        (
            f"Let $u = {_vector(u)}$ and $v = {_vector(v)}$. Compute the scalar product ${asked}$.",
            f"Find ${asked}$ for the vectors $u = {_vector(u)}$ and $v = {_vector(v)}$.",
        )
    )
    lines = (
        f"{left} = {_vector(one)}",
        f"{right} = {_vector(other)}",
        f"{' + '.join(f'{inner(x)} * {inner(y)}' for x, y in zip(one, other, strict=True))} = {value}",
    )
    return Problem(ask, FRACTION, str(value), tuple(dict.fromkeys(lines)), asked=asked)


LinearAlgebra.table = {
    "determinant": Kind(_draw_determinant, _determinant),
    "product": Kind(_draw_product, _product),
    "inverse": Kind(_draw_inverse, _inverse),
    "solve": Kind(_draw_solve, _solve),
    "eigenvalues": Kind(_draw_eigenvalues, _eigenvalues),
    "cross": Kind(_draw_six, _cross),
    "projection": Kind(_draw_projection, _projection),
    "dot": Kind(_draw_dot, _dot),
}
