"""The words that the rules, the reader and the planner of quests share."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BACK", "CUTS", "DIRECTIONS", "HEATS", "Door"]

DIRECTIONS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}
BACK = {"north": "south", "south": "north", "east": "west", "west": "east"}
CUTS = {"slice": "sliced", "dice": "diced", "chop": "chopped"}
HEATS = {"stove": "fried", "oven": "roasted", "grill": "grilled"}


@dataclass(frozen=True, slots=True)
class Door:
    """Between two rooms: its name, its key's name (empty: never locked)."""

    name: str
    key: str
