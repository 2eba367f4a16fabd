"""The rules of the house: what a command does, what it says, and which commands there are.

For scenes without `extended` this is ALFWorld 0.4.2 to the letter: the same text, the same admissible commands in the
same order, the same wins. Extended scenes add three things that ALFWorld has not: movable containers that hold objects
(`move apple 1 to bowl 1`, `take apple 1 from bowl 1`; what is inside travels along), locked doors
(`unlock safe 1 with keychain 1`), and goals that name them.

A `Layout` is everything about a scene that never changes, worked out once and shared by all its worlds, together with
caches of text. A `World` is a handful of integers: sets of objects are bit masks, in the order in which lists are
shown, so that copying a world is copying a list and a few numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from proofgym.envs.worlds.household.kinds import COOLERS, HEATERS, INSIDE, KNIVES, WASHERS
from proofgym.envs.worlds.household.scene import Goal, Scene
from proofgym.errors import BadInput

__all__ = ["NOTHING", "Layout", "World", "bits"]

NOTHING = "Nothing happens."
WELCOME = "-= Welcome to TextWorld, ALFRED! =-"
HELP = """Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
"""

_CACHED = 20_000  # entries of a cache before it is emptied

(GO, OPEN, CLOSE, TAKE, MOVE, HEAT, COOL, CLEAN, USE, SLICE, LOOK_AT, EXAMINE, LOOK, INVENTORY, ASK_HELP, STOW, DRAW,
 UNLOCK) = range(18)  # fmt: skip

Command = tuple[int, int, int]


def bits(mask: int) -> Iterator[int]:
    """The numbers of the bits that are set, from low to high."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def listed(names: list[str]) -> str:
    """A list as ALFWorld says it: always "a", and a comma before "and".

    >>> listed(["mug 2", "mug 1"]), listed([])
    ('a mug 2, and a mug 1', 'nothing')
    """
    if not names:
        return "nothing"
    articled = [f"a {name}" for name in names]
    return articled[0] if len(names) == 1 else f"{', '.join(articled[:-1])}, and {articled[-1]}"


def _places(scene: Scene) -> list[int]:
    return [o.place for o in scene.objects if o.place is not None]


def _shown(name: str) -> tuple[str, int]:
    kind, _, number = name.partition(" ")
    return kind, -int(number)


