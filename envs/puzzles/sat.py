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

_MOST_LINES = 200

Signs = tuple[int, int]
"""A clause: the variables that stand in it plainly, and those negated, as bits."""


class Satisfiability(Puzzle):
    """Satisfy a formula in conjunctive normal form, or refute it.

    Random clauses are added until no assignment is left; an unsatisfiable instance keeps the last clause, a satisfiable
    one does not, so both stand exactly at their threshold and look alike. Decided by a table of all assignments.

    A refutation is by resolution: each step names two clauses that clash in exactly one variable, and adds what is left
    of both, until nothing is. It names clauses by their numbers, so that none is right without reading the instance
    (lists of clauses that follow by unit propagation would be: one list refutes most small formulas).
    """

    family = "satisfiability"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "variables": Knob(5, 9, "variables", 4, 12),
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
        self._steps: list[tuple[int, int]] | None = None

    def prove(self) -> None:
        if not self._left and len(self.refutation()) > _MOST_LINES:
            raise BadInput(f"the formula is unsatisfiable, and the refutation found has over {_MOST_LINES} steps")

    @classmethod
    def from_dimacs(cls, text: str) -> Self:
        """Read a formula in DIMACS CNF: comment lines `c`, a header `p cnf VARIABLES CLAUSES`, literals ended by 0.

        Raises:
            BadInput: With the line, if it is none, or if the formula is too large for this family.
        """
        variables = 0
        clauses: list[list[int]] = []
        clause: list[int] = []
        for number, line in enumerate(text[:100_000].splitlines(), 1):
            words = line.split()
            if not words or words[0] in ("c", "%"):
                continue
            if words[0] == "p":
                if variables or len(words) != 4 or words[1] != "cnf" or not words[2].isdecimal():
                    raise BadInput(f"line {number}: the header is 'p cnf VARIABLES CLAUSES', once, found {line[:60]!r}")
                variables = int(words[2][:6])
                continue
            if not variables:
                raise BadInput(f"line {number}: clauses come after the header 'p cnf ...'")
            for word in words:
                if not re.fullmatch(r"-?[0-9]{1,6}", word, re.ASCII):
                    raise BadInput(f"line {number}: a literal is a whole number, found {word[:20]!r}")
                if int(word):
                    clause.append(int(word))
                else:
                    clauses.append(clause)
                    clause = []
        if clause:
            raise BadInput("the last clause is not ended by 0")
        return cls.from_instance({"variables": variables, "clauses": clauses})

    def dimacs(self) -> str:
        """The formula in DIMACS CNF."""
        clauses = self.data["clauses"]
        lines = [f"p cnf {self.variables} {len(clauses)}", *(" ".join(map(str, [*clause, 0])) for clause in clauses)]
        return "\n".join(lines) + "\n"

    def canonical(self) -> Any:
        return [self.variables, sorted(sorted(clause, key=abs) for clause in self.data["clauses"])]

    def question(self) -> str:
        clauses = "\n".join(f"{n}: {' '.join(map(str, clause))}" for n, clause in enumerate(self.data["clauses"], 1))
        next_ = len(self._clauses) + 1
        return (
            f"Here are clauses over the variables 1 to {self.variables}, numbered, one a line. A clause is true "
            "if one of its "
            "literals is: v says that variable v is true, and -v that it is false.\n"
            f"{clauses}\nEither make all clauses true, or show that nobody can.\n"
            "In the first case, end with a line 'Answer: ' and a literal for every variable, such as "
            f"'Answer: 1 -2 3'{'' if self.variables == 3 else ', up to variable ' + str(self.variables)}.\n"
            "In the second case, end with a line 'Answer: UNSAT: ' and steps separated by ';', each the numbers "
            "of two "
            "clauses, such as "
            f"'Answer: UNSAT: 1 2; {next_} 3'. The two have to clash in exactly one variable, which stands as v "
            "in one "
            "and as -v in the other; the step makes a new clause of all their other literals, with the next number: "
            f"the first step makes clause {next_}. The last step has to make the empty clause. "
            f"At most {_MOST_LINES} steps."
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
        return "UNSAT: " + "; ".join(f"{one + 1} {other + 1}" for one, other in self.refutation())

    def hardness(self) -> float:
        return float(len(self._clauses) * self.variables)

    def cheats(self) -> Sequence[str]:
        count = len(self._clauses)
        every = "; ".join(f"{n} {n + 1}" for n in range(1, count))
        return (
            "UNSAT",
            "UNSAT:",
            f"UNSAT: {every}",
            "UNSAT: 1 1",
            f"UNSAT: 1 {count + 1}",
            "UNSAT: ; ;",
            "SAT",
            "1 -1",
            "0",
        )

    def refutation(self) -> list[tuple[int, int]]:
        """The steps of a refutation, clauses counted from 0; for unsatisfiable instances only."""
        if self._steps is None:
            self._steps = _refute(self._clauses, self.variables)
        return self._steps

    def _refuted(self, text: str) -> Verdict:
        body = re.sub(r"^unsat[a-z]* ?:?", "", text).strip(" ;")
        lines = body.split(";") if body else []
        if len(lines) > _MOST_LINES:
            raise Unreadable(f"at most {_MOST_LINES} steps are read, found {len(lines)}")
        known = list(self._clauses)
        for number, line in enumerate(lines, 1):
            one, other = answers.wholes(line, count=2)
            if not (1 <= one <= len(known) and 1 <= other <= len(known)):
                return Verdict.wrong(f"step {number} names a clause that is not there")
            resolvent = _resolve(known[one - 1], known[other - 1])
            if resolvent is None:
                return Verdict.wrong(f"clauses {one} and {other} do not clash in exactly one variable")
            if not any(resolvent):
                return Verdict.right(f"refuted in {number} steps")
            known.append(resolvent)
        return Verdict.wrong(f"no step of {len(lines)} gives the empty clause")


def _resolve(one: Signs, other: Signs) -> Signs | None:
    """The resolvent of two clauses, if exactly one variable stands plainly in one and negated in the other."""
    clash = one[0] & other[1] | one[1] & other[0]
    if not clash or clash & (clash - 1):
        return None
    return (one[0] | other[0]) & ~clash, (one[1] | other[1]) & ~clash


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


def _refute(clauses: Sequence[Signs], variables: int) -> list[tuple[int, int]]:
    """A refutation: pairs of clauses to resolve, counted from 0, each resolvent taking the next number.

    A search with unit propagation; every dead end gives a clause that is false there, by resolving the clause that
    failed with the clauses that forced its variables, and two branches are resolved on their variable.
    """
    known = list(clauses)
    number = {clause: n for n, clause in reversed(list(enumerate(clauses)))}
    steps: list[tuple[int, int]] = []

    def resolved(one: int, other: int) -> int:
        clause = _resolve(known[one], known[other])
        assert clause is not None
        if clause not in number:
            number[clause] = len(known)
            known.append(clause)
            steps.append((one, other))
        return number[clause]

    def false_clause(true: int, false: int) -> int:
        """A known clause that is false once these variables are true and these false."""
        trail: list[tuple[int, int]] = []  # forced variables, with the clauses that forced them
        dead = -1
        fresh = True
        while fresh and dead < 0:
            fresh = False
            for at, (plain, negated) in enumerate(known):
                if plain & true or negated & false:
                    continue
                up, down = plain & ~false, negated & ~true
                rest = up | down
                if not rest:
                    dead = at
                    break
                if not rest & (rest - 1):
                    true, false = true | up, false | down
                    trail.append((rest, at))
                    fresh = True
        if dead < 0:
            count = [0] * variables
            for plain, negated in clauses:
                if not (plain & true or negated & false):
                    rest = plain & ~false | negated & ~true
                    for v in range(variables):
                        count[v] += (4 if rest.bit_count() == 2 else 1) * (rest >> v & 1)
            bit = 1 << max(range(variables), key=lambda v: (count[v], -v))
            dead = false_clause(true | bit, false)
            if known[dead][1] & bit:
                other = false_clause(true, false | bit)
                dead = resolved(dead, other) if known[other][0] & bit else other
        for bit, reason in reversed(trail):
            if (known[dead][0] | known[dead][1]) & bit:
                dead = resolved(dead, reason)
        return dead

    last = false_clause(0, 0)
    # keep what the empty clause needs, and number it anew
    needed, wanted = [], {last}
    for at in range(last, len(clauses) - 1, -1):
        if at in wanted:
            needed.append(at)
            wanted.update(steps[at - len(clauses)])
    new = {at: len(clauses) + n for n, at in enumerate(reversed(needed))}
    return [
        (new.get(one, one), new.get(other, other))
        for one, other in (steps[at - len(clauses)] for at in reversed(needed))
    ]
