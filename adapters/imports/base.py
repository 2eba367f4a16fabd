"""What every imported environment shares: a suite's own engine plays, and this class keeps the house's promises.

- An item is drawn from `default_rng([seed, index])` and its *content* (not its seed) decides its split.
- What an engine draws from the process's generators it draws from a stream of its own, so episodes side by side in one
  process do not disturb each other, and the process's generators stay as they were.
- An engine that fails, or pays what is no number, could not judge: the episode has no score.
- A state is the list of actions. Restoring plays them again and refuses if the engine then says something else.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.task import Task
from proofgym.errors import BadInput, NotForkable, ProofgymError, Unjudged
from proofgym.verifiers import Credit, Verdict

__all__ = ["Chance", "Foreign", "Imported", "Reply", "plain_state"]

_DRAWS = 500  # each begins an episode of somebody's engine
_GLOBAL = threading.RLock()  # the process has one `random` and one `numpy.random`; one engine at a time draws from them


@dataclass(frozen=True, slots=True)
class Reply:
    """What a foreign environment answered.

    Args:
        text: What the policy reads next.
        reward: Of this action, in the suite's own units.
        terminated, truncated: As in Gymnasium.
        solved: Whether the suite calls the task done; None where it does not say, and then the rewards decide.
        reason: Its explanation, if any.
    """

    text: str
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    solved: bool | None = None
    reason: str = ""


class Chance:
    """A stream of one's own inside the process's global generators."""

    def __init__(self) -> None:
        self._state: tuple[Any, Any] | None = None

    @contextmanager
    def lent(self, seed: int | None = None) -> Iterator[None]:
        """Run with this stream in the place of `random` and `numpy.random`; a seed begins it anew.

        >>> mine, before = Chance(), random.getstate()
        >>> with mine.lent(5):
        ...     first = random.random()
        >>> with mine.lent():
        ...     second = random.random()
        >>> generator = random.Random(5)
        >>> (first, second) == (generator.random(), generator.random()) and random.getstate() == before
        True
        """
        with _GLOBAL:
            kept = random.getstate(), np.random.get_state()  # noqa: NPY002
            if seed is not None:
                random.seed(seed)
                np.random.seed(seed)  # noqa: NPY002 - foreign engines draw from it
            elif self._state is not None:
                random.setstate(self._state[0])
                np.random.set_state(self._state[1])  # noqa: NPY002
            try:
                yield
            finally:
                self._state = random.getstate(), np.random.get_state()  # noqa: NPY002
                random.setstate(kept[0])
                np.random.set_state(kept[1])  # noqa: NPY002


class Foreign(ABC):
    """One running environment of another suite."""

    copies: ClassVar[bool] = False
    """Whether `copy.deepcopy` makes an exact, independent copy in mid-episode."""
    last: str = ""
    """What it showed last; a restored episode has to show the same."""

    @abstractmethod
    def open(self, seed: int) -> str:
        """Begin the episode of a seed and return what is read first."""

    @abstractmethod
    def act(self, action: str) -> Reply:
        """Play an action."""

    def content(self, first: str) -> Any:
        """What makes two items the same task, as JSON, asked right after `open`; what is read first, by default."""
        return first

    def admissible(self) -> list[str] | None:
        """The legal actions, where the suite lists them."""
        return None

    def close(self) -> None:
        """End processes and connections."""
        return


class Imported(VerifiableEnv):
    """An environment of another suite; see its subclasses.

    Observation: the suite's text.
    Action: everything that the policy wrote, handed on as it is.
    Reward: the suite's own, one credit on the whole action.
    Verdict: at the end; right if the suite says so or the rewards reach `full`, else partial by their share of it.

    Args:
        full: The sum of rewards that counts as solved, where the suite has no word of its own for that.
        floor: What answer-blind policies earn. Nobody has stated it, so nothing below 1 is claimed until you measure it
            (`proofgym audit`) and say so here.
    """

    family = "imported"
    floor: float = 1.0
    default_max_turns: ClassVar[int] = 50
    observation_limit: ClassVar[int] = 131_072
    action_limit: ClassVar[int] = 32_768

    def __init__(self, *, full: float = 1.0, floor: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not full > 0:
            raise BadInput(f"full is the sum of rewards that counts as solved and lies above 0, found {full!r}")
        self.full = full
        self.floor = floor
        self._foreign: Foreign | None = None
        self._opened: tuple[str, str] | None = None  # an instance just opened, and its first observation
        self._actions: list[str] = []
        self._earned = 0.0

    @abstractmethod
    def make_foreign(self, instance: Mapping[str, Any]) -> Foreign:
        """The suite's environment for an instance, not yet begun.

        Raises:
            BadInput: If the suite has no such environment.
        """

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """What an instance holds beside its seed, as JSON content."""

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {**self.settings(), "seed": int(rng.integers(2**31))}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The suite's name for the environment, and the content of the item: never its seed."""
        first = self._open(instance)
        rest = {key: value for key, value in instance.items() if key != "seed"}
        content = self._running().content(first)
        return [
            self.family,
            rest,
            hashlib.sha256(json.dumps(content, sort_keys=True, default=repr).encode()).hexdigest(),
        ]

    def begin(self, instance: Mapping[str, Any]) -> str:
        key = json.dumps(dict(instance), sort_keys=True, default=repr)
        # Drawing has just opened this very item to see what it holds.
        first = self._opened[1] if self._opened is not None and self._opened[0] == key else self._open(instance)
        self._opened = None
        self._actions, self._earned = [], 0.0
        return first

    def turn(self, action: str) -> TurnResult:
        reply = self._running().act(action)
        if not math.isfinite(reply.reward):
            raise Unjudged(f"{type(self).__name__} paid {reply.reward}")
        self._actions.append(action)
        self._earned += reply.reward
        credits_ = [Credit(0, len(action), reply.reward, "reward")] if reply.reward else []
        text = reply.text[: self.observation_limit]
        if not (reply.terminated or reply.truncated):
            return TurnResult(text, credits_)
        return TurnResult(text, credits_, self._verdict(reply), terminated=True)

    def save(self) -> dict[str, Any]:
        return {"actions": list(self._actions)}

    def load(self, data: Mapping[str, Any]) -> None:
        actions = data.get("actions")
        if not isinstance(actions, list) or not all(isinstance(action, str) for action in actions):
            raise BadInput(f"a state of {self.family} has a list of 'actions', found {actions!r:.80}")
        for action in actions:
            reply = self._running().act(action)
            self._earned += reply.reward
        self._actions = list(actions)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Play the state's actions again.

        Raises:
            NotForkable: If the engine then shows something else than before: it is not deterministic.
        """
        super().restore(state)
        shown = self._running().last[: self.observation_limit]
        if not self._over and self._actions and shown != self._observation:
            raise NotForkable(
                f"{self.family} answered the same actions with another text: it is not deterministic, and its state "
                "cannot be restored"
            )

    def fork(self) -> Imported:
        """A copy with an engine of its own: copied where the engine can be, played again otherwise."""
        running = self._running()
        if not running.copies:
            other = copy.copy(self)
            other._foreign = other._opened = None
            other.restore(self.state())
            return other
        other = copy.copy(self)
        other._foreign = copy.deepcopy(running)
        other._actions = list(self._actions)
        generator = np.random.default_rng(0)
        generator.bit_generator.state = copy.deepcopy(self.np_random.bit_generator.state)
        other.np_random = generator
        return other

    def admissible(self) -> list[str] | None:
        """As the suite lists them."""
        return None if self._foreign is None else self._foreign.admissible()

    def unfinished(self) -> Verdict:
        """Partial, by what was earned."""
        return self._verdict(Reply("", reason=f"not finished within {self.max_turns} turns"))

    def oracle(self) -> str:
        """Nobody knows.

        Raises:
            BadInput: Always, but where a subclass knows more.
        """
        raise BadInput(f"{self.family} has no expert: the suite that it comes from ships none")

    def close(self) -> None:
        """End the engine."""
        if self._foreign is not None:
            self._foreign.close()
            self._foreign = self._opened = None
        super().close()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _draw(self) -> Task:
        for _ in range(_DRAWS):
            task = self._as_task(self.generate(self.np_random))
            if task.split == self.split:
                return task
        raise BadInput(
            f"{self.family} brought no {self.split} item in {_DRAWS} draws; an environment with few items "
            "may have all of them in another split"
        )

    def _verdict(self, reply: Reply) -> Verdict:
        share = self._earned / self.full
        solved = share >= 1.0 if reply.solved is None else reply.solved
        if solved:
            return Verdict.right(reply.reason, earned=self._earned)
        score = min(max(0.0, share), 1.0 - 1e-9)
        return Verdict.partial(score, reply.reason or f"{self._earned:g} of {self.full:g} earned", earned=self._earned)

    def _open(self, instance: Mapping[str, Any]) -> str:
        seed = instance.get("seed")
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
            raise BadInput(f"an instance of {self.family} has a 'seed' from 0 to 2**31 - 1, found {seed!r:.80}")
        foreign = self.make_foreign(instance)
        if self._foreign is not None and self._foreign is not foreign:
            self._foreign.close()
        self._foreign = foreign
        try:
            first = foreign.open(seed)[: self.observation_limit]
        except ProofgymError:
            raise
        except Exception as error:  # whatever the suite's author wrote, or forgot to ship
            raise Unjudged(f"{self.family} could not begin ({type(error).__name__}: {error})") from error
        self._opened = (json.dumps(dict(instance), sort_keys=True, default=repr), first)
        return first

    def _running(self) -> Foreign:
        if self._foreign is None:
            raise BadInput("no episode is running: call reset() first")
        return self._foreign


def plain_state(value: Any, depth: int = 4) -> Any:
    """The part of an object's state that is JSON content, without its seeds; what remains tells two items apart.

    >>> class Game:
    ...     def __init__(self): self.secret, self.seed, self.engine, self.board = 7, 3, object(), [(1, 2)]
    >>> plain_state(Game())
    {'secret': 7, 'board': [[1, 2]]}
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth == 0:
        return None
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain_state(item, depth - 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain_state(item, depth - 1) for item in value), key=repr)
    fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    found = {
        str(key): plain_state(item, depth - 1)
        for key, item in fields.items()
        if "seed" not in str(key).lower() and not str(key).startswith("__") and not callable(item)
    }
    return {key: item for key, item in found.items() if item not in (None, {}, [])}
