"""Coq behind the protocol of all provers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from proofgym.errors import BadInput
from proofgym.verifiers.proof import gate
from proofgym.verifiers.proof.coq.final import CoqJudge
from proofgym.verifiers.proof.coq.idetop import program
from proofgym.verifiers.proof.coq.session import CoqSession
from proofgym.verifiers.proof.protocol import ProofTask, Report
from proofgym.verifiers.proof.sessions import LiveBackend

__all__ = ["HEADER", "CoqBackend"]

HEADER = "Require Import Arith Lia List.\nImport ListNotations.\n"
"""What a file begins with when the task brings no header."""
_NAME = re.compile(r"[A-Za-z_][\w']*", re.ASCII)


class CoqBackend(LiveBackend):
    """Coq 8.16 or later: live sessions over `coqidetop`, the final check in sandboxed processes.

    Args:
        header: For tasks that bring none.
        axioms: Full names of the axioms that a proof may rest on; none by default.
        strict: Also run `coqchk`.
        workers: Live sessions, and sandboxes, at once.
    Raises:
        ProverMissing: If there is no Coq.
    """

    name = "coq"

    def __init__(
        self, header: str = HEADER, *, axioms: Iterable[str] = (), strict: bool = False, workers: int | None = None
    ) -> None:
        super().__init__(workers)
        program("coqidetop")
        self.header = header
        self.judge = CoqJudge(axioms=axioms, strict=strict, workers=self.workers)

    def gate(self, text: str) -> str:
        """Which word of a tactic is refused."""
        return gate.coq(text)

    def complete(self, task: ProofTask) -> ProofTask:
        """The task with the header where it has none."""
        if not _NAME.fullmatch(task.name):
            raise BadInput(f"a theorem needs a plain name, found {task.name[:60]!r}")
        return task if task.header else replace(task, header=self.header)

    def split(self, text: str) -> list[tuple[int, int]]:
        """A tactic is a sentence; bullets and braces count as sentences. Text that cannot be cut is one tactic."""
        try:
            return list(gate.sentences(text))
        except ValueError:
            return [(0, len(text))] if text.strip() else []

    def examine(self, task: ProofTask, proof: str) -> Report:
        """Judge a whole proof, the text between `Proof.` and `Qed.` See `proofgym.verifiers.proof.coq.final`."""
        return self.judge.examine(self.complete(task), proof)

    def close(self) -> None:
        """End sessions and sandboxes."""
        super().close()
        self.judge.close()

    def _start(self, task: ProofTask) -> CoqSession:
        return CoqSession(task)
