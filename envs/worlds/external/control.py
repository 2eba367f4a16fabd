"""MuJoCo's control tasks through Gymnasium, told in numbers and steered by numbers."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said, pick
from proofgym.errors import BadInput, need

__all__ = ["Control"]

_TASKS: Mapping[str, tuple[str, float]] = {
    "InvertedPendulum-v5": ("Keep the pole upright: push the cart left (negative) or right (positive).", 1.0),
    "Reacher-v5": ("Bring the fingertip to the target: turn the two joints.", 0.0),
    "HalfCheetah-v5": ("Run to the right as fast as you can: turn the six joints.", 2.0),
}
"""For each task, what is asked and the reward a step that counts as full marks."""
_LOG = logging.getLogger(__name__)
_DONE = 0.9
"""The share of full marks from which an episode counts as done."""
_NUMBER = re.compile(r"[-+]?[0-9]{1,6}(?:\.[0-9]{0,8})?")


class _Mujoco(Engine):
    def __init__(self, task: str, seed: int, steps: int) -> None:
        self.task, self.seed, self.steps = task, seed, steps
        self.env: Any = None
        self.earned, self.played = 0.0, 0

    def open(self) -> Said:
        import gymnasium
        import mujoco

        if mujoco.get_mju_user_warning() is None:  # by default MuJoCo writes a file where it is started from
            mujoco.set_mju_user_warning(_LOG.info)
        self.env = gymnasium.make(self.task)
        seen, _ = self.env.reset(seed=self.seed)
        space = self.env.action_space
        return Said(
            f"{_TASKS[self.task][0]}\nEach turn, write {space.shape[0]} numbers from {space.low[0]:g} to "
            f"{space.high[0]:g}, separated by blanks.\n{self._told(seen)}"
        )

    def act(self, command: str) -> Said:
        space = self.env.action_space
        numbers = [float(number) for number in _NUMBER.findall(command)]
        if len(numbers) != space.shape[0] or not all(map(math.isfinite, numbers)):
            return Said(f"Write {space.shape[0]} numbers, separated by blanks.", self._score())
        action = np.clip(np.array(numbers, dtype=space.dtype), space.low, space.high)
        seen, reward, terminated, truncated, _ = self.env.step(action)
        self.played += 1
        full = _TASKS[self.task][1]
        self.earned += float(np.clip(reward / full if full else 1.0 + reward, 0.0, 1.0))
        finished = self.played >= self.steps and not terminated
        won = finished and self._score() >= _DONE
        return Said(self._told(seen), self._score(), bool(terminated or truncated or finished), won)

    def _score(self) -> float:
        return self.earned / self.steps

    def _told(self, seen: Any) -> str:
        return "State: " + " ".join(f"{value:.4f}" for value in np.asarray(seen).tolist())

    def close(self) -> None:
        if self.env is not None:
            self.env.close()


class Control(ExternalWorld):
    """Asks to steer a physical system by numbers, one action a turn (`pip install 'proofgym[mujoco]'`).

    Observation: the task, and the state as numbers.
    Action: as many numbers as there are joints or forces.
    Episode: terminated when the system fails or 50 actions are done, truncated after 60 turns.

    A turn earns the task's own reward, as a share of what is full marks for a step, over the number of steps; an
    episode that is steered to its end for nine tenths of full marks counts as done.

    Args:
        tasks: Of InvertedPendulum-v5, Reacher-v5, HalfCheetah-v5.
    """

    family = "external_control"
    floor: float = 0.6
    default_max_turns: ClassVar[int] = 60

    def __init__(self, *, tasks: Sequence[str] = tuple(_TASKS), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not tasks or not set(tasks) <= set(_TASKS):
            raise BadInput(f"tasks are of {', '.join(_TASKS)}, found {list(tasks)!r:.80}")
        self.tasks = tuple(tasks)

    @classmethod
    def require(cls) -> None:
        need("mujoco", "mujoco")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"task": pick(rng, self.tasks), "seed": int(rng.integers(2**31)), "steps": 50}

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "task", "seed", "steps")
        task, seed = fields.one_of(instance, "task", tuple(_TASKS)), fields.whole(instance, "seed", 0, 2**31)
        return _Mujoco(task, seed, fields.whole(instance, "steps", 1, 1000))
