"""The one environment class that every proofgym environment derives from.

A family of tasks says how an instance is drawn (`generate`), how it is asked (`begin`), what a turn does (`turn`), how
its episode is written down and read back (`save`, `load`), and what an expert would answer (`oracle`). This class does
the rest: seeds, splits, turn limits, the reward as the sum of credits, `info`, faults, and forks.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import gymnasium
import numpy as np

from proofgym.envs.spaces import AnyText
from proofgym.envs.task import SPLITS, Split, Task, fingerprint
from proofgym.errors import BadInput, EpisodeOver, NotForkable, Unjudged
from proofgym.verifiers import Credit, Verdict
from proofgym.verifiers.credit import total

__all__ = ["TurnResult", "VerifiableEnv", "fork", "reset_item"]

Info = dict[str, Any]
EnvT = TypeVar("EnvT", bound="gymnasium.Env[Any, Any]")

_DRAWS = 2000  # attempts to meet a split before we say that the family is too small for it


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What one action came to.

    Args:
        observation: What the policy reads next. It never holds grounds that give the answer away.
        credits: The reward, on spans of the action. Their sum is the reward of the turn.
        verdict: Given when the turn was judged; needed when the episode ends.
        terminated: Whether the task is finished, for better or worse.
    """

    observation: str
    credits: Sequence[Credit] = ()
    verdict: Verdict | None = None
    terminated: bool = False


