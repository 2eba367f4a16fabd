"""A row: one item of one environment, as a foreign trainer's data set holds it.

A row names an item (environment, arguments, seed, index) and shows its prompt. The answer is not in it: whoever scores
a row asks the item again, which costs a draw and keeps every data set free of what the policy must not read. The
fingerprint says whether the item asked again is the item that was exported.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from proofgym.adapters.episode import Episode, Outcome, judge_item
from proofgym.envs.registry import find
from proofgym.envs.task import canonical_json
from proofgym.errors import BadInput, UnknownEnv

__all__ = ["Message", "Row", "judge_row", "rows", "start_row"]

Message = dict[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One item, ready to be asked.

    Args:
        prompt: Messages, the last of them the user's: the item's first observation, after the system message if any.
        env: The full id, version included.
        kwargs: What the environment is made with; JSON content.
        seed, index: The item.
        fingerprint, split, family: Of the task; empty for environments that have none.
        difficulty: In [0, 1], within the family.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "env", "kwargs", "seed", "index", "fingerprint", "split", "family", "difficulty",
    )  # fmt: skip
    """The columns beside the prompt, in the order in which files have them."""

    prompt: tuple[Message, ...]
    env: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    index: int = 0
    fingerprint: str = ""
    split: str = ""
    family: str = ""
    difficulty: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back; `kwargs` is JSON text, so that every row has one schema."""
        return {
            "prompt": [dict(message) for message in self.prompt],
            **self.reference(),
        }

    def reference(self) -> dict[str, Any]:
        """Everything but the prompt: what a trainer must hand back for the row to be judged."""
        return {
            "env": self.env,
            "kwargs": canonical_json(dict(self.kwargs)),
            "seed": self.seed,
            "index": self.index,
            "fingerprint": self.fingerprint,
            "split": self.split,
            "family": self.family,
            "difficulty": self.difficulty,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Row:
        """Read what `to_json` or `reference` wrote; other keys are left alone, since trainers add their own.

        Raises:
            BadInput: If it names no item.

        >>> Row.from_json({"env": "proofgym/Countdown-v0", "kwargs": '{"level":0.2}', "seed": 1, "index": 2}).kwargs
        {'level': 0.2}
        """
        try:
            kwargs = data.get("kwargs") or {}
            return cls(
                prompt=tuple({str(k): str(v) for k, v in message.items()} for message in data.get("prompt") or ()),
                env=str(data["env"]),
                kwargs=dict(json.loads(kwargs)) if isinstance(kwargs, str) else dict(kwargs),
                seed=int(data["seed"]),
                index=int(data["index"]),
                fingerprint=str(data.get("fingerprint") or ""),
                split=str(data.get("split") or ""),
                family=str(data.get("family") or ""),
                difficulty=float(data.get("difficulty") or 0.0),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BadInput(
                f"a row names an item by env, kwargs, seed and index, and here is {type(error).__name__}: {error}"
            ) from error


def rows(
    env_id: str, n: int, *, seed: int = 0, start: int = 0, system: str | None = None, **env_kwargs: Any
) -> Iterator[Row]:
    """Items `start` to `start + n - 1` of `seed`, read lazily.

    Args:
        env_id: The prefix and the version may be left out; the rows carry both.
        n: How many.
        seed: Which stream of tasks.
        start: The first index.
        system: A system message to put first.
        env_kwargs: What the environment is made with, `split` included.
    Raises:
        UnknownEnv: If there is no such environment.
        Unjudged: If an item could not be asked.
    """
    with contextlib.suppress(UnknownEnv):  # somebody else's; Gymnasium says so if it knows no such environment either
        env_id = find(env_id).id
    opening: tuple[Message, ...] = ({"role": "system", "content": system},) if system else ()
    with Episode(env_id, **env_kwargs) as episode:
        for index in range(start, start + n):
            observation = episode.start(seed, index)
            yield _row(episode, (*opening, {"role": "user", "content": observation}), env_kwargs, seed, index)


def _row(episode: Episode, prompt: tuple[Message, ...], env_kwargs: Mapping[str, Any], seed: int, index: int) -> Row:
    task = episode.task
    return Row(
        prompt, episode.name, dict(env_kwargs), seed, index,
        fingerprint=str(task.get("fingerprint", "")), split=str(task.get("split", "")),
        family=str(task.get("family", "")), difficulty=float(task.get("difficulty", 0.0)),
    )  # fmt: skip


def start_row(row: Row, episode: Episode | None = None) -> tuple[Episode, str]:
    """Ask a row's item: the running episode and its first observation.

    Args:
        row: Which item.
        episode: One of the same environment and arguments, to be used again.
    Raises:
        Unjudged: If the item could not be asked.
        BadInput: If another item came than the row was written from: the environment or its data changed since.
    """
    episode = episode or Episode(row.env, **row.kwargs)
    observation = episode.start(row.seed, row.index)
    episode.expect(row.fingerprint)
    return episode, observation


def judge_row(row: Row, text: str) -> Outcome:
    """What a single answer to a row earns; see `proofgym.adapters.episode.judge`."""
    return judge_item(row.env, row.kwargs, row.seed, row.index, text, row.fingerprint)
