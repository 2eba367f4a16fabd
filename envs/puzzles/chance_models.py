"""Exact questions about chance: Bayes nets, Markov chains, and games of stopping."""

from __future__ import annotations

import functools
import itertools
import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.linear_system import solve
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["BayesNet", "HittingTime", "StoppingGame"]


class _Exact(Puzzle):
    """One exact number."""

    @property
    @abstractmethod
    def value(self) -> Fraction | None:
        """The answer; `None` if there is none."""

    def judge(self, answer: str) -> Verdict:
        said = answers.rational(answer)
        return Verdict.right() if said == self.value else Verdict.wrong(f"{str(said)[:40]} is not the exact value")

    def solution(self) -> str:
        return str(self.value)

    def cheats(self) -> Sequence[str]:
        return ("Answer: 1/0", "Answer: nan", "Answer: 1e3", "Answer: -1")

    def _end(self) -> str:
        return "End with a line 'Answer: ' and the exact value, as a fraction like 3/4 or a whole number."


class BayesNet(_Exact):
    """Find a probability in a Bayes net of yes-or-no variables, given what is known about others."""

    family = "bayes_net"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "variables": Knob(3, 6, "variables", 2, 8),
        "parents": Knob(1, 2, "parents of a variable, at most", 1, 3),
        "known": Knob(1, 2, "variables that are known", 0, 4),
    }
    hardness_of = "binary digits of the numerator and the denominator, and the variables twice"
    floor: ClassVar[float] = 0.03

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["variables"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            parents, tables = [], []
            for v in range(n):
                some = sorted(rng.permutation(v)[: int(rng.integers(1, knobs["parents"] + 1))].tolist()) if v else []
                parents.append(some)
                tables.append(rng.integers(1, 10, size=1 << len(some)).tolist())
            order = rng.permutation(n).tolist()
            known = [[v, int(rng.integers(2))] for v in sorted(order[1 : 1 + min(knobs["known"], n - 1)])]
            puzzle = cls({"parents": parents, "tables": tables, "query": order[0], "known": known})
            alone = puzzle._given([])
            if puzzle.value not in (alone, Fraction(1, 2)) or not known:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "parents", "tables", "query", "known")
        parents, tables, known = data["parents"], data["tables"], data["known"]
        if not (isinstance(parents, (list, tuple)) and 2 <= len(parents) <= 8):
            raise BadInput(f"'parents' are lists of earlier variables, one for each of 2 to 8, found {parents!r:.80}")
        if not (isinstance(tables, (list, tuple)) and len(tables) == len(parents)):
            raise BadInput(f"'tables' has a list for each variable, found {tables!r:.80}")
        self.parents = [
            fields.wholes({"parents": p}, "parents", 0, v - 1, least=0, most=3) if v or p != [] else ()
            for v, p in enumerate(parents)
        ]
        self.tables = []
        for some, table in zip(self.parents, tables, strict=True):
            if len(set(some)) < len(some):
                raise BadInput(f"'parents' names a variable twice: {list(some)}")
            size = 1 << len(some)
            self.tables.append(fields.wholes({"tables": table}, "tables", 0, 10, least=size, most=size))
        n = len(parents)
        self.query = fields.whole(data, "query", 0, n - 1)
        self.known = [] if known == [] else [list(r) for r in fields.matrix(data, "known", 0, n - 1, columns=2, most=n)]
        if any(value > 1 or v == self.query for v, value in self.known) or len({v for v, _ in self.known}) < len(
            self.known
        ):
            raise BadInput(f"'known' are pairs of another variable and 0 or 1, found {known!r:.80}")

    def prove(self) -> None:
        if self.value is None:
            raise BadInput("what is known is impossible")

    def _given(self, known: Sequence[Sequence[int]]) -> Fraction | None:
        total = yes = 0
        for world in itertools.product((0, 1), repeat=len(self.parents)):
            if all(world[v] == value for v, value in known):
                weight = 1
                for v, (some, table) in enumerate(zip(self.parents, self.tables, strict=True)):
                    chance = table[sum(world[p] << i for i, p in enumerate(some))]
                    weight *= chance if world[v] else 10 - chance
                total += weight
                yes += weight * world[self.query]
        return Fraction(yes, total) if total else None

    @functools.cached_property
    def value(self) -> Fraction | None:
        return self._given(self.known)

    def question(self) -> str:
        names = "ABCDEFGH"
        lines = []
        for v, (some, table) in enumerate(zip(self.parents, self.tables, strict=True)):
            if not some:
                lines.append(f"{names[v]} is true with probability {table[0]}/10.")
            for k, chance in enumerate(table if some else ()):
                when = " and ".join(f"{names[p]} is {'true' if k >> i & 1 else 'false'}" for i, p in enumerate(some))
                lines.append(f"If {when}, {names[v]} is true with probability {chance}/10.")
        known = " and ".join(f"{names[v]} is {'true' if value else 'false'}" for v, value in self.known)
        return (
            "Variables are true or false. Each depends only on those named here:\n" + "\n".join(lines) + "\n"
            f"What is the probability that {names[self.query]} is "
            f"true{', given that ' + known if known else ''}?\n{self._end()}"
        )

    def hardness(self) -> float:
        value = self.value or Fraction(0)
        return float(value.numerator.bit_length() + value.denominator.bit_length() + 2 * len(self.parents))


