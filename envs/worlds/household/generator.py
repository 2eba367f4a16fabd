"""New houses from the statistics of ALFWorld's training scenes, and tasks that can be done in them.

`statistics.json` holds, for each kind of room, how often there are how many of each receptacle and object, where each
kind of object is found, and how many of each kind of receptacle have a door; it was counted over the 3,553 training
scenes. A house is one room as in ALFWorld, or in extended tasks up to three rooms. A task is kept only if the planner
does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from proofgym.envs.worlds.household.engine import Layout
from proofgym.envs.worlds.household.kinds import ABLE, HOLDS, INSIDE, KNIVES
from proofgym.envs.worlds.household.planner import plan
from proofgym.envs.worlds.household.scene import Goal, Receptacle, Scene, SceneObject, usual
from proofgym.errors import BadInput

__all__ = ["EXTENDED", "PLAIN", "generate"]

PLAIN = ("place", "light", "clean", "heat", "cool", "two")
"""ALFWorld's six kinds of tasks."""
EXTENDED = ("both", "slice", "inside", "count", "safe")
"""Two goals at once, a slice, an object in a container in a receptacle, three or four objects, a locked safe."""

_ALL = ("kitchen", "living room", "bedroom", "bathroom")
_ROOMS = {
    "place": _ALL, "light": ("living room", "bedroom"), "clean": ("kitchen", "bathroom"), "heat": ("kitchen",),
    "cool": ("kitchen",), "two": _ALL, "both": ("kitchen",), "slice": ("kitchen",), "inside": ("kitchen",),
    "count": _ALL, "safe": ("bedroom", "living room"),
}  # fmt: skip
_KEYS = ("keychain", "creditcard")
_ATTEMPTS = 200


@cache
def _statistics() -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("statistics.json").read_text(encoding="utf-8"))
    return found


def generate(rng: np.random.Generator, level: float, tasks: Sequence[str] = PLAIN) -> Scene:
    """Draw a house and a task that can be done in it.

    Args:
        rng: All chance comes from it.
        level: In [0, 1]: at 0 a quarter of a room's receptacles and objects, at 1 all of them.
        tasks: Kinds to draw from, of `PLAIN` and `EXTENDED`.
    Raises:
        BadInput: For an unknown kind of task, or if no house could be found for one.
    """
    unknown = next((task for task in tasks if task not in _ROOMS), None)
    if unknown is not None or not tasks:
        raise BadInput(f"tasks are of {', '.join((*PLAIN, *EXTENDED))}, found {unknown!r}")
    task = str(tasks[int(rng.integers(len(tasks)))])
    for _ in range(_ATTEMPTS):
        scene = _House(rng, level, task).scene()
        if scene is None:
            continue
        world = Layout(scene).world()
        if not world.won and plan(world):
            return scene
    raise BadInput(f"no house for the task {task!r} in {_ATTEMPTS} attempts; raise the level")


