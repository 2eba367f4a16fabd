"""A proof in a Coq process: a chain of sentences, one state a prefix of it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from proofgym.verifiers.proof import gate
from proofgym.verifiers.proof.coq.idetop import Failure, Idetop, Open
from proofgym.verifiers.proof.protocol import ProofTask, StatementRefused, shorten
from proofgym.verifiers.proof.sessions import Reply

__all__ = ["CoqSession", "cut"]


def cut(text: str, *, strings: bool = False) -> list[str]:
    """The sentences of a text, bullets and braces among them. Raises `ValueError` as `gate.sentences` does."""
    return [text[begin:end] for begin, end in gate.sentences(text, strings=strings)]


class CoqSession:
    """See `proofgym.verifiers.proof.sessions.Session`."""

    def __init__(self, task: ProofTask) -> None:
        self.header, self.uses = task.header, 0
        self._coq = Idetop(memory_mb=task.budget.memory_mb)
        self.pid = self._coq.pid
        self._chain: list[tuple[str, int, Open]] = []  # sentence, its state, what is open after it
        try:
            at = self._coq.root
            for sentence in cut(task.header, strings=True):
                at = self._must(sentence, at)
        except BaseException:
            self.close()
            raise
        self._base = at
        self._task: ProofTask | None = None

    def near(self, task: ProofTask, path: Sequence[str]) -> int:
        """How many of the path's sentences are done."""
        if task != self._task:
            return -1
        return self._common(self._wanted(task, path))

    def goto(self, task: ProofTask, path: Sequence[str]) -> Reply:
        """Go back to where the chains part, then add what is new, one sentence at a time."""
        self._coq.deadline = time.monotonic() + task.budget.step_s
        wanted = self._wanted(task, path)
        same = self._common(wanted)
        if same < len(self._chain):
            self._coq.back(self._at(same))
            del self._chain[same:]
        self._task = task
        for sentence in wanted[same:]:
            failed = self._step(sentence)
            if failed is not None:
                return failed
        return Reply(self._chain[-1][2].goals)

    def close(self) -> None:
        """Kill the process."""
        self._coq.close()

    def _step(self, sentence: str) -> Reply | None:
        tip = self._at(len(self._chain))
        made = self._coq.add(sentence, tip)
        found = self._coq.goals() if isinstance(made, int) else made
        if isinstance(made, int) and isinstance(found, Open) and not found.closed:
            self._chain.append((sentence, made, found))
            return None
        said = found.message if isinstance(found, Failure) else "it ends the proof"
        late = time.monotonic() > self._coq.deadline - 1e-3 or "User interrupt" in said or "Out of memory" in said
        self._coq.deadline = time.monotonic() + 5.0
        self._coq.back(tip)
        return Reply(error=shorten(said), limit=late)

    def _wanted(self, task: ProofTask, path: Sequence[str]) -> list[str]:
        return [f"Theorem {task.name} {task.statement}.", "Proof.", *(s for tactic in path for s in cut(tactic))]

    def _common(self, wanted: Sequence[str]) -> int:
        count = 0
        for (done, _, _), new in zip(self._chain, wanted, strict=False):
            if done != new:
                break
            count += 1
        return count

    def _at(self, length: int) -> int:
        return self._chain[length - 1][1] if length else self._base

    def _must(self, sentence: str, at: int) -> int:
        made = self._coq.add(sentence, at)
        found = self._coq.goals() if isinstance(made, int) else made
        if isinstance(found, Failure) or not isinstance(made, int):
            said = found.message if isinstance(found, Failure) else "no state"
            raise StatementRefused(f"the header is refused at {shorten(sentence, 80)!r}: {shorten(said, 200)}")
        return made
