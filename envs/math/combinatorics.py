"""Counting: selections, arrangements, paths, solutions and multiples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import INTEGER
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require
from proofgym.envs.math.symbols import inner, power, signed, written

__all__ = ["Combinatorics", "CombinatoricsKnobs"]

_LETTERS = "ABCDEFGHKLMNPRST"


@dataclass(frozen=True)
class CombinatoricsKnobs(Knobs):
    """What makes counting hard.

    Args:
        people: Largest group to choose from, and longest side of a grid.
        chosen: Most that are chosen, most boxes, most different letters.
        conditions: Share of the tasks with an additional condition.
        multiples: Largest range in which multiples are counted.
        divisors: Most numbers whose multiples are counted, 2 or 3.
    """

    people: int = knob(10, 24)
    chosen: int = knob(4, 6)
    conditions: float = knob(0.4, 1.0)
    multiples: int = knob(300, 3000)
    divisors: int = knob(2, 3)


class Combinatorics(GeneratedMath):
    r"""Asks in how many ways something can be done; pays 1.0 for the right number.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `committee` (from two groups, some with a couple that must not be apart or together), `codes` (letters and
    digits, with or without repetition), `letters` (strings of given letters), `paths` (in a grid, through or around a
    point), `boxes` (equal balls in boxes that hold a least number), `shelf` (books kept together by subject, or people
    at a round table), `multiples` (inclusion and exclusion), `coefficient` (of a binomial power).

    The answer is a number: a binomial coefficient, a factorial or a product still to be worked out is none.

    Args:
        level: See `CombinatoricsKnobs`: 10 people, 4 chosen, few conditions at 0; 24, 6, always a condition at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `CombinatoricsKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "combinatorics"
    floor: float = 0.03
    knobs_type: ClassVar[type[Knobs]] = CombinatoricsKnobs
    longest: ClassVar[int] = 200


def _choose(n: int, k: int) -> tuple[str, int]:
    return rf"\binom{{{n}}}{{{k}}}", math.comb(n, k)


def _line(text: str, value: int) -> str:
    return f"{text} = {value}"


# committee: two groups, how many from each, and the condition: 0 none, 1 both of a pair or neither, 2 not both


def _draw_committee(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    a, b = d.between(4, k.people), d.between(4, k.people)
    i, j = d.between(2, min(k.chosen, a - 2)), d.between(1, min(k.chosen, b - 1))
    return a, b, i, j, d.between(1, 2) if d.chance(k.conditions) else 0


def _committee(n: Numbers, w: Words) -> Problem:
    a, b, i, j, condition = n
    require(2 <= i <= a - 2 and 0 <= j <= b <= 200 and a <= 200, "2 to a - 2 of the first, and 0 to b of the second")
    require(0 <= condition <= 2, "a condition from 0 to 2")
    first, second = w.pick(
        (
            ("women", "men"),
            ("teachers", "pupils"),
            ("violinists", "cellists"),
            ("red fish", "blue fish"),
            ("engineers", "lawyers"),
            ("maples", "birches"),
        )
    )
    group = w.pick(("A committee", "A team", "A delegation", "A group"))
    whole, ways = _choose(a, i)
    apart, both_out = _choose(a - 2, i)
    lines = [_line(whole, ways)]
    said = ""
    if condition:
        _, both_in = _choose(a - 2, i - 2)
        name = rf"\binom{{{a - 2}}}{{{i - 2}}}"
        if condition == 1:
            said = f" Two particular {first} go only together: either both are chosen or neither."
            lines = [_line(name, both_in), _line(apart, both_out), _line(f"{both_in} + {both_out}", both_in + both_out)]
            ways = both_in + both_out
        else:
            said = f" Two particular {first} must not both be chosen."
            lines += [_line(name, both_in), _line(f"{ways} - {both_in}", ways - both_in)]
            ways -= both_in
    other, more = _choose(b, j)
    lines += [_line(other, more), _line(f"{ways} * {more}", ways * more)]
    ask = w.pick(
        (
            (
                f"{group} of {i} {first} and {j} {second} is chosen from {a} {first} and {b} {second}.{said} In "
                f"how many ways can "
                "this be done?"
            ),
            (
                f"There are {a} {first} and {b} {second}. In how many ways can {i} {first} and {j} {second} be "
                f"selected?{said}"
            ),
            (
                f"From {a} {first} and {b} {second} we pick {i} {first} and {j} {second}.{said} How many "
                f"different selections are "
                "there?"
            ),
        )
    )
    return Problem(
        ask, INTEGER, str(ways * more), tuple(dict.fromkeys(lines)), asked="" if condition else f"{whole}{other}"
    )


# codes: letters to choose from and how many, digits and how many, whether each may repeat (bit 1 letters, bit 2 digits)


def _draw_codes(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    i, j = d.between(1, max(2, k.chosen - 2)), d.between(1, max(2, k.chosen - 1))
    return d.between(max(4, i), 26), i, d.between(max(4, j), 10), j, d.between(0, 3)


def _falling(n: int, k: int, repeat: bool) -> tuple[str, int]:
    text = " * ".join(str(n if repeat else n - at) for at in range(k))
    return text, n**k if repeat else math.perm(n, k)


def _codes(n: Numbers, w: Words) -> Problem:
    a, i, b, j, repeat = n
    require(
        1 <= i <= a <= 26 and 1 <= j <= b <= 10 and i <= 10, "up to 26 letters and 10 digits, enough to choose from"
    )
    require(0 <= repeat <= 3, "repetition from 0 to 3")
    one, ways = _falling(a, i, bool(repeat & 1))
    other, more = _falling(b, j, bool(repeat & 2))
    both = {
        0: "Neither letters nor digits may repeat",
        1: "Letters may repeat, digits may not",
        2: "Digits may repeat, letters may not",
        3: "Letters and digits may repeat",
    }[repeat]
    thing = w.pick(("licence plate", "locker code", "password", "ticket number"))
    ls, ds = f"{i} letter{'s' * (i > 1)}", f"{j} digit{'s' * (j > 1)}"
    ask = w.pick(
        (
            (
                f"A {thing} consists of {ls} followed by {ds}. There are {a} letters and {b} digits to choose "
                f"from. {both}. How many "
                f"different {thing}s are possible?"
            ),
            (
                f"How many {thing}s of {ls} and then {ds} can be made from an alphabet of {a} letters and a set of "
                f"{b} digits? {both}."
            ),
        )
    )
    lines = (
        _line(text, value)
        for text, value in ((one, ways), (other, more), (f"{ways} * {more}", ways * more))
        if "*" in text
    )
    return Problem(ask, INTEGER, str(ways * more), tuple(dict.fromkeys(lines)), asked=f"{one} * {other}")


# letters: how often each letter occurs; first the condition: 0 none, 1 begins with the first letter, 2 does not, 3 all
# of the first letter side by side, 4 begins with the first letter and ends with the second


def _draw_letters(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    counts = [d.between(1, 7) for _ in range(d.between(3, k.chosen + 1))]
    counts[0] += counts[0] == 1
    while sum(counts) > 20:
        counts.pop()
    return d.between(1, 4) if d.chance(k.conditions) else 0, *counts


def _multinomial(counts: Sequence[int]) -> tuple[str, int]:
    total = sum(counts)
    below = [c for c in counts if c > 1]
    value = math.factorial(total) // math.prod(map(math.factorial, counts))
    if not below:
        return f"{total}!", value
    return f"{total}!/({' * '.join(f'{c}!' for c in below)})", value


def _letters(n: Numbers, w: Words) -> Problem:
    condition, *counts = n
    require(0 <= condition <= 4 and 2 <= len(counts) <= len(_LETTERS), "a condition from 0 to 4, and 2 to 16 letters")
    require(min(counts) >= 1 and sum(counts) <= 100, "each letter once at least, 100 letters at most")
    names = w.some(_LETTERS, len(counts))
    shown = ", ".join(name for name, count in zip(names, counts, strict=True) for _ in range(count))
    text, value = _multinomial(counts)
    lines = [_line(text, value)]
    first = names[0]
    if condition in (1, 2):
        fixed, less = _multinomial([counts[0] - 1, *counts[1:]])
        if condition == 1:
            lines, value = [_line(fixed, less)], less
        else:
            lines += [_line(fixed, less), _line(f"{value} - {less}", value - less)]
            value -= less
    elif condition == 3:
        text, value = _multinomial([1, *counts[1:]])
        lines = [_line(text, value)]
    elif condition == 4:
        text, value = _multinomial([counts[0] - 1, counts[1] - 1, *counts[2:]])
        lines = [_line(text, value)]
    said = (
        "",
        f", if the string begins with {first}",
        f", if the string does not begin with {first}",
        f", if all letters {first} stand side by side",
        f", if the string begins with {first} and ends with {names[1]}",
    )[condition]
    ask = w.pick(
        (
            f"How many different strings use all of the letters {shown} exactly once each as listed{said}?",
            (
                f"The tiles {shown} are put in a row. How many different rows can be "
                f"made{said.replace('the string', 'the row')}?"
            ),
            f"In how many distinguishable orders can the letters {shown} be written{said}?",
        )
    )
    return Problem(ask, INTEGER, str(value), tuple(lines), asked="" if condition else text)


def _letters_canonical(n: Numbers) -> Sequence[int]:
    fixed = (1, 2, 2, 2, 3)[n[0]]
    return [*n[:fixed], *sorted(n[fixed:])]


# paths: right, up, a point, and whether the path goes through it (1), around it (2), or anywhere (0)


def _draw_paths(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    right, up = d.between(3, k.people // 2 + 4), d.between(3, k.people // 2 + 4)
    if d.chance(0.3 * (1 - k.conditions)):
        return right, up, 0, 0, 0
    return right, up, d.between(1, right - 1), d.between(1, up - 1), d.between(1, 2)


def _paths(n: Numbers, w: Words) -> Problem:
    right, up, x, y, condition = n
    require(
        0 < right <= 60 and 0 < up <= 60 and 0 <= condition <= 2, "a grid of up to 60 by 60, a condition from 0 to 2"
    )
    require((0 <= x <= right and 0 <= y <= up) if condition else x == y == 0, "a point of the grid")
    text, value = _choose(right + up, up)
    lines = [_line(text, value)]
    said = ""
    if condition:
        (one, before), (two, after) = _choose(x + y, y), _choose(right + up - x - y, up - y)
        via = before * after
        through = [_line(one, before), _line(two, after), _line(f"{before} * {after}", via)]
        if condition == 1:
            lines, value, said = through, via, f" that pass through $({x}, {y})$"
        else:
            lines += [*through, _line(f"{value} - {via}", value - via)]
            value, said = value - via, f" that avoid $({x}, {y})$"
    ask = w.pick(
        (
            (
                f"How many paths{said} lead from $(0, 0)$ to $({right}, {up})$ if every step goes one unit right or "
                f"one unit up?"
            ),
            (
                f"A robot walks on a grid from $(0, 0)$ to $({right}, {up})$, one unit right or one unit up at a "
                f"time. How many "
                f"routes{said} are there?"
            ),
        )
    )
    return Problem(ask, INTEGER, str(value), tuple(lines), asked="" if condition else text)


# boxes: the balls, then the least number in each box


def _draw_boxes(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    least = [d.between(0, 7) if d.chance(k.conditions) else d.between(0, 1) for _ in range(d.between(3, k.chosen))]
    return sum(least) + d.between(3, k.people), *least


def _boxes(n: Numbers, w: Words) -> Problem:
    total, *least = n
    free, count = total - sum(least), len(least)
    require(
        2 <= count <= 20 and min(least) >= 0 and 0 <= free <= 1000, "2 to 20 boxes, and enough balls for all of them"
    )
    text, value = _choose(free + count - 1, count - 1)
    numbers = ", ".join(f"$x_{at + 1} \\ge {low}$" for at, low in enumerate(least))
    one_each = w.pick((("flasks", "identical pearls"), ("children", "equal sweets"), ("rooms", "identical chairs")))
    many = ", ".join(map(str, least))
    ask = w.pick(
        (
            "How many integer solutions has $"
            + " + ".join(f"x_{at + 1}" for at in range(count))
            + f" = {total}$ with {numbers}?",
            (
                f"{total} {one_each[1]} are distributed among {count} different {one_each[0]}, which get at least "
                f"{many} of them in "
                "this order. In how many ways can this be done?"
            ),
        )
    )
    lines = ([f"{total} - {sum(least)} = {free}"] if sum(least) else []) + [_line(text, value)]
    return Problem(ask, INTEGER, str(value), tuple(lines), asked=text)


def _boxes_canonical(n: Numbers) -> Sequence[int]:
    return [n[0], *sorted(n[1:])]


# shelf: 0 row or 1 circle; a condition on the first group: 0 none, 1 two of its members side by side, 2 one of them
# first; single ones; then the sizes of the groups that stay together


def _draw_shelf(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    sizes = [d.between(2, k.chosen + 1) for _ in range(d.between(2, k.chosen - 2))]
    condition = d.between(1, 2) if d.chance(k.conditions) else 0
    if condition == 1:
        sizes[0] += 1  # of two, both are side by side anyway
    round_ = d.between(0, 1)
    return round_, condition, d.between(round_, k.chosen + 3), *sizes


def _shelf(n: Numbers, w: Words) -> Problem:
    round_, condition, single, *sizes = n
    require(round_ in (0, 1) and 0 <= condition <= 2 and 0 <= single <= 12, "0 or 1, 0 to 2, and 0 to 12 single ones")
    require(2 <= len(sizes) <= 8 and min(sizes) >= 2 and max(sizes) <= 12, "2 to 8 groups of 2 to 12")
    blocks = len(sizes) + single
    require(blocks > 1 + round_, "more than one block to arrange")
    outer = blocks - 1 if round_ else blocks
    inside = [sizes[0] - 1 if condition else sizes[0], *sizes[1:]]
    twice = [2] if condition == 1 else []
    orders = [math.factorial(outer), *map(math.factorial, inside)]
    text = " * ".join([*map(str, twice), *(f"{m}!" for m in (outer, *inside))])
    value = math.prod([*twice, *orders])
    if round_:
        people = w.pick(("families", "teams", "clubs"))
        groups = f"{', '.join(map(str, sizes[:-1]))} and {sizes[-1]} members"
        alone = f" and {single} guest{'s' * (single > 1)} who came alone" if single else ""
        who = f"{len(sizes)} {people} with {groups}{alone}"
        one = f"the first of the {people}, with {sizes[0]} members"
        said = (
            "",
            f" In {one}, two particular members sit next to each other.",
            f" In {one}, a particular member sits at the left end of the group.",
        )[condition]
        ask = w.pick(
            (
                (
                    f"{who}, sit down at a round table, each of the {people} side by side.{said} Seatings that "
                    f"differ by a rotation "
                    "only are the same. How many seatings are there?"
                ),
                (
                    f"{who}, are seated around a circular table so that the members of each of the {people} are "
                    f"not separated.{said} "
                    "How many ways are there, rotations counting once?"
                ),
            )
        )
    else:
        subjects = w.some(("physics", "history", "poetry", "art", "music", "law", "cooking", "travel"), len(sizes))
        named = [f"{size} {subject} books" for size, subject in zip(sizes, subjects, strict=True)]
        alone = f", and {single} book{'s' * (single > 1)} of other subjects, one of each," if single else ""
        books = f"{', '.join(named[:-1])} and {named[-1]}{alone}"
        said = (
            "",
            f" Two particular {subjects[0]} books stand next to each other.",
            f" One particular {subjects[0]} book stands at the left end of its group.",
        )[condition]
        ask = w.pick(
            (
                (
                    f"{books} are put on a shelf, all of them different, those of the same subject "
                    f"together.{said} In how many orders "
                    "can they stand?"
                ),
                (
                    f"A row is made of {books}, no two of them equal, so that those of one subject are not "
                    f"separated.{said} "
                    "How many arrangements are there?"
                ),
            )
        )
    lines = (
        *dict.fromkeys(f"{m}! = {math.factorial(m)}" for m in (outer, *inside)),
        _line(" * ".join(map(str, [*twice, *orders])), value),
    )
    return Problem(ask, INTEGER, str(value), lines, asked=text)


def _shelf_canonical(n: Numbers) -> Sequence[int]:
    fixed = 4 if n[1] else 3
    return [*n[:fixed], *sorted(n[fixed:])]


# multiples: the range, then two or three divisors


def _draw_multiples(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    count = d.between(2, k.divisors)
    return d.between(k.multiples // 6, k.multiples), d.between(0, 1), *sorted(d.some(range(2, 16), count))


def _multiples(n: Numbers, w: Words) -> Problem:
    top, none, *by = n
    require(1 <= top <= 10**6 and none in (0, 1), "a range up to 10**6, and 0 or 1")
    require(len(by) in (2, 3) and min(by) > 1, "two or three divisors above 1")
    signs: list[tuple[bool, str]] = []
    lines, value = [], 0
    for mask in sorted(range(1, 1 << len(by)), key=lambda mask: (bin(mask).count("1"), mask)):
        chosen = [x for at, x in enumerate(by) if mask >> at & 1]
        step = math.lcm(*chosen)
        odd = len(chosen) % 2
        lines.append(rf"\lfloor {top}/{step} \rfloor = {top // step}")
        signs.append((not odd, str(top // step)))
        value += top // step if odd else -(top // step)
    lines.append(_line(signed(signs), value))
    *most, last = map(str, by)
    words = f"{', '.join(most)} or {last}"
    if none:
        lines.append(_line(f"{top} - {value}", top - value))
        value = top - value
        ask = w.pick(
            (
                f"How many integers from 1 to {top} are divisible by none of {', '.join(most)} and {last}?",
                f"How many of the numbers 1, 2, ..., {top} are not divisible by {words}?",
            )
        )
    else:
        ask = w.pick(
            (
                f"How many integers from 1 to {top} are divisible by {words}?",
                (
                    f"How many of the numbers 1, 2, ..., {top} are multiples of at least one of {', '.join(most)} and "
                    f"{last}?"
                ),
            )
        )
    return Problem(ask, INTEGER, str(value), tuple(lines))


def _multiples_canonical(n: Numbers) -> Sequence[int]:
    return [*n[:2], *sorted(n[2:])]


# coefficient: of x^k in (a x + b)^n


def _draw_coefficient(d: Draw, k: CombinatoricsKnobs) -> Sequence[int]:
    n = d.between(3, k.chosen + 5)
    return d.nonzero(k.chosen + 1), d.nonzero(k.chosen + 3), n, d.between(1, n - 1)


def _coefficient(n: Numbers, w: Words) -> Problem:
    a, b, e, k = n
    require(a and b and 2 <= e <= 40 and 0 <= k <= e, "a and b are not 0, an exponent from 2 to 40, and k up to it")
    require(max(abs(a), abs(b)) <= 1000, "a and b up to 1000")
    text, ways = _choose(e, k)
    value = ways * a**k * b ** (e - k)
    base = f"({written((b, a))})"
    ask = w.pick(
        (
            f"What is the coefficient of ${power('x', k) or '1'}$ in the expansion of ${power(base, e)}$?",
            f"Expanding ${power(base, e)}$, one finds which coefficient for ${power('x', k) or '1'}$?",
            f"Find the coefficient of ${power('x', k) or '1'}$ in ${power(base, e)}$.",
        )
    )
    product = f"{inner(a)}^{{{k}}} * {inner(b)}^{{{e - k}}}"
    lines = (_line(text, ways), f"{ways} * {product} = {value}")
    return Problem(ask, INTEGER, str(value), lines, asked=f"{text} * {product}")


Combinatorics.table = {
    "committee": Kind(_draw_committee, _committee),
    "codes": Kind(_draw_codes, _codes),
    "letters": Kind(_draw_letters, _letters, _letters_canonical),
    "paths": Kind(_draw_paths, _paths),
    "boxes": Kind(_draw_boxes, _boxes, _boxes_canonical),
    "shelf": Kind(_draw_shelf, _shelf, _shelf_canonical),
    "multiples": Kind(_draw_multiples, _multiples, _multiples_canonical),
    "coefficient": Kind(_draw_coefficient, _coefficient),
}
