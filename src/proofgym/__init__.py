"""Environments for language-model policies whose rewards are proved, not guessed.

>>> import proofgym
>>> env = proofgym.make("proofgym/Sudoku4Steps-v0")
>>> question, info = env.reset(seed=7)
>>> env.close()
"""

from proofgym.envs import fork, list_envs, make, make_vec
from proofgym.envs.registry import register_all
from proofgym.errors import Unjudged
from proofgym.verifiers import Credit, Status, Verdict

__version__ = "0.1.0.dev0"
__all__ = ["Credit", "Status", "Unjudged", "Verdict", "fork", "list_envs", "make", "make_vec"]

register_all()
