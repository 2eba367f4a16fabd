"""The tasks of the laboratory: the sub-goals of each, and what an expert who knows everything does next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proofgym.envs.worlds.lab.things import STAGES, SWITCHED

if TYPE_CHECKING:
    from proofgym.envs.worlds.lab.world import LabWorld

__all__ = ["NAMED", "TASKS", "TOOLS", "Goal", "Names"]

_WIRED = {"battery": "battery", "lamp": "lamp", "black wire": "wire", "orange wire": "wire"}
TOOLS: Mapping[str, Mapping[str, str]] = {
    "circuit": _WIRED, "conductor": _WIRED, "thermometer": {"thermometer": "thermometer"},
    "melting point": {"thermometer": "thermometer"}, "grow": {"watering can": "watering can"},
    "fruit": {"watering can": "watering can", "bees": "bees"},
}  # fmt: skip
"""What a task cannot be done without, and of which kind it is."""
_CHANGED = {"thing": "substance", "cup": "cup"}
_BOXES = {"right box": "box", "wrong box": "box"}
NAMED: Mapping[str, Mapping[str, str]] = {
    "melt": _CHANGED, "boil": _CHANGED, "freeze": _CHANGED, "thermometer": {"thing": "substance", **_BOXES},
    "melting point": {**_CHANGED, **_BOXES}, "grow": {"seed": "seed", "pot": "pot"},
    "fruit": {"seed": "seed", "pot": "pot"}, "chemistry": {"cup": "cup"}, "colours": {"cup": "cup"},
    "conductor": {"thing": "sample", **_BOXES}, "friction": {"one": "surface plate", "other": "surface plate"},
}  # fmt: skip
"""Of which kinds the things are that a task names."""

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Goal:
    """One sub-goal: its points, when it is reached, and what an expert does next until then."""

    says: str
    points: int
    reached: Callable[[LabWorld], bool]
    advice: Callable[[LabWorld], str]


def _focused(thing: str, points: int) -> Goal:
    return Goal(
        "focus", points, lambda w: w.focus == thing,
        lambda w: f"focus on {thing}" if w.near(thing) else w.go(w.room_of(thing)),
    )  # fmt: skip


def _heated(w: LabWorld, cup: str, tool: str) -> str:
    if w.at[cup] != tool:
        return w.bring(cup, tool)
    if tool not in w.on and w.kind[tool] in SWITCHED:
        return f"turn on {tool}" if w.near(tool) else w.go(w.room_of(tool))
    return "wait"


def _change(names: Names, form: str, tool: str) -> list[Goal]:
    thing, cup = names["thing"], names["cup"]
    return [
        Goal("in a cup", 20, lambda w: w.at[thing] == cup, lambda w: w.bring(thing, cup)),
        Goal("at the tool", 30, lambda w: w.at[cup] == tool, lambda w: w.bring(cup, tool)),
        Goal(form, 30, lambda w: w.form(thing) == form, lambda w: _heated(w, cup, tool)),
        Goal("focus", 20, lambda w: w.focus == thing and w.form(thing) == form, lambda w: f"focus on {thing}"
             if w.near(thing) else w.go(w.room_of(thing))),
    ]  # fmt: skip


def _melt(names: Names) -> list[Goal]:
    """melt the {thing}. Put it in the {cup}, warm it until it is liquid, then focus on it."""
    return _change(names, "liquid", names["tool"])


def _boil(names: Names) -> list[Goal]:
    """boil the {thing}. Put it in the {cup}, heat it until it is a gas, then focus on it."""
    return _change(names, "gas", names["tool"])


def _freeze(names: Names) -> list[Goal]:
    """freeze the {thing}. Put it in the {cup}, cool it until it is solid, then focus on it."""
    return _change(names, "solid", "freezer")


def _thermometer(names: Names) -> list[Goal]:
    """measure the temperature of the {thing}. If it is above {limit} degrees, put it in the red box, else in the blue \
