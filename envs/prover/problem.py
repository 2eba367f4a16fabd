"""One theorem as an instance of an environment: JSON in, checked, and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from proofgym.errors import BadInput
from proofgym.verifiers.proof import Budget, ProofTask

__all__ = ["Problem"]

MOST_STATEMENT = 4000
MOST_HEADER = 60_000


@dataclass(frozen=True, slots=True)
class Problem:
    """A theorem to prove.

    Args:
        kind: Which generator or library it comes from.
        name: The theorem's name.
        statement: What stands after the name, as `ProofTask` has it.
        header: Trusted text before the theorem; empty for the prover's own library.
        script: A known proof, one tactic an entry; empty when none is known.
        key: What makes two problems the same: a form of the statement that does not depend on names.
    """

    kind: str
    name: str
    statement: str
    header: str = ""
    script: tuple[str, ...] = ()
    key: str = ""

    def task(self, budget: Budget) -> ProofTask:
        """For a backend."""
        return ProofTask(self.name, self.statement, self.header, budget)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `read` reads back."""
        return {
            "kind": self.kind, "name": self.name, "statement": self.statement, "header": self.header,
            "script": list(self.script), "key": self.key,
        }  # fmt: skip

    @classmethod
    def read(cls, instance: Any) -> Problem:
        """Read what `to_json` wrote.

        Raises:
            BadInput: For anything else, with the reason.
        """
        if not isinstance(instance, Mapping) or set(instance) != {
            "kind",
            "name",
            "statement",
            "header",
            "script",
            "key",
        }:
            raise BadInput("a theorem has the keys kind, name, statement, header, script and key")
        texts = [instance[key] for key in ("kind", "name", "statement", "header", "key")]
        script = instance["script"]
        if not all(isinstance(text, str) for text in texts):
            raise BadInput("kind, name, statement, header and key of a theorem are texts")
        if not isinstance(script, list | tuple) or not all(isinstance(line, str) and line.strip() for line in script):
            raise BadInput("the script of a theorem is a list of tactics")
        kind, name, statement, header, key = texts
        if not name or not statement or not key or len(statement) > MOST_STATEMENT or len(header) > MOST_HEADER:
            raise BadInput("a theorem needs a name, a key and a statement of bearable length")
        return cls(kind, name, statement, header, tuple(script), key)
