"""Reads an instance of a quest, and says what is wrong with one that is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.quest.things import BACK, CUTS, DIRECTIONS, HEATS, Door
from proofgym.errors import BadInput

if TYPE_CHECKING:
    from proofgym.envs.worlds.quest.world import QuestWorld

__all__ = ["read"]


def read(world: QuestWorld, instance: Any) -> None:
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
            if way not in DIRECTIONS or not isinstance(there, str) or there not in rooms:
                raise BadInput(f"'rooms': {name!r:.40} leads {way!r:.20} to {there!r:.40}, which is no room")
            if not isinstance(rooms[there], Mapping) or rooms[there].get(BACK[way]) != name:
                raise BadInput(f"'rooms': no way leads back from {there!r:.40} to {name!r:.40}")
    world.rooms = {name: {way: ways[way] for way in DIRECTIONS if way in ways} for name, ways in rooms.items()}
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
        if name not in HEATS or not isinstance(room, str) or room not in world.rooms:
            raise BadInput(f"'appliances': {name!r:.40} in {room!r:.40}; they are {', '.join(HEATS)}, in rooms")
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
        world.doors[room, way] = world.doors[world.rooms[room][way], BACK[way]] = door
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
        ways = {*CUTS.values(), *HEATS.values()}
        lists = all(isinstance(way, (list, tuple)) and set(map(str, way)) <= ways for way in goal["recipe"].values())
        needed = {*goal["recipe"], "knife", "cookbook"}
        if lists and needed <= set(world.where) and "kitchen" in world.rooms:
            return dict(goal)
    raise BadInput(f"'goal' is to find an item, deliver items, or cook a recipe with a cookbook, found {goal!r:.100}")
