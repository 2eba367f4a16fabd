"""From an answer's text to a tree: what surrounds the mathematics is taken off, words become text answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from proofgym.verifiers.math.lexer import clean
from proofgym.verifiers.math.notation import NO_VALUE, WORD_NUMBERS
from proofgym.verifiers.math.parser import parse
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, num

__all__ = ["Reading", "plain_integer", "read", "squeeze"]

_WRAPPED = re.compile(r"\s*(?:\\boxed|\\fbox|\\beginboxed|\\text|\\mathrm|\\textbf|\\mathbf|\\displaystyle)\s*\{")
_LEAD = re.compile(
    r"(?:(?:so|thus|hence|therefore|and|then|it is|this is|we have|we get|only|exactly|approximately|about)\b[\s,:]*|"
    r"(?:the\s+)?(?:final\s+|correct\s+)?(?:answer|result|solution|value)s?(?:\s+set)?(?:\s+(?:is|are)\b|\s*[:=])\s*:?\s*|"
    r"answer\s+)+",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?:the\s+)?[A-Za-z\\_{}0-9 ]{1,40}?\s+(?:is|are|equals|is equal to)\s+(?=[-+\d\\({\[$√π.])")
_QUANTIFIED = re.compile(
    r"[\s,;]*(?:\\text\s*\{[\s,]*)?[\s,(]*\b(?:for (?:all|every|any|each|some)\b|\\forall\b)", re.IGNORECASE
)
_ONLY = re.compile(r"\\text\s*\{\s*(?:only|exactly|approximately|about|answer:?|the answer is)\s*\}\s*", re.IGNORECASE)
_CHOICE = re.compile(
    r"\s*(?:\\(?:text|textbf|mathrm|mathbf|textrm)\s*\{\s*)?\(?([A-J])(?:\)|\.|:)(?!\d)\s*\}?\s*(\S.*)?", re.DOTALL
)
_TIME = re.compile(r"\d{1,2}:(?:0\d|[1-5]\d(?=\s*[apAP]))\s*(?:[apAP]\.?[mM]\.?)?")
_INTEGER = re.compile(r"[+-]?\d+")
_WORDS = re.compile(r"[A-Za-z一-鿿À-ɏ]{2,}")
_CHINESE = re.compile(r"负?[零〇一二三四五六七八九十百千万两亿]+")
_CHINESE_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_DENY = re.compile(
    r"\b(?:not|isn't|aren't|never|wrong|incorrect|maybe|perhaps|possibly|either|unless|but|cannot|can't)\b",
    re.IGNORECASE,
)
_MULTIPLES = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says.

    Args:
        node: Its tree; of kind `text` for words.
        plain: Its text without blanks and wrappers, by which two answers written alike are the same.
        letter: The letter of a multiple-choice answer that gives letter and content.
        mathematics: Whether it is more than words.
    """

    node: Node
    plain: str
    letter: str = ""
    mathematics: bool = True


def plain_integer(text: str) -> str | None:
    """An integer of any length in one spelling, without turning it into a number; `None` for anything else.

    >>> plain_integer(" +007 "), plain_integer("-0"), plain_integer("7.0")
    ('7', '0', None)
    """
    text = text.strip().strip("$").strip()
    if not text.isascii() or not _INTEGER.fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0") or "0"
    return "-" + digits if text[0] == "-" and digits != "0" else digits


def read(text: str, *, case: bool = False) -> Reading:
    """Read one answer.

    Args:
        case: Whether letters keep their case in text answers.
    Raises:
        Unreadable: If it is neither mathematics nor words.
        TooBig: If it is beyond the static limits.

    >>> read("\\\\text{No solution}").node.op, read("the answer is 12 cm").node.value
    ('set', 'cm')
    """
    text = unwrap(text)
    if not text:
        raise Unreadable("it is empty")
    plain = squeeze(text)
    known = _no_value(text)
    if known is not None:
        return Reading(known, plain, mathematics=known.op == "set")
    number = _word_number(text)
    if number is not None:
        return Reading(num(number), plain)
    if _TIME.fullmatch(text):
        return Reading(Node("text", value=text.replace(" ", "").lower()), plain, mathematics=False)
    choice = _CHOICE.fullmatch(text)
    if choice is not None and choice[2] and choice[2].strip(" })."):
        try:
            inner = read(choice[2].strip(), case=case)
            return Reading(inner.node, inner.plain, choice[1], inner.mathematics)
        except TooBig:
            raise
        except Unreadable:
            pass
    elif choice is not None:
        return Reading(Node("sym", value=choice[1]), choice[1])
    return _mathematics(text, plain, case)


def _mathematics(text: str, plain: str, case: bool) -> Reading:
    stripped = _ONLY.sub("", text)
    lead = _LEAD.match(stripped)
    if lead:
        stripped = stripped[lead.end() :]
    named = _NAMED.match(stripped)
    if named:
        stripped = stripped[named.end() :]
    quantified = _QUANTIFIED.search(stripped)
    if quantified and quantified.start() > 0:
        stripped = stripped[: quantified.start()]
    if _DENY.search(text):
        return _words(text, plain, case)
    try:
        node = _multiples(parse(unwrap(stripped)))
        return Reading(node, plain)
    except TooBig:
        raise
    except Unreadable as error:
        if _WORDS.search(re.sub(r"\\(?!text|mbox)[A-Za-z]+", "", text)):
            return _words(text, plain, case)
        raise Unreadable(str(error)) from None


