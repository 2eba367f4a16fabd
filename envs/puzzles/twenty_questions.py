"""Twenty questions over a table: find the secret row by its properties."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.guessing import GuessingGame
from proofgym.errors import BadInput

__all__ = ["TwentyQuestions"]

_PROPERTIES = {
    "colour": ("red", "blue", "green", "white", "black"),
    "size": ("tiny", "small", "large", "huge"),
    "shape": ("round", "flat", "long", "cubic"),
    "material": ("wood", "metal", "glass", "stone", "paper"),
    "origin": ("north", "south", "east", "west"),
    "age": ("new", "old", "ancient"),
}
_NAMES = (
    "ball", "bell", "book", "bowl", "box", "brush", "candle", "chair", "clock", "coin", "comb", "crown", "cup",
    "doll", "door", "drum", "fan", "flag", "flute", "fork", "gate", "glove", "harp", "hat", "horn", "jar", "kettle",
    "key", "kite", "knife", "ladder", "lamp", "lens", "lock", "mask", "mirror", "needle", "nest", "pen", "pipe",
    "plate", "ring", "rope", "ruler", "saddle", "scarf", "shield", "shoe", "spoon", "stamp", "stool", "sword",
    "table", "tile", "top", "tray", "urn", "vase", "wheel", "whistle",
)  # fmt: skip
_ASK = re.compile(r"(?:ask |is (?:it |its |the )?)?([a-z]{1,12}) ?(?:=|is|:)? ?([a-z]{1,12})\??", re.ASCII)


class TwentyQuestions(GuessingGame[int]):
    """Find the secret object of a table with questions about its properties, answered yes or no."""

    family = "twenty_questions"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "objects": Knob(16, 40, "rows of the table", 4, 60),
        "properties": Knob(4, 6, "columns of the table", 2, 6),
        "spare": Knob(2, 1, "turns beyond those of a player who asks what splits best", 0, 10),
    }
    hardness_of = "turns of a player who asks what splits best"
    steps_floor = 0.3  # random questions leave few candidates; with the turns at their end, they count for nothing

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        columns = list(_PROPERTIES)[: knobs["properties"]]
        draws = Draws(cls.family)
        while True:
            draws.count()
            values = [rng.integers(len(_PROPERTIES[c]), size=(knobs["objects"],)).tolist() for c in columns]
            names = [_NAMES[i] for i in rng.permutation(len(_NAMES))[: knobs["objects"]].tolist()]
            table = [
                [name, *(_PROPERTIES[c][values[j][i]] for j, c in enumerate(columns))] for i, name in enumerate(names)
            ]
            secret = int(rng.integers(len(table)))
            puzzle = cls({"properties": columns, "table": table, "secret": secret, "turns": 60})
            turns = int(puzzle.hardness())
            if turns > 2:
                return cls({**puzzle.data, "turns": turns + knobs["spare"]})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "properties", "table", "secret", "turns")
        letters = "abcdefghijklmnopqrstuvwxyz"
        self.properties = fields.texts(data, "properties", letters, most=8, longest=12)
        if not isinstance(data["table"], (list, tuple)) or not 2 <= len(data["table"]) <= 60:
            raise BadInput(f"'table' has 2 to 60 rows, found {data['table']!r:.80}")
        width = len(self.properties) + 1
        self.table = [
            fields.texts({"table": row}, "table", letters, least=width, most=width, longest=12) for row in data["table"]
        ]
        if len({row[0] for row in self.table}) < len(self.table) or len(set(self.properties)) < len(self.properties):
            raise BadInput("rows and properties have different names")
        self.secret = fields.whole(data, "secret", 0, len(self.table) - 1)
        self.limit = fields.whole(data, "turns", 1, 60)
        self._rows = {row[0]: i for i, row in enumerate(self.table)}
        self._asks: dict[str, tuple[int, str]] = {}
        for column, name in enumerate(self.properties, 1):
            for value in sorted({row[column] for row in self.table}):
                self._asks[f"{name} {value}"] = (column, value)
        self._all = range(len(self.table))

    def candidates(self) -> Sequence[int]:
        return self._all

    def asking(self) -> Sequence[str]:
        return [*self._asks, *(f"guess {name}" for name in self._rows)]

    def naming(self, candidate: int) -> str:
        return f"guess {self.table[candidate][0]}"

    def named(self, move: str) -> str:
        word = move.removeprefix("guess ").removeprefix("it is the ")
        if word in self._rows:
            return f"guess {word}"
        found = _ASK.fullmatch(move)
        if not found or f"{found[1]} {found[2]}" not in self._asks:
            raise Illegal("A move asks, 'colour red', or guesses, 'guess ball', with the words of the table.")
        return f"{found[1]} {found[2]}"

    def answer(self, move: str, candidate: int) -> str:
        column, value = self._asks.get(move, (0, move.removeprefix("guess ")))
        return "yes" if self.table[candidate][column] == value else "no"

    def careful(self, possible: Sequence[int]) -> str:
        """The question whose answer halves the candidates best; the first of those."""
        if len(possible) <= 2:
            return self.naming(possible[0])

        def off_half(ask: str) -> int:
            column, value = self._asks[ask]
            return abs(2 * sum(self.table[i][column] == value for i in possible) - len(possible))

        return min(self._asks, key=off_half)

    def hardness(self) -> float:
        """Candidates that no question tells apart are guessed one by one."""
        state: tuple[str, ...] = ()
        while not self.solved(state):
            possible = self.possible(state)
            ask = self.careful(possible)
            if len({self.answer(ask, one) for one in possible}) < 2:
                ask = self.naming(possible[0])
            state = (*state, ask)
        return float(len(state))

    def rules(self) -> str:
        rows = "\n".join(f"{row[0]}: {', '.join(row[1:])}" for row in self.table)
        return (
            f"One object of this table is the secret; after its name stand {', '.join(self.properties)}.\n{rows}\n"
            "A move asks about a property, 'colour red', answered yes or no, or guesses an object, 'guess ball'. "
            f"Guess the secret within {self.limit} turns, questions and guesses together."
        )
