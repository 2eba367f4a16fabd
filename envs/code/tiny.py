"""A tiny language of whole numbers and lists, in which programs are drawn; `tongues` writes them in seven others.

A program reads a list `a` and a number `k`, and prints numbers. `//` and `%` round down, as in Python; every other
language gets functions for that. Values stay far below 2**53, so that the numbers of all languages hold them.

Expressions are nested tuples: a name, a whole number, ("item", list, index), ("len", list), (operator, left, right) with
+ - * // % < <= == != and or, ("max" | "min", left, right), ("abs", value), ("not", value).
Statements: ("let", name, value), ("set", name, value), ("list", name), ("push", list, value), ("put", list, index, value),
("for", name, start, stop, body), ("while", test, body), ("if", test, then, else), ("print", value), ("show", list).
"""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw

__all__ = ["Body", "Expr", "Statement", "draw_tiny"]

Expr = Any
Statement = tuple[Any, ...]
Body = list[Statement]

MODULI = (997, 1009, 10007)


def _test(draw: Draw, x: Expr) -> Expr:
    n, r = draw.whole(2, 6), draw.whole(0, 1)
    return draw.pick(
        ("==", ("%", x, n), r), ("<", x, n), ("<=", "k", x), ("!=", ("%", x, 2), ("%", "k", 2)), ("<", ("abs", x), ("*", n, 2)),
        ("and", ("<", 0, x), ("!=", ("%", x, n), 0)), ("or", ("<", x, -n), ("==", ("%", x, n), r)), ("not", ("==", x, "k")),
    )  # fmt: skip


def _formula(draw: Draw, x: Expr) -> Expr:
    n, m = draw.whole(2, 5), draw.whole(1, 9)
    return draw.pick(
        ("-", ("*", n, x), m), ("//", ("+", x, m), n), ("%", ("*", x, x), draw.pick(*MODULI)), ("max", x, ("-", m, x)),
        ("+", ("//", x, n), ("%", x, n)), ("min", ("*", x, n), ("+", "k", m)), ("-", "k", x), ("%", ("-", x, "k"), n + 2),
    )  # fmt: skip


def _map(draw: Draw, v: str, w: str) -> Body:
    new = _formula(draw, ("item", v, "i"))
    body: Body = [("put", v, "i", new)]
    if draw.chance(0.5):
        body = [
            (
                "if",
                _test(draw, ("item", v, "i")),
                body,
                [("put", v, "i", _formula(draw, ("item", v, "i")))] if draw.chance(0.5) else [],
            )
        ]
    return [("for", "i", 0, ("len", v), body)]


def _keep(draw: Draw, v: str, w: str) -> Body:
    return [
        ("list", w),
        ("for", "i", 0, ("len", v), [("if", _test(draw, ("item", v, "i")), [("push", w, ("item", v, "i"))], [])]),
    ]


def _sums(draw: Draw, v: str, w: str) -> Body:
    return [
        (
            "for",
            "i",
            1,
            ("len", v),
            [
                (
                    "put",
                    v,
                    "i",
                    (
                        "%",
                        ("+", ("item", v, "i"), ("*", draw.whole(1, 3), ("item", v, ("-", "i", 1)))),
                        draw.pick(*MODULI),
                    ),
                )
            ],
        )
    ]


def _digits(draw: Draw, v: str, w: str) -> Body:
    base, add = draw.pick(10, 10, 7, 2), draw.pick(1, ("%", "x", 10))
    base = 10 if add != 1 else base
    return [
        ("for", "i", 0, ("len", v), [
            ("let", "x", ("abs", ("item", v, "i"))), ("let", "s", 0),
            ("while", ("<", 0, "x"), [("set", "s", ("+", "s", add)), ("set", "x", ("//", "x", base))]),
            ("put", v, "i", "s"),
        ]),
    ]  # fmt: skip


