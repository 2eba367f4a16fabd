"""Circuits: build one from few gates that computes a given truth table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.formulas import column
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["Circuit"]

_INPUTS = "abcde"
_GATES = ("and", "or", "xor", "nand", "nor", "not")


class Circuit(Puzzle):
    """Build a circuit with a limited number of gates that computes a given truth table; any that does is right.

    The table comes from a random circuit of so many gates, in which every gate computes something new and is used, and
    which no circuit of two gates replaces. `output` holds one digit for each row, the rows counted with the first input
    as the highest digit.
    """

    family = "circuit"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "inputs": Knob(3, 4, "inputs", 3, 5),
        "gates": Knob(3, 7, "gates, at most", 3, 12),
        "kinds": Knob(6, 3, "kinds of gates allowed", 2, 6),
    }
    hardness_of = "gates allowed times rows of the table"
    floor: ClassVar[float] = 0.06

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        inputs, gates, chance = knobs["inputs"], knobs["gates"], Chance(rng)
        kinds = [chance.pick(("nand", "nor"))]  # with one of these every function can be computed
        kinds += chance.sample([gate for gate in _GATES if gate not in kinds], knobs["kinds"] - 1)
        kinds.sort(key=_GATES.index)
        draws = Draws(cls.family, 5000)
        while True:
            draws.count()
            wires = [column(inputs - 1 - n, inputs) for n in range(inputs)]
            full = (1 << (1 << inputs)) - 1
            names = list(_INPUTS[:inputs])
            unused = list(range(inputs))
            lines = []
            for number in range(gates):
                for _ in range(50):
                    gate = chance.pick(kinds)
                    # joining what is not used yet keeps every gate needed
                    one = chance.pick(unused)
                    other = chance.below(len(wires)) if chance.share() < 0.5 else chance.pick(unused)
                    value = _apply(gate, wires[one], wires[other], full)
                    if (gate == "not" or one != other) and value not in (0, full, *wires):
                        break
                else:
                    break
                used = {one} if gate == "not" else {one, other}
                unused = [wire for wire in unused if wire not in used] + [len(wires)]
                wires.append(value)
                names.append(f"g{number + 1}")
                lines.append(f"{names[-1]} = {gate} " + " ".join(names[wire] for wire in (one, other)[: len(used)]))
            if len(lines) == gates and len(unused) == 1 and not _simple(kinds, wires[:inputs], wires[-1], full):
                output = "".join(str(wires[-1] >> row & 1) for row in range(1 << inputs))
                return cls(
                    {"inputs": inputs, "output": output, "gates": gates, "kinds": kinds, "solution": "; ".join(lines)}
                )

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "inputs", "output", "gates", "kinds", "solution")
        self.inputs = fields.whole(data, "inputs", 1, 5)
        rows = 1 << self.inputs
        self.output = fields.text(data, "output", "01", least=rows, most=rows)
        self.gates = fields.whole(data, "gates", 1, 30)
        self.kinds = fields.texts(data, "kinds", least=1, most=len(_GATES), longest=8)
        if len(set(self.kinds)) < len(self.kinds) or not set(self.kinds) <= set(_GATES):
            raise BadInput(f"'kinds' is a list of different gates out of {_GATES}, found {self.kinds!r:.80}")
        self._solution = fields.text(data, "solution", most=2000)

    def prove(self) -> None:
        try:
            verdict = self.judge(self._solution)
        except Unreadable as unreadable:
            raise BadInput(f"the stored solution cannot be read: {unreadable}") from None
        if not verdict.correct:
            raise BadInput(f"the stored solution is wrong: {verdict.reason}")

    def question(self) -> str:
        names = _INPUTS[: self.inputs]
        rows = "\n".join(
            f"{' '.join(format(row, f'0{self.inputs}b'))} | {digit}" for row, digit in enumerate(self.output)
        )
        return (
            f"Build a circuit with the inputs {', '.join(names)} and at most {self.gates} gates that computes "
            "this table:\n"
            f"{' '.join(names)} | output\n{rows}\n"
            "Gates allowed: "
            f"{', '.join(self.kinds)}{' (not has one input, all others two)' if 'not' in self.kinds else ''}. "
            "Each gate takes inputs or gates before it, and may be used several times; the last gate is the output.\n"
            "End with a line 'Answer: ' and the gates in order, separated by ';', such as "
            f"'Answer: g1 = {self.kinds[0]} a{'' if self.kinds[0] == 'not' else ' b'}; g2 = ...'."
        )

    def judge(self, answer: str) -> Verdict:
        full = (1 << (1 << self.inputs)) - 1
        wires = {_INPUTS[n]: column(self.inputs - 1 - n, self.inputs) for n in range(self.inputs)}
        lines = [line for part in answer.split(";") for line in part.split("\n") if line.strip()]
        if len(lines) > self.gates:
            return Verdict.wrong(f"{len(lines)} gates are used, and {self.gates} are allowed")
        value = -1
        for number, line in enumerate(lines, 1):
            if len(line) > 100:
                raise Unreadable(f"gate {number} is {len(line)} characters long")
            name, sign, body = line.partition("=")
            made, said = answers.words(name), answers.words(body.replace("(", " ").replace(")", " "))
            if not sign or len(made) != 1 or not said or len(said) > 3:
                raise Unreadable(f"gates such as 'g1 = and a b' are asked for, found {line.strip()[:40]!r}")
            gate, *inputs = said
            if gate not in self.kinds:
                return Verdict.wrong(f"gate {number} is {gate!r:.20}, which is not allowed")
            if len(inputs) != (1 if gate == "not" else 2):
                return Verdict.wrong(f"gate {number} has {len(inputs)} inputs")
            missing = next((wire for wire in inputs if wire not in wires), None)
            if missing is not None or made[0] in wires:
                return Verdict.wrong(f"gate {number} names {missing or made[0]!r:.20}, which is unknown or taken")
            value = wires[made[0]] = _apply(gate, wires[inputs[0]], wires[inputs[-1]], full)
        computed = "".join(str(value >> row & 1) for row in range(1 << self.inputs))
        row = next(
            (n for n, (is_, wanted) in enumerate(zip(computed, self.output, strict=True)) if is_ != wanted), None
        )
        if value < 0 or row is not None:
            return Verdict.wrong(f"the output is wrong for {format(row or 0, f'0{self.inputs}b')}")
        return Verdict.right(f"{len(lines)} gates", spare=1 - len(lines) / self.gates)

    def solution(self) -> str:
        return self._solution

    def hardness(self) -> float:
        return float(self.gates << self.inputs)

    def cheats(self) -> Sequence[str]:
        table = self.output
        return (
            f"g1 = {table}",
            f"output = {table}",
            "g1 = g1",
            f"g1 = {self.kinds[0]} g1 g1",
            f"out = {self.kinds[0]} a a",
        )


def _apply(gate: str, one: int, other: int, full: int) -> int:
    if gate == "not":
        return full ^ one
    if gate in ("and", "nand"):
        return one & other if gate == "and" else full ^ (one & other)
    if gate == "xor":
        return one ^ other
    return one | other if gate == "or" else full ^ (one | other)


def _simple(kinds: Sequence[str], inputs: Sequence[int], wanted: int, full: int) -> bool:
    """Whether an input, one gate or two compute what is wanted."""
    for gate in kinds:
        for one in inputs:
            for other in inputs:
                value = _apply(gate, one, other, full)
                if value == wanted:
                    return True
                both = (*inputs, value)
                if any(_apply(last, value, third, full) == wanted for last in kinds for third in both):
                    return True
    return wanted in inputs
