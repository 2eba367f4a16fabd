"""How far the goal of a quest is: shortest ways between what has to be handled, keys fetched when they are needed."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from proofgym.envs.worlds.quest.things import CUTS, HEATS

if TYPE_CHECKING:
    from proofgym.envs.worlds.quest.world import QuestWorld

__all__ = ["plan"]


def plan(world: QuestWorld) -> list[str] | None:
    """Commands that fulfil the quest; `None` if none were found."""
    sketch = _Sketch(world)
    try:
        sketch.fulfil()
    except _Stuck:
        return None
    return sketch.commands if sketch.world.won else None


class _Stuck(Exception):
    """This cannot be done from here."""


class _Sketch:
    def __init__(self, world: QuestWorld) -> None:
        self.world = world.copy()
        self.commands: list[str] = []
        self.unlocking: set[str] = set()

    def act(self, command: str) -> None:
        before = len(self.commands)
        if before > 400:
            raise _Stuck
        self.world._act(command)
        self.world.won = self.world._holds()
        self.commands.append(command)

    def fulfil(self) -> None:
        goal, world = self.world.goal, self.world
        if world.won:
            return
        if goal["kind"] == "find":
            self.fetch(goal["item"])
        elif goal["kind"] == "deliver":
            left = [item for item, holder in goal["items"].items() if world.where[item] != holder]
            for item in left:
                self.fetch(item)
            for item in left:
                self.deliver(item, goal["items"][item])
        else:
            self.cook()

    def cook(self) -> None:
        world = self.world
        if not world.meal:
            recipe = world._foods()
            cuts = [(food, way) for food, ways in recipe.items() for way in ways if way in CUTS.values()]
            if any(way not in world.done.get(food, ()) for food, way in cuts):
                self.fetch("knife")
            for food, ways in recipe.items():
                self.fetch(food)
                for way in ways:
                    if way in CUTS.values() and way not in world.done.get(food, ()):
                        self.act(f"{next(verb for verb, cut in CUTS.items() if cut == way)} {food}")
            for food, ways in recipe.items():
                for way in ways:
                    if way in HEATS.values() and way not in world.done.get(food, ()):
                        appliance = next(name for name, heat in HEATS.items() if heat == way)
                        if appliance not in world.appliances:
                            raise _Stuck
                        self.go(world.appliances[appliance])
                        self.act(f"cook {food} with {appliance}")
            self.go("kitchen")
            self.act("prepare meal")
        self.act("eat meal")

    def fetch(self, item: str) -> None:
        spot = self.world.where[item]
        if spot == "hand":
            return
        if spot == "gone":
            raise _Stuck
        if spot in self.world.holders:
            self.enter(spot)
            self.act(f"take {item} from {spot}")
        else:
            self.go(spot)
            self.act(f"take {item}")

    def deliver(self, item: str, holder: str) -> None:
        self.enter(holder)
        self.act(f"put {item} {self.world._at(holder)}")

    def enter(self, holder: str) -> None:
        room, kind, key = self.world.holders[holder]
        if kind == "chest" and self.world.shut[holder] == "locked":
            self.with_key(holder, key)
        self.go(room)
        if kind == "chest":
            self.lid(holder, key)

    def with_key(self, name: str, key: str) -> None:
        if name in self.unlocking:
            raise _Stuck  # its key lies behind it
        self.unlocking.add(name)
        self.fetch(key)
        self.unlocking.remove(name)

    def lid(self, name: str, key: str) -> None:
        if self.world.shut[name] == "locked":
            self.act(f"unlock {name} with {key}")
        if self.world.shut[name] == "closed":
            self.act(f"open {name}")

    def go(self, room: str) -> None:
        while self.world.place != room:
            way = self.route(room)
            for direction in way:
                door = self.world.doors.get((self.world.place, direction))
                if door and self.world.shut[door.name] == "locked" and self.world.where.get(door.key) != "hand":
                    self.with_key(door.name, door.key)
                    break  # elsewhere now: look for the way again
                if door:
                    self.lid(door.name, door.key)
                self.act(f"go {direction}")

    def route(self, room: str) -> list[str]:
        """The way with the fewest commands; a locked door whose key is not in hand only if there is no other."""
        world = self.world
        heap: list[tuple[int, str, tuple[str, ...]]] = [(0, world.place, ())]
        seen: set[str] = set()
        while heap:
            cost, here, way = heapq.heappop(heap)
            if here == room:
                return list(way)
            if here in seen:
                continue
            seen.add(here)
            for direction, there in world.rooms[here].items():
                door = world.doors.get((here, direction))
                state = world.shut[door.name] if door else "open"
                extra = {"open": 0, "closed": 1, "locked": 2}[state]
                if door and state == "locked" and world.where.get(door.key) != "hand":
                    if door.name in self.unlocking:
                        continue
                    extra = 100
                heapq.heappush(heap, (cost + 1 + extra, there, (*way, direction)))
        raise _Stuck
