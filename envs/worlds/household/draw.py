"""A house for the eye: a map as text, and a picture as SVG. Both show everything, so they are for people only."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from proofgym.envs.worlds.household.engine import World, bits
from proofgym.envs.worlds.household.scene import Goal

__all__ = ["picture", "text_map"]

_COLUMNS, _WIDE, _GAP, _PAD = 4, 236, 12, 10  # cards, in pixels
_LINE, _CHIP = 24, 20
_LETTER = 6.1  # mean width of a letter of a chip
_INK, _SOFT, _LINES = "#1a2433", "#5b6b80", "#d5dde8"
_PLAIN = ("#ffffff", "#c3cedb")
_TINTS = {
    "hot": ("#fdeadd", "#d9642c"), "cool": ("#e0edfd", "#3b78c9"), "sliced": ("#efe7fb", "#8257c4"),
    "clean": ("#dff5ee", "#1f8a70"), "used": ("#fdf3cf", "#b8870b"),
}  # fmt: skip
"""For each state, the colours of what is in it and of its edge; the first that holds counts."""


def text_map(world: World) -> str:
    """One line a receptacle: where it stands, its door, what is in it; `>` marks where the agent is."""
    layout = world.layout
    held = layout.o_name[world.held] if world.held >= 0 else "nothing"
    lines = [f"task: {layout.scene.goal.text}", f"in hand: {held}"]
    order = sorted(range(len(layout.receptacles)), key=lambda r: (layout.place[r], layout.r_name[r]))
    for r in order:
        contents = ", ".join(_thing(world, o) for o in bits(world.contents[r]))
        here = ">" if layout.place[r] == world.place else " "
        door = _door(world, r)
        lines.append(f"{here} {layout.place[r]:>3} {layout.r_name[r]}{door and f' ({door})'}: {contents or '-'}")
    return "\n".join(lines)


def picture(world: World) -> str:
    """A card for each place, with what stands there and what lies in it, as SVG.

    What is hot, cool, sliced, clean or switched on is tinted, kinds that the goal names have a bold edge, and the
    agent's place is framed. What lies behind a closed door is shown, faintly.
    """
    layout = world.layout
    wide = _COLUMNS * (_WIDE + _GAP) + _GAP
    heights = [64.0] * _COLUMNS
    parts: list[str] = []
    for place in sorted(place for place, found in layout.here.items() if found):
        column = heights.index(min(heights))
        x, y = _GAP + column * (_WIDE + _GAP), heights[column]
        body, high = _card(world, place, x, y)
        here = place == world.place
        edge, width = ("#2f6fdd", 2.5) if here else (_LINES, 1)
        parts.append(_box(x, y, _WIDE, high, "#f2f7ff" if here else "#f8fafc", edge, radius=8, width=width))
        parts += body
        heights[column] = y + high + _GAP
    held = _thing(world, world.held) if world.held >= 0 else "nothing"
    head = [
        _words(_GAP, 24, layout.scene.goal.text, size=16, weight=600),
        _words(_GAP, 46, f"in hand: {held}", colour="#2f6fdd" if world.held >= 0 else _SOFT),
    ]
    if world.won:
        head.append(_words(wide - _GAP, 24, "done", size=16, weight=600, colour="#1f8a70", anchor="end"))
    high = max(heights)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high:g}" width="{wide}" height="{high:g}" '
        f'font-family="system-ui, sans-serif">{_box(0, 0, wide, high, "#ffffff", "none", radius=0)}'
        f"{''.join(head)}{''.join(parts)}</svg>"
    )


def _door(world: World, r: int) -> str:
    if world.locked >> r & 1:
        return "locked"
    return "" if not world.layout.openable >> r & 1 else "open" if world.opened >> r & 1 else "closed"


def _thing(world: World, o: int) -> str:
    states = [state for state, mask in world.states.items() if mask >> o & 1]
    inside = [world.layout.o_name[i] for i in bits(world.inner[o])] if world.inner else []
    name = world.layout.o_name[o] + (f" [{', '.join(states)}]" if states else "")
    return f"{name} with {', '.join(inside)}" if inside else name


def _card(world: World, place: int, x: float, y: float) -> tuple[list[str], float]:
    layout = world.layout
    wanted = set(_kinds(layout.scene.goal))
    parts: list[str] = []
    down = y + _PAD
    for r in layout.here[place]:
        door = _door(world, r)
        weight = 700 if layout.receptacles[r].kind in wanted else 500
        parts.append(_words(x + _PAD, down + 13, layout.r_name[r], size=13, weight=weight))
        if door:
            colour = "#b4432e" if door == "locked" else _SOFT
            parts.append(_words(x + _WIDE - _PAD, down + 13, door, size=11, colour=colour, anchor="end"))
        down += _LINE
        across = x + _PAD
        held = list(bits(world.contents[r]))
        faint = not world.accessible(r)
        for o in held:
            text = _thing(world, o)
            room = int((_WIDE - 2 * _PAD - 12) / _LETTER)
            text = text if len(text) <= room else text[: room - 1] + "…"
            length = len(text) * _LETTER + 12
            if across > x + _PAD and across + length > x + _WIDE - _PAD:
                across, down = x + _PAD, down + _LINE
            fill, edge = next((tint for state, tint in _TINTS.items() if world.states[state] >> o & 1), _PLAIN)
            bold = 2 if layout.objects[o].kind in wanted else 1
            chip = _box(across, down, length, _CHIP, fill, _INK if bold == 2 and edge == _PLAIN[1] else edge,
                        radius=5, width=bold)  # fmt: skip
            word = _words(across + 6, down + 14, text, size=11)
            parts.append(f'<g opacity="0.5">{chip}{word}</g>' if faint else chip + word)
            across += length + 5
        down += _LINE + 4 if held else 2
    return parts, down - y + _PAD - 4


def _kinds(goal: Goal) -> Iterator[str]:
    yield from (kind for kind in (goal.object, goal.receptacle, goal.inside, goal.light) if kind)
    for part in goal.parts:
        yield from _kinds(part)


def _box(x: float, y: float, wide: float, high: float, fill: str, edge: str, *, radius: float, width: float = 1) -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="{radius:g}" fill="{fill}" '
        f'stroke="{edge}" stroke-width="{width:g}"/>'
    )


def _words(
    x: float, y: float, text: str, *, size: float = 13, weight: int = 400, colour: str = _INK, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
