"""Puzzles of many families in one environment, by weight and level."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.puzzles.environments import PuzzleEnv, environment
from proofgym.envs.puzzles.families import FAMILIES
from proofgym.envs.task import Task
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["PuzzleMix"]

Levels = float | tuple[float, float]


class PuzzleMix(VerifiableEnv):
    """Draws each puzzle from a weighted set of families, at each family's own level.

    Observation: what the family's own environment shows.
    Action: what the family's own environment reads.
    Episode: one turn, or the moves of one puzzle, as its family has it; it is paid exactly as there.

    A puzzle keeps the fingerprint of its family, so what is held out from `proofgym/Sudoku-v0` is held out here.

    Args:
        families: Environments of puzzles by name, such as `{"Sudoku": 2, "SokobanSteps": 1}` (weights), or just their
            names; by default all that ask for one answer and need no extra.
        levels: For some or all names a level, or a range `(low, high)` that is drawn from uniformly; `level` sets the
            rest.
    Raises:
        BadInput: For an unknown name, a weight that is not positive, or a level outside [0, 1].
    """

    family = "puzzle_mix"
    floor: float = 0.05
    default_max_turns: ClassVar[int] = 400
    observation_limit: ClassVar[int] = 16_384
    action_limit: ClassVar[int] = 32_768

    def __init__(
        self,
        *,
        families: Mapping[str, float] | Iterable[str] | None = None,
        levels: Mapping[str, Levels] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = families is not None
        if families is None:
            families = [entry.single_name for entry in FAMILIES if entry.single_name and not entry.needs]
        weights = dict(families) if isinstance(families, Mapping) else dict.fromkeys(families, 1.0)
        bad = next((name for name, weight in weights.items() if not 0 < weight < float("inf")), None)
        if bad is not None or not weights:
            raise BadInput(f"families are names with positive weights, found {bad!r}: {weights.get(bad or '')}")
        self.weights: dict[str, float] = weights
        known = {name for entry in FAMILIES for name in (entry.single_name, entry.steps_name)}
        unknown = next((name for name in weights if name not in known), None)
        if unknown is not None:
            raise BadInput(f"no puzzle environment {unknown!r}; `proofgym list --puzzles` shows them all")
        turns = {name: entry.turns for entry in FAMILIES for name in [entry.steps_name] if name}
        self._turns_of = {name: turns.get(name, 1) for name in weights}
        self._made: dict[str, PuzzleEnv] = {}
        self._most = self.max_turns
        self._levels: dict[str, tuple[float, float]] = {}
        for name, level in (levels or {}).items():
            if name not in weights:
                raise BadInput(f"levels names {name!r}, which is not among the families {sorted(weights)[:8]}")
            self.set_level(level, name)
        self._shares = np.array(list(weights.values())) / sum(weights.values())
        if given:
            self.floor = float(sum(self._shares * [environment(name).floor for name in weights]))
        self._playing = next(iter(weights))

    def set_level(self, level: Levels, name: str | None = None) -> None:
        """Draw from this level, or range of levels, from the next item on: one family, or all without one of their own.

        Raises:
            BadInput: For a level outside [0, 1], or a name that is not in the mix.
        """
        low, high = level if isinstance(level, tuple) else (level, level)
        if not 0.0 <= low <= high <= 1.0:
            raise BadInput(f"a level lies in [0, 1], found {level!r}")
        if name is None:
            super().set_level(high)
        elif name in self.weights:
            self._levels[name] = (low, high)
        else:
            raise BadInput(f"{name!r} is not among the families {sorted(self.weights)[:8]}")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        name = list(self.weights)[int(rng.choice(len(self._shares), p=self._shares))]
        low, high = self._levels.get(name, (self.level, self.level))
        level = low + (high - low) * float(rng.random())
        self._inner(name).set_level(level)
        return {"puzzle": name, "level": level, "instance": self._inner(name).generate(rng)}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        name, inner = self._read(instance)
        return [name, self._inner(name).canonical(inner)]

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """The level that it was drawn at."""
        return float(instance["level"])

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._playing, data = self._read(instance)
        inner = self._inner(self._playing)
        inner._task = inner._as_task(data)
        self.max_turns = min(self._most, self._turns_of[self._playing])
        inner.max_turns = self.max_turns
        return inner.begin(data)

    def turn(self, action: str) -> TurnResult:
        return self._inner(self._playing).turn(action)

    def save(self) -> dict[str, Any]:
        return self._inner(self._playing).save()

    def load(self, data: Mapping[str, Any]) -> None:
        self._inner(self._playing).load(data)

    def oracle(self) -> str:
        return self._inner(self._playing).oracle()

    def potential(self) -> float | None:
        """As the family has it."""
        return self._inner(self._playing).potential()

    def admissible(self) -> list[str] | None:
        """As the family has it."""
        return self._inner(self._playing).admissible()

    def cheats(self) -> Sequence[str]:
        return self._inner(self._playing).cheats()

    def unfinished(self) -> Verdict:
        return self._inner(self._playing).unfinished()

    def __copy__(self) -> PuzzleMix:
        """Without the environments inside, which each copy makes for itself, but with the puzzle that is played."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._levels = dict(self._levels)
        other._made = {self._playing: copy.copy(self._made[self._playing])} if self._playing in self._made else {}
        return other

    def _inner(self, name: str) -> PuzzleEnv:
        if name not in self._made:
            self._made[name] = environment(name)(level=self.level)
        return self._made[name]

    def _as_task(self, instance: Mapping[str, Any]) -> Task:
        name, data = self._read(instance)
        task = self._inner(name)._as_task(data)
        return Task(task.family, instance, task.fingerprint, task.difficulty)

    def _read(self, instance: Any) -> tuple[str, Mapping[str, Any]]:
        name = instance.get("puzzle") if isinstance(instance, Mapping) else None
        if not isinstance(name, str) or name not in self.weights or set(instance) != {"puzzle", "level", "instance"}:
            known = ", ".join(sorted(self.weights)[:8])
            raise BadInput(f"an instance has 'puzzle' ({known}, ...), 'level' and 'instance', found {instance!r:.80}")
        level, data = instance["level"], instance["instance"]
        if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0.0 <= level <= 1.0:
            raise BadInput(f"'level' lies in [0, 1], found {level!r:.80}")
        if not isinstance(data, Mapping):
            raise BadInput(f"'instance' is an instance of {name}, found {data!r:.80}")
        return name, data
