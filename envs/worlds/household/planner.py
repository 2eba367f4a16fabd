"""How far the goal is, knowing everything: the fewest commands, and which.

For the goals that ALFWorld has (one object or two, perhaps treated, in one receptacle; or an object under a lamp) the
plan is proved shortest by going through every choice that matters: which object, from which receptacle, by which tool,
into which receptacle, and where to lay down what is in the way. A move costs 1 whatever the distance, so the cost of a
choice is a sum of commands plus the number of times that the place changes.

For extended goals (several at once, three or more objects, slices, containers, locks) the plan is the shortest of those
that carry out the parts in every order, each part by its best next object. It is a plan that works, not always the
shortest; a potential needs no more, since it telescopes whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations, product

from proofgym.envs.worlds.household.engine import NOTHING, World, bits
from proofgym.envs.worlds.household.scene import Goal

__all__ = ["plan"]

_TREATMENTS = {"clean": "clean", "hot": "heat", "cool": "cool"}

Errand = tuple[int, int, tuple[tuple[str, int], ...], int]
"""An object, where to take it from (-1: in hand), (verb, tool) pairs, where it goes (-1: it is listed there)."""


def plan(world: World) -> list[str] | None:
    """Commands that reach the goal from here; empty if it holds; `None` if no plan was found."""
    if world.won:
        return []
    goal = world.layout.scene.goal
    if goal.kind == "all" or world.layout.scene.extended or goal.count > 2 or "sliced" in goal.must_be:
        return _Planner(world).whole(goal)
    return _shortest(world, goal)


# Exact ----------------------------------------------------------------------------------------------------------------


def _shortest(world: World, goal: Goal) -> list[str] | None:
    best: tuple[int, int, tuple[Errand, ...], int] | None = None
    drops = _drops(world) if world.held >= 0 else {}
    for errands, lamp in _choices(world, goal):
        cost, drop = _cost(world, errands, lamp, drops)
        if cost < 10**6 and (best is None or cost < best[0]):
            best = (cost, drop, errands, lamp)
    if best is None:
        return None
    _, drop, errands, lamp = best
    return _commands(world, drop, errands, lamp)


def _sources(world: World, o: int) -> list[int]:
    if world.held == o:
        return [-1]
    if not world.layout.able["take"] >> o & 1:
        return []
    return [r for r, held in enumerate(world.contents) if held >> o & 1]


def _choices(world: World, goal: Goal) -> Iterator[tuple[tuple[Errand, ...], int]]:
    layout = world.layout
    wanted = layout.o_kind.get(goal.object, 0)
    if goal.kind == "light":
        lamps = list(bits(layout.o_kind.get(goal.light, 0) & layout.able["use"]))
        for o in bits(wanted):
            for source, lamp in product(_sources(world, o), lamps):
                for r, held in enumerate(world.contents):
                    if held >> lamp & 1:
                        yield ((o, source, (), r),), lamp
        return
    for state in goal.must_be:
        wanted &= layout.able[_TREATMENTS[state]]
    fit = wanted
    for state in goal.must_be:
        fit &= world.states[state]
    objects = list(bits(wanted))
    single = {o: [(s, tools) for s in _sources(world, o) for tools in _tools(world, goal, o)] for o in objects}
    alike = {o: repr(ways) for o, ways in single.items()}
    for r in layout.r_kind.get(goal.receptacle, ()):
        may = layout.holds[r]
        inside = world.contents[r] & fit
        movable = [o for o in objects if may >> o & 1 and not inside >> o & 1]
        need = goal.count - inside.bit_count()
        if need == 1:
            for o in _different(movable, alike, 1):
                for s, tools in single[o]:
                    yield ((o, s, tools, r),), -1
                    if world.contents[r] >> o & 1 and s != r:  # listed there too: treated in hand, it lies there still
                        yield ((o, s, tools, -1),), -1
        elif need == 2:
            for first, second in permutations(_different(movable, alike, 2), 2):
                if second == world.held or (world.held in movable and first != world.held):
                    continue
                for (s1, t1), (s2, t2) in product(single[first], single[second]):
                    yield ((first, s1, t1, r), (second, s2, t2, r)), -1


def _different(objects: list[int], alike: Mapping[int, str], most: int) -> list[int]:
    """Of objects that are fetched and treated in the same ways only the first ones: the others cost the same."""
    kept: list[int] = []
    count: dict[str, int] = {}
    for o in objects:
        way = alike[o]
        count[way] = count.get(way, 0) + 1
        if count[way] <= most:
            kept.append(o)
    return kept


def _drops(world: World) -> dict[int, list[int]]:
    """Where what is in hand can be laid down, by place; under -1, one without a closed door and one with, anywhere.

    A place that is neither here nor on the way costs the same as any other such place.
    """
    layout = world.layout
    shut = layout.openable & ~world.opened
    found: dict[int, list[int]] = {-1: []}
    doors = set()
    for d, may in enumerate(layout.holds):
        if may >> world.held & 1:
            found.setdefault(layout.place[d], []).append(d)
            if shut >> d & 1 not in doors:
                doors.add(shut >> d & 1)
                found[-1].append(d)
    return found


def _tools(world: World, goal: Goal, o: int) -> list[tuple[tuple[str, int], ...]]:
    layout = world.layout
    verbs = [_TREATMENTS[state] for state in goal.must_be if not world.states[state] >> o & 1]
    ways: list[tuple[tuple[str, int], ...]] = []
    for order in permutations(verbs):
        tools = [[(verb, r) for found in layout.tools[verb].values() for r in found] for verb in order]
        ways += product(*tools)
    return ways


def _cost(world: World, errands: tuple[Errand, ...], lamp: int, drops: Mapping[int, list[int]]) -> tuple[int, int]:
    """The number of commands, and the receptacle in which to lay down what is in hand first (-1: nothing is)."""
    place = world.layout.place
    shut = world.layout.openable & ~world.opened
    stops: list[int] = []
    opened: list[int] = []
    acts = 0
    for _, source, tools, target in errands:
        if source >= 0:
            stops.append(place[source])
            opened.append(source)
            acts += 1
        for _, tool in tools:
            stops.append(place[tool])
            acts += 1
        if target < 0:
            continue
        stops.append(place[target])
        if lamp < 0:
            opened.append(target)
            acts += 1
        elif not world.states["used"] >> lamp & 1:
            acts += 1
    opens = 0
    for r in opened:
        opens |= 1 << r
    if world.held < 0 or errands[0][1] == -1:
        return acts + (opens & shut).bit_count() + _changes(world.place, stops), -1
    best, drop = 10**6, -1
    on_way = {d for spot in (world.place, stops[0], -1) for d in drops.get(spot, ())}
    on_way.update(r for r in opened if world.layout.holds[r] >> world.held & 1)
    for d in sorted(on_way):
        cost = acts + 1 + ((opens | 1 << d) & shut).bit_count() + _changes(world.place, [place[d], *stops])
        if cost < best:
            best, drop = cost, d
    return best, drop


def _changes(start: int, stops: list[int]) -> int:
    count = 0
    for stop in stops:
        if stop != start:
            count, start = count + 1, stop
    return count


def _commands(world: World, drop: int, errands: tuple[Errand, ...], lamp: int) -> list[str]:
    sketch = _Planner(world)
    if drop >= 0:
        sketch.put(drop)
    for o, source, tools, target in errands:
        if source >= 0:
            sketch.enter(source)
            sketch.do(f"take {sketch.o_name[o]} from {sketch.r_name[source]}")
        for verb, tool in tools:
            sketch.go(tool)
            sketch.do(f"{verb} {sketch.o_name[o]} with {sketch.r_name[tool]}")
        if target < 0:
            continue
        if lamp < 0:
            sketch.put(target)
        else:
            sketch.go(target)
            if not world.states["used"] >> lamp & 1:
                sketch.do(f"use {sketch.o_name[lamp]}")
    return sketch.commands


# Extended -------------------------------------------------------------------------------------------------------------


class _Stuck(Exception):
    """This way does not work."""


class _Planner:
    """A world to try things in, and the commands that were tried."""

    def __init__(self, world: World, commands: list[str] | None = None) -> None:
        self.world = world.copy()
        self.commands = list(commands or [])
        self.o_name, self.r_name = world.layout.o_name, world.layout.r_name

    def whole(self, goal: Goal) -> list[str] | None:
        """The shortest plan that was found for a goal."""
        parts = goal.parts if goal.kind == "all" else (goal,)
        found: list[list[str]] = []
        for order in permutations(parts):
            ways = [self]
            try:
                for part in order:
                    ways = [way.reached(part) for way in ways]
            except _Stuck:
                continue
            found += [way.commands for way in ways if way.world.won]
        return min(found, key=len) if found else None

    def reached(self, goal: Goal) -> _Planner:
        """The state after one plain goal was brought about."""
        layout = self.world.layout
        if layout._compiled(goal)(self.world):
            return self
        ways: list[_Planner] = []
        if goal.kind == "light":
            lamps = layout.o_kind.get(goal.light, 0) & layout.able["use"]
            for o, lamp in product(bits(layout.o_kind.get(goal.object, 0)), bits(lamps)):
                ways += self._tried(lambda way, o=o, lamp=lamp: way._light(o, lamp))
        else:
            for r in layout.r_kind.get(goal.receptacle, ()):
                ways += self._tried(lambda way, r=r: way._fill(goal, r))
        if not ways:
            raise _Stuck
        return min(ways, key=lambda way: len(way.commands))

    def _tried(self, attempt: object) -> list[_Planner]:
        way = _Planner(self.world, self.commands)
        try:
            attempt(way)  # type: ignore[operator]
        except _Stuck:
            return []
        return [way]

    def _light(self, o: int, lamp: int) -> None:
        self.fetch(o)
        r = next((r for r, held in enumerate(self.world.contents) if held >> lamp & 1), None)
        if r is None:
            raise _Stuck
        self.go(r)
        if not self.world.states["used"] >> lamp & 1:
            self.do(f"use {self.o_name[lamp]}")

    def _fill(self, goal: Goal, r: int) -> None:
        layout, reached = self.world.layout, self.world.layout._compiled(goal)
        if self.world.locked >> r & 1:
            self.unlock(r)
        wanted = layout.o_kind.get(goal.object, 0)
        box = -1
        if goal.inside:
            boxes = [o for o in bits(layout.o_kind.get(goal.inside, 0)) if layout.holds[r] >> o & 1]
            boxes = [o for o in boxes if layout.holds_container[o] & wanted]
            if not boxes:
                raise _Stuck
            box = next((o for o in boxes if self.world.contents[r] >> o & 1), boxes[0])
            if not self.world.contents[r] >> box & 1:
                self.fetch(box)
                self.put(r)
        for _ in range(goal.count + 1):
            if reached(self.world):
                return
            left = wanted & ~(self.world.inner[box] if box >= 0 else self.world.contents[r] & self._fit(goal))
            ways: list[_Planner] = []
            for o in bits(left):
                ways += self._tried(lambda way, o=o: way._carry(goal, o, r, box))
            if not ways:
                raise _Stuck
            best = min(ways, key=lambda way: len(way.commands))
            self.world, self.commands = best.world, best.commands
        if not reached(self.world):
            raise _Stuck

    def _fit(self, goal: Goal) -> int:
        fit = -1
        for state in goal.must_be:
            fit &= self.world.states[state]
        return fit

    def _carry(self, goal: Goal, o: int, r: int, box: int) -> None:
        if "sliced" in goal.must_be and not self.world.states["sliced"] >> o & 1:
            self._slice(o)
        self.fetch(o)
        for state in goal.must_be:
            if state != "sliced" and not self.world.states[state] >> o & 1:
                verb = _TREATMENTS[state]
                tools = [tool for found in self.world.layout.tools[verb].values() for tool in found]
                if not tools:
                    raise _Stuck
                here = self.world.place
                tool = min(tools, key=lambda tool: self.world.layout.place[tool] != here)
                self.go(tool)
                self.do(f"{verb} {self.o_name[o]} with {self.r_name[tool]}")
        if box >= 0:
            self.enter(r)
            self.do(f"move {self.o_name[o]} to {self.o_name[box]}")
        else:
            self.put(r)

    def _slice(self, o: int) -> None:
        layout, world = self.world.layout, self.world
        if world.held == o:
            self.lay_down()
        if world.held < 0 or not layout.knives >> world.held & 1:
            ways: list[_Planner] = []
            for knife in bits(layout.knives):
                ways += self._tried(lambda way, knife=knife: way.fetch(knife))
            if not ways:
                raise _Stuck
            best = min(ways, key=lambda way: len(way.commands))
            self.world, self.commands = best.world, best.commands
        at = self.world.at[o]
        beside = next((r for r, place in enumerate(layout.place) if at & layout.place_bit[place]), None)
        if beside is None:
            raise _Stuck
        self.go(beside)
        self.do(f"slice {self.o_name[o]} with {self.o_name[self.world.held]}")

    def fetch(self, o: int) -> None:
        """Have an object in hand."""
        world = self.world
        if world.held == o:
            return
        box = next((outer for outer, held in enumerate(world.inner) if held >> o & 1), -1)
        inside = box if box >= 0 else o
        sources = [r for r, held in enumerate(world.contents) if held >> inside & 1]
        if not sources:
            raise _Stuck
        r = min(sources, key=lambda r: (world.layout.place[r] != world.place, not world.accessible(r)))
        if world.locked >> r & 1:
            self.unlock(r)
        if world.held >= 0:
            self.lay_down()
        self.enter(r)
        self.do(f"take {self.o_name[o]} from {self.o_name[box] if box >= 0 else self.r_name[r]}")

    def lay_down(self) -> None:
        """Have an empty hand: put what is held where it can go, here if possible."""
        world, layout = self.world, self.world.layout
        may = [r for r, held in enumerate(layout.holds) if held >> world.held & 1 and not world.locked >> r & 1]
        if not may:
            raise _Stuck
        self.put(min(may, key=lambda r: (layout.place[r] != world.place) + (not world.accessible(r))))

    def unlock(self, r: int) -> None:
        """Fetch the key of a locked door and turn it."""
        layout = self.world.layout
        keys = [o for o in bits(layout.o_kind.get(layout.receptacles[r].locked_by, 0)) if not self._within(o, r)]
        if not keys:
            raise _Stuck
        self.fetch(keys[0])
        self.go(r)
        self.do(f"unlock {self.r_name[r]} with {self.o_name[keys[0]]}")

    def _within(self, o: int, r: int) -> bool:
        return bool(self.world.contents[r] >> o & 1)

    def go(self, r: int) -> None:
        """Be at a receptacle's place."""
        if self.world.layout.place[r] != self.world.place:
            self.do(f"go to {self.r_name[r]}")

    def enter(self, r: int) -> None:
        """Be at a receptacle that is open or has no door."""
        self.go(r)
        if not self.world.accessible(r):
            self.do(f"open {self.r_name[r]}")

    def put(self, r: int) -> None:
        """Lay what is held into a receptacle."""
        self.enter(r)
        self.do(f"move {self.o_name[self.world.held]} to {self.r_name[r]}")

    def do(self, command: str) -> None:
        """Try a command."""
        if self.world.step(command) == NOTHING:
            raise _Stuck
        self.commands.append(command)
