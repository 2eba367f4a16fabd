"""Coq: live sessions over `coqidetop`, and the final check."""

from proofgym.verifiers.proof.coq.backend import CoqBackend

__all__ = ["CoqBackend"]
