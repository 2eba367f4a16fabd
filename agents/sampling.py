"""How to sample, and what comes back. No torch, so that every engine and every test can speak of it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Sample", "Sampling"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to sample.

    Args:
        temperature: 0 takes the most likely token.
        max_tokens: The most tokens an action may have.
        entropy: Also return the entropy of every token's distribution, from engines that know it.
    """

    temperature: float = 1.0
    max_tokens: int = 64
    entropy: bool = False

    def __post_init__(self) -> None:
        """Refuse what no sampler can do."""
        if self.temperature < 0.0:
            raise ValueError(f"a temperature is not negative, found {self.temperature}")
        if self.max_tokens < 1:
            raise ValueError(f"an action needs at least one token, found max_tokens={self.max_tokens}")


@dataclass(slots=True)
class Sample:
    """One sampled action.

    Args:
        ids: Its tokens, the stop token included if there was one.
        logprobs: One a token, nats: under the tempered distribution, or at temperature 0 under the plain one. Empty
            where a server does not tell.
        cut: The token limit ended it, not a stop token.
        version: The oldest policy that sampled one of its tokens.
        entropies: One a token, nats, if asked for and known.
        text: What a server returned where it does not return tokens; then `ids` is empty.
        fault: Why there is no sample; empty if there is one.
    """

    ids: list[int]
    logprobs: list[float]
    cut: bool
    version: int = 0
    entropies: list[float] = field(default_factory=list)
    text: str | None = None
    fault: str = ""
