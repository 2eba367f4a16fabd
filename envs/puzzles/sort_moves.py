"""Sorting with a few given moves only."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput

__all__ = ["SortMoves"]

Row = tuple[int, ...]
_KINDS = ("swap", "reverse", "rotate")
_NAMES = "abcdef"


class SortMoves(MovePuzzle[Row]):
    """Sort a row of numbers with given moves: swaps, reversals and rotations of fixed places.

    All rows that the moves can reach are searched from the sorted one, so the distance is exact.
    """

    family = "sort_moves"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 7, "numbers in the row", 4, 7),
        "moves": Knob(3, 3, "moves that are offered", 2, 6),
        "depth": Knob(0.5, 0.8, "least distance, as a share of the greatest there is", 0.0, 1.0),
    }
    hardness_of = "least number of moves"
    floor: ClassVar[float] = 0.02
    steps_floor: ClassVar[float] = 0.3
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        n = knobs["size"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            offered: list[list[Any]] = []
            while len(offered) < knobs["moves"]:
                i, j = sorted((1 + rng.permutation(n)[:2]).tolist())
                move = [_KINDS[int(rng.integers(3))], i, j]
                if j == i + 1:
                    move[0] = "swap"
                if move not in offered:
                    offered.append(move)
            distances = _distances(n, tuple((kind, i, j) for kind, i, j in offered))
            greatest = max(distances.values())
            if greatest < n:
                continue
            far = [row for row, d in distances.items() if d >= max(2, knobs["depth"] * greatest)]
            return cls({"moves": offered, "start": list(far[int(rng.integers(len(far)))])})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "moves", "start")
        self._start = fields.wholes(data, "start", 1, 7, least=2, most=7)
        n = len(self._start)
        if sorted(self._start) != list(range(1, n + 1)):
            raise BadInput(f"'start' holds each of 1 to {n} once, found {list(self._start)}")
        moves = data["moves"]
        if not (isinstance(moves, (list, tuple)) and 1 <= len(moves) <= len(_NAMES)):
            raise BadInput(f"'moves' are 1 to 6 rows such as ['swap', 1, 3], found {moves!r:.80}")
        self.offered: list[tuple[str, int, int]] = []
        for row in moves:
            if not (isinstance(row, (list, tuple)) and len(row) == 3):
                raise BadInput(f"'moves' are rows such as ['swap', 1, 3], found {row!r:.80}")
            i, j = fields.wholes({"moves": row[1:]}, "moves", 1, n)
            if i >= j:
                raise BadInput(f"a move names a place and a later one, found {row!r:.80}")
            self.offered.append((fields.one_of({"moves": row[0]}, "moves", _KINDS), i, j))

    def canonical(self) -> Any:
        return [sorted(map(list, self.offered)), list(self._start)]

    @property
    def _table(self) -> dict[Row, int]:
        return _distances(len(self._start), tuple(self.offered))

    def rules(self) -> str:
        words = {
            "swap": "swap the numbers at the places {0} and {1}",
            "reverse": "reverse the order of the places {0} to {1}",
            "rotate": "move the number at place {0} to place {1}; those between move one place to the left",
        }
        moves = "\n".join(
            f"{name}: {words[k].format(i, j)}" for name, (k, i, j) in zip(_NAMES, self.offered, strict=False)
        )
        return (
            f"Sort a row of {len(self._start)} numbers into rising order. Places are counted from 1. The moves "
            f"are\n{moves}\n"
            "A move is one of these letters."
        )

    def start(self) -> Row:
        return self._start

    def pack(self, state: Row) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Row:
        row = fields.wholes({"position": data}, "position", 1, len(self._start), least=len(self._start))
        if sorted(row) != list(range(1, len(self._start) + 1)):
            raise BadInput(f"a position holds each of 1 to {len(self._start)} once, found {list(row)}")
        return row

    def view(self, state: Row) -> str:
        return f"The row is {' '.join(map(str, state))}."

    def moves(self, state: Row) -> list[str]:
        return list(_NAMES[: len(self.offered)])

    def apply(self, state: Row, move: str) -> Row:
        if len(move) != 1 or move not in _NAMES[: len(self.offered)]:
            raise Illegal(f"A move is one of {', '.join(_NAMES[: len(self.offered)])}.")
        return _moved(state, self.offered[_NAMES.index(move)])

    def distance(self, state: Row) -> int | None:
        return self._table.get(state)

    def best(self, state: Row) -> str:
        return min(self.moves(state), key=lambda move: (self._table.get(self.apply(state, move), 10**6), move))

    def cheats(self) -> Sequence[str]:
        return ("Answer: " + " ".join(map(str, sorted(self._start))), "Answer: sort")


def _moved(row: Row, move: tuple[str, int, int], *, back: bool = False) -> Row:
    kind, i, j = move
    part = row[i - 1 : j]
    if kind == "swap":
        part = (part[-1], *part[1:-1], part[0])
    elif kind == "reverse":
        part = part[::-1]
    else:
        part = (part[-1], *part[:-1]) if back else (*part[1:], part[0])
    return row[: i - 1] + part + row[j:]


@functools.lru_cache(maxsize=64)
def _distances(n: int, moves: tuple[tuple[str, int, int], ...]) -> dict[Row, int]:
    """The distance to the sorted row of every row that has one."""
    goal = tuple(range(1, n + 1))
    found, queue = {goal: 0}, deque([goal])
    while queue:
        row = queue.popleft()
        for move in moves:
            before = _moved(row, move, back=True)
            if before not in found:
                found[before] = found[row] + 1
                queue.append(before)
    return found
