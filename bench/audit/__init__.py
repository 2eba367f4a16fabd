"""Audit an environment or a reward function: is it solvable, unguessable, repeatable, forkable, held out, unfarmable?

>>> from proofgym.bench.audit import audit
>>> print(audit("proofgym/Countdown-v0", depth="quick", only=["oracle"])["oracle"].figure)
earns 1 on 6 items of at most 1 turns
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from proofgym.bench.audit.core import CHECKS, audit
from proofgym.bench.audit.finding import AuditReport, Finding, Outcome, Recipe
from proofgym.bench.audit.reward_function import audit_reward_function

__all__ = ["CHECKS", "AuditReport", "Finding", "Outcome", "Recipe", "audit", "audit_reward_function"]


class _Audit(ModuleType):
    """The package can be called: `proofgym.bench.audit(...)` is `proofgym.bench.audit.audit(...)`."""

    def __call__(self, *args: Any, **kwargs: Any) -> AuditReport:
        return audit(*args, **kwargs)


sys.modules[__name__].__class__ = _Audit