def unwrap(text: str) -> str:
    """The text without blanks, emphasis, quotation marks, final stops and boxes around it.

    >>> unwrap(" **\\\\boxed{73}**. ")
    '73'
    """
    for _ in range(8):
        before = text
        text = text.strip().strip('`"“”').strip()
        while text.endswith(("\\", ".", ",", ";")) and not text.endswith(("...", "\\,", "\\;")):
            text = text[:-1].rstrip()
        for mark in ("**", "__", "$$", "$"):
            inner = text[len(mark) : -len(mark)]
            if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and mark not in inner:
                text = inner
        if (text.startswith("\\(") and text.endswith("\\)")) or (text.startswith("\\[") and text.endswith("\\]")):
            text = text[2:-2]
        found = _WRAPPED.match(text)
        if found and _closes_at_end(text, found.end()):
            text = text[found.end() : -1]
        if text == before:
            break
    return text


def _closes_at_end(text: str, start: int) -> bool:
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at == len(text) - 1
    return False


def squeeze(text: str) -> str:
    """The text without blanks, fonts and dollar signs."""
    text = re.sub(
        r"\\(?:text|textbf|mathrm|mathbf|textrm|mbox|displaystyle|left|right|operatorname)(?![A-Za-z])", "", text
    )
    text = re.sub(r"\\[,;:! ]|[\s$]", "", text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac"))
    return re.sub(r"\{([A-Za-z0-9])\}", r"\1", text).strip(".")


def _no_value(text: str) -> Node | None:
    words = _normal(text)
    sense = NO_VALUE.get(words) or NO_VALUE.get(text.strip())
    if sense is None:
        return None
    if sense == "no solution":
        return Node("set")
    if sense == "all real numbers":
        return Node("sym", value="\\R")
    return Node("text", value=sense)


def _normal(text: str, case: bool = False) -> str:
    text = re.sub(r"\\(?:text|textbf|mathrm|mathbf|textrm|mbox|textit|emph)\s*\{([^{}]*)\}", r" \1 ", text)
    text = clean(text).replace("_", " ")
    text = re.sub(r"[.,;:!?\"'`{}]|\\(?=[A-Za-z])", " ", text if case else text.lower())
    return " ".join(text.split())


def _words(text: str, plain: str, case: bool) -> Reading:
    words = [word for word in _normal(text, case).split() if word not in ("the", "a", "an")]
    if not words:
        raise Unreadable("it holds no words")
    return Reading(Node("text", value=" ".join(words)), plain, mathematics=False)


def _word_number(text: str) -> int | None:
    """A number in English or Chinese words: twenty-one, 三十五."""
    if _CHINESE.fullmatch(text):
        return _chinese(text)
    words = re.split(r"[\s-]+", re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", text).strip().lower())
    if (
        len(words) > 6
        or not all(word in WORD_NUMBERS or word == "and" for word in words)
        or "and" in (words[0], words[-1])
    ):
        return None
    total, last = 0, 1000
    for word in words:
        if word == "and":
            continue
        value = WORD_NUMBERS[word]
        if value == 100:
            if not 0 < total < 10:
                return None
            total *= 100
            last = 100
            continue
        if value >= last or last < 20 or (10 <= value < 20 and last < 100):
            return None
        total, last = total + value, value
    return total


def _chinese(text: str) -> int | None:
    sign = -1 if text[0] == "负" else 1
    body = text.lstrip("负")
    if len(body) > 40:
        return None
    if all(char in _CHINESE_DIGITS for char in body):
        value = 0
        for char in body:
            value = 10 * value + _CHINESE_DIGITS[char]
        return sign * value
    total, section, digit = 0, 0, 0
    for char in body:
        if char in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[char]
        elif char in "万亿":
            total, section, digit = (total + section + digit) * _CHINESE_UNITS[char], 0, 0
        else:
            section += (digit or 1) * _CHINESE_UNITS[char]
            digit = 0
    return sign * (total + section + digit)


def _multiples(node: Node) -> Node:
    """The tree with "5 million" and "3 dozen" as numbers."""
    if node.op == "unit":
        head, _, rest = node.value.partition(" ")
        factor = _MULTIPLES.get(head.lower())
        if factor is not None:
            inner = Node("mul", (node.args[0], num(Fraction(factor))))
            return Node("unit", (inner,), rest) if rest else inner
        if re.search(r"\b(?:half|halves|third|thirds|quarter|quarters|plus|minus|times|is|equals|if)\b", node.value):
            raise Unreadable(f"{node.value[:30]!r} is no unit")
        if len(node.value) > 60:
            raise Unreadable("too many words stand after a value")
    if not node.args:
        return node
    return Node(node.op, tuple(map(_multiples, node.args)), node.value)
