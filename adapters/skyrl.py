"""Our environments inside SkyRL: one text environment, whose step rewards SkyRL keeps.

SkyRL places each turn's reward at that turn's last token. Its stock GRPO then sums over tokens; GAE, or an advantage
estimator of your own, uses the steps. It has no way to leave one episode out, so an episode that nobody could judge
raises `Unjudged`, which stops the batch, rather than be given a score. Written against skyrl-gym 0.4; no version is
pinned, and it is imported where the environment is first used.

    import skyrl_gym
    skyrl_gym.register(id="proofgym", entry_point="proofgym.adapters.skyrl:ProofgymTextEnv")
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from proofgym.adapters.episode import Episode
from proofgym.adapters.rows import Row
from proofgym.adapters.said import said_once
from proofgym.errors import MissingExtra, Unjudged

# `ProofgymTextEnv` belongs here too; it is made when first asked for, at the end.
__all__ = ["ENV_CLASS", "row_of"]

ENV_CLASS = "proofgym"
"""The `env_class` of our rows, and the id to register the environment under."""


def row_of(extras: Mapping[str, Any]) -> Row:
    """The row that a data set's columns name: `reward_spec.ground_truth` holds our reference as JSON text."""
    spec = extras.get("reward_spec") or {}
    truth = spec.get("ground_truth")
    return Row.from_json(json.loads(truth) if isinstance(truth, str) else extras.get("extra_info") or extras)


def _text_env() -> type:
    """Make the environment over skyrl-gym's base class."""
    try:
        from skyrl_gym.envs.base_text_env import BaseTextEnv
    except ImportError as error:
        raise MissingExtra(f"skyrl-gym is not installed; `pip install skyrl-gym` brings it ({error})") from error

    class ProofgymTextEnv(BaseTextEnv):  # type: ignore[misc]
        """Plays one episode of the item that the row names.

        Args:
            env_config: SkyRL's settings of the environment; `max_turns` stops an episode earlier than the environment.
            extras: The row's other columns.
        """

        def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None) -> None:
            super().__init__()
            self.row = row_of(extras or {})
            self.episode = Episode(self.row.env, **self.row.kwargs)
            wanted = _setting(env_config, "max_turns") or (extras or {}).get("max_turns")
            own = getattr(self.episode.env.unwrapped, "max_turns", None)
            self.max_turns = int(wanted or own or 1)

        def init(self, prompt: list[dict[str, str]]) -> tuple[list[dict[str, str]], dict[str, Any]]:
            """Ask the item; the prompt shows it already and is returned as it is.

            Raises:
                Unjudged: If the item could not be asked.
            """
            self.episode.start(self.row.seed, self.row.index)
            self.episode.expect(self.row.fingerprint)
            self.turns = 0
            return prompt, dict(self.episode.task)

        def step(self, action: str) -> dict[str, Any]:
            """Play one action.

            Raises:
                Unjudged: If nobody could judge it: SkyRL has no mask for one episode.
            """
            outcome = self.episode.act(action)
            self.turns += 1
            if outcome.unjudged is not None:
                raise Unjudged(
                    f"{self.row.env}, seed {self.row.seed}, index {self.row.index} could not be judged "
                    f"({outcome.unjudged}); SkyRL has no way to leave one episode out"
                )
            if len(outcome.credits) > 1:
                said_once(
                    "skyrl.credits",
                    f"SkyRL takes one reward a turn, at its last token: {len(outcome.credits)} credits inside a turn "
                    f"of {self.row.env} were summed",
                )
            done = outcome.done or self.turns >= self.max_turns
            return {
                "observations": [] if done else [{"role": "user", "content": outcome.observation}],
                "reward": outcome.reward,
                "done": done,
                "metadata": {
                    "credits": [credit.to_json() for credit in outcome.credits],
                    "verdict": outcome.verdict.to_json() if outcome.verdict else None,
                },
            }

        def get_metrics(self) -> dict[str, Any]:
            """Numbers of the episode; SkyRL averages them."""
            verdict = self.episode.verdict
            return {
                "reward": self.episode.total,
                "turns": float(self.episode.turns),
                "correct": float(verdict is not None and verdict.correct),
                "malformed": float(verdict is not None and verdict.status.value == "malformed"),
            }

        def close(self) -> None:
            """Release what the environment holds."""
            self.episode.close()

    ProofgymTextEnv.__module__, ProofgymTextEnv.__qualname__ = __name__, "ProofgymTextEnv"
    return ProofgymTextEnv


def _setting(config: Any, name: str) -> Any:
    if config is None:
        return None
    return config.get(name) if hasattr(config, "get") else getattr(config, name, None)


def __getattr__(name: str) -> Any:
    """The environment's class, made when first asked for, since its base is skyrl-gym's."""
    if name != "ProofgymTextEnv":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = globals()[name] = _text_env()
    return made
