"""The laboratory in one state: what commands do, and how time passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.lab.tasks import NAMED, TASKS, TOOLS
from proofgym.envs.worlds.lab.things import (
    CHEMICALS,
    CONDUCTORS,
    ELECTRIC,
    FIXED,
    HOLDS,
    KINDS,
    MIXED,
    PAINTS,
    ROOMS,
    STAGES,
    SUBSTANCES,
    SURFACES,
    SWITCHED,
)
from proofgym.errors import BadInput

__all__ = ["LabWorld"]

_HELP = (
    "Commands: look, inventory, wait, go to ROOM, look at THING, take THING, put THING in THING, turn on THING, "
    "turn off THING, measure THING (with the thermometer in hand), mix CUP, water POT (with the watering can in hand), "
    "connect THING to THING, slide block on SURFACE, focus on THING. Focus on nothing but what the task asks for."
)


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
        self.kind = {name: kind for name, (_, kind) in FIXED.items()}
        self.at = {name: room for name, (room, _) in FIXED.items()}
        for name, row in things.items():
            if not (isinstance(row, (list, tuple)) and len(row) == 2 and all(isinstance(word, str) for word in row)):
                raise BadInput(f"'things': {name!r:.40} is [kind, place], found {row!r:.80}")
            if name in self.at or row[0] not in KINDS:
                raise BadInput(f"'things': {name!r:.40} is there twice or of no known kind: {row[0]!r:.40}")
            self.kind[name], self.at[name] = row
        _check(self.at, self.kind)
        self.names = {str(key): str(value) for key, value in names.items()}
        spoken = {key: name for key, name in self.names.items() if key not in ("focus", "limit", "extreme", "room")}
        absent = next((name for name in spoken.values() if name not in self.at), None)
        if absent is not None:
            raise BadInput(f"the task speaks of {absent!r:.40}, which the instance lacks")
        named = NAMED.get(self.task, {})
        lacking = next((key for key in named if key not in self.names), None)
        if lacking is not None:
            raise BadInput(
                f"the task {self.task!r} speaks of a {lacking!r}, which the instance lacks among its 'names'"
            )
        needed = {**TOOLS.get(self.task, {}), **{self.names[key]: kind for key, kind in named.items()}}
        bad = next((name for name, kind in needed.items() if self.kind.get(name) != kind), None)
        if bad is not None:
            raise BadInput(f"the task {self.task!r} needs {bad!r:.40} of the kind {needed[bad]!r}")
        self.first_kinds = dict(self.kind)
        self.place = fields.one_of(instance, "start", tuple(ROOMS))
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
                place in ROOMS and set(at) == set(kind) and named <= set(at) and 0 <= done <= len(self.goals)
                and all(at.get(name) == room and kind.get(name) == what for name, (room, what) in FIXED.items())
                and all(kind.get(name, what) == what for name, what in self.first_kinds.items())
                and all(name in kind or what in MIXED for name, what in self.first_kinds.items())
                and all(name in self.first_kinds or what == "mixture" for name, what in kind.items())
                and set(stage) == set(self.stage) and all(0 <= each < len(STAGES) for each in stage.values())
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
        for room in ROOMS:
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
        found = ["help", "inventory", "look", "wait", *(f"go to {room}" for room in ROOMS[self.place])]
        near = [name for name in self.at if self.near(name)]
        hand = [name for name in near if self.at[name] == "hand"]
        found += [f"look at {name}" for name in near]
        found += [f"focus on {name}" for name in near]
        for name in near:
            kind = self.kind[name]
            if name not in FIXED and name not in hand:
                found.append(f"take {name}")
            if kind in SWITCHED:
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
            others = [other for other in near if other != name and self.kind[other] in ELECTRIC]
            if kind in ELECTRIC:
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
        melts, boils = SUBSTANCES.get(name, (-500, 5000))
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
                elif (self.kind[there] != "sample" or CONDUCTORS[there]) and self._loop(
                    there, goal, used | {link}, lamp, seen_lamp=seen_lamp or there == lamp
                ):
                    return True
        return False

    def _holds(self, outer: str, inner: str) -> bool:
        return inner in HOLDS.get(outer, ()) or (outer == "box" and inner not in ("watering can", "thermometer"))

    def _room(self) -> str:
        lines = [f"You are in the {self.place}. Ways lead to: {', '.join(ROOMS[self.place])}."]
        lines += [f"You see: {self._told(name)}" for name, at in self.at.items() if at == self.place]
        return "\n".join(lines)

    def _told(self, name: str) -> str:
        kind = self.kind[name]
        text = name
        if kind == "substance":
            text = f"{self.form(name)} {name}"
        elif kind == "seed":
            text = f"{name} ({STAGES[self.stage[name]]})"
        elif kind in SWITCHED:
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
        if room not in ROOMS[self.place]:
            return f"No way leads to {room[:40]} from here."
        self.place = room
        return self._room()

    def _look(self, name: str) -> str:
        return self._seen(name) or f"You see: {self._told(name)}."

    def _take(self, name: str) -> str:
        if not self.near(name) or name in FIXED:
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
        if not self.near(name) or self.kind[name] not in SWITCHED or name in self.on:
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
        made = {**PAINTS, **CHEMICALS}.get(inner)
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
            if not self.near(name) or self.kind[name] not in ELECTRIC:
                return f"You see no {name[:40]} here that could be connected."
        if one == other or self._linked(one, other):
            return "That is connected already."
        self.links = (*self.links, (one, other))
        return f"You connect the {one} to the {other}." + (" The lamp shines." if self.lit() else "")

    def _slide(self, plate: str) -> str:
        if not self.near(plate) or self.kind[plate] != "surface plate" or self.at[plate] != "ramp":
            return f"The {plate[:40]} has to lie on the ramp."
        self._learn(f"slide on {plate}")
        return f"The block slides down the {plate} in {SURFACES[plate.removesuffix(' plate')]} units of time."

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
            if pot in self.wet and self.kind.get(pot) == "pot" and stage < len(STAGES) - 1:
                if STAGES[stage] == "flower" and not any(
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
        return f"go to {room}" if room in ROOMS[self.place] else "go to hallway"

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


def _check(at: Mapping[str, str], kind: Mapping[str, str]) -> None:
    """Refuse things that are nowhere, in each other, or of a kind whose properties are not known.

    Raises:
        BadInput: With the name of the first such thing.
    """
    for name, what in kind.items():
        known = {"sample": CONDUCTORS, "surface plate": [f"{surface} plate" for surface in SURFACES]}.get(what)
        if known is not None and name not in known:
            raise BadInput(f"'things': a {what} is one of {', '.join(known)}, found {name!r:.40}")
    for name in at:
        spot, steps = at[name], 0
        while spot in at and steps <= len(at):
            spot, steps = at[spot], steps + 1
        if steps > len(at):
            raise BadInput(f"'things': {name!r:.40} lies in itself, by way of {at[name]!r:.40}")
        if spot not in ROOMS and spot not in kind:
            raise BadInput(f"'things': {name!r:.40} lies in {spot!r:.40}, which is not there")
