"""The grammar of answers: recursive descent from tokens to a tree, bounded in depth and size.

list     = relation (("," | ";" | "and" | "or") relation)*
relation = union (("=" | "<" | "≤" | "∈" | ...) union)*
union    = ratio (("∪" | "∩" | "∖") ratio)*
ratio    = sum (":" sum)*
sum      = product (("+" | "-" | "±" | "∓") product)*
product  = unary (("*" | "/" | "mod" | nothing) unary)*
unary    = ("-" | "+" | "±")* power
power    = postfix ("^" exponent)?
postfix  = primary ("!" | "'" | "%" | "°" | "_" subscript)*
"""

from __future__ import annotations

import re

from proofgym.verifiers.math.commands import Commands
from proofgym.verifiers.math.lexer import Token, clean
from proofgym.verifiers.math.numerals import decimal
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, check, const, fn, num

__all__ = ["parse"]

_RELATIONS = {
    "=": "=", "==": "=", ":=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "le": "<=", "ge": ">=",
    "ne": "!=", "approx": "~", "in": "in", "equiv": "==", "notin": "notin", "subset": "subset", "sim": "~",
    "subseteq": "subset",
}  # fmt: skip
_STARTS_OP = {"(", "[", "{", "\\{", "l|", "|"}
_STARTS_CMD = {
    "frac", "sqrt", "binom", "pi", "infty", "cbrt", "fourthroot", "lfloor", "lceil", "sum", "prod", "int", "lim",
    "overline",
    "dot", "emptyset", "hat", "vec", "bar", "tilde", "boxed", "R", "Z", "Q", "N", "C", "angle", "ldots", "iint", "oint",
    "underline", "prime", "overrightarrow", "mathring", "triangle", "Delta", "limsup", "widehat", "widetilde", "sup",
    "pmod",
    "not", "textbf",
}  # fmt: skip
_MAX_CHAIN = 100
_CALLED = set("fghFGH")
_MARKS = {
    **dict.fromkeys(("percent", "percentage", "pct"), "pct"),
    **dict.fromkeys(("degrees", "degree", "deg"), "deg"),
}
_ORDINALS = {"th", "st", "nd", "rd"}


def parse(text: str) -> Node:
    """Read an answer.

    Raises:
        Unreadable: With the reason.
        TooBig: If it is beyond the static limits.

    >>> parse("\\\\frac12 + x²").key() == parse("x^2+1/2").key()
    True
    >>> parse("3\\\\frac{1}{2}").value
    Fraction(7, 2)
    """
    return check(_Parser(clean(text)).whole())


