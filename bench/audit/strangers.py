"""Two other suites as they are, behind Gymnasium's interface and nothing else, so that they can be audited.

Not for training: `proofgym/ReasoningGym-v0` asks the same data sets with our seeds, splits and rules. Importing this
module registers `stranger/ReasoningGym-v0` and `stranger/TextArena-v0`:

    proofgym audit proofgym.bench.audit.strangers:stranger/ReasoningGym-v0 --set dataset=coin_flip
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping
from typing import Any

import gymnasium

from proofgym.envs.spaces import AnyText
from proofgym.errors import BadInput, need

__all__ = ["ReasoningGymAsItIs", "TextArenaAsItIs"]

_ITEMS = 10_000  # of one data set; they are made when they are asked for


class ReasoningGymAsItIs(gymnasium.Env[str, str]):
    """Items of one of reasoning-gym's data sets, by its own seeds, paid what its own scorer says.

    Observation: the question.
    Action: the bare answer, as `score_answer` takes it.
    Episode: one turn. `reset(seed=s)` asks item 0 of the data set with seed s, each plain `reset()` the next item.
    """

    def __init__(self, dataset: str = "spell_backward", config: Mapping[str, Any] | None = None) -> None:
        need("reasoning_gym", "reasoning-gym")
        self.name, self.config = dataset, dict(config or {})
        self.observation_space, self.action_space = AnyText(1 << 20), AnyText(1 << 20)
        self._entry: Any = None
        self._open(0)
        if _entry(dataset, json.dumps(self.config), 0, 0)["answer"] is not None:
            self.oracle = self._answer  # some data sets store none

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        """Ask the next item, or item 0 of a seed."""
        super().reset(seed=seed)
        if seed is not None:
            self._open(seed)
        self._index += 1
        self._entry = _entry(self.name, json.dumps(self.config), self._seed, self._index)
        return str(self._entry["question"]), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Pay what the scorer says."""
        return "", float(self._data.score_answer(str(action), self._entry)), True, False, {}

    def _answer(self) -> str:
        return str(self._entry["answer"])

    def _open(self, seed: int) -> None:
        self._seed, self._data = seed, _data_set(self.name, json.dumps(self.config), seed)
        self._index, self._entry = -1, _entry(self.name, json.dumps(self.config), seed, 0)


@functools.lru_cache(maxsize=512)
def _data_set(name: str, config: str, seed: int) -> Any:
    from reasoning_gym import create_dataset

    try:
        return create_dataset(name, seed=seed, size=_ITEMS, **json.loads(config))
    except (ValueError, AssertionError, TypeError) as error:
        raise BadInput(f"reasoning-gym cannot make {name!r}: {error}") from error


@functools.lru_cache(maxsize=4096)
def _entry(name: str, config: str, seed: int, index: int) -> Any:
    return _data_set(name, config, seed)[index]


class TextArenaAsItIs(gymnasium.Env[str, str]):
    """A game of TextArena for one player, paid what the game pays at its end.

    Observation: what the player is shown since the last turn.
    Action: the whole message; games look for a move in square brackets.
    Episode: until the game is over. `reset(seed=s)` starts the game of that seed, a plain `reset()` another one.

    Args:
        game: An id of TextArena.
        fresh: Make the game anew at each reset. Without it the first observation of an episode holds the text of all
            episodes before, since its observation wrapper forgets nothing.
    """

    def __init__(self, game: str = "Sudoku-v0", fresh: bool = True) -> None:
        self._make = need("textarena", "textarena").make
        self.game, self.fresh = game, fresh
        self._env: Any = self._make(game)
        self.observation_space, self.action_space = AnyText(1 << 20), AnyText(1 << 20)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        """Start a game."""
        super().reset(seed=seed)
        given = seed if seed is not None else int(self.np_random.integers(2**31))
        if self.fresh:
            self._env = self._make(self.game)
        before = random.getstate()  # it seeds the process's own generator
        try:
            self._env.reset(num_players=1, seed=given)
        finally:
            random.setstate(before)
        return self._told(), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Send a message; the reward comes with the end."""
        over, _ = self._env.step(str(action))
        if not over:
            return self._told(), 0.0, False, False, {}
        rewards, _ = self._env.close()
        return "", float(rewards[0]), True, False, {}

    def _told(self) -> str:
        return str(self._env.get_observation()[1])


for _name, _class in (("ReasoningGym", ReasoningGymAsItIs), ("TextArena", TextArenaAsItIs)):
    if f"stranger/{_name}-v0" not in gymnasium.registry:
        gymnasium.register(f"stranger/{_name}-v0", entry_point=f"{__name__}:{_class.__name__}")
