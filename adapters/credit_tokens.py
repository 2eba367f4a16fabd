"""From credits on characters to rewards on tokens, for trainers that take a reward a token.

A trainer hands over ids that were sampled, and sometimes the offsets of a tokenizer; never is a text tokenised again to
find out where its tokens were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from proofgym.errors import BadInput
from proofgym.verifiers import Credit

__all__ = ["ends_from_offsets", "place", "token_ends"]


def place(credits_: Iterable[Credit], token_ends: Sequence[int]) -> NDArray[np.float64]:
    """Put each credit on the token that writes the last character of its span.

    The sum is kept exactly as far as floats allow: a credit whose span ends beyond the last token goes to the last
    token, and an empty span goes to the token that writes the character before it (the first token, at the start).

    Args:
        credits_: Of one action.
        token_ends: (T,), one per token, never falling: how many characters of the action are written once it is.
    Returns:
        (T,), reward units.
    Raises:
        BadInput: If there is a credit and no token to put it on.

    >>> place([Credit(0, 2, 0.25, "step"), Credit(3, 5, 0.75, "answer")], [2, 3, 5, 5]).tolist()
    [0.25, 0.0, 0.75, 0.0]
    """
    found = list(credits_)
    rewards = np.zeros(len(token_ends))
    if not found:
        return rewards
    if not len(token_ends):
        raise BadInput(f"{len(found)} credits and no token to put them on; an empty action has no place for a reward")
    ends = np.asarray(token_ends, dtype=np.int64)
    parts: dict[int, list[float]] = {}
    for credit in found:
        at = min(int(np.searchsorted(ends, credit.end, side="left")), len(ends) - 1)
        parts.setdefault(at, []).append(credit.value)
    for at, values in parts.items():
        rewards[at] = math.fsum(values)
    return rewards


def ends_from_offsets(offsets: Sequence[tuple[int, int]]) -> list[int]:
    """Token ends from a fast tokenizer's `offset_mapping` of the action's text.

    Special tokens have the offsets (0, 0): they write nothing, so they end where the token before them does.

    >>> ends_from_offsets([(0, 2), (2, 3), (3, 5), (0, 0)])
    [2, 3, 5, 5]
    """
    ends, last = [], 0
    for _, end in offsets:
        last = max(last, end)
        ends.append(last)
    return ends


def token_ends(ids: Sequence[int], decode: Callable[[list[int]], str]) -> tuple[str, list[int]]:
    """The text of sampled ids, and how many of its characters are written after each.

    A character that needs several tokens is written by the last of them. Only short stretches are decoded, so a long
    answer costs time in proportion to its length.

    Args:
        ids: As sampled.
        decode: Text of some ids, special tokens left out, such as
            `lambda ids: tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)`.

    >>> token_ends([72, 105, 33], lambda ids: bytes(ids).decode("utf-8", "replace"))
    ('Hi!', [1, 2, 3])
    >>> token_ends([226, 130, 172, 33], lambda ids: bytes(ids).decode("utf-8", "replace"))  # the sign of the euro
    ('€!', [0, 0, 1, 2])
    """
    parts: list[str] = []
    ends: list[int] = []
    length = start = read = 0  # ids[start:read] is context whose text is already out
    before = ""
    for k in range(len(ids)):
        now = decode(list(ids[start : k + 1]))
        if len(now) > len(before) and not now.endswith("\ufffd"):
            parts.append(now[len(before) :])
            length += len(parts[-1])
            start, read = read, k + 1
            before = decode(list(ids[start:read]))
        ends.append(length)
    rest = decode(list(ids[start:]))[len(before) :] if read < len(ids) else ""
    if rest and ends:
        parts.append(rest)
        ends[-1] = length + len(rest)
    return "".join(parts), ends
