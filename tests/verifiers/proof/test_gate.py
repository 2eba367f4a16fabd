"""The text gate: what it refuses, that it is total, and that honest proofs pass."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.prover.library import theorems
from proofgym.verifiers.proof import gate


@pytest.mark.parametrize("prover", ["lean", "coq"])
def test_every_proof_of_the_library_passes(prover: str) -> None:
    refuse = gate.lean if prover == "lean" else gate.coq
    for problem in theorems(prover):
        text = "\n".join(problem.script)
        assert refuse(text) == "", problem.name


@pytest.mark.parametrize(
    "text",
    ["sorry", "exact (sorry)", "x.sorry", "admit", "  axiom a : False", "exact h;axiom x : p", "\n\n#exit",
    "open Nat in simp",
     "exact Lean.foo", "run_tac x", "native_decide", "@[simp] x", "exact «a b»", "/-", "-/", '"', "`x",
     "exact IO.x", "set_option a b in simp", "exact _root_.Lean.x", "a\u202eb", "a\tb", "a\rb", "\ufeffa"],
)  # fmt: skip
def test_lean_refuses(text: str) -> None:
    assert gate.lean(text)


@pytest.mark.parametrize(
    "text",
    ["exact h -- sorry, no", "/- axiom -/ exact h", "/- /- nested -/ -/ rfl",
    "exact sorry'", "exact my_axiom", "exact h.symm",
     "rcases h with ⟨a, b⟩ | c", "exact fun x => x", "induction n with\n| zero => rfl",
     "calc a = b := h\n  _ = c := k"],
)  # fmt: skip
def test_lean_lets_honest_text_pass(text: str) -> None:
    assert gate.lean(text) == ""


@pytest.mark.parametrize(
    "text",
    ["admit.", "- admit.", "{ give_up. }", "Axiom x : False.", "- Axiom x : False.", "all: Axiom.",
    "{Axiom x : False.}",
     "(* open", "trivial", 'idtac "x".', "#[x] y.", "native_compute.", "1: Qed.", "+Qed.", "Qed.", "[x]. y.",
     "2-3: Abort.", "éa."],
)  # fmt: skip
def test_coq_refuses(text: str) -> None:
    assert gate.coq(text)


@pytest.mark.parametrize(
    "text",
    ["intros. - auto. + lia. * trivial.", "{ apply Nat.add_comm. }", "1: auto.", "all: auto.", "-- auto.",
    "(auto; trivial).",
     "(* Axiom *) auto.", "(* (* nested *) *) auto.", "rewrite <- H.", "exact (fun x => x).", "[> auto | trivial].",
     "destruct H as [a | b].", "apply foo.bar.", ""],
)  # fmt: skip
def test_coq_lets_honest_text_pass(text: str) -> None:
    assert gate.coq(text) == ""


@given(st.text(max_size=200))
def test_both_gates_are_total(text: str) -> None:
    assert isinstance(gate.lean(text), str)
    assert isinstance(gate.coq(text), str)


@given(st.text(alphabet='.(*)"{}-+ ab\n:[]1', max_size=60))
def test_sentences_cover_the_text_in_order(text: str) -> None:
    try:
        spans = list(gate.sentences(text))
    except ValueError:
        return
    at = 0
    for begin, end in spans:
        assert at <= begin < end <= len(text)
        at = end


@pytest.mark.parametrize(
    "text", ["/-" * 9999, "(*" * 9999, "-" * 20000, "." * 20000, "a." * 9999, "«" * 19999, "[" * 20000]
)
def test_hostile_text_costs_little(text: str) -> None:
    begun = time.process_time()
    gate.lean(text)
    gate.coq(text)
    assert time.process_time() - begun < 2.0, "a gate that is not linear"


def test_a_long_text_is_refused_for_its_length() -> None:
    assert "at most" in gate.lean("a" * (gate.MOST_CHARACTERS + 1))
    assert "at most" in gate.coq("a" * (gate.MOST_CHARACTERS + 1))
