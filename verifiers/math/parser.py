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
from fractions import Fraction

from proofgym.verifiers.math.lexer import Token, clean, tokens
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, big_int, check, const, fn, num

__all__ = ["decimal", "parse", "repeating"]

_RELATIONS = {
    "=": "=", "==": "=", ":=": "=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "!=": "!=", "le": "<=", "ge": ">=",
    "ne": "!=", "approx": "~", "in": "in", "equiv": "==", "notin": "notin", "subset": "subset", "sim": "~", "subseteq": "subset",
}  # fmt: skip
_STARTS_OP = {"(", "[", "{", "\\{", "l|", "|"}
_STARTS_CMD = {
    "frac", "sqrt", "binom", "pi", "infty", "cbrt", "fourthroot", "lfloor", "lceil", "sum", "prod", "int", "lim", "overline",
    "dot", "emptyset", "hat", "vec", "bar", "tilde", "boxed", "R", "Z", "Q", "N", "C", "angle", "ldots", "iint", "oint",
    "underline", "prime", "overrightarrow", "mathring", "triangle", "Delta", "limsup", "widehat", "widetilde", "sup", "pmod",
    "not", "textbf",
}  # fmt: skip
_MAX_DIGITS, _MAX_EXPONENT, _MAX_DEPTH = 20_000, 20_000, 120
_CALLED = set("fghFGH")
_ORDINALS = {"th", "st", "nd", "rd"}


def parse(text: str) -> Node:
    """Read an answer.

    Raises:
        Unreadable: With the reason.
        TooBig: If it is beyond the static limits.

    >>> parse("\\\\frac12 + x²").key() == parse("x^2+1/2").key()
    False
    >>> parse("3\\\\frac{1}{2}").value
    Fraction(7, 2)
    """
    return check(_Parser(clean(text)).whole())


def decimal(text: str) -> Fraction:
    """A decimal or scientific number, exactly.

    >>> decimal("1.5e3"), decimal(".25")
    (Fraction(1500, 1), Fraction(1, 4))
    """
    body, _, exponent = text.lower().partition("e")
    whole, _, places = body.partition(".")
    if len(body) > _MAX_DIGITS:
        raise TooBig(f"a number has at most {_MAX_DIGITS} digits")
    if len(exponent) > 7 or abs(int(exponent or 0)) > _MAX_EXPONENT:
        raise TooBig(f"an exponent of ten is at most {_MAX_EXPONENT}")
    value = Fraction(big_int(whole + places or "0"), 10 ** len(places))
    power = int(exponent or 0)
    return value * 10**power if power >= 0 else value / 10**-power


