"""Judges of mathematics: final answers, expressions, and lines of working."""

from proofgym.verifiers.math.running_total import RunningTotalVerifier

__all__ = ["RunningTotalVerifier"]
