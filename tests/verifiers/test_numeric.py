"""The final number: right ones are found, others are not, and hedging earns nothing."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from proofgym.verifiers import Status
from proofgym.verifiers.math.numeric import NumericVerifier, final_answer, lines, read_number

EIGHTEEN = NumericVerifier(Fraction(18))
integers = st.integers(-(10**30), 10**30)
words = st.text(st.characters(exclude_characters="\n\r=", exclude_categories=["N", "Cs"]), max_size=30)


@given(st.fractions(max_denominator=10**6))
def test_gold_is_always_right(gold: Fraction) -> None:
    assert NumericVerifier(gold).verify(f"so #### {gold}").correct


@given(
    integers, st.sampled_from(["#### {}", "####{}", r"\boxed{{{}}}", "The answer is {}.", "Answer: {}", "x = {}", "{}"])
)
def test_gold_is_right_in_every_form(gold: int, form: str) -> None:
    verifier = NumericVerifier(Fraction(gold))
    assert verifier.verify(form.format(gold)).correct
    assert verifier.verify("I add 3 and 4.\n" + form.format(f"{gold:,}")).correct
    assert verifier.verify(form.format(f"{gold}.000")).correct


@given(integers, integers, st.sampled_from(["#### {}", r"\boxed{{{}}}", "The answer is {}.", "{}"]))
def test_another_number_is_wrong(gold: int, other: int, form: str) -> None:
    assume(gold != other)
    assert NumericVerifier(Fraction(gold)).verify(form.format(other)).status is Status.WRONG


@given(
    integers,
    integers,
    st.sampled_from(["#### {}\n#### {}", "#### {} {}", "#### {} or {}", r"\boxed{{{}}}\boxed{{{}}}"]),
)
def test_hedging_is_never_right(gold: int, other: int, form: str) -> None:
    assume(gold != other)
    verifier = NumericVerifier(Fraction(gold))
    for answer in (form.format(gold, other), form.format(other, gold)):
        assert not verifier.verify(answer).correct


@pytest.mark.parametrize(
    "answer",
    [
        "18", "#### 18", "#### $18.00", "#### 18 dollars", "#### 18%", "#### **18**", "#### $\\boxed{18}$", "#### 36/2",
        "#### Total = $18", "#### 18\nI hope this helps!", "#### Step 1: add\n9 + 9\n#### 18", "#### 18.", "#### +18",
        "The answer is 18.", "the answer is: **18**", "Answer: $18", "The final answer is \\(18\\).", "ANSWER IS 18!",
        "The answer is that she makes $18 a day. I am sure.", "\\boxed{18}", "$\\boxed{\\$18}$",
        "\\boxed{\\frac{36}{2}}", "\\boxed{18\\text{ dollars}}", "\\boxed{18.0}",
        "so x = 18", "She makes $18 every day.", "9 * 2 = 18 dollars",
        "She makes 9 * 2 = 18\n\n", "#### 18\n#### 18.0", "I say 17.\nNo: 18 apples",
    ],
)  # fmt: skip
def test_fair_ways_to_say_it_are_read(answer: str) -> None:
    assert EIGHTEEN.verify(answer).correct


@pytest.mark.parametrize(
    "answer",
    [
        "", " ", "#### 1 2 18", "#### 3\n#### 18", "#### 18\n#### 3", "#### 18/0", "#### ١٨", "#### １８",
        "#### 18 or 19", "#### 18 or nineteen", "#### 18e0", "#### 18 million", "#### 1,8", "#### 18,000", "#### -18",
        "#### 18^1", "18 19", "The answer is not 18.",
        "#### 18½", "#### nan", "#### inf", "#### eighteen", "#### 18\n#### unsure", "\\boxed{17}\\boxed{18}", "####",
        "\\boxed{18", "\\boxed{3\\frac{1}{2}}", "17 + 1", "9 * 2 = 18 = 19", "The answer is 17 or 18.", "#### 18.5",
        "#### " + "0" * 50 + "18", "#### 18" + "\x00" + "9", "#### XVIII", "#### 一八", "#### 18 and a half",
        "The answer is 18.\nThe answer is 19.", "#### not 18 but 19", "#### 1_8", "#### 0x12", "#### 1 8",
    ],
)  # fmt: skip
def test_cheats_and_other_numbers_earn_nothing(answer: str) -> None:
    verdict, credits_ = EIGHTEEN.grade(answer)
    assert verdict.score == 0.0
    assert sum(credit.value for credit in credits_) == 0.0


@given(words, integers, words)
def test_words_around_do_not_hide_the_only_number(before: str, gold: int, after: str) -> None:
    assume("answer" not in (before + after).lower() and "-" not in before and "−" not in before)
    claim = final_answer(f"{before} {gold} {after}")
    assert claim is not None
    assert claim.value in (Fraction(gold), None), "read, or refused; never another number"


@given(st.text(st.one_of(st.sampled_from("#\\boxed{}0123456789,./$= answeris"), st.characters()), max_size=80))
def test_every_text_is_judged_and_the_claim_lies_on_it(answer: str) -> None:
    verdict, credits_ = EIGHTEEN.grade(answer)
    assert verdict.score in (0.0, 1.0)
    for credit in credits_:
        assert answer[credit.start : credit.end].strip()
    assert sum(credit.value for credit in credits_) == verdict.score


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,450,000", 1450000), ("-2.50", Fraction(-5, 2)), ("7/2", Fraction(7, 2)), ("1,2,3", None), ("12,34", None),
     ("1{,}450", 1450), ("$ 5", 5), ("- 5", -5), ("x" * 300, None), ("5" * 300, None), ("1.2.3", None)],
)  # fmt: skip
def test_numbers_are_read_exactly(text: str, value: Fraction | int | None) -> None:
    assert read_number(text) == value


@given(st.text(st.sampled_from("ab \t\r\n\x0b"), max_size=30))
def test_lines_are_spans_without_blanks(text: str) -> None:
    spans = list(lines(text))
    assert [text[a:b] for a, b in spans] == [line.strip() for line in text.split("\n") if line.strip()]
