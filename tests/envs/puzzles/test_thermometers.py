"""Thermometers: one way to fill among all, from the bulb, with the numbers of the right lines."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from proofgym.envs.puzzles.thermometers import Thermometers
from proofgym.errors import BadInput


def test_the_solution_is_the_only_one_among_all_levels() -> None:
    for i in range(8):
        puzzle = Thermometers.generate(np.random.default_rng([5, i]), Thermometers.settings(0.0))
        data = puzzle.data
        fits = []
        for levels in itertools.product(*(range(len(tube) + 1) for tube in data["thermometers"])):
            on = {at for tube, level in zip(data["thermometers"], levels, strict=True) for at in tube[:level]}
            rows = [sum(at // 4 == n for at in on) for n in range(4)]
            columns = [sum(at % 4 == n for at in on) for n in range(4)]
            if rows == data["rows"] and columns == data["columns"]:
                fits.append(on)
        assert len(fits) == 1
        drawn = "\n".join("".join("#" if 4 * r + c in fits[0] else "." for c in range(4)) for r in range(4))
        assert puzzle.verify(drawn).correct


def test_filling_starts_at_the_bulb_and_numbers_hold() -> None:
    puzzle = Thermometers({"thermometers": [[0, 1], [3, 2]], "rows": [1, 1], "columns": [1, 1]})
    assert puzzle.verify("#.\n.#").correct
    assert puzzle.verify(".#\n#.").reason == "thermometer a is not filled from its bulb"
    assert puzzle.verify("#.\n#.").reason == "column 1 has 2 filled cells, not 1"
    assert puzzle.verify("..\n..").reason == "row 1 has 0 filled cells, not 1"


@pytest.mark.parametrize("tubes", [[[0, 1], [2]], [[0, 3], [1, 2]], [[0, 1], [2, 3], [3]], [[0, 1, 2, 3]], []])
def test_thermometers_that_do_not_cover_the_board_are_refused(tubes: list[list[int]]) -> None:
    with pytest.raises(BadInput):
        Thermometers.from_instance({"thermometers": tubes, "rows": [1, 1], "columns": [1, 1]})
