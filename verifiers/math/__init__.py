"""Judges of mathematics: final answers, expressions, derivations, and lines of working.

>>> from proofgym.verifiers import math
>>> math.verify("42", "So the answer is \\\\boxed{42}.").correct
True
"""

from proofgym.verifiers.math.answer import verify, verify_answer
from proofgym.verifiers.math.arithmetic import ArithmeticVerifier
from proofgym.verifiers.math.numeric import NumericVerifier
from proofgym.verifiers.math.policy import MathPolicy
from proofgym.verifiers.math.running_total import RunningTotalVerifier

__all__ = [
    "ArithmeticVerifier",
    "MathPolicy",
    "NumericVerifier",
    "RunningTotalVerifier",
    "verify",
    "verify_answer",
]
