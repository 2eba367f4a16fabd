"""Each step is judged against the digit written before it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers import Status
from proofgym.verifiers.math.running_total import RunningTotalVerifier

digits = st.lists(st.integers(0, 9), min_size=2, max_size=21).map(tuple)


def totals(question: tuple[int, ...]) -> str:
    return "".join(str(sum(question[: k + 1]) % 10) for k in range(1, len(question)))


@given(digits)
def test_the_totals_are_right(question: tuple[int, ...]) -> None:
    verdict, credits_ = RunningTotalVerifier(question).grade(totals(question))
    assert verdict.correct
    assert math.fsum(c.value for c in credits_) == pytest.approx(1.0, abs=1e-12)
    assert [(c.start, c.end) for c in credits_] == [(k, k + 1) for k in range(len(question) - 1)]


@given(digits, st.data())
def test_one_slip_costs_one_step_when_the_rest_follows_from_it(question: tuple[int, ...], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(question) - 2))
    off = data.draw(st.integers(1, 9))
    right = totals(question)
    answer = right[:at] + "".join(str((int(d) + off) % 10) for d in right[at:])
    verdict, credits_ = RunningTotalVerifier(question).grade(answer)
    steps = len(right)
    assert [c.value == 0.0 for c in credits_] == [k == at for k in range(steps)]
    assert verdict.score == pytest.approx((steps - 1) / steps)
    assert not verdict.correct
    assert verdict.parts == {"steps": (steps - 1) / steps}


@given(digits, st.text(st.one_of(st.sampled_from("0123456789 \n"), st.characters()), max_size=40), st.booleans())
def test_credits_sum_to_the_score_and_lie_on_the_answer(question: tuple[int, ...], answer: str, spaced: bool) -> None:
    verdict, credits_ = RunningTotalVerifier(question, spaced).grade(answer)
    assert math.fsum(c.value for c in credits_) == pytest.approx(verdict.score, abs=1e-12)
    assert all(0 <= c.start < c.end <= len(answer) for c in credits_)
    assert verdict.correct <= (answer.replace(" ", "").replace("\n", "") == totals(question))


def test_what_is_missing_earns_nothing_and_what_is_extra_costs_a_step() -> None:
    judge = RunningTotalVerifier((3, 1, 4, 1, 5))
    assert judge.verify("4894").correct
    assert judge.verify("48").score == 0.5
    assert judge.verify("48945").score == 0.75
    assert judge.verify("4894\n").score == 0.75
    assert judge.verify("11115").score == 0.0, "extra text costs no more than was earned"
    assert RunningTotalVerifier((3, 1, 4, 1, 5), spaced=True).verify("4 8 9\n4\n").correct


def test_the_sound_prefix_counts_up_to_what_is_no_digit() -> None:
    judge = RunningTotalVerifier((3, 1, 4, 1, 5))
    verdict, credits_ = judge.grade("48x94")
    assert verdict.score == 0.5
    assert [(c.start, c.end, c.value) for c in credits_] == [(0, 1, 0.25), (1, 2, 0.25), (2, 5, 0.0)]


@pytest.mark.parametrize("cheat", ["", "x", "٤٨٩٤", "４８９４", "²", "-4894", "four", " 4894", "\x00", "[0-9]"])
def test_what_starts_with_no_digit_is_malformed(cheat: str) -> None:
    assert RunningTotalVerifier((3, 1, 4, 1, 5)).verify(cheat).status is Status.MALFORMED
