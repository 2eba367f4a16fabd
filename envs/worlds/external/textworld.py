"""The real TextWorld: games are generated and compiled here, with its own compilers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said
from proofgym.errors import BadInput, need

__all__ = ["TextWorld"]


class _Tw(Engine):
    def __init__(self, options: Mapping[str, int]) -> None:
        self.options = options
        self.folder = tempfile.TemporaryDirectory(prefix="proofgym-textworld-")
        self.env: Any = None
        self.state: Any = None
        self.solution: list[str] = []

    def open(self) -> Said:
        import textworld

        asked = textworld.GameOptions()
        asked.seeds = self.options["seed"]
        asked.nb_rooms, asked.nb_objects = self.options["rooms"], self.options["objects"]
        asked.quest_length = self.options["quest"]
        asked.path = str(Path(self.folder.name) / "game.z8")
        path, game = textworld.make(asked)
        self.solution = list(game.metadata.get("walkthrough") or ())
        infos = textworld.EnvInfos(admissible_commands=True, won=True, lost=True, max_score=True, score=True)
        self.env = textworld.start(path, infos)
        self.state = self.env.reset()
        return Said(str(self.state.feedback).strip())

    def act(self, command: str) -> Said:
        self.state, _, done = self.env.step(command)
        score = float(self.state.score) / max(1, int(self.state.max_score))
        return Said(str(self.state.feedback).strip(), score, bool(done), bool(self.state.won))

    def commands(self) -> list[str]:
        return list(self.state.admissible_commands)

    def gold(self) -> list[str]:
        return self.solution

    def close(self) -> None:
        if self.env is not None:
            self.env.close()
        self.folder.cleanup()


class TextWorld(ExternalWorld):
    """Asks for a quest in a generated TextWorld game (`pip install 'proofgym[textworld]'`).

    Observation: the game's text. Making a game takes one to five seconds: it is compiled.
    Action: one command, such as `open chest` or `take key from chest`.
    Episode: terminated when the quest is done or lost, truncated after 50 commands.

    Args:
        level: 2 rooms, 4 objects and a quest of 2 commands at 0; 12, 24 and 8 at 1.
    """

    family = "external_textworld"

    @classmethod
    def require(cls) -> None:
        need("textworld", "textworld")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {
            "seed": int(rng.integers(1, 2**31)), "rooms": 2 + round(10 * self.level),
            "objects": 4 + round(20 * self.level), "quest": 2 + round(6 * self.level),
        }  # fmt: skip

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "seed", "rooms", "objects", "quest")
        return _Tw({
            "seed": fields.whole(instance, "seed", 1, 2**31), "rooms": fields.whole(instance, "rooms", 1, 40),
            "objects": fields.whole(instance, "objects", 1, 100), "quest": fields.whole(instance, "quest", 1, 30),
        })  # fmt: skip
