"""An expert that plays by what it reads, as a person would: it knows where things usually are, not where they are.

Search likely receptacles first (by the statistics of houses), open what is closed, remember what was seen, take, treat,
put. It reads the exact text of ALFWorld, so it plays the real engine too.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from functools import cache

from proofgym.envs.worlds.household.generator import _statistics
from proofgym.envs.worlds.household.kinds import COOLERS, HEATERS, HOLDS, WASHERS

__all__ = ["Expert"]

_GOALS = (
    (re.compile(r"put two (\w+) in (\w+)|find two (\w+) and put them in (\w+)"), "two"),
    (re.compile(r"look at (\w+) under the (\w+)|examine the (\w+) with the (\w+)"), "light"),
    (re.compile(r"put a hot (\w+) in (\w+)|heat some (\w+) and put it in (\w+)"), "heat"),
    (re.compile(r"put a cool (\w+) in (\w+)|cool some (\w+) and put it in (\w+)"), "cool"),
    (re.compile(r"put a clean (\w+) in (\w+)|clean some (\w+) and put it in (\w+)"), "clean"),
    (re.compile(r"put a (\w+) in (\w+)|put some (\w+) on (\w+)"), "place"),
)
_TOOLS = {"heat": HEATERS, "cool": COOLERS, "clean": WASHERS}
_THING = re.compile(r"\ba ([a-z]+ [0-9]+)")
_SEEN = re.compile(r"(?:On|The) (?:the )?([a-z]+ [0-9]+)(?: is open\. In it)?, you see (.*?)\.$")


@cache
def _likely(kind: str, receptacle: str) -> float:
    """How often an object of a kind lies in a receptacle of a kind, over all rooms."""
    rooms = [room for name, room in _statistics().items() if name != "doors"]
    shares = [room["objects"][kind]["in"].get(receptacle, 0.0) for room in rooms if kind in room["objects"]]
    usual = max(shares, default=0.0)
    return usual + (0.001 if kind in HOLDS.get(receptacle, ()) else 0.0)


class Expert:
    """Plays one episode: give `act` each observation, the first one included; it answers with a command."""

    def __init__(self) -> None:
        self._moves: Iterator[str] | None = None
        self._said = ""

    def act(self, observation: str) -> str:
        """The next command; `look` when there is nothing left to try."""
        self._said = observation
        if self._moves is None:
            self._moves = self._play(observation)
        return next(self._moves, "look")

    def _play(self, first: str) -> Iterator[str]:
        room, _, task = first.partition("Your task is to: ")
        self.receptacles = _THING.findall(room)
        self.contents: dict[str, list[str]] = {}
        self.place = ""
        self.done: set[str] = set()
        found = next((_match(pattern, kind, task) for pattern, kind in _GOALS if pattern.match(task)), None)
        if found is None:
            return
        kind, wanted, target = found
        for _ in range(2 if kind == "two" else 1):
            thing = yield from self._fetch(wanted)
            if not thing:
                return
            if kind in _TOOLS:
                tool = next((r for r in self.receptacles if r.split(" ")[0] in _TOOLS[kind]), "")
                yield from self._go(tool)
                yield f"{kind} {thing} with {tool}"
            if kind == "light":
                yield from self._light(target)
                return
            yield from self._put(thing, target)

    def _go(self, receptacle: str) -> Iterator[str]:
        if self.place != receptacle:
            yield f"go to {receptacle}"
            self.place = receptacle
            self._read(receptacle)

    def _enter(self, receptacle: str) -> Iterator[str]:
        """Be at a receptacle and have it open."""
        yield from self._go(receptacle)
        if receptacle not in self.contents or f"{receptacle} is closed" in self._said:
            yield f"open {receptacle}"
            if self._said.startswith("Nothing"):
                yield f"go to {receptacle}"  # another receptacle at the same place was named before
            self._read(receptacle)

    def _read(self, receptacle: str) -> None:
        for line in self._said.split(". "):
            seen = _SEEN.search(line if line.endswith(".") else f"{line}.")
            if seen:
                self.contents[receptacle] = _THING.findall(seen[2])
        if ", you see " in self._said:
            self.contents[receptacle] = _THING.findall(self._said.split(", you see ")[-1])

    def _fetch(self, kind: str) -> Generator[str, None, str]:
        """Find an object of a kind and take it; returns its name."""
        searched: set[str] = set()
        while True:
            for receptacle, things in self.contents.items():
                here = [t for t in things if t.split(" ")[0] == kind and t not in self.done]
                if here:
                    yield from self._enter(receptacle)
                    yield f"take {here[0]} from {receptacle}"
                    self.contents[receptacle] = [t for t in self.contents.get(receptacle, ()) if t != here[0]]
                    if self._said.startswith("You pick up"):
                        return here[0]
                    self.done.add(here[0])
                    break
            else:
                left = [r for r in self.receptacles if r not in self.contents and r not in searched]
                if not left:
                    return ""
                count = {r.split(" ")[0]: 0 for r in self.receptacles}
                for r in self.receptacles:
                    count[r.split(" ")[0]] += 1
                best = max(left, key=lambda r: _likely(kind, r.split(" ")[0]) / count[r.split(" ")[0]])
                searched.add(best)
                yield from self._enter(best)

    def _put(self, thing: str, target: str) -> Iterator[str]:
        options = sorted((r for r in self.receptacles if r.split(" ")[0] == target), key=lambda r: r not in self.done)
        for receptacle in options:
            yield from self._enter(receptacle)
            yield f"move {thing} to {receptacle}"
            if self._said.startswith("You move"):
                self.done |= {thing, receptacle}
                return

    def _light(self, lamp: str) -> Iterator[str]:
        known = [r for r, things in self.contents.items() if any(t.split(" ")[0] == lamp for t in things)]
        order = sorted(self.receptacles, key=lambda r: -_likely(lamp, r.split(" ")[0]))
        for receptacle in dict.fromkeys([*known, *order]):
            yield from self._go(receptacle)
            for thing in self.contents.get(receptacle, ()):
                if thing.split(" ")[0] == lamp:
                    yield f"use {thing}"


def _match(pattern: re.Pattern[str], kind: str, task: str) -> tuple[str, str, str]:
    found = pattern.match(task)
    assert found is not None
    first, second = (group for group in found.groups() if group)
    return kind, first, second
