"""Word ladders over a given list of words."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.envs.puzzles.short_words import FOUR, THREE
from proofgym.errors import BadInput

__all__ = ["WordLadder"]

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


class WordLadder(MovePuzzle[str]):
    """Turn one word into another, one letter at a time, over words of a given list.

    The list is part of the question, so nobody has to guess which words count.
    """

    family = "word_ladder"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "letters": Knob(3, 4, "letters of each word", 3, 4),
        "distance": Knob(4, 8, "least number of steps", 2, 10),
        "words": Knob(80, 200, "words of the list", 4, 300),
    }
    hardness_of = "least number of steps"
    steps_floor: ClassVar[float] = 0.25
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        words = THREE if knobs["letters"] == 3 else FOUR
        near = _all_neighbours(knobs["letters"])
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            start = words[int(rng.integers(len(words)))]
            distance, came = _breadth_first(start, near)
            ends = [word for word, d in distance.items() if d == knobs["distance"]]
            if not ends:
                continue
            target = ends[int(rng.integers(len(ends)))]
            listed, word = {start}, target
            while word != start:
                listed.add(word)
                word = came[word]
            for i in rng.permutation(len(words)).tolist():
                if len(listed) >= knobs["words"]:
                    break
                listed.add(words[i])
            return cls({"words": sorted(listed), "start": start, "target": target})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "words", "start", "target")
        self.words = fields.texts(data, "words", _LETTERS, least=2, most=1000, longest=12)
        self._known = set(self.words)
        if len({len(word) for word in self.words}) > 1 or len(self._known) < len(self.words):
            raise BadInput("'words' are different words of equally many letters")
        self._start, self.target = fields.one_of(data, "start", self.words), fields.one_of(data, "target", self.words)

    def canonical(self) -> Any:
        return [sorted(self.words), self._start, self.target]

    @functools.cached_property
    def _distances(self) -> dict[str, int]:
        return _breadth_first(self.target, _neighbours(self.words))[0]

    def rules(self) -> str:
        return (
            f"Word ladder: get from {self._start!r} to {self.target!r}. A move changes one letter of the word, and "
            f"the new word has to be one of these:\n{' '.join(self.words)}\nA move is the new word."
        )

    def start(self) -> str:
        return self._start

    def pack(self, state: str) -> Any:
        return state

    def unpack(self, data: Any) -> str:
        return fields.one_of({"position": data}, "position", self.words)

    def view(self, state: str) -> str:
        return f"The word is {state!r}, the target is {self.target!r}."

    def moves(self, state: str) -> list[str]:
        return [word for word in self.words if _differ(word, state) == 1]

    def apply(self, state: str, move: str) -> str:
        if move not in self._known:
            raise Illegal("That word is not in the list.")
        if _differ(move, state) != 1:
            raise Illegal(f"It does not differ from {state!r} in exactly one letter.")
        return move

    def distance(self, state: str) -> int | None:
        return self._distances.get(state)

    def best(self, state: str) -> str:
        moves = self.moves(state)
        return min(moves, key=lambda word: (self._distances.get(word, 10**6), word)) if moves else "undo"

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.target}", f"Answer: {' '.join(self.words)}", f"Answer: {', '.join(self.words)}")


def _differ(one: str, two: str) -> int:
    return sum(a != b for a, b in zip(one, two, strict=False))


def _neighbours(words: Sequence[str]) -> dict[str, list[str]]:
    """For each word those with one other letter, in the order of the list."""
    holes: dict[str, list[str]] = {}
    for word in words:
        for i in range(len(word)):
            holes.setdefault(f"{word[:i]}_{word[i + 1 :]}", []).append(word)
    near: dict[str, list[str]] = {word: [] for word in words}
    for group in holes.values():
        for word in group:
            near[word] += [other for other in group if other != word]
    return near


@functools.lru_cache(maxsize=2)
def _all_neighbours(letters: int) -> dict[str, list[str]]:
    return _neighbours(THREE if letters == 3 else FOUR)


def _breadth_first(start: str, near: Mapping[str, Sequence[str]]) -> tuple[dict[str, int], dict[str, str]]:
    distance, came, queue = {start: 0}, {start: ""}, deque([start])
    while queue:
        word = queue.popleft()
        for other in near[word]:
            if other not in distance:
                distance[other], came[other] = distance[word] + 1, word
                queue.append(other)
    return distance, came
