"""What is audited: how it is made anywhere, what can be asked of it, and a player that checks every turn it plays."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import json
import math
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from proofgym.bench.audit.finding import NotApplicable, Raised, Recipe
from proofgym.envs.base import VerifiableEnv, fork, reset_item
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Verdict

__all__ = ["Episode", "Item", "Subject", "Target", "View", "load_name", "plain"]

Env = gymnasium.Env[Any, Any]
Policy = Callable[["View"], str]

_HARD_LIMIT = 400  # turns of an episode in an environment that states none
_ADDRESS = re.compile(r"0x[0-9a-f]{6,}")


@dataclass(frozen=True, slots=True)
class Item:
    """One task: item `index` of `seed`, in a split where there are splits."""

    seed: int
    index: int = 0
    split: str | None = None


@dataclass(frozen=True)
class Target:
    """How to make the environment, in this process or another.

    Args:
        name: An id (`module:Id-v0` imports the module first), or `file.py:name` of a class or function.
        kwargs: JSON content.
    """

    name: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def make(self, **more: Any) -> Env:
        """Make it, without Gymnasium's checking wrappers, which `check_env` stands for.

        Raises:
            BadInput: If there is no such file or name.
            UnknownEnv: If there is no such id.
        """
        kwargs = {**self.kwargs, **more}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if ".py:" in self.name:
                made = load_name(self.name)(**kwargs)
                if not isinstance(made, gymnasium.Env):
                    raise BadInput(f"{self.name} made a {type(made).__name__}, which is no gymnasium.Env")
                return made
            name = self.name
            if name not in gymnasium.registry and ":" not in name:
                from proofgym.envs.registry import find

                name = find(name).id
            return gymnasium.make(name, disable_env_checker=True, **kwargs)


def load_name(target: str) -> Any:
    """What `file.py:name` names; the file is run once a process.

    Raises:
        BadInput: If the file cannot be run or has no such name.
    """
    path, _, name = target.rpartition(":")
    found = functools.reduce(
        lambda at, part: getattr(at, part, None), name.split("."), _module(str(Path(path).resolve()))
    )
    if not callable(found):
        raise BadInput(f"{path} has nothing to call of the name {name!r}")
    return found


@functools.lru_cache(maxsize=64)
def _module(path: str) -> Any:
    if not Path(path).is_file():
        raise BadInput(f"there is no file {path}")
    name = f"_audited_{Path(path).stem}_{hashlib.blake2b(path.encode(), digest_size=4).hexdigest()}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise BadInput(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise BadInput(f"{path} could not be run: {type(error).__name__}: {error}") from error
    return module


@dataclass(frozen=True, slots=True)
class View:
    """What a policy decides by."""

    observation: str
    info: Mapping[str, Any]
    turn: int
    env: Env
    item: Item

    @property
    def legal(self) -> list[str]:
        """The listed legal actions, if any are."""
        listed = self.info.get("admissible")
        return [str(action) for action in listed] if isinstance(listed, (list, tuple)) else []


@dataclass(slots=True)
class Episode:
    """One played episode.

    Args:
        cut: Whether the audit stopped it before it ended.
    """

    item: Item
    observations: list[str]
    actions: list[str] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    verdict: Any = None
    terminated: bool = False
    truncated: bool = False

    @property
    def total(self) -> float:
        """The sum of its rewards."""
        return math.fsum(self.rewards)

    @property
    def over(self) -> bool:
        """Whether the environment ended it."""
        return self.terminated or self.truncated


class Subject:
    """One environment under audit, with its items remembered and every turn that is played checked.

    Args:
        target: How to make it.
        seed: Of the audit's own chance, and of the items that are asked.
        floor: The stated chance level, where the environment has no `floor` of its own.
        maximum: What the best policy earns in an episode.
    """

    def __init__(self, target: Target, *, seed: int = 0, floor: float | None = None, maximum: float = 1.0) -> None:
        self.target, self.seed, self.maximum = target, seed, maximum
        self.env = target.make()
        self.inner: Any = self.env.unwrapped
        self.ours = isinstance(self.inner, VerifiableEnv)
        if self.ours:
            self.env = self.inner
        stated = floor if floor is not None else getattr(self.inner, "floor", None)
        self.floor: float | None = float(stated) if isinstance(stated, (int, float)) else None
        self.faults: list[tuple[str, Recipe]] = []  # what `play` noticed, for the check of bounds
        self.turns_played = 0
        self.extremes = (math.inf, -math.inf)
        self._asked: dict[Item, tuple[Any, str, dict[str, Any]]] = {}
        self._others: dict[str, Env] = {}
        self._single: bool | None = None

    # What can be asked of it ------------------------------------------------------------------------------------------

    @property
    def has_oracle(self) -> bool:
        """Whether it has a method `oracle()`."""
        return callable(getattr(self.inner, "oracle", None))

    def need_oracle(self) -> None:
        """Raise `NotApplicable` without an oracle."""
        if not self.has_oracle:
            raise NotApplicable("the environment has no oracle()")

    @property
    def has_state(self) -> bool:
        """Whether it has `state()` and `restore()`."""
        return all(callable(getattr(self.inner, name, None)) for name in ("state", "restore"))

    @property
    def max_turns(self) -> int | None:
        """The stated limit of an episode."""
        if self.ours:
            return int(self.inner.max_turns)
        spec = self.env.spec
        return spec.max_episode_steps if spec is not None else None

    @property
    def single(self) -> bool:
        """Whether episodes have one turn: stated, or seen when one is played."""
        if self._single is None:
            if self.max_turns is not None:
                self._single = self.max_turns == 1
            else:
                self._single = len(self.play(Item(self.seed), lambda _: "", turns=2).actions) == 1
        return self._single

    @property
    def heavy(self) -> bool:
        """Whether judging an answer takes a sandbox or a prover."""
        return callable(getattr(self.inner, "pool", None)) or getattr(self.inner, "prover", "toy") != "toy"

    def items(self, count: int, split: str | None = None, offset: int = 0) -> list[Item]:
        """The first items of this audit's seed."""
        return [Item(self.seed + offset, index, split) for index in range(count)]

    def recipe(self, item: Item | None = None, actions: Sequence[str] = (), note: str = "") -> Recipe:
        """How to see something again."""
        kwargs = dict(self.target.kwargs)
        if item is None:
            return Recipe(self.target.name, kwargs, None, None, tuple(actions), note)
        if item.split is not None:
            kwargs["split"] = item.split
        return Recipe(self.target.name, kwargs, item.seed, item.index, tuple(actions), note)

    # Playing ----------------------------------------------------------------------------------------------------------

    def of(self, item: Item) -> Env:
        """The environment that asks items of this split."""
        if item.split is None or item.split == getattr(self.inner, "split", None):
            return self.env
        if item.split not in self._others:
            made = self.target.make(split=item.split)
            self._others[item.split] = made.unwrapped if self.ours else made
        return self._others[item.split]

    def ask(self, item: Item) -> tuple[Env, str, dict[str, Any]]:
        """Ask an item; one that was asked before is restored, where that is exact and cheaper."""
        env = self.of(item)
        if item in self._asked:
            state, observation, info = self._asked[item]
            env.restore(state)  # type: ignore[attr-defined]
            return env, observation, info
        with self.told(item):
            observation, info = reset_item(env, item.seed, item.index)
        if isinstance(observation, str) and not env.observation_space.contains(observation):
            said = f"an observation of {len(observation)} characters outside its space"
            self.fault(said, Episode(item, [observation]))
        if self.ours:
            assert isinstance(env, VerifiableEnv)
            self._asked[item] = (env.state(), observation, info)
        return env, observation, info

    def play(self, item: Item, policy: Policy, turns: int | None = None) -> Episode:
        """Play an item by a policy, to its end or for so many turns.

        Raises:
            Unjudged: As it comes.
            Raised: If the environment raised anything else.
        """
        env, observation, info = self.ask(item)
        episode = Episode(item, [observation])
        limit = min(turns or _HARD_LIMIT, self.max_turns or _HARD_LIMIT)
        while not episode.over and len(episode.actions) < limit:
            action = policy(View(observation, info, len(episode.actions), env, item))
            observation, info = self.step(env, episode, action)
        return episode

    def step(self, env: Env, episode: Episode, action: str) -> tuple[str, dict[str, Any]]:
        """Play one action, add it to the episode, and check what came back."""
        episode.actions.append(action)
        with self.told(episode.item, episode.actions):
            observation, reward, terminated, truncated, info = env.step(action)
        self.turns_played += 1
        try:
            value = float(reward)
        except (TypeError, ValueError):
            value = math.nan
        episode.observations.append(observation)
        episode.rewards.append(value)
        episode.terminated, episode.truncated = bool(terminated), bool(truncated)
        said_info: Any = info
        episode.verdict = said_info.get("verdict", episode.verdict) if isinstance(said_info, Mapping) else None
        for said in _wrong_with(env, action, observation, reward, value, info):
            self.fault(said, episode)
        if math.isfinite(value):
            total = episode.total
            self.extremes = (min(self.extremes[0], total), max(self.extremes[1], total))
            if total > self.maximum + 1e-9:
                self.fault(f"an episode earned {total:.6g}, more than the maximum of {self.maximum:g}", episode)
        return observation, info

    def fault(self, said: str, episode: Episode) -> None:
        """Remember something that should not be, for the check of bounds."""
        if len(self.faults) < 20:
            self.faults.append((said, self.recipe(episode.item, episode.actions, said)))

    @contextmanager
    def told(self, item: Item, actions: Sequence[str] = ()) -> Iterator[None]:
        """Whatever the environment raises, apart from `Unjudged`, is told with its recipe."""
        try:
            yield
        except (Unjudged, NotApplicable, Raised, KeyboardInterrupt):
            raise
        except Exception as error:
            raise Raised(error, self.recipe(item, actions, f"raises {type(error).__name__}")) from error

    def oracle_policy(self) -> Policy:
        """Answers what the oracle says."""
        self.need_oracle()
        return lambda view: str(view.env.unwrapped.oracle())  # type: ignore[attr-defined]

    @functools.lru_cache(maxsize=4096)  # noqa: B019 - a subject lives as long as its audit
    def answers(self, item: Item) -> tuple[str, ...]:
        """The oracle's actions on an item."""
        return tuple(self.play(item, self.oracle_policy()).actions)

    def fork(self, env: Env) -> Env:
        """A copy in mid-episode.

        Raises:
            NotApplicable: If it cannot be forked.
        """
        if not callable(getattr(env.unwrapped, "fork", None)):
            raise NotApplicable("the environment has no fork()")
        return fork(env)

    def mark(self, env: Env, observation: str) -> str:
        """What names the state: without counters of turns for ours, and the observation where there is no state()."""
        inner: Any = env.unwrapped
        if not callable(getattr(inner, "state", None)):
            return observation
        state = inner.state()
        content = state.get("inner", state) if self.ours and isinstance(state, Mapping) else state
        text = json.dumps(content, sort_keys=True, default=repr)
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    def rng(self, *key: int) -> np.random.Generator:
        """The audit's own chance."""
        return np.random.default_rng([self.seed, 7919, *key])

    def close(self) -> None:
        """Close whatever was made."""
        for env in (self.env, *self._others.values()):
            env.close()


