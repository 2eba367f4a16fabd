"""Policies that read the goal and enumerate tactics by its shape: the honest floor of a proof environment.

Whatever they prove needs no learning. They know the connectives, the hypotheses, and a short list of closing tactics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from proofgym.verifiers.proof import Goal

__all__ = ["enumerate_coq", "enumerate_lean", "enumerate_toy"]

_WORD = re.compile(r"[^\W\d][\w']*")


def enumerate_toy(goal: Goal) -> Iterator[str]:
    """Tactics of the toy prover."""
    names = _names(goal)
    taken = set(names) | set(_WORD.findall(" ".join([goal.target, *(h.type for h in goal.hypotheses)])))
    new = [f"k{i}" for i in range(1, 60) if f"k{i}" not in taken][:2]
    yield "assumption"
    yield "refl"
    yield f"intro {new[0]}"
    for name, type_ in _hypotheses(goal):
        if type_ == "False":
            yield f"cases {name}"
        if re.search(r"[&|]|exists", type_):
            yield f"cases {name} {new[0]} {new[1]}"
    yield "split"
    yield from (f"apply {name}" for name, type_ in _hypotheses(goal) if type_ != "term")
    yield from ("left", "right")
    for variable in [v for h in goal.hypotheses if h.type == "term" for v in h.names][:4]:
        yield f"exists {variable}"
    for name, type_ in _hypotheses(goal):
        if "=" in type_:
            yield f"rewrite {name}"
            yield f"rewrite <- {name}"
    yield "exfalso"


def enumerate_lean(goal: Goal) -> Iterator[str]:
    """Tactics of Lean 4 with MiniLean."""
    target = goal.target
    yield from ("assumption", "rfl", "decide", "simp_all")
    if target.startswith(("∀", "¬")) or "→" in target:
        yield "intro k"
        yield "intros"
    if "∧" in target or "↔" in target:
        yield "constructor"
    for name, type_ in _hypotheses(goal):
        if "∧" in type_ or "∃" in type_:
            yield f"rcases {name} with ⟨{name}1, {name}2⟩"
        if "∨" in type_:
            yield f"rcases {name} with {name}1 | {name}2"
        if type_ == "False":
            yield f"exact False.elim {name}"
        if "→" in type_ or "¬" in type_ or "∀" in type_:
            yield f"apply {name}"
    if "∨" in target:
        yield from ("left", "right")
    for name, type_ in _hypotheses(goal):
        if type_ in ("Nat", "ℕ") or type_.startswith("List"):
            yield f"induction {name} <;> simp_all"
        if "=" in type_:
            yield f"rw [{name}]"
    yield "simp only [Nat.add_assoc, Nat.add_comm, Nat.add_left_comm]"
    yield "simp only [Nat.mul_assoc, Nat.mul_comm, Nat.mul_left_comm]"
    yield "contradiction"


def enumerate_coq(goal: Goal) -> Iterator[str]:
    """Tactics of Coq with Arith, Lia and List."""
    yield from ("reflexivity.", "assumption.", "lia.", "intuition.", "firstorder.")
    if goal.target.startswith(("forall", "~")) or "->" in goal.target:
        yield "intros."
    if "/\\" in goal.target or "<->" in goal.target:
        yield "split."
    for name, type_ in _hypotheses(goal):
        if "/\\" in type_ or "\\/" in type_ or "exists" in type_:
            yield f"destruct {name}."
        if "->" in type_ or type_.startswith(("forall", "~")):
            yield f"apply {name}."
        if type_ == "nat" or type_.startswith("list"):
            yield f"induction {name}; simpl; auto."
        if "=" in type_:
            yield f"rewrite {name}."
    if "\\/" in goal.target:
        yield from ("left.", "right.")
    yield from ("auto.", "simpl.", "f_equal.")


def _names(goal: Goal) -> list[str]:
    return [name for h in goal.hypotheses for name in h.names]


def _hypotheses(goal: Goal) -> Sequence[tuple[str, str]]:
    """(name, type) of what can be named, last first; names that the prover made up cannot be."""
    pairs = [(name, h.type) for h in goal.hypotheses for name in h.names if "✝" not in name]
    return pairs[::-1][:12]
