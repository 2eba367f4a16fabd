"""First-order formulas with equality: how they are built, read and written.

Locally nameless: a bound variable is an index, a free one a name, so that formulas which differ in the names of bound
variables are equal objects and substitution captures nothing. `~A` is `A -> False`; `A <-> B` is two implications.

    forall x, P(x) -> exists y, R(x, y) & ~(f(x) = y)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proofgym.errors import BadInput

__all__ = [
    "FALSE",
    "All",
    "And",
    "Bound",
    "Equal",
    "Ex",
    "Falsum",
    "Formula",
    "Fun",
    "Imp",
    "Or",
    "Pred",
    "Term",
    "Var",
    "abstract",
    "free",
    "instance",
    "neg",
    "replace",
    "show",
    "show_term",
    "size",
    "symbols",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound variable: how many binders up."""

    index: int


@dataclass(frozen=True, slots=True)
class Var:
    """A free variable: one that a proof introduced."""

    name: str


@dataclass(frozen=True, slots=True)
class Fun:
    """A function applied; a constant has no arguments."""

    name: str
    args: tuple[Term, ...] = ()


Term = Bound | Var | Fun


@dataclass(frozen=True, slots=True)
class Falsum:
    """What has no proof."""


@dataclass(frozen=True, slots=True)
class Pred:
    """A predicate applied; a propositional atom has no arguments."""

    name: str
    args: tuple[Term, ...] = ()


