"""Multiple choice: the letter, its text, or both, which have to belong together."""

from __future__ import annotations

import pytest

from proofgym.errors import Unjudged
from proofgym.verifiers import math

CHOICES = {"A": "\\frac{1}{2}", "B": "2", "C": "a cat", "D": "\\sqrt{2}"}


@pytest.mark.parametrize("answer", ["A", "(A)", "a", "A.", "0.5", "1/2", "A) 1/2", "(A) $0.5$", "\\text{A}"])
def test_letter_and_text_are_both_right(answer: str) -> None:
    assert math.verify_answer("A", answer, choices=CHOICES).correct
    assert math.verify_answer("\\frac{1}{2}", answer, choices=CHOICES).correct


@pytest.mark.parametrize("answer", ["B", "2", "A) 2", "B) 1/2", "E", "", "AB", "A or B", "a cat"])
def test_anything_else_is_not(answer: str) -> None:
    assert math.verify_answer("A", answer, choices=CHOICES).score == 0.0


def test_words_are_options_too() -> None:
    assert math.verify("C", "It is, of course, \\boxed{a cat}.", choices=CHOICES).correct
    assert not math.verify("C", "It is \\boxed{D}.", choices=CHOICES).correct


def test_a_gold_that_names_no_option_is_unjudged() -> None:
    with pytest.raises(Unjudged, match="0 of the options A, B, C, D"):
        math.verify_answer("7", "A", choices=CHOICES)
