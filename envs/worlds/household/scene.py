"""A house and a task as data: a documented JSON form, and a reader for ALFWorld's `game.tw-pddl` files.

```json
{
  "goal": {"text": "put a hot apple in fridge", "kind": "place", "object": "apple", "receptacle": "fridge",
           "count": 1, "must_be": ["hot"]},
  "start": 20,
  "receptacles": [{"name": "fridge 1", "place": 3, "openable": true}],
  "objects": [{"name": "apple 1", "in": ["fridge 1"]}]
}
```

Names are a kind in lower case and a number that counts from 1 within the kind. A *place* is a whole number; several
receptacles may share one, and the agent starts at one where there is none. An object may be listed in several
receptacles. Optional: `open` and `locked_by` (the kind of the key) of a receptacle; of an object `is` (any of `clean`,
`hot`, `cool`, `sliced`, `used`), `able` (any of `take`, `heat`, `cool`, `clean`, `slice`, `use`; by default what its
kind allows), `place` (where it stands when that is not its receptacle's place), `shows` (names that examining it tells
to be in it, as ALFWorld does without ever changing them; null if it is no container), and `inside` (a container); and
for the whole scene `holds`, which kinds of objects each kind of receptacle may hold, and `extended`, which switches on
the rules that ALFWorld has not (see `engine`).

A goal is of kind `place` (objects of a kind, perhaps clean, hot, cool or sliced, perhaps `inside` a kind of container,
in one receptacle of a kind), `light` (hold an object of a kind by a lamp that was used), or `all` (several goals).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from proofgym.envs.worlds.household.kinds import ABLE, CONTAINERS, HOLDS
from proofgym.errors import BadInput

__all__ = ["ABILITIES", "STATES", "Goal", "Receptacle", "Scene", "SceneObject"]

STATES = ("clean", "hot", "cool", "sliced", "used")
ABILITIES = ("take", "heat", "cool", "clean", "slice", "use")

_NAME = re.compile(r"[a-z]{1,40} [1-9][0-9]{0,3}", re.ASCII)
_MOST = 400  # receptacles, and objects
_ROUNDS = 3  # of describing things by what is around them


@dataclass(frozen=True, slots=True)
class Goal:
    """What has to hold.

    Args:
        kind: `place`, `light` or `all`.
        text: The goal in words, as the first observation says it.
        object: The kind of object.
        receptacle: For `place`, the kind of receptacle.
        count: For `place`, how many different objects of the kind have to lie in one such receptacle.
        must_be: For `place`, what each of them has to be, from `STATES`.
        inside: For `place`, the kind of container that has to hold them; it, not they, lies in the receptacle.
        light: For `light`, the kind of lamp.
        parts: For `all`, the goals.
    """

    kind: str
    text: str
    object: str = ""
    receptacle: str = ""
    count: int = 1
    must_be: tuple[str, ...] = ()
    inside: str = ""
    light: str = ""
    parts: tuple[Goal, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The form that `Scene.load` reads."""
        if self.kind == "all":
            return {"text": self.text, "kind": "all", "parts": [part.to_json() for part in self.parts]}
        if self.kind == "light":
            return {"text": self.text, "kind": "light", "object": self.object, "light": self.light}
        data: dict[str, Any] = {
            "text": self.text, "kind": "place", "object": self.object, "receptacle": self.receptacle,
            "count": self.count, "must_be": list(self.must_be),
        }  # fmt: skip
        return {**data, "inside": self.inside} if self.inside else data


