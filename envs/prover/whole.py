"""Whole proofs: the policy writes the script, the final check judges it, and its messages come back for another try."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from proofgym.envs.base import TurnResult
from proofgym.envs.prover.base import ProverEnv
from proofgym.envs.prover.problem import Problem
from proofgym.verifiers import Credit, Verdict

__all__ = ["WholeProofEnv", "proof_span"]

_FENCE = re.compile(r"```[a-zA-Z0-9]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
_RESTATED = re.compile(r"\A\s*(?:theorem|lemma|example)\b[^\0]*?:=\s*by\b", re.ASCII)
_BY = re.compile(r"\A\s*by\b")
_OPENED = re.compile(r"\A.*?\bProof\s*\.", re.DOTALL)
_CLOSED = re.compile(r"\b(?:Qed|Defined)\s*\.\s*\Z")


def proof_span(action: str, prover: str) -> tuple[int, int]:
    """Where the proof lies in a policy's text: the last code block, without the theorem around it if it is restated.

    What is cut away is not judged: the proof that remains must prove the theorem that was asked.

    >>> text = "I swap them.\\n```lean\\ntheorem t : p := by\\n  exact h\\n```"
    >>> i, j = proof_span(text, "lean"); text[i:j].strip()
    'exact h'
    """
    blocks = list(_FENCE.finditer(action))
    begin, end = (blocks[-1].start(1), blocks[-1].end(1)) if blocks else (0, len(action))
    inner = action[begin:end]
    if prover == "lean":
        found = _RESTATED.match(inner) or _BY.match(inner)
        if found is not None:
            begin += found.end()
    else:
        closed = _CLOSED.search(inner.rstrip())
        if closed is not None:
            end = begin + closed.start()
        opened = _OPENED.match(action[begin:end])
        if opened is not None:
            begin += opened.end()
    return begin, end


class WholeProofEnv(ProverEnv):
    """A theorem, a whole proof a turn, and the prover's messages when it fails. Subclasses choose the prover.

    The first accepted proof earns 1 - 0.1 for each attempt before it.
    """

    default_max_turns: ClassVar[int] = 4
    retry_cost: ClassVar[float] = 0.1

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._failed = 0

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._problem = Problem.read(instance)
        self._failed = 0
        self.backend.open(self._asked())  # a statement that does not compile is told now, not blamed on a proof
        return self.introduction()

    def introduction(self) -> str:
        """The first observation."""
        raise NotImplementedError

    def turn(self, action: str) -> TurnResult:
        begin, end = proof_span(action, self.prover)
        text = action[begin:end]
        if not text.strip():
            self._failed += 1
            return self._refused("No proof was found.", (), None)
        refused = self.forbidden(text)
        if refused:
            self._failed += 1
            return self._refused(refused, (), Verdict.malformed(refused))
        report = self.backend.examine(self._asked(), text)
        begin += len(text) - len(text.lstrip())
        end = begin + len(text.strip())
        if report.accepted:
            value = max(0.0, 1.0 - self.retry_cost * self._failed)
            credit = Credit(begin, end, value, "proof", report.verdict.reason)
            return TurnResult("Proved.", (credit,), report.verdict, terminated=True)
        self._failed += 1
        credits_ = (Credit(begin, end, 0.0, "refused", report.verdict.reason),)
        return self._refused(f"Refused by the layer '{report.layer}'.\n{report.messages}", credits_, report.verdict)

    def _refused(self, said: str, credits_: Sequence[Credit], verdict: Any) -> TurnResult:
        left = self.max_turns - self._failed
        tail = f"\n\n{left} attempt{'' if left == 1 else 's'} left." if left > 0 else ""
        return TurnResult(f"{said[:12_000]}{tail}", credits_, verdict)

    def save(self) -> dict[str, Any]:
        return {"failed": self._failed}

    def load(self, data: Mapping[str, Any]) -> None:
        self._failed = int(data["failed"])

    def oracle(self) -> str:
        """The known proof."""
        return "\n".join(self.known_proof())

    def cheats(self) -> Sequence[str]:
        """Holes, axioms and ways around the kernel."""
        return (*super().cheats(), "sorry", "admit.", "exact sorry", "Admitted.", "axiom h : False")
