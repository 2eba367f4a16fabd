"""Lean 4 as an environment: `LeanTactic`, one tactic or several a turn, and `LeanProof`, a whole proof a turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.prover import library
from proofgym.envs.prover.base import TacticEnv
from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.source import Source
from proofgym.envs.prover.whole import WholeProofEnv

__all__ = ["LeanProof", "LeanTactic"]


class LeanTactic(TacticEnv):
    """Asks for a proof in Lean 4, tactic by tactic.

    Observation: the theorem; then Lean's error, if there was one, and the open goals with their hypotheses.
    Action: one tactic, or several,
    one a line; indented lines belong to the tactic above. `undo [N]` and `goto STATE` go
        back to earlier states.
    Episode: terminated when no goal is open and a fresh Lean has judged the whole proof; truncated after `max_turns`.

    A proof that the final check accepts earns 1.0; see `proofgym.envs.prover.base` for what the steps pay.

    Args:
        kinds: Generators and `library`, by name; all by default. See `proofgym.envs.prover.generators.KINDS`.
        forbid: Words that a proof may not hold. By default `automation`: the tactics that search, so that nobody proves
            theorems without reading them (see `base.AUTOMATION`); theorems whose known proof needs one are not asked.
            `()` forbids nothing, and is the default with `problems`.
        problems: Theorems of your own instead, for example from `proofgym.envs.prover.readers`.
        budget: Fields of `Budget`, such as `{"heartbeats": 50000}`.
    """

    family: ClassVar[str] = "lean_tactic"
    prover: ClassVar[str] = "lean"
    floor: float = 0.05

    def __init__(
        self,
        *,
        kinds: Sequence[str] | str | None = None,
        problems: Sequence[Problem] | None = None,
        forbid: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        default = "automation" if problems is None else ()
        super().__init__(forbid=default if forbid is None else forbid, **kwargs)
        self.source = Source(self.prover, kinds, problems)

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return self.allowed(lambda: self.source.draw(rng, self.level, self.split)).to_json()

    def introduction(self) -> str:
        return _introduction(self.problem, "Write Lean 4 tactics, one a line; each acts on the first goal.")

    def lemmas(self) -> list[str]:
        """The theorems of MiniNat; none where the task has a header of its own."""
        return [] if self.problem.header and "MiniNat" not in self.problem.header else list(library.lemmas("lean"))


class LeanProof(WholeProofEnv):
    """Asks for a whole proof in Lean 4.

    Observation: the theorem; after an attempt that failed, Lean's messages, with lines counted in the proof.
    Action: the tactics after `:= by`, alone or in a code block; the theorem may be restated around them.
    Episode: terminated by a proof that the final check accepts; truncated after `max_turns` attempts.

    Args:
        kinds: Generators and `library`, by name; all by default.
        forbid: Words that a proof may not hold. By default `automation`: the tactics that search, so that nobody proves
            theorems without reading them (see `base.AUTOMATION`); theorems whose known proof needs one are not asked.
            `()` forbids nothing, and is the default with `problems`.
        problems: Theorems of your own instead.
        budget: Fields of `Budget`.
    """

    family: ClassVar[str] = "lean_proof"
    prover: ClassVar[str] = "lean"
    floor: float = 0.05

    def __init__(
        self,
        *,
        kinds: Sequence[str] | str | None = None,
        problems: Sequence[Problem] | None = None,
        forbid: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        default = "automation" if problems is None else ()
        super().__init__(forbid=default if forbid is None else forbid, **kwargs)
        self.source = Source(self.prover, kinds, problems)

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return self.allowed(lambda: self.source.draw(rng, self.level, self.split)).to_json()

    def introduction(self) -> str:
        return _introduction(self.problem, "Write the tactics of a Lean 4 proof, the text that follows `:= by`.")

    def lemmas(self) -> list[str]:
        """The theorems of MiniNat; none where the task has a header of its own."""
        return [] if self.problem.header and "MiniNat" not in self.problem.header else list(library.lemmas("lean"))


def _introduction(problem: Problem, how: str) -> str:
    header = f"{problem.header.rstrip()}\n\n" if problem.header else ""
    return f"{how}\n\n{header}theorem {problem.name} {problem.statement} := by"
