"""LeanDojo's interface: its types over our provers, and our protocol over its package.

`Dojo`, `run_tac` and the four results have the shape of lean-dojo 4.20, so code written for it runs on the bare Lean.
`LeanDojoBackend` goes the other way: it drives the real package, where it is installed with elan, lake and a traced
repository. The package cannot be installed without these; the adapter is tested against a stand-in with its interface.

Source: Yang et al. 2023, LeanDojo (arXiv:2306.15626).
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofgym.errors import BadInput, Unjudged, need
from proofgym.verifiers.proof.lean.backend import tactics as cut
from proofgym.verifiers.proof.lean.session import parse_goals
from proofgym.verifiers.proof.protocol import Backend, ProofState, ProofTask, ProverLost, Report, StepResult, shorten
from proofgym.verifiers.verdict import Verdict

__all__ = [
    "Dojo", "LeanDojoBackend", "LeanError", "LeanGitRepo", "ProofFinished", "ProofGivenUp", "TacticResult",
    "TacticState",
    "Theorem", "TracedTactic", "read_benchmark",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class LeanGitRepo:
    """A repository at a commit."""

    url: str
    commit: str


@dataclass(frozen=True, slots=True)
class TracedTactic:
    """One step of a human proof, with the goals before and after."""

    tactic: str
    state_before: str
    state_after: str


@dataclass(frozen=True, slots=True)
class Theorem:
    """A theorem of a repository; `statement` and `header` are ours, for theorems that need no repository."""

    repo: LeanGitRepo
    file_path: str
    full_name: str
    statement: str = ""
    header: str = ""
    traced: tuple[TracedTactic, ...] = field(default=(), compare=False)

    @property
    def task(self) -> ProofTask:
        """For a backend. Raises `BadInput` where only the repository knows the statement."""
        if not self.statement:
            raise BadInput(f"the statement of {self.full_name} is in its repository only; use LeanDojoBackend")
        return ProofTask(self.full_name, self.statement, self.header)


@dataclass(frozen=True, slots=True)
class TacticState:
    """Open goals, as Lean prints them."""

    pp: str
    id: int = field(compare=False)
    message: str | None = field(default=None, compare=False)

    @property
    def num_goals(self) -> int:
        """How many goals are open."""
        return len(parse_goals(self.pp))


@dataclass(frozen=True, slots=True)
class ProofFinished:
    """The proof is complete, and the final check accepted it."""

    tactic_state_id: int
    message: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class LeanError:
    """The tactic failed, or the finished proof was refused."""

    error: str


@dataclass(frozen=True, slots=True)
class ProofGivenUp:
    """The proof was given up, with `sorry` for one."""


TacticResult = TacticState | ProofFinished | LeanError | ProofGivenUp


class Dojo:
    """`with Dojo(theorem) as (dojo, state): dojo.run_tac(state, "intro h")`.

    Any earlier state may be used again. Unlike LeanDojo's, `ProofFinished` is said only after the final check.

    Args:
        theorem: With a statement.
        backend: A prover; Lean by default.
    """

    def __init__(self, theorem: Theorem, backend: Backend | None = None) -> None:
        if backend is None:
            from proofgym.verifiers.proof import backend as shared

            backend = shared("lean")
        self.theorem, self._backend = theorem, backend
        self._states: list[ProofState] = []

    def __enter__(self) -> tuple[Dojo, TacticState]:
        self._states = [self._backend.open(self.theorem.task)]
        return self, TacticState(str(self._states[0]), 0)

    def __exit__(self, *_: object) -> None:
        self._states = []

    def run_tac(self, state: TacticState, tactic: str) -> TacticResult:
        """Apply one tactic to a state.

        Raises:
            BadInput: For a state that is not of this dojo.
        """
        if not 0 <= state.id < len(self._states):
            raise BadInput(f"state {state.id} is not of this dojo")
        if tactic.strip().rstrip(".") in ("sorry", "admit", "Admitted"):
            return ProofGivenUp()
        result = self._backend.run(self._states[state.id], tactic)
        if result.state is None:
            return LeanError(result.error)
        self._states.append(result.state)
        index = len(self._states) - 1
        if not result.state.finished:
            return TacticState(str(result.state), index)
        report = self._backend.examine(self.theorem.task, "\n".join(result.state.path))
        return ProofFinished(index) if report.accepted else LeanError(report.verdict.reason)


def read_benchmark(path: str | Path) -> Iterator[Theorem]:
    """Theorems of a traced LeanDojo benchmark file (`random/train.json` and the like), with their human tactics.

    Raises:
        BadInput: If the file is no such benchmark.
    """
    try:
        rows = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read as a LeanDojo benchmark: {error}") from error
    if not isinstance(rows, list):
        raise BadInput(f"{path} holds no list of theorems")
    for number, row in enumerate(rows):
        try:
            traced = tuple(
                TracedTactic(str(t["tactic"]), str(t["state_before"]), str(t["state_after"]))
                for t in row["traced_tactics"]
            )
            yield Theorem(LeanGitRepo(row["url"], row["commit"]), row["file_path"], row["full_name"], traced=traced)
        except (KeyError, TypeError) as error:
            raise BadInput(f"theorem {number} of {path} lacks {error}") from error


class LeanDojoBackend:
    """The real package behind our protocol: for search and training in a traced repository.

    Judging is another matter: LeanDojo's check runs in the process of the submission and lists no axioms, so a proof is
    judged by the backend given as `judge`, or not at all.

    Args:
        url: The repository.
        commit: Its commit.
        judge: Who makes the final check, usually `LeanBackend` on a checkout of the same project.
    Raises:
        MissingExtra: If lean-dojo is not installed.
    """

    name = "lean-dojo"

    def __init__(self, url: str, commit: str, *, judge: Backend | None = None) -> None:
        self._package = need("lean_dojo", "lean-dojo")
        self._repo = self._package.LeanGitRepo(url, commit)
        self._judge = judge
        self._dojos: dict[ProofTask, tuple[Any, Any]] = {}
        self._states: dict[tuple[ProofTask, tuple[str, ...]], Any] = {}
        self._lock = threading.Lock()

    def open(self, task: ProofTask) -> ProofState:
        """Start on a theorem: `task.name` is its full name, `task.header` the path of its file in the repository."""
        with self._lock:
            if task not in self._dojos:
                theorem = self._package.Theorem(self._repo, task.header, task.name)
                dojo = self._package.Dojo(theorem)
                try:
                    entered, first = dojo.__enter__()
                except Exception as error:  # the package raises many kinds
                    raise ProverLost(f"lean-dojo cannot start on {task.name}: {error}") from error
                self._dojos[task] = (dojo, entered)
                self._states[task, ()] = first
            return ProofState(task, (), parse_goals(self._states[task, ()].pp))

    def run(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic; a state that is not remembered is walked to again."""
        with self._lock:
            before = self._walk(state.task, state.path)
            result = self._step(state.task, before, tactic)
            path = (*state.path, tactic)
            kind = type(result).__name__
            if kind == "TacticState":
                self._states[state.task, path] = result
                return StepResult(ProofState(state.task, path, parse_goals(result.pp)))
            if kind == "ProofFinished":
                return StepResult(ProofState(state.task, path, ()))
            return StepResult(None, shorten(str(getattr(result, "error", kind))))

    def expand(self, state: ProofState, tactics: Sequence[str]) -> list[StepResult]:
        """One after the other: a dojo is one process."""
        return [self.run(state, tactic) for tactic in tactics]

    def split(self, text: str) -> list[tuple[int, int]]:
        """As Lean's."""
        return cut(text)

    def examine(self, task: ProofTask, proof: str) -> Report:
        """Judged by the backend that was given. Raises `Unjudged` if none was."""
        if self._judge is None:
            raise Unjudged("lean-dojo lists no axioms and judges in the submission's process: give a judge")
        return self._judge.examine(task, proof)

    def final_check(self, task: ProofTask, proof: str) -> Verdict:
        """`examine`'s verdict."""
        return self.examine(task, proof).verdict

    def close(self) -> None:
        """Leave every dojo."""
        with self._lock:
            for dojo, _ in self._dojos.values():
                with contextlib.suppress(Exception):
                    dojo.__exit__(None, None, None)
            self._dojos.clear()
            self._states.clear()

    def _walk(self, task: ProofTask, path: tuple[str, ...]) -> Any:
        if (task, path) in self._states:
            return self._states[task, path]
        if not path:
            raise BadInput(f"{task.name} was not opened")
        result = self._step(task, self._walk(task, path[:-1]), path[-1])
        self._states[task, path] = result
        return result

    def _step(self, task: ProofTask, state: Any, tactic: str) -> Any:
        try:
            return self._dojos[task][1].run_tac(state, tactic)
        except Exception as error:
            raise ProverLost(f"lean-dojo failed: {error}") from error
