"""How much an audit plays: counts of items and turns, never seconds, so that it finds the same everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from proofgym.errors import BadInput

__all__ = ["DEPTHS", "Depth", "DepthName", "depth_of"]

DepthName = Literal["quick", "default", "thorough"]


@dataclass(frozen=True, slots=True)
class Depth:
    """Counts of what is played.

    Args:
        name: `quick`, `default` or `thorough`.
        oracle: Items that the oracle answers.
        blind: Items that each answer-blind policy plays.
        constants: How many of the constant answers are tried.
        turns: Actions at most in an episode of a policy that is not the oracle.
        repeat: Items that are asked and judged again elsewhere.
        forks: Items that are forked and restored.
        held_out: Items of each split, and of each of two neighbouring seeds.
        leaks: Items that are scanned for their answer.
        walks: Items whose states are walked.
        steps: Actions in one walk.
        ahead: Actions that a greedy walk tries at each state.
    """

    name: DepthName
    oracle: int
    blind: int
    constants: int
    turns: int
    repeat: int
    forks: int
    held_out: int
    leaks: int
    walks: int
    steps: int
    ahead: int

    def lighter(self) -> Depth:
        """For environments whose every answer runs in a sandbox or a prover."""
        eighths = {name: max(2, getattr(self, name) // 8) for name in ("oracle", "repeat", "forks", "leaks", "walks")}
        return replace(self, blind=self.blind // 2, held_out=self.held_out // 2, turns=min(self.turns, 6), **eighths)


DEPTHS: Mapping[str, Depth] = {
    "quick": Depth("quick", 6, 24, 9, 12, 3, 3, 7, 20, 2, 30, 4),
    "default": Depth("default", 30, 100, 20, 40, 6, 6, 60, 60, 6, 80, 8),
    "thorough": Depth("thorough", 200, 500, 20, 400, 20, 20, 400, 200, 20, 300, 20),
}


def depth_of(depth: Depth | str) -> Depth:
    """A depth by its name.

    Raises:
        BadInput: For a name that is none.
    """
    if isinstance(depth, Depth):
        return depth
    if depth not in DEPTHS:
        raise BadInput(f"depth is one of {', '.join(get_args(DepthName))}, found {depth!r}")
    return DEPTHS[depth]
