"""Programs on lists."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("lists", 0)
def keep_and_turn(draw: Draw) -> Sketch:
    divisor, turn = draw.whole(2, 5), draw.whole(1, 4)
    left, keep = draw.chance(0.5), draw.pick("first", "last")
    seen = "numbers" if keep == "first" else "numbers[::-1]"
    back = "" if keep == "first" else "\n            kept.reverse()"
    return Sketch(
        "rearrange", "numbers: list[int]", "list[int]",
        f"""First leave out every number that is divisible by {divisor}. Of equal numbers, keep only the {keep} one, without
        changing the order of what is kept. Then turn the list {turn} place{"s" if turn > 1 else ""} to the
        {"left: what falls out at the front comes in at the back" if left else "right: what falls out at the back comes in at the front"}.
        An empty list stays empty.""",
        f"""
        def rearrange(numbers):
            kept = []
            for number in {seen}:
                if number % {divisor} != 0 and number not in kept:
                    kept.append(number){back}
            if not kept:
                return []
            turn = {turn} % len(kept)
            {"return kept[turn:] + kept[:turn]" if left else "return kept[len(kept) - turn:] + kept[:len(kept) - turn]"}
        """,
        lambda: [draw.ints(0, 12, -9, 15)],
    )  # fmt: skip


@family("lists", 1)
def best_window(draw: Draw) -> Sketch:
    size, what = draw.whole(2, 4), draw.pick("sum", "range", "start")
    measure = {"sum": "sum(part)", "range": "max(part) - min(part)", "start": "sum(part)"}[what]
    better = draw.pick(">", "<")
    name = {"sum": "sum", "range": "difference between its largest and smallest number", "start": "sum"}[what]
    kind = "largest" if better == ">" else "smallest"
    value = "place" if what == "start" else "value"
    tie = draw.pick("first", "last")
    compare = better if tie == "first" else better + "="
    returned = (
        f"the index at which the {tie} window with the {kind} sum begins"
        if what == "start"
        else f"the {kind} {name} of a window"
    )
    return Sketch(
        "best_window", "numbers: list[int]", "int",
        f"""A window is {size} consecutive numbers of the list. Return {returned}. If the list is shorter than a window,
        return -1.""",
        f"""
        def best_window(numbers):
            found = None
            place = -1
            for start in range(len(numbers) - {size} + 1):
                part = numbers[start:start + {size}]
                value = {measure}
                if found is None or value {compare} found:
                    found = value
                    place = start
            if found is None:
                return -1
            {"return place" if value == "place" else "return found"}
        """,
        lambda: [draw.ints(0, 11, -9, 20)],
    )  # fmt: skip


@family("lists", 1)
def longest_run(draw: Draw) -> Sketch:
    rule, said = draw.pick(
        ("b > a", "each number is larger than the one before it"),
        ("b >= a", "no number is smaller than the one before it"),
        ("abs(b - a) <= 3", "neighbours differ by at most 3"),
        ("(a + b) % 2 == 1", "even and odd numbers alternate"),
        ("b != a and (b > 0) != (a > 0)", "of two neighbours exactly one is above 0"),
    )
    what = draw.pick("length", "run")
    return Sketch(
        "longest_run", "numbers: list[int]", "int" if what == "length" else "list[int]",
        f"""Find the longest run of consecutive numbers of the list in which {said}; a single number is a run of length 1. Of
        several equally long runs take the first. Return {"its length, 0 for an empty list" if what == "length" else "the run itself, an empty list for an empty list"}.""",
        f"""
        def longest_run(numbers):
            best = []
            run = []
            for b in numbers:
                if run:
                    a = run[-1]
                    if not ({rule}):
                        run = []
                run = run + [b]
                if len(run) > len(best):
                    best = run
            return {"len(best)" if what == "length" else "best"}
        """,
        lambda: [draw.ints(0, 13, -6, 9)],
    )  # fmt: skip


@family("lists", 0)
def chunk_sums(draw: Draw) -> Sketch:
    size, short = draw.whole(2, 4), draw.pick("keep", "drop", "merge")
    said = {
        "keep": "a shorter chunk at the end counts as well",
        "drop": "a shorter chunk at the end is left out",
        "merge": "the numbers of a shorter chunk at the end are added to the chunk before it, if there is one; otherwise they form the only chunk",
    }[short]
    tail = {
        "keep": "",
        "drop": f"\n            if len(numbers) % {size} != 0:\n                sums.pop()",
        "merge": f"\n            if len(numbers) % {size} != 0 and len(sums) > 1:\n                rest = sums.pop()\n                sums[-1] += rest",
    }[short]
    sign = draw.chance(0.5)
    return Sketch(
        "chunk_sums", "numbers: list[int]", "list[int]",
        f"""Cut the list from its front into chunks of {size} numbers and return the sum of each chunk; {said}.
        {"Before that, every second number of the list (the 2nd, the 4th, ...) changes its sign." if sign else ""}""",
        f"""
        def chunk_sums(numbers):
            numbers = [-n if {sign} and i % 2 == 1 else n for i, n in enumerate(numbers)]
            sums = []
            for start in range(0, len(numbers), {size}):
                sums.append(sum(numbers[start:start + {size}])){tail}
            return sums
        """,
        lambda: [draw.ints(0, 12, -9, 30)],
    )  # fmt: skip


@family("lists", 1)
def pairs_to(draw: Draw) -> Sketch:
    form, said = draw.pick(
        ("a + b == target", "sum to the target"),
        ("abs(a - b) == target", "differ by exactly the target"),
        ("(a + b) % target == 0", "have a sum divisible by the target"),
        ("a * b <= target", "have a product of at most the target"),
    )
    apart = draw.whole(1, 3)
    what = draw.pick("count", "first")
    return Sketch(
        "pairs", "numbers: list[int], target: int", "int" if what == "count" else "list[int]",
        f"""Consider the pairs of indices i < j with j - i at least {apart}, whose numbers {said}. Return
        {"how many such pairs there are" if what == "count" else
        "[i, j] of the first one, where pairs are ordered by i and then by j; an empty list if there is none"}.
        The target is at least 1.""",
        f"""
        def pairs(numbers, target):
            found = []
            for i in range(len(numbers)):
                for j in range(i + {apart}, len(numbers)):
                    a = numbers[i]
                    b = numbers[j]
                    if {form}:
                        found.append([i, j])
            {"return len(found)" if what == "count" else "return found[0] if found else []"}
        """,
        lambda: [draw.ints(0, 10, 0, 12), draw.whole(1, 12)],
    )  # fmt: skip


@family("lists", 2)
def rank_numbers(draw: Draw) -> Sketch:
    style = draw.pick("dense", "competition", "last")
    said = {
        "dense": "equal numbers share a rank, and the next number has the rank after it (1, 2, 2, 3)",
        "competition": "equal numbers share the best rank that any of them would have, and ranks are then left out (1, 2, 2, 4)",
        "last": "equal numbers share the worst rank that any of them would have (1, 3, 3, 4)",
    }[style]
    code = {
        "dense": "1 + len({other for other in numbers if other SIGN number})",
        "competition": "1 + sum(1 for other in numbers if other SIGN number)",
        "last": "sum(1 for other in numbers if other SIGN= number)",
    }[style]
    down, by = draw.chance(0.5), draw.pick("value", "absolute")
    sign = ">" if down else "<"
    numbers = "[abs(n) for n in numbers]" if by == "absolute" else "list(numbers)"
    return Sketch(
        "ranks", "numbers: list[int]", "list[int]",
        f"""Give each number its rank, in the order of the list. Rank 1 goes to the {"largest" if down else "smallest"}
        {"absolute value; numbers of equal absolute value count as equal" if by == "absolute" else "number"}; {said}.""",
        f"""
        def ranks(numbers):
            numbers = {numbers}
            result = []
            for number in numbers:
                result.append({code.replace("SIGN", sign)})
            return result
        """,
        lambda: [draw.ints(0, 8, -5, 6)],
    )  # fmt: skip


@family("lists", 1)
def spiral_read(draw: Draw) -> Sketch:
    start, what = draw.pick("rows", "columns"), draw.pick("snake", "diagonal")
    if what == "snake":
        first = draw.pick("forward", "backward")
        odd = 1 if first == "forward" else 0
        source = "rows" if start == "rows" else "[list(column) for column in zip(*rows)]"
        spec = f"""Read a table of numbers (a list of equally long rows) {
            "row by row from the top" if start == "rows" else "column by column from the left"
        }, as a snake: the first {start[:-1]} is read {first}, the second in the other
        direction, and so on in turn. {
            "Forward is from left to right." if start == "rows" else "Forward is from top to bottom."
        }"""
        body = f"""
        def read(rows):
            lines = {source}
            result = []
            for place, line in enumerate(lines):
                result.extend(line[::-1] if place % 2 == {odd} else line)
            return result
        """
    else:
        up = start == "rows"
        spec = f"""Read a table of numbers (a list of equally long rows) along its diagonals: first the cells whose row index
        plus column index is 0, then those where it is 1, and so on. Along each diagonal read from the
        {"top right to the bottom left" if up else "bottom left to the top right"}."""
        order = "range(len(rows))" if up else "range(len(rows) - 1, -1, -1)"
        body = f"""
        def read(rows):
            result = []
            width = len(rows[0]) if rows else 0
            for total in range(len(rows) + width - 1):
                for i in {order}:
                    j = total - i
                    if 0 <= j < width:
                        result.append(rows[i][j])
            return result
        """

    def inputs() -> list[list[list[int]]]:
        width = draw.whole(1, 4)
        return [[[draw.whole(0, 9) for _ in range(width)] for _ in range(draw.whole(1, 4))]]

    return Sketch("read", "rows: list[list[int]]", "list[int]", spec, body, inputs)
