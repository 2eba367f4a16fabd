"""The final check of a Coq proof: fresh sandboxed processes, one of which is ours to ask.

1. gate: the words of the text.
2. `Ref.v`, the statement alone, from trusted text.
3. compile: `Sub.v`, statement and proof, in another process, without network, in an empty folder.
4. `Chk.v`, in a third process that runs no text of the submission: it loads both, compares the two statements
   (statement), lists what the submission declares (constants), makes the kernel give one the type of the other, and
   asks for its assumptions (axioms), which include bypassed guard, positivity and universe checks.
5. kernel (strict only): `coqchk` reads the compiled file again with a checker of its own.

The questions of step 4 are parted by words that the submission cannot know.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from proofgym.errors import Unjudged
from proofgym.verifiers.proof import gate
from proofgym.verifiers.proof.coq.idetop import program
from proofgym.verifiers.proof.coq.session import cut
from proofgym.verifiers.proof.protocol import Budget, ProofTask, ProverLost, Report, StatementRefused, shorten
from proofgym.verifiers.verdict import Verdict

if TYPE_CHECKING:
    from proofgym.sandboxes import Pool, Result

__all__ = ["CoqJudge"]

_CLOSED = "Closed under the global context"
_NOISE = re.compile(r"^(?:Fetching opaque proofs from disk for .*|\s*)$")
_OPENING = {"Require", "Import", "From", "Open", "Local", "Global", "Set", "Unset", "Export"}
_CACHES = {".lia.cache", ".nia.cache", ".nra.cache", ".csdp.cache"}
_OUTPUT = {"vo", "vos", "vok", "glob"}
_CHECK = """Require T.Ref T.Sub.
Goal True. Proof. idtac "{mark}1". Abort.
Search _ inside T.Sub.
Goal True. Proof. idtac "{mark}2". Abort.
Goal True. Proof.
  let asked := type of T.Ref.{name} in let proved := type of T.Sub.{name} in constr_eq asked proved.
