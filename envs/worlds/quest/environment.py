"""Quests as an environment, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.worlds.base import WorldEnv
from proofgym.envs.worlds.quest.things import BACK, CUTS, DIRECTIONS, HEATS
from proofgym.envs.worlds.quest.world import QuestWorld
from proofgym.errors import BadInput

__all__ = ["Quest"]

_ROOMS = (
    "kitchen", "pantry", "hall", "study", "bedroom", "cellar", "garden", "attic", "library", "workshop", "balcony",
    "bathroom",
)  # fmt: skip
_TREASURES = ("golden cup", "silver ring", "old map", "jade statue", "ruby", "violin", "pocket watch", "crystal ball")
_CLUTTER = ("candle", "newspaper", "umbrella", "brush", "bottle", "hammer", "rope", "lantern", "book", "scarf")
_CHESTS = ("chest", "wardrobe", "trunk", "cabinet")
_STANDS = ("table", "shelf", "bench", "desk")
_FOOD = ("carrot", "potato", "onion", "red pepper", "mushroom", "apple", "salmon", "pork chop", "zucchini", "cheese")


class Quest(WorldEnv):
    """Asks for a quest in a house of rooms: find a treasure, deliver things, or cook a meal, one command a turn.

    Observation: first the quest, the commands and the room, then what each command came to.
    Action: one command on the last line, such as `go north`, `open chest`, `take ruby from chest`.
    Episode: terminated when the quest is fulfilled, or food is spoiled for the recipe; truncated after 100 commands.

    Doors and chests may be locked; their keys lie elsewhere, never behind themselves. Paid by the length of a plan that
    works, as `WorldEnv` says; a spoiled meal costs all that was won and one more.

    Args:
        kinds: Which quests: `find`, `deliver`, `cook`; all by default.
        level: Three rooms and nothing locked at 0; twelve rooms, locks and three things or foods at 1.
    Raises:
        BadInput: For an unknown kind.
    """

    family = "quest"
    floor: float = 0.4
    default_max_turns: ClassVar[int] = 100

    def __init__(self, *, kinds: Sequence[str] = ("find", "deliver", "cook"), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        bad = next((kind for kind in kinds if kind not in ("find", "deliver", "cook")), None)
        if bad is not None or not kinds:
            raise BadInput(f"quests are of the kinds find, deliver and cook, found {bad!r}")
        self.kinds = tuple(kinds)

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        kind = self.kinds[int(rng.integers(len(self.kinds)))]
        while True:
            instance = _Draw(rng, self.level, kind).instance()
            world = QuestWorld(instance)
            if not world.won and world.plan():
                return instance

    def build(self, instance: Mapping[str, Any]) -> QuestWorld:
        return QuestWorld(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the length of the plan: 1 for 40 commands and more."""
        self.first(instance)
        return min(1.0, self._from_start / 40)


class _Draw:
    def __init__(self, rng: np.random.Generator, level: float, kind: str) -> None:
        self.rng, self.level, self.kind = rng, level, kind

    def pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def some(self, options: Sequence[Any], count: int) -> list[Any]:
        return [options[i] for i in self.rng.permutation(len(options))[:count].tolist()]

    def instance(self) -> dict[str, Any]:
        count = 3 + round(9 * self.level)
        names = ["kitchen", *self.some([room for room in _ROOMS if room != "kitchen"], count - 1)]
        rooms, ways = self.map(names)
        items: dict[str, str] = {}
        doors, keyed = [], round(3 * self.level)
        for number, (room, way) in enumerate(self.some(ways, round(len(ways) * 0.6))):
            state = "locked" if number < keyed else "closed"
            name = (
                f"{('oak', 'iron', 'glass', 'pine', 'steel', 'elm', 'red', 'blue', 'old', 'heavy', 'low')[number]} door"
            )
            key = f"{name.split(' ')[0]} key" if state == "locked" else ""
            if key:
                items[key] = self.pick(names)
            doors.append([room, way, name, state, key])
        holders = []
        for number, kind in enumerate(self.some(_CHESTS, 1 + round(2 * self.level))):
            locked = number == 0 and self.level > 0.5
            key = f"{kind} key" if locked else ""
            if key:
                items[key] = self.pick(names)
            holders.append([kind, self.pick(names), "chest", "locked" if locked else "closed", key])
        holders += [[name, self.pick(names), "stand", "open", ""] for name in self.some(_STANDS, 2 + round(self.level))]
        spots = names + [row[0] for row in holders] * 2
        for item in self.some(_CLUTTER, 2 + round(5 * self.level)):
            items[item] = self.pick(spots)
        goal, appliances = self.goal(items, spots, holders, names)
        return {"rooms": rooms, "doors": doors, "holders": holders, "appliances": appliances, "items": items,
                "start": self.pick(names), "goal": goal}  # fmt: skip

    def map(self, names: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[tuple[str, str]]]:
        at = {(0, 0): names[0]}
        rooms: dict[str, dict[str, str]] = {name: {} for name in names}
        ways = []
        for name in names[1:]:
            while True:
                (r, c), here = self.pick(sorted(at.items()))
                way = self.pick(sorted(DIRECTIONS))
                spot = (r + DIRECTIONS[way][0], c + DIRECTIONS[way][1])
                if spot not in at:
                    break
            at[spot] = name
            rooms[here][way], rooms[name][BACK[way]] = name, here
            ways.append((here, way))
        for (r, c), here in sorted(at.items()):
            for way in ("east", "south"):
                there = at.get((r + DIRECTIONS[way][0], c + DIRECTIONS[way][1]))
                if there and way not in rooms[here] and float(self.rng.random()) < 0.2:
                    rooms[here][way], rooms[there][BACK[way]] = there, here
        return rooms, ways

    def goal(
        self, items: dict[str, str], spots: Sequence[str], holders: Sequence[Sequence[str]], names: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        count = 1 + round(2 * self.level)
        if self.kind == "find":
            item = self.pick(_TREASURES)
            items[item] = self.pick([row[0] for row in holders]) if self.level > 0.2 else self.pick(spots)
            return {"kind": "find", "item": item}, {}
        if self.kind == "deliver":
            wanted = {}
            for item in self.some(_TREASURES, count):
                items[item] = self.pick(spots)
                wanted[item] = self.pick([row[0] for row in holders])
            return {"kind": "deliver", "items": wanted}, {}
        recipe: dict[str, list[str]] = {}
        appliances = {"stove": "kitchen", "oven": "kitchen", "grill": self.pick(names)}
        for food in self.some(_FOOD, count):
            items[food] = self.pick(spots)
            cut = [self.pick(sorted(CUTS.values()))] if float(self.rng.random()) < 0.3 + 0.4 * self.level else []
            heat = [self.pick(sorted(HEATS.values()))] if float(self.rng.random()) < 0.8 else []
            recipe[food] = cut + heat
        items["knife"], items["cookbook"] = self.pick(spots), "kitchen"
        return {"kind": "cook", "recipe": recipe}, appliances
