"""The toy kernel: sound against truth tables, total on text, and strict about names."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.errors import BadInput
from proofgym.verifiers.proof.toy import kernel
from proofgym.verifiers.proof.toy.auto import prove
from proofgym.verifiers.proof.toy.formula import (
    FALSE,
    All,
    And,
    Bound,
    Equal,
    Ex,
    Falsum,
    Formula,
    Fun,
    Imp,
    Or,
    Pred,
    Var,
    abstract,
    instance,
    neg,
    show,
)
from proofgym.verifiers.proof.toy.parser import parse
from proofgym.verifiers.proof.toy.tactics import TACTICS, TacticFailed, apply_tactic, start

P, Q, R = Pred("p"), Pred("q"), Pred("r")


def connectives(children: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    return st.one_of(
        st.builds(And, children, children), st.builds(Or, children, children), st.builds(Imp, children, children),
        st.builds(neg, children),
    )  # fmt: skip


propositions = st.recursive(st.sampled_from([P, Q, R, FALSE]), connectives, max_leaves=10)
terms = st.recursive(
    st.sampled_from([Fun("a"), Fun("b")]), lambda inner: st.builds(lambda t: Fun("f", (t,)), inner), max_leaves=3
)
closed = st.recursive(
    st.one_of(st.sampled_from([P, FALSE]), st.builds(lambda t: Pred("A", (t,)), terms), st.builds(Equal, terms, terms)),
    lambda inner: st.one_of(
        connectives(inner),
        st.builds(lambda f: All(abstract(f, Fun("a"))), inner), st.builds(lambda f: Ex(abstract(f, Fun("b"))), inner),
    ),
    max_leaves=8,
)  # fmt: skip


def true(formula: Formula, row: dict[str, bool]) -> bool:
    if isinstance(formula, Falsum):
        return False
    if isinstance(formula, Pred):
        return row[formula.name]
    if isinstance(formula, And):
        return true(formula.left, row) and true(formula.right, row)
    if isinstance(formula, Or):
        return true(formula.left, row) or true(formula.right, row)
    assert isinstance(formula, Imp)
    return not true(formula.left, row) or true(formula.right, row)


def tautology(formula: Formula) -> bool:
    rows = itertools.product([False, True], repeat=3)
    return all(true(formula, dict(zip("pqr", row, strict=True))) for row in rows)


@given(propositions)
def test_whatever_the_search_proves_is_true_in_every_row_of_the_truth_table(formula: Formula) -> None:
    script = prove(show(formula), depth=5, work=600)
    if script is not None:
        assert tautology(formula)


@given(propositions, st.lists(st.sampled_from([
    "intro h", "intro k", "intro m", "exact h", "exact k", "assumption", "apply h", "apply k", "apply m", "split",
    "left",
    "right", "cases h a b", "cases k c d", "cases a e g", "exfalso", "classical n", "apply n", "note x h k",
    "have y : p",
    "cases m u v", "cases h", "cases k",
]), max_size=14))  # fmt: skip
def test_random_tactics_never_prove_what_is_not_a_tautology(formula: Formula, tactics: list[str]) -> None:
    tableau = start(formula)
    for tactic in tactics:
        try:
            tableau = apply_tactic(tableau, tactic)
        except TacticFailed:
            continue
        if not tableau.goals:
            kernel.proves(tableau.proof(), formula)
            assert tautology(formula)
            return


@given(closed)
def test_a_formula_is_read_back_as_it_was_written(formula: Formula) -> None:
    assert parse(show(formula)) == formula


@given(closed)
def test_abstracting_a_term_and_putting_it_back_changes_nothing(formula: Formula) -> None:
    assert instance(abstract(formula, Fun("a")), Fun("a")) == formula


@given(closed)
def test_first_order_proofs_are_valid_in_a_small_model(formula: Formula) -> None:
    script = prove(show(formula), depth=3, work=200)
    if script is not None:
        for values in itertools.product([False, True], repeat=3):
            for images in itertools.product([0, 1], repeat=4):
                assert holds(formula, (), values, images)


def holds(formula: Formula, env: tuple[int, ...], values: tuple[bool, ...], images: tuple[int, ...]) -> bool:
    def value(term: object) -> int:
        if isinstance(term, Bound):
            return env[term.index]
        assert isinstance(term, Fun)
        return images[2 + value(term.args[0])] if term.args else images["ab".index(term.name)]

    if isinstance(formula, Falsum):
        return False
    if isinstance(formula, Pred):
        return values[2] if not formula.args else values[value(formula.args[0])]
    if isinstance(formula, Equal):
        return value(formula.left) == value(formula.right)
    if isinstance(formula, All | Ex):
        parts = [holds(formula.body, (x, *env), values, images) for x in (0, 1)]
        return all(parts) if isinstance(formula, All) else any(parts)
    left, right = holds(formula.left, env, values, images), holds(formula.right, env, values, images)
    return (
        left and right if isinstance(formula, And) else left or right if isinstance(formula, Or) else not left or right
    )


@pytest.mark.parametrize(
    ("proof", "goal"),
    [
        (kernel.Hyp("h"), P),
        (kernel.ImpIntro("h", P, kernel.Hyp("h")), Imp(P, Q)),
        (kernel.ImpIntro("h", Q, kernel.Hyp("h")), Imp(Q, P)),
        (kernel.AllIntro("x", kernel.Refl(Var("y"))), parse("forall x, x = x")),
        (kernel.Refl(Fun("a")), parse("a = b")),
        (kernel.Refl(Bound(0)), parse("a = a")),
        (kernel.Refl(Fun("c")), Equal(Fun("c"), Fun("d"))),
        # The witness must not leave: from exists x, A(x) to A(x) and generalise.
        (
            kernel.ImpIntro("h", parse("exists x, A(x)"), kernel.AllIntro(
                "y", kernel.Unpack(kernel.Hyp("h"), "z", "k", kernel.Hyp("k")))),
            parse("(exists x, A(x)) -> forall x, A(x)"),
        ),
        # A variable about which something is assumed must not be generalised.
        (
            kernel.AllIntro("x", kernel.ImpIntro("h", Pred("A", (Var("x"),)), kernel.AllIntro("x", kernel.Hyp("h")))),
            parse("forall x, A(x) -> forall y, A(y)"),
        ),
        # A symbol that the goal lacks cannot be smuggled in: the domain may be empty.
        (
            kernel.ImpIntro("h", parse("forall x, A(x)"), kernel.Witness(
                Ex(Pred("A", (Bound(0),))), Fun("c"), kernel.AllElim(kernel.Hyp("h"), Fun("c")))),
            parse("(forall x, A(x)) -> exists x, A(x)"),
        ),
        (kernel.Classical(kernel.ImpIntro("h", neg(P), kernel.Hyp("h"))), P),
        (kernel.Cut("h", Q, kernel.Hyp("h"), kernel.Hyp("h")), Q),
        (kernel.AndIntro(kernel.Hyp("a"), kernel.Hyp("b")), And(P, Q)),
    ],
)  # fmt: skip
def test_a_broken_rule_proves_nothing(proof: kernel.Proof, goal: Formula) -> None:
    with pytest.raises(kernel.NotProved):
        kernel.proves(proof, goal)


def test_a_deep_term_is_refused_and_not_a_crash() -> None:
    proof: kernel.Proof = kernel.Hyp("h")
    for _ in range(5000):
        proof = kernel.Fst(proof)
    with pytest.raises(kernel.NotProved, match="nested"):
        kernel.proves(proof, P)


@pytest.mark.parametrize(
    "text",
    ["", " ", "p &", "& p", "(p", "p)", "p q", "forall , p", "forall x p", "~", "p -> -> q", "P(", "P()", "x = ", "1",
    "p\x00",
     "forall x, x", "p & P(x) & P", "f(a) = b & f", "(" * 4000, "~" * 4000, "p -> " * 700 + "p",
     "forall x, " * 300 + "p",
     "f(" * 300 + "a" + ")" * 300 + " = a", "é", "p" * 4001],
)  # fmt: skip
def test_text_that_is_no_formula_is_told_in_words(text: str) -> None:
    with pytest.raises(BadInput):
        parse(text)


@given(st.text(max_size=60), st.sampled_from(["", *TACTICS]))
def test_every_text_is_a_tactic_that_works_or_one_that_fails(text: str, word: str) -> None:
    tableau = apply_tactic(start(parse("(forall x, A(x) -> p) & (p | q) -> exists x, A(x)")), "intro h")
    try:
        after = apply_tactic(tableau, f"{word} {text}")
    except TacticFailed:
        return
    assert after.steps == tableau.steps + 1


def test_names_are_never_captured() -> None:
    tableau = apply_tactic(start(parse("p -> q -> p")), "intro h")
    with pytest.raises(TacticFailed, match="taken"):
        apply_tactic(tableau, "intro h")
    with pytest.raises(TacticFailed, match="taken"):
        apply_tactic(tableau, "intro p")


def test_the_number_of_goals_and_steps_is_bounded() -> None:
    tableau = start(parse("p -> p"))
    for i in range(63):
        tableau = apply_tactic(tableau, f"have h{i} : p")
    with pytest.raises(TacticFailed, match="at most 64 goals"):
        apply_tactic(tableau, "have h : p")
