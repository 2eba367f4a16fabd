"""Edits of a program in the form that policies write them: search-and-replace blocks, or a whole new text.

A block names lines that stand exactly once in the text, and what takes their place; `HOW` shows one.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HOW", "Edit", "apply", "edits", "replace_once"]

HOW = "<<<<<<< SEARCH\nold lines, exactly as they stand\n=======\nnew lines\n>>>>>>> REPLACE"
_MOST = 50  # blocks in one answer


@dataclass(frozen=True, slots=True)
class Edit:
    """One block: the lines to find, the lines that replace them, and where the block stands in the answer."""

    old: str
    new: str
    start: int
    end: int


def edits(answer: str) -> list[Edit]:
    """All whole blocks of an answer, in order. What is broken off or out of order is no block.

    >>> [(e.old, e.new) for e in edits("<<<<<<< SEARCH\\na = 1\\n=======\\na = 2\\n>>>>>>> REPLACE")]
    [('a = 1\\n', 'a = 2\\n')]
    """
    found: list[Edit] = []
    begin, old, new, at, part = 0, [], [], 0, ""  # type: int, list[str], list[str], int, str
    for line in answer.splitlines(keepends=True):
        bare = line.strip()
        if bare.startswith("<<<<<<<") and bare[7:].strip() in ("SEARCH", ""):
            begin, old, new, part = at, [], [], "old"
        elif bare == "=======" and part == "old":
            part = "new"
        elif bare.startswith(">>>>>>>") and bare[7:].strip() in ("REPLACE", "") and part == "new":
            found.append(Edit("".join(old), "".join(new), begin, at + len(line)))
            part = ""
        elif part:
            (old if part == "old" else new).append(line)
        at += len(line)
    return found


def apply(text: str, changes: list[Edit]) -> str:
    """The text after all edits, one after another.

    Raises:
        ValueError: An edit's lines do not stand exactly once in the text; the message says which.
    """
    if len(changes) > _MOST:
        raise ValueError(f"{len(changes)} blocks in one answer; at most {_MOST}")
    for number, change in enumerate(changes, start=1):
        try:
            text = replace_once(text, change.old, change.new)
        except ValueError as error:
            raise ValueError(f"block {number}: {error}") from None
    return text


def replace_once(text: str, old: str, new: str) -> str:
    """Put `new` where `old` stands.

    Raises:
        ValueError: It stands there not at all, or more than once.
    """
    if not old.strip():
        raise ValueError("the lines to search for are empty")
    count = text.count(old)
    if count == 0 and not text.endswith("\n") and (text + "\n").count(old) == 1:
        text, count = text + "\n", 1
    if count != 1:
        raise ValueError(
            f"the lines to search for stand {'nowhere' if count == 0 else f'{count} times'} in the program"
        )
    return text.replace(old, new)
