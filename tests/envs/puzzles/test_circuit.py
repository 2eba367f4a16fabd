"""Circuits: any circuit of the table within the gates is right, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from proofgym.envs.puzzles.circuit import Circuit
from proofgym.errors import BadInput

XOR = {
    "inputs": 2, "output": "0110", "gates": 5, "kinds": ["and", "or", "nand", "not"],
    "solution": "x = or a b; y = nand a b; z = and x y",
}  # fmt: skip


@pytest.mark.parametrize(
    "right",
    [
        "g1 = nand a b; g2 = nand a g1; g3 = nand b g1; g4 = nand g2 g3",
        "g1 = OR a b\ng2 = nand(a, b)\nout = and(g1, g2)",
        "n = not a; m = not b; p = and a m; q = and n b; r = or p q",
        "spare = and a b; x = or a b; y = nand a b; z = and x y",
    ],
)
def test_any_circuit_of_the_table_is_right(right: str) -> None:
    assert Circuit.from_instance(XOR).verify(f"Answer: {right}").correct


@pytest.mark.parametrize(
    "wrong",
    [
        "g1 = xor a b", "g1 = or a b", "g1 = and a c", "g1 = not a b", "g1 = or a", "a = or a b", "g1 = and g1 b",
        "g1 = or a b; g1 = nand a b; g2 = and g1 g1", "g1 or a b", "g1 = a ^ b", "0110", "g1 =", "= or a b",
        "g1 = or a b; g2 = nand a b; g3 = and g1 g2; g4 = not g3; g5 = not g4; g6 = or g5 g5",
    ],
)  # fmt: skip
def test_anything_else_is_wrong(wrong: str) -> None:
    assert Circuit.from_instance(XOR).verify(f"Answer: {wrong}").score == 0.0


def test_rows_are_counted_with_the_first_input_as_the_highest_digit() -> None:
    data = {**XOR, "output": "0010", "solution": "n = not b; g = and a n"}
    puzzle = Circuit.from_instance(data)
    assert "1 0 | 1" in puzzle.question()
    with pytest.raises(BadInput, match="solution is wrong"):
        Circuit.from_instance({**data, "output": "0100"})
    with pytest.raises(BadInput, match="cannot be read"):
        Circuit.from_instance({**data, "solution": "and"})


def test_no_generated_table_is_that_of_an_input_or_one_gate() -> None:
    for i in range(40):
        puzzle = Circuit.generate(np.random.default_rng([1, i]), Circuit.settings(i / 40))
        for kind in puzzle.kinds:
            for a in "abcde"[: puzzle.inputs]:
                for b in "abcde"[: puzzle.inputs]:
                    line = f"x = {kind} {a}" + ("" if kind == "not" else f" {b}")
                    assert not puzzle.verify(f"Answer: {line}").correct
