"""The one protocol of engines: requests go in, samples come out as they finish, and nobody waits for the slowest.

A request carries the *whole* context as token ids. An engine may keep what it has read (a key-value cache, a server's
prefix cache), but only to be faster: what comes back is a function of the context, the sampling and the key.

    engine.submit(request)            any time; never blocks
    for request, sample in engine.poll(): ...   one step of work; whatever finished
    engine.load(weights, version)     the policy moved on
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from proofgym.agents.sampling import Sample, Sampling
from proofgym.agents.tokens import Format

__all__ = ["Engine", "Request", "Stats"]


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One action to sample.

    Args:
        session: A number of the episode's own. An engine that keeps caches keeps one a session until `release`.
        context: Everything that is read before the first new token, as token ids.
        sampling: How.
        key: Non-negative integers that name the request; they seed its chance, where the engine lets one choose.
        parent: A session whose context begins like this one: what it has cached of the common beginning is copied.
    """

    session: int
    context: Sequence[int]
    sampling: Sampling
    key: tuple[int, ...] = ()
    parent: int | None = None


@dataclass(slots=True)
class Stats:
    """What an engine has done, in tokens.

    Args:
        generated: Sampled.
        read: Context tokens that went through the model.
        reused: Context tokens that did not have to, because they were cached.
        requests: Answered.
    """

    generated: int = 0
    read: int = 0
    reused: int = 0
    requests: int = 0
    extra: dict[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """Something that samples from a policy."""

    format: Format
    stats: Stats

    @property
    def max_context(self) -> int:
        """How many tokens a context and its action may have together."""
        ...

    @property
    def version(self) -> int:
        """How many updates the weights that are sampled from have seen."""
        ...

    @property
    def busy(self) -> int:
        """How many requests have no answer yet."""
        ...

    def submit(self, request: Request) -> None:
        """Take a request; it is worked on when `poll` is called, or at once by an engine with a life of its own."""
        ...

    def poll(self, wait_s: float = 0.0) -> list[tuple[Request, Sample]]:
        """Work for a moment and hand over what has finished.

        Args:
            wait_s: An engine that works elsewhere waits so long for something to finish; others need not.
        """
        ...

    def release(self, session: int) -> None:
        """Forget a session's cache; the episode is over."""
        ...

    def load(self, weights: Iterable[tuple[str, Any]], version: int) -> None:
        """Sample from these weights from now on; actions in progress go on under the new ones."""
        ...

    def sleep(self) -> None:
        """Give memory back until `wake`; nothing may be in progress."""
        ...

    def wake(self) -> None:
        """Be ready again."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...
