"""Whether two expressions are the same: by form, by exact arithmetic, by high precision at points, by proof.

`fast` decides what integers and fractions decide. `deep`, in a worker, refutes at random points and proves by a root
bound (algebraic constants), by arithmetic modulo a prime at random points (rational functions), or by sympy.
"""

from __future__ import annotations

import random
from fractions import Fraction

from proofgym.verifiers.math.exact import fold
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable

__all__ = ["NeedsWorker", "deep", "fast"]

_PRIME = 2**127 - 1
_MAX_PRECISION = 40_000
_INTEGER_NAMES = set("nkmijlNKM")


class NeedsWorker(Exception):
    """The fast path cannot decide."""


def fast(left: Node, right: Node) -> bool:
    """Decide by form and by exact arithmetic.

    Raises:
        NeedsWorker: If that does not decide.
    """
    if left.key() == right.key():
        return True
    try:
        first, second = fold(left), fold(right)
    except TooBig as error:
        raise NeedsWorker from error
    if first is None or second is None:
        raise NeedsWorker
    return first == second


def deep(left: Node, right: Node, *, exact: bool = False) -> bool | None:
    """Decide by every means; `None` if none decides.

    Args:
        exact: Take no agreement at points for an answer.
    """
    try:
        return fast(left, right)
    except NeedsWorker:
        pass
    names = sorted(left.names() | right.names())
    if len(names) > 40:
        return None
    seen = _at_points(left, right, names)
    if seen is not True or not exact:
        return seen
    if _modular(left, right, names) or (not names and _root_bound(left, right)):
        return True
    from proofgym.verifiers.math import symbolic

    return symbolic.proves_equal(left, right) or None


# -- points -----------------------------------------------------------------------------------------------------------


def _at_points(left: Node, right: Node, names: list[str]) -> bool | None:
    """`False` if the sides differ at a point, `True` if they agree at all of several, `None` if nothing is known."""
    chance = random.Random(left.key() + "=" + right.key())  # noqa: S311 - points, not secrets
    whole = _integer_names(left) | _integer_names(right)
    rounds = 14 if names else 1
    agreed = {"real": 0, "complex": 0}
    differs = {"real": 0, "complex": 0}
    for k in range(rounds):
        seen = _compare(left, right, _values(names, whole, k, chance))
        if seen is None:
            continue
        kind, same = seen
        (agreed if same else differs)[kind] += 1
        if differs["real"] or (not names and differs["complex"]):
            return False
        if agreed["real"] >= 8 and k >= 9:
            break
    enough = 1 if not names else 3
    if agreed["real"] >= enough:
        return True
    if differs["complex"]:
        return False
    return True if agreed["complex"] >= enough else None


def _integer_names(node: Node) -> set[str]:
    """Symbols that stand where only integers make sense."""
    found: set[str] = set()
    for part in node.walk():
        if part.op == "fn" and part.value in ("factorial", "binom", "doublefactorial", "gcd", "lcm", "mod"):
            found |= {name for name in part.names() if not name.startswith("bound")}
        elif part.op in ("sum", "prod"):
            found |= {name for bound in part.args[2:] for name in bound.names()}
        elif (part.op == "pow" and part.args[0].op in ("neg",)) or (
            part.op == "pow" and part.args[0].op == "num" and part.args[0].value < 0
        ):
            found |= {name for name in part.args[1].names() if name[0] in _INTEGER_NAMES}
        elif part.op == "fn" and part.value in ("sin", "cos", "tan") and Node("const", value="pi") in set(part.walk()):
            found |= {name for name in part.names() if name[0] in _INTEGER_NAMES}
    return found