def _wrong_with(env: Env, action: str, observation: Any, reward: Any, value: float, info: Any) -> Iterator[str]:
    if reward is None or isinstance(reward, bool) or not math.isfinite(value):
        yield f"a reward of {reward!r}, which is no finite number"
    if isinstance(observation, str) and not env.observation_space.contains(observation):
        yield f"an observation of {len(observation)} characters outside its space"
    if not isinstance(info, Mapping):
        yield f"info is a {type(info).__name__}"
        return
    verdict = info.get("verdict")
    if isinstance(verdict, Verdict) and not 0.0 <= verdict.score <= 1.0:
        yield f"a score of {verdict.score}"
    credits_ = info.get("credits")
    if isinstance(credits_, list):
        summed = math.fsum(credit.value for credit in credits_)
        if abs(summed - value) > 1e-9:
            yield f"a reward of {value:.6g} whose credits sum to {summed:.6g}"
        if any(not 0 <= credit.start <= credit.end <= len(action) for credit in credits_):
            yield "a credit outside the action"
    terms = info.get("reward_terms")
    if isinstance(terms, Mapping) and terms and abs(math.fsum(terms.values()) - value) > 1e-9:
        yield f"a reward of {value:.6g} whose terms sum to {math.fsum(terms.values()):.6g}"


def plain(value: Any) -> Any:
    """JSON content that equals for equal values in any process; addresses are taken out of what has no other form."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if callable(getattr(value, "to_json", None)):
        return plain(value.to_json())
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(plain(entry), sort_keys=True) for entry in value)
    return _ADDRESS.sub("0x", repr(value))
