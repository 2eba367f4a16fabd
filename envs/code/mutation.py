"""Bugs by mutation: one small change of a right program's syntax tree, kept only if it changes what the program does.

The operators are those of mutation testing (DeMillo, Lipton and Sayward 1978; Jia and Harman 2011, table III), chosen
for what people get wrong: a comparison, a constant off by one, a bound, a forgotten negation, `and` for `or`, `min` for
`max`, a statement that is missing. A mutant is our own text, so it may run in this process, with its loops counted.
"""

from __future__ import annotations

import ast
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from proofgym.envs.code.program import Exhausted, Program, Trusted

__all__ = ["Mutant", "Site", "budget", "fails", "mutants", "mutated", "plant", "sites"]

_COMPARE: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
_BINARY: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Add,), ast.FloorDiv: (ast.Mod,), ast.Mod: (ast.FloorDiv,),
}  # fmt: skip
_NAMES = {"max": "min", "min": "max", "any": "all", "all": "any", "sum": "len"}
_CONVERSIONS = {"sorted": "list", "set": "list", "list": "sorted", "abs": "int"}
_METHODS = {"lower": "upper", "upper": "lower", "strip": "lstrip", "append": "remove", "startswith": "endswith"}
_ROUNDS = 8  # times the reference's own rounds: a mutant that needs more would make judging slow, and is not used
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one bug: its text, what was changed, and in which line of the original."""

    source: str
    operator: str
    line: int


def mutants(source: str) -> Iterator[Mutant]:
    """Every mutant of one change, in a fixed order.

    >>> [m.operator for m in mutants("def f(a):\\n    return a < 3\\n")]
    ['compare', 'compare', 'constant', 'constant']
    """
    for site in sites(source):
        yield mutated(source, site)


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a tree (its number in `ast.walk`) and a change that can be made there."""

    place: int
    operator: str
    line: int
    change: Callable[[Any], None]


def sites(source: str) -> list[Site]:
    """Every change that can be made to a program, in a fixed order."""
    return [
        Site(place, operator, getattr(node, "lineno", 0), change)
        for place, node in enumerate(ast.walk(ast.parse(source)))
        for operator, change in _changes(node)
    ]


def mutated(source: str, site: Site) -> Mutant:
    """The program with one change made. Parsing anew is ten times faster than copying the tree."""
    tree = ast.parse(source)
    site.change(next(itertools.islice(ast.walk(tree), site.place, None)))
    return Mutant(ast.unparse(ast.fix_missing_locations(tree)) + "\n", site.operator, site.line)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], None]]]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARE.get(type(operator), ()):
                yield "compare", _put("ops", place, other)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        for new in _BINARY.get(type(node.op), ()):
            yield "arithmetic", _set("op", new)
    elif isinstance(node, ast.BoolOp):
        yield "connective", lambda n: setattr(n, "op", ast.Or() if isinstance(n.op, ast.And) else ast.And())
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "constant", lambda n: setattr(n, "value", n.value + 1)
        if node.value > 0:
            yield "constant", lambda n: setattr(n, "value", n.value - 1)
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "constant", lambda n: setattr(n, "value", not n.value)
    elif isinstance(node, (ast.If, ast.IfExp)):
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not):
            yield "negation", lambda n: setattr(n, "test", n.test.operand)
        else:
            yield "negation", lambda n: setattr(n, "test", ast.UnaryOp(ast.Not(), n.test))
        if isinstance(node, ast.If) and node.orelse and not isinstance(node.orelse[0], ast.If):
            yield "missing", lambda n: setattr(n, "orelse", [])
    elif isinstance(node, ast.Call):
        yield from _call_changes(node)
    elif isinstance(node, ast.Slice):
        if node.lower is not None:
            yield "bound", lambda n: setattr(n, "lower", None)
        if node.step is not None:
            yield "bound", lambda n: setattr(n, "step", None)
    if isinstance(node, (ast.For, ast.While, ast.FunctionDef, ast.If)) and len(node.body) > 1:
        for place, statement in enumerate(node.body):
            if isinstance(statement, (ast.Expr, ast.AugAssign)) or (
                isinstance(statement, ast.If) and not statement.orelse
            ):
                yield "missing", _drop(place)
    if isinstance(node, (ast.If, ast.For, ast.While)):
        if isinstance(node.body[-1], ast.Continue):
            yield "jump", _put("body", -1, ast.Break)
        if isinstance(node.body[-1], ast.Break):
            yield "jump", _put("body", -1, ast.Continue)


