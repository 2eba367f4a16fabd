"""Programs composed of typed steps: each step says itself in English and in Python, and they are chained by type."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proofgym.envs.code.program import Draw, Sketch, family

__all__ = ["STEPS"]

Step = Callable[[Draw], tuple[str, str]]
"""Draws a step: its sentence, which speaks of the value as "it", and an expression in `data`."""

_TYPES = {"numbers": "list[int]", "words": "list[str]", "text": "str", "number": "int", "table": "dict[str, int]"}


def _filter_numbers(draw: Draw) -> tuple[str, str]:
    k, r = draw.whole(2, 5), draw.whole(0, 1)
    return draw.pick(
        (f"keep only the numbers that leave the rest {r} when divided by {k}", f"[n for n in data if n % {k} == {r}]"),
        (f"keep only the numbers above {k}", f"[n for n in data if n > {k}]"),
        (f"keep only the numbers whose absolute value is at most {3 * k}", f"[n for n in data if abs(n) <= {3 * k}]"),
        (f"leave out the numbers at the places {k}, {2 * k}, {3 * k} and so on, counted from 1", f"[n for i, n in enumerate(data, 1) if i % {k} != 0]"),
        ("leave out numbers that are equal to the number just before them in the list", "[n for i, n in enumerate(data) if i == 0 or n != data[i - 1]]"),
    )  # fmt: skip


def _map_numbers(draw: Draw) -> tuple[str, str]:
    a, b = draw.whole(2, 4), draw.whole(1, 9)
    return draw.pick(
        (f"replace each number n by {a}n - {b}", f"[{a} * n - {b} for n in data]"),
        ("replace each number by its square", "[n * n for n in data]"),
        (f"replace each number by the rest of its division by {a + b} (0 to {a + b - 1})", f"[n % {a + b} for n in data]"),
        ("replace each number by the sum of all numbers up to and including it", "[sum(data[: i + 1]) for i in range(len(data))]"),
        ("replace each number but the first by its difference from the number before it, and drop the first", "[b - a for a, b in zip(data, data[1:])]"),
        ("multiply each number by its index, counted from 0", "[i * n for i, n in enumerate(data)]"),
        (f"halve the even numbers and add {b} to the odd ones", f"[n // 2 if n % 2 == 0 else n + {b} for n in data]"),
        ("replace each number by the largest number up to and including it", "[max(data[: i + 1]) for i in range(len(data))]"),
    )  # fmt: skip


def _order_numbers(draw: Draw) -> tuple[str, str]:
    k = draw.whole(2, 4)
    return draw.pick(
        ("sort it in ascending order", "sorted(data)"),
        ("sort it by absolute value in descending order, equal ones staying in their order", "sorted(data, key=lambda n: -abs(n))"),
        ("reverse it", "data[::-1]"),
        (f"move the first {k} numbers to the end, in their order (all of them if there are fewer)", f"data[{k}:] + data[:{k}]"),
        ("put the numbers at even indices (counted from 0) first and those at odd indices after them, each in their order", "data[::2] + data[1::2]"),
        (f"sort it by the last decimal digit of the absolute value, equal ones staying in their order, and take at most the first {k + 3}", f"sorted(data, key=lambda n: abs(n) % 10)[: {k + 3}]"),
    )  # fmt: skip


def _numbers_to_number(draw: Draw) -> tuple[str, str]:
    k = draw.whole(2, 9)
    return draw.pick(
        ("take the sum of the numbers (0 if there are none)", "sum(data)"),
        ("take the number of different numbers in it", "len(set(data))"),
        (f"take the largest number (-{k} if there are none)", f"max(data, default=-{k})"),
        ("take the sum with alternating signs, the first number counting as positive", "sum(n if i % 2 == 0 else -n for i, n in enumerate(data))"),
        ("take the number of indices at which a number is larger than the one just before it", "sum(1 for a, b in zip(data, data[1:]) if b > a)"),
        (f"take the number at the index {k} modulo its length (0 if it is empty)", f"data[{k} % len(data)] if data else 0"),
    )  # fmt: skip


def _numbers_to_words(draw: Draw) -> tuple[str, str]:
    mark = draw.pick("n", "x", "k")
    return draw.pick(
        ("write each number as a decimal text", "[str(n) for n in data]"),
        (f"write each number as a text, with {mark!r} in place of a minus sign", f"[str(n).replace('-', {mark!r}) for n in data]"),
        ("replace each number by 'even' or 'odd' followed by the number of its decimal digits", "[('even' if n % 2 == 0 else 'odd') + str(len(str(abs(n)))) for n in data]"),
    )  # fmt: skip


def _numbers_to_table(draw: Draw) -> tuple[str, str]:
    k = draw.whole(2, 4)
    return draw.pick(
        ("make a dictionary from each number, as a decimal text, to how often it is there", "{str(n): data.count(n) for n in data}"),
        (f"make a dictionary from the rest of division by {k}, as a text, to the sum of the numbers with that rest, for rests that occur", f"{{str(r): sum(n for n in data if n % {k} == r) for r in sorted({{n % {k} for n in data}})}}"),
    )  # fmt: skip


def _words_to_words(draw: Draw) -> tuple[str, str]:
    k, letter = draw.whole(2, 4), draw.pick("a", "b", "c")
    return draw.pick(
        (f"keep only the words with at least {k - 1} characters", f"[w for w in data if len(w) >= {k - 1}]"),
        (f"leave out the words that contain {letter!r}", f"[w for w in data if {letter!r} not in w]"),
        ("write every word backwards", "[w[::-1] for w in data]"),
        ("write the words at odd indices (counted from 0) in upper case", "[w.upper() if i % 2 == 1 else w for i, w in enumerate(data)]"),
        ("sort the words by length, equally long ones in alphabetical (code point) order", "sorted(data, key=lambda w: (len(w), w))"),
        ("keep only the first of equal words", "list(dict.fromkeys(data))"),
        (f"cut every word after its first {k} characters", f"[w[:{k}] for w in data]"),
        ("append to each word its first character", "[w + w[:1] for w in data]"),
        (f"replace every {letter!r} by '{k}'", f"[w.replace({letter!r}, '{k}') for w in data]"),
    )  # fmt: skip


def _words_to_text(draw: Draw) -> tuple[str, str]:
    mark = draw.pick("-", "", "+", " ")
    return draw.pick(
        (f"join the words by {mark!r}", f"{mark!r}.join(data)"),
        ("join the first characters of the words, leaving out empty words", "''.join(w[0] for w in data if w)"),
        ("take the longest word, the last of several ('' if there are none)", "max(reversed(data), key=len, default='')"),
    )  # fmt: skip


def _words_to_numbers(draw: Draw) -> tuple[str, str]:
    letter = draw.pick("a", "b")
    return draw.pick(
        ("replace each word by its length", "[len(w) for w in data]"),
        (f"replace each word by how often {letter!r} is in it", f"[w.count({letter!r}) for w in data]"),
        ("replace each word by the index of the first word that is equal to it", "[data.index(w) for w in data]"),
    )  # fmt: skip


def _words_to_table(draw: Draw) -> tuple[str, str]:
    return draw.pick(
        ("make a dictionary from each word to its last index", "{w: i for i, w in enumerate(data)}"),
        ("make a dictionary from each first character to the number of words that begin with it, without empty words", "{w[0]: sum(1 for v in data if v[:1] == w[0]) for w in data if w}"),
    )  # fmt: skip


def _text_to_text(draw: Draw) -> tuple[str, str]:
    k, letter = draw.whole(2, 4), draw.pick("a", "b", "c")
    return draw.pick(
        ("reverse it", "data[::-1]"),
        (f"keep only the characters at the places 1, {k + 1}, {2 * k + 1} and so on, counted from 1", f"data[::{k}]"),
        (f"remove every {letter!r}", f"data.replace({letter!r}, '')"),
        ("swap upper and lower case", "data.swapcase()"),
        ("sort its characters by code point", "''.join(sorted(data))"),
        ("append its mirror image", "data + data[::-1]"),
        ("leave out each character that is equal to the one just before it", "''.join(c for i, c in enumerate(data) if i == 0 or c != data[i - 1])"),
        (f"move its first {k} characters to the end", f"data[{k}:] + data[:{k}]"),
    )  # fmt: skip


def _text_to_words(draw: Draw) -> tuple[str, str]:
    k, letter = draw.whole(2, 4), draw.pick("a", "b")
    return draw.pick(
        (f"cut it into pieces of {k} characters, the last possibly shorter", f"[data[i : i + {k}] for i in range(0, len(data), {k})]"),
        (f"split it at every {letter!r} (which is dropped; pieces may be empty)", f"data.split({letter!r})"),
        ("split it into the list of its blank-separated words", "data.split()"),
    )  # fmt: skip


def _text_to_numbers(draw: Draw) -> tuple[str, str]:
    return draw.pick(
        ("replace it by the list of its characters' distances from 'a' in code points", "[ord(c) - ord('a') for c in data]"),
        ("replace it by the list of how often each of its characters is in it, in order of first appearance", "[data.count(c) for c in dict.fromkeys(data)]"),
    )  # fmt: skip


def _table_to_table(draw: Draw) -> tuple[str, str]:
    k = draw.whole(1, 3)
    return draw.pick(
        (f"leave out the entries whose value is at most {k}", f"{{key: v for key, v in data.items() if v > {k}}}"),
        (f"add {k} times the length of the key to each value", f"{{key: v + {k} * len(key) for key, v in data.items()}}"),
        ("keep only the entries whose value no other entry has", "{key: v for key, v in data.items() if list(data.values()).count(v) == 1}"),
    )  # fmt: skip


def _table_to_words(draw: Draw) -> tuple[str, str]:
    return draw.pick(
        ("take its keys by descending value, those with equal values in alphabetical (code point) order", "sorted(data, key=lambda key: (-data[key], key))"),
        ("take its keys in alphabetical (code point) order, each followed by '=' and its value", "[f'{key}={data[key]}' for key in sorted(data)]"),
    )  # fmt: skip


def _table_to_numbers(draw: Draw) -> tuple[str, str]:
    return draw.pick(
        ("take its values in ascending order", "sorted(data.values())"),
        ("take its values in the alphabetical (code point) order of the keys", "[data[key] for key in sorted(data)]"),
    )  # fmt: skip


STEPS: Mapping[str, tuple[tuple[str, Step], ...]] = {
    "numbers": (
        ("numbers", _filter_numbers), ("numbers", _map_numbers), ("numbers", _map_numbers), ("numbers", _order_numbers),
        ("words", _numbers_to_words), ("table", _numbers_to_table), ("number", _numbers_to_number),
    ),
    "words": (
        ("words", _words_to_words), ("words", _words_to_words), ("words", _words_to_words), ("text", _words_to_text),
        ("numbers", _words_to_numbers), ("table", _words_to_table),
    ),
    "text": (
        ("text", _text_to_text), ("text", _text_to_text), ("words", _text_to_words), ("numbers", _text_to_numbers),
    ),
    "table": (("table", _table_to_table), ("words", _table_to_words), ("numbers", _table_to_numbers)),
}  # fmt: skip


def _chain(draw: Draw, start: str, name: str) -> Sketch:
    count, at = max(2, draw.scale(2, 6) + draw.whole(0, 1)), start
    sentences, lines = [], []
    for number in range(count):
        options = [step for step in STEPS[at] if step[0] != "number" or number == count - 1]
        to, step = options[draw.whole(0, len(options) - 1)]
        sentence, expression = step(draw)
        sentences.append(f"({number + 1}) {sentence}")
        lines.append(f"    data = {expression}")
        at = to
        if at == "number":
            break
    inputs: Mapping[str, Callable[[], object]] = {
        "numbers": lambda: draw.ints(0, 10, -12, 25),
        "words": lambda: draw.words(0, 8, "abcdE", 5),
        "text": lambda: draw.word(0, 14, "abcdAB "),
    }
    source = "\n".join([f"def {name}(data):", *lines, "    return data"])
    spec = f"Start with the given value and apply these steps in order, each to the result of the one before: {'; '.join(sentences)}. Return the result."
    return Sketch(name, f"data: {_TYPES[start]}", _TYPES[at], spec, source, lambda: [inputs[start]()])


@family("compositions", 0)
def chain_of_numbers(draw: Draw) -> Sketch:
    return _chain(draw, "numbers", "transform")


@family("compositions", 1)
def chain_of_words(draw: Draw) -> Sketch:
    return _chain(draw, "words", "process")


@family("compositions", 1)
def chain_of_text(draw: Draw) -> Sketch:
    return _chain(draw, "text", "convert")
