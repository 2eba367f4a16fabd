"""Running machines by hand: a stack machine and Turing machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["StackMachine", "TuringMachine"]

_NEEDS = {
    "add": 2,
    "sub": 2,
    "mul": 2,
    "min": 2,
    "max": 2,
    "dup": 1,
    "drop": 1,
    "swap": 2,
    "over": 2,
    "rot": 3,
    "neg": 1,
}
_MEANING = (
    "'push n' puts n on top; add, sub, mul, min and max take the top number y and the one below it, x, and put x + "
    "y, x - y, x * y, the smaller or the larger one; neg changes the sign of the top; dup copies the top; drop "
    "removes it; swap exchanges the top two; over copies the second onto the top; rot brings the third to the top"
)


class StackMachine(Puzzle):
    """Run a program of a stack machine, and say what is on the stack at the end."""

    family = "stack_machine"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "length": Knob(8, 28, "instructions", 3, 80),
        "largest": Knob(9, 20, "largest number that is pushed", 1, 99),
    }
    hardness_of = "instructions, and digits of the numbers that are worked out"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        names = list(_NEEDS)
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            program, depth = list[str](), 0
            while len(program) < knobs["length"]:
                name = names[int(rng.integers(len(names)))]
                if depth < 2 or (depth < 5 and rng.random() < 0.4):
                    program.append(f"push {rng.integers(1, knobs['largest'] + 1)}")
                    depth += 1
                elif depth >= _NEEDS[name] and not (name == "drop" and rng.random() < 0.7):
                    program.append(name)
                    depth += {"dup": 1, "over": 1, "swap": 0, "rot": 0, "neg": 0}.get(name, -1)
            try:
                puzzle = cls({"program": program})
            except BadInput:
                continue  # a number became too large
            if 2 <= len(puzzle.stack) <= 6 and max(map(abs, puzzle.stack)) < 10**5:
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "program")
        self.program = fields.texts(data, "program", "abcdefghijklmnopqrstuvwxyz 0123456789", most=200, longest=12)
        self.stack: list[int] = []
        self._digits = 0
        for line in self.program:
            self._step(line)

    def _step(self, line: str) -> None:
        stack = self.stack
        name, _, number = line.partition(" ")
        if name == "push" and number.isdigit() and len(number) <= 4:
            stack.append(int(number))
            return
        if line not in _NEEDS:
            raise BadInput(f"an instruction is 'push 7' or one of {', '.join(_NEEDS)}, found {line!r}")
        if len(stack) < _NEEDS[line]:
            raise BadInput(f"{line!r} needs {_NEEDS[line]} numbers, and the stack has {len(stack)}")
        if line == "drop":
            stack.pop()
        elif line in ("dup", "over"):
            stack.append(stack[-_NEEDS[line]])
        elif line == "swap":
            stack[-1], stack[-2] = stack[-2], stack[-1]
        elif line == "rot":
            stack.append(stack.pop(-3))
        elif line == "neg":
            stack[-1] = -stack[-1]
        else:
            y, x = stack.pop(), stack.pop()
            results = {"add": x + y, "sub": x - y, "mul": x * y, "min": min(x, y), "max": max(x, y)}
            stack.append(results[line])
            self._digits += len(str(results[line]))
            if abs(results[line]) > 10**9:
                raise BadInput(f"a number becomes larger than 10**9 at {line!r}")

    def prove(self) -> None:
        if not self.stack:
            raise BadInput("the stack is empty at the end")

    def question(self) -> str:
        return (
            f"A stack machine starts with an empty stack. {_MEANING}. It runs\n{', '.join(self.program)}\nWhat is on "
            f"the stack then?\nEnd with a line 'Answer: ' and all numbers from the bottom to the top, separated by "
            "blanks."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.wholes(answer, most=400)
        return Verdict.right() if said == self.stack else Verdict.wrong("the stack is another one")

    def solution(self) -> str:
        return " ".join(map(str, self.stack))

    def hardness(self) -> float:
        return float(len(self.program) + self._digits)

    def cheats(self) -> Sequence[str]:
        pushed = " ".join(line[5:] for line in self.program if line.startswith("push "))
        tried = (pushed, "0 0", " ".join([str(self.stack[-1])] * len(self.stack)))
        return tuple(f"Answer: {text}" for text in tried if text != self.solution())


_STATES, _SYMBOLS = "ABCDEF", "01"
_MOST_STEPS = 500


class TuringMachine(Puzzle):
    """Run a Turing machine until it halts: how many steps it takes, and what the tape holds."""

    family = "turing_machine"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "states": Knob(2, 5, "states", 2, 6),
        "steps": Knob(4, 24, "steps, at least; at most three times as many", 1, 30),
        "tape": Knob(4, 8, "cells of the given tape", 1, 20),
    }
    hardness_of = "steps until it halts"
    floor: ClassVar[float] = 0.01

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        """The rule that a machine without a halt comes to first after enough steps is made the one that halts."""
        n, least = knobs["states"], knobs["steps"]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            drawn = rng.integers(2 * 2 * n, size=2 * n).tolist()
            rules = [_SYMBOLS[d % 2] + "LR"[d // 2 % 2] + _STATES[d // 4] for d in drawn]
            tape = f"{int(rng.integers(1 << knobs['tape'])):0{knobs['tape']}b}"
            late = [i for i, step in _first_uses(rules, tape, 3 * least).items() if step >= least]
            if not late:
                continue
            rules[late[0]] = rules[late[0]][:2] + "H"
            end = _run(rules, tape, 3 * least)
            if end is not None and end[1] != tape:
                return cls({"rules": rules, "tape": tape})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rules", "tape")
        self.rules = fields.texts(data, "rules", f"{_STATES}HLR{_SYMBOLS}", least=2, most=12, shortest=3, longest=3)
        n = len(self.rules) // 2
        states = f"{_STATES[:n]}H"
        for rule in self.rules:
            if len(self.rules) % 2 or rule[0] not in _SYMBOLS or rule[1] not in "LR" or rule[2] not in states:
                raise BadInput(
                    f"there are two rules a state, each a symbol, L or R, and a state of {states}; found {rule!r}"
                )
        self.tape = fields.text(data, "tape", _SYMBOLS, most=40)
        end = _run(self.rules, self.tape, _MOST_STEPS)
        if end is None:
            raise BadInput(f"the machine does not halt within {_MOST_STEPS} steps")
        self.steps, self.left = end

    def question(self) -> str:
        rules = "\n".join(
            f"state {_STATES[i // 2]}, reads {_SYMBOLS[i % 2]}: writes {rule[0]}, moves "
            f"{'left' if rule[1] == 'L' else 'right'}, " + ("halts" if rule[2] == "H" else f"goes to state {rule[2]}")
            for i, rule in enumerate(self.rules)
        )
        return (
            f"A Turing machine has these rules:\n{rules}\nThe tape holds {self.tape}, and 0 everywhere else. The "
            "machine starts in state A on the leftmost of these cells. Each rule that is carried out is one step, "
            "the one that halts included.\n"
            "After how many steps has it halted, and what does the tape hold then, from the leftmost to the "
            "rightmost cell that was given or visited (also by the last move)?\n"
            "End with a line 'Answer: ' in the form steps=..., tape=..."
        )

    def judge(self, answer: str) -> Verdict:
        said = answers.mapping(answer, ["steps", "tape"])
        tape = "".join(said["tape"].split())
        if set(tape) - set(_SYMBOLS) or len(tape) > 1200:
            raise Unreadable(f"a tape of 0 and 1 is asked for, found {tape[:40]!r}")
        if answers.whole(said["steps"]) != self.steps:
            return Verdict.wrong("it takes another number of steps")
        return Verdict.right() if tape == self.left else Verdict.wrong("the tape holds something else")

    def solution(self) -> str:
        return f"steps={self.steps}, tape={self.left}"

    def hardness(self) -> float:
        return float(self.steps)

    def cheats(self) -> Sequence[str]:
        return (
            f"Answer: steps={self.steps}",
            f"Answer: steps={self.steps}, tape={self.tape}",
            "Answer: steps=0, tape=0",
        )


def _first_uses(rules: Sequence[str], tape: str, most: int) -> dict[int, int]:
    """The step in which each rule is carried out first, of a machine that does not halt."""
    cells, found = {i for i, c in enumerate(tape) if c == "1"}, dict[int, int]()
    at = state = 0
    for step in range(1, most + 1):
        i = 2 * state + (at in cells)
        found.setdefault(i, step)
        rule = rules[i]
        (cells.add if rule[0] == "1" else cells.discard)(at)
        at += 1 if rule[1] == "R" else -1
        state = _STATES.index(rule[2])
    return found


def _run(rules: Sequence[str], tape: str, most: int) -> tuple[int, str] | None:
    """The steps until it halts and the visited tape, or `None` if it has not halted after `most` steps."""
    cells = dict(enumerate(tape))
    at, state = 0, 0
    for step in range(1, most + 1):
        rule = rules[2 * state + (cells.get(at, "0") == "1")]
        cells[at] = rule[0]
        at += 1 if rule[1] == "R" else -1
        cells.setdefault(at, "0")
        if rule[2] == "H":
            return step, "".join(cells[i] for i in range(min(cells), max(cells) + 1))
        state = _STATES.index(rule[2])
    return None
