"""A statement and a proof of the toy logic, written in Lean and in Coq.

The symbols of the statement become arguments of the theorem: propositions, a type, predicates, functions and constants
on it. Each tactic has a counterpart that opens the same goals in the same order, so a script is carried over line by
line; the toy engine runs along, to know what a hypothesis is when it is taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from proofgym.errors import BadInput
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
    Term,
    symbols,
)
from proofgym.verifiers.proof.toy.parser import parse, parse_term
from proofgym.verifiers.proof.toy.tactics import ToyGoal, apply_tactic, start

__all__ = ["COQ", "LEAN", "Tongue", "script", "statement"]


@dataclass(frozen=True, slots=True)
class Tongue:
    """How one prover writes the same things. `{}` are filled in order."""

    universe: str
    arrow: str
    forall: str
    exists: str
    conjunction: str
    disjunction: str
    negation: str
    stop: str
    split: str
    witness: str
    pair: str
    either: str
    absurd: str
    note: str
    have: str
    refl: str
    symm: str
    rewrite: str
    back: str


LEAN = Tongue(
    "α", "→", "∀ {}, {}", "∃ {}, {}", "∧", "∨", "¬{}", "", "constructor", "refine Exists.intro {} ?_",
    "rcases {} with ⟨{}, {}⟩", "rcases {} with {} | {}", "exact False.elim {}", "have {} := {}",
    "refine (have {} : {} := ?_; ?_)", "rfl", "symm", "rewrite [{}]", "rewrite [← {}]",
)  # fmt: skip
COQ = Tongue(
    "U", "->", "forall {}, {}", "exists {}, {}", "/\\", "\\/", "~ {}", ".", "split", "exists {}",
    "destruct {} as [{} {}]", "destruct {} as [{} | {}]", "destruct {}", "pose proof {} as {}", "assert ({} : {})",
    "reflexivity", "symmetry", "rewrite {}", "rewrite <- {}",
)  # fmt: skip


def statement(text: str, tongue: Tongue) -> str:
    """The binders and the type of a theorem that says what a toy formula says.

    >>> statement("p & q -> q & p", LEAN)
    '(p q : Prop) : p ∧ q → q ∧ p'
    >>> statement("(forall x, P(x)) -> P(c)", COQ)
    '(U : Type) (P : U -> Prop) (c : U) : (forall x, P x) -> P c'
    """
    formula = parse(text)
    predicates, functions = symbols(formula)
    binders = []
    atoms = [name for name, arity in predicates.items() if arity == 0]
    if atoms:
        binders.append(f"({' '.join(atoms)} : Prop)")
    first_order = functions or len(atoms) < len(predicates) or _quantified(formula)
    if first_order:
        binders.append(f"({tongue.universe} : Type)")
    for table, end in ((predicates, "Prop"), (functions, tongue.universe)):
        for name, arity in table.items():
            if arity or table is functions:
                binders.append(f"({name} : {f' {tongue.arrow} '.join([*[tongue.universe] * arity, end])})")
    return f"{' '.join(binders)} : {_Writer(tongue, set(predicates) | set(functions)).formula(formula)}".lstrip()


def script(text: str, tactics: Sequence[str], tongue: Tongue) -> list[str]:
    """The lines of a toy proof in another prover.

    Raises:
        BadInput: If a line does not apply, or has no counterpart (`classical` in Coq).
    """
    formula = parse(text)
    predicates, functions = symbols(formula)
    tableau, out = start(formula), []
    for tactic in tactics:
        if not tableau.goals:
            raise BadInput(f"nothing is left to prove at {tactic!r}")
        taken = set(predicates) | set(functions)
        out.append(_line(tactic, tableau.goals[0], tongue, taken) + tongue.stop)
        tableau = apply_tactic(tableau, tactic)
    return out


def _line(tactic: str, goal: ToyGoal, tongue: Tongue, taken: set[str]) -> str:
    word, *args = tactic.split()
    writer = _Writer(tongue, taken | set(goal.variables))
    variables = frozenset(goal.variables)

    def applied(name: str, parts: Sequence[str]) -> str:
        shown = [
            part if part in goal.context else writer.term(parse_term(part, variables), inner=True) for part in parts
        ]
        return " ".join([name, *shown])

    def grouped(name: str, parts: Sequence[str]) -> str:
        return f"({applied(name, parts)})" if parts else name

    if word in ("intro", "exact", "assumption", "left", "right", "exfalso"):
        return tactic
    if word == "split":
        return tongue.split
    if word == "refl":
        return tongue.refl
    if word == "symm":
        return tongue.symm
    if word == "apply":
        return f"apply {grouped(args[0], args[1:])}"
    if word == "exists":
        return tongue.witness.format(writer.term(parse_term(tactic.split(None, 1)[1], variables), inner=True))
    if word == "note":
        if tongue is LEAN:
            return tongue.note.format(args[0], applied(args[1], args[2:]))
        return tongue.note.format(grouped(args[1], args[2:]), args[0])
    if word == "have":
        found = re.fullmatch(r"have\s+(\S+)\s*:\s*(.+)", tactic, re.DOTALL)
        assert found is not None
        return tongue.have.format(found[1], writer.formula(parse(found[2], variables)))
    if word == "rewrite":
        back = args[0] == "<-"
        args = args[1:] if back else args
        name = applied(args[0], args[1:]) if tongue is LEAN else grouped(args[0], args[1:])
        return (tongue.back if back else tongue.rewrite).format(name)
    if word == "cases":
        formula = goal.context[args[0]]
        if formula == FALSE:
            return tongue.absurd.format(args[0])
        return (tongue.either if isinstance(formula, Or) else tongue.pair).format(*args)
    if word == "classical" and tongue is LEAN:
        return f"refine Classical.byContradiction (fun {args[0]} => ?_)"
    raise BadInput(f"{word} has no counterpart")


def _quantified(formula: Formula) -> bool:
    if isinstance(formula, And | Or | Imp):
        return _quantified(formula.left) or _quantified(formula.right)
    return isinstance(formula, All | Ex | Equal)


class _Writer:
    def __init__(self, tongue: Tongue, taken: set[str]) -> None:
        self.tongue, self.taken = tongue, taken

    def term(self, term: Term, names: tuple[str, ...] = (), *, inner: bool = False) -> str:
        if isinstance(term, Bound):
            return names[term.index]
        if not isinstance(term, Fun) or not term.args:
            return term.name
        text = " ".join([term.name, *(self.term(arg, names, inner=True) for arg in term.args)])
        return f"({text})" if inner else text

    def formula(self, formula: Formula, level: int = 0, names: tuple[str, ...] = ()) -> str:
        tongue = self.tongue
        if isinstance(formula, Falsum):
            return "False"
        if isinstance(formula, Pred):
            text = " ".join([formula.name, *(self.term(arg, names, inner=True) for arg in formula.args)])
            return f"({text})" if level > 4 and formula.args else text
        if isinstance(formula, Equal):
            text = f"{self.term(formula.left, names)} = {self.term(formula.right, names)}"
            return f"({text})" if level > 3 else text
        if isinstance(formula, All | Ex):
            name = self._fresh(names)
            form = tongue.forall if isinstance(formula, All) else tongue.exists
            text = form.format(name, self.formula(formula.body, 0, (name, *names)))
            return f"({text})" if level > 0 else text
        if isinstance(formula, Imp) and formula.right == FALSE:
            text = tongue.negation.format(self.formula(formula.left, 5, names))
            return f"({text})" if level > 3 else text
        level_, sign = {
            Imp: (1, tongue.arrow), Or: (2, tongue.disjunction), And: (3, tongue.conjunction),
        }[type(formula)]  # fmt: skip
        left, right = self.formula(formula.left, level_ + 1, names), self.formula(formula.right, level_, names)
        text = f"{left} {sign} {right}"
        return f"({text})" if level_ < level else text

    def _fresh(self, names: tuple[str, ...]) -> str:
        number = 0
        while True:
            for letter in "xyzwvu":
                name = f"{letter}{number or ''}"
                if name not in self.taken and name not in names:
                    return name
            number += 1
