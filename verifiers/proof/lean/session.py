"""A proof in a Lean worker: a document whose last lines are the tactics, one state a prefix of them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from proofgym.verifiers.proof.lean.server import LeanWorker
from proofgym.verifiers.proof.lean.toolchain import Toolchain
from proofgym.verifiers.proof.protocol import Goal, Hypothesis, ProofTask, shorten
from proofgym.verifiers.proof.sessions import Reply, SessionDied

__all__ = ["LeanSession", "block", "document", "parse_goals"]

_UNSOLVED = "unsolved goals\n"
_LIMITS = ("(deterministic) timeout", "maximum recursion depth", "excessive memory")
_HYPOTHESIS = re.compile(r"([^\s:]+(?: [^\s:]+)*) : ")


def block(tactic: str) -> str:
    """One tactic as lines of a tactic block, indented by two.

    >>> block("cases h with\\n| inl a => exact a")
    '  cases h with\\n  | inl a => exact a\\n'
    """
    lines = tactic.strip("\n").split("\n")
    margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
    return "".join(f"  {line[margin:]}".rstrip(" ") + "\n" for line in lines)


def document(task: ProofTask, tactics: Sequence[str]) -> tuple[str, list[str]]:
    """The document before the tactics, and the tactics as blocks; the first block does nothing and gives a place.

    The same text is compiled in the final check.
    """
    header = task.header.rstrip("\n") + "\n"
    return f"{header}theorem {task.name} {task.statement}\n  := by\n", ["  skip\n", *map(block, tactics)]


class LeanSession:
    """See `proofgym.verifiers.proof.sessions.Session`."""

    def __init__(self, toolchain: Toolchain, task: ProofTask) -> None:
        self.header, self.uses = task.header, 0
        self._head, self._blocks = document(task, ())
        self._task = task
        self._worker = LeanWorker(toolchain, self._head + "".join(self._blocks), task.budget)
        self.pid = self._worker.pid

    def near(self, task: ProofTask, path: Sequence[str]) -> int:
        """The length of the common prefix."""
        if task != self._task:
            return -1
        return _common(self._blocks, ["  skip\n", *map(block, path)]) - 1

    def goto(self, task: ProofTask, path: Sequence[str]) -> Reply:
        """Edit the document from where it differs and read what Lean says."""
        head, blocks = document(task, path)
        old, new = _lines(self._head, self._blocks), _lines(head, blocks)
        same = _common(old, new)
        if old != new:
            budget = task.budget
            self._head, self._blocks, self._task = head, blocks, task
            self._worker.change(same, len(old), "".join(new[same:]), budget.step_s)
        return self._read(head)

    def close(self) -> None:
        """Kill the worker."""
        self._worker.close()

    def _read(self, head: str) -> Reply:
        by = {"line": head.count("\n") - 1, "character": 5}
        goals: tuple[Goal, ...] = ()
        for told in self._worker.diagnostics:
            if told.get("severity") != 1:
                continue
            message = str(told.get("message", ""))
            if message.startswith(_UNSOLVED) and told["range"]["start"] == by:
                goals = parse_goals(message[len(_UNSOLVED) :])
                continue
            return _failure(message)
        return Reply(goals)


def _failure(message: str) -> Reply:
    if "fatal" in message.lower() and "import" in message.lower():
        raise SessionDied(f"Lean cannot import: {message[:200]}")
    return Reply(error=shorten(message), limit=any(sign in message for sign in _LIMITS))


def _lines(head: str, blocks: Sequence[str]) -> list[str]:
    return (head + "".join(blocks)).splitlines(keepends=True)


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    count = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        count += 1
    return count


def parse_goals(text: str) -> tuple[Goal, ...]:
    """Read Lean's own print of goals.

    >>> [str(goal) for goal in parse_goals("case inl\\np q : Prop\\na : p\\n⊢ p ∨ q")]
    ['case inl\\np q : Prop\\na : p\\n⊢ p ∨ q']
    """
    return tuple(_goal(part) for part in text.strip("\n").split("\n\n") if part.strip())


def _goal(text: str) -> Goal:
    case, target = "", ""
    rows: list[str] = []
    for line in text.split("\n"):
        if line.startswith("case ") and not rows:
            case = line[5:].strip()
        elif line.startswith(" ") and rows:
            rows[-1] += "\n" + line
        else:
            rows.append(line)
    hypotheses = []
    for row in rows:
        if row.startswith("⊢"):
            target = row[1:].strip()
            continue
        found = _HYPOTHESIS.match(row)
        if found is None:
            hypotheses.append(Hypothesis((), row))
            continue
        type_, defined, value = row[found.end() :].partition(" := ")
        hypotheses.append(Hypothesis(tuple(found[1].split(" ")), type_, value if defined else ""))
    return Goal(target, tuple(hypotheses), case)