Abort.
Goal True. Proof. idtac "{mark}3". Abort.
Definition check : ltac:(let asked := type of T.Ref.{name} in exact asked) := T.Sub.{name}.
Print Assumptions check.
Goal True. Proof. idtac "{mark}4". Abort.
"""


class CoqJudge:
    """Judges Coq proofs in sandboxed processes.

    Args:
        axioms: Full names of the axioms that a proof may rest on; none by default.
        strict: Also run `coqchk` on what was compiled; about a second more.
        workers: Sandboxes at once.
    """

    def __init__(self, *, axioms: Iterable[str] = (), strict: bool = False, workers: int = 2) -> None:
        self.allowed, self.strict, self.workers = frozenset(axioms), strict, workers
        self._headers: dict[str, tuple[str, dict[str, bytes]]] = {}
        self._references: dict[tuple[str, str, str, Budget], bytes] = {}
        self._pool: Pool | None = None
        self._owner = 0
        self._lock = threading.Lock()
        self._used = threading.local()

    def examine(self, task: ProofTask, proof: str, *, gated: bool = True) -> Report:
        """Judge one proof, the text between `Proof.` and `Qed.`

        Raises:
            StatementRefused: The trusted statement does not compile.
            ProverLost: Coq could not be run.
        """
        begun, self._used.cpu_s = time.perf_counter(), 0.0
        report = self._examined(task, proof, gated)
        return report.after(time.perf_counter() - begun, self._used.cpu_s)

    def close(self) -> None:
        """End the sandboxes."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None and self._owner == os.getpid():
            pool.close()

    def _examined(self, task: ProofTask, proof: str, gated: bool) -> Report:
        refused = gate.coq(proof) if gated else ""
        if refused:
            return Report.rejected("gate", refused, messages=refused)
        reference = self._reference(task)
        opening, own = self._header(task)
        source = f"{opening}\nTheorem {task.name} {task.statement}.\nProof.\n{proof}\nQed.\n"
        result = self._coqc("Sub", source, own, task.budget)
        messages = _errors(result, source.count("\n", 0, source.index("Proof.\n")) + 2)
        spent = _spent(result)
        if spent:
            return Report.rejected("limit", spent, messages=messages)
        files = {artifact.path: artifact for artifact in result.artifacts}
        made = files.pop("Sub.vo", None)
        stray = sorted(
            f for f in files if f not in {*_CACHES, "Hdr.vo", "Sub.v", ".Sub.aux", *(f"Sub.{end}" for end in _OUTPUT)}
        )
        found: dict[str, object] = {"messages": messages, "files": tuple(stray)}
        if not result.ok:
            said = messages.splitlines()[0] if messages else f"Coq ended with status {result.exit_code}"
            return Report.rejected("compile", said, **found)
        if made is None or made.truncated:
            return Report.rejected("compile", "no module was compiled", **found)
        return self._asked(task, reference, made.data, found)

    def _asked(self, task: ProofTask, reference: bytes, made: bytes, found: dict[str, object]) -> Report:
        mark = f"PG{secrets.token_hex(12)}x"
        files = {**self._header(task)[1], "Ref.vo": reference, "Sub.vo": made}
        result = self._coqc("Chk", _CHECK.format(mark=mark, name=task.name), files, task.budget)
        spent = _spent(result)
        if spent:
            return Report.rejected("limit", f"while it was asked about: {spent}", **found)
        parts = re.split(rf"^{mark}\d$", result.stdout.decode("utf-8", "replace"), flags=re.MULTILINE)
        error = shorten(result.stderr.decode("utf-8", "replace"), 300).replace("\n", " ")
        if len(parts) < 2:
            return Report.rejected("constants", f"the compiled module cannot be loaded: {error}", **found)
        constants = tuple(sorted(_listed(parts[1])))
        found["constants"] = constants
        if f"Sub.{task.name}" not in constants:
            return Report.rejected("constants", f"no theorem {task.name} was proved", **found)
        mine = re.compile(rf"Sub\.{re.escape(task.name)}(?:_subproof|_subterm|_obligation_)?\d*")
        foreign = [name for name in constants if not mine.fullmatch(name)]
        if foreign:
            return Report.rejected("constants", f"it declares {', '.join(foreign)[:200]}", **found)
        if len(parts) < 5 or not result.ok:
            layer = "statement" if len(parts) < 4 or "check" in error or "has type" in error else "axioms"
            return Report.rejected(layer, f"what was proved is not what was asked: {error}", **found)
        axioms = tuple(sorted(_assumed(parts[3])))
        found["axioms"] = axioms
        beyond = [axiom for axiom in axioms if axiom not in self.allowed]
        if beyond:
            return Report.rejected("axioms", f"it rests on {', '.join(beyond)[:200]}", **found)
        if found["files"]:
            return Report.rejected("files", f"it left {', '.join(map(str, found['files']))[:200]}", **found)  # type: ignore[call-overload]
        if self.strict:
            again = self._run(
                ["coqchk", "-silent", "-Q", ".", "T", "-norec", "T.Sub"],
                {**self._header(task)[1], "Sub.vo": made},
                task.budget,
            )
            if not again.ok:
                return Report.rejected("kernel", f"coqchk refuses it: {again.outcome.value}", **found)
        return Report(
            Verdict.right(f"the kernel accepts it; axioms: {', '.join(axioms) or 'none'}"),
            axioms=axioms, constants=constants, messages=str(found["messages"]),
        )  # fmt: skip

    def _reference(self, task: ProofTask) -> bytes:
        key = (task.header, task.name, task.statement, task.budget)
        known = self._references.get(key)
        if known is not None:
            return known
        opening, own = self._header(task)
        source = f"{opening}\nTheorem {task.name} {task.statement}.\nProof.\nAdmitted.\n"
        result = self._coqc("Ref", source, own, task.budget)
        if _spent(result):
            raise Unjudged(f"the statement of {task.name} could not be compiled: {_spent(result)}")
        made = next((a.data for a in result.artifacts if a.path == "Ref.vo"), None)
        if not result.ok or made is None:
            raise StatementRefused(f"the statement of {task.name} is refused: {_errors(result, 0)[:300]}")
        if len(self._references) >= 2000:
            self._references.clear()
        self._references[key] = made
        return made

    def _header(self, task: ProofTask) -> tuple[str, dict[str, bytes]]:
        """What every file begins with, and the compiled module of what the header declares, if it declares anything.

        Declarations need a module of their own: written into two files they would be two constants.
        """
        known = self._headers.get(task.header)
        if known is not None:
            return known
        parts = cut(task.header, strings=True)
        opening = "\n".join(part for part in parts if part.split()[0] in _OPENING)
        if len(parts) == sum(part.split()[0] in _OPENING for part in parts):
            made = (opening, dict[str, bytes]())
        else:
            result = self._coqc("Hdr", task.header, {}, task.budget)
            data = next((a.data for a in result.artifacts if a.path == "Hdr.vo"), None)
            if not result.ok or data is None:
                raise StatementRefused(f"the header of {task.name} is refused: {_errors(result, 0)[:300]}")
            made = (f"{opening}\nRequire Import T.Hdr.", {"Hdr.vo": data})
        self._headers[task.header] = made
        return made

    def _coqc(self, name: str, source: str, files: Mapping[str, bytes], budget: Budget) -> Result:
        argv = ["coqc", "-q", "-noglob", "-Q", ".", "T", f"{name}.v"]
        return self._run(argv, {**files, f"{name}.v": source.encode("utf-8", "replace")}, budget)

    def _run(self, argv: list[str], files: Mapping[str, bytes], budget: Budget) -> Result:
        from proofgym.sandboxes import Job, Limits

        limits = Limits(
            wall_s=budget.check_s, cpu_s=budget.check_s, memory_mb=budget.memory_mb, processes=64, output_kb=512,
            scratch_mb=64
        )  # fmt: skip
        # findlib looks for a configuration in /etc, which the sandbox does not show; it has nothing to say to Coq.
        job = Job.command(
            [program(argv[0]), *argv[1:]], files=dict(files), env={"OCAMLFIND_CONF": "/dev/null", "LC_ALL": "C.UTF-8"},
            artifacts=("**",), reserve_mb=4096, limits=limits,
        )  # fmt: skip
        result = self._sandboxes().run(job)
        self._used.cpu_s = getattr(self._used, "cpu_s", 0.0) + result.cpu_s
        if result.exit_code == 127:
            raise ProverLost(f"Coq does not start in the sandbox: {result.stderr.decode('utf-8', 'replace')[:300]}")
        return result

    def _sandboxes(self) -> Pool:
        from proofgym.sandboxes import Pool

        with self._lock:
            if self._pool is None or self._owner != os.getpid():
                home = Path(program("coqc")).resolve()
                binds = [] if home.is_relative_to("/usr") else [str(home.parent.parent)]  # opam's switch, for one
                self._pool, self._owner = Pool(workers=self.workers, binds=binds, preload=(), site=False), os.getpid()
            return self._pool


