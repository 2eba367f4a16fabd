"""The REPL of leanprover-community behind our protocol: commands and tactics as JSON, earlier states stay valid.

The program is built for one version of Lean (`lake exe repl`); its path is given. It is a stepping stone for search in
an existing setup: as with LeanDojo, a proof is judged by another backend, since the REPL lists no axioms and judges in
the submission's process.

Source: https://github.com/leanprover-community/repl (README).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from proofgym.errors import Unjudged
from proofgym.verifiers.proof import gate
from proofgym.verifiers.proof.lean.backend import tactics as cut
from proofgym.verifiers.proof.lean.session import parse_goals
from proofgym.verifiers.proof.protocol import (
    Backend,
    Goal,
    ProofState,
    ProofTask,
    ProverLost,
    Report,
    StatementRefused,
    StepResult,
    shorten,
)
from proofgym.verifiers.verdict import Verdict

__all__ = ["ReplBackend"]

_MOST_BYTES = 16 << 20


class ReplBackend:
    """One REPL process.

    Args:
        argv: The program and its arguments, for instance `("lake", "exe", "repl")`.
        cwd: The project to run it in.
        judge: Who makes the final check.
        start_s: How long a header may take to import.
    """

    name = "lean-repl"

    def __init__(
        self, argv: Sequence[str], *, cwd: str | None = None, judge: Backend | None = None, start_s: float = 120.0
    ) -> None:
        self._argv, self._cwd, self._judge, self._start_s = list(argv), cwd, judge, start_s
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""
        self._headers: dict[str, int] = {}
        self._states: dict[tuple[ProofTask, tuple[str, ...]], int] = {}
        self._lock = threading.Lock()

    def open(self, task: ProofTask) -> ProofState:
        """Start on a theorem: its header once, then the statement with a hole, whose proof state is the first."""
        with self._lock:
            command = {"cmd": f"theorem {task.name} {task.statement} := by sorry"}
            if task.header:
                command = {**command, "env": self._header(task)}  # type: ignore[dict-item]
            answer = self._ask(command, task.budget.step_s)
            holes = answer.get("sorries") or []
            wrong = [m for m in answer.get("messages") or [] if m.get("severity") == "error"]
            if wrong or len(holes) != 1:
                said = wrong[0].get("data", "") if wrong else "it opens no goal"
                raise StatementRefused(f"the statement of {task.name} is refused: {shorten(str(said), 300)}")
            self._states[task, ()] = int(holes[0]["proofState"])
            goals = holes[0].get("goals") or [holes[0].get("goal", "")]
            return ProofState(task, (), _goals(goals))

    def run(self, state: ProofState, tactic: str) -> StepResult:
        """Apply one tactic; a state that is not known to the process is walked to again."""
        refused = gate.lean(tactic)
        if refused:
            return StepResult(None, refused, layer="gate")
        with self._lock:
            answer = self._step(state.task, state.path, tactic)
        failed = answer.get("message") or next(
            (m.get("data", "") for m in answer.get("messages") or [] if m.get("severity") == "error"), ""
        )
        if failed or "proofState" not in answer:
            return StepResult(None, shorten(str(failed or "the REPL gave no state")))
        path = (*state.path, tactic)
        self._states[state.task, path] = int(answer["proofState"])
        return StepResult(ProofState(state.task, path, _goals(answer.get("goals") or [])))

    def expand(self, state: ProofState, tactics: Sequence[str]) -> list[StepResult]:
        """One after the other."""
        return [self.run(state, tactic) for tactic in tactics]

    def split(self, text: str) -> list[tuple[int, int]]:
        """As Lean's."""
        return cut(text)

    def examine(self, task: ProofTask, proof: str) -> Report:
        """Judged by the backend that was given. Raises `Unjudged` if none was."""
        if self._judge is None:
            raise Unjudged("the REPL lists no axioms and judges in the submission's process: give a judge")
        return self._judge.examine(task, proof)

    def final_check(self, task: ProofTask, proof: str) -> Verdict:
        """`examine`'s verdict."""
        return self.examine(task, proof).verdict

    def close(self) -> None:
        """Kill the process; the next use starts a new one."""
        process, self._process = self._process, None
        self._headers, self._states, self._buffer = {}, {}, b""
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        for end in (process.stdin, process.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        process.wait()

    def _header(self, task: ProofTask) -> int:
        if task.header not in self._headers:
            answer = self._ask({"cmd": task.header}, self._start_s)
            wrong = [m for m in answer.get("messages") or [] if m.get("severity") == "error"]
            if wrong or "env" not in answer:
                raise StatementRefused(f"the header of {task.name} is refused: {shorten(str(wrong), 300)}")
            self._headers[task.header] = int(answer["env"])
        return self._headers[task.header]

    def _step(self, task: ProofTask, path: tuple[str, ...], tactic: str) -> Mapping[str, Any]:
        if (task, path) not in self._states:
            if not path:
                raise ProverLost(f"{task.name} was not opened")
            answer = self._step(task, path[:-1], path[-1])
            if "proofState" not in answer:
                raise ProverLost("a path that worked once fails now")
            self._states[task, path] = int(answer["proofState"])
        return self._ask({"tactic": tactic, "proofState": self._states[task, path]}, task.budget.step_s)

    def _ask(self, command: Mapping[str, Any], timeout_s: float) -> Mapping[str, Any]:
        deadline = time.monotonic() + timeout_s
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(command).encode() + b"\n\n")
            process.stdin.flush()
            return self._answer(process, deadline)
        except (OSError, ValueError) as error:
            self.close()
            raise ProverLost(f"the REPL failed: {error}") from error

    def _answer(self, process: subprocess.Popen[bytes], deadline: float) -> Mapping[str, Any]:
        assert process.stdout is not None
        while b"\n\n" not in self._buffer:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise OSError("it did not answer in time")
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data or len(self._buffer) > _MOST_BYTES:
                raise OSError("it ended" if not data else "it says more than it should")
            self._buffer += data
        body, self._buffer = self._buffer.split(b"\n\n", 1)
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise ValueError("its answer is no object")
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - the user named the program
                    self._argv, cwd=self._cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL, start_new_session=True, bufsize=0,
                )  # fmt: skip
            except OSError as error:
                raise ProverLost(f"{self._argv[0]} cannot be started: {error}") from error
        return self._process


def _goals(texts: Sequence[str]) -> tuple[Goal, ...]:
    return tuple(goal for text in texts for goal in parse_goals(text))
