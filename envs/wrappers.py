"""Wrappers that keep `state`, `restore` and `fork`, for our environments and for any Gymnasium text environment."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from proofgym.envs import trajectory
from proofgym.envs.base import Info, VerifiableEnv, fork
from proofgym.envs.spaces import AnyText, Messages
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.errors import BadInput, NotForkable, Unjudged
from proofgym.verifiers import Credit

__all__ = ["ChatMessages", "ForkableWrapper", "History", "InjectFaults", "MaskUnjudged", "RecordEpisodes", "TimeLimit"]

ObsT = TypeVar("ObsT")
Message = dict[str, str]


class ForkableWrapper(gymnasium.Wrapper[ObsT, str, str, str], RecordConstructorArgs):
    """A wrapper that can be forked and whose state travels: `memory` is what it keeps between turns, as JSON.

    Args:
        env: What is wrapped.
        arguments: What the constructor got, so that `gymnasium.make(env.spec)` can wrap again.
    """

    memory: dict[str, Any]

    def __init__(self, env: gymnasium.Env[str, str], **arguments: Any) -> None:
        RecordConstructorArgs.__init__(self, **arguments)
        gymnasium.Wrapper.__init__(self, cast("gymnasium.Env[ObsT, str]", env))
        self.memory = {}

    def state(self) -> dict[str, Any]:
        """The state of what is wrapped, and this wrapper's memory."""
        return {"memory": copy.deepcopy(self.memory), "wrapped": _stateful(self.env).state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up exactly where `state` was taken."""
        _stateful(self.env).restore(state["wrapped"])
        self.memory = copy.deepcopy(state["memory"])

    def fork(self) -> ForkableWrapper[ObsT]:
        """An exact copy in mid-episode, wrappers and all."""
        return fork(self)

    def __copy__(self) -> ForkableWrapper[ObsT]:
        clone = type(self).__new__(type(self))
        clone.__dict__.update(self.__dict__)
        clone.memory = copy.deepcopy(self.memory)
        return clone


def _stateful(env: gymnasium.Env[Any, Any]) -> VerifiableEnv | ForkableWrapper[Any]:
    """The nearest layer that can hand out its state, looking through Gymnasium's own stateless wrappers."""
    while not isinstance(env, (VerifiableEnv, ForkableWrapper)):
        if not isinstance(env, gymnasium.Wrapper):
            raise NotForkable(f"{type(env).__name__} has no state() and restore()")
        env = env.env
    return env


class TimeLimit(ForkableWrapper[str]):
    """Truncates an episode after `max_turns` actions; for environments that have no limit of their own."""

    def __init__(self, env: gymnasium.Env[str, str], max_turns: int) -> None:
        if max_turns < 1:
            raise BadInput(f"an episode needs at least one turn, found max_turns={max_turns}")
        super().__init__(env, max_turns=max_turns)
        self.max_turns = max_turns
        self.memory = {"turns": 0}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, Info]:
        """Start counting anew."""
        self.memory["turns"] = 0
        return self.env.reset(seed=seed, options=options)

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play one action; the last allowed one truncates unless it terminates."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.memory["turns"] += 1
        return observation, float(reward), terminated, truncated or self.memory["turns"] >= self.max_turns, info


