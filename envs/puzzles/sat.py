"""Satisfiability: a satisfying assignment, or a refutation that can be checked line by line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
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

__all__ = ["Satisfiability"]

_MOST_LINES = 60

Signs = tuple[int, int]
"""A clause: the variables that stand in it plainly, and those negated, as bits."""


class Satisfiability(Puzzle):
    """Satisfy a formula in conjunctive normal form, or refute it.

    Random clauses are added until no assignment is left; an unsatisfiable instance keeps the last clause, a satisfiable
    one does not, so both stand exactly at their threshold and look alike. Decided by a table of all assignments.

    A refutation is a list of clauses, each following by unit propagation from the clauses before it (RUP, the checkable
    core of DRUP proofs: Goldberg and Novikov 2003), until unit propagation alone meets a contradiction.
    """

    family = "satisfiability"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "variables": Knob(4, 9, "variables", 3, 12),
        "length": Knob(3, 3, "literals of a clause", 2, 4),
        "impossible": Knob(0.5, 0.5, "share of unsatisfiable instances", 0.0, 1.0),
    }
    hardness_of = "clauses times variables"
    floor: ClassVar[float] = 0.04

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        variables, length, chance = knobs["variables"], min(knobs["length"], knobs["variables"]), Chance(rng)
        columns = _columns(variables)
        draws = Draws(cls.family, 500)
        while True:
            draws.count()
            left = (1 << (1 << variables)) - 1
            clauses: list[list[int]] = []
            seen: set[tuple[int, ...]] = set()
            while left:
                chosen = sorted(chance.sample(range(1, variables + 1), length))
                clause = [v if chance.share() < 0.5 else -v for v in chosen]
                if tuple(clause) not in seen:
                    seen.add(tuple(clause))
                    clauses.append(clause)
                    before, left = left, left & _models(clause, columns)
            impossible = chance.share() < knobs["impossible"]
            if not impossible:
                clauses.pop()
                left = before
            puzzle = cls({"variables": variables, "clauses": chance.shuffled(clauses)})
            if not impossible or len(puzzle.refutation()) <= _MOST_LINES // 2:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "variables", "clauses")
        self.variables = fields.whole(data, "variables", 1, 12)
        if not isinstance(data["clauses"], (list, tuple)) or not 1 <= len(data["clauses"]) <= 300:
            raise BadInput(f"'clauses' is a list of 1 to 300 lists of literals, found {data['clauses']!r:.80}")
        self._clauses: list[Signs] = []
        columns = _columns(self.variables)
        self._left = (1 << (1 << self.variables)) - 1
        for clause in data["clauses"]:
            literals = fields.wholes(
                {"clauses": clause}, "clauses", -self.variables, self.variables, most=self.variables
            )
            if 0 in literals or len({abs(literal) for literal in literals}) < len(literals):
                raise BadInput(f"a clause holds each variable once, as v or -v with v from 1; found {clause!r:.80}")
            self._clauses.append(_signs(literals))
            self._left &= _models(literals, columns)
        self._lines: list[Signs] | None = None

    def prove(self) -> None:
        if not self._left and len(self.refutation()) > _MOST_LINES:
            raise BadInput(f"the formula is unsatisfiable, and the refutation found has over {_MOST_LINES} lines")

    def canonical(self) -> Any:
        return [self.variables, sorted(sorted(clause, key=abs) for clause in self.data["clauses"])]

    def question(self) -> str:
        clauses = "\n".join(" ".join(map(str, clause)) for clause in self.data["clauses"])
        return (
            f"Here are clauses over the variables 1 to {self.variables}, one a line. A clause is true if one of its "
            "literals is: v says that variable v is true, and -v that it is false.\n"
            f"{clauses}\nEither make all clauses true, or show that nobody can.\n"
            "In the first case, end with a line 'Answer: ' and a literal for every variable, such as "
            f"'Answer: 1 -2 3'{'' if self.variables == 3 else ', up to variable ' + str(self.variables)}.\n"
            "In the second case, end with a line 'Answer: UNSAT: ' and a list of clauses, separated by ';', such as "
            "'Answer: UNSAT: 1 -2; 1; -3'. Each has to follow from the clauses above and those before it by unit "
            "propagation: if all of its literals are made false, then taking over again and again the last literal of "
            "a clause whose other literals are false makes some clause false. With the whole list, the same has to "
            f"happen without making anything false first. At most {_MOST_LINES} clauses."
        )

    def judge(self, answer: str) -> Verdict:
        text = answers.tidy(answer)
        if text.startswith("unsat"):
            return self._refuted(text)
        literals = answers.wholes(answer, most=self.variables)
        if any(not 1 <= abs(v) <= self.variables for v in literals) or len({abs(v) for v in literals}) < len(literals):
            raise Unreadable(f"one literal for each variable from 1 to {self.variables} is asked for")
        true, false = _signs(literals)
        for clause, (plain, negated) in zip(self.data["clauses"], self._clauses, strict=True):
            if not (plain & true or negated & false):
                return Verdict.wrong(f"the clause {' '.join(map(str, clause))} is not true")
        return Verdict.right()

    def solution(self) -> str:
        if self._left:
            world = (self._left & -self._left).bit_length() - 1
            return " ".join(str(v + 1 if world >> v & 1 else -v - 1) for v in range(self.variables))
        lines = []
        for plain, negated in self.refutation():
            literals = [
                (v + 1) * (1 if plain >> v & 1 else -1) for v in range(self.variables) if (plain | negated) >> v & 1
            ]
            lines.append(" ".join(map(str, literals)))
        return "UNSAT: " + "; ".join(lines)

    def hardness(self) -> float:
        return float(len(self._clauses) * self.variables)

    def cheats(self) -> Sequence[str]:
        units = "; ".join(str(v) for v in range(1, self.variables + 1))
        return ("UNSAT", "UNSAT:", f"UNSAT: {units}", "UNSAT: 1; -1", "UNSAT: ; ;", "SAT", "1 -1", "0")

    def refutation(self) -> list[Signs]:
        """The clauses of a refutation, from a search with unit propagation; for unsatisfiable instances only."""
        if self._lines is None:
            lines: list[Signs] = []
            _refute(self._clauses, 0, 0, self.variables, lines)
            # backwards, drop what the rest can do without
            for line in lines.copy():
                fewer = [other for other in lines if other is not line]
                if _checked(self._clauses, fewer) is None:
                    lines = fewer
            self._lines = lines
        return self._lines

    def _refuted(self, text: str) -> Verdict:
        body = re.sub(r"^unsat[a-z]* ?:?", "", text).strip(" ;")
        lines = body.split(";") if body else []
        if len(lines) > _MOST_LINES:
            raise Unreadable(f"at most {_MOST_LINES} clauses are read, found {len(lines)}")
        clauses = []
        for line in lines:
            literals = answers.wholes(line, most=self.variables)
            if not literals or any(not 1 <= abs(v) <= self.variables for v in literals):
                raise Unreadable(f"literals from 1 to {self.variables} are asked for, found {line.strip()[:40]!r}")
            clauses.append(_signs(literals))
        wrong = _checked(self._clauses, clauses)
        if wrong is None:
            return Verdict.right(f"refuted in {len(clauses)} lines")
        if wrong == len(clauses):
            return Verdict.wrong("after the list, unit propagation does not meet a contradiction")
        return Verdict.wrong(f"clause {wrong + 1} of the list does not follow by unit propagation")


def _signs(literals: Sequence[int]) -> Signs:
    plain = negated = 0
    for literal in literals:
        if literal > 0:
            plain |= 1 << literal - 1
        else:
            negated |= 1 << -literal - 1
    return plain, negated


@lru_cache(maxsize=16)
def _columns(variables: int) -> list[int]:
    """For each variable the assignments in which it is true, as bits."""
    return [sum(1 << world for world in range(1 << variables) if world >> v & 1) for v in range(variables)]


def _models(clause: Sequence[int], columns: list[int]) -> int:
    full = (1 << (1 << len(columns))) - 1
    models = 0
    for literal in clause:
        models |= columns[literal - 1] if literal > 0 else full ^ columns[-literal - 1]
    return models


def _propagate(clauses: Sequence[Signs], true: int, false: int) -> tuple[int, int] | None:
    """What follows by unit propagation, or `None` for a contradiction."""
    while True:
        before = true | false
        for plain, negated in clauses:
            if plain & true or negated & false:
                continue
            up, down = plain & ~false, negated & ~true
            rest = up | down
            if not rest:
                return None
            if not rest & (rest - 1):
                true |= up
                false |= down
        if true | false == before:
            return true, false


def _checked(clauses: Sequence[Signs], lines: Sequence[Signs]) -> int | None:
    """The first line that does not follow, `len(lines)` if they do not refute, `None` if they do."""
    known = list(clauses)
    for number, (plain, negated) in enumerate(lines):
        if not plain & negated and _propagate(known, negated, plain) is not None:
            return number
        known.append((plain, negated))
    return None if _propagate(known, 0, 0) is None else len(lines)


def _refute(clauses: Sequence[Signs], true: int, false: int, variables: int, lines: list[Signs]) -> None:
    """Collect lines until unit propagation from these decisions meets a contradiction."""
    settled = _propagate([*clauses, *lines], true, false)
    if settled is None:
        return
    have, lack = settled
    count = [0] * variables
    for plain, negated in clauses:
        if not (plain & have or negated & lack):
            rest = plain & ~lack | negated & ~have
            weight = 4 if rest.bit_count() == 2 else 1
            for v in range(variables):
                count[v] += weight * (rest >> v & 1)
    bit = 1 << max(range(variables), key=lambda v: (count[v], -v))
    _refute(clauses, true | bit, false, variables, lines)
    lines.append((false, true | bit))
    _refute(clauses, true, false | bit, variables, lines)
