"""Anybody's Gymnasium environment of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium

from proofgym.adapters.imports.base import Chance, Foreign, Imported, Reply
from proofgym.errors import BadInput

__all__ = ["GymnasiumText"]


class _Env(Foreign):
    def __init__(self, env_id: str, settings: Mapping[str, Any]) -> None:
        self.chance = Chance()
        try:
            with self.chance.lent(0):
                self.env: gymnasium.Env[Any, Any] = gymnasium.make(env_id, **settings)
        except (gymnasium.error.Error, TypeError) as error:
            raise BadInput(f"Gymnasium does not make {env_id!r} with {dict(settings)}: {error}") from error

    def open(self, seed: int) -> str:
        with self.chance.lent(seed):
            observation, _ = self.env.reset(seed=seed)
        return self._text(observation)

    def act(self, action: str) -> Reply:
        with self.chance.lent():
            observation, reward, terminated, truncated, info = self.env.step(action)
        success = info.get("is_success", info.get("success"))
        solved = bool(success) if success is not None else None
        return Reply(self._text(observation), float(reward), bool(terminated), bool(truncated), solved)

    def _text(self, observation: Any) -> str:
        if not isinstance(observation, str):
            raise BadInput(
                f"only environments of text can be played, and this one shows a {type(observation).__name__}"
            )
        self.last = observation
        return observation

    def close(self) -> None:
        self.env.close()


class GymnasiumText(Imported):
    """Plays an environment of Gymnasium's registry whose observations and actions are text.

    Args:
        env_id: As `gymnasium.make` takes it; `module:Id` imports the module first.
        settings: For its constructor.
    Raises:
        BadInput: If there is no such environment, or it does not speak text.
    """

    family = "gymnasium"

    def __init__(self, env_id: str, *, settings: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.env_id = env_id
        self._settings = dict(settings or {})
        _Env(env_id, self._settings).close()

    def settings(self) -> Mapping[str, Any]:
        return {"env_id": self.env_id, "settings": self._settings}

    def make_foreign(self, instance: Mapping[str, Any]) -> Foreign:
        env_id, settings = instance.get("env_id"), instance.get("settings")
        if not isinstance(env_id, str) or not isinstance(settings, Mapping):
            raise BadInput(f"an instance has 'env_id', 'settings' and 'seed', found {instance!r:.80}")
        return _Env(env_id, settings)
