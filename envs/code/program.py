"""Seeded programs: what a family draws, and how a draw becomes a task with visible and hidden cases.

A family is a function of a `Draw` that returns a `Sketch`: a specification in English, a reference in Python whose text
follows from the same knobs, and a source of inputs. Expected outputs come from running the reference here, in process:
it is our own text, and every loop of it is counted, so that a mistake of ours ends instead of hanging.
"""

from __future__ import annotations

import ast
import json
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from proofgym.errors import ProofgymError

__all__ = [
    "FAMILIES", "Draw", "Drawn", "Exhausted", "Family", "Program", "Sketch", "Trusted", "block", "choose", "counted",
    "draw_program", "family", "sketch_program", "tidy",
]  # fmt: skip

Item = TypeVar("Item")

_BUDGET = 200_000  # rounds of loops and calls of functions in one run of a trusted program
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_COMMONEST = 0.45  # of the hidden cases: a constant answer must not pass for a program


class Exhausted(ProofgymError, RuntimeError):
    """A trusted program went round more often than its budget allows."""


class Draw:
    """Chance in the form that families use it, all of it from one generator.

    Args:
        rng: Where every choice comes from.
        level: Difficulty in [0, 1]; `scale` turns it into sizes.
    """

    def __init__(self, rng: np.random.Generator, level: float) -> None:
        self.rng, self.level = rng, level

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def scale(self, low: int, high: int) -> int:
        """`low` at level 0 and `high` at level 1, in a straight line."""
        return round(low + (high - low) * self.level)

    def pick(self, *options: Item) -> Item:
        """One of the options."""
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        """True in that share of the draws."""
        return bool(self.rng.random() < share)

    def sample(self, options: Sequence[Item], count: int) -> list[Item]:
        """Different options in a random order."""
        return [options[int(i)] for i in self.rng.permutation(len(options))[:count]]

    def ints(self, least: int, most: int, low: int, high: int) -> list[int]:
        """A list of `least` to `most` whole numbers."""
        return [self.whole(low, high) for _ in range(self.whole(least, most))]

    def word(self, least: int, most: int, letters: str = _LETTERS) -> str:
        """A text over `letters`."""
        return "".join(letters[int(i)] for i in self.rng.integers(len(letters), size=self.whole(least, most)))

    def words(self, least: int, most: int, letters: str = "abcdefgh", longest: int = 4) -> list[str]:
        """A list of words; few letters, so that words repeat."""
        return [self.word(1, longest, letters) for _ in range(self.whole(least, most))]


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a family drew.

    Args:
        entry: The function's name, or the class's where `kind` is `class`.
        params: Its parameters with their types, as a signature has them.
        returns: Its return type.
        spec: The specification: what to do, edge cases included.
        source: The reference: a whole module that defines `entry`.
        inputs: Draws the arguments of one case. For a class: the constructor's arguments and a list of method calls,
            each `[name, arguments]`.
        kind: `function` or `class`.
    """

    entry: str
    params: str
    returns: str
    spec: str
    source: str
    inputs: Callable[[], list[Any]]
    kind: str = "function"


@dataclass(frozen=True, slots=True)
class Family:
    """A named source of sketches: its `topic` for the page, and how `hard` it is: 0, 1 or 2."""

    name: str
    topic: str
    hard: int
    sketch: Callable[[Draw], Sketch]


FAMILIES: dict[str, Family] = {}


def family(topic: str, hard: int) -> Callable[[Callable[[Draw], Sketch]], Callable[[Draw], Sketch]]:
    """Enter a function of a `Draw` into the table of families, under its own name."""

    def enter(sketch: Callable[[Draw], Sketch]) -> Callable[[Draw], Sketch]:
        assert sketch.__name__ not in FAMILIES, f"two families are called {sketch.__name__}"
        FAMILIES[sketch.__name__] = Family(sketch.__name__, topic, hard, sketch)
        return sketch

    return enter


@dataclass(frozen=True, slots=True)
class Program:
    """A drawn program with its cases; `to_json` is what an instance holds of it.

    Args:
        cases: Arguments and expected value of each case; the first `visible` of them may be shown.
    """

    family: str
    kind: str
    entry: str
    signature: str
    spec: str
    source: str
    cases: tuple[tuple[list[Any], Any], ...]
    visible: int
    difficulty: float

    def to_json(self) -> dict[str, Any]:
        """JSON content, the hidden cases and the reference included."""
        rows = [{"args": args, "expected": expected} for args, expected in self.cases]
        return {
            "program": self.family, "kind": self.kind, "entry": self.entry, "signature": self.signature,
            "spec": self.spec, "reference": self.source, "visible": rows[: self.visible],
            "hidden": rows[self.visible :], "difficulty": self.difficulty,
        }  # fmt: skip


def tidy(text: str) -> str:
    """A template's text without its indentation and the blank lines around it."""
    return textwrap.dedent(text).strip("\n") + "\n"


