"""Our environments in the Tinker cookbook: `Env`, its group builder, its data set.

The cookbook sums an episode's step rewards before it centres them in the group, and says so here once. The policy's
sampled tokens are the transitions' own; the conversation before a turn is rendered anew by the cookbook's renderer, as
its own message environments do. An episode that nobody could judge raises, and the cookbook's rollout strategy drops or
repeats it (`RetryOnFailure`, or whichever is configured); it is never a reward.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from proofgym.adapters.episode import Episode
from proofgym.adapters.said import said_once
from proofgym.envs.registry import find
from proofgym.errors import BadInput, Unjudged, need

if TYPE_CHECKING:
    import chz
    import tinker_cookbook.rl.types as types
else:
    types = need("tinker_cookbook.rl.types", "tinker")
    chz = need("chz", "tinker")

__all__ = ["ItemEnv", "ItemGroupBuilder", "Items", "ItemsBuilder"]


class ItemEnv(types.Env):
    """One episode of one item.

    Args:
        renderer: The cookbook's, for the model that is sampled.
        env_id, env_kwargs, seed, index: The item.
        system: A system message to put first.
    """

    def __init__(
        self,
        renderer: Any,
        env_id: str,
        env_kwargs: Mapping[str, Any],
        seed: int,
        index: int,
        system: str | None = None,
    ) -> None:
        self.renderer = renderer
        self.item = (env_id, dict(env_kwargs), seed, index)
        self.messages: list[dict[str, Any]] = [{"role": "system", "content": system}] if system else []
        self.episode: Episode | None = None

    async def initial_observation(self) -> tuple[Any, Any]:
        """The rendered first observation, and where sampling stops.

        Raises:
            Unjudged: If the item could not be asked.
        """
        env_id, env_kwargs, seed, index = self.item
        self.episode = await asyncio.to_thread(Episode, env_id, **env_kwargs)
        first = await asyncio.to_thread(self.episode.start, seed, index)
        return self._asked(first), self.renderer.get_stop_sequences()

    async def step(self, action: Sequence[int], *, extra: Mapping[str, Any] | None = None) -> Any:
        """Play sampled ids.

        Raises:
            Unjudged: If nobody could judge the action.
        """
        if self.episode is None:
            raise BadInput("initial_observation() comes before step()")
        message, termination = self.renderer.parse_response(list(action))
        text = _text(message["content"])
        self.messages.append({"role": "assistant", "content": text})
        outcome = await asyncio.to_thread(self.episode.act, text)
        if outcome.unjudged is not None:
            self.episode.close()
            raise Unjudged(outcome.unjudged)
        metrics: dict[str, float] = {"cut": float(not termination.is_clean)}
        logs = {"proofgym/credits": str([credit.to_json() for credit in outcome.credits])}
        if outcome.verdict is not None:
            metrics["solved"] = float(outcome.verdict.correct)
            logs["proofgym/verdict"] = f"{outcome.verdict.status.value}: {outcome.verdict.reason}"
        if outcome.done:
            metrics["stop/max_turns" if outcome.truncated else "stop/completed"] = 1.0
            self._said()
            self.episode.close()
        following = self._asked(outcome.observation)
        return types.StepResult(
            reward=outcome.reward,
            episode_done=outcome.done,
            next_observation=following,
            next_stop_condition=self.renderer.get_stop_sequences(),
            metrics=metrics,
            logs=logs,
        )

    def _asked(self, observation: str) -> Any:
        self.messages.append({"role": "user", "content": observation})
        return self.renderer.build_generation_prompt(self.messages)

    def _said(self) -> None:
        assert self.episode is not None
        if self.episode.paid > 1:
            said_once(
                "tinker.scalar",
                f"the Tinker cookbook sums an episode's rewards: {self.episode.paid} credits became one number",
            )


class ItemGroupBuilder(types.EnvGroupBuilder):
    """Several attempts at one item; holds settings only, so that it pickles."""

    def __init__(
        self,
        renderer: Any,
        env_id: str,
        seed: int,
        index: int,
        group_size: int,
        env_kwargs: Mapping[str, Any] | None = None,
        system: str | None = None,
    ) -> None:
        if group_size < 1:
            raise BadInput(f"a group has at least one attempt, found {group_size}")
        self.renderer, self.env_id, self.seed, self.index = renderer, env_id, seed, index
        self.group_size, self.env_kwargs, self.system = group_size, dict(env_kwargs or {}), system

    async def make_envs(self) -> Sequence[ItemEnv]:
        """One environment an attempt."""
        return [
            ItemEnv(self.renderer, self.env_id, self.env_kwargs, self.seed, self.index, self.system)
            for _ in range(self.group_size)
        ]

    def logging_tags(self) -> list[str]:
        """The environment's name."""
        return ["proofgym", self.env_id.split("/")[-1]]


class Items(types.RLDataset):
    """Batches of items, in order: batch *b* asks items *b · batch_size* and on.

    Args:
        batches: How many there are.
    """

    def __init__(
        self,
        renderer: Any,
        env_id: str,
        *,
        batches: int,
        batch_size: int,
        group_size: int,
        seed: int = 0,
        env_kwargs: Mapping[str, Any] | None = None,
        system: str | None = None,
    ) -> None:
        self.renderer, self.env_id, self.batches, self.batch_size = renderer, find(env_id).id, batches, batch_size
        self.group_size, self.seed, self.env_kwargs, self.system = group_size, seed, dict(env_kwargs or {}), system

    def get_batch(self, index: int) -> Sequence[ItemGroupBuilder]:
        """The builders of a batch."""
        if not 0 <= index < self.batches:
            raise IndexError(f"there are {self.batches} batches, found {index}")
        start = index * self.batch_size
        return [
            ItemGroupBuilder(self.renderer, self.env_id, self.seed, i, self.group_size, self.env_kwargs, self.system)
            for i in range(start, start + self.batch_size)
        ]

    def __len__(self) -> int:
        return self.batches


@chz.chz
class ItemsBuilder(types.RLDatasetBuilder):
    """The cookbook's configuration of a data set: training items, and held-out ones for its test set.

    Attributes:
        model_name: Whose tokenizer and renderer are used.
        renderer_name: The cookbook's name of the renderer.
        env: An environment's id.
    """

    model_name: str
    renderer_name: str
    env: str
    batches: int = 100
    batch_size: int = 32
    group_size: int = 8
    test_batches: int = 1
    seed: int = 0
    system: str | None = None

    async def __call__(self) -> tuple[Items, Items | None]:
        """Build both; the test set asks the split `test`, which training never meets."""
        tokenizer = need("tinker_cookbook.tokenizer_utils", "tinker").get_tokenizer(self.model_name)
        renderer = need("tinker_cookbook.renderers", "tinker").get_renderer(self.renderer_name, tokenizer)

        def items(split: str, batches: int, group_size: int) -> Items:
            return Items(
                renderer, self.env, batches=batches, batch_size=self.batch_size, group_size=group_size,
                seed=self.seed, env_kwargs={"split": split}, system=self.system,
            )  # fmt: skip

        test = items("test", self.test_batches, 1) if self.test_batches else None
        return items("train", self.batches, self.group_size), test


def _text(content: Any) -> str:
    """What a parsed message says, without its thinking."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part.get("type") == "text")
