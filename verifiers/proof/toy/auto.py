"""A search for easy proofs in the toy logic: what is forced first, then what must be chosen, deeper and deeper.

It finds what a patient student finds: introductions, eliminations, backward chaining through hypotheses, one witness
or the other, rewriting. It is not complete, and says None where it gives up. Every line it writes is a tactic, so
whatever it finds the kernel has accepted.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from proofgym.verifiers.proof.toy import kernel
from proofgym.verifiers.proof.toy.formula import (
    FALSE,
    All,
    And,
    Equal,
    Ex,
    Formula,
    Fun,
    Imp,
    Or,
    Pred,
    Term,
    Var,
    show,
    show_term,
    symbols,
)
from proofgym.verifiers.proof.toy.matching import match_formula
from proofgym.verifiers.proof.toy.parser import parse as parse_formula
from proofgym.verifiers.proof.toy.tactics import (
    MOST_STEPS,
    Tableau,
    TacticFailed,
    ToyGoal,
    apply_tactic,
    start,
)

__all__ = ["candidates", "prove"]

_MOST_WORK = 2_000


class _Spent(Exception):
    pass


def prove(statement: str, *, depth: int = 9, work: int = _MOST_WORK) -> list[str] | None:
    """A list of tactics that prove a formula, or None.

    Args:
        depth: How many choices may follow each other.
        work: How many tactics may be tried.

    >>> prove("p & q -> q & p")
    ['intro h1', 'cases h1 h2 h3', 'split', 'exact h3', 'exact h2']
    """
    formula = parse_formula(statement)
    search = _Search(formula, work)
    for limit in range(1, depth + 1):
        try:
            found = search.close(start(formula).goals[0], limit, frozenset())
        except _Spent:
            return None
        if found is not None and len(found) <= MOST_STEPS:
            tableau = start(formula)
            for tactic in found:
                tableau = apply_tactic(tableau, tactic)
            kernel.proves(tableau.proof(), formula)
            return found
    return None


class _Search:
    def __init__(self, statement: Formula, work: int) -> None:
        self.statement, self.work = statement, work
        self.signature = symbols(statement)
        self.constants = [Fun(name) for name, arity in self.signature[1].items() if arity == 0]

    def close(self, goal: ToyGoal, depth: int, seen: frozenset[object]) -> list[str] | None:
        """Tactics that close one goal."""
        self.work -= 1
        if self.work < 0:
            raise _Spent
        forced = _forced(goal)
        if forced:
            return self._then(goal, forced, depth, seen)
        mark = (goal.target, frozenset(goal.context.values()))
        if depth == 0 or mark in seen:
            return None
        for tactic in candidates(goal, self.constants):
            found = self._then(goal, tactic, depth - 1, seen | {mark})
            if found is not None:
                return found
        return None

    def _then(self, goal: ToyGoal, tactic: str, depth: int, seen: frozenset[object]) -> list[str] | None:
        try:
            after = apply_tactic(Tableau(self.statement, (goal,), _unused, self.signature), tactic)
        except TacticFailed:
            return None
        lines = [tactic]
        for child in after.goals:
            found = self.close(child, depth, seen)
            if found is None:
                return None
            lines += found
        return lines


def _unused(_: object) -> kernel.Proof:
    raise AssertionError("only the finished script is turned into a term")


def _fresh(goal: ToyGoal, letter: str, count: int = 1) -> list[str]:
    taken = set(goal.context) | set(goal.variables)
    names = (f"{letter}{number}" for number in itertools.count(1))
    return list(itertools.islice((name for name in names if name not in taken), count))


def _forced(goal: ToyGoal) -> str:
    """A step that loses nothing, or the empty string."""
    target = goal.target
    for name, formula in goal.context.items():
        if formula == target:
            return f"exact {name}"
        if formula == FALSE:
            return f"cases {name}"
    if isinstance(target, Equal) and target.left == target.right:
        return "refl"
    if isinstance(target, Imp):
        return f"intro {_fresh(goal, 'h')[0]}"
    if isinstance(target, All):
        return f"intro {_fresh(goal, 'z')[0]}"
    for name, formula in goal.context.items():
        if isinstance(formula, And):
            return f"cases {name} {' '.join(_fresh(goal, 'h', 2))}"
        if isinstance(formula, Ex):
            return f"cases {name} {_fresh(goal, 'z')[0]} {_fresh(goal, 'h')[0]}"
    if isinstance(target, And) and not _led_to(goal):
        return "split"
    for name, formula in goal.context.items():
        if (
            isinstance(formula, Or)
            and formula.left not in goal.context.values()
            and (formula.right not in goal.context.values())
        ):
            return f"cases {name} {' '.join(_fresh(goal, 'h', 2))}"
    return ""


def _led_to(goal: ToyGoal) -> bool:
    """Whether a rule in the context has the target as its head: then taking the target apart may lose it."""
    for formula in goal.context.values():
        if isinstance(formula, Imp | All):
            count, head = _binders(formula), _matrix(formula)
            while isinstance(head, Imp):
                head = head.right
            if match_formula(head, goal.target, count, 0, {}):
                return True
    return False


def candidates(goal: ToyGoal, constants: list[Fun]) -> Iterator[str]:
    """Steps worth trying when nothing is forced, likeliest first."""
    target = goal.target
    known = set(goal.context.values())
    terms: list[Term] = [*map(Var, goal.variables), *constants]
    for name in goal.context:
        yield f"apply {name}"
    for name, formula in goal.context.items():  # backwards: what the goal fixes is fixed, the rest is tried
        for choice in _instances(formula, target, terms):
            yield f"apply {name} {' '.join(_written(choice))}"
    if isinstance(target, And):
        yield "split"
    for name, formula in goal.context.items():  # a step forward, where it says something new
        if isinstance(formula, Imp) and formula.left in known and formula.right not in known:
            argument = next(key for key, value in goal.context.items() if value == formula.left)
            yield f"note {_fresh(goal, 'h')[0]} {name} {argument}"
    if isinstance(target, Or):
        yield from ("left", "right")
    if isinstance(target, Ex):
        yield from (f"exists {show_term(term)}" for term in _witnesses(goal, terms))
    for name, formula in goal.context.items():
        if isinstance(formula, Equal):
            yield from (f"rewrite {name}", f"rewrite <- {name}")
    for name, formula in goal.context.items():
        binders = _binders(formula)
        matrix = _matrix(formula)
        if binders and isinstance(matrix, Equal) and len(terms) ** binders <= 64 and _occurs(matrix, target):
            for choice in itertools.product(terms, repeat=binders):
                yield f"rewrite {name} {' '.join(_written(choice))}"
    for name, formula in goal.context.items():
        binders, says = _binders(formula), isinstance(_matrix(formula), Or | Ex | And | Pred | Equal)
        if binders and says and len(terms) ** binders <= 64:
            for choice in itertools.product(terms, repeat=binders):
                yield f"note {_fresh(goal, 'h')[0]} {name} {' '.join(_written(choice))}"
    for formula in goal.context.values():  # what a rule leads to may be worth having even if it is not the goal
        if (
            isinstance(formula, Imp)
            and isinstance(formula.right, And | Or | Ex)
            and formula.right not in known | {target}
        ):
            yield f"have {_fresh(goal, 'h')[0]} : {show(formula.right)}"
    if target != FALSE and any(_head(formula) == FALSE for formula in known):
        yield "exfalso"


def _instances(formula: Formula, target: Formula, terms: list[Term]) -> Iterator[tuple[Term, ...]]:
    """Terms for the outer quantifiers of a rule that make its head the target."""
    count, head = _binders(formula), _matrix(formula)
    while isinstance(head, Imp):
        head = head.right
    found: dict[int, Term] = {}
    if not count or not match_formula(head, target, count, 0, found):
        return
    missing = [i for i in range(count) if i not in found]
    if not missing or len(terms) ** len(missing) > 64:
        return
    for choice in itertools.product(terms, repeat=len(missing)):
        whole = found | dict(zip(missing, choice, strict=True))
        yield tuple(whole[count - 1 - i] for i in range(count))


def _occurs(equation: Equal, target: Formula) -> bool:
    """Whether a function of the equation occurs in the target at all."""
    names = {side.name for side in (equation.left, equation.right) if isinstance(side, Fun)}
    return bool(names & symbols(target)[1].keys())


def _written(terms: tuple[Term, ...]) -> list[str]:
    return [show_term(term).replace(" ", "") for term in terms]


def _witnesses(goal: ToyGoal, terms: list[Term]) -> list[Term]:
    found = list(terms)
    for formula in goal.context.values():
        parts = formula.args if isinstance(formula, Pred) else ()
        if isinstance(formula, Equal):
            parts = (formula.left, formula.right)
        found += [part for part in parts if isinstance(part, Fun) and part.args and part not in found]
    return found[:12]


def _binders(formula: Formula) -> int:
    count = 0
    while isinstance(formula, All):
        formula, count = formula.body, count + 1
    return count


def _matrix(formula: Formula) -> Formula:
    while isinstance(formula, All):
        formula = formula.body
    return formula


def _head(formula: Formula) -> Formula:
    while isinstance(formula, All | Imp):
        formula = formula.body if isinstance(formula, All) else formula.right
    return formula
