"""Where an episode or a text can be branched off: places, and the steps between them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import gymnasium

from proofgym.envs.base import Info, VerifiableEnv, fork
from proofgym.envs.rewards.steps import Cut, cut
from proofgym.envs.task import canonical_json
from proofgym.envs.wrappers import ForkableWrapper
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Verdict

__all__ = [
    "History",
    "KeyOf",
    "Measure",
    "Path",
    "Place",
    "history_key",
    "place_key",
    "play",
    "text_path",
    "turn_path",
    "worth",
]

TextEnv = gymnasium.Env[Any, Any]
History = tuple[tuple[str, str], ...]
"""The turns before: what was read and what was answered."""
KeyOf = Callable[[TextEnv, str, str, History], str]
"""Names a place by the environment, what is read, the prefix and the history, in hexadecimal digits."""
Measure = Literal["return", "solved", "score"]
"""What a finish came to: the rewards from there on, whether the verdict was `correct`, or the verdict's score."""


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere in an episode.

    Args:
        env: As it stands there; it is only ever forked. `None` where the episode is over.
        observation, info: What was read last.
        history: The turns before.
        prefix: What is written already of the next action.
        key: Places of one key have one value, and share their finishes.
        worth: The value, where the episode is over and it is known.
    """

    env: TextEnv | None
    observation: str = ""
    info: Info = field(default_factory=dict)
    history: History = ()
    prefix: str = ""
    key: str = ""
    worth: float | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """Places in order and the steps between them.

    Args:
        places: One more than there are steps.
        spans: Of each step: the turn, and the characters of its action.
        rewards: Of each step, in reward units, counted for the measure `return` only.
        measure: What the known values are of, if any are.
    """

    places: tuple[Place, ...]
    spans: tuple[tuple[int, int, int], ...]
    rewards: tuple[float, ...]
    measure: Measure | None = None


def place_key(env: TextEnv, observation: str, prefix: str = "", history: History = ()) -> str:  # noqa: ARG001 - as KeyOf
    """A fingerprint of where an episode stands: the environment's state, what is read, and what is written already.

    The number of turns is part of it, since the turns that are left are part of what a place is worth; the seed and
    index of the item are not, so equal tasks share. History is not either, which suits policies that read the
    observation: one that reads the whole conversation wants `history_key`.
    """
    layer: Any = env
    while not isinstance(layer, (VerifiableEnv, ForkableWrapper)) and isinstance(layer, gymnasium.Wrapper):
        layer = layer.env
    state = getattr(layer, "state", None)
    if state is None:
        raise BadInput(f"{type(env.unwrapped).__name__} has no state() to tell places by; measure with cache=False")
    return _digest([_bare(state()), observation, prefix])


def history_key(env: TextEnv, observation: str, prefix: str = "", history: History = ()) -> str:
    """Like `place_key`, for policies that remember: places share only if all that was said is the same."""
    return _digest([place_key(env, observation, prefix), [list(turn) for turn in history]])


def _bare(state: Any) -> Any:
    """A state without what cannot matter from here on."""
    if isinstance(state, dict) and "wrapped" in state:
        return {"memory": state.get("memory"), "wrapped": _bare(state["wrapped"])}
    if isinstance(state, dict):
        return {key: value for key, value in state.items() if key not in ("seed", "index", "random")}
    return state


def _digest(content: Any) -> str:
    return hashlib.blake2b(canonical_json(content).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# Paths ----------------------------------------------------------------------------------------------------------------


def turn_path(
    env: TextEnv,
    observation: str,
    info: Info,
    actions: Sequence[str],
    *,
    measure: Measure = "return",
    key: KeyOf | None = place_key,
) -> Path:
    """The places between the turns of an episode, reached by playing its actions again in a fork.

    Args:
        env: As it stood before the first of the actions; it is not touched.
        observation, info: What was read there.
        actions: One a step. The episode need not end with the last one.
        measure: What an episode that is over came to.
        key: Names places that share a value; `None` if none do.
    Raises:
        NotForkable: If the environment cannot be copied.
        Unjudged: If an action could not be judged: the path has no values.
        BadInput: If the episode ends before the last action.
    """
    here: TextEnv | None = fork(env)
    history: History = ()
    assert here is not None
    places = [_place(here, observation, info, history, "", key)]
    spans, rewards = [], []
    for turn, action in enumerate(actions):
        if here is None:
            raise BadInput(f"the episode is over after {turn} actions, and there are {len(actions)}")
        here = fork(here)
        following, reward, over, info = play(here, action)
        history = (*history, (observation, action))
        spans.append((turn, 0, len(action)))
        rewards.append(reward)
        observation = following
        if over:
            here = None
            places.append(Place(None, observation, info, history, worth=worth(measure, info)))
        else:
            places.append(_place(here, observation, info, history, "", key))
    return Path(tuple(places), tuple(spans), tuple(rewards), measure)


def text_path(
    env: TextEnv,
    observation: str,
    info: Info,
    text: str,
    *,
    by: Cut = "line",
    turn: int = 0,
    measure: Measure = "return",
    key: KeyOf | None = place_key,
) -> Path:
    """The places between the steps of one action: behind each prefix the policy writes the rest.

    Args:
        env: As it stood before the action.
        observation, info: What was read there.
        text: The action.
        by: Where its steps end; see `steps.cut`.
        turn: Of the episode, for the spans.
        measure: What an episode that is over came to.
        key: Names places that share a value; `None` if none do.
    Raises:
        NotForkable: If the environment cannot be copied.
        Unjudged: If the text could not be judged.
    """
    spans = cut(text, by)
    places = [_place(fork(env), observation, info, (), text[:start], key) for start, _ in spans]
    if not spans:
        places, spans = [_place(fork(env), observation, info, (), "", key)], [(0, 0)]
    end = fork(env)
    following, reward, over, told = play(end, text)
    history = ((observation, text),)
    if over:
        places.append(Place(None, following, told, history, worth=worth(measure, told)))
    else:
        places.append(_place(end, following, told, history, "", key))
    rewards = [0.0] * (len(spans) - 1) + [reward]
    return Path(tuple(places), tuple((turn, start, stop) for start, stop in spans), tuple(rewards), measure)


def _place(env: TextEnv, observation: str, info: Info, history: History, prefix: str, key: KeyOf | None) -> Place:
    name = key(env, observation, prefix, history) if key is not None else ""
    return Place(env, observation, info, history, prefix, name)


def play(env: TextEnv, action: str) -> tuple[str, float, bool, Info]:
    """Play one action: what is read next, the reward, whether the episode is over, `info`.

    Raises:
        Unjudged: Also where a wrapper has masked it.
    """
    observation, reward, terminated, truncated, info = env.step(action)
    if "unjudged" in info or not math.isfinite(float(reward)):
        raise Unjudged(str(info.get("unjudged", f"the reward was {reward}")))
    return observation, float(reward), bool(terminated or truncated), info


def worth(measure: Measure, info: Info) -> float:
    """What is still to come when the episode is over: nothing, or the verdict."""
    if measure == "return":
        return 0.0
    verdict = info.get("verdict")
    if not isinstance(verdict, Verdict):
        raise BadInput(f"this environment ends without a verdict, so {measure!r} cannot be measured; take 'return'")
    return float(verdict.correct) if measure == "solved" else verdict.score
