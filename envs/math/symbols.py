"""Exact numbers, polynomials and square roots as tasks use them, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

__all__ = [
    "Number",
    "Polynomial",
    "add",
    "derivative",
    "eliminated",
    "factors",
    "frac",
    "inner",
    "joined",
    "listed",
    "matrix",
    "power",
    "scaled",
    "signed",
    "size",
    "square_root",
    "surd",
    "tidy",
    "times",
    "value_at",
    "written",
]

Number = int | Fraction
Polynomial = tuple[Number, ...]
"""Coefficients, the constant first."""


def tidy(value: Number) -> Number:
    """The same number, as an `int` where it is whole."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def size(value: Number) -> Number:
    """The number without its sign; `abs` of a union has no type."""
    return -value if value < 0 else value


# Writing --------------------------------------------------------------------------------------------------------------


def frac(value: Number) -> str:
    r"""A number as a coefficient.

    >>> frac(Fraction(-3, 4)), frac(Fraction(8, 4))
    ('-\\frac{3}{4}', '2')
    """
    value = tidy(value)
    if isinstance(value, int):
        return str(value)
    return f"{'-' if value < 0 else ''}\\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def inner(value: Number) -> str:
    """A number inside a calculation: negative ones and fractions in brackets.

    >>> inner(3), inner(-3), inner(Fraction(1, 2))
    ('3', '(-3)', '(1/2)')
    """
    value = tidy(value)
    return str(value) if isinstance(value, int) and value >= 0 else f"({value})"


def signed(parts: Iterable[tuple[bool, str]]) -> str:
    """A sum of terms, each with whether it is subtracted.

    >>> signed([(True, "x"), (False, "2"), (True, "y")])
    '-x + 2 - y'
    """
    text = ""
    for negative, body in parts:
        if text:
            text += f" - {body}" if negative else f" + {body}"
        else:
            text = f"-{body}" if negative else body
    return text or "0"


def joined(parts: Iterable[tuple[Number, str]]) -> str:
    """A sum of symbols with coefficients; a coefficient of 0 leaves its symbol out.

    >>> joined([(3, "x^2"), (-1, "x"), (0, "y"), (-7, "")])
    '3x^2 - x - 7'
    """
    return signed((c < 0, symbol if symbol and size(c) == 1 else frac(size(c)) + symbol) for c, symbol in parts if c)


def power(name: str, exponent: int) -> str:
    """A power of a name; the name itself for 1, nothing for 0.

    >>> power("x", 12), power("x", 1), power("x", 0)
    ('x^{12}', 'x', '')
    """
    if exponent == 0:
        return ""
    return name if exponent == 1 else f"{name}^{exponent}" if exponent < 10 else f"{name}^{{{exponent}}}"


def written(polynomial: Sequence[Number], name: str = "x") -> str:
    """A polynomial, the highest power first.

    >>> written((1, 0, -2, 1))
    'x^3 - 2x^2 + 1'
    """
    return joined((polynomial[n], power(name, n)) for n in reversed(range(len(polynomial))))


def listed(values: Iterable[Number]) -> str:
    """Numbers with commas between them."""
    return ", ".join(str(tidy(value)) for value in values)


def matrix(rows: Sequence[Sequence[Number]]) -> str:
    r"""A matrix.

    >>> matrix([[1, 2], [Fraction(1, 2), 4]])
    '\\begin{pmatrix} 1 & 2 \\\\ \\frac{1}{2} & 4 \\end{pmatrix}'
    """
    body = r" \\ ".join(" & ".join(frac(cell) for cell in row) for row in rows)
    return rf"\begin{{pmatrix}} {body} \end{{pmatrix}}"


# Calculating ----------------------------------------------------------------------------------------------------------


def add(one: Sequence[Number], other: Sequence[Number]) -> Polynomial:
    """The sum of two polynomials."""
    if len(one) < len(other):
        one, other = other, one
    return tuple(a + (other[n] if n < len(other) else 0) for n, a in enumerate(one))


def scaled(polynomial: Sequence[Number], factor: Number) -> Polynomial:
    """A polynomial times a number."""
    return tuple(c * factor for c in polynomial)


