r"""Where the answer stands in what a policy wrote, and the closed grammars that puzzles read it by.

An answer is what follows the last `Answer:` at the head of a line, to the end of the text; without one, it is the last
lines of the text, as many as the family's answers have. Markdown around it (fences, asterisks, dollar signs) is not
part of it. Only ASCII digits are digits. Every reader is linear in the length of the text, and raises `Unreadable`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = [
    "Answer", "Unreadable", "choice", "find_answer", "grid", "mapping", "rational", "split_moves", "tidy", "whole",
    "wholes", "words",
]  # fmt: skip

_MARKER = re.compile(r"^[ \t>*_#`]{0,8}(?:final )?answer[*_`]{0,4} ?:[*_`]{0,4}", re.IGNORECASE | re.MULTILINE)
_EDGE = " \t\r\n*`$"
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*[A-Za-z]{0,12}[ \t]*$", re.MULTILINE)
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_BETWEEN = re.compile(r"[\s,;]+")
_RATIONAL = re.compile(r"([+-]?[0-9]{1,30})(?:\.([0-9]{1,30})|[ ]?/[ ]?([0-9]{1,30}))?", re.ASCII)


class Unreadable(Exception):
    """An answer that has not the form that was asked for; the message says what was found."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of an answer, and its place in the whole text."""

    text: str
    start: int
    end: int


def find_answer(text: str, lines: int = 1) -> Answer | None:
    r"""The answer in a text, or `None` if there is nothing.

    >>> find_answer("I think 7.\nAnswer: 8").text, find_answer("so\n1 2\n3 4\n", lines=2).text
    ('8', '1 2\n3 4')
    """
    marker = None
    for marker in _MARKER.finditer(text):  # noqa: B007 - the last one is wanted
        pass
    if marker is not None:
        return _trimmed(text, marker.end(), len(text))
    end = len(text)
    start = end
    found = 0
    while start > 0 and found < lines:
        head = text.rfind("\n", 0, start - 1) + 1
        line = text[head:start]
        if line.strip(_EDGE) and not _FENCE.match(line.rstrip("\n")):
            found += 1
        elif found and not line.strip(_EDGE):
            pass  # a blank line inside a block
        start = head
    return _trimmed(text, start, end)


def _trimmed(text: str, start: int, end: int) -> Answer | None:
    """Without markdown at its edges; fences inside become blank, so that places keep their numbers."""
    while True:
        while start < end and text[start] in _EDGE:
            start += 1
        while start < end and text[end - 1] in _EDGE:
            end -= 1
        first_end = text.find("\n", start, end)
        if first_end > 0 and text[start:first_end].strip().isalpha() and text[max(0, start - 3) : start] == "```":
            start = first_end  # the language of a fence
            continue
        break
    if start >= end:
        return None
    return Answer(text[start:end], start, end)


def tidy(text: str) -> str:
    """In lower case, with single spaces, and without a full stop or markdown at the end."""
    return " ".join(text.lower().split()).strip("*_`$ ").rstrip(".")


def split_moves(text: str, most: int) -> list[str]:
    r"""Moves separated by commas, semicolons or line ends, each tidied; brackets and quotes around them are dropped.

    >>> split_moves("[Up, 'left'\n down]", 10)
    ['up', 'left', 'down']
    """
    moves = []
    for part in re.split(r"[,;\n]", text):
        move = tidy(part.strip(" \t\r[]'\"."))
        if move:
            moves.append(move)
        if len(moves) > most:
            raise Unreadable(f"more than {most} moves")
    if not moves:
        raise Unreadable("there are no moves")
    return moves


def whole(text: str, low: int | None = None, high: int | None = None) -> int:
    """One whole number of at most 18 digits."""
    text = text.strip().rstrip(".")
    if not _WHOLE.fullmatch(text):
        raise Unreadable(f"a whole number is asked for, found {text[:40]!r}")
    value = int(text)
    if (low is not None and value < low) or (high is not None and value > high):
        raise Unreadable(f"{value} is outside {low} to {high}")
    return value


def wholes(text: str, *, count: int | None = None, most: int = 10_000) -> list[int]:
    """Whole numbers separated by blanks, commas or semicolons, perhaps in brackets.

    >>> wholes("[3, 1,  2]"), wholes("4 5", count=2)
    ([3, 1, 2], [4, 5])
    """
    text = text.strip().rstrip(".").strip("[](){} ")
    parts = _BETWEEN.split(text) if text else []
    if len(parts) > most or (count is not None and len(parts) != count):
        raise Unreadable(
            f"{count if count is not None else f'at most {most}'} numbers are asked for, found {len(parts)}"
        )
    for part in parts:
        if not _WHOLE.fullmatch(part):
            raise Unreadable(f"whole numbers are asked for, found {part[:40]!r}")
    return [int(part) for part in parts]


