"""A cube from its net: fold it, turn it, and say which faces are seen."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable, tidy
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["CubeNet"]

_ANSWER = re.compile(
    r"(?:top ?[=:]? ?)?([a-f])[ ,;]*(?:front ?[=:]? ?)?([a-f])[ ,;]*(?:right ?[=:]? ?)?([a-f])", re.ASCII
)
_TURNS = {  # which faces come to be top, front and right; -1 to -3 are the faces opposite to top, front and right
    "tip forward": (-2, 1, 3),
    "tip back": (2, -1, 3),
    "tip left": (3, 2, -1),
    "tip right": (-3, 2, 1),
    "turn left": (1, 3, -2),
    "turn right": (1, -3, 2),
}

Vector = tuple[int, int, int]
Cell = tuple[int, int]


class CubeNet(Puzzle):
    """Fold a net of lettered squares to a cube, turn the cube a few times, and name the top, front and right faces.

    All 11 nets, in every position, come up; that a net folds to a cube is checked by folding it.
    """

    family = "cube_net"
    knobs: ClassVar[Mapping[str, Knob]] = {"turns": Knob(1, 10, "turns of the cube", 0, 30)}
    hardness_of = "turns of the cube"
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        nets = _nets()
        net = nets[int(rng.integers(len(nets)))]
        letters = ["ABCDEF"[i] for i in rng.permutation(6).tolist()]
        rows = [["."] * (max(c for _, c in net) + 1) for _ in range(max(r for r, _ in net) + 1)]
        for letter, (r, c) in zip(letters, net, strict=True):
            rows[r][c] = letter
        normals = dict(zip(letters, _folded(net).values(), strict=True))
        top = letters[0]
        fronts = sorted(letter for letter in letters if not _dot(normals[letter], normals[top]))
        turns = [list(_TURNS)[i] for i in rng.integers(len(_TURNS), size=(knobs["turns"],)).tolist()]
        front = fronts[int(rng.integers(4))]
        return cls({"net": ["".join(row) for row in rows], "top": top, "front": front, "turns": turns})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "net", "top", "front", "turns")
        self.rows = fields.rows(data, "net", "ABCDEF.", most=5)
        cells = {cell: (r, c) for r, row in enumerate(self.rows) for c, cell in enumerate(row) if cell != "."}
        if sorted(cells) != list("ABCDEF") or sum(cell != "." for row in self.rows for cell in row) != 6:
            raise BadInput("'net' has the letters A to F once each")
        folded = _folded(list(cells.values()))
        if len(set(folded.values())) != 6:
            raise BadInput("'net' does not fold to a cube")
        normals = {letter: folded[at] for letter, at in cells.items()}
        self.top = fields.one_of(data, "top", list("ABCDEF"))
        self.front = fields.one_of(data, "front", list("ABCDEF"))
        up, toward = normals[self.top], normals[self.front]
        if _dot(up, toward):
            raise BadInput(f"'top' and 'front' are neighbouring faces, found {self.top} and {self.front}")
        self.turns = fields.texts(data, "turns", least=0, most=60, longest=20)
        wrong = next((turn for turn in self.turns if turn not in _TURNS), None)
        if wrong is not None:
            raise BadInput(f"a turn is one of {list(_TURNS)}, found {wrong!r:.40}")
        seen = (up, toward, _cross(up, toward))
        for turn in self.turns:
            seen = tuple(seen[k - 1] if k > 0 else _minus(seen[-k - 1]) for k in _TURNS[turn])  # type: ignore[assignment]
        by_normal = {normal: letter for letter, normal in normals.items()}
        self.seen = [by_normal[vector] for vector in seen]

    def question(self) -> str:
        turns = ", ".join(self.turns) or "nothing"
        net = "\n".join(self.rows)
        return (
            "This net of a cube has letters on its outside ('.' is no part of it):\n"
            f"{net}\nFold it to a cube and hold it so that {self.top} is on top and {self.front} in front, facing you. "
            "'tip forward' tips the cube towards you, so that the top comes to the front; 'tip back' brings the "
            "front to "
            "the top; 'tip left' brings the top to the left side, 'tip right' to the right side; 'turn left' "
            "keeps the top "
            "and brings the front to the left side, 'turn right' to the right side. "
            f"Now do: {turns}.\nWhich letters are on top, in front and on the right side? "
            "End with a line 'Answer: ' and the three letters in this order, such as 'Answer: A B C'."
        )

    def judge(self, answer: str) -> Verdict:
        found = _ANSWER.fullmatch(tidy(answer))
        if not found:
            raise Unreadable(f"three letters from A to F are asked for, found {answer.strip()[:40]!r}")
        if [letter.upper() for letter in found.groups()] == self.seen:
            return Verdict.right()
        return Verdict.wrong("the cube shows other faces")

    def solution(self) -> str:
        return " ".join(self.seen)

    def hardness(self) -> float:
        return float(len(self.turns))

    def cheats(self) -> Sequence[str]:
        return ("Answer: A B C D E F", f"Answer: {self.seen[0]}", f"Answer: {self.seen[0]} {self.seen[1]}")

    def svg(self) -> str:
        board = Board(len(self.rows), len(self.rows[0]))
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell != ".":
                    board.fill(r, c, "#dbe7f5").text(r, c, cell)
        return board.svg()


def _dot(a: Vector, b: Vector) -> int:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _minus(a: Vector) -> Vector:
    return (-a[0], -a[1], -a[2])


def _folded(net: Sequence[Cell]) -> dict[Cell, Vector]:
    """The outward normal of each square once the net is folded; squares that are not joined to the first are left out.

    A square has a normal, and the directions in which the net's right and up run on it, seen from outside. Over the
    edge to the right, the normal becomes what was right, and right what was the inside.
    """
    frames: dict[Cell, tuple[Vector, Vector, Vector]] = {net[0]: ((0, 0, 1), (1, 0, 0), (0, 1, 0))}
    order = [net[0]]
    cells = set(net)
    for r, c in order:
        normal, right, up = frames[r, c]
        around = {
            (r, c + 1): (right, _minus(normal), up),
            (r, c - 1): (_minus(right), normal, up),
            (r - 1, c): (up, right, _minus(normal)),
            (r + 1, c): (_minus(up), right, normal),
        }
        for cell, frame in around.items():
            if cell in cells and cell not in frames:
                frames[cell] = frame
                order.append(cell)
    return {cell: frames[cell][0] for cell in net if cell in frames}


@functools.cache
def _nets() -> list[tuple[Cell, ...]]:
    """Every net in every position: six joined squares that fold to six different faces."""
    shapes: set[tuple[Cell, ...]] = {((0, 0),)}
    for _ in range(5):
        shapes = {
            _moved({*shape, (r + dr, c + dc)})
            for shape in shapes
            for r, c in shape
            for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0))
            if (r + dr, c + dc) not in shape
        }
    return sorted(shape for shape in shapes if len(set(_folded(shape).values())) == 6)


def _moved(cells: set[Cell]) -> tuple[Cell, ...]:
    top, left = min(r for r, _ in cells), min(c for _, c in cells)
    return tuple(sorted((r - top, c - left) for r, c in cells))
