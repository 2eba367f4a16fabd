"""Programs on texts."""

from __future__ import annotations

from proofgym.envs.code.program import Draw, Sketch, family


@family("strings", 0)
def run_lengths(draw: Draw) -> Sketch:
    least, mark = draw.whole(2, 4), draw.pick("", "*", "x", "#")
    order = draw.pick("count", "letter")
    piece = f'f"{{len(run)}}{mark}{{run[0]}}"' if order == "count" else f'f"{{run[0]}}{mark}{{len(run)}}"'
    shown = f"'4{mark}a'" if order == "count" else f"'a{mark}4'"
    return Sketch(
        "compress", "text: str", "str",
        f"""Compress the runs of equal characters in a text. A run of at least {least} equal characters, such as 'aaaa',
        becomes {shown} ({"its length, then the character" if order == "count" else "the character, then the run's length"}{
        f", with {mark!r} in between" if mark else ""}). Shorter runs stay as they are. Runs are as long as possible.""",
        f"""
        def compress(text):
            runs = []
            for letter in text:
                if runs and runs[-1][0] == letter:
                    runs[-1] += letter
                else:
                    runs.append(letter)
            parts = []
            for run in runs:
                if len(run) >= {least}:
                    parts.append({piece})
                else:
                    parts.append(run)
            return "".join(parts)
        """,
        lambda: ["".join(draw.word(1, 1, "abc") * draw.whole(1, 6) for _ in range(draw.whole(0, 7)))],
    )  # fmt: skip


@family("strings", 0)
def shift_letters(draw: Draw) -> Sketch:
    step, kept = draw.whole(2, 23), "".join(sorted(draw.sample("aeiostnr", draw.whole(1, 4))))
    grows = draw.chance(0.5)
    return Sketch(
        "shift", "text: str", "str",
        f"""Shift letters along the alphabet, around its end. Each lower-case letter that is not one of
        {", ".join(kept)} moves {step} places forward ('z' is followed by 'a'). {
        "Each letter that is moved also moves one place more than the letter moved before it." if grows else ""
        } Every other character stays as it is{", and does not count as moved" if grows else ""}.""",
        f"""
        def shift(text):
            result = []
            moved = 0
            for letter in text:
                if "a" <= letter <= "z" and letter not in {kept!r}:
                    place = (ord(letter) - ord("a") + {step} + {"moved" if grows else "0"}) % 26
                    result.append(chr(ord("a") + place))
                    moved += 1
                else:
                    result.append(letter)
            return "".join(result)
        """,
        lambda: [draw.word(0, 14, "abcdefghijklmnopqrstuvwxyzXYZ 0-")],
    )  # fmt: skip


@family("strings", 1)
def common_words(draw: Draw) -> Sketch:
    top, least = draw.whole(2, 5), draw.whole(1, 3)
    tie = draw.pick("alphabetical", "first", "longest")
    keys = {
        "alphabetical": ("(-counts[word], word)", "in alphabetical order"),
        "first": ("(-counts[word], first[word])", "in the order of their first appearance"),
        "longest": (
            "(-counts[word], -len(word), word)",
            "longer words first, and words of equal length alphabetically",
        ),
    }
    return Sketch(
        "common_words", "text: str", "list[str]",
        f"""Find the {top} commonest words of a text, commonest first. Words are separated by one or more blanks, commas or
        full stops, and compared without regard to case; the result is in lower case. Words of fewer than {least}
        {"letters" if least != 1 else "letter"} are left out. Words that are equally common come {keys[tie][1]}. If there
        are fewer than {top} different words, return all.""",
        f"""
        def common_words(text):
            counts = {{}}
            first = {{}}
            for mark in ",.":
                text = text.replace(mark, " ")
            for place, word in enumerate(text.lower().split()):
                if len(word) < {least}:
                    continue
                counts[word] = counts.get(word, 0) + 1
                first.setdefault(word, place)
            ranked = sorted(counts, key=lambda word: {keys[tie][0]})
            return ranked[:{top}]
        """,
        lambda: [
            "".join(
                draw.pick("go", "Go", "to", "tea", "a", "A", "the", "The", "sea", "by", "oak") + draw.pick(" ", ", ", ". ", "  ")
                for _ in range(draw.whole(0, 16))
            )
        ],
    )  # fmt: skip


