"""Lessons: a task, its known solution, and what each line of a derivation is worth.

A lesson knows the solution, so it can tell of every line whether it holds, and how many steps a line is from the end by
its own measure. That distance never depends on how often something was said: true lines that lead nowhere leave it as
it is. Lines of a higher degree than the task are not judged: their truth would tell where the solution lies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofgym.envs.math import equations
from proofgym.envs.math.algebra import (
    linear_sides,
    linear_steps,
    quadratic_factors,
    quadratic_roots,
    system_line,
    system_rows,
    system_steps,
)
from proofgym.envs.math.forms import FRACTION, LIST, TUPLE, Form
from proofgym.envs.math.generated import Numbers, require
from proofgym.envs.math.symbols import listed, written
from proofgym.verifiers.math.expression import Expression, parse
from proofgym.verifiers.math.expression import Unreadable as NoExpression
from proofgym.verifiers.math.tree import Node, Unreadable

__all__ = ["ArithmeticLesson", "Judgement", "Lesson", "LinearLesson", "QuadraticLesson", "SystemLesson"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one line is worth.

    Args:
        follows: Whether it is true of the task; `None` if that cannot be told.
        reason: Why, for the log.
        distance: Steps left once this line is written; the lesson's start for a line that leads nowhere.
        notes: What the lesson has learnt from the line.
    """

    follows: bool | None
    reason: str
    distance: int = 0
    notes: tuple[str, ...] = ()


class Lesson(ABC):
    """One task with its solution.

    `notes` is what was learnt so far from lines that follow; it starts empty.
    """

    question: str
    gold: str
    form: Form
    start: int
    """Steps left at the start."""
    lines: Sequence[str]
    """A derivation that an expert would write."""

    @abstractmethod
    def judge(self, text: str, notes: Sequence[str]) -> Judgement:
        """Judge one formula."""

    def next(self, distance: int, notes: Sequence[str]) -> str:
        """The first of the expert's lines that comes closer."""
        for line in self.lines:
            judgement = self.judge(line, notes)
            if judgement.follows and judgement.distance < distance:
                return line
        return f"\\boxed{{{self.gold}}}"


def _plain(node: Node | None) -> str:
    """A reason why a formula says nothing, or nothing."""
    if node is None:
        return "it cannot be read"
    if node.op in ("num", "sym", "text"):
        return "a name or a number alone"
    return ""


class LinearLesson(Lesson):
    """One equation with one unknown.

    The distance counts what is left to do: one for brackets, one for each further term with the unknown, one for
    numbers beside it, one for its coefficient.
    """

    def __init__(self, numbers: Numbers, name: str) -> None:
        steps, self.solution = linear_steps(numbers, name)
        left, right = linear_sides(numbers, name)
        self.name, self.question, self.lines, self.gold = name, f"{left} = {right}", steps, str(self.solution)
        self.form, self.start = FRACTION, 9
        self.start = self.judge(self.question, ()).distance
        require(self.start, "the equation is not solved already")

    def judge(self, text: str, notes: Sequence[str]) -> Judgement:
        node = equations.read(text)
        flaw = _plain(node)
        if flaw or node is None:
            return Judgement(None, flaw)
        found = equations.equations(node)
        if not found:
            return Judgement(None, "no equation")
        best = self.start
        for left, right in found:
            if max(equations.degree(side, (self.name,)) for side in (left, right)) > 1:
                return Judgement(None, "no equation of the first degree")
            try:
                true = equations.holds(left, right, {self.name: self.solution})
            except Unreadable as error:
                return Judgement(None, str(error))
            if not true:
                return Judgement(False, "the solution does not satisfy it")
            best = min(best, self._distance(left, right))
        return Judgement(True, f"{best} steps left", best)

    def _distance(self, left: Node, right: Node) -> int:
        names = (self.name,)
        if not equations.names_in(left) and equations.names_in(right):
            left, right = right, left
        sides = (left, right)
        held = free = 0
        for side in sides:
            with_, without = equations.terms(side, names)
            held, free = held + with_, free + without
        if held == 0 or self._identity(left, right):
            return self.start
        brackets = not all(equations.expanded(side, names) for side in sides)
        numbers = max(0, free - 1) if equations.terms(left, names)[1] == 0 else max(1, free - 1)
        alone = left == Node("sym", value=self.name) and equations.finished(right)
        return min(self.start, brackets + (held - 1) + numbers + (not alone))

    def _identity(self, left: Node, right: Node) -> bool:
        """Whether a true equation is true of every number, so that it says nothing."""
        try:
            return equations.holds(left, right, {self.name: self.solution + 1})
        except Unreadable:
            return True