def _values(names: list[str], whole: set[str], k: int, chance: random.Random) -> dict[str, Fraction]:
    """The symbols' values in round `k`: small or large, positive in even rounds, of changing signs in odd ones."""
    low, high = [(Fraction(1, 9), Fraction(3)), (Fraction(1, 50), Fraction(19, 20)), (Fraction(3), Fraction(40))][k % 3]
    values = {}
    for j, name in enumerate(names):
        value = low + (high - low) * Fraction(chance.getrandbits(48), 2**48)
        if k % 2 and (k // 2 >> j % 3) % 2 == 0:
            value = -value
        values[name] = Fraction(chance.randint(1, 9 + k)) if name in whole else value
    return values


def _compare(left: Node, right: Node, values: dict[str, Fraction]) -> tuple[str, bool] | None:
    """Whether both values are real, and whether they agree, at a precision that the sums in them call for."""
    from mpmath import mp

    from proofgym.verifiers.math.points import NoValue, Point, evaluate, rational, size

    precision = 320
    while True:
        with mp.workprec(precision):
            point = Point({name: rational(value) for name, value in values.items()})
            try:
                first, second = evaluate(left, point), evaluate(right, point)
            except (NoValue, ZeroDivisionError):
                return None
            lost = min(point.spread, 1e9)
            need = int(4 * lost) + 240
            if need > precision:
                if need > _MAX_PRECISION:
                    return None
                precision = need + 64
                continue
            if mp.isinf(first) or mp.isinf(second):
                return "real", bool(first == second)
            gap = abs(first - second)
            scale = max(size(first), size(second))
            close = not gap or size(gap) < scale - (precision - 2 * lost - 60)
            tiny = mp.mpf(2) ** (-precision // 2)
            real = all(abs(mp.im(value)) <= tiny * max(1, abs(value)) for value in (first, second))
            return ("real" if real else "complex"), bool(close)


# -- proofs -----------------------------------------------------------------------------------------------------------


def _modular(left: Node, right: Node, names: list[str]) -> bool:
    """Whether both are rational functions that agree modulo a prime at random points: wrong once in 2**100."""
    chance = random.Random(right.key() + "=" + left.key())  # noqa: S311
    for _ in range(3):
        values = {name: chance.randrange(2, _PRIME) for name in [*names, "pi", "e"]}
        first, second = _residue(left, values), _residue(right, values)
        if first is None or second is None or first != second:
            return False
    return True


def _residue(node: Node, values: dict[str, int]) -> int | None:
    op, args = node.op, node.args
    if op == "num":
        return int(node.value.numerator * pow(node.value.denominator, -1, _PRIME) % _PRIME)
    if op == "sym" or (op == "const" and node.value in ("pi", "e")):
        return values.get(node.value)
    if op == "pow":
        try:
            exponent = fold(args[1])
        except Unreadable:
            return None
        base = _residue(args[0], values)
        if exponent is None or base is None or exponent.denominator != 1 or not base or abs(exponent) > 10_000:
            return None
        return pow(base, exponent.numerator, _PRIME)
    parts = [_residue(arg, values) for arg in args]
    if any(part is None for part in parts):
        return None
    known = [part for part in parts if part is not None]
    if op == "neg":
        return -known[0] % _PRIME
    if op == "add":
        return sum(known) % _PRIME
    if op == "mul":
        product = 1
        for part in known:
            product = product * part % _PRIME
        return product
    if op == "div" and known[1]:
        return known[0] * pow(known[1], -1, _PRIME) % _PRIME
    return None


def _root_bound(left: Node, right: Node) -> bool:
    """Whether two algebraic constants are equal, proved: their difference is below the least nonzero value it may take.

    Source:
        Burnikel, Fleischer, Mehlhorn and Schirra 2000, A strong and easily computable separation bound for arithmetic
        expressions involving radicals, Algorithmica 27.
    """
    from mpmath import mp

    from proofgym.verifiers.math.points import NoValue, Point, evaluate, size

    difference = Node("add", (left, Node("neg", (right,))))
    roots: dict[str, int] = {}
    bound = _bfmss(difference, roots)
    if bound is None:
        return False
    degree = 1
    for part in roots.values():
        degree *= part
    upper, lower = bound
    bits = (degree - 1) * max(0.0, upper) + max(0.0, lower) + 2
    if bits > _MAX_PRECISION:
        return False
    with mp.workprec(int(bits) + 400):
        point = Point({})
        try:
            value = evaluate(difference, point)
        except (NoValue, TooBig):
            return False
        return point.spread < 300 + bits and (not value or size(value) < -bits)


def _bfmss(node: Node, roots: dict[str, int]) -> tuple[float, float] | None:
    """log2 of the bound's u and l; collects the radicals with their degrees."""
    import math

    op, args = node.op, node.args
    if op == "num":
        value = node.value
        return (math.log2(abs(value.numerator)) if value else 0.0), math.log2(value.denominator)
    if op == "neg":
        return _bfmss(args[0], roots)
    if op in ("add", "mul", "div"):
        parts = [_bfmss(arg, roots) for arg in args]
        if any(part is None for part in parts):
            return None
        known = [part for part in parts if part is not None]
        if op == "div":
            (u1, l1), (u2, l2) = known
            return u1 + l2, l1 + u2
        u, lower = known[0]
        for u2, l2 in known[1:]:
            u, lower = (max(u + l2, u2 + lower) + 1, lower + l2) if op == "add" else (u + u2, lower + l2)
        return u, lower
    inside, degree, power = node, 0, 1
    try:
        if op == "fn" and node.value == "sqrt":
            inside, degree = args[0], 2
        elif op == "fn" and node.value == "root":
            found = fold(args[1])
            inside, degree = args[0], found.numerator if found is not None and found.denominator == 1 else 0
        elif op == "pow":
            found = fold(args[1])
            if found is not None:
                inside, degree, power = args[0], found.denominator, found.numerator
    except Unreadable:
        return None
    if not 1 <= degree <= 12 or abs(power) > 50:
        return None
    bound = _bfmss(inside, roots)
    if bound is None:
        return None
    u, lower = bound
    if degree > 1:
        roots[f"{degree}:{inside.key()}"] = degree
        u, lower = (
            ((u + (degree - 1) * lower) / degree, lower) if u >= lower else (u, (lower + (degree - 1) * u) / degree)
        )
    u, lower = u * abs(power), lower * abs(power)
    return (u, lower) if power > 0 else (lower, u)
