"""What a compiled module proves, and what that rests on, by reading files: no Lean code runs.

The library is trusted and its modules are read once; what a submission declares is read each time. Nothing here checks
a proof again: the kernel did that when it compiled the module, in a process that we started.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from proofgym.errors import Unjudged
from proofgym.verifiers.proof.lean.olean import BadOlean, Constant, Module

__all__ = ["ALLOWED_AXIOMS", "Audit", "Library", "audit", "made", "own"]

ALLOWED_AXIOMS = frozenset({"propext", "Quot.sound", "Classical.choice"})
"""The three axioms of Lean's own library."""
_MADE = re.compile(r"congr_simp|hcongr_\d+|eq_\d+|eq_def|eq_unfold|splitter|injEq|inj|congr_eq_\d+|congr_\d+")


class Library:
    """The modules that a header imports, found in a list of folders."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = [Path(folder) for folder in folders]
        self._modules: dict[str, Module] = {}
        self._where: dict[str, Module] = {}
        self._axioms: dict[str, frozenset[str]] = {}
        self._lock = threading.RLock()

    def load(self, names: Iterable[str]) -> None:
        """Read modules and everything that they import.

        Raises:
            Unjudged: If one is missing or of a format that we do not know.
        """
        with self._lock:
            stack = list(names)
            while stack:
                name = stack.pop()
                if name in self._modules:
                    continue
                module = self._read(name)
                self._modules[name] = module
                for constant in module.constants:
                    self._where.setdefault(constant, module)
                stack += module.imports

    def __contains__(self, name: str) -> bool:
        return name in self._where

    def axioms(self, name: str) -> frozenset[str]:
        """Every axiom in the closure of a constant of the library. Raises `Unjudged` if a name leads nowhere."""
        with self._lock:
            if name not in self._axioms:
                self._axioms[name] = frozenset(self._closure(name))
            return self._axioms[name]

    def _closure(self, name: str) -> set[str]:
        seen: set[str] = set()
        found: set[str] = set()
        stack = [name]
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            if at in self._axioms:
                found |= self._axioms[at]
                continue
            module = self._where.get(at)
            if module is None:
                raise Unjudged(f"the library mentions {at}, which none of its modules declares")
            constant = module.constants[at]
            if constant.kind == "axiom":
                found.add(at)
            stack += module.mentions(constant)
        return found

    def _read(self, name: str) -> Module:
        for folder in self._folders:
            path = folder.joinpath(*name.split(".")).with_suffix(".olean")
            if path.is_file():
                try:
                    return Module(path.read_bytes())
                except BadOlean as error:
                    raise Unjudged(f"{path}: {error}") from error
        raise Unjudged(f"the module {name} is in none of {', '.join(map(str, self._folders))}")


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found about one theorem of a module. `foreign` are constants that are not the theorem's own."""

    kind: str
    statement: str
    axioms: tuple[str, ...]
    constants: tuple[str, ...]
    foreign: tuple[str, ...]
    imports: tuple[str, ...]
    missing: tuple[str, ...]


def audit(module: Module, name: str, library: Library) -> Audit | None:
    """Look at a theorem of a module; None if the module does not declare it.

    Raises:
        BadOlean: If the bytes do not hold together.
        Unjudged: If the library cannot be read.
    """
    theorem = module.constants.get(name)
    if theorem is None:
        return None
    library.load(module.imports)
    axioms: set[str] = set()
    missing: set[str] = set()
    seen: set[str] = set()
    stack = list(module.constants)  # all of them: what is declared must be clean, used or not
    while stack:
        at = stack.pop()
        if at in seen:
            continue
        seen.add(at)
        constant = module.constants.get(at)
        if constant is not None:
            if constant.kind == "axiom":
                axioms.add(at)
            stack += module.mentions(constant)
        elif at in library:
            axioms |= library.axioms(at)
        else:
            missing.add(at)
    return Audit(
        theorem.kind,
        statement(module, theorem),
        tuple(sorted(axioms)),
        tuple(sorted(module.constants)),
        tuple(sorted(c for c in module.constants if c in library or not (own(c, name) or made(module, c, library)))),
        module.imports,
        tuple(sorted(missing)),
    )


def statement(module: Module, constant: Constant) -> str:
    """A key of what a constant says: universe parameters by name, and the structure of its type."""
    return f"{','.join(constant.levels)}:{module.type_key(constant)}"


def made(module: Module, constant: str, library: Library) -> bool:
    """Whether Lean made a theorem about a constant of the library on its own account, as `simp` does."""
    parent, _, last = constant.rpartition(".")
    kind = module.constants[constant].kind
    return parent in library and (kind == "theorem" or last == "splitter") and _MADE.fullmatch(last) is not None


def own(constant: str, theorem: str) -> bool:
    """Whether a constant is the theorem or one that Lean made for it.

    >>> own("t.match_1", "t"), own("_private.Proof.0.t._simp_1", "t"), own("Nat.gcd", "t")
    (True, True, False)
    """
    if constant.startswith("_private."):
        constant = constant.split(".0.", 1)[-1]
    return constant == theorem or constant.startswith(f"{theorem}.")
