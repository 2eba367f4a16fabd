"""A laboratory of five rooms with deterministic processes: heating, cooling, mixing, growing, circuits, measuring.

In the spirit of ScienceWorld: a task names what to bring about or to find out, and its ordered sub-goals score from 0
to 100. Every command takes one unit of time; what is on the lit stove gets warmer, what is in the freezer colder, a
watered seed grows, current flows through a closed circuit. Nothing is random.

An instance is a task's name and the things of the house with their properties; `tasks.TASKS` says what the sub-goals
are, and what an expert who knows everything does next for each.
"""

from proofgym.envs.worlds.lab.environment import Lab
from proofgym.envs.worlds.lab.tasks import TASKS
from proofgym.envs.worlds.lab.world import LabWorld

__all__ = ["TASKS", "Lab", "LabWorld"]