def rational(text: str) -> Fraction:
    """One exact number: `-3`, `0.25` or `1/4`, of at most 30 digits a part.

    >>> rational("2/8"), rational("-1.5")
    (Fraction(1, 4), Fraction(-3, 2))
    """
    text = text.strip().rstrip(".")
    found = _RATIONAL.fullmatch(text)
    if not found:
        raise Unreadable(f"a number such as 3, 0.25 or 1/4 is asked for, found {text[:40]!r}")
    head, decimals, below = found.groups()
    if decimals:
        return Fraction(int(head + decimals), 10 ** len(decimals))
    if below and not int(below):
        raise Unreadable("division by zero")
    return Fraction(int(head), int(below) if below else 1)


def words(text: str, *, most: int = 10_000) -> list[str]:
    """Words of letters, digits, `_` and `-`, separated by blanks, commas, semicolons or arrows, in lower case.

    >>> words("Cold -> cord, CARD")
    ['cold', 'cord', 'card']
    """
    text = text.strip().rstrip(".").strip("[](){} ").replace("->", " ").replace("→", " ")
    found = [part.strip("'\"").lower() for part in _BETWEEN.split(text) if part.strip("'\"")]
    if len(found) > most:
        raise Unreadable(f"more than {most} words")
    for word in found:
        if not re.fullmatch(r"[a-z0-9_-]{1,64}", word):
            raise Unreadable(f"words are asked for, found {word[:40]!r}")
    return found


def choice(text: str, options: Iterable[str]) -> str:
    """One of some words, in any case.

    >>> choice("Yes.", ("yes", "no"))
    'yes'
    """
    named = list(options)
    said = tidy(text)
    for option in named:
        if said == option.lower():
            return option
    raise Unreadable(f"one of {', '.join(named)} is asked for, found {text.strip()[:40]!r}")


def grid(text: str, rows: int, columns: int, symbols: str | Sequence[str]) -> list[list[str]]:
    r"""Rows of symbols, one row a line; blanks, commas and bars between symbols and rules between rows are dropped.

    One-letter symbols may also stand without anything between them. Letters are read in either case unless both cases
    are symbols.

    >>> grid("1 2 | 3\n-----\n456", 2, 3, "123456")
    [['1', '2', '3'], ['4', '5', '6']]
    """
    known = list(symbols)
    plain = text.replace(" ", "")
    if set(plain) <= {*known, "\n"}:  # the usual form, read at once: single symbols, nothing between them but blanks
        quick = plain.split("\n")
        if len(quick) == rows and all(len(row) == columns for row in quick) and all(len(s) == 1 for s in known):
            return [list(row) for row in quick]
    fold = {symbol: symbol for symbol in known}
    for symbol in known:
        fold.setdefault(symbol.lower(), symbol)
        fold.setdefault(symbol.upper(), symbol)
    wide = any(len(symbol) > 1 for symbol in known)
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) > 4 * rows + 8:
        raise Unreadable(f"{rows} rows are asked for, found {len(lines)} lines")
    read: list[list[str]] = []
    for line in lines:
        bare = line.strip(" \t\r`[](),'\"")
        if not bare or (set(bare) <= set("-+|= ") and not set(bare) <= {*fold, " ", "|"}):
            continue
        if len(line) > 8 * columns + 40:
            raise Unreadable(f"row {len(read) + 1} is {len(line)} characters long")
        parts = re.split(r"[\s,|'\"]+", bare)
        cells = [p for p in parts if p] if wide else [c for p in parts for c in p]
        if wide and len(cells) == 1 and columns > 1 and all(c in fold for c in cells[0]):
            cells = list(cells[0])
        for cell in cells:
            if cell not in fold:
                raise Unreadable(f"row {len(read) + 1} holds {cell[:20]!r}, which is none of the symbols")
        if len(cells) != columns:
            raise Unreadable(f"row {len(read) + 1} has {len(cells)} cells, not {columns}")
        read.append([fold[cell] for cell in cells])
    if len(read) != rows:
        raise Unreadable(f"{rows} rows are asked for, found {len(read)}")
    return read


def mapping(text: str, keys: Sequence[str], *, separator: str = "=:") -> dict[str, str]:
    """Pairs such as `A=1, B=2`, in any order, every key once; keys in any case, values as written.

    >>> mapping("b = 2, A: 1", ["A", "B"])
    {'A': '1', 'B': '2'}
    """
    names = {key.lower(): key for key in keys}
    found: dict[str, str] = {}
    for part in re.split(r"[,;\n]", text.strip().rstrip(".").strip("[](){} ")):
        if not part.strip():
            continue
        key, sign, value = "", "", ""
        for mark in separator:
            key, sign, value = part.partition(mark)
            if sign:
                break
        name = names.get(key.strip(" \t'\"").lower())
        if not sign or name is None:
            raise Unreadable(f"pairs such as '{keys[0]}{separator[0]}...' are asked for, found {part.strip()[:40]!r}")
        if name in found:
            raise Unreadable(f"{name} is given twice")
        found[name] = value.strip(" \t'\"")
    missing = [key for key in keys if key not in found]
    if missing:
        raise Unreadable(f"{missing[0]} is missing")
    return {key: found[key] for key in keys}