class Layout:
    """What never changes about a scene.

    Receptacles and objects are numbered in the order in which lists show them: by kind upwards, then by number
    downwards.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.receptacles = sorted(scene.receptacles, key=lambda r: _shown(r.name))
        self.objects = sorted(scene.objects, key=lambda o: _shown(o.name))
        self.r_name = [r.name for r in self.receptacles]
        self.o_name = [o.name for o in self.objects]
        self.r_index = {name: i for i, name in enumerate(self.r_name)}
        self.o_index = {name: i for i, name in enumerate(self.o_name)}
        self.place = [r.place for r in self.receptacles]
        self.openable = sum(1 << i for i, r in enumerate(self.receptacles) if r.openable)
        self.here: dict[int, list[int]] = {scene.start: []}
        for i, place in enumerate(self.place):
            self.here.setdefault(place, []).append(i)
        self.mask_here = {place: sum(1 << i for i in found) for place, found in self.here.items()}
        self.place_bit = {place: 1 << i for i, place in enumerate(sorted({*self.here, *_places(scene)}))}
        self.able = {
            ability: sum(1 << i for i, o in enumerate(self.objects) if ability in o.able)
            for ability in ("take", "heat", "cool", "clean", "slice", "use")
        }
        self.knives = sum(1 << i for i, o in enumerate(self.objects) if o.kind in KNIVES)
        self.sliceable = list(bits(self.able["slice"]))
        kinds: dict[str, int] = {}
        for i, o in enumerate(self.objects):
            kinds[o.kind] = kinds.get(o.kind, 0) | 1 << i
        self.o_kind = kinds
        self.r_kind: dict[str, list[int]] = {}
        for i, r in enumerate(self.receptacles):
            self.r_kind.setdefault(r.kind, []).append(i)
        self.holds = [
            sum(kinds.get(kind, 0) for kind in scene.holds.get(r.kind, frozenset())) for r in self.receptacles
        ]
        self.holds_container = [
            sum(kinds.get(kind, 0) for kind in INSIDE.get(o.kind, frozenset())) & ~(1 << i) if scene.extended else 0
            for i, o in enumerate(self.objects)
        ]
        self.containers = sum(1 << i for i, o in enumerate(self.objects) if o.told_inside is not None)
        self.shows = [sorted(o.told_inside or (), key=_shown) for o in self.objects]
        self.tools = {
            verb: {place: [i for i in found if self.receptacles[i].kind in names] for place, found in self.here.items()}
            for verb, names in (("heat", HEATERS), ("cool", COOLERS), ("clean", WASHERS))
        }
        everywhere = sorted((f"go to {name}", self.place[i]) for i, name in enumerate(self.r_name))
        self.go = {place: tuple(text for text, at in everywhere if at != place) for place in self.here}
        self.parsed: dict[str, Command | None] = {}
        self.texts: dict[tuple[int, int], str] = {}
        self.menus: dict[tuple[int, ...], tuple[str, ...]] = {}
        self.goal = self._compiled(scene.goal)
        self._first = self._initial()

    @cached_property
    def canonical(self) -> Any:
        """See `Scene.canonical`; worked out once."""
        return self.scene.canonical()

    def world(self) -> World:
        """A new world, in the scene's first state."""
        return self._first.copy()

    def parse(self, command: str) -> Command | None:
        """What a command asks for, if its words name things of this house; whether it can be done is another matter."""
        known = self.parsed.get(command, 0)
        if known != 0:
            return known  # type: ignore[return-value]
        read = self._read(command)
        if len(self.parsed) >= _CACHED:
            self.parsed.clear()
        if len(command) < 200:
            self.parsed[command] = read
        return read

    def contents(self, receptacle: int, mask: int) -> str:
        """What examining an open or doorless receptacle tells."""
        text = self.texts.get((receptacle, mask))
        if text is None:
            name, door = self.r_name[receptacle], self.openable >> receptacle & 1
            seen = listed([self.o_name[i] for i in bits(mask)])
            text = f"The {name} is open. In it, you see {seen}." if door else f"On the {name}, you see {seen}."
            if len(self.texts) >= _CACHED:
                self.texts.clear()
            self.texts[receptacle, mask] = text
        return text

    def welcome(self) -> str:
        """The first observation."""
        seen = listed(self.r_name)
        return (
            f"{WELCOME}\n\nYou are in the middle of a room. Looking quickly around you, you see {seen}.\n\n"
            f"Your task is to: {self.scene.goal.text}."
        )

    def _initial(self) -> World:
        first = World()
        first.layout = self
        first.place, first.held = self.scene.start, -1
        first.contents = [0] * len(self.receptacles)
        first.inner = [0] * len(self.objects) if self.scene.extended else []
        first.at = [0] * len(self.objects)
        first.gone = [0] * len(self.objects)
        first.opened = sum(1 << i for i, r in enumerate(self.receptacles) if r.open)
        first.locked = sum(1 << i for i, r in enumerate(self.receptacles) if r.locked_by)
        for i, o in enumerate(self.objects):
            if o.container:
                outer = self.o_index[o.container]
                if not self.holds_container[outer] >> i & 1:
                    raise BadInput(f"a {self.objects[outer].kind} cannot hold {o.name}")
                first.inner[outer] |= 1 << i
                continue
            for name in o.inside_of:
                first.contents[self.r_index[name]] |= 1 << i
            first.at[i] = self.place_bit[o.place if o.place is not None else self.place[self.r_index[o.inside_of[0]]]]
        first.states = {
            state: sum(1 << i for i, o in enumerate(self.objects) if state in o.state)
            for state in ("clean", "hot", "cool", "sliced", "used")
        }
        first.won = self.goal(first)
        return first

    def _read(self, command: str) -> Command | None:
        if command == "look":
            return (LOOK, 0, 0)
        if command == "inventory":
            return (INVENTORY, 0, 0)
        if command == "help":
            return (ASK_HELP, 0, 0)
        words = command.split(" ")
        if len(words) == 4 and words[0] == "go" and words[1] == "to":
            found = self.r_index.get(f"{words[2]} {words[3]}")
            return None if found is None else (GO, found, 0)
        if len(words) == 3:
            name = f"{words[1]} {words[2]}"
            r, o = self.r_index.get(name, -1), self.o_index.get(name, -1)
            if words[0] == "open" and r >= 0:
                return (OPEN, r, 0)
            if words[0] == "close" and r >= 0:
                return (CLOSE, r, 0)
            if words[0] == "use" and o >= 0:
                return (USE, o, 0)
            if words[0] == "examine":
                return (EXAMINE, r, 0) if r >= 0 else (LOOK_AT, o, 0) if o >= 0 else None
            return None
        if len(words) != 6:
            return None
        first, link, second = f"{words[1]} {words[2]}", words[3], f"{words[4]} {words[5]}"
        return self._read_pair(words[0], first, link, second)

    def _read_pair(self, verb: str, first: str, link: str, second: str) -> Command | None:
        if verb == "unlock" and link == "with" and self.scene.extended:
            r, key = self.r_index.get(first, -1), self.o_index.get(second, -1)
            return (UNLOCK, r, key) if r >= 0 and key >= 0 else None
        o = self.o_index.get(first, -1)
        if o < 0:
            return None
        r, other = self.r_index.get(second, -1), self.o_index.get(second, -1)
        if r >= 0:
            op = {("take", "from"): TAKE, ("move", "to"): MOVE, ("heat", "with"): HEAT, ("cool", "with"): COOL,
                  ("clean", "with"): CLEAN}.get((verb, link))  # fmt: skip
            return None if op is None else (op, o, r)
        if other >= 0 and (verb, link) == ("slice", "with"):
            return (SLICE, o, other)
        if other >= 0 and self.scene.extended and self.holds_container[other]:
            op = {("take", "from"): DRAW, ("move", "to"): STOW}.get((verb, link))
            return None if op is None else (op, o, other)
        return None

    def _compiled(self, goal: Goal) -> Callable[[World], bool]:
        if goal.kind == "all":
            parts = [self._compiled(part) for part in goal.parts]
            return lambda world: all(part(world) for part in parts)
        wanted = self.o_kind.get(goal.object, 0)
        if goal.kind == "light":
            lamps = self.o_kind.get(goal.light, 0) & self.able["use"]

            def lit(world: World) -> bool:
                if world.held < 0 or not wanted >> world.held & 1:
                    return False
                used = lamps & world.states["used"]
                return bool(used) and any(world.contents[r] & used for r in self.here.get(world.place, ()))

            return lit
        for state, ability in (("clean", "clean"), ("hot", "heat"), ("cool", "cool"), ("sliced", "slice")):
            if state in goal.must_be:
                wanted &= self.able[ability]
        targets = self.r_kind.get(goal.receptacle, [])
        must, count = goal.must_be, goal.count
        if goal.inside:
            boxes = self.o_kind.get(goal.inside, 0)

            def packed(world: World) -> bool:
                fit = wanted
                for state in must:
                    fit &= world.states[state]
                return any(
                    sum((world.inner[box] & fit).bit_count() for box in bits(world.contents[r] & boxes)) >= count
                    for r in targets
                )

            return packed

        def placed(world: World) -> bool:
            fit = wanted
            for state in must:
                fit &= world.states[state]
            contents = world.contents
            if count == 1:
                return any(contents[r] & fit for r in targets)
            return any((contents[r] & fit).bit_count() >= count for r in targets)

        return placed


