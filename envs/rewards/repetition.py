"""How much a text repeats itself, and where."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from proofgym.envs.rewards.length import pieces
from proofgym.errors import BadInput

__all__ = ["repeated", "repeated_spans", "repetition"]


def repeated(items: Sequence[Hashable], n: int) -> list[int]:
    """Where an n-gram begins that was there before.

    Raises:
        BadInput: If n is below 1.

    >>> repeated("a b c a b d".split(), 2)
    [3]
    """
    if n < 1:
        raise BadInput(f"an n-gram has at least one word, found n={n}")
    seen: set[tuple[Hashable, ...]] = set()
    found = []
    for place in range(len(items) - n + 1):
        gram = tuple(items[place : place + n])
        if gram in seen:
            found.append(place)
        seen.add(gram)
    return found


def repetition(items: Sequence[Hashable], n: int = 3) -> float:
    """Minus the share of n-grams that were there before. In (-1, 0]; 0 for texts of fewer than n words.

    -(1 - |different n-grams| / |n-grams|), which times a greatest penalty is Open-R1's repetition penalty. Yeo et al.
    2025 (arXiv:2502.03373) charge each token of a repeated n-gram: see `repeated_spans`.

    >>> repetition("a b a b a b".split(), 2)
    -0.6
    """
    again, count = len(repeated(items, n)), len(items) - n + 1
    return -again / count if again else 0.0


def repeated_spans(text: str, n: int = 3) -> list[tuple[int, int, float]]:
    """The stretches of a text that repeat an earlier n-gram, each with its share of `repetition`, a number below 0.

    Words are compared without case, and as `length.pieces` finds them, so text without blanks is seen too. Linear in
    the text's length times n.

    >>> [(start, end, round(value, 2)) for start, end, value in repeated_spans("go on, go on, go on", 2)]
    [(7, 19, -0.57)]
    """
    spans = pieces(text)
    words = [text[start:end].casefold() for start, end in spans]
    count = len(words) - n + 1
    found: list[tuple[int, int, int]] = []
    for place in repeated(words, n):
        start, end = spans[place][0], spans[place + n - 1][1]
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end, found[-1][2] + 1)
        else:
            found.append((start, end, 1))
    return [(start, end, -grams / count) for start, end, grams in found]
