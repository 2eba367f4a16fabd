"""Right programs that take far too long, each with a fast one that does the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from proofgym.envs.code.program import Draw, tidy

__all__ = ["SLOW", "Slow"]


@dataclass(frozen=True, slots=True)
class Slow:
    """One slow program.

    Args:
        hard: How far the fast way is from the slow one: 0, 1 or 2.
        small: Draws arguments for the cases that decide whether a program is right.
        large: Draws arguments on which the slow program takes some tenths of a second, and the fast one a hundredth.
    """

    name: str
    hard: int
    entry: str
    signature: str
    spec: str
    slow: str
    fast: str
    small: Callable[[], list[Any]]
    large: Callable[[], list[Any]]


SLOW: dict[str, Callable[[Draw], Slow]] = {}
_Parts = tuple[str, str, str, str, Callable[[], list[Any]], Callable[[], list[Any]]]


def _slow(hard: int) -> Callable[[Callable[[Draw], _Parts]], None]:
    def enter(make: Callable[[Draw], _Parts]) -> None:
        name = make.__name__

        def one(draw: Draw) -> Slow:
            signature, spec, slow, fast, small, large = make(draw)
            entry = signature.removeprefix("def ").partition("(")[0]
            return Slow(name, hard, entry, signature, " ".join(spec.split()), tidy(slow), tidy(fast), small, large)

        SLOW[name] = one

    return enter


@_slow(0)
def counted_pairs(draw: Draw) -> _Parts:
    k, relation = draw.whole(2, 40), draw.pick("sum", "difference")
    test = f"a + b == {k}" if relation == "sum" else f"abs(a - b) == {k}"
    others = f"seen.get({k} - b, 0)" if relation == "sum" else f"seen.get(b - {k}, 0) + seen.get(b + {k}, 0)"
    said = f"sum to {k}" if relation == "sum" else f"differ by exactly {k}"
    return (
        "def pairs(numbers: list[int]) -> int", f"Return how many pairs of positions i < j hold numbers that {said}.",
        f"""
        def pairs(numbers):
            count = 0
            for i, a in enumerate(numbers):
                for b in numbers[i + 1:]:
                    if {test}:
                        count += 1
            return count
        """,
        f"""
        def pairs(numbers):
            seen = {{}}
            count = 0
            for b in numbers:
                count += {others}
                seen[b] = seen.get(b, 0) + 1
            return count
        """,
        lambda: [draw.ints(0, 12, -k, 2 * k)], lambda: [[draw.whole(-k, 2 * k) for _ in range(1900)]],
    )  # fmt: skip


@_slow(0)
def range_sums(draw: Draw) -> _Parts:
    sign = draw.chance(0.5)
    value = "values[i] if i % 2 == 0 else -values[i]" if sign else "values[i]"
    said = ", where values at odd positions count negatively" if sign else ""
    return (
        "def sums(values: list[int], ranges: list[list[int]]) -> list[int]",
        f"For each [start, stop] return the sum of values[start:stop]{said}. Positions are counted from 0, and 0 <= start <= stop <= len(values).",
        f"""
        def sums(values, ranges):
            result = []
            for start, stop in ranges:
                total = 0
                for i in range(start, stop):
                    total += {value}
                result.append(total)
            return result
        """,
        f"""
        def sums(values, ranges):
            before = [0]
            for i in range(len(values)):
                before.append(before[-1] + ({value}))
            return [before[stop] - before[start] for start, stop in ranges]
        """,
        lambda: (lambda n: [[draw.whole(-9, 9) for _ in range(n)], [sorted([draw.whole(0, n), draw.whole(0, n)]) for _ in range(draw.whole(0, 4))]])(draw.whole(0, 8)),
        lambda: [[draw.whole(-9, 9) for _ in range(3000)], [[draw.whole(0, 300), draw.whole(2700, 3000)] for _ in range(700)]],
    )  # fmt: skip


@_slow(1)
def best_stretch(draw: Draw) -> _Parts:
    least, extreme = draw.whole(1, 3), draw.pick("largest", "smallest")
    pick = "max" if extreme == "largest" else "min"
    prefix = "min" if extreme == "largest" else "max"
    return (
        "def stretch(numbers: list[int]) -> int",
        f"Return the {extreme} sum of {least} or more consecutive numbers of the list; 0 if the list has fewer than {least} numbers.",
        f"""
        def stretch(numbers):
            best = None
            for start in range(len(numbers)):
                total = 0
                for stop in range(start, len(numbers)):
                    total += numbers[stop]
                    if stop - start + 1 >= {least} and (best is None or {pick}(total, best) == total):
                        best = total
            return 0 if best is None else best
        """,
        f"""
        def stretch(numbers):
            before = [0]
            for number in numbers:
                before.append(before[-1] + number)
            best = None
            lowest = 0
            for stop in range({least}, len(before)):
                lowest = {prefix}(lowest, before[stop - {least}])
                total = before[stop] - lowest
                best = total if best is None else {pick}(best, total)
            return 0 if best is None else best
        """,
        lambda: [draw.ints(0, 10, -9, 9)], lambda: [[draw.whole(-50, 50) for _ in range(1100)]],
    )  # fmt: skip


@_slow(1)
def next_larger(draw: Draw) -> _Parts:
    side, sign = draw.pick("right", "left"), draw.pick(">", "<")
    word = "larger" if sign == ">" else "smaller"
    order = "range(i + 1, len(numbers))" if side == "right" else "range(i - 1, -1, -1)"
    walk = "range(len(numbers) - 1, -1, -1)" if side == "right" else "range(len(numbers))"
    return (
        "def distances(numbers: list[int]) -> list[int]",
        f"For each number return how many places to its {side} the nearest {word} number stands, or 0 if there is none on that side.",
        f"""
        def distances(numbers):
            result = []
            for i in range(len(numbers)):
                found = 0
                for j in {order}:
                    if numbers[j] {sign} numbers[i]:
                        found = abs(j - i)
                        break
                result.append(found)
            return result
        """,
        f"""
        def distances(numbers):
            result = [0] * len(numbers)
            stack = []
            for i in {walk}:
                while stack and not numbers[stack[-1]] {sign} numbers[i]:
                    stack.pop()
                if stack:
                    result[i] = abs(stack[-1] - i)
                stack.append(i)
            return result
        """,
        lambda: [draw.ints(0, 10, 0, 9)],
        lambda: [[(3000 - n if (side == "right") == (sign == ">") else n) for n in range(2000)]],
    )  # fmt: skip


@_slow(1)
def window_extremes(draw: Draw) -> _Parts:
    pick = draw.pick("max", "min")
    drop = "<=" if pick == "max" else ">="
    word = "largest" if pick == "max" else "smallest"
    return (
        "def extremes(numbers: list[int], size: int) -> list[int]",
        f"Return the {word} number of every window of `size` consecutive numbers, from left to right; an empty list if the list is shorter. size is at least 1.",
        f"""
        def extremes(numbers, size):
            result = []
            for start in range(len(numbers) - size + 1):
                best = numbers[start]
                for i in range(start, start + size):
                    best = {pick}(best, numbers[i])
                result.append(best)
            return result
        """,
        f"""
        from collections import deque


        def extremes(numbers, size):
            waiting = deque()
            result = []
            for i, number in enumerate(numbers):
                while waiting and numbers[waiting[-1]] {drop} number:
                    waiting.pop()
                waiting.append(i)
                if waiting[0] <= i - size:
                    waiting.popleft()
                if i >= size - 1:
                    result.append(numbers[waiting[0]])
            return result
        """,
        lambda: [draw.ints(0, 10, -9, 9), draw.whole(1, 5)], lambda: [[draw.whole(0, 9999) for _ in range(2600)], 400],
    )  # fmt: skip


@_slow(0)
def known_words(draw: Draw) -> _Parts:
    what = draw.pick("missing", "common")
    test = "not in" if what == "missing" else "in"
    return (
        "def select(words: list[str], others: list[str]) -> list[str]",
        f"Return the different words of the first list that are {'not ' if what == 'missing' else ''}in the second, in the order of their first appearance.",
        f"""
        def select(words, others):
            result = []
            for word in words:
                if word {test} others and word not in result:
                    result.append(word)
            return result
        """,
        f"""
        def select(words, others):
            known = set(others)
            return [word for word in dict.fromkeys(words) if word {test} known]
        """,
        lambda: [draw.words(0, 8, "abc", 2), draw.words(0, 6, "abc", 2)],
        lambda: [[draw.word(6, 8) for _ in range(2100)] if what == "missing" else [f"w{draw.whole(0, 2500)}" for _ in range(2300)],
                 [draw.word(6, 8) for _ in range(2300)] if what == "missing" else [f"w{n}" for n in range(2500, 0, -1)]],
    )  # fmt: skip


@_slow(0)
def recursion_without_memory(draw: Draw) -> _Parts:
    a, b, modulus = draw.whole(1, 4), draw.whole(1, 4), draw.pick(1009, 10007, 99991)
    back = draw.whole(2, 3)
    start = draw.whole(1, 5)
    return (
        "def term(n: int) -> int",
        f"f(0) = ... = f({back - 1}) = {start}; for larger n, f(n) = {a} f(n-1) + {b} f(n-{back}) + n, modulo {modulus}. Return f(n).",
        f"""
        def term(n):
            if n < {back}:
                return {start}
            return ({a} * term(n - 1) + {b} * term(n - {back}) + n) % {modulus}
        """,
        f"""
        def term(n):
            values = [{start}] * {back}
            for k in range({back}, n + 1):
                values.append(({a} * values[k - 1] + {b} * values[k - {back}] + k) % {modulus})
            return values[n]
        """,
        lambda: [draw.whole(0, 14)], lambda: [28 if back == 2 else 38],
    )  # fmt: skip


@_slow(1)
def numbers_without_factor(draw: Draw) -> _Parts:
    what = draw.pick("count", "sum", "gap")
    end = {
        "count": ("len(primes)", "how many primes there are below n"),
        "sum": ("sum(primes)", "the sum of all primes below n"),
        "gap": (
            "max((b - a for a, b in zip(primes, primes[1:])), default=0)",
            "the largest difference between two neighbouring primes below n, 0 if there are fewer than two",
        ),
    }[what]
    return (
        "def primes_below(n: int) -> int", f"Return {end[1]}.",
        f"""
        def primes_below(n):
            primes = []
            for number in range(2, n):
                if all(number % divisor for divisor in range(2, number // 2 + 1)):
                    primes.append(number)
            return {end[0]}
        """,
        f"""
        def primes_below(n):
            sieve = [True] * max(n, 2)
            primes = []
            for number in range(2, n):
                if sieve[number]:
                    primes.append(number)
                    for multiple in range(number * number, n, number):
                        sieve[multiple] = False
            return {end[0]}
        """,
        lambda: [draw.whole(0, 60)], lambda: [5200 + draw.whole(0, 99)],
    )  # fmt: skip


@_slow(2)
def inversions(draw: Draw) -> _Parts:
    factor = draw.whole(1, 3)
    return (
        "def inversions(numbers: list[int]) -> int",
        f"Return how many pairs of positions i < j there are with numbers[i] > {factor if factor > 1 else ''}{' * ' if factor > 1 else ''}numbers[j]. The numbers are 0 or more.",
        f"""
        def inversions(numbers):
            count = 0
            for i in range(len(numbers)):
                for j in range(i + 1, len(numbers)):
                    if numbers[i] > {factor} * numbers[j]:
                        count += 1
            return count
        """,
        f"""
        from bisect import bisect_right, insort


        def inversions(numbers):
            seen = []
            count = 0
            for number in numbers:
                count += len(seen) - bisect_right(seen, {factor} * number)
                insort(seen, number)
            return count
        """,
        lambda: [draw.ints(0, 10, 0, 12)], lambda: [[draw.whole(0, 3000) for _ in range(1500)]],
    )  # fmt: skip


@_slow(2)
def ways_to_step(draw: Draw) -> _Parts:
    steps = sorted(draw.sample(range(1, 6), 3))
    bad = draw.whole(4, 7)
    return (
        "def ways(n: int) -> int",
        f"Return in how many ways one can climb n stairs (n >= 0) with steps of {steps[0]}, {steps[1]} or {steps[2]} stairs, without ever standing on a stair whose number is divisible by {bad} (the last one, n, is allowed). The order of the steps matters.",
        f"""
        def ways(n):
            def climb(stair):
                if stair == n:
                    return 1
                if stair > n or stair > 0 and stair % {bad} == 0:
                    return 0
                return sum(climb(stair + step) for step in {steps!r})

            return climb(0)
        """,
        f"""
        def ways(n):
            table = [0] * (n + 1)
            table[0] = 1
            for stair in range(1, n + 1):
                if stair == n or stair % {bad} != 0:
                    table[stair] = sum(table[stair - step] for step in {steps!r} if step <= stair)
            return table[n]
        """,
        lambda: [draw.whole(0, 16)], lambda: [_deep(steps, bad)],
    )  # fmt: skip


def _deep(steps: list[int], bad: int, wanted: int = 120_000) -> int:
    """The least number of stairs for which the slow way makes that many calls."""
    calls = [1]
    reach = [1]
    while calls[-1] < wanted and len(reach) < 400:
        stair = len(reach)
        reach.append(sum(reach[stair - s] for s in steps if s <= stair and ((stair - s) == 0 or (stair - s) % bad)))
        calls.append(calls[-1] + reach[-1])
    return len(reach) - 1


@_slow(2)
def closest_pair(draw: Draw) -> _Parts:
    what = draw.pick("gap", "triple")
    if what == "gap":
        spec = "Return the smallest difference between two numbers at different positions of the list; -1 if it has fewer than two."
        slow = "best = min(best, abs(numbers[i] - numbers[j])) if best >= 0 else abs(numbers[i] - numbers[j])"
        fast = """
        def closest(numbers):
            ordered = sorted(numbers)
            return min((b - a for a, b in zip(ordered, ordered[1:])), default=-1)
        """
    else:
        k = draw.whole(2, 5)
        spec = f"Return the largest value of numbers[j] - numbers[i] - {k} * (j - i) over positions i < j; -1 if the list has fewer than two numbers, and also if no such value is above -1."
        slow = f"best = max(best, numbers[j] - numbers[i] - {k} * (j - i))"
        fast = f"""
        def closest(numbers):
            best = -1
            lowest = None
            for j, number in enumerate(numbers):
                level = number - {k} * j
                if lowest is not None:
                    best = max(best, level - lowest)
                lowest = level if lowest is None else min(lowest, level)
            return best
        """
    return (
        "def closest(numbers: list[int]) -> int", spec,
        f"""
        def closest(numbers):
            best = -1
            for i in range(len(numbers)):
                for j in range(i + 1, len(numbers)):
                    {slow}
            return best
        """,
        fast, lambda: [draw.ints(0, 9, 0, 60)], lambda: [[draw.whole(0, 10**6) for _ in range(900)]],
    )  # fmt: skip
