"""First-order formulas with equality: how they are built, read and written.

Locally nameless: a bound variable is an index, a free one a name, so that formulas which differ in the names of bound
variables are equal objects and substitution captures nothing. `~A` is `A -> False`; `A <-> B` is two implications.

    forall x, P(x) -> exists y, R(x, y) & ~(f(x) = y)
"""

from __future__ import annotations

import re
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
    "parse",
    "parse_term",
    "replace",
    "show",
    "show_term",
    "size",
    "symbols",
]  # fmt: skip

MOST_CHARACTERS = 4000
MOST_DEPTH = 60


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
    """A term as `parse_term` reads it; `names` are those of the binders around it, innermost first."""
    if isinstance(term, Bound):
        return names[term.index] if term.index < len(names) else f"#{term.index}"
    if isinstance(term, Var) or not term.args:
        return term.name
    return f"{term.name}({', '.join(show_term(arg, names) for arg in term.args)})"


def show(formula: Formula) -> str:
    """A formula as `parse` reads it, with as few parentheses as the reader needs.

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


# Reading --------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"\s*(<->|->|!=|[A-Za-z][A-Za-z0-9_']{0,30}|[~&|=(),])", re.ASCII)
_WORDS = {"forall", "exists", "False"}


class _Reader:
    def __init__(self, text: str, variables: frozenset[str]) -> None:
        if len(text) > MOST_CHARACTERS:
            raise BadInput(f"a formula has at most {MOST_CHARACTERS} characters, found {len(text)}")
        self.tokens: list[str] = []
        at = 0
        end = len(text.rstrip())
        while at < end:
            found = _TOKEN.match(text, at)
            if found is None:
                raise BadInput(f"no formula: {text[at : at + 10]!r} cannot stand here")
            self.tokens.append(found[1])
            at = found.end()
        self.at = 0
        self.scope: list[str] = []
        self.variables = variables
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        word = self.peek()
        if not word or (wanted and word != wanted):
            raise BadInput(f"no formula: expected {wanted or 'more'!r}, found {word or 'the end'!r}")
        self.at += 1
        return word

    def name(self) -> str:
        word = self.take()
        if not word[0].isalpha() or word in _WORDS:
            raise BadInput(f"no formula: expected a name, found {word!r}")
        return word

    def formula(self) -> Formula:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise BadInput(f"a formula is nested at most {MOST_DEPTH} deep")
        left = self.arrow()
        while self.peek() == "<->":
            self.take()
            right = self.arrow()
            left = And(Imp(left, right), Imp(right, left))
        self.depth -= 1
        return left

    def arrow(self) -> Formula:
        parts = [self.wide("|")]
        while self.peek() == "->":
            self.take()
            parts.append(self.wide("|"))
        return self._right(Imp, parts)

    def wide(self, sign: str) -> Formula:
        parts = [self.wide("&") if sign == "|" else self.unit()]
        while self.peek() == sign:
            self.take()
            parts.append(self.wide("&") if sign == "|" else self.unit())
        return self._right(Or if sign == "|" else And, parts)

    def _right(self, make: type[Imp | And | Or], parts: list[Formula]) -> Formula:
        if len(parts) > MOST_DEPTH:
            raise BadInput(f"a formula is nested at most {MOST_DEPTH} deep")
        whole = parts.pop()
        while parts:
            whole = make(parts.pop(), whole)
        return whole

    def unit(self) -> Formula:
        word = self.peek()
        if word == "~":
            self.take()
            self.depth += 1
            if self.depth > MOST_DEPTH:
                raise BadInput(f"a formula is nested at most {MOST_DEPTH} deep")
            body = self.unit()
            self.depth -= 1
            return neg(body)
        if word in ("forall", "exists"):
            self.take()
            names = [self.name()]
            while self.peek() != ",":
                names.append(self.name())
            self.take(",")
            self.scope += names
            body = self.formula()
            del self.scope[-len(names) :]
            for _ in names:
                body = All(body) if word == "forall" else Ex(body)
            return body
        if word == "False":
            self.take()
            return FALSE
        if word == "(":
            self.take()
            inner = self.formula()
            self.take(")")
            return inner
        left = self.term()
        if self.peek() in ("=", "!="):
            sign = self.take()
            equal = Equal(left, self.term())
            return equal if sign == "=" else neg(equal)
        if not isinstance(left, Fun):
            raise BadInput(
                f"no formula: the variable {show_term(left, tuple(reversed(self.scope)))} is not a statement"
            )
        return Pred(left.name, left.args)

    def term(self) -> Term:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise BadInput(f"a term is nested at most {MOST_DEPTH} deep")
        name = self.name()
        args: list[Term] = []
        if self.peek() == "(":
            self.take()
            args.append(self.term())
            while self.peek() == ",":
                self.take()
                args.append(self.term())
            self.take(")")
        self.depth -= 1
        if not args:
            for index, bound in enumerate(reversed(self.scope)):
                if bound == name:
                    return Bound(index)
            if name in self.variables:
                return Var(name)
        return Fun(name, tuple(args))


def parse(text: str, variables: frozenset[str] = frozenset()) -> Formula:
    """Read a formula. Names among `variables` are free variables, other names symbols.

    Raises:
        BadInput: With what was found; also for nesting or a length beyond the limits.
    """
    reader = _Reader(text, variables)
    formula = reader.formula()
    if reader.peek():
        raise BadInput(f"no formula: {reader.peek()!r} is left over")
    symbols(formula)
    return formula


def parse_term(text: str, variables: frozenset[str] = frozenset()) -> Term:
    """Read a term, as `parse` reads a formula."""
    reader = _Reader(text, variables)
    term = reader.term()
    if reader.peek():
        raise BadInput(f"no term: {reader.peek()!r} is left over")
    return term
