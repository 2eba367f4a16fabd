"""Theorems for Lean and Coq with known proofs: arithmetic, induction, lists, groups, and the logic of `formulas`.

A family draws the same mathematics for both provers and writes it in each one's words, with a script that proves it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from proofgym.envs.prover import formulas
from proofgym.envs.prover.mirror import COQ, LEAN, script, statement
from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.statements import key_of
from proofgym.envs.prover.toy import logic

__all__ = ["ARITHMETIC", "BARE", "KINDS", "generate"]

BARE = "(* No library is loaded. *)\n"
"""The header of Coq theorems that need none: a fresh process is then four times as fast."""
_VARIABLES = ("a", "b", "c", "d", "e", "k", "m", "n")


@dataclass(frozen=True, slots=True)
class _Made:
    """One theorem in one prover's words."""

    statement: str
    script: tuple[str, ...]
    header: str = ""


Family = Callable[[np.random.Generator, int, str], _Made]


def generate(rng: np.random.Generator, prover: str, level: float, kind: str, split: str) -> Problem | None:
    """One theorem with its proof, or None if none of the kind was found in the split.

    Args:
        prover: `lean` or `coq`.
        kind: Among `KINDS`.
        split: The split that a logical theorem must belong to; others are drawn again by the caller.
    """
    if kind in formulas.KINDS:
        tongue = LEAN if prover == "lean" else COQ
        found = logic(rng, level, (kind,), split, most=100)
        if found is None:
            return None
        _, said, key, toy = found
        header = BARE if prover == "coq" else ""
        return Problem(kind, "goal", statement(said, tongue), header, tuple(script(said, toy, tongue)), key)
    made = ARITHMETIC[kind](rng, 1 + round(3 * level), prover)
    return Problem(kind, "goal", made.statement, made.header, made.script, key_of(f"{made.header}\n{made.statement}"))


def _pick(rng: np.random.Generator, values: Sequence[str]) -> str:
    return values[int(rng.integers(len(values)))]


def _nest(rng: np.random.Generator, parts: Sequence[str], sign: str) -> str:
    if len(parts) == 1:
        return parts[0]
    cut = int(rng.integers(1, len(parts)))
    return f"({_nest(rng, parts[:cut], sign)} {sign} {_nest(rng, parts[cut:], sign)})"


def _bare(text: str) -> str:
    return text[1:-1] if text.startswith("(") else text


def _type(prover: str) -> str:
    return "Nat" if prover == "lean" else "nat"


