"""What a verifier says: a status, a score in [0, 1], named parts, and one plain sentence why.

"Could not judge" is deliberately not in here. It is the exception `proofgym.errors.Unjudged`, so that no code path can
turn a broken grader into a reward by forgetting to look at a flag.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["Status", "Verdict", "Verifier"]


class Status(str, enum.Enum):
    """How an answer was judged."""

    CORRECT = "correct"
    PARTIAL = "partial"
    WRONG = "wrong"
    MALFORMED = "malformed"  # it cannot be read
    LIMIT = "limit"  # the submission itself ran past its time or memory


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judgement of one answer.

    Args:
        status: Which kind of judgement.
        score: In [0, 1]. Exactly 1 for `CORRECT`, exactly 0 for `WRONG` and `MALFORMED`.
        reason: One sentence for the log and the person, never for the policy.
        parts: Named sub-scores, each finite.
    Raises:
        ValueError: If score and status contradict each other, or a number is not finite.

    >>> Verdict.right().score
    1.0
    >>> Verdict.partial(0.5, "5 of 10 steps follow").status
    <Status.PARTIAL: 'partial'>
    >>> Verdict(Status.WRONG, 0.3)
    Traceback (most recent call last):
    ValueError: a wrong answer scores 0, found 0.3
    """

    status: Status
    score: float
    reason: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a score that contradicts the status, so that no caller has to check again."""
        if not (math.isfinite(self.score) and 0.0 <= self.score <= 1.0):
            raise ValueError(f"a score lies in [0, 1], found {self.score}")
        if self.status is Status.CORRECT and self.score != 1.0:
            raise ValueError(f"a correct answer scores 1, found {self.score}")
        if self.status in (Status.WRONG, Status.MALFORMED) and self.score != 0.0:
            raise ValueError(f"a {self.status.value} answer scores 0, found {self.score}")
        if self.status in (Status.PARTIAL, Status.LIMIT) and self.score == 1.0:
            raise ValueError(f"a {self.status.value} answer scores below 1, found {self.score}")
        bad = [name for name, value in self.parts.items() if not math.isfinite(value)]
        if bad:
            raise ValueError(f"parts are finite numbers, found {bad[0]} = {self.parts[bad[0]]}")

    @classmethod
    def right(cls, reason: str = "", **parts: float) -> Verdict:
        """Full marks."""
        return cls(Status.CORRECT, 1.0, reason, parts)

    @classmethod
    def wrong(cls, reason: str, **parts: float) -> Verdict:
        """Readable, and not an answer to the task."""
        return cls(Status.WRONG, 0.0, reason, parts)

    @classmethod
    def malformed(cls, reason: str, **parts: float) -> Verdict:
        """Not readable as an answer at all."""
        return cls(Status.MALFORMED, 0.0, reason, parts)

    @classmethod
    def limit(cls, reason: str, score: float = 0.0, **parts: float) -> Verdict:
        """The submission itself ran past its time or memory."""
        return cls(Status.LIMIT, score, reason, parts)

    @classmethod
    def partial(cls, score: float, reason: str, **parts: float) -> Verdict:
        """Part of the way: a score of 0 becomes `wrong`, a score of 1 must be said with `right`."""
        return cls(Status.PARTIAL, score, reason, parts) if score > 0.0 else cls.wrong(reason, **parts)

    @property
    def reward(self) -> float:
        """The score, under the name a reinforcement learner looks for."""
        return self.score

    @property
    def correct(self) -> bool:
        """Whether the answer earned full marks."""
        return self.status is Status.CORRECT

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        return {"status": self.status.value, "score": self.score, "reason": self.reason, "parts": dict(self.parts)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Verdict:
        """Read what `to_json` wrote.

        >>> Verdict.from_json(Verdict.partial(0.25, "one of four", cells=0.25).to_json()).parts["cells"]
        0.25
        """
        return cls(Status(data["status"]), float(data["score"]), str(data["reason"]), dict(data["parts"]))


class Verifier(Protocol):
    """A judge bound to one task: a total function from an answer's text to a verdict.

    It returns for every string, hostile ones included, in bounded time and memory, from any thread and process.
    What it cannot judge it raises as `Unjudged`.
    """

    def verify(self, answer: str) -> Verdict:
        """Judge one answer."""
        ...
