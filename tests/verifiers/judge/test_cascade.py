"""The cascade: the first verdict counts, the books are right, and audits change nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers import Verdict
from proofgym.verifiers.cascade import CannotTell, Cascade, Cost, JudgeStage, RuleStage, standard
from proofgym.verifiers.credit import total
from proofgym.verifiers.judge.judge import Judge


class Fixed:
    """A stage that always says the same."""

    def __init__(self, name: str, said: Any, cost: Cost | None = None) -> None:
        self.name, self.said, self.cost, self.asked = name, said, cost or Cost(), 0

    def ask(self, question: str, reference: str | None, answer: str) -> tuple[Any, Cost]:
        self.asked += 1
        if isinstance(self.said, Exception):
            raise self.said
        return self.said, self.cost


def test_the_first_verdict_counts_and_later_stages_are_not_asked() -> None:
    stages = [Fixed("a", CannotTell("no")), Fixed("b", Verdict.right()), Fixed("c", Verdict.wrong("never asked"))]
    assert Cascade(stages).bind("q").verify("x").correct
    assert [stage.asked for stage in stages] == [1, 1, 0]


def test_a_broken_stage_passes_on_and_is_counted_and_cannot_tell_is_no_verdict() -> None:
    cascade = Cascade([Fixed("a", Unjudged("dead")), Fixed("b", CannotTell("no reference"))])
    with pytest.raises(Unjudged, match=r"a broke \(dead\); b: no reference"):
        cascade.verify("q", None, "x")
    report = cascade.report()
    assert (report.answers, report.unjudged) == (1, 1)
    assert [(stage.faults, stage.passed_on) for stage in report.stages] == [(1, 0), (0, 1)]


def test_costs_shares_and_disagreement_are_reported() -> None:
    class Picky(Fixed):
        def ask(self, question: str, reference: str | None, answer: str) -> tuple[Any, Cost]:
            super().ask(question, reference, answer)
            return (Verdict.right() if answer == "easy" else CannotTell()), Cost()

    cascade = Cascade([Picky("rules", None), Fixed("judge", Verdict.wrong("no"), Cost(2, 30, 5))], audit=1.0)
    assert cascade.verify("q", None, "easy").correct  # the audit disagrees and changes nothing
    assert not cascade.verify("q", None, "hard").correct
    report = cascade.report()
    assert report.share("rules") == report.share("judge") == 0.5
    judge = report.stages[1]
    assert (judge.asked, judge.decided, judge.audited, judge.disagreed) == (2, 1, 1, 1)
    assert (judge.calls, judge.prompt_tokens, judge.completion_tokens) == (4, 60, 10)
    assert report.disagreements == {("rules", "judge"): (1, 1)}
    assert "1/1" in str(report)
    assert report.to_json()["disagreements"] == [["rules", "judge", 1, 1]]


def test_the_audited_share_is_drawn_by_content_and_near_what_was_asked() -> None:
    def audited(seed: int) -> list[int]:
        late = Fixed("late", Verdict.right())
        cascade = Cascade([Fixed("early", Verdict.right()), late], audit=0.25, seed=seed)
        found = []
        for i in range(400):
            before = late.asked
            cascade.verify("q", None, f"answer {i}")
            found.append(late.asked - before)
        return found

    first = audited(0)
    assert 70 <= sum(first) <= 130
    assert audited(0) == first
    assert audited(1) != first


def test_the_standard_cascade_asks_the_judge_only_what_rules_cannot_tell(scripted: Any, filled: Any) -> None:
    model = scripted(lambda prompt, call: filled(call, 1, "nine tenths of it"))
    cascade = standard(Judge(model))
    assert cascade.verify("How much?", "9/10", r"\boxed{\frac{9}{10}}").correct
    assert not cascade.verify("How much?", "9/10", "0.8").correct
    assert model.asked == []
    assert cascade.verify("How much?", "9/10", "nine tenths of it").correct
    assert len(model.asked) == 1
    assert [stage.decided for stage in cascade.report().stages] == [1, 1, 1]
    assert cascade.report().stages[2].prompt_tokens == 100


def test_credits_sum_to_the_verdict_at_every_stage(scripted: Any, filled: Any) -> None:
    cascade = standard(Judge(scripted(lambda prompt, call: filled(call, 1, "nine tenths"))))
    for answer in ("The answer is 0.9.", "0.8", "It is nine tenths of it."):
        bound = cascade.bind("How much?", "9/10")
        assert total(bound.credits(answer))[0] == bound.verify(answer).score


def test_a_judge_that_decides_nothing_is_a_fault_with_its_cost(scripted: Any) -> None:
    cascade = Cascade([JudgeStage(Judge(scripted(lambda prompt, call: "?")))])
    with pytest.raises(Unjudged):
        cascade.verify("How much?", "9/10", "nine tenths of it")
    with pytest.raises(Unjudged, match="needs a reference"):
        cascade.verify("How much?", None, "nine tenths of it")
    (stage,) = cascade.report().stages
    assert (stage.faults, stage.calls, stage.prompt_tokens) == (1, 2, 200)


def test_a_cascade_counts_right_from_many_threads() -> None:
    cascade = Cascade([Fixed("a", Verdict.right(), Cost(1, 1, 1))])
    threads = [threading.Thread(target=lambda: [cascade.verify("q", None, "x") for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cascade.report().stages[0].calls == 1600


def test_a_cascade_that_cannot_be_built_is_refused() -> None:
    for stages, audit in (([], 0.0), ([Fixed("a", None), Fixed("a", None)], 0.0), ([Fixed("a", None)], 2.0)):
        with pytest.raises(BadInput):
            Cascade(stages, audit=audit)
    rule = RuleStage("r", lambda reference, answer: None)
    assert rule.ask("q", None, "x")[0] == CannotTell("there is no reference")
