"""Find one of a hundred thousand episodes without reading the others: where it lies, and what a list shows of it.

An index is built in one streaming pass over a JSON Lines file and kept beside the run, in `.view/`. It holds for as
long as the file's size and time of change stay the same. Lines are judged as `Trajectory.from_json` judges them, but
fields that this version does not know are let through.
"""

from __future__ import annotations

import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from proofgym.bench.runs import number

__all__ = ["LABELS", "ROW", "Index", "Label", "build", "decode", "label", "load", "read_line", "readable", "task_key"]

Label = Literal["solved", "partial", "wrong", "malformed", "limit", "unjudged", "no verdict"]
LABELS: tuple[Label, ...] = get_args(Label)
"""Outcomes as the page filters them: `runs.outcome`, with two kinds of wrong answer kept apart."""

ROW = np.dtype(
    [
        ("offset", "i8"), ("length", "i8"), ("line", "i8"), ("label", "i1"), ("reward", "f8"), ("level", "f8"),
        ("turns", "i4"), ("tokens", "i8"), ("env", "i4"), ("family", "i4"), ("task", "i4"),
        ("seed", "i8"), ("index", "i8"), ("sample", "i8"), ("branched", "?"),
    ]
)  # fmt: skip
"""What is kept of an episode. Reward is `nan` for an unjudged one, level is `nan` where the task has none."""

_FORMAT = 1
_ENDS = frozenset(("terminated", "truncated", "unjudged"))
_SOURCES = frozenset(("policy", "expert", "replay"))
_STATUSES = frozenset(("correct", "partial", "wrong", "malformed", "limit"))
_GIST = 110
_LARGEST = 2**62
Rows = NDArray[Any]


@dataclass(slots=True)
class Index:
    """One file of episodes.

    Args:
        path: The file.
        size, changed: Its size in bytes and its time of change in nanoseconds when it was read.
        rows: One `ROW` for each episode, in the order of the file.
        envs, families, tasks: What the numbers in `rows` stand for.
        broken: Lines that hold no episode.
    """

    path: Path
    size: int
    changed: int
    rows: Rows
    envs: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    broken: int = 0
    gists: bytes = b""
    gist_ends: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def gist(self, row: int) -> str:
        """The beginning of the first observation of an episode, on one line."""
        start = int(self.gist_ends[row - 1]) if row else 0
        return self.gists[start : int(self.gist_ends[row])].decode("utf-8", "replace")

    def read(self, row: int) -> dict[str, Any] | None:
        """The episode itself; nothing if the file no longer holds it at that place."""
        return read_line(self.path, int(self.rows[row]["offset"]), int(self.rows[row]["length"]))

    def lines(self, rows: NDArray[np.int64]) -> Iterator[bytes]:
        """The raw lines of some episodes, in the order asked for."""
        with self.path.open("rb") as file:
            for row in rows.tolist():
                file.seek(int(self.rows[row]["offset"]))
                yield file.read(int(self.rows[row]["length"]))


def load(path: Path) -> Index:
    """The index of a file: the one kept beside its run while it still fits, and a new one, kept if that is possible."""
    stat = path.stat()
    kept = path.parent.parent / ".view" / f"{path.stem}.npz"
    found = _kept(path, kept, stat.st_size, stat.st_mtime_ns)
    if found is not None:
        return found
    found = build(path)
    _keep(found, kept)
    return found


def build(path: Path) -> Index:
    """Read a file once, a line at a time."""
    stat = path.stat()
    rows: list[tuple[Any, ...]] = []
    names: tuple[dict[str, int], ...] = ({}, {}, {})
    gists, ends = bytearray(), []
    offset = broken = 0
    with path.open("rb") as file:
        for number_, line in enumerate(file):
            data = decode(line)
            if data is None:
                broken += 1
            else:
                task = data["task"]
                keys = (data["env"], str(task.get("family", "")), task_key(data))
                env, family, key = (seen.setdefault(name, len(seen)) for seen, name in zip(names, keys, strict=True))
                turns = data["turns"]
                level = number(task.get("difficulty"))
                rows.append((
                    offset, len(line), number_, LABELS.index(label(data)), reward(data),
                    math.nan if level is None else level, len(turns),
                    sum(len(turn.get("action_ids", ())) for turn in turns), env, family, key,
                    *(n if abs(n) < _LARGEST else -1 for n in (data["seed"], data["index"], data.get("sample", 0))),
                    any(turn.get("nodes") for turn in turns),
                ))  # fmt: skip
                text = " ".join(turns[0]["observation"][: 4 * _GIST].split())[:_GIST] if turns else ""
                gists += text.encode("utf-8", "replace")
                ends.append(len(gists))
            offset += len(line)
    envs, families, tasks = (list(seen) for seen in names)
    return Index(
        path, stat.st_size, stat.st_mtime_ns, np.array(rows, ROW), envs, families, tasks, broken, bytes(gists),
        np.array(ends, np.int64),
    )  # fmt: skip