@family("strings", 1)
def palindromes(draw: Draw) -> Sketch:
    least, what = draw.whole(2, 4), draw.pick("count", "longest", "different")
    ends = {
        "count": ("return len(found)", "int", "how many there are, counting equal ones at different places separately"),
        "different": ("return len(set(found))", "int", "how many different ones there are"),
        "longest": (
            'return max(found, key=len, default="")',
            "str",
            "the longest one, the leftmost of several, or '' if there is none",
        ),
    }
    end, returns, said = ends[what]
    return Sketch(
        "palindromes", "text: str", returns,
        f"""Look at every substring of the text (consecutive characters) that reads the same in both directions and has at
        least {least} characters. Return {said}.""",
        f"""
        def palindromes(text):
            found = []
            for start in range(len(text)):
                for stop in range(start + {least}, len(text) + 1):
                    part = text[start:stop]
                    if part == part[::-1]:
                        found.append(part)
            {end}
        """,
        lambda: [draw.word(0, 9, draw.pick("ab", "abc"))],
    )  # fmt: skip


@family("strings", 0)
def case_words(draw: Draw) -> Sketch:
    small = sorted(draw.sample(["a", "of", "the", "in", "on", "and", "to"], draw.whole(2, 4)))
    joiner, first = draw.pick(" ", "_", "-"), draw.chance(0.5)
    always = "" if first else "not first and "
    return Sketch(
        "headline", "text: str", "str",
        f"""Turn a text into a headline. Words are separated by blanks. Every word gets an upper-case first letter and
        lower-case letters after it, except the words {", ".join(small)} (in any case), which become all lower case{
        "" if first else ", unless such a word is the very first of the text: then it is treated as any other word"}.
        The words are joined by {joiner!r}, without anything before or after.""",
        f"""
        def headline(text):
            small = {small!r}
            words = []
            for word in text.split():
                first = len(words) == 0
                if {always}word.lower() in small:
                    words.append(word.lower())
                else:
                    words.append(word[0].upper() + word[1:].lower())
            return {joiner!r}.join(words)
        """,
        lambda: [
            "  ".join(
                draw.pick("the", "THE", "of", "In", "a", "on", "and", "to", "Of", draw.word(1, 5, "abcXYZ"))
                for _ in range(draw.whole(0, 7))
            )
        ],
    )  # fmt: skip


@family("strings", 2)
def expand_pattern(draw: Draw) -> Sketch:
    opening, closing = draw.pick(("[", "]"), ("(", ")"), ("<", ">"), ("{", "}"))
    reverse = draw.chance(0.5)
    return Sketch(
        "expand", "text: str", "str",
        f"""Expand a packed text. A digit from 1 to 9 followed by a part in {opening}{closing} stands for that part repeated
        so many times; parts can lie inside parts, and inner ones are expanded first. {
        "Every second repetition of a part (the 2nd, the 4th, ...) is written backwards. " if reverse else ""
        }All other characters are lower-case letters and stand for themselves. The text is always well formed: a digit is
        always followed by {opening}.""",
        f"""
        def expand(text):
            stack = [""]
            counts = []
            for letter in text:
                if letter.isdigit():
                    counts.append(int(letter))
                elif letter == {opening!r}:
                    stack.append("")
                elif letter == {closing!r}:
                    part = stack.pop()
                    for turn in range(counts.pop()):
                        stack[-1] += part[::-1] if {reverse} and turn % 2 == 1 else part
                else:
                    stack[-1] += letter
            return stack[0]
        """,
        lambda: [_packed(draw, opening, closing, 2)],
    )  # fmt: skip


def _packed(draw: Draw, opening: str, closing: str, depth: int) -> str:
    parts = []
    for _ in range(draw.whole(0 if depth == 2 else 1, 3)):
        if depth and draw.chance(0.5):
            parts.append(f"{draw.whole(1, 4)}{opening}{_packed(draw, opening, closing, depth - 1)}{closing}")
        else:
            parts.append(draw.word(1, 3, "abc"))
    return "".join(parts)


@family("strings", 1)
def longest_window(draw: Draw) -> Sketch:
    distinct, what = draw.whole(2, 3), draw.pick("length", "text")
    vowels = draw.chance(0.4)
    extra = " and part.count('a') <= 2" if vowels else ""
    return Sketch(
        "window", "text: str", "int" if what == "length" else "str",
        f"""Find the longest substring (consecutive characters) that has at most {distinct} different characters
        {"and at most two letters 'a'" if vowels else ""}; of several equally long ones the leftmost. Return
        {"its length" if what == "length" else "it"}; for an empty text, {"0" if what == "length" else "''"}.""",
        f"""
        def window(text):
            best = ""
            for start in range(len(text)):
                for stop in range(start + 1, len(text) + 1):
                    part = text[start:stop]
                    if len(set(part)) <= {distinct}{extra} and len(part) > len(best):
                        best = part
            return {"len(best)" if what == "length" else "best"}
        """,
        lambda: [draw.word(0, 14, "abcd")],
    )  # fmt: skip
