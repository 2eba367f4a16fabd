"""What there is on a grid, and what can be asked there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["COLOURS", "COMMANDS", "KINDS", "STEPS", "VIEW", "Cell", "Mission"]

COLOURS = ("red", "green", "blue", "purple", "yellow", "grey")
KINDS = ("ball", "box", "key")
COMMANDS = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle")

STEPS = ((-1, 0), (0, 1), (1, 0), (0, -1))  # north, east, south, west
VIEW = 7

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
