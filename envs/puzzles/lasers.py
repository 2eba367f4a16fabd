"""Lasers and mirrors: place mirrors so that the beam passes every target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import freeze
from proofgym.errors import BadInput

__all__ = ["Lasers"]

_MOVE = re.compile(
    r"(?:(place|put|remove|take) )?(?:([/\\]) (?:at |on |from )?)?(?:row |r)?([1-9]),? ?(?:column |col |c)?([1-9])"
    r"(?: ?(?:=|:)? ?([/\\]))?", re.ASCII,
)  # fmt: skip
_SIDES = {"left": (0, 1), "right": (0, -1), "top": (1, 0), "bottom": (-1, 0)}
_MOST_WAYS = 200_000

Mirrors = tuple[tuple[int, str], ...]
"""The mirrors that are placed, by cell."""


class Lasers(MovePuzzle[Mirrors]):
    """Place a few mirrors on a board so that a laser's beam passes all targets.

    All ways to bend the beam with at most the mirrors that are given are followed, so the number of mirrors is proved
    to be the least, and the distance of any arrangement to a solution is exact: mirrors in the way have to go, missing
    ones to come, and mirrors beside the beam may stay as long as there are enough.
    """

    family = "lasers"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(5, 7, "rows and columns", 3, 8),
        "mirrors": Knob(2, 4, "mirrors", 1, 4),
        "walls": Knob(0.1, 0.15, "share of the cells that are walls", 0.0, 0.4),
        "targets": Knob(2, 3, "targets", 1, 5),
    }
    hardness_of = "beams that can be bent with the mirrors"
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        size, mirrors = knobs["size"], knobs["mirrors"]
        draws = Draws(cls.family)
        while True:
            draws.count()
            cells = ["#" if chance < knobs["walls"] else "." for chance in rng.random(size * size).tolist()]
            side = list(_SIDES)[int(rng.integers(4))]
            board = ["".join(cells[at : at + size]) for at in range(0, size * size, size)]
            empty = cls({"board": board, "side": side, "line": int(rng.integers(size)), "mirrors": mirrors})
            bent = empty._bent(rng, mirrors)
            passed = [at for at in (empty._beam(bent) if bent else []) if at not in dict(bent or ())]
            if bent is None or len(set(passed)) < knobs["targets"] + mirrors:
                continue
            turned = empty._beam(bent).index(bent[-1][0])
            beyond = [at for at in empty._beam(bent)[turned + 1 :] if at not in dict(bent)]
            if not beyond:
                continue
            first = beyond[int(rng.integers(len(beyond)))]
            others = [at for at in sorted(set(passed)) if at != first]
            targets = [first, *(others[i] for i in rng.permutation(len(others))[: knobs["targets"] - 1].tolist())]
            for at in targets:
                cells[at] = "o"
            board = ["".join(cells[at : at + size]) for at in range(0, size * size, size)]
            puzzle = cls({**empty.data, "board": board})
            if puzzle._from_start() == mirrors:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "side", "line", "mirrors")
        self.rows = fields.rows(data, "board", "#.o", most=9)
        self._width = len(self.rows[0])
        self._cells = "".join(self.rows)
        self.side = fields.one_of(data, "side", list(_SIDES))
        across = self.side in ("left", "right")
        self.line = fields.whole(data, "line", 0, (len(self.rows) if across else self._width) - 1)
        self.mirrors = fields.whole(data, "mirrors", 1, 4)
        self._targets = frozenset(at for at, cell in enumerate(self._cells) if cell == "o")
        self._ends: list[tuple[Mirrors, frozenset[int]]] | None = None

    def prove(self) -> None:
        if not self._targets:
            raise BadInput("'board' has at least one target o")
        super().prove()

    def _entry(self) -> tuple[int, int, int, int]:
        dr, dc = _SIDES[self.side]
        if self.side in ("left", "right"):
            return self.line, -1 if dc > 0 else self._width, dr, dc
        return -1 if dr > 0 else len(self.rows), self.line, dr, dc

    def _next(self, r: int, c: int) -> int | None:
        """The cell there, or `None` where the beam ends."""
        if 0 <= r < len(self.rows) and 0 <= c < self._width and self._cells[r * self._width + c] != "#":
            return r * self._width + c
        return None

    def _beam(self, mirrors: Mirrors) -> list[int]:
        """The cells that the beam passes, in order; a beam can be reversed, so it never runs in circles."""
        held = dict(mirrors)
        r, c, dr, dc = self._entry()
        passed = []
        while (at := self._next(r + dr, c + dc)) is not None:
            passed.append(at)
            r, c = r + dr, c + dc
            if at in held:
                dr, dc = (-dc, -dr) if held[at] == "/" else (dc, dr)
        return passed

    def _bent(self, rng: np.random.Generator, mirrors: int) -> Mirrors | None:
        """A beam that is bent at random, a mirror at a time, each further along."""
        held: Mirrors = ()
        reached = -1
        for chance, kind in zip(rng.random(mirrors).tolist(), rng.integers(2, size=(mirrors,)).tolist(), strict=True):
            beam = self._beam(held)
            free = [
                i for i in range(reached + 1, len(beam)) if beam.count(beam[i]) == 1 and self._cells[beam[i]] == "."
            ]
            if not free:
                return None
            reached = free[int(chance * len(free))]
            held = (*held, (beam[reached], "/\\"[kind]))
        return held

    def _ways(self) -> list[tuple[Mirrors, frozenset[int]]]:
        """Every set of mirrors that all bend the beam and bring it past all targets, with the cells that it passes."""
        if self._ends is None:
            self._ends = []
            self._followed = 0
            for mirrors, passed in self._follow():
                self._followed += 1
                if self._followed > _MOST_WAYS:
                    raise BadInput(f"this board has more than {_MOST_WAYS} ways to bend the beam")
                if self._targets <= passed:
                    self._ends.append((tuple(sorted(mirrors.items())), passed))
        return self._ends

    def _follow(self) -> Iterator[tuple[dict[int, str], frozenset[int]]]:
        stack: list[tuple[tuple[int, int, int, int], dict[int, str], frozenset[int]]] = [
            (self._entry(), {}, frozenset())
        ]
        while stack:
            (r, c, dr, dc), held, passed = stack.pop()
            while True:
                at = self._next(r + dr, c + dc)
                if at is None:
                    yield held, passed
                    break
                r, c = r + dr, c + dc
                if at in held:
                    dr, dc = (-dc, -dr) if held[at] == "/" else (dc, dr)
                elif at not in passed and self._cells[at] == "." and len(held) < self.mirrors:
                    for kind in "/\\":
                        turn = (-dc, -dr) if kind == "/" else (dc, dr)
                        stack.append(((r, c, *turn), {**held, at: kind}, passed | {at}))
                passed |= {at}

    def rules(self) -> str:
        where = f"row {self.line + 1}" if self.side in ("left", "right") else f"column {self.line + 1}"
        return (
            "A laser beam on a board: '#' is a wall, '.' free, 'o' a target, '/' and '\\' are mirrors, which "
            "turn the beam "
            f"by 90 degrees on either side. The beam enters {where} from the {self.side}, passes over targets, "
            f"and ends at a "
            f"wall or the edge. Place at most {self.mirrors} mirrors on free cells so that the beam passes all "
            f"targets. "
            "A move is 'r1c2 /' or 'r1c2 \\' to place a mirror in row 1, column 2, and 'remove r1c2' to take it away."
        )

    def start(self) -> Mirrors:
        return ()

    def pack(self, state: Mirrors) -> Any:
        return [[at, kind] for at, kind in state]

    def unpack(self, data: Any) -> Mirrors:
        state = freeze(data)
        whole = isinstance(state, tuple) and len(state) <= self.mirrors and all(
            isinstance(mirror, tuple) and len(mirror) == 2 and isinstance(mirror[0], int) and mirror[1] in ("/", "\\")
            and 0 <= mirror[0] < len(self._cells) and self._cells[mirror[0]] == "." for mirror in state
        )  # fmt: skip
        if not whole or list(state) != sorted(dict(state).items()):
            raise BadInput(f"a position is a list of mirrors [cell, '/' or '\\'] in order, found {data!r:.80}")
        return tuple((int(at), kind) for at, kind in state)

    def view(self, state: Mirrors) -> str:
        cells = list(self._cells)
        for at, kind in state:
            cells[at] = kind
        return "\n".join("".join(cells[at : at + self._width]) for at in range(0, len(cells), self._width))

    def _named(self, at: int) -> str:
        return f"r{at // self._width + 1}c{at % self._width + 1}"

    def moves(self, state: Mirrors) -> list[str]:
        held = dict(state)
        found = [f"remove {self._named(at)}" for at in held]
        if len(held) < self.mirrors:
            for at, cell in enumerate(self._cells):
                if cell == "." and at not in held:
                    found += [f"{self._named(at)} /", f"{self._named(at)} \\"]
        return found

    def apply(self, state: Mirrors, move: str) -> Mirrors:
        found = _MOVE.fullmatch(move)
        kind = (found[2] or found[5]) if found else None
        removes = bool(found and found[1] in ("remove", "take"))
        if not found or (not removes and kind is None) or (found[2] and found[5]):
            raise Illegal("A move is 'r1c2 /', 'r1c2 \\' or 'remove r1c2'.")
        r, c = int(found[3]) - 1, int(found[4]) - 1
        if r >= len(self.rows) or c >= self._width:
            raise Illegal(f"There are {len(self.rows)} rows and {self._width} columns.")
        at, held = r * self._width + c, dict(state)
        if removes:
            if at not in held:
                raise Illegal("There is no mirror that you placed.")
            del held[at]
        elif self._cells[at] != "." or at in held:
            raise Illegal("That cell is not free.")
        elif len(held) >= self.mirrors:
            raise Illegal(f"You have {self.mirrors} mirrors; remove one first.")
        else:
            held[at] = str(kind)
        return tuple(sorted(held.items()))

    def solved(self, state: Mirrors) -> bool:
        return self._targets <= set(self._beam(state))

    def _changes(self, state: Mirrors) -> tuple[int, list[tuple[int, str]], list[tuple[int, str]]] | None:
        """The fewest changes that solve it: their number, the mirrors to take away and those to place."""
        held = dict(state)
        best = None
        for mirrors, passed in self._ways():
            wanted = dict(mirrors)
            away = [(at, kind) for at, kind in state if at in passed and wanted.get(at) != kind]
            beside = [(at, kind) for at, kind in state if at not in passed]
            away += beside[: max(0, len(wanted) + len(beside) - self.mirrors)]
            come = [(at, kind) for at, kind in mirrors if held.get(at) != kind]
            if best is None or len(away) + len(come) < best[0]:
                best = (len(away) + len(come), away, come)
        return best

    def distance(self, state: Mirrors) -> int | None:
        changes = self._changes(state)
        return None if changes is None else changes[0]

    def best(self, state: Mirrors) -> str:
        changes = self._changes(state)
        if changes is None or not changes[0]:
            return self.moves(state)[0]
        _, away, come = changes
        return f"remove {self._named(away[0][0])}" if away else f"{self._named(come[0][0])} {come[0][1]}"

    def hardness(self) -> float:
        self._ways()
        return float(self._followed)

    def svg(self) -> str:
        across = self.side in ("left", "right")
        board = Board(len(self.rows), self._width, top=1, left=1)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                elif cell == "o":
                    board.circle(r, c, "#d9534f", radius=0.25)
        arrow = {"left": "→", "right": "←", "top": "↓", "bottom": "↑"}[self.side]
        board.text(self.line if across else -1, -1 if across else self.line, arrow)
        return board.svg()
