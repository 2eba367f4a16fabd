"""Crafting by recipes: gather what grows and lies about, craft the rest, or say that it cannot be had."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.puzzles import fields
from proofgym.envs.worlds.base import WorldEnv
from proofgym.errors import BadInput

__all__ = ["CraftWorld", "Crafting", "batches"]

_MATERIALS = (
    "oak", "birch", "copper", "iron", "tin", "clay", "sand", "reed", "flax", "wool", "stone", "amber", "bone", "resin",
    "slate", "ash", "hemp", "moss", "salt", "coal",
)  # fmt: skip
_FORMS = (
    "plank", "rod", "plate", "brick", "cord", "cloth", "wheel", "frame", "blade", "jar", "hinge", "basket", "lamp",
    "gear", "spring", "panel", "handle", "lens", "belt", "crate",
)  # fmt: skip
_GET = re.compile(r"get ([0-9]{1,4}) ([a-z]+(?: [a-z]+)?)")
_CRAFT = re.compile(r"craft ([a-z]+(?: [a-z]+)?)")

Recipe = tuple[int, dict[str, int]]
"""How many one batch gives, and what it takes."""


def batches(
    recipes: Mapping[str, Recipe], raw: Sequence[str], wanted: Mapping[str, int], held: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]] | None:
    """What to gather and how many batches of what to craft, at the least; `None` if something cannot be had.

    Each thing has one recipe, so demands add up along the recipes: going from what is wanted to what is needed for it,
    every demand is known before it is covered, first from what is held, then in whole batches. That is the least,
    because fewer batches of anything would leave its demand unmet.
    """
    order: list[str] = []
    state: dict[str, int] = {}

    def visit(thing: str) -> bool:
        if state.get(thing) == 2:
            return True
        if state.get(thing) == 1:
            return False  # it needs itself
        state[thing] = 1
        _, takes = recipes.get(thing, (0, {}))
        if not all(visit(part) for part in takes):
            return False
        state[thing] = 2
        order.append(thing)
        return True

    need = dict(wanted)
    if not all(visit(thing) for thing in wanted):
        return None
    gather: dict[str, int] = {}
    craft: dict[str, int] = {}
    for thing in reversed(order):
        missing = need.get(thing, 0) - held.get(thing, 0)
        if missing <= 0:
            continue
        if thing in raw:
            gather[thing] = missing
        elif thing in recipes:
            gives, takes = recipes[thing]
            craft[thing] = -(-missing // gives)
            for part, amount in takes.items():
                need[part] = need.get(part, 0) + amount * craft[thing]
        else:
            return None
    return gather, {thing: craft[thing] for thing in order if thing in craft}


class CraftWorld:
    """One state of a workshop: what is held; recipes and the aim never change."""

    held: dict[str, int]
    declared: bool
    won: bool
    lost: str

    def __init__(self, instance: Any) -> None:
        if not isinstance(instance, Mapping):
            raise BadInput(f"an instance is a JSON object, found {instance!r:.80}")
        fields.only(instance, "recipes", "raw", "target", "amount")
        self.raw = fields.texts(instance, "raw", least=1, most=60, longest=40)
        self.target = fields.text(instance, "target", most=40)
        self.amount = fields.whole(instance, "amount", 1, 99)
        recipes = instance["recipes"]
        if not isinstance(recipes, Mapping) or not 1 <= len(recipes) <= 100:
            raise BadInput(f"'recipes' maps 1 to 100 things to [gives, takes], found {recipes!r:.80}")
        self.recipes: dict[str, Recipe] = {}
        for thing, row in recipes.items():
            fits = isinstance(row, (list, tuple)) and len(row) == 2 and isinstance(row[1], Mapping) and row[1]
            if not fits or thing in self.raw or not re.fullmatch(r"[a-z]+(?: [a-z]+)?", thing):
                raise BadInput(
                    f"the recipe of {thing!r:.40} is [gives, takes] of a thing that is not raw, found {row!r:.80}"
                )
            gives = fields.whole({"gives": row[0]}, "gives", 1, 99)
            self.recipes[thing] = (gives, {str(part): fields.whole(row[1], part, 1, 99) for part in row[1]})
        if self.target not in self.recipes:
            raise BadInput(f"'target' is a thing with a recipe, found {self.target!r:.40}")
        self.held, self.declared, self.won, self.lost = {}, False, False, ""
        self.possible = batches(self.recipes, self.raw, {self.target: self.amount}, {}) is not None

    def copy(self) -> CraftWorld:
        """A twin; neither sees what the other does."""
        other = object.__new__(CraftWorld)
        other.__dict__.update(self.__dict__)
        other.held = dict(self.held)
        return other

    def state(self) -> dict[str, Any]:
        """Everything that changes, as JSON content."""
        return {"held": dict(self.held), "declared": self.declared}

    def restore(self, data: Any) -> None:
        """Take up a state that `state` wrote.

        Raises:
            BadInput: If it is no state of this workshop.
        """
        held = data.get("held") if isinstance(data, Mapping) else None
        things = {*self.raw, *self.recipes}
        if not isinstance(held, Mapping) or not set(held) <= things or not isinstance(data.get("declared"), bool):
            raise BadInput(f"this is no state of this workshop: {data!r:.80}")
        self.held, self.declared = {thing: fields.whole(held, thing, 0, 10**9) for thing in held}, data["declared"]
        self._update()

    def welcome(self) -> str:
        """The first observation."""
        lines = [
            f"- {gives} {thing}: {', '.join(f'{amount} {part}' for part, amount in takes.items())}"
            for thing, (gives, takes) in self.recipes.items()
        ]
        return (
            f"Your aim: have {self.amount} {self.target}. Recipes (what one batch gives, and what it takes):\n"
            + "\n".join(lines)
            + "\nWrite 'get N THING' for what can be gathered (you find out what can), 'craft THING' for one batch, "
            "'inventory', or 'impossible' if the aim cannot be reached."
        )

    def map(self) -> str:
        """The aim, what is held, what can be gathered, and what is left to do."""
        held = ", ".join(f"{amount} {thing}" for thing, amount in self.held.items() if amount)
        return (
            f"aim: {self.amount} {self.target}{'' if self.possible else ' (impossible)'}\nheld: {held or 'nothing'}\n"
            f"raw: {', '.join(self.raw)}\nleft: {', '.join(self.plan() or []) or '-'}"
        )

    def step(self, command: str) -> str:
        """Carry out a command and say what happened."""
        command = " ".join(command.lower().split()).rstrip(".")[:120]
        said = self._act(command)
        self._update()
        return said

    def admissible(self) -> list[str]:
        """Getting one of each raw thing, every batch that can be crafted, and the rest."""
        crafts = [f"craft {thing}" for thing, (_, takes) in self.recipes.items() if self._enough(takes)]
        return sorted([*crafts, *(f"get 1 {thing}" for thing in self.raw), "impossible", "inventory"])

    def plan(self) -> list[str] | None:
        """The fewest commands: one for each thing to gather, one for each batch."""
        if self.lost:
            return None
        if self.won:
            return []
        if not self.possible:
            return ["impossible"]
        found = batches(self.recipes, self.raw, {self.target: self.amount}, self.held)
        assert found is not None
        gather, craft = found
        gets = [f"get {amount} {thing}" for thing, amount in gather.items()]
        return gets + [f"craft {thing}" for thing, count in craft.items() for _ in range(count)]

    def _update(self) -> None:
        self.won = self.held.get(self.target, 0) >= self.amount or (self.declared and not self.possible)
        self.lost = "it is not impossible" if self.declared and self.possible else ""

    def _enough(self, takes: Mapping[str, int]) -> bool:
        return all(self.held.get(part, 0) >= amount for part, amount in takes.items())

    def _act(self, command: str) -> str:
        if command == "inventory":
            held = ", ".join(f"{amount} {thing}" for thing, amount in self.held.items() if amount)
            return f"You have {held or 'nothing'}."
        if command == "impossible":
            self.declared = True
            return "You say that the aim cannot be reached."
        found = _GET.fullmatch(command)
        if found:
            amount, thing = int(found[1]), found[2]
            if thing not in self.raw:
                return f"{thing} cannot be gathered."
            if not 1 <= amount <= 999:
                return "You can get 1 to 999 at a time."
            self.held[thing] = self.held.get(thing, 0) + amount
            return f"You get {amount} {thing}."
        found = _CRAFT.fullmatch(command)
        if not found:
            return "That is not a command: write 'get N THING', 'craft THING', 'inventory' or 'impossible'."
        if found[1] not in self.recipes:
            return f"There is no recipe for {found[1]}."
        gives, takes = self.recipes[found[1]]
        if not self._enough(takes):
            lacks = next(part for part, amount in takes.items() if self.held.get(part, 0) < amount)
            return f"You have {self.held.get(lacks, 0)} {lacks}, and {takes[lacks]} are needed."
        for part, amount in takes.items():
            self.held[part] -= amount
        self.held[found[1]] = self.held.get(found[1], 0) + gives
        return f"You craft {gives} {found[1]}."


class Crafting(WorldEnv):
    """Asks for a thing that has to be crafted in several steps, or to say that it cannot be had, one command a turn.

    Observation: first the aim and the recipes, then what each command came to.
    Action: `get N THING`, `craft THING`, `inventory` or `impossible`, on the last line.
    Episode: terminated when the aim is reached, or `impossible` was said; truncated after 80 commands.

    A quarter of the aims are impossible: something on the way can neither be gathered nor crafted, or needs itself.
    What can be gathered is not told. The distance is exact: each thing has one recipe, so the least numbers of batches
    follow from the demands. Wrongly saying `impossible` costs what was won and one more.

    Args:
        level: Chains of two recipes at 0; of six, with bigger numbers and more recipes that do not matter, at 1.
    """

    family = "crafting_world"
    floor: float = 0.05
    default_max_turns: ClassVar[int] = 80

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        possible = float(rng.random()) >= 0.25
        while True:
            instance = _draw(rng, self.level, possible=possible)
            world = CraftWorld(instance)
            plan = world.plan()
            if world.possible == possible and plan and len(plan) <= self.default_max_turns // 2:
                return instance

    def build(self, instance: Mapping[str, Any]) -> CraftWorld:
        return CraftWorld(instance)

    def difficulty(self, instance: Mapping[str, Any]) -> float:
        """By the number of recipes."""
        return min(1.0, len(self.first(instance).recipes) / 24)

    def cheats(self) -> Sequence[str]:
        target = self._world.target if self._world else "thing"
        wrong = ["impossible"] if self._world and self._world.possible else []
        return (*super().cheats(), *wrong, f"get 99 {target}", f"craft {target}", "get 0 oak", "get -1 oak",
                "get 99999999 oak", "possible")  # fmt: skip


def _draw(rng: np.random.Generator, level: float, *, possible: bool) -> dict[str, Any]:
    raw = [_MATERIALS[i] for i in rng.permutation(len(_MATERIALS))[: 4 + round(4 * level)].tolist()]
    depth, width = 2 + round(4 * level), 2 + round(level)
    names = [f"{_MATERIALS[i % len(_MATERIALS)]} {_FORMS[i // len(_MATERIALS)]}"
             for i in rng.permutation(len(_MATERIALS) * len(_FORMS))[: depth * width].tolist()]  # fmt: skip
    recipes: dict[str, list[Any]] = {}
    below, last = list(raw), list(raw)
    for layer in range(depth):
        made = names[layer * width : (layer + 1) * width]
        for thing in made:
            parts = [below[i] for i in rng.permutation(len(below))[: 1 + int(rng.integers(1, 3))].tolist()]
            if layer and not set(parts) & set(last):
                parts[0] = last[int(rng.integers(len(last)))]
            most = 1 + round(2 * level)
            recipes[thing] = [int(rng.integers(1, 4)), {part: int(rng.integers(1, most + 1)) for part in parts}]
        last = made
        below = [*below, *made]
    target = last[int(rng.integers(len(last)))]
    if not possible:
        _spoil(rng, recipes, raw, target)
    order = list(recipes)
    shown = {order[i]: recipes[order[i]] for i in rng.permutation(len(order)).tolist()}
    return {"recipes": shown, "raw": raw, "target": target, "amount": int(rng.integers(1, 3 + round(3 * level)))}


def _spoil(rng: np.random.Generator, recipes: dict[str, list[Any]], raw: list[str], target: str) -> None:
    """Make the target impossible: take a raw thing away that it needs, or let a recipe on the way need the target."""
    needed, queue = set(), [target]
    for thing in queue:
        if thing not in needed:
            needed.add(thing)
            queue += recipes[thing][1] if thing in recipes else []
    gone = sorted(needed & set(raw))
    if float(rng.random()) < 0.5 and len(raw) > 1:
        raw.remove(gone[int(rng.integers(len(gone)))])
    else:
        inner = sorted(needed & set(recipes))
        recipes[inner[int(rng.integers(len(inner)))]][1][target] = 1
