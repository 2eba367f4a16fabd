"""Three ways to write a command: ALFWorld 0.4 to the letter, its older `put ... in/on ...`, and a forgiving one.

- `strict`: what `World.admissible` lists, and nothing else.
- `classic`: before 0.4, `put mug 1 in/on desk 1` stood for `move mug 1 to desk 1`, in commands and in answers. Prompts
  and few-shot examples of most papers are written in it.
- `lenient`: any case, articles, common synonyms, kinds without numbers where only one thing can be meant; and a command
  that does nothing is answered with the reason, as far as the player can know it.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from proofgym.envs.worlds.household.engine import NOTHING, World, bits

__all__ = ["GRAMMARS", "Grammar", "carry_out", "menu"]

Grammar = Literal["strict", "classic", "lenient"]
GRAMMARS: tuple[Grammar, ...] = get_args(Grammar)

_MOVE = re.compile(r"move ([a-z]+ [0-9]+) to ([a-z]+ [0-9]+)")
_PUT = re.compile(r"put ([a-z]+ [0-9]+) in/on ([a-z]+ [0-9]+)")
_MOVED = re.compile(r"You move the ([a-z]+ [0-9]+) to the ([a-z]+ [0-9]+)\.")

_SYNONYMS = (
    (r"(?:l|look around)", "look"),
    (r"(?:i|inv|check inventory|show inventory)", "inventory"),
    (r"(?:go|walk|head|return|travel|move|navigate)(?: over)? (?:to|towards) (.+)", r"go to \1"),
    (r"approach (.+)", r"go to \1"),
    (r"(?:shut|close) (.+)", r"close \1"),
    (r"(?:examine|inspect|check|look at|look in|look inside|x|search) (.+)", r"examine \1"),
    (r"(?:turn on|switch on|toggle|use|activate) (.+)", r"use \1"),
    (r"(?:turn|switch) (.+) on", r"use \1"),
    (r"(?:pick up|take|get|grab|remove|lift) (.+?) (?:from|off|off of|out of|in|on) (.+)", r"take \1 from \2"),
    (r"(?:pick up|take|get|grab|lift) (.+)", r"take \1"),
    (
        r"(?:put|place|move|drop|set|lay|insert|put down) (.+?) (?:in/on|into|onto|in|on|to|inside) (.+)",
        r"move \1 to \2",
    ),
    (r"(?:put down|drop|put|place) (.+)", r"move \1"),
    (r"(?:heat|warm|microwave|cook|heat up|warm up) (.+?) (?:with|in|using|by) (.+)", r"heat \1 with \2"),
    (r"(?:cool|chill|refrigerate|cool down) (.+?) (?:with|in|using|by) (.+)", r"cool \1 with \2"),
    (r"(?:clean|wash|rinse) (.+?) (?:with|in|using|by|at) (.+)", r"clean \1 with \2"),
    (r"(?:slice|cut|chop) (.+?) (?:with|using|by) (.+)", r"slice \1 with \2"),
    (r"(?:unlock) (.+?) (?:with|using|by) (.+)", r"unlock \1 with \2"),
)  # fmt: skip
_RULES = tuple((re.compile(pattern), target) for pattern, target in _SYNONYMS)
_FORM = re.compile(
    r"(go to|open|close|examine|use|take|move|heat|cool|clean|slice|unlock) (.+?)(?: (from|to|with) (.+))?"
)
_ARTICLES = re.compile(r"\b(?:the|a|an|my|some|this|that)\b ?")
_GLUED = re.compile(r"\b([a-z]+)[-_#]?([0-9]+)\b")


def menu(world: World, grammar: Grammar) -> list[str]:
    """The admissible commands in a grammar."""
    listed = list(world.admissible())
    if grammar != "classic":
        return listed
    return sorted(_MOVE.sub(r"put \1 in/on \2", command) for command in listed)


def carry_out(world: World, command: str, grammar: Grammar) -> str:
    """Carry out a command in a grammar and say what happened."""
    if grammar == "strict":
        return world.step(command)
    if grammar == "classic":
        if _MOVE.fullmatch(command.strip()):
            return NOTHING
        return _MOVED.sub(r"You put the \1 in/on the \2.", world.step(_PUT.sub(r"move \1 to \2", command.strip())))
    read = understood(command, world)
    if read is None:
        return "That is not a command. Write 'help' for the forms of commands."
    command, trouble = read
    if trouble:
        return trouble
    said = world.step(command)
    return said if said != NOTHING else why(world, command)


def understood(text: str, world: World) -> tuple[str, str] | None:
    """The command that a text means and an empty trouble, or why it means none; `None` if its form is unknown."""
    text = " ".join(text.lower().split())[:200].lstrip("> ").rstrip(".!")
    text = _GLUED.sub(r"\1 \2", _ARTICLES.sub("", text)).strip()
    if text in ("look", "inventory", "help"):
        return text, ""
    for pattern, target in _RULES:
        if pattern.fullmatch(text):
            text = pattern.sub(target, text)
            break
    if text in ("look", "inventory"):
        return text, ""
    found = _FORM.fullmatch(text)
    if not found:
        return None
    verb, first, link, second = found.groups()
    one, trouble = _meant(first, verb, world)
    if trouble:
        return text, trouble
    if second is None and verb in ("take", "move"):
        second, link, trouble = _elsewhere(verb, one, world)
        if trouble:
            return text, trouble
    if second is None:
        return f"{verb} {one}", ""
    two, trouble = _meant(second, verb, world)
    return f"{verb} {one} {link} {two}", trouble


def _meant(words: str, verb: str, world: World) -> tuple[str, str]:
    """The full name of a thing, or why it is not clear."""
    layout = world.layout
    if words in layout.r_index or words in layout.o_index:
        return words, ""
    kind = words.replace(" ", "")
    held = layout.o_name[world.held] if world.held >= 0 else ""
    if held.partition(" ")[0] == kind:
        return held, ""
    here = [layout.r_name[r] for r in layout.here[world.place]]
    seen = [layout.o_name[o] for r in layout.here[world.place] if world.accessible(r) for o in bits(world.contents[r])]
    near = [name for name in dict.fromkeys([*seen, *here]) if name.partition(" ")[0] == kind]
    anywhere = [name for name in layout.r_name if name.partition(" ")[0] == kind]
    options = near or anywhere
    if len(options) == 1 and not (verb == "go to" and options == near and len(anywhere) > 1):
        return options[0], ""
    if options:
        return "", f"Which {kind} do you mean: {', '.join(reversed((anywhere if verb == 'go to' else options)[-8:]))}?"
    return "", f"You see no {words[:40]} here."


def _elsewhere(verb: str, thing: str, world: World) -> tuple[str | None, str, str]:
    """The receptacle that is left out in `take mug 1` or `put mug 1`."""
    layout = world.layout
    here = [r for r in layout.here[world.place] if world.accessible(r)]
    o = layout.o_index.get(thing, -1)
    if verb == "take":
        found = [layout.r_name[r] for r in here if o >= 0 and world.contents[r] >> o & 1]
        return (found[0], "from", "") if found else (None, "", f"You see no {thing} here.")
    may = [layout.r_name[r] for r in here if o >= 0 and layout.holds[r] >> o & 1]
    return (may[0], "to", "") if len(may) == 1 else (None, "", f"Where do you want to put the {thing}?")


def why(world: World, command: str) -> str:
    """Why a well-formed command does nothing, without telling what the player cannot see."""
    layout = world.layout
    read = layout.parse(command)
    if read is None:
        return "Nothing happens: that cannot be done with these things."
    words = command.split(" ")
    verb = words[0]
    first, second = " ".join(words[-2:]) if len(words) < 6 else f"{words[1]} {words[2]}", " ".join(words[-2:])
    held = layout.o_name[world.held] if world.held >= 0 else ""
    if verb == "go":
        return f"You are at {first} already."
    target = second if len(words) == 6 else first
    r = layout.r_index.get(target, -1)
    if r >= 0 and layout.place[r] != world.place:
        return f"You are not at {target}: go there first."
    if verb == "open":
        return f"The {first} is locked." if world.locked >> r & 1 else _door(world, r, "open", first)
    if verb == "close":
        return _door(world, r, "closed", first)
    if verb == "unlock":
        return f"The {first} cannot be unlocked with that." if held == second else f"You are not carrying {second}."
    if verb == "take":
        if held:
            return f"You are carrying {held}: put it down first."
        if r >= 0 and not world.accessible(r):
            return f"The {target} is closed."
        return f"You see no {first} in or on {target} that you could take."
    if verb in ("move", "heat", "cool", "clean"):
        if held != first:
            return f"You are not carrying {first}."
        if verb == "move":
            return (
                f"The {target} is closed."
                if r >= 0 and not world.accessible(r)
                else f"{target} is no place for {first}."
            )
        return f"You cannot {verb} {first} with {target}."
    if verb == "slice":
        return f"You are not carrying {second}." if held != second else f"You cannot slice {first} with {second} here."
    if verb == "use":
        return f"You see no {first} here that you could use."
    return f"You see no {first} here." if r < 0 else NOTHING


def _door(world: World, r: int, state: str, name: str) -> str:
    if r < 0 or not world.layout.openable >> r & 1:
        return f"The {name} has no door."
    return f"The {name} is {state} already."
