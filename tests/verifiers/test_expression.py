"""The grammar of expressions: exact, closed and bounded."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers.math.expression import MAX_DEPTH, MAX_LENGTH, Unreadable, evaluate, parse

expressions = st.recursive(
    st.integers(0, 99).map(str),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", " * ", "/", " − ", "×", "÷"]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map(" ( {} ) ".format),
    ),
    max_leaves=12,
)


def by_python(text: str) -> Fraction:
    """What Python says; only for texts that we made ourselves."""
    text = text.replace("×", "*").replace("÷", "/").replace("−", "-").strip()
    return Fraction(eval(re.sub(r"([0-9]+)", r"Fraction(\1)", text), {"Fraction": Fraction}))


@given(expressions)
def test_values_agree_with_python(text: str) -> None:
    try:
        expected = by_python(text)
    except ZeroDivisionError:
        with pytest.raises(Unreadable, match="divides by zero"):
            parse(text)
        return
    expression = parse(text)
    assert expression.value == expected
    assert isinstance(expression.value, int) == (expected.denominator == 1)
    assert list(expression.literals) == [int(n) for n in re.findall("[0-9]+", text)]


@given(expressions)
def test_what_is_written_reads_the_same(text: str) -> None:
    try:
        expression = parse(text)
    except Unreadable:
        return
    again = parse(str(expression))
    assert (again.value, again.operations, again.literals) == (
        expression.value, expression.operations, expression.literals,
    )  # fmt: skip
    assert str(again) == str(expression)


@given(expressions)
def test_a_step_keeps_the_value_and_leaves_one_operation_fewer(text: str) -> None:
    try:
        expression = parse(text)
    except Unreadable:
        return
    while expression.operations:
        step = expression.step()
        assert (step.value, step.operations) == (expression.value, expression.operations - 1)
        expression = step


@given(st.text(st.one_of(st.sampled_from("0123456789+-*/() "), st.characters()), max_size=60))
def test_every_text_is_read_or_refused(text: str) -> None:
    try:
        expression = parse(text)
    except Unreadable:
        return
    assert set(text) <= set("0123456789+-*/() \t×·÷−")
    assert expression.operations >= 0


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "()", "1 2", "2(3)", "1+", "*1", "+1", "1//2", "2**3", "2^3", "1.5", "1,000", "1e3", "x", "(1", "1)",
        "½", "٣", "１", "1\n+2", "1\x00", "\r", " \r", "abs(1)", "1 if 1 else 2", "[1]", "0x10", "1_000", "9**9**9",
        "1=1", "~1",
    ],
)  # fmt: skip
def test_texts_outside_the_grammar_are_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        parse(text)


def test_length_depth_and_digits_are_bounded() -> None:
    deep = "(" * MAX_DEPTH + "1" + ")" * MAX_DEPTH
    assert parse(deep).value == 1
    for text, said in (
        (f"({deep})", "deep"),
        ("1+" * (MAX_LENGTH // 2) + "1", "characters"),
        ("9" * 21, "digits"),
        ("(" * 100_000, "characters"),
    ):
        with pytest.raises(Unreadable, match=said):
            parse(text)
    assert parse("-" * 998 + "1").value == 1
    assert parse("*".join(["9" * 20] * 47)).value == (10**20 - 1) ** 47


@given(st.text(alphabet="0123456789+-*/() \t×(-", max_size=24))
def test_the_fast_evaluation_agrees_with_the_parser(text: str) -> None:
    try:
        expected = parse(text)
    except Unreadable as reason:
        with pytest.raises(Unreadable, match=re.escape(str(reason))):
            evaluate(text)
    else:
        assert evaluate(text) == (expected.value, list(expected.literals))


@pytest.mark.parametrize("text", ["(" * 40 + "1" + ")" * 40, "-" * 900 + "(2)", "1/2+1/2", "2*(1/4)*2", "1 2", "0/5/3"])
def test_the_fast_evaluation_keeps_the_same_bounds(text: str) -> None:
    test_the_fast_evaluation_agrees_with_the_parser.hypothesis.inner_test(text)  # type: ignore[attr-defined]
