"""Programs on whole numbers."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("numeric", 0)
def digit_mill(draw: Draw) -> Sketch:
    below, base = draw.pick(10, 20, 50), draw.pick(10, 10, 8, 7)
    power = draw.whole(1, 3)
    what = draw.pick("steps", "value")
    return Sketch(
        "mill", "number: int", "int",
        f"""Write a whole number (0 or more) in base {base} and replace it by the sum of its digits{
        f", each raised to the power {power}" if power > 1 else ""}. Do this until the number is below {below} or until a
        number comes up that was there before (the number at the start included). Return {"how many replacements were made" if what == "steps"
        else "the number that you end with"}.""",
        f"""
        def mill(number):
            seen = []
            while number >= {below} and number not in seen:
                seen.append(number)
                total = 0
                while number > 0:
                    total += (number % {base}) ** {power}
                    number //= {base}
                number = total
            return {"len(seen)" if what == "steps" else "number"}
        """,
        lambda: [draw.whole(0, draw.pick(99, 9999, 999999))],
    )  # fmt: skip


@family("numeric", 1)
def number_to_base(draw: Draw) -> Sketch:
    digits = "".join(draw.sample("abcdefghkmnpqrstuvwxyz23456789", draw.whole(3, 9)))
    group, mark = draw.whole(2, 4), draw.pick("-", ".", " ")
    return Sketch(
        "encode", "number: int", "str",
        f"""Write a whole number in base {len(digits)} with the digits {", ".join(digits)} (in this order: {digits[0]!r} is
        zero, {digits[1]!r} is one, and so on), the highest digit first and without leading zeros; zero is {digits[0]!r}.
        From the right, put {mark!r} between every {group} digits. Negative numbers are written as positive ones with '!'
        in front of everything.""",
        f"""
        def encode(number):
            alphabet = {digits!r}
            rest = abs(number)
            digits = []
            while rest > 0 or not digits:
                digits.append(alphabet[rest % {len(digits)}])
                rest //= {len(digits)}
            text = ""
            for place, digit in enumerate(digits):
                if place > 0 and place % {group} == 0:
                    text = {mark!r} + text
                text = digit + text
            return "!" + text if number < 0 else text
        """,
        lambda: [draw.whole(-50, 5000) if draw.chance(0.7) else draw.whole(-(10**6), 10**7)],
    )  # fmt: skip


@family("numeric", 1)
def number_walk(draw: Draw) -> Sketch:
    divisor = draw.whole(2, 3)
    factor, add = draw.pick((3, 1), (5, 1), (3, 5), (2, 3))
    modulus = draw.pick(97, 211, 1009)
    what = draw.pick("steps", "largest", "distinct_even")
    ends = {
        "steps": ("len(seen) - 1", "how many steps were made"),
        "largest": ("max(seen)", "the largest number visited, the start included"),
        "distinct_even": (
            "sum(1 for n in seen if n % 2 == 0)",
            "how many of the visited numbers are even, the start included",
        ),
    }
    return Sketch(
        "walk", "number: int", "int",
        f"""Start at a whole number (1 or more). In each step, a number divisible by {divisor} is divided by {divisor};
        any other number n becomes {factor}n + {add}, reduced modulo {modulus}. Stop when the number is 1 or 0, when the
        next number was already visited (that step is not made), or after 60 steps. Return {ends[what][1]}.""",
        f"""
        def walk(number):
            seen = [number]
            while number > 1 and len(seen) <= 60:
                if number % {divisor} == 0:
                    number //= {divisor}
                else:
                    number = ({factor} * number + {add}) % {modulus}
                if number in seen:
                    break
                seen.append(number)
            return {ends[what][0]}
        """,
        lambda: [draw.whole(1, draw.pick(20, 200, 2000))],
    )  # fmt: skip


@family("numeric", 0)
def count_in_range(draw: Draw) -> Sketch:
    tests = [
        ("n % {a} == 0", "is divisible by {a}"),
        ("str(n) == str(n)[::-1]", "reads the same backwards"),
        ("sum(map(int, str(n))) % {a} == {b}", "has a digit sum that leaves the rest {b} when divided by {a}"),
        ("'{b}' in str(n)", "contains the digit {b}"),
        ("len(set(str(n))) == len(str(n))", "has no digit twice"),
        (
            "n % 2 != int(str(n)[0]) % 2",
            "is even and begins with an odd digit, or is odd and begins with an even digit",
        ),
    ]
    a, b = draw.whole(3, 7), draw.whole(0, 2)
    one, other = draw.sample(tests, 2)
    join, word = draw.pick(("and", "and"), ("or", "or"), ("and not", "but it is not the case that it"))
    what = draw.pick("count", "sum", "last")
    result = {"count": "len(found)", "sum": "sum(found)", "last": "found[-1] if found else -1"}[what]
    said = {"count": "how many there are", "sum": "their sum", "last": "the largest of them, or -1 if there is none"}[
        what
    ]
    return Sketch(
        "survey", "low: int, high: int", "int",
        f"""Consider every whole number from low to high, both included (0 <= low; if low is above high there are none),
        that {one[1].format(a=a, b=b)} {word} {other[1].format(a=a, b=b)}. Return {said}. Numbers are written in the
        decimal system without leading zeros.""",
        f"""
        def survey(low, high):
            found = []
            for n in range(low, high + 1):
                if {one[0].format(a=a, b=b)} {join} {other[0].format(a=a, b=b)}:
                    found.append(n)
            return {result}
        """,
        lambda: [draw.whole(0, 150), draw.whole(100, 400)],
    )  # fmt: skip


@family("numeric", 1)
def prime_parts(draw: Draw) -> Sketch:
    what = draw.pick("list", "largest_power", "text", "signed")
    ends = {
        "list": (
            "return [[p, powers[p]] for p in sorted(powers)]",
            "list[list[int]]",
            "a list of [prime, exponent], by ascending primes; an empty list for 1",
        ),
        "largest_power": (
            "return max((p ** e for p, e in powers.items()), default=1)",
            "int",
            "the largest prime power p^e in it, where e is the full exponent of p; 1 for 1",
        ),
        "text": (
            'return "*".join(f"{p}^{powers[p]}" if powers[p] > 1 else str(p) for p in sorted(powers)) or "1"',
            "str",
            "a text such as '2^3*5' for 40, by ascending primes, without exponents of 1; '1' for 1",
        ),
        "signed": (
            "return sum(p if powers[p] % 2 == 1 else -p for p in powers)",
            "int",
            "the sum of the different primes in it, where primes with an even exponent are subtracted instead; 0 for 1",
        ),
    }
    end, returns, said = ends[what]
    skip = draw.pick(1, 2, 3)
    spec = f"Factor a whole number (1 or more) into primes{f', after dividing it by {skip} as often as that goes without a rest' if skip > 1 else ''}. Return {said}."
    strip = f"\n            while number % {skip} == 0:\n                number //= {skip}" if skip > 1 else ""
    return Sketch(
        "factors", "number: int", returns, spec,
        f"""
        def factors(number):{strip}
            powers = {{}}
            divisor = 2
            while divisor * divisor <= number:
                while number % divisor == 0:
                    powers[divisor] = powers.get(divisor, 0) + 1
                    number //= divisor
                divisor += 1
            if number > 1:
                powers[number] = powers.get(number, 0) + 1
            {end}
        """,
        lambda: [draw.whole(1, draw.pick(40, 400, 4000))],
    )  # fmt: skip


@family("numeric", 0)
def recurrence(draw: Draw) -> Sketch:
    depth, modulus = draw.whole(2, 3), draw.pick(1000, 997, 10007)
    starts = [draw.whole(0, 5) for _ in range(depth - 1)] + [draw.whole(1, 5)]
    weights = [draw.whole(1, 4) for _ in range(depth)]
    every, extra = draw.whole(3, 5), draw.whole(1, 9)
    terms = " + ".join(f"{w} * values[n - {k}]" for k, w in enumerate(weights, start=1))
    said = " + ".join(f"{w} f(n-{k})" for k, w in enumerate(weights, start=1))
    firsts = ", ".join(f"f({n}) = {v}" for n, v in enumerate(starts))
    return Sketch(
        "term", "n: int", "int",
        f"""A sequence is given by {firsts}, and f(n) = {said} for every larger n; where n is divisible by {every}, {extra} is
        added as well. All values from f({depth}) on are reduced modulo {modulus} (to 0 ... {modulus - 1}). Return f(n).""",
        f"""
        def term(n):
            values = {starts!r}
            for n in range(len(values), n + 1):
                value = {terms}
                if n % {every} == 0:
                    value += {extra}
                values.append(value % {modulus})
            return values[n]
        """,
        lambda: [draw.whole(0, 60)],
    )  # fmt: skip
