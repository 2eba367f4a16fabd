"""What needs sympy: solution sets, integrals, limits, and proofs by simplification. Runs in the symbolic workers only.

Trees become sympy objects node by node; no text ever does.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from proofgym.verifiers.math.exact import fold
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, const, num

__all__ = ["done", "from_sympy", "proves_equal", "same_solutions", "solutions", "solve_inequality", "to_sympy"]

_FUNCTIONS: dict[str, Any] = {
    "sin": sympy.sin, "cos": sympy.cos, "tan": sympy.tan, "cot": sympy.cot, "sec": sympy.sec, "csc": sympy.csc,
    "arcsin": sympy.asin, "arccos": sympy.acos, "arctan": sympy.atan, "arccot": sympy.acot, "sinh": sympy.sinh,
    "cosh": sympy.cosh, "tanh": sympy.tanh, "exp": sympy.exp, "ln": sympy.log, "sqrt": sympy.sqrt, "abs": sympy.Abs,
    "floor": sympy.floor, "ceiling": sympy.ceiling, "factorial": sympy.factorial, "binom": sympy.binomial,
    "re": sympy.re,
    "im": sympy.im, "conj": sympy.conjugate, "sgn": sympy.sign, "min": sympy.Min, "max": sympy.Max, "gcd": sympy.gcd,
    "lcm": sympy.lcm, "mod": sympy.Mod, "gamma": sympy.gamma, "arcsinh": sympy.asinh, "arccosh": sympy.acosh,
    "arctanh": sympy.atanh, "doublefactorial": sympy.factorial2,
}  # fmt: skip
_BACK = {function: name for name, function in _FUNCTIONS.items() if isinstance(function, type)} | {sympy.Abs: "abs"}
_MAX_DEGREE = 60


def to_sympy(node: Node, names: dict[str, Any] | None = None) -> Any:
    """A tree as a sympy object.

    Raises:
        Unreadable: For kinds that sympy has no use for here.
        TooBig: For powers that sympy would try to write out.
    """
    names = {} if names is None else names
    op, args = node.op, node.args
    if op == "num":
        return sympy.Rational(node.value.numerator, node.value.denominator)
    if op == "sym":
        return names.setdefault(node.value, sympy.Symbol(node.value, real=True))
    if op == "const":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}[node.value]
    if op == "pow":
        exponent = _exponent(args[1])
        if exponent is not None and abs(exponent) > 500:
            raise TooBig("a power too large for sympy")
    parts = [to_sympy(arg, names) for arg in args]
    if op == "add":
        return sympy.Add(*parts)
    if op == "mul":
        return sympy.Mul(*parts)
    if op == "neg":
        return -parts[0]
    if op in ("div", "ratio"):
        return parts[0] / parts[1]
    if op == "pow":
        return parts[0] ** parts[1]
    if op == "unit":
        return parts[0]
    if op == "fn" and node.value in ("deg", "pct", "root"):
        return {
            "deg": lambda: parts[0] * sympy.pi / 180,
            "pct": lambda: parts[0] / 100,
            "root": lambda: sympy.root(parts[0], parts[1]),
        }[node.value]()
    if op == "fn" and node.value in _FUNCTIONS:
        if node.value in ("factorial", "binom") and parts[0].is_number and parts[0] > 3000:
            raise TooBig("a factorial too large for sympy")
        return _FUNCTIONS[node.value](*parts)
    if op == "apply":
        return sympy.Function("f " + node.value)(*parts)
    if op in ("sum", "prod"):
        return (sympy.Sum if op == "sum" else sympy.Product)(parts[0], (parts[1], parts[2], parts[3]))
    if op == "int":
        return sympy.Integral(parts[0], (parts[1], *parts[2:]) if len(parts) > 2 else parts[1])
    if op == "lim":
        return sympy.Limit(parts[0], parts[1], parts[2])
    raise Unreadable(f"{op} is nothing that sympy reads here")


def _exponent(node: Node) -> Fraction | None:
    return fold(node)


def from_sympy(value: Any) -> Node:
    """A sympy object as a tree.

    Raises:
        Unreadable: For kinds that we do not hold.
    """
    if value.is_Rational:
        return num(Fraction(int(value.p), int(value.q)))
    if value.is_Symbol:
        return Node("sym", value=value.name)
    for known, name in ((sympy.pi, "pi"), (sympy.E, "e"), (sympy.I, "i"), (sympy.oo, "oo")):
        if value == known:
            return const(name)
    if value == -sympy.oo:
        return Node("neg", (const("oo"),))
    if value.is_Add or value.is_Mul:
        return Node("add" if value.is_Add else "mul", tuple(map(from_sympy, value.args)))
    if value.is_Pow:
        return Node("pow", tuple(map(from_sympy, value.args)))
    if isinstance(value, sympy.exp):
        return Node("pow", (const("e"), from_sympy(value.args[0])))
    function = _BACK.get(value.func)
    if function is None:
        raise Unreadable(f"sympy's {value.func.__name__} is nothing that we hold")
    return Node("fn", tuple(map(from_sympy, value.args)), function)


def done(node: Node) -> Node:
    """The tree with integrals, limits and endless series carried out, where sympy can.

    Raises:
        Unreadable: Where it cannot.
    """
    if node.op in ("int", "lim") or (node.op in ("sum", "prod") and node.args[3] == const("oo")):
        value = to_sympy(node).doit()
        if value.has(sympy.Integral, sympy.Limit, sympy.Sum, sympy.Product, sympy.nan):
            raise Unreadable("sympy does not carry it out")
        return from_sympy(value)
    return Node(node.op, tuple(map(done, node.args)), node.value) if node.args else node


def proves_equal(left: Node, right: Node) -> bool:
    """Whether sympy proves that two expressions are equal."""
    try:
        difference = to_sympy(Node("add", (left, Node("neg", (right,)))))
    except Unreadable:
        return False
    if difference == 0:
        return True
    for step in (sympy.expand, sympy.cancel, sympy.radsimp, sympy.trigsimp, sympy.simplify):
        difference = step(difference)
        if difference == 0:
            return True
    return False


def _polynomial(node: Node) -> Any:
    above, _ = sympy.fraction(sympy.together(to_sympy(node)))
    found = sympy.Poly(sympy.expand(above))
    if found.total_degree() > _MAX_DEGREE or len(found.terms()) > 500:
        raise TooBig("a polynomial this large")
    return found


def same_solutions(first: Node, second: Node) -> bool:
    """Whether two differences vanish at the same points: as polynomials, with the same factors."""
    try:
        left, right = _polynomial(first), _polynomial(second)
    except (Unreadable, sympy.PolynomialError, sympy.GeneratorsNeeded):
        return False
    if left.gens != right.gens:
        return False
    if len(left.gens) == 1:
        return solutions(first, left.gens[0].name) == solutions(second, right.gens[0].name) != []
    factors = [
        {factor.monic() if len(factor.gens) == 1 else factor.primitive()[1] for factor, _ in p.factor_list()[1]}
        for p in (left, right)
    ]
    plain = [{min(str(f.as_expr()), str((-f).as_expr())) for f in found} for found in factors]
    return plain[0] == plain[1]


def solutions(difference: Node, unknown: str) -> list[Node] | None:
    """The real solutions of `difference = 0`, in order; `None` if they are not found."""
    names: dict[str, Any] = {}
    try:
        expression = to_sympy(difference, names)
        symbol = names[unknown]
        found = sympy.solveset(expression, symbol, domain=sympy.S.Reals)
        if found is sympy.S.EmptySet:
            return []
        if not isinstance(found, sympy.FiniteSet):
            return None
        return [from_sympy(value) for value in sorted(found, key=lambda value: float(value))]
    except (Unreadable, TypeError, NotImplementedError, KeyError, ValueError):
        return None


def solve_inequality(difference: Node, sign: str, unknown: str) -> list[tuple[Node, bool, Node, bool]] | None:
    """Where `difference sign 0`, as intervals; `None` if it is not found."""
    names: dict[str, Any] = {}
    try:
        expression = to_sympy(difference, names)
        symbol = names[unknown]
        relation = {"<": sympy.Lt, "<=": sympy.Le, ">": sympy.Gt, ">=": sympy.Ge, "!=": sympy.Ne, "=": sympy.Eq}[sign]
        if len(expression.free_symbols) != 1:
            return None
        found = sympy.solveset(relation(expression, 0), symbol, domain=sympy.S.Reals)
        return [piece for part in _parts(found) for piece in [_piece(part)]]
    except (Unreadable, TypeError, NotImplementedError, KeyError, ValueError):
        return None


def _parts(found: Any) -> list[Any]:
    if found is sympy.S.EmptySet:
        return []
    if isinstance(found, sympy.Union):
        return [part for arg in found.args for part in _parts(arg)]
    if isinstance(found, sympy.FiniteSet):
        return [sympy.Interval(value, value) for value in found] and [sympy.FiniteSet(value) for value in found]
    if isinstance(found, sympy.Interval):
        return [found]
    raise NotImplementedError


def _piece(part: Any) -> tuple[Node, bool, Node, bool]:
    if isinstance(part, sympy.FiniteSet):
        value = from_sympy(next(iter(part)))
        return value, True, value, True
    low, high = from_sympy(part.start), from_sympy(part.end)
    return low, not part.left_open and part.start != -sympy.oo, high, not part.right_open and part.end != sympy.oo
