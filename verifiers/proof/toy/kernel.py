"""The kernel: natural deduction with equality, as proof terms and one function that says what a term proves.

Everything else (tactics, searches, environments) only builds proof terms; `proves` looks at a finished one from
scratch. It trusts nobody and is short enough to read: one clause a rule, in the order of a textbook.

Source: Gentzen 1935; the rules for equality are reflexivity and Leibniz's law. `Classical` is double negation, the
one rule that is not intuitionistic; who uses it is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proofgym.errors import BadInput
from proofgym.verifiers.proof.toy.formula import (
    FALSE,
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
    Var,
    abstract,
    free,
    instance,
    show,
    symbols,
)

__all__ = [
    "Absurd",
    "AllElim",
    "AllIntro",
    "AndIntro",
    "Cases",
    "Classical",
    "Cut",
    "Fst",
    "Hyp",
    "ImpElim",
    "ImpIntro",
    "Inl",
    "Inr",
    "NotProved",
    "Proof",
    "Refl",
    "Snd",
    "Subst",
    "Unpack",
    "Witness",
    "proves",
    "uses_classical",
]  # fmt: skip

MOST_DEPTH = 200


class NotProved(BadInput):
    """A term that proves nothing; the message names the rule that was broken."""


@dataclass(frozen=True, slots=True)
class Hyp:
    """A hypothesis, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class ImpIntro:
    """Assume a formula under a name, prove the rest."""

    name: str
    formula: Formula
    body: Proof


@dataclass(frozen=True, slots=True)
class ImpElim:
    """Modus ponens."""

    function: Proof
    argument: Proof


@dataclass(frozen=True, slots=True)
class AndIntro:
    """Both sides."""

    left: Proof
    right: Proof


@dataclass(frozen=True, slots=True)
class Fst:
    """The left side of a conjunction."""

    pair: Proof


@dataclass(frozen=True, slots=True)
class Snd:
    """The right side of a conjunction."""

    pair: Proof


@dataclass(frozen=True, slots=True)
class Inl:
    """A disjunction by its left side; the right one is given."""

    proof: Proof
    other: Formula


@dataclass(frozen=True, slots=True)
class Inr:
    """A disjunction by its right side; the left one is given."""

    other: Formula
    proof: Proof


@dataclass(frozen=True, slots=True)
class Cases:
    """Both cases of a disjunction lead to the same."""

    either: Proof
    left_name: str
    left: Proof
    right_name: str
    right: Proof


@dataclass(frozen=True, slots=True)
class Absurd:
    """From False, anything."""

    proof: Proof
    formula: Formula


@dataclass(frozen=True, slots=True)
class AllIntro:
    """For a variable about which nothing is assumed."""

    variable: str
    body: Proof


@dataclass(frozen=True, slots=True)
class AllElim:
    """A universal statement at a term."""

    proof: Proof
    term: Term


@dataclass(frozen=True, slots=True)
class Witness:
    """An existential statement by a term."""

    formula: Ex
    term: Term
    proof: Proof


@dataclass(frozen=True, slots=True)
class Unpack:
    """Use an existential statement: give the witness a name that does not leave the body."""

    proof: Proof
    variable: str
    name: str
    body: Proof


@dataclass(frozen=True, slots=True)
class Refl:
    """A term equals itself."""

    term: Term


@dataclass(frozen=True, slots=True)
class Subst:
    """Leibniz's law: from a = b and the motive at a, the motive at b."""

    equality: Proof
    motive: Formula
    proof: Proof


@dataclass(frozen=True, slots=True)
class Classical:
    """From not-not-A, A."""

    proof: Proof


@dataclass(frozen=True, slots=True)
class Cut:
    """Prove a formula, then use it under a name."""

    name: str
    formula: Formula
    proof: Proof
    body: Proof


Proof = (
    Hyp | ImpIntro | ImpElim | AndIntro | Fst | Snd | Inl | Inr | Cases | Absurd | AllIntro | AllElim | Witness | Unpack
    | Refl | Subst | Classical | Cut
)  # fmt: skip


def proves(proof: Proof, goal: Formula) -> None:
    """Return if the closed term proves the closed goal.

    Raises:
        NotProved: With the rule that was broken.
    """
    predicates, functions = symbols(goal)
    _Kernel(predicates, functions).check(proof, {}, frozenset(), goal, 0)


