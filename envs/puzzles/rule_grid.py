"""Rule grids: boards with rewriting rules of their own, in the spirit of PuzzleScript."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Knob, Knobs
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.search import DELTAS, StateGraph, direction
from proofgym.errors import BadInput

__all__ = ["RuleGrid"]

_THINGS = "abc"
_WALK = ("@.", ".@")
_ENOUGH = 800  # positions; a board from which more can be reached is not asked
_GRAMMAR = (  # x and y stand for different things
    ("@x.", ".@x"),  # push
    ("@xx.", ".@xx"),  # push two
    ("@xy.", ".@xy"),
    ("x@.", ".x@"),  # pull
    ("@x", "x@"),  # swap
    ("@x", ".@"),  # eat
    ("@x.", ".x@"),  # jump over
    ("@x.", ".@y"),  # push and change
    ("@x#", ".@#"),  # crush against a wall
    ("@xx", ".@y"),  # melt two into one
    ("@xy", ".@x"),
    ("@x..", ".@.x"),  # kick
    ("y@x", "x@y"),  # turn around in between
)


class RuleGrid(StateGraph[str]):
    """Reach a pattern on a board whose rules are drawn from a grammar and told in the question.

    A rule rewrites cells along the line of the move, the way PuzzleScript's do; the first rule that fits applies. The
    goal is a pattern, or the absence of a thing, that the whole search from the start meets no sooner than claimed.
    """

    family = "rule_grid"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "size": Knob(4, 5, "rows and columns inside the walls", 3, 6),
        "rules": Knob(2, 4, "rules beside walking", 1, 6),
        "things": Knob(3, 4, "things on the board", 2, 6),
        "moves": Knob(6, 13, "least number of moves, about", 2, 20),
    }
    hardness_of = "least number of moves"
    steps_floor = 0.25

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        tries = 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            rules = _drawn_rules(rng, knobs["rules"])
            board = _drawn_board(rng, knobs["size"], knobs["things"])
            puzzle = cls({"board": board, "rules": rules, "goal": ["gone", "@"]})
            order = puzzle._reached(_ENOUGH)
            least = max(2, knobs["moves"] - tries // 8)
            if not order or order[-1][0] < least:
                continue
            first = puzzle._first_met(order)
            goals = [goal for goal, depth in first.items() if least <= depth <= least + 2]
            if goals:
                goal = goals[int(rng.integers(len(goals)))]
                return cls({"board": board, "rules": rules, "goal": list(goal)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "board", "rules", "goal")
        self.rows = fields.rows(data, "board", "#.@" + _THINGS, most=12)
        self._width = len(self.rows[0])
        self._begin = "".join(self.rows)
        if self._begin.count("@") != 1:
            raise BadInput(f"'board' has one player @, found {self._begin.count('@')}")
        edge = {self.rows[0], self.rows[-1], *(row[0] for row in self.rows), *(row[-1] for row in self.rows)}
        if not all(set(part) == {"#"} for part in edge):
            raise BadInput("'board' has walls # all around")
        if not isinstance(data["rules"], (list, tuple)) or not 1 <= len(data["rules"]) <= 8:
            raise BadInput(f"'rules' is a list of 1 to 8 pairs of patterns, found {data['rules']!r:.80}")
        self.laws: list[tuple[str, str]] = []
        for rule in data["rules"]:
            left, right = fields.texts({"rules": rule}, "rules", "#.@" + _THINGS, least=2, most=2, longest=5)
            if len(left) != len(right) or left.count("@") != 1 or right.count("@") != 1 or left == right:
                raise BadInput(f"a rule has two different patterns of one length, each with one @, found {rule!r:.80}")
            if any((one == "#") != (two == "#") for one, two in zip(left, right, strict=True)):
                raise BadInput(f"a rule leaves walls # where they are, found {rule!r:.80}")
            self.laws.append((left, right))
        kind, self._wanted = fields.texts(data, "goal", least=2, most=2, longest=5)
        if kind not in ("line", "gone") or not set(self._wanted) <= set("." + _THINGS + "@"):
            raise BadInput(f"'goal' is ['line', pattern] or ['gone', thing], found {data['goal']!r:.80}")
        self._line = kind == "line"
        self._down = itemgetter(*(r * self._width + c for c in range(self._width) for r in range(len(self.rows))))
        self._fits: dict[tuple[int, str], list[tuple[Any, tuple[str, ...], list[tuple[int, str]]]]] = {}

    def _rules_at(self, at: int, move: str) -> list[tuple[Any, tuple[str, ...], list[tuple[int, str]]]]:
        """For each rule that stays on the board: its cells, what they have to hold, and what they come to hold."""
        found = self._fits.get((at, move))
        if found is None:
            found = self._fits[at, move] = []
            dr, dc = DELTAS[move]
            for left, right in self.laws:
                offset = left.index("@")
                row, column = divmod(at, self._width)
                places = [(row + (i - offset) * dr, column + (i - offset) * dc) for i in range(len(left))]
                if all(0 <= r < len(self.rows) and 0 <= c < self._width for r, c in places):
                    cells = [r * self._width + c for r, c in places]
                    found.append((itemgetter(*cells), tuple(left), list(zip(cells, right, strict=True))))
        return found

    def rules(self) -> str:
        laws = "\n".join(f"{left} -> {right}" for left, right in self.laws)
        goal = (
            f"'{self._wanted}' stands somewhere in a row (read from left to right) or a column (from the top down)"
            if self._line
            else f"no '{self._wanted}' is left"
        )
        return (
            "A board with rules of its own: '@' is you, '#' a wall, '.' free, letters are things. A move is 'up', "
            "'down', 'left' or 'right'. Rules rewrite cells in a line along your move: the leftmost sign of a rule is "
            "furthest back, the rightmost furthest ahead, seen in the direction in which you move. The first that fits "
            f"applies; if none does, the move is not possible.\n{laws}\nGoal: {goal}."
        )

    def start(self) -> str:
        return self._begin

    def goal(self, state: str) -> bool:
        if not self._line:
            return self._wanted not in state
        return self._wanted in state or self._wanted in "".join(self._down(state))

    def named(self, move: str) -> str:
        return direction(move)

    def refusal(self, state: str, move: str) -> str:
        return "No rule fits." if move in DELTAS else "A move is 'up', 'down', 'left' or 'right'."

    def steps(self, state: str) -> list[tuple[str, str]]:
        at = state.index("@")
        found = []
        for move in DELTAS:
            for cells, left, right in self._rules_at(at, move):
                if cells(state) == left:
                    after = list(state)
                    for cell, sign in right:
                        after[cell] = sign
                    found.append((move, "".join(after)))
                    break
        return found

    def view(self, state: str) -> str:
        return "\n".join(state[at : at + self._width] for at in range(0, len(state), self._width))

    def svg(self) -> str:
        board = Board(len(self.rows), self._width)
        for r, row in enumerate(self.rows):
            for c, cell in enumerate(row):
                if cell == "#":
                    board.fill(r, c, "#5b6675")
                elif cell == "@":
                    board.circle(r, c, "#2f6fb5")
                elif cell != ".":
                    board.fill(r, c, "#f6d58e").text(r, c, cell)
        return board.svg()

    def _reached(self, most: int) -> list[tuple[int, str]]:
        """Every position that can be reached with its depth, in order of it; nothing if there are more than `most`."""
        seen = {self._begin}
        order = [(0, self._begin)]
        for depth, state in order:
            for _, after in self.steps(state):
                if after not in seen:
                    seen.add(after)
                    order.append((depth + 1, after))
            if len(order) > most:
                return []
        return order

    def _first_met(self, order: list[tuple[int, str]]) -> dict[tuple[str, str], int]:
        """The depth at which each possible goal first holds."""
        things = sorted(set(self._begin) - set("#.@"))
        lines = [a + b for a in things for b in things]
        lines += [line + c for line in lines for c in things]
        missing = [("line", line) for line in lines] + [("gone", thing) for thing in things]
        met: dict[tuple[str, str], int] = {}
        for depth, state in order:
            down = "".join(self._down(state))
            now = [
                (kind, text)
                for kind, text in missing
                if ((text not in state) if kind == "gone" else (text in state or text in down))
            ]
            for goal in now:
                met[goal] = depth
                missing.remove(goal)
        return met


def _drawn_rules(rng: np.random.Generator, count: int) -> list[list[str]]:
    rules: list[list[str]] = []
    for number in rng.permutation(len(_GRAMMAR)).tolist():
        if len(rules) == count:
            break
        x, y = rng.permutation(3)[:2].tolist()
        renamed = str.maketrans("xy", _THINGS[x] + _THINGS[y])
        left, right = (part.translate(renamed) for part in _GRAMMAR[number])
        if all(left != other for other, _ in rules):
            rules.append([left, right])
    rules.sort(key=lambda rule: -len(rule[0]))  # a longer pattern would never apply behind its own beginning
    return [*rules, list(_WALK)]


def _drawn_board(rng: np.random.Generator, size: int, things: int) -> list[str]:
    cells = ["#" if chance < 0.1 else "." for chance in rng.random(size * size).tolist()]
    places = rng.permutation(size * size)[: things + 1].tolist()
    for at, kind in zip(places, rng.integers(3, size=(things,)).tolist(), strict=False):
        cells[at] = _THINGS[kind]
    cells[places[-1]] = "@"
    wall = "#" * (size + 2)
    return [wall, *("#" + "".join(cells[at : at + size]) + "#" for at in range(0, size * size, size)), wall]
