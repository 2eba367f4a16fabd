"""The toy prover behind the protocol of all provers: always there, needs no process, judges in microseconds."""

from __future__ import annotations

import time
from collections.abc import Sequence

from proofgym.errors import BadInput
from proofgym.verifiers.proof.protocol import (
    Goal,
    Hypothesis,
    ProofState,
    ProofTask,
    Report,
    StatementRefused,
    StepResult,
    shorten,
)
from proofgym.verifiers.proof.toy import kernel
from proofgym.verifiers.proof.toy.formula import Formula, show
from proofgym.verifiers.proof.toy.parser import parse
from proofgym.verifiers.proof.toy.tactics import Tableau, TacticFailed, apply_tactic, start
from proofgym.verifiers.verdict import Verdict

__all__ = ["ToyBackend", "lines"]

MOST_PROOF = 20_000


class ToyBackend:
    """Natural deduction with equality in pure Python.

    The final check runs the tactics again on the statement, and the kernel reads the term that they built from
    scratch. There is no untrusted process, so there is nothing to sandbox: tactics are data here, never code.
    """

    name = "toy"

    def __init__(self) -> None:
        self._known: dict[tuple[str, tuple[str, ...]], Tableau] = {}

    def open(self, task: ProofTask) -> ProofState:
        """Start on a formula. Raises `StatementRefused` if it is none."""
        return ProofState(task, (), _goals(start(_statement(task))))

    def run(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to the first goal."""
        try:
            tableau = apply_tactic(self._tableau(state.task, state.path), tactic)
        except TacticFailed as error:
            return StepResult(None, shorten(str(error)))
        path = (*state.path, tactic)
        self._remember(state.task, path, tableau)
        return StepResult(ProofState(state.task, path, _goals(tableau)))

    def expand(self, state: ProofState, tactics: Sequence[str]) -> list[StepResult]:
        """Each tactic on the same state."""
        return [self.run(state, tactic) for tactic in tactics]

    def split(self, text: str) -> list[tuple[int, int]]:
        """One tactic a line; blank lines are none."""
        return lines(text)

    def final_check(self, task: ProofTask, proof: str) -> Verdict:
        """Judge a proof, one tactic a line."""
        return self.examine(task, proof).verdict

    def examine(self, task: ProofTask, proof: str) -> Report:
        """Judge a proof, and say what it rests on."""
        begun = time.perf_counter()
        return self._examined(_statement(task), proof).after(time.perf_counter() - begun)

    def close(self) -> None:
        """Forget what was remembered."""
        self._known.clear()

    def _examined(self, statement: Formula, proof: str) -> Report:
        if len(proof) > MOST_PROOF:
            return Report.rejected("gate", f"a proof has at most {MOST_PROOF} characters, found {len(proof)}")
        tableau = start(statement)
        for number, (begin, end) in enumerate(lines(proof), 1):
            try:
                tableau = apply_tactic(tableau, proof[begin:end])
            except TacticFailed as error:
                return Report.rejected("compile", f"line {number}: {error}", messages=shorten(str(error)))
        if tableau.goals:
            said = f"{len(tableau.goals)} goals are open"
            return Report.rejected("compile", said, messages=said)
        term = tableau.proof()
        try:
            kernel.proves(term, statement)
        except kernel.NotProved as error:
            return Report.rejected("statement", str(error))
        axioms = ("classical",) if kernel.uses_classical(term) else ()
        return Report(Verdict.right("the kernel accepts the term"), axioms=axioms, statement_key=show(statement))

    def _tableau(self, task: ProofTask, path: tuple[str, ...]) -> Tableau:
        known = self._known.get((task.statement, path))
        if known is not None:
            return known
        if not path:
            return start(_statement(task))
        tableau = apply_tactic(self._tableau(task, path[:-1]), path[-1])
        self._remember(task, path, tableau)
        return tableau

    def _remember(self, task: ProofTask, path: tuple[str, ...], tableau: Tableau) -> None:
        if len(self._known) >= 4096:
            self._known.clear()
        self._known[task.statement, path] = tableau


def lines(text: str) -> list[tuple[int, int]]:
    r"""Where the lines of a text that are not blank lie, without the blanks around them.

    >>> lines("a\n\n  b c \n")
    [(0, 1), (5, 8)]
    """
    spans, at = [], 0
    for line in text.split("\n"):
        inner = line.strip()
        if inner:
            begin = at + line.index(inner)
            spans.append((begin, begin + len(inner)))
        at += len(line) + 1
    return spans


def _statement(task: ProofTask) -> Formula:
    try:
        return parse(task.statement)
    except BadInput as error:
        raise StatementRefused(f"the statement of {task.name} is refused: {error}") from error


def _goals(tableau: Tableau) -> tuple[Goal, ...]:
    goals = []
    for goal in tableau.goals:
        context = tuple(Hypothesis((name,), show(formula)) for name, formula in goal.context.items())
        terms = (Hypothesis(goal.variables, "term"),) if goal.variables else ()
        goals.append(Goal(show(goal.target), (*terms, *context)))
    return tuple(goals)
