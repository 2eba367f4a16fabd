"""Quests in a house of rooms: find a treasure, carry things where they belong, or cook a meal, as in TextWorld.

Rooms lie on a map and are joined by passages or doors, some locked; chests and the like hold things. What a command
does depends on the state alone. Cooking can go wrong for ever: what is burned, or cut the wrong way, cannot be mended.
"""

from proofgym.envs.worlds.quest.environment import Quest
from proofgym.envs.worlds.quest.world import QuestWorld

__all__ = ["Quest", "QuestWorld"]
