"""Divisors, residues, congruences, bases and small Diophantine equations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import INTEGER
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require
from proofgym.envs.math.symbols import factors, inner, power

__all__ = ["NumberTheory", "NumberTheoryKnobs"]

_PRIMES = (2, 3, 5, 7, 11, 13)


@dataclass(frozen=True)
class NumberTheoryKnobs(Knobs):
    """What makes number theory hard.

    Args:
        largest: Of the numbers whose divisors are looked for.
        modulus: Largest modulus.
        exponent: Largest exponent of a power to reduce.
        congruences: Most simultaneous congruences, 2 or 3.
    """

    largest: int = knob(400, 9000)
    modulus: int = knob(20, 150)
    exponent: int = knob(20, 300)
    congruences: int = knob(2, 3)


class NumberTheory(GeneratedMath):
    r"""Asks for divisors, residues, solutions of congruences and digits; pays 1.0 for the right number.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `gcd`, `lcm`, `power` (modulo m), `inverse` (modulo m), `crt` (simultaneous congruences), `divisors` (their
    number or sum), `totient`, `base` (digits in another base), `zeros` (at the end of a quotient of factorials),
    `diophantine` (the least x with a x + b y = c).

    Args:
        level: See `NumberTheoryKnobs`: numbers up to 400 at 0, up to 9,000 at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `NumberTheoryKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "number_theory"
    floor: float = 0.07
    knobs_type: ClassVar[type[Knobs]] = NumberTheoryKnobs
    longest: ClassVar[int] = 260


# gcd and lcm of two numbers


def _draw_pair(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    shared = d.between(2, max(3, math.isqrt(k.largest)))
    a, b = (d.between(2, max(3, k.largest // shared)) for _ in range(2))
    return (a * shared, b * shared) if a != b else _draw_pair(d, k)


def _draw_lcm(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    shared = d.between(2, max(3, math.isqrt(k.largest) // 3))
    a, b = (d.between(2, max(4, math.isqrt(k.largest))) for _ in range(2))
    return (a * shared, b * shared) if a != b else _draw_lcm(d, k)


def _euclid(a: int, b: int) -> list[str]:
    lines = []
    a, b = max(a, b), min(a, b)
    while b:
        lines.append(f"{a} = {a // b} * {b} + {a % b}")
        a, b = b, a % b
    return lines


def _gcd(n: Numbers, w: Words) -> Problem:
    a, b = n
    require(a > 0 and b > 0, "two positive numbers")
    ask = w.pick(
        (
            f"What is the greatest common divisor of {a} and {b}?",
            f"Find the largest number that divides both {a} and {b}.",
            f"Compute $\\gcd({a}, {b})$.",
            (
                f"Ribbons of {a} cm and {b} cm are cut into equal pieces of a whole number of centimetres, with "
                f"nothing left over. "
                "How many centimetres long can the pieces be at most?"
            ),
        )
    )
    return Problem(ask, INTEGER, str(math.gcd(a, b)), tuple(_euclid(a, b)), asked=rf"\gcd({a}, {b})")


def _lcm(n: Numbers, w: Words) -> Problem:
    a, b = n
    require(a > 0 and b > 0, "two positive numbers")
    shared = math.gcd(a, b)
    ask = w.pick(
        (
            f"What is the least common multiple of {a} and {b}?",
            f"Find the smallest positive number that both {a} and {b} divide.",
            (
                f"Two lights flash together now; one flashes every {a} seconds, the other every {b}. After how "
                f"many seconds do "
                "they next flash together?"
            ),
        )
    )
    steps = (*_euclid(a, b), f"{a} * {b} / {shared} = {a * b // shared}")
    return Problem(ask, INTEGER, str(a * b // shared), steps, asked=rf"\operatorname{{lcm}}({a}, {b})")


# power: base, exponent, modulus


def _draw_power(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    modulus = d.between(max(5, k.modulus // 3), k.modulus)
    return d.between(2, modulus - 2), d.between(max(5, k.exponent // 5), k.exponent), modulus


def _power(n: Numbers, w: Words) -> Problem:
    a, e, m = n
    require(m > 1 and 0 < e <= 10**6, "a modulus above 1 and an exponent from 1 to 10**6")
    value, square, result, lines = pow(a, e, m), a % m, 1, []
    at, rest = 1, e
    while rest:
        if rest % 2:
            result = result * square % m
        if at > 1:
            lines.append(rf"{a}^{{{at}}} \equiv {square} \pmod{{{m}}}")
        square, rest, at = square * square % m, rest // 2, at * 2
    text = power(str(a), e)
    bits = " + ".join(str(1 << i) for i in reversed(range(e.bit_length())) if e >> i & 1)
    lines += [f"{e} = {bits}", rf"{text} \equiv {value} \pmod{{{m}}}"]
    ask = w.pick(
        (
            f"What is the remainder when ${text}$ is divided by {m}?",
            f"Find ${text} \\bmod {m}$.",
            f"Dividing ${text}$ by {m} leaves which remainder?",
        )
    )
    return Problem(ask, INTEGER, str(value), tuple(lines), asked=rf"{text} \bmod {m}")


# inverse: number and modulus


def _draw_inverse(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    while True:
        modulus = d.between(max(11, k.modulus // 2), 3 * k.modulus)
        a = d.between(2, modulus - 2)
        if math.gcd(a, modulus) == 1:
            return a, modulus


def _inverse(n: Numbers, w: Words) -> Problem:
    a, m = n
    require(1 < a < m and math.gcd(a, m) == 1, "a number from 2 to m - 1 without a common divisor with m")
    value = pow(a, -1, m)
    ask = w.pick(
        (
            f"Find the inverse of {a} modulo {m}, between 1 and {m - 1}.",
            f"Which $x$ with $1 \\le x < {m}$ satisfies ${a}x \\equiv 1 \\pmod{{{m}}}$?",
            f"What number from 1 to {m - 1}, multiplied by {a}, leaves the remainder 1 when divided by {m}?",
        )
    )
    last = f"{a} * {value} = {a * value} = {a * value // m} * {m} + 1"
    return Problem(ask, INTEGER, str(value), (*_euclid(m, a), last), asked=rf"{a}^{{-1}} \bmod {m}", unknown="x")


# crt: pairs of remainder and modulus


def _draw_crt(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    count = d.between(2, k.congruences)
    top = max(11, k.modulus // 4) if count == 2 else max(9, k.modulus // 8)
    while True:
        moduli = [d.between(3, top) for _ in range(count)]
        if math.lcm(*moduli) == math.prod(moduli):
            break
    x = d.between(max(moduli), math.prod(moduli) - 1)
    return [number for m in moduli for number in (x % m, m)]


def _crt(n: Numbers, w: Words) -> Problem:
    require(len(n) in (4, 6), "two or three pairs of remainder and modulus")
    pairs = [(n[i], n[i + 1]) for i in range(0, len(n), 2)]
    require(all(0 <= r < m <= 10**4 for r, m in pairs), "each remainder below its modulus")
    moduli = [m for _, m in pairs]
    require(math.lcm(*moduli) == math.prod(moduli), "moduli without common divisors")
    (x, step), lines = pairs[0], []
    for r, m in pairs[1:]:
        t = (r - x) * pow(step, -1, m) % m
        lines.append(f"{x} + {step} * {t} = {x + step * t}")
        x, step = x + step * t, step * m
        lines.append(rf"x \equiv {x} \pmod{{{step}}}")
    conditions = ", ".join(rf"$x \equiv {r} \pmod{{{m}}}$" for r, m in pairs)
    words = [f"{r} when divided by {m}" for r, m in pairs]
    rows = [f"rows of {m} leave {r} over" for r, m in pairs]
    ask = w.pick(
        (
            f"Find the smallest non-negative integer $x$ with {conditions}.",
            (
                f"What is the least non-negative integer that leaves the remainders {', '.join(words[:-1])} and "
                f"{words[-1]}?"
            ),
            (
                f"Chairs are put in rows: {', '.join(rows)}. What is the smallest number of chairs, from 0 up, for "
                f"which this is so?"
            ),
        )
    )
    return Problem(ask, INTEGER, str(x), tuple(lines), unknown="x")


def _crt_canonical(n: Numbers) -> Sequence[int]:
    return [number for i in sorted(range(0, len(n), 2), key=lambda i: n[i + 1]) for number in n[i : i + 2]]


# divisors: a number, and whether their sum or their number is asked for


def _draw_divisors(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    smooth = math.prod(d.pick(_PRIMES) for _ in range(d.between(1, 3)))
    return smooth * d.between(2, max(6, 2 * k.largest // smooth)), d.between(0, 1)


def _factored(number: int) -> str:
    return " * ".join(f"{prime}^{exponent}" if exponent > 1 else str(prime) for prime, exponent in factors(number))


def _divisors(n: Numbers, w: Words) -> Problem:
    number, summed = n
    require(1 < number <= 10**7 and summed in (0, 1), "a number from 2 to 10**7, and 0 or 1")
    parts = factors(number)
    line = f"{number} = {_factored(number)}"
    if summed:
        sums = [sum(prime**e for e in range(exponent + 1)) for prime, exponent in parts]
        value = math.prod(sums)
        ask = w.pick(
            (
                f"What is the sum of all positive divisors of {number}?",
                f"Add up all positive integers that divide {number}, 1 and {number} among them.",
            )
        )
        return Problem(ask, INTEGER, str(value), (line, f"{' * '.join(map(str, sums))} = {value}"))
    value = math.prod(exponent + 1 for _, exponent in parts)
    ask = w.pick(
        (
            f"How many positive divisors does {number} have?",
            f"How many positive integers divide {number}?",
            f"In how many ways can {number} be written as an ordered product of two positive integers?",
        )
    )
    return Problem(ask, INTEGER, str(value), (line, f"{' * '.join(f'({e} + 1)' for _, e in parts)} = {value}"))


def _draw_totient(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    return (d.between(max(20, k.largest // 10), k.largest),)


def _totient(n: Numbers, w: Words) -> Problem:
    (number,) = n
    require(1 < number <= 10**7, "a number from 2 to 10**7")
    parts = factors(number)
    pieces = [(f"{p}^{e - 1} * " if e > 2 else f"{p} * " if e == 2 else "") + f"({p} - 1)" for p, e in parts]
    value = math.prod(p ** (e - 1) * (p - 1) for p, e in parts)
    ask = w.pick(
        (
            f"How many of the integers from 1 to {number} have no common divisor with {number} but 1?",
            f"Compute Euler's totient $\\varphi({number})$.",
            f"How many positive integers up to {number} are coprime to {number}?",
        )
    )
    steps = (f"{number} = {_factored(number)}", f"{' * '.join(pieces)} = {value}")
    return Problem(ask, INTEGER, str(value), steps, asked=rf"\varphi({number})")


# base: a number, and the base from 2 to 9; then whether the question goes from the base or to it


def _digits(number: int, base: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, base)
        text = str(digit) + text
    return text


def _draw_base(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    return d.between(max(30, k.largest // 20), k.largest), d.between(2, 9), d.between(0, 1)


def _base(n: Numbers, w: Words) -> Problem:
    number, base, read = n
    require(number > 1 and 2 <= base <= 9 and read in (0, 1), "a number above 1, a base from 2 to 9, and 0 or 1")
    text = _digits(number, base)
    if read:
        ask = w.pick(
            (
                f"The digits {text} are a number in base {base}. What is it in base 10?",
                f"Convert ${text}_{{{base}}}$ to base 10.",
                f"Which decimal number is written {text} in base {base}?",
            )
        )
        terms = [f"{digit} * {power(str(base), e) or '1'}" for e, digit in enumerate(reversed(text)) if digit != "0"]
        return Problem(
            ask, INTEGER, str(number), (f"{' + '.join(reversed(terms))} = {number}",), asked=f"{text}_{{{base}}}"
        )
    lines, rest = [], number
    while rest:
        lines.append(f"{rest} = {rest // base} * {base} + {rest % base}")
        rest //= base
    ask = w.pick(
        (
            f"Write {number} in base {base}. Give the digits alone, without a subscript.",
            f"What are the digits of {number} in base {base}? Give them as one row, without a subscript.",
        )
    )
    return Problem(ask, INTEGER, text, tuple(lines))


# zeros: how many zeros end n! / m!


def _draw_zeros(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    high = d.between(20, max(60, k.largest // 9))
    return high, d.between(2, high - 6) if d.chance(k.largest / 10000 + 0.6) else 0, d.pick((2, 3, 5, 7, 10, 10))


def _legendre(number: int, prime: int) -> int:
    found = 0
    while number:
        number //= prime
        found += number
    return found


def _zeros(n: Numbers, w: Words) -> Problem:
    high, low, base = n
    require(0 <= low < high <= 10**5 and base in (2, 3, 5, 7, 10), "0 <= m < n <= 10**5, and one of 2, 3, 5, 7, 10")
    prime = 5 if base == 10 else base
    ends = {p: _legendre(high, p) - _legendre(low, p) for p in ((2, 5) if base == 10 else (prime,))}
    value = min(ends.values())
    what = f"{high}!" if not low else rf"\frac{{{high}!}}{{{low}!}}"
    if base == 10:
        ask = w.pick(
            (f"With how many zeros does ${what}$ end?", f"How many trailing zeros does ${what}$ have in base 10?")
        )
    else:
        ask = w.pick(
            (
                f"What is the largest $k$ for which ${base}^k$ divides ${what}$?",
                f"How often does the prime {base} occur in the factorization of ${what}$?",
            )
        )
    lines = []
    for p in ends:
        for number in (high, low) if low else (high,):
            parts, rest = [], number // p
            while rest:
                parts.append(str(rest))
                rest //= p
            lines.append(f"{' + '.join(parts) or '0'} = {_legendre(number, p)}")
        if low:
            lines.append(f"{_legendre(high, p)} - {_legendre(low, p)} = {ends[p]}")
    return Problem(ask, INTEGER, str(value), tuple(lines), unknown="k")


# diophantine: a, b, c with a x + b y = c; the least x >= 0 for which y is a whole number


def _draw_diophantine(d: Draw, k: NumberTheoryKnobs) -> Sequence[int]:
    while True:
        a, b = d.between(3, k.modulus), d.between(5, k.modulus)
        if a != b and b // math.gcd(a, b) > 4:
            return a, b, math.gcd(a, b) * d.between(1, 3 * k.modulus)


def _diophantine(n: Numbers, w: Words) -> Problem:
    a, b, c = n
    require(a > 0 and b > 1 and c > 0, "three positive numbers, the second above 1")
    shared = math.gcd(a, b)
    require(c % shared == 0, "the equation has a solution")
    p, q, r = a // shared, b // shared, c // shared
    x = r * pow(p, -1, q) % q if q > 1 else 0
    y = (c - a * x) // b
    ask = w.pick(
        (
            (
                f"Find the smallest non-negative integer $x$ for which ${a}x + {b}y = {c}$ has an integer "
                f"solution $y$ (which may be "
                "negative)."
            ),
            f"The equation ${a}x + {b}y = {c}$ is to be solved in integers. What is the least $x \\ge 0$ that occurs?",
        )
    )
    lines = [f"{p}x + {q}y = {r}"] if shared > 1 else []
    lines += [rf"{p}x \equiv {r % q} \pmod{{{q}}}", f"{a} * {x} + {b} * {inner(y)} = {c}"]
    return Problem(ask, INTEGER, str(x), tuple(lines), unknown="x")


NumberTheory.table = {
    "gcd": Kind(_draw_pair, _gcd, sorted),
    "lcm": Kind(_draw_lcm, _lcm, sorted),
    "power": Kind(_draw_power, _power),
    "inverse": Kind(_draw_inverse, _inverse),
    "crt": Kind(_draw_crt, _crt, _crt_canonical),
    "divisors": Kind(_draw_divisors, _divisors),
    "totient": Kind(_draw_totient, _totient),
    "base": Kind(_draw_base, _base),
    "zeros": Kind(_draw_zeros, _zeros),
    "diophantine": Kind(_draw_diophantine, _diophantine),
}
