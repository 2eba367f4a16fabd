"""Functions and LaTeX commands: sin, \\frac, \\sqrt, \\sum, \\int, \\lim, matrices, cases."""

from __future__ import annotations

from proofgym.verifiers.math.lexer import Token
from proofgym.verifiers.math.numerals import Numerals, decimal
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable, const, fn, num

__all__ = ["Commands"]


class Commands(Numerals):
    """The rules of functions and commands."""

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
            base, arguments = arguments[1], arguments[:1]
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
        first = (
            self.unary()
            if self.is_op("-")
            else self.power()
            if self.token.kind != "fn"
            else self.function(self.take().value)
        )
        node = first
        while (
            self.starts_factor()
            and self.token.kind != "fn"
            and not self.differential()
            and not self.is_op("(", "[", "\\{", "|", "l|")
        ):
            node = self.times(node, self.power())
        if (
            self.is_op("/")
            and node.has("const")
            and self.tokens[self.at + 1].kind == "num"
            and node.names() == frozenset()
        ):
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
        if name in (
            "overline",
            "bar",
            "hat",
            "vec",
            "tilde",
            "dot",
            "overrightarrow",
            "widehat",
            "widetilde",
            "mathring",
        ):
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
        if (
            below is None
            or above is None
            or below.op != "rel"
            or below.value != "="
            or below.args[0].op not in ("sym", "const")
        ):
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
            elif self.is_op("&") or self.is_op(",", ";", "."):
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
        if name in ("cases", "aligned", "align", "gathered", "split", "rcases", "dcases") or (
            name == "array" and any(cell.op == "rel" for row in rows for cell in row)
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