class QuadraticLesson(Lesson):
    """A quadratic equation with two rational solutions: factors, or a formula, and then the solutions."""

    def __init__(self, numbers: Numbers, name: str) -> None:
        self.roots = quadratic_roots(numbers)
        a, b, c = numbers
        low, high = self.roots
        self.name, self.gold = name, listed(self.roots)
        self.question = f"{written((c, b, a), name)} = 0"
        self.lines = (f"{quadratic_factors(numbers, name)} = 0", f"{name} = {low} or {name} = {high}")
        self.form, self.start = LIST, 2

    def judge(self, text: str, notes: Sequence[str]) -> Judgement:
        node = equations.read(text)
        flaw = _plain(node)
        if flaw or node is None:
            return Judgement(None, flaw)
        try:
            return self._judged(node)
        except Unreadable as error:
            return Judgement(None, str(error))

    def _judged(self, node: Node) -> Judgement:
        names, name = (self.name,), Node("sym", value=self.name)
        found = equations.equations(node)
        if not found:
            return Judgement(None, "no equation")
        found = [pair for left, right in found for pair in self._signed(left, right)]
        if not any(equations.names_in(side) for pair in found for side in pair):
            true = all(equations.holds(left, right, {}) for left, right in found)
            return Judgement(true, "true arithmetic" if true else "false arithmetic", self.start)
        pairs = [(right, left) if right == name else (left, right) for left, right in found]
        if all(left == name for left, _ in pairs):
            values = {equations.value(right, {}) for _, right in pairs}
            if values - set(self.roots):
                return Judgement(False, "one of them is no solution")
            if len(values) < 2:
                return Judgement(None, "a solution, and the other is missing")
            done = all(equations.finished(right) for _, right in pairs)
            return Judgement(True, "both solutions", 0 if done else 1)
        if max(equations.degree(side, names) for pair in found for side in pair) > 2:
            return Judgement(None, "no equation of the second degree")
        if len(found) > 1:  # t - 2 = 0 or t + 3 = 0
            at = [{self.name: root} for root in self.roots]
            if not all(any(equations.holds(left, right, root) for left, right in found) for root in at):
                return Judgement(False, "a solution is lost")
            apart = len(found) == 2 and self._apart(found, at)
            return Judgement(True, "it holds for both solutions", 1 if apart else self.start)
        left, right = found[0]
        if not all(equations.holds(left, right, {self.name: root}) for root in self.roots):
            return Judgement(False, "a solution does not satisfy it")
        zero = right == Node("num", value=Fraction(0))
        square = left.op == "pow" and equations.degree(left.args[0], names) == 1 and equations.degree(right, names) == 0
        close = square or (zero and equations.factored(left, names))
        return Judgement(True, "it holds for both solutions", 1 if close and self._says(left, right) else self.start)

    def _apart(self, found: Sequence[tuple[Node, Node]], at: Sequence[Mapping[str, Fraction]]) -> bool:
        """Whether each equation is linear and holds for a solution of its own: `0 = 0` beside the task is no step."""
        if any(equations.degree(side, (self.name,)) > 1 for pair in found for side in pair):
            return False
        held = [tuple(equations.holds(left, right, root) for root in at) for left, right in found]
        return sorted(held) == [(False, True), (True, False)]

    def _signed(self, left: Node, right: Node) -> list[tuple[Node, Node]]:
        return [(left, reading) for reading in equations.signs(right)]

    def _says(self, left: Node, right: Node) -> bool:
        """Whether it is not true of every number."""
        return not equations.holds(left, right, {self.name: max(self.roots) + 1})


