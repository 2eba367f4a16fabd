"""Zebra puzzles (Einstein's riddle): who lives where, with what, by the clues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.domains import Domains, Narrow
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Zebra"]

# Each attribute, how a sentence names somebody by it, and its values.
_ATTRIBUTES: tuple[tuple[str, str, str], ...] = (
    ("name", "{}", "Alice Bob Carol David Emma Frank Grace Henry"),
    ("colour", "the one in the {} house", "red blue green yellow white orange purple black"),
    ("pet", "the one with the {}", "cat dog fish horse zebra parrot rabbit snake"),
    ("drink", "the one who drinks {}", "tea coffee milk water juice cocoa lemonade cider"),
    ("job", "the {}", "doctor teacher baker pilot lawyer painter farmer nurse"),
    ("food", "the one who eats {}", "pizza soup rice pasta salad curry stew tacos"),
)
_KINDS = {
    "same": "{} is {}",
    "left": "{} lives directly left of {}",
    "before": "{} lives somewhere left of {}",
    "beside": "{} lives next to {}",
    "apart": "{} and {} are two people who do not live next to each other",
    "at": "{} lives in house {}",
    "not_at": "{} does not live in house {}",
    "differ": "{} is not {}",
}
_WEIGHTED = ["same"] * 3 + ["left", "left", "before", "beside", "beside", "apart", "at", "not_at", "differ"]


class Zebra(Puzzle):
    """Find out from the clues who lives in which house and has what.

    Exactly one solution, proved by an exhaustive search, and no clue can be left out. A clue is `[kind, a, b]`; values
    are counted attribute by attribute from 0 (with 4 houses, 5 is the second colour), houses from 1.
    """

    family = "zebra"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "houses": Knob(3, 5, "houses", 2, 8),
        "attributes": Knob(3, 5, "attributes of each house", 2, 6),
    }
    floor: ClassVar[float] = 0.02
    hardness_of = "values placed by an exact search, dead ends included"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        houses, attributes, chance = knobs["houses"], knobs["attributes"], Chance(rng)
        place = [house for _ in range(attributes) for house in chance.shuffled(range(houses))]
        clues: list[list[Any]] = []
        seen: set[tuple[Any, ...]] = set()
        while True:
            for _ in range(4):
                clue = _draw(chance, place, houses)
                if tuple(clue) not in seen:
                    seen.add(tuple(clue))
                    clues.append(clue)
            if len(clues) < houses * attributes // 2:
                continue
            found = _search(houses, attributes, clues).solve([(1 << houses) - 1] * len(place), 2)
            if len(found) == 1:
                break
            # a clue that tells the other solution from this one gets there sooner than a blind one
            for _ in range(200):
                clue = _draw(chance, place, houses)
                if any(not _holds(clue, other) for other in found if other != tuple(place)) and tuple(clue) not in seen:
                    seen.add(tuple(clue))
                    clues.append(clue)
                    break
        for clue in chance.shuffled(clues):
            fewer = [other for other in clues if other is not clue]
            if len(_search(houses, attributes, fewer).solve([(1 << houses) - 1] * len(place), 2)) == 1:
                clues = fewer
        puzzle = cls({"houses": houses, "attributes": attributes, "clues": chance.shuffled(clues)})
        puzzle._found = [tuple(place)]
        return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "houses", "attributes", "clues")
        self.houses = fields.whole(data, "houses", 2, 8)
        self.attributes = fields.whole(data, "attributes", 1, len(_ATTRIBUTES))
        self.names = [name for _, _, names in _ATTRIBUTES[: self.attributes] for name in names.split()[: self.houses]]
        clues = data["clues"]
        if not isinstance(clues, (list, tuple)) or len(clues) > 200:
            raise BadInput(f"'clues' is a list of at most 200 clues [kind, a, b], found {clues!r:.80}")
        for clue in clues:
            if not isinstance(clue, (list, tuple)) or len(clue) != 3:
                raise BadInput(f"a clue is [kind, a, b], found {clue!r:.80}")
            kind = fields.one_of({"kind": clue[0]}, "kind", list(_KINDS))
            last = len(self.names) - 1
            fields.whole({"a": clue[1]}, "a", 0, last)
            house = kind in ("at", "not_at")
            fields.whole({"b": clue[2]}, "b", 1 if house else 0, self.houses if house else last)
            if not house and clue[1] == clue[2]:
                raise BadInput(f"a clue speaks of two different values, found {clue!r:.80}")
        self._clues = clues
        self._found: list[tuple[int, ...]] | None = None
        self._effort: int | None = None

    def prove(self) -> None:
        found = self._solutions()
        if len(found) != 1:
            raise BadInput(f"the clues fit {'no' if not found else 'more than one'} solution")

    def canonical(self) -> Any:
        return [self.houses, self.attributes, sorted(self._clues)]

    def question(self) -> str:
        count = self.houses
        lines = [f"- {attribute}: {', '.join(names.split()[:count])}" for attribute, _, names in self._used()]
        clues = "\n".join(f"{number}. {self._sentence(clue)}" for number, clue in enumerate(self._clues, 1))
        order = ", ".join(attribute for attribute, _, _ in self._used())
        return (
            f"{count} houses stand in a row, numbered 1 to {count} from left to right. One person lives in each, and "
            "each of these belongs to exactly one house:\n" + "\n".join(lines) + f"\nClues:\n{clues}\n"
            f"Who lives where, and has what? End with 'Answer:' and one line for each house in order, holding its "
            f"{order} in this order, separated by commas."
        )

    def answer_lines(self) -> int:
        return self.houses

    def judge(self, answer: str) -> Verdict:
        rows = answers.grid(answer, self.houses, self.attributes, self.names)
        place = [-1] * len(self.names)
        for house, row in enumerate(rows):
            for attribute, name in enumerate(row):
                value = self.names.index(name)
                if value // self.houses != attribute:
                    return Verdict.wrong(f"{name} is no {_ATTRIBUTES[attribute][0]}")
                if place[value] >= 0:
                    return Verdict.wrong(f"{name} stands in two houses")
                place[value] = house
        for number, clue in enumerate(self._clues, 1):
            if not _holds(clue, place):
                return Verdict.wrong(f"clue {number} does not hold")
        return Verdict.right()

    def solution(self) -> str:
        at = {(value // self.houses, house): self.names[value] for value, house in enumerate(self._solutions()[0])}
        return "\n".join(
            ", ".join(at[attribute, house] for attribute in range(self.attributes)) for house in range(self.houses)
        )

    def hardness(self) -> float:
        if self._effort is None:
            self._found = None
            self._solutions()
        return float(self._effort or 0)

    def cheats(self) -> Sequence[str]:
        row = ", ".join(self.names[:: self.houses])
        return ("\n".join([row] * self.houses), "\n".join([", ".join(self.names)] * self.houses))

    def _solutions(self) -> list[tuple[int, ...]]:
        if self._found is None:
            search = _search(self.houses, self.attributes, self._clues)
            self._found = search.solve([search.full] * search.cells, 2)
            self._effort = search.effort
        return self._found

    def _used(self) -> tuple[tuple[str, str, str], ...]:
        return _ATTRIBUTES[: self.attributes]

    def _sentence(self, clue: Sequence[Any]) -> str:
        kind, a, b = clue
        one = self._person(a)
        other = str(b) if kind in ("at", "not_at") else self._person(b)
        words = _KINDS[kind].format(one, other)
        return words[0].upper() + words[1:] + "."

    def _person(self, value: int) -> str:
        return _ATTRIBUTES[value // self.houses][1].format(self.names[value])


def _holds(clue: Sequence[Any], place: Sequence[int]) -> bool:
    kind: str = clue[0]
    a: int = clue[1]
    b: int = clue[2]
    if kind in ("at", "not_at"):
        return (place[a] == b - 1) == (kind == "at")
    gap = place[b] - place[a]
    return {
        "same": gap == 0,
        "left": gap == 1,
        "before": gap > 0,
        "beside": abs(gap) == 1,
        "apart": abs(gap) > 1,
        "differ": gap != 0,
    }[kind]


def _draw(chance: Chance, place: Sequence[int], houses: int) -> list[Any]:
    """A clue that holds."""
    while True:
        kind, a = chance.pick(_WEIGHTED), chance.below(len(place))
        if kind == "at" and chance.share() < 0.6:
            continue  # it says the most
        b = chance.below(houses) + 1 if kind in ("at", "not_at") else chance.below(len(place))
        if kind in ("at", "not_at"):
            b = place[a] + 1 if kind == "at" else b
        elif a == b or (a // houses == b // houses and kind in ("same", "differ")):
            continue
        if kind in ("same", "beside", "apart", "differ") and a > b:
            a, b = b, a
        if _holds([kind, a, b], place):
            return [kind, a, b]


def _search(houses: int, attributes: int, clues: Sequence[Sequence[Any]]) -> Domains:
    units = [range(n * houses, (n + 1) * houses) for n in range(attributes)]
    return Domains(houses * attributes, houses, units, [_rule(clue, houses) for clue in clues])


def _rule(clue: Sequence[Any], houses: int) -> tuple[tuple[int, ...], Narrow]:
    kind: str = clue[0]
    a: int = clue[1]
    b: int = clue[2]
    full = (1 << houses) - 1
    if kind in ("at", "not_at"):
        mask = 1 << b - 1 if kind == "at" else full ^ 1 << b - 1

        def fixed(state: list[int]) -> bool:
            state[a] &= mask
            return state[a] != 0

        return (a,), fixed

    def narrow(state: list[int]) -> bool:
        one, other = state[a], state[b]
        if kind == "same":
            one = other = one & other
        elif kind == "left":
            one &= other >> 1
            other &= one << 1
        elif kind == "beside":
            one &= other << 1 | other >> 1
            other &= one << 1 | one >> 1
        elif kind == "before":
            one &= (1 << max(0, other.bit_length() - 1)) - 1  # below the last place of the other
            other &= full & ~(((one & -one) << 1) - 1) if one else 0
        else:  # a place of one is possible if the other has a place that fits it
            near = 1 if kind == "apart" else 0
            one = _clear(one, other, near)
            other = _clear(other, one, near)
        state[a], state[b] = one, other
        return one != 0 and other != 0

    return (a, b), narrow


def _clear(one: int, other: int, near: int) -> int:
    """The places of `one` for which `other` has a place further away than `near`."""
    kept, rest = 0, one
    while rest:
        low = rest & -rest
        rest ^= low
        around = low | (low << 1 | low >> 1 if near else 0)
        if other & ~around:
            kept |= low
    return kept
