"""Household tasks as an environment: ALFWorld's rules, potential-based pay, exact forks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.task import Task
from proofgym.envs.worlds.base import WorldEnv
from proofgym.envs.worlds.household.engine import Layout, World
from proofgym.envs.worlds.household.expert import Expert
from proofgym.envs.worlds.household.generator import EXTENDED, PLAIN, generate
from proofgym.envs.worlds.household.grammar import GRAMMARS, Grammar, carry_out, menu
from proofgym.envs.worlds.household.scene import Scene
from proofgym.errors import BadInput

__all__ = ["HouseholdEnv", "HouseholdPlus", "read_scenes"]


class HouseholdEnv(WorldEnv):
    """Asks for a household task in a house that has to be searched, one command a turn.

    Observation: first the room, its receptacles and the task, then what each command came to, as ALFWorld says it.
    Action: one command, such as `go to desk 1`, `take mug 1 from desk 1`, `heat mug 1 with microwave 1`.
    Episode: terminated when the goal holds, truncated after 50 commands, useless ones included.

    The potential is 1 - d / d0, where d is the fewest commands to the goal, knowing everything, and d0 is d at the
    start; it never falls below -1. A command's reward is the change of the potential, so an episode earns 1.0 when the
    task is done and no detour pays. With `pay="sparse"` it is ALFWorld's: 1 at the goal and 0 before.

    Args:
        scene: One scene to ask always, whatever its split: a `Scene`, JSON content, or a file (JSON or ALFWorld's
            `game.tw-pddl`).
        scenes: Many: a JSON Lines file of scenes, or a folder that is searched for `game.tw-pddl`. By default houses
            are generated.
        tasks: Kinds of generated tasks: `place`, `light`, `clean`, `heat`, `cool`, `two`.
        grammar: `lenient` (default), `strict` (ALFWorld 0.4.2 to the letter) or `classic` (`put ... in/on ...`).
        pay: `potential` or `sparse`.
        level: Of generated houses: a quarter of a room at 0, all of it at 1.
    Raises:
        BadInput: For an unknown grammar, pay or kind of task, or a scene that cannot be read.
    """

    family = "household"
    floor: float = 0.02
    default_max_turns: ClassVar[int] = 50
    default_tasks: ClassVar[tuple[str, ...]] = PLAIN

    def __init__(
        self,
        *,
        scene: Scene | str | Path | Mapping[str, Any] | None = None,
        scenes: str | Path | None = None,
        tasks: Sequence[str] | None = None,
        grammar: Grammar = "lenient",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if grammar not in GRAMMARS:
            raise BadInput(f"grammar is one of {', '.join(GRAMMARS)}, found {grammar!r}")
        if scene is not None and scenes is not None:
            raise BadInput("name one scene or many scenes, not both")
        self.tasks = tuple(self.default_tasks if tasks is None else tasks)
        bad = next((task for task in self.tasks if task not in (*PLAIN, *EXTENDED)), None)
        if bad is not None or not self.tasks:
            raise BadInput(f"tasks are of {', '.join((*PLAIN, *EXTENDED))}, found {bad!r}")
        self.grammar: Grammar = grammar
        self.last_line = grammar == "lenient"
        self._given: tuple[Scene, ...] = ()
        if scene is not None:
            self._given = (scene if isinstance(scene, Scene) else Scene.load(scene),)
        elif scenes is not None:
            self._given = read_scenes(str(scenes))

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        if self._given:
            return self._given[int(rng.integers(len(self._given)))].to_json()
        return generate(rng, self.level, self.tasks).to_json()

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """See `Scene.canonical`; `HouseholdPlus` and the real ALFWorld share it, and so the splits."""
        return self._of(instance).canonical

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the fewest commands: 0 for three, 1 for sixteen."""
        self.first(instance)
        return min(1.0, max(0.0, (self._from_start - 3) / 13))

    def build(self, instance: Mapping[str, Any]) -> World:
        return Layout(Scene.load(instance)).world()

    def carry_out(self, command: str) -> str:
        return carry_out(self._world, command, self.grammar)

    def admissible(self) -> list[str]:
        """Every command that does or tells something, in the grammar of the environment."""
        return menu(self._world, self.grammar)

    def oracle(self) -> str:
        """The next command of a plan that knows everything."""
        command = super().oracle()
        if self.grammar == "classic" and command.startswith("move "):
            words = command.split(" ")
            return f"put {words[1]} {words[2]} in/on {words[4]} {words[5]}"
        return command

    def expert(self) -> Expert | None:
        """Somebody who plays one episode by what it reads; none where it does not know the tasks or the grammar."""
        return Expert() if set(self.tasks) <= set(PLAIN) and self.grammar != "classic" else None

    def cheats(self) -> Sequence[str]:
        goal = self._world.layout.scene.goal.text if self._world else "win"
        return (
            *super().cheats(),
            goal,
            "Nothing happens.",
            "go to everywhere",
            "go to desk 0",
            "move nothing to nowhere",
        )

    def svg(self) -> str:
        """A picture of the house as it is now; for people, it shows everything."""
        from proofgym.envs.worlds.household.draw import picture

        return picture(self._world)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _draw(self) -> Task:
        """A scene that was named is asked whatever its split."""
        return self._as_task(self._given[0].to_json()) if len(self._given) == 1 else super()._draw()

    def _of(self, instance: Any) -> Layout:
        layout: Layout = self.first(instance).layout
        return layout


class HouseholdPlus(HouseholdEnv):
    """Asks for a harder household task than ALFWorld has, one command a turn.

    Observation: first the house, its receptacles and the task, then what each command came to.
    Action: one command; besides ALFWorld's, `move apple 1 to bowl 1`, `take apple 1 from bowl 1`,
    `unlock safe 1 with keychain 1`.
    Episode: terminated when the goal holds, truncated after 100 commands.

    Two goals at once, a slice to be cut first, an object in a container in a receptacle, three or four objects, or a
    safe whose key has to be found; up to three rooms. Paid as in `HouseholdEnv`; the distance is that of a plan that
    works, found by the planner, which is not always the shortest.

    Args:
        level: As in `HouseholdEnv`; above 0.5 the house has two rooms, above 0.9 three.
    """

    floor: float = 0.05
    default_max_turns: ClassVar[int] = 100
    default_tasks: ClassVar[tuple[str, ...]] = EXTENDED


@lru_cache(maxsize=8)
def read_scenes(path: str) -> tuple[Scene, ...]:
    """Scenes from a JSON Lines file, or from every `game.tw-pddl` under a folder.

    Raises:
        BadInput: With the file and line of a scene that cannot be read, or if there is none.
    """
    source = Path(path)
    found: list[Scene] = []
    if source.is_dir():
        found = [Scene.load(file) for file in sorted(source.rglob("game.tw-pddl"))]
    elif source.is_file():
        for number, line in enumerate(source.read_text(encoding="utf-8").split("\n"), 1):
            if line.strip():
                try:
                    found.append(Scene.load(json.loads(line)))
                except ValueError as error:
                    raise BadInput(f"{source}, line {number}: {error}") from None
    if not found:
        raise BadInput(f"no scenes at {source}: neither a JSON Lines file nor a folder with game.tw-pddl files")
    return tuple(found)
