"""Exact probabilities of dice and urns, by going through all outcomes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["DiceOdds", "UrnOdds"]

Outcome = tuple[int, ...]


class _Odds(Puzzle):
    """A probability: of one event, or of one given another."""

    hardness_of = "binary digits of the numerator and the denominator, and the outcomes' binary logarithm"

    @functools.cached_property
    def value(self) -> Fraction | None:
        """The probability; `None` if the condition is impossible."""
        total = both = Fraction(0)
        for outcome, weight in self.outcomes():
            if self.given is None or _holds(self.given, outcome):
                total += weight
                if _holds(self.event, outcome):
                    both += weight
        return both / total if total else None

    event: tuple[str, int, int]
    given: tuple[str, int, int] | None

    def outcomes(self) -> list[tuple[Outcome, Fraction]]:
        """Every outcome with its weight; the weights need not add up to 1."""
        raise NotImplementedError

    def prove(self) -> None:
        if self.value is None:
            raise BadInput("the condition is impossible")

    def _read_events(self, data: Mapping[str, Any], kinds: Sequence[str]) -> None:
        self.event = _event(data["event"], "event", kinds)
        self.given = _event(data["given"], "given", kinds) if data.get("given", []) != [] else None

    def judge(self, answer: str) -> Verdict:
        said = answers.rational(answer)
        return Verdict.right() if said == self.value else Verdict.wrong(f"{str(said)[:40]} is not the probability")

    def solution(self) -> str:
        return str(self.value)

    def hardness(self) -> float:
        value = self.value or Fraction(0)
        return float(value.numerator.bit_length() + value.denominator.bit_length() + len(self.outcomes()).bit_length())

    def cheats(self) -> Sequence[str]:
        return ("Answer: 2", "Answer: -1", "Answer: 1e-1", "Answer: 50%", "Answer: 1/0")

    def _asked(self, words: Callable[[tuple[str, int, int]], str]) -> str:
        given = f", given that {words(self.given)}" if self.given else ""
        return (
            f"What is the probability that {words(self.event)}{given}?\n"
            "End with a line 'Answer: ' and the exact probability, as a fraction like 3/4 or a whole number."
        )


def _event(data: Any, key: str, kinds: Sequence[str]) -> tuple[str, int, int]:
    if not (isinstance(data, (list, tuple)) and len(data) == 3):
        raise BadInput(f"{key!r} is a kind and two numbers, such as ['sum', 7, 0], found {data!r:.80}")
    kind = fields.one_of({key: data[0]}, key, kinds)
    one, two = fields.wholes({key: data[1:]}, key, 0, 100)
    if kind == "divisible" and not one:
        raise BadInput(f"{key!r} divides by zero")
    return kind, one, two


def _holds(event: tuple[str, int, int], outcome: Outcome) -> bool:
    kind, a, b = event
    if kind == "sum":
        return sum(outcome) >= a
    if kind == "divisible":
        return sum(outcome) % a == 0
    if kind == "largest":
        return max(outcome) == a
    if kind == "smallest":
        return min(outcome) == a
    if kind == "different":
        return len(set(outcome)) == len(outcome)
    if kind == "rising":
        return all(x < y for x, y in itertools.pairwise(outcome))
    if kind == "least":
        return outcome.count(a) >= b
    if kind == "exactly":
        return outcome.count(a) == b
    if kind == "first":
        return outcome[0] == a
    if kind == "last":
        return outcome[-1] == a
    return len(set(outcome)) >= b  # "kinds"


_DICE_EVENTS = {
    "sum": "the sum is at least {0}",
    "divisible": "the sum is divisible by {0}",
    "largest": "the largest number is {0}",
    "smallest": "the smallest number is {0}",
    "different": "all numbers are different",
    "rising": "the numbers, in the order of the dice, rise strictly",
    "least": "at least {1} of the dice show {0}",
    "exactly": "exactly {1} of the dice show {0}",
}
_COLOURS = ("red", "blue", "green", "white")
_URN_EVENTS = {
    "least": "at least {1} of the drawn balls are {0}",
    "exactly": "exactly {1} of the drawn balls are {0}",
    "first": "the first ball is {0}",
    "last": "the last ball is {0}",
    "kinds": "at least {1} different colours are drawn",
}


class DiceOdds(_Odds):
    """Find the exact probability of an event with several dice, perhaps given another event."""

    family = "dice_odds"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "dice": Knob(2, 4, "dice", 1, 4),
        "sides": Knob(8, 12, "largest number of sides", 4, 12),
        "given": Knob(0.3, 0.9, "share of questions with a condition", 0.0, 1.0),
    }
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            sides = rng.integers(4, max(5, knobs["sides"] + 1), size=int(knobs["dice"])).tolist()
            events = []
            for _ in range(2):
                kind = list(_DICE_EVENTS)[int(rng.integers(len(_DICE_EVENTS)))]
                a = int(rng.integers(1, max(sides) + 1))
                if kind == "sum":
                    a = int(rng.integers(len(sides) + 2, sum(sides)))
                elif kind == "divisible":
                    a = int(rng.integers(2, 8))
                elif kind in ("different", "rising"):
                    a = 0
                events.append([kind, a, int(rng.integers(1, len(sides) + 1)) if kind in ("least", "exactly") else 0])
            event, given = events[0], events[1] if rng.random() < knobs["given"] else []
            if given and given[0] == event[0]:
                continue
            puzzle = cls({"sides": sides, "event": event, "given": given})
            if puzzle.value is not None and puzzle.value.denominator >= 6:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "sides", "event", "given")
        self.sides = fields.wholes(data, "sides", 1, 20, most=5)
        size = 1
        for side in self.sides:
            size *= side
        if size > 25_000:
            raise BadInput(f"the dice have at most 25000 outcomes, found {size}")
        self._read_events(data, list(_DICE_EVENTS))

    def outcomes(self) -> list[tuple[Outcome, Fraction]]:
        return [(outcome, _ONE) for outcome in itertools.product(*(range(1, side + 1) for side in self.sides))]

    @functools.cached_property
    def value(self) -> Fraction | None:
        """The probability; all outcomes weigh the same."""
        fitting = [
            outcome
            for outcome in itertools.product(*(range(1, side + 1) for side in self.sides))
            if self.given is None or _holds(self.given, outcome)
        ]
        return Fraction(sum(_holds(self.event, o) for o in fitting), len(fitting)) if fitting else None

    def question(self) -> str:
        dice = ", ".join(f"one with the numbers 1 to {side}" for side in self.sides)
        return f"These fair dice are thrown, in this order: {dice}. " + self._asked(
            lambda event: _DICE_EVENTS[event[0]].format(*event[1:])
        )

    def hardness(self) -> float:
        outcomes = 1
        for side in self.sides:
            outcomes *= side
        value = self.value or Fraction(0)
        return float(value.numerator.bit_length() + value.denominator.bit_length() + outcomes.bit_length())


_ONE = Fraction(1)


class UrnOdds(_Odds):
    """Find the exact probability of an event when balls are drawn from an urn, perhaps given another event.

    A drawn ball stays out, is put back, or is put back with one more of its colour (Polya's urn).
    """

    family = "urn_odds"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "colours": Knob(2, 4, "colours", 2, 4),
        "draws": Knob(2, 4, "balls that are drawn", 1, 5),
        "balls": Knob(5, 9, "most balls of a colour", 2, 20),
        "given": Knob(0.0, 0.9, "share of questions with a condition", 0.0, 1.0),
    }
    floor: ClassVar[float] = 0.06

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            balls = rng.integers(1, knobs["balls"] + 1, size=int(knobs["colours"])).tolist()
            draws = knobs["draws"]
            events = []
            for _ in range(2):
                kind = list(_URN_EVENTS)[int(rng.integers(len(_URN_EVENTS)))]
                a, b = int(rng.integers(len(balls))), int(rng.integers(1, draws + 1))
                if kind == "kinds":
                    a, b = 0, int(rng.integers(2, min(draws, len(balls)) + 1)) if draws > 1 else 1
                events.append([kind, a, b if kind in ("least", "exactly", "kinds") else 0])
            event, given = events[0], events[1] if rng.random() < knobs["given"] else []
            if (given and given[0] == event[0]) or sum(balls) <= draws:
                continue
            back = ["out", "back", "more"][int(rng.integers(3))]
            puzzle = cls({"balls": balls, "draws": draws, "rule": back, "event": event, "given": given})
            if puzzle.value is not None and puzzle.value.denominator >= 6:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "balls", "draws", "rule", "event", "given")
        self.balls = fields.wholes(data, "balls", 1, 1000, most=len(_COLOURS))
        self.draws = fields.whole(data, "draws", 1, 6)
        self.rule = fields.one_of(data, "rule", ("out", "back", "more"))
        self._read_events(data, list(_URN_EVENTS))
        for event in (self.event, self.given):
            if event is not None and event[0] != "kinds" and event[1] >= len(self.balls):
                raise BadInput(f"colours are counted from 0 to {len(self.balls) - 1}, found {event[1]}")
        if self.rule == "out" and self.draws > sum(self.balls):
            raise BadInput("more balls are drawn than there are")

    def outcomes(self) -> list[tuple[Outcome, Fraction]]:
        found: list[tuple[Outcome, Fraction]] = []
        for outcome in itertools.product(range(len(self.balls)), repeat=self.draws):
            left, top, bottom = list(self.balls), 1, 1
            for colour in outcome:
                top *= left[colour]
                bottom *= sum(left)
                left[colour] += {"out": -1, "back": 0, "more": 1}[self.rule]
                if not top:
                    break
            if top:
                found.append((outcome, Fraction(top, bottom)))
        return found

    def question(self) -> str:
        balls = ", ".join(f"{n} {name}" for n, name in zip(self.balls, _COLOURS, strict=False))
        rule = {
            "out": "A drawn ball stays outside.",
            "back": "Each drawn ball is put back before the next draw.",
            "more": "Each drawn ball is put back, together with one more ball of its colour, before the next draw.",
        }[self.rule]

        def words(event: tuple[str, int, int]) -> str:
            colour = _COLOURS[event[1]] if event[0] != "kinds" else ""
            return _URN_EVENTS[event[0]].format(colour, event[2])

        return (
            f"An urn holds these balls: {balls}. {self.draws} are drawn at random, one after the other. {rule} "
            + self._asked(words)
        )
