"""Parts of the real line: intervals, unions, inequalities, set-builders in one form, and whether two are the same."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from proofgym.verifiers.math.exact import fold
from proofgym.verifiers.math.identity import NeedsWorker
from proofgym.verifiers.math.tree import Node, Unreadable, const, num

if TYPE_CHECKING:
    from proofgym.verifiers.math.compare import Comparer

__all__ = ["Piece", "near", "positive", "same"]

_OO, _MINUS_OO = const("oo"), Node("neg", (const("oo"),))
_FLIP = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}


class NoRegion(Unreadable):
    """A tree that is no part of the real line."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One interval; a single point has equal ends, both closed."""

    low: Node
    low_closed: bool
    high: Node
    high_closed: bool


_LINE = Piece(_MINUS_OO, False, _OO, False)


def same(left: Node, right: Node, comparer: Comparer) -> bool:
    """Whether two trees are the same part of the real line.

    Raises:
        NeedsWorker: If exact arithmetic does not decide and no more is allowed here.
    """
    left, right = _of_function(left), _of_function(right)
    try:
        return _Line(comparer).same(left, right)
    except NoRegion:
        return _by_parts(left, right, comparer)


def _of_function(node: Node) -> Node:
    """`0 < f(x) < 1` as a statement about one unknown."""
    values = {part for part in node.walk() if part.op == "apply"}
    if node.op != "rel" or len(values) != 1 or node.names() != next(iter(values)).names():
        return node
    value = values.pop()
    return node.swap(value, Node("sym", value=f"value of {value.value}"))


def _by_parts(left: Node, right: Node, comparer: Comparer) -> bool:
    if left.op != right.op or left.value != right.value or len(left.args) != len(right.args):
        return False
    if left.op in ("union", "inter", "or", "and"):
        return comparer._members(left.args, right.args, ordered=False)
    return all(comparer.same(a, b) for a, b in zip(left.args, right.args, strict=True))