class _Parser(Commands):
    """The rules of lists, relations, sums and brackets."""

    def whole(self) -> Node:
        node = self.list(top=True)
        while self.is_op(".", "\\\\") or (self.token.kind == "op" and self.token.value == "?"):
            self.at += 1
        if self.token.kind != "end":
            raise Unreadable(f"nothing should stand {self.where()}")
        return node

    def list(self, *, top: bool = False) -> Node:
        """Relations with separators between them; one alone is itself."""
        groups: list[list[Node]] = [[self.relation()]]
        joins: set[str] = set()
        while True:
            separator = self.separator(top)
            if not separator:
                break
            if separator == ";":
                groups.append([])
            elif separator in ("and", "or"):
                joins.add(separator)
            if self.closing():
                break
            groups[-1].append(self.relation())
        groups = [group for group in groups if group]
        if len(groups) == 1 and len(groups[0]) == 1:
            return groups[0][0]
        if len(groups) > 1 and any(len(group) > 1 for group in groups):
            items = [group[0] if len(group) == 1 else Node("tuple", tuple(group), "()") for group in groups]
        else:
            items = [item for group in groups for item in group]
        order = all(item.op == "rel" for item in items) and any(item.value != "=" for item in items)
        if joins and order and len(joins) == 1:
            return Node(joins.pop(), tuple(items))
        return Node("list", tuple(items))

    def separator(self, top: bool) -> str:
        found = ""
        while True:
            if self.is_op(",", ";") or self.is_cmd("and", "or"):
                value = self.take().value
                found = value if value in (";", "and", "or") or not found else found
            elif self.token.kind == "text" and self.token.value.strip(" ,.").lower() in (
                "and",
                "or",
                "or else",
                "and also",
            ):
                found = self.take().value.strip(" ,.").lower()[:3].strip()
            elif top and self.is_op("\\\\") and self.tokens[self.at + 1].kind != "end":
                self.at += 1
                found = found or ","
            else:
                return found

    def relation(self) -> Node:
        self.enter()
        self.member = self.at
        members, signs = [self.member_or_name()], []
        while True:
            token = self.token
            sign = _RELATIONS.get(token.value) if token.kind in ("op", "cmd") else None
            if token.kind == "cmd" and token.value == "not" and self.tokens[self.at + 1].value in ("=", "in"):
                self.at += 1
                sign = "!=" if self.token.value == "=" else "notin"
            if (
                self.is_op(":")
                and len(members) == 1
                and members[0].op == "sym"
                and self.tokens[self.member].kind == "text"
            ):
                sign = "="
            if sign is None:
                break
            self.at += 1
            signs.append(sign)
            if len(signs) > _MAX_CHAIN:
                raise TooBig(f"a chain has at most {_MAX_CHAIN} signs")
            self.member = self.at
            members.append(self.union())
        self.depth -= 1
        node = Node("rel", tuple(members), ",".join(signs)) if signs else members[0]
        if self.is_cmd("pmod") or (self.is_op("(") and self.tokens[self.at + 1].value == "mod"):
            node = Node("congruent", (node, self.modulus()))
        return node

    def member_or_name(self) -> Node:
        """A member of a relation; words before an `=` are a name."""
        if self.is_cmd("forall"):
            self.at += 1
        start = self.at
        while self.token.kind == "text" or self.is_cmd("angle", "triangle"):
            self.at += 1
        if self.at > start and self.is_op("=", ":"):
            return Node("sym", value=" ".join(token.value for token in self.tokens[start : self.at]))
        if self.at > start and self.tokens[start].kind != "text":
            return self.union()
        self.at = start
        return self.union()

    def modulus(self) -> Node:
        if self.take().value == "pmod":
            return self.argument()
        self.at += 1
        inner = self.sum()
        self.expect(")")
        return inner

    def union(self) -> Node:
        node = self.ratio()
        while self.is_cmd("cup", "cap", "setminus"):
            op = {"cup": "union", "cap": "inter", "setminus": "minus"}[self.take().value]
            other = self.ratio()
            node = Node(op, (*(node.args if node.op == op and op != "minus" else (node,)), other))
        return node

    def ratio(self) -> Node:
        parts = [self.sum()]
        while self.is_op(":") and not self.flat:
            self.at += 1
            parts.append(self.sum())
        node = Node("ratio", tuple(parts)) if len(parts) > 1 else parts[0]
        return self.with_unit(node)

    def with_unit(self, node: Node) -> Node:
        """Words after a value are its unit."""
        words: list[str] = []
        if self.token.kind == "currency":
            return Node("unit", (node,), self.take().value)
        while self.token.kind == "text" and self.token.value.strip(" ,.").lower() not in ("and", "or"):
            words.append(self.take().value)
            if self.is_op("^"):
                self.at += 1
                words.append("^" + self.text_of(self.argument_span()))
            elif self.is_op("/", "*") and self.tokens[self.at + 1].kind == "text":
                words.append(self.take().value)
        if not words:
            return node
        if node.op in ("sym", "apply", "rel") and len(words[0]) > 2:
            raise Unreadable(f"words follow the name {str(node.value)[:20]!r}")
        return Node("unit", (node,), " ".join(" ".join(words).split()))

    def sum(self) -> Node:
        parts = [self.product()]
        while True:
            if self.is_op("+", "-"):
                sign = self.take().value
                if self.closing() and sign == "+":
                    raise Unreadable("a value should stand after '+'")
                part = self.product()
                parts.append(Node("neg", (part,)) if sign == "-" else part)
            elif self.is_cmd("pm", "mp"):
                sign = "+" if self.take().value == "pm" else "-"
                parts.append(Node("pm", (self.product(),), sign))
            else:
                return Node("add", tuple(parts)) if len(parts) > 1 else parts[0]

    def product(self) -> Node:
        node = self.unary()
        while True:
            if self.is_op("*"):
                self.at += 1
                node = self.times(node, self.unary())
            elif self.is_op("/"):
                self.at += 1
                node = Node("div", (node, self.unary()))
            elif self.is_cmd("mod"):
                self.at += 1
                node = fn("mod", node, self.unary())
            elif self.starts_factor():
                before, after = self.tokens[self.at - 1], self.token
                if before.kind == "num" and after.kind == "num" and not self.mixed_ahead():
                    raise Unreadable("two numbers stand side by side")
                node = self.times(node, self.power())
            else:
                return node

    @staticmethod
    def times(left: Node, right: Node) -> Node:
        left, right = (side.args[0] if side.op == "set" and len(side.args) == 1 else side for side in (left, right))
        return Node("mul", (*(left.args if left.op == "mul" else (left,)), right))

    def starts_factor(self) -> bool:
        token = self.token
        if token.kind in ("num", "id", "fn"):
            return True
        if token.kind == "op":
            if token.value == "|":
                return not self.flat and not self.bars
            return token.value in _STARTS_OP and not (token.value == "(" and self.tokens[self.at + 1].value == "mod")
        return (token.kind == "cmd" and token.value in _STARTS_CMD and token.value not in ("pmod", "not")) or (
            token.kind == "cmd" and token.value.startswith("begin:")
        )

    def unary(self) -> Node:
        if self.is_op("-", "+"):
            self.enter()
            sign = self.take().value
            node = self.unary()
            self.depth -= 1
            return Node("neg", (node,)) if sign == "-" else node
        if self.is_cmd("pm", "mp"):
            sign = "+" if self.take().value == "pm" else "-"
            return Node("pm", (self.unary(),), sign)
        if self.token.kind == "currency":
            unit = self.take().value
            return Node("unit", (self.unary(),), unit)
        return self.power()

    def power(self) -> Node:
        self.enter()
        base = self.postfix()
        while self.is_op("^"):
            self.at += 1
            base = self.raised(base)
        self.depth -= 1
        return base

    def raised(self, base: Node) -> Node:
        """`base` with what stands after its `^`: a degree sign, a prime, an ordinal, or an exponent."""
        if self.is_cmd("circ"):
            self.at += 1
            return fn("deg", base)
        if self.is_op("{") and self.tokens[self.at + 1].value == "circ" and self.tokens[self.at + 2].value == "}":
            self.at += 3
            return fn("deg", base)
        inside = 1 if self.is_op("{") else 0
        word = self.tokens[self.at + inside]
        if word.kind == "text" and word.value in _ORDINALS:
            self.at += 1 + 2 * inside
            return base
        if self.is_cmd("prime"):
            self.at += 1
            return Node("sym", value=f"{base.value}'")
        exponent = self.exponent()
        if self.is_op("_") and base.op == "sym":
            self.at += 1
            base = Node("sym", value=f"{base.value}_{self.text_of(self.argument_span())}")
        return self.postfix_signs(Node("pow", (base, exponent)))

    def exponent(self) -> Node:
        if self.is_op("-", "+"):
            negative = self.take().value == "-"
            inner = self.exponent_value()
            return Node("neg", (inner,)) if negative else inner
        return self.exponent_value()

    def exponent_value(self) -> Node:
        if self.is_op("{"):
            return self.argument()
        if self.token.kind == "num" and self.tokens[self.at + 1].value == "_":
            return num(decimal(self.take().value))
        node = self.postfix()
        if self.is_op("^"):
            self.enter()
            self.at += 1
            node = Node("pow", (node, self.exponent()))
            self.depth -= 1
        return node

    def postfix(self) -> Node:
        return self.postfix_signs(self.primary())

    def postfix_signs(self, node: Node) -> Node:
        while True:
            if self.is_op("!") and self.tokens[self.at + 1].value != "=":
                self.at += 1
                if self.is_op("!") and not self.token.spaced:
                    self.at += 1
                    node = fn("doublefactorial", node)
                else:
                    node = fn("factorial", node)
            elif self.is_op("%"):
                self.at += 1
                node = fn("pct", node)
            elif self.is_cmd("permille"):
                self.at += 1
                node = Node("div", (node, num(1000)))
            elif self.is_cmd("circ"):
                self.at += 1
                node = fn("deg", node)
            elif self.token.kind == "text" and self.token.value.lower() in _MARKS:
                node = fn(_MARKS[self.take().value.lower()], node)
            elif self.token.kind == "text" and self.token.value in _ORDINALS and not self.token.spaced:
                self.at += 1
            else:
                return node

    def primary(self) -> Node:
        token = self.take()
        if token.kind == "num":
            return self.number(token)
        if token.kind == "id":
            return self.symbol(token)
        if token.kind == "fn":
            return self.function(token.value)
        if token.kind == "op":
            return self.bracket(token)
        if token.kind == "cmd":
            return self.command(token)
        self.at -= token.kind != "end"
        raise Unreadable(f"a value should stand {self.where()}")

    def symbol(self, token: Token) -> Node:
        name, at = token.value, self.at - 1
        if re.compile(r"[A-F][0-9A-F]+\s*_\s*(?:\{\s*16\s*\}|16)").match(self.text, token.start):
            based = self.based(token)
            if based is not None:
                return based
        while True:
            if self.is_op("_"):
                self.at += 1
                name += "_" + self.text_of(self.argument_span())
            elif self.is_op("'", "''"):
                name += self.take().value
            elif self.is_op("^") and name.rstrip("'") in _CALLED and self.text_of_ahead() == "-1":
                self.at += 1
                self.argument_span()
                name += "^-1"
            else:
                break
        if name == "e" or name == "i":
            return const(name)
        if self.is_op("(") and (name.rstrip("'").partition("_")[0].partition("^")[0] in _CALLED or self.defines(at)):
            self.at += 1
            inner = self.list()
            self.expect(")")
            return Node("apply", inner.args if inner.op == "list" else (inner,), name)
        if self.is_op("{") and name in _CALLED and self.tokens[self.at + 1].value == "(":
            inner = self.argument()
            return Node("apply", inner.args if inner.op == "tuple" else (inner,), name)
        return Node("sym", value=name)

    def defines(self, at: int) -> bool:
        """Whether the name at token `at` begins a member `name(...) =`."""
        if at != self.member:
            return False
        depth = 0
        for k in range(self.at, min(len(self.tokens), self.at + 40)):
            value = self.tokens[k].value if self.tokens[k].kind == "op" else ""
            depth += (value == "(") - (value == ")")
            if depth == 0:
                return self.tokens[k + 1].value == "=" and self.tokens[k + 1].kind == "op"
        return False

    def argument(self) -> Node:
        """A command's argument: a group, or one token; of a number its first digit only."""
        if self.is_op("{"):
            self.at += 1
            return self.group()
        token = self.token
        if token.kind == "num" and len(token.value) > 1 and token.value.isdigit():
            rest = Token("num", token.value[1:], token.start + 1, token.end)
            self.tokens[self.at : self.at + 1] = [Token("num", token.value[0], token.start, token.start + 1), rest]
            self.at += 1
            return num(int(token.value[0]))
        if token.kind == "num":
            self.at += 1
            return num(decimal(token.value))
        return self.primary()

    def group(self) -> Node:
        """What stands up to the `}`: with commas a set."""
        self.enter()
        bars, self.bars, flat, self.flat = self.bars, 0, self.flat, False
        node = self.list()
        if self.is_cmd("choose", "over"):
            op = self.take().value
            other = self.sum()
            node = fn("binom", node, other) if op == "choose" else Node("div", (node, other))
        if self.is_op("|", ":") and node.op in ("sym", "rel", "tuple"):
            node = self.condition(node)
        self.expect("}")
        self.bars, self.flat = bars, flat
        self.depth -= 1
        return Node("set", node.args) if node.op == "list" else node

    def condition(self, element: Node) -> Node:
        self.at += 1
        return Node("setof", (element, self.list()))

    def bracket(self, token: Token) -> Node:
        value = token.value
        if value == "{":
            return self.group()
        if value in ("|", "l|"):
            return self.absolute(value)
        if value not in ("(", "[", "\\{"):
            self.at -= 1
            raise Unreadable(f"a value should stand {self.where()}")
        self.enter()
        bars, self.bars, flat = self.bars, 0, self.flat
        self.flat = value == "\\{"
        node = Node("list") if self.is_op(")", "]", "\\}") else self.list()
        self.flat = False
        if value == "\\{" and (self.is_op("|", ":")):
            node = self.condition(node)
        self.bars, self.flat = bars, flat
        self.depth -= 1
        if not self.is_op(")", "]", "\\}") or (value == "\\{") != self.is_op("\\}"):
            raise Unreadable(f"a bracket should be closed {self.where()}")
        close = self.take().value
        return self.bracketed(value, close, node)

    @staticmethod
    def bracketed(opening: str, close: str, node: Node) -> Node:
        if opening == "\\{":
            return node if node.op == "setof" else Node("set", node.args if node.op == "list" else (node,))
        if node.op != "list":
            if opening + close not in ("()", "[]"):
                raise Unreadable(f"{opening!r} is closed by {close!r}")
            return node if opening == "(" or node.op != "tuple" else Node("tuple", (node,), "[]")
        if not node.args:
            if opening == "[":
                return Node("set")
            raise Unreadable("nothing stands between brackets")
        items = node.args
        if opening + close == "[]" and _is_grid(items):
            return Node("matrix", tuple(cell for row in items for cell in row.args), (len(items), len(items[0].args)))
        if opening + close == "()" or (len(items) != 2 and opening + close == "[]"):
            return Node("tuple", items, opening + close)
        if len(items) != 2:
            raise Unreadable("an interval has two ends")
        return Node("interval", items, opening + close)

    def absolute(self, opening: str) -> Node:
        self.enter()
        flat, self.flat = self.flat, False
        bars, self.bars = self.bars, int(opening == "|")
        node = self.list()
        if not self.is_op("|" if opening == "|" else "r|"):
            raise Unreadable("a bar is not closed")
        self.at += 1
        self.bars, self.flat = bars, flat
        self.depth -= 1
        return fn("abs", node)


def _is_grid(rows: tuple[Node, ...]) -> bool:
    """Whether all are bracketed rows of one length: [1, 2] and [3, 4]."""
    return (
        all(
            row.op in ("tuple", "interval") and row.value == "[]" and len(row.args) == len(rows[0].args) for row in rows
        )
        and len(rows) * len(rows[0].args) <= 256
    )
