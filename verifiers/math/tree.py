"""The closed syntax of mathematics that we read: one immutable node, its JSON, its key, and its static limits.

Every text becomes a tree of these nodes or is refused. A tree holds no code, no callables and no names that mean
anything to an interpreter; it travels to the symbolic workers as JSON and is the only thing that they ever see.

Kinds (`op`), with what `value` and `args` hold:

    num     value: Fraction
    sym     value: name, such as x, x_1, \\alpha, f'
    const   value: pi | e | i | oo
    add, mul, pow, div, neg
    fn      value: name; the functions of `notation.FUNCTIONS`, and deg, pct, base
    apply   value: name of an unknown function
    sum, prod, int, lim, diff: args: body, variable, and the bounds
    rel     value: the signs of a chain such as "<=,<"; args: its members
    tuple, list, set, interval (value: "[)" and the like), union, inter, minus, setof, in
    matrix  value: (rows, columns)
    cases   args: value and condition by turns
    pm      args: one; a plus-minus before it. value: "+" for ±, "-" for ∓
    and, or, not
    dots    an ellipsis
    ratio   args: two or more
    text    value: words
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from proofgym.errors import BadInput

__all__ = ["MAX_DEPTH", "MAX_NODES", "Node", "TooBig", "Unreadable", "big_int", "const", "dumps", "fn", "loads", "num"]

MAX_NODES, MAX_DEPTH = 4000, 60


class Unreadable(BadInput):
    """A text that is no mathematics of the grammar."""


class TooBig(Unreadable):
    """A text, or a value, beyond the static limits."""


@dataclass(frozen=True, slots=True)
class Node:
    """One piece of mathematics; see the head of this module."""

    op: str
    args: tuple[Node, ...] = ()
    value: Any = None

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(node.args)

    def has(self, *ops: str) -> bool:
        """Whether a node of one of these kinds is in it."""
        return any(node.op in ops for node in self.walk())

    def names(self) -> frozenset[str]:
        """The free and bound symbols in it."""
        return frozenset(node.value for node in self.walk() if node.op == "sym")

    def swap(self, old: Node, new: Node) -> Node:
        """The tree with every `old` replaced by `new`."""
        if self == old:
            return new
        if not self.args:
            return self
        return Node(self.op, tuple(arg.swap(old, new) for arg in self.args), self.value)

    def key(self) -> str:
        """A text that is the same for trees that differ only in the order of sums, products and sets.

        >>> x, y = Node("sym", value="x"), Node("sym", value="y")
        >>> Node("add", (x, y)).key() == Node("add", (y, x)).key()
        True
        """
        parts = [arg.key() for arg in self.args]
        if self.op in ("add", "mul", "set", "union", "inter", "and", "or"):
            parts.sort()
        own = "" if self.value is None else str_value(self.value)
        return f"{self.op}:{own}({','.join(parts)})"


def str_value(value: Any) -> str:
    """A node's value as text; integers in hexadecimal, which takes linear time and has no limit of digits."""
    if isinstance(value, Fraction):
        return f"{value.numerator:x}/{value.denominator:x}"
    return str(value)


def num(value: int | Fraction) -> Node:
    """A number."""
    return Node("num", value=Fraction(value))


def const(name: str) -> Node:
    """One of the constants."""
    return Node("const", value=name)


def fn(name: str, *args: Node) -> Node:
    """A known function's value."""
    return Node("fn", args, name)


def big_int(digits: str) -> int:
    """Digits as an integer, however many, without Python's limit of 4,300.

    >>> big_int("9" * 5000) == 10**5000 - 1
    True
    """
    if len(digits) <= 4000:
        return int(digits)
    half = len(digits) // 2
    power: int = 10**half
    return big_int(digits[:-half]) * power + big_int(digits[-half:])


def check(node: Node) -> Node:
    """The node itself, if it is within the limits.

    Raises:
        TooBig: If it is not.
    """
    count, stack = 0, [(node, 1)]
    while stack:
        found, depth = stack.pop()
        count += 1
        if count > MAX_NODES:
            raise TooBig(f"it has more than {MAX_NODES} parts")
        if depth > MAX_DEPTH:
            raise TooBig(f"it nests more than {MAX_DEPTH} deep")
        stack.extend((arg, depth + 1) for arg in found.args)
    return node


def dumps(node: Node) -> Any:
    """A node as plain JSON data."""
    value = node.value
    if isinstance(value, Fraction):
        value = [f"{value.numerator:x}", f"{value.denominator:x}"]
    elif isinstance(value, tuple):
        value = list(value)
    return [node.op, value, *map(dumps, node.args)]


def loads(data: Any) -> Node:
    """Read what `dumps` wrote.

    >>> import json
    >>> half = Node("neg", (num(Fraction(1, 2)),))
    >>> loads(json.loads(json.dumps(dumps(half)))) == half
    True
    """
    op, value, *args = data
    if op == "num":
        value = Fraction(int(value[0], 16), int(value[1], 16))
    elif isinstance(value, list):
        value = tuple(value)
    return Node(op, tuple(map(loads, args)), value)
