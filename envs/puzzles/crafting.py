"""Crafting: gather and make things by recipes, within a number of days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput

__all__ = ["Crafting"]

_RAW = ("wood", "stone", "clay", "ore", "reed", "sand", "wool", "herbs")
_MADE = (
    "plank", "brick", "rope", "ingot", "glass", "cloth", "pot", "axe", "hammer", "lamp", "net", "wheel", "barrel",
    "cart", "loom", "kiln", "ladder", "bell", "mill", "bridge",
)  # fmt: skip

Position = tuple[int, ...]
"""The days left, and then how many of each item are there."""


class Crafting(MovePuzzle[Position]):
    """Make an item within some days, each gathering or crafting taking one.

    Items are ordered so that a recipe uses earlier ones only, and tools are never used up; so the least number of days
    is counted from the goal down, exactly: what is needed of an item, less what is there, in whole batches.
    """

    family = "crafting"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "raw": Knob(3, 5, "things that can be gathered", 2, 8),
        "made": Knob(3, 9, "things that can be crafted", 2, 14),
        "days": Knob(6, 24, "least number of days, about", 3, 60),
    }
    hardness_of = "least number of days"

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        raw, made = knobs["raw"], knobs["made"]
        tries = 0
        draws = Draws(cls.family)
        while True:
            draws.count()
            tries += 1
            names = [_RAW[i] for i in rng.permutation(len(_RAW))[:raw].tolist()]
            names += [_MADE[i] for i in rng.permutation(len(_MADE))[:made].tolist()]
            recipes, tools = _drawn_recipes(rng, raw, raw + made)
            goal = raw + made - 1
            if goal in tools:
                continue
            draft = cls({"items": names, "recipes": recipes, "goal": goal, "count": 1, "days": 1})
            days = draft._least((0,) * len(names))
            used = sum(needed > 0 for needed in draft._wanted((0,) * len(names)))
            if used < 3 or abs(days - knobs["days"]) > 1 + knobs["days"] // 6 + tries // 50:
                continue
            return cls({**draft.data, "days": days + max(1, days // 5)})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "items", "recipes", "goal", "count", "days")
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.items = fields.texts(data, "items", letters, least=2, most=30, longest=20)
        if len(set(self.items)) < len(self.items):
            raise BadInput(f"'items' are different names, found {list(self.items)!r:.80}")
        self._goal = fields.whole(data, "goal", 0, len(self.items) - 1)
        self._count = fields.whole(data, "count", 1, 20)
        self._days = fields.whole(data, "days", 1, 200)
        recipes = data["recipes"]
        if not isinstance(recipes, (list, tuple)) or len(recipes) != len(self.items):
            raise BadInput(f"'recipes' has one [batch, needs, tool] for each item, found {recipes!r:.80}")
        self._recipes: list[tuple[int, tuple[tuple[int, int], ...], int]] = []
        for item, recipe in enumerate(recipes):
            if not isinstance(recipe, (list, tuple)) or len(recipe) != 3 or not isinstance(recipe[1], (list, tuple)):
                raise BadInput(f"a recipe is [batch, [[item, count], ...], tool or -1], found {recipe!r:.80}")
            batch = fields.whole({"batch": recipe[0]}, "batch", 1, 20)
            tool = fields.whole({"tool": recipe[2]}, "tool", -1, item - 1)
            needs = []
            for need in recipe[1]:
                pair = fields.wholes({"needs": need}, "needs", 0, 30, least=2, most=2)
                if pair[0] >= item or not 1 <= pair[1] <= 20:
                    raise BadInput(f"a recipe needs 1 to 20 of earlier items, found {need!r:.80} for item {item}")
                needs.append((pair[0], pair[1]))
            if len({part for part, _ in needs}) < len(needs):
                raise BadInput(f"a recipe names each need once, found {recipe!r:.80}")
            self._recipes.append((batch, tuple(needs), tool))
        tools = {tool for _, _, tool in self._recipes}
        if any(part in tools for _, needs, _ in self._recipes for part, _ in needs):
            raise BadInput("a tool is never used up by a recipe")
        self._names = {}
        for item, name in enumerate(self.items):
            self._names[f"{'craft' if self._recipes[item][1] else 'gather'} {name}"] = item

    def rules(self) -> str:
        lines = []
        for move, item in self._names.items():
            batch, needs, tool = self._recipes[item]
            cost = " + ".join(f"{count} {self.items[part]}" for part, count in needs)
            with_tool = f" (needs a {self.items[tool]} at hand, which is kept)" if tool >= 0 else ""
            lines.append(f"{move}: {cost + ' -> ' if cost else ''}{batch} {self.items[item]}{with_tool}")
        moves = "\n".join(lines)
        return (
            f"Crafting: you have nothing, and {self._days} days. Each move takes one day:\n{moves}\n"
            f"Have {self._count} {self.items[self._goal]} before the days run out. A move is written as "
            "above, before the colon."
        )

    def start(self) -> Position:
        return (self._days, *(0 for _ in self.items))

    def pack(self, state: Position) -> Any:
        return list(state)

    def unpack(self, data: Any) -> Position:
        size = len(self.items) + 1
        state = fields.wholes({"position": data}, "position", 0, 4000, least=size, most=size)
        if state[0] > self._days:
            raise BadInput(f"a position has at most {self._days} days left, found {state[0]}")
        return state

    def view(self, state: Position) -> str:
        have = ", ".join(f"{count} {name}" for name, count in zip(self.items, state[1:], strict=True) if count)
        return f"Days left: {state[0]}. You have: {have or 'nothing'}."

    def moves(self, state: Position) -> list[str]:
        if not state[0] or self.solved(state):
            return []
        return [move for move, item in self._names.items() if not self._lacking(state, item)]

    def _lacking(self, state: Position, item: int) -> str:
        _, needs, tool = self._recipes[item]
        if tool >= 0 and not state[1 + tool]:
            return f"You need a {self.items[tool]} for that."
        for part, count in needs:
            if state[1 + part] < count:
                return f"That takes {count} {self.items[part]}, and you have {state[1 + part]}."
        return ""

    def apply(self, state: Position, move: str) -> Position:
        item = self._names.get(move)
        if item is None:
            raise Illegal(f"A move is one of: {', '.join(self._names)}.")
        if not state[0]:
            raise Illegal("There are no days left.")
        lacking = self._lacking(state, item)
        if lacking:
            raise Illegal(lacking)
        batch, needs, _ = self._recipes[item]
        after = list(state)
        after[0] -= 1
        after[1 + item] += batch
        for part, count in needs:
            after[1 + part] -= count
        return tuple(after)

    def solved(self, state: Position) -> bool:
        return state[1 + self._goal] >= self._count

    def lost(self, state: Position) -> str | None:
        return "The days have run out." if not state[0] and not self.solved(state) else None

    def distance(self, state: Position) -> int | None:
        least = self._least(state[1:])
        return least if least <= state[0] else None

    def best(self, state: Position) -> str:
        wanted = self._wanted(state[1:])
        for move, item in self._names.items():
            if wanted[item] > 0:
                return move  # the earliest item that is short: all that it needs is there
        return next(iter(self.moves(state)), next(iter(self._names)))

    def _wanted(self, have: Position) -> list[int]:
        """How often each item has to be gathered or crafted."""
        needed = [0] * len(have)
        times = [0] * len(have)
        needed[self._goal] = self._count
        for item in range(len(have) - 1, -1, -1):
            short = needed[item] - have[item]
            if short > 0:
                batch, needs, tool = self._recipes[item]
                times[item] = -(-short // batch)
                for part, count in needs:
                    needed[part] += count * times[item]
                if tool >= 0:
                    needed[tool] = max(needed[tool], 1)
        return times

    def _least(self, have: Position) -> int:
        return sum(self._wanted(have))


def _drawn_recipes(rng: np.random.Generator, raw: int, total: int) -> tuple[list[list[Any]], set[int]]:
    """Recipes in order: each uses one to three earlier things, and now and then a tool."""
    recipes: list[list[Any]] = [[int(batch), [], -1] for batch in rng.integers(1, 3, size=(raw,))]
    tools: set[int] = set()
    for item in range(raw, total):
        parts = [part for part in range(item) if part not in tools]
        chosen = rng.permutation(len(parts))[: int(rng.integers(1, 4))].tolist()
        needs = [[parts[i], int(rng.integers(1, 4))] for i in sorted(chosen)]
        consumed = {part for _, uses, _ in recipes for part, _ in uses} | {part for part, _ in needs}
        able = [part for part in range(raw, item) if part not in consumed]
        tool = able[int(rng.integers(len(able)))] if able and rng.random() < 0.4 else -1
        if tool >= 0:
            tools.add(tool)
        recipes.append([int(rng.integers(1, 3)), needs, tool])
    return recipes, tools
