"""A form of a theorem's text that does not depend on how things are called, for telling tasks apart.

It must be known without a prover and be the same for every version of one, since it decides the split of a task; so it
is made from the text, not from what a prover elaborates. The final check compares structures, for which see
`proofgym.verifiers.proof.lean.olean`.
"""

from __future__ import annotations

import re

__all__ = ["key_of"]

_TOKEN = re.compile(r"--[^\n]*|\(\*.*?\*\)|/-.*?-/|[^\W\d][\w'!?]*(?:\.[^\W\d][\w'!?]*)*|\d+|\S", re.DOTALL)
_BINDER = re.compile(r"[({\[⦃]((?:[^\W\d][\w']*\s+)+):(?!=)")
_QUANTIFIER = re.compile(r"(?:∀|∃|λ|fun|forall|exists|Σ|Π|∃!)\s+((?:\(?[^\W\d][\w']*\s*)+)(?=[,:)=⇒]|$)")


def key_of(text: str) -> str:
    """The tokens of a statement, its bound names numbered in order of appearance.

    >>> key_of("(p q : Prop) : p ∧ q → q ∧ p") == key_of("(a  b : Prop) : a ∧ b → b ∧ a")
    True
    >>> key_of("(n : Nat) : n + 0 = n") == key_of("(n : Nat) : 0 + n = n")
    False
    """
    bound: set[str] = set()
    for found in [*_BINDER.finditer(text), *_QUANTIFIER.finditer(text)]:
        bound.update(re.findall(r"[^\W\d][\w']*", found[1]))
    numbers: dict[str, int] = {}
    out = []
    for token in _TOKEN.findall(text):
        if token.startswith(("--", "(*", "/-")):
            continue
        head, point, rest = token.partition(".")
        if head in bound:
            token = f"%{numbers.setdefault(head, len(numbers))}{point}{rest}"
        out.append(token)
    return " ".join(out)
