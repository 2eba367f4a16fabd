"""A derivation as a whole has a budget, whatever its steps ask for."""

from __future__ import annotations

from proofgym.verifiers.math import MathPolicy
from proofgym.verifiers.math.steps import judge_steps


def test_what_is_left_when_the_time_is_up_is_not_checkable() -> None:
    lines = "\n".join(f"sin(x)^{k} + cos(x^{k}) = {k} + tan(x)" for k in range(2, 200))
    steps = judge_steps("Solve x^2 = 2.", lines, policy=MathPolicy(derivation_s=0.05))
    assert len(steps) == 198
    assert [s.reason for s in steps[-150:]] == ["the time for this derivation is used up"] * 150
