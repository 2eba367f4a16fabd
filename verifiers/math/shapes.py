"""Small questions about one tree: is it a name, a number, a definition; what is its unit; what does ± make of it."""

from __future__ import annotations

import re
from fractions import Fraction

from proofgym.verifiers.math.notation import UNITS
from proofgym.verifiers.math.tree import Node, const

__all__ = [
    "assigned",
    "both_signs",
    "collected",
    "definition",
    "difference",
    "endless",
    "first_name",
    "infinite",
    "is_name",
    "is_number",
    "is_percent",
    "known",
    "matrix_value",
    "name_map",
    "plain_value",
    "renamed",
    "signed",
    "unfinished",
    "unit_of",
    "values_of",
]

_CARRIED_OUT = {
    "gcd",
    "lcm",
    "binom",
    "factorial",
    "doublefactorial",
    "det",
    "max",
    "min",
    "floor",
    "ceiling",
    "mod",
    "abs",
}
COLLECTIONS = ("list", "tuple", "set")


def infinite(node: Node) -> int:
    """1 and -1 for the two infinities, 0 for all else."""
    if node == const("oo"):
        return 1
    return -1 if node.op == "neg" and node.args[0] == const("oo") else 0


def endless(node: Node) -> bool:
    return any(part.op in ("sum", "prod") and part.args[3] == const("oo") for part in node.walk())


def is_number(node: Node) -> bool:
    return node.op == "num" or (node.op == "neg" and node.args[0].op == "num")


def is_percent(node: Node) -> bool:
    return node.op == "fn" and node.value == "pct"


def is_name(node: Node) -> bool:
    if node.op == "tuple":
        return bool(node.args) and all(map(is_name, node.args)) and not all(arg.op == "num" for arg in node.args)
    if node.op == "ratio":
        return all(map(is_name, node.args))
    if node.op == "mul":  # S_{ABC}, AB, a triangle's name in letters
        return len(node.args) <= 5 and all(arg.op == "sym" and arg.value[:1].isupper() for arg in node.args)
    if node.op == "div" or (node.op == "fn" and node.value == "abs"):  # a quotient of segments, a length |AB|
        return all(arg.op == "mul" and is_name(arg) for arg in node.args)
    return node.op in ("sym", "apply") or (node.op == "const" and node.value in ("e", "i"))


def definition(node: Node) -> tuple[Node, Node] | None:
    """Name and value of an equation that names a value."""
    left, right = node.args
    if is_name(left) and not (left.op == "sym" and left.value in right.names()):
        return left, right
    return (right, left) if is_name(right) and not (right.op == "sym" and right.value in left.names()) else None


def renamed(first: tuple[Node, Node], second: tuple[Node, Node]) -> tuple[Node, Node] | None:
    """Values of two functions with the argument's name made the same: f(x) = x and f(t) = t."""
    (name, value), (other, its) = first, second
    if name.op == other.op == "apply" and len(name.args) == len(other.args) and name.value == other.value:
        if all(arg.op == "sym" for arg in (*name.args, *other.args)):
            for k, (a, b) in enumerate(zip(name.args, other.args, strict=True)):
                common = Node("sym", value=f"argument {k}")
                value, its = value.swap(a, common), its.swap(b, common)
            return value, its
        return None
    if {name.op, other.op} == {"apply", "sym"} and "y" in (name.value, other.value):
        return value, its
    return None


def first_name(node: Node) -> Node:
    """`x = 1, 2, 3` as the list of its values."""
    first, rest = node.args[0] if node.args else None, node.args[1:]
    if first is None or first.op != "rel" or first.value not in ("=", "in") or any(arg.op == "rel" for arg in rest):
        return node
    return Node("list", (first.args[1], *rest)) if is_name(first.args[0]) else node


def plain_value(node: Node) -> Node:
    if node.op == "rel" and node.value == "=" and is_name(node.args[0]):
        return node.args[1]
    return node


def values_of(left: Node, right: Node) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    return tuple(map(plain_value, left.args)), tuple(map(plain_value, right.args))


def name_map(node: Node) -> dict[str, Node] | None:
    """The values by name, for a list of definitions with different names."""
    found: dict[str, Node] = {}
    for arg in node.args:
        if arg.op != "rel" or arg.value != "=" or not is_name(arg.args[0]):
            return None
        found[arg.args[0].key()] = arg.args[1]
    return found if len(found) == len(node.args) else None


