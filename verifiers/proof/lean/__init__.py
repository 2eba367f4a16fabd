"""Lean 4: where it comes from, live sessions over its language server, and the final check."""

from proofgym.verifiers.proof.lean.backend import LeanBackend
from proofgym.verifiers.proof.lean.toolchain import Toolchain, find, setup

__all__ = ["LeanBackend", "Toolchain", "find", "setup"]
