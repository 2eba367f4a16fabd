"""Missions on a grid of rooms, told in text: BabyAI's objects, doors and instructions, seen from where one stands.

The agent stands on a cell and looks in one of four directions. It sees a window of 7 x 7 cells before it, as far as
walls and closed doors let it, and is told what is there in steps forward and sideways. Everything is deterministic.
"""

from proofgym.envs.worlds.grid.environment import GridMission
from proofgym.envs.worlds.grid.image import WithImage, picture
from proofgym.envs.worlds.grid.things import COLOURS, COMMANDS, KINDS
from proofgym.envs.worlds.grid.world import GridWorld

__all__ = ["COLOURS", "COMMANDS", "KINDS", "GridMission", "GridWorld", "WithImage", "picture"]
