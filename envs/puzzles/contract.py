"""What every puzzle family is: an instance that can be asked, judged by its rules, solved, and measured.

A family is one class in one module. `Puzzle` is for one answer; `MovePuzzle` adds moves, for families that can be
played one move a turn. The environments around them are in `environments`, and know nothing about any family.

An instance is JSON content (`Puzzle.data`). Whoever brings one from outside uses `from_instance`, which refuses what is
not an instance of the family, or claims what does not hold. A generator proves what it claims, and hands what it
proved (the solutions, the optimum) to the puzzle it returns, so that nothing is solved twice.

No family evaluates text: an answer is read by a closed grammar (`answers`), in time linear in its length.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles.answers import Answer, Unreadable, find_answer, split_moves
from proofgym.envs.task import canonical_json
from proofgym.errors import BadInput
from proofgym.verifiers import Credit, Verdict

__all__ = ["Illegal", "Knob", "Knobs", "MovePuzzle", "Option", "Puzzle"]

Knobs = Mapping[str, Any]
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Knob:
    """A number that makes a family harder, from its value at level 0 to its value at level 1.

    Whole if both ends are: `Knob(4, 9, "rows")` is 6 at level 0.5 (halves go to the even side, as `round` does).

    >>> Knob(4, 9, "rows").at(1.0), Knob(0.2, 0.6, "density").at(0.5)
    (9, 0.4)
    """

    easy: float
    hard: float
    meaning: str
    low: float | None = None
    high: float | None = None

    def at(self, level: float) -> float:
        """The value at a level in [0, 1]."""
        value = self.easy + level * (self.hard - self.easy)
        return round(value) if isinstance(self.easy, int) and isinstance(self.hard, int) else value

    def accept(self, name: str, value: Any) -> Any:
        """A value that somebody asks for, if it lies in the range that the family can generate.

        Raises:
            BadInput: Otherwise.
        """
        low = min(self.easy, self.hard) if self.low is None else self.low
        high = max(self.easy, self.hard) if self.high is None else self.high
        whole = isinstance(self.easy, int) and isinstance(self.hard, int)
        kinds = (int,) if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            raise BadInput(f"the knob {name!r} ({self.meaning}) is {kind} from {low} to {high}, found {value!r:.80}")
        return value


@dataclass(frozen=True, slots=True)
class Option:
    """A named variant of a family; the first is the default at every level."""

    values: tuple[str, ...]
    meaning: str

    def at(self, level: float) -> str:
        """The default."""
        return self.values[0]

    def accept(self, name: str, value: Any) -> str:
        """A value that somebody asks for.

        Raises:
            BadInput: If it is none of the values.
        """
        if value not in self.values:
            raise BadInput(f"the knob {name!r} ({self.meaning}) is one of {self.values}, found {value!r:.80}")
        return str(value)


class Illegal(Exception):
    """A move that the rules forbid; its message tells the policy why, and gives nothing away."""


class Puzzle(ABC):
    """One instance of a family: asks, judges any answer by the rules, knows a solution.

    A subclass gives `family`, `knobs`, `hardness_of` and the abstract methods. It may cache what it works out, but an
    instance never changes: episodes share it.

    Args:
        data: JSON content. It is read here, and refused with `BadInput` if it is no instance of the family.
    """

    family: ClassVar[str]
    knobs: ClassVar[Mapping[str, Knob | Option]]
    hardness_of: ClassVar[str]
    """What `hardness` measures, such as 'search nodes of the solver'."""
    version: ClassVar[int] = 0
    """Raised with any change to what instances mean; part of the text form."""
    floor: ClassVar[float] = 0.0
    """The most that a policy which does not read the question earns on average in one answer."""
    observation_limit: ClassVar[int] = 4096
    action_limit: ClassVar[int] = 8192

    def __init__(self, data: Mapping[str, Any]) -> None:
        if not isinstance(data, Mapping):
            raise BadInput(f"an instance of {self.family} is a JSON object, found {data!r:.80}")
        self.data: Mapping[str, Any] = data
        self.read(data)

    # What a family provides -------------------------------------------------------------------------------------------

    @classmethod
    @abstractmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        """Draw one instance with the property that the family claims (unique, solvable, or proved impossible).

        All chance comes from `rng`; nothing depends on hashes or time. What was proved on the way is kept in the
        puzzle's caches, so that `solution` and `hardness` need not work it out again.
        """

    @abstractmethod
    def read(self, data: Mapping[str, Any]) -> None:
        """Take up the instance, checking its form with `fields`.

        Raises:
            BadInput: With the key, what was found and what is asked for. Unknown keys are refused too.
        """

    def prove(self) -> None:  # noqa: B027 - most families read enough
        """Check what `read` is too cheap to check: that an instance from outside has the property its family claims.

        Raises:
            BadInput: If it has not (no solution, a stored solution that is wrong).
        """

    @abstractmethod
    def question(self) -> str:
        """What the policy reads: the rules, the instance, and how to write the answer."""

    @abstractmethod
    def judge(self, answer: str) -> Verdict:
        """Judge the text of an answer, found already, by the rules; any valid answer is right.

        Total but for one exception, and at most a few milliseconds for any text.

        Raises:
            Unreadable: If the text is no answer in form.
        """

    @abstractmethod
    def solution(self) -> str:
        """The text of one right answer, as `judge` reads it."""

    @abstractmethod
    def hardness(self) -> float:
        """A measured difficulty of this instance, in the unit that `hardness_of` names. Grows with the level."""

    def answer_lines(self) -> int:
        """How many lines an answer has, for finding one that no `Answer:` announces."""
        return 1

    def canonical(self) -> Any:
        """The JSON content that makes two instances the same task: what is asked, not how it is solved."""
        return {key: value for key, value in self.data.items() if key != "solution"}

    def cheats(self) -> Sequence[str]:
        """Answers of this family that try to earn without solving."""
        return ()

    def svg(self) -> str | None:
        """A picture of the instance, where one helps (see `draw`)."""
        return None

    # What every family has --------------------------------------------------------------------------------------------

    @classmethod
    def settings(cls, level: float, overrides: Knobs | None = None) -> dict[str, Any]:
        """Every knob's value at a level in [0, 1], with some of them overridden.

        Raises:
            BadInput: For an unknown knob or a value out of its range.
        """
        values: dict[str, Any] = {name: knob.at(level) for name, knob in cls.knobs.items()}
        for name, value in (overrides or {}).items():
            if name not in cls.knobs:
                raise BadInput(f"{cls.family} has the knobs {', '.join(cls.knobs) or 'none'}, found {name!r}")
            values[name] = cls.knobs[name].accept(name, value)
        return values

    @classmethod
    def from_instance(cls, data: Mapping[str, Any]) -> Self:
        """Take up an instance from outside.

        Raises:
            BadInput: If it is not one, with the reason.
        """
        puzzle = cls(data)
        puzzle.prove()
        return puzzle

    def dumps(self) -> str:
        """The instance as one line of text: family, version and canonical JSON."""
        return canonical_json({"family": self.family, "version": self.version, "instance": dict(self.data)})

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read what `dumps` wrote.

        Raises:
            BadInput: If it is not the text of an instance of this family and version.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadInput(f"an instance is one line of JSON: {error}") from None
        if not isinstance(data, dict) or (data.get("family"), data.get("version")) != (cls.family, cls.version):
            raise BadInput(f"asked for family {cls.family!r}, version {cls.version}; found {text[:80]!r}")
        return cls.from_instance(data.get("instance", {}))

    def verify(self, text: str) -> Verdict:
        """Judge everything that a policy wrote."""
        return self.grade(text)[0]

    def grade(self, text: str) -> tuple[Verdict, list[Credit]]:
        """Judge everything that a policy wrote; the one credit lies on the answer."""
        found = find_answer(text, self.answer_lines())
        if found is None:
            return Verdict.malformed("there is no answer"), []
        verdict = self._judge(found)
        return verdict, [Credit(found.start, found.end, verdict.score, "answer", verdict.reason)]

    def _judge(self, found: Answer) -> Verdict:
        try:
            return self.judge(found.text)
        except Unreadable as unreadable:
            return Verdict.malformed(str(unreadable))


class MovePuzzle(Puzzle, Generic[S]):
    """A puzzle that can be played one move a turn, with the exact distance to the goal.

    A state is an immutable, hashable value. In one answer, unless a family says otherwise, the whole list of moves is
    asked for, separated by commas or line ends, and any list that reaches the goal is right.
    """

    single: ClassVar[bool] = True
    """Whether the family can also be asked for in one answer; games with hidden state cannot."""
    can_undo: ClassVar[bool] = False
    """Whether `undo` takes the last move back."""
    steps_floor: ClassVar[float] = 0.0
    """The most that an answer-blind policy earns on average in an episode of moves."""
    most_moves: ClassVar[int] = 2000
    """The longest list of moves that is read."""

    @abstractmethod
    def start(self) -> S:
        """Where an episode begins."""

    @abstractmethod
    def pack(self, state: S) -> Any:
        """A state as JSON content."""

    @abstractmethod
    def unpack(self, data: Any) -> S:
        """Read what `pack` wrote.

        Raises:
            BadInput: If it is no state of this instance.
        """

    @abstractmethod
    def view(self, state: S) -> str:
        """What the policy sees of a state."""

    @abstractmethod
    def moves(self, state: S) -> list[str]:
        """Every legal move, in a fixed order."""

    @abstractmethod
    def apply(self, state: S, move: str) -> S:
        """Carry out a move, given in lower case with single spaces.

        Raises:
            Illegal: If it is no move, or the rules forbid it here. Every string that is not in `moves` may end here.
        """

    @abstractmethod
    def distance(self, state: S) -> int | None:
        """The exact number of moves to the goal, or `None` if it cannot be reached any more."""

    @abstractmethod
    def best(self, state: S) -> str:
        """A move that leads to the goal the shortest way; any legal move where there is none."""

    @abstractmethod
    def rules(self) -> str:
        """The rules, the goal and the form of a move, for an episode of moves."""

    def solved(self, state: S) -> bool:
        """Whether the goal is reached."""
        return self.distance(state) == 0

    def lost(self, state: S) -> str | None:
        """Why the episode is over without the goal, in games that can be lost; `None` while it goes on."""
        return None

    def told(self, state: S, move: str, after: S) -> str:
        """One line about what a move did, where the view does not say it."""
        return ""

    def potential(self, state: S) -> float:
        """How near the goal is: 0 at the start, 1 at the goal, never below -1, -1 in a dead end."""
        left = self.distance(state)
        if left is None:
            return -1.0
        return max(-1.0, 1.0 - left / max(1, self._from_start()))

    def _from_start(self) -> int:
        found = self.__dict__.get("_start_distance")
        if found is None:
            found = self.__dict__["_start_distance"] = self.distance(self.start())
        if found is None:
            raise BadInput(f"the goal of this instance of {self.family} cannot be reached")
        return int(found)

    # In one answer ----------------------------------------------------------------------------------------------------

    def prove(self) -> None:
        """The goal can be reached, and is not reached already."""
        if self._from_start() == 0:
            raise BadInput(f"this instance of {self.family} is solved already: there is nothing to ask")

    def question(self) -> str:
        """The rules, the start, and that a list of moves is asked for."""
        return (
            f"{self.rules()}\n{self.view(self.start())}\n"
            "End with a line 'Answer: ' and all your moves in order, separated by commas."
        )

    def judge(self, answer: str) -> Verdict:
        """Play the moves; the part `optimal` is the shortest possible number over the number used."""
        state = self.start()
        moves = split_moves(answer, self.most_moves)
        for number, move in enumerate(moves, 1):
            try:
                state = self.apply(state, move)
            except Illegal as illegal:
                return Verdict.wrong(f"move {number}, {move[:40]!r}: {illegal}")
            if self.lost(state):
                return Verdict.wrong(f"move {number}, {move[:40]!r}: {self.lost(state)}")
        if self.solved(state):
            return Verdict.right(f"solved in {len(moves)} moves", optimal=self._from_start() / len(moves))
        return Verdict.wrong(f"the goal is not reached after {len(moves)} moves")

    def solution(self) -> str:
        """A shortest list of moves."""
        state, moves = self.start(), []
        while not self.solved(state):
            moves.append(self.best(state))
            state = self.apply(state, moves[-1])
        return ", ".join(moves)

    def hardness(self) -> float:
        """The length of a shortest solution."""
        return float(self._from_start())

    def answer_lines(self) -> int:
        """The last line."""
        return 1
