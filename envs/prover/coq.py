"""Coq as an environment: `CoqTactic`, one tactic or several a turn, and `CoqProof`, a whole proof a turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.prover import library
from proofgym.envs.prover.base import TacticEnv
from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.source import Source
from proofgym.envs.prover.whole import WholeProofEnv

__all__ = ["CoqProof", "CoqTactic"]


class CoqTactic(TacticEnv):
    """Asks for a proof in Coq, tactic by tactic.

    Observation: the theorem; then Coq's error, if there was one, and the open goals with their hypotheses.
    Action: one sentence, or several; bullets and braces count as sentences. `undo [N].` and `goto STATE.` go back to
        earlier states.
    Episode: terminated when no goal is open and a fresh Coq has judged the whole proof; truncated after `max_turns`.

    A proof that the final check accepts earns 1.0; see `proofgym.envs.prover.base` for what the steps pay.

    Args:
        kinds: Generators and `library`, by name; all by default. See `proofgym.envs.prover.generators.KINDS`.
        forbid: Words that a proof may not hold. By default `automation`: the tactics that search, so that nobody proves
            theorems without reading them (see `base.AUTOMATION`); theorems whose known proof needs one are not asked.
            `()` forbids nothing, and is the default with `problems`.
        problems: Theorems of your own instead, for example from `proofgym.envs.prover.readers`.
        budget: Fields of `Budget`, such as `{"step_s": 2}`.
    """

    family: ClassVar[str] = "coq_tactic"
    prover: ClassVar[str] = "coq"
    floor: float = 0.15

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

    def command(self, text: str) -> str:
        """With a full stop."""
        return f"{text}."

    def introduction(self) -> str:
        return _introduction(
            self.problem,
            "Write Coq tactics, each with its full stop; each acts on the first goal. "
            "`undo.` and `goto STATE.` go back.",
        )

    def lemmas(self) -> list[str]:
        """The theorems of the standard library that are used most; none where the header loads none."""
        return [] if self.problem.header and "Require" not in self.problem.header else list(library.lemmas("coq"))


class CoqProof(WholeProofEnv):
    """Asks for a whole proof in Coq.

    Observation: the theorem; after an attempt that failed, Coq's messages, with lines counted in the proof.
    Action: the sentences between `Proof.` and `Qed.`,
    alone or in a code block; the theorem may be restated around them.
    Episode: terminated by a proof that the final check accepts; truncated after `max_turns` attempts.

    Args:
        kinds: Generators and `library`, by name; all by default.
        forbid: Words that a proof may not hold. By default `automation`: the tactics that search, so that nobody proves
            theorems without reading them (see `base.AUTOMATION`); theorems whose known proof needs one are not asked.
            `()` forbids nothing, and is the default with `problems`.
        problems: Theorems of your own instead.
        budget: Fields of `Budget`.
    """

    family: ClassVar[str] = "coq_proof"
    prover: ClassVar[str] = "coq"
    floor: float = 0.15

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
        return _introduction(self.problem, "Write the tactics of a Coq proof, the text between `Proof.` and `Qed.`")

    def lemmas(self) -> list[str]:
        """The theorems of the standard library that are used most; none where the header loads none."""
        return [] if self.problem.header and "Require" not in self.problem.header else list(library.lemmas("coq"))


def _introduction(problem: Problem, how: str) -> str:
    header = f"{problem.header.rstrip()}\n\n" if problem.header else ""
    return f"{how}\n\n{header}Theorem {problem.name} {problem.statement}."
