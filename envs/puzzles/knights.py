"""Knights and knaves: who tells the truth, by what everybody says."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["KnightsAndKnaves"]

_NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hana", "Ivo", "Jade", "Kim", "Leo")
_ROLES = ("knight", "knave", "normal")
_DEEPEST = 6


class KnightsAndKnaves(Puzzle):
    """Find out who is a knight, who a knave and who a normal, by what they say; one assignment fits.

    Uniqueness is proved over all assignments at once: a statement's truth in every one of them is one `int`. Statements
    are lists: `["is", person, role]`, `["not", s]`, `["and" | "or" | "if" | "iff", s, t]`, `["count", role, number]`
    for "exactly so many are", and `["says", person, s]` for "would say that".
    """

    family = "knights_and_knaves"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "people": Knob(4, 7, "people", 2, 8),
        "depth": Knob(1, 3, "nesting of a statement, at most", 1, 4),
        "normals": Knob(0, 1, "normals, who say what they like"),
    }
    hardness_of = "assignments times the parts of all statements"
    floor: ClassVar[float] = 0.11  # there are 16 assignments at the easiest level, not all as frequent

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        people, chance = knobs["people"], Chance(rng)
        normals = min(knobs["normals"], people - 1)
        tables = _tables(people, normals)
        draws = Draws(cls.family, 20000)
        while True:
            draws.count()
            world = chance.below(len(tables.held))  # some assignment that fits; what they say follows it
            said: list[Any] = []
            fits = tables.all
            for person in range(people):
                role = tables.held[world][person]
                chosen: tuple[int, Any] | None = None
                tries = 6 if normals else 1  # one normal leaves many assignments: say what excludes most
                while tries > 0:
                    statement = _draw(chance, people, tables.roles, person, knobs["depth"])
                    truth = tables.truth(statement)
                    if truth not in (0, tables.all) and (role == 2 or (truth >> world & 1) == (role == 0)):
                        tries -= 1
                        left = fits & tables.consistent(person, truth)
                        if chosen is None or left.bit_count() < chosen[0].bit_count():
                            chosen = (left, statement)
                assert chosen is not None
                fits = chosen[0]
                said.append(chosen[1])
            if fits == 1 << world:
                return cls({"people": people, "normals": normals, "said": said})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "people", "normals", "said")
        self.people = fields.whole(data, "people", 1, 10)
        self.normals = fields.whole(data, "normals", 0, min(2, self.people - 1))
        self._roles = _ROLES[: 3 if self.normals else 2]
        said = data["said"]
        if not isinstance(said, (list, tuple)) or len(said) != self.people:
            raise BadInput(
                f"'said' is a list of one statement for each of {self.people} people, found {reprlib.repr(said)}"
            )
        self._parts = sum(self._checked(statement, 0) for statement in said)
        self._said = said
        self._fits: int | None = None

    def prove(self) -> None:
        if not self._fitting():
            raise BadInput("no assignment fits what they say")

    def question(self) -> str:
        names = _NAMES[: self.people]
        normal = ""
        if self.normals:
            number = "1 of those you meet is a normal" if self.normals == 1 else f"{self.normals} of them are normals"
            normal = f", and normals may say either; exactly {number}"
        said = "\n".join(
            f'{name} says: "{_sentence(statement)}"' for name, statement in zip(names, self._said, strict=True)
        )
        return (
            f"On an island knights always tell the truth and knaves always lie{normal}. You meet {', '.join(names)}.\n"
            f"{said}\n'Or' means one or both; 'if' is false only when its condition holds and the rest does not.\n"
            f"What is each of them? End with a line 'Answer: ' of the form '{names[0]}=knight, "
            f"{names[-1]}=knave', naming everybody."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.mapping(answer, _NAMES[: self.people])
        held = tuple(self._roles.index(answers.choice(said[name], self._roles)) for name in said)
        tables = _tables(self.people, self.normals)
        world = tables.world.get(held)
        if world is None:
            return Verdict.wrong(f"there are {held.count(2)} normals, not {self.normals}")
        for person, statement in enumerate(self._said):
            if not tables.consistent(person, tables.truth(statement)) >> world & 1:
                return Verdict.wrong(f"then {_NAMES[person]} would not say that")
        return Verdict.right()

    def solution(self) -> str:
        fits = self._fitting()
        world = (fits & -fits).bit_length() - 1
        names = _NAMES[: self.people]
        held = _tables(self.people, self.normals).held[world]
        return ", ".join(f"{name}={_ROLES[role]}" for name, role in zip(names, held, strict=True))

    def hardness(self) -> float:
        return float(len(_tables(self.people, self.normals).held) * self._parts)

    def cheats(self) -> Sequence[str]:
        names = _NAMES[: self.people]
        both = ", ".join(f"{name}=knight, {name}=knave" for name in names)
        return (both, ", ".join(f"{name}=liar" for name in names), ", ".join(f"{name}=knight/knave" for name in names))

    def _fitting(self) -> int:
        if self._fits is None:
            tables = _tables(self.people, self.normals)
            self._fits = tables.all
            for person, statement in enumerate(self._said):
                self._fits &= tables.consistent(person, tables.truth(statement))
        return self._fits

    def _checked(self, statement: Any, depth: int) -> int:
        """The parts of a statement."""
        if isinstance(statement, (list, tuple)) and statement and depth < _DEEPEST:
            kind, *rest = statement
            parts = {"person": rest[0] if rest else None, "role": rest[1] if len(rest) > 1 else None}
            if kind == "is" and len(rest) == 2:
                fields.whole(parts, "person", 0, self.people - 1)
                fields.one_of(parts, "role", self._roles)
                return 1
            if kind == "count" and len(rest) == 2:
                fields.one_of({"role": rest[0]}, "role", self._roles)
                fields.whole({"number": rest[1]}, "number", 0, self.people)
                return 1
            if kind == "not" and len(rest) == 1:
                return 1 + self._checked(rest[0], depth + 1)
            if kind in ("and", "or", "if", "iff") and len(rest) == 2:
                return 1 + self._checked(rest[0], depth + 1) + self._checked(rest[1], depth + 1)
            if kind == "says" and len(rest) == 2:
                fields.whole(parts, "person", 0, self.people - 1)
                return 1 + self._checked(rest[1], depth + 1)
        raise BadInput(
            f"a statement is a list such as ['is', 0, 'knave'], at most {_DEEPEST} deep, found "
            f"{reprlib.repr(statement)}"
        )


class _Tables:
    """Truth in every assignment at once: bit w of an `int` belongs to assignment w."""

    def __init__(self, people: int, normals: int) -> None:
        self.roles = 3 if normals else 2
        self.held = [held for held in product(range(self.roles), repeat=people) if held.count(2) == normals]
        """The roles that people hold in each assignment."""
        self.world = {held: world for world, held in enumerate(self.held)}
        self.all = (1 << len(self.held)) - 1
        self.role = [[0] * self.roles for _ in range(people)]
        self.counts: dict[tuple[str, int], int] = {}
        for world, held in enumerate(self.held):
            for person, role in enumerate(held):
                self.role[person][role] |= 1 << world
            for role in range(self.roles):
                key = (_ROLES[role], held.count(role))
                self.counts[key] = self.counts.get(key, 0) | 1 << world

    def truth(self, statement: Any) -> int:
        """Where a statement is true."""
        kind = statement[0]
        if kind == "is":
            person: int = statement[1]
            return self.role[person][_ROLES.index(statement[2])]
        if kind == "count":
            return self.counts.get((statement[1], statement[2]), 0)
        if kind == "not":
            return self.all ^ self.truth(statement[1])
        if kind == "says":
            return self.consistent(statement[1], self.truth(statement[2]))
        one, other = self.truth(statement[1]), self.truth(statement[2])
        if kind == "and":
            return one & other
        if kind == "or":
            return one | other
        if kind == "if":
            return (self.all ^ one) | other
        return self.all ^ one ^ other

    def consistent(self, person: int, truth: int) -> int:
        """Where somebody may say what has this truth."""
        knight, knave, *normal = self.role[person]
        return (knight & truth) | (knave & (self.all ^ truth)) | (normal[0] if normal else 0)


@lru_cache(maxsize=32)
def _tables(people: int, normals: int) -> _Tables:
    return _Tables(people, normals)


def _draw(chance: Chance, people: int, roles: int, speaker: int, depth: int) -> Any:
    kind = chance.below(10) if depth > 1 else 0
    if depth == 1 or kind < 2:
        if chance.below(6) == 0:
            return ["count", _ROLES[chance.below(roles)], chance.below(people + 1)]
        person = (speaker + 1 + chance.below(people - 1)) % people if people > 1 else 0
        return ["is", person, _ROLES[chance.below(roles)]]
    if kind == 2:
        return ["not", _draw(chance, people, roles, speaker, depth - 1)]
    if kind == 3 and roles == 2:
        other = (speaker + 1 + chance.below(people - 1)) % people
        return ["says", other, _draw(chance, people, roles, other, depth - 1)]
    one, other_part = (_draw(chance, people, roles, speaker, depth - 1) for _ in range(2))
    return [("and", "or", "if", "iff")[kind % 4], one, other_part]


def _sentence(statement: Any) -> str:
    words = _words(statement)
    return words[0].upper() + words[1:] + "."


def _words(statement: Any) -> str:
    kind = statement[0]
    if kind == "is":
        return f"{_NAMES[statement[1]]} is a {statement[2]}"
    if kind == "count":
        role, number = statement[1:]
        return f"exactly 1 of us is a {role}" if number == 1 else f"exactly {number} of us are {role}s"
    if kind == "not":
        return f"it is not true that {_inner(statement[1])}"
    if kind == "says":
        return f"{_NAMES[statement[1]]} could say that {_inner(statement[2])}"
    one, other = _inner(statement[1]), _inner(statement[2])
    return {
        "and": f"{one} and {other}",
        "or": f"{one} or {other}",
        "if": f"if {one}, then {other}",
        "iff": f"{one} if and only if {other}",
    }[kind]


def _inner(statement: Any) -> str:
    words = _words(statement)
    return words if statement[0] in ("is", "count") else f"({words})"
