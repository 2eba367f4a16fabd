"""Cut what a policy wrote where its credits begin and end, for whoever shows it: a page, a terminal, a notebook."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from proofgym.bench import hidden
from proofgym.verifiers import Credit

__all__ = ["Piece", "pieces"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an action that the same credits cover.

    Args:
        text: The stretch; empty where a credit marks a place between two characters.
        kind: `plain` (no credit), `good`, `bad`, `zero`, by the sum of what covers it.
        strength: In [0, 1]: the root of the value's share of the strongest credit, so that small ones stay visible.
        note: What covers it, for the reader who points at it.
        covers: Which of the credits, by their place in the list.
    """

    text: str
    kind: str
    strength: float = 0.0
    note: str = ""
    covers: tuple[int, ...] = ()


def pieces(action: str, credits_: Sequence[Credit], strongest: float = 1.0) -> list[Piece]:
    """Cut an action where its credits begin and end; together the pieces are the action, character for character.

    >>> [(p.text, p.kind) for p in pieces("1+1=2 ok", [Credit(0, 5, 0.5, "step"), Credit(6, 8, -1.0, "noise")])]
    [('1+1=2', 'good'), (' ', 'plain'), ('ok', 'bad')]
    """
    length = len(action)
    clipped = [(min(c.start, length), min(c.end, length)) for c in credits_]
    cuts = sorted({0, length, *(start for start, _ in clipped), *(end for _, end in clipped)})
    opening: dict[int, list[tuple[int, int]]] = {}
    for number, (start, end) in enumerate(clipped):
        opening.setdefault(start, []).append((end, number))
    cut_list: list[Piece] = []
    covering: list[tuple[int, int]] = []
    for cut, following in zip(cuts, [*cuts[1:], length], strict=True):
        starting = opening.get(cut, [])
        cut_list += [_piece("", credits_, (number,), strongest) for end, number in starting if end == cut]
        covering = [pair for pair in [*covering, *starting] if pair[0] > cut]
        if following > cut:
            covers = tuple(number for _, number in covering)
            cut_list.append(_piece(action[cut:following], credits_, covers, strongest))
    return cut_list


def _piece(text: str, credits_: Sequence[Credit], covers: tuple[int, ...], strongest: float) -> Piece:
    if not covers:
        return Piece(text, "plain")
    mine = [credits_[number] for number in covers]
    value = math.fsum(credit.value for credit in mine)
    kind = "good" if value > 0 else "bad" if value < 0 else "zero"
    note = "\n".join(f"{c.value:+.3g} {c.label}" + (f" — {c.reason}" if c.reason else "") for c in mine)
    return Piece(text, kind, round(math.sqrt(min(1.0, abs(value) / strongest)), 3), hidden.named(note), covers)
