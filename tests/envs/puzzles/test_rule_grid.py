"""Rule grids: what rules do, and when goals can be met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.rule_grid import RuleGrid
from proofgym.errors import BadInput


def grid(row: str, *rules: tuple[str, str], goal: tuple[str, str] = ("gone", "c")) -> RuleGrid:
    wall = "#" * len(row)
    return RuleGrid({"board": [wall, row, wall], "rules": [list(rule) for rule in rules], "goal": list(goal)})


WALK = ("@.", ".@")


@pytest.mark.parametrize(
    ("row", "rule", "move", "after"),
    [
        ("#.@a.c#", ("@a.", ".@a"), "right", "#..@ac#"),  # push
        ("#.a@.c#", ("a@.", ".a@"), "right", "#..a@c#"),  # pull
        ("#.a@.c#", ("@a", "a@"), "left", "#.@a.c#"),  # swap, against the reading direction
        ("#.a@.c#", ("@a.", ".@b"), "left", "#b@..c#"),  # push and change
        ("#a@...#", ("@a#", ".@#"), "left", "#@....#"),  # crush
        ("#.@..c#", ("@a.", ".@a"), "right", "#..@.c#"),  # no rule but walking
    ],
)
def test_a_rule_rewrites_along_the_move(row: str, rule: tuple[str, str], move: str, after: str) -> None:
    puzzle = grid(row, rule, WALK)
    assert puzzle.view(puzzle.apply(puzzle.start(), move)).split("\n")[1] == after


def test_the_first_rule_that_fits_applies() -> None:
    puzzle = grid("#@a.c#", ("@a", ".@"), ("@a.", ".@a"), WALK)
    assert "a" not in puzzle.apply(puzzle.start(), "right")
    with pytest.raises(Illegal, match="No rule fits"):
        puzzle.apply(puzzle.start(), "up")


def test_by_hand() -> None:
    puzzle = RuleGrid.from_instance({
        "board": ["######", "#@a.b#", "######"], "rules": [["@a.", ".@a"], list(WALK)], "goal": ["line", "ab"]
    })  # fmt: skip
    assert puzzle.solution() == "right"
    with pytest.raises(BadInput, match="cannot be reached"):
        RuleGrid.from_instance({**puzzle.data, "goal": ["line", "ba"]})


def test_columns_are_read_downwards() -> None:
    board = ["####", "#@.#", "#a.#", "#..#", "#b.#", "####"]
    puzzle = RuleGrid.from_instance({"board": board, "rules": [["@a.", ".@a"], list(WALK)], "goal": ["line", "ab"]})
    assert puzzle.solution() == "down"


@pytest.mark.parametrize("index", range(4))
def test_every_distance_agrees_with_a_search_by_moves(
    index: int, every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]
) -> None:
    puzzle = RuleGrid.generate(np.random.default_rng(index), RuleGrid.settings(0.0))
    reached, lefts = every_distance(puzzle)
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}


@pytest.mark.parametrize("rule", [["@a", "@a."], ["a.", ".a"], ["@#", "#@"], ["@a", "@a"], ["@"], "@a", ["@x", "x@"]])
def test_rules_that_are_none_are_refused(rule: Any) -> None:
    with pytest.raises(BadInput):
        RuleGrid({"board": ["####", "#@a#", "####"], "rules": [rule], "goal": ["gone", "a"]})
