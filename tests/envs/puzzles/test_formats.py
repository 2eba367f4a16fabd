"""Standard formats: what is written reads back, known files are read, and broken ones are refused with the place."""

from __future__ import annotations

import numpy as np
import pytest

from proofgym.envs.puzzles.blocksworld import Blocksworld
from proofgym.envs.puzzles.logistics import Logistics
from proofgym.envs.puzzles.nonogram import Nonogram
from proofgym.envs.puzzles.sat import Satisfiability
from proofgym.envs.puzzles.sokoban import Sokoban
from proofgym.envs.puzzles.sudoku_grid import Sudoku
from proofgym.errors import BadInput

# A puzzle that has been in newspapers and manuals for decades.
LINE = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"


def test_a_sudoku_of_81_characters_is_read_solved_and_written() -> None:
    puzzle = Sudoku.from_line(LINE)
    assert puzzle.line() == LINE.replace("0", ".")
    assert puzzle.solution().replace(" ", "").split("\n")[0] == "534678912"
    assert puzzle.verify(f"Answer:\n{puzzle.solution()}").correct
    for bad, said in ((LINE[:-1], "81"), (LINE.replace("53", "55", 1), "no solution"), ("." * 81, "more than")):
        with pytest.raises(BadInput, match=said):
            Sudoku.from_line(bad)
    jigsaw = Sudoku.generate(np.random.default_rng(0), Sudoku.settings(0.5, {"variant": "jigsaw"}))
    with pytest.raises(BadInput, match="jigsaw"):
        jigsaw.line()


def test_dimacs_is_read_and_written() -> None:
    text = "c a comment\np cnf 3 2\n1 -3 0\n2 3 -1 0\n"
    puzzle = Satisfiability.from_dimacs(text)
    assert puzzle.data["clauses"] == [[1, -3], [2, 3, -1]]
    assert Satisfiability.from_dimacs(puzzle.dimacs()).data == puzzle.data
    for bad, said in (
        ("1 2 0", "after the header"), ("p cnf x 1", "line 1: the header"), ("p cnf 2 1\n1 b 0", "line 2: a literal"),
        ("p cnf 2 1\n1 2", "not ended by 0"), ("p cnf 99 1\n99 0", "'variables'"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=said):
            Satisfiability.from_dimacs(bad)


def test_nonogram_clues_are_read_and_written() -> None:
    puzzle = Nonogram.generate(np.random.default_rng(3), Nonogram.settings(0.3))
    again = Nonogram.from_clues(puzzle.clues())
    assert again.data == puzzle.data
    assert again.solution() == puzzle.solution()
    for bad, said in (("1\n1", "one blank line"), ("a\n\n1", "line 1: a clue"), ("2\n\n1", "from 1 to 1")):
        with pytest.raises(BadInput, match=said):
            Nonogram.from_clues(bad)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_sokoban_and_planning_problems_come_back(level: float) -> None:
    for kind, write, read in (
        (Sokoban, Sokoban.xsb, Sokoban.from_xsb),
        (Blocksworld, Blocksworld.pddl, Blocksworld.from_pddl),
        (Logistics, Logistics.pddl, Logistics.from_pddl),
    ):
        for index in range(5):
            puzzle = kind.generate(np.random.default_rng([4, index]), kind.settings(level))
            again = read(write(puzzle))  # type: ignore[operator]
            assert again.hardness() == puzzle.hardness()
            assert again.verify(f"Answer: {puzzle.solution()}").correct
