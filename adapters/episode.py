"""One episode of one environment, as a foreign trainer drives it: start, act, act, ..., close.

Trainers differ in what they call a turn and in what they do with a fault. This class takes the environment's side: it
plays what the Gymnasium API offers, keeps the books (turns, credits, the total), and turns *could not judge* into an
outcome with a reason, whose reward is `nan`. What an adapter then does with it (None, a mask, a dropped row, an error)
is that trainer's convention; no adapter turns it into a number.
"""

from __future__ import annotations

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium

from proofgym.agents.rollout import Action, Item, reset_episode, step_episode
from proofgym.envs.registry import make
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput, EpisodeOver, ProofgymError, Unjudged
from proofgym.verifiers import Credit, Verdict

__all__ = ["Episode", "Outcome", "judge", "judge_item"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one action came to.

    Args:
        observation: What the policy reads next; empty once there is nothing more to read.
        reward: Reward units of this turn, the sum of the credits' values; `nan` if nobody could judge it.
        done: Whether the episode is over, for whatever reason.
        truncated: Whether it is over because it ran out of turns.
        credits: On character spans of the action.
        verdict: If this turn was judged.
        unjudged: Why nobody could judge it; None if it was judged.
    """

    observation: str
    reward: float
    done: bool
    truncated: bool = False
    credits: tuple[Credit, ...] = ()
    verdict: Verdict | None = None
    unjudged: str | None = None


class Episode:
    """Plays one environment of text, ours or any Gymnasium one, an episode at a time.

    Args:
        env_id: An id of ours (the prefix and the version may be left out) or of Gymnasium's registry; or an environment
            that is already made, which then stays the caller's to close.
        env_kwargs: What the environment is made with.
    Raises:
        UnknownEnv: If there is no such environment; the message names the nearest.
        BadInput: If the environment does not take these arguments.

    >>> import proofgym
    >>> episode = Episode("RunningTotal")
    >>> _ = episode.start(0, 0)
    >>> outcome = episode.act("no idea")
    >>> outcome.reward, outcome.done, outcome.verdict.status.value, episode.total
    (0.0, True, 'malformed', 0.0)
    """

    def __init__(self, env_id: str | gymnasium.Env[str, str], **env_kwargs: Any) -> None:
        self._owned = isinstance(env_id, str)
        if isinstance(env_id, str):
            try:
                foreign = ":" in env_id and not env_id.startswith("proofgym:")  # Gymnasium imports the module
                self.env: gymnasium.Env[str, str] = (gymnasium.make if foreign else make)(env_id, **env_kwargs)
            except TypeError as error:  # Gymnasium's words for an argument that the constructor does not have
                raise BadInput(f"{env_id} cannot be made with {env_kwargs}: {error}") from error
        else:
            self.env = env_id
        self._played: Trajectory | None = None
        self._over = True
        self._observation = ""

    # The episode ------------------------------------------------------------------------------------------------------

    def start(self, seed: int, index: int = 0) -> str:
        """Ask item `index` of `seed`, ending whatever ran, and return the first observation.

        Raises:
            Unjudged: If the environment could not even ask.
        """
        played, observation = reset_episode(self.env, Item(seed, index))
        self._played = played
        self._over = played.unjudged
        self._observation = observation
        if played.unjudged:
            raise Unjudged(played.fault)
        return observation

    def expect(self, fingerprint: str) -> None:
        """Refuse to go on with another task than the one of this fingerprint; an empty one is not checked.

        Raises:
            BadInput: If it is another: the environment, or its data, changed since the fingerprint was written down.
        """
        found = str(self.task.get("fingerprint", ""))
        if fingerprint and found != fingerprint:
            self._over = True
            raise BadInput(
                f"{self.name} asks task {found[:12] or 'unnamed'} where the row was written for {fingerprint[:12]}: "
                "it changed since; export the rows again"
            )

    def act(self, text: str) -> Outcome:
        """Play one action. A fault never raises: the outcome says so in `unjudged`, and the episode is over.

        Raises:
            EpisodeOver: Before `start`, or after the episode ended.
        """
        if self._over or self._played is None:
            raise EpisodeOver("no episode is running: call start() first")
        turn, over, observation = step_episode(self.env, self._observation, Action(text), self._played)
        self._played.turns.append(turn)
        self._over, self._observation = over, observation
        if self._played.unjudged:
            return Outcome("", math.nan, True, unjudged=self._played.fault)
        truncated = over and self._played.end == "truncated"
        return Outcome(observation, turn.reward, over, truncated, tuple(turn.credits), turn.verdict)

    def close(self) -> None:
        """Release what the environment holds, if it was made here; a second call does nothing."""
        if self._owned:
            self.env.close()
        self._over = True

    def __enter__(self) -> Episode:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The books --------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The environment's full id."""
        return self.env.spec.id if self.env.spec else type(self.env.unwrapped).__name__

    @property
    def trajectory(self) -> Trajectory:
        """The episode so far in our own format.

        Raises:
            EpisodeOver: Before the first `start`.
        """
        if self._played is None:
            raise EpisodeOver("no episode yet: call start() first")
        return self._played

    @property
    def total(self) -> float:
        """The rewards so far, summed; `nan` once nobody could judge the episode, 0 before the first action."""
        return self._played.reward if self._played is not None else 0.0

    @property
    def turns(self) -> int:
        """Actions played."""
        return len(self._played.turns) if self._played is not None else 0

    @property
    def paid(self) -> int:
        """How many credits were given so far: what a trainer that takes one number an episode sums up."""
        return sum(len(turn.credits) for turn in self._played.turns) if self._played is not None else 0

    @property
    def verdict(self) -> Verdict | None:
        """The last verdict given."""
        return self._played.verdict if self._played is not None else None

    @property
    def unjudged(self) -> str | None:
        """Why nobody could judge the episode; None while it can be."""
        return self._played.fault if self._played is not None and self._played.unjudged else None

    @property
    def over(self) -> bool:
        """Whether no action can be played."""
        return self._over

    @property
    def task(self) -> dict[str, Any]:
        """What may be known of the task: id, fingerprint, family, difficulty, split; never the answer."""
        return dict(self._played.task) if self._played is not None else {}


# Single answers -------------------------------------------------------------------------------------------------------

_KEPT = 16  # environments that a thread keeps open between answers
_local = threading.local()


class _Kept(OrderedDict[str, Episode]):
    """A thread's environments, the least recently used first; closed when the thread ends, as far as Python tells."""

    def __del__(self) -> None:
        for episode in self.values():
            episode.close()


def judge(env_id: str, seed: int, index: int, text: str, **env_kwargs: Any) -> Outcome:
    """What a policy that writes only `text` earns for item `index` of `seed`; the usual form of a reward function.

    In an environment of several turns this is the first of them: the outcome says whether the episode would go on.
    Each thread keeps the environments that it used last, so that a batch makes each of them once.

    Returns:
        The outcome; if nobody could judge (nor even ask), its `unjudged` says why and its reward is `nan`.
    Raises:
        UnknownEnv: If there is no such environment.

    >>> import proofgym
    >>> judge("RunningTotal", 0, 0, "no idea").reward
    0.0
    """
    return judge_item(env_id, env_kwargs, seed, index, text)


def judge_item(
    env_id: str, env_kwargs: Mapping[str, Any], seed: int, index: int, text: str, fingerprint: str = ""
) -> Outcome:
    """`judge`, which also refuses an item that is not the one of that fingerprint.

    Raises:
        BadInput: If the item's fingerprint is another: the environment, or its data, changed since the row was written.
    """
    kept: _Kept | None = getattr(_local, "kept", None)
    if kept is None:
        kept = _local.kept = _Kept()
    key = json.dumps([env_id, dict(env_kwargs)], sort_keys=True, default=repr)
    episode = kept.pop(key, None) or Episode(env_id, **env_kwargs)
    try:
        episode.start(seed, index)
        episode.expect(fingerprint)
        outcome = episode.act(text)
    except Unjudged as error:
        outcome = Outcome("", math.nan, True, unjudged=str(error))
    except ProofgymError:
        episode.close()
        raise
    if outcome.unjudged is not None:  # whatever broke may be broken for good
        episode.close()
        return outcome
    kept[key] = episode
    while len(kept) > _KEPT:
        kept.popitem(last=False)[1].close()
    return outcome
