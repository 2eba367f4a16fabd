"""Whether every reward that this audit saw was a finite number within bounds, and what `info` says of it."""

from __future__ import annotations

from proofgym.bench.audit.depth import Depth
from proofgym.bench.audit.finding import Finding, failed, passed
from proofgym.bench.audit.subject import Subject

__all__ = ["check"]


def check(subject: Subject, depth: Depth) -> Finding:
    """Made last: it says what `Subject.play` noticed in all the turns before."""
    if not subject.turns_played:
        subject.play(subject.items(1)[0], lambda _: "", turns=depth.turns)
    low, high = subject.extremes
    if subject.faults:
        said, recipe = subject.faults[0]
        return failed("bounds", f"{said} (and {len(subject.faults) - 1} more)", recipe)
    said = f"{subject.turns_played} turns; episodes earned {low:.3g} to {high:.3g} of {subject.maximum:g}"
    return passed("bounds", said, low=low, high=high, turns=subject.turns_played)
