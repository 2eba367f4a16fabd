"""Cuts a derivation into its formulas: lines, displays, formulas between dollar signs, sums in the middle of prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from proofgym.verifiers.math.notation import GREEK, PLAIN_FUNCTIONS

__all__ = ["MAX_SEGMENTS", "Segment", "segments"]

MAX_SEGMENTS = 200

_MATH = re.compile(
    r"\$\$(?P<a>.+?)\$\$|(?<!\\)\$(?P<b>(?![\d,.]+[\s)])(?:[^$\\\n]|\\.)*?(?:[^$\\\n+*/=(-]|\\.))(?<![-+*/=(<])\$(?!\d)|\\\[(?P<c>.+?)\\\]|\\\((?P<d>.+?)\\\)|"
    r"\\begin\{(?P<env>align\*?|aligned|gather\*?|equation\*?|eqnarray\*?)\}(?P<e>.+?)\\end\{(?P=env)\}",
    re.DOTALL,
)
_CLAUSE = re.compile(
    r"(?<=[a-z0-9)\]}])[.;](?=\s|\Z)|,(?=\s+(?:so|and|then|hence|thus|which|we|therefore)\b)|[:;]\s|⇒|=>|\\implies|\\Rightarrow|\\iff|⟹|⇔"
)
_RELATION = re.compile(r"=|<|>|≤|≥|≠|≈|\\le|\\ge|\\ne|\\approx")
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*")
_CASE = re.compile(r"\b(?:case|if|suppose|assume|either|when|guess|try|otherwise)\b", re.IGNORECASE)
_NAME = re.compile(r"\b(?:let|say|where|denote|define|call)\b", re.IGNORECASE)
_SEPARATOR = re.compile(r"\\\\(?:\s*\[[^\]\n]{0,20}\])?|\\implies|\\Rightarrow|\\Longrightarrow|\\iff|⇒|⟹|⇔|\n")
_OPERATORS = re.compile(r"(?:(?<=[\d)%}]) (times|multiplied by|plus|minus|divided by|of)|(?<=\w) (x)) (?=[$€£(]?\d)")
_SIGN_OF = {"times": "*", "multiplied by": "*", "plus": "+", "minus": "-", "divided by": "/", "x": "*", "of": "*"}
_MODIFIES = re.compile(
    r"\b(?:of|half|twice|double|triple|times|sum|product|difference|quotient|by|from|and|than|average|quarter|third|thirds|"
    r"per|plus|minus|mean|ratio|to|with|for|or|not)\W*\Z",
    re.IGNORECASE,
)
_CHANGING = frozenset(
    "of half twice double triple times and or than by from not more less over percent dozen hundred thousand million "  # noqa: SIM905
    "quarter third thirds squared cubed each is are was were".split()
)
_CALCULATOR = re.compile(r"<<[^<>\n]{0,200}>>")


@dataclass(frozen=True, slots=True)
class Segment:
    """One formula of a derivation.

    Args:
        start, end: Its characters in the derivation.
        text: Its text, ready to be parsed.
        assumed: `case` if its sentence supposes it, `name` if it names something, `unclear` if words before it change
            what it says, else empty.
        alone: Whether nothing but the formula stands on its line.
    """

    start: int
    end: int
    text: str
    assumed: str
    alone: bool


def segments(text: str, *, expressions: bool = False) -> list[Segment]:
    """The formulas of a derivation, in order, `MAX_SEGMENTS` at most.

    Args:
        expressions: Whether expressions without a relation count in the middle of prose too, as in a problem's text.

    >>> [s.text for s in segments("So 48/2 = 24 clips.\\nThen $x = 3$, hence 2x = 6.")]
    ['48/2 = 24', 'x = 3', '2x = 6']
    """
    found: list[Segment] = []
    for segment in _all(text, expressions):
        found.append(segment)
        if len(found) == MAX_SEGMENTS:
            break
    return found


def _all(text: str, expressions: bool) -> Iterator[Segment]:
    at = 0
    for match in _MATH.finditer(text):
        yield from _prose(text, at, match.start(), expressions)
        inner = next(name for name in "abcde" if match[name] is not None)
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        alone = not before.strip() or inner in "ace"
        yield from _display(text, match.start(inner), match.end(inner), _assumed(before), alone)
        at = match.end()
    yield from _prose(text, at, len(text), expressions)


def _display(text: str, start: int, end: int, assumed: str, alone: bool) -> Iterator[Segment]:
    """The lines of a display, each its own formula."""
    at = start
    for stop, after in [*((found.start(), found.end()) for found in _SEPARATOR.finditer(text, start, end)), (end, end)]:
        body = text[at:stop].replace("&", " ")
        core = body.strip(" ,.;\n\t")
        if core:
            first = at + body.index(core)
            yield Segment(first, first + len(core), core, assumed, alone)
        at = after


def _assumed(before: str) -> str:
    return "case" if _CASE.search(before) else "name" if _NAME.search(before) else ""


def _prose(text: str, start: int, end: int, expressions: bool) -> Iterator[Segment]:
    for line in re.finditer(r"[^\n]+", text[start:end]):
        if line[0].lstrip().startswith("####"):
            continue
        blank = _CALCULATOR.sub(lambda found: " " * len(found[0]), line[0])
        blank = re.sub(r"(?<=[A-Za-z]{3}):(?=\S)", " ", blank)
        blank = _OPERATORS.sub(
            lambda found: " " + _SIGN_OF[found[1] or found[2]].center(len(found[0]) - 2) + " ", blank
        )
        at, lead = 0, ""
        for stop in [*(found.span() for found in _CLAUSE.finditer(blank)), (len(blank), len(blank))]:
            clause = blank[at : stop[0]]
            yield from _clause(clause, start + line.start() + at, line[0], lead, expressions)
            lead = clause if blank[stop[0] : stop[1]].startswith(":") else ""
            at = stop[1]


def _clause(clause: str, offset: int, line: str, lead: str, expressions: bool) -> Iterator[Segment]:
    """The formula of one clause: the longest stretch without words around its relation signs."""
    loose = expressions or _formula_alone(clause, line)
    if not _RELATION.search(clause) and not loose:
        return
    words = list(re.finditer(r"\S+", clause))
    mathy = [_mathy(word[0], _after(words, k)) for k, word in enumerate(words)]
    _mark_units([word[0] for word in words], mathy)
    runs: list[tuple[int, int]] = []
    k = 0
    while k < len(words):
        if not mathy[k]:
            k += 1
            continue
        first = k
        while k < len(words) and mathy[k]:
            k += 1
        runs.append((first, k))
    for first, stop in runs:
        start, end = words[first].start(), words[stop - 1].end()
        body = " ".join(word[0] for k, word in enumerate(words[first:stop], first) if mathy[k] != 2)
        prose = bool(clause[:start].strip())
        dangling = prose and bool(re.match(r"[-+*/=<>≈×÷]", body) or re.match(r"[$€£]?[\d.,]*\d%?\s*(?:=|≈|<|>)", body))
        body = body.lstrip(" ,;:*").rstrip(" ,.;:*")
        if not _RELATION.search(body) and not (loose and re.search(r"[-+*/^]|\\frac|\\sqrt", body)):
            continue
        if not re.search(r"[A-Za-z0-9]", body):
            continue
        assumed = _assumed(lead + clause[:start]) or ("unclear" if dangling or _MODIFIES.search(clause[:start]) else "")
        yield Segment(offset + start, offset + end, body, assumed, clause.strip() == line.strip())


def _formula_alone(clause: str, line: str) -> bool:
    """Whether a line is an expression and nothing else."""
    return clause.strip() == line.strip() and bool(re.search(r"[-+*/^]|\\frac|\\sqrt", clause)) and not _english(clause)


def _english(text: str) -> bool:
    return any(_is_word(found[0]) for found in re.finditer(r"(?<!\\)\b[A-Za-z]{2,}", text))


def _is_word(word: str) -> bool:
    return (
        len(word) > 1
        and word not in PLAIN_FUNCTIONS
        and word not in GREEK
        and word not in ("pi", "or")
        and len(word) > 2
    ) or (
        word.lower()
        in ("is", "so", "to", "of", "we", "it", "in", "at", "by", "an", "as", "on", "he", "be", "if", "do", "us")
    )


def _after(words: list[re.Match[str]], k: int) -> str:
    return words[k + 1][0] if k + 1 < len(words) else ""


def _mathy(word: str, after: str) -> int:
    """0: a word of prose. 1: part of a formula."""
    bare = word.strip(",.;:*()")
    if re.search(r"[\u4e00-\u9fff]", word):
        return 0
    letters = _WORD.fullmatch(bare)
    if letters and (
        _is_word(bare) or (bare in ("a", "A", "I") and len(after) > 1 and _WORD.fullmatch(after.strip(",.")))
    ):
        return 0
    return 1


def _mark_units(words: list[str], mathy: list[int]) -> None:
    """Set 2 for a few words between a number and a sign: 5 cents per line * 3, a unit to be left out."""
    k = 0
    while k < len(words):
        first = k
        while k < len(words) and not mathy[k]:
            k += 1
        if 0 < first < k < len(words) and k - first <= 5:
            plain = all(word.isalpha() and word.lower() not in _CHANGING for word in words[first:k])
            if plain and re.search(r"\d\)?$", words[first - 1]) and re.match(r"[-+*/=<>≈×÷–−]", words[k]):
                mathy[first:k] = [2] * (k - first)
        k = max(k, first + 1)
