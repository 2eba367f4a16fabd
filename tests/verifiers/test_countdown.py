"""Any valid expression is right; what breaks the rules is not."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers import Status
from proofgym.verifiers.math.expression import Unreadable, parse
from proofgym.verifiers.puzzles.countdown import CountdownVerifier, solve

JUDGE = CountdownVerifier((2, 3, 7, 7), 13)


@pytest.mark.parametrize(
    "answer",
    [
        "2 * 3 + 7", "Answer: 2*3+7", "**Answer:** 7 + 3 * 2", "answer : (7 + 2 * 3)", "My final answer: 2*3+7",
        "I try 7 * 2 ...\n7 + 2 * 3",
        "Answer: 2 × 3 + 7", "Answer: 2 * 3 + 7 = 13", "`2 * 3 + 7`", "$2 * 3 + 7$.", "Answer: 7 − (−2) * 3",
        "Answer: 2 * 3 + 7\nAnswer: 2 * 3 + 7", "Answer: 2*3+7\n(easy)",
    ],
)  # fmt: skip
def test_valid_expressions_in_fair_forms_are_right(answer: str) -> None:
    verdict, (credit,) = JUDGE.grade(answer)
    assert verdict.correct
    assert credit.value == 1.0
    assert parse(answer[credit.start : credit.end].partition("=")[0]).value == 13


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("13", "13, which is not given"),
        ("7 + 6", "6, which is not given"),
        ("7 + 3 + 3", "3 more often"),
        ("7 + 7", "value is 14"),
        ("7 + 7 = 13", "value is 14"),
        ("2 * 3 + 7 = 14", "not the target"),
        ("2 * 3 + 7 = 2 * 3 + 7", "not the target"),
        ("2 * 3 + 7 = 13 = 13", "cannot be read"),
        ("7 / (3 - 3)", "divides by zero"),
        ("2 ** 3 + 7", "cannot be read"),
        ("2 3 7", "cannot be read"),
        ("", "no answer"),
        ("Answer:", "no answer"),
        ("Answer: 7 + 7 Answer: 2 * 3 + 7", "several answers"),
        ("Answer: 7 + 7\nAnswer: 2 * 3 + 7", "several answers"),
        ("2 * 3 + 7\nthat is it", "cannot be read"),
        ("(" * 500 + "2 * 3 + 7" + ")" * 500, "cannot be read"),
        ("٢ * 3 + 7", "cannot be read"),
        ("23 - 7 - 3", "23, which is not given"),
    ],
)
def test_invalid_answers_earn_nothing_and_say_why(answer: str, said: str) -> None:
    verdict, credits_ = JUDGE.grade(answer)
    assert said in verdict.reason
    assert verdict.score == 0.0 == sum(credit.value for credit in credits_)
    assert verdict.status in (Status.WRONG, Status.MALFORMED)


def reachable(numbers: tuple[int, ...]) -> set[int]:
    """Every whole value of `a . b` and `(a . b) . c` and `a . (b . c)`, by brute force."""
    values = set(numbers)
    for a, b, c in permutations(numbers, 3):
        for s, t in product("+-*/", repeat=2):
            for text in (f"{a}{s}{b}", f"({a}{s}{b}){t}{c}", f"{a}{s}({b}{t}{c})"):
                try:
                    value = parse(text).value
                except Unreadable:
                    continue
                if isinstance(value, int):
                    values.add(value)
    return values


@given(st.tuples(*[st.integers(0, 9)] * 3), st.integers(0, 60))
def test_the_solver_finds_a_solution_exactly_where_there_is_one(numbers: tuple[int, ...], target: int) -> None:
    found = solve(numbers, target)
    assert (found is not None) == (target in reachable(numbers))
    if found is not None:
        assert CountdownVerifier(numbers, target).verify(str(found)).correct


@given(st.text(st.one_of(st.sampled_from("237+-*/()= \nAnswer:"), st.characters()), max_size=60))
def test_every_text_is_judged(answer: str) -> None:
    verdict, credits_ = JUDGE.grade(answer)
    assert verdict.score in (0.0, 1.0)
    assert sum(credit.value for credit in credits_) == verdict.score
    assert all(answer[credit.start : credit.end].strip() for credit in credits_)
