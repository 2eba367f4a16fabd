"""Exact distances by breadth-first search, for puzzles whose positions can be listed.

A family says which moves a position has (`steps`) and what the goal is (`goal`). The shortest way from the start is
found first, and answers for every position on it; the table of all positions that can be reached is made once, when an
episode leaves that way. A position from which no way leads to the goal is a dead end.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from proofgym.envs.puzzles.contract import Illegal, MovePuzzle
from proofgym.errors import BadInput

__all__ = ["DELTAS", "StateGraph", "direction", "freeze", "layers", "thaw"]

S = TypeVar("S")

DELTAS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
"""What each direction adds to row and column."""

_SPELLED = {"u": "up", "d": "down", "l": "left", "r": "right"}
_SPELLED |= {"north": "up", "south": "down", "west": "left", "east": "right"}


def direction(move: str) -> str:
    """A move in the spelling of `DELTAS`: `move up`, `go north` and `u` are `up`.

    >>> direction("go north"), direction("fly")
    ('up', 'fly')
    """
    bare = move.removeprefix("move ").removeprefix("go ")
    return _SPELLED.get(bare, bare)


class StateGraph(MovePuzzle[S]):
    """A puzzle whose positions are few enough to list; moves may lead one way only."""

    most_states: ClassVar[int] = 200_000
    """An instance from outside with more positions than this is refused."""

    @abstractmethod
    def steps(self, state: S) -> Sequence[tuple[str, S]]:
        """Every legal move and where it leads, in a fixed order; none once the game is over."""

    @abstractmethod
    def goal(self, state: S) -> bool:
        """Whether the goal is reached."""

    @abstractmethod
    def refusal(self, state: S, move: str) -> str:
        """Why a string that is no legal move is refused."""

    def named(self, move: str) -> str:
        """A move in the spelling of `steps`."""
        return move

    def neighbours(self, state: S) -> list[S]:
        """Where the moves lead."""
        return [after for _, after in self.steps(state)]

    def solved(self, state: S) -> bool:
        return self.goal(state)

    def moves(self, state: S) -> list[str]:
        return [move for move, _ in self.steps(state)]

    def apply(self, state: S, move: str) -> S:
        name = self.named(move)
        for known, after in self.steps(state):
            if known == name:
                return after
        raise Illegal(self.refusal(state, name))

    def distance(self, state: S) -> int | None:
        on_way = self.way().get(state)
        if on_way is not None:
            return on_way[0]
        if self.goal(state):
            return 0
        number = self._table()[0].get(state)
        if number is None:
            raise BadInput(f"no position of this instance of {self.family}: {state!r:.80}")
        left: int = self._table()[1][number]
        return left if left >= 0 else None

    def best(self, state: S) -> str:
        on_way = self.way().get(state)
        if on_way is not None:
            return on_way[1]
        left = self.distance(state)
        steps = self.steps(state)
        for move, after in steps:
            if left is not None and self.distance(after) == left - 1:
                return move
        return steps[0][0] if steps else ""

    def pack(self, state: S) -> Any:
        return thaw(state)

    def unpack(self, data: Any) -> S:
        state: S = freeze(data)
        if state not in self.way() and state not in self._table()[0]:
            raise BadInput(f"no position of this instance of {self.family}: {data!r:.80}")
        return state

    def prove(self) -> None:
        """The goal can be reached, and all positions that can be reached are few enough to list.

        Raises:
            BadInput: If not.
        """
        super().prove()
        self._table()

    def way(self) -> dict[S, tuple[int, str]]:
        """The positions on a shortest way from the start, each with its distance and the move there; empty if none."""
        found: dict[S, tuple[int, str]] | None = self.__dict__.get("_way")
        if found is None:
            found = self.__dict__["_way"] = self._find_way()
        return found

    def _find_way(self) -> dict[S, tuple[int, str]]:
        start = self.start()
        came: dict[S, tuple[S, str] | None] = {start: None}
        order = [start]
        goal, steps = self.goal, self.steps
        if goal(start):
            return {start: (0, "")}
        for state in order:
            for move, after in steps(state):
                if after not in came:
                    came[after] = (state, move)
                    if goal(after):
                        return _traced(came, after)
                    order.append(after)
            if len(order) > self.most_states:
                raise BadInput(f"this instance of {self.family} has more than {self.most_states} positions")
        return {}

    def _table(self) -> tuple[dict[S, int], list[int]]:
        """Every position that can be reached with its number, and the distances (-1 in a dead end) by number."""
        found: tuple[dict[S, int], list[int]] | None = self.__dict__.get("_lefts")
        if found is None:
            found = self.__dict__["_lefts"] = self._tabulate()
        return found

    def _tabulate(self) -> tuple[dict[S, int], list[int]]:
        start = self.start()
        number = {start: 0}
        order = [start]
        before: list[list[int]] = [[]]
        goals = []
        for at, state in enumerate(order):
            if self.goal(state):
                goals.append(at)
                continue
            for _, after in self.steps(state):
                there = number.get(after)
                if there is None:
                    there = number[after] = len(order)
                    order.append(after)
                    before.append([])
                before[there].append(at)
            if len(order) > self.most_states:
                raise BadInput(f"this instance of {self.family} has more than {self.most_states} positions")
        left = [-1] * len(order)
        for at in goals:
            left[at] = 0
        for at in goals:
            for earlier in before[at]:
                if left[earlier] < 0:
                    left[earlier] = left[at] + 1
                    goals.append(earlier)
        return number, left


def _traced(came: dict[S, tuple[S, str] | None], goal: S) -> dict[S, tuple[int, str]]:
    way: dict[S, tuple[int, str]] = {goal: (0, "")}
    state, left = goal, 0
    while (step := came[state]) is not None:
        state, move = step
        left += 1
        way[state] = (left, move)
    return way


def layers(starts: Iterable[S], neighbours: Callable[[S], Iterable[S]], most: int) -> list[list[S]]:
    """Positions by their distance from the nearest start; whole layers only, about `most` positions in all.

    >>> layers([0], lambda n: [n + 1, n * 2], 6)
    [[0], [1], [2], [3, 4], [6, 5, 8]]
    """
    found = [list(starts)]
    seen = set(found[0])
    while found[-1] and len(seen) < most:
        layer = []
        for state in found[-1]:
            for after in neighbours(state):
                if after not in seen:
                    seen.add(after)
                    layer.append(after)
        found.append(layer)
    return found if found[-1] or len(found) == 1 else found[:-1]


def freeze(data: Any, depth: int = 5) -> Any:
    """JSON lists as tuples, all the way down.

    Raises:
        BadInput: If there is anything but lists, texts, whole numbers, true, false and null.
    """
    if isinstance(data, (list, tuple)) and depth:
        return tuple(freeze(item, depth - 1) for item in data)
    if data is None or isinstance(data, (str, int)):
        return data
    raise BadInput(f"a position is made of lists, texts and whole numbers, found {data!r:.80}")


def thaw(state: Any) -> Any:
    """Tuples as JSON lists, all the way down."""
    return [thaw(item) for item in state] if isinstance(state, tuple) else state
