"""Shortest edit scripts between two words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import fields
from proofgym.envs.puzzles.answers import split_moves
from proofgym.envs.puzzles.contract import Illegal, Knob, Knobs, MovePuzzle
from proofgym.envs.puzzles.draws import Draws
from proofgym.verifiers import Verdict

__all__ = ["EditScript"]

_ALPHABET = "abcd"
_LONGEST = 40
_MOVE = re.compile(r"(insert|replace) ([a-d]) at ([0-9]{1,2})|delete ([0-9]{1,2})", re.ASCII)


class EditScript(MovePuzzle[str]):
    """Turn one word into another with as few insertions, deletions and replacements of letters as possible.

    The distance is Levenshtein's, by dynamic programming. In one answer, a script with more edits than needed is wrong.
    """

    family = "edit_script"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "letters": Knob(6, 18, "letters of the first word", 2, 30),
        "edits": Knob(3, 10, "edits that made the second word of it", 1, 20),
    }
    hardness_of = "least number of edits"
    can_undo = True

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            word = "".join(_ALPHABET[i] for i in rng.integers(4, size=int(knobs["letters"])).tolist())
            target = word
            for _ in range(knobs["edits"]):
                kind, letter = int(rng.integers(3)), _ALPHABET[int(rng.integers(4))]
                at = int(rng.integers(len(target) + 1))
                target = target[:at] + (letter if kind < 2 else "") + target[at + (kind > 0) :]
            if target and len(target) <= 38 and _levenshtein(word, target) >= max(2, knobs["edits"] // 2):
                return cls({"start": word, "target": target})

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "start", "target")
        self._start = fields.text(data, "start", _ALPHABET, most=_LONGEST)
        self.target = fields.text(data, "target", _ALPHABET, most=_LONGEST)

    def rules(self) -> str:
        return (
            f"Turn the word {self._start} into {self.target} by edits of one letter each, letters from a to d. A "
            "move is 'insert b at 3' (the new letter becomes the third), 'replace b at 3' (the third letter becomes "
            "b) or 'delete 3'. Places are counted from 1, in the word as it is then."
        )

    def question(self) -> str:
        return (
            f"{self.rules()}\nUse as few edits as possible.\n"
            "End with a line 'Answer: ' and all your moves in order, separated by commas."
        )

    def judge(self, answer: str) -> Verdict:
        verdict = super().judge(answer)
        used, fewest = len(split_moves(answer, self.most_moves)), self._from_start()
        if verdict.correct and used > fewest:
            return Verdict.wrong(f"it takes {used} edits, and {fewest} are enough", optimal=fewest / used)
        return verdict

    def start(self) -> str:
        return self._start

    def pack(self, state: str) -> Any:
        return state

    def unpack(self, data: Any) -> str:
        return fields.text({"position": data}, "position", _ALPHABET, least=0, most=_LONGEST)

    def view(self, state: str) -> str:
        return f"The word is {state or '(empty)'}, the target is {self.target}."

    def moves(self, state: str) -> list[str]:
        places = range(1, len(state) + 1)
        found = [f"delete {i}" for i in places]
        found += [f"replace {c} at {i}" for i in places for c in _ALPHABET if c != state[i - 1]]
        if len(state) < _LONGEST:
            found += [f"insert {c} at {i}" for i in range(1, len(state) + 2) for c in _ALPHABET]
        return found

    def apply(self, state: str, move: str) -> str:
        found = _MOVE.fullmatch(move)
        if not found:
            raise Illegal("A move is 'insert b at 3', 'replace b at 3' or 'delete 3'.")
        place = int(found[3] or found[4])
        if not 1 <= place <= len(state) + (found[1] == "insert"):
            raise Illegal(f"The word has {len(state)} letters; there is no place {place}.")
        if found[1] == "insert":
            if len(state) >= _LONGEST:
                raise Illegal(f"A word has at most {_LONGEST} letters.")
            return state[: place - 1] + found[2] + state[place - 1 :]
        if found[1] == "replace":
            if state[place - 1] == found[2]:
                raise Illegal(f"Letter {place} is {found[2]} already.")
            return state[: place - 1] + found[2] + state[place:]
        return state[: place - 1] + state[place:]

    def distance(self, state: str) -> int | None:
        return _levenshtein(state, self.target)

    def best(self, state: str) -> str:
        """The last edit of a shortest script: from the ends of both words backwards, past what is equal."""
        i, j = len(state), len(self.target)
        while i and j and state[i - 1] == self.target[j - 1]:
            i, j = i - 1, j - 1
        left = _levenshtein(state[:i], self.target[:j])
        if i and _levenshtein(state[: i - 1], self.target[:j]) == left - 1:
            return f"delete {i}"
        if j and _levenshtein(state[:i], self.target[: j - 1]) == left - 1:
            return f"insert {self.target[j - 1]} at {i + 1}"
        return f"replace {self.target[j - 1]} at {i}"

    def cheats(self) -> Sequence[str]:
        deletes = ["delete 1"] * len(self._start)
        inserts = [f"insert {c} at {i}" for i, c in enumerate(self.target, 1)]
        wasteful = (f"Answer: {', '.join(deletes + inserts)}",) if self._from_start() < len(deletes + inserts) else ()
        return (f"Answer: {self.target}", "Answer: " + "delete 1, " * 40, *wasteful)


def _levenshtein(one: str, two: str) -> int:
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        corner, row[0] = row[0], i
        for j, b in enumerate(two, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (a != b))
    return row[-1]