def times(one: Sequence[Number], other: Sequence[Number]) -> Polynomial:
    """The product of two polynomials.

    >>> times((1, 1), (-1, 1))
    (-1, 0, 1)
    """
    product: list[Number] = [0] * (len(one) + len(other) - 1)
    for m, a in enumerate(one):
        for n, b in enumerate(other):
            product[m + n] += a * b
    return tuple(product)


def derivative(polynomial: Sequence[Number]) -> Polynomial:
    """The derivative of a polynomial."""
    return tuple(n * c for n, c in enumerate(polynomial))[1:] or (0,)


def value_at(polynomial: Sequence[Number], at: Number) -> Number:
    """The value of a polynomial at a number."""
    value: Number = 0
    for c in reversed(polynomial):
        value = value * at + c
    return tidy(value)


def factors(number: int) -> list[tuple[int, int]]:
    """The prime factors of a positive number below 10**8 with their exponents.

    >>> factors(360)
    [(2, 3), (3, 2), (5, 1)]
    """
    found, prime = [], 2
    while prime * prime <= number:
        times_ = 0
        while number % prime == 0:
            number //= prime
            times_ += 1
        if times_:
            found.append((prime, times_))
        prime += 1 if prime == 2 else 2
    return [*found, (number, 1)] if number > 1 else found


def square_root(number: int) -> tuple[int, int]:
    """`k, m` so that the square root is k times that of m, which no square divides.

    >>> square_root(72), square_root(49), square_root(0)
    ((6, 2), (7, 1), (0, 1))
    """
    outside, inside = (1, 1) if number else (0, 1)
    for prime, exponent in factors(number) if number else ():
        outside *= prime ** (exponent // 2)
        inside *= prime ** (exponent % 2)
    return outside, inside


def surd(whole: Number, root: Number, inside: int) -> str:
    r"""`whole + root * sqrt(inside)` over one denominator.

    >>> surd(Fraction(3, 2), Fraction(1, 2), 5), surd(0, 3, 2), surd(1, -1, 2), surd(4, 1, 1)
    ('\\frac{3 + \\sqrt{5}}{2}', '3\\sqrt{2}', '1 - \\sqrt{2}', '5')
    """
    if inside == 1:
        return frac(whole + root)
    below = Fraction(whole).denominator * Fraction(root).denominator
    below //= _common(below, whole * below, root * below)
    top = joined([(whole * below, ""), (root * below, rf"\sqrt{{{inside}}}")])
    if below == 1:
        return top
    return rf"-\frac{{{top[1:]}}}{{{below}}}" if not whole and root < 0 else rf"\frac{{{top}}}{{{below}}}"


def _common(*values: Number) -> int:
    found = 0
    for value in values:
        one, other = found, abs(int(value))
        while other:
            one, other = other, one % other
        found = one
    return found or 1


def eliminated(rows: Sequence[Sequence[int]]) -> tuple[list[list[Number]], list[Fraction]]:
    """Solve a square linear system, each row ending in its right side.

    Returns:
        The equations on the way, each with fewer unknowns than the ones it was made of, and the solution.
    Raises:
        ValueError: If there is not exactly one solution.

    >>> eliminated([[1, 1, 5], [1, -1, 1]])
    ([[0, -1, -2]], [Fraction(3, 1), Fraction(2, 1)])
    """
    size, made = len(rows), []
    left: list[list[Number]] = [list(row) for row in rows]
    for column in range(size):
        pivot = next((r for r in range(column, size) if left[r][column]), None)
        if pivot is None:
            raise ValueError("the system has not exactly one solution")
        left[column], left[pivot] = left[pivot], left[column]
        top = left[column]
        for r in range(column + 1, size):
            if left[r][column]:
                a, b = top[column], left[r][column]
                row = [a * x - b * y for x, y in zip(left[r], top, strict=True)]
                shared = _common(*row)
                left[r] = [int(x) // shared for x in row]
                made.append(left[r])
    solution = [Fraction(0)] * size
    for r in reversed(range(size)):
        known = sum((left[r][c] * solution[c] for c in range(r + 1, size)), Fraction(0))
        solution[r] = (left[r][size] - known) / Fraction(left[r][r])
    return made, solution
