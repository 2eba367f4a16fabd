"""Normal forms of lambda terms."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import Unreadable
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["LambdaReduction", "normal_form", "parse_term", "written"]

Term = int | str | tuple["Term", ...]
"""A bound variable as its de Bruijn index, a free one as its name, `(body,)` or `(function, argument)`."""

_FREE, _BOUND = "abcd", "xyzuvwpqrst"
_PIECES = (
    "\\x.x", "\\x y.x", "\\x y.y", "\\x y z.x z (y z)", "\\x y.y x", "\\x y.x (x y)", "\\x.x x", "\\x y z.x (y z)",
    "\\x y z.y (x y z)", "\\x y z.x z y", "\\x.a x b", "\\x y.x (y x)",
)  # fmt: skip
_MOST_STEPS, _MOST_SIZE, _MOST_DEPTH = 60, 150, 60
_TOKEN = re.compile(r"\s*([a-z().\\]|λ)")


class LambdaReduction(Puzzle):
    """Reduce a term of the lambda calculus to its normal form; the names of bound variables do not matter.

    Normal-order reduction finds the normal form if there is one, and by the theorem of Church and Rosser it is unique.
    """

    family = "lambda_reduction"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "pieces": Knob(3, 6, "combinators and variables that are applied", 2, 10),
        "steps": Knob(2, 9, "reductions in normal order, at least", 1, 30),
    }
    hardness_of = "reductions in normal order"
    floor: ClassVar[float] = 0.03

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        pieces = [parse_term(text) for text in _PIECES]
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            parts: list[Term] = []
            for _ in range(knobs["pieces"]):
                piece = pieces[int(rng.integers(len(pieces)))]
                parts.append(piece if rng.random() < 0.75 else _FREE[int(rng.integers(4))])
            while len(parts) > 1:
                i = 0 if rng.random() < 0.6 else int(rng.integers(len(parts) - 1))
                parts[i : i + 2] = [(parts[i], parts[i + 1])]
            found = normal_form(parts[0])
            if found is None or not knobs["steps"] <= found[1] <= 2 * knobs["steps"] + 1 or _size(found[0]) < 3:
                continue
            if _depth(parts[0]) < len(_BOUND) and _depth(found[0]) < len(_BOUND) and len(written(found[0])) < 120:
                return cls({"term": written(parts[0])})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "term")
        text = fields.text(data, "term", most=400)
        try:
            term = parse_term(text)
        except Unreadable as error:
            raise BadInput(f"'term' cannot be read: {error}") from None
        found = normal_form(term)
        if found is None:
            raise BadInput(f"the term has no normal form within {_MOST_STEPS} steps and a size of {_MOST_SIZE}")
        self.normal, self._steps = found
        self._term = term

    def prove(self) -> None:
        if not self._steps or _depth(self.normal) >= len(_BOUND):
            raise BadInput("the term is in normal form already, or its normal form is nested too deep")

    def canonical(self) -> Any:
        return written(self._term)

    def question(self) -> str:
        return (
            f"Reduce this term of the lambda calculus to its normal form:\n{self.data['term']}\n\\x.t is the "
            "function that takes x to t, \\x y.t is short for \\x.\\y.t, application is written side by side and "
            "associates to the left, and names are single letters.\nEnd with a line 'Answer: ' and the normal form, "
            "in the same notation."
        )

    def judge(self, answer: str) -> Verdict:
        term = parse_term(answer)
        if term == self.normal:
            return Verdict.right()
        return Verdict.wrong(
            "it is another term" if _redex_free(term) else "it can still be reduced, or is another term"
        )

    def solution(self) -> str:
        return written(self.normal)

    def hardness(self) -> float:
        return float(self._steps)

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.data['term']}", "Answer: " + "\\x." * 40 + "x", "Answer: " + "x " * 40)


def parse_term(text: str) -> Term:
    """Read a term.

    Raises:
        Unreadable: With the reason.

    >>> written(parse_term("(\\\\x y.x) a")), parse_term("\\\\x.x b")
    ('(\\\\x y.x) a', ((0, 'b'),))
    """
    if len(text) > 2000:
        raise Unreadable(f"a term has at most 2000 characters, found {len(text)}")
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            raise Unreadable(f"{text[at:].lstrip()[:1]!r} has no place in a term")
        tokens.append("\\" if found[1] == "λ" else found[1])
        at = found.end()
    if len(tokens) > 2 * _MOST_SIZE:  # what follows recurses once for each
        raise Unreadable(f"a term has at most {2 * _MOST_SIZE} signs, found {len(tokens)}")
    term, at = _parsed(tokens, 0, (), 0)
    if at < len(tokens):
        raise Unreadable(f"{tokens[at]!r} is out of place")
    return term


def _parsed(tokens: Sequence[str], at: int, bound: tuple[str, ...], depth: int) -> tuple[Term, int]:
    """One term from a token on, and where it ends."""
    if depth > _MOST_DEPTH:
        raise Unreadable(f"terms nest at most {_MOST_DEPTH} deep")
    term: Term | None = None
    while at < len(tokens) and tokens[at] != ")":
        part: Term
        if tokens[at] == "\\":
            names = []
            at += 1
            while at < len(tokens) and tokens[at].isalpha():
                names.append(tokens[at])
                at += 1
            if not names or at == len(tokens) or tokens[at] != ".":
                raise Unreadable("a function is written as \\x.t")
            part, at = _parsed(tokens, at + 1, (*names[::-1], *bound), depth + len(names))
            for _ in names:
                part = (part,)
        elif tokens[at] == "(":
            part, at = _parsed(tokens, at + 1, bound, depth + 1)
            if at == len(tokens) or tokens[at] != ")":
                raise Unreadable("a ')' is missing")
            at += 1
        elif tokens[at].isalpha():
            name = tokens[at]
            part = bound.index(name) if name in bound else name
            at += 1
        else:
            raise Unreadable(f"{tokens[at]!r} is out of place")
        term = part if term is None else (term, part)
    if term is None:
        raise Unreadable("a term is missing")
    return term, at


def _moved(term: Term, by: int, above: int = 0) -> Term:
    """With all variables that are bound outside moved by so many binders."""
    if isinstance(term, int):
        return term + by if term >= above else term
    if isinstance(term, str):
        return term
    if len(term) == 1:
        return (_moved(term[0], by, above + 1),)
    return (_moved(term[0], by, above), _moved(term[1], by, above))


def _put(term: Term, value: Term, at: int = 0) -> Term:
    """With a value in the place of the variable bound `at` binders outside."""
    if isinstance(term, int):
        return _moved(value, at) if term == at else term - (term > at)
    if isinstance(term, str):
        return term
    if len(term) == 1:
        return (_put(term[0], value, at + 1),)
    return (_put(term[0], value, at), _put(term[1], value, at))


def _step(term: Term) -> Term | None:
    """One reduction, leftmost and outermost."""
    if not isinstance(term, tuple):
        return None
    if len(term) == 1:
        body = _step(term[0])
        return None if body is None else (body,)
    function, argument = term
    if isinstance(function, tuple) and len(function) == 1:
        return _put(function[0], argument)
    left = _step(function)
    if left is not None:
        return (left, argument)
    right = _step(argument)
    return None if right is None else (function, right)


def _size(term: Term) -> int:
    return 1 + sum(map(_size, term)) if isinstance(term, tuple) else 1


def _depth(term: Term) -> int:
    """The most binders around a place."""
    if not isinstance(term, tuple):
        return 0
    return _depth(term[0]) + 1 if len(term) == 1 else max(map(_depth, term))


def _redex_free(term: Term) -> bool:
    return _step(term) is None


def normal_form(term: Term) -> tuple[Term, int] | None:
    """The normal form and the reductions to it; `None` if it takes too many, or the term grows too large."""
    for steps in range(_MOST_STEPS):
        after = _step(term)
        if after is None:
            return term, steps
        if _size(after) > _MOST_SIZE:
            return None
        term = after
    return None


def written(term: Term, depth: int = 0) -> str:
    """A term as text; bound variables are named by how deep they are."""
    if isinstance(term, int):
        return _BOUND[depth - 1 - term]
    if isinstance(term, str):
        return term
    if len(term) == 1:
        names = ""
        while isinstance(term, tuple) and len(term) == 1:
            names += " " + _BOUND[depth]
            term, depth = term[0], depth + 1
        return f"\\{names[1:]}.{written(term, depth)}"
    left, right = written(term[0], depth), written(term[1], depth)
    if isinstance(term[0], tuple) and len(term[0]) == 1:
        left = f"({left})"
    if isinstance(term[1], tuple):
        right = f"({right})"
    return f"{left} {right}"
