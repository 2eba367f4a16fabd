"""Syllogisms: which conclusions follow from "all", "no" and "some", and what world refutes the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Syllogism"]

_TERMS = ("artists", "bakers", "cyclists", "dancers", "engineers")
_FORMS = {"all": "All {} are {}", "no": "No {} are {}", "some": "Some {} are {}", "some_not": "Some {} are not {}"}
_OPPOSITE = {"all": "some_not", "no": "some", "some": "no", "some_not": "all"}


class Syllogism(Puzzle):
    """Say of each conclusion that it follows from the premises, or describe a world that refutes it.

    Every term has a member (existential import, stated in the question). A world is a set of inhabited kinds out of
    2^n, such as "A and C but not B". Universal statements only forbid kinds and particular ones only need some, so a
    set of statements has a world exactly if the largest set of allowed kinds is one: that decides every conclusion.
    """

    family = "syllogism"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "terms": Knob(3, 5, "terms", 3, 5),
        "premises": Knob(2, 4, "premises", 2, 6),
        "conclusions": Knob(3, 5, "conclusions to decide", 2, 6),
    }
    hardness_of = "kinds times statements"
    floor: ClassVar[float] = 0.09

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        terms, chance = knobs["terms"], Chance(rng)
        count = knobs["conclusions"]
        every = [[form, s, p] for form in _FORMS for s in range(terms) for p in range(terms) if s != p]
        draws = Draws(cls.family, 5000)
        while True:
            draws.count()
            premises = [[chance.pick(("all", "all", "no", "some", "some_not")), *chance.sample(range(terms), 2)]
                        for _ in range(knobs["premises"])]  # fmt: skip
            if len({frozenset(premise[1:]) for premise in premises}) < len(premises) or _world(terms, premises) is None:
                continue
            follow = [s for s in every if s not in premises and _refuting(terms, premises, s) is None]
            follow = [s for s in follow if all(_refuting(terms, [p], s) is not None for p in premises)]
            if not follow:
                continue
            open_ = [s for s in every if _refuting(terms, premises, s) is not None]
            yes = min(len(follow), 1 + chance.below(count - 1))
            if len(open_) < count - yes:
                continue
            chosen = chance.sample(follow, yes) + chance.sample(open_, count - yes)
            return cls({"terms": terms, "premises": premises, "conclusions": chance.shuffled(chosen)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "terms", "premises", "conclusions")
        self.terms = fields.whole(data, "terms", 2, 5)
        for key in ("premises", "conclusions"):
            if not isinstance(data[key], (list, tuple)) or not 1 <= len(data[key]) <= 20:
                raise BadInput(f"{key!r} is a list of 1 to 20 of [form, subject, predicate], found {data[key]!r:.60}")
            for statement in data[key]:
                if not isinstance(statement, (list, tuple)) or len(statement) != 3:
                    raise BadInput(f"a statement is [form, subject, predicate], found {statement!r:.80}")
                fields.one_of({"form": statement[0]}, "form", list(_FORMS))
                fields.wholes({"terms": statement[1:]}, "terms", 0, self.terms - 1)
                if statement[1] == statement[2]:
                    raise BadInput(f"a statement is about two different terms, found {statement!r:.80}")
        self._premises = data["premises"]
        self._conclusions = data["conclusions"]

    def prove(self) -> None:
        if _world(self.terms, self._premises) is None:
            raise BadInput("the premises contradict one another")
        refuted = [_refuting(self.terms, self._premises, conclusion) is not None for conclusion in self._conclusions]
        if all(refuted) or not any(refuted):
            raise BadInput("one conclusion has to follow and another not, or a guess would do")

    def question(self) -> str:
        names = _TERMS[: self.terms]
        letters = ", ".join(f"{name[0].upper()} for {name}" for name in names)
        premises = "\n".join(f"- {_sentence(premise)}" for premise in self._premises)
        conclusions = "\n".join(f"{n}. {_sentence(conclusion)}" for n, conclusion in enumerate(self._conclusions, 1))
        return (
            f"There are {', '.join(names[:-1])} and {names[-1]}; there is at least one of each, and somebody may be "
            f"several of these or none. Known:\n{premises}\nWhich of these follow?\n{conclusions}\n"
            "For each that does not follow, describe a world in which everything known holds and the conclusion does "
            "not: list the kinds of people in it. A kind is written with the letters of everything that it is "
            f"({letters}; "
            "AC is an artist and cyclist, and nothing else), kinds are joined by '+'. End with a line such as "
            "'Answer: 1=follows, 2=AB+C', naming every conclusion."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.mapping(answer, [str(n + 1) for n in range(len(self._conclusions))])
        for conclusion, (key, value) in zip(self._conclusions, said.items(), strict=True):
            if answers.tidy(value) == "follows":
                if _refuting(self.terms, self._premises, conclusion) is not None:
                    return Verdict.wrong(f"conclusion {key} does not follow")
                continue
            world = self._read_world(value)
            if not all(_holds(statement, world) for statement in self._premises):
                return Verdict.wrong(f"a premise does not hold in the world for conclusion {key}")
            if not self._peopled(world):
                return Verdict.wrong(f"the world for conclusion {key} has not at least one of each")
            if _holds(conclusion, world):
                return Verdict.wrong(f"conclusion {key} holds in its world")
        return Verdict.right()

    def solution(self) -> str:
        said = []
        for number, conclusion in enumerate(self._conclusions, 1):
            world = _refuting(self.terms, self._premises, conclusion)
            if world is not None:
                needed = [*self._premises, [_OPPOSITE[conclusion[0]], *conclusion[1:]]]
                for kind in world.copy():  # the largest world is long to write: leave out what is not needed
                    fewer = [other for other in world if other != kind]
                    if kind == 0 or (self._peopled(fewer) and all(_holds(statement, fewer) for statement in needed)):
                        world = fewer
            said.append(f"{number}={'follows' if world is None else '+'.join(map(self._kind, world))}")
        return ", ".join(said)

    def hardness(self) -> float:
        return float((len(self._premises) + len(self._conclusions)) << self.terms)

    def cheats(self) -> Sequence[str]:
        whole = "+".join(self._kind(kind) for kind in range(1, 1 << self.terms))
        keys = range(1, len(self._conclusions) + 1)
        return tuple(", ".join(f"{n}={said}" for n in keys) for said in ("follows", whole, self._kind(1), "unknown"))

    def _peopled(self, world: Sequence[int]) -> bool:
        return all(any(kind >> term & 1 for kind in world) for term in range(self.terms))

    def _kind(self, kind: int) -> str:
        return "".join(name[0].upper() for n, name in enumerate(_TERMS) if kind >> n & 1)

    def _read_world(self, text: str) -> list[int]:
        letters = [name[0] for name in _TERMS[: self.terms]]
        kinds = text.lower().split("+")
        if len(kinds) > 1 << self.terms:
            raise Unreadable(f"there are only {1 << self.terms} kinds, found {len(kinds)}")
        world = []
        for kind in kinds:
            named = kind.strip()
            if not named or len(named) > self.terms or not set(named) <= set(letters):
                raise Unreadable(f"'follows' or kinds such as AB+C are asked for, found {text[:40]!r}")
            world.append(sum(1 << letters.index(letter) for letter in set(named)))
        return world


def _sentence(statement: Sequence[Any]) -> str:
    return _FORMS[statement[0]].format(_TERMS[statement[1]], _TERMS[statement[2]]) + "."


def _holds(statement: Sequence[Any], world: Sequence[int]) -> bool:
    form, s, p = statement
    both = any(kind >> s & kind >> p & 1 for kind in world)
    only = any(kind >> s & ~(kind >> p) & 1 for kind in world)
    return {"all": not only, "no": not both, "some": both, "some_not": only}[form]


def _world(terms: int, statements: Sequence[Sequence[Any]]) -> list[int] | None:
    """The largest world in which all statements hold and every term has a member, if there is one."""
    universal = [statement for statement in statements if statement[0] in ("all", "no")]
    world = [kind for kind in range(1 << terms) if all(_holds(statement, [kind]) for statement in universal)]
    peopled = all(any(kind >> term & 1 for kind in world) for term in range(terms))
    return world if peopled and all(_holds(statement, world) for statement in statements) else None


def _refuting(terms: int, premises: Sequence[Sequence[Any]], conclusion: Sequence[Any]) -> list[int] | None:
    """A world in which the premises hold and the conclusion does not."""
    form, s, p = conclusion
    return _world(terms, [*premises, [_OPPOSITE[form], s, p]])