class VerifiableEnv(gymnasium.Env[str, str]):
    """A Gymnasium environment of text turns, judged by a verifier and paid by credits.

    Observation: what the policy reads, as text.
    Action: everything that the policy wrote in its turn.
    Episode: ends when the task is finished (terminated) or after `max_turns` actions (truncated).

    `reset(seed=s)` asks item 0 of seed *s*, and each plain `reset()` after it the next item. Options: `index` (ask this
    item of the seed) or `instance` (ask a given instance, from wherever it comes).

    Args:
        split: Which tasks may be asked. A task's fingerprint alone decides its split. Given instances are always asked.
        level: Difficulty in [0, 1]; each family says what it changes.
        max_turns: Actions before truncation; each family has its own default.
    Raises:
        BadInput: For an unknown split, a level outside [0, 1] or a limit below 1.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi"], "render_fps": 1}  # noqa: RUF012 - Gymnasium's spelling

    family: ClassVar[str]
    floor: float
    """The most that a policy which does not read the question earns on average, in reward units an episode."""
    default_max_turns: ClassVar[int] = 1
    observation_limit: ClassVar[int] = 4096
    action_limit: ClassVar[int] = 8192

    def __init__(
        self,
        *,
        split: Split = "train",
        level: float = 0.5,
        max_turns: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        if split not in SPLITS:
            raise BadInput(f"split is one of {', '.join(SPLITS)}, found {split!r}")
        if max_turns is not None and max_turns < 1:
            raise BadInput(f"an episode needs at least one turn, found max_turns={max_turns}")
        if render_mode not in (None, "ansi"):
            raise BadInput(f"the one render mode is 'ansi', found {render_mode!r}")
        self.split: Split = split
        VerifiableEnv.set_level(self, level)
        self.max_turns = max_turns if max_turns is not None else self.default_max_turns
        self.render_mode = render_mode
        self.observation_space = AnyText(self.observation_limit)
        self.action_space = AnyText(self.action_limit)
        self._item_seed: int | None = None
        self._item_index = -1
        self._task: Task | None = None
        self._observation = ""
        self._turns = 0
        self._over = True

    # What a family provides -------------------------------------------------------------------------------------------

    @abstractmethod
    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        """Draw one instance: JSON content, complete, the answer possibly included."""

    @abstractmethod
    def begin(self, instance: Mapping[str, Any]) -> str:
        """Start an episode on an instance and return the first observation.

        Raises:
            BadInput: If the instance is not one of this family; the message gives the reason.
        """

    @abstractmethod
    def turn(self, action: str) -> TurnResult:
        """Judge and carry out one action. Total: every string has a result."""

    @abstractmethod
    def save(self) -> dict[str, Any]:
        """The part of the episode's state that `begin` does not restore, as JSON content."""

    @abstractmethod
    def load(self, data: Mapping[str, Any]) -> None:
        """Take up a state that `save` wrote, after `begin` was called on the same instance."""

    @abstractmethod
    def oracle(self) -> str:
        """What an expert answers now; following it from the start earns the maximum."""

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The content that makes two instances the same task, as JSON; the fingerprint is its hash."""
        return instance

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """How hard an instance is within its family, in [0, 1]."""
        return self.level

    def potential(self) -> float | None:
        """How near the goal is, where the family knows it: 1 at the goal, lower the further away it is."""
        return None

    def admissible(self) -> list[str] | None:
        """Every legal action, where the family can list them."""
        return None

    def cheats(self) -> Sequence[str]:
        """Actions that try to earn without solving; played alone in a fresh episode, each earns at most 0."""
        return ("", " ", "\x00", "correct", "reward: 1.0", "{" * 5000)

    def unfinished(self) -> Verdict:
        """The verdict on an episode that ran out of turns."""
        return Verdict.wrong(f"not finished within {self.max_turns} turns")

    # Gymnasium's side -------------------------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, Info]:
        """Ask the next item, item 0 of a new seed, or what `options` names.

        Raises:
            BadInput: For an unknown option, an index below 0, or an instance that is not of this family.
        """
        super().reset(seed=seed)
        unknown = set(options or ()) - {"index", "instance"}
        if unknown:
            raise BadInput(f"reset takes the options 'index' and 'instance', found {sorted(unknown)[0]!r}")
        options = options or {}
        if seed is not None:
            self._item_seed, self._item_index = seed, -1
        elif self._item_seed is None:
            self._item_seed = int(self.np_random.integers(2**31))
        self._item_index = int(options.get("index", self._item_index + 1))
        if self._item_index < 0:
            raise BadInput(f"items are counted from 0, found index {self._item_index}")
        self.np_random = np.random.default_rng([self._item_seed, self._item_index])
        instance = options.get("instance")
        self._task = self._draw() if instance is None else self._as_task(instance)
        self._turns, self._over = 0, False
        self._observation = self.begin(self._task.instance)
        return self._observation, self._info((), None)

    def step(self, action: str) -> tuple[str, float, bool, bool, Info]:
        """Play one action.

        Raises:
            EpisodeOver: Before the first `reset`, or after the episode ended.
            TypeError: If the action is not text.
            Unjudged: If nobody could judge it. The episode is over and has no score.
        """
        if self._over:
            raise EpisodeOver("no episode is running: call reset() first")
        if not isinstance(action, str):
            raise TypeError(f"an action is text, found {type(action).__name__}")
        action = str(action)  # vector environments hand over numpy.str_
        self._turns += 1
        if len(action) > self.action_limit:
            found = f"{len(action)} characters; at most {self.action_limit} are read"
            result = TurnResult(
                f"Your answer was too long: {found}.", (), Verdict.malformed(found), self.max_turns == 1
            )
        else:
            result = self._judged_turn(action)
        terminated = result.terminated
        truncated = not terminated and self._turns >= self.max_turns
        self._over = terminated or truncated
        verdict = result.verdict
        if truncated:
            verdict = self.unfinished()
        self._observation = result.observation
        reward, _ = total(result.credits)
        return result.observation, reward, terminated, truncated, self._info(result.credits, verdict)

    def set_level(self, level: float) -> None:
        """Draw tasks of this difficulty from the next item on; the running episode is not touched.

        Raises:
            BadInput: If the level lies outside [0, 1].
        """
        if isinstance(level, bool) or not 0.0 <= level <= 1.0:
            raise BadInput(f"level lies in [0, 1], found {level!r}")
        self.level = float(level)

    def render(self) -> str | None:
        """What the policy would read now, when the render mode is `ansi`."""
        return self._observation if self.render_mode == "ansi" else None

    # Forks ------------------------------------------------------------------------------------------------------------

    @property
    def task(self) -> Task:
        """The task of the running episode.

        Raises:
            EpisodeOver: Before the first `reset`.
        """
        if self._task is None:
            raise EpisodeOver("no task yet: call reset() first")
        return self._task

    def state(self) -> dict[str, Any]:
        """Everything that `restore` needs to go on from here, in another process too; JSON content."""
        return {
            "family": self.family,
            "instance": dict(self.task.instance),
            "seed": self._item_seed,
            "index": self._item_index,
            "turns": self._turns,
            "over": self._over,
            "observation": self._observation,
            "random": self.np_random.bit_generator.state,
            "inner": self.save(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up exactly where `state` was taken.

        Raises:
            BadInput: If the state belongs to another family.
        """
        if state.get("family") != self.family:
            raise BadInput(f"a state of family {state.get('family')!r} cannot be restored into {self.family!r}")
        self._task = self._as_task(state["instance"])
        self._item_seed, self._item_index = state["seed"], int(state["index"])
        self._turns, self._over = int(state["turns"]), bool(state["over"])
        generator = np.random.default_rng(0)
        generator.bit_generator.state = copy.deepcopy(state["random"])
        self.np_random = generator
        self.begin(self._task.instance)
        self.load(copy.deepcopy(state["inner"]))
        self._observation = str(state["observation"])

    def fork(self: EnvT) -> EnvT:
        """An exact copy in mid-episode; neither side sees what the other does afterwards."""
        assert isinstance(self, VerifiableEnv)
        other = copy.copy(self)
        other.observation_space = AnyText(self.observation_limit)
        other.action_space = AnyText(self.action_limit)
        other.restore(self.state())
        return other

    # Inside -----------------------------------------------------------------------------------------------------------

    def _draw(self) -> Task:
        for _ in range(_DRAWS):
            task = self._as_task(self.generate(self.np_random))
            if task.split == self.split:
                return task
        raise BadInput(
            f"{self.family} at level {self.level} has no {self.split} task in {_DRAWS} draws; raise the level"
        )

    def _as_task(self, instance: Mapping[str, Any]) -> Task:
        return Task(
            self.family, instance, fingerprint(self.family, self.canonical(instance)), self.difficulty(instance)
        )

    def _judged_turn(self, action: str) -> TurnResult:
        try:
            result = self.turn(action)
            assert result.verdict is not None or not result.terminated, "an episode ended without a verdict"
            return result
        except Unjudged:
            self._over = True
            raise
        except Exception as error:
            self._over = True
            raise Unjudged(f"{type(self).__name__} failed on an action ({type(error).__name__}: {error})") from error

    def _info(self, credits_: Sequence[Credit], verdict: Verdict | None) -> Info:
        _, terms = total(credits_)
        info: Info = {"task": self.task.public(), "credits": list(credits_), "reward_terms": dict(terms)}
        if verdict is not None:
            info["verdict"] = verdict
        admissible = None if self._over else self.admissible()
        if admissible is not None:
            info["admissible"] = admissible
        potential = self.potential()
        if potential is not None:
            info["potential"] = potential
        return info


