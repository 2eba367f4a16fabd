"""A walk on a grid from turns and steps: say where it ends, or write one that ends there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable, tidy
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["PathTurns"]

_HEADINGS = ("north", "east", "south", "west")
_AHEAD = ((0, 1), (1, 0), (0, -1), (-1, 0))
_ORDER = re.compile(r"(forward|back) ([1-9][0-9]?)|(left|right|around)", re.ASCII)
_ANSWER = re.compile(
    r"\(?(?:x ?= ?)?([+-]?[0-9]{1,6}) ?,? ?(?:y ?= ?)?([+-]?[0-9]{1,6})\)? ?,? ?(?:facing )?(north|east|south|west)",
    re.ASCII,
)


class PathTurns(Puzzle):
    """Follow turns and steps, some of them repeated or mirrored, and say where the walk ends and which way it faces."""

    family = "path_turns"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "orders": Knob(6, 24, "orders", 2, 60),
        "longest": Knob(4, 9, "steps of an order, at most", 1, 20),
        "blocks": Knob(1, 4, "blocks of orders that are done several times", 0, 6),
    }
    hardness_of = "orders carried out, with repetitions"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        blocks = knobs["blocks"] + 1
        draws = Draws(cls.family)
        while True:
            draws.count()
            program: list[list[Any]] = []
            for number in range(blocks):
                orders = []
                for kind, steps in rng.integers(
                    0, (8, knobs["longest"]), size=(max(1, knobs["orders"] // blocks), 2)
                ).tolist():
                    orders.append(
                        f"{'back' if kind == 7 else 'forward'} {steps + 1}"
                        if kind > 3
                        else ("left", "right", "left", "around")[kind]
                    )
                program.append([1 if number == 0 else int(rng.integers(2, 5)), orders])
            start = [*rng.integers(-9, 10, size=(2,)).tolist(), _HEADINGS[int(rng.integers(4))]]
            puzzle = cls({"start": start, "program": program})
            if (
                puzzle.end[:2] != puzzle.begin[:2]
                and sum(order in ("left", "right") for _, o in program for order in o) > 1
            ):
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "start", "program")
        start = data["start"]
        if not isinstance(start, (list, tuple)) or len(start) != 3:
            raise BadInput(f"'start' is [x, y, heading], found {start!r:.80}")
        x, y = fields.wholes({"start": start[:2]}, "start", -999, 999, least=2, most=2)
        heading = fields.one_of({"start": start[2]}, "start", _HEADINGS)
        self.begin = (x, y, heading)
        if not isinstance(data["program"], (list, tuple)) or not 1 <= len(data["program"]) <= 10:
            raise BadInput(f"'program' is a list of 1 to 10 blocks [times, orders], found {data['program']!r:.80}")
        self.blocks: list[tuple[int, tuple[str, ...]]] = []
        for block in data["program"]:
            if not isinstance(block, (list, tuple)) or len(block) != 2:
                raise BadInput(f"a block is [times, orders], found {block!r:.80}")
            times = fields.whole({"times": block[0]}, "times", 1, 9)
            orders = fields.texts({"orders": block[1]}, "orders", most=60, longest=12)
            wrong = next((order for order in orders if not _ORDER.fullmatch(order)), None)
            if wrong is not None:
                raise BadInput(f"an order is 'forward 3', 'back 3', 'left', 'right' or 'around', found {wrong!r:.40}")
            self.blocks.append((times, orders))
        self.end = self._walk()

    def _walk(self) -> tuple[int, int, str]:
        x, y, facing = self.begin
        way = _HEADINGS.index(facing)
        for times, orders in self.blocks:
            for order in orders * times:
                kind, _, steps = order.partition(" ")
                if steps:
                    dx, dy = _AHEAD[way]
                    length = int(steps) if kind == "forward" else -int(steps)
                    x, y = x + dx * length, y + dy * length
                else:
                    way = (way + {"left": 3, "right": 1, "around": 2}[kind]) % 4
        return x, y, _HEADINGS[way]

    def question(self) -> str:
        x, y, heading = self.begin
        lines = []
        for times, orders in self.blocks:
            lines.append(f"{', '.join(orders)}" if times == 1 else f"{times} times: {', '.join(orders)}")
        program = "\n".join(lines)
        return (
            f"You stand at x = {x}, y = {y} and face {heading}. North is up (y grows), east is right (x grows). "
            f"'left' and "
            "'right' turn you by 90 degrees and 'around' by 180, without a step; 'forward 3' walks 3 the way you face, "
            f"'back 3' walks 3 backwards and keeps the way you face. Follow these orders, line by line:\n{program}\n"
            "Where do you end, and which way do you face? "
            "End with a line 'Answer: ' and x, y and the heading, such as 'Answer: 3 -2 north'."
        )

    def judge(self, answer: str) -> Verdict:
        found = _ANSWER.fullmatch(tidy(answer))
        if not found:
            raise Unreadable(f"x, y and a heading are asked for, such as '3 -2 north', found {answer.strip()[:40]!r}")
        claimed = (int(found[1]), int(found[2]), found[3])
        if claimed == self.end:
            return Verdict.right()
        return Verdict.wrong(f"found {claimed[0]} {claimed[1]} {claimed[2]}, and the walk ends elsewhere")

    def solution(self) -> str:
        return f"{self.end[0]} {self.end[1]} {self.end[2]}"

    def hardness(self) -> float:
        return float(sum(times * len(orders) for times, orders in self.blocks))

    def cheats(self) -> Sequence[str]:
        x, y, _ = self.end
        return (
            f"Answer: {x} {y}",
            f"Answer: {x} {y} up",
            *(f"Answer: {x} {y} {h}" for h in _HEADINGS if h != self.end[2]),
        )
