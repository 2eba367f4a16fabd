"""Coq for real: goals, undo, faults of workers, and the layers of the final check."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from proofgym.errors import BadInput
from proofgym.verifiers.proof import Budget, ProofTask, StatementRefused
from proofgym.verifiers.proof.coq.final import CoqJudge, _assumed

pytestmark = pytest.mark.coq

COMM = ProofTask("goal", "(n m : nat) : n + m = m + n")


def test_goals_are_read_and_each_sentence_is_a_step(coq: Any) -> None:
    state = coq.open(COMM)
    assert str(state) == "n, m : nat\n⊢ n + m = m + n".replace("n, m", "n m")
    state = coq.run(state, "induction n.").state
    assert [g.target for g in state.goals] == ["0 + m = m + 0", "S n + m = m + S n"]
    assert [h.names for h in state.goals[1].hypotheses] == [("n", "m"), ("IHn",)]
    after = coq.run(state, "simpl. lia.").state
    assert len(after.goals) == 1, "both sentences ran"


def test_any_earlier_state_can_be_returned_to_in_any_order(coq: Any) -> None:
    first = coq.open(COMM)
    one = coq.run(first, "induction n.").state
    two = coq.run(one, "all: lia.").state
    assert two.finished
    assert coq.run(first, "lia.").state.finished
    assert coq.run(one, "- lia.").ok
    assert "not found" in coq.run(one, "exact foo.").error
    assert coq.open(COMM) == first


def test_a_failure_after_going_back_leaves_no_stale_goals_behind(coq: Any) -> None:
    """The goals of a longer path were once shown for the shorter one."""
    first = coq.open(COMM)
    for _ in range(2 * coq.workers):
        assert coq.run(first, "lia.").state.finished
        assert not coq.run(first, "exact foo.").ok
        assert coq.open(COMM) == first


def test_bullets_and_braces_are_states(coq: Any) -> None:
    state = coq.open(COMM)
    for tactic in ("induction n.", "-", "{", "lia.", "}", "-", "lia."):
        result = coq.run(state, tactic)
        assert result.ok, (tactic, result.error)
        state = result.state
    assert state.finished


def test_a_local_definition_shows_its_value(coq: Any) -> None:
    state = coq.run(coq.open(COMM), "set (x := n + 2).").state
    assert any(h.names == ("x",) and h.value == "n + 2" for h in state.goals[0].hypotheses)


def test_siblings_keep_their_order(coq: Any) -> None:
    results = coq.expand(coq.open(COMM), ["lia.", "foo.", "admit.", "induction n.", "lia"])
    assert [r.ok for r in results] == [True, False, False, True, False]
    assert [r.layer for r in results] == ["tactic", "tactic", "gate", "tactic", "gate"]


def test_shelved_and_given_up_goals_stay_open(coq: Any) -> None:
    state = coq.run(coq.open(COMM), "shelve.").state
    assert not state.finished
    reply = coq.pool.goto(coq.complete(COMM), ("give_up.",))
    assert len(reply.goals) == 1
    assert coq.judge.examine(coq.complete(COMM), "give_up.", gated=False).layer == "compile"


def test_a_killed_worker_costs_a_restart_and_loses_nothing(coq: Any) -> None:
    state = coq.run(coq.open(COMM), "induction n.").state
    for pid in coq.pool.pids():
        os.kill(pid, signal.SIGKILL)
    assert coq.run(state, "all: lia.").state.finished


def test_a_tactic_past_its_time_is_a_limit_and_leaves_the_process_alive(coq: Any) -> None:
    task = ProofTask("goal", ": True", "", Budget(step_s=0.7))
    state = coq.open(task)
    started = coq.pool.report.started
    result = coq.run(state, "repeat pose proof I.")
    assert (result.ok, result.limit) == (False, True)
    assert coq.run(state, "trivial.").ok
    assert coq.pool.report.started <= started + 1


def test_a_statement_or_header_that_does_not_compile_is_the_tasks_fault(coq: Any) -> None:
    for bad in ("(n : nat) : foo n", ": 5", "(n : nat : n = n"):
        with pytest.raises(StatementRefused):
            coq.open(ProofTask("goal", bad))
    with pytest.raises(StatementRefused):
        coq.open(ProofTask("goal", ": True", "Require Import NoSuchLibrary."))
    with pytest.raises(StatementRefused):
        coq.examine(ProofTask("goal", ": foo"), "trivial.")
    with pytest.raises(BadInput, match="plain name"):
        coq.open(ProofTask("x : True. Axiom y", ": True"))


def test_a_proof_is_accepted_with_its_constants(coq: Any) -> None:
    report = coq.examine(COMM, "lia.")
    assert report.accepted
    assert (report.layer, report.axioms, report.constants, report.files) == ("", (), ("Sub.goal",), ())
    assert coq.examine(COMM, "abstract lia.").accepted, "constants that Coq makes for the theorem are its own"


def test_an_axiom_can_be_allowed_by_name(coq: Any) -> None:
    task = ProofTask("goal", "(P : Prop) : P \\/ ~ P", "Require Import Classical.\n")
    judge = CoqJudge(axioms=("Classical_Prop.classic", "classic"), workers=1)
    try:
        report = judge.examine(task, "apply classic.")
    finally:
        judge.close()
    assert report.accepted, report
    assert len(report.axioms) == 1


def test_messages_name_the_line_of_the_proof(coq: Any) -> None:
    report = coq.examine(COMM, "induction n.\n- lia.\n- exact foo.")
    assert report.messages.startswith("line 3, characters 8-11:")


def test_a_header_may_declare_what_the_statement_is_about(coq: Any) -> None:
    header = "Require Import Lia.\nDefinition double (n : nat) := n + n.\n"
    header += "Notation \"'dbl' x\" := (double x) (at level 10).\n"
    task = ProofTask("goal", "(n : nat) : dbl n = 2 * n", header)
    state = coq.open(task)
    assert coq.run(coq.run(state, "unfold double.").state, "lia.").state.finished
    assert coq.examine(task, "unfold double. lia.").accepted


def test_the_second_kernel_agrees(coq: Any) -> None:
    judge = CoqJudge(strict=True, workers=1)
    try:
        report = judge.examine(ProofTask("goal", ": 1 + 1 = 2", "Require Import Arith.\n"), "reflexivity.")
    finally:
        judge.close()
    assert report.accepted


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\nClosed under the global context\n", []),
        ("Fetching opaque proofs from disk for Coq.Init.Logic\nClosed under the global context", []),
        ("Axioms:\nclassic : forall P : Prop, P \\/ ~ P", ["classic"]),
        ("Axioms:\nf_ext\n  : forall A,\n      x\nother : nat", ["f_ext", "other"]),
        ("Axioms:\nClosed under the global context", ["Closed under the global context"]),
        ("", ["nothing was said about assumptions"]),
        ("Axioms:", ["nothing was said about assumptions"]),
        ("Closed under the global context\nx is assumed to be guarded.", None),
    ],
)
def test_assumptions_are_read_line_by_line(text: str, found: list[str] | None) -> None:
    if found is None:
        assert _assumed(text)
    else:
        assert _assumed(text) == found
