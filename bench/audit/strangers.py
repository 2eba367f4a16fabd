"""Two other suites as they are, behind Gymnasium's interface and nothing else, so that they can be audited.

Not for training: `proofgym/ReasoningGym-v0` asks the same data sets with our seeds, splits and rules. Importing this
module registers `stranger/ReasoningGym-v0` and `stranger/TextArena-v0`:

    proofgym audit proofgym.bench.audit.strangers:stranger/ReasoningGym-v0 --set dataset=coin_flip
"""

from __future__ import annotations

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
        self._open(0)
        if self._data[0]["answer"] is not None:
            self.oracle = lambda: str(self._entry["answer"])

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        """Ask the next item, or item 0 of a seed."""
        super().reset(seed=seed)
        if seed is not None:
            self._open(seed)
        self._index += 1
        self._entry = self._data[self._index]
        return str(self._entry["question"]), {}

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Pay what the scorer says."""
        return "", float(self._data.score_answer(str(action), self._entry)), True, False, {}

    def _open(self, seed: int) -> None:
        from reasoning_gym import create_dataset

        try:
            self._data: Any = create_dataset(self.name, seed=seed, size=_ITEMS, **self.config)
        except ValueError as error:
            raise BadInput(f"reasoning-gym cannot make {self.name!r}: {error}") from error
        self._index, self._entry = -1, self._data[0]


class TextArenaAsItIs(gymnasium.Env[str, str]):
    """A game of TextArena for one player, paid what the game pays at its end.

    Observation: what the player is shown since the last turn.
    Action: the whole message; games look for a move in square brackets.
    Episode: until the game is over. `reset(seed=s)` starts the game of that seed, a plain `reset()` another one.
    """

    def __init__(self, game: str = "Sudoku-v0") -> None:
        textarena = need("textarena", "textarena")
        self.game = game
        self._env: Any = textarena.make(game)
        self.observation_space, self.action_space = AnyText(1 << 20), AnyText(1 << 20)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[str, dict[str, Any]]:
        """Start a game."""
        super().reset(seed=seed)
        given = seed if seed is not None else int(self.np_random.integers(2**31))
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
