"""Probability: textbook values, exactness, and simulation where no textbook helps."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles import family
from proofgym.errors import BadInput


def value(name: str, data: dict[str, object]) -> Fraction:
    puzzle: Any = family(name).from_instance(data)
    assert puzzle.verify(f"Answer: {puzzle.value}").correct
    assert not puzzle.verify(f"Answer: {puzzle.value + Fraction(1, 10**9)}").correct
    assert isinstance(puzzle.value, Fraction)
    return puzzle.value


@pytest.mark.parametrize(
    ("event", "given", "expected"),
    [
        (["sum", 10, 0], [], "1/6"), (["different", 0, 0], [], "5/6"), (["largest", 6, 0], [], "11/36"),
        (["smallest", 6, 0], [], "1/36"), (["rising", 0, 0], [], "5/12"), (["exactly", 3, 1], [], "5/18"),
        (["least", 3, 1], [], "11/36"), (["divisible", 5, 0], [], "7/36"), (["sum", 12, 0], ["least", 6, 1], "1/11"),
    ],
)  # fmt: skip
def test_two_dice(event: list[object], given: list[object], expected: str) -> None:
    assert value("DiceOdds", {"sides": [6, 6], "event": event, "given": given}) == Fraction(expected)


@pytest.mark.parametrize(
    ("rule", "event", "given", "expected"),
    [
        ("out", ["exactly", 0, 2], [], "3/10"), ("back", ["exactly", 0, 2], [], "9/25"),
        ("more", ["exactly", 0, 2], [], "2/5"), ("out", ["last", 0, 0], [], "3/5"), ("more", ["last", 0, 0], [], "3/5"),
        ("out", ["first", 0, 0], ["last", 0, 0], "1/2"), ("out", ["kinds", 0, 2], [], "3/5"),
        ("back", ["least", 1, 1], [], "16/25"),
    ],
)  # fmt: skip
def test_three_red_and_two_blue_balls(rule: str, event: list[object], given: list[object], expected: str) -> None:
    asked: dict[str, object] = {"balls": [3, 2], "draws": 2, "rule": rule, "event": event, "given": given}
    assert value("UrnOdds", asked) == Fraction(expected)


def test_an_impossible_condition_is_refused() -> None:
    with pytest.raises(BadInput, match="impossible"):
        family("DiceOdds").from_instance({"sides": [6, 6], "event": ["sum", 3, 0], "given": ["sum", 13, 0]})
    with pytest.raises(BadInput, match="impossible"):
        family("BayesNet").from_instance({"parents": [[], [0]], "tables": [[0], [5, 5]], "query": 1, "known": [[0, 1]]})


def test_numbers_are_exact_in_every_form() -> None:
    puzzle = family("DiceOdds").from_instance({"sides": [4, 4], "event": ["different", 0, 0], "given": []})
    for right in ("3/4", "0.75", "6/8", "0.750"):
        assert puzzle.verify(f"Answer: {right}").correct
    for wrong in ("0.7500001", "75%", "3 / 4 / 1", "about 3/4", "1 - 1/4", ".75e0"):
        assert not puzzle.verify(f"Answer: {wrong}").correct


def test_the_sprinkler_of_pearl() -> None:
    """Rain, sprinkler if it rains, wet grass by both: worked out by hand."""
    net: dict[str, object] = {
        "parents": [[], [0], [0, 1]], "tables": [[2], [4, 1], [1, 8, 9, 9]], "query": 0, "known": [[2, 1]],
    }  # fmt: skip
    rain = Fraction(2, 10) * (Fraction(1, 10) * Fraction(9, 10) + Fraction(9, 10) * Fraction(8, 10))
    dry = Fraction(8, 10) * (Fraction(4, 10) * Fraction(9, 10) + Fraction(6, 10) * Fraction(1, 10))
    assert value("BayesNet", net) == rain / (rain + dry)


def test_hitting_times_of_a_walk_on_a_line() -> None:
    rows = [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 1]]
    assert value("HittingTime", {"rows": rows, "start": 0, "target": 3}) == 9
    assert value("HittingTime", {"rows": rows, "start": 1, "target": 3}) == 8
    with pytest.raises(BadInput, match="never"):
        family("HittingTime").from_instance({"rows": [[1, 1, 1], [0, 1, 0], [0, 0, 1]], "start": 0, "target": 2})


def test_a_state_that_cannot_be_reached_does_not_matter() -> None:
    rows = [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert value("HittingTime", {"rows": rows, "start": 0, "target": 1}) == 2


def test_stopping_games_by_hand_and_by_simulation() -> None:
    assert value("StoppingGame", {"faces": [1, 2, 3, 4, 5, 6], "rolls": 2, "price": 0}) == Fraction(17, 4)
    assert value("StoppingGame", {"faces": [1, 2, 3, 4, 5, 6], "rolls": 3, "price": 0}) == Fraction(14, 3)
    assert value("StoppingGame", {"faces": [0, 10], "rolls": 2, "price": 6}) == 5
    asked: dict[str, object] = {"faces": [0, 3, 8, 9], "rolls": 3, "price": 1}
    exact, rng, won = value("StoppingGame", asked), np.random.default_rng(1), 0.0
    worth = [0.0, 5.0]  # of a last roll, then of two rolls
    worth.append(sum(max(f, worth[1] - 1) for f in (0, 3, 8, 9)) / 4)
    for _ in range(20_000):
        for left in (2, 1, 0):
            face = (0, 3, 8, 9)[int(rng.integers(4))]
            if left == 0 or face >= worth[left] - 1:
                won += face
                break
            won -= 1
    assert won / 20_000 == pytest.approx(float(exact), abs=0.1)