def fork(env: EnvT) -> EnvT:
    """Copy an environment in mid-episode with all the wrappers around it.

    Each wrapper is copied shallowly around the fork of what it wraps, which is exact for wrappers that keep numbers and
    flags (all of Gymnasium's that apply to text). A wrapper with more state defines `__copy__`.

    Raises:
        NotForkable: If the innermost environment has no `fork`.
    """
    if isinstance(env, gymnasium.Wrapper):
        clone = copy.copy(env)
        clone.env = fork(env.env)
        return clone
    if not isinstance(env, VerifiableEnv) and not hasattr(env, "fork"):
        raise NotForkable(f"{type(env).__name__} has no fork(); only environments that can copy themselves can branch")
    forked: EnvT = env.fork()
    return forked


def reset_item(env: gymnasium.Env[Any, Any], seed: int, index: int) -> tuple[Any, Info]:
    """Ask item `index` of `seed`, of ours or of anybody's Gymnasium environment.

    An environment that does not know items is given a seed of its own for each, derived from both numbers.
    """
    if isinstance(env.unwrapped, VerifiableEnv) or hasattr(env.unwrapped, "reset_item"):  # ours, here or elsewhere
        return env.reset(seed=seed, options={"index": index})
    return env.reset(seed=int(np.random.SeedSequence([seed, index]).generate_state(1)[0]))
