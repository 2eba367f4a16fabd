"""Working is paid by potential: the right lines, once, and only while every line follows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers import Credit, Status, Verdict
from proofgym.verifiers.math.arithmetic import WORKING_SHARE, ArithmeticVerifier
from proofgym.verifiers.math.expression import Expression, combine, number, parse

PROBLEM = parse("2 * 3 + 4 * 5 - 1")  # 25, in four operations
JUDGE = ArithmeticVerifier(PROBLEM)

numbers = st.integers(0, 30).map(number)
expressions = st.recursive(
    numbers,
    lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner).map(lambda parts: combine(*parts)),
    max_leaves=8,
).filter(lambda expression: expression.operations > 0)


def grade(answer: str) -> tuple[Verdict, list[float]]:
    verdict, credits_ = JUDGE.grade(answer)
    check(answer, verdict, credits_)
    return verdict, [credit.value for credit in credits_]


def check(answer: str, verdict: Verdict, credits_: list[Credit]) -> None:
    assert math.fsum(credit.value for credit in credits_) == pytest.approx(verdict.score, abs=1e-12)
    assert set(verdict.parts) == {"sound", "answer", "working"}
    for credit in credits_:
        assert answer[credit.start : credit.end].strip()


@given(expressions, st.randoms(use_true_random=False))
def test_sound_working_of_any_length_earns_exactly_one(expression: Expression, random: object) -> None:
    lines, line = [], expression
    while line.operations:
        line = line.step()
        lines.append(str(line))
    kept = [text for text in lines if random.random() < 0.6]  # type: ignore[attr-defined]
    answer = "\n".join([*kept, f"#### {expression.value}"])
    verdict, credits_ = ArithmeticVerifier(expression).grade(answer)
    check(answer, verdict, credits_)
    assert verdict.correct
    assert math.fsum(credit.value for credit in credits_) == pytest.approx(1.0, abs=1e-12)


@given(expressions, st.integers(-2000, 2000))
def test_another_answer_earns_nothing(expression: Expression, other: int) -> None:
    verdict = ArithmeticVerifier(expression).verify(f"#### {other}")
    assert verdict.correct == (other == expression.value)
    assert verdict.score == float(other == expression.value)


@given(expressions, st.text(st.sampled_from("0123456789+-*/()=# \n"), max_size=80))
def test_no_text_earns_more_than_one_or_less_than_nothing(expression: Expression, answer: str) -> None:
    verdict, credits_ = ArithmeticVerifier(expression).grade(answer)
    check(answer, verdict, credits_)


def test_each_line_is_paid_on_its_own_characters() -> None:
    answer = "2 * 3 + 20 - 1\n\n  = 26 - 1  \n#### 25"
    verdict, credits_ = JUDGE.grade(answer)
    assert [(answer[c.start : c.end], c.value, c.label) for c in credits_] == [
        ("2 * 3 + 20 - 1", 0.125, "working"),
        ("= 26 - 1", 0.25, "working"),
        ("#### 25", 0.125, "working"),
        ("#### 25", 0.5, "answer"),
    ]
    assert verdict.parts == {"sound": 1.0, "answer": 1.0, "working": 1.0}


def test_the_sides_of_a_line_are_lines_of_the_chain() -> None:
    answer = "2 * 3 + 4 * 5 - 1 = 6 + 20 - 1 = 25\n#### 25"
    verdict, credits_ = JUDGE.grade(answer)
    assert verdict.correct
    assert [answer[c.start : c.end] for c in credits_] == [
        "2 * 3 + 4 * 5 - 1", "= 6 + 20 - 1", "= 25", "#### 25", "#### 25",
    ]  # fmt: skip
    assert [c.value for c in credits_] == [0.0, 0.25, 0.25, 0.0, 0.5]


def test_a_bare_right_answer_earns_the_working_too() -> None:
    verdict, values = grade("#### 25")
    assert verdict.correct
    assert values == [0.5, 0.5]


def test_true_lines_cannot_be_piled_up() -> None:
    once, again = grade("6 + 20 - 1\n#### 25"), grade("6 + 20 - 1\n" * 30 + "7 * 8 - 31\n2 * 3 + 20 - 1\n#### 25")
    assert once[0].score == again[0].score == 1.0
    assert sum(again[1]) == pytest.approx(1.0)


def test_a_line_of_another_value_breaks_the_chain() -> None:
    verdict, values = grade("2 * 3 + 20 - 1\n6 + 21 - 1\n26 - 1\n25\n#### 25")
    assert values[:4] == [0.125, 0.0, 0.0, 0.0]
    assert verdict.status is Status.PARTIAL
    assert verdict.score == pytest.approx(0.5 + 0.125)
    assert verdict.parts == {"sound": 0.0, "answer": 1.0, "working": 0.25}
    assert "'6 + 21 - 1' does not follow" in verdict.reason


def test_leaving_the_value_again_costs_its_last_operation() -> None:
    verdict, values = grade("25\n24\n25\n#### 25")
    assert values == [0.5, -0.125, 0.0, 0.0, 0.5]
    assert verdict.score == pytest.approx(0.875)
    assert verdict.parts == {"sound": 0.0, "answer": 1.0, "working": 0.75}


def test_a_wrong_answer_after_sound_working_keeps_the_prefix() -> None:
    verdict, values = grade("6 + 20 - 1\n26 - 1\n#### 26")
    assert verdict.score == pytest.approx(0.375)
    assert verdict.parts == {"sound": 0.0, "answer": 0.0, "working": 0.75}
    assert values[-1] == 0.0


def test_lines_that_are_no_expressions_earn_nothing_and_do_no_harm() -> None:
    verdict, values = grade("First the products:\n6 + 20 - 1\nthen, easily,\n#### 25")
    assert verdict.correct
    assert values == [0.0, 0.25, 0.0, 0.25, 0.5]


def test_the_answer_ends_the_answer() -> None:
    for after in ("#### 26", "#### 25", "6 + 20 - 1", "done"):
        verdict, _ = grade(f"6 + 20 - 1\n#### 25\n{after}")
        assert verdict.parts["answer"] == 0.0
        assert verdict.score == pytest.approx(0.25)


def test_working_without_an_answer_is_partial() -> None:
    verdict, _ = grade("6 + 20 - 1\n25")
    assert verdict.score == pytest.approx(WORKING_SHARE)
    assert "no line '#### n'" in verdict.reason


@pytest.mark.parametrize(
    "cheat",
    [
        "", "hello", "####", "#### x", "#### 2 * 3 + 4 * 5 - 1", "2 * 3 + 4 * 5 - 1", "2 * 3 + 4 * 5 - 1 + 0",
        "5 * 5 - 0 + 0 + 0", "#### 24\n#### 25", "24\n25", "24 = 25", "0 = 25", "#### ٢٥", "#### 25e0", "#### 25 or 26",
        "25.0.0", "#### nan", "9**9**9", "#### 5*5", "(((((", "\n".join(map(str, range(100))), "1/0", "50/0",
    ],
)  # fmt: skip
def test_cheats_earn_nothing(cheat: str) -> None:
    assert grade(cheat)[0].score == 0.0


def test_what_is_unreadable_throughout_is_malformed() -> None:
    assert grade("I do not know")[0].status is Status.MALFORMED
    assert grade("7")[0].status is Status.WRONG
    assert grade("1 " * 20_000)[0].status is Status.MALFORMED
