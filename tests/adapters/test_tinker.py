"""The Tinker cookbook rolls out our environments with its own loop and its own renderer."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest

from proofgym.adapters.episode import Episode

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


class Letters:
    """A tokenizer of characters, as much of one as the cookbook's plain renderer asks for."""

    bos_token = eos_token = "\x00"
    eos_token_id = 0
    name_or_path = "letters"

    def encode(self, text: str, **_: Any) -> list[int]:
        return [ord(c) for c in text]

    def decode(self, ids: Any, **_: Any) -> str:
        return "".join(chr(i) for i in ([ids] if isinstance(ids, int) else ids))


@pytest.fixture
def renderer(real: Any) -> Any:
    real("tinker_cookbook")
    return real("tinker_cookbook.renderers").get_renderer("role_colon", Letters())


@pytest.fixture
def rollout(real: Any, renderer: Any) -> Any:
    """`rollout(builder, answers)` -> the cookbook's trajectory group, sampled from a list of texts."""
    rollouts, completers = real("tinker_cookbook.rl.rollouts"), real("tinker_cookbook.completers")

    def run(builder: Any, says: Any) -> Any:
        class Policy(completers.TokenCompleter):  # type: ignore[misc, name-defined]
            async def __call__(self, model_input: Any, stop: Any, *, max_tokens: int | None = None) -> Any:
                text = says("".join(chr(i) for i in model_input.to_ints())) + "\n\nUser:"
                ids = [ord(c) for c in text]
                return completers.TokensWithLogprobs(ids, [0.0] * len(ids))

        return asyncio.run(rollouts.do_group_rollout(builder, Policy()))

    return run


def test_an_expert_earns_the_maximum_step_by_step(rollout: Any, renderer: Any) -> None:
    from proofgym.adapters.tinker import ItemGroupBuilder

    oracle = Episode("Sudoku4Steps")
    oracle.start(0, 3)

    def says(_: str) -> str:
        text: str = oracle.env.unwrapped.oracle()  # type: ignore[attr-defined]
        oracle.act(text)
        return text

    builder = ItemGroupBuilder(renderer, "Sudoku4Steps", 0, 3, group_size=1)
    group = rollout(builder, says)
    [trajectory] = group.trajectories_G
    assert group.get_total_rewards() == [pytest.approx(1.0)]
    assert len(trajectory.transitions) == oracle.turns > 1
    assert trajectory.transitions[-1].metrics["solved"] == 1.0
    assert [step.reward for step in trajectory.transitions] == [
        pytest.approx(turn.reward) for turn in oracle.trajectory.turns
    ]
    assert builder.logging_tags() == ["proofgym", "Sudoku4Steps"]


def test_what_nobody_can_judge_is_no_reward(rollout: Any, renderer: Any, flaky: str) -> None:
    from proofgym.adapters.tinker import ItemGroupBuilder

    with pytest.raises(Exception, match=r"strike|ailed"):
        rollout(ItemGroupBuilder(renderer, flaky, 0, 0, group_size=1), lambda _: "break")


def test_builders_pickle(real: Any) -> None:
    real("tinker_cookbook")
    tinker = real("proofgym.adapters.tinker")
    builder = tinker.ItemGroupBuilder(None, "Countdown", 1, 2, group_size=3, env_kwargs={"level": 0.2})
    assert vars(pickle.loads(pickle.dumps(builder))) == vars(builder)


def test_batches_ask_consecutive_items(renderer: Any) -> None:
    from proofgym.adapters.tinker import Items

    items = Items(renderer, "Countdown", batches=3, batch_size=4, group_size=2)
    assert [builder.index for builder in items.get_batch(2)] == [8, 9, 10, 11]
    assert len(items) == 3
    with pytest.raises(IndexError, match="3 batches"):
        items.get_batch(3)
