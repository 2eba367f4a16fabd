"""Tactics of the toy prover: text that turns the first open goal into others and, at the end, into a proof term.

    intro h | intro x        assume the left side, or take a variable
    exact h                  the goal is a hypothesis
    assumption               the goal is some hypothesis
    apply h [t ...]          the goal is what h leads to; what h needs becomes the goals
    split | left | right     a conjunction, a disjunction
    exists t                 give the witness
    cases h [a [b]]          take a conjunction, disjunction, existential statement or False apart
    note k h [t | g ...]     k is h at terms and hypotheses
    have h : A               prove A first, then use it
    exfalso | classical h    prove False instead; assume the negation
    refl | symm              equality
    rewrite [<-] h [t ...]   replace equals in the goal

Names are given, never invented; one that is taken is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from proofgym.errors import BadInput
from proofgym.verifiers.proof.toy import kernel
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
    Term,
    Var,
    abstract,
    instance,
    neg,
    show,
    show_term,
    symbols,
)
from proofgym.verifiers.proof.toy.formula import replace as replace_term
from proofgym.verifiers.proof.toy.kernel import Hyp, Proof
from proofgym.verifiers.proof.toy.matching import instances, match
from proofgym.verifiers.proof.toy.parser import parse, parse_term

__all__ = ["TACTICS", "Tableau", "TacticFailed", "ToyGoal", "apply_tactic", "start"]

TACTICS = (
    "intro", "exact", "assumption", "apply", "split", "left", "right", "exists", "cases", "note", "have", "exfalso",
    "classical", "refl", "symm", "rewrite",
)  # fmt: skip
MOST_GOALS = 64
MOST_STEPS = 200
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_']{0,30}", re.ASCII)

Build = Callable[[Sequence[Proof]], Proof]


class TacticFailed(BadInput):
    """A tactic that does not apply; the message says what was found."""


@dataclass(frozen=True, slots=True)
class ToyGoal:
    """A context, the variables in scope, and a target."""

    target: Formula
    context: Mapping[str, Formula] = field(default_factory=dict)
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tableau:
    """Open goals, and how their proofs make a proof of the statement."""

    statement: Formula
    goals: tuple[ToyGoal, ...]
    build: Build
    signature: tuple[Mapping[str, int], Mapping[str, int]]
    steps: int = 0

    def proof(self) -> Proof:
        """The finished term. Raises `TacticFailed` while goals are open."""
        if self.goals:
            raise TacticFailed(f"{len(self.goals)} goals are open")
        return self.build(())


def start(statement: Formula) -> Tableau:
    """The statement as the one goal."""
    return Tableau(statement, (ToyGoal(statement),), lambda proofs: proofs[0], symbols(statement))


def apply_tactic(tableau: Tableau, text: str) -> Tableau:
    """Run one tactic on the first goal.

    Raises:
        TacticFailed: If it cannot be read or does not apply.
    """
    if not tableau.goals:
        raise TacticFailed("no goal is open")
    if tableau.steps >= MOST_STEPS:
        raise TacticFailed(f"a proof has at most {MOST_STEPS} steps")
    if len(text) > 1000:
        raise TacticFailed(f"a tactic has at most 1000 characters, found {len(text)}")
    words = text.split()
    if not words or words[0] not in TACTICS:
        raise TacticFailed(f"no tactic {' '.join(words)[:40]!r}; there are {', '.join(TACTICS)}")
    goal, rest = tableau.goals[0], tableau.goals[1:]
    try:
        new, make = _Step(tableau.signature, goal).run(words[0], words[1:], text)
    except TacticFailed:
        raise
    except BadInput as error:
        raise TacticFailed(str(error)) from error
    if len(new) + len(rest) > MOST_GOALS:
        raise TacticFailed(f"at most {MOST_GOALS} goals may be open")
    count, below = len(new), tableau.build

    def build(proofs: Sequence[Proof]) -> Proof:
        return below((make(proofs[:count]), *proofs[count:]))

    return replace(tableau, goals=(*new, *rest), build=build, steps=tableau.steps + 1)


_Out = tuple[tuple[ToyGoal, ...], Build]


class _Step:
    """One tactic on one goal."""

    def __init__(self, signature: tuple[Mapping[str, int], Mapping[str, int]], goal: ToyGoal) -> None:
        self.goal, self.target, self.context = goal, goal.target, goal.context
        predicates, functions = signature
        self.taken = predicates.keys() | functions.keys() | set(goal.variables) | set(goal.context)
        self.predicates, self.functions = predicates, functions

    def run(self, word: str, args: list[str], text: str) -> _Out:
        if word == "have":
            return self._have(text)
        simple: dict[str, Callable[[], _Out]] = {
            "assumption": self._assumption, "split": self._split, "left": self._left, "right": self._right,
            "exfalso": self._exfalso, "refl": self._refl, "symm": self._symm,
        }  # fmt: skip
        if word in simple:
            if args:
                raise TacticFailed(f"{word} takes no argument")
            return simple[word]()
        if word == "exists":
            return self._exists(text.split(None, 1)[1] if args else "")
        named: dict[str, Callable[[list[str]], _Out]] = {
            "intro": self._intro, "exact": self._exact, "apply": self._apply, "cases": self._cases,
            "note": self._note, "classical": self._classical, "rewrite": self._rewrite,
        }  # fmt: skip
        return named[word](args)

    # Small things -----------------------------------------------------------------------------------------------------

    def _new(self, name: str) -> str:
        if not _NAME.fullmatch(name) or name in ("forall", "exists", "False"):
            raise TacticFailed(f"{name[:40]!r} is no name")
        if name in self.taken:
            raise TacticFailed(f"the name {name} is taken")
        return name

    def _hypothesis(self, name: str) -> Formula:
        if name not in self.context:
            raise TacticFailed(f"no hypothesis {name[:40]!r}; there are {', '.join(self.context) or 'none'}")
        return self.context[name]

    def _one(self, args: list[str], word: str) -> str:
        if len(args) != 1:
            raise TacticFailed(f"{word} takes one name")
        return args[0]

    def _term(self, text: str) -> Term:
        term = parse_term(text, frozenset(self.goal.variables))
        _known_term(term, self.functions)
        return term

    def _with(
        self, target: Formula, more: Mapping[str, Formula] | None = None, drop: str = "", variable: str = ""
    ) -> ToyGoal:
        context = {name: formula for name, formula in self.context.items() if name != drop}
        context.update(more or {})
        variables = (*self.goal.variables, variable) if variable else self.goal.variables
        return ToyGoal(target, context, variables)

    def _close(self, proof: Proof) -> _Out:
        return (), lambda _: proof

    # Rules of introduction --------------------------------------------------------------------------------------------

    def _intro(self, args: list[str]) -> _Out:
        name, target = self._new(self._one(args, "intro")), self.target
        if isinstance(target, Imp):
            left = target.left
            return (self._with(target.right, {name: left}),), lambda p: kernel.ImpIntro(name, left, p[0])
        if isinstance(target, All):
            goal = self._with(instance(target.body, Var(name)), variable=name)
            return (goal,), lambda p: kernel.AllIntro(name, p[0])
        raise TacticFailed(f"intro needs an implication, a negation or forall, found {show(target)}")

    def _split(self) -> _Out:
        if not isinstance(self.target, And):
            raise TacticFailed(f"split needs a conjunction, found {show(self.target)}")
        goals = (self._with(self.target.left), self._with(self.target.right))
        return goals, lambda p: kernel.AndIntro(p[0], p[1])

    def _left(self) -> _Out:
        target = self.target
        if not isinstance(target, Or):
            raise TacticFailed(f"left needs a disjunction, found {show(target)}")
        return (self._with(target.left),), lambda p: kernel.Inl(p[0], target.right)

    def _right(self) -> _Out:
        target = self.target
        if not isinstance(target, Or):
            raise TacticFailed(f"right needs a disjunction, found {show(target)}")
        return (self._with(target.right),), lambda p: kernel.Inr(target.left, p[0])

    def _exists(self, text: str) -> _Out:
        target = self.target
        if not isinstance(target, Ex):
            raise TacticFailed(f"exists needs an existential statement, found {show(target)}")
        term = self._term(text)
        return (self._with(instance(target.body, term)),), lambda p: kernel.Witness(target, term, p[0])

    def _exfalso(self) -> _Out:
        return (self._with(FALSE),), lambda p: kernel.Absurd(p[0], self.target)

    def _classical(self, args: list[str]) -> _Out:
        name, negated = self._new(self._one(args, "classical")), neg(self.target)
        goal = self._with(FALSE, {name: negated})
        return (goal,), lambda p: kernel.Classical(kernel.ImpIntro(name, negated, p[0]))

    # Using hypotheses -------------------------------------------------------------------------------------------------

    def _exact(self, args: list[str]) -> _Out:
        name = self._one(args, "exact")
        if self._hypothesis(name) != self.target:
            raise TacticFailed(f"{name} says {show(self.context[name])}, the goal is {show(self.target)}")
        return self._close(Hyp(name))

    def _assumption(self) -> _Out:
        for name, formula in self.context.items():
            if formula == self.target:
                return self._close(Hyp(name))
        raise TacticFailed(f"no hypothesis says {show(self.target)}")

    def _apply(self, args: list[str]) -> _Out:
        if not args:
            raise TacticFailed("apply takes a hypothesis")
        proof, formula = self._instantiate(args[0], args[1:])
        variables = 0
        holes: list[Formula] = []
        body = formula
        while True:  # how many antecedents, and which terms, make it the goal
            terms = match(body, self.target, variables)
            if terms is not None:
                break
            if isinstance(body, All):
                if holes:
                    raise TacticFailed(f"{args[0]} does not lead to {show(self.target)}; use note to take it apart")
                body, variables = body.body, variables + 1
            elif isinstance(body, Imp):
                holes.append(body.left)
                body = body.right
            else:
                raise TacticFailed(f"{args[0]} says {show(formula)}, which does not lead to {show(self.target)}")
        if len(terms) < variables:
            raise TacticFailed(f"apply cannot tell the terms for {args[0]}; write them after it")
        for term in terms:
            proof = kernel.AllElim(proof, term)
        goals = tuple(self._with(instances(hole, terms)) for hole in holes)

        def make(proofs: Sequence[Proof]) -> Proof:
            whole = proof
            for part in proofs:
                whole = kernel.ImpElim(whole, part)
            return whole

        return goals, make

    def _instantiate(self, name: str, args: Sequence[str]) -> tuple[Proof, Formula]:
        proof: Proof = Hyp(name)
        formula = self._hypothesis(name)
        for arg in args:
            if isinstance(formula, All):
                term = self._term(arg)
                proof, formula = kernel.AllElim(proof, term), instance(formula.body, term)
            elif isinstance(formula, Imp):
                if self._hypothesis(arg) != formula.left:
                    raise TacticFailed(f"{arg} says {show(self.context[arg])}, needed is {show(formula.left)}")
                proof, formula = kernel.ImpElim(proof, Hyp(arg)), formula.right
            else:
                raise TacticFailed(f"{show(formula)} takes no argument")
        return proof, formula

    def _note(self, args: list[str]) -> _Out:
        if len(args) < 2:
            raise TacticFailed("note takes a new name, a hypothesis and what it is applied to")
        name = self._new(args[0])
        proof, formula = self._instantiate(args[1], args[2:])
        return (self._with(self.target, {name: formula}),), lambda p: kernel.Cut(name, formula, proof, p[0])

    def _have(self, text: str) -> _Out:
        found = re.fullmatch(r"\s*have\s+(\S+)\s*:\s*(.+)", text, re.DOTALL)
        if found is None:
            raise TacticFailed("have is written `have h : A`")
        name, formula = self._new(found[1]), parse(found[2], frozenset(self.goal.variables))
        predicates, functions = symbols(formula)
        if not (predicates.items() <= self.predicates.items() and functions.items() <= self.functions.items()):
            raise TacticFailed("have may only use the symbols of the statement")
        goals = (self._with(formula), self._with(self.target, {name: formula}))
        return goals, lambda p: kernel.Cut(name, formula, p[0], p[1])

    def _cases(self, args: list[str]) -> _Out:
        if not args:
            raise TacticFailed("cases takes a hypothesis and names for its parts")
        name, formula, target = args[0], self._hypothesis(args[0]), self.target
        names = args[1:]
        wanted = 0 if formula == FALSE else 2
        if len(names) != wanted or len(set(names)) != wanted:
            raise TacticFailed(f"cases takes {wanted} different names for the parts of {show(formula)}")
        if formula == FALSE:
            return self._close(kernel.Absurd(Hyp(name), target))
        a, b = map(self._new, names)
        if isinstance(formula, And):
            both = formula
            goal = self._with(target, {a: formula.left, b: formula.right}, drop=name)

            def pair(p: Sequence[Proof]) -> Proof:
                body = kernel.Cut(b, both.right, kernel.Snd(Hyp(name)), p[0])
                return kernel.Cut(a, both.left, kernel.Fst(Hyp(name)), body)

            return (goal,), pair
        if isinstance(formula, Or):
            goals = (
                self._with(target, {a: formula.left}, drop=name),
                self._with(target, {b: formula.right}, drop=name),
            )
            return goals, lambda p: kernel.Cases(Hyp(name), a, p[0], b, p[1])
        if isinstance(formula, Ex):
            goal = self._with(target, {b: instance(formula.body, Var(a))}, drop=name, variable=a)
            return (goal,), lambda p: kernel.Unpack(Hyp(name), a, b, p[0])
        raise TacticFailed(f"cases cannot take {show(formula)} apart")

    # Equality ---------------------------------------------------------------------------------------------------------

    def _refl(self) -> _Out:
        if not isinstance(self.target, Equal) or self.target.left != self.target.right:
            raise TacticFailed(f"refl needs two equal sides, found {show(self.target)}")
        return self._close(kernel.Refl(self.target.left))

    def _symm(self) -> _Out:
        target = self.target
        if not isinstance(target, Equal):
            raise TacticFailed(f"symm needs an equality, found {show(target)}")
        motive = Equal(Bound(0), target.right)  # from right = left, and right = right
        goal = self._with(Equal(target.right, target.left))
        return (goal,), lambda p: kernel.Subst(p[0], motive, kernel.Refl(target.right))

    def _rewrite(self, args: list[str]) -> _Out:
        backwards = bool(args) and args[0] == "<-"
        args = args[1:] if backwards else args
        if not args:
            raise TacticFailed("rewrite takes a hypothesis")
        proof, formula = self._instantiate(args[0], args[1:])
        if not isinstance(formula, Equal):
            raise TacticFailed(f"rewrite needs an equality, found {show(formula)}; write the terms after it")
        old, new = (formula.right, formula.left) if backwards else (formula.left, formula.right)
        changed = replace_term(self.target, old, new)
        if changed == self.target:
            raise TacticFailed(f"{show_term(old)} does not occur in {show(self.target)}")
        motive = abstract(self.target, old)
        if not backwards:  # the kernel goes from left to right: turn new = old around
            turned = kernel.Subst(proof, Equal(Bound(0), formula.left), kernel.Refl(formula.left))
            return (self._with(changed),), lambda p: kernel.Subst(turned, motive, p[0])
        return (self._with(changed),), lambda p: kernel.Subst(proof, motive, p[0])


def _known_term(term: Term, functions: Mapping[str, int]) -> None:
    if isinstance(term, Fun):
        if functions.get(term.name) != len(term.args):
            raise TacticFailed(f"no term {term.name} of {len(term.args)} arguments here")
        for arg in term.args:
            _known_term(arg, functions)
