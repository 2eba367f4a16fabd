"""GEM's environments: games, mathematics, code, questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from proofgym.adapters.imports.base import Chance, Foreign, Imported, Reply, plain_state
from proofgym.errors import BadInput, need

__all__ = ["Gem"]


class _Env(Foreign):
    copies: ClassVar[bool] = True

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        gem = need("gem", "gem")
        need("gem.envs", "gem")  # registers
        self.chance = Chance()
        try:
            with self.chance.lent(0):
                self.env: Any = gem.make(name, **settings)
        except Exception as error:  # environments that lack data or a service say so each in a way of their own
            raise BadInput(f"GEM does not make {name!r} with {dict(settings)}: {error}") from error

    def open(self, seed: int) -> str:
        with self.chance.lent(seed):
            observation, _ = self.env.reset(seed=seed)
        self.last = str(observation)
        return self.last

    def content(self, first: str) -> Any:
        return [first, plain_state(self.env.unwrapped)]

    def act(self, action: str) -> Reply:
        with self.chance.lent():
            observation, reward, terminated, truncated, info = self.env.step(action)
        self.last = str(observation)
        correct = info.get("correct") if isinstance(info, Mapping) else None
        solved = correct if isinstance(correct, bool) else None
        return Reply(self.last, float(reward), bool(terminated), bool(truncated), solved)


class Gem(Imported):
    """Plays an environment of GEM (`pip install 'proofgym[gem]'`).

    Reward: GEM's own, step by step. An answer that its format rules refuse ends some of its games at a negative reward.

    Args:
        name: Its id there, such as `game:GuessTheNumber-v0-easy`.
        settings: For its constructor.
    Raises:
        MissingExtra: If gem-llm is not installed.
        BadInput: If GEM has no such environment.
    """

    family = "gem"

    def __init__(
        self, *, name: str = "game:GuessTheNumber-v0-easy", settings: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.name_there = name
        self._settings = dict(settings or {})
        _Env(name, self._settings).close()

    def settings(self) -> Mapping[str, Any]:
        return {"name": self.name_there, "settings": self._settings}

    def make_foreign(self, instance: Mapping[str, Any]) -> Foreign:
        name, settings = instance.get("name"), instance.get("settings")
        if not isinstance(name, str) or not isinstance(settings, Mapping):
            raise BadInput(f"an instance has 'name', 'settings' and 'seed', found {instance!r:.80}")
        return _Env(name, settings)