class _Line:
    def __init__(self, comparer: Comparer) -> None:
        self.comparer = comparer
        self.cache: dict[str, Fraction | float] = {}

    def same(self, left: Node, right: Node) -> bool:
        first, second = self.pieces(left), self.pieces(right)
        if len(first) != len(second):
            return False
        rest = list(second)
        for piece in first:
            found = next((k for k, other in enumerate(rest) if self._equal(piece, other)), None)
            if found is None:
                return False
            rest.pop(found)
        return True

    def _equal(self, piece: Piece, other: Piece) -> bool:
        if (piece.low_closed, piece.high_closed) != (other.low_closed, other.high_closed):
            return False
        return self.comparer.value(piece.low, other.low) and self.comparer.value(piece.high, other.high)

    # -- from trees to pieces -------------------------------------------------------------------------------------
    def pieces(self, node: Node) -> list[Piece]:
        """A tree as disjoint pieces in order."""
        op, args = node.op, node.args
        if op == "interval" or (op == "tuple" and len(args) == 2 and node.value == "()"):
            return self._tidy([self._piece(args[0], node.value[0] == "[", args[1], node.value[1] == "]")])
        if op in ("union", "or"):
            return self._tidy([piece for arg in args for piece in self.pieces(arg)])
        if op in ("inter", "and"):
            found = self.pieces(args[0])
            for arg in args[1:]:
                found = self._meet(found, self.pieces(arg))
            return found
        if op == "minus":
            return self._meet(self.pieces(args[0]), self._outside(self.pieces(args[1])))
        if op in ("set", "list"):
            if op == "list" and any(arg.op == "rel" and arg.value != "=" for arg in args):
                found = self.pieces(args[0])
                for arg in args[1:]:
                    found = self._meet(found, self.pieces(arg))
                return found
            return self._tidy([Piece(arg, True, arg, True) for arg in map(_value, args)])
        if op == "sym" and node.value == "\\R":
            return [_LINE]
        if op == "setof":
            return self._builder(node)
        if op == "rel":
            return self._relation(node)
        if op in ("num", "neg", "div", "fn", "const", "add", "mul", "pow"):
            return [Piece(node, True, node, True)]
        raise NoRegion(f"{op} is no part of the real line")

    @staticmethod
    def _piece(low: Node, low_closed: bool, high: Node, high_closed: bool) -> Piece:
        for end in (low, high):
            if end.op in ("tuple", "list", "rel", "set", "interval"):
                raise NoRegion("an end is no number")
        return Piece(low, low_closed and low != _MINUS_OO, high, high_closed and high != _OO)

    def _builder(self, node: Node) -> list[Piece]:
        element, condition = node.args
        if element.op == "rel" and element.value == "in" and element.args[0].op == "sym":
            if element.args[1] != Node("sym", value="\\R"):
                raise NoRegion("a set of something else than real numbers")
            element = element.args[0]
        if element.op != "sym" or element.value not in condition.names():
            raise NoRegion("a set of something else than its variable")
        return self.pieces(condition)

    def _relation(self, node: Node) -> list[Piece]:
        signs, members = node.value.split(","), node.args
        if signs == ["in"]:
            return self.pieces(members[1])
        if any(sign not in _FLIP for sign in signs):
            raise NoRegion("a relation that is no inequality")
        found = [_LINE]
        for sign, (left, right) in zip(signs, pairwise(members), strict=True):
            found = self._meet(found, self._half(left, sign, right, node))
        return found

    def _half(self, left: Node, sign: str, right: Node, whole: Node) -> list[Piece]:
        """The part of the line where one inequality holds."""
        if right.op == "sym" and (left.op != "sym" or self._unknown(whole) == right.value):
            left, sign, right = right, _FLIP[sign], left
        unknown = self._unknown(whole)
        if left.op == "sym" and left.value == unknown and unknown not in right.names():
            return self._side(sign, right)
        return self._solved(Node("add", (left, Node("neg", (right,)))), sign, unknown)

    @staticmethod
    def _unknown(node: Node) -> str:
        names = node.names()
        alone = [arg.value for arg in node.args if arg.op == "sym"]
        if len(names) == 1:
            return next(iter(names))
        if len(alone) == 1:
            return str(alone[0])
        if len(node.args) == 3 and node.args[1].op == "sym":
            return str(node.args[1].value)
        raise NoRegion("which unknown is meant is not clear")

    @staticmethod
    def _side(sign: str, bound: Node) -> list[Piece]:
        if sign in ("<", "<="):
            return [Piece(_MINUS_OO, False, bound, sign == "<=" and bound != _OO)]
        if sign in (">", ">="):
            return [Piece(bound, sign == ">=" and bound != _MINUS_OO, _OO, False)]
        if sign == "=":
            return [Piece(bound, True, bound, True)]
        return [Piece(_MINUS_OO, False, bound, False), Piece(bound, False, _OO, False)]

    def _solved(self, difference: Node, sign: str, unknown: str) -> list[Piece]:
        """Where `difference sign 0`: by hand if linear, else by sympy in a worker."""
        if _degree(difference) <= 1:
            first, second = (fold(difference.swap(Node("sym", value=unknown), num(k))) for k in (0, 1))
            if first is not None and second is not None:
                slope = second - first
                if slope:
                    return self._side(sign if slope > 0 else _FLIP[sign], num(-first / slope))
                holds = {"<": first < 0, "<=": first <= 0, ">": first > 0, ">=": first >= 0, "=": first == 0}
                return [_LINE] if holds.get(sign, first != 0) else []
        if not self.comparer.deep:
            raise NeedsWorker
        from proofgym.verifiers.math import symbolic

        pieces = symbolic.solve_inequality(difference, sign, unknown)
        if pieces is None:
            raise NoRegion("the inequality is not solved")
        return self._tidy([Piece(*piece) for piece in pieces])

    # -- algebra of pieces ----------------------------------------------------------------------------------------
    def _at(self, node: Node) -> Fraction | float:
        """Where an end lies on the line, near enough to sort."""
        if node == _OO:
            return float("inf")
        if node == _MINUS_OO:
            return float("-inf")
        key = node.key()
        if key not in self.cache:
            value = fold(node)
            if value is None:
                if node.names():
                    raise NoRegion("an end with a symbol")
                if not self.comparer.deep:
                    raise NeedsWorker
                value = approximate(node)
            self.cache[key] = value
        return self.cache[key]

    def _tidy(self, pieces: list[Piece]) -> list[Piece]:
        """Disjoint pieces in order; one piece alone may have ends with symbols."""
        if len(pieces) <= 1 and not (pieces and pieces[0].low == pieces[0].high):
            if pieces and not pieces[0].low.names() and not pieces[0].high.names():
                low, high = self._at(pieces[0].low), self._at(pieces[0].high)
                if low > high or (low == high and not (pieces[0].low_closed and pieces[0].high_closed)):
                    raise NoRegion("an interval whose ends are the wrong way round")
            return pieces
        ordered = sorted(pieces, key=lambda piece: (self._at(piece.low), not piece.low_closed))
        joined: list[Piece] = []
        for piece in ordered:
            last = joined[-1] if joined else None
            if last is not None:
                gap = self._at(piece.low) > self._at(last.high) or (
                    self._at(piece.low) == self._at(last.high) and not (piece.low_closed or last.high_closed)
                )
                if not gap:
                    far = self._at(piece.high) > self._at(last.high) or (
                        self._at(piece.high) == self._at(last.high) and piece.high_closed
                    )
                    if far:
                        joined[-1] = Piece(last.low, last.low_closed, piece.high, piece.high_closed)
                    continue
            joined.append(piece)
        return joined

    def _meet(self, left: list[Piece], right: list[Piece]) -> list[Piece]:
        if left == [_LINE]:
            return right
        if right == [_LINE]:
            return left
        if len(left) == len(right) == 1 and left[0].high == _OO and right[0].low == _MINUS_OO:
            left, right = right, left
        if len(left) == len(right) == 1 and left[0].low == _MINUS_OO and right[0].high == _OO:
            low, high = right[0].low, left[0].high
            if low.names() or high.names():  # a < x < b for symbols a and b
                return [Piece(low, right[0].low_closed, high, left[0].high_closed)]
        found = []
        for a in left:
            for b in right:
                start = max((self._at(p.low), not p.low_closed, k) for k, p in enumerate((a, b)))
                end = min((self._at(p.high), p.high_closed, k) for k, p in enumerate((a, b)))
                first, last = (a, b)[start[2]], (a, b)[end[2]]
                if start[0] < end[0] or (start[0] == end[0] and first.low_closed and last.high_closed):
                    found.append(Piece(first.low, first.low_closed, last.high, last.high_closed))
        return self._tidy(found)

    def _outside(self, pieces: list[Piece]) -> list[Piece]:
        found = [_LINE]
        for piece in pieces:
            sides = []
            if piece.low != _MINUS_OO:
                sides.append(Piece(_MINUS_OO, False, piece.low, not piece.low_closed))
            if piece.high != _OO:
                sides.append(Piece(piece.high, not piece.high_closed, _OO, False))
            found = self._meet(found, sides)
        return found


