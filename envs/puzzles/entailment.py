"""Entailment: which statements follow from premises, and what refutes the others."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.formulas import LETTERS, column, draw, parts, table, words
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Entailment"]


class Entailment(Puzzle):
    """Say of each statement that it follows from the premises, or give values that refute it.

    Decided by truth tables. A statement that follows is no tautology and does not follow from one premise alone; one
    that does not is no contradiction. At least one is of either kind, and any refuting values are right.
    """

    family = "entailment"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "variables": Knob(3, 5, "variables", 2, 8),
        "premises": Knob(2, 4, "premises", 2, 8),
        "statements": Knob(3, 5, "statements to decide", 2, 8),
    }
    hardness_of = "rows of the truth table times the parts of all formulas"
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        variables, chance = knobs["variables"], Chance(rng)
        columns = [column(n, variables) for n in range(variables)]
        full = (1 << (1 << variables)) - 1
        count = knobs["statements"]
        draws = Draws(cls.family, 5000)
        while True:
            draws.count()
            premises = [draw(chance, variables, 2) for _ in range(knobs["premises"])]
            tables = [table(premise, columns) for premise in premises]
            models = full
            for one in tables:
                models &= one
            if not 1 <= models.bit_count() <= 1 << (variables - 2) or full in tables or len(set(tables)) < len(tables):
                continue
            follow = 1 + chance.below(count - 1)
            yes: list[Any] = []
            no: list[Any] = []
            seen = set(tables)
            for _ in range(60 * count):
                statement = draw(chance, variables, 1 + chance.below(2))
                truth = table(statement, columns)
                if truth in (0, full) or truth in seen:
                    continue
                if models & ~truth:
                    group, wanted = no, count - follow
                elif all(one & ~truth for one in tables):
                    group, wanted = yes, follow
                else:
                    continue
                if len(group) < wanted:
                    seen.add(truth)
                    group.append(statement)
                if len(yes) + len(no) == count:
                    statements = chance.shuffled(yes + no)
                    return cls({"variables": variables, "premises": premises, "statements": statements})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "variables", "premises", "statements")
        self.variables = fields.whole(data, "variables", 1, 8)
        self._parts = 0
        for key in ("premises", "statements"):
            if not isinstance(data[key], (list, tuple)) or not 1 <= len(data[key]) <= 20:
                raise BadInput(f"{key!r} is a list of 1 to 20 formulas, found {reprlib.repr(data[key])}")
            self._parts += sum(parts(formula, self.variables) for formula in data[key])
        columns = [column(n, self.variables) for n in range(self.variables)]
        self._models = (1 << (1 << self.variables)) - 1
        for premise in data["premises"]:
            self._models &= table(premise, columns)
        self._refuting = [self._models & ~table(statement, columns) for statement in data["statements"]]

    def prove(self) -> None:
        if not self._models:
            raise BadInput("the premises contradict one another, so that everything follows")
        if all(self._refuting) or not any(self._refuting):
            raise BadInput("one statement has to follow and another not, or a guess would do")

    def question(self) -> str:
        letters = LETTERS[: self.variables]
        premises = "\n".join(f"- {words(premise)}" for premise in self.data["premises"])
        statements = "\n".join(f"{n}. {words(statement)}" for n, statement in enumerate(self.data["statements"], 1))
        return (
            f"{', '.join(letters)} are each true or false. 'or' means one or both, 'or else' means exactly one, and "
            "'X implies Y' is false only when X is true and Y is false. These are known:\n"
            f"{premises}\nWhich of these follow?\n{statements}\n"
            f"For each that does not follow, give values of {', '.join(letters)} with which everything known is true "
            "and the statement is false, as one T or F for each letter in order. End with a line such as "
            f"'Answer: 1=follows, 2={('TF' * self.variables)[: self.variables]}', naming every statement."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.mapping(answer, [str(n + 1) for n in range(len(self._refuting))])
        for number, (key, value) in enumerate(said.items()):
            if answers.tidy(value) in ("follows", "entailed"):
                if self._refuting[number]:
                    return Verdict.wrong(f"statement {key} does not follow")
                continue
            letters = value.strip().upper()
            if len(letters) != self.variables or not set(letters) <= set("TF"):
                raise Unreadable(f"'follows' or {self.variables} letters T or F are asked for, found {value[:40]!r}")
            world = sum(1 << n for n, letter in enumerate(letters) if letter == "T")
            if not self._models >> world & 1:
                return Verdict.wrong(f"the values for statement {key} make a premise false")
            if not self._refuting[number] >> world & 1:
                return Verdict.wrong(f"the values for statement {key} do not make it false")
        return Verdict.right()

    def solution(self) -> str:
        return ", ".join(
            f"{number}={self._values((refuting & -refuting).bit_length() - 1) if refuting else 'follows'}"
            for number, refuting in enumerate(self._refuting, 1)
        )

    def hardness(self) -> float:
        return float(self._parts << self.variables)

    def cheats(self) -> Sequence[str]:
        keys = range(1, len(self._refuting) + 1)
        return tuple(
            ", ".join(f"{n}={said}" for n in keys)
            for said in ("follows", "T" * self.variables, "F" * self.variables, "follows TTT", "")
        )

    def _values(self, world: int) -> str:
        return "".join("T" if world >> n & 1 else "F" for n in range(self.variables))
