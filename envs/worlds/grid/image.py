"""What the agent on a grid sees, as a picture, for policies that see."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from proofgym.envs.spaces import AnyText
from proofgym.envs.worlds.grid.environment import GridMission
from proofgym.envs.worlds.grid.things import VIEW
from proofgym.envs.worlds.grid.world import GridWorld
from proofgym.errors import BadInput

__all__ = ["WithImage", "picture"]

_RGB = {
    "red": (220, 60, 50), "green": (60, 170, 80), "blue": (60, 100, 220), "purple": (150, 80, 190),
    "yellow": (230, 190, 50), "grey": (130, 135, 140),
}  # fmt: skip


class WithImage(gymnasium.ObservationWrapper[dict[str, Any], str, str], RecordConstructorArgs):
    """Adds a picture to what a `GridMission` tells: `{"text": ..., "image": (7 * cell, 7 * cell, 3) uint8}`."""

    def __init__(self, env: gymnasium.Env[str, str], cell: int = 16) -> None:
        RecordConstructorArgs.__init__(self, cell=cell)
        super().__init__(env)
        self.cell = cell
        inner = env.unwrapped
        if not isinstance(inner, GridMission):
            raise BadInput(f"WithImage shows a GridMission, found {type(inner).__name__}")
        size = VIEW * cell
        self.observation_space = gymnasium.spaces.Dict({
            "text": AnyText(inner.observation_limit),
            "image": gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8),
        })  # fmt: skip

    def observation(self, observation: str) -> dict[str, Any]:
        """The text with the picture of this moment."""
        inner = self.env.unwrapped
        assert isinstance(inner, GridMission)
        return {"text": observation, "image": inner.image(self.cell)}


def picture(world: GridWorld, cell: int = 16) -> NDArray[np.uint8]:
    """The window before the agent, who stands in the middle of the lower edge and looks up."""
    image = np.zeros((VIEW * cell, VIEW * cell, 3), np.uint8)
    for spot, ahead, aside in world._visible():
        top, left = (VIEW - 1 - ahead) * cell, (aside + VIEW // 2) * cell
        tile = image[top : top + cell, left : left + cell]
        tile[:] = (238, 238, 232)
        tile[0, :] = tile[:, 0] = (205, 205, 198)
        inner = slice(cell // 5, cell - cell // 5)
        if spot in world.doors:
            colour, state = world.doors[spot]
            tile[:] = _RGB[colour]
            if state == "open":
                tile[inner, inner] = (238, 238, 232)
            elif state == "locked":
                tile[cell // 2 - 1 : cell // 2 + 2, inner] = (20, 20, 20)
        elif spot in world.things:
            colour, _, kind = world.things[spot].partition(" ")
            rows, columns = np.mgrid[0:cell, 0:cell] - (cell - 1) / 2
            if kind == "ball":
                tile[rows**2 + columns**2 <= (cell * 0.36) ** 2] = _RGB[colour]
            elif kind == "box":
                tile[inner, inner] = _RGB[colour]
                tile[2 * cell // 5 : 3 * cell // 5, 2 * cell // 5 : 3 * cell // 5] = (238, 238, 232)
            else:
                tile[cell // 5 : cell - cell // 5, cell // 2 - 1 : cell // 2 + 1] = _RGB[colour]
                tile[cell // 5 : cell // 2, cell // 3 : cell - cell // 3] = _RGB[colour]
        if spot == world.at:
            rows, columns = np.mgrid[0:cell, 0:cell]
            tile[abs(columns - (cell - 1) / 2) * 2 <= rows - cell // 5] = (190, 40, 40)
    return image
