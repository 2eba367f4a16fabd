"""Judges of mathematics: final answers, expressions, and lines of working."""

from proofgym.verifiers.math.arithmetic import ArithmeticVerifier
from proofgym.verifiers.math.numeric import NumericVerifier
from proofgym.verifiers.math.running_total import RunningTotalVerifier

__all__ = ["ArithmeticVerifier", "NumericVerifier", "RunningTotalVerifier"]
