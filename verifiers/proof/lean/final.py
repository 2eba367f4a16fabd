"""The final check of a Lean proof: fresh sandboxed processes, and a look at what they compiled.

1. gate: the words of the text (`proofgym.verifiers.proof.gate`).
2. The statement alone, from trusted text, in a process of its own. What it says is kept by its structure.
3. compile: statement and proof in another process, without network, on read-only libraries, in an empty folder, within
   heartbeats, memory and time. Exit status 0 is needed and proves nothing.
4. Its .olean is read outside. constants: the theorem is there, is a theorem, and everything declared is its own;
   statement: its type is that of step 2; axioms: none but the allowed; files: nothing else was left on disk.

What the process prints becomes messages for the policy and is believed in nothing else.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from proofgym.errors import Unjudged
from proofgym.verifiers.proof import gate
from proofgym.verifiers.proof.lean.audit import ALLOWED_AXIOMS, Audit, Library, audit
from proofgym.verifiers.proof.lean.olean import BadOlean, Module
from proofgym.verifiers.proof.lean.server import options
from proofgym.verifiers.proof.lean.session import block, document
from proofgym.verifiers.proof.lean.toolchain import Toolchain
from proofgym.verifiers.proof.protocol import Budget, ProofTask, ProverLost, Report, StatementRefused, shorten
from proofgym.verifiers.verdict import Verdict

if TYPE_CHECKING:
    from proofgym.sandboxes import Pool, Result

__all__ = ["LeanJudge"]

_MODULE = "Proof"
_LIMITS = ("(deterministic) timeout", "maximum recursion depth", "excessive memory", "Stack overflow")


class LeanJudge:
    """Judges Lean proofs in sandboxed processes; one sandbox pool per judge, made when first needed.

    Args:
        toolchain: Which Lean.
        axioms: Which axioms a proof may rest on.
        workers: Sandboxes at once.
    """

    def __init__(self, toolchain: Toolchain, *, axioms: Iterable[str] = ALLOWED_AXIOMS, workers: int = 2) -> None:
        self.toolchain, self.allowed, self.workers = toolchain, frozenset(axioms), workers
        self._library = Library(toolchain.path)
        self._statements: dict[tuple[str, str, str, Budget], Audit] = {}
        self._pool: Pool | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self._used = threading.local()

    def examine(self, task: ProofTask, proof: str, *, gated: bool = True) -> Report:
        """Judge one proof, the text of a tactic block.

        Args:
            gated: False leaves out the first layer, to try the others.
        Raises:
            StatementRefused: The trusted statement does not compile.
            ProverLost: Lean could not be run.
            Unjudged: The library could not be read.
        """
        begun, self._used.cpu_s = time.perf_counter(), 0.0
        report = self._examined(task, proof, gated)
        return report.after(time.perf_counter() - begun, self._used.cpu_s)

    def statement_key(self, task: ProofTask) -> str:
        """The structure of a statement, compiled alone from trusted text."""
        return self._reference(task).statement

    def close(self) -> None:
        """End the sandboxes."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None and self._owner == os.getpid():
            pool.close()

    def _examined(self, task: ProofTask, proof: str, gated: bool) -> Report:
        refused = gate.lean(proof) if gated else ""
        if refused:
            return Report.rejected("gate", refused, messages=refused)
        reference = self._reference(task)
        head, _ = document(task, ())
        result = self._compile(head + "  skip\n" + block(proof), task.budget)
        messages = _messages(result.stdout, head.count("\n"))
        spent = _spent(result, messages)
        if spent:
            return Report.rejected("limit", spent, messages=messages)
        files = {artifact.path: artifact for artifact in result.artifacts}
        made = files.pop(f"{_MODULE}.olean", None)
        files.pop(f"{_MODULE}.lean", None)
        found: dict[str, object] = {
            "messages": messages,
            "files": tuple(sorted(files)),
            "statement_key": reference.statement,
        }
        if not result.ok:
            said = messages.splitlines()[0] if messages else f"Lean ended with status {result.exit_code}"
            return Report.rejected("compile", said, **found)
        if made is None or made.truncated:
            return Report.rejected("compile", "no module was compiled", **found)
        try:
            seen = audit(Module(made.data), task.name, self._library)
        except BadOlean as error:
            return Report.rejected("constants", f"the compiled module is broken: {error}", **found)
        return self._judged(task, seen, reference, found)

    def _judged(self, task: ProofTask, seen: Audit | None, reference: Audit, found: dict[str, object]) -> Report:
        if seen is None:
            return Report.rejected("constants", f"no theorem {task.name} was proved", **found)
        found |= {"axioms": seen.axioms, "constants": seen.constants}
        if seen.kind != "theorem":
            return Report.rejected("constants", f"{task.name} is no theorem but a kind of {seen.kind}", **found)
        if seen.missing:
            return Report.rejected("constants", f"it mentions {seen.missing[0]}, which nobody declares", **found)
        beyond = [axiom for axiom in seen.axioms if axiom not in self.allowed]
        if beyond:
            return Report.rejected("axioms", f"it rests on {', '.join(beyond)[:200]}", **found)
        foreign = [name for name in seen.foreign if name not in reference.constants]  # the header may declare its own
        if foreign:
            return Report.rejected("constants", f"it declares {', '.join(foreign)[:200]}", **found)
        if seen.imports != reference.imports:
            return Report.rejected("constants", "its imports are not those of the task", **found)
        if seen.statement != reference.statement:
            return Report.rejected("statement", "what was proved is not what was asked", **found)
        if found["files"]:
            return Report.rejected("files", f"it left {', '.join(map(str, found['files']))[:200]}", **found)  # type: ignore[call-overload]
        return Report(
            Verdict.right(f"the kernel accepts it; axioms: {', '.join(seen.axioms) or 'none'}"),
            axioms=seen.axioms, constants=seen.constants, statement_key=reference.statement,
            messages=str(found["messages"]),
        )  # fmt: skip

    def _reference(self, task: ProofTask) -> Audit:
        key = (task.header, task.name, task.statement, task.budget)
        known = self._statements.get(key)
        if known is not None:
            return known
        head, _ = document(task, ())
        result = self._compile(head + "  sorry\n", task.budget)
        made = next((a for a in result.artifacts if a.path == f"{_MODULE}.olean"), None)
        if _spent(result, ""):
            raise Unjudged(f"the statement of {task.name} could not be compiled: {_spent(result, '')}")
        if not result.ok or made is None:
            said = _messages(result.stdout, 0) or result.stderr.decode("utf-8", "replace")[:300]
            raise StatementRefused(f"the statement of {task.name} is refused: {shorten(said, 300)}")
        seen = audit(Module(made.data), task.name, self._library)
        if seen is None:
            raise StatementRefused(f"the statement of {task.name} declares no theorem of that name")
        if len(self._statements) >= 10_000:
            self._statements.clear()
        self._statements[key] = seen
        return seen

    def _compile(self, text: str, budget: Budget) -> Result:
        from proofgym.sandboxes import Job, Limits

        limits = Limits(
            wall_s=budget.check_s, cpu_s=budget.check_s, memory_mb=budget.memory_mb, processes=256, output_kb=256,
            scratch_mb=64
        )  # fmt: skip
        job = Job.command(
            [*self.toolchain.argv, "--json", *options(budget), "-o", f"{_MODULE}.olean", f"{_MODULE}.lean"],
            files={f"{_MODULE}.lean": text}, env=self.toolchain.environment, artifacts=("**",), reserve_mb=32_768,
            limits=limits,
        )  # fmt: skip
        result = self._sandboxes().run(job)
        if result.outcome.value == "crash":  # once more: a proof that brings Lean down does so every time
            result = self._sandboxes().run(job)
        self._used.cpu_s = getattr(self._used, "cpu_s", 0.0) + result.cpu_s
        if result.exit_code == 127:
            raise ProverLost(f"Lean does not start in the sandbox: {result.stderr.decode('utf-8', 'replace')[:300]}")
        return result

    def _sandboxes(self) -> Pool:
        from proofgym.sandboxes import Pool

        with self._lock:
            if self._pool is None or self._owner != os.getpid():
                binds = [bind for bind in self.toolchain.binds if Path(bind).exists()]
                self._pool, self._owner = Pool(workers=self.workers, binds=binds, preload=(), site=False), os.getpid()
            return self._pool


def _spent(result: Result, messages: str) -> str:
    """Why a run counts as past its limits, or the empty string."""
    outcome = result.outcome.value
    if outcome in ("timeout", "cpu", "memory", "output", "processes", "crash", "tampered"):
        return f"{outcome} ({result.detail})" if result.detail else outcome
    for sign in _LIMITS:
        if sign in messages:
            return f"Lean says {sign!r}"
    return ""


def _messages(stdout: bytes, offset: int) -> str:
    """Lean's errors in the lines of the proof, for a policy that tries again."""
    out: list[str] = []
    for line in stdout.split(b"\n")[:200]:
        try:
            told = json.loads(line)
            if told["severity"] == "error":
                row = int(told["pos"]["line"]) - offset - 1
                out.append(f"line {row}: {told['data']}" if row > 0 else str(told["data"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return shorten("\n".join(out), 2000)
