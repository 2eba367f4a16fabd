"""Whether one step of a derivation follows from what stands before it. Runs in the symbolic workers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from proofgym.verifiers.math import regions, symbolic
from proofgym.verifiers.math.compare import Comparer, Undecided
from proofgym.verifiers.math.identity import NeedsWorker
from proofgym.verifiers.math.shapes import definition, difference, is_name
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable

__all__ = ["judge"]

_MAX_FACTS = 12


def judge(facts: Node, statement: Node, comparer: Comparer) -> dict[str, Any]:
    """Decide one step.

    Args:
        facts: A list: what has been said, the latest last.
        statement: An expression, equation, inequality, or list of them.
    Returns:
        `kind` is `follows`, `breaks` or `unknown`; `why` is a sentence.
    """
    try:
        holds, why = _Step(list(facts.args[-_MAX_FACTS:]), comparer).decide(statement)
    except (Undecided, Unreadable, NeedsWorker) as error:
        return {"kind": "unknown", "why": str(error)}
    return {"kind": "unknown" if holds is None else "follows" if holds else "breaks", "why": why}


class _Step:
    def __init__(self, facts: list[Node], comparer: Comparer) -> None:
        self.facts = facts
        self.comparer = comparer

    def decide(self, statement: Node) -> tuple[bool | None, str]:
        if statement.op == "rel":
            signs = statement.value.split(",")
            if set(signs) == {"="}:
                return self._equations(statement)
            return self._inequality(statement)
        if statement.op in ("list", "or", "and", "set"):
            return self._listed(statement)
        return self._expression(statement)

    # -- expressions ----------------------------------------------------------------------------------------------
    def _expression(self, statement: Node) -> tuple[bool | None, str]:
        last = next((fact for fact in reversed(self.facts) if fact.op not in ("rel", "list", "or", "and", "set")), None)
        if last is None:
            last = next(
                (fact.args[-1] for fact in reversed(self.facts) if fact.op == "rel" and fact.value == "="), None
            )
        if last is None:
            return None, "nothing stands before it to compare it with"
        if self.comparer.value(last, statement):
            return True, "equal to the expression before it"
        if self._under_facts(last, statement):
            return True, "equal, by what was said before"
        return False, "not equal to the expression before it"

    # -- equations ------------------------------------------------------------------------------------------------
    def _equations(self, statement: Node) -> tuple[bool | None, str]:
        pairs = list(zip(statement.args, statement.args[1:], strict=False))
        unknown = ""
        for left, right in pairs:
            holds, why = self._equation(left, right)
            if holds is False:
                return False, why
            if holds is None:
                unknown = why
        return (None, unknown) if unknown else (True, "it follows" if statement.names() else "the arithmetic is right")

    def _equation(self, left: Node, right: Node) -> tuple[bool | None, str]:
        if left.op in ("tuple", "set", "list", "matrix", "interval") or right.op in (
            "tuple",
            "set",
            "list",
            "matrix",
            "interval",
        ):
            return self._collected(left, right)
        if not left.names() and not right.names() and not left.has("apply") and not right.has("apply"):
            if self.comparer.same(left, right):
                return True, "the arithmetic is right"
            if _rounds(left, right):
                return True, "rounded"
            return False, "the two sides are not equal"
        if left.has("apply") or right.has("apply"):
            return self._function(left, right)
        if self._identical(left, right):
            return True, "the two sides are the same"
        new = Node("rel", (left, right), "=")
        if self._is_new(left) or self._is_new(right):
            return None, "it gives a name"
        earlier = [fact for fact in self.facts if fact.op == "rel" and fact.value == "=" and not fact.has("apply")]
        earlier = [fact for fact in earlier if not self._identical(*fact.args[:2])]
        if left.op not in ("sym", "num") and not any(fact.names() & new.names() for fact in earlier):
            said = {side.key() for fact in self.facts for side in ((fact,) if fact.op != "rel" else fact.args)}
            if left.key() in said:
                return False, "not equal to what it rewrites"
        latest = next((f for f in reversed(earlier) if f.names() == new.names()), None)
        if latest is not None and self.comparer._equations(latest, new):
            return True, "the same solutions as the equation before it"
        if self._under_facts(left, right):
            return True, "true by the values found before"
        decided = self._by_solutions(new)
        if decided is None:
            decided = self._by_ideal(earlier, new)
        if decided is None:
            return None, "it is not decided whether it follows"
        return (
            decided,
            "it follows from what was said before" if decided else "it does not follow from what was said before",
        )

    def _identical(self, left: Node, right: Node) -> bool:
        try:
            return self.comparer.value(left, right)
        except (Undecided, Unreadable):
            return False

    def _is_new(self, node: Node) -> bool:
        """Whether a side is a name that nothing has mentioned."""
        return node.op == "sym" and all(node.value not in fact.names() for fact in self.facts)

    def _collected(self, left: Node, right: Node) -> tuple[bool | None, str]:
        if is_name(left):
            return None, "it gives a name"
        return (True, "the two sides are the same") if self.comparer.same(left, right) else (None, "not compared")

    def _function(self, left: Node, right: Node) -> tuple[bool | None, str]:
        """f(x) = ... , f(3) = ... and f'(x) = ... by what f was said to be."""
        if self._identical(left, right):
            return True, "the two sides are the same"
        for fact in reversed(self.facts):
            found = definition(fact) if fact.op == "rel" and fact.value == "=" else None
            if found is None or found[0].op != "apply" or left.op != "apply" or len(left.args) != len(found[0].args):
                continue
            name, value = found
            order = len(left.value) - len(left.value.rstrip("'")) - (len(name.value) - len(name.value.rstrip("'")))
            if (
                left.value.rstrip("'") != name.value.rstrip("'")
                or order < 0
                or not all(arg.op == "sym" for arg in name.args)
            ):
                continue
            if order:
                value = _derivative(value, name.args[0], order)
            for old, new in zip(name.args, left.args, strict=True):
                value = value.swap(old, new)
            same = self.comparer.value(value, right)
            return same, "by the definition of the function" if same else "not what the function was said to be"
        return None, "an unknown function"

    def _under_facts(self, left: Node, right: Node) -> bool:
        """Whether the sides are equal once the values found before are put in."""
        swapped = False
        for fact in reversed(self.facts):
            found = definition(fact) if fact.op == "rel" and fact.value == "=" else None
            if found is not None and found[0].op == "sym" and found[0].value in left.names() | right.names():
                left, right, swapped = left.swap(*found), right.swap(*found), True
        return swapped and self._identical(left, right)

    def _by_solutions(self, new: Node) -> bool | None:
        """In one unknown: whether every solution of the latest statement solves this one."""
        names = new.names()
        if len(names) != 1:
            return None
        unknown = next(iter(names))
        known = None
        for fact in reversed(self.facts):
            if fact.names() == names:
                known = self._solutions(fact, unknown)
                break
        if known is None:
            return None
        left, right = new.args
        symbol = Node("sym", value=unknown)
        for fact in self.facts:  # what an earlier equation rules out, such as a root that squaring brought in
            if fact.op == "rel" and fact.value == "=" and fact.names() == names:
                sides = fact.args
                known = [k for k in known if self._identical(sides[0].swap(symbol, k), sides[1].swap(symbol, k))]
        if not known:
            return None
        return all(self._identical(left.swap(symbol, value), right.swap(symbol, value)) for value in known)

    def _solutions(self, fact: Node, unknown: str) -> list[Node] | None:
        if fact.op == "rel" and fact.value == "=":
            return symbolic.solutions(difference(fact), unknown)
        if fact.op in ("list", "or", "set"):
            found: list[Node] = []
            for part in fact.args:
                some = self._solutions(part, unknown) if part.op == "rel" and part.value == "=" else None
                if some is None:
                    return None
                found += some
            return found
        return None

    def _by_ideal(self, earlier: list[Node], new: Node) -> bool | None:
        """In several unknowns: whether the equation vanishes wherever all earlier polynomial equations do."""
        names: dict[str, Any] = {}
        try:
            system = [_numerator(symbolic.to_sympy(difference(fact), names)) for fact in earlier]
            wanted = _numerator(symbolic.to_sympy(difference(new), names))
        except Unreadable:
            return None
        system = [part for part in system if part != 0]
        symbols = sorted({symbol for part in [*system, wanted] for symbol in part.free_symbols}, key=str)
        if not system or len(symbols) > 6 or not wanted.is_polynomial(*symbols):
            return None
        system = [part for part in system if part.is_polynomial(*symbols)]
        fresh = sympy.Symbol("rabinowitsch")
        if not wanted.free_symbols <= {symbol for part in system for symbol in part.free_symbols}:
            return None
        if sympy.groebner(system, *symbols, order="grevlex").exprs == [1]:
            return None  # what was said contradicts itself
        basis = sympy.groebner([*system, 1 - fresh * wanted], fresh, *symbols, order="grevlex")
        if basis.exprs == [1]:
            return True
        # not implied: a contradiction does not follow, anything else may come from what is said in words
        return False if sympy.groebner([*system, wanted], *symbols, order="grevlex").exprs == [1] else None

    # -- lists and inequalities -----------------------------------------------------------------------------------
    def _listed(self, statement: Node) -> tuple[bool | None, str]:
        """Several solutions at once, or several equations."""
        names = statement.names()
        defined = [definition(part) if part.op == "rel" and part.value == "=" else None for part in statement.args]
        if len(names) == 1 and statement.op != "and":
            unknown = next(iter(names))
            latest = next((fact for fact in reversed(self.facts) if fact.names() == names), None)
            before = self._solutions(latest, unknown) if latest is not None else None
            now = self._solutions(statement, unknown)
            if before is not None and now is not None:
                missing = [value for value in before if not any(self._identical(value, other) for other in now)]
                return not missing, "all solutions are there" if not missing else "a solution is missing"
            if latest is not None and latest.has("rel") and all(part.value != "=" for part in statement.args):
                return self._region(latest, statement)
            return None, "several values"
        if all(defined) and len(names) > 1:
            results = [self._equation(*part.args) for part in statement.args]
            if any(holds is False for holds, _ in results):
                return False, "one of the values does not follow"
            return (True, "all follow") if all(holds for holds, _ in results) else (None, "not all are decided")
        return None, "a list"

    def _inequality(self, statement: Node) -> tuple[bool | None, str]:
        if not statement.names() and not statement.has("apply"):
            return self._numbers(statement)
        latest = next(
            (
                f
                for f in reversed(self.facts)
                if f.names() == statement.names() and f.op in ("rel", "or", "and", "list") and f.value != "="
            ),
            None,
        )
        if latest is None:
            return None, "nothing stands before it to compare it with"
        return self._region(latest, statement)

    def _region(self, latest: Node, statement: Node) -> tuple[bool | None, str]:
        if len(statement.names()) != 1:
            same = self.comparer.same(latest, statement)
            return (True, "the same inequality") if same else (None, "not compared")
        if regions.contains(statement, latest, self.comparer):
            return True, "it holds wherever the statement before it does"
        return False, "it does not hold wherever the statement before it does"

    def _numbers(self, statement: Node) -> tuple[bool | None, str]:
        signs = statement.value.split(",")
        for left, sign, right in zip(statement.args, signs, statement.args[1:], strict=False):
            if sign == "~":
                if not regions.near(left, right):
                    return False, "the approximation is off"
                continue
            if sign not in ("=", "<", ">", "<=", ">=", "!="):
                return None, "another relation"
            same = self.comparer.value(left, right)
            gap = 0 if same else (1 if regions.positive(Node("add", (left, Node("neg", (right,))))) else -1)
            true = {"=": gap == 0, "!=": gap != 0, "<": gap < 0, ">": gap > 0, "<=": gap <= 0, ">=": gap >= 0}[sign]
            if not true:
                return False, "the two sides are not so related"
        return True, "the arithmetic is right"


def _rounds(exact: Node, short: Node) -> bool:
    """Whether a decimal is another value, rounded to its places."""
    number = short.args[0] if short.op == "neg" else short
    if number.op != "num":
        return False
    below = number.value.denominator
    places = next((k for k in range(1, 16) if 10**k % below == 0), 0) if below > 1 else 0
    gap = regions.approximate(exact) - regions.approximate(short)
    return places > 0 and abs(gap) <= Fraction(1, 2 * 10**places) and 2 * abs(gap) < abs(number.value)


def _numerator(expression: Any) -> Any:
    above, _ = sympy.fraction(sympy.together(expression))
    return sympy.expand(above)


def _derivative(value: Node, variable: Node, order: int) -> Node:
    names: dict[str, Any] = {}
    expression = symbolic.to_sympy(value, names)
    symbol = names.get(variable.value)
    if symbol is None:
        return Node("num", value=Fraction(0))
    if order > 4:
        raise TooBig("a derivative of this order")
    return symbolic.from_sympy(sympy.diff(expression, symbol, order))