class ChatMessages(ForkableWrapper[tuple[Message, ...]]):
    """Shows the episode as the conversation so far, in the form that chat APIs take.

    Args:
        env: Any environment of text turns.
        system: A system message to put first.
    """

    def __init__(self, env: gymnasium.Env[str, str], system: str | None = None) -> None:
        super().__init__(env, system=system)
        self.system = system
        self.observation_space = Messages(AnyText(1 << 20))
        self.memory = {"messages": []}

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[tuple[Message, ...], Info]:
        """Start a conversation."""
        observation, info = self.env.reset(seed=seed, options=options)
        first = [{"role": "system", "content": self.system}] if self.system else []
        self.memory["messages"] = [*first, {"role": "user", "content": observation}]
        return self._view(), info

    def step(self, action: str) -> tuple[tuple[Message, ...], float, bool, bool, Info]:
        """Say `action` as the assistant and hear the next observation as the user."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.memory["messages"] += [
            {"role": "assistant", "content": action},
            {"role": "user", "content": observation},
        ]
        return self._view(), float(reward), terminated, truncated, info

    def _view(self) -> tuple[Message, ...]:
        return tuple(dict(message) for message in self.memory["messages"])


class History(ForkableWrapper[str]):
    """Shows the first observation and the last turns in every observation, for long episodes and short memories.

    Args:
        env: What is wrapped.
        turns: How many turns, action and observation, are shown in full.
        summary: Called with the turns before those as one text, when there are any; what it returns is shown in their
            place. Without it they are left out, and their number is told. It has to be a function of its argument
            alone, so that forks agree.
    Raises:
        BadInput: If `turns` is below 1.
    """

    def __init__(
        self, env: gymnasium.Env[str, str], turns: int = 5, summary: Callable[[str], str] | None = None
    ) -> None:
        if turns < 1:
            raise BadInput(f"at least one turn is shown, found turns={turns}")
        super().__init__(env, turns=turns, summary=summary)
        self.turns, self.summary = turns, summary
        self.memory = {"first": "", "turns": []}
        self.observation_space = AnyText(1_000_000)

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[str, Info]:
        """Ask, with an empty history."""
        observation, info = self.env.reset(seed=seed, options=options)
        self.memory = {"first": observation, "turns": []}
        return observation, info

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play, and show what went before."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.memory["turns"].append([action, observation])
        return self._view(), float(reward), terminated, truncated, info

    def _view(self) -> str:
        turns = self.memory["turns"]
        older, shown = turns[: -self.turns], turns[-self.turns :]
        parts = [self.memory["first"]]
        if older:
            told = "\n".join(map(_turn, older))
            parts.append(self.summary(told) if self.summary else f"({len(older)} earlier turns are not shown)")
        return "\n\n".join([*parts, *map(_turn, shown)])


def _turn(turn: list[str]) -> str:
    return f"> {turn[0].strip()}\n{turn[1]}"


class RecordEpisodes(ForkableWrapper[str]):
    """Appends every episode to a JSON Lines file in the trajectory format.

    An episode is written when it ends, when it cannot be judged, or, as `truncated`, when the next `reset` or `close`
    abandons it after at least one turn.
    """

    def __init__(self, env: gymnasium.Env[str, str], path: str | Path) -> None:
        super().__init__(env, path=str(path))
        self.path = Path(path)
        self._open: Trajectory | None = None
        self._observation = ""
        self._seed, self._index = 0, -1

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[str, Info]:
        """Start a new record, keeping an abandoned one."""
        self._finish("truncated")
        observation, info = self.env.reset(seed=seed, options=options)
        self._index = self._index + 1 if seed is None else 0
        self._seed = self._seed if seed is None else seed
        inner = self.env.unwrapped
        if isinstance(inner, VerifiableEnv):
            state = inner.state()
            self._seed, self._index = state["seed"], state["index"]
        name = self.env.spec.id if self.env.spec else type(inner).__name__
        self._open = Trajectory(name, dict(info.get("task", {})), self._seed, self._index)
        self._observation = observation
        return observation, info

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play and write down one action."""
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
        except Unjudged as error:
            if self._open is not None:
                self._open.turns.append(Turn(self._observation, action, 0.0))
                self._open.fault = str(error)
            self._finish("unjudged")
            raise
        if self._open is not None:
            credits_ = cast("list[Credit]", info.get("credits", []))
            self._open.turns.append(Turn(self._observation, action, float(reward), list(credits_), info.get("verdict")))
        self._observation = observation
        if terminated or truncated:
            self._finish("terminated" if terminated else "truncated")
        return observation, float(reward), terminated, truncated, info

    def close(self) -> None:
        """Write down what is open and close what is wrapped."""
        self._finish("truncated")
        super().close()

    def state(self) -> dict[str, Any]:
        """The state of what is wrapped, and the episode as recorded so far."""
        open_ = self._open.to_json() if self._open else None
        self.memory = {"open": open_, "observation": self._observation, "seed": self._seed, "index": self._index}
        return super().state()

    def restore(self, state: dict[str, Any]) -> None:
        """Take up the record with the episode, keeping the one that is abandoned."""
        self._finish("truncated")
        super().restore(state)
        kept = self.memory
        self._open = Trajectory.from_json(kept["open"]) if kept["open"] else None
        self._observation, self._seed, self._index = kept["observation"], kept["seed"], kept["index"]

    def __copy__(self) -> RecordEpisodes:
        clone = cast("RecordEpisodes", super().__copy__())
        clone._open = copy.deepcopy(self._open)
        return clone

    def _finish(self, end: trajectory.End) -> None:
        if self._open is not None and self._open.turns:
            self._open.end = end
            trajectory.write(self.path, [self._open])
        self._open = None


class MaskUnjudged(ForkableWrapper[str]):
    """Turns `Unjudged` into a truncated turn whose reward is `nan`, for runners that cannot take an exception.

    A vector environment would otherwise lose all its episodes to one fault. `nan` cannot be mistaken for a score:
    `info["unjudged"]` holds the reason, and whoever averages without looking gets `nan`.
    """

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play one action; a fault ends the episode without a score."""
        try:
            observation, reward, terminated, truncated, info = self.env.step(action)
        except Unjudged as error:
            return "", float("nan"), False, True, {"unjudged": str(error)}
        return observation, float(reward), terminated, truncated, info


class InjectFaults(ForkableWrapper[str]):
    """Breaks the verifier on purpose: each turn raises `Unjudged` with probability `rate`, from a seeded stream."""

    def __init__(self, env: gymnasium.Env[str, str], rate: float, seed: int = 0) -> None:
        if not 0.0 <= rate <= 1.0:
            raise BadInput(f"a fault rate lies in [0, 1], found {rate}")
        super().__init__(env, rate=rate, seed=seed)
        self.rate, self.seed = rate, seed
        self.memory = {"calls": 0}

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play one action, or fail."""
        self.memory["calls"] += 1
        if np.random.default_rng([self.seed, self.memory["calls"]]).random() < self.rate:
            raise Unjudged(f"injected fault at call {self.memory['calls']}")
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, float(reward), terminated, truncated, info
