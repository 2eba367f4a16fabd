"""How much a term weighs as training goes on: pure functions of a progress in [0, 1]."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

from proofgym.errors import BadInput

__all__ = ["KINDS", "Kind", "Schedule"]

Kind = Literal["constant", "linear", "cosine", "step"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A factor that goes from `start` to `end` between two marks of the progress, and stays there.

    Args:
        kind: `constant` is `start` throughout; `linear` a straight line; `cosine` half a cosine, level at both ends;
            `step` jumps at the mark `begin`.
        start, end: The factor before and after.
        begin, until: The marks, in units of progress.
    Raises:
        BadInput: For an unknown kind, a factor that is not finite, or marks that are not 0 <= begin <= until <= 1.

    >>> Schedule("linear", 1.0, 0.0)(0.25), Schedule("step", 0.0, 1.0, begin=0.3)(0.3)
    (0.75, 1.0)
    """

    kind: Kind = "constant"
    start: float = 1.0
    end: float = 1.0
    begin: float = 0.0
    until: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what could not be followed."""
        if self.kind not in KINDS:
            raise BadInput(f"a schedule is one of {', '.join(KINDS)}, found {self.kind!r}")
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise BadInput(f"a schedule's factors are finite, found start={self.start} and end={self.end}")
        if not 0.0 <= self.begin <= self.until <= 1.0:
            raise BadInput(
                f"a schedule's marks need 0 <= begin <= until <= 1, found begin={self.begin} and until={self.until}"
            )

    def __call__(self, progress: float) -> float:
        """The factor at a progress; what lies outside [0, 1] counts as the nearer end."""
        if self.kind == "constant":
            return self.start
        if self.kind == "step":
            return self.end if progress >= self.begin else self.start
        if progress >= self.until:
            return self.end
        if progress <= self.begin:
            return self.start
        share = (progress - self.begin) / (self.until - self.begin)
        if self.kind == "cosine":
            share = (1.0 - math.cos(math.pi * share)) / 2.0
        return self.start + (self.end - self.start) * share

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, whose entries are the constructor's arguments."""
        return {"kind": self.kind, "start": self.start, "end": self.end, "begin": self.begin, "until": self.until}