def repeating(head: str, period: str) -> Fraction:
    """A repeating decimal: `head` as written, then `period` for ever.

    >>> repeating("0.1", "6")
    Fraction(1, 6)
    """
    if not period.isdigit() or len(period) > 500:
        raise Unreadable("the repeating part is not a row of digits")
    places = len(head.partition(".")[2])
    return decimal(head) + Fraction(int(period), (10 ** len(period) - 1) * 10**places)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.bars = 0
        self.integrals = 0  # inside one, a d before a name ends the argument of a function
        self.flat = False  # before the bar of a set-builder: no absolute values, no ratios
        self.member = 0  # where the current member of a relation began

    # -- tokens ---------------------------------------------------------------------------------------------------
    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def is_op(self, *values: str) -> bool:
        return self.token.kind == "op" and self.token.value in values

    def is_cmd(self, *values: str) -> bool:
        return self.token.kind == "cmd" and self.token.value in values

    def take(self) -> Token:
        token = self.token
        self.at += token.kind != "end"
        return token

    def expect(self, value: str) -> None:
        if not self.is_op(value):
            raise Unreadable(f"{value!r} should stand {self.where()}")
        self.at += 1

    def where(self) -> str:
        return f"before {self.token.value[:20]!r}" if self.token.kind != "end" else "at the end"

    def enter(self) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise TooBig("it nests too deep")

    # -- lists and relations --------------------------------------------------------------------------------------
    def whole(self) -> Node:
        node = self.list(top=True)
        while self.is_op(".", "\\\\") or self.token.kind == "op" and self.token.value == "?":
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
            elif self.token.kind == "text" and self.token.value.strip(" ,.").lower() in ("and", "or", "or else", "and also"):
                found = self.take().value.strip(" ,.").lower()[:3].strip()
            elif top and self.is_op("\\\\") and self.tokens[self.at + 1].kind != "end":
                self.at += 1
                found = found or ","
            else:
                return found

    def closing(self) -> bool:
        return self.token.kind == "end" or self.is_op(")", "]", "}", "\\}") or self.token.value == "."

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
            if self.is_op(":") and len(members) == 1 and members[0].op == "sym" and self.tokens[self.member].kind == "text":
                sign = "="
            if sign is None:
                break
            self.at += 1
            signs.append(sign)
            self.member = self.at
            members.append(self.union())
        self.depth -= 1
        node = Node("rel", tuple(members), ",".join(signs)) if signs else members[0]
        if self.is_cmd("pmod") or self.is_op("(") and self.tokens[self.at + 1].value == "mod":
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
        if self.at > start and not self.tokens[start].kind == "text":
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

    # -- arithmetic -----------------------------------------------------------------------------------------------
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
        return token.kind == "cmd" and token.value in _STARTS_CMD and token.value not in ("pmod", "not") or (
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
            if self.is_op("!") and not self.tokens[self.at + 1].value == "=":
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
            elif self.token.kind == "text" and self.token.value.lower() in ("percent", "degrees", "degree", "deg"):
                node = fn("pct" if self.take().value.lower() == "percent" else "deg", node)
            elif self.token.kind == "text" and self.token.value in _ORDINALS and not self.token.spaced:
                self.at += 1
            else:
                return node

    # -- primaries ------------------------------------------------------------------------------------------------
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

    def number(self, token: Token) -> Node:
        text = token.value.rstrip(".")
        if self.is_op("...") or self.is_cmd("ldots") and "." in text:
            places = text.partition(".")[2]
            for size in (1, 2, 3):
                if len(places) >= 3 * size and places.endswith(places[-size:] * 3):
                    self.at += 1
                    head = text
                    return num(repeating(head, places[-size:]))
        if "." in token.value and (self.is_cmd("overline", "dot", "bar") or self.is_op("(")) and not self.token.spaced:
            return self.repeating(token)
        if self.is_op("_") or self.token.kind == "id" and self.token.value.isupper() and not self.token.spaced:
            based = self.based(token)
            if based is not None:
                return based
        mixed = self.mixed(token)
        return mixed if mixed is not None else num(decimal(text))

    def repeating(self, token: Token) -> Node:
        opener = self.token
        found = re.compile(r"\\overline\s*\{(\d+)\}|\\bar\s*\{(\d+)\}|\((\d+)\)(?!\s*[\^\d])|((?:\\dot\s*\{?\d\}?\d*?)+)").match(
            self.text, opener.start
        )
        whole = token.value
        if found is None or opener.value == "(" and whole.endswith("."):
            if found is None:
                return num(decimal(whole.rstrip(".")))
        period = found[1] or found[2] or found[3]
        if period is None:
            period = re.sub(r"\D", "", re.compile(r"\\dot\s*\{?\d\}?(?:\d*\\dot\s*\{?\d\}?)?").match(self.text, opener.start)[0])  # type: ignore[index]
            end = re.compile(r"\\dot\s*\{?\d\}?(?:\d*\\dot\s*\{?\d\}?)?").match(self.text, opener.start).end()  # type: ignore[union-attr]
        else:
            end = found.end()
        while self.token.kind != "end" and self.token.start < end:
            self.at += 1
        return num(repeating(whole if "." in whole else whole + ".", period))

    def based(self, token: Token) -> Node | None:
        """Digits with a base as their subscript, such as 1A3_{16}."""
        found = re.compile(r"([0-9A-Z]+)\s*_\s*(?:\{\s*(\d{1,2})\s*\}|(\d{1,2}))").match(self.text, token.start)
        if found is None:
            return None
        base = int(found[2] or found[3])
        digits = [int(char, 36) for char in found[1]]
        if not 2 <= base <= 36 or any(digit >= base for digit in digits) or len(digits) > 2000:
            raise Unreadable(f"{found[1][:20]!r} is no number to base {base}")
        while self.token.kind != "end" and self.token.start < found.end():
            self.at += 1
        value = 0
        for digit in digits:
            value = value * base + digit
        return num(value)

    def mixed_ahead(self) -> bool:
        """Whether a mixed number stands here."""
        following = self.tokens[self.at + 1]
        return self.token.kind == "num" and following.kind == "cmd" and following.value == "frac"

    def mixed(self, token: Token) -> Node | None:
        """A mixed number: 3\\frac{1}{2}, or 3 1/2 in plain text."""
        if not token.value.isdigit():
            return None
        found = re.compile(
            r"\s*\\[dt]?frac\s*(?:\{\s*(\d{1,40})\s*\}|(\d))\s*(?:\{\s*(\d{1,40})\s*\}|(\d))|\s+(\d{1,40})\s*/\s*(\d{1,40})(?![\d.(])"
        ).match(self.text, token.end)
        if found is None:
            return None
        above = int(found[1] or found[2] or found[5])
        below = int(found[3] or found[4] or found[6])
        if not 0 < above < below:
            return None
        while self.token.kind != "end" and self.token.start < found.end():
            self.at += 1
        return num(Fraction(above, below) + decimal(token.value))

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
            elif (
                self.is_op("^") and name.rstrip("'") in _CALLED and self.text_of_ahead() == "-1"
            ):
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

    def text_of_ahead(self) -> str:
        at = self.at
        self.at += 1
        try:
            return self.text_of(self.argument_span())
        except Unreadable:
            return ""
        finally:
            self.at = at

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

    def argument_span(self) -> tuple[int, int]:
        """Skip one argument, a group or a token, without reading it; returns its characters."""
        first = self.take()
        if first.kind == "end":
            raise Unreadable("something should stand at the end")
        if not (first.kind == "op" and first.value == "{"):
            if first.value == "-" and self.token.kind == "num":
                return first.start, self.take().end
            if first.kind == "num" and len(first.value) > 1 and first.value.isdigit():
                return first.start, first.end
            return first.start, first.end
        depth = 1
        while depth:
            token = self.take()
            if token.kind == "end":
                raise Unreadable("a '}' is missing")
            depth += (token.value == "{" and token.kind == "op") - (token.value == "}" and token.kind == "op")
        return first.end, self.tokens[self.at - 1].start

    def text_of(self, span: tuple[int, int]) -> str:
        return re.sub(r"\\(?:text|mathrm|operatorname|mbox)|[\s{}\\]", "", self.text[span[0] : span[1]])

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
        if value == "." and self.token.kind == "num":
            return num(decimal("." + self.take().value))
        if value not in ("(", "[", "\\{"):
            self.at -= 1
            raise Unreadable(f"a value should stand {self.where()}")
        self.enter()
        bars, self.bars, flat = self.bars, 0, self.flat
        self.flat = value == "\\{"
        if self.is_op(")", "]", "\\}"):
            node = Node("list")
        else:
            node = self.list()
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
        if opening + close == "()" or len(items) != 2 and opening + close == "[]":
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

    # -- functions and commands -----------------------------------------------------------------------------------
    def function(self, name: str) -> Node:
        base, exponent = None, None
        while True:
            if self.is_op("^") and exponent is None:
                self.at += 1
                exponent = self.exponent() if not self.is_op("{") else self.argument()
            elif self.is_op("_") and base is None:
                self.at += 1
                base = self.subscript_value()
            else:
                break
        if name == "sqrt":
            return self.root()
        if name in ("log2", "log10"):
            name, base = "log", num(int(name[3:]))
        inverse = exponent is not None and exponent == Node("neg", (num(1),)) and name in (
            "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh",
        )  # fmt: skip
        if inverse:
            name, exponent = "arc" + name, None
        arguments = self.function_arguments()
        if name in ("max", "min") and base is not None:
            base = None
        node = self.applied(name, arguments, base)
        return node if exponent is None else Node("pow", (node, exponent))

    @staticmethod
    def applied(name: str, arguments: tuple[Node, ...], base: Node | None) -> Node:
        if name in ("max", "min", "gcd", "lcm"):
            return Node("fn", arguments, name)
        if name in ("binom", "mod", "root2"):
            if len(arguments) != 2:
                raise Unreadable(f"{name} takes two values")
            return Node("fn", arguments, name if name != "root2" else "root")
        if name == "log" and len(arguments) == 2 and base is None:
            arguments, base = arguments[:1], arguments[1]
        if len(arguments) != 1:
            raise Unreadable(f"{name} takes one value, found {len(arguments)}")
        if name == "lg":
            name, base = "log", num(10)
        if name in ("log", "ln") and base is not None:
            return Node("div", (fn("ln", arguments[0]), fn("ln", base)))
        return Node("fn", arguments, "ln" if name == "log" else name)

    def subscript_value(self) -> Node:
        if self.is_op("{"):
            return self.argument()
        token = self.token
        if token.kind == "num":
            self.at += 1
            if len(token.value) > 1 and token.value.isdigit() and token.value != "10":
                # \log_28 is \log_2 8
                rest = Token("num", token.value[1:], token.start + 1, token.end)
                self.tokens.insert(self.at, rest)
                return num(int(token.value[0]))
            return num(decimal(token.value))
        return self.primary()

    def function_arguments(self) -> tuple[Node, ...]:
        if self.is_op("(", "[", "\\{", "{") or self.is_op("l|", "|"):
            opening = self.take()
            if opening.value in ("l|", "|"):
                return (self.absolute(opening.value),)
            node = self.group() if opening.value == "{" else self.bracket(opening)
            if node.op in ("tuple", "set", "interval", "list"):
                return node.args
            return (node,)
        first = self.unary() if self.is_op("-") else self.power() if self.token.kind != "fn" else self.function(self.take().value)
        node = first
        while self.starts_factor() and self.token.kind != "fn" and not self.differential() and not self.is_op("(", "[", "\\{", "|", "l|"):
            node = self.times(node, self.power())
        if self.is_op("/") and node.has("const") and self.tokens[self.at + 1].kind == "num" and node.names() == frozenset():
            self.at += 1
            node = Node("div", (node, self.power()))
        return (node,)

    def differential(self) -> bool:
        return self.integrals > 0 and self.token.value == "d" and self.tokens[self.at + 1].kind == "id"

    def root(self) -> Node:
        degree = None
        if self.is_op("["):
            self.at += 1
            degree = self.list()
            self.expect("]")
        if self.is_op("("):
            inside = self.primary()
        elif self.token.kind == "num":
            token = self.take()
            inside = num(decimal(token.value.rstrip(".")))
        else:
            inside = self.argument()
        return fn("sqrt", inside) if degree is None or degree == num(2) else fn("root", inside, degree)

    def command(self, token: Token) -> Node:
        name = token.value
        if name == "frac":
            above = self.argument()
            return Node("div", (above, self.argument()))
        if name in ("cbrt", "fourthroot"):
            inside = self.root()
            return fn("root", inside.args[0], num(3 if name == "cbrt" else 4))
        if name == "binom":
            above = self.argument()
            return fn("binom", above, self.argument())
        if name == "pi":
            return const("pi")
        if name == "infty":
            return const("oo")
        if name == "emptyset":
            return Node("set")
        if name in ("R", "Z", "Q", "N", "C"):
            if self.is_op("^", "_"):
                self.at += 1
                name += self.text_of(self.argument_span())
            return Node("sym", value="\\" + name)
        if name in ("lfloor", "lceil"):
            inner = self.list()
            if not self.is_cmd("rfloor" if name == "lfloor" else "rceil"):
                raise Unreadable(f"a {name[1:]} bracket is not closed")
            self.at += 1
            return fn("floor" if name == "lfloor" else "ceiling", inner)
        if name in ("boxed", "underline", "textbf"):
            return self.argument()
        if name in ("overline", "bar", "hat", "vec", "tilde", "dot", "overrightarrow", "widehat", "widetilde", "mathring"):
            return Node("sym", value=f"{name} {self.text_of(self.argument_span())}")
        if name in ("angle", "triangle"):
            return self.primary()
        if name == "ldots":
            return Node("dots")
        if name in ("sum", "prod"):
            return self.big(name)
        if name == "int":
            return self.integral()
        if name == "lim":
            return self.limit()
        if name.startswith("begin:"):
            return self.environment(name[6:])
        self.at -= 1
        raise Unreadable(f"'\\{name}' is not read here")

    def big(self, name: str) -> Node:
        """\\sum_{k=1}^{n} body."""
        below, above = None, None
        for _ in range(2):
            if self.is_op("_") and below is None:
                self.at += 1
                below = self.argument()
            elif self.is_op("^") and above is None:
                self.at += 1
                above = self.bound()
        if below is None or above is None or below.op != "rel" or below.value != "=" or below.args[0].op not in ("sym", "const"):
            raise Unreadable(f"a {name} needs bounds such as k=1 and n")
        body = self.product()
        variable = Node("sym", value=f"bound {below.args[0].value}")
        return Node(name, (body.swap(below.args[0], variable), variable, below.args[1], above))

    def bound(self) -> Node:
        """An upper bound: a group, or one token with its sign."""
        if self.is_op("-", "+"):
            return Node("neg", (self.bound(),)) if self.take().value == "-" else self.bound()
        if self.token.kind == "num":
            return num(decimal(self.take().value))
        return self.argument()

    def integral(self) -> Node:
        """\\int_a^b body dx."""
        below, above = None, None
        for _ in range(2):
            if self.is_op("_") and below is None:
                self.at += 1
                below = self.argument()
            elif self.is_op("^") and above is None:
                self.at += 1
                above = self.bound()
        self.integrals += 1
        body = self.sum()
        self.integrals -= 1
        factors = body.args if body.op == "mul" else (body,)
        if len(factors) < 2 or factors[-2] != Node("sym", value="d") or factors[-1].op != "sym":
            raise Unreadable("an integral should end in dx")
        inside = Node("mul", factors[:-2]) if len(factors) > 3 else factors[0] if len(factors) == 3 else num(1)
        variable = Node("sym", value=f"bound {factors[-1].value}")
        if below is None or above is None:
            return Node("int", (inside, factors[-1]))
        return Node("int", (inside.swap(factors[-1], variable), variable, below, above))

    def limit(self) -> Node:
        """\\lim_{x \\to a} body."""
        if not self.is_op("_"):
            raise Unreadable("a limit needs 'x \\to a' below it")
        self.at += 1
        self.expect("{")
        variable = self.primary()
        if not self.is_cmd("to") or variable.op != "sym":
            raise Unreadable("a limit needs 'x \\to a' below it")
        self.at += 1
        target = self.sum()
        self.expect("}")
        bound = Node("sym", value=f"bound {variable.value}")
        return Node("lim", (self.product().swap(variable, bound), bound, target))

    def environment(self, name: str) -> Node:
        """A matrix, a determinant, a system or a definition by cases."""
        self.enter()
        if name == "array" and self.is_op("{"):
            self.argument_span()
        rows: list[list[Node]] = [[]]
        while not (self.token.kind == "cmd" and self.token.value.startswith("end:")):
            if self.token.kind == "end":
                raise Unreadable(f"\\end{{{name}}} is missing")
            if self.is_op("\\\\"):
                self.at += 1
                rows.append([])
            elif self.is_op("&"):
                self.at += 1
            elif self.is_op(",", ";", "."):
                self.at += 1
            elif self.token.kind == "text":
                words = self.take().value
                if words.strip(" ,").lower() not in ("if", "when", "for", "and", "where"):
                    rows[-1].append(Node("text", value=words.strip(" ,.").lower()))
            else:
                rows[-1].append(self.relation())
        self.at += 1
        self.depth -= 1
        rows = [row for row in rows if row]
        if not rows:
            raise Unreadable(f"nothing stands in {name}")
        if name in ("cases", "aligned", "align", "gathered", "split", "rcases", "dcases") or name == "array" and any(
            cell.op == "rel" for row in rows for cell in row
        ):
            if all(len(row) == 2 for row in rows) and name.endswith("cases"):
                return Node("cases", tuple(cell for row in rows for cell in row))
            cells = tuple(cell for row in rows for cell in row)
            return cells[0] if len(cells) == 1 else Node("list", cells)
        if len({len(row) for row in rows}) != 1:
            raise Unreadable("the rows of a matrix differ in length")
        if len(rows) * len(rows[0]) > 256:
            raise TooBig("a matrix has at most 256 cells")
        cells = tuple(cell for row in rows for cell in row)
        matrix = Node("matrix", cells, (len(rows), len(rows[0])))
        return fn("det", matrix) if name == "vmatrix" else matrix


def _is_grid(rows: tuple[Node, ...]) -> bool:
    """Whether all are bracketed rows of one length: [1, 2] and [3, 4]."""
    return all(
        row.op in ("tuple", "interval") and row.value == "[]" and len(row.args) == len(rows[0].args) for row in rows
    ) and len(rows) * len(rows[0].args) <= 256
