"""Reasoning-gym's data sets as environments, with our seeds, splits and rules for what may be paid.

Its generators and scorers are used as they are, with these differences:

- Item *i* of seed *s* is drawn with a seed of its own, so neighbouring seeds share nothing, and the question's text
  decides the split.
- Only a score of exactly 1 is right. Its partial scores pay for length, digits or junk (0.05 for an empty answer).
- A scorer that evaluates the model's text (`eval`, `parse_expr`) is never called: such a data set is judged by our own
  reader where there is one, and refused otherwise.
- A data set whose scorer or gold is known to be wrong is refused with the reason.
- A scorer that raises could not judge: the episode has no score.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from proofgym.envs.base import TurnResult, VerifiableEnv
from proofgym.envs.puzzles.answers import find_answer
from proofgym.errors import BadInput, Unjudged, need
from proofgym.verifiers import Credit, Verdict

__all__ = ["HASHED", "REFUSED", "ReasoningGym"]

REFUSED: Mapping[str, str] = {
    "game_of_life_halting": "its scorer pays any text",
    "syllogism": "an eighth of its answers 'Yes' are invalid under every reading",
    "coin_flip": "its scorer pays '0' with 0.93 on average",
    "propositional_logic": "its scorer pays repeating a premise",
    "polynomial_multiplication": "its scorer evaluates the answer, and we have no reader for it",
    "simple_integration": "its scorer evaluates the answer; use proofgym/Calculus-v0",
    "intermediate_integration": "its scorer evaluates the answer; use proofgym/Calculus-v0",
    "composite": "it mixes other data sets; name them one by one",
}
"""Data sets that are not offered, with the reason (found in version 0.1.25)."""

HASHED = frozenset(
    {"isomorphic_strings", "ransom_note", "polynomial_multiplication", "knight_swap", "word_ladder", "codeio"}
)
"""Data sets whose items depend on the process's hash seed."""

_JUNK = re.compile(r"\b(?:nan|inf|infinity)\b", re.IGNORECASE)


class ReasoningGym(VerifiableEnv):
    """Asks items of one of reasoning-gym's data sets (`pip install 'proofgym[reasoning-gym]'`).

    Observation: the item's question.
    Action: anything, and then the answer, after `Answer:` or, if there is no such line, the whole text.
    Episode: one turn, always terminated, never truncated.

    Args:
        dataset: Its name there, such as `spell_backward`.
        config: Its settings, such as `{"min_word_len": 3}`; they, not `level`, set the difficulty.
    Raises:
        MissingExtra: If reasoning-gym is not installed.
        BadInput: For an unknown data set, one that is refused (see `REFUSED`), or one whose items depend on the hash
            seed (see `HASHED`) in a process whose hash seed is not fixed.
    """

    family = "reasoning_gym"
    floor: float = 0.05
    observation_limit: ClassVar[int] = 65_536
    action_limit: ClassVar[int] = 32_768

    def __init__(
        self, *, dataset: str = "spell_backward", config: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        _check(dataset)
        self.dataset = dataset
        self.config = dict(config or {})
        self._entry: Mapping[str, Any] = {}

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"dataset": self.dataset, "config": self.config, "seed": int(rng.integers(2**31))}

    def canonical(self, instance: Mapping[str, Any]) -> Any:
        """The data set and the question."""
        return [_read(instance)[0], _entry(*_read(instance))["question"]]

    def begin(self, instance: Mapping[str, Any]) -> str:
        self._entry = _entry(*_read(instance))
        return str(self._entry["question"])

    def turn(self, action: str) -> TurnResult:
        marked = re.search(r"(?im)^[ \t>*_#`]{0,8}(?:final )?answer", action) is not None
        found = find_answer(action, 1 if marked else 10_000)
        if found is None:
            return TurnResult("", (), Verdict.malformed("there is no answer"), terminated=True)
        verdict = self._judge(found.text)
        credit = Credit(found.start, found.end, verdict.score, "answer", verdict.reason)
        return TurnResult("", [credit], verdict, terminated=True)

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        """The stored answer.

        Raises:
            BadInput: For the data sets that store none.
        """
        if self._entry["answer"] is None:
            raise BadInput(f"reasoning-gym stores no answer for {self.dataset!r}")
        return str(self._entry["answer"])

    def _judge(self, text: str) -> Verdict:
        if _JUNK.search(text):
            return Verdict.malformed("NaN and infinity are no answers")
        dataset = str(self._entry["metadata"]["source_dataset"])
        own = _OWN.get(dataset)
        if own is not None:
            return own(text, self._entry)
        try:
            score = float(_dataset(dataset, json.dumps(self.config), 0).score_answer(text, dict(self._entry)))
        except Exception as error:
            raise Unjudged(f"reasoning-gym's scorer of {dataset!r} raised {type(error).__name__}: {error}") from error
        if score == 1.0:
            return Verdict.right()
        return Verdict.wrong(f"reasoning-gym scores it {score:.3g}", upstream=score)


