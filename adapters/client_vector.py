"""Many served episodes as one Gymnasium vector environment: a step of all of them is one request."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from proofgym.adapters.client import Connection, chosen, spec_of
from proofgym.adapters.wire import SessionLost, decode_info, error_of
from proofgym.envs.spaces import AnyText
from proofgym.errors import BadInput, Unjudged

__all__ = ["RemoteVectorEnv"]

Arrays = NDArray[Any]
Texts = tuple[str, ...]


class RemoteVectorEnv(VectorEnv):
    """Copies of a served environment, played side by side; an ended episode is reset by the next step.

    What cannot be judged masks its own episode and leaves the others alone, as `MaskUnjudged` does: the turn is
    truncated, its reward is `nan`, and `infos["unjudged"]` says why.

    Args:
        url: The server's.
        env: Which environment.
        num_envs: How many copies.
        timeout_s: How long one request may take.
        args: The environment's arguments.
    """

    def __init__(
        self, *, url: str, env: str | None = None, num_envs: int = 1, timeout_s: float = 180.0, **args: Any
    ) -> None:
        if num_envs < 1:
            raise BadInput(f"a vector environment has at least one copy, found num_envs={num_envs}")
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.render_mode = None
        self._connection = Connection(url, timeout_s=timeout_s)
        self._sessions = [""] * num_envs
        self._calls = [0] * num_envs
        self._finalizer = weakref.finalize(self, _farewell, self._connection, self._sessions)
        try:
            self._env_id, self._args = chosen(self._connection, env), args
            told = self._make(range(num_envs))
        except BaseException:
            self._finalizer()
            raise
        self.single_observation_space = AnyText(told["observation_limit"])
        self.single_action_space = AnyText(told["action_limit"])
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.spec = spec_of(self._env_id, {"url": url, "env": self._env_id, "timeout_s": timeout_s, **args})
        self._ended: NDArray[np.bool_] = np.zeros(num_envs, dtype=np.bool_)
        self._texts: list[str] = [""] * num_envs

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Texts, dict[str, Any]]:
        """Ask every copy; copy *i* gets seed + *i*. A session that is gone is made anew.

        Args:
            options: For every copy; `reset_mask` (one truth value a copy) leaves the others where they are.
        """
        seeds: Sequence[int | None]
        seeds = (
            [None if seed is None else seed + i for i in range(self.num_envs)]
            if not isinstance(seed, Sequence)
            else seed
        )
        if len(seeds) != self.num_envs:
            raise BadInput(f"{len(seeds)} seeds for {self.num_envs} copies")
        options = dict(options or {})
        mask = np.asarray(options.pop("reset_mask", np.ones(self.num_envs, dtype=np.bool_)))
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise BadInput(f"reset_mask holds one truth value for each of {self.num_envs} copies")
        asked = {i: {"seed": seeds[i], "options": options or None} for i in np.flatnonzero(mask).tolist()}
        infos: dict[str, Any] = {}
        for i, found in self._reset(asked).items():
            if isinstance(found, Exception):
                raise found
            self._texts[i], self._ended[i] = found["observation"], False
            infos = self._add_info(infos, decode_info(found["info"]), i)
        return tuple(self._texts), infos

    def step(
        self, actions: Any
    ) -> tuple[Texts, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Play one action in every copy, or reset those whose episode ended.

        Args:
            actions: One text a copy; those of ended episodes are not looked at.
        """
        texts = [str(action) for action in actions]
        if len(texts) != self.num_envs:
            raise BadInput(f"{len(texts)} actions for {self.num_envs} copies")
        rewards = np.zeros(self.num_envs, dtype=np.float64)
        terminated, truncated = np.zeros(self.num_envs, dtype=np.bool_), np.zeros(self.num_envs, dtype=np.bool_)
        infos: dict[str, Any] = {}
        resetting = self._ended.copy()
        plays = {i: {"op": "step", "action": texts[i]} for i in range(self.num_envs) if not resetting[i]}
        again = {i: {"op": "reset"} for i in np.flatnonzero(resetting).tolist()}
        found = self._send({**plays, **again})
        lost = [i for i in again if isinstance(found[i], SessionLost)]
        if lost:
            self._make(lost)
            found.update(self._send({i: {"op": "reset"} for i in lost}))
        for i in range(self.num_envs):
            body = found[i]
            if isinstance(body, Unjudged):
                self._texts[i], rewards[i], truncated[i] = "", np.nan, True
                infos = self._add_info(infos, {"unjudged": str(body)}, i)
            elif isinstance(body, Exception):
                raise body
            else:
                self._texts[i] = body["observation"]
                if not resetting[i]:
                    rewards[i], terminated[i], truncated[i] = body["reward"], body["terminated"], body["truncated"]
                infos = self._add_info(infos, decode_info(body["info"]), i)
        self._ended = terminated | truncated
        return tuple(self._texts), rewards, terminated, truncated, infos

    def close_extras(self, **_: Any) -> None:
        """Close every session and hang up."""
        self._finalizer()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _make(self, places: Sequence[int]) -> dict[str, Any]:
        calls = [
            {"op": "create", "env": self._env_id, "args": self._args, "key": secrets.token_hex(16)} for _ in places
        ]
        told: dict[str, Any] = {}
        for i, (status, body) in zip(places, self._connection.batch(calls), strict=True):
            if status >= 400:
                raise error_of(body)
            self._sessions[i], self._calls[i], told = body["session"], body["call"], body["env"]
        return told

    def _reset(self, asked: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        found = self._send({i: {"op": "reset", **request} for i, request in asked.items()})
        lost = [i for i, body in found.items() if isinstance(body, SessionLost)]
        if lost:
            self._make(lost)
            found.update(self._send({i: {"op": "reset", **asked[i]} for i in lost}))
        return found

    def _send(self, calls: Mapping[int, Mapping[str, Any]]) -> dict[int, Any]:
        """The body of each call, or the exception that it stands for."""
        numbered = []
        for i, call in calls.items():
            self._calls[i] += 1
            numbered.append({**call, "session": self._sessions[i], "call": self._calls[i]})
        replies = self._connection.batch(numbered)
        return {
            i: error_of(body) if status >= 400 else body
            for i, (status, body) in zip(calls, replies, strict=True)
        }  # fmt: skip


def _farewell(connection: Connection, sessions: list[str]) -> None:
    connection.farewell([session for session in sessions if session])
