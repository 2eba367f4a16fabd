"""Judges of mathematics: final answers, expressions, derivations, and lines of working.

>>> from proofgym.verifiers import math
>>> math.verify("42", "So the answer is \\\\boxed{42}.").correct
True
"""

from typing import TYPE_CHECKING, Any

from proofgym.verifiers.math.answer import verify, verify_answer
from proofgym.verifiers.math.arithmetic import ArithmeticVerifier
from proofgym.verifiers.math.numeric import NumericVerifier
from proofgym.verifiers.math.policy import MathPolicy
from proofgym.verifiers.math.running_total import RunningTotalVerifier

if TYPE_CHECKING:
    from proofgym.verifiers.math.steps import check_steps, grade

__all__ = [
    "ArithmeticVerifier",
    "MathPolicy",
    "NumericVerifier",
    "RunningTotalVerifier",
    "check_steps",
    "grade",
    "verify",
    "verify_answer",
]


def __getattr__(name: str) -> Any:
    """Load the checking of derivations when it is first asked for."""
    if name in ("check_steps", "grade"):
        from proofgym.verifiers.math import steps

        return getattr(steps, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
