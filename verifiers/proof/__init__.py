"""Formal proof: Lean, Coq and a toy prover behind one protocol, and a final check that believes no submission.

>>> from proofgym.verifiers import proof
>>> proof.check("p & q -> q & p", "intro h\\ncases h a b\\nsplit\\nexact b\\nexact a", prover="toy").correct
True
"""

from __future__ import annotations

import atexit
import threading

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.proof.protocol import (
    LAYERS,
    Backend,
    Budget,
    Goal,
    Hypothesis,
    ProofState,
    ProofTask,
    ProverLost,
    ProverMissing,
    Report,
    StatementRefused,
    StepResult,
)
from proofgym.verifiers.verdict import Verdict

__all__ = [
    "LAYERS", "PROVERS", "Backend", "Budget", "Goal", "Hypothesis", "ProofState", "ProofTask", "ProverLost",
    "ProverMissing",
    "Report", "StatementRefused", "StepResult", "backend", "check", "examine", "missing",
]  # fmt: skip

PROVERS = ("coq", "lean", "toy")
_shared: dict[str, Backend] = {}
_lock = threading.Lock()


def backend(prover: str = "lean") -> Backend:
    """The shared backend of a prover, with warm sessions for everybody in this process; closed when it ends.

    Raises:
        BadInput: For a name that is no prover's.
        ProverMissing: If the prover is not installed; the message says how to get it.
    """
    with _lock:
        if prover not in _shared:
            _shared[prover] = _made(prover)
        return _shared[prover]


def check(
    statement: str,
    proof: str,
    prover: str = "lean",
    *,
    header: str = "",
    name: str = "goal",
    budget: Budget | None = None,
) -> Verdict:
    """Judge a proof of a trusted statement, in a fresh process.

    Args:
        statement: What stands after the theorem's name: `(p : Prop) : p → p` in Lean, `(P : Prop) : P -> P` in Coq; a
            formula for the toy prover.
        proof: A tactic block; in Coq, the sentences between `Proof.` and `Qed.`
        prover: `lean`, `coq` or `toy`.
        header: Trusted text before the theorem; by default the prover's own library.
    Raises:
        StatementRefused: The statement itself does not compile.
        Unjudged: The prover is missing, died, or could not be run.
    """
    return examine(statement, proof, prover, header=header, name=name, budget=budget).verdict


def examine(
    statement: str,
    proof: str,
    prover: str = "lean",
    *,
    header: str = "",
    name: str = "goal",
    budget: Budget | None = None,
) -> Report:
    """`check`, with everything that was found: the layer that refused it, axioms, constants, files, messages."""
    return backend(prover).examine(ProofTask(name, statement, header, budget or Budget()), proof)


def missing(prover: str) -> str:
    """Why a prover cannot be used here, or the empty string."""
    try:
        backend(prover)
    except Unjudged as error:
        return str(error)
    return ""


def _made(prover: str) -> Backend:
    if prover == "toy":
        from proofgym.verifiers.proof.toy import ToyBackend

        return ToyBackend()
    if prover == "lean":
        from proofgym.verifiers.proof.lean import LeanBackend

        return LeanBackend()
    if prover == "coq":
        from proofgym.verifiers.proof.coq import CoqBackend

        return CoqBackend()
    raise BadInput(f"the provers are {', '.join(PROVERS)}; found {prover!r}")


@atexit.register
def _close_all() -> None:
    for made in _shared.values():
        made.close()
