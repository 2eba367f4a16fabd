"""Rules from examples: what grids and lists share.

A rule is one of a closed list of operations, or some of them one after the other. A generator draws a rule and
examples, and then goes through every rule of at most that length: what all rules that fit the examples make of the last
input has to be the same. So the answer is unique within the grammar, which the question states in full.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput

__all__ = ["Operation", "RulePuzzle", "apply_all", "fitting"]

T = TypeVar("T")
Operation = Callable[[T], "T | None"]
"""Carries out one operation; `None` where it cannot be carried out."""


def apply_all(rule: Sequence[Operation[T]], value: T) -> T | None:
    """Carry out operations one after the other."""
    result: T | None = value
    for operation in rule:
        if result is None:
            return None
        result = operation(result)
    return result


def fitting(
    operations: Sequence[Operation[T]], depth: int, pairs: Sequence[tuple[T, T]]
) -> tuple[list[tuple[Operation[T], ...]], int]:
    """Every rule of at most `depth` operations that fits all pairs, shorter ones first; and how many came before."""
    (first, wanted), others = pairs[0], pairs[1:]
    found: list[tuple[Operation[T], ...]] = []
    level: list[tuple[tuple[Operation[T], ...], T]] = [((), first)]
    tried = before = 0
    for length in range(1, depth + 1):
        longer: list[tuple[tuple[Operation[T], ...], T]] = []
        for rule, value in level:
            for operation in operations:
                tried += 1
                result = operation(value)
                if result is None:
                    continue
                if result == wanted and all(apply_all((*rule, operation), one) == two for one, two in others):
                    found.append((*rule, operation))
                    before = before or tried
                if length < depth:
                    longer.append(((*rule, operation), result))
        level = longer
    return found, before or tried


class RulePuzzle(Puzzle, Generic[T]):
    """Find out a rule from examples, and apply it to one more input."""

    hardness_of = "rules that are tried before one fits, times the size of the examples"
    observation_limit = 8192
    operations: ClassVar[Mapping[str, Operation[Any]]]
    """Each in words, with what carries it out."""

    @classmethod
    @abstractmethod
    def draw(cls, rng: np.random.Generator, knobs: Knobs) -> T:
        """A random input."""

    @classmethod
    @abstractmethod
    def value(cls, data: Any, key: str) -> T:
        """Read an input or output from JSON content."""

    @classmethod
    @abstractmethod
    def content(cls, value: T) -> Any:
        """An input or output as JSON content."""

    @abstractmethod
    def written(self, value: T) -> str:
        """An input or output as text."""

    @abstractmethod
    def size(self, value: T) -> int:
        """How large an input is."""

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        operations, depth = list(cls.operations.values()), knobs["depth"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            rule = [operations[i] for i in rng.integers(len(operations), size=int(depth)).tolist()]
            pairs: list[tuple[T, T]] = []
            for _ in range(8 * knobs["examples"]):
                given = cls.draw(rng, knobs)
                result = apply_all(rule, given)
                if result is not None and result != given and (given, result) not in pairs:
                    pairs.append((given, result))
                if len(pairs) > knobs["examples"]:
                    break
            else:
                continue
            (test, _), *shown = pairs
            rules, before = fitting(operations, depth, shown)
            outcomes = [apply_all(found, test) for found in rules]
            if all(len(found) == depth for found in rules) and all(outcome == outcomes[0] for outcome in outcomes):
                puzzle = cls(
                    {
                        "pairs": [[cls.content(a), cls.content(b)] for a, b in shown],
                        "test": cls.content(test),
                        "depth": depth,
                    }
                )
                puzzle.__dict__["searched"] = (outcomes[0], before)
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "pairs", "test", "depth")
        pairs = data["pairs"]
        if not (isinstance(pairs, (list, tuple)) and 1 <= len(pairs) <= 8):
            raise BadInput(f"'pairs' are 1 to 8 pairs of an input and an output, found {pairs!r:.80}")
        if any(not isinstance(pair, (list, tuple)) or len(pair) != 2 for pair in pairs):
            raise BadInput(f"'pairs' are pairs of an input and an output, found {pairs!r:.80}")
        self.pairs = [(self.value(one, "pairs"), self.value(two, "pairs")) for one, two in pairs]
        self.test = self.value(data["test"], "test")
        self.depth = fields.whole(data, "depth", 1, 2)

    def prove(self) -> None:
        if self.searched[0] is None:
            raise BadInput(
                f"the rules of at most {self.depth} operations that fit the examples do not agree, or there is none"
            )

    @functools.cached_property
    def searched(self) -> tuple[T | None, int]:
        """What every fitting rule makes of the test (`None` if they disagree), and the rules tried before one fits."""
        rules, before = fitting(list(self.operations.values()), self.depth, self.pairs)
        outcomes = [apply_all(rule, self.test) for rule in rules]
        same = bool(outcomes) and all(outcome == outcomes[0] for outcome in outcomes)
        return (outcomes[0] if same else None), before

    @property
    def outcome(self) -> T:
        """The answer."""
        found = self.searched[0]
        assert found is not None
        return found

    def canonical(self) -> Any:
        return [sorted([self.content(a), self.content(b)] for a, b in self.pairs), self.content(self.test)]

    def hardness(self) -> float:
        return float(self.searched[1] * sum(self.size(a) + self.size(b) for a, b in self.pairs))

    def listed(self) -> str:
        """The grammar of rules and the examples, in words."""
        rules = (
            "one of these operations"
            if self.depth == 1
            else f"at most {self.depth} of these operations, one after another"
        )
        names = "\n".join(f"- {name}" for name in self.operations)
        return f"A secret rule is {rules}:\n{names}\n"
