"""The real ScienceWorld, which runs on Java."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said, pick
from proofgym.envs.worlds.external.java import end_java
from proofgym.errors import BadInput, need

__all__ = ["ScienceWorld"]

_TASKS = (
    "boil", "change-the-state-of-matter-of", "chemistry-mix", "chemistry-mix-paint-secondary-color",
    "chemistry-mix-paint-tertiary-color", "find-animal", "find-living-thing", "find-non-living-thing", "find-plant",
    "freeze", "grow-fruit", "grow-plant", "identify-life-stages-1", "identify-life-stages-2",
    "inclined-plane-determine-angle", "inclined-plane-friction-named-surfaces",
    "inclined-plane-friction-unnamed-surfaces", "lifespan-longest-lived", "lifespan-longest-lived-then-shortest-lived",
    "lifespan-shortest-lived", "measure-melting-point-known-substance", "measure-melting-point-unknown-substance",
    "melt", "mendelian-genetics-known-plant", "mendelian-genetics-unknown-plant", "power-component",
    "power-component-renewable-vs-nonrenewable-energy", "test-conductivity",
    "test-conductivity-of-unknown-substances", "use-thermometer",
)  # fmt: skip


class _Science(Engine):
    def __init__(self, task: str, variation: int) -> None:
        self.task, self.variation = task, variation
        self.env: Any = None
        self.solution: list[str] = []

    def open(self) -> Said:
        from scienceworld import ScienceWorldEnv

        self.env = ScienceWorldEnv("", envStepLimit=10**6)
        variation = self.variation % int(self.env.get_max_variations(self.task))
        self.env.load(self.task, variation, "", generateGoldPath=True)
        text, _ = self.env.reset()
        self.solution = list(self.env.get_gold_action_sequence())
        return Said(f"{self.env.get_task_description()}\n\n{text}")

    def act(self, command: str) -> Said:
        text, _, done, info = self.env.step(command)
        score = float(info["score"]) / 100
        return Said(str(text), max(-1.0, score), bool(done), score >= 1.0)

    def commands(self) -> list[str]:
        return sorted(map(str, self.env.get_valid_action_object_combinations()))

    def gold(self) -> list[str]:
        return self.solution

    def close(self) -> None:
        if self.env is not None:
            end_java(self.env)


class ScienceWorld(ExternalWorld):
    """Asks for an experiment in the real ScienceWorld (`pip install 'proofgym[scienceworld]'`; needs Java).

    Observation: the task and ScienceWorld's text.
    Action: one of its commands.
    Episode: terminated when the engine ends it, truncated after 100 commands.

    Version 1.2 is not deterministic: the same commands can come to other texts, and its own solutions do not always
    work. So there is no `state`, and no fork; a list of valid commands takes it long. `proofgym/Lab-v0` is in its
    spirit, deterministic and forkable.

    Args:
        tasks: Names of its tasks; all thirty by default.
    """

    family = "external_scienceworld"
    deterministic: ClassVar[bool] = False
    default_max_turns: ClassVar[int] = 100

    def __init__(self, *, tasks: Sequence[str] = _TASKS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bad = next((task for task in tasks if task not in _TASKS), None)
        if bad is not None or not tasks:
            raise BadInput(f"ScienceWorld has the tasks {', '.join(_TASKS[:5])}, ...; found {bad!r}")
        self.tasks = tuple(tasks)

    @classmethod
    def require(cls) -> None:
        need("scienceworld", "scienceworld")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"task": pick(rng, self.tasks), "variation": int(rng.integers(1000))}

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "task", "variation")
        return _Science(fields.one_of(instance, "task", _TASKS), fields.whole(instance, "variation", 0, 10**6))