def matrix_value(node: Node) -> Node:
    """Sums, products and multiples of matrices as one matrix; the tree itself where there are none that fit."""
    if node.op not in ("add", "mul", "neg", "div") or not node.has("matrix"):
        return node
    parts = [matrix_value(arg) for arg in node.args]
    if node.op == "neg" and parts[0].op == "matrix":
        return Node("matrix", tuple(Node("neg", (cell,)) for cell in parts[0].args), parts[0].value)
    if node.op == "div" and parts[0].op == "matrix":
        return Node("matrix", tuple(Node("div", (cell, parts[1])) for cell in parts[0].args), parts[0].value)
    total = parts[0]
    for part in parts[1:]:
        joined = _joined(node.op, total, part)
        if joined is None:
            return node
        total = joined
    return total


def _joined(op: str, left: Node, right: Node) -> Node | None:
    if left.op != "matrix" and right.op != "matrix":
        return Node(op, (left, right))
    if left.op != "matrix" or right.op != "matrix":
        scalar, matrix = (right, left) if left.op == "matrix" else (left, right)
        if op == "add":
            return None
        return Node("matrix", tuple(Node("mul", (scalar, cell)) for cell in matrix.args), matrix.value)
    (rows, inner), (other, columns) = left.value, right.value
    if op == "add":
        if (rows, inner) != (other, columns):
            return None
        return Node("matrix", tuple(Node("add", pair) for pair in zip(left.args, right.args, strict=True)), left.value)
    if inner != other or rows * inner * columns > 512:
        return None
    cells = []
    for r in range(rows):
        for c in range(columns):
            terms = [Node("mul", (left.args[r * inner + k], right.args[k * columns + c])) for k in range(inner)]
            cells.append(Node("add", tuple(terms)) if inner > 1 else terms[0])
    return Node("matrix", tuple(cells), (rows, columns))


def unfinished(node: Node) -> frozenset[str]:
    """What a tree leaves to be carried out: sums of numbers, powers, factorials, integrals."""
    found = set()
    for part in node.walk():
        numbers = all(is_number(arg) for arg in part.args)
        if part.op in ("sum", "prod", "int", "lim") or (part.op == "fn" and part.value in _CARRIED_OUT):
            found.add(str(part.value or part.op))
        elif part.op in ("add", "mul") and sum(is_number(arg) for arg in part.args) > 1:
            found.add(part.op)
        elif part.op == "pow" and numbers and part.args[0].value != 10:
            found.add("pow")
        elif part.op == "div" and numbers and _whole(part):
            found.add("div")
    return frozenset(found)


def _whole(quotient: Node) -> bool:
    above, below = (arg.args[0].value if arg.op == "neg" else arg.value for arg in quotient.args)
    return bool(below) and (above / below).denominator == 1


def both_signs(node: Node) -> list[Node]:
    """The two values of a tree with ±, or the tree itself."""
    if not node.has("pm"):
        return [node]
    return [signed(node, upper) for upper in (True, False)]


def signed(node: Node, upper: bool) -> Node:
    if node.op == "pm":
        inner = signed(node.args[0], upper)
        return inner if (node.value == "+") == upper else Node("neg", (inner,))
    return Node(node.op, tuple(signed(arg, upper) for arg in node.args), node.value) if node.args else node


def collected(nodes: list[Node]) -> Node:
    if all(node.op == "rel" and node.value == "=" and is_name(node.args[0]) for node in nodes):
        nodes = [node.args[1] for node in nodes]
    return Node("list", tuple(nodes))


def difference(relation: Node) -> Node:
    left, right = relation.args
    return Node("add", (left, Node("neg", (right,))))


def assigned(node: Node, values: dict[str, Node]) -> Node:
    if node.op == "sym":
        return values.get(node.value, node)
    return Node(node.op, tuple(assigned(arg, values) for arg in node.args), node.value) if node.args else node


def unit_of(node: Node) -> tuple[Node, str]:
    return (node.args[0], node.value) if node.op == "unit" else (node, "")


def known(unit: str) -> tuple[str, Fraction] | None:
    """What a unit measures and its size; `None` for words that are no unit that we know."""
    words = unit.strip(" .")
    power = 1
    found = re.fullmatch(r"(?:(square|sq\.?|cubic)\s+)?([A-Za-z]+)\s*(?:\^\s*([23]))?", words)
    if found is None:
        return None
    if found[1]:
        power = 3 if found[1] == "cubic" else 2
    if found[3]:
        power = int(found[3])
    entry = UNITS.get(found[2]) or UNITS.get(found[2].lower())
    return None if entry is None else (f"{entry[0]}^{power}", entry[1] ** power)