class World:
    """A house in one state: `step` changes it, `admissible` lists what can be done, `copy` is an independent twin."""

    __slots__ = ("at", "contents", "gone", "held", "inner", "layout", "locked", "opened", "place", "states", "won")

    layout: Layout
    place: int
    held: int
    opened: int
    locked: int
    contents: list[int]
    inner: list[int]
    at: list[int]
    """For each object, the places where it counts as standing, as bits: where it was put, less where it was taken."""
    gone: list[int]
    """For each object, the receptacles that it was taken from and not put into again, as bits."""
    states: dict[str, int]
    won: bool

    lost = ""
    """A house never ends an episode. What no receptacle may hold can never be put down again, as in ALFWorld, where a
    teddy bear is such a thing; then there is no plan any more. Generated houses have nothing of the kind."""

    def welcome(self) -> str:
        """The first observation."""
        return self.layout.welcome()

    def map(self) -> str:
        """One line a receptacle (see `draw`)."""
        from proofgym.envs.worlds.household.draw import text_map

        return text_map(self)

    def plan(self) -> list[str] | None:
        """Commands that reach the goal from here (see `planner`)."""
        from proofgym.envs.worlds.household.planner import plan

        return plan(self)

    def copy(self) -> World:
        """A twin; neither sees what the other does."""
        other = World()
        other.layout, other.place, other.held, other.opened = self.layout, self.place, self.held, self.opened
        other.locked, other.won = self.locked, self.won
        other.contents, other.inner = self.contents.copy(), self.inner.copy()
        other.at, other.gone = self.at.copy(), self.gone.copy()
        other.states = self.states.copy()
        return other

    def step(self, command: str) -> str:
        """Carry out a command and say what happened; what is not admissible changes nothing."""
        read = self.layout.parse(command.strip())
        if read is None:
            return NOTHING
        op, a, b = read
        layout = self.layout
        if op == GO:
            place = layout.place[a]
            if place == self.place:
                return NOTHING
            self.place = place
            if layout.scene.goal.kind != "place":
                self.won = layout.goal(self)
            return f"You arrive at {layout.r_name[a]}. {self._seen(a)}"
        if op == LOOK:
            here = layout.here[self.place]
            if not here:
                return "You are in the middle of a room. Looking quickly around you, you see nothing."
            names = [layout.r_name[r] for r in here]
            facing = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, and {names[-1]}"
            return f"You are facing the {facing}. Next to it, you see {listed(self._beside())}."
        if op == INVENTORY:
            if self.held < 0:
                return "You are not carrying anything."
            return f"You are carrying: a {layout.o_name[self.held]}."
        if op == ASK_HELP:
            return HELP
        if op == EXAMINE:
            return self._seen(a) if layout.place[a] == self.place else NOTHING
        if op == LOOK_AT:
            return self._looked_at(a) if a == self.held else NOTHING
        text = self._act(op, a, b)
        if text is None:
            return NOTHING
        self.won = layout.goal(self)
        return text

    def admissible(self) -> tuple[str, ...]:
        """Every command that does something or tells something, sorted; each call may return the same tuple."""
        layout, place, held = self.layout, self.place, self.held
        here = layout.here[place]
        mask = layout.mask_here[place]
        slices = 0
        if held >= 0 and layout.knives >> held & 1:
            bit = layout.place_bit[place]
            for o in layout.sliceable:
                if self.at[o] & bit:
                    slices |= 1 << o
        key = (place, held, self.opened & mask, slices, *[self.contents[r] for r in here])
        if self.inner:
            key = (*key, self.locked & mask, *self.inner)
        menu = layout.menus.get(key)
        if menu is None:
            menu = tuple(self._menu(slices))
            if len(layout.menus) >= _CACHED:
                layout.menus.clear()
            layout.menus[key] = menu
        return menu

    def accessible(self, receptacle: int) -> bool:
        """Whether a receptacle has no door, or an open one."""
        return not (self.layout.openable & ~self.opened) >> receptacle & 1

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        return {
            "place": self.place, "held": self.held, "opened": self.opened, "locked": self.locked,
            "contents": self.contents.copy(), "inner": self.inner.copy(), "at": self.at.copy(),
            "gone": self.gone.copy(), "states": self.states.copy(),
        }  # fmt: skip

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this scene.
        """
        layout = self.layout
        try:
            objects, receptacles = len(layout.objects), len(layout.receptacles)
            place, held, contents = data["place"], data["held"], list(data["contents"])
            inner, at, gone, states = list(data["inner"]), list(data["at"]), list(data["gone"]), dict(data["states"])
            numbers = [place, held, data["opened"], data["locked"], *contents, *inner, *at, *gone, *states.values()]
            fits = (
                all(isinstance(number, int) and not isinstance(number, bool) and number >= -1 for number in numbers)
                and place in layout.here and -1 <= held < objects and len(contents) == receptacles
                and len(at) == len(gone) == objects and len(inner) == len(self.inner)
                and set(states) == set(self.states)
                and all(0 <= mask < 1 << objects for mask in (*contents, *inner, *states.values()))
                and all(0 <= mask < 1 << receptacles for mask in (*gone, data["opened"], data["locked"]))
                and not data["opened"] & ~layout.openable
                and all(0 <= mask < 1 << len(layout.place_bit) for mask in at)
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(f"this is no state of a house: {type(error).__name__} {error}") from None
        if not fits:
            raise BadInput("this is no state of this house")
        self.place, self.held, self.opened, self.locked = place, held, data["opened"], data["locked"]
        self.contents, self.inner, self.at, self.gone, self.states = contents, inner, at, gone, states
        self.won = layout.goal(self)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _seen(self, receptacle: int) -> str:
        layout = self.layout
        if self.accessible(receptacle):
            return layout.contents(receptacle, self.contents[receptacle])
        return f"The {layout.r_name[receptacle]} is closed."

    def _beside(self) -> list[str]:
        """What ALFWorld lists beside the receptacles of a place: what was taken from one of them and stands here again,
        once for each receptacle that it was taken from."""
        bit, mask = self.layout.place_bit[self.place], self.layout.mask_here[self.place]
        return [
            self.layout.o_name[o]
            for o, (at, gone) in enumerate(zip(self.at, self.gone, strict=True))
            if at & bit
            for _ in range((gone & mask).bit_count())
        ]

    def _looked_at(self, o: int) -> str:
        layout, states = self.layout, self.states
        name = layout.o_name[o]
        if layout.containers >> o & 1:
            inside = [layout.o_name[i] for i in bits(self.inner[o])] if self.inner else layout.shows[o]
            return f"This is a normal {name}. In it, you see {listed(inside)}."
        clean, hot, cool, sliced = (states[key] >> o & 1 for key in ("clean", "hot", "cool", "sliced"))
        if sliced and (clean or hot or cool):
            warmth = "hot" if hot else "cool" if cool else ""
            words = f"{warmth} and clean" if warmth and clean else warmth or "clean"
            return f"This is a {words} sliced {name}."
        if clean and (hot or cool):
            return f"This is a {'hot' if hot else 'cool'} and clean {name}."
        if hot or clean or cool:
            return f"This is a {'hot' if hot else 'clean' if clean else 'cold'} {name}."
        if layout.able["use"] >> o & 1:
            return f"This {name} is {'on' if states['used'] >> o & 1 else 'off'}."
        if sliced and layout.able["slice"] >> o & 1:
            return f"This is a sliced {name}."
        return f"There's nothing special about {name}."

    def _act(self, op: int, a: int, b: int) -> str | None:
        layout, here = self.layout, self.place
        if op == OPEN:
            if layout.place[a] != here or not (layout.openable & ~self.opened & ~self.locked) >> a & 1:
                return None
            self.opened |= 1 << a
            return f"You open the {layout.r_name[a]}. {self._seen(a)}"
        if op == CLOSE:
            if layout.place[a] != here or not self.opened >> a & 1:
                return None
            self.opened &= ~(1 << a)
            return f"You close the {layout.r_name[a]}."
        if op == TAKE:
            there = layout.place[b] == here and self.accessible(b) and self.contents[b] >> a & 1
            if not there or self.held >= 0 or not layout.able["take"] >> a & 1:
                return None
            self.contents[b] &= ~(1 << a)
            self.held = a
            self.at[a] &= ~layout.place_bit[here]
            self.gone[a] |= 1 << b
            return f"You pick up the {layout.o_name[a]} from the {layout.r_name[b]}."
        if op == MOVE:
            if a != self.held or layout.place[b] != here or not self.accessible(b) or not layout.holds[b] >> a & 1:
                return None
            self.contents[b] |= 1 << a
            self.held = -1
            self.at[a] |= layout.place_bit[here]
            self.gone[a] &= ~(1 << b)
            return f"You move the {layout.o_name[a]} to the {layout.r_name[b]}."
        if op in (HEAT, COOL, CLEAN):
            return self._treat(("heat", "cool", "clean")[op - HEAT], a, b)
        if op == USE:
            if not layout.able["use"] >> a & 1 or not any(self.contents[r] >> a & 1 for r in layout.here[here]):
                return None
            self.states["used"] |= 1 << a
            return f"You turn on the {layout.o_name[a]}."
        if op == SLICE:
            sharp = b == self.held and layout.knives >> b & 1
            if not sharp or not layout.able["slice"] >> a & 1 or not self.at[a] & layout.place_bit[here]:
                return None
            self.states["sliced"] |= 1 << a
            return f"You sliced the {layout.o_name[a]} with the {layout.o_name[b]}."
        return self._act_extended(op, a, b)

    def _treat(self, verb: str, o: int, r: int) -> str | None:
        layout = self.layout
        if o != self.held or not layout.able[verb] >> o & 1 or r not in layout.tools[verb][self.place]:
            return None
        bit, states = 1 << o, self.states
        if verb == "heat":
            states["hot"], states["cool"] = states["hot"] | bit, states["cool"] & ~bit
        elif verb == "cool":
            states["cool"], states["hot"] = states["cool"] | bit, states["hot"] & ~bit
        else:
            states["clean"] |= bit
        return f"You {verb} the {layout.o_name[o]} using the {layout.r_name[r]}."

    def reachable(self, o: int) -> bool:
        """Whether an object lies in an open or doorless receptacle here."""
        return any(self.contents[r] >> o & 1 and self.accessible(r) for r in self.layout.here[self.place])

    def _act_extended(self, op: int, a: int, b: int) -> str | None:
        layout = self.layout
        if op == STOW:
            if a != self.held or not layout.holds_container[b] >> a & 1 or not self.reachable(b) or self.inner[a]:
                return None
            self.inner[b] |= 1 << a
            self.held = -1
            return f"You move the {layout.o_name[a]} to the {layout.o_name[b]}."
        if op == DRAW:
            if self.held >= 0 or not self.inner[b] >> a & 1 or not self.reachable(b):
                return None
            self.inner[b] &= ~(1 << a)
            self.held, self.at[a] = a, 0
            return f"You pick up the {layout.o_name[a]} from the {layout.o_name[b]}."
        if op == UNLOCK:
            key = layout.receptacles[a].locked_by
            fits = b == self.held and layout.objects[b].kind == key
            if layout.place[a] != self.place or not self.locked >> a & 1 or not fits:
                return None
            self.locked &= ~(1 << a)
            return f"You unlock the {layout.r_name[a]} with the {layout.o_name[b]}."
        return None

    def _menu(self, slices: int) -> list[str]:
        layout, held, here = self.layout, self.held, self.layout.here[self.place]
        carried = layout.o_name[held] if held >= 0 else ""

        def treatments(verb: str) -> list[str]:
            if held < 0 or not layout.able[verb] >> held & 1:
                return []
            return sorted(f"{verb} {carried} with {layout.r_name[r]}" for r in layout.tools[verb][self.place])

        doors = [r for r in here if layout.openable >> r & 1]
        menu = treatments("clean")
        menu += sorted(f"close {layout.r_name[r]}" for r in doors if self.opened >> r & 1)
        menu += treatments("cool")
        menu += sorted([f"examine {layout.r_name[r]}" for r in here] + ([f"examine {carried}"] if carried else []))
        menu += layout.go[self.place]
        menu += treatments("heat")
        menu += ("help", "inventory", "look")
        reached = [r for r in here if self.accessible(r)]
        boxes = [o for r in reached for o in bits(self.contents[r] & layout.containers)] if self.inner else []
        if held >= 0:
            moves = [f"move {carried} to {layout.r_name[r]}" for r in reached if layout.holds[r] >> held & 1]
            if self.inner and not self.inner[held]:
                moves += [
                    f"move {carried} to {layout.o_name[o]}" for o in boxes if layout.holds_container[o] >> held & 1
                ]
            menu += sorted(moves)
        menu += sorted(f"open {layout.r_name[r]}" for r in doors if not (self.opened | self.locked) >> r & 1)
        menu += sorted(f"slice {layout.o_name[o]} with {carried}" for o in bits(slices))
        if held < 0:
            takes = [
                f"take {layout.o_name[o]} from {layout.r_name[r]}"
                for r in reached
                for o in bits(self.contents[r] & layout.able["take"])
            ]
            takes += [
                f"take {layout.o_name[o]} from {layout.o_name[box]}" for box in boxes for o in bits(self.inner[box])
            ]
            menu += sorted(takes)
        elif self.locked:
            kind = layout.objects[held].kind
            menu += sorted(
                f"unlock {layout.r_name[r]} with {carried}"
                for r in here
                if self.locked >> r & 1 and layout.receptacles[r].locked_by == kind
            )
        lamps = {o for r in here for o in bits(self.contents[r] & layout.able["use"])}
        menu += sorted(f"use {layout.o_name[o]}" for o in lamps)
        return menu
