"""Logistics: one truck brings parcels to where they belong; PDDL out and in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import StateGraph
from proofgym.errors import BadInput

__all__ = ["PDDL_DOMAIN", "Logistics"]

_DRIVE = re.compile(r"(?:drive|go) (?:to )?(?:town )?([a-f])", re.ASCII)
_CARRY = re.compile(r"(load|unload) (?:parcel )?p?([1-5])", re.ASCII)
_FACT = re.compile(
    r"\((road|at|holds) ([a-z][a-z0-9]*) ([a-z0-9]+)\)|\(truck-at ([a-z])\)|\(= \(room\) ([1-5])\)", re.ASCII
)

PDDL_DOMAIN = """(define (domain parcels)
  (:requirements :strips :typing :numeric-fluents)
  (:types town parcel)
  (:predicates (road ?a ?b - town) (truck-at ?t - town) (at ?p - parcel ?t - town) (in ?p - parcel))
  (:functions (room))
  (:action drive :parameters (?a ?b - town) :precondition (and (truck-at ?a) (road ?a ?b))
    :effect (and (not (truck-at ?a)) (truck-at ?b)))
  (:action load :parameters (?p - parcel ?t - town) :precondition (and (truck-at ?t) (at ?p ?t) (> (room) 0))
    :effect (and (not (at ?p ?t)) (in ?p) (decrease (room) 1)))
  (:action unload :parameters (?p - parcel ?t - town) :precondition (and (truck-at ?t) (in ?p))
    :effect (and (at ?p ?t) (not (in ?p)) (increase (room) 1))))
