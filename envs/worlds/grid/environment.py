"""Grid missions as an environment, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from proofgym.envs.worlds.base import WorldEnv
from proofgym.envs.worlds.grid.things import COLOURS, KINDS, STEPS, Mission
from proofgym.envs.worlds.grid.world import GridWorld

__all__ = ["GridMission"]


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
        from proofgym.envs.worlds.grid.image import picture

        return picture(self._world, cell)


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
    near_door = {(r + dr, c + dc) for r, c, *_ in doors for dr, dc in STEPS}
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
