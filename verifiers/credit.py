"""Step-level reward: a number attached to a span of what the policy wrote."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Credit", "total"]


@dataclass(frozen=True, slots=True)
class Credit:
    """`value` reward units for the characters `start:end` of one action.

    Args:
        start: First character of the span, counted from 0 in the action's text.
        end: One past the last character. `start == end` is allowed: a span between two characters.
        value: Reward units, finite. Zero is meaningful: a step was seen and earned nothing.
        label: The named term of the reward it belongs to, such as `step` or `answer`.
        reason: Why, for the log and the viewer.
    """

    start: int
    end: int
    value: float
    label: str
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse spans and values that no trainer could use."""
        if not 0 <= self.start <= self.end:
            raise ValueError(f"a span needs 0 <= start <= end, found {self.start}:{self.end}")
        if not math.isfinite(self.value):
            raise ValueError(f"a credit is a finite number, found {self.value}")

    def to_json(self) -> list[Any]:
        """`[start, end, value, label, reason]`, short because logs hold millions of them."""
        return [self.start, self.end, self.value, self.label, self.reason]

    @classmethod
    def from_json(cls, data: list[Any]) -> Credit:
        """Read what `to_json` wrote."""
        start, end, value, label, reason = data
        return cls(int(start), int(end), float(value), str(label), str(reason))


def total(credits_: Iterable[Credit]) -> tuple[float, Mapping[str, float]]:
    """The reward that credits add up to, and its named terms; the two agree by construction.

    >>> total([Credit(0, 2, 0.5, "step"), Credit(2, 4, 0.25, "step"), Credit(4, 5, 0.25, "answer")])
    (1.0, {'step': 0.75, 'answer': 0.25})
    """
    values: dict[str, list[float]] = {}
    for credit in credits_:
        values.setdefault(credit.label, []).append(credit.value)
    terms = {label: math.fsum(parts) for label, parts in values.items()}
    return math.fsum(terms.values()), terms
