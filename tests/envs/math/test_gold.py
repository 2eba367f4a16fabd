"""The answers of generated tasks, found again from their numbers by other means: sympy, recounting, simulation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from proofgym.envs.math.algebra import Algebra
from proofgym.envs.math.calculus import Calculus
from proofgym.envs.math.combinatorics import Combinatorics
from proofgym.envs.math.generated import GeneratedMath, Problem, pose
from proofgym.envs.math.geometry import Geometry
from proofgym.envs.math.linear_algebra import LinearAlgebra
from proofgym.envs.math.number_theory import NumberTheory
from proofgym.envs.math.probability import Probability
from proofgym.envs.math.word_problem import WordProblem

sympy = pytest.importorskip("sympy")
parsing = pytest.importorskip("sympy.parsing.sympy_parser")

X, T = sympy.symbols("x t")
FAMILIES = (Algebra, Calculus, Combinatorics, Geometry, LinearAlgebra, NumberTheory, Probability, WordProblem)
KINDS = [(family, kind) for family in FAMILIES for kind in family.table]
Numbers = list[int]


def ours(text: str) -> Any:
    """Our own writing, read by sympy; its letters are all called x."""
    for name in ("frac", "sqrt", "sin", "cos"):
        text = text.replace(f"\\{name}", f" {name}")
    text = text.replace("\\pi", "pi").replace("^", "**").replace("e**", " E**")
    while "frac{" in text:
        start = text.rindex("frac{")
        middle = text.index("}{", start)
        end = text.index("}", middle + 2)
        text = f"{text[:start]}(({text[start + 5 : middle]})/({text[middle + 2 : end]})){text[end + 1 :]}"
    text = text.replace("{", "(").replace("}", ")")
    rules = (*parsing.standard_transformations, parsing.implicit_multiplication)
    found = parsing.parse_expr(text, transformations=rules)
    letters = found.free_symbols if hasattr(found, "free_symbols") else ()
    assert len(letters) <= 1, text
    return found.subs(dict.fromkeys(letters, X)) if letters else found


def exact(value: Fraction | int) -> Any:
    return sympy.Rational(Fraction(value).numerator, Fraction(value).denominator)


def same(one: Any, other: Any) -> bool:
    return bool(sympy.simplify(sympy.expand(one - other)) == 0)


def values(gold: str) -> list[Any]:
    return [ours(part) for part in gold.strip("()").split(",")]


def cells(gold: str) -> Any:
    body = gold.removeprefix(r"\begin{pmatrix} ").removesuffix(r" \end{pmatrix}")
    return sympy.Matrix([[ours(cell) for cell in row.split("&")] for row in body.split(r"\\")])


def poly(coefficients: Numbers) -> Any:
    return sum((c * X**e for e, c in enumerate(coefficients)), sympy.Integer(0))


def rows(flat: Numbers, width: int) -> Any:
    return sympy.Matrix([flat[i : i + width] for i in range(0, len(flat), width)])


Check = Callable[[Numbers, str], Any]


# Algebra --------------------------------------------------------------------------------------------------------------


def _roots(n: Numbers, gold: str) -> bool:
    a, b, c = n
    return values(gold) == sorted(sympy.roots(a * X**2 + b * X + c, X))


def _surd(n: Numbers, gold: str) -> bool:
    a, b, c = n
    return same(ours(gold), max(sympy.solve(a * X**2 + b * X + c, X), key=lambda root: root.evalf()))


def _system(n: Numbers, gold: str) -> bool:
    table = rows(n[1:], n[0] + 1)
    return list(table[:, : n[0]].LUsolve(table[:, n[0]])) == values(gold)


def _two(n: Numbers) -> tuple[Any, Any]:
    return poly(n[1 : n[0] + 2]), poly(n[n[0] + 3 :])


def _vieta(n: Numbers, gold: str) -> bool:
    a, b, c, which = n
    root = sympy.sqrt(b * b - 4 * a * c)
    r, s = (-b + root) / (2 * a), (-b - root) / (2 * a)
    wanted = (r**2 + s**2, 1 / r + 1 / s, r**3 + s**3, (r - s) ** 2, r / s + s / r)[which]
    return bool(sympy.radsimp(sympy.expand(sympy.simplify(wanted))) == ours(gold) or same(wanted, ours(gold)))


def _inequality(n: Numbers, gold: str) -> bool:
    a, b, c, e, which = n
    sides = a * X + b, c * X + e
    relation = (sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge)[which](*sides)
    low, high = (part.strip() for part in gold[1:-1].split(","))
    ends = -sympy.oo if "infty" in low else ours(low), sympy.oo if "infty" in high else ours(high)
    interval = sympy.Interval(*ends, gold[0] == "(", gold[-1] == ")")
    return bool(sympy.solveset(relation, X, sympy.S.Reals) == interval)


def _rational(n: Numbers, gold: str) -> bool:
    a, b, k, p, q = n
    return bool(sympy.solve(sympy.Rational(a) / (k * X + p) - sympy.Rational(b) / (k * X + q), X) == [ours(gold)])


def _linear(n: Numbers, gold: str) -> bool:
    a, p, b, c, q, e = n
    return bool(sympy.solve(a * (X + p) + b - c * (X + q) - e, X) == [ours(gold)])


# Calculus -------------------------------------------------------------------------------------------------------------


def _function(n: Numbers) -> Any:
    table = (lambda m: X**m, lambda m: sympy.sin(m * X), lambda m: sympy.cos(m * X), lambda m: sympy.exp(m * X))
    return sum(n[i] * table[n[i + 1]](n[i + 2]) for i in range(0, len(n), 3))


def _product(n: Numbers, gold: str) -> bool:
    return same(ours(gold), sympy.diff(_function([1, n[0], n[1]]) * poly(n[2:]), X))


def _tangent(n: Numbers, gold: str) -> bool:
    f = poly(n[1:])
    return same(ours(gold.removeprefix("y = ")), f.subs(X, n[0]) + sympy.diff(f, X).subs(X, n[0]) * (X - n[0]))


def _antiderivative(n: Numbers, gold: str) -> bool:
    found = ours(gold)
    return same(sympy.diff(found, X), _function(n[1:])) and found.subs(X, 0) == n[0]


def _infinity(n: Numbers, gold: str) -> bool:
    return bool(sympy.limit(poly(n[1 : n[0] + 1]) / poly(n[n[0] + 1 :]), X, sympy.oo) == ours(gold))


def _limit(n: Numbers, gold: str) -> bool:
    return bool(sympy.limit(sympy.cancel(poly(n[1:4]) / poly(n[4:])), X, n[0]) == ours(gold))


def _slope(n: Numbers, gold: str) -> bool:
    a, b, c, e, x = n
    return bool(sympy.diff((a * X + b) / (c * X + e), X).subs(X, x) == ours(gold))


# Number theory --------------------------------------------------------------------------------------------------------


def _zeros(n: Numbers, gold: str) -> bool:
    number, found = math.factorial(n[0]) // math.factorial(n[1]), 0
    while number % n[2] == 0:
        number, found = number // n[2], found + 1
    return found == int(gold)


def _crt(n: Numbers, gold: str) -> bool:
    pairs = [(n[i], n[i + 1]) for i in range(0, len(n), 2)]
    return next(x for x in itertools.count() if all(x % m == r for r, m in pairs)) == int(gold)


def _divisors(n: Numbers, gold: str) -> bool:
    return bool((sympy.divisor_sigma(n[0]) if n[1] else sympy.divisor_count(n[0])) == int(gold))


def _diophantine(n: Numbers, gold: str) -> bool:
    return next(x for x in itertools.count() if (n[2] - n[0] * x) % n[1] == 0) == int(gold)


# Combinatorics --------------------------------------------------------------------------------------------------------


def _committee(n: Numbers, gold: str) -> bool:
    a, b, i, j, condition = n
    one_of_two = 2 * math.comb(a - 2, i - 1)
    whole = math.comb(a, i)
    ways = (whole, whole - one_of_two, math.comb(a - 2, i) + one_of_two)[condition]
    return ways * math.comb(b, j) == int(gold)


def _strings(counts: tuple[int, ...]) -> int:
    """How many strings have these letters, by choosing places for one letter after the other."""
    left, ways = sum(counts), 1
    for count in counts:
        ways, left = ways * math.comb(left, count), left - count
    return ways


def _letters(n: Numbers, gold: str) -> bool:
    condition, *counts = n
    total = sum(counts)
    first, second = counts[:2]
    every = _strings(tuple(counts))
    found = {
        0: every,
        1: Fraction(every * first, total),  # all places are alike
        2: Fraction(every * (total - first), total),
        3: (total - first + 1) * _strings(tuple(counts[1:])),
        4: Fraction(every * first * second, total * (total - 1)),
    }[condition]
    return found == int(gold)


def _paths(n: Numbers, gold: str) -> bool:
    right, up, x, y, condition = n
    ways: dict[tuple[int, int], tuple[int, int]] = {(0, 0): (1, 0)}  # all, and those through the point
    for i, j in itertools.product(range(right + 1), range(up + 1)):
        if (i, j) != (0, 0):
            left, below = ways.get((i - 1, j), (0, 0)), ways.get((i, j - 1), (0, 0))
            ways[i, j] = left[0] + below[0], left[1] + below[1]
        if (i, j) == (x, y):
            ways[i, j] = ways[i, j][0], ways[i, j][0]
    every, through = ways[right, up]
    return (every, through, every - through)[condition] == int(gold)


def _boxes(n: Numbers, gold: str) -> bool:
    total, *least = n
    ways = [1] + [0] * total
    for low in least:
        ways = [sum(ways[before] for before in range(now - low + 1)) for now in range(total + 1)]
    return ways[total] == int(gold)


def _shelf(n: Numbers, gold: str) -> bool:
    round_, condition, single, *sizes = n
    blocks = len(sizes) + single
    outer = Fraction(math.factorial(blocks), blocks if round_ else 1)
    inside = Fraction(math.prod(map(math.factorial, sizes)))
    share = (Fraction(1), Fraction(2, sizes[0]), Fraction(1, sizes[0]))[condition]
    return outer * inside * share == int(gold)


def _multiples(n: Numbers, gold: str) -> bool:
    top, none, *by = n
    hit = sum(any(k % d == 0 for d in by) for k in range(1, top + 1))
    return (top - hit if none else hit) == int(gold)


# Probability ----------------------------------------------------------------------------------------------------------


def _urn(n: Numbers, gold: str) -> bool:
    red, blue, green, drawn, wanted, least = n
    states = {0: Fraction(1)}  # how many red ones were drawn
    for k in range(drawn):
        after: dict[int, Fraction] = {}
        for got, p in states.items():
            share = Fraction(red - got, red + blue + green - k)
            after[got + 1] = after.get(got + 1, Fraction(0)) + p * share
            after[got] = after.get(got, Fraction(0)) + p * (1 - share)
        states = after
    return sum(p for got, p in states.items() if got == wanted or (least and got > wanted)) == Fraction(gold)


def _dice(n: Numbers, gold: str) -> bool:
    total, mode, *sides = n
    throws = [sum(throw) for throw in itertools.product(*(range(1, side + 1) for side in sides))]
    hit = sum((s == total, s >= total, s <= total)[mode] for s in throws)
    return Fraction(hit, len(throws)) == Fraction(gold)


def _bayes(n: Numbers, gold: str) -> bool:
    people = math.prod((n[1], n[3], n[5]))
    ill = people * n[0] // n[1]
    marked_ill, marked_well = Fraction(ill * n[2], n[3]), Fraction((people - ill) * n[4], n[5])
    return marked_ill / (marked_ill + marked_well) == Fraction(gold)


def _binomial(n: Numbers, gold: str) -> bool:
    p, trials, low, high = Fraction(n[0], n[1]), n[2], n[3], n[4]
    states = [Fraction(1)] + [Fraction(0)] * trials
    for _ in range(trials):
        states = [states[i] * (1 - p) + (states[i - 1] * p if i else 0) for i in range(trials + 1)]
    return sum(states[low : high + 1]) == Fraction(gold)


def _expectation(n: Numbers, gold: str) -> bool:
    stake, blanks, *rest = n
    tickets = [0] * blanks + [rest[i] for i in range(0, len(rest), 2) for _ in range(rest[i + 1])]
    return sum((Fraction(prize - stake, len(tickets)) for prize in tickets), Fraction(0)) == Fraction(gold)


def _independent(n: Numbers, gold: str) -> bool:
    p, mode = [Fraction(n[i], n[i + 1]) for i in (0, 2, 4)], n[6]
    total = Fraction(0)
    for outcome in itertools.product((0, 1), repeat=3):
        if (sum(outcome) >= 1, sum(outcome) == 1, sum(outcome) == 2)[mode]:
            total += math.prod((x if hit else 1 - x for x, hit in zip(p, outcome, strict=True)), start=Fraction(1))
    return total == Fraction(gold)


def _conditional(n: Numbers, gold: str) -> bool:
    top, a, b, none = n
    given = [k for k in range(1, top + 1) if k % a == 0]
    return Fraction(sum((k % b == 0) != none for k in given), len(given)) == Fraction(gold)


# Geometry -------------------------------------------------------------------------------------------------------------


def _distance(n: Numbers, gold: str) -> bool:
    half = len(n) // 2
    return bool(sympy.Point(*n[:half]).distance(sympy.Point(*n[half:])) == ours(gold))


def _section(n: Numbers, gold: str) -> bool:
    a, b = sympy.Point(*n[:2]), sympy.Point(*n[2:4])
    return list(a + (b - a) * sympy.Rational(n[4], n[4] + n[5])) == values(gold)


def _area(n: Numbers, gold: str) -> bool:
    corners = [(Fraction(n[i]), Fraction(n[i + 1])) for i in range(0, len(n), 2)]
    total = Fraction(0)  # the fan of triangles from the first corner, by base and height in coordinates
    for (bx, by), (cx, cy) in itertools.pairwise(corners[1:]):
        ux, uy, vx, vy = bx - corners[0][0], by - corners[0][1], cx - corners[0][0], cy - corners[0][1]
        total += abs(ux * vy - uy * vx) / 2
    return total == Fraction(gold)


def _crossing(n: Numbers, gold: str) -> bool:
    y = sympy.Symbol("y")
    found = sympy.solve([n[0] * X + n[1] * y - n[2], n[3] * X + n[4] * y - n[5]], [X, y])
    return [found[X], found[y]] == values(gold)


def _line(n: Numbers, gold: str) -> bool:
    f = ours(gold.removeprefix("y = "))
    return bool(f.subs(X, n[0]) == n[1] and f.subs(X, n[2]) == n[3] and sympy.degree(f + X**2, X) == 2)


def _angles(n: Numbers, gold: str) -> bool:
    sizes = [n[i] * X + n[i + 1] for i in (0, 2, 4)]
    (x,) = sympy.solve(sum(sizes) - 180, X)
    return bool(max(size.subs(X, x) for size in sizes) == ours(gold))


def _right(n: Numbers, gold: str) -> bool:
    wanted = n[1] ** 2 - n[0] ** 2 if n[2] else n[0] ** 2 + n[1] ** 2
    return bool(sympy.expand(ours(gold) ** 2) == wanted and ours(gold) > 0)


def _circle(n: Numbers, gold: str) -> bool:
    y = sympy.Symbol("y")
    f = X**2 + y**2 + n[0] * X + n[1] * y + n[2]
    centre = sympy.solve([sympy.diff(f, X), sympy.diff(f, y)], [X, y])
    if n[3] == 0:
        return [centre[X], centre[y]] == values(gold)
    return same(sympy.sqrt(-f.subs(centre)), ours(gold))


def _sector(n: Numbers, gold: str) -> bool:
    angle = sympy.pi * n[1] / 180
    return same(angle * n[0] if n[2] else angle * sympy.Integer(n[0]) ** 2 / 2, ours(gold))


# Linear algebra -------------------------------------------------------------------------------------------------------


def _matrices(n: Numbers, gold: str) -> bool:
    p, q, r = n[:3]
    return bool(rows(n[3 : 3 + p * q], q) * rows(n[3 + p * q :], r) == cells(gold))


def _eigenvalues(n: Numbers, gold: str) -> bool:
    return sorted(rows(n, 2).eigenvals()) == values(gold)


def _projection(n: Numbers, gold: str) -> bool:
    half = len(n) // 2
    a, b = sympy.Matrix(n[:half]), sympy.Matrix(n[half:])
    found = sympy.Matrix(values(gold))
    return bool((a - found).dot(b) == 0 and sympy.Matrix.hstack(found, b).rank() <= 1)


def _dot(n: Numbers, gold: str) -> bool:
    half = (len(n) - 4) // 2
    u, v = sympy.Matrix(n[4 : 4 + half]), sympy.Matrix(n[4 + half :])
    return bool((n[0] * u + n[1] * v).dot(n[2] * u + n[3] * v) == ours(gold))


# Word problems: simulated ---------------------------------------------------------------------------------------------


def _ages(n: Numbers, gold: str) -> bool:
    _, old, times, years, more = n
    return any(old + years == times * (young + years) and young + more == int(gold) for young in range(1, 400))


def _savings(n: Numbers, gold: str) -> bool:
    _, goal, have, comes, goes = n
    weeks = 0
    while have < goal:
        have, weeks = have + comes - goes, weeks + 1
    return weeks == int(gold)


def _stock(n: Numbers, gold: str) -> bool:
    have = Fraction(n[1])
    for what, much in zip(n[2::2], n[3::2], strict=True):
        have = (have + much, have - much, have * much, have - have / much)[what]
    return have == int(gold)


def _pairs(n: Numbers, gold: str) -> bool:
    total = sum(a * b for a, b in zip(n[2::2], n[3::2], strict=True))
    return (n[1] - total if n[1] else total) == int(gold)


CHECKS: dict[tuple[type[GeneratedMath], str], Check] = {
    (Algebra, "linear"): _linear,
    (Algebra, "quadratic"): _roots,
    (Algebra, "surd"): _surd,
    (Algebra, "system"): _system,
    (Algebra, "expand"): lambda n, g: sympy.expand(math.prod(_two(n))) == ours(g),
    (Algebra, "remainder"): lambda n, g: sympy.rem(poly(n[1:]), X - n[0], X) == ours(g),
    (Algebra, "rational"): _rational,
    (Algebra, "vieta"): _vieta,
    (Algebra, "inequality"): _inequality,
    (Calculus, "derivative"): lambda n, g: same(sympy.diff(_function(n), X), ours(g)),
    (Calculus, "product"): _product,
    (Calculus, "slope"): _slope,
    (Calculus, "tangent"): _tangent,
    (Calculus, "antiderivative"): _antiderivative,
    (Calculus, "integral"): lambda n, g: sympy.integrate(poly(n[2:]), (X, n[0], n[1])) == ours(g),
    (Calculus, "limit"): _limit,
    (Calculus, "infinity"): _infinity,
    (Calculus, "critical"): lambda n, g: sorted(sympy.roots(sympy.diff(poly(n), X), X)) == values(g),
    (NumberTheory, "gcd"): lambda n, g: sympy.gcd(*n) == int(g),
    (NumberTheory, "lcm"): lambda n, g: sympy.lcm(*n) == int(g),
    (NumberTheory, "power"): lambda n, g: n[0] ** n[1] % n[2] == int(g),
    (NumberTheory, "inverse"): lambda n, g: sympy.mod_inverse(*n) == int(g),
    (NumberTheory, "crt"): _crt,
    (NumberTheory, "divisors"): _divisors,
    (NumberTheory, "totient"): lambda n, g: sympy.totient(n[0]) == int(g),
    (NumberTheory, "base"): lambda n, g: n[0] == int(g, 10 if n[2] else n[1]),
    (NumberTheory, "zeros"): _zeros,
    (NumberTheory, "diophantine"): _diophantine,
    (Combinatorics, "committee"): _committee,
    (Combinatorics, "codes"): lambda n, g: (
        math.prod(
            [n[0] if n[4] & 1 else n[0] - k for k in range(n[1])]
            + [n[2] if n[4] & 2 else n[2] - k for k in range(n[3])]
        )
        == int(g)
    ),
    (Combinatorics, "letters"): _letters,
    (Combinatorics, "paths"): _paths,
    (Combinatorics, "boxes"): _boxes,
    (Combinatorics, "shelf"): _shelf,
    (Combinatorics, "multiples"): _multiples,
    (Combinatorics, "coefficient"): lambda n, g: (
        sympy.Poly((n[0] * X + n[1]) ** n[2], X).coeff_monomial(X ** n[3]) == int(g)
    ),
    (Probability, "urn"): _urn,
    (Probability, "dice"): _dice,
    (Probability, "bayes"): _bayes,
    (Probability, "binomial"): _binomial,
    (Probability, "expectation"): _expectation,
    (Probability, "independent"): _independent,
    (Probability, "conditional"): _conditional,
    (Geometry, "distance"): _distance,
    (Geometry, "section"): _section,
    (Geometry, "area"): _area,
    (Geometry, "crossing"): _crossing,
    (Geometry, "line"): _line,
    (Geometry, "angles"): _angles,
    (Geometry, "right"): _right,
    (Geometry, "circle"): _circle,
    (Geometry, "sector"): _sector,
    (Geometry, "similar"): lambda n, g: exact(n[1]) / n[0] == ours(g) / n[2],
    (LinearAlgebra, "determinant"): lambda n, g: rows(n, math.isqrt(len(n))).det() == ours(g),
    (LinearAlgebra, "product"): _matrices,
    (LinearAlgebra, "inverse"): lambda n, g: rows(n, 2) * cells(g) == sympy.eye(2),
    (LinearAlgebra, "solve"): _system,
    (LinearAlgebra, "eigenvalues"): _eigenvalues,
    (LinearAlgebra, "cross"): lambda n, g: list(sympy.Matrix(n[:3]).cross(sympy.Matrix(n[3:]))) == values(g),
    (LinearAlgebra, "projection"): _projection,
    (LinearAlgebra, "dot"): _dot,
    (WordProblem, "shop"): _pairs,
    (WordProblem, "journey"): _pairs,
    (WordProblem, "harvest"): lambda n, g: int(g) * n[5] + n[4] == n[1] * n[2] * n[3],
    (WordProblem, "sharing"): lambda n, g: int(g) * n[4] + n[3] == n[1] * n[2],
    (WordProblem, "ages"): _ages,
    (WordProblem, "sale"): lambda n, g: Fraction(n[1] * (100 - n[2]), 100) * n[3] + n[4] == int(g),
    (WordProblem, "savings"): _savings,
    (WordProblem, "stock"): _stock,
    (WordProblem, "factory"): lambda n, g: Fraction((n[1] * n[2] + n[3] * n[4]) * (n[5] - 1), n[5]) == int(g),
}


def items(family: type[GeneratedMath], kind: str, count: int) -> Iterator[tuple[Numbers, Problem]]:
    for level in (0.0, 0.5, 1.0):
        env = family(level=level, kinds=[kind])
        for index in range(count):
            env.reset(seed=31, options={"index": index})
            yield env.state()["instance"]["numbers"], env.problem


def test_every_kind_has_a_second_opinion() -> None:
    assert set(CHECKS) == set(KINDS)


@pytest.mark.parametrize(("family", "kind"), KINDS, ids=lambda part: getattr(part, "family", part))
def test_the_gold_is_found_again(family: type[GeneratedMath], kind: str) -> None:
    for numbers, problem in items(family, kind, 12):
        assert CHECKS[family, kind](numbers, problem.gold), (problem.question, problem.gold)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "kind"), KINDS, ids=lambda part: getattr(part, "family", part))
def test_the_gold_is_found_again_on_hundreds(family: type[GeneratedMath], kind: str) -> None:
    for numbers, problem in items(family, kind, 150):
        assert CHECKS[family, kind](numbers, problem.gold), (problem.question, problem.gold)


def _arrangements(n: Numbers) -> int:
    """Recount a shelf or a table by writing down every order."""
    round_, condition, single, *sizes = n
    things = [(group, at) for group, size in enumerate(sizes) for at in range(size)]
    things += [(len(sizes) + at, 0) for at in range(single)]
    found = set()
    for order in itertools.permutations(things):
        turned = min(order[i:] + order[:i] for i in range(len(order))) if round_ else order
        ring = (*turned, turned[0]) if round_ else turned
        places = {thing: at for at, thing in enumerate(turned)}
        together = True
        for group in range(len(sizes)):
            breaks = sum((a[0] == group) != (b[0] == group) for a, b in itertools.pairwise(ring))
            ends = 0 if round_ else (turned[0][0] == group) + (turned[-1][0] == group)
            together &= breaks + ends == 2
            if group == 0 and condition == 1:
                gap = abs(places[0, 0] - places[0, 1])
                together &= gap == 1 or (bool(round_) and gap == len(turned) - 1)
            if group == 0 and condition == 2:
                before = turned[places[0, 0] - 1] if round_ or places[0, 0] else None
                together &= before is None or before[0] != 0
        if together:
            found.add(turned)
    return len(found)


@pytest.mark.parametrize(
    "numbers",
    [
        [0, 0, 1, 2, 3], [0, 0, 0, 2, 2], [1, 0, 1, 2, 2], [1, 0, 2, 2, 2], [0, 1, 1, 3, 2], [1, 1, 1, 3, 2],
        [0, 2, 0, 3, 3], [1, 2, 2, 2, 3], [0, 2, 2, 2, 2],
    ],
)  # fmt: skip
def test_shelves_and_tables_are_recounted(numbers: Numbers) -> None:
    assert pose(Combinatorics.table, "shelf", tuple(numbers), 0).gold == str(_arrangements(numbers))


@pytest.mark.parametrize(
    "numbers", [[0, 2, 2, 1], [1, 2, 2, 1], [2, 3, 1, 2], [3, 3, 2, 1], [4, 2, 2, 2], [4, 2, 1, 3]]
)
def test_strings_are_recounted(numbers: Numbers) -> None:
    condition, *counts = numbers
    letters = "".join("abcdef"[at] * count for at, count in enumerate(counts))
    strings = {"".join(order) for order in itertools.permutations(letters)}
    wanted: tuple[Callable[[str], bool], ...] = (
        lambda s: True, lambda s: s[0] == "a", lambda s: s[0] != "a", lambda s: "a" * counts[0] in s,
        lambda s: s[0] == "a" and s[-1] == "b",
    )  # fmt: skip
    found = sum(wanted[condition](s) for s in strings)
    assert pose(Combinatorics.table, "letters", tuple(numbers), 0).gold == str(found)