box."""
    thing = names["thing"]
    return [
        Goal("thermometer", 30, lambda w: w.at["thermometer"] == "hand", lambda w: w.have("thermometer")),
        Goal("measured", 40, lambda w: f"temperature of {thing}" in w.known,
             lambda w: f"measure {thing}" if w.near(thing) else w.go(w.room_of(thing))),
        Goal("sorted", 30, lambda w: w.at[thing] == names["right box"], lambda w: w.bring(thing, names["right box"])),
    ]  # fmt: skip


def _melting_point(names: Names) -> list[Goal]:
    """find out whether the melting point of the {thing} is above {limit} degrees. Heat it in the {cup} on the {tool}, \
measure it, and put the {thing} in the red box if it is above, else in the blue box."""
    thing, cup, tool = names["thing"], names["cup"], names["tool"]

    def watched(w: LabWorld) -> str:
        if w.at["thermometer"] != "hand":
            return w.have("thermometer")
        return f"measure {thing}" if w.form(thing) == "liquid" and w.near(thing) else _heated(w, cup, tool)

    return [
        Goal("in a cup", 15, lambda w: w.at[thing] == cup, lambda w: w.bring(thing, cup)),
        Goal("at the tool", 15, lambda w: w.at[cup] == tool, lambda w: w.bring(cup, tool)),
        Goal("thermometer", 10, lambda w: w.at["thermometer"] == "hand", lambda w: w.have("thermometer")),
        Goal("molten", 20, lambda w: w.form(thing) == "liquid", lambda w: _heated(w, cup, tool)),
        Goal("measured", 20, lambda w: f"temperature of {thing}" in w.known, watched),
        Goal("sorted", 20, lambda w: w.at[thing] == names["right box"], lambda w: w.bring(thing, names["right box"])),
    ]  # fmt: skip


def _found(names: Names, points: int = 100) -> list[Goal]:
    thing = names["focus"]
    return [
        Goal("there", points // 2, lambda w: w.near(thing), lambda w: w.go(w.room_of(thing))),
        Goal("focus", points - points // 2, lambda w: w.focus == thing,
             lambda w: f"focus on {thing}" if w.near(thing) else w.go(w.room_of(thing))),
    ]  # fmt: skip


def _living(names: Names) -> list[Goal]:
    """find the one living thing in the house and focus on it."""
    return _found(names)


def _lifeless(names: Names) -> list[Goal]:
    """find the one thing that does not live among the animals of the {room}, and focus on it."""
    return _found(names)


def _lifespan(names: Names) -> list[Goal]:
    """focus on the animal in the house that lives {extreme} of all."""
    return _found(names)


def _grow(names: Names) -> list[Goal]:
    """grow a plant from the {seed}. Put it in the {pot}, water it again and again until it flowers, and focus on it."""
    return [*_grown(names, 3), _focused(names["seed"], 20)]


def _fruit(names: Names) -> list[Goal]:
    """grow a fruit from the {seed}. Put it in the {pot} and water it; a flower bears fruit only where the bees are. \
