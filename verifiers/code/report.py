"""How a submission fared, case by case: `Fate` for one case, `CodeReport` for all, and the verdict they add up to."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from proofgym.verifiers.credit import Credit
from proofgym.verifiers.verdict import Verdict

if TYPE_CHECKING:
    pass

__all__ = ["CodeReport", "Ending", "Fate"]


class Ending(str, enum.Enum):
    """How one case ended."""

    PASSED = "passed"
    FAILED = "failed"
    """It answered, and the answer is not what was expected."""
    ERROR = "error"
    """It gave no answer: an exception, a crash, a bad exit status, an early end."""
    LIMIT = "limit"
    """It ran past its time, memory, output or processes."""
    UNRUN = "unrun"
    """Not tried, because the submission could not be loaded, or too many cases before this one ran past a limit."""
    TAMPERED = "tampered"
    """It wrote where the verdict comes from, or passed what nobody can pass."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one case.

    Args:
        name: The case's.
        detail: Why, in one line. For a hidden case it may quote hidden values: show it to people, not to policies.
        got: What came back, shortened; None where nothing did.
        output: The end of what a visible case printed, shortened; empty for hidden ones.
        share: The case's part of the score, in [0, 1]; all shares sum to 1.
        points: How much of the case was earned, in [0, 1]. A case that did not pass may earn points from a checker.
        wall_s, cpu_s: Of this case where it ran alone, else its part of the job that it shared.
    """

    name: str
    ending: Ending
    detail: str = ""
    got: str | None = None
    output: str = ""
    visible: bool = False
    share: float = 0.0
    points: float = 0.0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the case was passed in full."""
        return self.ending is Ending.PASSED

    def costly(self, wall_s: float) -> bool:
        """Whether it tries the judge's patience: it ran past a limit, or took long to give no answer at all."""
        return self.ending is Ending.LIMIT or (self.ending is Ending.ERROR and self.wall_s > wall_s / 4)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for the log."""
        return {
            "name": self.name, "ending": self.ending.value, "detail": self.detail, "got": self.got,
            "visible": self.visible, "share": self.share, "points": self.points, "wall_s": self.wall_s,
            "cpu_s": self.cpu_s, "memory_mb": self.memory_mb,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodeReport:
    """Everything that judging one submission found.

    Args:
        verdict: The judgement. Its parts hold `passed` (the share of cases by weight), `visible`, `hidden`, and
            whatever qualities were asked for.
        tests: One fate a case, in the task's order.
        span: Where the judged code lies in the submission's text.
        code: The judged code itself.
        credits: Reward on the policy's own text; the values sum to the verdict's score.
        isolation: The tier it was contained in.
        integrity: `values`, or `in_process` where it could have been forged.
        gaps: What the sandbox did not contain.
    """

    verdict: Verdict
    tests: tuple[Fate, ...]
    span: tuple[int, int] = (0, 0)
    code: str = field(default="", repr=False)
    isolation: str = ""
    integrity: str = "values"
    gaps: tuple[str, ...] = ()

    @property
    def credits(self) -> list[Credit]:
        """One credit a case on the span of the code: its share if it earned, 0 if not. They sum to the score."""
        start, end = self.span
        scale = self.verdict.score / self.points if self.points else 0.0
        return [
            Credit(start, end, fate.share * fate.points * scale, "tests", f"{fate.name}: {fate.ending.value}")
            for fate in self.tests
        ]

    @property
    def points(self) -> float:
        """The share of all cases by weight that was earned, before any rule about partial credit."""
        return math.fsum(fate.share * fate.points for fate in self.tests)

    @property
    def failures(self) -> tuple[Fate, ...]:
        """The cases that were not passed."""
        return tuple(fate for fate in self.tests if not fate.passed)

    def shown(self) -> tuple[Fate, ...]:
        """The fates that a policy may see: those of visible cases."""
        return tuple(fate for fate in self.tests if fate.visible)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary for the log."""
        return {
            "verdict": self.verdict.to_json(),
            "tests": [fate.to_json() for fate in self.tests],
            "span": list(self.span),
            "isolation": self.isolation,
            "integrity": self.integrity,
            "gaps": list(self.gaps),
        }
