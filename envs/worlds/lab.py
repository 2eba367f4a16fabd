"""A laboratory of five rooms with deterministic processes: heating, cooling, mixing, growing, circuits, measuring.

In the spirit of ScienceWorld: a task names what to bring about or to find out, and its ordered sub-goals score from 0
to 100. Every command takes one unit of time; what is on the lit stove gets warmer, what is in the freezer colder, a
watered seed grows, current flows through a closed circuit. Nothing is random.

An instance is a task's name and the things of the house with their properties; `_TASKS` says what the sub-goals are and
what an expert who knows everything does next for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult
from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.base import WorldEnv
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["TASKS", "Lab", "LabWorld"]

_ROOMS: Mapping[str, tuple[str, ...]] = {
    "hallway": ("kitchen", "workshop", "greenhouse", "living room"),
    "kitchen": ("hallway",),
    "workshop": ("hallway",),
    "greenhouse": ("hallway",),
    "living room": ("hallway",),
}
_FIXED: Mapping[str, tuple[str, str]] = {
    "stove": ("kitchen", "heater"), "freezer": ("kitchen", "cooler"), "furnace": ("workshop", "furnace"),
    "sink": ("kitchen", "sink"), "red box": ("living room", "box"), "blue box": ("living room", "box"),
    "ramp": ("workshop", "ramp"), "bench": ("workshop", "surface"),
}  # fmt: skip
"""What stands where in every house: its room and its kind."""

_SUBSTANCES: Mapping[str, tuple[int, int]] = {
    "water": (0, 100), "butter": (32, 150), "chocolate": (34, 180), "wax": (60, 240), "tin": (232, 2600),
    "lead": (327, 1749), "gallium": (30, 2400), "naphthalene": (80, 218), "sulphur": (115, 445),
}  # fmt: skip
"""Melting and boiling points in degrees Celsius, rounded."""
_PAINTS = {
    frozenset({"red paint", "yellow paint"}): "orange paint", frozenset({"red paint", "blue paint"}): "violet paint",
    frozenset({"blue paint", "yellow paint"}): "green paint",
}  # fmt: skip
_CHEMICALS = {
    frozenset({"salt", "water"}): "salt water", frozenset({"sugar", "water"}): "sugar water",
    frozenset({"soap", "water"}): "soap water", frozenset({"flour", "water"}): "dough",
}  # fmt: skip
_LIVING = {
    "dove": 12,
    "tortoise": 100,
    "parrot": 60,
    "hedgehog": 5,
    "mouse": 2,
    "crocodile": 70,
    "fly": 0,
    "elephant": 65,
}
"""Animals and how long they live, in years."""
_LIFELESS = ("brick", "coin", "mirror", "hammer", "bell", "bucket", "globe", "ladder")
_PLANTS = ("pea", "tomato", "bean", "sunflower", "pepper")
_CONDUCTORS = {"copper spoon": True, "iron nail": True, "gold ring": True, "steel key": True, "wooden spoon": False,
               "glass marble": False, "rubber duck": False, "plastic comb": False, "cork": False}  # fmt: skip
_SURFACES = {"ice": 2, "marble": 3, "steel": 4, "wood": 6, "paper": 7, "rubber": 9, "sand": 12}
"""How many units of time a block takes to slide down a ramp of the material."""
_STAGES = ("seed", "sprout", "plant", "flower", "fruit")
_HELP = (
    "Commands: look, inventory, wait, go to ROOM, look at THING, take THING, put THING in THING, turn on THING, "
    "turn off THING, measure THING (with the thermometer in hand), mix CUP, water POT (with the watering can in hand), "
    "connect THING to THING, slide block on SURFACE, focus on THING. Focus on nothing but what the task asks for."
)


@dataclass(frozen=True, slots=True)
class Goal:
    """One sub-goal: its points, when it is reached, and what an expert does next until then."""

    says: str
    points: int
    reached: Callable[[LabWorld], bool]
    advice: Callable[[LabWorld], str]


class LabWorld:
    """One state of the laboratory."""

    won: bool
    lost: str

    def __init__(self, instance: Any) -> None:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "task", "things", "start", "names")
        self.task = fields.one_of(instance, "task", tuple(TASKS))
        things, names = instance["things"], instance["names"]
        if not isinstance(things, Mapping) or not isinstance(names, Mapping) or len(things) > 80:
            raise BadInput("'things' maps at most 80 names to [kind, place], 'names' what the task speaks of")
        self.kind = {name: kind for name, (_, kind) in _FIXED.items()}
        self.at = {name: room for name, (room, _) in _FIXED.items()}
        for name, row in things.items():
            if not (isinstance(row, (list, tuple)) and len(row) == 2 and all(isinstance(word, str) for word in row)):
                raise BadInput(f"'things': {name!r:.40} is [kind, place], found {row!r:.80}")
            if name in self.at or row[0] not in _KINDS:
                raise BadInput(f"'things': {name!r:.40} is there twice or of no known kind: {row[0]!r:.40}")
            self.kind[name], self.at[name] = row
        _check(self.at, self.kind)
        self.names = {str(key): str(value) for key, value in names.items()}
        spoken = {key: name for key, name in self.names.items() if key not in ("focus", "limit", "extreme", "room")}
        absent = next((name for name in spoken.values() if name not in self.at), None)
        if absent is not None:
            raise BadInput(f"the task speaks of {absent!r:.40}, which the instance lacks")
        named = _NAMED.get(self.task, {})
        needed = {**_TOOLS.get(self.task, {}), **{self.names[key]: named[key] for key in named if key in self.names}}
        bad = next((name for name, kind in needed.items() if self.kind.get(name) != kind), None)
        if bad is not None:
            raise BadInput(f"the task {self.task!r} needs {bad!r:.40} of the kind {needed[bad]!r}")
        self.first_kinds = dict(self.kind)
        self.place = fields.one_of(instance, "start", tuple(_ROOMS))
        self.heat = {name: 20.0 for name, kind in self.kind.items() if kind == "substance"}
        self.stage = {name: 0 for name, kind in self.kind.items() if kind == "seed"}
        self.on: tuple[str, ...] = ()
        self.links: tuple[tuple[str, str], ...] = ()
        self.wet: tuple[str, ...] = ()
        self.known: tuple[str, ...] = ()
        self.focus, self.done = "", 0
        self.lost = ""
        try:
            self.asked = str(TASKS[self.task].__doc__).format(**self.names)
            self.goals = TASKS[self.task](self.names)
            self._update()
        except KeyError as missing:
            raise BadInput(f"the task {self.task!r} speaks of {missing}, which the instance lacks") from None
        except ValueError as error:
            raise BadInput(f"the names of the task {self.task!r} do not fit: {error}") from None

    def copy(self) -> LabWorld:
        """A twin; neither sees what the other does."""
        other = object.__new__(LabWorld)
        other.__dict__.update(self.__dict__)
        other.at, other.heat, other.stage, other.kind = (
            dict(self.at),
            dict(self.heat),
            dict(self.stage),
            dict(self.kind),
        )
        return other

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        return {
            "place": self.place, "at": dict(self.at), "kind": dict(self.kind), "heat": dict(self.heat),
            "stage": dict(self.stage), "on": list(self.on), "links": [list(link) for link in self.links],
            "wet": list(self.wet), "known": list(self.known), "focus": self.focus, "done": self.done, "lost": self.lost,
        }  # fmt: skip

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this laboratory.
        """
        try:
            at, kind = dict(data["at"]), dict(data["kind"])
            heat = {name: float(value) for name, value in data["heat"].items()}
            stage = {name: int(value) for name, value in data["stage"].items()}
            links = tuple((str(one), str(other)) for one, other in data["links"])
            on, wet, known = tuple(data["on"]), tuple(data["wet"]), tuple(data["known"])
            place, focus, done, lost = data["place"], str(data["focus"]), int(data["done"]), str(data["lost"])
            named = {*heat, *stage, *on, *wet, *(name for link in links for name in link)}
            fits = (
                place in _ROOMS and set(at) == set(kind) and named <= set(at) and 0 <= done <= len(self.goals)
                and all(at.get(name) == room and kind.get(name) == what for name, (room, what) in _FIXED.items())
                and all(kind.get(name, what) == what for name, what in self.first_kinds.items())
                and all(name in kind or what in _MIXED for name, what in self.first_kinds.items())
                and all(name in self.first_kinds or what == "mixture" for name, what in kind.items())
                and set(stage) == set(self.stage) and all(0 <= each < len(_STAGES) for each in stage.values())
                and all(isinstance(fact, str) for fact in known) and all(-300 < each < 10_000 for each in heat.values())
                and {name for name, what in kind.items() if what == "substance"} <= set(heat)
            )  # fmt: skip
            if fits:
                _check({name: where for name, where in at.items() if where != "hand"}, kind)
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            if isinstance(error, BadInput):
                raise
            raise BadInput(f"this is no state of a laboratory: {type(error).__name__} {error}") from None
        if not fits:
            raise BadInput("this is no state of this laboratory")
        self.place, self.at, self.kind, self.heat, self.stage = place, at, kind, heat, stage
        self.on, self.links, self.wet, self.known = on, links, wet, known
        self.focus, self.done, self.lost = focus, done, lost
        self.won = self.done == len(self.goals)

    @property
    def score(self) -> int:
        """Points so far, of 100."""
        return sum(goal.points for goal in self.goals[: self.done])

    def welcome(self) -> str:
        """The first observation."""
        return f"Your task: {self.asked}\n{_HELP}\n\n{self._room()}"

    def map(self) -> str:
        """The score and the next sub-goal, then one line a room; `>` marks where the agent is."""
        goal = "-" if self.won else self.goals[self.done].says
        hand = ", ".join(self._told(name) for name, at in self.at.items() if at == "hand")
        lines = [f"task: {self.asked}", f"score: {self.score}, next: {goal}", f"in hand: {hand or 'nothing'}"]
        for room in _ROOMS:
            things = ", ".join(self._told(name) for name, at in self.at.items() if at == room)
            lines.append(f"{'>' if room == self.place else ' '} {room}: {things or '-'}")
        lines += [f"  {one} -- {other}" for one, other in self.links]
        return "\n".join(lines)

    def plan(self) -> list[str] | None:
        """What the expert would do from here, to the end."""
        if self.lost:
            return None
        trial = self.copy()
        commands: list[str] = []
        while not trial.won:
            if len(commands) >= 120 or trial.lost:
                return None
            try:
                commands.append(trial.goals[trial.done].advice(trial))
            except KeyError:  # a tool is not in this house
                return None
            trial.step(commands[-1])
        return commands

    def step(self, command: str) -> str:
        """Carry out a command, let time pass, and say what happened."""
        words = " ".join(command.lower().split()).rstrip(".")[:160]
        words = " ".join(word for word in words.split(" ") if word not in ("the", "a", "an"))
        said = self._act(words)
        if said is None:
            return "That is not a command. Write 'help' to see them."
        if words not in ("help", "look", "inventory"):
            self._pass_time()
        self._update()
        return said

    def admissible(self) -> list[str]:
        """Every command that does or tells something, sorted."""
        found = ["help", "inventory", "look", "wait", *(f"go to {room}" for room in _ROOMS[self.place])]
        near = [name for name in self.at if self.near(name)]
        hand = [name for name in near if self.at[name] == "hand"]
        found += [f"look at {name}" for name in near]
        found += [f"focus on {name}" for name in near]
        for name in near:
            kind = self.kind[name]
            if name not in _FIXED and name not in hand:
                found.append(f"take {name}")
            if kind in _SWITCHED:
                found.append(f"turn {'off' if name in self.on else 'on'} {name}")
            if kind == "cup" and len(self.inside(name)) > 1:
                found.append(f"mix {name}")
            if kind == "pot" and "watering can" in hand:
                found.append(f"water {name}")
            if "thermometer" in hand and name in self.heat:
                found.append(f"measure {name}")
            if kind == "surface plate" and self.at.get(name) == "ramp":
                found.append(f"slide block on {name}")
            found += [f"put {held} in {name}" for held in hand if held != name and self._holds(kind, self.kind[held])]
            others = [other for other in near if other != name and self.kind[other] in _ELECTRIC]
            if kind in _ELECTRIC:
                found += [f"connect {name} to {other}" for other in others if not self._linked(name, other)]
        return sorted(found)

    # What is where ----------------------------------------------------------------------------------------------------

    def near(self, name: str) -> bool:
        """Whether a thing is in hand or in this room, perhaps in or on something."""
        at = self.at.get(name)
        while at in self.at:
            at = self.at[at]
        return at == "hand" or at == self.place

    def inside(self, name: str) -> list[str]:
        """What lies in or on a thing."""
        return [other for other, at in self.at.items() if at == name]

    def form(self, name: str) -> str:
        """Solid, liquid or gas, by the temperature."""
        melts, boils = _SUBSTANCES.get(name, (-500, 5000))
        return "solid" if self.heat[name] < melts else "liquid" if self.heat[name] < boils else "gas"

    def lit(self) -> bool:
        """Whether the lamp is in a closed circuit with the battery."""
        lamps = [name for name, kind in self.kind.items() if kind == "lamp"]
        return any(self._circuit(lamp) for lamp in lamps)

    def _linked(self, one: str, other: str) -> bool:
        return (one, other) in self.links or (other, one) in self.links

    def _circuit(self, lamp: str) -> bool:
        """A loop from one pole of the battery over the lamp to the other: battery - wire - lamp - wire - battery, and
        perhaps something that conducts in place of a wire's end."""
        batteries = [name for name, kind in self.kind.items() if kind == "battery"]
        return any(self._loop(battery, battery, frozenset(), lamp, seen_lamp=False) for battery in batteries)

    def _loop(self, here: str, goal: str, used: frozenset[tuple[str, str]], lamp: str, *, seen_lamp: bool) -> bool:
        for link in self.links:
            if here in link and link not in used:
                there = link[1] if link[0] == here else link[0]
                if there == goal:
                    if seen_lamp and len(used) >= 3:
                        return True
                elif (self.kind[there] != "sample" or _CONDUCTORS[there]) and self._loop(
                    there, goal, used | {link}, lamp, seen_lamp=seen_lamp or there == lamp
                ):
                    return True
        return False

    def _holds(self, outer: str, inner: str) -> bool:
        return inner in _HOLDS.get(outer, ()) or (outer == "box" and inner not in ("watering can", "thermometer"))

    def _room(self) -> str:
        lines = [f"You are in the {self.place}. Ways lead to: {', '.join(_ROOMS[self.place])}."]
        lines += [f"You see: {self._told(name)}" for name, at in self.at.items() if at == self.place]
        return "\n".join(lines)

    def _told(self, name: str) -> str:
        kind = self.kind[name]
        text = name
        if kind == "substance":
            text = f"{self.form(name)} {name}"
        elif kind == "seed":
            text = f"{name} ({_STAGES[self.stage[name]]})"
        elif kind in _SWITCHED:
            text = f"{name} ({'on' if name in self.on else 'off'})"
        elif kind == "lamp":
            text = f"{name} ({'shining' if self._circuit(name) else 'dark'})"
        inner = self.inside(name)
        return f"{text} with {', '.join(map(self._told, inner))}" if inner else text

    # Rules ------------------------------------------------------------------------------------------------------------

    def _act(self, words: str) -> str | None:
        if words == "look":
            return self._room()
        if words == "help":
            return _HELP
        if words == "inventory":
            held = [self._told(name) for name, at in self.at.items() if at == "hand"]
            return f"You have: {', '.join(held) or 'nothing'}."
        if words == "wait":
            return "Time passes."
        for verb, act in (("go to ", self._go), ("look at ", self._look), ("take ", self._take), ("turn on ", self._on),
                          ("turn off ", self._off), ("measure ", self._measure), ("mix ", self._mix),
                          ("water ", self._water), ("slide block on ", self._slide),
                          ("focus on ", self._focus)):  # fmt: skip
            if words.startswith(verb):
                return act(words.removeprefix(verb))
        for verb, link, pair in (("put ", " in ", self._put), ("connect ", " to ", self._connect)):
            if words.startswith(verb) and link in words:
                one, _, other = words.removeprefix(verb).partition(link)
                return pair(one, other)
        return None

    def _seen(self, name: str) -> str:
        return "" if self.near(name) else f"You see no {name[:40]} here."

    def _go(self, room: str) -> str:
        if room not in _ROOMS[self.place]:
            return f"No way leads to {room[:40]} from here."
        self.place = room
        return self._room()

    def _look(self, name: str) -> str:
        return self._seen(name) or f"You see: {self._told(name)}."

    def _take(self, name: str) -> str:
        if not self.near(name) or name in _FIXED:
            return f"You see no {name[:40]} here that you could take."
        if self.at[name] == "hand":
            return f"You have the {name} already."
        self.at[name] = "hand"
        return f"You take the {name}."

    def _put(self, name: str, into: str) -> str:
        if self.at.get(name) != "hand":
            return f"You do not have the {name[:40]}."
        if not self.near(into) or name == into or not self._holds(self.kind[into], self.kind[name]):
            return f"The {name} cannot be put in {into[:40]}."
        self.at[name] = into
        return f"You put the {name} in the {into}."

    def _on(self, name: str) -> str:
        if not self.near(name) or self.kind[name] not in _SWITCHED or name in self.on:
            return f"You see no {name[:40]} here that could be turned on."
        self.on = (*self.on, name)
        return f"You turn on the {name}."

    def _off(self, name: str) -> str:
        if not self.near(name) or name not in self.on:
            return f"You see no {name[:40]} here that could be turned off."
        self.on = tuple(other for other in self.on if other != name)
        return f"You turn off the {name}."

    def _measure(self, name: str) -> str:
        if self.at.get("thermometer") != "hand":
            return "You need the thermometer in your hand."
        if not self.near(name) or name not in self.heat:
            return f"You see no {name[:40]} here that could be measured."
        self._learn(f"temperature of {name}")
        return f"The thermometer shows {self.heat[name]:.0f} degrees; the {name} is {self.form(name)}."

    def _mix(self, cup: str) -> str:
        if not self.near(cup) or self.kind[cup] != "cup":
            return f"You see no {cup[:40]} here that could be mixed."
        inner = frozenset(self.inside(cup))
        made = {**_PAINTS, **_CHEMICALS}.get(inner)
        if made is None or made in self.at:
            return f"Nothing new comes of mixing what is in the {cup}."
        for name in inner:
            self.at[name] = "gone"
            self.heat.pop(name, None)
        self.kind[made], self.at[made] = "mixture", cup
        self.at = {name: at for name, at in self.at.items() if at != "gone"}
        self.kind = {name: kind for name, kind in self.kind.items() if name in self.at}
        return f"You mix what is in the {cup}: it is {made} now."

    def _water(self, pot: str) -> str:
        if self.at.get("watering can") != "hand" or not self.near(pot) or self.kind[pot] != "pot":
            return "You need the watering can in your hand, and a pot."
        if pot not in self.wet:
            self.wet = (*self.wet, pot)
        return f"You water the {pot}."

    def _connect(self, one: str, other: str) -> str:
        for name in (one, other):
            if not self.near(name) or self.kind[name] not in _ELECTRIC:
                return f"You see no {name[:40]} here that could be connected."
        if one == other or self._linked(one, other):
            return "That is connected already."
        self.links = (*self.links, (one, other))
        return f"You connect the {one} to the {other}." + (" The lamp shines." if self.lit() else "")

    def _slide(self, plate: str) -> str:
        if not self.near(plate) or self.kind[plate] != "surface plate" or self.at[plate] != "ramp":
            return f"The {plate[:40]} has to lie on the ramp."
        self._learn(f"slide on {plate}")
        return f"The block slides down the {plate} in {_SURFACES[plate.removesuffix(' plate')]} units of time."

    def _focus(self, name: str) -> str:
        if not self.near(name):
            return f"You see no {name[:40]} here."
        self.focus = name
        return f"You focus on the {name}."

    def _learn(self, fact: str) -> None:
        if fact not in self.known:
            self.known = (*self.known, fact)

    def _pass_time(self) -> None:
        for name in self.heat:
            holder = self.at[name]
            while holder in self.at and self.kind[holder] not in ("heater", "cooler", "furnace"):
                holder = self.at[holder]
            kind = self.kind.get(holder, "")
            warmer = {"heater": 25.0, "furnace": 90.0}.get(kind, 0.0) if holder in self.on else 0.0
            limit = {"heater": 250.0, "furnace": 1200.0}.get(kind, 0.0)
            if warmer:
                self.heat[name] = min(limit, self.heat[name] + warmer)
            elif kind == "cooler":
                self.heat[name] = max(-30.0, self.heat[name] - 15.0)
        for seed, stage in self.stage.items():
            pot = self.at[seed]
            if pot in self.wet and self.kind.get(pot) == "pot" and stage < len(_STAGES) - 1:
                if _STAGES[stage] == "flower" and not any(
                    self.kind[n] == "bees" for n in self.at if self.together(n, pot)
                ):
                    continue  # no fruit without bees
                self.stage[seed] = stage + 1
                self.wet = tuple(other for other in self.wet if other != pot)

    def together(self, one: str, other: str) -> bool:
        """Whether two things are in the same room."""
        rooms = []
        for name in (one, other):
            at = self.at[name]
            while at in self.at:
                at = self.at[at]
            rooms.append(self.place if at == "hand" else at)
        return rooms[0] == rooms[1]

    def _update(self) -> None:
        while self.done < len(self.goals) and self.goals[self.done].reached(self):
            self.done += 1
        self.won = self.done == len(self.goals)
        right = self.names.get("focus", "")
        if self.focus and self.focus != right:
            self.lost = f"it was the {self.focus} that was focused on"
        answer = self.names.get("wrong box", "")
        if answer and self.at.get(self.names["thing"]) == answer:
            self.lost = f"the {self.names['thing']} lies in the {answer}"

    # The expert's steps -----------------------------------------------------------------------------------------------

    def go(self, room: str) -> str:
        """The next command on the way to a room."""
        return f"go to {room}" if room in _ROOMS[self.place] else "go to hallway"

    def room_of(self, name: str) -> str:
        """The room where a thing is; the agent's own if it is in hand."""
        at = self.at[name]
        while at in self.at:
            at = self.at[at]
        return self.place if at == "hand" else at

    def bring(self, name: str, into: str) -> str:
        """The next command to have a thing in or on another."""
        if self.at[name] != "hand":
            return f"take {name}" if self.near(name) else self.go(self.room_of(name))
        return f"put {name} in {into}" if self.near(into) else self.go(self.room_of(into))

    def have(self, name: str) -> str:
        """The next command to have a thing in hand."""
        return f"take {name}" if self.near(name) else self.go(self.room_of(name))


