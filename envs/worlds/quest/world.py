"""A quest in one state: what commands do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proofgym.envs.worlds.quest.planner import plan
from proofgym.envs.worlds.quest.reader import read
from proofgym.envs.worlds.quest.things import CUTS, DIRECTIONS, HEATS, Door
from proofgym.errors import BadInput

__all__ = ["QuestWorld"]

_HELP = (
    "Commands: look, inventory, go DIRECTION, open THING, close THING, unlock THING with KEY, take ITEM, "
    "take ITEM from THING, put ITEM in THING, put ITEM on THING, drop ITEM, examine ITEM, cook ITEM with APPLIANCE, "
    "slice ITEM, dice ITEM, chop ITEM (with a knife in hand), prepare meal, eat meal."
)


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
        read(self, instance)
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
            spots, ways = {"hand", "gone", *self.rooms, *self.holders}, {*CUTS.values(), *HEATS.values()}
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
                if "knife" in hand and not any(cut in self.done.get(item, ()) for cut in CUTS.values()):
                    found += [f"{verb} {item}" for verb in CUTS]
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
        if words in DIRECTIONS or verb == "go":
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
        if verb in CUTS:
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
        self.done[food] = (*self.done.get(food, ()), HEATS[appliance])
        return f"You cook the {food} with the {appliance}: it is {HEATS[appliance]}.{self._spoiled(food)}"

    def _cut(self, verb: str, food: str) -> str:
        if self.where.get(food) != "hand" or food not in self._foods():
            return f"You carry no {food[:40]} that could be cut."
        if self.where.get("knife") != "hand":
            return "You need a knife in your hand."
        if any(cut in self.done.get(food, ()) for cut in CUTS.values()):
            return f"The {food} is cut already."
        self.done[food] = (*self.done.get(food, ()), CUTS[verb])
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
        return plan(self)


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "nothing"
    articled = [f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names]
    return articled[0] if len(names) == 1 else f"{', '.join(articled[:-1])} and {articled[-1]}"
