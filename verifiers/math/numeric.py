"""Reads the final number of a worked answer, strictly but fairly, and compares it exactly.

Where the answer stands, by the first rule that applies:

1. after `####`, to the end of that line;
2. inside `\\boxed{...}`;
3. after "answer is" or "answer:", to the end of that sentence;
4. on the last line.

Under rules 1 and 2 the place holds the number and no other: perhaps a name and `=`, a currency sign, the number (`18`,
`-1,450,000`, `2.50`, `7/2`), a unit or a few words. Under rules 3 and 4 words may come first, and what stands after the
last `=` counts. Nowhere may there be a second numeral, an "or", or a word that changes the value, such as "million".
`50%` is read as 50, because that is how word problems give their answers. Only ASCII digits are numerals.

When a rule applies to several places, all that can be read have to agree, and the last has to be readable: an answer
that hedges matches nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from proofgym.verifiers import Credit, Verdict

__all__ = ["Claim", "NumericVerifier", "final_answer", "lines", "read_number"]

_MAX_PLACE = 200  # characters that an answer's place is read to; one that is longer holds no answer
_MAX_BOXES = 100

_NUMBER = re.compile(
    r"""
    (?: [A-Za-z][A-Za-z_ ]{0,60} [=:] )?                    # total cost =
    [\s*_`(\[{\\$€£¥]*                                       # markdown, brackets, currency
    (?P<sign> [-+−]? ) [\s\\]? [$€£¥]? [ ]?
    (?P<whole> [0-9]{1,3} (?: ,[0-9]{3} )+ | [0-9]{1,40} )
    (?: \. (?P<decimals> [0-9]{1,40} ) )?
    (?: [ ]? / [ ]? (?P<below> [0-9]{1,40} ) )?
    (?P<rest> (?! [0-9] | [.,][0-9] ) .* )
    """,
    re.VERBOSE | re.DOTALL,
)
_CHANGES = re.compile(
    r"\b(?:or|not|half|halves|quarters?|thirds?|hundred|thousand|million|billion|trillion|dozen|k)\b|π|\\pi|\\sqrt|\^|!=|≠",
    re.IGNORECASE,
)
_FRAC = re.compile(r"(?<![0-9])\\[dt]?frac\{([0-9]{1,40})\}\{([0-9]{1,40})\}")
_ANSWER = re.compile(r"answer(?:\s+is|\s*:)\s*:?", re.IGNORECASE)
_NUMERAL = re.compile(r"[-−]?[ ]?\\?[$€£¥]?[0-9](?:[0-9,./]*[0-9])?")
_DENIAL = re.compile(r"\bnot\b|n't\b|n’t\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"\.(?:\s|\Z)")


@dataclass(frozen=True, slots=True)
class Claim:
    """What an answer claims, and where it says so.

    Args:
        start, end: The characters of the place.
        value: The number; `None` if there is none, or not just one.
        reason: Why there is none.
    """

    start: int
    end: int
    value: Fraction | None
    reason: str = ""


def read_number(text: str) -> Fraction | None:
    """The one number that a text states, or `None`.

    >>> [read_number(t) for t in ("$1,450.50 a year", "7/2", "1,2,3", "3 or 4", "1e9", "٤")]
    [Fraction(2901, 2), Fraction(7, 2), None, None, None, None]
    """
    if len(text) > _MAX_PLACE:
        return None
    for latex, plain in (("{,}", ","), (r"\,", ""), (r"\!", "")):
        text = text.replace(latex, plain)
    found = _NUMBER.fullmatch(_FRAC.sub(r"\1/\2", text))
    if found is None or any(char.isnumeric() for char in found["rest"]) or _CHANGES.search(found["rest"]):
        return None
    below = int(found["below"] or 1)
    if below == 0:
        return None
    decimals = found["decimals"] or ""
    value = Fraction(int(found["whole"].replace(",", "") + decimals), 10 ** len(decimals) * below)
    return value if found["sign"] in ("", "+") else -value


def final_answer(answer: str) -> Claim | None:
    """The number that an answer comes to, by the rules at the head of this module; `None` if no rule applies.

    >>> final_answer("She makes 9 * 2 = 18 dollars.\\n#### $18").value
    Fraction(18, 1)
    >>> final_answer("#### 3\\n#### 5").reason
    'it gives several different answers: 3, 5'
    """
    return _agreed(_hashes(answer)) or _agreed(_boxes(answer)) or _agreed(_sentences(answer)) or _last_line(answer)


@dataclass(frozen=True, slots=True)
class NumericVerifier:
    """Accepts one exact number, given as an answer's final number.

    >>> NumericVerifier(Fraction(18)).verify("The answer is 18.0 dollars.").correct
    True
    >>> NumericVerifier(Fraction(18)).verify("#### 17").reason
    'it says 17, which is not the answer'
    """

    gold: Fraction

    def verify(self, answer: str) -> Verdict:
        """Judge one answer."""
        return self.grade(answer)[0]

    def grade(self, answer: str) -> tuple[Verdict, list[Credit]]:
        """Judge one answer; the one credit lies on the place where it gives its final number."""
        claim = final_answer(answer)
        if claim is None:
            return Verdict.malformed("it gives no final number, as in '#### 42'"), []
        if claim.value is None:
            verdict = Verdict.malformed(claim.reason)
        elif claim.value == self.gold:
            verdict = Verdict.right()
        else:
            verdict = Verdict.wrong(f"it says {claim.value}, which is not the answer")
        return verdict, [Credit(claim.start, claim.end, verdict.score, "answer", verdict.reason)]


def lines(text: str) -> Iterator[tuple[int, int]]:
    """The lines that are not blank, as spans without the blanks around them.

    >>> list(lines("ab\\n\\n  c "))
    [(0, 2), (6, 7)]
    """
    at = 0
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped:
            start = at + len(line) - len(line.lstrip())
            yield start, start + len(stripped)
        at += len(line) + 1


def _agreed(claims: list[Claim]) -> Claim | None:
    if not claims:
        return None
    last = claims[-1]
    values = {claim.value: None for claim in claims if claim.value is not None}
    if last.value is not None and len(values) > 1:
        found = ", ".join(f"{value}"[:20] for value in list(values)[:5])
        return Claim(last.start, last.end, None, f"it gives several different answers: {found}")
    return last


def _claim(text: str, start: int, end: int, value: Fraction | None) -> Claim:
    return Claim(start, end, value, "" if value is not None else f"{text[:40]!r} is not one number")


def _hashes(answer: str) -> list[Claim]:
    claims = []
    for start, end in lines(answer) if "####" in answer else ():
        at = answer.rfind("####", start, end)
        if at >= 0:
            text = answer[at + 4 : min(end, at + 6 + _MAX_PLACE)].strip()
            boxes = _boxes(text)
            claims.append(_claim(text, at, end, boxes[-1].value if boxes else read_number(text)))
    return claims


def _boxes(answer: str) -> list[Claim]:
    claims: list[Claim] = []
    at = len(answer)
    while len(claims) < _MAX_BOXES and (at := answer.rfind(r"\boxed{", 0, at)) >= 0:
        depth, end = 1, at + 7
        while depth and end < min(len(answer), at + _MAX_PLACE):
            depth += (answer[end] == "{") - (answer[end] == "}")
            end += 1
        text = answer[at + 7 : end - 1]
        claims.append(_claim(text, at, end, None if depth else read_number(text)))
    return claims[::-1]


def _sentences(answer: str) -> list[Claim]:
    claims = []
    for start, end in lines(answer):
        for found in reversed(list(_ANSWER.finditer(answer, start, end))[-1:]):
            text = _SENTENCE_END.split(answer[found.end() : min(end, found.end() + 2 * _MAX_PLACE)], maxsplit=1)[0]
            claims.append(_claim(text.strip(), found.start(), found.end() + len(text), _among_words(text)))
    return claims


def _last_line(answer: str) -> Claim | None:
    spans = list(lines(answer))
    if not spans:
        return None
    start, end = spans[-1]
    text = answer[start : min(end, start + 2 * _MAX_PLACE)]
    return _claim(text, start, end, _among_words(text)) if _NUMERAL.search(text) else None


def _among_words(text: str) -> Fraction | None:
    text = text.rpartition("=")[2]
    numerals = list(_NUMERAL.finditer(text))
    if len(numerals) != 1 or _DENIAL.search(text):
        return None
    return read_number(text[numerals[0].start() :])
