"""A turtle program: write a short program that collects every mark on a board."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["TurtleProgram"]

_SIGN = re.compile(r"\s*(forward|left|right|repeat|[flr]|[0-9]{1,2}|[\[\]{}(),;])", re.ASCII | re.IGNORECASE)
_SHORT = {"forward": "f", "left": "l", "right": "r"}
_MOST_SIGNS = 400
_MOST_ACTIONS = 2_000
_DEEPEST = 5
_HEADINGS = {"north": (-1, 0), "east": (0, 1), "south": (1, 0), "west": (0, -1)}

Block = list[Any]
"""Commands `f`, `l` and `r`, and pairs `(times, block)`."""


class TurtleProgram(Puzzle):
    """Write a program of at most so many commands that walks over every mark; loops make it short enough.

    The program is read by a closed grammar and carried out for at most 2,000 actions. The marks are more than commands
    are allowed, so that no program without a loop collects them all.
    """

    family = "turtle_program"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "commands": Knob(6, 12, "commands of the hidden program, repeats included", 4, 14),
        "spare": Knob(2, 1, "commands allowed beyond those", 0, 6),
        "walls": Knob(0.3, 0.6, "share of the unvisited cells that become walls", 0.0, 0.8),
    }
    hardness_of = "actions of the hidden program"
    floor: ClassVar[float] = 0.02

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        draws = Draws(cls.family)
        while True:
            draws.count()
            program = _drawn(rng, knobs["commands"])
            heading = list(_HEADINGS)[int(rng.integers(4))]
            path = _walk(program, heading)
            if path is None:
                continue
            visited = sorted(set(path))
            most = _size(program) + knobs["spare"]
            top, left = min(r for r, _ in visited), min(c for _, c in visited)
            rows, columns = max(r for r, _ in visited) - top + 1, max(c for _, c in visited) - left + 1
            if len(visited) - 1 <= most or max(rows, columns) > 12:
                continue
            board = [["."] * (columns + 2) for _ in range(rows + 2)]
            for r, c in visited:
                board[r - top + 1][c - left + 1] = "*"
            board[1 - top][1 - left] = "@"
            for row in board:
                for at, chance in enumerate(rng.random(len(row)).tolist()):
                    if row[at] == "." and chance < knobs["walls"]:
                        row[at] = "#"
            drawn = ["".join(row) for row in board]
            return cls({"board": drawn, "heading": heading, "most": most, "solution": _written(program)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "heading", "most", optional=("solution",))
        self.rows = fields.rows(data, "board", "#.*@", most=16)
        if sum(row.count("@") for row in self.rows) != 1 or len(self.rows[0]) > 16:
            raise BadInput("'board' has one turtle @ and at most 16 columns")
        self.heading = fields.one_of(data, "heading", list(_HEADINGS))
        self.most = fields.whole(data, "most", 1, 60)
        self._gold = fields.text(data, "solution", most=2000) if "solution" in data else None
        self._start = next((r, row.index("@")) for r, row in enumerate(self.rows) if "@" in row)
        self._marks = {(r, c) for r, row in enumerate(self.rows) for c, cell in enumerate(row) if cell == "*"}

    def prove(self) -> None:
        if self._gold is None:
            raise BadInput("an instance brings a 'solution', a program that collects all marks")
        if len(self._marks) <= self.most:
            raise BadInput(f"there are more marks than commands, found {len(self._marks)} and {self.most}")
        try:
            verdict = self.judge(self._gold)
        except Unreadable as unreadable:
            raise BadInput(f"the 'solution' is no program: {unreadable}") from None
        if not verdict.correct:
            raise BadInput(f"the 'solution' does not solve it: {verdict.reason}")

    def question(self) -> str:
        board = "\n".join(self.rows)
        return (
            f"A turtle '@' on a board faces {self.heading} (north is up); '#' is a wall, '*' a mark, '.' "
            f"free.\n{board}\n"
            "Write a program that walks over every mark. Commands: 'f' walks one cell ahead, 'l' and 'r' turn left and "
            "right by 90 degrees, and 'repeat 3 [ f r ]' does what is in the brackets 3 times; repeats may be "
            "within repeats. Walking into a wall or off the board is an error. Each f, l, r and repeat "
            "counts as one "
            f"command; use at most {self.most}. End with a line 'Answer: ' and the program on that line."
        )

    def judge(self, answer: str) -> Verdict:
        program = _parsed(answer)
        size = _size(program)
        if size > self.most:
            return Verdict.wrong(f"{size} commands are more than {self.most}")
        left = set(self._marks)
        r, c = self._start
        dr, dc = _HEADINGS[self.heading]
        for actions, action in enumerate(_actions(program), 1):
            if actions > _MOST_ACTIONS:
                return Verdict.wrong(f"the program takes more than {_MOST_ACTIONS} actions")
            if action == "l":
                dr, dc = -dc, dr
            elif action == "r":
                dr, dc = dc, -dr
            else:
                r, c = r + dr, c + dc
                if not (0 <= r < len(self.rows) and 0 <= c < len(self.rows[0])) or self.rows[r][c] == "#":
                    return Verdict.wrong(f"action {actions} walks into a wall or off the board")
                left.discard((r, c))
        if left:
            return Verdict.wrong(f"{len(left)} of {len(self._marks)} marks are left")
        return Verdict.right(f"{size} commands", commands=float(size))

    def solution(self) -> str:
        if self._gold is None:
            raise BadInput("this instance came without a solution")
        return self._gold

    def hardness(self) -> float:
        return float(len(list(_actions(_parsed(self.solution())))))

    def cheats(self) -> Sequence[str]:
        return (
            "Answer: repeat 99 [ repeat 99 [ repeat 99 [ f ] ] ]",
            "Answer: " + "f " * 60,
            "Answer: repeat 99 [ l r ]",
        )

    def svg(self) -> str:
        board = Board(len(self.rows), len(self.rows[0]))
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                elif cell == "*":
                    board.circle(r, c, "#f0c419", radius=0.2)
                elif cell == "@":
                    board.text(r, c, {"north": "▲", "east": "▶", "south": "▼", "west": "◀"}[self.heading])
        return board.svg()


def _parsed(text: str) -> Block:
    """Read a program; linear in its length."""
    text = text.strip().rstrip(".")
    signs, at = [], 0
    while at < len(text):
        found = _SIGN.match(text, at)
        if not found:
            raise Unreadable(f"a program is made of f, l, r and repeat N [ ... ], found {text[at : at + 20]!r}")
        sign = found[1].lower()
        if sign not in {",", ";"}:
            signs.append(_SHORT.get(sign, sign))
        if len(signs) > _MOST_SIGNS:
            raise Unreadable(f"a program has at most {_MOST_SIGNS} signs")
        at = found.end()
    blocks: list[Block] = [[]]
    times: list[int] = []
    position = 0
    while position < len(signs):
        sign = signs[position]
        if sign in ("f", "l", "r"):
            blocks[-1].append(sign)
        elif sign == "repeat":
            if signs[position + 1 : position + 2] == [] or not signs[position + 1].isdigit():
                raise Unreadable("'repeat' is followed by a number")
            if signs[position + 2 : position + 3] not in (["["], ["{"], ["("]):
                raise Unreadable("'repeat 3' is followed by brackets '[ ... ]'")
            times.append(int(signs[position + 1]))
            blocks.append([])
            if len(blocks) > _DEEPEST + 1:
                raise Unreadable(f"repeats stand within each other at most {_DEEPEST} deep")
            position += 2
        elif sign in ("]", "}", ")") and times:
            block = blocks.pop()
            blocks[-1].append((times.pop(), block))
        else:
            raise Unreadable(f"{sign!r} does not belong there")
        position += 1
    if times:
        raise Unreadable("a bracket is not closed")
    if not blocks[0]:
        raise Unreadable("the program is empty")
    return blocks[0]


def _size(block: Block) -> int:
    return sum(1 if isinstance(part, str) else 1 + _size(part[1]) for part in block)


def _actions(block: Block) -> list[str]:
    """What the program does, one action after another; one more than the limit at most."""
    done: list[str] = []
    for part in block:
        if isinstance(part, str):
            done.append(part)
            continue
        inner = _actions(part[1])
        for _ in range(part[0] if inner else 0):
            done += inner
            if len(done) > _MOST_ACTIONS:
                break
        if len(done) > _MOST_ACTIONS:
            break
    return done[: _MOST_ACTIONS + 1]


def _walk(program: Block, heading: str) -> list[tuple[int, int]] | None:
    """The cells of a walk from (0, 0) on a free board; nothing if it is too long or goes too far."""
    actions = _actions(program)
    if len(actions) > 120:
        return None
    (dr, dc), (r, c) = _HEADINGS[heading], (0, 0)
    path = [(0, 0)]
    for action in actions:
        if action == "l":
            dr, dc = -dc, dr
        elif action == "r":
            dr, dc = dc, -dr
        else:
            r, c = r + dr, c + dc
            path.append((r, c))
    return path


def _drawn(rng: np.random.Generator, commands: int) -> Block:
    """A repeat of a few commands, perhaps with one within it, and the rest before and after it."""

    def plain(count: int) -> Block:
        """Steps, with a turn between two of them now and then."""
        block: Block = []
        for kind in rng.integers(5, size=(count,)).tolist():
            turns = block[-1:] in (["l"], ["r"])
            block.append("f" if turns or kind < 3 else "lr"[kind - 3])
        return block

    inner = plain(max(3, commands // 2))
    if commands > 6:
        cut = int(rng.integers(1, len(inner)))
        inner = [*inner[:cut], (int(rng.integers(2, 5)), inner[cut:])]
    rest = plain(max(0, commands - 1 - _size(inner)))
    split = int(rng.integers(len(rest) + 1))
    return [*rest[:split], (int(rng.integers(2, 7)), inner), *rest[split:]]


def _written(block: Block) -> str:
    return " ".join(part if isinstance(part, str) else f"repeat {part[0]} [ {_written(part[1])} ]" for part in block)