class SystemLesson(Lesson):
    """Two or three linear equations in as many unknowns.

    Steps left: each unknown that is not known yet, and each number of unknowns, below that of the given equations, that
    no equation has come down to.
    """

    def __init__(self, numbers: Numbers, names: str) -> None:
        rows = system_rows(numbers)
        self.names = names
        self.lines, values = system_steps(numbers, names)
        self.solution = dict(zip(names, values, strict=True))
        self.question = "\n".join(system_line(row, names) for row in rows)
        self.gold = f"({listed(values)})"
        self.given = min(sum(map(bool, row[:-1])) for row in rows)
        self.form, self.start = TUPLE, 2 * len(names)
        self.start = self._left(())
        require(self.given > 1, "no unknown is given away")

    def judge(self, text: str, notes: Sequence[str]) -> Judgement:
        node = equations.read(text)
        flaw = _plain(node)
        if flaw or node is None:
            return Judgement(None, flaw)
        try:
            return self._judged(node, notes)
        except Unreadable as error:
            return Judgement(None, str(error))

    def _judged(self, node: Node, notes: Sequence[str]) -> Judgement:
        tuples = node.op == "rel" and node.value == "=" and [arg.op for arg in node.args] == ["tuple", "tuple"]
        if tuples and len(node.args[0].args) == len(node.args[1].args):
            pairs = list(zip(node.args[0].args, node.args[1].args, strict=True))
        else:
            pairs = equations.equations(node) or []
        if not pairs or max(equations.degree(side, self.names) for pair in pairs for side in pair) > 1:
            return Judgement(None, "no linear equation")
        learnt: set[str] = set()
        for left, right in pairs:
            if not equations.holds(left, right, self.solution):
                return Judgement(False, "the solution does not satisfy it")
            held = equations.names_in(left) | equations.names_in(right)
            if not self._says(left, right):
                continue
            one, other = (right, left) if right.op == "sym" else (left, right)
            if one.op == "sym" and equations.finished(other):
                learnt.add(f"{one.value} known")
            elif len(held) < self.given and self._needed(left, right, held):
                learnt.add(f"{len(held)} unknowns")
        new = tuple(sorted(learnt - set(notes)))
        steps = self._left((*notes, *new))
        return Judgement(True, f"{steps} steps left", steps, new)

    def _left(self, notes: Sequence[str]) -> int:
        known = sum(f"{name} known" in notes for name in self.names)
        counts = [int(note[0]) for note in notes if note.endswith("unknowns")]
        reached = min([*counts, *([1] if known else []), self.given])
        return len(self.names) - known + reached - 1

    def _says(self, left: Node, right: Node) -> bool:
        """Whether it is not true of all numbers."""
        return self._needed(left, right, equations.names_in(left) | equations.names_in(right), any_=True)

    def _needed(self, left: Node, right: Node, held: set[str], any_: bool = False) -> bool:
        """Whether the truth depends on every letter in it, or on any."""
        changes = [
            not equations.holds(left, right, {**self.solution, name: self.solution[name] + 1})
            for name in sorted(held & set(self.names))
        ]
        return any(changes) if any_ else bool(changes) and all(changes)


class ArithmeticLesson(Lesson):
    """An expression to evaluate: the distance is the number of operations left."""

    def __init__(self, expression: Expression) -> None:
        self.expression = expression
        self.question, self.gold = str(expression), str(expression.value)
        self.form, self.start = FRACTION, expression.operations
        lines, line = [], expression
        while line.operations:
            line = line.step()
            lines.append(str(line))
        self.lines = lines

    def judge(self, text: str, notes: Sequence[str]) -> Judgement:
        best, flaw = self.start, ""
        for side in text.strip().lstrip("=").split("="):
            try:
                found = parse(side.strip())
            except NoExpression as error:
                return Judgement(None, f"not an expression: {error}")
            if found.value != self.expression.value:
                flaw = "another value"
            best = min(best, found.operations)
        return Judgement(False, flaw) if flaw else Judgement(True, f"{best} operations left", best)
