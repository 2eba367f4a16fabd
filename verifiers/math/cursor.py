"""A place in a row of tokens: what stands here, and how to move on."""

from __future__ import annotations

import re

from proofgym.verifiers.math.lexer import Token, tokens
from proofgym.verifiers.math.tree import Node, TooBig, Unreadable

__all__ = ["Cursor"]

_MAX_DEPTH = 120


class Cursor:
    """Reads tokens one by one; the grammar's rules build on it.

    Args:
        text: A cleaned text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.at = 0
        self.depth = 0
        self.bars = 0
        self.integrals = 0  # inside one, a d before a name ends the argument of a function
        self.flat = False  # before the bar of a set-builder: no absolute values, no ratios
        self.member = 0  # where the current member of a relation began

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

    def closing(self) -> bool:
        return self.token.kind == "end" or self.is_op(")", "]", "}", "\\}") or self.token.value == "."

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

    def text_of_ahead(self) -> str:
        at = self.at
        self.at += 1
        try:
            return self.text_of(self.argument_span())
        except Unreadable:
            return ""
        finally:
            self.at = at

    # -- rules that other rules need, whichever module holds them -------------------------------------------------
    def list(self, *, top: bool = False) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def relation(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def sum(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def product(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def unary(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def power(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def primary(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def group(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def argument(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def exponent(self) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def bracket(self, token: Token) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def absolute(self, opening: str) -> Node:
        """See `parser`."""
        raise NotImplementedError

    @staticmethod
    def times(left: Node, right: Node) -> Node:
        """See `parser`."""
        raise NotImplementedError

    def starts_factor(self) -> bool:
        """See `parser`."""
        raise NotImplementedError
