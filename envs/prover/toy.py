"""First-order logic in a small natural-deduction prover that needs no installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.prover import formulas
from proofgym.envs.prover.base import FINGERPRINTS, TacticEnv
from proofgym.envs.prover.problem import Problem
from proofgym.envs.task import fingerprint, split_of
from proofgym.errors import BadInput
from proofgym.verifiers.proof.toy.auto import prove

__all__ = ["ToyProof", "chosen_kinds", "logic"]

_HOW = """Prove the goal, one rule a line:
  intro NAME; exact NAME; assumption; apply NAME [TERM ...]; split; left; right; exists TERM; refl; symm; exfalso
  cases NAME [NAME NAME]; note NEW NAME [TERM or NAME ...]; have NEW : FORMULA; rewrite [<-] NAME [TERM ...]
  classical NAME (assume the negation of the goal); undo [STEPS]; goto STATE
~A is A -> False. Every new name is yours to choose. Each line acts on the first goal."""


def chosen_kinds(kinds: Sequence[str] | str | None, known: Sequence[str]) -> tuple[str, ...]:
    """Kinds by name, in the order of the table.

    Raises:
        BadInput: For a name that is none, or for no name at all.
    """
    names = known if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise BadInput(f"kinds are among {', '.join(known)}; found {unknown or 'none'}")
    return tuple(name for name in known if name in names)


def logic(
    rng: np.random.Generator, level: float, kinds: Sequence[str], split: str, *, most: int = 4000
) -> tuple[str, str, str, list[str]] | None:
    """(kind, statement, key, toy proof) of a theorem of logic in a split; None if `most` draws find none."""
    for _ in range(most):
        kind, statement = formulas.draw(rng, level, kinds)
        key = formulas.canonical(statement)
        if split_of(fingerprint(FINGERPRINTS, key)) != split:  # told before the search for a proof, which costs more
            continue
        script = prove(statement)
        if script is not None and len(script) > 2:
            return kind, statement, key, script
    return None


class ToyProof(TacticEnv):
    """Asks for a proof in first-order logic with equality, tactic by tactic, in a prover made of pure Python.

    Observation: the statement and the tactics there are; then what failed, and the open goals with their hypotheses.
    Action: one tactic, or several, one a line; they are run in order up to the first that fails. `undo` and `goto N` go
        back to earlier states.
    Episode: terminated when no goal is open and the kernel has judged; truncated after `max_turns`.

    A proof earns 1.0. See `proofgym.envs.prover.base` for what the steps pay; a tactic that fails costs 0.02.

    Args:
        kinds: Which of `connectives`, `functions`, `horn`, `negation`, `quantifiers`, `relations`, `rewriting`,
        `shuffle`.
    """

    family: ClassVar[str] = "toy_proof"
    prover: ClassVar[str] = "toy"
    default_max_turns: ClassVar[int] = 24

    def __init__(self, *, kinds: Sequence[str] | str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kinds = chosen_kinds(kinds, tuple(formulas.KINDS))

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        found = logic(rng, self.level, self.kinds, self.split)
        if found is None:
            raise BadInput(f"no {self.split} theorem of {', '.join(self.kinds)} at level {self.level}; raise the level")
        kind, statement, key, script = found
        return Problem(kind, "goal", statement, "", tuple(script), key).to_json()

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The statement with its symbols numbered in order of appearance."""
        return formulas.canonical(Problem.read(instance).statement)

    def introduction(self) -> str:
        return f"{_HOW}\n\nTheorem: {self.problem.statement}"

    def lemmas(self) -> list[str]:
        """There is no library: everything that may be used is a hypothesis."""
        return []

    def cheats(self) -> Sequence[str]:
        """Also loops and inflations."""
        return (*super().cheats(), "exfalso", "have h : False", "intro h\nundo\nintro h\nundo", "exact goal")
