"""Exact chances: urns, dice, Bayes, repeated trials, expectations and conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import FRACTION
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require

__all__ = ["Probability", "ProbabilityKnobs"]


@dataclass(frozen=True)
class ProbabilityKnobs(Knobs):
    """What makes chances hard to work out.

    Args:
        balls: Most balls of one colour.
        drawn: Most balls that are drawn, and most prizes of a game.
        sides: Of the largest die.
        dice: Most dice, 2 or 3.
        below: Largest denominator of a given probability.
        trials: Most repetitions.
    """

    balls: int = knob(6, 15)
    drawn: int = knob(2, 5)
    sides: int = knob(12, 20)
    dice: int = knob(2, 3)
    below: int = knob(8, 30)
    trials: int = knob(4, 8)


class Probability(GeneratedMath):
    r"""Asks for an exact probability or expected value; pays 1.0 for the right number.

    Observation: the question, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `urn` (drawing without replacement), `dice` (the sum of different dice), `bayes` (which of two sources),
    `binomial` (repeated trials), `expectation` (of a game), `independent` (exactly one, or at least one, of three),
    `conditional` (of a random integer).

    Args:
        level: See `ProbabilityKnobs`: 6 balls, 2 drawn, 4 trials at 0; 15, 5 and 8 at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `ProbabilityKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "probability"
    floor: float = 0.03
    knobs_type: ClassVar[type[Knobs]] = ProbabilityKnobs
    longest: ClassVar[int] = 220


def _share(d: Draw, below: int) -> tuple[int, int]:
    b = d.between(3, below)
    return d.between(1, b - 1), b


def _chance(above: int, below: int) -> Fraction:
    require(0 < above < below <= 10**4, "a probability between 0 and 1")
    return Fraction(above, below)


# urn: red, blue, green, how many are drawn, how many red are wanted, and whether exactly (0) or at least (1)


def _draw_urn(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    red, blue, green = d.between(2, k.balls), d.between(2, k.balls), d.between(0, k.balls)
    drawn = min(d.between(2, k.drawn), red + blue + green - 1)
    wanted = d.between(max(1, drawn - blue - green), min(red, drawn))
    return red, blue, green, drawn, wanted, d.between(0, 1) if wanted < min(red, drawn) else 0


def _urn(n: Numbers, w: Words) -> Problem:
    red, blue, green, drawn, wanted, least = n
    require(
        min(red, blue) > 0 and green >= 0 and red + blue + green <= 300, "balls of two or three colours, 300 at most"
    )
    require(1 <= wanted <= drawn <= red + blue + green and wanted <= red and least in (0, 1), "enough balls")
    colours = w.some(("red", "blue", "green", "white", "black", "yellow"), 3)
    others = blue + green
    counts = range(wanted, min(red, drawn) + 1) if least else (wanted,)
    terms = [(i, math.comb(red, i) * math.comb(others, drawn - i)) for i in counts]
    ways, total = sum(v for _, v in terms), math.comb(red + others, drawn)
    require(ways, "the event is possible")
    value = Fraction(ways, total)
    held = [f"{red} {colours[0]}", f"{blue} {colours[1]}", *([f"{green} {colours[2]}"] if green else [])]
    place, thing = w.pick((("An urn", "balls"), ("A bag", "marbles"), ("A box", "beads"), ("A drawer", "socks")))
    what = f"{'at least' if least else 'exactly'} {wanted} of them {'is' if wanted == 1 else 'are'} {colours[0]}"
    ask = w.pick(
        (
            (
                f"{place} holds {', '.join(held[:-1])} and {held[-1]} {thing}. {drawn} {thing} are drawn at "
                f"random without "
                f"replacement. What is the probability that {what}?"
            ),
            (
                f"From {place.lower()} with {', '.join(held[:-1])} and {held[-1]} {thing}, {drawn} are taken at "
                f"random at once. Find "
                f"the probability that {what}."
            ),
        )
    )
    lines = [
        rf"\binom{{{red}}}{{{i}}}\binom{{{others}}}{{{drawn - i}}} = {math.comb(red, i)} * "
        rf"{math.comb(others, drawn - i)} = {v}"
        for i, v in terms
    ]
    if len(terms) > 1:
        lines.append(f"{' + '.join(str(v) for _, v in terms)} = {ways}")
    lines += [rf"\binom{{{red + others}}}{{{drawn}}} = {total}", f"{ways}/{total} = {value}"]
    return Problem(ask, FRACTION, str(value), tuple(lines))


# dice: the sum, whether exactly (0), at least (1) or at most (2), then the sides of the dice


def _draw_dice(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    sides = [d.between(4, k.sides) for _ in range(d.between(2, k.dice))]
    return d.between(len(sides) + 1, sum(sides) - 1), d.between(0, 2), *sides


def _dice(n: Numbers, w: Words) -> Problem:
    total, mode, *sides = n
    require(
        0 <= mode <= 2 and 1 <= len(sides) <= 4 and min(sides) >= 2 and max(sides) <= 100,
        "1 to 4 dice, 100 sides at most",
    )
    require(len(sides) <= total <= sum(sides), "a sum that can be thrown")
    sums = {0: 1}
    for side in sides:
        after: dict[int, int] = {}
        for before, ways in sums.items():
            for face in range(1, side + 1):
                after[before + face] = after.get(before + face, 0) + ways
        sums = after
    wanted = [ways for s, ways in sums.items() if (s == total, s >= total, s <= total)[mode]]
    ways, all_ = sum(wanted), math.prod(sides)
    value = Fraction(ways, all_)
    *most, last = [f"one with {side} faces" for side in sides]
    dice = f"{', '.join(most)} and {last}" if most else last
    what = ("exactly {}", "at least {}", "at most {}")[mode].format(total)
    ask = w.pick(
        (
            (
                f"{len(sides)} fair dice are thrown, {dice}, each numbered from 1. What is the probability that the "
                f"sum is {what}?"
            ),
            (
                f"You throw {len(sides)} fair dice: {dice}, their faces numbered from 1 up. Find the probability of a "
                f"sum of {what}."
            ),
        )
    )
    lines = [f"{' + '.join(map(str, wanted))} = {ways}"] if len(wanted) > 1 else []
    lines += [f"{' * '.join(map(str, sides))} = {all_}", f"{ways}/{all_} = {value}"]
    return Problem(ask, FRACTION, str(value), tuple(lines))


def _dice_canonical(n: Numbers) -> Sequence[int]:
    return [*n[:2], *sorted(n[2:])]


# bayes: three probabilities: of the first source, and of the sign from the first and from the second


def _draw_bayes(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    return *_share(d, k.below), *_share(d, k.below), *_share(d, k.below)


def _bayes(n: Numbers, w: Words) -> Problem:
    a, b, c, e, f, g = n
    first, hit, false = _chance(a, b), _chance(c, e), _chance(f, g)
    one, other = first * hit, (1 - first) * false
    value = one / (one + other)
    ask = w.pick(
        (
            (
                f"A fraction {first} of all letters to an office are complaints. A filter marks {hit} of the "
                f"complaints and {false} "
                "of the other letters. A letter is marked. What is the probability that it is a complaint?"
            ),
            (
                f"Machine A makes {first} of all screws of a works, machine B the rest. {hit} of A's screws are "
                f"too long, and "
                f"{false} of B's. A screw is too long. What is the probability that A made it?"
            ),
            (
                f"It rains on {first} of all days. The forecast says rain on {hit} of the days with rain and on "
                f"{false} of the days "
                "without. Today it says rain. How probable is rain?"
            ),
        )
    )
    lines = (
        f"{first} * {hit} = {one}",
        f"(1 - {first}) * {false} = {other}",
        f"{one} + {other} = {one + other}",
        f"({one})/({one + other}) = {value}",
    )
    return Problem(ask, FRACTION, str(value), lines)


def _reduced(n: Numbers) -> Sequence[int]:
    """Each pair of numbers as the fraction that it is."""
    values = [Fraction(n[i], n[i + 1]) for i in range(0, len(n) - 1, 2)]
    return [*(x for v in values for x in (v.numerator, v.denominator)), *(n[-1:] if len(n) % 2 else ())]


# binomial: the probability, the trials, and the fewest and most successes that are wanted


def _draw_binomial(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    trials = d.between(3, k.trials)
    low = d.between(0, trials)
    high = min(trials, low + d.between(0, 3))
    return *_share(d, k.below), trials, low + (high - low == trials), high


def _binomial(n: Numbers, w: Words) -> Problem:
    a, b, trials, low, high = n
    p = _chance(a, b)
    require(1 <= trials <= 30 and 0 <= low <= high <= trials, "1 to 30 trials, and a range of successes within them")
    require(high - low < trials, "not every number of successes is wanted")
    terms = [(i, math.comb(trials, i) * p**i * (1 - p) ** (trials - i)) for i in range(low, high + 1)]
    value = sum((v for _, v in terms), Fraction(0))
    if low == high:
        what = f"exactly {low}"
    elif high == trials:
        what = f"at least {low}"
    else:
        what = f"at most {high}" if low == 0 else f"at least {low} and at most {high}"
    ask = w.pick(
        (
            (
                f"A seed germinates with probability {p}, independently of the others. {trials} seeds are sown. "
                f"What is the "
                f"probability that {what} of them germinate?"
            ),
            (
                f"An archer hits with probability {p} at every shot, whatever came before. Find the probability "
                f"of {what} hits in "
                f"{trials} shots."
            ),
            (
                f"A biased coin shows heads with probability {p}. It is tossed {trials} times. How probable is it "
                f"that the number of "
                f"heads is {what}?"
            ),
        )
    )
    lines = [rf"\binom{{{trials}}}{{{i}}} * ({p})^{i} * ({1 - p})^{trials - i} = {v}" for i, v in terms]
    if len(terms) > 1:
        lines.append(f"{' + '.join(str(v) for _, v in terms)} = {value}")
    return Problem(ask, FRACTION, str(value), tuple(lines))


def _binomial_canonical(n: Numbers) -> Sequence[int]:
    p = Fraction(n[0], n[1])
    return [p.numerator, p.denominator, *n[2:]]


# expectation: the stake, then pairs of prize and tickets


def _draw_expectation(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    prizes = [(d.between(2, 10 * k.balls), d.between(1, k.balls)) for _ in range(d.between(2, k.drawn))]
    return d.between(1, k.balls), d.between(k.balls, 4 * k.balls), *(x for prize in prizes for x in prize)


def _expectation(n: Numbers, w: Words) -> Problem:
    stake, blanks, *rest = n
    require(
        len(rest) % 2 == 0 and 1 <= len(rest) // 2 <= 10 and min(n) >= 0, "one to ten prizes, each with its tickets"
    )
    prizes = [(rest[i], rest[i + 1]) for i in range(0, len(rest), 2)]
    tickets = blanks + sum(count for _, count in prizes)
    total = sum(prize * count for prize, count in prizes)
    require(tickets, "there are tickets")
    value = Fraction(total, tickets) - stake
    each = [f"{count} ticket{'s' * (count != 1)} win{'s' * (count == 1)} {prize} euros" for prize, count in prizes]
    ask = w.pick(
        (
            (
                f"In a lottery of {tickets} tickets, "
                f"{', '.join(each[:-1])}{' and ' if len(each) > 1 else ''}{each[-1]}; the others win "
                f"nothing. A ticket costs {stake} euros. What is the expected profit of one ticket in euros, "
                f"negative for a loss?"
            ),
            (
                f"A tombola has {blanks} blanks; besides, "
                f"{', '.join(each[:-1])}{' and ' if len(each) > 1 else ''}{each[-1]}. One ticket "
                f"is drawn for a stake of {stake} euros. Find the expected value of the prize minus the stake, in "
                f"euros."
            ),
        )
    )
    lines = (
        f"{blanks} + {' + '.join(str(count) for _, count in prizes)} = {tickets}",
        f"{' + '.join(f'{count} * {prize}' for prize, count in prizes)} = {total}",
        f"{total}/{tickets} - {stake} = {value}",
    )
    return Problem(ask, FRACTION, str(value), lines)


def _expectation_canonical(n: Numbers) -> Sequence[int]:
    pairs = sorted((n[i], n[i + 1]) for i in range(2, len(n), 2))
    return [*n[:2], *(x for pair in pairs for x in pair)]


# independent: three probabilities, and at least one (0), exactly one (1) or exactly two (2)


def _draw_independent(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    return *_share(d, k.below), *_share(d, k.below), *_share(d, k.below), d.between(0, 2)


def _independent(n: Numbers, w: Words) -> Problem:
    a, b, c, e, f, g, mode = n
    require(0 <= mode <= 2, "the last number lies in 0 to 2")
    p = [_chance(a, b), _chance(c, e), _chance(f, g)]
    q = [1 - x for x in p]
    if mode == 0:
        none = math.prod(q, start=Fraction(1))
        value = 1 - none
        lines = [f"({q[0]}) * ({q[1]}) * ({q[2]}) = {none}", f"1 - {none} = {value}"]
    else:
        inside, outside = (p, q) if mode == 1 else (q, p)
        terms = [inside[i] * math.prod((outside[j] for j in range(3) if j != i), start=Fraction(1)) for i in range(3)]
        lines = [
            f"({inside[i]}) * {' * '.join(f'({outside[j]})' for j in range(3) if j != i)} = {term}"
            for i, term in enumerate(terms)
        ]
        value = sum(terms, Fraction(0))
        lines.append(f"{' + '.join(map(str, terms))} = {value}")
    what = ("at least one", "exactly one", "exactly two")[mode]
    names = w.some(("Ada", "Bo", "Cem", "Dina", "Eli", "Fay"), 3)
    ask = w.pick(
        (
            (
                f"{names[0]}, {names[1]} and {names[2]} solve a riddle with probabilities {p[0]}, {p[1]} and "
                f"{p[2]}, independently of "
                f"each other. What is the probability that {what} of them solve{'s' * (mode < 2)} it?"
            ),
            (
                f"Three machines run independently; today they fail with probabilities {p[0]}, {p[1]} and {p[2]}. "
                f"Find the probability "
                f"that {what} of them fail{'s' * (mode < 2)}."
            ),
        )
    )
    return Problem(ask, FRACTION, str(value), tuple(lines))


def _independent_canonical(n: Numbers) -> Sequence[int]:
    values = sorted(Fraction(n[i], n[i + 1]) for i in (0, 2, 4))
    return [*(x for v in values for x in (v.numerator, v.denominator)), n[6]]


# conditional: an integer from 1 to n, given that a divides it, is divisible by b (0) or not (1)


def _draw_conditional(d: Draw, k: ProbabilityKnobs) -> Sequence[int]:
    a, b = d.some(range(2, 13), 2)
    return d.between(12 * k.balls, 60 * k.balls), a, b, d.between(0, 1)


def _conditional(n: Numbers, w: Words) -> Problem:
    top, a, b, none = n
    require(1 < a <= top <= 10**6 and b > 1 and none in (0, 1), "a range up to 10**6, two divisors above 1, and 0 or 1")
    given, both = top // a, top // math.lcm(a, b)
    ways = given - both if none else both
    value = Fraction(ways, given)
    ask = w.pick(
        (
            (
                f"An integer from 1 to {top} is chosen at random. Given that it is divisible by {a}, what is the "
                f"probability that it "
                f"is {'not ' * none}divisible by {b}?"
            ),
            (
                f"One of the numbers 1, 2, ..., {top} is picked, all equally likely. It turns out to be a "
                f"multiple of {a}. How probable "
                f"is it that it is {'no' if none else 'also a'} multiple of {b}?"
            ),
        )
    )
    lines = [rf"\lfloor {top}/{a} \rfloor = {given}", rf"\lfloor {top}/{math.lcm(a, b)} \rfloor = {both}"]
    if none:
        lines.append(f"{given} - {both} = {ways}")
    return Problem(ask, FRACTION, str(value), (*lines, f"{ways}/{given} = {value}"))


Probability.table = {
    "urn": Kind(_draw_urn, _urn),
    "dice": Kind(_draw_dice, _dice, _dice_canonical),
    "bayes": Kind(_draw_bayes, _bayes, _reduced),
    "binomial": Kind(_draw_binomial, _binomial, _binomial_canonical),
    "expectation": Kind(_draw_expectation, _expectation, _expectation_canonical),
    "independent": Kind(_draw_independent, _independent, _independent_canonical),
    "conditional": Kind(_draw_conditional, _conditional),
}