_KINDS = frozenset(
    {"substance", "cup", "paint", "powder", "seed", "pot", "animal", "lifeless", "battery", "lamp", "wire", "sample",
     "thermometer", "watering can", "surface plate", "bees", "mixture"}
)  # fmt: skip
_MIXED = frozenset({"substance", "paint", "powder"})
_SWITCHED = frozenset({"heater", "furnace"})
_ELECTRIC = frozenset({"battery", "lamp", "wire", "sample"})
_HOLDS: Mapping[str, frozenset[str]] = {
    "heater": frozenset({"cup"}), "furnace": frozenset({"cup"}), "cooler": frozenset({"cup"}),
    "cup": frozenset({"substance", "paint", "powder", "mixture"}), "pot": frozenset({"seed"}),
    "ramp": frozenset({"surface plate"}),
    "surface": _KINDS - {"bees"}, "sink": frozenset({"cup", "pot"}),
}  # fmt: skip

_WIRED = {"battery": "battery", "lamp": "lamp", "black wire": "wire", "orange wire": "wire"}
_TOOLS: Mapping[str, Mapping[str, str]] = {
    "circuit": _WIRED, "conductor": _WIRED, "thermometer": {"thermometer": "thermometer"},
    "melting point": {"thermometer": "thermometer"}, "grow": {"watering can": "watering can"},
    "fruit": {"watering can": "watering can", "bees": "bees"},
}  # fmt: skip
"""What a task cannot be done without, and of which kind it is."""
_CHANGED = {"thing": "substance", "cup": "cup", "right box": "box", "wrong box": "box"}
_NAMED: Mapping[str, Mapping[str, str]] = {
    "melt": _CHANGED, "boil": _CHANGED, "freeze": _CHANGED, "thermometer": _CHANGED, "melting point": _CHANGED,
    "grow": {"seed": "seed", "pot": "pot"}, "fruit": {"seed": "seed", "pot": "pot"}, "chemistry": {"cup": "cup"},
    "colours": {"cup": "cup"}, "conductor": {"thing": "sample", "right box": "box", "wrong box": "box"},
    "friction": {"one": "surface plate", "other": "surface plate"},
}  # fmt: skip
"""Of which kinds the things are that a task names."""

