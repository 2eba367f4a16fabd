"""The words of formal proof: a task, the goals that are open, a state, what a tactic did, and how a proof was judged.

A *backend* is one prover behind one protocol. A state is a value: the task and the tactics that led to it, with the
goals that are open there. It can be kept, compared, pickled and returned to in any order; which process holds it is
the backend's business. Success is never read off a state: `final_check` compiles the proof in a fresh process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.verdict import Status, Verdict

__all__ = [
    "LAYERS", "Backend", "Budget", "Goal", "Hypothesis", "ProofState", "ProofTask", "ProverLost", "ProverMissing",
    "Report",
    "StatementRefused", "StepResult", "shorten",
]  # fmt: skip

LAYERS = ("gate", "compile", "constants", "statement", "axioms", "files", "kernel", "limit")
"""The layers of the final check, in the words of `Report.layer`: what the text may say, whether a fresh process accepts
it, which constants it declared, what was proved, what it rests on, what it left on disk, what a second kernel says, and
what it cost."""


class ProverMissing(Unjudged):
    """No prover of the kind that was asked for is installed; the message says how to get one."""


class ProverLost(Unjudged):
    """The prover died or answered nonsense, on every worker that was tried."""


class StatementRefused(BadInput):
    """The trusted statement itself does not compile: the task is broken, not the proof."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one proof may use. The same numbers hold in the live session and in the final check.

    Args:
        heartbeats: Lean's deterministic measure, in thousands of small allocations.
        step_s: Wall clock of one tactic in a live session.
        check_s: Wall clock of one process of the final check.
        memory_mb: Of one prover process.
    """

    heartbeats: int = 200_000
    step_s: float = 10.0
    check_s: float = 30.0
    memory_mb: int = 2048


@dataclass(frozen=True, slots=True)
class ProofTask:
    """One theorem to prove.

    Args:
        name: An identifier; the theorem is compiled under it.
        statement: What stands after the name, such as `(p : Prop) : p → p` in Lean and `(P : Prop) : P -> P` in Coq;
            in the toy logic, the formula.
        header: Trusted text before the theorem: imports and definitions. Empty stands for the backend's own header.
        budget: Limits, equal in the live session and in the final check.
    """

    name: str
    statement: str
    header: str = ""
    budget: Budget = Budget()


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Names of one type in a goal's context, and their value where they are defined."""

    names: tuple[str, ...]
    type: str
    value: str = ""

    def __str__(self) -> str:
        return f"{' '.join(self.names)} : {self.type}" + (f" := {self.value}" if self.value else "")


@dataclass(frozen=True, slots=True)
class Goal:
    """One thing that is left to show: a context and a target."""

    target: str
    hypotheses: tuple[Hypothesis, ...] = ()
    case: str = ""

    def __str__(self) -> str:
        lines = [f"case {self.case}"] if self.case else []
        return "\n".join([*lines, *map(str, self.hypotheses), f"⊢ {self.target}"])

    @property
    def size(self) -> int:
        """How long the target is, in words and signs; hypotheses are free to use and cost nothing."""
        return sum(1 for word in self.target.replace("(", " ").replace(")", " ").split() if word)


@dataclass(frozen=True, slots=True)
class ProofState:
    """A point of a proof: the tactics so far and the goals they left open.

    `finished` says that the live session sees no goal. It is a hint for a search, never a verdict.
    """

    task: ProofTask
    path: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether no goal is open."""
        return not self.goals

    @property
    def key(self) -> str:
        """A hash of the open goals, in order: two paths to the same goals have the same key."""
        text = "\n\n".join(map(str, self.goals))
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()

    @property
    def size(self) -> int:
        """The sizes of all open goals together."""
        return sum(goal.size for goal in self.goals)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.goals)) or "no goals"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one tactic did: a new state, or the reason why there is none.

    Args:
        state: The state after the tactic; None when it failed.
        error: The prover's words, shortened; empty when it worked.
        limit: The tactic ran past its heartbeats or its time.
        layer: `gate` when the text was refused before the prover saw it, else `tactic`.
    """

    state: ProofState | None
    error: str = ""
    limit: bool = False
    layer: str = "tactic"

    @property
    def ok(self) -> bool:
        """Whether there is a new state."""
        return self.state is not None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the final check found.

    Args:
        verdict: The judgement.
        layer: Which of `LAYERS` rejected the proof; empty when it was accepted.
        axioms: What the proof rests on, sorted.
        constants: What the submitted module declares, sorted.
        files: What it left on disk besides its own output, sorted.
        statement_key: A hash of the statement that was compiled from trusted text.
        messages: The prover's words about the submission, shortened: for a policy that tries again.
        seconds: Wall clock of the check.
        cpu_s: Processor time of the processes that it started.
    """

    verdict: Verdict
    layer: str = ""
    axioms: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    statement_key: str = ""
    messages: str = ""
    seconds: float = 0.0
    cpu_s: float = 0.0

    @classmethod
    def rejected(cls, layer: str, reason: str, **found: Any) -> Report:
        """A proof that a layer refused."""
        assert layer in LAYERS, layer
        if layer == "limit":
            return cls(Verdict.limit(f"limit: {reason}"), layer, **found)
        make = Verdict.malformed if layer == "gate" else Verdict.wrong
        return cls(make(f"{layer}: {reason}"), layer, **found)

    def after(self, seconds: float, cpu_s: float = 0.0) -> Report:
        """The same report with the time it took."""
        return replace(self, seconds=seconds, cpu_s=cpu_s)

    def to_json(self) -> Mapping[str, Any]:
        """A plain dictionary."""
        return {
            "verdict": self.verdict.to_json(), "layer": self.layer, "axioms": list(self.axioms),
            "constants": list(self.constants), "files": list(self.files), "statement_key": self.statement_key,
            "messages": self.messages, "seconds": self.seconds, "cpu_s": self.cpu_s,
        }  # fmt: skip

    @property
    def accepted(self) -> bool:
        """Whether the proof is one."""
        return self.verdict.status is Status.CORRECT


class Backend(Protocol):
    """One prover. Every method may be called from several threads.

    Raises, from every method: `ProverMissing` without the tool, `ProverLost` when it failed on every worker.
    """

    @property
    def name(self) -> str:
        """`lean`, `coq` or `toy`."""

    def open(self, task: ProofTask) -> ProofState:
        """Start on a theorem. Raises `StatementRefused` if the statement does not compile."""

    def run(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic to a state, which stays as it was."""

    def expand(self, state: ProofState, tactics: Sequence[str]) -> list[StepResult]:
        """Apply each of several tactics to the same state, in parallel where there are workers; results in order."""

    def split(self, text: str) -> list[tuple[int, int]]:
        """Where the single tactics of a text lie, as (start, end); the whole text is covered but for blanks."""

    def final_check(self, task: ProofTask, proof: str) -> Verdict:
        """Judge a whole proof in a fresh process."""

    def examine(self, task: ProofTask, proof: str) -> Report:
        """`final_check`, with everything that was found."""

    def close(self) -> None:
        """End the workers. The backend can be used again: it starts new ones."""


def shorten(text: str, most: int = 1024) -> str:
    """The start of a message, cut at a length that a policy can read.

    >>> shorten("abcdef", 5)
    'ab...'
    """
    text = text.strip()
    return text if len(text) <= most else text[: max(0, most - 3)] + "..."