def _check(dataset: Any) -> None:
    need("reasoning_gym", "reasoning-gym")
    from reasoning_gym.factory import DATASETS

    if dataset not in DATASETS:
        raise BadInput(f"reasoning-gym has no data set {dataset!r:.80}; it has {', '.join(sorted(DATASETS)[:6])}, ...")
    if dataset in REFUSED:
        raise BadInput(f"reasoning-gym's {dataset!r} is not offered: {REFUSED[dataset]}")
    if dataset in HASHED and not os.environ.get("PYTHONHASHSEED", "").isdecimal():
        raise BadInput(f"the items of {dataset!r} depend on the hash seed: start Python with PYTHONHASHSEED=0")


def _read(instance: Any) -> tuple[str, str, int]:
    if not isinstance(instance, Mapping) or set(instance) != {"dataset", "config", "seed"}:
        raise BadInput(f"an instance has 'dataset', 'config' and 'seed', found {instance!r:.80}")
    dataset, config, seed = instance["dataset"], instance["config"], instance["seed"]
    if not isinstance(dataset, str):
        raise BadInput(f"'dataset' is a name, found {dataset!r:.80}")
    _check(dataset)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
        raise BadInput(f"'seed' is a whole number from 0 to 2**31 - 1, found {seed!r:.80}")
    if not isinstance(config, Mapping):
        raise BadInput(f"'config' is an object of settings, found {config!r:.80}")
    return dataset, json.dumps(dict(config), sort_keys=True), seed


@functools.lru_cache(maxsize=64)
def _dataset(dataset: str, config: str, seed: int) -> Any:
    from reasoning_gym import create_dataset

    try:
        return create_dataset(dataset, seed=seed, size=1, **json.loads(config))
    except (AssertionError, TypeError, ValueError) as error:
        raise BadInput(f"reasoning-gym refuses {config} for {dataset!r}: {error}") from error


@functools.lru_cache(maxsize=256)
def _entry(dataset: str, config: str, seed: int) -> Mapping[str, Any]:
    entry: dict[str, Any] = dict(_dataset(dataset, config, seed)[0])
    entry["metadata"] = {**entry["metadata"], "source_dataset": dataset}
    return entry


# Our own readers, for data sets whose scorers evaluate the answer -----------------------------------------------------


def _same_tokens(text: str, entry: Mapping[str, Any]) -> Verdict:
    """For data sets with one right answer: the same tokens, whatever the brackets, quotes and commas."""
    said, gold = (re.findall(r"[^\s\[\](){},'\"]+", t) for t in (text, str(entry["answer"])))
    return Verdict.right() if said == gold else Verdict.wrong("it is not the answer")


def _expression(text: str, entry: Mapping[str, Any]) -> Verdict:
    """For countdown and the game of 24: any expression over exactly the given numbers that reaches the target."""
    from proofgym.verifiers.puzzles.countdown import CountdownVerifier

    metadata = entry["metadata"]
    numbers = tuple(int(n) for n in metadata["numbers"])
    verdict = CountdownVerifier(numbers, int(metadata.get("target", 24))).verify(text)
    used = [int(n) for n in re.findall(r"[0-9]{1,9}", text.rpartition("=")[0] or text)]
    if verdict.correct and sorted(used) != sorted(numbers):
        return Verdict.wrong("every number has to be used once")
    return verdict


def _queens(text: str, entry: Mapping[str, Any]) -> Verdict:
    """For queens: any board that keeps the given ones and on which none attacks another."""
    from proofgym.envs.puzzles.answers import Unreadable, grid

    board = entry["metadata"]["puzzle"]
    size = len(board)
    try:
        rows = grid(text, size, size, "Q_")
    except Unreadable as unreadable:
        return Verdict.malformed(str(unreadable))
    queens = [(r, c) for r in range(size) for c in range(size) if rows[r][c] == "Q"]
    if any(board[r][c] == "Q" and rows[r][c] != "Q" for r in range(size) for c in range(size)):
        return Verdict.wrong("a given queen is missing")
    lines: Sequence[set[int]] = ({r for r, _ in queens}, {c for _, c in queens}, {r + c for r, c in queens},
                                 {r - c for r, c in queens})  # fmt: skip
    if len(queens) != size or any(len(line) != size for line in lines):
        return Verdict.wrong("there is not one queen on every line")
    return Verdict.right()


_OWN: Mapping[str, Callable[[str, Mapping[str, Any]], Verdict]] = {
    "string_insertion": _same_tokens,
    "spiral_matrix": _same_tokens,
    "binary_matrix": _same_tokens,
    "countdown": _expression,
    "puzzle24": _expression,
    "n_queens": _queens,
}
