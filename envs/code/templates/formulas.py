"""A sheet of formulas: a tokenizer, a parser, an evaluator, and cells that depend on each other."""

from __future__ import annotations

from typing import Any

from proofgym.envs.code.program import Draw
from proofgym.envs.code.templates.repository import Repository, fill, template

_TOKENS = '''
"""From text to tokens: [kind, text] with the kinds number, name and sign."""

SIGNS = "+-*/%(),<>=@power@"


class BadText(ValueError):
    """A character that belongs to no token."""


def tokens(text):
    found = []
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == " ":
            at += 1
        elif letter.isdigit():
            end = at
            while end < len(text) and text[end].isdigit():
                end += 1
            found.append(["number", text[at:end]])
            at = end
        elif letter.isalpha():
            end = at
            while end < len(text) and text[end].isalnum():
                end += 1
            found.append(["name", text[at:end].@case@()])
            at = end
        elif letter in SIGNS:
            found.append(["sign", letter])
            at += 1
        else:
            raise BadText(letter)
    return found
'''
_PARSER = '''
"""From tokens to trees: nested lists [operation, parts...]; * and / bind more tightly than + and -."""

from @package@.tokens import tokens


class BadFormula(ValueError):
    """Tokens in an order that has no meaning."""


class Parser:
    def __init__(self, text):
        self.rest = tokens(text)

    def peek(self):
        return self.rest[0][1] if self.rest else ""

    def take(self, wanted=None):
        if not self.rest or wanted is not None and self.rest[0][1] != wanted:
            raise BadFormula(wanted)
        return self.rest.pop(0)

    def whole(self):
        tree = self.comparison()
        if self.rest:
            raise BadFormula(self.peek())
        return tree

    def comparison(self):
        left = self.sum()
        if self.peek() in ("<", ">", "="):
            sign = self.take()[1]
            return [sign, left, self.sum()]
        return left

    def sum(self):
        left = self.product()
        while self.peek() in ("+", "-"):
            sign = self.take()[1]
            left = [sign, left, self.product()]
        return left

    def product(self):
        left = self.power()
        while self.peek() in ("*", "/", "%"):
            sign = self.take()[1]
            left = [sign, left, self.power()]
        return left

    def power(self):
        base = self.factor()
        if self.peek() == "@power@":
            self.take()
            return ["power", base, self.power()]
        return base

    def factor(self):
        if self.peek() == "-":
            self.take()
            return ["negative", self.factor()]
        if self.peek() == "(":
            self.take()
            tree = self.comparison()
            self.take(")")
            return tree
        kind, text = self.take()
        if kind == "number":
            return ["number", int(text)]
        if kind != "name":
            raise BadFormula(text)
        if self.peek() != "(":
            return ["name", text]
        self.take("(")
        parts = [self.comparison()]
        while self.peek() == ",":
            self.take()
            parts.append(self.comparison())
        self.take(")")
        return ["call", text, *parts]


def parse(text):
    return Parser(text).whole()
'''
_VALUES = '''
"""From trees to numbers. Division rounds down; comparisons give 1 or 0."""


class BadValue(ValueError):
    """A value that a formula cannot have."""


def call(name, parts):
    if name == @max@:
        return max(parts)
    if name == @min@:
        return min(parts)
    if name == @sum@:
        return sum(parts)
    if name == @if@ and len(parts) == 3:
        return parts[1] if parts[0] != 0 else parts[2]
    raise BadValue(name)


def value(tree, look):
    """The value of a tree; look(name) gives the value of a name."""
    kind = tree[0]
    if kind == "number":
        return tree[1]
    if kind == "name":
        return look(tree[1])
    if kind == "call":
        return call(tree[1], [value(part, look) for part in tree[2:]])
    if kind == "negative":
        return -value(tree[1], look)
    left = value(tree[1], look)
    right = value(tree[2], look)
    if kind in ("/", "%") and right == 0:
        raise BadValue("division by zero")
    if kind == "power":
        if not 0 <= right <= @most_power@:
            raise BadValue("power")
        return left ** right
    return {
        "+": lambda: left + right,
        "-": lambda: left - right,
        "*": lambda: left * right,
        "/": lambda: left // right,
        "%": lambda: left % right,
        "<": lambda: int(left < right),
        ">": lambda: int(left > right),
        "=": lambda: int(left == right),
    }[kind]()
'''
_SHEET = '''
"""Named cells with formulas that may use each other."""

from @package@.parser import parse
from @package@.values import value


class Circle(ValueError):
    """Cells that need each other."""


def names(tree):
    """The names that a tree uses, in order and without repetitions."""
    if tree[0] == "name":
        return [tree[1]]
    found = []
    for part in tree[1:]:
        if isinstance(part, list):
            for name in names(part):
                if name not in found:
                    found.append(name)
    return found


class Sheet:
    def __init__(self):
        self.trees = {}

    def set(self, name, text):
        name = name.@case@()
        tree = parse(text)
        before = self.trees.get(name)
        self.trees[name] = tree
        if name in self.needs(name):
            if before is None:
                del self.trees[name]
            else:
                self.trees[name] = before
            raise Circle(name)
        return names(tree)

    def needs(self, name):
        """All names that a cell depends on, directly or through others, in alphabetical order."""
        found = []
        waiting = [name]
        while waiting:
            tree = self.trees.get(waiting.pop())
            for other in names(tree) if tree else []:
                if other not in found:
                    found.append(other)
                    waiting.append(other)
        return sorted(found)

    def get(self, name):
        """A cell's value; an empty cell has the value @empty@."""
        tree = self.trees.get(name.@case@())
        if tree is None:
            return @empty@
        return value(tree, self.get)

    def users(self, name):
        """The cells whose formulas use the name, by name."""
        return sorted(other for other, tree in self.trees.items() if name.@case@() in names(tree))
'''
_DRIVER = """
from @package@.sheet import Sheet


def start():
    return Sheet()


def do(sheet, operation, *arguments):
    return getattr(sheet, {"set": "set", "get": "get", "needs": "needs", "users": "users"}[operation])(*arguments)
"""


