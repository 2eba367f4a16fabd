"""A small prover in pure Python: formulas, a kernel of natural deduction, tactics, and a search for easy proofs."""

from proofgym.verifiers.proof.toy.backend import ToyBackend
from proofgym.verifiers.proof.toy.formula import show
from proofgym.verifiers.proof.toy.kernel import NotProved, proves
from proofgym.verifiers.proof.toy.parser import parse
from proofgym.verifiers.proof.toy.tactics import TACTICS, TacticFailed, apply_tactic, start

__all__ = ["TACTICS", "NotProved", "TacticFailed", "ToyBackend", "apply_tactic", "parse", "proves", "show", "start"]
