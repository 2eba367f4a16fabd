"""KenKen: one solution by a plain count, every operation, near misses, and cages that are none."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from proofgym.envs.puzzles.kenken import Kenken
from proofgym.errors import BadInput

LATIN_4 = [
    [int(cell) for row in rows for cell in row]
    for rows in itertools.product(itertools.permutations("1234"), repeat=4)
    if all(len(set(column)) == 4 for column in zip(*rows, strict=True))
]


def holds(operation: str, result: int, numbers: list[int]) -> bool:
    large, *small = sorted(numbers, reverse=True)
    return {
        "=": numbers == [result],
        "+": sum(numbers) == result,
        "*": math.prod(numbers) == result,
        "-": len(numbers) == 2 and large - small[0] == result,
        "/": len(numbers) == 2 and large == result * small[0],
    }[operation]


def test_there_is_exactly_one_solution_among_all_latin_squares() -> None:
    used = set()
    for i in range(60):
        puzzle = Kenken.generate(np.random.default_rng([6, i]), Kenken.settings(0.0, {"largest": 1 + i % 4}))
        cages = puzzle.data["cages"]
        used |= {operation for operation, _, _ in cages}
        fits = [s for s in LATIN_4 if all(holds(op, result, [s[at] for at in cells]) for op, result, cells in cages)]
        assert [list(map(str, square)) for square in fits] == [list(puzzle.solutions()[0])]
    assert used == set("=+-*/")


def test_a_board_worked_by_hand() -> None:
    # 1 3 in the first row; then 2 and 3 below the 1, the product 2 in the middle, 1 and 3 at the right, either way up
    cages = [["/", 3, [0, 1]], ["=", 2, [2]], ["-", 1, [3, 6]], ["*", 2, [4, 7]], ["-", 2, [8, 5]]]
    puzzle = Kenken.from_instance({"size": 3, "cages": cages})
    assert len(puzzle.solutions()) == 2
    assert puzzle.verify("132\n321\n213").correct
    assert puzzle.verify("132\n213\n321").correct
    assert puzzle.verify("312\n231\n123").reason.startswith("the cage of row 2 column 2 holds [3, 2]")
    assert puzzle.verify("132\n321\n231").score == 0.0
    with pytest.raises(BadInput, match="no solution"):
        Kenken.from_instance({"size": 3, "cages": [["/", 3, [0, 1]], ["=", 3, [2]], *cages[2:]]})


def test_cages_that_do_not_cover_the_board_or_have_too_many_cells_are_refused() -> None:
    single = [["=", 1, [at]] for at in range(4)]
    for cages in (single[:3], [*single, ["=", 1, [0]]], [["-", 1, [0, 1, 2]], single[3]], [["+", 3, [0]], *single[1:]]):
        with pytest.raises(BadInput, match=r"cage|'='"):
            Kenken.from_instance({"size": 2, "cages": cages})
    good = Kenken.from_instance({"size": 2, "cages": [["=", 1, [0]], ["+", 3, [1, 3]], ["=", 2, [2]]]})
    assert good.verify("12\n21").correct
    assert good.verify("21\n12").score == 0.0
    assert good.verify("12\n12").score == 0.0
