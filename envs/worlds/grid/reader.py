"""Reads an instance of a grid mission, and says what is wrong with one that is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.grid.things import COLOURS, KINDS, Mission
from proofgym.errors import BadInput

if TYPE_CHECKING:
    from proofgym.envs.worlds.grid.world import GridWorld

__all__ = ["read"]


def read(world: GridWorld, instance: Any) -> None:
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
