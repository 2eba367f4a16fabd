"""The real ALFWorld, on generated houses or on the user's own game files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from proofgym.envs.worlds.external.base import Engine, ExternalWorld, Said, pick
from proofgym.envs.worlds.household.generator import generate
from proofgym.envs.worlds.household.pddl import write_problem
from proofgym.envs.worlds.household.scene import Scene
from proofgym.errors import BadInput, need

__all__ = ["ALFWorld"]


class _Alf(Engine):
    def __init__(self, game: dict[str, Any]) -> None:
        self.game = game
        self.env: Any = None
        self.state: Any = None

    def open(self) -> Said:
        import textworld
        from alfworld.agents.environment.alfred_tw_env import AlfredDemangler, AlfredInfos
        from textworld.envs import PddlEnv

        self.env = AlfredInfos(AlfredDemangler(PddlEnv(textworld.EnvInfos(admissible_commands=True, won=True))))
        self.env.load(self.game)
        self.state = self.env.reset()
        return Said(self.state.feedback)

    def act(self, command: str) -> Said:
        self.state, _, _ = self.env.step(command)
        won = bool(self.state.won)
        return Said(self.state.feedback, float(won), won, won)

    def commands(self) -> list[str]:
        return list(self.state.admissible_commands)

    def gold(self) -> list[str] | None:
        found: list[str] | None = self.game.get("walkthrough") or None
        return found

    def close(self) -> None:
        if self.env is not None:
            self.env.close()


class ALFWorld(ExternalWorld):
    """Asks for a household task in the real ALFWorld engine (`pip install 'proofgym[alfworld]'`).

    Observation: ALFWorld's text, as `proofgym/Household-v0` with `grammar="strict"` gives it thousands of times faster.
    Action: one of its commands, exactly.
    Episode: terminated when the task is done, truncated after 50 commands.

    Args:
        games: A folder that is searched for `game.tw-pddl` files; without it, houses are generated.
    """

    family = "household"

    def __init__(self, *, games: str | Path | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.files = sorted(map(str, Path(games).rglob("game.tw-pddl"))) if games is not None else []
        if games is not None and not self.files:
            raise BadInput(f"no game.tw-pddl under {games}")

    @classmethod
    def require(cls) -> None:
        need("alfworld", "alfworld")

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        if self.files:
            return {"file": pick(rng, self.files)}
        return {"scene": generate(rng, self.level).to_json()}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """That of the scene: one that is held out from `proofgym/Household-v0` is held out here."""
        return Scene.load(instance["file"] if "file" in instance else instance["scene"]).canonical()

    def engine(self, instance: Mapping[str, Any]) -> Engine:
        if set(instance) == {"file"} and isinstance(instance["file"], str):
            Scene.load(instance["file"])
            game: dict[str, Any] = json.loads(Path(instance["file"]).read_text(encoding="utf-8"))
            return _Alf(game)
        if set(instance) != {"scene"}:
            raise BadInput(f"an instance has a 'scene' or a 'file', found {instance!r:.80}")
        import alfworld

        from proofgym.envs.worlds.household.engine import Layout
        from proofgym.envs.worlds.household.planner import plan

        scene = Scene.load(instance["scene"])
        data = Path(alfworld.__file__).parent / "data"
        grammar = (data / "alfred.twl2").read_text(encoding="utf-8").replace("UNKNOWN GOAL", scene.goal.text)
        return _Alf({
            "pddl_domain": (data / "alfred.pddl").read_text(encoding="utf-8"), "grammar": grammar,
            "pddl_problem": write_problem(scene), "solvable": True, "walkthrough": plan(Layout(scene).world()),
        })  # fmt: skip
