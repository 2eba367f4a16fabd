"""Quests in a house of rooms: find a treasure, carry things where they belong, or cook a meal, as in TextWorld.

Rooms lie on a map and are joined by passages or doors, some locked; chests and the like hold things. What a command
does depends on the state alone. Cooking can go wrong for ever: what is burned, or cut the wrong way, cannot be mended.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.base import WorldEnv
from proofgym.errors import BadInput

__all__ = ["Quest", "QuestWorld"]

_DIRECTIONS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}
_BACK = {"north": "south", "south": "north", "east": "west", "west": "east"}
_ROOMS = (
    "kitchen", "pantry", "hall", "study", "bedroom", "cellar", "garden", "attic", "library", "workshop", "balcony",
    "bathroom",
)  # fmt: skip
_TREASURES = ("golden cup", "silver ring", "old map", "jade statue", "ruby", "violin", "pocket watch", "crystal ball")
_CLUTTER = ("candle", "newspaper", "umbrella", "brush", "bottle", "hammer", "rope", "lantern", "book", "scarf")
_CHESTS = ("chest", "wardrobe", "trunk", "cabinet")
_STANDS = ("table", "shelf", "bench", "desk")
_FOOD = ("carrot", "potato", "onion", "red pepper", "mushroom", "apple", "salmon", "pork chop", "zucchini", "cheese")
_CUTS = {"slice": "sliced", "dice": "diced", "chop": "chopped"}
_HEATS = {"stove": "fried", "oven": "roasted", "grill": "grilled"}
_HELP = (
    "Commands: look, inventory, go DIRECTION, open THING, close THING, unlock THING with KEY, take ITEM, "
    "take ITEM from THING, put ITEM in THING, put ITEM on THING, drop ITEM, examine ITEM, cook ITEM with APPLIANCE, "
    "slice ITEM, dice ITEM, chop ITEM (with a knife in hand), prepare meal, eat meal."
)


@dataclass(frozen=True, slots=True)
class Door:
    """Between two rooms: its name, its key's name (empty: never locked)."""

    name: str
    key: str


