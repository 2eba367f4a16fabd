"""Episodes: players take turns in environments, batch by batch, and every episode becomes a trajectory.

Environments are reached through the Gymnasium API and `info` only; nothing here needs torch. An episode that nobody
could judge comes back as `unjudged`, with the reason; it is never given a score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Protocol, runtime_checkable

import gymnasium

from proofgym.envs.base import reset_item
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.errors import BadInput, ProofgymError, Unjudged
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.credit import total

__all__ = ["Action", "Item", "Player", "Seats", "Streamer", "TextEnv", "reset_episode", "rollout", "step_episode"]

TextEnv = gymnasium.Env[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """Which episode: item `index` of `seed`, and which attempt at it."""

    seed: int
    index: int
    sample: int = 0


@dataclass(slots=True)
class Action:
    """What a player does in one turn; the token fields are empty for players without tokens."""

    text: str
    prompt_ids: list[int] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    token_ends: list[int] = field(default_factory=list)
    cut: bool = False


class Seats(Protocol):
    """The players of one batch of episodes."""

    def act(self, rows: Sequence[int], observations: Sequence[str]) -> list[Action | None]:
        """One action for each row that is still playing; None where the context is full and the player must stop."""
        ...


class Player(Protocol):
    """Somebody who can play many episodes at once."""

    @property
    def version(self) -> int:
        """How many updates the policy behind it has seen."""
        ...

    def seat(self, envs: Sequence[TextEnv], items: Sequence[Item]) -> Seats:
        """Sit down for a batch of fresh episodes. Only scripted players look at the environments."""
        ...


@runtime_checkable
class Streamer(Protocol):
    """A player that needs no batches: each of its episodes goes on as soon as it can."""

    def stream(
        self, envs: Sequence[TextEnv], items: Iterable[Item], on_episode: Callable[[Trajectory], None] | None
    ) -> Iterator[Trajectory]:
        """Play every item once, in order."""
        ...


def rollout(
    player: Player | Streamer,
    envs: Sequence[TextEnv],
    items: Iterable[Item],
    *,
    on_episode: Callable[[Trajectory], None] | None = None,
) -> Iterator[Trajectory]:
    """Play every item once and yield the trajectories in the order of the items.

    Args:
        player: Who plays.
        envs: As many episodes run side by side as there are environments.
        items: Which episodes; read lazily.
        on_episode: Called for each finished episode, for progress bars.
    Raises:
        ValueError: If there is no environment to play in, or the same one twice.
        BadInput: If an environment does not speak text.
    """
    if not envs:
        raise ValueError("a rollout needs at least one environment")
    if len({id(env) for env in envs}) < len(envs):
        raise ValueError("an environment plays one episode at a time, and one of these is there twice")
    if isinstance(player, Streamer):
        yield from player.stream(envs, items, on_episode)
        return
    waiting = iter(items)
    while batch := list(islice(waiting, len(envs))):
        for episode in _play_batch(player, envs[: len(batch)], batch):
            if on_episode is not None:
                on_episode(episode)
            yield episode


def _play_batch(player: Player, envs: Sequence[TextEnv], items: Sequence[Item]) -> list[Trajectory]:
    episodes, observations = [], []
    for env, item in zip(envs, items, strict=True):
        episode, observation = reset_episode(env, item)
        episodes.append(episode)
        observations.append(observation)
    seats = player.seat(envs, items)
    playing = [row for row, episode in enumerate(episodes) if not episode.unjudged]
    while playing:
        actions = seats.act(playing, [observations[row] for row in playing])
        still = []
        for row, action in zip(playing, actions, strict=True):
            if action is None:  # the context is full: the policy's own limit, so the episode stands as it is
                continue
            turn, over, observation = step_episode(envs[row], observations[row], action, episodes[row])
            turn.policy_version = player.version
            episodes[row].turns.append(turn)
            observations[row] = observation
            if not over:
                still.append(row)
        playing = still
    return episodes


def reset_episode(env: TextEnv, item: Item) -> tuple[Trajectory, str]:
    """Ask an item: the empty trajectory and the first observation. An environment that fails makes it unjudged."""
    episode = Trajectory(_name(env), {}, item.seed, item.index, item.sample)
    # An environment that stands for one elsewhere asks there; only there is known what it is.
    ask = getattr(env, "reset_item", None) or partial(reset_item, env)
    try:
        observation, info = ask(item.seed, item.index)
    except Unjudged as error:
        episode.end, episode.fault = "unjudged", str(error)
        return episode, ""
    except ProofgymError:
        raise
    except Exception as error:
        episode.end, episode.fault = "unjudged", f"reset failed: {type(error).__name__}: {error}"
        return episode, ""
    episode.env = _name(env)  # one in another process is made when it is first asked
    if not isinstance(observation, str):
        raise BadInput(f"{episode.env} shows a {type(observation).__name__}; only environments of text can be played")
    task = info.get("task")
    episode.task = dict(task) if isinstance(task, Mapping) else {}
    return episode, observation


def _name(env: TextEnv) -> str:
    return str(getattr(env, "name", "")) or (env.spec.id if env.spec else type(env.unwrapped).__name__)


def step_episode(env: TextEnv, observation: str, action: Action, episode: Trajectory) -> tuple[Turn, bool, str]:
    """Play an action: the turn, whether the episode is over, what is read next. A fault makes the episode unjudged."""
    turn = Turn(
        observation, action.text, 0.0,
        prompt_ids=action.prompt_ids, action_ids=action.ids, logprobs=action.logprobs,
        token_ends=action.token_ends, cut=action.cut,
    )  # fmt: skip
    try:
        following, reward, terminated, truncated, info = env.step(action.text)
        paid = float(reward)
    except Unjudged as error:
        return _unjudged(turn, episode, str(error))
    except ProofgymError:
        raise  # we asked wrongly; that is for the caller to know
    except Exception as error:  # a stranger's environment broke: no score, and the reason is kept
        return _unjudged(turn, episode, f"{type(error).__name__}: {error}")
    if "unjudged" in info or not math.isfinite(paid):
        return _unjudged(turn, episode, str(info.get("unjudged", f"the reward was {reward}")))
    verdict = info.get("verdict")
    turn.reward = paid
    turn.verdict = verdict if isinstance(verdict, Verdict) else None
    turn.credits = _credits(info.get("credits"), paid, len(action.text))
    if terminated or truncated:
        episode.end = "terminated" if terminated else "truncated"
    return turn, bool(terminated or truncated), following


def _credits(given: Any, reward: float, length: int) -> list[Credit]:
    """The turn's credits. What they leave of the reward, all of it if there are none, is the whole action's.

    So the two agree even where a wrapper changed the reward, or a stranger's environment means something else by
    `info["credits"]`.
    """
    found = list(given) if isinstance(given, (list, tuple)) and all(isinstance(c, Credit) for c in given) else []
    rest = reward - total(found)[0]
    if abs(rest) > 1e-9 * max(1.0, abs(reward)):
        found.append(Credit(0, length, rest, "reward"))
    return found


def _unjudged(turn: Turn, episode: Trajectory, fault: str) -> tuple[Turn, bool, str]:
    episode.end, episode.fault = "unjudged", fault
    return turn, True, ""
