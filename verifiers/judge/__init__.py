"""Judges that are language models: rubrics, votes, critiques as credits, and defences against being talked round.

>>> from proofgym.verifiers import judge
>>> judge.load("answer-equivalence").criteria[0].name
'same'
"""

import importlib
from typing import TYPE_CHECKING, Any

from proofgym.verifiers.judge.rubric import Criterion, Rubric, load

if TYPE_CHECKING:
    from proofgym.verifiers.judge.attacks import ATTACKS, Attack
    from proofgym.verifiers.judge.cache import CachedModel
    from proofgym.verifiers.judge.judge import BoundJudge, Defences, Judge, JudgeConfig, Judgement, Undecided
    from proofgym.verifiers.judge.learned import ProcessRewardModel, RewardModel
    from proofgym.verifiers.judge.local import LocalModel
    from proofgym.verifiers.judge.pairs import Preference, compare

_LATER = {
    "ATTACKS": "attacks", "Attack": "attacks", "BoundJudge": "judge", "CachedModel": "cache", "Defences": "judge",
    "Judge": "judge", "JudgeConfig": "judge", "Judgement": "judge", "LocalModel": "local", "Preference": "pairs",
    "ProcessRewardModel": "learned", "RewardModel": "learned", "Undecided": "judge", "compare": "pairs",
}  # fmt: skip

__all__ = [
    "ATTACKS",
    "Attack",
    "BoundJudge",
    "CachedModel",
    "Criterion",
    "Defences",
    "Judge",
    "JudgeConfig",
    "Judgement",
    "LocalModel",
    "Preference",
    "ProcessRewardModel",
    "RewardModel",
    "Rubric",
    "Undecided",
    "compare",
    "load",
]


def __getattr__(name: str) -> Any:
    """Load what talks to models when it is first asked for."""
    if name in _LATER:
        return getattr(importlib.import_module(f"proofgym.verifiers.judge.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
