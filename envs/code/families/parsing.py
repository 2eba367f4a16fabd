"""Programs that read small languages."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("parsing", 1)
def read_settings(draw: Draw) -> Sketch:
    equals, comment = draw.pick("=", ":", "->"), draw.pick("#", ";", "//")
    repeat = draw.pick("last", "first", "join")
    store = {
        "last": "settings[key] = value",
        "first": "settings.setdefault(key, value)",
        "join": 'settings[key] = settings[key] + "," + value if key in settings else value',
    }[repeat]
    said = {
        "last": "the last value counts",
        "first": "the first value counts",
        "join": "the values are joined by ',' in their order",
    }[repeat]
    lower = draw.chance(0.5)
    return Sketch(
        "read_settings", "text: str", "dict[str, str]",
        f"""Read settings from a text, one a line, of the form key {equals} value. Everything from the first {comment!r} of a
        line on is a comment. Keys and values are separated by the first {equals!r}; blanks around keys and values do not
        matter, and keys are {"turned into lower case" if lower else "kept as they are"}. Lines without {equals!r} or with an
        empty key are left out; a value may be empty. If a key comes more than once, {said}.""",
        f"""
        def read_settings(text):
            settings = {{}}
            for line in text.split("\\n"):
                line = line.split({comment!r})[0]
                if {equals!r} not in line:
                    continue
                key, value = line.split({equals!r}, 1)
                key = key.strip(){".lower()" if lower else ""}
                value = value.strip()
                if key:
                    {store}
            return settings
        """,
        lambda: [
            "\n".join(
                draw.pick("", " ", "A", "a", "b ", "key", "Key") + draw.pick(equals, equals, f" {equals} ", "") + draw.pick("1", " x y", "", equals, "two")
                + draw.pick("", "", f" {comment} note", comment)
                for _ in range(draw.whole(0, 6))
            )
        ],
    )  # fmt: skip


@family("parsing", 2)
def postfix(draw: Draw) -> Sketch:
    extra = draw.pick(
        ("max", "max(a, b)", "the larger of a and b"),
        ("gap", "abs(a - b)", "the distance between a and b"),
        ("mod", "a % b if b > 0 else 0", "the rest of a divided by b (0 to b - 1), and 0 if b is not above 0"),
    )
    single = draw.pick(
        ("neg", "-a", "minus a"), ("sq", "a * a", "a times a"), ("half", "a // 2", "half of a, rounded down")
    )
    error = draw.pick(-1, 0, 99)
    return Sketch(
        "evaluate", "text: str", "int",
        f"""Evaluate an expression in postfix notation, whose parts are separated by blanks. Whole numbers (possibly with a minus
        sign) are pushed onto a stack. '+', '-', '*' and '{extra[0]}' take b off the top, then a, and push a + b, a - b,
        a * b, or {extra[2]}. '{single[0]}' takes a off the top and pushes {single[2]}. 'dup' pushes the top once more. The result
        is the number left at the end. If a part is none of these, if the stack has too few numbers for one, or if not
        exactly one number is left at the end, return {error}.""",
        f"""
        def evaluate(text):
            stack = []
            for part in text.split():
                if part in ("+", "-", "*", {extra[0]!r}):
                    if len(stack) < 2:
                        return {error}
                    b = stack.pop()
                    a = stack.pop()
                    if part == "+":
                        stack.append(a + b)
                    elif part == "-":
                        stack.append(a - b)
                    elif part == "*":
                        stack.append(a * b)
                    else:
                        stack.append({extra[1]})
                elif part in ({single[0]!r}, "dup"):
                    if not stack:
                        return {error}
                    if part == "dup":
                        stack.append(stack[-1])
                    else:
                        a = stack.pop()
                        stack.append({single[1]})
                elif part.isdigit() or part[0] == "-" and part[1:].isdigit():
                    stack.append(int(part))
                else:
                    return {error}
            return stack[0] if len(stack) == 1 else {error}
        """,
        lambda: [_postfix(draw, extra[0], single[0])],
    )  # fmt: skip


def _postfix(draw: Draw, extra: str, single: str) -> str:
    parts, height = [], 0
    for _ in range(draw.whole(1, 7)):
        if height >= 2 and draw.chance(0.55):
            parts.append(draw.pick("+", "-", "*", extra))
            height -= 1
        elif height >= 1 and draw.chance(0.3):
            parts.append(draw.pick(single, single, "dup"))
            height += parts[-1] == "dup"
        else:
            parts.append(str(draw.whole(-4, 9)))
            height += 1
    if draw.chance(0.85):
        parts.extend(draw.pick("+", "-", extra) for _ in range(height - 1))
    if draw.chance(0.08):
        parts.append(draw.pick("x", "+", "1.5"))
    return " ".join(parts)


@family("parsing", 1)
def durations(draw: Draw) -> Sketch:
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    bare = draw.pick("s", "m")
    error = draw.pick(-1, 0)
    names = {"s": "seconds", "m": "minutes"}
    strict = draw.chance(0.5)
    check = (
        f"""
                    if units[letter] >= last:
                        return {error}
                    last = units[letter]"""
        if strict
        else ""
    )
    return Sketch(
        "seconds", "text: str", "int",
        f"""Turn a duration such as '1h30m' into seconds. It is a sequence of whole numbers, each followed by a unit: d (days),
        h, m, s; blanks anywhere do not matter. A number without a unit is allowed at the very end and means {names[bare]}.
        {"Units must come from the largest to the smallest, none of them twice; the number without a unit may follow anything. " if strict else "A unit may come more than once, in any order. "}
        Return {error} for a text that is not of this form, such as one that is empty, has other characters or a unit without a
        number.""",
        f"""
        def seconds(text):
            units = {units!r}
            total = 0
            digits = ""
            found = False
            last = 10 ** 9
            for letter in text.replace(" ", ""):
                if letter.isdigit():
                    digits += letter
                elif letter in units and digits:{check}
                    total += int(digits) * units[letter]
                    digits = ""
                    found = True
                else:
                    return {error}
            if digits:
                total += int(digits) * {units[bare]}
                found = True
            return total if found else {error}
        """,
        lambda: [
            "".join(
                f"{draw.whole(0, 40)}{draw.pick('', ' ')}{u}{draw.pick('', ' ')}"
                for u in (draw.sample("dhms", draw.whole(0, 3)) if draw.chance(0.3) else sorted(draw.sample("dhms", draw.whole(0, 3)), key="dhms".index))
            )
            + draw.pick("", "", str(draw.whole(1, 59)), "x" if draw.chance(0.3) else "")
        ],
    )  # fmt: skip


@family("parsing", 2)
def quoted_fields(draw: Draw) -> Sketch:
    mark, quote = draw.pick(",", ";", "|"), draw.pick("'", '"')
    trim = draw.chance(0.5)
    return Sketch(
        "fields", "line: str", "list[str]",
        f"""Split a line into fields at {mark!r}. A field that begins with {quote} ends at the next {quote} that is not doubled,
        and may contain {mark!r}; inside it, two {quote} in a row stand for one. Everything between the closing {quote} and the next
        {mark!r} is ignored. {"Blanks at both ends of a field that is not quoted are removed; a field counts as quoted only if its very first character is the quote. " if trim else "Blanks belong to the field. "}
        A quoted field that is never closed ends with the line. An empty line is one empty field.""",
        f"""
        def fields(line):
            result = []
            at = 0
            while True:
                field = ""
                if at < len(line) and line[at] == {quote!r}:
                    at += 1
                    while at < len(line):
                        if line[at] == {quote!r}:
                            if line[at + 1:at + 2] != {quote!r}:
                                at += 1
                                break
                            at += 1
                        field += line[at]
                        at += 1
                    while at < len(line) and line[at] != {mark!r}:
                        at += 1
                else:
                    while at < len(line) and line[at] != {mark!r}:
                        field += line[at]
                        at += 1
                    {"field = field.strip()" if trim else "pass"}
                result.append(field)
                if at >= len(line):
                    return result
                at += 1
        """,
        lambda: [
            mark.join(
                draw.pick("a", " b ", "", "cd", f"{quote}x{mark}y{quote}", f"{quote}p{quote}{quote}q{quote}", f"{quote}z{quote} w", f"{quote}open", "e f")
                for _ in range(draw.whole(1, 5))
            )
        ],
    )  # fmt: skip


@family("parsing", 1)
def compare_versions(draw: Draw) -> Sketch:
    pre = draw.pick("lower", "higher")
    sign = "-1" if pre == "lower" else "1"
    what = draw.pick("newest", "sorted")
    return Sketch(
        "versions", "names: list[str]", "str" if what == "newest" else "list[str]",
        f"""Versions are texts such as '1.10.2' or '1.2-b3': whole numbers separated by full stops, possibly followed by
        '-b' and a whole number. They are compared number by number; missing numbers count as 0, so '1.2' and '1.2.0' have
        equal numbers. Among versions with equal numbers, one with '-b' is {pre} than one without, and two with '-b' are compared by
        the number after it. Return {"the highest version, the first of several equal ones; '' for an empty list" if what == "newest"
        else "the versions from the lowest to the highest, equal ones in their original order"}.""",
        f"""
        def versions(names):
            def key(name):
                numbers, _, build = name.partition("-b")
                parts = [int(part) for part in numbers.split(".")]
                while parts and parts[-1] == 0:
                    parts.pop()
                return (parts, ({sign}, int(build)) if build else (0, 0))

            {"return max(names, key=key, default='')" if what == "newest" else "return sorted(names, key=key)"}
        """,
        lambda: [
            [
                ".".join(str(draw.pick(0, 1, 2, 10)) for _ in range(draw.whole(1, 3))) + draw.pick("", "", f"-b{draw.whole(1, 12)}")
                for _ in range(draw.whole(0, 5))
            ]
        ],
    )  # fmt: skip
