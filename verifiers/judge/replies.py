"""Reads what a judge model wrote: tolerant about its JSON, strict about what the JSON says.

Models without structured output write JSON with a preface, code fences, single or curly quotation marks, bare keys,
trailing commas, line breaks inside strings, or without the last brackets. All that is read. But a criterion without a
mark, a mark off the scale, a mark given twice, a criterion nobody asked for or a missing call token make the reply
unreadable: a guess at what a judge meant is no verdict.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proofgym.errors import BadInput
from proofgym.verifiers.judge.rubric import Rubric

__all__ = ["Fault", "Filled", "Unreadable", "choice", "fill", "objects"]

_MOST_CHARS, _MOST_DEPTH, _MOST_VALUES, _MOST_OBJECTS = 20_000, 8, 400, 12
_NUMBER = re.compile(r"[-+]?\d{1,12}(?:\.\d{1,12})?")
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,60}")
_BLANK = re.compile(r"[\s]*")
_PAIRS = {'"': '"', "'": "'", "“": "”", "‘": "’"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "none": None}


class Unreadable(BadInput):
    """A judge's reply that cannot be read; the message says why, and is what the judge is told when asked again."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A passage that the judge found faulty: its words, and why."""

    quote: str
    why: str


@dataclass(frozen=True, slots=True)
class Filled:
    """One filled rubric.

    Args:
        marks: One mark for every criterion.
        critique: The judge's own words.
        final_answer: What the judge quotes as the candidate's final answer; empty if that was not asked.
        faults: Passages that it found faulty.
    """

    marks: Mapping[str, int]
    critique: str = ""
    final_answer: str = ""
    faults: tuple[Fault, ...] = ()


def fill(text: str, rubric: Rubric, token: str | None) -> Filled:
    """The filled rubric in a reply.

    Args:
        token: The call's token, which the reply has to repeat; `None` if it was not asked to.
    Raises:
        Unreadable: If there is none, or it breaks the rubric.

    >>> from proofgym.verifiers.judge.rubric import load
    >>> rubric = load("answer-equivalence")
    >>> fill('Sure! {critique: "fine", final_answer: "x", "scores": {"same": 1,}', rubric, None).marks
    {'same': 1}
    """
    data = _ours(text, token)
    scores = data.get("scores")
    if not isinstance(scores, dict):
        raise Unreadable('there is no object "scores" with one mark for each criterion')
    names = [criterion.name for criterion in rubric.criteria]
    unknown = [name for name in scores if name not in names]
    if unknown:
        raise Unreadable(f'"scores" has {unknown[0][:40]!r}, which is no criterion')
    marks = {}
    for criterion in rubric.criteria:
        if criterion.name not in scores:
            raise Unreadable(f'"scores" lacks {criterion.name!r}')
        marks[criterion.name] = _mark(scores[criterion.name], criterion.name, criterion.scale)
    quote = data.get("final_answer", "")
    if rubric.evidence and not isinstance(quote, str):
        raise Unreadable('"final_answer" is no text')
    critique = data.get("critique", "")
    return Filled(
        marks,
        critique if isinstance(critique, str) else "",
        quote if isinstance(quote, str) else "",
        tuple(_faults(data.get("faults"))),
    )


def choice(text: str, key: str, options: Sequence[str], token: str | None) -> tuple[str, str]:
    """One of a few words under `key` of a reply, and the critique beside it.

    Raises:
        Unreadable: If it is none of them.
    """
    data = _ours(text, token)
    said = data.get(key)
    if not isinstance(said, str) or said.strip().lower() not in options:
        raise Unreadable(f'"{key}" is one of {", ".join(options)}')
    critique = data.get("critique", "")
    return said.strip().lower(), critique if isinstance(critique, str) else ""


def _ours(text: str, token: str | None) -> dict[str, Any]:
    found = objects(text)
    if not found:
        raise Unreadable("there is no JSON object")
    if token is None:
        return found[-1]
    mine = [data for data in found if data.get("call") == token]
    if len(mine) != 1:
        raise Unreadable(f'exactly one object has to carry "call": "{token}", found {len(mine)}')
    return mine[0]


def _mark(value: Any, name: str, scale: Mapping[int, str]) -> int:
    if isinstance(value, bool) and set(scale) == {0, 1}:
        return int(value)
    if isinstance(value, str):
        said = " ".join(value.split()).lower()
        by_words = [mark for mark, words in scale.items() if " ".join(words.split()).lower() == said]
        if len(by_words) == 1:
            return by_words[0]
        if _NUMBER.fullmatch(said):
            value = float(said)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value == int(value) and int(value) in scale:
        return int(value)
    raise Unreadable(f"the mark of {name!r} is one of {', '.join(map(str, sorted(scale)))}")


