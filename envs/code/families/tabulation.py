"""Programs by dynamic programming."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("dynamic programming", 1)
def coins(draw: Draw) -> Sketch:
    what = draw.pick("fewest", "ways", "ordered")
    banned = draw.whole(3, 7)
    said = {
        "fewest": "the least number of coins that sum to exactly the amount, or -1 if that is impossible; 0 for the amount 0",
        "ways": "in how many ways coins can sum to exactly the amount, where the order of the coins does not matter; 1 for the amount 0",
        "ordered": "in how many ways coins can sum to exactly the amount, where a different order of the coins is a different way; 1 for the amount 0",
    }[what]
    rule = draw.chance(0.5)
    extra = (
        f" While coins are laid down one after another, the sum so far must never be a multiple of {banned} other than 0, except at the very end."
        if rule and what != "ways"
        else ""
    )
    skip = (
        f"\n                    if {banned} and 0 < total < amount and total % {banned} == 0:\n                        continue"
        if extra
        else ""
    )
    if what == "ways":
        body = """
        def pay(coins, amount):
            ways = [1] + [0] * amount
            for coin in sorted(set(coins)):
                for total in range(coin, amount + 1):
                    ways[total] += ways[total - coin]
            return ways[amount]
        """
    elif what == "ordered":
        body = f"""
        def pay(coins, amount):
            ways = [1] + [0] * amount
            for total in range(1, amount + 1):
                for coin in sorted(set(coins)):{skip}
                    if coin <= total:
                        ways[total] += ways[total - coin]
            return ways[amount]
        """
    else:
        body = f"""
        def pay(coins, amount):
            fewest = [0] + [None] * amount
            for total in range(1, amount + 1):
                for coin in coins:{skip}
                    if coin <= total and fewest[total - coin] is not None:
                        if fewest[total] is None or fewest[total - coin] + 1 < fewest[total]:
                            fewest[total] = fewest[total - coin] + 1
            return -1 if fewest[amount] is None else fewest[amount]
        """
    return Sketch(
        "pay", "coins: list[int], amount: int", "int",
        f"""There are as many coins as you like of each value in coins (at least 1; a value that is listed twice is still one kind of
        coin). Return {said}.{extra}""",
        body, lambda: [draw.ints(1, 4, 1, 9), draw.whole(0, 24)],
    )  # fmt: skip


@family("dynamic programming", 2)
def edit_cost(draw: Draw) -> Sketch:
    insert, delete, replace = draw.whole(1, 4), draw.whole(1, 4), draw.whole(1, 6)
    swap = draw.whole(1, 3) if draw.chance(0.5) else 0
    vowel = draw.chance(0.5)
    change = f"({replace} + 1 if a[i - 1] in 'aeiou' else {replace})" if vowel else str(replace)
    swaps = (
        f"\n                        if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1] and a[i - 1] != a[i - 2]:\n                            options.append(cost[i - 2][j - 2] + {swap})"
        if swap
        else ""
    )
    return Sketch(
        "edit_cost", "a: str, b: str", "int",
        f"""Return the least cost of turning text a into text b, working through both from left to right. Inserting a character costs
        {insert}, deleting one costs {delete}, replacing one by another costs {replace}{" (one more if the character that is replaced is a vowel: a, e, i, o, u)" if vowel else ""}, and keeping one
        costs nothing.{f" Two neighbouring, different characters that stand in the other order in b can be swapped at a cost of {swap}; characters that were swapped are not changed further." if swap else ""}""",
        f"""
        def edit_cost(a, b):
            cost = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
            for i in range(len(a) + 1):
                for j in range(len(b) + 1):
                    options = []
                    if i > 0:
                        options.append(cost[i - 1][j] + {delete})
                    if j > 0:
                        options.append(cost[i][j - 1] + {insert})
                    if i > 0 and j > 0:
                        change = 0 if a[i - 1] == b[j - 1] else {change}
                        options.append(cost[i - 1][j - 1] + change){swaps}
                    if options:
                        cost[i][j] = min(options)
            return cost[len(a)][len(b)]
        """,
        lambda: [draw.word(0, 6, "aebc"), draw.word(0, 6, "aebc")],
    )  # fmt: skip


@family("dynamic programming", 1)
def pick_apart(draw: Draw) -> Sketch:
    apart, most = draw.whole(1, 3), draw.whole(2, 4)
    limited = draw.chance(0.5)
    limit = most if limited else 99
    return Sketch(
        "harvest", "values: list[int]", "int",
        f"""Choose any number of places of the list (possibly none){f", but at most {most}" if limited else ""}, such that between two
        chosen places there are always at least {apart} places that are not chosen. Return the largest sum that the values at
        the chosen places can have; no place is worth 0.""",
        f"""
        def harvest(values):
            best = [[0] * (len(values) + {apart} + 1) for _ in range(min({limit}, len(values)) + 1)]
            for used in range(1, len(best)):
                for i in range(len(values) - 1, -1, -1):
                    best[used][i] = max(best[used][i + 1], values[i] + best[used - 1][i + {apart} + 1])
            return max(row[0] for row in best)
        """,
        lambda: [draw.ints(0, 10, -5, 12)],
    )  # fmt: skip


@family("dynamic programming", 1)
def grid_ways(draw: Draw) -> Sketch:
    diagonal, what = draw.chance(0.5), draw.pick("count", "most", "least")
    steps = "down or right" + (" or diagonally down and right" if diagonal else "")
    came = "[table.get((i - 1, j)), table.get((i, j - 1))" + (", table.get((i - 1, j - 1))" if diagonal else "") + "]"
    turn = draw.whole(2, 5)
    combine = {
        "count": ("1", "sum(known)"),
        "most": ("value(i, j)", "max(known) + value(i, j)"),
        "least": ("value(i, j)", "min(known) + value(i, j)"),
    }[what]
    returned = {
        "count": "how many ways there are, 0 if none",
        "most": "the largest sum of the numbers on a way, -1 if there is no way",
        "least": "the smallest sum of the numbers on a way, -1 if there is no way",
    }[what]
    none = "0" if what == "count" else "-1"

    def inputs() -> list[object]:
        width = draw.whole(1, 5)
        return [
            [
                [draw.pick(0, 1, 2, 3, 5, 8, 9) if draw.chance(0.85) else 0 for _ in range(width)]
                for _ in range(draw.whole(1, 5))
            ]
        ]

    return Sketch(
        "ways", "rows: list[list[int]]", "int",
        f"""A table has equally long rows of numbers of 0 or more; a cell with 0 is blocked. A way leads from the top left to the bottom
        right cell, each step goes one cell {steps}, and no cell on it is blocked. {f"Numbers in rows whose index is divisible by {turn} count double. " if what != "count" else ""}
        Return {returned}.""",
        f"""
        def ways(rows):
            def value(i, j):
                return 2 * rows[i][j] if i % {turn} == 0 else rows[i][j]

            table = {{}}
            for i in range(len(rows)):
                for j in range(len(rows[0])):
                    if rows[i][j] == 0:
                        continue
                    known = [came for came in {came} if came is not None]
                    if i == 0 and j == 0:
                        table[i, j] = {combine[0]}
                    elif known:
                        table[i, j] = {combine[1]}
            return table.get((len(rows) - 1, len(rows[0]) - 1), {none})
        """,
        inputs,
    )  # fmt: skip


@family("dynamic programming", 2)
def knapsack(draw: Draw) -> Sketch:
    repeat = draw.pick("once", "twice")
    bonus, what = draw.whole(2, 5), draw.pick("value", "items")
    copies = 1 if repeat == "once" else 2
    return Sketch(
        "pack", "items: list[list[int]], room: int", "int",
        f"""Each item is [weight, value], both at least 1. Choose items whose weights sum to at most room; each can be taken {repeat}.
        If the weights sum to exactly room, the bag earns {bonus} besides. Return {"the largest value that a bag can have" if what == "value" else
        "how few items a bag of the largest possible value can have"}; an empty bag is worth 0{f" (and {bonus} if room is 0)"}.""",
        f"""
        def pack(items, room):
            bags = {{0: (0, 0)}}
            for weight, value in items * {copies}:
                for used in sorted(bags, reverse=True):
                    if used + weight <= room:
                        offer = (bags[used][0] + value, bags[used][1] - 1)
                        if used + weight not in bags or offer > bags[used + weight]:
                            bags[used + weight] = offer
            best = max((value + ({bonus} if used == room else 0), count) for used, (value, count) in bags.items())
            return {"best[0]" if what == "value" else "-best[1]"}
        """,
        lambda: [[[draw.whole(1, 7), draw.whole(1, 9)] for _ in range(draw.whole(0, 6))], draw.whole(0, 15)],
    )  # fmt: skip


@family("dynamic programming", 2)
def common_part(draw: Draw) -> Sketch:
    kind = draw.pick("subsequence", "substring")
    weights = draw.chance(0.6)
    weight = "(2 if a[i] in 'xyz' else 1)" if weights else "1"
    zero = "0" if kind == "substring" else "max(best[i + 1][j], best[i][j + 1])"
    end = "max(max(row) for row in best)" if kind == "substring" else "best[0][0]"
    both = (
        "weight + best[i + 1][j + 1]"
        if kind == "substring"
        else "max(weight + best[i + 1][j + 1], best[i + 1][j], best[i][j + 1])"
    )
    fold = draw.chance(0.5)
    same = "a[i].lower() == b[j].lower()" if fold else "a[i] == b[j]"
    return Sketch(
        "common", "a: str, b: str", "int",
        f"""A common {kind} of two texts is a text that can be got from both by {"leaving out characters anywhere" if kind == "subsequence" else
        "leaving out characters at the beginning and at the end"}. {"Characters are compared without regard to case. " if fold else "Case matters. "}
        {"Its weight is the number of its characters, where the lower-case letters x, y and z (as they stand in a) count twice. Return the largest weight" if weights else "Return the largest length"} of a common {kind}; 0 if only the
        empty text is common.""",
        f"""
        def common(a, b):
            best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
            for i in range(len(a) - 1, -1, -1):
                for j in range(len(b) - 1, -1, -1):
                    weight = {weight}
                    if {same}:
                        best[i][j] = {both}
                    else:
                        best[i][j] = {zero}
            return {end}
        """,
        lambda: [draw.word(0, 9, "abxyzAX"), draw.word(0, 9, "abxyzAX")],
    )  # fmt: skip
