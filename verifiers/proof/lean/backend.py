"""Lean behind the protocol of all provers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace

from proofgym.errors import BadInput
from proofgym.verifiers.proof import gate
from proofgym.verifiers.proof.lean.audit import ALLOWED_AXIOMS
from proofgym.verifiers.proof.lean.final import LeanJudge
from proofgym.verifiers.proof.lean.session import LeanSession
from proofgym.verifiers.proof.lean.toolchain import Toolchain, find
from proofgym.verifiers.proof.protocol import ProofTask, Report
from proofgym.verifiers.proof.sessions import LiveBackend

__all__ = ["LeanBackend", "tactics"]

_NAME = re.compile(r"[A-Za-z_][\w'.]*")


class LeanBackend(LiveBackend):
    """Lean 4: live sessions over the language server, the final check in sandboxed processes.

    Args:
        toolchain: Which Lean; a program's or a Lake project's path; by default what `toolchain.find` finds.
        axioms: Which axioms a proof may rest on.
        workers: Live sessions, and sandboxes, at once.
    Raises:
        ProverMissing: If there is no Lean.
    """

    name = "lean"

    def __init__(
        self,
        toolchain: Toolchain | str | os.PathLike[str] | None = None,
        *,
        axioms: Iterable[str] = ALLOWED_AXIOMS,
        workers: int | None = None,
    ) -> None:
        super().__init__(workers)
        self.toolchain = toolchain if isinstance(toolchain, Toolchain) else find(toolchain)
        self.judge = LeanJudge(self.toolchain, axioms=axioms, workers=self.workers)

    def gate(self, text: str) -> str:
        """Which word of a tactic is refused."""
        return gate.lean(text)

    def complete(self, task: ProofTask) -> ProofTask:
        """The task with the library's header where it has none."""
        if not _NAME.fullmatch(task.name):
            raise BadInput(f"a theorem needs a plain name, found {task.name[:60]!r}")
        return task if task.header else replace(task, header=self.toolchain.header)

    def split(self, text: str) -> list[tuple[int, int]]:
        """A tactic begins where a line is not indented; `|`, `·` alone and closing lines go with what stands above."""
        return tactics(text)

    def examine(self, task: ProofTask, proof: str) -> Report:
        """Judge a whole proof, the text of a tactic block. See `proofgym.verifiers.proof.lean.final`."""
        return self.judge.examine(self.complete(task), proof)

    def close(self) -> None:
        """End sessions and sandboxes."""
        super().close()
        self.judge.close()

    def _start(self, task: ProofTask) -> LeanSession:
        return LeanSession(self.toolchain, task)


def tactics(text: str) -> list[tuple[int, int]]:
    r"""Where the tactics of a block lie: each starts at the block's own margin and owns the deeper lines below it.

    >>> text = "intro h\ncases h with\n| inl a =>\n  exact a"
    >>> [text[begin:end] for begin, end in tactics(text)]
    ['intro h', 'cases h with\n| inl a =>\n  exact a']
    """
    rows: list[tuple[int, int]] = []
    at = 0
    for line in text.split("\n"):
        if line.strip():
            rows.append((at, at + len(line.rstrip())))
        at += len(line) + 1
    if not rows:
        return []
    margin = min(_indent(text[begin:end]) for begin, end in rows)
    spans: list[tuple[int, int]] = []
    for begin, end in rows:
        line = text[begin:end]
        starts = _indent(line) == margin and not line.lstrip().startswith(("|", ")", "<;>", "--"))
        if starts or not spans:
            spans.append((begin + margin, end))
        else:
            spans[-1] = (spans[-1][0], end)
    return spans


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
