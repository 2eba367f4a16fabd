"""First-order matching: at which terms does a rule say what the goal asks?"""

from __future__ import annotations

from collections.abc import Sequence

from proofgym.verifiers.proof.toy.formula import (
    All,
    And,
    Bound,
    Equal,
    Ex,
    Formula,
    Fun,
    Imp,
    Or,
    Pred,
    Term,
    instance,
)

__all__ = ["instances", "match", "match_formula"]


def match(pattern: Formula, target: Formula, variables: int) -> list[Term] | None:
    """Terms for the outer `variables` binders, outermost first, that make the pattern the target."""
    found: dict[int, Term] = {}
    if not match_formula(pattern, target, variables, 0, found):
        return None
    if len(found) < variables:
        return []  # it leads there, but does not say at which terms
    return [found[variables - 1 - i] for i in range(variables)]


def match_formula(p: Formula, t: Formula, variables: int, depth: int, found: dict[int, Term]) -> bool:
    """Whether the pattern under `variables` stripped binders can be the target; the terms go into `found`, by index."""
    if type(p) is not type(t):
        return False
    if isinstance(p, Pred) and isinstance(t, Pred):
        return p.name == t.name and _match_terms(p.args, t.args, variables, depth, found)
    if isinstance(p, Equal) and isinstance(t, Equal):
        return _match_terms((p.left, p.right), (t.left, t.right), variables, depth, found)
    if isinstance(p, And | Or | Imp) and isinstance(t, And | Or | Imp):
        left = match_formula(p.left, t.left, variables, depth, found)
        return left and match_formula(p.right, t.right, variables, depth, found)
    if isinstance(p, All | Ex) and isinstance(t, All | Ex):
        return match_formula(p.body, t.body, variables, depth + 1, found)
    return p == t


def _match_terms(
    ps: tuple[Term, ...], ts: tuple[Term, ...], variables: int, depth: int, found: dict[int, Term]
) -> bool:
    return len(ps) == len(ts) and all(_match_term(p, t, variables, depth, found) for p, t in zip(ps, ts, strict=True))


def _match_term(p: Term, t: Term, variables: int, depth: int, found: dict[int, Term]) -> bool:
    if isinstance(p, Bound) and p.index >= depth:
        if _loose(t):  # it would leave the binders it stands under
            return False
        return found.setdefault(p.index - depth, t) == t
    if isinstance(p, Fun) and isinstance(t, Fun):
        return p.name == t.name and _match_terms(p.args, t.args, variables, depth, found)
    return p == t


def _loose(term: Term) -> bool:
    return isinstance(term, Bound) or (isinstance(term, Fun) and any(map(_loose, term.args)))


def instances(formula: Formula, terms: Sequence[Term]) -> Formula:
    """The body under several outer binders at terms, outermost first."""
    for term in reversed(terms):  # the innermost binder goes first, then the next one is the innermost
        formula = _shift(instance(formula, term), 0)
    return formula


def _shift(formula: Formula, depth: int) -> Formula:
    """One binder fewer around it."""
    if isinstance(formula, Pred):
        return Pred(formula.name, tuple(_shift_term(arg, depth) for arg in formula.args))
    if isinstance(formula, Equal):
        return Equal(_shift_term(formula.left, depth), _shift_term(formula.right, depth))
    if isinstance(formula, And | Or | Imp):
        return type(formula)(_shift(formula.left, depth), _shift(formula.right, depth))
    if isinstance(formula, All | Ex):
        return type(formula)(_shift(formula.body, depth + 1))
    return formula


def _shift_term(term: Term, depth: int) -> Term:
    if isinstance(term, Bound) and term.index > depth:
        return Bound(term.index - 1)
    if isinstance(term, Fun):
        return Fun(term.name, tuple(_shift_term(arg, depth) for arg in term.args))
    return term