Names = Mapping[str, str]


def _check(at: Mapping[str, str], kind: Mapping[str, str]) -> None:
    """Refuse things that are nowhere, in each other, or of a kind whose properties are not known.

    Raises:
        BadInput: With the name of the first such thing.
    """
    for name, what in kind.items():
        known = {"sample": _CONDUCTORS, "surface plate": [f"{surface} plate" for surface in _SURFACES]}.get(what)
        if known is not None and name not in known:
            raise BadInput(f"'things': a {what} is one of {', '.join(known)}, found {name!r:.40}")
    for name in at:
        spot, steps = at[name], 0
        while spot in at and steps <= len(at):
            spot, steps = at[spot], steps + 1
        if steps > len(at):
            raise BadInput(f"'things': {name!r:.40} lies in itself, by way of {at[name]!r:.40}")
        if spot not in _ROOMS and spot not in kind:
            raise BadInput(f"'things': {name!r:.40} lies in {spot!r:.40}, which is not there")


def _focused(thing: str, points: int) -> Goal:
    return Goal(
        "focus", points, lambda w: w.focus == thing,
        lambda w: f"focus on {thing}" if w.near(thing) else w.go(w.room_of(thing)),
    )  # fmt: skip


def _heated(w: LabWorld, cup: str, tool: str) -> str:
    if w.at[cup] != tool:
        return w.bring(cup, tool)
    if tool not in w.on and w.kind[tool] in _SWITCHED:
        return f"turn on {tool}" if w.near(tool) else w.go(w.room_of(tool))
    return "wait"


