"""Verdicts and credits refuse what no trainer could use."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers import Credit, Status, Verdict
from proofgym.verifiers.credit import total

text = st.text(st.characters(), max_size=20)
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from(Status), st.floats(), text)
def test_a_verdict_exists_only_if_status_and_score_agree(status: Status, score: float, reason: str) -> None:
    allowed = {
        Status.CORRECT: score == 1.0,
        Status.WRONG: score == 0.0,
        Status.MALFORMED: score == 0.0,
        Status.PARTIAL: 0.0 <= score < 1.0,
        Status.LIMIT: 0.0 <= score < 1.0,
    }[status]
    if allowed:
        verdict = Verdict(status, score, reason)
        assert verdict.reward == score
        assert verdict.correct == (status is Status.CORRECT)
        assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict
    else:
        with pytest.raises(ValueError, match="score"):
            Verdict(status, score, reason)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Verdict.right("", steps=bad)
    with pytest.raises(ValueError, match="finite"):
        Credit(0, 1, bad, "step")
    with pytest.raises(ValueError, match="score"):
        Verdict.partial(bad, "") if bad > 0 else Verdict(Status.PARTIAL, bad)


def test_a_partial_score_of_nothing_is_wrong_and_of_everything_must_be_said() -> None:
    assert Verdict.partial(0.0, "nothing").status is Status.WRONG
    with pytest.raises(ValueError, match="below 1"):
        Verdict.partial(1.0, "everything")
    assert Verdict.limit("slow").score == 0.0


@given(st.integers(-5, 50), st.integers(-5, 50), finite, text)
def test_a_credit_exists_only_on_a_span(start: int, end: int, value: float, label: str) -> None:
    if 0 <= start <= end:
        credit = Credit(start, end, value, label)
        assert Credit.from_json(json.loads(json.dumps(credit.to_json()))) == credit
    else:
        with pytest.raises(ValueError, match="span"):
            Credit(start, end, value, label)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(-1, 1))))
def test_the_reward_is_the_sum_of_its_terms(parts: list[tuple[str, float]]) -> None:
    reward, terms = total([Credit(0, 1, value, label) for label, value in parts])
    assert reward == math.fsum(terms.values())
    assert reward == pytest.approx(math.fsum(value for _, value in parts), abs=1e-9)
    assert set(terms) == {label for label, _ in parts}
