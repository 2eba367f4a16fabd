"""Inputs that cost too much: patterns that backtrack, archives that swell, nesting without end."""

from __future__ import annotations

import base64
import zlib
from typing import Any

from proofgym.envs.code.holes.hole import Hole, hole
from proofgym.envs.code.program import Draw


@hole("CWE-1333")
def slow_pattern(draw: Draw) -> Hole:
    weak, sound, said, good, bad, attack = draw.pick(
        (r"(\w+\s?)*", r"(?:\w+(?:\s\w+)*\s?)?", "words (letters, digits and underscores) with exactly one white space character between them, possibly one after the last; the empty text is such a text", ["one two", "", "a b c ", "x_1"], [" a", "a  b", "a!", "-"], "a" * 40 + "!"),
        (r"(\d+,?)+", r"\d+(?:,\d+)*,?", "numbers (decimal digits) with exactly one comma between them, possibly one after the last", ["1,2", "7", "10,20,"], ["", ",1", "1,,2", "1;2"], "1" * 40 + "x"),
        (r"([a-z]+-?)+", r"[a-z]+(?:-[a-z]+)*-?", "words of the letters a to z with exactly one hyphen between them, possibly one after the last", ["a-b", "abc", "x-y-"], ["", "-a", "a--b", "A"], "a" * 40 + "?"),
    )  # fmt: skip

    def source(pattern: str) -> str:
        return f'''import re

PATTERN = re.compile(r"{pattern}", re.ASCII)


def valid(text):
    return PATTERN.fullmatch(text) is not None
'''

    return Hole(
        "CWE-1333", "inefficient regular expression", "valid", "def valid(text: str) -> bool",
        f"""Return whether the text consists of {said} (ASCII only). The text comes from the public: any text of up to a thousand characters must be answered at once.""",
        source(weak), source(sound), [[text] for text in (*good, *bad)], [[attack], [attack[:-1] + attack], [attack * 3]],
    )  # fmt: skip


@hole("CWE-409")
def compression_bomb(draw: Draw) -> Hole:
    most = draw.pick(1000, 2000, 5000)
    error = draw.pick("too large", "refused")

    def pack(data: bytes) -> str:
        return base64.b64encode(zlib.compress(data, 9)).decode()

    words = ["a", "hello " * 20, "x" * (most - 1), "y" * most, draw.word(50, 90)]
    big: list[list[Any]] = [
        [pack(b"z" * (most + 1))],
        [pack(b"0" * 3 * most)],
        [pack(b"ab" * 400_000)],
        [pack(bytes(range(65, 91)) * most)],
    ]
    return Hole(
        "CWE-409", "handling of highly compressed data", "unpack", "def unpack(text: str) -> str",
        f"""Decode the text from Base64, decompress it with zlib and return it as a text (UTF-8). If the result would have more than {most} bytes, return '{error}' instead, without
        ever holding much more than that in memory; for anything that is not such data, return 'broken'.""",
        """import base64
import zlib


def unpack(text):
    try:
        return zlib.decompress(base64.b64decode(text)).decode()
    except (ValueError, zlib.error):
        return "broken"
""",
        f"""import base64
import zlib


def unpack(text):
    try:
        reader = zlib.decompressobj()
        data = reader.decompress(base64.b64decode(text), {most} + 1)
        if len(data) > {most}:
            return "{error}"
        if not reader.eof:
            return "broken"
        return data.decode()
    except (ValueError, zlib.error):
        return "broken"
""",
        [*[[pack(word.encode())] for word in words], ["!!"], [base64.b64encode(b"plain").decode()]], big,
    )  # fmt: skip


@hole("CWE-674")
def deep_nesting(draw: Draw) -> Hole:
    most = draw.pick(20, 50, 100)
    opening, closing = draw.pick(("(", ")"), ("[", "]"), ("{", "}"))
    error = draw.pick(-1, None)
    weak = f'''
def depth(text):
    def inside(at):
        deepest = 0
        while at < len(text) and text[at] == "{opening}":
            found, at = inside(at + 1)
            if found is None or text[at:at + 1] != "{closing}":
                return None, at
            deepest = max(deepest, found + 1)
            at += 1
        return deepest, at

    found, at = inside(0)
    return found if at == len(text) and found is not None else {error!r}
'''
    sound = f'''
def depth(text):
    deepest = 0
    level = 0
    for letter in text:
        level += 1 if letter == "{opening}" else -1
        if letter not in "{opening}{closing}" or level < 0 or level > {most}:
            return {error!r}
        deepest = max(deepest, level)
    return deepest if level == 0 else {error!r}
'''
    both = opening + closing
    return Hole(
        "CWE-674", "uncontrolled recursion", "depth", "def depth(text: str)",
        f"""Return how deep the brackets {opening}{closing} of a text are nested: 0 for an empty text, 1 for '{both}' and '{both}{both}', 2 for '{opening}{both}{closing}'. Return {error!r} for any other text, such as one
        with a bracket that is not closed, and also for brackets nested more than {most} deep. The text comes from the public; no text may cause an error.""",
        weak.lstrip("\n"), sound.lstrip("\n"),
        [[text] for text in ("", both, both * 3, opening + both * 2 + closing, opening, both + closing, "x", opening * most + closing * most)],
        [[opening * deep + closing * deep] for deep in (most + 1, 5 * most, 3000, 20_000)] + [[opening * 50_000]],
    )  # fmt: skip
