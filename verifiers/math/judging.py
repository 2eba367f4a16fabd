"""One request to a symbolic worker: trees in, what was decided out."""

from __future__ import annotations

from dataclasses import fields
from fractions import Fraction
from typing import Any

import mpmath

from proofgym.verifiers.math import points
from proofgym.verifiers.math.compare import Comparer, Undecided
from proofgym.verifiers.math.policy import MathPolicy
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, loads

__all__ = ["judge", "validate"]

_FIELDS = {field.name for field in fields(MathPolicy)}


def judge(request: Any) -> dict[str, Any]:
    """Decide one request.

    Returns:
        `kind` is `same`, `different`, `gold` or `answer` (that side cannot be read), `limit` (the answer is too big),
        or `undecided`; `why` is a sentence.
    """
    policy = MathPolicy(**{name: value for name, value in request["policy"].items() if name in _FIELDS})
    comparer = Comparer(policy, deep=True)
    left, right = loads(request["gold"]), loads(request["answer"])
    if request.get("task") == "step":
        from proofgym.verifiers.math import transitions

        return transitions.judge(left, right, comparer)
    for side, node in (("gold", left), ("answer", right)):
        try:
            validate(node, comparer)
        except TooBig as error:
            return {"kind": "limit" if side == "answer" else "undecided", "why": str(error)}
        except Unreadable as error:
            return {"kind": side, "why": str(error)}
    try:
        return {"kind": "same" if comparer.same(left, right) else "different", "why": ""}
    except (Undecided, Unreadable) as error:
        return blame(left, right, str(error))


def blame(gold: Node, answer: Node, why: str) -> dict[str, Any]:
    """Whose fault it is that nothing decides: the answer's, if it has no value where the gold answer has one."""
    faults = [fault(node) for node in (gold, answer)]
    if faults[0] is None and faults[1] is not None:
        return {"kind": faults[1], "why": why}
    return {"kind": "undecided", "why": why}


def validate(node: Node, comparer: Comparer) -> None:
    """Raises `Unreadable` for an answer that contradicts itself or has no value."""
    shaped = comparer._shape(node)
    if shaped.op in ("list", "set", "tuple"):
        for part in shaped.args:
            validate(part, comparer)
        return
    if not shaped.names() and not shaped.has(
        "rel", "apply", "text", "interval", "list", "set", "tuple", "setof", "dots"
    ):
        try:
            points.evaluate(shaped, points.Point({}))
        except points.NoValue as error:
            if "divides by zero" in str(error):
                raise


def fault(node: Node) -> str | None:
    """`limit` if a part of a tree holds a value beyond our limits, `answer` if it has no value, `None` if all have."""
    if node.op in ("list", "set", "tuple", "matrix", "rel", "interval", "union", "cases", "unit", "or", "and"):
        return next((found for part in node.args if (found := fault(part)) is not None), None)
    if node.has("int", "lim"):
        from proofgym.verifiers.math import symbolic

        try:
            node = symbolic.done(node)
        except Unreadable:
            return "answer"
    whole = 0
    for value in (Fraction(7, 5), Fraction(3)):
        try:
            with mpmath.workprec(200):
                points.evaluate(node, points.Point({name: points.rational(value) for name in node.names()}))
            whole += 1
        except TooBig:
            return "limit"
        except (Unreadable, ArithmeticError, ValueError, TypeError):
            continue
    return None if whole or node == Node("const", value="oo") else "answer"
