"""Reads ALFWorld's game files: a PDDL problem and a grammar in one JSON object (`game.tw-pddl`).

Names are given as ALFWorld gives them: identifiers sorted as strings, and numbers dealt downwards within each kind.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from proofgym.envs.worlds.household.scene import Goal, Receptacle, Scene, SceneObject
from proofgym.errors import BadInput

__all__ = ["read_game", "write_problem"]


class Form(list[Any]):
    """What stands in one pair of parentheses, and in which line it began."""

    line = 0


_TOKEN = re.compile(r"[()]|[^\s();]+")
_TASK = re.compile(r"Your task is to: (.*?)\.?\\?\"")
_ABLE = {
    "pickupable": "take", "heatable": "heat", "coolable": "cool", "cleanable": "clean", "sliceable": "slice",
    "toggleable": "use",
}  # fmt: skip
_KIND = re.compile(r"[a-z]{1,40}", re.ASCII)
_STATE = {"isclean": "clean", "ishot": "hot", "iscool": "cool", "issliced": "sliced", "istoggled": "used"}
_WORDS_OF = {
    **dict.fromkeys(
        ("receptacletype", "objecttype", "receptacleatlocation", "objectatlocation", "atlocation", "inreceptacle",
         "inreceptacleobject", "cancontain"), 2),
    **dict.fromkeys(("openable", "opened", "isreceptacleobject", *_ABLE, *_STATE), 1),
}  # fmt: skip
"""How many words follow each of the facts that are read."""


def read_game(data: Mapping[str, Any], where: str) -> Scene:
    """The scene of a game file that was read as JSON.

    Raises:
        BadInput: If something is missing or not what ALFWorld writes, with the line of the problem.
    """
    problem, grammar = data.get("pddl_problem"), data.get("grammar", "")
    if not isinstance(problem, str) or not isinstance(grammar, str):
        raise BadInput(f"{where}: 'pddl_problem' and 'grammar' are texts")
    forms = [form for form in _parse(problem, where) if isinstance(form, Form) and form and isinstance(form[0], str)]
    sections = {form[0]: Form(form[1:]) for form in forms}
    for key in (":objects", ":init", ":goal"):
        if key not in sections:
            raise BadInput(f"{where}: the PDDL problem has no {key}")
    facts: dict[str, list[list[str]]] = {}
    for fact in sections[":init"]:
        if isinstance(fact, Form) and fact and all(isinstance(word, str) for word in fact):
            if len(fact) - 1 != _WORDS_OF.get(fact[0], len(fact) - 1):
                found = f"({' '.join(fact)})"
                raise BadInput(
                    f"{where}: line {fact.line} of the PDDL problem: {fact[0]} takes {_WORDS_OF[fact[0]]} words, "
                    f"found {found:.80}"
                )
            facts.setdefault(fact[0], []).append(fact[1:])
    task = _TASK.search(grammar)
    text = task[1] if task else "UNKNOWN GOAL"
    return _Game(facts, where).scene(_goal(sections[":goal"], text, where))


def _parse(problem: str, where: str) -> Form:
    stack: list[Form] = [Form()]
    opened: list[int] = []
    for number, line in enumerate(problem.lower().split("\n"), 1):
        for piece in _TOKEN.findall(line.partition(";")[0]):
            if piece == "(":
                stack.append(Form())
                stack[-1].line = number
                opened.append(number)
            elif piece == ")":
                if len(stack) == 1:
                    raise BadInput(f"{where}: line {number} of the PDDL problem closes what was never opened")
                form = stack.pop()
                opened.pop()
                stack[-1].append(form)
            else:
                stack[-1].append(piece)
            if len(stack) > 100:
                raise BadInput(f"{where}: line {number} of the PDDL problem is nested too deeply")
    if len(stack) > 1:
        raise BadInput(f"{where}: the parenthesis of line {opened[-1]} of the PDDL problem is never closed")
    if len(stack[0]) != 1 or not isinstance(stack[0][0], Form) or stack[0][0][:1] != ["define"]:
        raise BadInput(f"{where}: the PDDL problem is one (define ...)")
    return stack[0][0]


def _atoms(form: Any) -> Iterator[list[str]]:
    if isinstance(form, list):
        if form and all(isinstance(word, str) for word in form):
            yield form
        else:
            for part in form:
                yield from _atoms(part)


def _goal(form: Form, text: str, where: str) -> Goal:
    kinds: dict[str, str] = {}
    must: set[str] = set()
    receptacle = light = ""
    held = False
    for atom in _atoms(form):
        if atom[0] == "objecttype" and len(atom) == 3:
            kinds[atom[1]] = atom[2].removesuffix("type")
        elif atom[0] == "receptacletype" and len(atom) == 3:
            receptacle = atom[2].removesuffix("type")
        elif atom[0] in ("isclean", "ishot", "iscool", "issliced"):
            must.add(_STATE[atom[0]])
        elif atom[0] == "istoggled" and len(atom) == 2:
            light = atom[1]
        elif atom[0] == "holds":
            held = True
    if held and light in kinds and len(kinds) == 2:
        thing = next(kind for variable, kind in kinds.items() if variable != light)
        return Goal("light", text, thing, light=kinds[light])
    if receptacle and len(set(kinds.values())) == 1:
        return Goal("place", text, next(iter(kinds.values())), receptacle, len(kinds), tuple(sorted(must)))
    raise BadInput(f"{where}: the :goal is none of ALFWorld's six kinds; found {str(form)[:120]}")


class _Game:
    def __init__(self, facts: Mapping[str, list[list[str]]], where: str) -> None:
        self.facts, self.where = facts, where
        things = {words[0] for key in ("receptacletype", "objecttype") for words in facts.get(key, ())}
        others = {word for rows in facts.values() for row in rows for word in row}
        counts = Counter(_kind(thing) for thing in things)
        bad = next((thing for thing in sorted(things) if not _KIND.fullmatch(_kind(thing))), None)
        if bad is not None:
            raise BadInput(f"{where}: a thing is named by its kind and more, such as apple_bar_1; found {bad!r:.60}")
        self.names: dict[str, str] = {}
        for thing in sorted(things | others):
            if thing in things:
                kind = _kind(thing)
                self.names[thing] = f"{kind} {counts[kind]}"
                counts[kind] -= 1

    def scene(self, goal: Goal) -> Scene:
        places = self._places()
        at = {row[0]: places[row[1]] for row in self.facts.get("receptacleatlocation", ())}
        start = next((places[row[1]] for row in self.facts.get("atlocation", ())), None)
        if start is None:
            raise BadInput(f"{self.where}: the :init does not say where the agent is (atlocation)")
        doors, opened = self._set("openable"), self._set("opened")
        kinds = {row[0]: row[1].removesuffix("type") for row in self.facts.get("receptacletype", ())}
        lost = next((thing for thing in kinds if thing not in at), None)
        if lost is not None:
            raise BadInput(f"{self.where}: the receptacle {lost} has no place (receptacleatlocation)")
        receptacles = tuple(
            Receptacle(self.names[thing], at[thing], thing in doors, thing in opened and thing in doors)
            for thing in sorted(kinds)
        )
        holds: dict[str, set[str]] = {kind: set() for kind in kinds.values()}
        for row in self.facts.get("cancontain", ()):
            holds.setdefault(row[0].removesuffix("type"), set()).add(row[1].removesuffix("type"))
        objects = tuple(self._objects(places, at))
        return Scene(goal, start, receptacles, objects, {kind: frozenset(held) for kind, held in holds.items()})

    def _places(self) -> dict[str, int]:
        found = sorted({row[1] for key in ("receptacleatlocation", "atlocation", "objectatlocation")
                        for row in self.facts.get(key, ())})  # fmt: skip
        return {name: i for i, name in enumerate(found)}

    def _set(self, key: str) -> set[str]:
        return {row[0] for row in self.facts.get(key, ())}

    def _objects(self, places: Mapping[str, int], at: Mapping[str, int]) -> Iterator[SceneObject]:
        inside: dict[str, list[str]] = {}
        for row in self.facts.get("inreceptacle", ()):
            inside.setdefault(row[0], []).append(row[1])
        able = {key: self._set(key) for key in _ABLE}
        states = {key: self._set(key) for key in _STATE}
        boxes = self._set("isreceptacleobject")
        shown: dict[str, list[str]] = {}
        for row in self.facts.get("inreceptacleobject", ()):
            if row[0] in self.names and row[0] != row[1]:  # the engine never lists a container in itself
                shown.setdefault(row[1], []).append(self.names[row[0]])
        stands = {row[0]: places[row[1]] for row in self.facts.get("objectatlocation", ())}
        for row in sorted(self.facts.get("objecttype", ())):
            thing = row[0]
            lies = sorted(inside.get(thing, ()))
            if not lies:
                continue  # it takes a number and is nowhere to be found
            strange = next((r for r in lies if r not in at or r not in self.names), None)
            if strange is not None:
                raise BadInput(f"{self.where}: {thing} lies in {strange}, which is no receptacle")
            place = stands.get(thing)
            found = SceneObject(
                self.names[thing],
                tuple(self.names[r] for r in lies),
                frozenset(_ABLE[key] for key in _ABLE if thing in able[key]),
                frozenset(_STATE[key] for key in _STATE if thing in states[key]),
                None if place == at[lies[0]] else place,
            )
            told = tuple(shown.get(thing, ())) if thing in boxes else None
            yield found if told == found.told_inside else replace(found, shows=told)


def _kind(thing: str) -> str:
    kind = thing.partition("_bar_")[0]
    return f"{kind}basin" if "basin" in thing and not kind.endswith("basin") else kind


_WORDS = {
    "take": "pickupable", "heat": "heatable", "cool": "coolable", "clean": "cleanable", "slice": "sliceable",
    "use": "toggleable",
}  # fmt: skip


def write_problem(scene: Scene) -> str:
    """A scene as a PDDL problem that ALFWorld's engine and domain accept.

    Raises:
        BadInput: For an extended scene, which ALFWorld's rules cannot express.
    """
    if scene.extended:
        raise BadInput("an extended scene has no ALFWorld problem: its rules are not ALFWorld's")
    if scene.goal.kind == "all" or scene.goal.count > 2 or "sliced" in scene.goal.must_be:
        raise BadInput(f"the goal {scene.goal.text!r:.80} is none of ALFWorld's six kinds")
    most: Counter[str] = Counter()
    named = [thing.name for thing in scene.receptacles] + [thing.name for thing in scene.objects]
    shown = [name for o in scene.objects for name in o.told_inside or ()]
    for name in named + shown:
        kind, _, number = name.partition(" ")
        most[kind] = max(most[kind], int(number))

    def mangled(name: str) -> str:
        kind, _, number = name.partition(" ")
        rank = most[kind] - int(number)
        return f"{kind[:-5]}_bar_{rank:03d}_bar_basin" if kind.endswith("basin") else f"{kind}_bar_{rank:03d}"

    r_kinds = sorted({r.kind for r in scene.receptacles} | {"sinkbasin", "microwave", "fridge"})
    o_kinds = sorted(
        {o.kind for o in scene.objects} | {name.split(" ")[0] for name in shown} | {"knife", "butterknife"}
    )
    places = sorted(
        {r.place for r in scene.receptacles} | {scene.start} | {o.place for o in scene.objects if o.place is not None}
    )
    things = ["agent1 - agent", *(f"loc{place} - location" for place in places)]
    things += [f"{kind}type - rtype" for kind in r_kinds]
    things += [f"{kind}type - otype" for kind in o_kinds if kind not in r_kinds]
    facts = [f"atlocation agent1 loc{scene.start}"]
    at = {r.name: r.place for r in scene.receptacles}
    for r in scene.receptacles:
        name = mangled(r.name)
        things.append(f"{name} - receptacle")
        facts += [f"receptacletype {name} {r.kind}type", f"receptacleatlocation {name} loc{r.place}"]
        facts += [f"openable {name}"] * r.openable + [f"opened {name}"] * r.open
    for kind in o_kinds:  # numbers that no object has are dealt to one that is nowhere, as in ALFWorld
        for count in range(1, most[kind] + 1):
            if f"{kind} {count}" not in named:
                name = mangled(f"{kind} {count}")
                things.append(f"{name} - object")
                facts.append(f"objecttype {name} {kind}type")
    for o in scene.objects:
        name = mangled(o.name)
        things.append(f"{name} - object")
        facts.append(f"objecttype {name} {o.kind}type")
        facts += [f"{_WORDS[ability]} {name}" for ability in sorted(o.able)]
        facts += [f"{key} {name}" for key, state in _STATE.items() if state in o.state]
        facts += [f"inreceptacle {name} {mangled(r)}" for r in o.inside_of]
        facts.append(f"objectatlocation {name} loc{o.place if o.place is not None else at[o.inside_of[0]]}")
        if o.told_inside is not None:
            facts.append(f"isreceptacleobject {name}")
            facts += [f"inreceptacleobject {mangled(inner)} {name}" for inner in o.told_inside]
    for kind in r_kinds:
        facts += [f"cancontain {kind}type {held}type" for held in sorted(scene.holds.get(kind, ())) if held in o_kinds]
    body = "\n".join(f"({fact})" for fact in facts)
    return (
        f"(define (problem house)\n(:domain alfred)\n(:objects\n{chr(10).join(things)}\n)\n(:init\n{body}\n)\n"
        f"(:goal {_goal_form(scene.goal)})\n)\n"
    )


def _goal_form(goal: Goal) -> str:
    if goal.kind == "light":
        return (
            "(and (exists (?ot - object ?r - receptacle ?a - agent ?l - location) (and "
            f"(objectType ?ot {goal.light}Type) (toggleable ?ot) (isToggled ?ot) (receptacleAtLocation ?r ?l) "
            "(atLocation ?a ?l) (inReceptacle ?ot ?r))) "
            f"(exists (?o - object ?a - agent) (and (objectType ?o {goal.object}Type) (holds ?a ?o))))"
        )
    words = {
        "clean": "(cleanable {}) (isClean {})",
        "hot": "(heatable {}) (isHot {})",
        "cool": "(coolable {}) (isCool {})",
    }

    def lies(variable: str) -> str:
        treated = " ".join(words[state].replace("{}", variable) for state in goal.must_be)
        return f"(objectType {variable} {goal.object}Type) {treated} (inReceptacle {variable} ?r)"

    inner = lies("?o")
    if goal.count == 2:
        inner += f" (exists (?o2 - object) (and (not (= ?o ?o2)) {lies('?o2')}))"
    where = f"(receptacleType ?r {goal.receptacle}Type)"
    return f"(and (exists (?r - receptacle) (exists (?o - object) (and {where} {inner}))))"
