"""Where theorems come from: generators and the library, by kind, or a list that the user brings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from proofgym.envs.prover import generators, library
from proofgym.envs.prover.base import FINGERPRINTS
from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.toy import chosen_kinds
from proofgym.envs.task import fingerprint, split_of
from proofgym.errors import BadInput

__all__ = ["KINDS", "Source"]

_TRIES = 20
KINDS = (*generators.KINDS, "library")


class Source:
    """Draws theorems for one prover.

    Args:
        prover: `lean` or `coq`.
        kinds: Among `KINDS`; all by default.
        problems: A list to draw from instead.
    """

    def __init__(self, prover: str, kinds: Sequence[str] | str | None, problems: Sequence[Problem] | None) -> None:
        if problems is not None and kinds is not None:
            raise BadInput("give kinds or problems, not both")
        if problems is not None and not problems:
            raise BadInput("the list of problems is empty")
        self.prover = prover
        self.kinds = () if problems is not None else chosen_kinds(kinds, KINDS)
        self._lists: dict[str, tuple[Problem, ...]] = {}
        self._given = tuple(problems) if problems is not None else None

    def draw(self, rng: np.random.Generator, level: float, split: str) -> Problem:
        """One theorem; of a list, only those of the split are drawn.

        Raises:
            BadInput: If the list has no theorem in the split, or no kind has one at this level.
        """
        if self._given is not None:
            return self._from("given", self._given, rng, split)
        for _ in range(_TRIES):  # a kind may be too small to have a theorem in every split at a low level
            kind = self.kinds[int(rng.integers(len(self.kinds)))]
            if kind == "library":
                return self._from(kind, library.theorems(self.prover), rng, split)
            problem = generators.generate(rng, self.prover, level, kind, split)
            if problem is not None:
                return problem
        raise BadInput(f"no {split} theorem of {', '.join(self.kinds)} at level {level}; raise the level")

    def _from(self, name: str, problems: tuple[Problem, ...], rng: np.random.Generator, split: str) -> Problem:
        key = f"{name} {split}"
        if key not in self._lists:
            self._lists[key] = tuple(p for p in problems if split_of(fingerprint(FINGERPRINTS, p.key)) == split)
        found = self._lists[key]
        if not found:
            raise BadInput(f"none of the {len(problems)} theorems belongs to the split {split}")
        return found[int(rng.integers(len(found)))]
