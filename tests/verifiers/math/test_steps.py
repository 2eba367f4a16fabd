"""Derivations: what follows, what does not, what cannot be checked, and what is paid."""

from __future__ import annotations

import pytest

from proofgym.verifiers import Credit, Status, math
from proofgym.verifiers.credit import total
from proofgym.verifiers.math.steps import judge_steps

SOUND = [
    ("Solve 2x + 3 = 7.", "2x = 4\nx = 2"),
    ("Solve 2x + 3 = 7.", "Subtract 3 from both sides: $2x = 4$. Hence $x = \\frac{4}{2} = 2$."),
    ("Solve x^2-5x+6=0.", "(x-2)(x-3)=0\nx=2 or x=3"),
    ("Solve x^2-5x+6=0.", "(x-2)(x-3)=0\nCase 1: x-2=0, so x=2.\nCase 2: x-3=0, so x=3."),
    ("Solve the system x+y=3, x-y=1.", "2x = 4\nx = 2\n2 + y = 3\ny = 1"),
    ("Solve sqrt(x+6) = x.", "x+6 = x^2\nx^2-x-6 = 0\n(x-3)(x+2) = 0\nx = 3"),
    ("Solve 2x - 1 > 5.", "2x > 6\nx > 3"),
    ("Solve x/(x-1) = 2.", "x = 2(x-1)\nx = 2x - 2\nx = 2"),
    ("Evaluate 2 * 3 + 4.", "6 + 4\n= 10"),
    ("Expand $(x+1)^2-(x-1)^2$.", "\\begin{align*}(x+1)^2-(x-1)^2 &= x^2+2x+1-(x^2-2x+1)\\\\ &= 4x\\end{align*}"),
    ("Natalia sold 48 clips.", "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nAltogether 48+24 = 72 clips."),
    ("Apples.", "She has 5 apples + 3 apples = 8 apples. Each costs $2, so 8 * 2 = $16."),
    ("Let f(x) = x^2 + 3x.", "f'(x) = 2x + 3\nf(2) = 10"),
    ("", "Let x = 5. Then 3x = 15, so 3x + 1 = 16."),
    ("", "20% of 50 = 10. 10/3 = 3.33"),
    ("Solve x^4 = 16 over the reals.", "x^2 = 4\nx = 2 or x = -2"),
]
BROKEN = [
    ("Solve 2x + 3 = 7.", "2x = 4\nx = 3", "x = 3"),
    ("Solve 2x + 3 = 7.", "2x = 10\nx = 5", "2x = 10"),
    ("Solve x^2 = 2x.", "Divide by x: x = 2", "x = 2"),
    ("Solve x^2-5x+6=0.", "(x-2)(x-3)=0\nx=2 or x=4", "x=2 or x=4"),
    ("Solve -2x > 6.", "x > -3", "x > -3"),
    ("Solve the system x+y=3, x-y=1.", "2x = 5", "2x = 5"),
    ("Expand.", "$(x+1)^2 = x^2+2x+1$\n$(x+1)^2 = x^2 + 1$", "(x+1)^2 = x^2 + 1"),
    ("Simplify.", "(a+b)(a-b)\n= a^2 + b^2", "= a^2 + b^2"),
    ("Natalia.", "48/2 = 25 clips", "48/2 = 25"),
    ("Let f(x) = x^2 + 3x.", "f'(x) = 2x + 2", "f'(x) = 2x + 2"),
    ("Chain.", "2 + 3 = 5 = 6", "2 + 3 = 5 = 6"),
]


@pytest.mark.parametrize(("problem", "derivation"), SOUND)
def test_a_sound_derivation_earns_all_of_it(problem: str, derivation: str) -> None:
    steps = judge_steps(problem, derivation)
    assert not [step for step in steps if step.judgement == "does not follow"]
    credits_ = math.check_steps(problem, derivation)
    assert total(credits_)[0] == pytest.approx(1.0)
    assert all(0 <= credit.start < credit.end <= len(derivation) for credit in credits_)


@pytest.mark.parametrize(("problem", "derivation", "where"), BROKEN)
def test_the_first_step_that_does_not_follow_is_named(problem: str, derivation: str, where: str) -> None:
    broken = [step for step in judge_steps(problem, derivation) if step.judgement == "does not follow"]
    assert broken, judge_steps(problem, derivation)
    assert derivation[broken[0].start : broken[0].end] == where


def test_a_right_answer_after_a_broken_chain_is_told_from_a_sound_one() -> None:
    sound, credits_ = math.grade("Solve 2x+3=7.", "2x = 4\nx = 2\n\\boxed{2}", "2")
    assert sound.status is Status.CORRECT
    assert sound.parts == {"answer": 1.0, "sound": 1.0, "steps": 1.0}
    assert isinstance(credits_[0], Credit)
    broken, _ = math.grade("Solve 2x+3=7.", "2x = 5\nx = 2\n\\boxed{2}", "2")
    assert broken.status is Status.PARTIAL
    assert (broken.parts["answer"], broken.parts["sound"], broken.score) == (1.0, 0.0, 0.5)
    wrong, _ = math.grade("Solve 2x+3=7.", "2x = 4\nx = 2\n\\boxed{3}", "2")
    assert wrong.status is Status.WRONG
    assert (wrong.parts["answer"], wrong.parts["sound"]) == (0.0, 1.0)


def test_what_follows_a_break_is_judged_by_itself_and_not_paid() -> None:
    credits_ = math.check_steps("", "2 + 2 = 5\n3 + 4 = 7")
    assert [credit.value for credit in credits_] == [0.0, 0.0]
    assert credits_[1].reason.startswith("follows")


@pytest.mark.parametrize(
    "padding", ["1 = 1\n" * 50, "x = x\n" * 50, "2x = 4\n" * 50, "\n" * 500, "= \n" * 50, "nice words\n" * 50]
)
def test_padding_is_not_paid(padding: str) -> None:
    once = total(math.check_steps("Solve 2x + 3 = 7.", "2x = 4\nx = 3"))[0]
    padded = total(math.check_steps("Solve 2x + 3 = 7.", f"2x = 4\n{padding}x = 3"))[0]
    assert padded <= once


def test_words_that_change_a_number_make_a_step_uncheckable() -> None:
    steps = judge_steps("", "Half of 50 = 25, twice 4 = 8, and the sum of 3 and 4 = 7.")
    assert {step.judgement for step in steps} <= {"not checkable"}


def test_hostile_derivations_end_in_time() -> None:
    for text in (
        "=" * 20_000,
        "1=1 " * 5_000,
        "$" * 10_000,
        "x^" * 3_000,
        "9^{9^{9^9}} = 9^{9^9}",
        "((((" * 3_000,
        "x=1\n" * 5_000,
    ):
        credits_ = math.check_steps("Solve x = 1.", text)
        assert 0 <= total(credits_)[0] <= 1.0 + 1e-9


def test_sound_solutions_of_gsm8k_are_rarely_called_broken(data_folder: object) -> None:
    import json
    from pathlib import Path

    path = Path(str(data_folder)) / "gsm8k_test.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:150]]
    broken = sum(
        any(s.judgement == "does not follow" for s in judge_steps(row["question"], row["answer"])) for row in rows
    )
    assert broken <= 5