@dataclass(frozen=True, slots=True)
class Receptacle:
    """Something that stands at a place and holds objects."""

    name: str
    place: int
    openable: bool
    open: bool = False
    locked_by: str = ""

    @property
    def kind(self) -> str:
        """The name without its number."""
        return self.name.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class SceneObject:
    """Something that lies in one receptacle, or seldom in several, or inside a container."""

    name: str
    inside_of: tuple[str, ...]
    able: frozenset[str]
    state: frozenset[str] = frozenset()
    place: int | None = None
    container: str = ""
    shows: tuple[str, ...] | Literal["usual"] | None = "usual"
    """What examining it in the hand tells to be in it; `None` if it is no container. ALFWorld never changes it."""

    @property
    def kind(self) -> str:
        """The name without its number."""
        return self.name.partition(" ")[0]

    @property
    def told_inside(self) -> tuple[str, ...] | None:
        """`shows`, where a scene does not say it by the kind: containers show nothing."""
        if self.shows == "usual":
            return () if self.kind in CONTAINERS else None
        return self.shows


@dataclass(frozen=True, slots=True)
class Scene:
    """A house, what lies where, and the task."""

    goal: Goal
    start: int
    receptacles: tuple[Receptacle, ...]
    objects: tuple[SceneObject, ...]
    holds: Mapping[str, frozenset[str]] = field(default_factory=lambda: HOLDS)
    extended: bool = False
    id: str = ""

    @classmethod
    def load(cls, source: str | Path | Mapping[str, Any]) -> Scene:
        """Read a scene: JSON content, JSON text, or a file of JSON or of ALFWorld's `game.tw-pddl` kind.

        Raises:
            BadInput: With the field or the line, what was found and what is asked for.
        """
        where = "the scene"
        if isinstance(source, Path) or (isinstance(source, str) and not source.lstrip().startswith("{")):
            path = Path(source)
            where = str(path)
            if not path.is_file():
                raise BadInput(f"there is no scene file {where}")
            source = path.read_text(encoding="utf-8")
        if isinstance(source, str):
            try:
                source = json.loads(source)
            except (ValueError, RecursionError) as error:
                raise BadInput(f"{where} is not JSON: {error}") from None
        if not isinstance(source, Mapping):
            raise BadInput(f"{where} is a JSON object, found {type(source).__name__}")
        if "pddl_problem" in source:
            from proofgym.envs.worlds.household.pddl import read_game

            return read_game(source, where)
        return _Reader(where).scene(source)

    def to_json(self) -> dict[str, Any]:
        """The canonical JSON form."""
        data: dict[str, Any] = {
            "goal": self.goal.to_json(),
            "start": self.start,
            "receptacles": [_receptacle_json(r) for r in self.receptacles],
            "objects": [_object_json(o) for o in self.objects],
        }
        if self.holds is not HOLDS and dict(self.holds) != dict(HOLDS):
            data["holds"] = {kind: sorted(held) for kind, held in sorted(self.holds.items())}
        if self.extended:
            data["extended"] = True
        if self.id:
            data["id"] = self.id
        return data

    def canonical(self) -> Any:
        """What makes two scenes the same task: the goal without its words, and what stands and lies where.

        Numbers only tell things of a kind apart and places are only told apart, so a scene whose numbers or places are
        renamed is the same task. Each thing is described by its own properties, and then, round after round, by the
        descriptions of what it stands with, lies in and holds (Weisfeiler and Leman 1968). Different tasks that this
        cannot tell apart, which need much symmetry, merely share a split.
        """
        at = {r.name: r.place for r in self.receptacles}
        place = {o.name: at[o.inside_of[0]] if o.place is None and o.inside_of else o.place for o in self.objects}
        seen = {r.name: _digest(r.kind, r.openable, r.open, r.locked_by) for r in self.receptacles}
        seen |= {o.name: _digest(o.kind, sorted(o.able), sorted(o.state)) for o in self.objects}
        spots = {self.start, *at.values(), *(spot for spot in place.values() if spot is not None)}
        for _ in range(_ROUNDS):
            around: dict[Any, list[str]] = {spot: [] for spot in spots}
            held: dict[str, list[str]] = {name: [] for name in seen}
            for r in self.receptacles:
                around[r.place].append(seen[r.name])
            for o in self.objects:
                if o.place is not None:
                    around[o.place].append(seen[o.name])
                for outer in (*o.inside_of, *([o.container] if o.container else [])):
                    held[outer].append(seen[o.name])
            spot_seen = {spot: _digest(spot == self.start, sorted(found)) for spot, found in around.items()}
            after = {r.name: _digest(seen[r.name], spot_seen[r.place], sorted(held[r.name])) for r in self.receptacles}
            for o in self.objects:
                outer_seen = sorted(seen[name] for name in o.inside_of)
                box = seen[o.container] if o.container else ""
                spot = place[o.name]
                here = "" if spot is None else spot_seen[spot]
                after[o.name] = _digest(seen[o.name], outer_seen, box, here, sorted(held[o.name]))
            seen = after
        holds = None if self.holds is HOLDS else {kind: sorted(held) for kind, held in self.holds.items()}
        if holds == {kind: sorted(held) for kind, held in HOLDS.items()}:
            holds = None
        return [_without_text(self.goal.to_json()), self.extended, sorted(seen.values()), holds]


