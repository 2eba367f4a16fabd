"""How far the goal of a grid mission is: shortest ways between what has to be handled."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any

from proofgym.envs.worlds.grid.things import STEPS, Cell, Mission

if TYPE_CHECKING:
    from proofgym.envs.worlds.grid.world import GridWorld

__all__ = ["plan"]


def plan(world: GridWorld) -> list[str] | None:
    """Commands that do the mission; `None` if none were found."""
    sketch = _Sketch(world)
    parts = world.mission.parts or (world.mission,)
    try:
        for part in parts[world.done :]:
            sketch.do(part)
    except _Stuck:
        return None
    return sketch.commands if sketch.world.won else None


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
        for dr, dc in STEPS:
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
            dr, dc = STEPS[facing]
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
