"""Programs on dictionaries and records."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("dictionaries", 0)
def group_words(draw: Draw) -> Sketch:
    key, said = draw.pick(
        ("str(len(word))", "its length, written as a text"),
        ("word[0]", "its first letter"),
        ("word[-1]", "its last letter"),
        ("''.join(sorted(word))", "its letters in alphabetical order"),
        ("''.join(sorted(set(word)))", "its different letters in alphabetical order"),
    )
    what = draw.pick("lists", "counts", "longest")
    value = {"lists": "groups[key]", "counts": "len(groups[key])", "longest": "max(groups[key], key=len)"}[what]
    shown = {
        "lists": "the words of the group in their order, without repetitions",
        "counts": "how many different words are in the group",
        "longest": "the longest word of the group, the first of several",
    }[what]
    least = draw.whole(1, 2)
    return Sketch(
        "group", "words: list[str]", {"lists": "dict[str, list[str]]", "counts": "dict[str, int]", "longest": "dict[str, str]"}[what],
        f"""Group words (none is empty) by a key: the key of a word is {said}. Return a dictionary from each key to {shown}.
        {"Groups with only one different word are left out." if least == 2 else ""}""",
        f"""
        def group(words):
            groups = {{}}
            for word in words:
                key = {key}
                found = groups.setdefault(key, [])
                if word not in found:
                    found.append(word)
            return {{key: {value} for key in groups if len(groups[key]) >= {least}}}
        """,
        lambda: [draw.words(0, 10, "abc", 3)],
    )  # fmt: skip


@family("dictionaries", 1)
def merge_stock(draw: Draw) -> Sketch:
    rule, said = draw.pick(
        ("old + new", "their sum"),
        ("max(old, new)", "the larger one"),
        ("new - old", "the second minus the first"),
        ("old * new", "their product"),
    )
    alone = draw.pick("keep", "drop", "negate")
    only = {"keep": "value", "drop": "", "negate": "-value"}[alone]
    told = {"keep": "is kept as it is", "drop": "is left out", "negate": "is kept with the other sign"}[alone]
    zero = draw.chance(0.5)
    body = f"\n                elif key not in first:\n                    result[key] = {only}" if only else ""
    front = (
        f"\n            for key, value in first.items():\n                if key not in second:\n                    result[key] = {only}"
        if only
        else ""
    )
    return Sketch(
        "merge", "first: dict[str, int], second: dict[str, int]", "dict[str, int]",
        f"""Merge two dictionaries. A key that is in both gets {said} of its two values. A key that is in only one of them {told}.
        {"Keys whose value would be 0 are left out at the end." if zero else ""}""",
        f"""
        def merge(first, second):
            result = {{}}{front}
            for key, value in second.items():
                if key in first:
                    old = first[key]
                    new = value
                    result[key] = {rule}{body}
            return {{key: value for key, value in result.items() if {"value != 0" if zero else "True"}}}
        """,
        lambda: [{k: draw.whole(-3, 6) for k in draw.sample("abcdef", draw.whole(0, 5))} for _ in range(2)],
    )  # fmt: skip


@family("dictionaries", 2)
def flatten(draw: Draw) -> Sketch:
    mark, empty = draw.pick(".", "/", "__"), draw.pick("drop", "keep")
    first = draw.whole(0, 1)
    bare = f"""
                if path and isinstance(value, (dict, list)) and not value:
                    result[{mark!r}.join(path)] = None"""
    return Sketch(
        "flatten", "data: dict", "dict",
        f"""Flatten nested data. Dictionaries and lists may contain numbers, texts, dictionaries and lists. Return one dictionary whose
        keys are the paths to all numbers and texts, with {mark!r} between the parts of a path; the part for an item of a list is its
        place, counted from {first}. {"Empty dictionaries and lists inside leave no trace." if empty == "drop" else "An empty dictionary or list inside appears under its own path with the value None."}
        The data itself may be empty: the result is then an empty dictionary.""",
        f"""
        def flatten(data):
            result = {{}}

            def walk(value, path):{bare if empty == "keep" else ""}
                if isinstance(value, dict):
                    for key in value:
                        walk(value[key], path + [key])
                elif isinstance(value, list):
                    for place, item in enumerate(value, start={first}):
                        walk(item, path + [str(place)])
                else:
                    result[{mark!r}.join(path)] = value

            walk(data, [])
            return result
        """,
        lambda: [{k: _nested(draw, 2) for k in draw.sample("abcd", draw.whole(0, 3))}],
    )  # fmt: skip


def _nested(draw: Draw, depth: int) -> object:
    kind = draw.whole(0, 3) if depth else draw.whole(0, 1)
    if kind == 0:
        return draw.whole(0, 99)
    if kind == 1:
        return draw.word(1, 3)
    if kind == 2:
        return [_nested(draw, depth - 1) for _ in range(draw.whole(0, 3))]
    return {k: _nested(draw, depth - 1) for k in draw.sample("xyz", draw.whole(0, 3))}


@family("dictionaries", 1)
def invert(draw: Draw) -> Sketch:
    many = draw.pick("list", "first", "drop")
    said = {
        "list": "Each value becomes a key, and its new value is the list of all old keys that had it, in alphabetical order.",
        "first": "Each value becomes a key, and its new value is the alphabetically first of the old keys that had it.",
        "drop": "Each value that exactly one key has becomes a key, and its new value is that old key; values that several keys have are left out.",
    }[many]
    value = {"list": "sorted(keys)", "first": "min(keys)", "drop": "keys[0]"}[many]
    strip = draw.chance(0.5)
    return Sketch(
        "invert", "table: dict[str, str]", "dict[str, list[str]]" if many == "list" else "dict[str, str]",
        f"""Turn a dictionary round. {said} {"Values are compared, and become keys, in lower case." if strip else "Values that differ in case are different."} Empty
        values are left out.""",
        f"""
        def invert(table):
            found = {{}}
            for key, value in table.items():
                value = value{".lower()" if strip else ""}
                if value:
                    found.setdefault(value, []).append(key)
            result = {{}}
            for value, keys in found.items():
                if {"len(keys) == 1" if many == "drop" else "True"}:
                    result[value] = {value}
            return result
        """,
        lambda: [{k: draw.pick("red", "Red", "blue", "BLUE", "", "green") for k in draw.sample("pqrstu", draw.whole(0, 6))}],
    )  # fmt: skip


@family("dictionaries", 1)
def league(draw: Draw) -> Sketch:
    win, tie = draw.whole(2, 3), draw.whole(0, 1)
    order = draw.pick("difference", "scored", "name")
    key, rule = {
        "difference": ("(-points[t], lost[t] - scored[t], t)", "the larger difference of goals scored and received"),
        "scored": ("(-points[t], -scored[t], t)", "more goals scored"),
        "name": ("(-points[t], t)", ""),
    }[order]
    by_name = "the one with the alphabetically smaller name"
    second = (
        f"; if points are equal, the one with {rule}; if that is equal as well, {by_name}"
        if rule
        else f"; if points are equal, {by_name}"
    )
    what = draw.pick("table", "champion")
    return Sketch(
        "league", "games: list[list]", "list[list]" if what == "table" else "str",
        f"""Each game is [home, away, home goals, away goals]. The winner gets {win} points and the loser none; in a draw each
        team gets {tie if tie else "no"} point{"" if tie == 1 else "s"}. The team with more points ranks higher{second}. Return {"a list of [team, points] from the highest rank down, with every team that played" if what == "table"
        else "the name of the highest team, or '' if there were no games"}.""",
        f"""
        def league(games):
            points = {{}}
            scored = {{}}
            lost = {{}}
            for home, away, own, other in games:
                for team, a, b in ((home, own, other), (away, other, own)):
                    points.setdefault(team, 0)
                    scored[team] = scored.get(team, 0) + a
                    lost[team] = lost.get(team, 0) + b
                    if a > b:
                        points[team] += {win}
                    elif a == b:
                        points[team] += {tie}
            ranked = sorted(points, key=lambda t: {key})
            {"return [[t, points[t]] for t in ranked]" if what == "table" else 'return ranked[0] if ranked else ""'}
        """,
        lambda: [[[*draw.sample(["Oslo", "Bonn", "Graz", "Lyon"], 2), draw.whole(0, 4), draw.whole(0, 4)] for _ in range(draw.whole(0, 7))]],
    )  # fmt: skip