def _change(names: Names, form: str, tool: str) -> list[Goal]:
    thing, cup = names["thing"], names["cup"]
    return [
        Goal("in a cup", 20, lambda w: w.at[thing] == cup, lambda w: w.bring(thing, cup)),
        Goal("at the tool", 30, lambda w: w.at[cup] == tool, lambda w: w.bring(cup, tool)),
        Goal(form, 30, lambda w: w.form(thing) == form, lambda w: _heated(w, cup, tool)),
        Goal("focus", 20, lambda w: w.focus == thing and w.form(thing) == form, lambda w: f"focus on {thing}"
             if w.near(thing) else w.go(w.room_of(thing))),
    ]  # fmt: skip


def _melt(names: Names) -> list[Goal]:
    """melt the {thing}. Put it in the {cup}, warm it until it is liquid, then focus on it."""
    return _change(names, "liquid", names["tool"])


def _boil(names: Names) -> list[Goal]:
    """boil the {thing}. Put it in the {cup}, heat it until it is a gas, then focus on it."""
    return _change(names, "gas", names["tool"])


def _freeze(names: Names) -> list[Goal]:
    """freeze the {thing}. Put it in the {cup}, cool it until it is solid, then focus on it."""
    return _change(names, "solid", "freezer")


def _thermometer(names: Names) -> list[Goal]:
    """measure the temperature of the {thing}. If it is above {limit} degrees, put it in the red box, else in the blue \
box."""
    thing = names["thing"]
    return [
        Goal("thermometer", 30, lambda w: w.at["thermometer"] == "hand", lambda w: w.have("thermometer")),
        Goal("measured", 40, lambda w: f"temperature of {thing}" in w.known,
             lambda w: f"measure {thing}" if w.near(thing) else w.go(w.room_of(thing))),
        Goal("sorted", 30, lambda w: w.at[thing] == names["right box"], lambda w: w.bring(thing, names["right box"])),
    ]  # fmt: skip