def _faults(value: Any) -> list[Fault]:
    rows = value if isinstance(value, list) else []
    return [
        Fault(row["quote"], row["why"] if isinstance(row.get("why"), str) else "")
        for row in rows[:8]
        if isinstance(row, dict) and isinstance(row.get("quote"), str) and row["quote"].strip()
    ]


# The reader -----------------------------------------------------------------------------------------------------------


def objects(text: str) -> list[dict[str, Any]]:
    """The outermost JSON objects in a text, in order; what is no object is passed over.

    At most 20,000 characters are read, values nest at most 8 deep, and the time is bounded for any text.

    >>> objects("first {'a': 1} then ```json\\n{b: [true, 2.5,],}```")
    [{'a': 1}, {'b': [True, 2.5]}]
    """
    reader = _Reader(text[:_MOST_CHARS])
    found: list[dict[str, Any]] = []
    at = reader.text.find("{")
    while at >= 0 and len(found) < _MOST_OBJECTS and reader.values < _MOST_VALUES and reader.left > 0:
        try:
            value, end = reader.value(at, 0)
        except _Bad:
            end = at + 1
        else:
            found.append(value)
        at = reader.text.find("{", end)
    return found


class _Bad(Exception):
    """Not JSON by any reading."""


class _Reader:
    """A recursive reader with limits; `values` and `left` count over all attempts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.values = 0
        self.left = 4 * _MOST_CHARS  # characters of strings that may be read, over all attempts

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        self.values += 1
        if depth > _MOST_DEPTH or self.values > _MOST_VALUES or at >= len(self.text):
            raise _Bad
        char = self.text[at]
        if char == "{":
            return self.mapping(at + 1, depth)
        if char == "[":
            return self.sequence(at + 1, depth)
        if char in _PAIRS:
            return self.string(at)
        number = _NUMBER.match(self.text, at)
        if number:
            return (float(number[0]) if "." in number[0] else int(number[0])), number.end()
        word = _BARE.match(self.text, at)
        if word and word[0].lower() in _WORDS:
            return _WORDS[word[0].lower()], word.end()
        raise _Bad

    def mapping(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while True:
            at = self.skip(at)
            if at >= len(self.text):  # cut off: what was said counts, what is missing will be missed
                return found, at
            if self.text[at] == "}":
                return found, at + 1
            key, at = self.key(at)
            at = self.blank(at)
            if self.text[at : at + 1] != ":":
                raise _Bad
            value, at = self.value(self.blank(at + 1), depth + 1)
            if key in found:
                raise _Bad  # two values for one key: which of them was meant nobody knows
            found[key] = value
            at = self.separator(at, "}")

    def sequence(self, at: int, depth: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while True:
            at = self.skip(at)
            if at >= len(self.text):
                return found, at
            if self.text[at] == "]":
                return found, at + 1
            value, at = self.value(at, depth + 1)
            found.append(value)
            at = self.separator(at, "]")

    def separator(self, at: int, closing: str) -> int:
        at = self.blank(at)
        if at < len(self.text) and self.text[at] not in "," + closing:
            raise _Bad
        return at

    def key(self, at: int) -> tuple[str, int]:
        if self.text[at] in _PAIRS:
            return self.string(at)
        word = _BARE.match(self.text, at)
        if word is None:
            raise _Bad
        return word[0], word.end()

    def string(self, at: int) -> tuple[str, int]:
        """A string ends at its quotation mark, unless what follows shows that the mark belongs to the text."""
        closing = _PAIRS[self.text[at]]
        said: list[str] = []
        at += 1
        while at < len(self.text):
            self.left -= 1
            if self.left <= 0:
                raise _Bad
            char = self.text[at]
            if char == "\\" and at + 1 < len(self.text):
                following = self.text[at + 1]
                code = self.text[at + 2 : at + 6]
                if following == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", code):
                    said.append(chr(int(code, 16)))
                    at += 6
                    continue
                # A backslash before any other letter is LaTeX whose backslash was not doubled.
                said.append(_ESCAPES.get(following, following if not following.isalpha() else "\\" + following))
                at += 2
                continue
            if char == closing:
                after = self.blank(at + 1)
                if after >= len(self.text) or self.text[after] in ",}]:":
                    return _characters(said), at + 1
            said.append(char)
            at += 1
        return _characters(said), at

    def blank(self, at: int) -> int:
        match = _BLANK.match(self.text, at)
        return match.end() if match else at

    def skip(self, at: int) -> int:
        at = self.blank(at)
        while at < len(self.text) and self.text[at] == ",":
            at = self.blank(at + 1)
        return at


def _characters(said: list[str]) -> str:
    """The text with surrogate pairs joined, as JSON spells what lies beyond 16 bits, and lone ones replaced."""
    text = "".join(said)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
