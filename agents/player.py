"""A language model as a player: one stream of tokens for each episode of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proofgym.agents.policy import Policy
from proofgym.agents.rollout import Action, Item, Seats, TextEnv
from proofgym.agents.sampling import Sampling, Stream

__all__ = ["PolicyPlayer"]


@dataclass
class PolicyPlayer:
    """A language model as a player.

    Args:
        policy: Sampled from as it is when asked.
        sampling: Temperature and token limit.
        key: Integers that name this use of the model, such as run seed and update number. Together with the item and
            the turn they seed each request.
    """

    policy: Policy
    sampling: Sampling
    key: tuple[int, ...] = ()

    @property
    def version(self) -> int:
        """How many updates the policy has seen."""
        return self.policy.version

    def seat(self, envs: Sequence[TextEnv], items: Sequence[Item]) -> Seats:
        """Open a stream with one context an episode."""
        return _PolicySeats(self, items)


class _PolicySeats:
    def __init__(self, player: PolicyPlayer, items: Sequence[Item]) -> None:
        self.player, self.items = player, items
        self.stream = Stream(player.policy, len(items))
        self.seated = list(range(len(items)))
        self.turns = [0] * len(items)
        self.last: list[list[int]] = [[] for _ in items]

    def act(self, rows: Sequence[int], observations: Sequence[str]) -> list[Action | None]:
        form, sampling = self.player.policy.format, self.player.sampling
        prompts = [
            form.between(text, self.last[row]) if self.turns[row] else form.open(text)
            for row, text in zip(rows, observations, strict=True)
        ]
        held = dict(zip(self.seated, self.stream.lengths(), strict=True))
        room = self.player.policy.max_context - sampling.max_tokens
        fits = [held[row] + len(prompt) <= room for row, prompt in zip(rows, prompts, strict=True)]
        playing = [row for row, fit in zip(rows, fits, strict=True) if fit]
        actions: list[Action | None] = [None] * len(rows)
        if not playing:
            return actions
        if playing != self.seated:
            self.stream.keep([self.seated.index(row) for row in playing])
            self.seated = playing
        self.stream.append([prompt for prompt, fit in zip(prompts, fits, strict=True) if fit])
        keys = [
            (*self.player.key, item.seed, item.index, item.sample, self.turns[row])
            for row in playing
            for item in [self.items[row]]
        ]
        samples = iter(self.stream.sample(sampling, keys))
        for place, row in enumerate(rows):
            if fits[place]:
                sample = next(samples)
                text, ends = form.decode(sample.ids)
                actions[place] = Action(text, prompts[place], sample.ids, sample.logprobs, ends, sample.cut)
                self.last[row] = sample.ids
                self.turns[row] += 1
        return actions