def _digest(*content: Any) -> str:
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def _without_text(goal: dict[str, Any]) -> dict[str, Any]:
    left = {key: value for key, value in goal.items() if key != "text"}
    if "parts" in left:
        left["parts"] = [_without_text(part) for part in left["parts"]]
    return left


def _receptacle_json(r: Receptacle) -> dict[str, Any]:
    data: dict[str, Any] = {"name": r.name, "place": r.place, "openable": r.openable}
    if r.open:
        data["open"] = True
    if r.locked_by:
        data["locked_by"] = r.locked_by
    return data


def _object_json(o: SceneObject) -> dict[str, Any]:
    data: dict[str, Any] = {"name": o.name}
    if o.container:
        data["inside"] = o.container
    else:
        data["in"] = list(o.inside_of)
    if o.able != usual(o.kind):
        data["able"] = sorted(o.able)
    if o.state:
        data["is"] = sorted(o.state)
    if o.place is not None:
        data["place"] = o.place
    if o.shows != "usual":
        data["shows"] = None if o.shows is None else list(o.shows)
    return data


_FIXED = frozenset(
    "bathtub curtains desklamp floorlamp houseplant mirror showerglass sink television window".split()  # noqa: SIM905
)


def usual(kind: str) -> frozenset[str]:
    """What can be done to an object of a kind, unless a scene says otherwise."""
    able = {ability for ability, kinds in ABLE.items() if kind in kinds}
    return frozenset(able if kind in _FIXED else able | {"take"})


