"""What an episode pays: terms composed by weights, gates and schedules; shaping; process rewards from forks.

>>> import proofgym
>>> env = proofgym.make("RunningTotal", reward="correctness + 0.1*brevity[soft=10, hard=20] if correct")
>>> _ = env.reset(seed=0)
>>> _, reward, _, _, info = env.step(env.unwrapped.oracle())
>>> reward, info["reward_terms"]
(1.1, {'correctness': 1.0, 'brevity': 0.1})
"""

from typing import TYPE_CHECKING, Any

from proofgym.envs.rewards.schedules import Schedule
from proofgym.envs.rewards.spec import Gate, RewardSpec, Term
from proofgym.envs.rewards.terms import Parameter, Played, TermKind, kinds, register

if TYPE_CHECKING:
    from proofgym.envs.rewards.compose import ComposedReward, set_progress
    from proofgym.envs.rewards.functions import function, functions
    from proofgym.envs.rewards.shaping import PotentialShaping

__all__ = [
    "ComposedReward", "Gate", "Parameter", "Played", "PotentialShaping", "RewardSpec", "Schedule", "Term", "TermKind",
    "function", "functions", "kinds", "register", "set_progress",
]  # fmt: skip

_HOMES = {
    "ComposedReward": "compose", "set_progress": "compose", "PotentialShaping": "shaping",
    "function": "functions", "functions": "functions",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load wrappers when they are first asked for."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"proofgym.envs.rewards.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