"""
"""The domain of the problems that `Logistics.pddl` writes, in PDDL 2.1."""

Position = tuple[int, ...]
"""The truck's town, and each parcel's town, or -1 for in the truck."""


class Logistics(StateGraph[Position]):
    """Drive a truck between towns and carry every parcel to its goal, in the fewest moves."""

    family = "logistics"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "towns": Knob(4, 5, "towns", 3, 6),
        "parcels": Knob(2, 4, "parcels", 1, 5),
        "room": Knob(1, 2, "parcels that the truck holds", 1, 5),
    }
    hardness_of = "least number of moves"
    steps_floor = 0.3

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        towns, parcels = knobs["towns"], knobs["parcels"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            order = rng.permutation(towns).tolist()
            roads = {tuple(sorted((order[i], order[int(rng.integers(i))]))) for i in range(1, towns)}
            if rng.random() < 0.5:
                roads.add(tuple(sorted(rng.permutation(towns)[:2].tolist())))
            start, goal = rng.integers(towns, size=(2, parcels)).tolist()
            if any(one == two for one, two in zip(start, goal, strict=True)):
                continue
            return cls({
                "towns": towns, "roads": sorted(map(list, roads)), "room": knobs["room"],
                "truck": int(rng.integers(towns)), "start": start, "goal": goal,
            })  # fmt: skip

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "towns", "roads", "room", "truck", "start", "goal")
        self.towns = fields.whole(data, "towns", 2, 6)
        self._roads = fields.edges(data, "roads", self.towns)
        self._room = fields.whole(data, "room", 1, 5)
        truck = fields.whole(data, "truck", 0, self.towns - 1)
        start = fields.wholes(data, "start", 0, self.towns - 1, most=5)
        self._goal = fields.wholes(data, "goal", 0, self.towns - 1, least=len(start), most=len(start))
        self._begin = (truck, *start)
        self._near = [
            sorted({v for u, v in self._roads if u == t} | {u for u, v in self._roads if v == t})
            for t in range(self.towns)
        ]

    def canonical(self) -> Any:
        """Roads in order."""
        roads = sorted(sorted(road) for road in self._roads)
        return [self.towns, roads, self._room, list(self._begin), list(self._goal)]

    def rules(self) -> str:
        roads = ", ".join(f"{'ABCDEF'[u]}-{'ABCDEF'[v]}" for u, v in self._roads)
        goals = ", ".join(f"P{i} to {'ABCDEF'[town]}" for i, town in enumerate(self._goal, 1))
        return (
            f"A truck carries at most {self._room} parcel{'s' if self._room > 1 else ''} at a time between towns, "
            f"on these "
            f"roads: {roads}. Bring {goals}. A move is 'drive to b', to the next town on a road, 'load p1' or "
            f"'unload p1'."
        )

    def start(self) -> Position:
        return self._begin

    def goal(self, state: Position) -> bool:
        return state[1:] == self._goal

    def named(self, move: str) -> str:
        if found := _DRIVE.fullmatch(move):
            return f"drive to {found[1]}"
        found = _CARRY.fullmatch(move)
        return f"{found[1]} p{found[2]}" if found else move

    def refusal(self, state: Position, move: str) -> str:
        found = _CARRY.fullmatch(move)
        if _DRIVE.fullmatch(move):
            return f"No road leads from {'ABCDEF'[state[0]]} to there."
        if not found or int(found[2]) > len(self._goal):
            return "A move is 'drive to b', 'load p1' or 'unload p1'."
        if found[1] == "unload":
            return f"P{found[2]} is not in the truck."
        return f"P{found[2]} is not here." if state[int(found[2])] != state[0] else "The truck is full."

    def steps(self, state: Position) -> list[tuple[str, Position]]:
        truck, rest = state[0], state[1:]
        found: list[tuple[str, Position]] = [(f"drive to {'abcdef'[to]}", (to, *rest)) for to in self._near[truck]]
        space = rest.count(-1) < self._room
        for i, town in enumerate(rest, 1):
            if town == truck and space:
                found.append((f"load p{i}", (*state[:i], -1, *state[i + 1 :])))
            elif town == -1:
                found.append((f"unload p{i}", (*state[:i], truck, *state[i + 1 :])))
        return found

    def view(self, state: Position) -> str:
        places = ", ".join(
            f"P{i} {'in the truck' if town < 0 else 'ABCDEF'[town]}" for i, town in enumerate(state[1:], 1)
        )
        return f"Truck: {'ABCDEF'[state[0]]}. Parcels: {places}."

    def pddl(self, name: str = "parcels-1") -> str:
        """The problem in PDDL, for `PDDL_DOMAIN`; one move here is one action there."""
        towns = "abcdef"[: self.towns]
        parcels = [f"p{i}" for i in range(1, len(self._goal) + 1)]
        roads = " ".join(f"(road {towns[u]} {towns[v]}) (road {towns[v]} {towns[u]})" for u, v in self._roads)
        at = " ".join(f"(at {p} {towns[town]})" for p, town in zip(parcels, self._begin[1:], strict=True))
        goal = " ".join(f"(at {p} {towns[town]})" for p, town in zip(parcels, self._goal, strict=True))
        return (
            f"(define (problem {name})\n  (:domain parcels)\n"
            f"  (:objects {' '.join(towns)} - town {' '.join(parcels)} - parcel)\n"
            f"  (:init (truck-at {towns[self._begin[0]]}) (= (room) {self._room})\n    {roads}\n    {at})\n"
            f"  (:goal (and {goal})))\n"
        )

    @classmethod
    def from_pddl(cls, text: str) -> Self:
        """Read a problem for `PDDL_DOMAIN`, with towns a to f and parcels p1 to p5.

        Raises:
            BadInput: If it is none, or cannot be solved.
        """
        bare = " ".join(text[:20_000].lower().split())
        first, goals, last = bare.partition("(:goal")
        facts = [_FACT.findall(part) for part in (first, last)]
        towns = re.search(r"\(:objects ((?:[a-f] )+)- town", bare)
        room = [found[4] for found in facts[0] if found[4]]
        truck = [found[3] for found in facts[0] if found[3]]
        at = [{p: "abcdef".find(t) for kind, p, t, _, _ in part if kind == "at"} for part in facts]
        if not goals or not towns or len(room) != 1 or len(truck) != 1 or sorted(at[0]) != sorted(at[1]):
            raise BadInput(f"a problem names towns, a truck, its room, and each parcel's start and goal: {text[:80]!r}")
        parcels = sorted(at[0])
        roads = {tuple(sorted(("abcdef".find(u), "abcdef".find(v)))) for kind, u, v, _, _ in facts[0] if kind == "road"}
        return cls.from_instance({
            "towns": len(towns[1].split()), "roads": sorted(map(list, roads)), "room": int(room[0]),
            "truck": "abcdef".find(truck[0]),
            "start": [at[0][p] for p in parcels], "goal": [at[1][p] for p in parcels],
        })  # fmt: skip