class _Kernel:
    def __init__(self, predicates: Mapping[str, int], functions: Mapping[str, int]) -> None:
        self.predicates, self.functions = predicates, functions

    def check(
        self, proof: Proof, context: Mapping[str, Formula], scope: frozenset[str], goal: Formula, depth: int
    ) -> None:
        found = self.infer(proof, context, scope, depth)
        if found != goal:
            raise NotProved(f"proved {show(found)}, wanted {show(goal)}")

    def infer(self, proof: Proof, context: Mapping[str, Formula], scope: frozenset[str], depth: int) -> Formula:
        if depth > MOST_DEPTH:
            raise NotProved(f"a proof is nested at most {MOST_DEPTH} deep")
        depth += 1
        if isinstance(proof, Hyp):
            if proof.name not in context:
                raise NotProved(f"no hypothesis {proof.name}")
            return context[proof.name]
        if isinstance(proof, ImpIntro):
            self._formula(proof.formula, scope)
            return Imp(proof.formula, self.infer(proof.body, {**context, proof.name: proof.formula}, scope, depth))
        if isinstance(proof, ImpElim):
            function = self.infer(proof.function, context, scope, depth)
            if not isinstance(function, Imp):
                raise NotProved(f"{show(function)} is no implication")
            self.check(proof.argument, context, scope, function.left, depth)
            return function.right
        if isinstance(proof, AndIntro):
            return And(self.infer(proof.left, context, scope, depth), self.infer(proof.right, context, scope, depth))
        if isinstance(proof, Fst | Snd):
            pair = self.infer(proof.pair, context, scope, depth)
            if not isinstance(pair, And):
                raise NotProved(f"{show(pair)} is no conjunction")
            return pair.left if isinstance(proof, Fst) else pair.right
        if isinstance(proof, Inl):
            self._formula(proof.other, scope)
            return Or(self.infer(proof.proof, context, scope, depth), proof.other)
        if isinstance(proof, Inr):
            self._formula(proof.other, scope)
            return Or(proof.other, self.infer(proof.proof, context, scope, depth))
        if isinstance(proof, Cases):
            either = self.infer(proof.either, context, scope, depth)
            if not isinstance(either, Or):
                raise NotProved(f"{show(either)} is no disjunction")
            left = self.infer(proof.left, {**context, proof.left_name: either.left}, scope, depth)
            self.check(proof.right, {**context, proof.right_name: either.right}, scope, left, depth)
            return left
        if isinstance(proof, Absurd):
            self._formula(proof.formula, scope)
            self.check(proof.proof, context, scope, FALSE, depth)
            return proof.formula
        if isinstance(proof, Classical):
            twice = self.infer(proof.proof, context, scope, depth)
            if not (isinstance(twice, Imp) and twice.right == FALSE and isinstance(twice.left, Imp)
                    and twice.left.right == FALSE):  # fmt: skip
                raise NotProved(f"{show(twice)} is no double negation")
            return twice.left.left
        if isinstance(proof, Cut):
            self._formula(proof.formula, scope)
            self.check(proof.proof, context, scope, proof.formula, depth)
            return self.infer(proof.body, {**context, proof.name: proof.formula}, scope, depth)
        return self._first_order(proof, context, scope, depth)

    def _first_order(self, proof: Proof, context: Mapping[str, Formula], scope: frozenset[str], depth: int) -> Formula:
        if isinstance(proof, AllIntro):
            self._new(proof.variable, context, scope)
            body = self.infer(proof.body, context, scope | {proof.variable}, depth)
            return All(abstract(body, Var(proof.variable)))
        if isinstance(proof, AllElim):
            every = self.infer(proof.proof, context, scope, depth)
            if not isinstance(every, All):
                raise NotProved(f"{show(every)} is not universal")
            self._term(proof.term, scope)
            return instance(every.body, proof.term)
        if isinstance(proof, Witness):
            self._formula(proof.formula, scope)
            self._term(proof.term, scope)
            if not isinstance(proof.formula, Ex):
                raise NotProved(f"{show(proof.formula)} is not existential")
            self.check(proof.proof, context, scope, instance(proof.formula.body, proof.term), depth)
            return proof.formula
        if isinstance(proof, Unpack):
            some = self.infer(proof.proof, context, scope, depth)
            if not isinstance(some, Ex):
                raise NotProved(f"{show(some)} is not existential")
            self._new(proof.variable, context, scope)
            opened = {**context, proof.name: instance(some.body, Var(proof.variable))}
            result = self.infer(proof.body, opened, scope | {proof.variable}, depth)
            if proof.variable in free(result):
                raise NotProved(f"the witness {proof.variable} leaves its proof")
            return result
        if isinstance(proof, Refl):
            self._term(proof.term, scope)
            return Equal(proof.term, proof.term)
        if isinstance(proof, Subst):
            equality = self.infer(proof.equality, context, scope, depth)
            if not isinstance(equality, Equal):
                raise NotProved(f"{show(equality)} is no equality")
            self._formula(All(proof.motive), scope)
            self.check(proof.proof, context, scope, instance(proof.motive, equality.left), depth)
            return instance(proof.motive, equality.right)
        raise NotProved(f"{type(proof).__name__} is no rule")

    def _new(self, variable: str, context: Mapping[str, Formula], scope: frozenset[str]) -> None:
        """Variables are never reused below their binder, so none can be captured."""
        if variable in scope or variable in self.functions or variable in self.predicates:
            raise NotProved(f"the variable {variable} is not new")
        if variable in free(*context.values()):
            raise NotProved(f"something is assumed about the variable {variable}")

    def _term(self, term: Term, scope: frozenset[str], binders: int = 0) -> None:
        if isinstance(term, Bound):
            if term.index >= binders:
                raise NotProved("a bound variable without a binder")
        elif isinstance(term, Var):
            if term.name not in scope:
                raise NotProved(f"the variable {term.name} is not in scope")
        elif isinstance(term, Fun):
            if self.functions.get(term.name) != len(term.args):
                raise NotProved(f"no function {term.name} of {len(term.args)} arguments in the goal")
            for arg in term.args:
                self._term(arg, scope, binders)

    def _formula(self, formula: Formula, scope: frozenset[str], binders: int = 0) -> None:
        if isinstance(formula, And | Or | Imp):
            self._formula(formula.left, scope, binders)
            self._formula(formula.right, scope, binders)
        elif isinstance(formula, All | Ex):
            self._formula(formula.body, scope, binders + 1)
        elif isinstance(formula, Equal):
            self._term(formula.left, scope, binders)
            self._term(formula.right, scope, binders)
        elif isinstance(formula, Pred):
            if self.predicates.get(formula.name) != len(formula.args):
                raise NotProved(f"no predicate {formula.name} of {len(formula.args)} arguments in the goal")
            for arg in formula.args:
                self._term(arg, scope, binders)


def uses_classical(proof: object) -> bool:
    """Whether double negation is used anywhere in a term."""
    if isinstance(proof, Classical):
        return True
    slots = getattr(proof, "__slots__", ())
    return any(uses_classical(getattr(proof, slot)) for slot in slots if not isinstance(proof, Fun | Var | Bound))
