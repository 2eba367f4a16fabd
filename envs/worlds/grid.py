"""Missions on a grid of rooms, told in text: BabyAI's objects, doors and instructions, seen from where one stands.

The agent stands on a cell and looks in one of four directions. It sees a window of 7 x 7 cells before it, as far as
walls and closed doors let it, and is told what is there in steps forward and sideways. Everything is deterministic.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from proofgym.envs.puzzles import fields
from proofgym.envs.spaces import AnyText
from proofgym.envs.worlds.base import WorldEnv
from proofgym.errors import BadInput

__all__ = ["COLOURS", "KINDS", "GridMission", "GridWorld", "WithImage", "picture"]

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
KINDS = ("ball", "box", "key")
COMMANDS = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle")

_STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # north, east, south, west
_VIEW = 7
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_RGB = {
    "red": (220, 60, 50), "green": (60, 170, 80), "blue": (60, 100, 220), "purple": (150, 80, 190),
    "yellow": (230, 190, 50), "grey": (130, 135, 140),
}  # fmt: skip

Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mission:
    """What to do: go to a thing, pick it up, open a door, put a thing beside another, or two of these in order."""

    kind: str
    thing: str = ""
    other: str = ""
    parts: tuple[Mission, ...] = ()

    def text(self) -> str:
        """In words."""
        if self.kind == "then":
            return f"{self.parts[0].text()}, then {self.parts[1].text()}"
        if self.kind == "put":
            return f"put the {self.thing} next to the {self.other}"
        return {"go": "go to", "pick": "pick up", "open": "open"}[self.kind] + f" the {self.thing}"

    def to_json(self) -> dict[str, Any]:
        """As an instance holds it."""
        if self.kind == "then":
            return {"kind": "then", "parts": [part.to_json() for part in self.parts]}
        return {"kind": self.kind, "thing": self.thing} | ({"other": self.other} if self.other else {})


class GridWorld:
    """One state of a grid; what never changes is shared between copies."""

    rows: tuple[str, ...]
    things: dict[Cell, str]
    doors: dict[Cell, tuple[str, str]]
    """The colour and the state (`open`, `closed`, `locked`) of each door."""
    at: Cell
    facing: int
    carried: str
    mission: Mission
    done: int
    """How many parts of the mission are done."""
    won: bool
    lost = ""

    def __init__(self, instance: Mapping[str, Any]) -> None:
        _read(self, instance)
        self._update()

    def copy(self) -> GridWorld:
        """A twin; neither sees what the other does."""
        other = object.__new__(GridWorld)
        other.__dict__.update(self.__dict__)
        other.things, other.doors = dict(self.things), dict(self.doors)
        return other

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        return {
            "at": list(self.at), "facing": self.facing, "carried": self.carried, "done": self.done,
            "things": [[*cell, name] for cell, name in sorted(self.things.items())],
            "doors": [[*cell, *door] for cell, door in sorted(self.doors.items())],
        }  # fmt: skip

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this grid.
        """
        try:
            at, facing, done = (int(data["at"][0]), int(data["at"][1])), int(data["facing"]), int(data["done"])
            things = {(int(r), int(c)): str(name) for r, c, name in data["things"]}
            doors = {(int(r), int(c)): (str(colour), str(state)) for r, c, colour, state in data["doors"]}
            carried = str(data["carried"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BadInput(f"this is no state of a grid: {error}") from None
        if not self._floor(at) or set(doors) != set(self.doors) or not 0 <= facing < 4:
            raise BadInput("this is no state of this grid")
        self.at, self.facing, self.carried, self.done, self.things, self.doors = (
            at,
            facing,
            carried,
            done,
            things,
            doors,
        )
        self._update()

    def welcome(self) -> str:
        """The first observation."""
        return (
            f"Your mission: {self.mission.text()}.\nEach turn, write one of: {', '.join(COMMANDS)}. "
            "'pick up', 'drop' and 'toggle' act on the cell before you; 'toggle' opens and closes a door, and "
            f"unlocks one if you carry the key of its colour.\n{self.seen()}"
        )

    def map(self) -> str:
        """The board, seen from above: walls, the agent's direction, things and doors by letters that are told below."""
        board = [[" " if mark == "." else mark for mark in row] for row in self.rows]
        told = []
        names = {**{cell: " ".join(reversed(door)) + " door" for cell, door in self.doors.items()}, **self.things}
        for letter, (cell, name) in zip(_LETTERS, sorted(names.items()), strict=False):
            board[cell[0]][cell[1]] = letter
            told.append(f"{letter} {name}")
        board[self.at[0]][self.at[1]] = "^>v<"[self.facing]
        lines = [f"mission: {self.mission.text()}", f"in hand: {self.carried or 'nothing'}", *map("".join, board)]
        return "\n".join([*lines, ", ".join(told)])

    def admissible(self) -> list[str]:
        """The commands that do something here."""
        return [command for command in COMMANDS if command.startswith("turn") or self.copy()._try(command) == ""]

    def step(self, command: str) -> str:
        """Carry out a command, and tell what is seen then."""
        command = " ".join(command.lower().split()).rstrip(".")
        if command not in COMMANDS:
            return f"That is not a command: write one of {', '.join(COMMANDS)}.\n{self.seen()}"
        trouble = self._try(command)
        self._update()
        return "\n".join(part for part in (trouble, self.seen()) if part)

    def seen(self) -> str:
        """What is seen from here, in steps forward, left and right."""
        told = []
        for cell, ahead, aside in self._visible():
            name = self._name(cell)
            if name and cell != self.at:
                told.append(f"a {name} {_where(ahead, aside)}")
        wall = next((ahead for ahead in range(1, _VIEW) if not self._floor(self._ahead(ahead))), None)
        if wall is not None:
            told.append(f"a wall {wall} step{'s' if wall > 1 else ''} forward")
        carried = f" You carry a {self.carried}." if self.carried else ""
        return f"You see {', '.join(told) or 'nothing'}.{carried}"

    # Rules ------------------------------------------------------------------------------------------------------------

    def _floor(self, cell: Cell) -> bool:
        return 0 <= cell[0] < len(self.rows) and 0 <= cell[1] < len(self.rows[0]) and self.rows[cell[0]][cell[1]] != "#"

    def _ahead(self, steps: int = 1) -> Cell:
        dr, dc = _STEPS[self.facing]
        return self.at[0] + steps * dr, self.at[1] + steps * dc

    def _name(self, cell: Cell) -> str:
        if cell in self.doors:
            colour, state = self.doors[cell]
            return f"{state} {colour} door"
        return self.things.get(cell, "")

    def _try(self, command: str) -> str:
        """Carry out a known command; returns why it could not be done, or nothing."""
        cell = self._ahead()
        door = self.doors.get(cell)
        if command.startswith("turn"):
            self.facing = (self.facing + (1 if command == "turn right" else 3)) % 4
        elif command == "go forward":
            if not self._floor(cell):
                return "There is a wall before you."
            if cell in self.things:
                return f"The {self.things[cell]} is in your way."
            if door and door[1] != "open":
                return f"The {door[0]} door is {door[1]}."
            self.at = cell
        elif command == "pick up":
            if cell not in self.things:
                return "There is nothing to pick up before you."
            if self.carried:
                return f"You carry a {self.carried} already."
            self.carried = self.things.pop(cell)
        elif command == "drop":
            if not self.carried:
                return "You carry nothing."
            if not self._floor(cell) or cell in self.things or door:
                return "There is no room before you."
            self.things[cell], self.carried = self.carried, ""
        else:
            return self._toggle(cell, door)
        return ""

    def _toggle(self, cell: Cell, door: tuple[str, str] | None) -> str:
        if not door:
            return "There is no door before you."
        colour, state = door
        if state == "locked" and self.carried != f"{colour} key":
            return f"The {colour} door is locked: you need the {colour} key."
        self.doors[cell] = (colour, "closed" if state == "open" else "open")
        return ""

    def _visible(self) -> Iterator[tuple[Cell, int, int]]:
        """Cells in the window before the agent that light reaches, with steps ahead and to the right."""
        dr, dc = _STEPS[self.facing]
        rr, rc = _STEPS[(self.facing + 1) % 4]
        window = {
            (self.at[0] + a * dr + s * rr, self.at[1] + a * dc + s * rc): (a, s)
            for a in range(_VIEW)
            for s in range(-(_VIEW // 2), _VIEW // 2 + 1)
        }
        reached, queue = {self.at}, [self.at]
        for cell in queue:
            if cell != self.at and (cell in self.doors and self.doors[cell][1] != "open"):
                continue
            for er in (-1, 0, 1):
                for ec in (-1, 0, 1):
                    near = (cell[0] + er, cell[1] + ec)
                    if near in window and near not in reached and self._floor(near):
                        reached.add(near)
                        queue.append(near)
        for cell in sorted(reached, key=lambda cell: (window[cell][0] + abs(window[cell][1]), window[cell])):
            yield cell, *window[cell]

    def _holds(self, mission: Mission) -> bool:
        cell = self._ahead()
        if mission.kind == "go":
            return (
                self._name(cell).removeprefix("open ").removeprefix("closed ").removeprefix("locked ") == mission.thing
            )
        if mission.kind == "pick":
            return self.carried == mission.thing
        if mission.kind == "open":
            return any(f"{colour} door" == mission.thing and state == "open" for colour, state in self.doors.values())
        spots = {name: spot for spot, name in self.things.items()}
        one, other = spots.get(mission.thing), spots.get(mission.other)
        return one is not None and other is not None and abs(one[0] - other[0]) + abs(one[1] - other[1]) == 1

    def _update(self) -> None:
        parts = self.mission.parts or (self.mission,)
        while self.done < len(parts) and self._holds(parts[self.done]):
            self.done += 1
        self.won = self.done == len(parts)

    # Plans ------------------------------------------------------------------------------------------------------------

    def plan(self) -> list[str] | None:
        """Commands that do the mission, by shortest ways between the things that have to be handled."""
        sketch = _Sketch(self)
        parts = self.mission.parts or (self.mission,)
        try:
            for part in parts[self.done :]:
                sketch.do(part)
        except _Stuck:
            return None
        return sketch.commands if sketch.world.won else None


def _where(ahead: int, aside: int) -> str:
    parts = []
    if ahead:
        parts.append(f"{ahead} step{'s' if ahead > 1 else ''} forward")
    if aside:
        parts.append(f"{abs(aside)} step{'s' if abs(aside) > 1 else ''} {'right' if aside > 0 else 'left'}")
    return " and ".join(parts)


class _Stuck(Exception):
    """This cannot be done from here."""


class _Sketch:
    """A world to plan in."""

    def __init__(self, world: GridWorld) -> None:
        self.world = world.copy()
        self.commands: list[str] = []
        self.unlocking: set[Cell] = set()

    def do(self, mission: Mission) -> None:
        if mission.kind in ("go", "open"):
            door = next(
                (cell for cell, (colour, _) in self.world.doors.items() if f"{colour} door" == mission.thing), None
            )
            cell = door if door is not None else self.spot(mission.thing)
            if mission.kind == "open" and self.world.doors[cell][1] == "locked":
                self.fetch(f"{self.world.doors[cell][0]} key")
            self.face(cell)
            if mission.kind == "open" and self.world.doors[cell][1] != "open":
                self.act("toggle")
        elif mission.kind == "pick":
            self.fetch(mission.thing)
        else:
            self.beside(mission.thing, mission.other)

    def spot(self, name: str) -> Cell:
        found = next((cell for cell, thing in self.world.things.items() if thing == name), None)
        if found is None:
            if self.world.carried != name:
                raise _Stuck
            self.lay_down()
            return self.spot(name)
        return found

    def fetch(self, name: str) -> None:
        if self.world.carried == name:
            return
        if self.world.carried:
            if self.route(self.spot(name)) is None:
                self.face(self.spot(name))  # what is carried may be the key on the way
            self.lay_down()
        self.face(self.spot(name))
        self.act("pick up")

    def beside(self, name: str, other: str) -> None:
        if self.world.carried != name:
            self.fetch(name)
        goal = self.spot(other)
        best: list[str] | None = None
        for dr, dc in _STEPS:
            cell = (goal[0] + dr, goal[1] + dc)
            if self.world._floor(cell) and cell not in self.world.things and cell not in self.world.doors:
                found = self.route(cell)
                if found is not None and (best is None or len(found) < len(best)):
                    best = found
        if best is None:
            raise _Stuck
        for command in best:
            self.act(command)
        self.act("drop")

    def lay_down(self) -> None:
        """Drop what is carried on the nearest free cell that leaves the way between doors free."""
        for turns in ((), ("turn left",), ("turn right",), ("turn left", "turn left")):
            trial = self.world.copy()
            for command in turns:
                trial._try(command)
            cell = trial._ahead()
            beside_door = any(abs(cell[0] - r) + abs(cell[1] - c) <= 1 for r, c in self.world.doors)
            if not beside_door and trial._try("drop") == "":
                for command in (*turns, "drop"):
                    self.act(command)
                return
        for cell in self.free():
            route = self.route(cell)
            if route is not None:
                for command in (*route, "drop"):
                    self.act(command)
                return
        raise _Stuck

    def free(self) -> list[Cell]:
        world = self.world
        cells = [(r, c) for r, row in enumerate(world.rows) for c, mark in enumerate(row) if mark != "#"]
        near = [
            cell
            for cell in cells
            if cell not in world.things and cell not in world.doors and cell != world.at
            and all(abs(cell[0] - r) + abs(cell[1] - c) > 1 for r, c in world.doors)
        ]  # fmt: skip
        return sorted(near, key=lambda cell: (abs(cell[0] - world.at[0]) + abs(cell[1] - world.at[1]), cell))[:12]

    def face(self, cell: Cell) -> None:
        route = self.route(cell)
        while route is None:
            locked = self.locked_on_the_way(cell)
            if locked in self.unlocking:
                raise _Stuck  # its key lies behind it
            self.unlocking.add(locked)
            self.fetch(f"{self.world.doors[locked][0]} key")
            self.face(locked)
            self.act("toggle")
            self.unlocking.remove(locked)
            route = self.route(cell)
        for command in route:
            self.act(command)

    def locked_on_the_way(self, cell: Cell) -> Cell:
        """The first locked door on the shortest way that ignores locks."""
        trial = self.world.copy()
        for command in self.route(cell, through_locks=True) or ():
            ahead = trial._ahead()
            if command == "toggle" and trial.doors[ahead][1] == "locked":
                return ahead
            trial._try(command)
        raise _Stuck

    def route(self, goal: Cell, *, through_locks: bool = False) -> list[str] | None:
        """The fewest commands after which `goal` is straight ahead; closed doors on the way are opened."""
        world = self.world
        start = (world.at, world.facing, frozenset[Cell]())
        ticket = count()
        heap: list[tuple[int, int, Any, tuple[str, ...]]] = [(0, next(ticket), start, ())]
        seen: set[Any] = set()
        while heap:
            cost, _, (at, facing, opened), way = heapq.heappop(heap)
            dr, dc = _STEPS[facing]
            ahead = (at[0] + dr, at[1] + dc)
            if ahead == goal:
                return list(way)
            if (at, facing) in seen:
                continue
            seen.add((at, facing))
            moves: list[tuple[tuple[str, ...], Any]] = [
                (("turn left",), (at, (facing + 3) % 4, opened)),
                (("turn right",), (at, (facing + 1) % 4, opened)),
            ]
            if world._floor(ahead) and ahead not in world.things:
                door = world.doors.get(ahead)
                shut = door is not None and door[1] != "open" and ahead not in opened
                key = door is not None and (door[1] != "locked" or world.carried == f"{door[0]} key" or through_locks)
                if not shut:
                    moves.append((("go forward",), (ahead, facing, opened)))
                elif key:
                    moves.append((("toggle", "go forward"), (ahead, facing, opened | {ahead})))
            for commands, after in moves:
                if after[:2] not in seen:
                    heapq.heappush(heap, (cost + len(commands), next(ticket), after, way + commands))
        return None

    def act(self, command: str) -> None:
        if len(self.commands) > 500 or self.world._try(command) != "":
            raise _Stuck
        self.world._update()
        self.commands.append(command)


def _read(world: GridWorld, instance: Any) -> None:
    if not isinstance(instance, Mapping):
        raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
    fields.only(instance, "rows", "things", "doors", "agent", "mission")
    world.rows = fields.rows(instance, "rows", "#.", most=40)
    world.things, world.doors = {}, {}
    names: set[str] = set()
    for key, size in (("things", 3), ("doors", 4)):
        listed = instance[key]
        if not isinstance(listed, (list, tuple)) or len(listed) > 60:
            raise BadInput(f"{key!r} is a list of at most 60, found {listed!r:.80}")
        for row in listed:
            fits = isinstance(row, (list, tuple)) and len(row) == size and all(type(v) is int for v in row[:2])
            if not fits or not all(isinstance(v, str) for v in row[2:]):
                raise BadInput(f"{key!r} holds [row, column, ...], found {row!r:.80}")
            cell = (row[0], row[1])
            if not world._floor(cell) or cell in world.things or cell in world.doors:
                raise BadInput(f"{key!r}: {row!r:.80} stands in a wall or on something else")
            if key == "doors":
                if row[2] not in COLOURS or row[3] not in ("open", "closed", "locked"):
                    raise BadInput(f"a door has a colour and is open, closed or locked, found {row!r:.80}")
                name = f"{row[2]} door"
                world.doors[cell] = (row[2], row[3])
            else:
                colour, _, kind = row[2].partition(" ")
                name = row[2]
                if colour not in COLOURS or kind not in KINDS:
                    raise BadInput(f"a thing is a colour and one of {KINDS}, found {row!r:.80}")
                world.things[cell] = name
            if name in names:
                raise BadInput(f"there are two {name}s: names have to tell things apart")
            names.add(name)
    agent = instance["agent"]
    if not (isinstance(agent, (list, tuple)) and len(agent) == 3 and all(type(v) is int for v in agent)):
        raise BadInput(f"'agent' is [row, column, direction 0-3], found {agent!r:.80}")
    world.at, world.facing, world.carried, world.done = (agent[0], agent[1]), agent[2], "", 0
    if not world._floor(world.at) or world.at in world.things or world.at in world.doors or not 0 <= world.facing < 4:
        raise BadInput(f"'agent' stands on free floor and looks in a direction 0-3, found {agent!r:.80}")
    world.mission = _mission(instance["mission"], names)


def _mission(data: Any, names: set[str]) -> Mission:
    kind = data.get("kind") if isinstance(data, Mapping) else None
    if kind == "then":
        parts = data.get("parts")
        if not isinstance(parts, (list, tuple)) or len(parts) != 2:
            raise BadInput(f"a mission of kind 'then' has two parts, found {parts!r:.80}")
        read = tuple(_mission(part, names) for part in parts)
        if any(part.kind == "then" for part in read):
            raise BadInput("the parts of a mission are plain missions")
        return Mission("then", parts=read)
    if kind not in ("go", "pick", "open", "put"):
        raise BadInput(f"a mission is of kind go, pick, open, put or then, found {data!r:.80}")
    words = [data.get("thing"), *([data.get("other")] if kind == "put" else [])]
    for word in words:
        door = str(word).endswith(" door")
        if not isinstance(word, str) or word not in names or ((kind == "open") != door and not (kind == "go" and door)):
            raise BadInput(f"the mission names {word!r:.60}, which is not there or not of the right kind")
    if len(set(words)) != len(words):
        raise BadInput("a thing cannot be put next to itself")
    return Mission(kind, str(words[0]), str(words[1]) if kind == "put" else "")


class GridMission(WorldEnv):
    """Asks for a mission on a grid of rooms, seen only from where the agent stands, one command a turn.

    Observation: what is seen: things, doors and walls in steps forward, left and right, and what is carried.
    Action: one of `turn left`, `turn right`, `go forward`, `pick up`, `drop`, `toggle`, on the last line.
    Episode: terminated when the mission is done, truncated after 128 commands.

    Missions: go to a thing or door, pick a thing up, open a door, put a thing next to another, or one and then another.
    Every mission can be done: the planner did it, keys fetched for locked doors included. Paid by the length of that
    plan, as `WorldEnv` says. `WithImage` adds a picture to the observation.

    Args:
        level: One room and no locks at 0; four rooms, locked doors and two missions in order at 1.
    """

    family = "grid_mission"
    floor: float = 0.75
    default_max_turns: ClassVar[int] = 128

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        while True:
            instance = _generate(rng, self.level)
            if instance is None:
                continue
            world = GridWorld(instance)
            if not world.won and world.plan():
                return instance

    def build(self, instance: Mapping[str, Any]) -> GridWorld:
        return GridWorld(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the length of the plan: 1 for 64 commands and more."""
        self.first(instance)
        return min(1.0, self._from_start / 64)

    def oracle(self) -> str:
        return self._plan[0] if self._plan else "turn left"

    def image(self, cell: int = 16) -> NDArray[np.uint8]:
        """The window before the agent as a picture, (7 * cell, 7 * cell, 3)."""
        return picture(self._world, cell)


class WithImage(gymnasium.ObservationWrapper[dict[str, Any], str, str], RecordConstructorArgs):
    """Adds a picture to what a `GridMission` tells: `{"text": ..., "image": (7 * cell, 7 * cell, 3) uint8}`."""

    def __init__(self, env: gymnasium.Env[str, str], cell: int = 16) -> None:
        RecordConstructorArgs.__init__(self, cell=cell)
        super().__init__(env)
        self.cell = cell
        inner = env.unwrapped
        if not isinstance(inner, GridMission):
            raise BadInput(f"WithImage shows a GridMission, found {type(inner).__name__}")
        size = _VIEW * cell
        self.observation_space = gymnasium.spaces.Dict({
            "text": AnyText(inner.observation_limit),
            "image": gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8),
        })  # fmt: skip

    def observation(self, observation: str) -> dict[str, Any]:
        """The text with the picture of this moment."""
        inner = self.env.unwrapped
        assert isinstance(inner, GridMission)
        return {"text": observation, "image": inner.image(self.cell)}


def picture(world: GridWorld, cell: int = 16) -> NDArray[np.uint8]:
    """The window before the agent, who stands in the middle of the lower edge and looks up."""
    image = np.zeros((_VIEW * cell, _VIEW * cell, 3), np.uint8)
    for spot, ahead, aside in world._visible():
        top, left = (_VIEW - 1 - ahead) * cell, (aside + _VIEW // 2) * cell
        tile = image[top : top + cell, left : left + cell]
        tile[:] = (238, 238, 232)
        tile[0, :] = tile[:, 0] = (205, 205, 198)
        inner = slice(cell // 5, cell - cell // 5)
        if spot in world.doors:
            colour, state = world.doors[spot]
            tile[:] = _RGB[colour]
            if state == "open":
                tile[inner, inner] = (238, 238, 232)
            elif state == "locked":
                tile[cell // 2 - 1 : cell // 2 + 2, inner] = (20, 20, 20)
        elif spot in world.things:
            colour, _, kind = world.things[spot].partition(" ")
            rows, columns = np.mgrid[0:cell, 0:cell] - (cell - 1) / 2
            if kind == "ball":
                tile[rows**2 + columns**2 <= (cell * 0.36) ** 2] = _RGB[colour]
            elif kind == "box":
                tile[inner, inner] = _RGB[colour]
                tile[2 * cell // 5 : 3 * cell // 5, 2 * cell // 5 : 3 * cell // 5] = (238, 238, 232)
            else:
                tile[cell // 5 : cell - cell // 5, cell // 2 - 1 : cell // 2 + 1] = _RGB[colour]
                tile[cell // 5 : cell // 2, cell // 3 : cell - cell // 3] = _RGB[colour]
        if spot == world.at:
            rows, columns = np.mgrid[0:cell, 0:cell]
            tile[abs(columns - (cell - 1) / 2) * 2 <= rows - cell // 5] = (190, 40, 40)
    return image


def _generate(rng: np.random.Generator, level: float) -> dict[str, Any] | None:
    size = 5 + round(2 * level)
    across = 1 + (level > 0.3)
    down = 1 + (level > 0.7)
    height, width = down * (size + 1) + 1, across * (size + 1) + 1
    board = [["#" if r % (size + 1) == 0 or c % (size + 1) == 0 else "." for c in range(width)] for r in range(height)]
    colours = [COLOURS[i] for i in rng.permutation(len(COLOURS)).tolist()]
    doors: list[list[Any]] = []
    walls = [("v", i, j) for i in range(down) for j in range(across - 1)]
    walls += [("h", i, j) for i in range(down - 1) for j in range(across)]
    for way, i, j in walls:
        offset = 1 + int(rng.integers(size))
        r, c = (i * (size + 1) + offset, (j + 1) * (size + 1)) if way == "v" else (
            (i + 1) * (size + 1), j * (size + 1) + offset)  # fmt: skip
        board[r][c] = "."
        state = "locked" if float(rng.random()) < 0.4 * level and len(doors) < 2 else "closed"
        doors.append([r, c, colours[len(doors)], state])
    rows = ["".join(row) for row in board]
    floor = [
        (r, c) for r in range(height) for c in range(width) if rows[r][c] == "." and r % (size + 1) and c % (size + 1)
    ]
    near_door = {(r + dr, c + dc) for r, c, *_ in doors for dr, dc in _STEPS}
    open_floor = [cell for cell in floor if cell not in near_door]
    order = [open_floor[i] for i in rng.permutation(len(open_floor)).tolist()]
    names = [f"{colour} key" for _, _, colour, state in doors if state == "locked"]
    every = [f"{colour} {kind}" for colour in COLOURS for kind in KINDS if f"{colour} {kind}" not in names]
    extra = 3 + round(5 * level) - len(names)
    names += [every[i] for i in rng.permutation(len(every))[:extra].tolist()]
    things = [[*order[i], name] for i, name in enumerate(names)]
    start = [*order[len(names)], int(rng.integers(4))]
    mission = _draw_mission(rng, names, doors, level)
    return {"rows": rows, "things": things, "doors": doors, "agent": start, "mission": mission.to_json()}


def _draw_mission(
    rng: np.random.Generator, names: Sequence[str], doors: Sequence[Sequence[Any]], level: float
) -> Mission:
    def plain() -> Mission:
        kinds = (
            ["go", "pick"] + (["open"] if any(door[3] != "open" for door in doors) else []) + ["put"] * (level > 0.2)
        )
        kind = kinds[int(rng.integers(len(kinds)))]
        order = rng.permutation(len(names)).tolist()
        if kind == "open":
            return Mission("open", f"{doors[int(rng.integers(len(doors)))][2]} door")
        return Mission(kind, names[order[0]], names[order[1]] if kind == "put" else "")

    if level > 0.6 and float(rng.random()) < level - 0.4:
        return Mission("then", parts=(plain(), plain()))
    return plain()