def _melting_point(names: Names) -> list[Goal]:
    """find out whether the melting point of the {thing} is above {limit} degrees. Heat it in the {cup} on the {tool}, \
measure it, and put the {thing} in the red box if it is above, else in the blue box."""
    thing, cup, tool = names["thing"], names["cup"], names["tool"]

    def watched(w: LabWorld) -> str:
        if w.at["thermometer"] != "hand":
            return w.have("thermometer")
        return f"measure {thing}" if w.form(thing) == "liquid" and w.near(thing) else _heated(w, cup, tool)

    return [
        Goal("in a cup", 15, lambda w: w.at[thing] == cup, lambda w: w.bring(thing, cup)),
        Goal("at the tool", 15, lambda w: w.at[cup] == tool, lambda w: w.bring(cup, tool)),
        Goal("thermometer", 10, lambda w: w.at["thermometer"] == "hand", lambda w: w.have("thermometer")),
        Goal("molten", 20, lambda w: w.form(thing) == "liquid", lambda w: _heated(w, cup, tool)),
        Goal("measured", 20, lambda w: f"temperature of {thing}" in w.known, watched),
        Goal("sorted", 20, lambda w: w.at[thing] == names["right box"], lambda w: w.bring(thing, names["right box"])),
    ]  # fmt: skip


