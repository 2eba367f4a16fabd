"""Whether two readings are the same answer: the shapes first, then the values in them.

A `Comparer` with `deep=False` runs in the caller's process on exact arithmetic alone and raises `NeedsWorker` when that
does not decide; with `deep=True` it runs in a symbolic worker. Every rule works in both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from proofgym.verifiers.math import identity, regions, shapes
from proofgym.verifiers.math.exact import fold
from proofgym.verifiers.math.identity import NeedsWorker
from proofgym.verifiers.math.policy import MathPolicy
from proofgym.verifiers.math.tree import Node, Unreadable, num

__all__ = ["Comparer", "Undecided"]

_REGIONS = ("interval", "union", "inter", "minus", "setof")
_ORDER = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!=", "~": "~", "==": "=="}


class Undecided(Exception):
    """Neither equal nor different by any means that we have."""


class Comparer:
    """Compares trees under a policy.

    Args:
        policy: The conventions.
        deep: Whether symbolic work is allowed here.
    """

    def __init__(self, policy: MathPolicy, *, deep: bool) -> None:
        self.policy = policy
        self.deep = deep

    # -- values ---------------------------------------------------------------------------------------------------
    def value(self, left: Node, right: Node) -> bool:
        """Whether two expressions are equal."""
        if left.key() == right.key():
            return True
        if shapes.infinite(left) or shapes.infinite(right):
            return shapes.infinite(left) == shapes.infinite(right) != 0
        if self.policy.rounding and self._rounds(left, right):
            return True
        if not self.deep:
            return identity.fast(left, right)
        if (
            left.has("int", "lim", "diff")
            or right.has("int", "lim", "diff")
            or shapes.endless(left)
            or shapes.endless(right)
        ):
            from proofgym.verifiers.math import symbolic

            left, right = symbolic.done(left), symbolic.done(right)
        decided = identity.deep(left, right, exact=self.policy.identity == "exact")
        if decided is None:
            raise Undecided("neither equal nor different by any means that we have")
        return decided

    def _rounds(self, left: Node, right: Node) -> bool:
        for short, value in ((left, right), (right, left)):
            number = fold(short)
            if number is None or not (short.op == "num" or (short.op == "neg" and short.args[0].op == "num")):
                continue
            exact = fold(value)
            if exact is None or exact == number:
                continue
            places = next((k for k in range(1, 60) if (number * 10**k).denominator == 1), 0)
            digits = len(str(abs(int(number * 10**places))).lstrip("0")) if places else 0
            if digits >= self.policy.rounding and abs(exact - number) <= Fraction(1, 2 * 10**places):
                return True
        return False

    # -- shapes ---------------------------------------------------------------------------------------------------
    def same(self, left: Node, right: Node) -> bool:
        """Whether two answers are the same.

        Raises:
            NeedsWorker: If exact arithmetic does not decide and no more is allowed here.
            Undecided: If nothing decides.
        """
        if left.key() == right.key():
            return True
        left, right = self._shape(left), self._shape(right)
        if left.key() == right.key():
            return True
        if left.op == "text" or right.op == "text":
            return False
        if left.has("dots") or right.has("dots"):
            return self._dotted(left, right)
        if self._named(left) or self._named(right):
            left, right = self._without_names(left, right)
            if left.key() == right.key():
                return True
        if left.op == "rel" or right.op == "rel":
            decided = self._relations(left, right)
            if decided is not None:
                return decided
        if self._is_region(left) or self._is_region(right):
            return regions.same(left, right, self)
        if left.op in shapes.COLLECTIONS or right.op in shapes.COLLECTIONS:
            return self._collections(left, right)
        if left.op == "matrix" or right.op == "matrix":
            return self._matrices(left, right)
        if left.op == right.op in ("cases", "and", "or"):
            return self._members(left.args, right.args, ordered=left.op == "cases")
        if left.op == right.op == "congruent":
            return self.same(left.args[0], right.args[0]) and self.value(left.args[1], right.args[1])
        if left.op == right.op == "ratio":
            return self._proportional(left, right)
        for op in ("rel", "cases", "and", "or", "congruent", "in", "matrix"):
            if (left.op == op) != (right.op == op):
                return False
        return self._measures(left, right)

    def _shape(self, node: Node) -> Node:
        """The tree with one form for what can be written in several."""
        if node.op in ("add", "mul", "neg", "div"):
            node = shapes.matrix_value(node)
        if node.op == "set" and len(node.args) == 1 and node.args[0].op not in ("set", "list", "tuple"):
            return self._shape(node.args[0])
        if node.op == "list":
            node = shapes.first_name(node)
        if node.op in ("list", "set"):
            items = [part for arg in node.args for part in shapes.both_signs(arg)]
            return Node(node.op, tuple(items))
        if node.op in ("tuple", "matrix", "cases", "interval"):
            return node if not node.has("pm") else shapes.collected(shapes.both_signs(node))
        if node.op == "rel":
            return self._shape_relation(node)
        if node.has("pm"):
            return shapes.collected(shapes.both_signs(node))
        if node.op == "in":
            return self._shape(node.args[1])
        return node

    def _shape_relation(self, node: Node) -> Node:
        signs = node.value.split(",")
        members = list(node.args)
        if "~" in signs:  # what follows an approximation repeats it
            cut = signs.index("~")
            if cut == 0 and len(signs) == 1 and shapes.is_name(members[0]):
                signs = ["="]
            elif cut > 0 or not shapes.is_name(members[0]):
                self._check_approximation(members[cut], members[cut + 1])
                if any(sign != "~" for sign in signs[cut:]):
                    raise Unreadable("an approximation is followed by another relation")
                signs, members = signs[:cut], members[: cut + 1]
                if not signs:
                    return self._shape(members[0])
        if signs == ["in"] and (shapes.is_name(members[0]) or members[0].op == "tuple"):
            return self._shape(members[1])
        node = Node("rel", tuple(members), ",".join(signs))
        if set(signs) == {"="} and len(signs) > 1 and all(shapes.is_name(member) for member in members[:-1]):
            return self._shape(Node("rel", (members[0], members[-1]), "="))
        if set(signs) == {"="} and len(signs) > 1 and shapes.is_name(members[0]) and not members[-1].has("sym"):
            self._check_chain(members[1:])
            return self._shape(Node("rel", (members[0], members[-1]), "="))
        if set(signs) == {"="} and not any(member.has("sym", "apply") for member in members):
            self._check_chain(members)
            return self._shape(members[-1])
        if node.has("pm"):
            return shapes.collected(shapes.both_signs(node))
        return node

    def _check_chain(self, members: Sequence[Node]) -> None:
        """Raises `Unreadable` for a chain of constants that are not equal: it claims two things."""
        for first, second in pairwise(members):
            if first.op in shapes.COLLECTIONS or second.op in shapes.COLLECTIONS or not self.same(first, second):
                raise Unreadable("a chain of '=' joins different values")

    def _check_approximation(self, exact: Node, rounded: Node) -> None:
        if not self.deep:
            raise NeedsWorker
        if exact.has("sym") or rounded.has("sym") or not regions.near(exact, rounded):
            raise Unreadable("an approximation does not fit the value before it")

    # -- names ----------------------------------------------------------------------------------------------------
    @staticmethod
    def _named(node: Node) -> bool:
        return node.op == "rel" and node.value == "=" and (shapes.is_name(node.args[0]) or shapes.is_name(node.args[1]))

    def _without_names(self, left: Node, right: Node) -> tuple[Node, Node]:
        """`y = f(x)` and `f(x)` as the value; two equations of one name as their values."""
        if self._named(left) and self._named(right):
            first, second = shapes.definition(left), shapes.definition(right)
            if first is None or second is None:
                return left, right
            if first[0] == second[0]:
                return first[1], second[1]
            renamed = shapes.renamed(first, second)
            return renamed if renamed is not None else (left, right)
        if not self.policy.names:
            return left, right
        one, other = (left, right) if self._named(left) else (right, left)
        if other.op == "rel" or other.op == "text":
            return left, right
        found = shapes.definition(one)
        if found is None or (found[1].names() & found[0].names() and found[0].op == "sym"):
            return left, right
        value = self._shape(found[1])
        return (value, other) if one is left else (other, value)

    # -- relations ------------------------------------------------------------------------------------------------
    def _relations(self, left: Node, right: Node) -> bool | None:
        """Decide relations against relations; `None` to let another rule decide."""
        if left.op == right.op == "rel":
            if left.value == "=" == right.value:
                return self._equations(left, right)
            if left.value == right.value and all(map(self.same, left.args, right.args)):
                return True
            turned = Node("rel", right.args[::-1], ",".join(_ORDER.get(s, s) for s in right.value.split(",")[::-1]))
            if left.value == turned.value and all(map(self.same, left.args, turned.args)):
                return True
            if "=" in (left.value, right.value):
                return False
            if len(left.names()) == 1 == len(right.names()) and not left.has("apply") and not right.has("apply"):
                if left.names() != right.names():
                    return False
                return regions.same(left, right, self)
            return self._half_spaces(left, right) or self._half_spaces(left, turned)
        one, other = (left, right) if left.op == "rel" else (right, left)
        if one.value == "=":
            if other.op in shapes.COLLECTIONS or other.op == "or":
                return self._solutions(one, other)
            return False
        if not self.policy.inequality_as_interval and other.op in (*_REGIONS, "tuple", "set"):
            return False
        return None

    def _equations(self, left: Node, right: Node) -> bool:
        """Whether two equations say the same: equal sides, or differences that are proportional."""
        (a, b), (c, d) = left.args, right.args
        if {a.op, b.op, c.op, d.op} & {*shapes.COLLECTIONS, *_REGIONS, "matrix", "text"}:
            return self.same(a, c) and self.same(b, d)
        if not self.deep:
            if a.key() == c.key():
                return self.value(b, d)
            raise NeedsWorker
        if left.has("apply") or right.has("apply"):
            return (self.same(a, c) and self.same(b, d)) or (self.same(a, d) and self.same(b, c))
        first, second = shapes.difference(left), shapes.difference(right)
        if left.names() != right.names():
            return False
        from proofgym.verifiers.math import symbolic

        if self._proportion(first, second):
            return True
        return symbolic.same_solutions(first, second)

    def _proportion(self, first: Node, second: Node, *, positive: bool = False) -> bool:
        """Whether the quotient of two differences is one number at all points."""
        names = sorted(first.names() | second.names())
        chosen = None
        for k in range(12):
            values = {
                name: num(Fraction(37 * (k + 2) + 11 * j * j + 5 * j, 29 + 7 * j)) for j, name in enumerate(names)
            }
            top, bottom = shapes.assigned(first, values), shapes.assigned(second, values)
            try:
                if self.value(bottom, num(0)) or self.value(top, num(0)):
                    continue
            except (Unreadable, Undecided):
                continue
            chosen = Node("div", (top, bottom))
            break
        if chosen is None or (positive and not regions.positive(chosen)):
            return False
        return self.value(first, Node("mul", (chosen, second)))

    def _half_spaces(self, left: Node, right: Node) -> bool:
        """Inequalities in several unknowns: the same sign, and differences with a positive quotient."""
        if not self.deep:
            raise NeedsWorker
        if left.value != right.value or len(left.args) != 2 or left.value not in ("<", "<=", ">", ">=", "!="):
            return False
        return self._proportion(shapes.difference(left), shapes.difference(right), positive=left.value != "!=")

    def _solutions(self, equation: Node, values: Node) -> bool:
        """An equation in one unknown against the list of its solutions."""
        if len(equation.names()) != 1 or equation.has("apply") or values.op == "tuple":
            return False
        if not self.deep:
            raise NeedsWorker
        from proofgym.verifiers.math import symbolic

        found = symbolic.solutions(shapes.difference(equation), next(iter(equation.names())))
        return found is not None and self._members(
            [*map(shapes.plain_value, values.args)], found, ordered=False, as_set=True
        )

    # -- collections ----------------------------------------------------------------------------------------------
    def _is_region(self, node: Node) -> bool:
        if node.op in _REGIONS or (node.op in ("or", "and") and all(arg.op in ("rel", "list") for arg in node.args)):
            return True
        if node == Node("sym", value="\\R"):
            return True
        return node.op == "rel" and node.value != "=" and self.policy.inequality_as_interval and "in" not in node.value

    def _collections(self, left: Node, right: Node) -> bool:
        for one, other in ((left, right), (right, left)):
            if one.op == "tuple" and other.op == "matrix" and 1 in other.value:
                return self._members(one.args, other.args, ordered=True)
            if (one.op == "tuple" and other.op == "sym") or (
                one.op in ("list", "set") and not one.args and other.op == "sym"
            ):
                return False
        if left.op not in shapes.COLLECTIONS or right.op not in shapes.COLLECTIONS:
            return False
        if "tuple" in (left.op, right.op):
            if "set" in (left.op, right.op):
                return False
            ordered = self.policy.tuple_order
            pair = shapes.values_of(left, right) if left.op != right.op else (left.args, right.args)
            return self._members(*pair, ordered=ordered)
        ordered = self.policy.list_order and left.op == right.op == "list"
        named = [shapes.name_map(node) for node in (left, right)]
        if named[0] is not None and named[1] is not None:
            if named[0].keys() != named[1].keys():
                return False
            return all(self.same(named[0][name], named[1][name]) for name in named[0])
        as_set = "set" in (left.op, right.op)
        pair = (left.args, right.args)
        if (named[0] is None) != (named[1] is None):
            pair = shapes.values_of(left, right)
        return self._members(*pair, ordered=ordered, as_set=as_set)

    def _members(self, left: Sequence[Node], right: Sequence[Node], *, ordered: bool, as_set: bool = False) -> bool:
        """Whether members match one to one, in order or in any; as a set, repetitions do not count."""
        if ordered:
            return len(left) == len(right) and all(self.same(a, b) for a, b in zip(left, right, strict=True))
        if as_set:
            left, right = self._distinct(left), self._distinct(right)
        if len(left) != len(right):
            return False
        keys = {node.key() for node in left} & {node.key() for node in right}
        rest = [node for node in right if node.key() not in keys] if as_set else list(right)
        for node in left:
            if as_set and node.key() in keys:
                continue
            found = next((k for k, other in enumerate(rest) if self.same(node, other)), None)
            if found is None:
                return False
            rest.pop(found)
        return True

    def _distinct(self, nodes: Sequence[Node]) -> list[Node]:
        seen = list({node.key(): node for node in nodes}.values())
        if len(seen) > 40 or (
            all(shapes.is_number(node) for node in seen) and len({fold(node) for node in seen}) == len(seen)
        ):
            return seen
        distinct: list[Node] = []
        for node in seen:
            if not any(self.same(node, other) for other in distinct):
                distinct.append(node)
        return distinct

    def _matrices(self, left: Node, right: Node) -> bool:
        if left.op == "matrix" == right.op:
            if left.value != right.value:
                return False
            return self._members(left.args, right.args, ordered=True)
        one, other = (left, right) if left.op == "matrix" else (right, left)
        if one.value == (1, 1) or list(one.value) == [1, 1]:
            return self.same(one.args[0], other)
        return False

    def _dotted(self, left: Node, right: Node) -> bool:
        """Trees with an ellipsis are the same only part by part."""
        if left.op == "rel" and left.value == "=" and right.op != "rel" and shapes.is_name(left.args[0]):
            return self._dotted(left.args[1], right)
        if right.op == "rel" and right.value == "=" and left.op != "rel" and shapes.is_name(right.args[0]):
            return self._dotted(left, right.args[1])
        if left.key() == right.key():
            return True
        if left.op != right.op or len(left.args) != len(right.args) or left.value != right.value:
            return False
        for first, second in zip(left.args, right.args, strict=True):
            if first.has("dots") or second.has("dots"):
                if not self._dotted(first, second):
                    return False
            elif not self.same(first, second):
                return False
        return bool(left.args)

    def _proportional(self, left: Node, right: Node) -> bool:
        if len(left.args) != len(right.args):
            return False
        if any(_zero(arg) for arg in (*left.args, *right.args)):
            return all(self.value(a, b) for a, b in zip(left.args, right.args, strict=True))
        first, second = left.args[0], right.args[0]
        return all(
            self.value(Node("mul", (a, second)), Node("mul", (b, first)))
            for a, b in zip(left.args[1:], right.args[1:], strict=True)
        )

    # -- units ----------------------------------------------------------------------------------------------------
    def _measures(self, left: Node, right: Node) -> bool:
        """Compare values with their units, angles and percentages."""
        (first, unit), (second, other) = shapes.unit_of(left), shapes.unit_of(right)
        if (
            self.policy.units == "keep"
            and (unit or "") != (other or "")
            and (shapes.known(unit) is None or shapes.known(other) is None)
        ):
            return False
        one, two = shapes.known(unit), shapes.known(other)
        if one is not None and two is not None:
            if one[0] != two[0]:
                return False
            if one[1] != two[1]:
                first = Node("mul", (first, num(one[1])))
                second = Node("mul", (second, num(two[1])))
        first, second = self._angles(first, second)
        if self.policy.percent == "either" and (shapes.is_percent(first) != shapes.is_percent(second)):
            bare = first.args[0] if shapes.is_percent(first) else first
            also = second.args[0] if shapes.is_percent(second) else second
            if self.value(bare, also):
                return True
        return self.value(first, second)

    def _angles(self, left: Node, right: Node) -> tuple[Node, Node]:
        """Degrees as their number where neither side speaks of π, as radians elsewhere."""
        degrees = [node.op == "fn" and node.value == "deg" for node in (left, right)]
        if all(degrees):
            return left.args[0], right.args[0]
        if self.policy.degrees == "drop" and any(degrees):
            other = right if degrees[0] else left
            if not any(node.op == "const" and node.value == "pi" for node in other.walk()):
                return (left.args[0], right) if degrees[0] else (left, right.args[0])
        return left, right


def _zero(node: Node) -> bool:
    return node.op == "num" and node.value == 0
