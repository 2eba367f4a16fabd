"""Theorems that were picked by hand, with a proof each, and the lemmas that are in scope.

They are ordinary Lean and Coq files beside this module, so that an editor and the prover can read them too.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.statements import key_of

__all__ = ["lemmas", "theorems"]

_HERE = Path(__file__).parent
_LEAN = re.compile(r"^theorem (\S+) (.*?) := by\n((?:  .*\n|\n)+)", re.MULTILINE)
_COQ = re.compile(r"^Theorem (\S+) (.*?)\.\nProof\. (.*?) Qed\.$", re.MULTILINE)
_LEMMA = re.compile(r"^(?:@\[[^\]]*\] )?theorem (\S+)((?:.|\n)*?) :=", re.MULTILINE)
_SCOPE = re.compile(r"^(namespace|end) (\S+)|^variable (.*)$", re.MULTILINE)


@functools.cache
def theorems(prover: str) -> tuple[Problem, ...]:
    """The library of a prover, in the order of its file. It needs no prover.

    >>> len(theorems("lean")) >= 120, len(theorems("coq")) >= 80
    (True, True)
    """
    if prover == "lean":
        from proofgym.verifiers.proof.lean.backend import tactics as cut_lean

        text = (_HERE / "library.lean").read_text(encoding="utf-8")
        found = []
        for name, statement, body in _LEAN.findall(text):
            block = "\n".join(line[2:] for line in body.rstrip("\n").split("\n"))
            script = tuple(block[i:j] for i, j in cut_lean(block))
            found.append(Problem("library", name, statement, "", script, key_of(statement)))
        return tuple(found)
    from proofgym.verifiers.proof.coq.session import cut as cut_coq

    text = (_HERE / "library.v").read_text(encoding="utf-8")
    return tuple(
        Problem("library", name, statement, "", tuple(cut_coq(body)), key_of(statement))
        for name, statement, body in _COQ.findall(text)
    )


@functools.cache
def lemmas(prover: str) -> tuple[str, ...]:
    """Names and statements of what a proof may use without proving it.

    >>> [lemma for lemma in lemmas("lean") if lemma.startswith("Nat.add_comm ")]
    ['Nat.add_comm (n m : Nat) : n + m = m + n']
    """
    if prover != "lean":
        return tuple((_HERE / "lemmas_coq.txt").read_text(encoding="utf-8").splitlines())
    from proofgym.verifiers.proof.lean.toolchain import prelude

    text = prelude("MiniNat")
    marks = sorted([*_SCOPE.finditer(text), *_LEMMA.finditer(text)], key=lambda found: found.start())
    space: list[str] = []
    variables = ""
    out = []
    for found in marks:
        if found.re is _SCOPE:
            if found[1] == "namespace":
                space.append(found[2])
            elif found[1] == "end":
                space, variables = space[:-1], ""
            else:
                variables = f" {found[3]}" if "List" in space else ""
            continue
        out.append(f"{'.'.join([*space, found[1]])}{variables}{' '.join(found[2].split()).join([' ', ''])}".rstrip())
    return tuple(out)
