"""Reads formulas and terms as `show` writes them, with bounds on length and nesting."""

from __future__ import annotations

import re

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
    neg,
    show_term,
    symbols,
)

__all__ = ["parse", "parse_term"]

MOST_CHARACTERS = 4000
MOST_DEPTH = 60

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
