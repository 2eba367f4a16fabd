"""What can be decided about a free-form answer without a model: written alike, plainly equal, plainly different.

Every function answers `None` when it cannot tell, which is neither right nor wrong.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from fractions import Fraction

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.judge.quoting import invisible
from proofgym.verifiers.verdict import Status, Verdict

__all__ = ["final_answer", "plain", "symbolic"]

_NUMBER = re.compile(r"[-+−]?\d{1,40}(?:\.\d{1,40})?(?:/\d{1,40})?|[-+−]?\d{1,3}(?:,\d{3}){1,12}(?:\.\d{1,40})?")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
_ARTICLE = re.compile(r"(?:the|a|an)\s+", re.IGNORECASE)
_SIDES = frozenset({"yes", "no", "true", "false"})
_WORDS = re.compile(r"(?<![\\A-Za-z])[^\W\d_]{2,}")
_FUNCTIONS = frozenset(
    ("sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "sqrt", "lim", "max", "min", "gcd", "lcm", "mod")
)
_LONGEST = 2000


def final_answer(answer: str) -> str:
    """The final answer that a text marks as such (a box, `####`, "the answer is ..."), or the text, if it is short."""
    from proofgym.verifiers.math.answer import find_answer

    text = answer.strip()
    if len(text) > _LONGEST * 25:
        return ""
    marked = "\\boxed" in text or "####" in text or "<answer>" in text or re.search(r"\banswer\b", text, re.IGNORECASE)
    if marked:
        return find_answer(text).text.strip()
    return text if len(text) <= _LONGEST else ""


def plain(reference: str, answer: str) -> Verdict | None:
    """Decide by what is written: equal texts, plain numbers, dates as ISO writes them, yes and no.

    >>> plain("Mount Everest", "mount everest.").correct, plain("-5", "5").correct, plain("Paris", "It is Paris.")
    (True, False, None)
    """
    found = final_answer(answer)
    if not _bare(answer):
        return Verdict.wrong("it is empty")
    if not found:
        return None
    wanted_form, found_form = _form(reference), _form(found)
    if wanted_form == found_form:
        return Verdict.right("written alike")
    for read in (_number, _iso, _side):
        wanted, given = read(wanted_form), read(found_form)
        if wanted is not None and given is not None:
            return Verdict.right("the same value") if wanted == given else Verdict.wrong("another value")
    return None


def symbolic(reference: str, answer: str) -> Verdict | None:
    """Decide by mathematics; a difference counts only where both sides are formulas without words.

    >>> symbolic("1/2", "The answer is 0.5.").correct, symbolic("x+1", "x+2").correct
    (True, False)
    >>> symbolic("a dozen eggs", "12 eggs") is None
    True
    """
    from proofgym.verifiers.math import verify_answer

    found = final_answer(answer)
    if not found or len(found) > _LONGEST or len(reference) > _LONGEST:
        return None
    try:
        verdict = verify_answer(reference, found)
    except (Unjudged, BadInput):
        return None  # the reference is no mathematics, or nothing decides
    if verdict.correct:
        return verdict
    if verdict.status is Status.WRONG and not _wordy(reference) and not _wordy(found):
        return verdict
    return None


def _form(text: str) -> str:
    text = unicodedata.normalize("NFKC", "".join(char for char in text if not invisible(char)))
    text = " ".join(text.casefold().split()).strip("\"'`“”‘’* ")
    while text.endswith((".", "!", ";")) and not text.endswith("..."):
        text = text[:-1].rstrip("\"'`“”‘’* ")
    return _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text


def _bare(text: str) -> str:
    return "".join(char for char in text if not invisible(char) and not char.isspace())


def _number(form: str) -> Fraction | None:
    if not _NUMBER.fullmatch(form):
        return None
    try:
        return Fraction(form.replace(",", "").replace("−", "-"))
    except (ValueError, ZeroDivisionError):
        return None


def _iso(form: str) -> date | None:
    match = _ISO.fullmatch(form)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _side(form: str) -> bool | None:
    return form in ("yes", "true") if form in _SIDES else None


def _wordy(text: str) -> bool:
    return any(word.lower() not in _FUNCTIONS for word in _WORDS.findall(text))
