"""Puzzles of space: walks, lasers, dice, cubes and packings."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.cube_net import CubeNet, _nets
from proofgym.envs.puzzles.dice_rolling import DiceRolling, _east
from proofgym.envs.puzzles.lasers import Lasers
from proofgym.envs.puzzles.packing import Packing
from proofgym.envs.puzzles.path_turns import PathTurns
from proofgym.errors import BadInput

# Walks ----------------------------------------------------------------------------------------------------------------


def test_a_walk_by_hand() -> None:
    data = {"start": [0, 0, "north"], "program": [[1, ["forward 2", "right", "back 1"]], [2, ["left", "forward 3"]]]}
    puzzle = PathTurns.from_instance(data)
    assert puzzle.end == (-4, 5, "west")
    for told in ("-4 5 west", "(-4, 5) facing West.", "x = -4, y = 5, west"):
        assert puzzle.verify(f"Answer: {told}").correct
    for told in ("-4 5 north", "5 -4 west", "-4 5"):
        assert not puzzle.verify(f"Answer: {told}").correct


def test_orders_that_are_none_are_refused() -> None:
    for order in ("forward", "forward 0", "jump 3", "left 2", "forward 999"):
        with pytest.raises(BadInput):
            PathTurns.from_instance({"start": [0, 0, "north"], "program": [[1, [order]]]})


# Lasers ---------------------------------------------------------------------------------------------------------------

BEAM = {"board": ["...", "...", "..o"], "side": "left", "line": 0, "mirrors": 1}


def test_one_mirror_by_hand() -> None:
    puzzle = Lasers.from_instance(BEAM)
    assert puzzle.solution() == "r1c3 \\"
    for told in ("r1c3 \\", "place \\ at row 1 column 3", "1 1 /, remove r1c1, r1c3\\"):
        assert puzzle.verify(f"Answer: {told}").correct, told
    assert not puzzle.verify("Answer: r1c3 /").correct


def test_lasers_explain_what_is_not_possible() -> None:
    puzzle = Lasers.from_instance(BEAM)
    for move, why in (
        ("r3c3 /", "not free"),
        ("remove r1c1", "no mirror"),
        ("r9c9 /", "3 rows"),
        ("r1c1", "A move is"),
    ):
        with pytest.raises(Illegal, match=why):
            puzzle.apply((), move)
    with pytest.raises(Illegal, match="remove one first"):
        puzzle.apply(((0, "/"),), "r2c2 /")


@pytest.mark.parametrize("index", range(4))
def test_laser_distances_agree_with_a_search_by_moves(
    index: int, every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]
) -> None:
    knobs = {"size": 4, "mirrors": 2, "walls": 0.1, "targets": 2}
    puzzle = Lasers.generate(np.random.default_rng(index), knobs)
    reached, lefts = every_distance(puzzle)
    wrong = [state for state in reached if puzzle.distance(state) != lefts[state]]
    assert not wrong
    assert len(reached) > 200


# Dice -----------------------------------------------------------------------------------------------------------------


def test_a_die_rolls_like_a_die() -> None:
    """Four rolls over the same edge change nothing, and the east face always fits the other two."""
    puzzle = DiceRolling({"board": ["@....", ".....", ".....", ".....", "....X"], "top": 1, "north": 5, "goal": 1})
    for move in ("right", "down"):
        state = puzzle.start()
        faces = []
        for _ in range(4):
            state = puzzle.apply(state, move)
            faces.append(state[1])
            assert state[3] == _east(state[1], state[2])
        assert state[1:] == puzzle.start()[1:]
        assert sorted(faces)[0] + sorted(faces)[3] == 7
    assert puzzle.apply(puzzle.start(), "roll right")[1] == 4, "the west face comes on top"


def test_there_are_24_orientations(every_distance: Callable[[Any], tuple[set[Any], dict[Any, int]]]) -> None:
    puzzle = DiceRolling.from_instance({"board": ["@..", "...", "..X"], "top": 1, "north": 2, "goal": 6})
    reached, lefts = every_distance(puzzle)
    orientations = {(state[1], state[2]) for state in reached}
    assert len(orientations) == 24
    assert {state: puzzle.distance(state) for state in reached} == {state: lefts.get(state) for state in reached}
    with pytest.raises(BadInput, match="neighbouring faces"):
        DiceRolling.from_instance({"board": ["@X"], "top": 1, "north": 6, "goal": 6})


# Cubes ----------------------------------------------------------------------------------------------------------------


def test_there_are_eleven_nets() -> None:
    """Up to turning and turning over."""
    shapes = set()
    for net in _nets():
        images = []
        for a, b, swap in itertools.product((1, -1), (1, -1), (False, True)):
            image = [(b * c, a * r) if swap else (a * r, b * c) for r, c in net]
            top, left = min(r for r, _ in image), min(c for _, c in image)
            images.append(tuple(sorted((r - top, c - left) for r, c in image)))
        shapes.add(min(images))
    assert len(shapes) == 11


CROSS = {"net": [".A..", "BCDE", ".F.."], "top": "A", "front": "C"}


@pytest.mark.parametrize(
    ("turns", "seen"),
    [
        ([], "A C D"),  # the strip B C D E runs around; A is above it, F below
        (["tip forward"], "E A D"),
        (["tip back"], "C F D"),
        (["tip left"], "D C F"),
        (["tip right"], "B C A"),
        (["turn left"], "A D E"),
        (["turn right"], "A B C"),
    ],
)
def test_a_cube_by_hand(turns: list[str], seen: str) -> None:
    puzzle = CubeNet.from_instance({**CROSS, "turns": turns})
    assert puzzle.solution() == seen
    assert puzzle.verify(f"Answer: Top: {seen[0]}, front: {seen[2]}, right: {seen[4]}").correct
    assert not puzzle.verify("Answer: A B D").correct


def test_each_turn_is_undone_by_its_opposite_and_four_are_none() -> None:
    for one, two in (("tip forward", "tip back"), ("tip left", "tip right"), ("turn left", "turn right")):
        for turns in ([one, two], [two, one], [one] * 4):
            assert CubeNet.from_instance({**CROSS, "turns": turns}).solution() == "A C D"


@pytest.mark.parametrize("net", [["AB", "CD", "EF"], ["ABCDEF"], [".A..", "BCDE", "...."], ["AAB", "CDE", "F.."]])
def test_what_does_not_fold_is_refused(net: list[str]) -> None:
    with pytest.raises(BadInput, match="net"):
        CubeNet.from_instance({**CROSS, "net": net, "turns": []})


# Packing --------------------------------------------------------------------------------------------------------------


def test_a_packing_by_hand() -> None:
    puzzle = Packing.from_instance({"board": ["..", "..", ".."], "pieces": [["##", "#."], ["##", "#."]]})
    for told in ("AA\nAB\nBB", "BB\nAB\nAA", "A A\nB A\nB B", "aa\nba\nbb"):
        assert puzzle.verify(f"Answer:\n{told}").correct, told
    for told in ("AB\nAB\nAB", "AA\nAA\nBB", "AA\nA.\nBB"):
        assert not puzzle.verify(f"Answer:\n{told}").correct, told


def test_walls_stay_as_they_are() -> None:
    puzzle = Packing.from_instance({"board": ["..#", "..."], "pieces": [["##"], ["###"]]})
    assert puzzle.verify("Answer:\nAA#\nBBB").correct
    assert not puzzle.verify("Answer:\nAAB\n#BB").correct


@pytest.mark.parametrize(
    ("pieces", "why"),
    [
        ([["####"], ["##"]], "do not fill"),
        ([["###"]], "cover"),
        ([["#.#"], ["##"], ["##"]], "connected"),
        ([], "pieces"),
    ],
)
def test_pieces_that_do_not_fit_are_refused(pieces: list[list[str]], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        Packing.from_instance({"board": ["...", "..."], "pieces": pieces})


def test_its_own_search_finds_a_packing_of_every_generated_board() -> None:
    for index in range(10):
        puzzle = Packing.loads(Packing.generate(np.random.default_rng(index), Packing.settings(1.0)).dumps())
        assert puzzle.verify(f"Answer:\n{puzzle.solution()}").correct
