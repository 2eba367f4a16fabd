"""Mazes, plain and with locked doors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.key_maze import KeyMaze
from proofgym.envs.puzzles.maze import Maze, carve
from proofgym.errors import BadInput

DOOR = {"board": ["#######", "#a@.AX#", "#######"]}


def test_a_maze_without_loops_is_a_tree() -> None:
    for seed in range(20):
        rows = carve(np.random.default_rng(seed), 5, 6, 0.0)
        assert sum(row.count(".") for row in rows) == 30 + 29, "a spanning tree of the passages"
        assert (len(rows), len(rows[0])) == (11, 13)


def test_doors_need_their_keys() -> None:
    puzzle = KeyMaze.from_instance(DOOR)
    assert puzzle.solution() == "left, right, right, right, right"
    assert not puzzle.verify("Answer: right, right, right").correct
    with pytest.raises(Illegal, match="Door A is locked"):
        puzzle.apply(puzzle.apply(puzzle.start(), "right"), "right")
    with pytest.raises(Illegal, match="wall"):
        puzzle.apply(puzzle.start(), "north")
    assert puzzle.view(puzzle.apply(puzzle.start(), "west")).endswith("Keys: a")


@pytest.mark.parametrize("index", range(4))
def test_every_distance_agrees_with_a_search_by_moves(
    index: int, every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]
) -> None:
    for kind in (KeyMaze, Maze):
        puzzle = kind.generate(np.random.default_rng(index), kind.settings(0.5))
        reached, lefts = every_distance(puzzle)
        assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


def test_every_door_is_needed_on_the_shortest_way() -> None:
    """Without its doors, the maze would be shorter."""
    for index in range(20):
        puzzle = KeyMaze.generate(np.random.default_rng(index), KeyMaze.settings(0.5))
        opened = "/".join(puzzle.rows).translate(str.maketrans("ABCDabcd", "........")).split("/")
        assert KeyMaze.from_instance({"board": opened}).hardness() < puzzle.hardness()


@pytest.mark.parametrize("board", [["#@A.X#"], ["#@aX#"], ["#@#X#"], ["#@.#"], ["#@@X#"]])
def test_mazes_without_a_way_are_refused(board: list[str]) -> None:
    with pytest.raises(BadInput):
        KeyMaze.from_instance({"board": board})
