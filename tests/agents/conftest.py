"""Episodes and models for the tests of the agents; whatever needs torch is imported where it is used."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from proofgym.agents.rollout import Action, Item, Seats, TextEnv
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.verifiers import Credit

HAVE_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "pydantic"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not HAVE_TORCH:
        for item in items:
            if item.get_closest_marker("train"):
                item.add_marker(pytest.mark.skip(reason="needs torch and transformers: pip install 'proofgym[train]'"))


@pytest.fixture(autouse=True)
def _one_thread(request: pytest.FixtureRequest) -> None:
    """Models of a few thousand weights: more threads only wait for each other, the longer the busier the machine."""
    if request.node.get_closest_marker("train"):
        import torch

        torch.set_num_threads(1)


class ScriptedPlayer:
    """Plays given texts, or what a function of the observation returns; no tokens, no model."""

    version = 7

    def __init__(self, script: Callable[[Item, int, str], str | None]) -> None:
        self.script = script
        self.seen: list[tuple[Item, int, str]] = []

    def seat(self, envs: Sequence[TextEnv], items: Sequence[Item]) -> Seats:
        turns = [0] * len(items)
        player = self

        class Scripted:
            def act(self, rows: Sequence[int], observations: Sequence[str]) -> list[Action | None]:
                actions: list[Action | None] = []
                for row, observation in zip(rows, observations, strict=True):
                    player.seen.append((items[row], turns[row], observation))
                    text = player.script(items[row], turns[row], observation)
                    turns[row] += 1
                    actions.append(None if text is None else Action(text))
                return actions

        return Scripted()


@pytest.fixture(scope="session")
def scripted() -> type[ScriptedPlayer]:
    """See `ScriptedPlayer`."""
    return ScriptedPlayer


def make_turn(
    action: str, credits_: Sequence[tuple[int, int, float]] = (), *, ends: Sequence[int] | None = None
) -> Turn:
    """A turn with one token a character and an end token, or with given token ends."""
    ends = [*range(1, len(action) + 1), len(action)] if ends is None else list(ends)
    turn = Turn("?", action, sum(c[2] for c in credits_), [Credit(s, e, v, "x") for s, e, v in credits_])
    turn.prompt_ids, turn.action_ids = [1, 5, 2], [6] * len(ends)
    turn.logprobs, turn.token_ends = [-1.0] * len(ends), list(ends)
    return turn


def make_episode(turns: Sequence[Turn], *, index: int = 0, sample: int = 0, **fields: Any) -> Trajectory:
    return Trajectory("test", {}, 0, index, sample, list(turns), fields.pop("end", "terminated"), **fields)


@pytest.fixture(scope="session")
def turn() -> Callable[..., Turn]:
    """See `make_turn`."""
    return make_turn


@pytest.fixture(scope="session")
def episode() -> Callable[..., Trajectory]:
    """See `make_episode`."""
    return make_episode
