"""Blocks world: restack blocks on a table, with exact plan lengths and PDDL in and out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput

__all__ = ["Blocksworld"]

_NAMES = "abcdefghijklmnop"
_MOVE = re.compile(r"(?:move\s|put\s|stack\s)?(?:block\s)?([a-p])\s?(?:on|onto|to|->)?\s?(?:top of\s)?(?:the\s)?"
                   r"(?:block\s)?(table|[a-p])", re.ASCII)  # fmt: skip
_FACT = re.compile(r"\(\s*(on|on-table|ontable)\s+([a-z][\w-]*)(?:\s+([a-z][\w-]*))?\s*\)", re.ASCII)
_MOST_PDDL = 20_000

Below = tuple[int, ...]
"""For each block, the block that it stands on, or -1 for the table."""


class Blocksworld(MovePuzzle[Below]):
    """Move one clear block at a time, onto the table or a clear block, until all stand as asked.

    A block that stands as asked, all the way down, never has to move; any other has to once, and twice if it is put
    aside on the table first. The least number of moves is a shortest path over the choices which block to put aside
    (Slaney and Thiebaux 2001, "Blocks World revisited", Artificial Intelligence 125).
    """

    family = "blocksworld"
    knobs: ClassVar[Mapping[str, Knob]] = {"blocks": Knob(5, 11, "blocks", 2, 12)}
    hardness_of = "least number of moves"
    steps_floor = 0.15  # at level 0; nothing from level 0.5 on

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        draws = Draws(cls.family)
        while True:
            draws.count()
            start, goal = _towers(rng, knobs["blocks"]), _towers(rng, knobs["blocks"])
            puzzle = cls({"start": list(start), "goal": list(goal)})
            if puzzle._from_start() >= knobs["blocks"] // 2 + 1:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "start", "goal")
        self._begin = self._stacked(data, "start")
        self._goal = self._stacked(data, "goal")
        self._lefts: dict[Below, int] = {}
        if len(self._begin) != len(self._goal):
            raise BadInput(f"'start' and 'goal' have as many blocks, found {len(self._begin)} and {len(self._goal)}")

    @staticmethod
    def _stacked(data: Mapping[str, Any], key: str) -> Below:
        below = fields.wholes(data, key, -1, 11, most=12)
        under = [block for block in below if block >= 0]
        if len(set(under)) < len(under) or any(block >= len(below) for block in under):
            raise BadInput(
                f"{key!r} names for each block the one below it (-1 for the table), none twice: {below!r:.80}"
            )
        for block in range(len(below)):
            at, height = block, 0
            while at >= 0:
                at, height = below[at], height + 1
                if height > len(below):
                    raise BadInput(f"{key!r} has blocks that stand on each other in a circle: {below!r:.80}")
        return below

    def rules(self) -> str:
        return (
            "Blocks world: a move takes one block with nothing on it and puts it on the table or on another block with "
            "nothing on it. A move is 'a on b' or 'a on table'. Each line below is a tower, from the bottom up; the "
            f"order of the towers does not matter. Reach:\n{self.view(self._goal)}\nThe towers now:"
        )

    def start(self) -> Below:
        return self._begin

    def pack(self, state: Below) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Below:
        state = self._stacked({"below": data}, "below")
        if len(state) != len(self._goal):
            raise BadInput(f"a position has {len(self._goal)} blocks, found {len(state)}")
        return state

    def view(self, state: Below) -> str:
        above = {below: block for block, below in enumerate(state) if below >= 0}
        lines = []
        for block, below in enumerate(state):
            if below < 0:
                tower = [block]
                while tower[-1] in above:
                    tower.append(above[tower[-1]])
                lines.append(" ".join(_NAMES[b] for b in tower))
        return "\n".join(lines)

    def moves(self, state: Below) -> list[str]:
        clear = [block for block in range(len(state)) if block not in state]
        found = []
        for block in clear:
            if state[block] >= 0:
                found.append(f"{_NAMES[block]} on table")
            found += [f"{_NAMES[block]} on {_NAMES[to]}" for to in clear if to != block]
        return found

    def apply(self, state: Below, move: str) -> Below:
        found = _MOVE.fullmatch(move)
        if not found:
            raise Illegal("A move is 'a on b' or 'a on table'.")
        block, to = _NAMES.index(found[1]), -1 if found[2] == "table" else _NAMES.index(found[2])
        if max(block, to) >= len(state):
            raise Illegal(f"The blocks are {_NAMES[0]} to {_NAMES[len(state) - 1]}.")
        if block in state:
            raise Illegal(f"Block {found[1]} has a block on it.")
        if to == state[block]:
            raise Illegal(f"Block {found[1]} stands there already.")
        if to == block:
            raise Illegal("A block cannot stand on itself.")
        if to in state and to >= 0:
            raise Illegal(f"Block {found[2]} has a block on it.")
        return (*state[:block], to, *state[block + 1 :])

    def distance(self, state: Below) -> int | None:
        left = self._lefts.get(state)
        if left is None:
            if len(self._lefts) > 4096:
                self._lefts.clear()
            left = self._lefts[state] = self._least(state)
        return left

    def best(self, state: Below) -> str:
        left = self.distance(state)
        moves = self.moves(state)
        return next((m for m in moves if left and self.distance(self.apply(state, m)) == left - 1), moves[0])

    def _settled(self, state: Below) -> set[int]:
        """The blocks that stand as asked, all the way down."""
        goal = self._goal
        known = {-1: True}

        def check(block: int) -> bool:
            if block not in known:
                known[block] = state[block] == goal[block] and check(goal[block])
            return known[block]

        return {block for block in range(len(state)) if check(block)}

    def _least(self, begin: Below) -> int:
        """Blocks out of place, and the fewest that have to be put aside, breadth first."""
        queue: deque[tuple[int, Below]] = deque([(0, begin)])
        seen: set[Below] = set()
        misplaced = len(begin) - len(self._settled(begin))
        while queue:
            aside, state = queue.popleft()
            state, settled = self._finish(state)
            if len(settled) == len(state):
                return misplaced + aside
            if state in seen:
                continue
            seen.add(state)
            for block, below in enumerate(state):
                if below >= 0 and block not in settled and block not in state:
                    queue.append((aside + 1, (*state[:block], -1, *state[block + 1 :])))
        raise AssertionError("blocks can always be laid out on the table and stacked")

    def _finish(self, state: Below) -> tuple[Below, set[int]]:
        """Move every block to its place as long as one can go there directly: that is never a detour."""
        settled = self._settled(state)
        moved = True
        while moved:
            moved = False
            for block, to in enumerate(self._goal):
                ready = to < 0 or (to in settled and to not in state)
                if block not in settled and block not in state and ready:
                    state = (*state[:block], to, *state[block + 1 :])
                    settled.add(block)
                    moved = True
        return state, settled

    # PDDL -------------------------------------------------------------------------------------------------------------

    def pddl(self, name: str = "blocks") -> str:
        """The problem in PDDL, for the four-operator blocks world of the planning competitions.

        One move here is two operators there: pick up or unstack, and put down or stack.
        """

        def facts(state: Below) -> str:
            return " ".join(
                f"(on {_NAMES[b]} {_NAMES[under]})" if under >= 0 else f"(ontable {_NAMES[b]})"
                for b, under in enumerate(state)
            )

        clear = " ".join(f"(clear {_NAMES[b]})" for b in range(len(self._begin)) if b not in self._begin)
        return (
            f"(define (problem {name})\n  (:domain blocksworld)\n"
            f"  (:objects {' '.join(_NAMES[: len(self._begin)])})\n"
            f"  (:init {facts(self._begin)} {clear} (handempty))\n  (:goal (and {facts(self._goal)})))\n"
        )

    @classmethod
    def from_pddl(cls, text: str) -> Self:
        """Read a blocks-world problem in PDDL; blocks that the goal does not place stand on the table in it.

        Raises:
            BadInput: If it is none.
        """
        if len(text) > _MOST_PDDL or "(:goal" not in text.lower():
            raise BadInput(f"a PDDL problem has at most {_MOST_PDDL} characters and a (:goal ...), found {text[:80]!r}")
        first, _, last = text.lower().partition("(:goal")
        found = [_FACT.findall(part) for part in (first, last)]
        blocks = sorted({name for part in found for _, *names in part for name in names if name})
        if not 1 <= len(blocks) <= 12:
            raise BadInput(f"a problem has 1 to 12 blocks, found {len(blocks)}")
        below = [[-1] * len(blocks) for _ in found]
        for part, facts in zip(below, found, strict=True):
            for kind, block, under in facts:
                if (kind == "on") != bool(under):
                    raise BadInput(f"'({kind} {block} {under})' has the wrong number of blocks")
                part[blocks.index(block)] = blocks.index(under) if under else -1
        return cls.from_instance({"start": below[0], "goal": below[1]})

    def svg(self) -> str:
        towers = [line.split() for line in self.view(self._begin).split("\n")]
        height = max(map(len, towers))
        board = Board(height, 2 * len(towers))
        for column, tower in enumerate(towers):
            for level, block in enumerate(tower):
                board.fill(height - 1 - level, 2 * column, "#e8c98f").text(height - 1 - level, 2 * column, block)
        return board.svg(ruled=False)


def _towers(rng: np.random.Generator, blocks: int) -> Below:
    """Towers at random: each block in turn goes onto the table or a tower, and names are shuffled."""
    names = rng.permutation(blocks).tolist()
    tops: list[int] = []
    below = [-1] * blocks
    for block, chance in zip(names, rng.random(blocks).tolist(), strict=True):
        at = int(chance * (len(tops) + 1))
        if at < len(tops):
            below[block] = tops[at]
            tops[at] = block
        else:
            tops.append(block)
    return tuple(below)