def read_line(path: Path, offset: int, length: int) -> dict[str, Any] | None:
    """The episode at one place of a file, or nothing."""
    with path.open("rb") as file:
        file.seek(offset)
        return decode(file.read(length))


def decode(line: bytes) -> dict[str, Any] | None:
    """The episode that a line holds, or nothing."""
    try:
        data = json.loads(line.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return data if readable(data) else None


# What an episode is ---------------------------------------------------------------------------------------------------


def readable(data: Any) -> bool:
    """Whether a line's content is an episode whose every figure can be trusted."""
    try:
        if not (isinstance(data, dict) and data["end"] in _ENDS and data.get("source", "policy") in _SOURCES):
            return False
        whole = (data["seed"], data["index"], data.get("sample", 0))
        texts = (data["env"], data.get("fault", ""))
        return (
            all(type(n) is int for n in whole)
            and all(type(text) is str for text in texts)
            and isinstance(data["task"], dict)
            and isinstance(data["turns"], list)
            and all(map(_turn_readable, data["turns"]))
        )
    except (KeyError, TypeError, ValueError):
        return False


def _turn_readable(turn: Any) -> bool:
    verdict = turn.get("verdict") if isinstance(turn, dict) else None
    return (
        isinstance(turn, dict)
        and type(turn["observation"]) is str
        and type(turn["action"]) is str
        and number(turn["reward"]) is not None
        and isinstance(turn.get("action_ids", []), list)
        and isinstance(turn.get("nodes", []), list)
        and isinstance(turn["credits"], list)
        and all(map(_credit_readable, turn["credits"]))
        and (not verdict or _verdict_readable(verdict))
    )


def _credit_readable(credit: Any) -> bool:
    start, end, value, _, _ = credit
    return type(start) is int and type(end) is int and 0 <= start <= end and number(value) is not None


def _verdict_readable(verdict: Any) -> bool:
    score = number(verdict["score"])
    parts = verdict.get("parts") or {}
    return (
        verdict["status"] in _STATUSES
        and score is not None
        and 0.0 <= score <= 1.0
        and isinstance(parts, dict)
        and all(number(value) is not None for value in parts.values())
    )


def label(data: Mapping[str, Any]) -> Label:
    """Under which of `LABELS` a readable episode is filtered."""
    if data["end"] == "unjudged":
        return "unjudged"
    verdict = next((turn["verdict"] for turn in reversed(data["turns"]) if turn.get("verdict")), None)
    if verdict is None:
        return "no verdict"
    status = verdict["status"]
    if status == "correct":
        return "solved"
    if status == "partial" or verdict["score"] > 0:
        return "partial"
    return "malformed" if status == "malformed" else "limit" if status == "limit" else "wrong"


def reward(data: Mapping[str, Any]) -> float:
    """The episode's reward, `nan` for an unjudged one, as `Trajectory.reward` says."""
    return math.nan if data["end"] == "unjudged" else math.fsum(turn["reward"] for turn in data["turns"])


def task_key(data: Mapping[str, Any]) -> str:
    """What makes two episodes attempts at the same task: the fingerprint, or the item where there is none."""
    return str(data["task"].get("fingerprint") or f"{data['seed']}:{data['index']}")


# Kept beside the run --------------------------------------------------------------------------------------------------


def _kept(path: Path, kept: Path, size: int, changed: int) -> Index | None:
    """The kept index if it belongs to this very file; a damaged one is as good as none."""
    try:
        with kept.open("rb") as file, np.load(file, allow_pickle=False) as data:
            about = json.loads(data["about"].tobytes())
            if about[:4] != [_FORMAT, path.name, size, changed]:
                return None
            rows, ends = data["rows"], data["gist_ends"]
            envs, families, tasks, broken = about[4:]
            fits = (
                rows.dtype == ROW and rows.shape == ends.shape and (rows["offset"] + rows["length"] <= size).all()
                and (rows["offset"] >= 0).all() and (rows["length"] >= 0).all()
                and all(
                    ((rows[key] >= 0) & (rows[key] < len(names))).all()
                    for key, names in (("env", envs), ("family", families), ("task", tasks), ("label", LABELS))
                )
            )  # fmt: skip
            if not fits:
                return None
            return Index(path, size, changed, rows, envs, families, tasks, broken, data["gists"].tobytes(), ends)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(index: Index, kept: Path) -> None:
    about = [
        _FORMAT, index.path.name, index.size, index.changed, index.envs, index.families, index.tasks, index.broken,
    ]  # fmt: skip
    try:
        kept.parent.mkdir(exist_ok=True)
        beside = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        with beside.open("wb") as file:
            np.savez(
                file, rows=index.rows, gist_ends=index.gist_ends, gists=np.frombuffer(index.gists, np.uint8),
                about=np.frombuffer(json.dumps(about).encode(), np.uint8),
            )  # fmt: skip
        beside.replace(kept)  # whoever reads meanwhile has the old one or the new one
    except OSError:
        pass  # a run on a read-only disk is read anew each time
