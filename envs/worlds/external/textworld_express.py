"""The real TextWorldExpress, which runs on Java."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said, pick
from proofgym.envs.worlds.external.java import end_java
from proofgym.errors import BadInput, need

__all__ = ["TextWorldExpress"]

_GAMES = ("cookingworld", "twc", "coin", "mapreader", "arithmetic", "sorting", "simonsays", "peckingorder")


class _Express(Engine):
    def __init__(self, game: str, seed: int) -> None:
        self.game, self.seed = game, seed
        self.env: Any = None
        self.info: Mapping[str, Any] = {}
        self.solution: list[str] = []

    def open(self) -> Said:
        from textworld_express import TextWorldExpressEnv

        self.env = TextWorldExpressEnv(envStepLimit=10**6)
        self.env.load(self.game, "")
        text, self.info = self.env.reset(seed=self.seed, gameFold="train", generateGoldPath=True)
        self.solution = list(self.env.getGoldActionSequence())
        return Said(f"{self.info['taskDescription']}\n\n{text}")

    def act(self, command: str) -> Said:
        text, _, done, self.info = self.env.step(command)
        won = bool(self.info["tasksuccess"])
        return Said(str(text), float(self.info["score"]), bool(done), won)

    def commands(self) -> list[str]:
        return sorted(map(str, self.info["validActions"]))

    def gold(self) -> list[str]:
        return self.solution

    def close(self) -> None:
        if self.env is not None:
            end_java(self.env)


class TextWorldExpress(ExternalWorld):
    """Asks for one of TextWorldExpress's games (`pip install 'proofgym[textworld-express]'`; needs Java).

    Observation: the task and the game's text.
    Action: one of its commands.
    Episode: terminated when the engine ends it, truncated after 50 commands.

    Args:
        games: Which of its games: cookingworld, twc, coin, mapreader, arithmetic, sorting, simonsays, peckingorder.
    """

    family = "external_textworld_express"

    def __init__(self, *, games: Sequence[str] = _GAMES, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bad = next((game for game in games if game not in _GAMES), None)
        if bad is not None or not games:
            raise BadInput(f"TextWorldExpress has the games {', '.join(_GAMES)}; found {bad!r}")
        self.games = tuple(games)

    @classmethod
    def require(cls) -> None:
        need("textworld_express", "textworld-express")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"game": pick(rng, self.games), "seed": int(rng.integers(10_000))}

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "game", "seed")
        return _Express(fields.one_of(instance, "game", _GAMES), fields.whole(instance, "seed", 0, 10**6))
