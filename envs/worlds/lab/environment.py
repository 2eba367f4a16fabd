"""The laboratory as an environment, and how its tasks are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult
from proofgym.envs.worlds.base import WorldEnv
from proofgym.envs.worlds.lab.tasks import TASKS
from proofgym.envs.worlds.lab.things import (
    CHEMICALS,
    CONDUCTORS,
    LIFELESS,
    LIVING,
    PAINTS,
    PLANTS,
    ROOMS,
    SUBSTANCES,
    SURFACES,
)
from proofgym.envs.worlds.lab.world import LabWorld
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Lab"]


class Lab(WorldEnv):
    """Asks for an experiment in a laboratory of five rooms, one command a turn.

    Observation: first the task, the commands and the room, then what each command came to.
    Action: one command on the last line, such as `put water in tin cup` or `turn on stove`.
    Episode: terminated when the last sub-goal is reached, or by focusing on or sorting the wrong thing; truncated after
    100 commands.

    The score goes from 0 to 100 over ordered sub-goals; a command's reward is the change of the score, in hundredths.
    Focusing on a wrong thing, or sorting into the wrong box, ends the episode and costs what was won and one more.

    Args:
        tasks: Which tasks, of `TASKS`; all by default.
        level: How many things that do not matter stand about, from 2 to 12.
    Raises:
        BadInput: For an unknown task.
    """

    family = "lab"
    floor: float = 0.05
    default_max_turns: ClassVar[int] = 100

    def __init__(self, *, tasks: Sequence[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tasks = tuple(TASKS if tasks is None else tasks)
        bad = next((task for task in self.tasks if task not in TASKS), None)
        if bad is not None or not self.tasks:
            raise BadInput(f"tasks are of {', '.join(TASKS)}, found {bad!r}")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return _Draw(rng, self.level).instance(self.tasks[int(rng.integers(len(self.tasks)))])

    def build(self, instance: Mapping[str, Any]) -> LabWorld:
        return LabWorld(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the number of things that stand about."""
        return min(1.0, len(self.first(instance).at) / 40)

    def potential(self) -> float:
        """The score in hundredths; -1 after a fatal mistake."""
        if self._world is None:
            return 0.0
        if self._world.lost:
            return -1.0
        at_first = self._first.score
        return float((self._world.score - at_first) / (100 - at_first))

    def turn(self, action: str) -> TurnResult:
        result = super().turn(action)
        if result.verdict is None or not self._world.lost:
            return result
        return TurnResult(result.observation, result.credits, Verdict.wrong(self._world.lost), terminated=True)

    def cheats(self) -> Sequence[str]:
        wrong = ["focus on stove"] if self._world and self._world.place == "kitchen" else []
        return (
            *super().cheats(),
            *wrong,
            "focus on everything",
            "focus on",
            "put all in red box",
            "measure",
            "score 100",
        )