class HittingTime(_Exact):
    """Find the expected number of steps until a Markov chain reaches a state: a system of linear equations, exactly."""

    family = "hitting_time"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "states": Knob(3, 6, "states", 2, 9),
        "parts": Knob(4, 6, "parts into which the chances of each state are divided", 2, 12),
    }
    hardness_of = "binary digits of the numerator and the denominator, and the states"
    floor: ClassVar[float] = 0.08

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n, parts = knobs["states"], knobs["parts"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rows = []
            for _ in range(n):
                row = [0] * n
                for j in rng.integers(n, size=int(parts)).tolist():
                    row[j] += 1
                rows.append(row)
            start, target = rng.permutation(n)[:2].tolist()
            puzzle = cls({"rows": rows, "start": start, "target": target})
            if puzzle.value is not None and puzzle.value.denominator > 1:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rows", "start", "target")
        self.rows = fields.matrix(data, "rows", 0, 100, most=10)
        n = len(self.rows)
        if n < 2 or n != len(self.rows[0]) or not all(map(sum, self.rows)):
            raise BadInput(f"'rows' is a square table whose rows have a sum above 0, found {len(self.rows)} rows")
        self.start, self.target = fields.whole(data, "start", 0, n - 1), fields.whole(data, "target", 0, n - 1)
        if self.start == self.target:
            raise BadInput(f"'start' and 'target' differ, found {self.start} twice")

    def prove(self) -> None:
        if self.value is None:
            raise BadInput("the chain may never reach the target")

    @functools.cached_property
    def value(self) -> Fraction | None:
        n = len(self.rows)
        back = {self.target}  # who can reach the target
        while True:
            more = {i for i, row in enumerate(self.rows) if any(row[j] for j in back)} | back
            if more == back:
                break
            back = more
        ahead = {self.start}  # where the chain may go before it reaches the target
        while True:
            more = {j for i in ahead if i != self.target for j, part in enumerate(self.rows[i]) if part} | ahead
            if more == ahead:
                break
            ahead = more
        if not ahead <= back:
            return None
        order = sorted(ahead - {self.target})
        equations = [
            [(sum(self.rows[i]) if i == j else 0) - self.rows[i][j] for j in order] + [sum(self.rows[i])] for i in order
        ]
        values, rank, _ = solve(equations)
        assert values is not None, "the chain reaches its target"
        assert rank == len(order) <= n, "the chain reaches its target"
        return values[order.index(self.start)]

    def question(self) -> str:
        lines = "\n".join(
            f"from {i}: "
            + ", ".join(f"to {j} with probability {Fraction(part, sum(row))}" for j, part in enumerate(row) if part)
            for i, row in enumerate(self.rows)
        )
        return (
            f"In each step a chain moves between the states 0 to {len(self.rows) - 1} like this:\n{lines}\nIt starts "
            f"in state {self.start}. What is the expected number of steps until it is in state {self.target} for the "
            "first time?\n"
            f"{self._end()}"
        )

    def hardness(self) -> float:
        value = self.value or Fraction(0)
        return float(value.numerator.bit_length() + value.denominator.bit_length() + len(self.rows))


class StoppingGame(_Exact):
    """Find the value of a game under best play: roll a die again for a price, or take what it shows."""

    family = "stopping_game"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "faces": Knob(4, 8, "faces of the die", 2, 12),
        "rolls": Knob(2, 5, "rolls at most", 2, 8),
        "highest": Knob(12, 30, "highest amount on a face", 2, 1000),
    }
    hardness_of = "binary digits of the numerator and the denominator, and faces times rolls"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            faces = sorted(rng.integers(0, knobs["highest"] + 1, size=int(knobs["faces"])).tolist())
            puzzle = cls({"faces": faces, "rolls": knobs["rolls"], "price": int(rng.integers(0, 3))})
            plain = Fraction(sum(faces), len(faces))
            if puzzle.value != plain and puzzle.value.denominator > 1:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "faces", "rolls", "price")
        self.faces = fields.wholes(data, "faces", 0, 10**6, least=2, most=20)
        self.rolls, self.price = fields.whole(data, "rolls", 1, 12), fields.whole(data, "price", 0, 10**6)

    @functools.cached_property
    def value(self) -> Fraction:
        worth = Fraction(sum(self.faces), len(self.faces))
        for _ in range(self.rolls - 1):
            worth = sum((max(Fraction(face), worth - self.price) for face in self.faces), Fraction(0)) / len(self.faces)
        return worth

    def question(self) -> str:
        price = f"pay {self.price} and roll again" if self.price else "roll again for nothing"
        return (
            f"A fair die has the amounts {', '.join(map(str, self.faces))} on its {len(self.faces)} faces. You roll "
            f"it once for nothing. After each roll you either take the amount that it shows, and the game ends, or "
            f"{price}; after roll {self.rolls} you have to take what it shows. What do you win on average if you "
            f"play as well as possible, less what you pay?\n{self._end()}"
        )

    def hardness(self) -> float:
        value = self.value
        return float(value.numerator.bit_length() + value.denominator.bit_length() + len(self.faces) * self.rolls)

    def cheats(self) -> Sequence[str]:
        plain = Fraction(sum(self.faces), len(self.faces))
        return (
            f"Answer: {max(self.faces)}",
            *((f"Answer: {plain}",) if plain != self.value else ()),
            f"Answer: {math.pi}",
        )