def _rearrange(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """A sum or product of variables in another order and with other parentheses."""
    names = list(_VARIABLES[: n + 2])
    sign, op = ("+", "add") if rng.random() < 0.6 else ("*", "mul")
    left = _bare(_nest(rng, [names[i] for i in rng.permutation(len(names))], sign))
    right = _bare(_nest(rng, [names[i] for i in rng.permutation(len(names))], sign))
    said = f"({' '.join(names)} : {_type(prover)}) : {left} = {right}"
    if prover == "lean":
        return _Made(said, (f"simp only [Nat.{op}_assoc, Nat.{op}_comm, Nat.{op}_left_comm]",))
    return _Made(said, ("ring.",))


def _distribute(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """A product of sums, multiplied out."""
    left, right = list(_VARIABLES[:2]), list(_VARIABLES[2 : 3 + min(n, 2)])
    products = [f"{a} * {b}" for a in left for b in right]
    order = [products[i] for i in rng.permutation(len(products))]
    whole = _bare(_nest(rng, [f"({part})" for part in order], "+"))
    said = f"({' '.join(left + right)} : {_type(prover)}) : ({' + '.join(left)}) * ({' + '.join(right)}) = {whole}"
    if prover == "lean":
        return _Made(
            said,
            ("simp only [Nat.mul_add, Nat.add_mul, Nat.add_assoc, Nat.add_comm, Nat.add_left_comm]",),
        )
    return _Made(said, ("ring.",))


def _evaluate(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """Numbers, compared."""
    a, b, c = (int(x) for x in rng.integers(2, 6 * n + 4, size=3))
    value, text = a * b + c, f"{a} * {b} + {c}"
    style = int(rng.integers(3))
    if style == 0:
        said = f": {text} = {value}"
    elif style == 1:
        said = f": {text} < {value + int(rng.integers(1, 9))}"
    else:
        said = f": {value - int(rng.integers(1, min(9, value)))} {'≤' if prover == 'lean' else '<='} {text}"
    if prover == "lean":
        return _Made(said, ("decide",))
    return _Made(said, ("lia.",) if style else ("reflexivity.",))


def _recursion(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """A function defined by recursion has a closed form, by induction."""
    start, step = int(rng.integers(0, 3 * n + 3)), int(rng.integers(1, 3 * n + 3))
    if prover == "lean":
        header = (
            f"prelude\nimport MiniNat\ndef walk : Nat → Nat\n  | .zero => {start}\n  | .succ n => walk n + {step}\n"
        )
        proof = f"induction n with\n| zero => exact (Nat.zero_add {start}).symm\n| succ n ih =>\n"
        proof += f"  show walk n + {step} = {step} * (n + 1) + {start}\n  rw [ih, Nat.add_right_comm]\n  rfl"
        return _Made(f"(n : Nat) : walk n = {step} * n + {start}", (proof,), header)
    header = (
        "Require Import Arith Lia List.\nFixpoint walk (n : nat) : nat := match n with "
        f"0 => {start} | S m => walk m + {step} end.\n"
    )
    return _Made(
        f"(n : nat) : walk n = {step} * n + {start}",
        ("induction n.", "-", "reflexivity.", "-", "simpl walk.", "rewrite IHn.", "lia."),
        header,
    )


def _lists(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """The length of a list that was built, as a sum; or map and reversal over it."""
    names = list(_VARIABLES[: n + 1])
    order = [names[i] for i in rng.permutation(len(names))]
    lean = prover == "lean"
    parts = []
    for name in order:
        kind = int(rng.integers(3))
        if kind == 0:
            parts.append(name)
        elif kind == 1:
            parts.append(f"(List.map f {name})" if lean else f"(map f {name})")
        else:
            parts.append(f"(List.rev {name})" if lean else f"(rev {name})")
    whole = _bare(_nest(rng, parts, "++"))
    length = "List.length" if lean else "length"
    total = " + ".join(f"{length} {name}" for name in sorted(order))
    if lean:
        said = f"(f : Nat → Nat) ({' '.join(names)} : List Nat) : List.length ({whole}) = {total}"
        lines = ["simp only [List.length_append, List.length_map, List.length_rev]"]
        if len(names) > 1:
            lines.append("try simp only [Nat.add_assoc, Nat.add_comm, Nat.add_left_comm]")
        return _Made(said, tuple(lines) if len(names) > 1 else (f"first\n| rfl\n| {lines[0]}",))
    said = f"(f : nat -> nat) ({' '.join(names)} : list nat) : length ({whole}) = {total}"
    return _Made(
        said, ("repeat rewrite app_length.", "repeat rewrite map_length.", "repeat rewrite rev_length.", "lia.")
    )


def _group(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """A word in a group in which neighbours cancel, given the laws as hypotheses."""
    lean = prover == "lean"
    letters = ["a", "b", "c"]
    kept = [_pick(rng, letters) for _ in range(1 + int(rng.integers(1, n + 2)))]
    word = list(kept)
    for _ in range(n):
        place, letter = int(rng.integers(1, len(word) + 1)), _pick(rng, letters)
        word[place:place] = [letter, f"(i {letter})"] if rng.random() < 0.5 else [f"(i {letter})", letter]
    lines: list[str] = []
    now = list(word)
    while True:
        at = next((k for k in range(1, len(now) - 1) if _inverse(now[k], now[k + 1])), None)
        if at is None:
            break
        before, first, second = _product(now[:at]), now[at], now[at + 1]
        law = "mul_inv" if second.startswith("(i") else "inv_mul"
        letter = first if law == "mul_inv" else second
        if lean:
            lines.append(f"rewrite [assoc {before} {first} {second}, {law} {letter}, mul_one {before}]")
        else:
            lines += [
                f"rewrite (assoc {before} {first} {second}).",
                f"rewrite ({law} {letter}).",
                f"rewrite (mul_one {before}).",
            ]
        del now[at : at + 2]
    left, right = _product(word), _product(now)
    lines.append("rfl" if lean else "reflexivity.")
    each, arrow = ("∀", "→") if lean else ("forall", "->")
    said = (
        f"(G : Type) (m : G {arrow} G {arrow} G) (i : G {arrow} G) (e : G) "
        f"(assoc : {each} x y z, m (m x y) z = m x (m y z)) (one_mul : {each} x, m e x = x) "
        f"(mul_one : {each} x, m x e = x) (inv_mul : {each} x, m (i x) x = e) (mul_inv : {each} x, m x (i x) = e) "
        f"(a b c : G) : {_bare(left)} = {_bare(right)}"
    )
    return _Made(said, tuple(lines), "" if lean else BARE)


def _inverse(a: str, b: str) -> bool:
    return a == f"(i {b})" or b == f"(i {a})"


def _product(word: Sequence[str]) -> str:
    whole = word[0]
    for letter in word[1:]:
        whole = f"(m {whole} {letter})"
    return whole


def _bounds(rng: np.random.Generator, n: int, prover: str) -> _Made:
    """A chain of inequalities between sums, from the bounds that were given."""
    names = list(_VARIABLES[: n + 2])
    lean = prover == "lean"
    le = "≤" if lean else "<="
    steps = list(pairwise(names))
    given = [f"(h{k} : {a} {le} {b})" for k, (a, b) in enumerate(steps)]
    order = rng.permutation(len(given))
    shift = int(rng.integers(0, 3 * n))
    said = f"({' '.join(names)} : {_type(prover)}) {' '.join(given[i] for i in order)} : "
    said += f"{names[0]} + {shift} {le} {names[-1]} + {shift}"
    if not lean:
        return _Made(said, ("lia.",))
    chain = "h0"
    for k in range(1, len(steps)):
        chain = f"Nat.le_trans ({chain}) h{k}" if " " in chain else f"Nat.le_trans {chain} h{k}"
    return _Made(said, ("apply Nat.add_le_add_right", f"exact {chain}"))


ARITHMETIC: Mapping[str, Family] = {
    "bounds": _bounds,
    "distribute": _distribute,
    "evaluate": _evaluate,
    "groups": _group,
    "lists": _lists,
    "rearrange": _rearrange,
    "recursion": _recursion,
}
KINDS: tuple[str, ...] = tuple(sorted([*ARITHMETIC, *formulas.KINDS]))