class _House:
    def __init__(self, rng: np.random.Generator, level: float, task: str) -> None:
        self.rng, self.level, self.task = rng, level, task
        rooms = _ROOMS[task]
        self.rooms = [rooms[int(rng.integers(len(rooms)))]]
        if task in EXTENDED and level > 0.5:
            others = [room for room in _statistics() if room not in (*self.rooms, "doors")]
            extra = rng.permutation(len(others))[: 1 + (level > 0.9)].tolist()
            self.rooms += [others[i] for i in extra]
        self.share = 0.25 + 0.75 * level
        self.receptacles: list[Receptacle] = []
        self.objects: list[SceneObject] = []
        self.numbers: dict[str, int] = {}
        self.of_kind: dict[str, list[str]] = {}

    def scene(self) -> Scene | None:
        place = 1
        for room in self.rooms:
            place = self._furnish(room, place)
        for room in self.rooms:
            self._fill(room)
        goal = self._goal()
        if goal is None:
            return None
        roomy = {kind for r in self.receptacles if not r.locked_by for kind in HOLDS.get(r.kind, ())}
        objects = tuple(o for o in self.objects if "take" not in o.able or o.kind in roomy)  # the rest would be traps
        return Scene(goal, 0, tuple(self.receptacles), objects, HOLDS, self.task in EXTENDED)

    def _name(self, kind: str) -> str:
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return f"{kind} {self.numbers[kind]}"

    def _drawn(self, counts: Mapping[str, float]) -> int:
        chance = float(self.rng.random())
        for count, share in counts.items():
            chance -= share
            if chance < 0:
                return int(count)
        return 0

    def _furnish(self, room: str, place: int) -> int:
        doors = _statistics()["doors"]
        for kind, counts in _statistics()[room]["receptacles"].items():
            count = self._drawn(counts)
            if count > 1:
                count = max(1, round(count * self.share))
            for _ in range(count):
                door = float(self.rng.random()) < doors.get(kind, 0.0)
                if not (self.receptacles and float(self.rng.random()) < 0.1):
                    place += 1  # one in ten shares the place of the one before
                name = self._name(kind)
                self.receptacles.append(Receptacle(name, place, door))
                self.of_kind.setdefault(kind, []).append(name)
        return place

    def _fill(self, room: str) -> None:
        for kind, row in _statistics()[room]["objects"].items():
            count = self._drawn(row["count"])
            if count > 1 or (count == 1 and float(self.rng.random()) > self.share + 0.25):
                count = round(count * self.share)
            for _ in range(count):
                self._lay(kind, row["in"])

    def _lay(self, kind: str, where: Mapping[str, float], state: frozenset[str] = frozenset()) -> bool:
        places = [
            (name, share / len(self.of_kind[r])) for r, share in where.items() for name in self.of_kind.get(r, ())
        ]
        if not places:
            return False
        total = sum(share for _, share in places)
        chance = float(self.rng.random()) * total
        name = places[-1][0]
        for name, share in places:  # noqa: B007 - the last one stays chosen
            chance -= share
            if chance < 0:
                break
        self.objects.append(SceneObject(self._name(kind), (name,), usual(kind), state))
        return True

    def _pick(self, options: Sequence[Any]) -> Any:
        return options[int(self.rng.integers(len(options)))] if options else None

    def _kinds(self, *, able: str = "take") -> list[str]:
        return sorted({o.kind for o in self.objects if able in o.able and "take" in o.able})

    def _target(self, kind: str, *, count: int = 1) -> str:
        """A kind of receptacle that may hold a kind of object and does not hold enough of it yet; empty if none."""
        options = []
        for target in sorted({r.kind for r in self.receptacles}):
            held = [o for o in self.objects if o.kind == kind and o.inside_of[0].split(" ")[0] == target]
            if kind in HOLDS.get(target, ()) and len(held) < count:
                options.append(target)
        return str(self._pick(options) or "")

    def _goal(self) -> Goal | None:
        make = {"place": self._place, "light": self._light, "two": lambda: self._several(2),
                "count": lambda: self._several(3 + (self.level > 0.7)), "both": self._both, "slice": self._slice,
                "inside": self._inside, "safe": self._safe}  # fmt: skip
        if self.task in ("clean", "heat", "cool"):
            return self._treated(self.task)
        return make[self.task]()

    def _say(self, *ways: str) -> str:
        return str(self._pick(ways))

    def _place(self) -> Goal | None:
        kind = self._pick(self._kinds())
        target = self._target(kind) if kind else None
        if not kind or not target:
            return None
        return Goal("place", self._say(f"put a {kind} in {target}", f"put some {kind} on {target}"), kind, target)

    def _light(self) -> Goal | None:
        lamps = sorted({o.kind for o in self.objects if "use" in o.able})
        kind, lamp = self._pick(self._kinds()), self._pick(lamps)
        if not kind or not lamp:
            return None
        text = self._say(f"look at {kind} under the {lamp}", f"examine the {kind} with the {lamp}")
        return Goal("light", text, kind, light=lamp)

    def _treated(self, verb: str) -> Goal | None:
        kind = self._pick(self._kinds(able=verb))
        options = [
            target
            for target in sorted({r.kind for r in self.receptacles})
            if kind and kind in HOLDS.get(target, ()) and target not in ("sinkbasin", "microwave", "fridge")
        ]
        target = self._pick(options)
        if not target:
            return None
        state = {"clean": "clean", "heat": "hot", "cool": "cool"}[verb]
        text = self._say(f"put a {state} {kind} in {target}", f"{verb} some {kind} and put it in {target}")
        return Goal("place", text, kind, target, must_be=(state,))

    def _several(self, count: int) -> Goal | None:
        counts: dict[str, int] = {}
        for o in self.objects:
            if "take" in o.able:
                counts[o.kind] = counts.get(o.kind, 0) + 1
        many = sorted(kind for kind, found in counts.items() if found >= 2)
        kind = self._pick(many or sorted(counts))  # what is lacking is laid out below
        target = self._target(kind, count=count) if kind else None
        if not target:
            return None
        where = next(
            rooms["objects"][kind]["in"] for room in self.rooms if kind in (rooms := _statistics()[room])["objects"]
        )
        for _ in range(count - counts[kind]):
            self._lay(kind, where)
        number = {2: "two", 3: "three", 4: "four"}[count]
        text = self._say(f"put {number} {kind} in {target}", f"find {number} {kind} and put them in {target}")
        return Goal("place", text, kind, target, count)

    def _both(self) -> Goal | None:
        first = self._treated(str(self._pick(("clean", "heat", "cool"))))
        second = self._place()
        if first is None or second is None or first.object == second.object:
            return None
        return Goal("all", f"{first.text}, and {second.text}", parts=(first, second))

    def _slice(self) -> Goal | None:
        kind = self._pick(self._kinds(able="slice"))
        if not kind or not any(o.kind in KNIVES for o in self.objects):
            return None
        warm = [state for verb, state in (("heat", "hot"), ("cool", "cool")) if kind in ABLE[verb]]
        state = str(self._pick(["", *warm]))
        target = self._target(kind, count=99)
        if not target:
            return None
        must = ("sliced",) if not state else tuple(sorted(("sliced", state)))
        what = f"{state} sliced {kind}".strip()
        return Goal("place", f"put a {what} in {target}", kind, target, must_be=must)

    def _inside(self) -> Goal | None:
        boxes = sorted({o.kind for o in self.objects} & set(INSIDE))
        box = self._pick(boxes)
        kinds = [kind for kind in self._kinds() if box and kind in INSIDE[box] and kind != box]
        kind = self._pick(kinds)
        target = self._target(box, count=99) if box and kind else None
        if not target:
            return None
        return Goal("place", f"put a {kind} in a {box} and the {box} in {target}", kind, target, inside=box)

    def _safe(self) -> Goal | None:
        key = str(self._pick(_KEYS))
        if "safe" not in self.of_kind:
            name = self._name("safe")
            self.receptacles.append(Receptacle(name, max(r.place for r in self.receptacles) + 1, True))
            self.of_kind["safe"] = [name]
        safes = set(self.of_kind["safe"])
        self.receptacles = [
            Receptacle(r.name, r.place, True, locked_by=key) if r.name in safes else r for r in self.receptacles
        ]
        open_to_keys = {kind: 1.0 for kind in self.of_kind if kind != "safe" and key in HOLDS.get(kind, ())}
        self.objects = [o for o in self.objects if not (o.kind == key and o.inside_of[0] in safes)]
        if not any(o.kind == key for o in self.objects) and not self._lay(key, open_to_keys):
            return None
        kinds = [kind for kind in self._kinds() if kind in HOLDS["safe"] and kind != key]
        kind = self._pick(kinds)
        if not kind:
            return None
        if float(self.rng.random()) < 0.5:
            return Goal("place", f"put a {kind} in safe", kind, "safe")
        self.objects = [o for o in self.objects if o.kind != kind]
        self._lay(kind, {"safe": 1.0})
        target = self._target(kind)
        return Goal("place", f"put a {kind} in {target}", kind, target) if target and target != "safe" else None