def _spent(result: Result) -> str:
    outcome = result.outcome.value
    if outcome in ("timeout", "cpu", "memory", "output", "processes", "crash", "tampered"):
        return f"{outcome} ({result.detail})" if result.detail else outcome
    tail = result.stderr[-2000:]
    return "Coq ran out of memory or stack" if b"Out of memory" in tail or b"Stack overflow" in tail else ""


def _errors(result: Result, offset: int) -> str:
    """Coq's errors with lines counted in the proof, for a policy that tries again."""
    text = result.stderr.decode("utf-8", "replace")

    def place(found: re.Match[str]) -> str:
        line = int(found[1]) - offset + 1
        return f"line {line}, characters {found[2]}:" if line > 0 else "in the statement:"

    return shorten(re.sub(r'File "\./\w+\.v", line (\d{1,9}), characters (\d{1,9}-\d{1,9}):', place, text), 2000)


def _listed(text: str) -> list[str]:
    """Names from the output of `Search`: each entry begins at the left margin with `name:`."""
    lines = [line for line in text.split("\n") if line and not line[0].isspace() and not _NOISE.match(line)]
    return [line.split(":", 1)[0].strip() for line in lines]


def _assumed(text: str) -> list[str]:
    """Names from the output of `Print Assumptions`; a line that is not understood counts as an assumption."""
    lines = [line for line in text.split("\n") if not _NOISE.match(line)]
    if lines == [_CLOSED]:
        return []
    if not lines:
        return ["nothing was said about assumptions"]
    entries = [line for line in lines if not line[0].isspace()]
    return [line.split(" : ", 1)[0].split(" :", 1)[0].strip() for line in entries if line.strip() != "Axioms:"] or [
        "nothing was said about assumptions"
    ]
