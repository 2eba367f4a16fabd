"""What is asked, what a turn does, what it pays."""

if __name__ != "proofgym.envs":
    raise ImportError(
        f"this folder is `proofgym.envs`; install proofgym and import it by that name, not as {__name__!r}"
    )

from proofgym.envs.base import TurnResult, VerifiableEnv, fork, reset_item
from proofgym.envs.registry import EnvEntry, list_envs, make, make_vec
from proofgym.envs.spaces import AnyText, Messages
from proofgym.envs.task import Split, Task
from proofgym.envs.trajectory import Trajectory, Turn

__all__ = [
    "AnyText", "EnvEntry", "Messages", "Split", "Task", "Trajectory", "Turn", "TurnResult", "VerifiableEnv",
    "fork", "list_envs", "make", "make_vec", "reset_item",
]  # fmt: skip