def _backwards(draw: Draw, v: str, w: str) -> Body:
    step = draw.whole(1, 2)
    return [
        ("list", w),
        ("for", "i", 0, ("len", v), [("if", ("==", ("%", "i", step), 0), [("push", w, ("item", v, ("-", ("-", ("len", v), 1), "i")))], [])]),
    ]  # fmt: skip


def _pass(draw: Draw, v: str, w: str) -> Body:
    a, b = ("item", v, "j"), ("item", v, ("+", "j", 1))
    test = draw.pick(("<", b, a), ("<", ("abs", b), ("abs", a)), ("<", ("%", b, 7), ("%", a, 7)))
    swap: Body = [("let", "x", a), ("put", v, "j", b), ("put", v, ("+", "j", 1), "x")]
    inner: Statement = ("for", "j", 0, ("-", ("len", v), 1), [("if", test, swap, [])])
    return [("for", "i", 0, draw.pick(1, 2, ("len", v)), [inner])]


def _common(draw: Draw, v: str, w: str) -> Body:
    return [
        ("list", w),
        ("for", "i", 1, ("len", v), [
            ("let", "x", ("abs", ("item", v, "i"))), ("let", "y", ("abs", ("item", v, ("-", "i", 1)))),
            ("while", ("!=", "y", 0), [("let", "t", ("%", "x", "y")), ("set", "x", "y"), ("set", "y", "t")]),
            ("push", w, "x"),
        ]),
    ]  # fmt: skip


def _fold(draw: Draw, v: str, w: str) -> Body:
    m = draw.pick(*MODULI)
    return [
        ("let", "r", draw.whole(0, 5)),
        ("for", "i", 0, ("len", v), [("set", "r", ("%", ("+", ("*", "r", draw.whole(2, 40)), ("item", v, "i")), m))]),
        ("print", "r"),
    ]


def _pairs(draw: Draw, v: str, w: str) -> Body:
    a, b = ("item", v, "i"), ("item", v, "j")
    test = draw.pick(
        ("==", ("%", ("+", a, b), draw.whole(2, 5)), 0),
        ("<", a, b),
        ("<=", ("abs", ("-", a, b)), "k"),
        ("==", ("%", ("*", a, b), 3), 1),
    )
    inner: Statement = ("for", "j", ("+", "i", 1), ("len", v), [("if", test, [("set", "r", ("+", "r", 1))], [])])
    return [("let", "r", 0), ("for", "i", 0, ("len", v), [inner]), ("print", "r")]


def _machine(draw: Draw, v: str, w: str) -> Body:
    up, down, top = draw.whole(1, 3), draw.whole(1, 4), draw.whole(5, 9)
    return [
        ("let", "r", 0), ("let", "s", draw.whole(0, 2)),
        ("for", "i", 0, ("len", v), [
            ("if", _test(draw, ("item", v, "i")), [("set", "s", ("+", "s", up))], [("set", "s", ("-", "s", down))]),
            ("if", ("<", "s", 0), [("set", "s", top), ("set", "r", ("+", "r", 1))], [("if", ("<", top, "s"), [("set", "s", ("%", "s", top))], [])]),
        ]),
        ("print", "r"), ("print", "s"),
    ]  # fmt: skip


def _show(draw: Draw, v: str, w: str) -> Body:
    return [("show", v)]


_CHANGES = (_map, _map, _keep, _sums, _digits, _backwards, _pass, _common)
_ENDS = (_fold, _pairs, _machine, _show, _show)
_MAKES = (_keep, _backwards, _common)  # these leave their result in a new list


def draw_tiny(draw: Draw) -> Body:
    """A program: some changes of the list, then what is printed of it."""
    body: Body = []
    at = 0
    for _ in range(draw.scale(1, 4)):
        change = draw.pick(*_CHANGES)
        names = ["a", "b", "c", "d", "e"]
        body += change(draw, names[at], names[at + 1])
        at += change in _MAKES
        if at == 4:
            break
    return [*body, *draw.pick(*_ENDS)(draw, "abcde"[at], "")]
