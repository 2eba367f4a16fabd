"""String rewriting systems: reach a word by rules."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.errors import BadInput

__all__ = ["Rewriting"]

_ALPHABET = "abc"
_MOVE = re.compile(r"(?:rule\s*)?([0-9]{1,2})\s*(?:at|@)\s*(?:place\s*)?([0-9]{1,2})", re.ASCII)


class Rewriting(MovePuzzle[str]):
    """Rewrite a word by rules until it is the target; it may never become longer than a limit.

    With the limit there are finitely many words, so the distance is exact: a search backwards from the target.
    """

    family = "rewriting"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "rules": Knob(3, 5, "rules", 2, 8),
        "longest": Knob(5, 7, "most letters that a word may have", 3, 8),
        "distance": Knob(3, 9, "least number of moves, at least this many where a search of 400 words finds it", 2, 20),
    }
    hardness_of = "least number of moves"
    steps_floor: ClassVar[float] = 0.3
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        def word(low: int, high: int) -> str:
            return "".join(_ALPHABET[i] for i in rng.integers(3, size=int(rng.integers(low, high + 1))).tolist())

        longest = knobs["longest"]
        best: tuple[int, Self] | None = None
        for _ in range(60):
            rules: list[list[str]] = []
            while len(rules) < knobs["rules"]:
                rule = [word(1, 2), word(1, 3)]
                if rule[0] != rule[1] and rule not in rules:
                    rules.append(rule)
            start = word(max(2, longest - 3), longest - 1)
            depth = {start: 0}
            queue, last = deque([start]), start
            while queue and len(depth) < 400 and depth[last] <= knobs["distance"]:
                at = queue.popleft()
                last = at
                for after, *_ in _successors(at, rules, longest):
                    if after not in depth:
                        depth[after] = depth[at] + 1
                        queue.append(after)
            target = max(depth, key=lambda w: (min(depth[w], knobs["distance"]), w))
            reached = depth[target]
            if reached >= 2 and (best is None or reached > best[0]):
                puzzle = cls({"rules": rules, "longest": longest, "start": start, "target": target})
                puzzle.__dict__["_start_distance"] = reached
                best = (reached, puzzle)
                if reached >= knobs["distance"]:
                    break
        return best[1] if best else cls.generate(rng, knobs)

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "rules", "longest", "start", "target")
        self.longest = fields.whole(data, "longest", 1, 8)
        rules = data["rules"]
        if not (isinstance(rules, (list, tuple)) and 1 <= len(rules) <= 12):
            raise BadInput(f"'rules' are 1 to 12 pairs such as ['ab', 'c'], found {rules!r:.80}")
        self._rules = [fields.texts({"rules": r}, "rules", _ALPHABET, least=2, most=2, longest=8) for r in rules]
        self._start = fields.text(data, "start", _ALPHABET, most=self.longest)
        self.target = fields.text(data, "target", _ALPHABET, most=self.longest)
        self._distances = {self.target: 0}
        self._queue = deque([self.target])

    def canonical(self) -> Any:
        return [sorted(map(list, self._rules)), self.longest, self._start, self.target]

    def rules(self) -> str:
        rules = "\n".join(f"{i}: {a} -> {b}" for i, (a, b) in enumerate(self._rules, 1))
        return (
            f"Words of the letters a, b and c are rewritten by these rules:\n{rules}\nA move replaces one occurrence "
            f"of a left side by its right side; the word may never have more than {self.longest} letters. Rewrite "
            f"{self._start} to {self.target}.\nA move is '2 at 3': rule 2 on the letters that begin at place 3, "
            "places counted from 1."
        )

    def start(self) -> str:
        return self._start

    def pack(self, state: str) -> Any:
        return state

    def unpack(self, data: Any) -> str:
        return fields.text({"position": data}, "position", _ALPHABET, most=self.longest)

    def view(self, state: str) -> str:
        return f"The word is {state}, the target is {self.target}."

    def moves(self, state: str) -> list[str]:
        return [f"{rule} at {place}" for _, rule, place in _successors(state, self._rules, self.longest)]

    def apply(self, state: str, move: str) -> str:
        found = _MOVE.fullmatch(move)
        if not found:
            raise Illegal("A move is '2 at 3': rule 2 on the letters that begin at place 3.")
        number, place = int(found[1]), int(found[2])
        if not 1 <= number <= len(self._rules):
            raise Illegal(f"The rules go from 1 to {len(self._rules)}.")
        left, right = self._rules[number - 1]
        if place < 1 or not state.startswith(left, place - 1):
            raise Illegal(f"The letters {left} do not begin at place {place}.")
        after = state[: place - 1] + right + state[place - 1 + len(left) :]
        if len(after) > self.longest:
            raise Illegal(f"The word would have more than {self.longest} letters.")
        return after

    def distance(self, state: str) -> int | None:
        backwards = [(right, left) for left, right in self._rules]
        while state not in self._distances and self._queue:
            word = self._queue.popleft()
            for before, *_ in _successors(word, backwards, self.longest):
                if before not in self._distances:
                    self._distances[before] = self._distances[word] + 1
                    self._queue.append(before)
        return self._distances.get(state)

    def best(self, state: str) -> str:
        left = self.distance(state)
        for after, rule, place in _successors(state, self._rules, self.longest):
            if left is None or self.distance(after) == left - 1:
                return f"{rule} at {place}"
        return "undo"

    def cheats(self) -> Sequence[str]:
        return (f"Answer: {self.target}", "Answer: " + "1 at 1, " * 30, f"Answer: {self._start} -> {self.target}")


def _successors(word: str, rules: Sequence[Sequence[str]], longest: int) -> Iterator[tuple[str, int, int]]:
    """Every word that one move makes, with the rule and the place, both from 1."""
    for number, (left, right) in enumerate(rules, 1):
        if len(word) - len(left) + len(right) > longest:
            continue
        at = word.find(left)
        while at >= 0:
            yield word[:at] + right + word[at + len(left) :], number, at + 1
            at = word.find(left, at + 1)