Focus on it in the end."""
    seed, pot = names["seed"], names["pot"]

    def pollinated(w: LabWorld) -> str:
        if not w.together("bees", pot):
            return w.have("bees") if w.at["bees"] != "hand" else w.go(w.room_of(pot))
        return _watered(w, pot)

    return [
        *_grown(names, 3),
        Goal("bees", 10, lambda w: w.together("bees", pot), pollinated),
        Goal("fruit", 5, lambda w: w.stage[seed] == 4, pollinated),
        Goal("focus", 5, lambda w: w.focus == seed,
             lambda w: f"focus on {seed}" if w.near(seed) else w.go(w.room_of(seed))),
    ]  # fmt: skip


def _watered(w: LabWorld, pot: str) -> str:
    if w.at["watering can"] != "hand":
        return w.have("watering can")
    return f"water {pot}" if w.near(pot) else w.go(w.room_of(pot))


def _grown(names: Names, last: int) -> list[Goal]:
    seed, pot = names["seed"], names["pot"]
    points = {1: 20, 2: 15, 3: 15}
    return [
        Goal("planted", 30, lambda w: w.at[seed] == pot, lambda w: w.bring(seed, pot)),
        *(Goal(STAGES[stage], points[stage], lambda w, stage=stage: w.stage[seed] >= stage,  # type: ignore[misc]
               lambda w: _watered(w, pot)) for stage in range(1, last + 1)),
    ]  # fmt: skip


def _mixed(names: Names) -> list[Goal]:
    one, other, cup, made = names["one"], names["other"], names["cup"], names["focus"]
    return [
        Goal("first", 30, lambda w: w.at.get(one) == cup or made in w.at, lambda w: w.bring(one, cup)),
        Goal("second", 30, lambda w: w.at.get(other) == cup or made in w.at, lambda w: w.bring(other, cup)),
        Goal("mixed", 20, lambda w: made in w.at, lambda w: f"mix {cup}" if w.near(cup) else w.go(w.room_of(cup))),
        Goal("focus", 20, lambda w: w.focus == made,
             lambda w: f"focus on {made}" if w.near(made) else w.go(w.room_of(made))),
    ]  # fmt: skip


def _chemistry(names: Names) -> list[Goal]:
    """make {focus} in the {cup}, and focus on it."""
    return _mixed(names)


def _colours(names: Names) -> list[Goal]:
    """mix {focus} in the {cup} from the paints that are in the house, and focus on it."""
    return _mixed(names)


def _wired(w: LabWorld, *parts: str) -> str:
    missing = next((part for part in parts if w.at[part] not in ("hand",)), None)
    if missing is not None:
        return w.have(missing)
    return next(f"connect {a} to {b}" for a, b in zip(parts, parts[1:] + parts[:1], strict=True) if not w._linked(a, b))


def _circuit(_: Names) -> list[Goal]:
    """make the lamp shine: connect it to the battery with two wires, so that current flows in a loop."""
    parts = ("battery", "black wire", "lamp", "orange wire")
    return [
        Goal("battery", 15, lambda w: w.at["battery"] == "hand", lambda w: w.have("battery")),
        Goal("lamp", 15, lambda w: w.at["lamp"] == "hand", lambda w: w.have("lamp")),
        Goal("one link", 20, lambda w: bool(w.links), lambda w: _wired(w, *parts)),
        Goal("shines", 50, lambda w: w.lit(), lambda w: _wired(w, *parts)),
    ]  # fmt: skip


def _conductor(names: Names) -> list[Goal]:
    """find out whether the {thing} conducts electricity, with the battery, the lamp and wires. Put it in the red box \
if it does, else in the blue box."""
    thing = names["thing"]
    parts = ("battery", "black wire", thing, "orange wire", "lamp")

    def looped(w: LabWorld) -> bool:
        return all(w._linked(a, b) for a, b in zip(parts, parts[1:] + parts[:1], strict=True))

    return [
        Goal("thing", 20, lambda w: w.at[thing] == "hand" or looped(w), lambda w: w.have(thing)),
        Goal("in the circuit", 50, looped, lambda w: _wired(w, *parts)),
        Goal("sorted", 30, lambda w: w.at[thing] == names["right box"], lambda w: w.bring(thing, names["right box"])),
    ]  # fmt: skip


def _friction(names: Names) -> list[Goal]:
    """find out on which of the plates, the {one} or the {other}, the block slides faster: lay each on the ramp and \
let the block slide. Then focus on that plate."""
    one, other, best = names["one"], names["other"], names["focus"]

    def slid(plate: str) -> Callable[[LabWorld], str]:
        def advice(w: LabWorld) -> str:
            return f"slide block on {plate}" if w.at[plate] == "ramp" and w.near(plate) else (
                w.bring(plate, "ramp") if w.at[plate] != "ramp" else w.go("workshop"))  # fmt: skip

        return advice

    return [
        Goal("first", 40, lambda w: f"slide on {one}" in w.known, slid(one)),
        Goal("second", 40, lambda w: f"slide on {other}" in w.known, slid(other)),
        Goal("focus", 20, lambda w: w.focus == best,
             lambda w: f"focus on {best}" if w.near(best) else w.go(w.room_of(best))),
    ]  # fmt: skip


TASKS: Mapping[str, Callable[[Names], list[Goal]]] = {
    "melt": _melt, "boil": _boil, "freeze": _freeze, "thermometer": _thermometer, "melting point": _melting_point,
    "living": _living, "lifeless": _lifeless, "lifespan": _lifespan, "grow": _grow, "fruit": _fruit,
    "chemistry": _chemistry, "colours": _colours, "circuit": _circuit, "conductor": _conductor, "friction": _friction,
}  # fmt: skip
"""The tasks by name. The docstring of each is its text."""