class _Reader:
    """Reads the JSON form; every complaint names the place in the file."""

    def __init__(self, where: str) -> None:
        self.where = where

    def bad(self, what: str) -> BadInput:
        return BadInput(f"{self.where}: {what}")

    def scene(self, data: Mapping[str, Any]) -> Scene:
        known = {"goal", "start", "receptacles", "objects", "holds", "extended", "id", "format"}
        unknown = sorted(set(map(str, data)) - known)
        if unknown:
            raise self.bad(f"unknown field {unknown[0]!r}; a scene has {sorted(known)}")
        extended = data.get("extended", False)
        if not isinstance(extended, bool):
            raise self.bad(f"'extended' is true or false, found {extended!r:.60}")
        receptacles = tuple(
            self.receptacle(f"receptacles[{i}]", row) for i, row in enumerate(self.rows(data, "receptacles"))
        )
        locked = next((r.name for r in receptacles if r.locked_by and not extended), None)
        if locked:
            raise self.bad(f"{locked!r} is locked: only an 'extended' scene has locks")
        if not receptacles:
            raise self.bad("'receptacles' is empty: a house has at least one")
        objects = tuple(self.object(f"objects[{i}]", row) for i, row in enumerate(self.rows(data, "objects")))
        names = [thing.name for thing in receptacles] + [thing.name for thing in objects]
        twice = next((name for name, count in Counter(names).items() if count > 1), None)
        if twice:
            raise self.bad(f"{twice!r} is named twice")
        place = {r.name for r in receptacles}
        kinds = {r.kind for r in receptacles}
        for i, thing in enumerate(objects):
            missing = next((name for name in thing.inside_of if name not in place), None)
            if missing is not None:
                raise self.bad(f"objects[{i}] ({thing.name}) lies in {missing!r}, which is no receptacle")
            if thing.container and not (extended and any(o.name == thing.container for o in objects)):
                raise self.bad(
                    f"objects[{i}] ({thing.name}) is inside {thing.container!r}: no object of this extended scene"
                )
        start = self.whole("start", data.get("start"))
        goal = self.goal("goal", data.get("goal"), kinds)
        if not extended and any(part.inside for part in (goal, *goal.parts)):
            raise self.bad("goal.inside names a container: only an 'extended' scene has things in containers")
        identity = data.get("id", "")
        if not isinstance(identity, str):
            raise self.bad(f"'id' is a text, found {identity!r:.60}")
        return Scene(goal, start, receptacles, objects, self.holds(data), extended, identity)

    def rows(self, data: Mapping[str, Any], key: str) -> Sequence[Any]:
        rows = data.get(key)
        if not isinstance(rows, (list, tuple)) or len(rows) > _MOST:
            raise self.bad(f"{key!r} is a list of at most {_MOST}, found {rows!r:.60}")
        return rows

    def whole(self, where: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10_000:
            raise self.bad(f"{where} is a place, a whole number from 0 to 10000, found {value!r:.60}")
        return value

    def named(self, where: str, row: Any, keys: set[str]) -> str:
        if not isinstance(row, Mapping):
            raise self.bad(f"{where} is an object with a 'name', found {row!r:.60}")
        unknown = sorted(set(map(str, row)) - keys)
        if unknown:
            raise self.bad(f"{where} has an unknown field {unknown[0]!r}; it may have {sorted(keys)}")
        name = row.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self.bad(f"{where} has a name such as 'desk 1', found {name!r:.60}")
        return name

    def flag(self, where: str, row: Mapping[str, Any], key: str, default: bool | None = None) -> bool:
        value = row.get(key, default)
        if not isinstance(value, bool):
            raise self.bad(f"{where}: {key!r} is true or false, found {value!r:.60}")
        return value

    def words(self, where: str, value: Any, known: Sequence[str]) -> frozenset[str]:
        if not isinstance(value, (list, tuple)) or not all(isinstance(word, str) and word in known for word in value):
            raise self.bad(f"{where} is a list of {', '.join(known)}, found {value!r:.60}")
        return frozenset(value)

    def receptacle(self, where: str, row: Any) -> Receptacle:
        name = self.named(where, row, {"name", "place", "openable", "open", "locked_by"})
        locked = row.get("locked_by", "")
        if not isinstance(locked, str):
            raise self.bad(f"{where}: 'locked_by' is the kind of a key, found {locked!r:.60}")
        openable = self.flag(where, row, "openable")
        opened = self.flag(where, row, "open", default=False)
        if ((opened or locked) and not openable) or (opened and locked):
            raise self.bad(f"{where} ({name}) is open or locked without a door, or both")
        return Receptacle(name, self.whole(f"{where}.place", row.get("place")), openable, opened, locked)

    def object(self, where: str, row: Any) -> SceneObject:
        name = self.named(where, row, {"name", "in", "inside", "able", "is", "place", "shows"})
        held = row.get("in", [])
        container = row.get("inside", "")
        if not isinstance(container, str):
            raise self.bad(f"{where}: 'inside' is the name of a container, found {container!r:.60}")
        if (
            not isinstance(held, (list, tuple))
            or not all(isinstance(r, str) for r in held)
            or len(set(held)) != len(held)
        ):
            raise self.bad(f"{where} ({name}): 'in' is a list of receptacles, found {held!r:.60}")
        if bool(held) == bool(container):
            raise self.bad(f"{where} ({name}) lies either 'in' receptacles or 'inside' a container")
        able = row.get("able")
        kind = name.partition(" ")[0]
        abilities = usual(kind) if able is None else self.words(f"{where}.able", able, ABILITIES)
        state = self.words(f"{where}.is", row.get("is", []), STATES)
        place = row.get("place")
        if place is not None:
            self.whole(f"{where}.place", place)
        return SceneObject(name, tuple(held), abilities, state, place, container, self.shows(where, row))

    def shows(self, where: str, row: Mapping[str, Any]) -> tuple[str, ...] | Literal["usual"] | None:
        if "shows" not in row:
            return "usual"
        value = row["shows"]
        if value is None:
            return None
        names = isinstance(value, (list, tuple)) and all(isinstance(v, str) and _NAME.fullmatch(v) for v in value)
        if not names or len(value) > _MOST:
            raise self.bad(f"{where}.shows is a list of names such as 'pen 1', or null, found {value!r:.60}")
        if len(set(value)) != len(value) or row["name"] in value:
            raise self.bad(f"{where}.shows names something twice, or the container itself: {value!r:.60}")
        return tuple(value)

    def holds(self, data: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
        table = data.get("holds")
        if table is None:
            return HOLDS
        if not isinstance(table, Mapping):
            raise self.bad(f"'holds' maps kinds of receptacles to lists of kinds of objects, found {table!r:.60}")
        for kind, held in table.items():
            if not isinstance(held, (list, tuple)) or not all(isinstance(word, str) for word in held):
                raise self.bad(f"'holds' of {kind!r:.40} is a list of kinds, found {held!r:.60}")
        return {str(kind): frozenset(held) for kind, held in table.items()}

    def goal(self, where: str, data: Any, kinds: set[str]) -> Goal:
        if not isinstance(data, Mapping):
            raise self.bad(f"{where} is an object with a 'kind', found {data!r:.60}")
        text = data.get("text")
        if not isinstance(text, str) or not 0 < len(text) <= 500:
            raise self.bad(f"{where}.text says the goal in words, found {text!r:.60}")
        kind = data.get("kind")
        if kind == "all":
            parts = data.get("parts")
            if not isinstance(parts, (list, tuple)) or not 2 <= len(parts) <= 4:
                raise self.bad(f"{where}.parts is a list of two to four goals, found {parts!r:.60}")
            read = tuple(self.goal(f"{where}.parts[{i}]", part, kinds) for i, part in enumerate(parts))
            if any(part.kind == "all" for part in read):
                raise self.bad(f"{where}.parts are plain goals")
            return Goal("all", text, parts=read)
        word = {key: data.get(key, "") for key in ("object", "receptacle", "light", "inside")}
        for key, value in word.items():
            if not isinstance(value, str) or not re.fullmatch(r"[a-z]{0,40}", value):
                raise self.bad(f"{where}.{key} is a kind such as 'apple', found {value!r:.60}")
        if not word["object"]:
            raise self.bad(f"{where}.object is missing")
        if kind == "light":
            if not word["light"]:
                raise self.bad(f"{where}.light is missing")
            return Goal("light", text, word["object"], light=word["light"])
        if kind != "place":
            raise self.bad(f"{where}.kind is 'place', 'light' or 'all', found {kind!r:.60}")
        count = data.get("count", 1)
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 9:
            raise self.bad(f"{where}.count is a whole number from 1 to 9, found {count!r:.60}")
        if word["receptacle"] not in kinds:
            raise self.bad(f"{where}.receptacle is {word['receptacle']!r}, of which there is none in this house")
        must = self.words(f"{where}.must_be", data.get("must_be", []), STATES[:4])
        return Goal("place", text, word["object"], word["receptacle"], count, tuple(sorted(must)), word["inside"])