def block(source: str, language: str = "python") -> str:
    """A program as a fenced block, the way an answer is written."""
    return f"```{language}\n{source.rstrip()}\n```"


class _Counted(ast.NodeTransformer):
    """Puts a tick at the head of every loop and function."""

    def _ticked(self, node: Any) -> Any:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(ast.Call(ast.Name("_tick", ast.Load()), [], [])))
        return node

    visit_For = visit_While = visit_FunctionDef = _ticked


def counted(tree: ast.Module) -> ast.Module:
    """The same module, with a call of `_tick()` at the head of every loop and function."""
    ticked: ast.Module = ast.fix_missing_locations(_Counted().visit(tree))
    return ticked


class Trusted:
    """A program of our own, run in this process with every round of a loop counted.

    Never for text that a policy wrote: nothing here contains anything.

    Args:
        source: The module's text.
        entry: Its function or class.
        kind: `function` or `class`.
    """

    def __init__(self, source: str, entry: str, kind: str = "function") -> None:
        tree = counted(ast.parse(source))
        self._names: dict[str, Any] = {"_tick": self._tick, "__name__": "reference"}
        self._left = self._budget = _BUDGET
        exec(compile(tree, "<reference>", "exec"), self._names)  # noqa: S102 - our own text, see above
        self._entry, self._kind = self._names[entry], kind

    def _tick(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Exhausted(f"more than {_BUDGET} rounds")

    @property
    def rounds(self) -> int:
        """How many rounds the last run took."""
        return self._budget - self._left

    def run(self, args: Sequence[Any], budget: int = _BUDGET) -> Any:
        """The value for these arguments, both of them JSON content. Arguments are copied first.

        Raises:
            Exhausted: It went round too often.
        """
        self._left = self._budget = budget
        args = _plain(list(args))
        if self._kind == "class":
            thing = self._entry(*args[0])
            return _plain([getattr(thing, name)(*rest) for name, rest in args[1]])
        return _plain(self._entry(*args))


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def choose(families: Mapping[str, Family], draw: Draw) -> Family:
    """A family whose hardness suits the level."""
    weights = np.array([math.exp(-(((f.hard / 2 - draw.level) / 0.4) ** 2)) for f in families.values()])
    return list(families.values())[int(draw.rng.choice(len(weights), p=weights / weights.sum()))]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A sketch before its cases are drawn: enough to know which task it is."""

    family: Family
    sketch: Sketch
    draw: Draw

    @property
    def content(self) -> dict[str, Any]:
        """What makes it this task and no other: the family and the specification."""
        return {"program": self.family.name, "spec": _one_line(self.sketch.spec)}

    def finish(self, visible: int = 3, hidden: int = 12) -> Program | None:
        """Draw the cases and run the reference on them.

        Cases are all different, their outputs are not nearly all equal, and no hidden case is a visible one. None if
        the sketch's inputs cannot give that.
        """
        sketch, level = self.sketch, self.draw.level
        source = tidy(sketch.source)
        cases = _cases(Trusted(source, sketch.entry, sketch.kind), sketch, visible + hidden)
        if cases is None:
            return None
        head = "class" if sketch.kind == "class" else "def"
        signature = f"{head} {sketch.entry}({sketch.params})" + (f" -> {sketch.returns}" if head == "def" else "")
        difficulty = min(1.0, round(0.25 * self.family.hard + 0.5 * level, 3))
        return Program(
            self.family.name, sketch.kind, sketch.entry, signature, _one_line(sketch.spec), source,
            tuple(cases), visible, difficulty,
        )  # fmt: skip


def sketch_program(rng: np.random.Generator, level: float, families: Mapping[str, Family]) -> Drawn:
    """Draw a family that suits the level, and a sketch of it."""
    draw = Draw(rng, level)
    chosen = choose(families, draw)
    return Drawn(chosen, chosen.sketch(draw), draw)


def draw_program(
    rng: np.random.Generator, level: float, families: Mapping[str, Family], *, visible: int = 3, hidden: int = 12
) -> Program:
    """Draw programs until one has cases that tell right from wrong; nearly always the first."""
    while True:
        program = sketch_program(rng, level, families).finish(visible, hidden)
        if program is not None:
            return program


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cases(reference: Trusted, sketch: Sketch, wanted: int) -> list[tuple[list[Any], Any]] | None:
    cases: list[tuple[list[Any], Any]] = []
    seen: set[str] = set()
    outputs: dict[str, int] = {}
    most = max(1, math.floor(_COMMONEST * wanted))
    for _ in range(wanted * 12):
        args = _plain(sketch.inputs())
        key = json.dumps(args, sort_keys=True)
        if key in seen:
            continue
        seen.add(key)
        expected = reference.run(args)
        output = json.dumps(expected, sort_keys=True)
        if outputs.get(output, 0) >= most:
            continue
        outputs[output] = outputs.get(output, 0) + 1
        cases.append((args, expected))
        if len(cases) == wanted:
            return cases
    return None
