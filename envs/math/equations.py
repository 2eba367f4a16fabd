"""Equations as a tutor reads them: whether one holds for known solutions, and how many steps it is from being solved.

A line is parsed by the grammar of `proofgym.verifiers.math` into a tree, and the tree is evaluated at the solutions
with exact fractions. Nothing is rewritten, so a line costs time proportional to its length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from proofgym.verifiers.math.parser import parse
from proofgym.verifiers.math.reading import unwrap
from proofgym.verifiers.math.tree import Node, Unreadable

__all__ = [
    "degree",
    "equations",
    "expanded",
    "factored",
    "finished",
    "holds",
    "names_in",
    "read",
    "signs",
    "terms",
    "value",
]

_MOST_BITS, _LARGEST_POWER, _MOST_CHARACTERS = 600, 8, 400


def read(text: str) -> Node | None:
    """The tree of one formula, or nothing if it cannot be read."""
    text = text.strip().lstrip("= \t")
    if not text or len(text) > _MOST_CHARACTERS:
        return None
    try:
        return parse(unwrap(text))
    except (ValueError, RecursionError):
        return None


def names_in(node: Node) -> set[str]:
    """The letters in a tree."""
    return {part.value for part in node.walk() if part.op in ("sym", "apply")}


def value(node: Node, at: Mapping[str, Fraction]) -> Fraction:
    """The exact value of an expression.

    Raises:
        Unreadable: For anything but arithmetic, small powers, square roots that come out and the given letters.
    """
    found = _value(node, at)
    if max(found.numerator.bit_length(), found.denominator.bit_length()) > _MOST_BITS:
        raise Unreadable("the numbers are too large")
    return found


def _value(node: Node, at: Mapping[str, Fraction]) -> Fraction:
    op, args = node.op, node.args
    if op == "num":
        return Fraction(node.value)
    if op == "sym" and node.value in at:
        return at[node.value]
    if op == "apply" and node.value in at and len(args) == 1:  # x(x - 3) is a product
        return at[node.value] * value(args[0], at)
    if op == "add":
        return sum((value(arg, at) for arg in args), Fraction(0))
    if op == "mul":
        product = Fraction(1)
        for arg in args:
            product *= value(arg, at)
        return product
    if op == "neg":
        return -value(args[0], at)
    if op in ("div", "ratio") and len(args) == 2:
        below = value(args[1], at)
        if not below:
            raise Unreadable("it divides by zero")
        return value(args[0], at) / below
    if op == "pow":
        exponent = value(args[1], at)
        if exponent.denominator == 1 and 0 <= exponent <= _LARGEST_POWER:
            return Fraction(value(args[0], at) ** int(exponent))
        raise Unreadable("an exponent is a whole number up to 8")
    if op == "fn" and node.value == "sqrt" and len(args) == 1:
        inside = value(args[0], at)
        above, below_ = (math.isqrt(abs(part)) for part in (inside.numerator, inside.denominator))
        if inside >= 0 and above * above == inside.numerator and below_ * below_ == inside.denominator:
            return Fraction(above, below_)
        raise Unreadable("a square root has to come out")
    raise Unreadable("it holds more than arithmetic and the unknowns")


def signs(node: Node) -> list[Node]:
    """The readings of a tree with a plus-minus sign: two, or just the tree."""
    if not node.has("pm"):
        return [node]
    return [_signed(node, "+"), _signed(node, "-")]


def _signed(node: Node, sign: str) -> Node:
    if node.op == "pm":
        inner = _signed(node.args[0], sign)
        return inner if (node.value == "+") == (sign == "+") else Node("neg", (inner,))
    return Node(node.op, tuple(_signed(arg, sign) for arg in node.args), node.value)


def equations(node: Node) -> list[tuple[Node, Node]] | None:
    """The equations that a line states, alternatives and chains taken apart; nothing if it states something else."""
    found: list[tuple[Node, Node]] = []
    for part in node.args if node.op in ("list", "or", "and") else (node,):
        if part.op == "rel" and set(part.value.split(",")) == {"="}:
            found += zip(part.args, part.args[1:], strict=False)
        elif part.op == "rel" and part.value == "in" and part.args[1].op in ("set", "list"):
            found += ((part.args[0], option) for option in part.args[1].args)
        elif found and found[-1][0].op == "sym" and part.op in ("num", "neg", "div"):
            found.append((found[-1][0], part))  # x = 3, -5
        else:
            return None
    return found


def holds(left: Node, right: Node, at: Mapping[str, Fraction]) -> bool:
    """Whether an equation is true there.

    Raises:
        Unreadable: As `value` does, and where a side has no value.
    """
    return value(left, at) == value(right, at)


def finished(node: Node) -> bool:
    """Whether an expression is a number with nothing left to do: whole, decimal, or a fraction in lowest terms."""
    if node.op == "neg":
        return node.args[0].op in ("num", "div") and finished(node.args[0])
    if node.op == "div":
        above, below = node.args
        above = above.args[0] if above.op == "neg" else above
        if above.op == below.op == "num" and below.value > 1:
            return bool(Fraction(above.value / below.value).denominator == below.value)
        return False
    return node.op == "num"


def terms(node: Node, names: Sequence[str]) -> tuple[int, int]:
    """How many terms of a sum hold an unknown, and how many do not; a lone 0 is no term."""
    held = free = 0
    for part in _flat(node):
        if names_in(part) & set(names):
            held += 1
        elif part.op != "num" or part.value:
            free += 1
    return held, free


def _flat(node: Node) -> list[Node]:
    if node.op == "add":
        return [part for arg in node.args for part in _flat(arg)]
    if node.op == "neg":
        return _flat(node.args[0])
    return [node]


def expanded(node: Node, names: Sequence[str]) -> bool:
    """Whether no sum that holds an unknown stands under a product, a quotient or a power."""
    return not any(
        part.op in ("mul", "div", "pow", "apply")
        and any(inner.op == "add" and names_in(inner) & set(names) for arg in part.args for inner in arg.walk())
        for part in node.walk()
    )


def factored(node: Node, names: Sequence[str]) -> bool:
    """Whether it is a product whose factors are of the first degree at most, two of them with an unknown."""
    node = node.args[0] if node.op == "neg" else node
    if node.op == "apply":  # x(x - 3)
        return degree(node.args[0], names) == 1
    parts: list[Node] = []
    for part in node.args if node.op == "mul" else (node,):
        if part.op == "apply":
            parts += (Node("sym", value=part.value), *part.args)
        elif part.op == "pow" and part.args[1] == Node("num", value=Fraction(2)):
            parts += (part.args[0], part.args[0])
        else:
            parts.append(part)
    degrees = [degree(part, names) for part in parts]
    return degrees.count(1) == 2 and all(d in (0, 1) for d in degrees)


def degree(node: Node, names: Sequence[str]) -> int:
    """The highest power of an unknown, as it is written; 99 for what is no polynomial."""
    op, args = node.op, node.args
    if op == "num":
        return 0
    if op == "sym":
        return 1 if node.value in names else 99
    if op in ("add", "neg"):
        return max(degree(arg, names) for arg in args)
    if op == "mul":
        return min(99, sum(degree(arg, names) for arg in args))
    if op == "apply":
        return min(99, (1 if node.value in names else 99) + degree(args[0], names))
    if op == "div" and degree(args[1], names) == 0:
        return degree(args[0], names)
    if op == "pow" and args[1].op == "num" and args[1].value.denominator == 1 and 0 <= args[1].value <= _LARGEST_POWER:
        return min(99, degree(args[0], names) * int(args[1].value))
    if op == "fn" and node.value == "sqrt" and degree(args[0], names) == 0:
        return 0
    return 99
