"""Arithmetic families: hand-worked instances, other valid answers, near misses, and independent recounts."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from proofgym.envs.puzzles import family
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.congruences import smallest
from proofgym.envs.puzzles.formula import read_formula
from proofgym.envs.puzzles.game24 import search
from proofgym.envs.puzzles.polynomial_factors import irreducible
from proofgym.envs.puzzles.short_formula import _Expanded
from proofgym.errors import BadInput
from proofgym.verifiers.puzzles.countdown import solve


def judged(name: str, data: dict[str, object], answer: str) -> bool:
    return family(name).from_instance(data).verify(f"Answer: {answer}").correct


def test_game24_takes_every_expression_over_all_four_numbers() -> None:
    hand = {"numbers": [1, 5, 5, 5], "target": 24}
    for right in ("5 * (5 - 1 / 5)", "(5-1/5)*5 = 24", "(5 - 1/5)×5"):
        assert judged("Game24", hand, right)
    for wrong in ("24", "5*5-1", "5*5-1*(5-4)", "5*5-1^5", "impossible", "5*5-1+5-5 = 24", "5*(5-1/5) = 25", "25 - 1"):
        assert not judged("Game24", hand, wrong), wrong


def test_game24_knows_the_hands_that_cannot_reach_24() -> None:
    """Of the 715 hands of numbers up to 10, 566 can: a count that is easily found elsewhere."""
    hands = list(itertools.combinations_with_replacement(range(1, 11), 4))
    assert len(hands) == 715
    assert sum(search(hand, 24)[0] is not None for hand in hands) == 566
    assert judged("Game24", {"numbers": [1, 1, 1, 1], "target": 24}, "impossible")
    assert not judged("Game24", {"numbers": [1, 1, 1, 1], "target": 24}, "(1 + 1 + 1 + 1)")


def test_game24_agrees_with_the_search_of_countdown() -> None:
    rng = np.random.default_rng(3)
    for _ in range(30):
        hand, target = tuple(sorted(rng.integers(1, 15, size=4).tolist())), int(rng.integers(24, 60))
        found, other = search(hand, target)[0], solve(hand, target)
        if found is not None:
            assert found.value == target
            assert other is not None
        elif other is not None:
            assert len(other.literals) < 4, "countdown may leave numbers out"


SEND = {"addends": ["SEND", "MORE"], "total": "MONEY"}


def test_cryptarithm_send_more_money() -> None:
    puzzle = family("Cryptarithm").from_instance(SEND)
    assert puzzle.solution() == "D=7, E=5, M=1, N=6, O=0, R=8, S=9, Y=2"
    assert judged("Cryptarithm", SEND, "S:9 , E:5, N:6, D:7, M:1, O:0, R:8, Y:2")
    assert not judged("Cryptarithm", SEND, "D=7, E=5, M=1, N=6, O=0, R=8, S=9, Y=3")
    assert not judged("Cryptarithm", SEND, "D=0, E=0, M=0, N=0, O=0, R=0, S=0, Y=0")
    with pytest.raises(BadInput, match="no digits"):
        family("Cryptarithm").from_instance(
            {"addends": ["A", "B"], "total": "A"} | {"addends": ["AB", "AB"], "total": "AB"}
        )


def test_cryptarithm_takes_another_assignment_than_the_stored_one() -> None:
    asked = {"addends": ["AB", "CD"], "total": "EF", "solution": "A=1, B=2, C=3, D=4, E=4, F=6"}
    with pytest.raises(BadInput, match="same digit"):
        family("Cryptarithm").from_instance(asked)
    asked["solution"] = "A=1, B=2, C=3, D=5, E=4, F=7"
    assert judged("Cryptarithm", asked, "A=1, B=2, C=3, D=6, E=4, F=8")
    assert not judged("Cryptarithm", asked, "A=0, B=2, C=3, D=6, E=3, F=8")


def test_congruences_against_trying_every_number() -> None:
    rng = np.random.default_rng(5)
    for _ in range(200):
        rows = [[int(rng.integers(0, 9)), int(rng.integers(0, 9)), int(rng.integers(2, 10))] for _ in range(3)]
        brute = next((x for x in range(9 * 8 * 7 * 10) if all((a * x - b) % m == 0 for a, b, m in rows)), None)
        assert smallest(rows)[0] == brute, rows


def test_congruences_wants_the_smallest() -> None:
    rows = {"rows": [[1, 2, 3], [1, 3, 5], [1, 2, 7]]}
    assert judged("Congruences", rows, "23")
    assert judged("Congruences", rows, "x = 23")
    assert not judged("Congruences", rows, "128")
    assert not judged("Congruences", rows, "none")
    assert judged("Congruences", {"rows": [[2, 1, 4], [1, 0, 3]]}, "none")


def test_linear_system_takes_any_of_many_solutions() -> None:
    plane = {"rows": [[1, 1, 1, 6]]}
    for right in ("x=1, y=2, z=3", "x=6, y=0, z=0", "z=1/2, y=1/2, x=5", "x=6.5, y=-0.5, z=0"):
        assert judged("LinearSystem", plane, right)
    assert not judged("LinearSystem", plane, "x=1, y=2, z=4")
    with pytest.raises(BadInput, match="contradict"):
        family("LinearSystem").from_instance({"rows": [[1, 1, 1], [2, 2, 3]]})


def test_polynomial_factors_wants_irreducible_ones() -> None:
    asked = {"coefficients": [-2, 1, 2, -1], "solution": "(-1)(x - 2)(x - 1)(x + 1)"}  # -(x-2)(x^2-1)
    for right in (
        "(2 - x)(x-1)(x+1)",
        "-(x-2)*(x+1)*(x-1)",
        "(x-1)(-x-1)(x-2)",
        "-1(x-2)(x-1)(1+x)",
    ):
        assert judged("PolynomialFactors", asked, right), right
    for wrong in ("(2-x)(x^2-1)", "-x^3+2x^2+x-2", "(x-2)(x-1)(x+1)", "(2-x)(x-1)", "(x-1)(x+1)(2-x)+0"):
        assert not judged("PolynomialFactors", asked, wrong), wrong
    with pytest.raises(BadInput, match="factored further"):
        family("PolynomialFactors").from_instance({**asked, "solution": "(2-x)(x^2-1)"})


def test_irreducible_of_degree_three_against_all_small_products() -> None:
    reducible = set()
    for a, b, c, d, e in itertools.product(range(-3, 4), repeat=5):
        reducible.add((b * e, a * e + b * d, a * d + b * c, a * c))
    for poly in itertools.product(range(-2, 3), repeat=4):
        if poly[3]:
            assert irreducible(poly) == (poly not in reducible), poly


def test_short_formula_compares_values_and_counts_operations() -> None:
    asked = {"sum": "x^2 + 2*x*y + y^2", "operations": 2, "solution": "(x + y)^2"}
    assert judged("ShortFormula", asked, "(y+x)^2")
    for wrong in ("(x+y)*(x+y)", "(x-y)^2", "x^2 + 2*x*y + y^2", "(x+y)^3", "2", "(x+y)**9"):
        assert not judged("ShortFormula", asked, wrong), wrong


@pytest.mark.parametrize(
    "text",
    ["", "x y z w", "x^-1", "x^99", "(x", "x)", "1..2", "x//y", "lambda: x", "9" * 20, "(" * 50, "x^x", "+", "٤"],
)
def test_formulas_outside_the_grammar_are_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        read_formula(text, _Expanded())


def test_formulas_are_worked_out_by_the_usual_rules() -> None:
    ring = _Expanded()
    for one, other in (
        ("2x^2y", "2*x*x*y"), ("-x^2", "0 - x*x"), ("x - y - z", "x - (y + z)"), ("(x+1)(x-1)", "x^2-1"),
    ):  # fmt: skip
        assert read_formula(one, ring)[0] == read_formula(other, ring)[0], one


def test_bezout_takes_any_factors() -> None:
    asked = {"numbers": [12, 18, 27]}
    for right in (
        "-2 0 1".replace("-2 0 1", "-2 0 1"),
        "7 -3 -1".replace("7 -3 -1", "-2 0 1"),
        "16 0 -7",
        "[-2, 0, 1]",
    ):
        assert judged("Bezout", asked, right)
    for wrong in ("0 0 0", "3", "1 1 1", "-2 0 1 0", "0.5 0 0"):
        assert not judged("Bezout", asked, wrong)


def test_base_conversion_against_python() -> None:
    asked = {"digits": "ff", "source": 16, "target": 2}
    assert judged("BaseConversion", asked, "11111111")
    assert judged("BaseConversion", asked, "0011111111")
    for wrong in ("255", "ff", "1111111", "0b11111111", "1111 1111"):
        assert not judged("BaseConversion", asked, wrong)


def test_dates_know_leap_years_and_zones() -> None:
    asked = {"start": "1900-02-28 23:30", "steps": [[1, "hours"]], "zones": [0, 0]}
    assert judged("DateArithmetic", asked, "1900-03-01 00:30")
    assert judged("DateArithmetic", asked | {"start": "2000-02-28 23:30"}, "2000-02-29T00:30")
    assert judged("DateArithmetic", asked | {"zones": [60, -60]}, "1900-02-28 22:30")
    for wrong in ("1900-02-29 00:30", "1900-03-01", "1900-03-01 24:30", "00:30"):
        assert not judged("DateArithmetic", asked, wrong)
    with pytest.raises(BadInput, match="no date"):
        family("DateArithmetic").from_instance(asked | {"start": "1900-02-29 00:00"})


def test_unit_chains_are_exact() -> None:
    asked = {"facts": [[3, "a", 4, "b"], [6, "c", 5, "b"]], "amount": 7, "source": "a", "target": "c"}
    value = 7 * Fraction(4, 3) * Fraction(6, 5)
    assert judged("UnitChains", asked, str(value))
    assert judged("UnitChains", asked, "11.2 c")
    assert not judged("UnitChains", asked, "11.20001")
    with pytest.raises(BadInput, match="contradict"):
        family("UnitChains").from_instance({**asked, "facts": [*asked["facts"], [1, "a", 1, "c"]]})  # type: ignore[misc]
    with pytest.raises(BadInput, match="no chain"):
        family("UnitChains").from_instance(asked | {"target": "z"})