def _value(node: Node) -> Node:
    return node.args[1] if node.op == "rel" and node.value == "=" and node.args[0].op == "sym" else node


def _degree(node: Node) -> int:
    """The degree of a polynomial as it is written; large for all that is none."""
    parts = [_degree(arg) for arg in node.args]
    if node.op == "sym":
        return 1
    if node.op in ("num", "const"):
        return 0
    if node.op in ("add", "neg"):
        return max(parts)
    if node.op == "mul":
        return sum(parts)
    if node.op == "div" and parts[1] == 0:
        return parts[0]
    return 0 if parts and not node.names() else 99


def approximate(node: Node) -> Fraction:
    """A real constant to 60 digits. In a worker only.

    Raises:
        NoRegion: If it is not real.
    """
    from mpmath import mp

    from proofgym.verifiers.math.points import Point, evaluate

    with mp.workprec(400):
        value = evaluate(node, Point({}))
        if mp.im(value) or not mp.isfinite(value):
            raise NoRegion("an end that is not real")
        return Fraction(int(mp.nint(mp.re(value) * mp.mpf(2) ** 200)), 2**200)


def positive(node: Node) -> bool:
    """Whether a real constant is positive. In a worker only."""
    return approximate(node) > 0


def near(exact: Node, rounded: Node) -> bool:
    """Whether a rounded value lies within one percent of an exact one. In a worker only."""
    first, second = approximate(exact), approximate(rounded)
    return abs(first - second) <= abs(first) / 100 + Fraction(1, 10**6)


def contains(larger: Node, smaller: Node, comparer: Comparer) -> bool:
    """Whether one part of the real line holds another. In a worker only.

    Raises:
        NoRegion: If a tree is no part of the real line.
    """
    line = _Line(comparer)
    first, second = line.pieces(larger), line.pieces(smaller)
    return all(
        any(
            (line._at(a.low), not a.low_closed) <= (line._at(b.low), not b.low_closed)
            and (line._at(b.high), b.high_closed) <= (line._at(a.high), a.high_closed)
            for a in first
        )
        for b in second
    )