class QuestWorld:
    """One state of a quest; what never changes is shared between copies."""

    rooms: dict[str, dict[str, str]]
    """For each room, which room lies in each direction."""
    doors: dict[tuple[str, str], Door]
    """For room and direction, the door in the way."""
    holders: dict[str, tuple[str, str, str]]
    """For each chest or stand, its room, `chest` or `stand`, and its key's name."""
    appliances: dict[str, str]
    """For each appliance, its room."""
    goal: Mapping[str, Any]
    place: str
    where: dict[str, str]
    """For each item, `hand`, a room, or a holder."""
    shut: dict[str, str]
    """For each door and chest, `open`, `closed` or `locked`."""
    done: dict[str, tuple[str, ...]]
    """For each food, what was done to it."""
    lost: str
    won: bool

    def __init__(self, instance: Any) -> None:
        _read(self, instance)
        self.lost, self.done = "", {}
        self.meal = ""  # "", "prepared" or "eaten"
        self.won = self._holds()

    def copy(self) -> QuestWorld:
        """A twin; neither sees what the other does."""
        other = object.__new__(QuestWorld)
        other.__dict__.update(self.__dict__)
        other.where, other.shut, other.done = dict(self.where), dict(self.shut), dict(self.done)
        return other

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        return {
            "place": self.place, "where": dict(self.where), "shut": dict(self.shut), "meal": self.meal,
            "done": {food: list(ways) for food, ways in self.done.items()}, "lost": self.lost,
        }  # fmt: skip

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this quest.
        """
        try:
            place, where, shut = data["place"], dict(data["where"]), dict(data["shut"])
            done = {food: tuple(ways) for food, ways in data["done"].items()}
            meal, lost = data["meal"], data["lost"]
            spots, ways = {"hand", "gone", *self.rooms, *self.holders}, {*_CUTS.values(), *_HEATS.values()}
            fits = (
                place in self.rooms and set(where) == set(self.where) and set(where.values()) <= spots
                and set(shut) == set(self.shut) and set(shut.values()) <= {"open", "closed", "locked"}
                and set(done) <= set(self._foods()) and all(set(each) <= ways for each in done.values())
                and meal in ("", "prepared", "eaten") and isinstance(lost, str)
                and all(self._key(name) for name, state in shut.items() if state == "locked")
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"this is no state of a quest: {type(error).__name__} {error}") from None
        if not fits:
            raise BadInput("this is no state of this quest")
        self.place, self.where, self.shut, self.done, self.meal, self.lost = place, where, shut, done, meal, lost
        self.won = self._holds()

    def welcome(self) -> str:
        """The first observation."""
        return f"{self.task()}\n{_HELP}\n\n{self._room()}"

    def map(self) -> str:
        """One line a room: its ways, then what stands and lies there; `>` marks where the agent is."""
        hand = [self._named(item) for item, spot in self.where.items() if spot == "hand"]
        lines = [self.task(), f"in hand: {', '.join(hand) or 'nothing'}"]
        for room, ways in self.rooms.items():
            told = []
            for way, there in ways.items():
                door = self.doors.get((room, way))
                told.append(f"{way} {there}" + (f" by the {self.shut[door.name]} {door.name}" if door else ""))
            things = [self._named(item) for item, spot in self.where.items() if spot == room]
            things += [name for name, spot in self.appliances.items() if spot == room]
            for name, (spot, kind, _) in self.holders.items():
                if spot == room:
                    held = ", ".join(self._named(item) for item, inside in self.where.items() if inside == name)
                    things.append(f"{name}{f' ({self.shut[name]})' if kind == 'chest' else ''} [{held}]")
            lines.append(
                f"{'>' if room == self.place else ' '} {room} -> {', '.join(told)}: {', '.join(things) or '-'}"
            )
        return "\n".join(lines)

    def task(self) -> str:
        """The goal in words."""
        goal = self.goal
        if goal["kind"] == "find":
            return f"Your quest: find the {goal['item']} and take it."
        if goal["kind"] == "deliver":
            parts = [f"the {item} {self._at(holder)}" for item, holder in goal["items"].items()]
            return f"Your quest: put {' and '.join(parts)}."
        return (
            "Your quest: cook the meal of the cookbook. Examine the cookbook in the kitchen, get the ingredients, "
            "treat them as it says, then prepare the meal in the kitchen and eat it. What is cooked or cut wrongly is "
            "spoiled."
        )

    def step(self, command: str) -> str:
        """Carry out a command and say what happened."""
        words = " ".join(command.lower().split()).rstrip(".").removeprefix("> ")
        words = " ".join(word for word in words.split(" ") if word not in ("the", "a", "an"))[:160]
        said = self._act(words)
        self.won = self._holds()
        return said

    def admissible(self) -> list[str]:
        """Every command that does or tells something, sorted."""
        found = ["help", "inventory", "look"]
        for way in self.rooms[self.place]:
            door = self.doors.get((self.place, way))
            if door is None or self.shut[door.name] == "open":
                found.append(f"go {way}")
        hand = [item for item, spot in self.where.items() if spot == "hand"]
        for name in self._near_lids():
            state, key = self.shut[name], self._key(name)
            if state == "locked" and key in hand:
                found.append(f"unlock {name} with {key}")
            elif state != "locked":
                found.append(f"{'close' if state == 'open' else 'open'} {name}")
        for item, spot in self.where.items():
            if spot == self.place:
                found.append(f"take {item}")
            elif spot in self.holders and self._reach(spot):
                found.append(f"take {item} from {spot}")
            if self._present(item):
                found.append(f"examine {item}")
        for item in hand:
            found.append(f"drop {item}")
            found += [f"put {item} {self._at(name)}" for name in self.holders if self._reach(name)]
            if item in self._foods():
                found += [f"cook {item} with {name}" for name, room in self.appliances.items() if room == self.place]
                if "knife" in hand and not any(cut in self.done.get(item, ()) for cut in _CUTS.values()):
                    found += [f"{verb} {item}" for verb in _CUTS]
        if self.goal["kind"] == "cook" and self.place == "kitchen" and not self.meal and self._ready():
            found.append("prepare meal")
        if self.meal == "prepared":
            found.append("eat meal")
        return sorted(found)

    # Rules ------------------------------------------------------------------------------------------------------------

    def _holds(self) -> bool:
        goal = self.goal
        if goal["kind"] == "find":
            return self.where[goal["item"]] == "hand"
        if goal["kind"] == "deliver":
            return all(self.where[item] == holder for item, holder in goal["items"].items())
        return self.meal == "eaten"

    def _foods(self) -> Mapping[str, Sequence[str]]:
        foods: Mapping[str, Sequence[str]] = self.goal["recipe"] if self.goal["kind"] == "cook" else {}
        return foods

    def _ready(self) -> bool:
        return all(
            self.where[food] == "hand" and sorted(self.done.get(food, ())) == sorted(ways)
            for food, ways in self._foods().items()
        )

    def _at(self, holder: str) -> str:
        return f"{'in' if self.holders[holder][1] == 'chest' else 'on'} {holder}"

    def _reach(self, holder: str) -> bool:
        room, kind, _ = self.holders[holder]
        return room == self.place and (kind == "stand" or self.shut[holder] == "open")

    def _present(self, item: str) -> bool:
        spot = self.where[item]
        return spot in ("hand", self.place) or (spot in self.holders and self._reach(spot))

    def _near_lids(self) -> list[str]:
        doors = {door.name for (room, _), door in self.doors.items() if room == self.place}
        return sorted(
            doors | {n for n, (room, kind, _) in self.holders.items() if room == self.place and kind == "chest"}
        )

    def _key(self, name: str) -> str:
        if name in self.holders:
            return self.holders[name][2]
        return next(door.key for door in self.doors.values() if door.name == name)

    def _room(self) -> str:
        lines = [f"-= {self.place.capitalize()} =-"]
        for name, (room, kind, _) in self.holders.items():
            if room == self.place:
                if kind == "chest" and self.shut[name] != "open":
                    lines.append(f"There is a {name}; it is {self.shut[name]}.")
                else:
                    held = [item for item, spot in self.where.items() if spot == name]
                    word = "In" if kind == "chest" else "On"
                    lines.append(f"There is a {name}. {word} it you see {_listed(held)}.")
        lines += [f"There is a {name}." for name, room in self.appliances.items() if room == self.place]
        floor = [item for item, spot in self.where.items() if spot == self.place]
        if floor:
            lines.append(f"On the floor you see {_listed(floor)}.")
        for way in self.rooms[self.place]:
            door = self.doors.get((self.place, way))
            lines.append(
                f"{way.capitalize()} leads {f'a {self.shut[door.name]} {door.name}' if door else 'a passage'}."
            )
        return "\n".join(lines)

    def _act(self, words: str) -> str:
        verb, _, rest = words.partition(" ")
        if words in ("look", "l"):
            return self._room()
        if words in ("inventory", "i"):
            hand = [self._named(item) for item, spot in self.where.items() if spot == "hand"]
            return f"You carry {_listed(hand)}."
        if words == "help":
            return _HELP
        if words in _DIRECTIONS or verb == "go":
            return self._go(rest if verb == "go" else words)
        if words == "prepare meal":
            return self._prepare()
        if words == "eat meal":
            if self.meal != "prepared":
                return "There is no meal to eat."
            self.meal = "eaten"
            return "You eat the meal. It is delicious."
        acts = {"open": self._open, "close": self._close, "unlock": self._unlock, "take": self._take, "put": self._put,
                "drop": self._drop, "examine": self._examine, "cook": self._cook}  # fmt: skip
        if verb in acts:
            return acts[verb](rest)
        if verb in _CUTS:
            return self._cut(verb, rest)
        return "That is not a command. Write 'help' to see them."

    def _go(self, way: str) -> str:
        if way not in self.rooms[self.place]:
            return f"You cannot go {way[:20]} from here."
        door = self.doors.get((self.place, way))
        if door and self.shut[door.name] != "open":
            return f"The {door.name} is {self.shut[door.name]}."
        self.place = self.rooms[self.place][way]
        return self._room()

    def _open(self, name: str) -> str:
        if name not in self._near_lids():
            return f"You see no {name[:40]} here that could be opened."
        if self.shut[name] != "closed":
            return f"The {name} is {self.shut[name]}."
        self.shut[name] = "open"
        if name in self.holders:
            return (
                f"You open the {name}. In it you see {_listed([i for i, spot in self.where.items() if spot == name])}."
            )
        return f"You open the {name}."

    def _close(self, name: str) -> str:
        if name not in self._near_lids() or self.shut[name] != "open":
            return f"You see no open {name[:40]} here."
        self.shut[name] = "closed"
        return f"You close the {name}."

    def _unlock(self, rest: str) -> str:
        name, _, key = rest.partition(" with ")
        if name not in self._near_lids() or self.shut[name] != "locked":
            return f"You see no locked {name[:40]} here."
        if self.where.get(key) != "hand" or key != self._key(name):
            return f"You need the key of the {name} in your hand."
        self.shut[name] = "closed"
        return f"You unlock the {name} with the {key}."

    def _take(self, rest: str) -> str:
        item, _, holder = rest.partition(" from ")
        if item not in self.where or not self._present(item) or (holder and self.where[item] != holder):
            return f"You see no {item[:40]} here."
        if self.where[item] == "hand":
            return f"You carry the {item} already."
        self.where[item] = "hand"
        return f"You take the {item}."

    def _put(self, rest: str) -> str:
        for link in (" in ", " on ", " into ", " onto "):
            item, found, holder = rest.partition(link)
            if found:
                break
        if self.where.get(item) != "hand":
            return f"You carry no {item[:40]}."
        if holder not in self.holders or self.holders[holder][0] != self.place:
            return f"You see no {holder[:40]} here."
        if not self._reach(holder):
            return f"The {holder} is {self.shut[holder]}."
        self.where[item] = holder
        return f"You put the {item} {self._at(holder)}."

    def _drop(self, item: str) -> str:
        if self.where.get(item) != "hand":
            return f"You carry no {item[:40]}."
        self.where[item] = self.place
        return f"You drop the {item}."

    def _named(self, item: str) -> str:
        return " ".join([*self.done.get(item, ()), item])

    def _examine(self, item: str) -> str:
        if item not in self.where or not self._present(item):
            return f"You see no {item[:40]} here."
        if item == "cookbook":
            lines = [f"- {food}: {', '.join(ways) if ways else 'as it is'}" for food, ways in self._foods().items()]
            return "Recipe. Ingredients:\n" + "\n".join(lines)
        return f"It is a {self._named(item)}." if self.done.get(item) else f"There is nothing special about the {item}."

    def _spoiled(self, food: str) -> str:
        """Why a food can never become what the recipe asks for, or nothing."""
        done, wanted = self.done.get(food, ()), self._foods()[food]
        wrong = [way for way in done if way not in wanted]
        if wrong or len(set(done)) != len(done):
            self.lost = f"the {food} is spoiled: it is {' and '.join(done)}"
            return f" The {food} is spoiled for the recipe."
        return ""

    def _cook(self, rest: str) -> str:
        food, _, appliance = rest.partition(" with ")
        if self.where.get(food) != "hand":
            return f"You carry no {food[:40]}."
        if self.appliances.get(appliance) != self.place:
            return f"You see no {appliance[:40]} here."
        if food not in self._foods():
            return f"The {food} is not to be cooked."
        self.done[food] = (*self.done.get(food, ()), _HEATS[appliance])
        return f"You cook the {food} with the {appliance}: it is {_HEATS[appliance]}.{self._spoiled(food)}"

    def _cut(self, verb: str, food: str) -> str:
        if self.where.get(food) != "hand" or food not in self._foods():
            return f"You carry no {food[:40]} that could be cut."
        if self.where.get("knife") != "hand":
            return "You need a knife in your hand."
        if any(cut in self.done.get(food, ()) for cut in _CUTS.values()):
            return f"The {food} is cut already."
        self.done[food] = (*self.done.get(food, ()), _CUTS[verb])
        return f"You {verb} the {food}.{self._spoiled(food)}"

    def _prepare(self) -> str:
        if self.goal["kind"] != "cook" or self.place != "kitchen" or self.meal:
            return "There is no meal to prepare here."
        if not self._ready():
            return "You have not all the ingredients in hand, treated as the cookbook says."
        for food in self._foods():
            self.where[food] = "gone"
        self.meal = "prepared"
        return "You prepare the meal. It is ready to be eaten."

    # Plans ------------------------------------------------------------------------------------------------------------

    def plan(self) -> list[str] | None:
        """Commands that fulfil the quest: shortest ways between what has to be handled, keys fetched when needed."""
        if self.lost:
            return None
        sketch = _Sketch(self)
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
            cuts = [(food, way) for food, ways in recipe.items() for way in ways if way in _CUTS.values()]
            if any(way not in world.done.get(food, ()) for food, way in cuts):
                self.fetch("knife")
            for food, ways in recipe.items():
                self.fetch(food)
                for way in ways:
                    if way in _CUTS.values() and way not in world.done.get(food, ()):
                        self.act(f"{next(verb for verb, cut in _CUTS.items() if cut == way)} {food}")
            for food, ways in recipe.items():
                for way in ways:
                    if way in _HEATS.values() and way not in world.done.get(food, ()):
                        appliance = next(name for name, heat in _HEATS.items() if heat == way)
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


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "nothing"
    articled = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names]
    return articled[0] if len(names) == 1 else f"{', '.join(articled[:-1])} and {articled[-1]}"


def _read(world: QuestWorld, instance: Any) -> None:
    if not isinstance(instance, Mapping):
        raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
    fields.only(instance, "rooms", "doors", "holders", "appliances", "items", "start", "goal")
    rooms = instance["rooms"]
    if not isinstance(rooms, Mapping) or not 1 <= len(rooms) <= 40:
        raise BadInput(f"'rooms' maps 1 to 40 names to their neighbours, found {rooms!r:.80}")
    for name, ways in rooms.items():
        if not isinstance(ways, Mapping):
            raise BadInput(f"'rooms': {name!r:.40} has directions, found {ways!r:.80}")
        for way, there in ways.items():
            if way not in _DIRECTIONS or not isinstance(there, str) or there not in rooms:
                raise BadInput(f"'rooms': {name!r:.40} leads {way!r:.20} to {there!r:.40}, which is no room")
            if not isinstance(rooms[there], Mapping) or rooms[there].get(_BACK[way]) != name:
                raise BadInput(f"'rooms': no way leads back from {there!r:.40} to {name!r:.40}")
    world.rooms = {name: {way: ways[way] for way in _DIRECTIONS if way in ways} for name, ways in rooms.items()}
    items = instance["items"]
    if not isinstance(items, Mapping) or len(items) > 100:
        raise BadInput(f"'items' maps at most 100 names to places, found {items!r:.80}")
    _read_lids(world, instance, items)
    spots = {*world.rooms, *world.holders}
    for item, spot in items.items():
        if not isinstance(spot, str) or spot not in spots or item in spots:
            raise BadInput(f"'items': {item!r:.40} lies in {spot!r:.40}, which is no room or holder")
    world.where = dict(items)
    appliances = instance["appliances"]
    if not isinstance(appliances, Mapping):
        raise BadInput(f"'appliances' maps names to rooms, found {appliances!r:.80}")
    for name, room in appliances.items():
        if name not in _HEATS or not isinstance(room, str) or room not in world.rooms:
            raise BadInput(f"'appliances': {name!r:.40} in {room!r:.40}; they are {', '.join(_HEATS)}, in rooms")
    world.appliances = dict(appliances)
    world.place = fields.one_of(instance, "start", list(world.rooms))
    world.goal = _goal(instance["goal"], world)


def _read_lids(world: QuestWorld, instance: Mapping[str, Any], items: Mapping[str, Any]) -> None:
    world.doors, world.shut, world.holders = {}, {}, {}
    doors, holders = instance["doors"], instance["holders"]
    if (
        not isinstance(doors, (list, tuple))
        or not isinstance(holders, (list, tuple))
        or len(doors) + len(holders) > 200
    ):
        raise BadInput("'doors' and 'holders' are lists of at most 200 together")
    for row in doors:
        if not (isinstance(row, (list, tuple)) and len(row) == 5 and all(isinstance(word, str) for word in row)):
            raise BadInput(f"a door is [room, direction, name, state, key], found {row!r:.80}")
        room, way, name, state, key = row
        if way not in world.rooms.get(room, ()) or name in world.shut or state not in ("open", "closed", "locked"):
            raise BadInput(f"the door {row!r:.80} stands in no way, has a name twice, or a strange state")
        if (state == "locked" and not key) or (key and key not in items):
            raise BadInput(f"the door {row!r:.80} needs a key that is among the items")
        door = Door(name, key)
        world.doors[room, way] = world.doors[world.rooms[room][way], _BACK[way]] = door
        world.shut[name] = state
    for row in holders:
        if not (isinstance(row, (list, tuple)) and len(row) == 5 and all(isinstance(word, str) for word in row)):
            raise BadInput(f"a holder is [name, room, chest or stand, state, key], found {row!r:.80}")
        name, room, kind, state, key = row
        if room not in world.rooms or kind not in ("chest", "stand") or name in world.shut or name in world.holders:
            raise BadInput(f"the holder {row!r:.80} is in no room, of no kind, or has a name twice")
        if state not in ("open", "closed", "locked") or (state == "locked" and not key) or (key and key not in items):
            raise BadInput(f"the holder {row!r:.80} is open, closed, or locked with a key among the items")
        world.holders[name] = (room, kind, key)
        if kind == "chest":
            world.shut[name] = state


def _goal(goal: Any, world: QuestWorld) -> Mapping[str, Any]:
    kind = goal.get("kind") if isinstance(goal, Mapping) else None
    if (
        kind == "find"
        and set(goal) == {"kind", "item"}
        and isinstance(goal["item"], str)
        and goal["item"] in world.where
    ):
        return dict(goal)
    if kind == "deliver" and set(goal) == {"kind", "items"} and isinstance(goal["items"], Mapping) and goal["items"]:
        fits = (i in world.where and isinstance(h, str) and h in world.holders for i, h in goal["items"].items())
        if all(fits):
            return dict(goal)
    if kind == "cook" and set(goal) == {"kind", "recipe"} and isinstance(goal["recipe"], Mapping) and goal["recipe"]:
        ways = {*_CUTS.values(), *_HEATS.values()}
        lists = all(isinstance(way, (list, tuple)) and set(map(str, way)) <= ways for way in goal["recipe"].values())
        needed = {*goal["recipe"], "knife", "cookbook"}
        if lists and needed <= set(world.where) and "kitchen" in world.rooms:
            return dict(goal)
    raise BadInput(f"'goal' is to find an item, deliver items, or cook a recipe with a cookbook, found {goal!r:.100}")


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
                way = self.pick(sorted(_DIRECTIONS))
                spot = (r + _DIRECTIONS[way][0], c + _DIRECTIONS[way][1])
                if spot not in at:
                    break
            at[spot] = name
            rooms[here][way], rooms[name][_BACK[way]] = name, here
            ways.append((here, way))
        for (r, c), here in sorted(at.items()):
            for way in ("east", "south"):
                there = at.get((r + _DIRECTIONS[way][0], c + _DIRECTIONS[way][1]))
                if there and way not in rooms[here] and float(self.rng.random()) < 0.2:
                    rooms[here][way], rooms[there][_BACK[way]] = there, here
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
            cut = [self.pick(sorted(_CUTS.values()))] if float(self.rng.random()) < 0.3 + 0.4 * self.level else []
            heat = [self.pick(sorted(_HEATS.values()))] if float(self.rng.random()) < 0.8 else []
            recipe[food] = cut + heat
        items["knife"], items["cookbook"] = self.pick(spots), "kitchen"
        return {"kind": "cook", "recipe": recipe}, appliances