class _Draw:
    def __init__(self, rng: np.random.Generator, level: float) -> None:
        self.rng, self.level = rng, level
        self.things: dict[str, list[str]] = {}
        self.names: dict[str, str] = {}

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def some(self, options: Sequence[Any], count: int) -> list[Any]:
        return [options[i] for i in self.rng.permutation(len(options))[:count].tolist()]

    def add(self, name: str, kind: str, *, rooms: Sequence[str] = tuple(ROOMS)) -> str:
        self.things.setdefault(name, [kind, str(self.pick(rooms))])
        return name

    def instance(self, task: str) -> dict[str, Any]:
        getattr(self, f"_{task.replace(' ', '_')}")()
        spare = [name for name in LIFELESS if name not in self.things]
        if task != "lifeless":
            for name in self.some(spare, 2 + round(5 * self.level)):
                self.add(name, "lifeless")
        for name, kind in (("thermometer", "thermometer"), ("watering can", "watering can")):
            if float(self.rng.random()) < 0.5 or task in ("thermometer", "melting point", "grow", "fruit"):
                self.add(name, kind)
        found = {"task": task, "things": self.things, "names": self.names}
        starts = self.some(tuple(ROOMS), len(ROOMS))  # the first from which no sub-goal is reached already
        return next(
            each for room in starts if LabWorld(each := {**found, "start": room}).done == 0 or room == starts[-1]
        )

    def _cup(self) -> str:
        cups = self.some(("tin cup", "glass cup", "iron cup"), 1 + round(self.level))
        for cup in cups:
            self.add(cup, "cup")
        return str(cups[0])

    def _state(self, options: Sequence[str], tool: str) -> None:
        thing = self.pick(options)
        self.names = {"thing": self.add(thing, "substance"), "cup": self._cup(), "tool": tool, "focus": thing}

    def _melt(self) -> None:
        cold = [name for name, (melts, _) in SUBSTANCES.items() if melts > 20]
        self._state(cold, "stove")
        if SUBSTANCES[self.names["thing"]][0] >= 250:
            self.names["tool"] = "furnace"

    def _boil(self) -> None:
        self._state([name for name, (_, boils) in SUBSTANCES.items() if boils < 1200], "stove")
        if SUBSTANCES[self.names["thing"]][1] >= 250:
            self.names["tool"] = "furnace"

    def _freeze(self) -> None:
        self._state(["water"], "freezer")

    def _boxes(self, *, red: bool) -> None:
        self.names["right box"], self.names["wrong box"] = ("red box", "blue box") if red else ("blue box", "red box")

    def _thermometer(self) -> None:
        thing = self.add(self.pick(sorted(SUBSTANCES)), "substance")
        limit = int(self.pick((0, 5, 10, 15, 25, 30, 40)))
        self.names = {"thing": thing, "limit": str(limit)}
        self._boxes(red=limit < 20)

    def _melting_point(self) -> None:
        self._melt()
        melts = SUBSTANCES[self.names["thing"]][0]
        above = float(self.rng.random()) < 0.5
        self.names["limit"] = str(
            melts - int(self.rng.integers(8, 25)) if above else melts + int(self.rng.integers(30, 60))
        )
        del self.names["focus"]
        self._boxes(red=above)

    def _living(self) -> None:
        self.names = {"focus": self.add(self.pick(sorted(LIVING)), "animal")}

    def _lifeless(self) -> None:
        room = self.pick([room for room in ROOMS if room != "hallway"])
        for name in self.some(sorted(LIVING), 2 + round(4 * self.level)):
            self.add(name, "animal", rooms=(room,))
        self.names = {"focus": self.add(self.pick(LIFELESS), "lifeless", rooms=(room,)), "room": room}

    def _lifespan(self) -> None:
        animals = self.some(sorted(LIVING), 2 + round(4 * self.level))
        for name in animals:
            self.add(name, "animal")
        extreme = self.pick(("longest", "shortest"))
        best = (max if extreme == "longest" else min)(animals, key=lambda name: LIVING[name])
        self.names = {"focus": best, "extreme": extreme}

    def _grow(self) -> None:
        seed = self.add(f"{self.pick(PLANTS)} seed", "seed")
        self.names = {"seed": seed, "pot": self.add("clay pot", "pot", rooms=("greenhouse",)), "focus": seed}

    def _fruit(self) -> None:
        self._grow()
        self.add("bees", "bees", rooms=("living room", "hallway", "workshop"))

    def _pair(self, table: Mapping[frozenset[str], str], kinds: Mapping[str, str]) -> None:
        pairs = sorted(table.items(), key=lambda item: item[1])
        parts, made = self.pick(pairs)
        one, other = sorted(parts)
        extra = self.some(sorted({n for pair, _ in pairs for n in pair} - parts), round(2 * self.level))
        for name in (one, other, *extra):
            self.add(name, kinds.get(name, "powder"))
        self.names = {"one": one, "other": other, "cup": self._cup(), "focus": made}

    def _chemistry(self) -> None:
        self._pair(CHEMICALS, {"water": "substance"})

    def _colours(self) -> None:
        self._pair(PAINTS, dict.fromkeys(("red paint", "blue paint", "yellow paint"), "paint"))

    def _circuit(self) -> None:
        rooms = ("workshop", "living room")
        for name, kind in (("battery", "battery"), ("lamp", "lamp"), ("black wire", "wire"), ("orange wire", "wire")):
            self.add(name, kind, rooms=rooms)

    def _conductor(self) -> None:
        self._circuit()
        thing = self.add(self.pick(sorted(CONDUCTORS)), "sample")
        self.names = {"thing": thing}
        self._boxes(red=CONDUCTORS[thing])

    def _friction(self) -> None:
        one, other = self.some(sorted(SURFACES), 2)
        for name in (one, other):
            self.add(f"{name} plate", "surface plate")
        best = one if SURFACES[one] < SURFACES[other] else other
        self.names = {"one": f"{one} plate", "other": f"{other} plate", "focus": f"{best} plate"}
