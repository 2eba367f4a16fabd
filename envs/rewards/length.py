"""Rewards by length, as published: pure functions of a length, a limit and, where the paper has it, correctness.

A length is a number of anything: tokens where a trainer knows them, otherwise what `measure` counts in a text. Each
function states its bounds. Those that can be above zero pay for being short and not for being right, so a composition
has to gate them; those that are never above zero can be left ungated, since saying nothing cannot earn with them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal, get_args

from proofgym.errors import BadInput

__all__ = [
    "UNITS", "Unit", "beyond", "brevity", "cosine", "group_lengths", "l1_exact", "l1_max", "measure", "overlong",
    "pieces",
]  # fmt: skip

Unit = Literal["characters", "words"]
UNITS: tuple[Unit, ...] = get_args(Unit)

_LONG = 20  # characters; a longer run without blanks counts as several words, so leaving blanks out shortens nothing
_PIECE = re.compile(
    r"[\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"  # one East Asian sign
    r"|[^\W_\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]{1,20}"  # a word
    r"|[^\w\s]|_"
)


def pieces(text: str) -> list[tuple[int, int]]:
    """Spans of the words of a text, its signs of punctuation, and its Chinese and Japanese characters, one each.

    A run of more than 20 letters is cut every 20. Linear in the text's length.

    >>> [text[a:b] for text in ["No, 不行!"] for a, b in pieces(text)]
    ['No', ',', '不', '行', '!']
    """
    return [match.span() for match in _PIECE.finditer(text)]


def measure(text: str, unit: Unit = "characters") -> int:
    """The length of a text: its characters, or its words as `pieces` finds them, punctuation not counted.

    >>> measure("Two words."), measure("Two words.", "words"), measure("x" * 45, "words")
    (10, 2, 3)
    """
    if unit == "characters":
        return len(text)
    return sum(1 for start, _ in pieces(text) if text[start].isalnum())


def beyond(length: float, soft: float, hard: float) -> float:
    """A penalty that grows in a straight line from 0 at the soft limit to -1 at the hard one. In [-1, 0].

    The same curve as `overlong(length, hard, hard - soft)`, told by its two ends.

    Raises:
        BadInput: Unless 0 <= soft < hard.

    >>> beyond(150, 100, 200), beyond(90, 100, 200), beyond(999, 100, 200)
    (-0.5, 0.0, -1.0)
    """
    _order(soft, hard)
    return max(-1.0, min(0.0, (soft - length) / (hard - soft)))


def brevity(length: float, soft: float, hard: float) -> float:
    """A bonus of 1 up to the soft limit that falls in a straight line to 0 at the hard one. In [0, 1].

    Saying nothing earns all of it, so it has to be gated by correctness.

    >>> brevity(0, 100, 200), brevity(150, 100, 200), brevity(200, 100, 200)
    (1.0, 0.5, 0.0)
    """
    return 1.0 + beyond(length, soft, hard)


def overlong(length: float, limit: float, buffer: float) -> float:
    """DAPO's soft overlong punishment. In [-1, 0].

    0 if L <= Lmax - Lcache; ((Lmax - Lcache) - L) / Lcache up to Lmax; -1 beyond it.

    Args:
        length: L.
        limit: Lmax.
        buffer: Lcache, the stretch before the limit in which the punishment grows.
    Raises:
        BadInput: Unless 0 < buffer <= limit.
    Source:
        Yu et al. 2025, DAPO, equation 13 (arXiv:2503.14476).

    >>> overlong(3000, 4096, 1024), overlong(3584, 4096, 1024), overlong(5000, 4096, 1024)
    (0.0, -0.5, -1.0)
    """
    if not 0 < buffer <= limit:
        raise BadInput(f"overlong needs 0 < buffer <= limit, found buffer={buffer:g} and limit={limit:g}")
    return beyond(length, limit - buffer, limit)


def cosine(
    length: float,
    limit: float,
    *,
    correct: bool,
    right: tuple[float, float] = (2.0, 1.0),
    wrong: tuple[float, float] = (-10.0, 0.0),
    exceeded: float = -10.0,
) -> float:
    """The cosine reward: right answers earn more when short, wrong ones lose less when long.

    rL + (r0 - rL) (1 + cos(pi L / Lmax)) / 2 with the pair of ends (r0, rL) that belongs to the correctness, and
    `exceeded` from Lmax on. Between the least and the greatest of the five numbers.

    Args:
        length: L.
        limit: Lmax.
        right: What a right answer earns at length 0 and at the limit.
        wrong: What a wrong answer earns at length 0 and at the limit.
        exceeded: What any answer of Lmax or more earns.
    Raises:
        BadInput: Unless the limit is positive.
    Source:
        Yeo et al. 2025, the cosine reward with its hyperparameters (arXiv:2502.03373). The paper writes the curve by
        its minimum and maximum; here its ends are the values at length 0 and at the limit, which is what it plots.

    >>> cosine(0, 1000, correct=True), round(cosine(500, 1000, correct=True), 6), cosine(0, 1000, correct=False)
    (2.0, 1.5, -10.0)
    """
    if not limit > 0:
        raise BadInput(f"cosine needs a limit above 0, found {limit:g}")
    if length >= limit:
        return exceeded
    at_zero, at_limit = right if correct else wrong
    return at_limit + (at_zero - at_limit) * (1.0 + math.cos(math.pi * length / limit)) / 2.0


def l1_exact(length: float, target: float, alpha: float = 0.0003) -> float:
    """The length term of LCPO-Exact: -alpha |target - L|, here never below -1. In [-1, 0].

    The paper adds it to the correctness and does not bound it; a composition needs a bound, so that one endless answer
    cannot outweigh a batch.

    Source:
        Aggarwal and Welleck 2025, L1, LCPO-Exact (arXiv:2503.04697).

    >>> round(l1_exact(900, 1000), 6), l1_exact(10**9, 1000)
    (-0.03, -1.0)
    """
    return max(-1.0, -alpha * abs(target - length))


def l1_max(length: float, target: float, alpha: float = 0.0003, delta: float = 0.5) -> float:
    """The length factor of LCPO-Max: clip(alpha (target - L) + delta, 0, 1). In [0, 1].

    The paper multiplies it by the correctness: gate it by `correct`.

    Source:
        Aggarwal and Welleck 2025, L1, LCPO-Max (arXiv:2503.04697).

    >>> l1_max(1000, 1000), l1_max(10**6, 1000), l1_max(0, 10**6)
    (0.5, 0.0, 1.0)
    """
    return min(1.0, max(0.0, alpha * (target - length) + delta))


def group_lengths(lengths: Sequence[float], correct: Sequence[bool]) -> list[float]:
    """Kimi k1.5's length reward over the answers to one question. Each in [-0.5, 0.5]; a wrong answer's in [-0.5, 0].

    lambda_i = 0.5 - (L_i - min L) / (max L - min L); a right answer gets lambda, a wrong one min(0, lambda); all get 0
    if all lengths are equal. It compares siblings, so it is a function of a group and no term of one episode.

    Raises:
        BadInput: If there are not as many lengths as judgements.
    Source:
        Kimi Team 2025, section 2.3.3 (arXiv:2501.12599).

    >>> group_lengths([100, 200, 300], [True, False, False])
    [0.5, 0.0, -0.5]
    """
    if len(lengths) != len(correct):
        raise BadInput(
            f"a group has one judgement a length, found {len(lengths)} lengths and {len(correct)} judgements"
        )
    if not lengths or max(lengths) == min(lengths):
        return [0.0] * len(lengths)
    low, spread = min(lengths), max(lengths) - min(lengths)
    factors = [0.5 - (length - low) / spread for length in lengths]
    return [factor if right else min(0.0, factor) for factor, right in zip(factors, correct, strict=True)]


def _order(soft: float, hard: float) -> None:
    if not 0 <= soft < hard:
        raise BadInput(f"a soft and a hard limit need 0 <= soft < hard, found soft={soft:g} and hard={hard:g}")
