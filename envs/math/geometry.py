"""Points, lengths, areas and angles, worked out exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import FRACTION, LINE, PI, RADICAL, TUPLE
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require
from proofgym.envs.math.symbols import Number, frac, inner, joined, listed, square_root, surd, written

__all__ = ["Geometry", "GeometryKnobs"]

_POINTS = ("ABC", "PQR", "KLM", "DEF", "STU")


@dataclass(frozen=True)
class GeometryKnobs(Knobs):
    """What makes geometry hard.

    Args:
        largest: Coordinate or length.
        space: Share of the distances in three dimensions.
        fractions: Share of the tasks whose answer is a fraction where it could be whole.
    """

    largest: int = knob(8, 30)
    space: float = knob(0.0, 0.8)
    fractions: float = knob(0.0, 0.8)


class Geometry(GeneratedMath):
    r"""Asks for coordinates, lengths, areas and angles; pays 1.0 for the right answer.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `distance` (of two points), `section` (the point that divides a segment), `area` (of a triangle or
    quadrilateral from its corners), `crossing` (of two lines), `line` (through two points), `angles` (of a triangle, as
    expressions), `right` (triangle: a side from two others), `circle` (centre and radius from the general equation),
    `sector` (area or arc), `similar` (triangles).

    Args:
        level: See `GeometryKnobs`: coordinates up to 8, all in the plane, at 0; up to 30 and mostly in space at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `GeometryKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "geometry"
    floor: float = 0.03
    knobs_type: ClassVar[type[Knobs]] = GeometryKnobs
    longest: ClassVar[int] = 200


def _point(values: Sequence[Number]) -> str:
    return f"({listed(values)})"


def _root(square: int) -> str:
    outside, inside = square_root(square)
    return surd(0, outside, inside)


# distance: two points, in the plane or in space


def _draw_distance(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    size = 3 if d.chance(k.space) else 2
    points = [d.between(-k.largest, k.largest) for _ in range(2 * size)]
    return points if points[:size] != points[size:] else _draw_distance(d, k)


def _distance(n: Numbers, w: Words) -> Problem:
    size = len(n) // 2
    require(len(n) in (4, 6) and n[:size] != n[size:], "two different points in the plane or in space")
    require(max(map(abs, n)) <= 1000, "coordinates up to 1000")
    a, b = n[:size], n[size:]
    names = w.pick(_POINTS)
    steps = [y - x for x, y in zip(a, b, strict=True)]
    square = sum(s * s for s in steps)
    gold = _root(square)
    first, second = f"${names[0]} = {_point(a)}$", f"${names[1]} = {_point(b)}$"
    ask = w.pick(
        (
            f"What is the distance between {first} and {second}?",
            f"How long is the segment from {first} to {second}?",
            f"The points {first} and {second} are given. Find the length of the segment that joins them.",
        )
    )
    sum_ = " + ".join(f"{inner(s)}^2" for s in steps)
    lines = [f"{sum_} = {square}"] + ([rf"\sqrt{{{square}}} = {gold}"] if gold != rf"\sqrt{{{square}}}" else [])
    return Problem(ask, RADICAL, gold, tuple(lines), asked=rf"\sqrt{{{sum_}}}")


def _unordered(n: Numbers) -> Sequence[int]:
    half = len(n) // 2
    return [*min(n[:half], n[half:]), *max(n[:half], n[half:])]


# section: two points, and the ratio in which the third point divides their segment


def _draw_section(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    p, q = d.between(1, 5), d.between(1, 5)
    whole = 1 if d.chance(k.fractions) else p + q
    a = [d.between(-k.largest, k.largest) for _ in range(2)]
    b = [x + whole * d.nonzero(max(1, k.largest // whole)) for x in a]
    return *a, *b, p, q


def _section(n: Numbers, w: Words) -> Problem:
    a, b, (p, q) = n[:2], n[2:4], n[4:]
    require(p > 0 and q > 0 and a != b, "two different points and a positive ratio")
    shared = math.gcd(p, q)
    p, q = p // shared, q // shared
    x, y = (Fraction(q * s + p * t, p + q) for s, t in zip(a, b, strict=True))
    names = w.pick(_POINTS)
    ask = w.pick(
        (
            (
                f"The point ${names[2]}$ lies on the segment from ${names[0]} = {_point(a)}$ to ${names[1]} = "
                f"{_point(b)}$ with "
                f"${names[0]}{names[2]} : {names[2]}{names[1]} = {p} : {q}$. Find its coordinates."
            ),
            (
                f"Which point divides the segment from ${_point(a)}$ to ${_point(b)}$ in the ratio ${p} : {q}$, "
                f"counted from the first "
                "point?"
            ),
        )
    )
    lines = tuple(
        f"({q} * {inner(s)} + {p} * {inner(t)})/{p + q} = {value}" for s, t, value in zip(a, b, (x, y), strict=True)
    )
    return Problem(ask, TUPLE, _point((x, y)), lines)


def _section_canonical(n: Numbers) -> Sequence[int]:
    shared = math.gcd(*n[4:])
    return [*n[:4], n[4] // shared, n[5] // shared]


# area: three or four corners in order


def _draw_area(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    m = k.largest
    if d.chance(0.5):
        points = [d.between(-m, m) for _ in range(6)]
    else:  # one corner in each direction from the middle, so that no sides cross
        x, y = d.between(-m, m), d.between(-m, m)
        r, s, t, u = (d.between(1, m) for _ in range(4))
        tilt = [d.between(0, min(r, s, t, u) // 2) for _ in range(4)]
        points = [x + r, y + tilt[0], x - tilt[1], y + s, x - t, y - tilt[2], x + tilt[3], y - u]
    return points if _twice(points) else _draw_area(d, k)


def _twice(n: Sequence[int]) -> int:
    size = len(n) // 2
    return sum(
        n[2 * i] * n[2 * (i + 1) % (2 * size) + 1] - n[2 * (i + 1) % (2 * size)] * n[2 * i + 1] for i in range(size)
    )


def _area(n: Numbers, w: Words) -> Problem:
    require(len(n) in (6, 8), "three or four corners")
    size, twice = len(n) // 2, _twice(n)
    require(twice, "the corners do not lie on a line")
    corners = [n[2 * i : 2 * i + 2] for i in range(size)]
    if size == 4:
        turns = [_twice([*corners[i], *corners[(i + 1) % 4], *corners[(i + 2) % 4]]) for i in range(4)]
        require(min(turns) > 0 or max(turns) < 0, "the quadrilateral is convex")
    value = Fraction(abs(twice), 2)
    shape = "triangle" if size == 3 else "quadrilateral"
    shown = ", ".join(f"${_point(c)}$" for c in corners[:-1])
    last = f"${_point(corners[-1])}$"
    ask = w.pick(
        (
            f"What is the area of the {shape} with the corners {shown} and {last}{', in this order' * (size == 4)}?",
            f"Find the area of the {shape} whose vertices are, in order, {shown} and {last}.",
        )
    )
    terms = [
        f"{inner(corners[i][0])} * {inner(corners[(i + 1) % size][1])} - {inner(corners[(i + 1) % size][0])} * "
        f"{inner(corners[i][1])}"
        for i in range(size)
    ]
    lines = (f"{' + '.join(f'({t})' for t in terms)} = {twice}", f"{abs(twice)}/2 = {value}")
    return Problem(ask, FRACTION, str(value), lines)


def _area_canonical(n: Numbers) -> Sequence[int]:
    corners = [n[2 * i : 2 * i + 2] for i in range(len(n) // 2)]
    turned = [order[i:] + order[:i] for order in (corners, corners[::-1]) for i in range(len(corners))]
    return [c for corner in min(turned) for c in corner]


# crossing: two lines a x + b y = c


def _draw_crossing(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    below = d.between(2, 3) if d.chance(k.fractions) else 1
    x, y = Fraction(d.between(-k.largest, k.largest), below), Fraction(d.between(-k.largest, k.largest), below)
    small = max(3, k.largest // 3)
    while True:
        a, b, c, e = (d.nonzero(small) * (below if i % 2 else 1) for i in range(4))
        p, q = a * x + b * y, c * x + e * y
        if a * e != b * c and p.denominator == q.denominator == 1:
            return a, b, int(p), c, e, int(q)
        if d.chance(0.05):
            x = Fraction(x.numerator)
            y = Fraction(y.numerator)


def _crossing(n: Numbers, w: Words) -> Problem:
    a, b, p, c, e, q = n
    det = a * e - b * c
    require(det, "the lines cross in one point")
    x, y = Fraction(p * e - b * q, det), Fraction(a * q - c * p, det)
    one, other = (f"{joined([(i, 'x'), (j, 'y')])} = {k}" for i, j, k in (n[:3], n[3:]))
    ask = w.pick(
        (
            f"Where do the lines ${one}$ and ${other}$ intersect?",
            f"Find the point that lies on both ${one}$ and ${other}$.",
            f"The lines ${one}$ and ${other}$ cross in one point. Which?",
        )
    )
    lines = (
        f"{joined([(det, 'x')])} = {p * e - b * q}",
        f"x = {x}",
        f"{joined([(det, 'y')])} = {a * q - c * p}",
        f"y = {y}",
    )
    return Problem(ask, TUPLE, _point((x, y)), tuple(dict.fromkeys(lines)))


# line: two points with different x


def _draw_line(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    a, c = d.some(range(-k.largest, k.largest + 1), 2)
    b = d.between(-k.largest, k.largest)
    if d.chance(k.fractions):
        return a, b, c, d.between(-k.largest, k.largest)
    return a, b, c, b + (c - a) * d.nonzero(6)


def _line(n: Numbers, w: Words) -> Problem:
    a, b, c, e = n
    require(a != c, "the line is not vertical")
    slope = Fraction(e - b, c - a)
    start = b - slope * a
    gold = f"y = {written((start, slope))}"
    ask = w.pick(
        (
            f"Find the equation of the line through ${_point((a, b))}$ and ${_point((c, e))}$.",
            f"A line passes through the points ${_point((a, b))}$ and ${_point((c, e))}$. What is its equation?",
        )
    )
    lines = (
        f"({e} - {inner(b)})/({c} - {inner(a)}) = {slope}",
        f"{inner(b)} - {inner(slope)} * {inner(a)} = {start}",
        gold,
    )
    return Problem(ask, LINE, gold, lines)


# angles: three expressions a x + b in degrees; the largest of them is asked for


def _draw_angles(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    while True:
        x = d.between(3, 20)
        a = [d.between(1, 6) for _ in range(3)]
        free = 180 - sum(a) * x
        b = d.between(-k.largest, k.largest)
        c = d.between(-k.largest, k.largest)
        numbers = (a[0], b, a[1], c, a[2], free - b - c)
        sizes = [numbers[i] * x + numbers[i + 1] for i in (0, 2, 4)]
        if min(sizes) > 4 and abs(numbers[5]) <= 4 * k.largest + 20:
            return numbers


def _angles(n: Numbers, w: Words) -> Problem:
    a, b, c, e, f, g = n
    require(a + c + f, "the sum depends on x")
    x = Fraction(180 - b - e - g, a + c + f)
    sizes = [a * x + b, c * x + e, f * x + g]
    require(min(sizes) > 0, "all angles are positive")
    texts = [written((n[i + 1], n[i])) for i in (0, 2, 4)]
    value = max(sizes)
    *most, last = [f"$({text})^\\circ$" for text in texts]
    ask = w.pick(
        (
            f"The angles of a triangle measure {', '.join(most)} and {last}. How many degrees has the largest?",
            (
                f"A triangle has the angles {', '.join(most)} and {last}. Find the measure of its largest angle in "
                f"degrees."
            ),
        )
    )
    at = sizes.index(value)
    lines = (
        f"{written((b + e + g, a + c + f))} = 180",
        f"x = {x}",
        f"{inner(n[2 * at])} * {inner(x)} + {inner(n[2 * at + 1])} = {value}",
    )
    return Problem(ask, FRACTION, str(value), lines)


def _angles_canonical(n: Numbers) -> Sequence[int]:
    return [x for pair in sorted((n[i], n[i + 1]) for i in (0, 2, 4)) for x in pair]


# right: two sides of a right triangle, and whether the hypotenuse (0) or a leg (1) is asked for; then a scale


def _draw_right(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    a, b = d.between(2, 4 * k.largest), d.between(2, 4 * k.largest)
    leg = d.between(0, 1)
    if leg and a == b:
        b += 1
    return (min(a, b), max(a, b), leg) if leg else (a, b, leg)


def _right(n: Numbers, w: Words) -> Problem:
    a, b, leg = n
    require(
        leg in (0, 1) and 0 < a <= 5000 and 0 < b <= 5000 and (a < b or not leg), "two sides, the hypotenuse longest"
    )
    square = b * b - a * a if leg else a * a + b * b
    gold = _root(square)
    if leg:
        ask = w.pick(
            (
                f"A right triangle has a leg of length {a} and a hypotenuse of length {b}. How long is the other leg?",
                (
                    f"A ladder of length {b} stands on level ground and reaches {a} high at a vertical wall. How "
                    f"far is its foot from "
                    "the wall?"
                ),
                f"The diagonal of a rectangle is {b} long and one side {a}. Find the other side.",
            )
        )
        sum_ = f"{b}^2 - {a}^2"
    else:
        ask = w.pick(
            (
                f"The legs of a right triangle are {a} and {b} long. How long is the hypotenuse?",
                f"A rectangle has sides of length {a} and {b}. Find the length of its diagonal.",
                (
                    f"Someone walks {a} units east and then {b} units north. How far is she from the start, in a "
                    f"straight line?"
                ),
            )
        )
        sum_ = f"{a}^2 + {b}^2"
    lines = [f"{sum_} = {square}"] + ([rf"\sqrt{{{square}}} = {gold}"] if gold != rf"\sqrt{{{square}}}" else [])
    return Problem(ask, RADICAL, gold, tuple(lines), asked=rf"\sqrt{{{sum_}}}")


def _right_canonical(n: Numbers) -> Sequence[int]:
    return [*sorted(n[:2]), n[2]]


# circle: d, e, f of x^2 + y^2 + d x + e y + f = 0, and whether the centre (0) or the radius (1) is asked for


def _draw_circle(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    x, y = d.nonzero(k.largest), d.nonzero(k.largest)
    square = d.between(2, k.largest**2) if d.chance(k.fractions) else d.between(1, k.largest) ** 2
    return -2 * x, -2 * y, x * x + y * y - square, d.between(0, 1)


def _circle(n: Numbers, w: Words) -> Problem:
    a, b, c, radius = n
    require(radius in (0, 1) and max(map(abs, n)) <= 10**6, "numbers up to 10**6, and 0 or 1")
    four = a * a + b * b - 4 * c
    require(four > 0, "the equation has a circle of solutions")
    x, y = Fraction(-a, 2), Fraction(-b, 2)
    equation = f"{joined([(1, 'x^2'), (1, 'y^2'), (a, 'x'), (b, 'y'), (c, '')])} = 0"
    outside, inside = square_root(four)
    gold = surd(0, Fraction(outside, 2), inside) if radius else _point((x, y))
    what = "radius" if radius else "centre"
    ask = w.pick(
        (
            f"What is the {what} of the circle ${equation}$?",
            f"The equation ${equation}$ describes a circle. Find its {what}.",
            f"Determine the {what} of the circle given by ${equation}$.",
        )
    )
    square = Fraction(four, 4)
    one, other = (f"({written((-v, 1), name)})^2" if v else f"{name}^2" for v, name in ((x, "x"), (y, "y")))
    lines = [f"{one} + {other} = {square}"]
    if radius and gold != rf"\sqrt{{{square}}}":
        lines.append(rf"\sqrt{{{frac(square)}}} = {gold}")
    return Problem(ask, RADICAL if radius else TUPLE, gold, tuple(lines))


# sector: the radius, the angle in degrees, and whether the area (0) or the arc (1) is asked for


def _draw_sector(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    return d.between(2, 3 * k.largest), d.between(2, 71) * 5, d.between(0, 1)


def _sector(n: Numbers, w: Words) -> Problem:
    r, angle, arc = n
    require(r > 0 and 0 < angle <= 360 and arc in (0, 1), "a positive radius, an angle up to 360 degrees, and 0 or 1")
    share = Fraction(angle, 360) * (2 * r if arc else r * r)
    gold = frac(share) if share != 1 else ""
    gold = (
        rf"\frac{{{share.numerator if share.numerator > 1 else ''}\pi}}{{{share.denominator}}}"
        if share.denominator > 1
        else rf"{gold}\pi"
    )
    what = "length of the arc" if arc else "area"
    wanted = "How long is the arc that bounds it" if arc else "What is its area"
    ask = w.pick(
        (
            (f"A sector of a circle of radius {r} has a central angle of {angle} degrees. {wanted}?"),
            (
                f"A circle has radius {r}. Find the {what} of the sector that belongs to a central angle of "
                f"${angle}^\\circ$."
            ),
        )
    )
    whole = rf"2 * {r} * \pi" if arc else rf"{r}^2 * \pi"
    return Problem(ask, PI, gold, (rf"{angle}/360 * {whole} = {gold}",), asked=rf"\frac{{{angle}}}{{360}} * {whole}")


# similar: two sides of one triangle, and the side of the other that belongs to the first


def _draw_similar(d: Draw, k: GeometryKnobs) -> Sequence[int]:
    a, b = d.some(range(3, 2 * k.largest + 3), 2)
    return a, b, d.between(2, 2 * k.largest) if d.chance(k.fractions) else a * d.between(2, 6)


def _similar(n: Numbers, w: Words) -> Problem:
    a, b, c = n
    require(min(n) > 0 and a != b, "three positive lengths, the first two different")
    value = Fraction(b * c, a)
    ask = w.pick(
        (
            (
                "Triangles $ABC$ and $DEF$ are similar, $A$ corresponding to $D$, $B$ to $E$ and $C$ to $F$. If "
                f"$AB = {a}$, "
                f"$BC = {b}$ and $DE = {c}$, how long is $EF$?"
            ),
            (
                f"A post {a} dm high casts a shadow of {b} dm. How many decimetres long is the shadow of a tree "
                f"{c} dm high at the same "
                "time?"
            ),
            (
                f"On the two rays of an angle, parallel lines cut off the lengths {a} and {c} from the vertex on "
                f"the first ray. The first "
                f"line cuts off {b} on the second ray. What does the other line cut off there?"
            ),
        )
    )
    return Problem(ask, FRACTION, str(value), (f"{b} * {c}/{a} = {value}",))


Geometry.table = {
    "distance": Kind(_draw_distance, _distance, _unordered),
    "section": Kind(_draw_section, _section, _section_canonical),
    "area": Kind(_draw_area, _area, _area_canonical),
    "crossing": Kind(_draw_crossing, _crossing),
    "line": Kind(_draw_line, _line),
    "angles": Kind(_draw_angles, _angles, _angles_canonical),
    "right": Kind(_draw_right, _right, _right_canonical),
    "circle": Kind(_draw_circle, _circle),
    "sector": Kind(_draw_sector, _sector),
    "similar": Kind(_draw_similar, _similar),
}
