"""Theorems from public sets that the user has on disk: miniF2F, ProofNet and PutnamBench.

Nothing is downloaded and nothing is shipped. What these sets import (Mathlib, Coquelicot, ...) must be installed for
the prover that is asked: `PROOFGYM_LEAN=/path/to/a/lake/project` for Lean. Known proofs come with none of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.statements import key_of
from proofgym.errors import BadInput

__all__ = ["lean_file", "minif2f", "proofnet", "putnam_coq", "putnam_lean"]

_THEOREM = re.compile(r"^(?:theorem|lemma)\s+(\S+)\s*((?:.|\n)*?)\s*:=\s*(?:by\b\s*)?(?:\n?\s*)sorry", re.MULTILINE)
_COQ = re.compile(r"^(?:Theorem|Lemma)\s+(\S+)\s*((?:.|\n)*?)\.\s*\nProof\.\s*(?:Admitted|Abort)\.", re.MULTILINE)
_ANSWER = re.compile(r"^(?:noncomputable\s+)?abbrev\s+\S+_solution\b", re.MULTILINE)


def lean_file(path: str | Path, kind: str = "file") -> Iterator[Problem]:
    """Every theorem of a Lean file whose proof is `sorry`; what stands before it is its header.

    Raises:
        BadInput: If the file cannot be read.
    """
    text = _text(path)
    for found in _THEOREM.finditer(text):
        header = _without_open_theorems(text[: found.start()])
        yield Problem(kind, found[1], found[2].strip(), header, (), key_of(found[2]))


def minif2f(folder: str | Path, split: str = "") -> Iterator[Problem]:
    """miniF2F in Lean 4: a checkout of `miniF2F-lean4`; split `Valid`, `Test` or both.

    Raises:
        BadInput: If the folder holds no such files.
    """
    patterns = (f"**/{split}.lean", f"**/{split}/*.lean") if split else ("**/*.lean",)
    yield from _files(folder, patterns, "minif2f")


def putnam_lean(folder: str | Path) -> Iterator[Problem]:
    """PutnamBench in Lean 4 (`lean4/src`). Problems that ask for an answer besides the proof are left out."""
    for problem in _files(folder, ("**/putnam_*.lean",), "putnambench"):
        if not _ANSWER.search(problem.header):
            yield problem


def putnam_coq(folder: str | Path) -> Iterator[Problem]:
    """PutnamBench in Coq (`coq/src`). Problems that ask for an answer besides the proof are left out.

    Raises:
        BadInput: If the folder holds no such files.
    """
    paths = sorted(Path(folder).glob("**/putnam_*.v"))
    if not paths:
        raise BadInput(f"{folder} holds no files putnam_*.v")
    for path in paths:
        text = _text(path)
        for found in _COQ.finditer(text):
            header = text[: found.start()]
            if "_solution" not in header:
                yield Problem("putnambench", found[1], found[2].strip(), header, (), key_of(found[2]))


def proofnet(path: str | Path) -> Iterator[Problem]:
    """ProofNet as JSON Lines with Lean 4 statements, under `lean4_formalization` or `formal_statement`.

    Raises:
        BadInput: For a row without a Lean 4 statement. The original set is in Lean 3 and needs porting first.
    """
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            said = row.get("lean4_formalization") or row.get("formal_statement")
            header = row.get("lean4_src_header") or row.get("header") or ""
            name = str(row.get("name") or row.get("id"))
        except (ValueError, AttributeError) as error:
            raise BadInput(f"line {number} of {path} is no JSON object: {error}") from error
        found = (
            re.match(r"\s*(?:theorem|lemma)\s+(\S+)\s*((?:.|\n)*?)\s*:=", said + " :=")
            if isinstance(said, str)
            else None
        )
        if found is None:
            raise BadInput(
                f"line {number} of {path} has no Lean 4 statement; Lean 3 statements have to be ported first"
            )
        yield Problem("proofnet", re.sub(r"\W", "_", name), found[2].strip(), str(header), (), key_of(found[2]))


def _files(folder: str | Path, patterns: Sequence[str], kind: str) -> Iterator[Problem]:
    paths = sorted({path for pattern in patterns for path in Path(folder).glob(pattern)})
    count = 0
    for path in paths:
        for problem in lean_file(path, kind):
            count += 1
            yield problem
    if not count:
        raise BadInput(f"{folder} holds no Lean 4 theorems with `sorry` in files {' or '.join(patterns)}")


def _without_open_theorems(header: str) -> str:
    """The header without the theorems before, which have no proof and must not be assumed."""
    return _THEOREM.sub("", header).rstrip() + "\n"


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
