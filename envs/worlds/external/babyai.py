"""BabyAI's missions on MiniGrid, with what the agent sees told in text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said, pick
from proofgym.errors import BadInput, need

__all__ = ["BabyAI"]

_MOVES = ("turn left", "turn right", "go forward", "pick up", "drop", "toggle")
_LEVELS = ("BabyAI-GoToObj-v0", "BabyAI-GoToLocal-v0", "BabyAI-PickupLoc-v0", "BabyAI-OpenDoor-v0",
           "BabyAI-PutNextLocal-v0", "BabyAI-GoTo-v0", "BabyAI-Synth-v0", "BabyAI-BossLevel-v0")  # fmt: skip


class _Baby(Engine):
    def __init__(self, level: str, seed: int) -> None:
        self.level, self.seed = level, seed
        self.env: Any = None

    def open(self) -> Said:
        import gymnasium

        self.env = gymnasium.make(self.level)
        seen, _ = self.env.reset(seed=self.seed)
        return Said(f"Your mission: {seen['mission']}.\nWrite one of: {', '.join(_MOVES)}.\n{self._told(seen)}")

    def act(self, command: str) -> Said:
        command = " ".join(command.lower().split()).rstrip(".")
        if command not in _MOVES:
            return Said(f"Write one of: {', '.join(_MOVES)}.")
        seen, reward, terminated, truncated, _ = self.env.step(_MOVES.index(command))
        won = bool(terminated and reward > 0)
        return Said(self._told(seen), float(won), bool(terminated or truncated), won)

    def commands(self) -> list[str]:
        return list(_MOVES)

    def close(self) -> None:
        if self.env is not None:
            self.env.close()

    def _told(self, seen: Mapping[str, Any]) -> str:
        from minigrid.core.constants import IDX_TO_COLOR, IDX_TO_OBJECT, STATE_TO_IDX

        states = {number: name for name, number in STATE_TO_IDX.items()}
        image, told = seen["image"], []
        for x in range(7):
            for y in range(7):
                kind = IDX_TO_OBJECT[int(image[x, y, 0])]
                if kind in ("unseen", "empty", "wall", "agent", "floor"):
                    continue
                name = f"{IDX_TO_COLOR[int(image[x, y, 1])]} {kind}"
                if kind == "door":
                    name = f"{states[int(image[x, y, 2])]} {name}"
                ahead, aside = 6 - y, x - 3
                if (ahead, aside) == (0, 0):
                    told.append((0, f"you carry a {name}"))
                    continue
                steps = {"forward": ahead, "right": max(0, aside), "left": max(0, -aside)}
                parts = [f"{count} step{'s' * (count > 1)} {way}" for way, count in steps.items() if count]
                told.append((ahead + abs(aside), f"a {name} {' and '.join(parts)}"))
        wall = next((6 - y for y in range(5, -1, -1) if IDX_TO_OBJECT[int(image[3, y, 0])] == "wall"), None)
        if wall is not None:
            told.append((wall, f"a wall {wall} step{'s' * (wall > 1)} forward"))
        return f"You see: {', '.join(text for _, text in sorted(told)) or 'nothing'}."


class BabyAI(ExternalWorld):
    """Asks for a mission of BabyAI, told in text (`pip install 'proofgym[minigrid]'`).

    Observation: the mission, and what is seen in steps forward, left and right.
    Action: `turn left`, `turn right`, `go forward`, `pick up`, `drop` or `toggle`.
    Episode: terminated when the mission is done or the engine ends it, truncated after 128 commands.

    Args:
        levels: Ids of MiniGrid's BabyAI levels.
    """

    family = "external_babyai"
    default_max_turns: ClassVar[int] = 128

    def __init__(self, *, levels: Sequence[str] = _LEVELS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not levels or not all(level.startswith("BabyAI-") for level in levels):
            raise BadInput(f"levels are ids such as BabyAI-GoToObj-v0, found {list(levels)!r:.80}")
        self.levels = tuple(levels)

    @classmethod
    def require(cls) -> None:
        need("minigrid", "minigrid")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"level": pick(rng, self.levels), "seed": int(rng.integers(2**31))}

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "level", "seed")
        level = fields.text(instance, "level", most=80)
        if not level.startswith("BabyAI-"):
            raise BadInput(f"'level' is an id such as BabyAI-GoToObj-v0, found {level!r}")
        return _Baby(level, fields.whole(instance, "seed", 0, 2**31))
