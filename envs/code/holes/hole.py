"""What a kind of hole draws: the program before and after, ordinary uses, and attacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from proofgym.envs.code.program import Draw

__all__ = ["HOLES", "Hole", "hole"]


@dataclass(frozen=True, slots=True)
class Hole:
    """One weak program.

    Args:
        cwe: Its number in the Common Weakness Enumeration, such as `CWE-89`.
        weakness: Its name there, shortened.
        entry: The function, or the class, that is called.
        signature: As a specification has it.
        spec: What the program must do, attacks included, without saying where the hole is.
        weak: The program with the hole.
        sound: The same program, repaired.
        uses: Arguments of ordinary calls, on which both programs agree.
        attacks: Arguments of attacks, on each of which the weak program does what it must not.
        expected: What comes back for arguments, where the sound program must not run in this process.
        kind: `function` or `class`.
    """

    cwe: str
    weakness: str
    entry: str
    signature: str
    spec: str
    weak: str
    sound: str
    uses: Sequence[list[Any]]
    attacks: Sequence[list[Any]]
    expected: Callable[[list[Any]], Any] | None = None
    kind: str = "function"


HOLES: dict[str, Callable[[Draw], Hole]] = {}


def hole(cwe: str) -> Callable[[Callable[[Draw], Hole]], Callable[[Draw], Hole]]:
    """Enter a function of a `Draw` into the table of holes."""

    def enter(make: Callable[[Draw], Hole]) -> Callable[[Draw], Hole]:
        assert cwe not in HOLES, f"two kinds of hole are {cwe}"
        HOLES[cwe] = make
        return make

    return enter