@template
def formulas(draw: Draw) -> Repository:
    package = draw.pick("sheet", "cells", "formulas", "calc")
    case = draw.pick("lower", "upper")
    words = {
        "max": draw.pick("max", "top"),
        "min": draw.pick("min", "low"),
        "sum": draw.pick("sum", "total"),
        "if": draw.pick("if", "choose"),
    }
    knobs: dict[str, Any] = {
        "package": package, "case": case, "power": draw.pick("^", "!"), "empty": draw.whole(0, 1), "most_power": draw.whole(6, 9),
    }  # fmt: skip
    knobs |= {name: repr(getattr(word, case)()) for name, word in words.items()}
    modules = {"tokens": _TOKENS, "parser": _PARSER, "values": _VALUES, "sheet": _SHEET}
    files = {f"{package}/{name}.py": fill(text, knobs) for name, text in modules.items()}
    files[f"{package}/__init__.py"] = '"""Formulas."""\n'

    def expression(depth: int) -> str:
        kind = draw.whole(0, 9) if depth else draw.whole(0, 1)
        if kind == 0:
            return str(draw.whole(0, 12))
        if kind == 1:
            return draw.pick("a", "b", "c", "B", str(draw.whole(1, 9)))
        one, other = expression(depth - 1), expression(depth - 1)
        if kind == 2:
            return f"({one} {draw.pick('+', '-')} {other}) * {draw.whole(2, 5)}"
        if kind == 3:
            return f"{words[draw.pick('max', 'min', 'sum')]}({one}, {other}, {draw.whole(0, 9)})"
        if kind == 4:
            return f"{words['if']}({one} {draw.pick('<', '>', '=')} {other}, {draw.whole(1, 9)}, {other})"
        if kind == 5:
            return f"-{draw.whole(1, 5)} {knobs['power']} {draw.whole(0, 3)} - {one}"
        if kind == 6:
            return f"{draw.whole(2, 3)} {knobs['power']} {draw.whole(0, 2)} {knobs['power']} 2 - {one}"
        return f"{one} {draw.pick('+', '-', '*', '/', '%')} {other}"

    def script() -> list[list[Any]]:
        made: list[list[Any]] = [
            ["set", draw.pick("a", "b", "c"), expression(2) if draw.chance(0.9) else "1 +"]
            for _ in range(draw.whole(2, 5))
        ]
        return [
            *made,
            *(["get", name] for name in ("a", "b", "c")),
            draw.pick(["needs", "a" if case == "lower" else "A"], ["users", "b"], ["users", "a"]),
        ]

    return Repository(
        package,
        f"A sheet of cells with formulas. `tokens` reads a text, `parser` makes a tree of it, `values` works it out, `sheet` keeps the cells. Names are turned into "
        f"{case} case. `{knobs['power']}` is the power, binds most tightly and groups from the right: 2 {knobs['power']} 1 {knobs['power']} 2 is 2 {knobs['power']} (1 {knobs['power']} 2). A minus sign belongs to the number right after it. "
        f"A formula that would close a circle is refused and leaves the cell as it was.",
        files, fill(_DRIVER, knobs),
        {"set": "sheet.set({0})", "get": "sheet.get({0})", "needs": "sheet.needs({0})", "users": "sheet.users({0})"},
        script, [f"{package}/{name}.py" for name in modules], repr(knobs),
    )  # fmt: skip
