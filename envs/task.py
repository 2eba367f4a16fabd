"""A task, its fingerprint, and the split that the fingerprint alone decides.

Item *i* of seed *s* is drawn from `default_rng([s, i])`, so neighbouring seeds share nothing. Which split an item
belongs to is a function of its canonical content, so no choice of seed or size can make training meet testing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from proofgym.errors import BadInput

__all__ = ["SPLITS", "Split", "Task", "canonical_json", "fingerprint", "split_of"]

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)

_TEST_SHARE, _VALIDATION_SHARE = 0.1, 0.1


def canonical_json(data: Any) -> str:
    """One text for one value: keys sorted, no spaces, no NaN.

    >>> canonical_json({"b": [1, 2], "a": "π"})
    '{"a":"π","b":[1,2]}'
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(family: str, content: Any) -> str:
    """32 hexadecimal digits that name a task's canonical content within its family.

    >>> fingerprint("sum", [1, 2]) == fingerprint("sum", [1, 2])
    True
    """
    text = f"{family}\n{canonical_json(content)}"
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def split_of(fingerprint_: str) -> Split:
    """The split a fingerprint belongs to: a tenth each for test and validation, the rest for training.

    >>> split_of("00" * 16), split_of("ff" * 16)
    ('test', 'train')
    """
    share = int(fingerprint_[:12], 16) / 16**12
    if share < _TEST_SHARE:
        return "test"
    return "validation" if share < _TEST_SHARE + _VALIDATION_SHARE else "train"


@dataclass(frozen=True, slots=True)
class Task:
    """One question with everything needed to ask and judge it.

    Args:
        family: The name of the generator or data set, such as `sudoku4`.
        instance: JSON content, the answer possibly included. It never leaves the environment.
        fingerprint: See `fingerprint`.
        difficulty: In [0, 1], within its family.
    """

    family: str
    instance: Mapping[str, Any] = field(repr=False)
    fingerprint: str
    difficulty: float

    def __post_init__(self) -> None:
        """Refuse a difficulty outside its range."""
        if not 0.0 <= self.difficulty <= 1.0:
            raise BadInput(f"difficulty lies in [0, 1], found {self.difficulty}")

    @property
    def id(self) -> str:
        """The family and the start of the fingerprint: short enough for a log."""
        return f"{self.family}:{self.fingerprint[:12]}"

    @property
    def split(self) -> Split:
        """The split that the fingerprint decides."""
        return split_of(self.fingerprint)

    def public(self) -> dict[str, Any]:
        """What `info["task"]` shows: everything but the content."""
        return {
            "id": self.id,
            "fingerprint": self.fingerprint,
            "family": self.family,
            "difficulty": self.difficulty,
            "split": self.split,
        }
