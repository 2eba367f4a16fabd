"""A grid in one state: what is seen, and what commands do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from proofgym.envs.worlds.grid.planner import plan
from proofgym.envs.worlds.grid.reader import read
from proofgym.envs.worlds.grid.things import COMMANDS, STEPS, VIEW, Cell, Mission
from proofgym.errors import BadInput

__all__ = ["GridWorld"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


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
        read(self, instance)
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
        on_floor = all(map(self._floor, [at, *things]))
        if not on_floor or set(doors) != set(self.doors) or not 0 <= facing < 4:
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
        wall = next((ahead for ahead in range(1, VIEW) if not self._floor(self._ahead(ahead))), None)
        if wall is not None:
            told.append(f"a wall {wall} step{'s' if wall > 1 else ''} forward")
        carried = f" You carry a {self.carried}." if self.carried else ""
        return f"You see {', '.join(told) or 'nothing'}.{carried}"

    # Rules ------------------------------------------------------------------------------------------------------------

    def _floor(self, cell: Cell) -> bool:
        return 0 <= cell[0] < len(self.rows) and 0 <= cell[1] < len(self.rows[0]) and self.rows[cell[0]][cell[1]] != "#"

    def _ahead(self, steps: int = 1) -> Cell:
        dr, dc = STEPS[self.facing]
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
        dr, dc = STEPS[self.facing]
        rr, rc = STEPS[(self.facing + 1) % 4]
        window = {
            (self.at[0] + a * dr + s * rr, self.at[1] + a * dc + s * rc): (a, s)
            for a in range(VIEW)
            for s in range(-(VIEW // 2), VIEW // 2 + 1)
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
        return plan(self)


def _where(ahead: int, aside: int) -> str:
    parts = []
    if ahead:
        parts.append(f"{ahead} step{'s' if ahead > 1 else ''} forward")
    if aside:
        parts.append(f"{abs(aside)} step{'s' if abs(aside) > 1 else ''} {'right' if aside > 0 else 'left'}")
    return " and ".join(parts)