def _call_changes(node: ast.Call) -> Iterator[tuple[str, Callable[[Any], None]]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _NAMES and not node.keywords:
        yield "call", lambda n: setattr(n.func, "id", _NAMES[n.func.id])
    if name in _CONVERSIONS and len(node.args) == 1 and not node.keywords:
        yield "call", lambda n: setattr(n.func, "id", _CONVERSIONS[n.func.id])
    if name == "range":
        if len(node.args) == 1:
            yield "bound", lambda n: n.args.insert(0, ast.Constant(1))
        stop = 0 if len(node.args) == 1 else 1
        yield "bound", _one_less(stop)
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS and len(node.args) <= 1:
        yield "call", lambda n: setattr(n.func, "attr", _METHODS[n.func.attr])


def _put(field: str, place: int, kind: type[ast.AST]) -> Callable[[Any], None]:
    """Another kind of node at a place of a list."""
    return lambda node: getattr(node, field).__setitem__(place, kind())


def _set(field: str, kind: type[ast.AST]) -> Callable[[Any], None]:
    return lambda node: setattr(node, field, kind())


def _drop(place: int) -> Callable[[Any], None]:
    """A body without one of its statements."""
    return lambda node: node.body.__delitem__(place)


def _one_less(place: int) -> Callable[[Any], None]:
    """A call with one of its arguments less by one."""

    def change(node: Any) -> None:
        node.args[place] = ast.BinOp(node.args[place], ast.Sub(), ast.Constant(1))

    return change


def budget(program: Program) -> int:
    """How many rounds a variant of the program may take on any of its cases."""
    reference, most = Trusted(program.source, program.entry, program.kind), 0
    for args, _ in program.cases:
        reference.run(args)
        most = max(most, reference.rounds)
    return 200 + _ROUNDS * most


def fails(source: str, program: Program, rounds: int) -> list[bool] | None:
    """Which cases a variant of the program fails; None if it cannot be used: it loads badly or goes round for long."""
    try:
        variant = Trusted(source, program.entry, program.kind)
    except (Exhausted, SyntaxError, NameError, TypeError, ValueError, KeyError, AttributeError, IndexError):
        return None
    failed = []
    for args, expected in program.cases:
        try:
            got = variant.run(args, rounds)
        except (Exhausted, MemoryError, OverflowError):
            return None
        except Exception:
            failed.append(True)
        else:
            failed.append(json.dumps(got, sort_keys=True) != json.dumps(expected, sort_keys=True))
    return failed


def plant(program: Program, rng: np.random.Generator, bugs: int = 1) -> tuple[Mutant, list[bool]] | None:
    """A mutant that is wrong on some cases and right on others, and which cases it fails.

    With several bugs, each is planted into the program with the ones before, and each makes further cases fail. At
    least a quarter of the cases stay right, and at least two fail. None if no such mutant was found.
    """
    best: tuple[Mutant, list[bool]] | None = None
    source, before, rounds = program.source, 0, budget(program)
    most = (3 * len(program.cases)) // 4
    for bug in range(bugs):
        options = sites(source)
        for place in rng.permutation(len(options))[:_TRIES]:
            mutant = mutated(source, options[int(place)])
            failed = fails(mutant.source, program, rounds)
            if failed is None or not max(1, before) < sum(failed) <= most:
                continue
            if _shares_outputs(program, failed):
                continue
            if best is not None:
                mutant = Mutant(mutant.source, f"{best[0].operator}+{mutant.operator}", best[0].line)
            best = (mutant, failed)
            source, before = mutant.source, sum(failed)
            break
        else:
            if bug == 0:
                return None
    return best


def _shares_outputs(program: Program, failed: Sequence[bool]) -> bool:
    """Whether all cases that stay right expect one and the same output: a constant would keep them right too."""
    kept = {json.dumps(case[1], sort_keys=True) for case, bad in zip(program.cases, failed, strict=True) if not bad}
    return len(kept) < 2
