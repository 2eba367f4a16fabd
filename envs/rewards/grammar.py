"""A reward in one line, read by a small parser of its own; nothing is ever evaluated.

    reward   =  sum ["if" gates]
    sum      =  item {("+" | "-") item}
    item     =  ["-"] [number "*"] (name ["[" arguments "]"] | "(" reward ")") ["@" schedule] ["as" label]
    argument =  [name "="] value {"|" value}           a value: number, word, true, false, "text"
    schedule =  constant | linear | cosine | step, "(" start "," end ["," begin ["," until]] ")"
    gates    =  gate {"and" gate}
    gate     =  ["not"] (correct | readable | (score | reward | part.NAME) (">=" | "<=" | ">" | "<") number)

As in Python, `if` closes over everything to its left, up to the parenthesis around it. The argument `per` says when a
term pays: `turn`, `episode` or `end`. Parameters may go without their names, in the order of `proofgym rewards`, before
those that have them. `name` may be `module:function`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from proofgym.envs.rewards.schedules import KINDS, Schedule
from proofgym.envs.rewards.spec import OPERATORS, Gate, Term
from proofgym.envs.rewards.terms import find
from proofgym.errors import BadInput

__all__ = ["parse", "parse_gates"]

_LONGEST = 4000  # characters of a specification
_DEEPEST = 20  # parentheses
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?(?![A-Za-z0-9_.]))"
    r'|(?P<text>"(?:[^"\\]|\\.)*")'
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*(?:[./:][A-Za-z0-9_]+)*)"
    r"|(?P<sign>>=|<=|[-+*()\[\],=|@<>])"
)
_KEYWORDS = ("if", "and", "not", "as")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def parse(text: str) -> list[Term]:
    """The terms of a reward.

    Raises:
        BadInput: With the place, what was found there and what was expected.

    >>> [str(term) for term in parse("env - 0.2*(tools + language[zh] if readable)")]
    ['1*env', '(-0.2*tools if readable)', '(-0.2*language[zh] if readable)']
    >>> parse("correctness + *format[think]")
    Traceback (most recent call last):
    proofgym.errors.BadInput: reward, character 15: expected a term, found '*'
        correctness + *format[think]
                      ^
    """
    reader = _Reader(text)
    terms = reader.reward(0)
    reader.end()
    return terms


def parse_gates(text: str) -> list[Gate]:
    """Conditions joined by `and`.

    >>> [str(gate) for gate in parse_gates("not correct and part.tests >= 0.5")]
    ['not correct', 'part.tests >= 0.5']
    """
    reader = _Reader(text)
    gates = reader.gates()
    reader.end()
    return gates


class _Reader:
    """Reads tokens from left to right, one method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > _LONGEST:
            raise BadInput(f"a reward is one line of at most {_LONGEST} characters, found {len(text)}")
        self.tokens = list(self._scan())
        self.at = 0

    # Rules ------------------------------------------------------------------------------------------------------------

    def reward(self, depth: int) -> list[Term]:
        if depth > _DEEPEST:
            raise self.fail(f"at most {_DEEPEST} parentheses inside each other")
        terms = self.item(depth, 1.0)
        while self.peek.text in ("+", "-") and self.peek.kind == "sign":
            terms += self.item(depth, -1.0 if self.take().text == "-" else 1.0)
        if self.took("if"):
            gates = tuple(self.gates())
            terms = [replace(term, gates=_merged(term.gates, gates)) for term in terms]
        return terms

    def item(self, depth: int, sign: float) -> list[Term]:
        weight, place = -sign if self.took("-") else sign, self.peek
        if self.peek.kind == "number":
            weight *= float(self.take().text)
            if not self.took("*"):
                raise self.expected("'*' and a term behind a number")
        if self.took("("):
            terms = self.reward(depth + 1)
            self.need(")")
        elif self.peek.kind == "word" and self.peek.text not in _KEYWORDS:
            terms = [self.term()]
        else:
            raise self.expected("a term")
        try:
            terms = [replace(term, weight=weight * term.weight) for term in terms]
        except BadInput as error:
            raise self.fail(str(error), place) from None
        if self.took("@"):
            place, schedule = self.peek, self.schedule()
            if any(term.schedule != Schedule() for term in terms):
                raise self.fail("a schedule inside a schedule; give each term its own", place)
            terms = [replace(term, schedule=schedule) for term in terms]
        if self.took("as"):
            if len(terms) != 1:
                raise self.fail("`as` names one term, not a sum", self.tokens[self.at - 1])
            if self.peek.kind != "word" or self.peek.text in _KEYWORDS:
                raise self.expected("a name")
            terms = [replace(terms[0], label=self.take().text)]
        return terms

    def term(self) -> Term:
        name = self.take()
        try:
            kind = find(name.text)
        except BadInput as error:
            raise self.fail(str(error), name) from None
        arguments: dict[str, Any] = {}
        named = False
        if self.took("["):
            while not self.took("]"):
                place = self.peek
                named = self.names_next or named
                if self.names_next:
                    key = self.take().text
                    self.need("=")
                elif named:
                    raise self.fail("behind a parameter with its name, each needs one; write name=value", place)
                elif len(arguments) >= len(kind.parameters):
                    many = f"{len(kind.parameters)} parameters" if kind.parameters else "no parameter"
                    raise self.fail(f"{kind.name} has {many} that can go without a name", place)
                else:
                    key = kind.parameters[len(arguments)].name
                if key in arguments:
                    raise self.fail(f"{key!r} is given twice", place)
                arguments[key] = self.values()
                if self.peek.text != "]":
                    self.need(",")
        try:
            return Term(name.text, per=arguments.pop("per", None), arguments=arguments)
        except BadInput as error:
            raise self.fail(str(error), name) from None

    @property
    def names_next(self) -> bool:
        """Whether `name =` comes next."""
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        return self.peek.kind == "word" and (following.kind, following.text) == ("sign", "=")

    def values(self) -> Any:
        found = [self.value()]
        several = False
        while self.took("|"):
            several = True
            if self.peek.text in ("]", ",") and self.peek.kind == "sign":  # a list of one: `add|`
                break
            found.append(self.value())
        return tuple(found) if several else found[0]

    def value(self) -> Any:
        negative = self.took("-")
        token = self.peek
        if token.kind == "number":
            self.at += 1
            number: float = int(token.text) if token.text.isdecimal() else float(token.text)
            return -number if negative else number
        if negative:
            raise self.expected("a number behind '-'")
        if token.kind == "word":
            self.at += 1
            return {"true": True, "false": False}.get(token.text, token.text)
        if token.kind == "text":
            self.at += 1
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        raise self.expected("a value")

    def schedule(self) -> Schedule:
        place = self.peek
        if place.kind != "word" or place.text not in KINDS:
            raise self.expected(f"a schedule ({', '.join(KINDS)})")
        kind = self.take().text
        self.need("(")
        numbers = [self.number()]
        while self.took(","):
            numbers.append(self.number())
        self.need(")")
        if len(numbers) > 4 or (len(numbers) < 2 and kind != "constant"):
            raise self.fail("a schedule has a start, an end and up to two marks", place)
        try:
            return Schedule(kind, *numbers)  # type: ignore[arg-type]
        except BadInput as error:
            raise self.fail(str(error), place) from None

    def gates(self) -> list[Gate]:
        found = [self.gate()]
        while self.took("and"):
            found.append(self.gate())
        return found

    def gate(self) -> Gate:
        negated = self.took("not")
        place = self.peek
        if place.kind != "word" or place.text in _KEYWORDS:
            raise self.expected("a condition")
        self.at += 1
        operator, value = "", 0.0
        if self.peek.kind == "sign" and self.peek.text in OPERATORS:
            operator = self.take().text
            value = self.number()
        try:
            return Gate(place.text, operator, value, negated)
        except BadInput as error:
            raise self.fail(str(error), place) from None

    def number(self) -> float:
        sign = -1.0 if self.took("-") else 1.0
        if self.peek.kind != "number":
            raise self.expected("a number")
        return sign * float(self.take().text)

    # Tokens -----------------------------------------------------------------------------------------------------------

    def _scan(self) -> Iterator[_Token]:
        place = 0
        while place < len(self.text):
            match = _TOKEN.match(self.text, place)
            if match is None:
                raise self.fail(f"cannot read {self.text[place : place + 1]!r}", _Token("", "", place))
            place = match.end()
            if match.lastgroup != "space":
                yield _Token(str(match.lastgroup), match[0], match.start())
        yield _Token("end", "", len(self.text))

    @property
    def peek(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def took(self, text: str) -> bool:
        there = self.peek.text == text and self.peek.kind in ("sign", "word")
        self.at += there
        return there

    def need(self, text: str) -> None:
        if not self.took(text):
            raise self.expected(repr(text))

    def end(self) -> None:
        if self.peek.kind != "end":
            raise self.expected("'+', '-', 'if' or the end")

    def expected(self, what: str) -> BadInput:
        token = self.peek
        return self.fail(f"expected {what}, found {repr(token.text) if token.text else 'the end'}", token)

    def fail(self, message: str, token: _Token | None = None) -> BadInput:
        place = (token or self.peek).place
        begin = max(self.text.rfind("\n", 0, place) + 1, place - 60)
        line = self.text[begin : begin + 100].partition("\n")[0]
        return BadInput(f"reward, character {place + 1}: {message}\n    {line}\n    {' ' * (place - begin)}^")


def _merged(first: tuple[Gate, ...], then: tuple[Gate, ...]) -> tuple[Gate, ...]:
    return first + tuple(gate for gate in then if gate not in first)
