"""Conventions are options, and the defaults are strict."""

from __future__ import annotations

from typing import Any

import pytest

from proofgym.verifiers import math
from proofgym.verifiers.math import MathPolicy


@pytest.mark.parametrize(
    ("gold", "answer", "option", "default"),
    [
        ("25%", "25", {"percent": "either"}, False),
        ("25", r"25\%", {"percent": "either"}, False),
        ("10 cm", "10", {"units": "keep"}, True),
        (r"45^\circ", "45", {"degrees": "keep"}, True),
        ("(1,2)", "(2,1)", {"tuple_order": False}, False),
        ("1,2", "2,1", {"list_order": True}, True),
        (r"\frac{1}{3}", "0.333", {"rounding": 3}, False),
        (r"x=3", "3", {"names": False}, True),
        ("x>3", r"(3,\infty)", {"inequality_as_interval": False}, True),
        (r"\text{Odd}", "odd", {"letter_case": True}, True),
    ],
)
def test_an_option_changes_one_convention_in_both_directions(
    gold: str, answer: str, option: dict[str, Any], default: bool
) -> None:
    for left, right in ((gold, answer), (answer, gold)):
        assert math.verify_answer(left, right).correct is default
        assert math.verify_answer(left, right, policy=MathPolicy(**option)).correct is not default


@pytest.mark.parametrize(
    ("gold", "answer"),
    [("1517", "37*41"), ("120", "5!"), ("10", r"\binom{5}{2}"), ("1/3", r"\int_0^1 x^2 dx"),
     ("6", r"\gcd(12,18)"), ("8", "2^3"),
     ("7", "3+4"), ("3", "12/4"), ("55", r"\sum_{k=1}^{10}k"), ("-2", r"\begin{vmatrix}1&2\\3&4\end{vmatrix}")],
)  # fmt: skip
def test_an_answer_that_repeats_the_question_can_be_refused(gold: str, answer: str) -> None:
    assert math.verify_answer(gold, answer).correct
    assert not math.verify_answer(gold, answer, policy=MathPolicy(evaluated=True)).correct
    for fine in (gold, f"{gold}.", f"x={gold}", f"\\text{{{gold}}}"):
        assert math.verify_answer(gold, fine, policy=MathPolicy(evaluated=True)).correct
    assert math.verify_answer("1/2", r"\frac{1}{2}", policy=MathPolicy(evaluated=True)).correct
    assert math.verify_answer("2x+3", "3+2x", policy=MathPolicy(evaluated=True)).correct
    assert math.verify_answer("1.5e3", r"1.5\times 10^3", policy=MathPolicy(evaluated=True)).correct


def test_rounding_still_refuses_another_value_and_too_few_digits() -> None:
    policy = MathPolicy(rounding=3)
    assert not math.verify_answer("1/3", "0.334", policy=policy).correct
    assert not math.verify_answer("1/3", "0.33", policy=policy).correct
    assert math.verify_answer(r"\frac{2}{3}", "0.6667", policy=policy).correct


def test_exact_identity_accepts_what_is_proved() -> None:
    policy = MathPolicy(identity="exact")
    assert math.verify_answer(r"\sqrt{3+2\sqrt2}", r"1+\sqrt2", policy=policy).correct
    assert math.verify_answer(r"(x+1)^3", "x^3+3x^2+3x+1", policy=policy).correct
    assert math.verify_answer(r"\sin^2x+\cos^2x", "1", policy=policy).correct
    assert not math.verify_answer(r"\sqrt2+\sqrt3", r"\sqrt{10}", policy=policy).correct


@pytest.mark.parametrize(
    "bad", [{"units": "x"}, {"percent": 3}, {"identity": "maybe"}, {"rounding": -1}, {"budget_s": 0}, {"max_chars": 0}]
)
def test_a_policy_that_could_not_be_obeyed_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        MathPolicy(**bad)
