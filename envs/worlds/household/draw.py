"""A house for the eye: a map as text, and a picture as SVG. Both show everything, so they are for people only."""

from __future__ import annotations

from proofgym.envs.puzzles.draw import Board
from proofgym.envs.worlds.household.engine import World, bits

__all__ = ["picture", "text_map"]

_COLUMNS = 4


def text_map(world: World) -> str:
    """One line a receptacle: where it stands, its door, what is in it; `>` marks where the agent is."""
    layout = world.layout
    held = layout.o_name[world.held] if world.held >= 0 else "nothing"
    lines = [f"task: {layout.scene.goal.text}", f"in hand: {held}"]
    order = sorted(range(len(layout.receptacles)), key=lambda r: (layout.place[r], layout.r_name[r]))
    for r in order:
        door = "" if not layout.openable >> r & 1 else " (open)" if world.opened >> r & 1 else " (closed)"
        door = " (locked)" if world.locked >> r & 1 else door
        contents = ", ".join(_thing(world, o) for o in bits(world.contents[r]))
        here = ">" if layout.place[r] == world.place else " "
        lines.append(f"{here} {layout.place[r]:>3} {layout.r_name[r]}{door}: {contents or '-'}")
    return "\n".join(lines)


def _thing(world: World, o: int) -> str:
    states = [state for state, mask in world.states.items() if mask >> o & 1]
    inside = [world.layout.o_name[i] for i in bits(world.inner[o])] if world.inner else []
    name = world.layout.o_name[o] + (f" [{', '.join(states)}]" if states else "")
    return f"{name} with {', '.join(inside)}" if inside else name


def picture(world: World) -> str:
    """Every place as a cell, with what stands there and what lies in it; the agent's place is shaded."""
    layout = world.layout
    places = sorted(place for place, found in layout.here.items() if found)
    rows = -(-len(places) // _COLUMNS)
    wide, high = 6, 3
    board = Board(rows * high, _COLUMNS * wide, top=1)
    board.text(-0.5, _COLUMNS * wide / 2 - 0.5, layout.scene.goal.text, size=0.5)
    for i, place in enumerate(places):
        row, column = i // _COLUMNS * high, i % _COLUMNS * wide
        colour = "#ffe9a8" if place == world.place else "#f3f6fa"
        for r in range(high):
            for c in range(wide):
                board.fill(row + r, column + c, colour)
        names = ", ".join(layout.r_name[r] + ("" if world.accessible(r) else " (closed)") for r in layout.here[place])
        board.text(row, column + wide / 2 - 0.5, names[:44], size=0.36)
        held = [_thing(world, o) for r in layout.here[place] for o in bits(world.contents[r])]
        for line, start in enumerate(range(0, min(len(held), 6), 3)):
            text = ", ".join(held[start : start + 3])
            board.text(row + 0.9 + 0.8 * line, column + wide / 2 - 0.5, text[:48], size=0.28, colour="#4a5a70")
        if len(held) > 6:
            board.text(row + 2.3, column + wide / 2 - 0.5, f"and {len(held) - 6} more", size=0.28, colour="#4a5a70")
        board.line(row, column, row, column + wide, width=1)
        board.line(row, column, row + high, column, width=1)
    if world.held >= 0:
        board.text(-0.5, 2, f"in hand: {layout.o_name[world.held]}", size=0.4, colour="#a03a2c")
    return board.svg(ruled=False)
