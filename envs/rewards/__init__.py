"""What an episode pays: terms composed by weights, gates and schedules; shaping; process rewards from forks.

>>> import proofgym
>>> env = proofgym.make("RunningTotal", reward="correctness + 0.1*brevity[soft=10, hard=20] if correct")
>>> _ = env.reset(seed=0)
>>> _, reward, _, _, info = env.step(env.unwrapped.oracle())
>>> reward, info["reward_terms"]
(1.1, {'correctness': 1.0, 'brevity': 0.1})
"""

import importlib
from typing import TYPE_CHECKING, Any

from proofgym.envs.rewards.schedules import Schedule
from proofgym.envs.rewards.spec import Gate, RewardSpec, Term
from proofgym.envs.rewards.terms import Parameter, Played, TermKind, kinds, register

if TYPE_CHECKING:
    from proofgym.envs.rewards.branching import Adaptive, Ask, Branching, Budget, Fixed, StepValue, credits_of, each
    from proofgym.envs.rewards.compose import ComposedReward, set_progress
    from proofgym.envs.rewards.places import history_key, place_key, text_path, turn_path
    from proofgym.envs.rewards.plain import function, functions
    from proofgym.envs.rewards.shaping import PotentialShaping

__all__ = [
    "Adaptive", "Ask", "Branching", "Budget", "ComposedReward", "Fixed", "Gate", "Parameter", "Played",
    "PotentialShaping", "RewardSpec", "Schedule", "StepValue", "Term", "TermKind", "credits_of", "each", "function",
    "functions", "history_key", "kinds", "place_key", "register", "set_progress", "text_path", "turn_path",
]  # fmt: skip

_HOMES = {
    "branching": ("Adaptive", "Ask", "Branching", "Budget", "Fixed", "StepValue", "credits_of", "each"),
    "compose": ("ComposedReward", "set_progress"),
    "plain": ("function", "functions"),
    "places": ("history_key", "place_key", "text_path", "turn_path"),
    "shaping": ("PotentialShaping",),
}


def __getattr__(name: str) -> Any:
    """Load the larger modules when one of their names is first asked for."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"proofgym.envs.rewards.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