def _found(names: Names, points: int = 100) -> list[Goal]:
    thing = names["focus"]
    return [
        Goal("there", points // 2, lambda w: w.near(thing), lambda w: w.go(w.room_of(thing))),
        Goal("focus", points - points // 2, lambda w: w.focus == thing,
             lambda w: f"focus on {thing}" if w.near(thing) else w.go(w.room_of(thing))),
    ]  # fmt: skip


def _living(names: Names) -> list[Goal]:
    """find the one living thing in the house and focus on it."""
    return _found(names)


def _lifeless(names: Names) -> list[Goal]:
    """find the one thing that does not live among the animals of the {room}, and focus on it."""
    return _found(names)


def _lifespan(names: Names) -> list[Goal]:
    """focus on the animal in the house that lives {extreme} of all."""
    return _found(names)


def _grow(names: Names) -> list[Goal]:
    """grow a plant from the {seed}. Put it in the {pot}, water it again and again until it flowers, and focus on it."""
    return [*_grown(names, 3), _focused(names["seed"], 20)]


def _fruit(names: Names) -> list[Goal]:
    """grow a fruit from the {seed}. Put it in the {pot} and water it; a flower bears fruit only where the bees are. \
Focus on it in the end."""
    seed, pot = names["seed"], names["pot"]

    def pollinated(w: LabWorld) -> str:
        if not w.together("bees", pot):
            return w.have("bees") if w.at["bees"] != "hand" else w.go(w.room_of(pot))
        return _watered(w, pot)

    return [
        *_grown(names, 3),
        Goal("bees", 10, lambda w: w.together("bees", pot), pollinated),
        Goal("fruit", 5, lambda w: w.stage[seed] == 4, pollinated),
        Goal("focus", 5, lambda w: w.focus == seed,
             lambda w: f"focus on {seed}" if w.near(seed) else w.go(w.room_of(seed))),
    ]  # fmt: skip


def _watered(w: LabWorld, pot: str) -> str:
    if w.at["watering can"] != "hand":
        return w.have("watering can")
    return f"water {pot}" if w.near(pot) else w.go(w.room_of(pot))


def _grown(names: Names, last: int) -> list[Goal]:
    seed, pot = names["seed"], names["pot"]
    points = {1: 20, 2: 15, 3: 15}
    return [
        Goal("planted", 30, lambda w: w.at[seed] == pot, lambda w: w.bring(seed, pot)),
        *(Goal(_STAGES[stage], points[stage], lambda w, stage=stage: w.stage[seed] >= stage,  # type: ignore[misc]
               lambda w: _watered(w, pot)) for stage in range(1, last + 1)),
    ]  # fmt: skip


def _mixed(names: Names) -> list[Goal]:
    one, other, cup, made = names["one"], names["other"], names["cup"], names["focus"]
    return [
        Goal("first", 30, lambda w: w.at.get(one) == cup or made in w.at, lambda w: w.bring(one, cup)),
        Goal("second", 30, lambda w: w.at.get(other) == cup or made in w.at, lambda w: w.bring(other, cup)),
        Goal("mixed", 20, lambda w: made in w.at, lambda w: f"mix {cup}" if w.near(cup) else w.go(w.room_of(cup))),
        Goal("focus", 20, lambda w: w.focus == made,
             lambda w: f"focus on {made}" if w.near(made) else w.go(w.room_of(made))),
    ]  # fmt: skip


def _chemistry(names: Names) -> list[Goal]:
    """make {focus} in the {cup}, and focus on it."""
    return _mixed(names)


def _colours(names: Names) -> list[Goal]:
    """mix {focus} in the {cup} from the paints that are in the house, and focus on it."""
    return _mixed(names)


def _wired(w: LabWorld, *parts: str) -> str:
    missing = next((part for part in parts if w.at[part] not in ("hand",)), None)
    if missing is not None:
        return w.have(missing)
    return next(f"connect {a} to {b}" for a, b in zip(parts, parts[1:] + parts[:1], strict=True) if not w._linked(a, b))


def _circuit(_: Names) -> list[Goal]:
    """make the lamp shine: connect it to the battery with two wires, so that current flows in a loop."""
    parts = ("battery", "black wire", "lamp", "orange wire")
    return [
        Goal("battery", 15, lambda w: w.at["battery"] == "hand", lambda w: w.have("battery")),
        Goal("lamp", 15, lambda w: w.at["lamp"] == "hand", lambda w: w.have("lamp")),
        Goal("one link", 20, lambda w: bool(w.links), lambda w: _wired(w, *parts)),
        Goal("shines", 50, lambda w: w.lit(), lambda w: _wired(w, *parts)),
    ]  # fmt: skip


def _conductor(names: Names) -> list[Goal]:
    """find out whether the {thing} conducts electricity, with the battery, the lamp and wires. Put it in the red box \
if it does, else in the blue box."""
    thing = names["thing"]
    parts = ("battery", "black wire", thing, "orange wire", "lamp")

    def looped(w: LabWorld) -> bool:
        return all(w._linked(a, b) for a, b in zip(parts, parts[1:] + parts[:1], strict=True))

    return [
        Goal("thing", 20, lambda w: w.at[thing] == "hand" or looped(w), lambda w: w.have(thing)),
        Goal("in the circuit", 50, looped, lambda w: _wired(w, *parts)),
        Goal("sorted", 30, lambda w: w.at[thing] == names["right box"], lambda w: w.bring(thing, names["right box"])),
    ]  # fmt: skip


def _friction(names: Names) -> list[Goal]:
    """find out on which of the plates, the {one} or the {other}, the block slides faster: lay each on the ramp and \
let the block slide. Then focus on that plate."""
    one, other, best = names["one"], names["other"], names["focus"]

    def slid(plate: str) -> Callable[[LabWorld], str]:
        def advice(w: LabWorld) -> str:
            return f"slide block on {plate}" if w.at[plate] == "ramp" and w.near(plate) else (
                w.bring(plate, "ramp") if w.at[plate] != "ramp" else w.go("workshop"))  # fmt: skip

        return advice

    return [
        Goal("first", 40, lambda w: f"slide on {one}" in w.known, slid(one)),
        Goal("second", 40, lambda w: f"slide on {other}" in w.known, slid(other)),
        Goal("focus", 20, lambda w: w.focus == best,
             lambda w: f"focus on {best}" if w.near(best) else w.go(w.room_of(best))),
    ]  # fmt: skip


TASKS: Mapping[str, Callable[[Names], list[Goal]]] = {
    "melt": _melt, "boil": _boil, "freeze": _freeze, "thermometer": _thermometer, "melting point": _melting_point,
    "living": _living, "lifeless": _lifeless, "lifespan": _lifespan, "grow": _grow, "fruit": _fruit,
    "chemistry": _chemistry, "colours": _colours, "circuit": _circuit, "conductor": _conductor, "friction": _friction,
}  # fmt: skip
"""The tasks by name. The docstring of each is its text."""


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

    def add(self, name: str, kind: str, *, rooms: Sequence[str] = tuple(_ROOMS)) -> str:
        self.things.setdefault(name, [kind, str(self.pick(rooms))])
        return name

    def instance(self, task: str) -> dict[str, Any]:
        getattr(self, f"_{task.replace(' ', '_')}")()
        spare = [name for name in _LIFELESS if name not in self.things]
        if task != "lifeless":
            for name in self.some(spare, 2 + round(5 * self.level)):
                self.add(name, "lifeless")
        for name, kind in (("thermometer", "thermometer"), ("watering can", "watering can")):
            if float(self.rng.random()) < 0.5 or task in ("thermometer", "melting point", "grow", "fruit"):
                self.add(name, kind)
        found = {"task": task, "things": self.things, "names": self.names}
        starts = self.some(tuple(_ROOMS), len(_ROOMS))  # the first from which no sub-goal is reached already
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
        cold = [name for name, (melts, _) in _SUBSTANCES.items() if melts > 20]
        self._state(cold, "stove")
        if _SUBSTANCES[self.names["thing"]][0] >= 250:
            self.names["tool"] = "furnace"

    def _boil(self) -> None:
        self._state([name for name, (_, boils) in _SUBSTANCES.items() if boils < 1200], "stove")
        if _SUBSTANCES[self.names["thing"]][1] >= 250:
            self.names["tool"] = "furnace"

    def _freeze(self) -> None:
        self._state(["water"], "freezer")

    def _boxes(self, *, red: bool) -> None:
        self.names["right box"], self.names["wrong box"] = ("red box", "blue box") if red else ("blue box", "red box")

    def _thermometer(self) -> None:
        thing = self.add(self.pick(sorted(_SUBSTANCES)), "substance")
        limit = int(self.pick((0, 5, 10, 15, 25, 30, 40)))
        self.names = {"thing": thing, "limit": str(limit)}
        self._boxes(red=limit < 20)

    def _melting_point(self) -> None:
        self._melt()
        melts = _SUBSTANCES[self.names["thing"]][0]
        above = float(self.rng.random()) < 0.5
        self.names["limit"] = str(
            melts - int(self.rng.integers(8, 25)) if above else melts + int(self.rng.integers(30, 60))
        )
        del self.names["focus"]
        self._boxes(red=above)

    def _living(self) -> None:
        self.names = {"focus": self.add(self.pick(sorted(_LIVING)), "animal")}

    def _lifeless(self) -> None:
        room = self.pick([room for room in _ROOMS if room != "hallway"])
        for name in self.some(sorted(_LIVING), 2 + round(4 * self.level)):
            self.add(name, "animal", rooms=(room,))
        self.names = {"focus": self.add(self.pick(_LIFELESS), "lifeless", rooms=(room,)), "room": room}

    def _lifespan(self) -> None:
        animals = self.some(sorted(_LIVING), 2 + round(4 * self.level))
        for name in animals:
            self.add(name, "animal")
        extreme = self.pick(("longest", "shortest"))
        best = (max if extreme == "longest" else min)(animals, key=lambda name: _LIVING[name])
        self.names = {"focus": best, "extreme": extreme}

    def _grow(self) -> None:
        seed = self.add(f"{self.pick(_PLANTS)} seed", "seed")
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
        self._pair(_CHEMICALS, {"water": "substance"})

    def _colours(self) -> None:
        self._pair(_PAINTS, dict.fromkeys(("red paint", "blue paint", "yellow paint"), "paint"))

    def _circuit(self) -> None:
        rooms = ("workshop", "living room")
        for name, kind in (("battery", "battery"), ("lamp", "lamp"), ("black wire", "wire"), ("orange wire", "wire")):
            self.add(name, kind, rooms=rooms)

    def _conductor(self) -> None:
        self._circuit()
        thing = self.add(self.pick(sorted(_CONDUCTORS)), "sample")
        self.names = {"thing": thing}
        self._boxes(red=_CONDUCTORS[thing])

    def _friction(self) -> None:
        one, other = self.some(sorted(_SURFACES), 2)
        for name in (one, other):
            self.add(f"{name} plate", "surface plate")
        best = one if _SURFACES[one] < _SURFACES[other] else other
        self.names = {"one": f"{one} plate", "other": f"{other} plate", "focus": f"{best} plate"}
