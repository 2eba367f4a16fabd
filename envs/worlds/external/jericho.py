"""Interactive fiction through Jericho, from story files that the user has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said, pick
from proofgym.errors import BadInput, need

__all__ = ["Jericho"]


class _Story(Engine):
    def __init__(self, file: str) -> None:
        self.file = file
        self.env: Any = None

    def open(self) -> Said:
        import jericho

        self.env = jericho.FrotzEnv(self.file, seed=0)
        text, _ = self.env.reset()
        return Said(str(text).strip())

    def act(self, command: str) -> Said:
        text, _, done, info = self.env.step(command)
        most = int(self.env.get_max_score()) or 1
        won = bool(self.env.victory())
        return Said(str(text).strip(), max(-1.0, min(1.0, float(info["score"]) / most)), bool(done), won)

    def gold(self) -> list[str] | None:
        try:
            return list(self.env.get_walkthrough())
        except (KeyError, ValueError):
            return None

    def close(self) -> None:
        if self.env is not None:
            self.env.close()


class Jericho(ExternalWorld):
    """Asks to play a piece of interactive fiction (`pip install 'proofgym[jericho]'`).

    Observation: the story's text.
    Action: a command in plain words.
    Episode: terminated when the story ends, truncated after 200 commands.

    Args:
        stories: A folder of story files (`.z3`, `.z5`, `.z8`), or one file. None ship with Jericho.
    """

    family = "external_jericho"
    default_max_turns: ClassVar[int] = 200

    def __init__(self, *, stories: str | Path = ".", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        path = Path(stories)
        self.files = [str(path)] if path.is_file() else sorted(str(f) for f in path.glob("*.z[358]"))
        if not self.files:
            raise BadInput(f"no story files (.z3, .z5, .z8) at {path}")

    @classmethod
    def require(cls) -> None:
        need("jericho", "jericho")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"file": pick(rng, self.files)}

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "file")
        file = fields.text(instance, "file", most=4096)
        if not Path(file).is_file():
            raise BadInput(f"there is no story file {file}")
        return _Story(file)