@dataclass(frozen=True, slots=True)
class Equal:
    """Two terms are the same."""

    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class And:
    """Both."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Or:
    """At least one."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Imp:
    """The second follows from the first."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class All:
    """For everything; `Bound(0)` in the body is the variable."""

    body: Formula


@dataclass(frozen=True, slots=True)
class Ex:
    """For something; `Bound(0)` in the body is the variable."""

    body: Formula


Formula = Falsum | Pred | Equal | And | Or | Imp | All | Ex
FALSE = Falsum()


def neg(formula: Formula) -> Imp:
    """Not."""
    return Imp(formula, FALSE)


# Substitution ---------------------------------------------------------------------------------------------------------


def _term(term: Term, depth: int, old: Term, new: Term | None) -> Term:
    """Replace `old` by `new`, or by the binder at `depth` when `new` is None."""
    if term == (old if not isinstance(old, Bound) else Bound(old.index + depth)):
        return Bound(depth) if new is None else new
    if isinstance(term, Fun):
        return Fun(term.name, tuple(_term(arg, depth, old, new) for arg in term.args))
    return term


def _formula(formula: Formula, depth: int, old: Term, new: Term | None) -> Formula:
    if isinstance(formula, Pred):
        return Pred(formula.name, tuple(_term(arg, depth, old, new) for arg in formula.args))
    if isinstance(formula, Equal):
        return Equal(_term(formula.left, depth, old, new), _term(formula.right, depth, old, new))
    if isinstance(formula, And | Or | Imp):
        return type(formula)(_formula(formula.left, depth, old, new), _formula(formula.right, depth, old, new))
    if isinstance(formula, All | Ex):
        return type(formula)(_formula(formula.body, depth + 1, old, new))
    return formula


def instance(body: Formula, term: Term) -> Formula:
    """The body of a quantifier with a closed term for its variable."""
    return _formula(body, 0, Bound(0), term)


def abstract(formula: Formula, term: Term) -> Formula:
    """The other way: the body of which `formula` is the instance at `term`, every occurrence abstracted."""
    return _formula(formula, 0, term, None)


def replace(formula: Formula, old: Term, new: Term) -> Formula:
    """Every occurrence of a closed term replaced."""
    return instance(abstract(formula, old), new)


def _terms(formula: Formula) -> Iterator[Term]:
    if isinstance(formula, Pred):
        yield from formula.args
    elif isinstance(formula, Equal):
        yield from (formula.left, formula.right)
    elif isinstance(formula, And | Or | Imp):
        yield from _terms(formula.left)
        yield from _terms(formula.right)
    elif isinstance(formula, All | Ex):
        yield from _terms(formula.body)


def _parts(term: Term) -> Iterator[Term]:
    yield term
    if isinstance(term, Fun):
        for arg in term.args:
            yield from _parts(arg)


def free(*formulas: Formula) -> set[str]:
    """The names of free variables."""
    return {p.name for f in formulas for t in _terms(f) for p in _parts(t) if isinstance(p, Var)}


def _atoms(formula: Formula) -> Iterator[Pred]:
    if isinstance(formula, Pred):
        yield formula
    elif isinstance(formula, And | Or | Imp):
        yield from _atoms(formula.left)
        yield from _atoms(formula.right)
    elif isinstance(formula, All | Ex):
        yield from _atoms(formula.body)


def symbols(formula: Formula) -> tuple[dict[str, int], dict[str, int]]:
    """Predicates and functions with their numbers of arguments, in order of appearance.

    Raises:
        BadInput: If one name is used with two arities, or as both.
    """
    predicates: dict[str, int] = {}
    functions: dict[str, int] = {}
    for atom in _atoms(formula):
        if predicates.setdefault(atom.name, len(atom.args)) != len(atom.args):
            raise BadInput(
                f"the predicate {atom.name} is used with {predicates[atom.name]} and {len(atom.args)} arguments"
            )
    for term in _terms(formula):
        for part in _parts(term):
            if isinstance(part, Fun) and functions.setdefault(part.name, len(part.args)) != len(part.args):
                raise BadInput(
                    f"the function {part.name} is used with {functions[part.name]} and {len(part.args)} arguments"
                )
    both = sorted(predicates.keys() & functions.keys())
    if both:
        raise BadInput(f"{both[0]} is used both as a predicate and as a function")
    return predicates, functions


def size(formula: Formula) -> int:
    """The number of connectives, quantifiers and atoms."""
    if isinstance(formula, And | Or | Imp):
        return 1 + size(formula.left) + size(formula.right)
    if isinstance(formula, All | Ex):
        return 1 + size(formula.body)
    return 1


# Writing --------------------------------------------------------------------------------------------------------------

_LEVEL = {Imp: 1, Or: 2, And: 3}
_SIGN = {Imp: "->", Or: "|", And: "&"}
_LETTERS = ("x", "y", "z", "w", "v", "u")


def show_term(term: Term, names: tuple[str, ...] = ()) -> str:
    """A term as `parser.parse_term` reads it; `names` are those of the binders around it, innermost first."""
    if isinstance(term, Bound):
        return names[term.index] if term.index < len(names) else f"#{term.index}"
    if isinstance(term, Var) or not term.args:
        return term.name
    return f"{term.name}({', '.join(show_term(arg, names) for arg in term.args)})"


def show(formula: Formula) -> str:
    """A formula as `parser.parse` reads it, with as few parentheses as the reader needs.

    >>> from proofgym.verifiers.proof.toy.parser import parse
    >>> show(parse("forall a, P(a) & (q | ~r) -> exists a, P(a)"))
    'forall x, P(x) & (q | ~r) -> exists y, P(y)'
    """
    predicates = {atom.name for atom in _atoms(formula)}
    functions = {p.name for t in _terms(formula) for p in _parts(t) if isinstance(p, Fun)}
    return _show(formula, 0, (), predicates | functions | free(formula))


def _fresh(taken: set[str], names: tuple[str, ...]) -> str:
    used = taken | set(names)
    number = 0
    while True:
        for letter in _LETTERS:
            name = letter if not number else f"{letter}{number}"
            if name not in used:
                return name
        number += 1


def _show(formula: Formula, level: int, names: tuple[str, ...], taken: set[str]) -> str:
    if isinstance(formula, Falsum):
        return "False"
    if isinstance(formula, Pred):
        return show_term(Fun(formula.name, formula.args), names)
    if isinstance(formula, Equal):
        text = f"{show_term(formula.left, names)} = {show_term(formula.right, names)}"
        return f"({text})" if level > 3 else text
    if isinstance(formula, All | Ex):
        name = _fresh(taken, names)
        word = "forall" if isinstance(formula, All) else "exists"
        text = f"{word} {name}, {_show(formula.body, 0, (name, *names), taken)}"
        return f"({text})" if level > 1 else text
    if isinstance(formula, Imp) and formula.right == FALSE:
        return f"~{_show(formula.left, 4, names, taken)}"
    own = _LEVEL[type(formula)]
    left, right = _show(formula.left, own + 1, names, taken), _show(formula.right, own, names, taken)
    text = f"{left} {_SIGN[type(formula)]} {right}"
    return f"({text})" if own < level else text
