"""Where a text can be cut into steps: at its lines, its sentences, or wherever a function says."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from proofgym.errors import BadInput

__all__ = ["Cut", "cut"]

Cut = Literal["line", "sentence", "character"] | Callable[[str], Sequence[int]]
_NAMED = ("line", "sentence", "character")
_SENTENCE = re.compile(r"[.!?](?=\s)\s{1,100}|[。！？]\s{0,100}|\n{1,100}")  # a point inside a number ends nothing


def cut(text: str, by: Cut = "line") -> list[tuple[int, int]]:
    """The spans of a text's steps, which together are the text.

    Args:
        text: What a policy wrote.
        by: `line`, `sentence` or `character`, or a function that returns the places where steps end. Blank space is no
            step of its own and belongs to the one before it, or to the first one.
    Raises:
        BadInput: For another name, or places that are not in order or not inside the text.

    >>> cut("a = 3.5\\nb = 4. So 7.5", "sentence")
    [(0, 8), (8, 15), (15, 21)]
    """
    if callable(by):
        ends = [int(end) for end in by(text)]
        if ends != sorted(set(ends)) or (ends and not 0 < ends[0] <= ends[-1] <= len(text)):
            raise BadInput(f"steps end at rising places inside the text, found {ends[:8]}")
    elif by == "line":
        ends = [place + 1 for place, sign in enumerate(text) if sign == "\n"]
    elif by == "sentence":
        ends = [match.end() for match in _SENTENCE.finditer(text)]
    elif by == "character":
        ends = list(range(1, len(text) + 1))
    else:
        raise BadInput(f"steps are cut by {', '.join(_NAMED)} or a function, found {by!r}")
    spans: list[tuple[int, int]] = []
    start = 0
    for end in [*ends, len(text)]:
        if end > start:
            blank = not text[start:end].strip() or (spans and not text[spans[-1][0] : spans[-1][1]].strip())
            if spans and blank:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
        start = max(start, end)
    return spans
