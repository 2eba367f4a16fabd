"""How many of a pool's slots hold a worker: as many as the queue asks for, between a least and the pool's size.

A backend whose workers cost something while they stand idle, such as the processors of a cluster, has an attribute
`scaling`. A slot without a worker then takes a job only when the queue is longer than the workers there are will soon
get through, and a worker that found nothing to do for `idle_s` is let go.

>>> rule = Scaling(least=1, backlog=2)
>>> rule.wants_more(waiting=2, workers=1), rule.wants_more(waiting=3, workers=1), rule.wants_more(waiting=1, workers=0)
(False, True, True)
"""

from __future__ import annotations

from dataclasses import dataclass

from proofgym.sandboxes.errors import JobRefused

__all__ = ["Scaling"]


@dataclass(frozen=True, slots=True)
class Scaling:
    """The rule.

    Args:
        least: Workers that are kept, needed or not.
        backlog: Waiting jobs per worker that are put up with before another worker is started.
        idle_s: Seconds without a job after which a worker beyond the least is let go.
    Raises:
        JobRefused: For numbers that make no rule.
    """

    least: int = 0
    backlog: float = 2.0
    idle_s: float = 30.0

    def __post_init__(self) -> None:
        if self.least < 0 or self.backlog < 0 or self.idle_s <= 0:
            raise JobRefused(f"{self!r} is no rule: least and backlog are at least 0, idle_s is above 0")

    def wants_more(self, waiting: int, workers: int) -> bool:
        """Whether a slot without a worker should start one for the next job."""
        return waiting > 0 and (workers == 0 or waiting > self.backlog * workers)
