"""Word problems in the manner of GSM8K, with facts that have nothing to do with the question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from proofgym.envs.math.chance import Draw, Words
from proofgym.envs.math.forms import INTEGER
from proofgym.envs.math.generated import GeneratedMath, Kind, Knobs, Numbers, Problem, knob, require

__all__ = ["WordProblem", "WordProblemKnobs"]

_NAMES = (
    "Amina",
    "Boris",
    "Chloe",
    "Dewi",
    "Emil",
    "Farah",
    "Goran",
    "Hana",
    "Ines",
    "Jonas",
    "Kavya",
    "Luca",
    "Mira",
    "Noor",
    "Olek",
    "Priya",
    "Rosa",
    "Sami",
    "Tomas",
    "Yuki",
)
_GOODS = (
    "notebooks",
    "pens",
    "mugs",
    "candles",
    "apples",
    "scarves",
    "stickers",
    "plates",
    "books",
    "plants",
    "lamps",
    "cakes",
    "brushes",
    "kites",
    "caps",
)


@dataclass(frozen=True)
class WordProblemKnobs(Knobs):
    """What makes a word problem hard.

    Args:
        steps: Most things that happen, or that are bought.
        largest: Of most of the numbers.
        distractors: Sentences with numbers that do not matter.
    """

    steps: int = knob(2, 6)
    largest: int = knob(12, 60)
    distractors: int = knob(0, 4)


class WordProblem(GeneratedMath):
    r"""Asks word problems, some of whose facts do not matter; pays 1.0 for the right number.

    Observation: the problem, the form of the answer, and where to write it; at most 1,500 characters.
    Action: any working, and then the answer, in `\boxed{}`, after `####` or after "the final answer is".
    Episode: one turn, always terminated, never truncated.

    Kinds: `shop` (a bill and the change), `journey` (legs at different speeds), `harvest` (crates), `sharing`, `ages`,
    `sale` (percentages), `savings` (weeks until a goal), `stock` (a number that goes up and down), `factory` (two
    machines).

    Names, goods and the facts that do not matter change with the wording, and are no part of the task's fingerprint.

    Args:
        level: See `WordProblemKnobs`: 2 events, no distractors at 0; 6 events, 4 distractors at 1.
        kinds: Which kinds are drawn; all by default.
        knobs: Knobs of `WordProblemKnobs` to set by hand.
        steps: Check the working too; see `docs/envs/math.md`.
    """

    family: ClassVar[str] = "word_problem"
    floor: float = 0.03
    knobs_type: ClassVar[type[Knobs]] = WordProblemKnobs
    longest: ClassVar[int] = 160


def _told(facts: Sequence[str], question: str, distractors: int, w: Words, name: str) -> str:
    """The facts in order, sentences that do not matter strewn among them, and the question last."""
    require(0 <= distractors <= 6, "0 to 6 distractors")
    other = w.pick([n for n in _NAMES if n != name])
    noise = w.some(
        (
            f"{name} has a cousin who is {w.between(3, 40)} years old.",
            f"It is {w.between(2, 35)} degrees outside.",
            f"{other} lives {w.between(2, 90)} kilometres away.",
            f"The bus to town runs {w.between(3, 30)} times a day.",
            f"Last year {other} took {w.between(4, 60)} photographs of the place.",
            f"A concert nearby sold {w.between(100, 900)} tickets.",
            f"{name}'s house has number {w.between(2, 150)}.",
            f"{other} read {w.between(20, 400)} pages of a novel meanwhile.",
            f"The radio played {w.between(5, 50)} songs.",
            f"{other} owns {w.between(2, 12)} bicycles.",
        ),
        distractors,
    )
    sentences = list(facts)
    for sentence in noise:
        sentences.insert(w.between(0, len(sentences)), sentence)
    return " ".join([*sentences, question])


def _rest(n: Numbers) -> Sequence[int]:
    """All but the number of distractors."""
    return n[1:]


def _and(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


# shop: distractors, what is paid (0: the total is asked for), then pairs of price and count


def _draw_shop(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    pairs = [(d.between(2, k.largest), d.between(2, 9)) for _ in range(d.between(2, max(2, k.steps)))]
    total = sum(a * b for a, b in pairs)
    paid = 0 if d.chance(0.3) else (total // 50 + d.between(1, 3)) * 50
    return k.distractors, paid, *(x for pair in pairs for x in pair)


def _pairs(n: Sequence[int]) -> list[tuple[int, int]]:
    require(len(n) % 2 == 0 and 1 <= len(n) // 2 <= 8 and min(n) > 0, "one to eight pairs of positive numbers")
    return [(n[i], n[i + 1]) for i in range(0, len(n), 2)]


def _shop(n: Numbers, w: Words) -> Problem:
    distractors, paid, *rest = n
    pairs = _pairs(rest)
    name, goods = w.pick(_NAMES), w.some(_GOODS, len(pairs))
    total = sum(a * b for a, b in pairs)
    require(paid == 0 or paid >= total, "what is paid covers the bill")
    bought = _and([f"{b} {good} at {a} euros each" for (a, b), good in zip(pairs, goods, strict=True)])
    lines = [f"{b} * {a} = {a * b}" for a, b in pairs]
    if len(pairs) > 1:
        lines.append(f"{' + '.join(str(a * b) for a, b in pairs)} = {total}")
    facts = [f"{name} buys {bought}."]
    if paid:
        lines.append(f"{paid} - {total} = {paid - total}")
        facts.append(f"{name} pays with {paid} euros.")
        ask = w.pick((f"How many euros of change does {name} get?", "How many euros come back as change?"))
    else:
        ask = w.pick((f"How many euros does {name} have to pay?", "What does all of it cost together, in euros?"))
    value = paid - total if paid else total
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), tuple(dict.fromkeys(lines)))


def _shop_canonical(n: Numbers) -> Sequence[int]:
    return [n[1], *(x for pair in sorted(_pairs(n[2:])) for x in pair)]


# journey: distractors, the whole way (0: the distance covered is asked for), then pairs of speed and hours


def _draw_journey(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    pairs = [(d.between(3, k.largest + 10), d.between(2, 7)) for _ in range(d.between(2, max(2, k.steps - 1)))]
    total = sum(a * b for a, b in pairs)
    return (
        k.distractors,
        0 if d.chance(0.3) else total + d.between(2, 4 * k.largest),
        *(x for pair in pairs for x in pair),
    )


def _journey(n: Numbers, w: Words) -> Problem:
    distractors, whole, *rest = n
    pairs = _pairs(rest)
    done = sum(a * b for a, b in pairs)
    require(whole == 0 or whole >= done, "the whole way is long enough")
    name = w.pick(_NAMES)
    how = w.pick(("cycles", "travels", "drives", "sails"))
    legs = [f"{how} for {b} hours at {a} kilometres an hour" for a, b in pairs]
    facts = [f"{name} first {legs[0]}.", *(f"Then {name} {leg}." for leg in legs[1:])]
    lines = [f"{a} * {b} = {a * b}" for a, b in pairs]
    if len(pairs) > 1:
        lines.append(f"{' + '.join(str(a * b) for a, b in pairs)} = {done}")
    if whole:
        facts.insert(0, f"The way to the coast is {whole} kilometres long.")
        lines.append(f"{whole} - {done} = {whole - done}")
        ask = w.pick((f"How many kilometres are left for {name}?", "How many kilometres remain to the coast?"))
    else:
        ask = w.pick((f"How many kilometres has {name} covered?", f"How many kilometres has {name} travelled in all?"))
    value = whole - done if whole else done
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), tuple(dict.fromkeys(lines)))


# harvest: distractors, rows, trees in a row, kilos of a tree, kilos spoiled, kilos in a crate


def _draw_harvest(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    while True:
        rows, trees, kilos, crate = d.between(2, 12), d.between(3, k.largest), d.between(3, 20), d.between(4, 25)
        total = rows * trees * kilos
        if total > 3 * crate:
            spoiled = total % crate + crate * d.between(0, max(1, total // crate // 4))
            return k.distractors, rows, trees, kilos, spoiled or crate, crate


def _harvest(n: Numbers, w: Words) -> Problem:
    distractors, rows, trees, kilos, spoiled, crate = n
    require(min(n[1:]) > 0, "positive numbers")
    total = rows * trees * kilos
    require(spoiled < total and (total - spoiled) % crate == 0, "the crates come out even")
    value = (total - spoiled) // crate
    name = w.pick(_NAMES)
    fruit, tree = w.pick(
        (("pears", "tree"), ("plums", "tree"), ("cherries", "tree"), ("berries", "bush"), ("grapes", "vine"))
    )
    many = {"bush": "bushes"}.get(tree, f"{tree}s")
    facts = [
        f"{name}'s farm has {rows} rows of {trees} {many}.",
        f"Every {tree} bears {kilos} kilograms of {fruit}.",
        f"{spoiled} kilograms of the {fruit} are spoiled and thrown away.",
        f"The remaining {fruit} are packed into crates of {crate} kilograms.",
    ]
    ask = w.pick(
        ("How many crates are filled?", f"How many full crates does {name} get?", f"How many crates does {name} need?")
    )
    lines = (
        f"{rows} * {trees} = {rows * trees}",
        f"{rows * trees} * {kilos} = {total}",
        f"{total} - {spoiled} = {total - spoiled}",
        f"{total - spoiled} / {crate} = {value}",
    )
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), lines)


# sharing: distractors, boxes, pieces in a box, pieces eaten, people


def _draw_sharing(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    while True:
        boxes, each, people = d.between(2, 9 + k.steps), d.between(4, k.largest), d.between(3, 12)
        total = boxes * each
        if total > 3 * people:
            eaten = total % people + people * d.between(0, total // people // 3)
            return k.distractors, boxes, each, eaten or people, people


def _sharing(n: Numbers, w: Words) -> Problem:
    distractors, boxes, each, eaten, people = n
    require(min(n[1:]) > 0, "positive numbers")
    total = boxes * each
    require(eaten < total and (total - eaten) % people == 0, "the pieces come out even")
    value = (total - eaten) // people
    name = w.pick(_NAMES)
    thing, box = w.pick((("biscuits", "tins"), ("chocolates", "boxes"), ("marbles", "bags"), ("cards", "packs")))
    gone = w.pick(("are given to a neighbour", "get lost on the way", "are kept for later"))
    facts = [
        f"{name} has {boxes} {box} with {each} {thing} in each.",
        f"{eaten} of the {thing} {gone}.",
        f"The other {thing} are shared equally among {people} children.",
    ]
    ask = w.pick((f"How many {thing} does each child get?", f"What is each child's share of the {thing}?"))
    lines = (
        f"{boxes} * {each} = {total}",
        f"{total} - {eaten} = {total - eaten}",
        f"{total - eaten} / {people} = {value}",
    )
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), lines)


# ages: distractors, the first one's age, how many times, in how many years (negative: ago), a third one's difference


def _draw_ages(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    times, young, years = d.between(2, 5), d.between(3, 8 + k.largest // 3), d.nonzero(12)
    if young + years < 1:
        years = -years
    return k.distractors, times * (young + years) - years, times, years, d.between(1, k.largest)


def _ages(n: Numbers, w: Words) -> Problem:
    distractors, old, times, years, more = n
    require(old > 0 and times > 1 and years and more > 0, "a positive age, at least twice, some years, a difference")
    require((old + years) % times == 0, "the ages are whole")
    young = (old + years) // times - years
    require(young > 0 and young + years > 0, "the ages are positive")
    one, other, third = w.some(_NAMES, 3)
    many = {2: "twice", 3: "three times", 4: "four times", 5: "five times"}.get(times, f"{times} times")
    span = f"{abs(years)} year{'s' * (abs(years) > 1)}"
    facts = [
        f"{one} is {old} years old.",
        f"In {span} {one} will be {many} as old as {other} will be then."
        if years > 0
        else f"{span} ago {one} was {many} as old as {other} was then.",
        f"{third} is {more} year{'s' * (more > 1)} older than {other}.",
    ]
    ask = w.pick((f"How old is {third} now?", f"What is {third}'s age in years?"))
    shift = f"{old} {'+' if years > 0 else '-'} {abs(years)} = {old + years}"
    back = f"{young + years} {'-' if years > 0 else '+'} {abs(years)} = {young}"
    lines = (shift, f"{old + years} / {times} = {young + years}", back, f"{young} + {more} = {young + more}")
    return Problem(_told(facts, ask, distractors, w, one), INTEGER, str(young + more), lines)


# sale: distractors, the price, the discount in percent, the number bought, a delivery charge


def _draw_sale(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    off = d.pick((5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 75))
    unit = 100 // math.gcd(100, off)
    return (
        k.distractors,
        unit * d.between(1, max(3, 8 * k.largest // unit)),
        off,
        d.between(2, 4 + k.steps),
        d.between(3, k.largest),
    )


def _sale(n: Numbers, w: Words) -> Problem:
    distractors, price, off, count, charge = n
    require(
        price > 0 and 0 < off < 100 and count > 1 and charge > 0, "positive numbers, a discount below 100, at least two"
    )
    require(price * off % 100 == 0, "the discount is whole")
    less = price * off // 100
    value = (price - less) * count + charge
    name, good = (
        w.pick(_NAMES),
        w.pick(("chairs", "jackets", "radios", "tents", "suitcases", "paintings", "skateboards")),
    )
    facts = [
        f"{good.capitalize()} cost {price} euros each.",
        f"Today {good} are {off}% cheaper.",
        f"{name} buys {count} {good}.",
        f"Delivery costs {charge} euros for the whole order.",
    ]
    ask = w.pick(
        (f"How many euros does {name} pay altogether?", "What does the order cost in euros, delivery included?")
    )
    lines = (
        f"{price} * {off} / 100 = {less}",
        f"{price} - {less} = {price - less}",
        f"{price - less} * {count} = {(price - less) * count}",
        f"{(price - less) * count} + {charge} = {value}",
    )
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), lines)


# savings: distractors, the goal, the start, what comes in a week and what goes


def _draw_savings(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    goes = d.between(1, k.largest)
    comes, weeks, start = goes + d.between(2, k.largest), d.between(3, 6 * k.steps), d.between(1, 5 * k.largest)
    return k.distractors, start + (comes - goes) * weeks, start, comes, goes


def _savings(n: Numbers, w: Words) -> Problem:
    distractors, goal, start, comes, goes = n
    require(min(n[1:]) > 0 and comes > goes and goal > start, "positive numbers, more coming in than going out")
    require((goal - start) % (comes - goes) == 0, "the weeks come out even")
    value = (goal - start) // (comes - goes)
    name = w.pick(_NAMES)
    wish = w.pick(("a bicycle", "a guitar", "a journey", "a camera", "a kayak"))
    facts = [
        f"{name} saves for {wish} that costs {goal} euros.",
        f"{start} euros are saved already.",
        f"Every week {name} earns {comes} euros and spends {goes} of them.",
    ]
    ask = w.pick(
        (f"After how many weeks does {name} have enough?", f"How many weeks does it take until {name} can pay for it?")
    )
    lines = (
        f"{comes} - {goes} = {comes - goes}",
        f"{goal} - {start} = {goal - start}",
        f"{goal - start} / {comes - goes} = {value}",
    )
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), lines)


# stock: distractors, the start, then pairs of what happens (0 comes, 1 goes, 2 times n, 3 one n-th goes) and how much


def _draw_stock(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    at = start = d.between(5, 2 * k.largest)
    events: list[int] = []
    while len(events) < 2 * max(2, k.steps):
        what = d.between(0, 3)
        if what == 3:
            parts = [m for m in (2, 3, 4, 5, 6, 8, 10) if at % m == 0 and at > m]
            if not parts:
                continue
            much = d.pick(parts)
            at -= at // much
        elif what == 2:
            much = d.between(2, 4)
            if at * much > 20 * k.largest:
                continue
            at *= much
        elif what == 1:
            if at < 4:
                continue
            much = d.between(1, min(at - 2, 2 * k.largest))
            at -= much
        else:
            much = d.between(1, 2 * k.largest)
            at += much
        events += [what, much]
    return k.distractors, start, *events


def _stock(n: Numbers, w: Words) -> Problem:
    distractors, start, *rest = n
    require(len(rest) % 2 == 0 and 1 <= len(rest) // 2 <= 12 and start > 0, "a start and one to twelve events")
    name = w.pick(_NAMES)
    thing, place = w.pick(
        (
            ("books", "library"),
            ("sheep", "farm"),
            ("bottles", "cellar"),
            ("stamps", "album"),
            ("chairs", "hall"),
            ("boxes", "warehouse"),
        )
    )
    facts, lines, at = [f"There are {start} {thing} in {name}'s {place}."], [], start
    for i in range(0, len(rest), 2):
        what, much = rest[i], rest[i + 1]
        require(0 <= what <= 3 and much > 0, "events from 0 to 3, each with a positive number")
        if what == 0:
            facts.append(
                w.pick(
                    (
                        f"Then {much} {thing} are added.",
                        f"A lorry brings {much} more {thing}.",
                        f"{name} gets {much} more {thing}.",
                    )
                )
            )
            lines.append(f"{at} + {much} = {at + much}")
            at += much
        elif what == 1:
            require(much <= at, "no more goes than there is")
            facts.append(
                w.pick(
                    (
                        f"{much} of the {thing} are taken away.",
                        f"{name} sells {much} {thing}.",
                        f"After that, {much} {thing} are lost.",
                    )
                )
            )
            lines.append(f"{at} - {much} = {at - much}")
            at -= much
        elif what == 2:
            facts.append(f"A year later there are {'twice' if much == 2 else f'{much} times'} as many {thing}.")
            lines.append(f"{at} * {much} = {at * much}")
            at *= much
        else:
            require(much > 1 and at % much == 0, "the part that goes is whole")
            share = {2: "Half", 3: "A third", 4: "A quarter"}.get(much, f"{Fraction(1, much)}")
            facts.append(w.pick((f"{share} of the {thing} go to a museum.", f"{share} of all {thing} are sold.")))
            lines += [f"{at} / {much} = {at // much}", f"{at} - {at // much} = {at - at // much}"]
            at -= at // much
    ask = w.pick((f"How many {thing} are there in the end?", f"How many {thing} does {name} have now?"))
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(at), tuple(lines))


# factory: distractors, two rates, the hours of each, and one part in how many is broken


def _draw_factory(d: Draw, k: WordProblemKnobs) -> Sequence[int]:
    while True:
        a, b, s, t = d.between(3, k.largest), d.between(3, k.largest), d.between(2, 9), d.between(2, 9)
        part = d.between(2, 12)
        if (a * s + b * t) % part == 0:
            return k.distractors, a, s, b, t, part


def _factory(n: Numbers, w: Words) -> Problem:
    distractors, a, s, b, t, part = n
    require(min(n[1:]) > 0 and part > 1, "positive numbers")
    total = a * s + b * t
    require(total % part == 0, "the broken ones are whole")
    value = total - total // part
    name, thing = w.pick(_NAMES), w.pick(("bolts", "tiles", "cups", "springs", "buttons", "toy cars"))
    facts = [
        f"In {name}'s workshop one machine makes {a} {thing} an hour, another one {b}.",
        f"Today the first runs for {s} hours and the second for {t} hours.",
        f"One in {part} of all the {thing} made today is broken; the others are sold.",
    ]
    ask = w.pick((f"How many {thing} are sold?", f"How many of today's {thing} can {name} sell?"))
    lines = (
        f"{a} * {s} = {a * s}",
        f"{b} * {t} = {b * t}",
        f"{a * s} + {b * t} = {total}",
        f"{total} / {part} = {total // part}",
        f"{total} - {total // part} = {value}",
    )
    return Problem(_told(facts, ask, distractors, w, name), INTEGER, str(value), tuple(dict.fromkeys(lines)))


WordProblem.table = {
    "shop": Kind(_draw_shop, _shop, _shop_canonical),
    "journey": Kind(_draw_journey, _journey, _rest),
    "harvest": Kind(_draw_harvest, _harvest, _rest),
    "sharing": Kind(_draw_sharing, _sharing, _rest),
    "ages": Kind(_draw_ages, _ages, _rest),
    "sale": Kind(_draw_sale, _sale, _rest),
    "savings": Kind(_draw_savings, _savings, _rest),
    "stock": Kind(_draw_stock, _stock, _rest),
    "factory": Kind(_draw_factory, _factory, _rest),
}
