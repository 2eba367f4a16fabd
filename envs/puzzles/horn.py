"""Horn chaining: derive a goal from facts by rules, in few steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.counts import bits
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput

__all__ = ["HornChaining"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MOVE = re.compile(r"(?:apply |use )?(?:rule )?([0-9]{1,2})", re.ASCII)

State = tuple[int, int]
"""What is derived, as bits, and how many steps are left."""


class HornChaining(MovePuzzle[State]):
    """Derive a goal from facts by rules of the form "if A and B then C", one rule a step, with few steps to spare.

    A step that is allowed but not needed uses up a step, so that trying every rule does not pay. Rules form no circle.
    The fewest steps are found by asking, from the last fact of the order back, by which rule each needed one comes.
    """

    family = "horn_chaining"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "steps": Knob(3, 9, "fewest steps to the goal", 1, 12),
        "rules": Knob(9, 24, "rules", 4, 40),
        "spare": Knob(1, 0, "steps allowed beyond the fewest", 0, 5),
    }
    hardness_of = "fewest steps to the goal"
    floor: ClassVar[float] = 0.03
    steps_floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        chance, wanted, count = Chance(rng), knobs["steps"], knobs["rules"]
        atoms = min(len(_LETTERS), 4 + count * 2 // 3)
        given = 2 + atoms // 6
        draws = Draws(cls.family, 1000)
        while True:
            draws.count()
            rules: list[tuple[tuple[int, ...], int]] = []
            while len(rules) < count:
                head = given + len(rules) if given + len(rules) < atoms else given + chance.below(atoms - given)
                size = 1 + chance.below(3)
                recent = max(0, head - 2 - atoms // 4)  # rules that lean on late facts make long chains
                body = {recent + chance.below(head - recent) if chance.share() < 0.7 else chance.below(head)
                        for _ in range(size)}  # fmt: skip
                if (tuple(sorted(body)), head) not in rules:
                    rules.append((tuple(sorted(body)), head))
            reach = {atom: _fewest(rules, 1 << atom, (1 << given) - 1, {}) for atom in range(given, atoms)}
            goals = [atom for atom, steps in reach.items() if steps is not None and steps[0] == wanted]
            if not goals:
                continue
            goal = chance.pick(goals)
            name = chance.shuffled(_LETTERS)
            mixed = chance.shuffled(
                [[*chance.shuffled([name[atom] for atom in body]), name[head]] for body, head in rules]
            )
            facts = chance.shuffled(name[:given])
            return cls({"facts": facts, "rules": mixed, "goal": name[goal], "steps": wanted + knobs["spare"]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "facts", "rules", "goal", "steps")
        facts = fields.texts(data, "facts", _LETTERS, most=26, longest=1)
        goal = fields.text(data, "goal", _LETTERS, most=1)
        self.steps = fields.whole(data, "steps", 1, 100)
        if not isinstance(data["rules"], (list, tuple)) or not 1 <= len(data["rules"]) <= 60:
            raise BadInput(
                f"'rules' is a list of 1 to 60 rules [premise, ..., conclusion], found {data['rules']!r:.80}"
            )
        named = [fields.texts({"rules": rule}, "rules", _LETTERS, least=2, most=8, longest=1) for rule in data["rules"]]
        order = _ordered(named)
        for letter in (*facts, goal):
            order.setdefault(letter, len(order))
        self._letters = list(order)
        self.rules_ = [(tuple(order[atom] for atom in rule[:-1]), order[rule[-1]]) for rule in named]
        self._goal = order[goal]
        self._facts = sum(1 << order[fact] for fact in set(facts))
        self._needs = [sum(1 << atom for atom in set(body)) for body, _ in self.rules_]
        self._known: dict[int, tuple[int, int] | None] = {}

    def canonical(self) -> Any:
        rules = sorted([*sorted(rule[:-1]), rule[-1]] for rule in self.data["rules"])
        return [sorted(self.data["facts"]), rules, self.data["goal"], self.steps]

    def rules(self) -> str:
        lines = "\n".join(
            f"{number}. if {' and '.join(rule[:-1])} then {rule[-1]}"
            for number, rule in enumerate(self.data["rules"], 1)
        )
        return (
            f"Derive {self.data['goal']} in at most {self.steps} steps. A step applies one rule whose conditions "
            "are all "
            f"known, and makes its conclusion known; it has to be new. The rules:\n{lines}\n"
            "A move is the number of a rule."
        )

    def start(self) -> State:
        return self._facts, self.steps

    def pack(self, state: State) -> Any:
        return list(state)

    def unpack(self, data: Any) -> State:
        known, left = fields.wholes({"state": data}, "state", 0, 1 << len(self._letters), least=2, most=2)
        if known & ~((1 << len(self._letters)) - 1) or known & self._facts != self._facts or left > self.steps:
            raise BadInput(f"a position is [what is known, steps left], the facts among it, found {data!r:.80}")
        return known, left

    def view(self, state: State) -> str:
        known = ", ".join(sorted(self._letters[atom] for atom in bits(state[0])))
        return f"Known: {known}. Steps left: {state[1]}."

    def moves(self, state: State) -> list[str]:
        known, left = state
        if not left:
            return []
        return [
            str(number)
            for number, ((_, head), needs) in enumerate(zip(self.rules_, self._needs, strict=True), 1)
            if needs & ~known == 0 and not known >> head & 1
        ]

    def apply(self, state: State, move: str) -> State:
        found = _MOVE.fullmatch(move)
        if not found or not 1 <= int(found[1]) <= len(self.rules_):
            raise Illegal(f"A move is the number of a rule, from 1 to {len(self.rules_)}.")
        known, left = state
        head, needs = self.rules_[int(found[1]) - 1][1], self._needs[int(found[1]) - 1]
        if needs & ~known:
            missing = self._letters[bits(needs & ~known)[0]]
            raise Illegal(f"{missing} is not known.")
        if known >> head & 1:
            raise Illegal(f"{self._letters[head]} is known already.")
        if not left:
            raise Illegal("No step is left.")
        return known | 1 << head, left - 1

    def distance(self, state: State) -> int | None:
        fewest = self._plan(state[0])
        return None if fewest is None or fewest[0] > state[1] else fewest[0]

    def best(self, state: State) -> str:
        fewest = self._plan(state[0])
        if fewest is not None and fewest[0]:
            return str(fewest[1] + 1)
        return next(iter(self.moves(state)), "1")

    def solved(self, state: State) -> bool:
        return bool(state[0] >> self._goal & 1)

    def lost(self, state: State) -> str | None:
        if self.solved(state):
            return None
        return "no step is left" if not state[1] else None if self.moves(state) else "no rule can be applied"

    def _plan(self, known: int) -> tuple[int, int] | None:
        """The fewest steps to the goal, and a rule to begin with."""
        if known not in self._known:
            self._known[known] = _fewest(self.rules_, 1 << self._goal, known, {})
        return self._known[known]


def _fewest(
    rules: list[tuple[tuple[int, ...], int]], needed: int, known: int, memo: dict[int, tuple[int, int] | None]
) -> tuple[int, int] | None:
    """The fewest steps that make all of `needed` known, and the first rule to apply; `None` if nothing does.

    Atoms are numbered so that every rule leads upwards: the highest needed one comes last, by one of its rules.
    """
    needed &= ~known
    if not needed:
        return 0, -1
    if needed not in memo:
        memo[needed] = None
        top = needed.bit_length() - 1
        least: tuple[int, int] | None = None
        for number, (body, head) in enumerate(rules):
            if head == top:
                rest = needed ^ 1 << top
                for atom in body:
                    rest |= 1 << atom
                before = _fewest(rules, rest, known, memo)
                if before is not None and (least is None or before[0] + 1 < least[0]):
                    least = before[0] + 1, before[1] if before[0] else number
        memo[needed] = least
    return memo[needed]


def _ordered(rules: list[tuple[str, ...]]) -> dict[str, int]:
    """Numbers for the letters so that every rule leads upwards."""
    waiting = sorted({letter for rule in rules for letter in rule})
    order: dict[str, int] = {}
    while waiting:
        blocked = {rule[-1] for rule in rules if any(letter not in order for letter in rule[:-1])}
        free = [letter for letter in waiting if letter not in blocked]
        if not free:
            raise BadInput(f"'rules' lead in a circle through {', '.join(waiting)[:60]}")
        for letter in free:
            order[letter] = len(order)
        waiting = [letter for letter in waiting if letter not in order]
    return order
