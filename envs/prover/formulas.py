"""Statements of first-order logic that have proofs, drawn by kind and size, in the toy logic's notation.

Each kind is a shape that is provable without the excluded middle whatever is put into it; level decides how much is.
The same statement can be asked in Lean and Coq: see `proofgym.envs.prover.mirror`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from proofgym.verifiers.proof.toy.formula import (
    All,
    And,
    Equal,
    Ex,
    Formula,
    Fun,
    Imp,
    Or,
    Pred,
    Term,
    show,
    size,
    symbols,
)
from proofgym.verifiers.proof.toy.parser import parse

__all__ = ["KINDS", "canonical", "draw", "hardness"]

_ATOMS = ("p", "q", "r", "s", "t", "u", "v", "w", "a", "b", "c", "d")

NEGATION = (
    "(A -> B) -> ~B -> ~A", "~(A | B) <-> ~A & ~B", "~A | ~B -> ~(A & B)", "~~~A -> ~A", "A -> ~~A", "~~(A | ~A)",
    "(A -> ~B) -> B -> ~A", "~(A & ~A)", "(A <-> ~A) -> C", "~~(A -> B) -> ~~A -> ~~B", "~A -> A -> B",
    "(A | B) & ~A -> B",
    "~(A <-> ~A)", "~~A & ~~B -> ~~(A & B)", "(A -> B | ~A) -> (A -> B)", "~(~A | ~B) -> ~~(A & B)",
)  # fmt: skip
CONNECTIVES = (
    "(A & B -> C) <-> (A -> B -> C)", "(A | B -> C) <-> (A -> C) & (B -> C)", "(A -> B & C) <-> (A -> B) & (A -> C)",
    "A & (B | C) <-> A & B | A & C", "A | B & C <-> (A | B) & (A | C)", "(A -> B) & (B -> C) -> A -> C",
    "(A <-> B) -> (B <-> A)", "(A <-> B) & (B <-> C) -> (A <-> C)", "A & A | A <-> A",
    "(A -> B) | (A -> C) -> A -> B | C",
    "(A -> B) -> (A -> C) -> A -> B & C", "(A <-> B) -> (A & C <-> B & C)", "(A <-> B) -> (A | C <-> B | C)",
    "A -> (A -> B) -> (B -> C) -> C", "(A | B) & (A -> C) & (B -> C) -> C", "(A <-> B) -> ((A -> C) <-> (B -> C))",
)  # fmt: skip
QUANTIFIERS = (
    "(forall x, P(x) -> Q(x)) -> (forall x, P(x)) -> forall x, Q(x)",
    "(forall x, P(x) -> Q(x)) -> (exists x, P(x)) -> exists x, Q(x)",
    "(exists x, forall y, R(x, y)) -> forall y, exists x, R(x, y)",
    "(exists x y, R(x, y)) -> exists y x, R(x, y)",
    "(forall x y, R(x, y)) -> forall y x, R(x, y)",
    "~(exists x, P(x)) <-> forall x, ~P(x)",
    "(exists x, ~P(x)) -> ~(forall x, P(x))",
    "(exists x, P(x) | Q(x)) <-> (exists x, P(x)) | (exists x, Q(x))",
    "(forall x, P(x) & Q(x)) <-> (forall x, P(x)) & (forall x, Q(x))",
    "(exists x, P(x) & Q(x)) -> (exists x, P(x)) & (exists x, Q(x))",
    "(forall x, P(x)) | (forall x, Q(x)) -> forall x, P(x) | Q(x)",
    "((exists x, P(x)) -> A) <-> (forall x, P(x) -> A)",
    "(exists x, P(x) & A) <-> (exists x, P(x)) & A",
    "(forall x, A -> P(x)) <-> (A -> forall x, P(x))",
    "(exists x, A -> P(x)) -> A -> exists x, P(x)",
    "(forall x, P(x) -> A) -> (exists x, P(x)) -> A",
    "(forall x, R(x, x)) -> forall x, exists y, R(x, y)",
    "(forall x y, R(x, y) -> R(y, x)) -> (exists x y, R(x, y)) -> exists x y, R(y, x)",
    "(forall x, P(x) -> exists y, R(x, y)) -> (exists x, P(x)) -> exists x y, R(x, y)",
    "(forall x, P(x) -> Q(x)) & (forall x, Q(x) -> S(x)) -> forall x, P(x) -> S(x)",
    "(forall x, P(x) | Q(x)) -> (forall x, P(x) -> S(x)) -> (forall x, Q(x) -> S(x)) -> forall x, S(x)",
    "(exists x, P(x)) -> (forall x, P(x) -> Q(x) & S(x)) -> exists x, Q(x) & S(x)",
)

Made = Callable[[np.random.Generator, int], Formula]


def draw(rng: np.random.Generator, level: float, kinds: Sequence[str] | None = None) -> tuple[str, str]:
    """(kind, statement), the statement as `toy.formula.show` writes it."""
    names = tuple(kinds or KINDS)
    kind = names[int(rng.integers(len(names)))]
    formula = KINDS[kind](rng, 1 + round(2 * level))
    return kind, show(_renamed(formula, _letters(rng, formula)))


def canonical(statement: str) -> str:
    """The statement with its symbols numbered in order of appearance: equal for statements that differ in names.

    >>> canonical("q & r -> r & q") == canonical("p & q -> q & p")
    True
    """
    formula = parse(statement)
    predicates, functions = symbols(formula)
    names = {name: f"P{i}" for i, name in enumerate(predicates)}
    names |= {name: f"f{i}" for i, name in enumerate(functions)}
    return show(_renamed(formula, names))


def hardness(statement: str) -> float:
    """By size, in [0, 1]."""
    return min(1.0, size(parse(statement)) / 60)


# Kinds ----------------------------------------------------------------------------------------------------------------


def _shuffle(rng: np.random.Generator, n: int) -> Formula:
    """A tree of conjunctions and disjunctions implies another that is true in each of its cases."""
    atoms = [Pred(name) for name in _ATOMS[: n + 2]]
    left = _tree(rng, atoms, n + 1)
    cases = _cases(left)
    right = _satisfied(rng, cases, atoms, n)
    return Imp(left, right)


def _tree(rng: np.random.Generator, atoms: Sequence[Formula], leaves: int) -> Formula:
    if leaves <= 1:
        return atoms[int(rng.integers(len(atoms)))]
    cut = int(rng.integers(1, leaves))
    make = And if rng.random() < 0.6 else Or
    return make(_tree(rng, atoms, cut), _tree(rng, atoms, leaves - cut))


def _cases(formula: Formula) -> list[frozenset[Formula]]:
    if isinstance(formula, And):
        return [a | b for a in _cases(formula.left) for b in _cases(formula.right)]
    if isinstance(formula, Or):
        return _cases(formula.left) + _cases(formula.right)
    return [frozenset({formula})]


def _satisfied(rng: np.random.Generator, cases: list[frozenset[Formula]], atoms: Sequence[Formula], n: int) -> Formula:
    """A formula true in every case: one conjunction a case, joined, with something idle thrown in."""
    parts: list[Formula] = []
    for case in cases:
        if any(_true(part, case) for part in parts):
            continue
        inside = sorted(case, key=repr)
        order = [inside[i] for i in rng.permutation(len(inside))[: int(rng.integers(1, min(len(inside), n + 1) + 1))]]
        whole: Formula = order[0]
        for atom in order[1:]:
            whole = And(atom, whole) if rng.random() < 0.5 else And(whole, atom)
        parts.append(whole)
    if rng.random() < 0.5:
        parts.append(atoms[int(rng.integers(len(atoms)))])
    shuffled = [parts[i] for i in rng.permutation(len(parts))]
    whole = shuffled[0]
    for part in shuffled[1:]:
        whole = Or(whole, part) if rng.random() < 0.5 else Or(part, whole)
    return whole


def _true(formula: Formula, case: frozenset[Formula]) -> bool:
    if isinstance(formula, And):
        return _true(formula.left, case) and _true(formula.right, case)
    if isinstance(formula, Or):
        return _true(formula.left, case) or _true(formula.right, case)
    return formula in case


def _horn(rng: np.random.Generator, n: int) -> Formula:
    """Rules and facts in any order, idle ones among them, and what follows from them in several steps."""
    count = n + 3
    atoms = [Pred(name) for name in _ATOMS[: min(len(_ATOMS), count + 1)]]
    count = len(atoms)
    facts = 1 + int(rng.integers(2))
    parts: list[Formula] = list(atoms[:facts])
    for i in range(facts, count):
        first = atoms[int(rng.integers(max(0, i - 2), i))]
        body: Formula = first
        style = rng.random()
        if style < 0.35:
            body = And(first, atoms[int(rng.integers(i))])
        rule: Formula = Imp(body, atoms[i])
        if style > 0.8:
            rule = Imp(first, Imp(atoms[int(rng.integers(i))], atoms[i]))
        parts.append(rule)
    for _ in range(int(rng.integers(0, n + 1))):  # idle rules lead from what follows to what follows
        a, b = rng.integers(count, size=2)
        parts.append(Imp(atoms[int(a)], Or(atoms[int(b)], atoms[int(a)])))
    goal: Formula = atoms[-1]
    for i in rng.permutation(len(parts)):
        goal = Imp(parts[int(i)], goal)
    return goal


def _schema(texts: Sequence[str]) -> Made:
    def made(rng: np.random.Generator, n: int) -> Formula:
        formula = parse(texts[int(rng.integers(len(texts)))])
        atoms = [Pred(name) for name in _ATOMS[:4]]
        filled = {name: _tree(rng, atoms, int(rng.integers(1, n + 1))) for name in ("A", "B", "C")}
        return _filled(formula, filled)

    return made


def _quantifiers(rng: np.random.Generator, n: int) -> Formula:
    """A law of quantifiers, its predicates replaced by small formulas about the same variables."""
    formula = _schema(QUANTIFIERS)(rng, 1)
    for _ in range(int(rng.integers(0, n))):
        other = _schema(QUANTIFIERS)(rng, 1)
        if size(formula) + size(other) > 40:
            break
        formula = And(formula, other) if rng.random() < 0.7 else Imp(Pred("w"), And(other, formula))
    return _thickened(rng, formula, n)


def _thickened(rng: np.random.Generator, formula: Formula, n: int) -> Formula:
    """Some predicates P(t) become P(t) & T(t) everywhere."""
    names = sorted(name for name, arity in symbols(formula)[0].items() if arity == 1)
    chosen = [name for name in names if rng.random() < 0.25 * n - 0.2]
    make = And if rng.random() < 0.6 else Or

    def change(part: Formula) -> Formula:
        if isinstance(part, Pred) and part.name in chosen:
            return make(part, Pred(f"{part.name}2", part.args))
        if isinstance(part, And | Or | Imp):
            return type(part)(change(part.left), change(part.right))
        if isinstance(part, All | Ex):
            return type(part)(change(part.body))
        return part

    return change(formula)


def _rewriting(rng: np.random.Generator, n: int) -> Formula:
    """A chain of equations, given in any order and direction, closes the distance between two terms."""
    count = n + 1
    constants: list[Term] = [Fun(name) for name in ("a", "b", "c", "d", "e", "g", "k", "m")[: count + 1]]
    steps: list[Formula] = []
    for left, right in pairwise(constants):
        steps.append(Equal(left, right) if rng.random() < 0.6 else Equal(right, left))
    first, last = constants[0], constants[-1]
    for _ in range(int(rng.integers(0, n + 1))):
        first, last = Fun("f", (first,)), Fun("f", (last,))
    goal: Formula = Equal(first, last)
    if rng.random() < 0.4:
        goal = Imp(Pred("P", (first,)), Pred("P", (last,)))
    for i in rng.permutation(len(steps)):
        goal = Imp(steps[int(i)], goal)
    return goal


def _relations(rng: np.random.Generator, n: int) -> Formula:
    """A path in a relation that is transitive, and perhaps symmetric."""
    count = min(2 + n, 5)
    points = [Fun(name) for name in ("a", "b", "c", "d", "e", "g")[: count + 1]]
    laws = ["forall x y z, R(x, y) -> R(y, z) -> R(x, z)"]
    turned = rng.random() < 0.4
    if turned:
        laws.append("forall x y, R(x, y) -> R(y, x)")
    steps: list[Formula] = []
    for a, b in pairwise(points):
        steps.append(Pred("R", (b, a) if turned and rng.random() < 0.4 else (a, b)))
    goal: Formula = Pred("R", (points[0], points[-1]))
    for i in rng.permutation(len(steps)):
        goal = Imp(steps[int(i)], goal)
    for law in laws:
        goal = Imp(parse(law), goal)
    return goal


def _functions(rng: np.random.Generator, n: int) -> Formula:
    """Compositions of injective functions, inverses on one side, sets carried along."""
    count = min(1 + n, 4)
    names = ["f", "g", "h", "k"][:count]
    style = int(rng.integers(3))
    inside = "x"
    for name in reversed(names):
        inside = f"{name}({inside})"
    other = inside.replace("x", "y")
    if style == 0:
        laws = [f"(forall x y, {name}(x) = {name}(y) -> x = y)" for name in names]
        goal = f"(forall x y, {inside} = {other} -> x = y)"
    elif style == 1:
        sets = ["A", "B", "C", "D", "E"][: count + 1]
        laws = [
            f"(forall x, {a}(x) -> {b}({name}(x)))" for a, b, name in zip(sets, sets[1:], reversed(names), strict=False)
        ]
        goal = f"(forall x, {sets[0]}(x) -> {sets[count]}({inside}))"
    else:
        laws = ["(forall x, i(f(x)) = x)"]
        goal = "(forall x y, f(x) = f(y) -> x = y)"
        if count > 2:
            laws.append("(forall x, P(x) -> Q(f(x)))")
            goal = "(forall x y, f(x) = f(y) -> P(x) -> P(y) & Q(f(y)))"
    text = goal
    for i in rng.permutation(len(laws)):
        text = f"{laws[int(i)]} -> {text}"
    return parse(text)


KINDS: Mapping[str, Made] = {
    "connectives": _schema(CONNECTIVES),
    "functions": _functions,
    "horn": _horn,
    "negation": _schema(NEGATION),
    "quantifiers": _quantifiers,
    "relations": _relations,
    "rewriting": _rewriting,
    "shuffle": _shuffle,
}


# Names ----------------------------------------------------------------------------------------------------------------


def _filled(formula: Formula, parts: Mapping[str, Formula]) -> Formula:
    if isinstance(formula, Pred) and not formula.args:
        return parts.get(formula.name, formula)
    if isinstance(formula, And | Or | Imp):
        return type(formula)(_filled(formula.left, parts), _filled(formula.right, parts))
    if isinstance(formula, All | Ex):
        return type(formula)(_filled(formula.body, parts))
    return formula


def _letters(rng: np.random.Generator, formula: Formula) -> dict[str, str]:
    """New names for the propositional atoms of a formula."""
    atoms = [name for name, arity in symbols(formula)[0].items() if arity == 0]
    taken = (symbols(formula)[0].keys() | symbols(formula)[1].keys()) - set(atoms)
    free = [name for name in ("p", "q", "r", "s", "t", "u", "v", "w", "m", "n", "k", "l") if name not in taken]
    if len(free) < len(atoms):
        return {}
    return {atom: free[int(i)] for atom, i in zip(atoms, rng.permutation(len(free)), strict=False)}


def _renamed(formula: Formula, names: Mapping[str, str]) -> Formula:
    def term(part: Term) -> Term:
        return Fun(names.get(part.name, part.name), tuple(map(term, part.args))) if isinstance(part, Fun) else part

    if isinstance(formula, Pred):
        return Pred(names.get(formula.name, formula.name), tuple(map(term, formula.args)))
    if isinstance(formula, Equal):
        return Equal(term(formula.left), term(formula.right))
    if isinstance(formula, And | Or | Imp):
        return type(formula)(_renamed(formula.left, names), _renamed(formula.right, names))
    if isinstance(formula, All | Ex):
        return type(formula)(_renamed(formula.body, names))
    return formula
