"""What the statistics need of each episode, and nothing else, read fast.

A row is some hundred bytes where its episode may be a hundred kilobytes, so all rows of a run fit in memory. Beside
`NAME.jsonl` lies `NAME.rows.json`, the rows of the whole file with the place of each line. It is a cache: it is used
only while the episodes have the size and the time of change that it was made for, and it can be deleted at any time.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput
from proofgym.verifiers import Status

__all__ = ["Row", "Rows", "Writer", "episode_at", "index_path", "of_episodes", "read", "read_run", "row_of"]

_VERSION = 1
_STATUSES = {status.value for status in Status}
_ENDS = {"terminated", "truncated", "unjudged"}
_LARGEST = 1e100
_LONG = 1000  # bytes; shorter lines hold too few tokens to be worth a look


@dataclass(slots=True)
class Row:
    """One episode in figures.

    Args:
        env, seed, index, sample: Which episode.
        task: The task's fingerprint, or `seed:index` where the environment gives none.
        family, difficulty: Of the task; empty and nan where it does not say.
        status: Of the last verdict, empty without one; `unjudged` if nobody could judge the episode.
        reward: The sum of the turns' rewards; nan if unjudged.
        turns: Actions.
        prompt_tokens, tokens: Read and written. What an endpoint counted, else what was sampled.
        cost_usd: nan where no price is known.
        fault: Why it could not be judged, at most 300 characters.
        offset, length: Bytes of its line in the file; -1 where it was not read from one.
    """

    env: str
    seed: int
    index: int
    sample: int
    task: str
    family: str
    difficulty: float
    status: str
    reward: float
    turns: int
    prompt_tokens: int
    tokens: int
    cost_usd: float
    fault: str
    offset: int = -1
    length: int = 0

    @property
    def unjudged(self) -> bool:
        """Whether nobody could judge it."""
        return self.status == "unjudged"

    @property
    def solved(self) -> bool:
        """Whether the last verdict was `correct`."""
        return self.status == "correct"

    @property
    def place(self) -> tuple[int, int, int]:
        """Seed, index and sample: which episode of its environment."""
        return self.seed, self.index, self.sample


@dataclass(slots=True)
class Rows:
    """The rows of one file, and how many of its lines hold no episode."""

    path: Path
    rows: list[Row] = field(default_factory=list)
    broken: int = 0


def row_of(data: Mapping[str, Any], offset: int = -1, length: int = 0) -> Row:
    """The row of an episode in its JSON form.

    Raises:
        BadInput: If it is no episode.
    """
    try:
        seed, index, sample, end = data["seed"], data["index"], data.get("sample", 0), data["end"]
        env, task, fault, turns = data["env"], data["task"], data.get("fault", ""), data["turns"]
        if not (type(seed) is type(index) is type(sample) is int and end in _ENDS and type(env) is type(fault) is str):
            raise TypeError("a field of the wrong kind")
        if type(task) is not dict or type(turns) is not list:
            raise TypeError("a field of the wrong kind")
        rewards, status = [], ""
        prompt = written = 0
        cost = math.nan
        for turn in turns:
            rewards.append(turn["reward"])
            verdict, usage = turn.get("verdict"), turn.get("usage")
            if verdict:
                status = verdict["status"]
            if usage:
                prompt += usage.get("prompt_tokens", 0)
                written += usage.get("completion_tokens", 0)
                if (price := usage.get("cost_usd")) is not None:
                    cost = price + (0.0 if math.isnan(cost) else cost)
            else:
                prompt += _length(turn["prompt_ids"])
                written += _length(turn["action_ids"])
        reward = math.fsum(rewards)
        if not abs(reward) < _LARGEST or (status and status not in _STATUSES):
            raise TypeError("a field of the wrong kind")
        if end == "unjudged":
            status, reward = "unjudged", math.nan
        difficulty = task.get("difficulty")
        return Row(
            env, seed, index, sample, str(task.get("fingerprint") or f"{seed}:{index}"), str(task.get("family") or ""),
            float(difficulty) if isinstance(difficulty, (int, float)) else math.nan,
            status, reward, len(turns), int(prompt), int(written), float(cost), fault[:300], offset, length,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BadInput(f"not an episode ({type(error).__name__}: {error})") from error


def of_episodes(episodes: Iterable[Trajectory]) -> list[Row]:
    """The rows of episodes in memory."""
    return [row_of(episode.to_json()) for episode in episodes]


def read(path: Path, *, index: bool = True) -> Rows:
    """All rows of a file of episodes, from its index where that is of today, else line by line.

    Args:
        index: Use the index, and write one after reading without.
    Raises:
        BadInput: If there is no such file.
    """
    if not path.is_file():
        raise BadInput(f"no episodes at {path}: the file does not exist")
    if index and (known := _from_index(path)) is not None:
        return known
    before = _stamp(path)
    found = Rows(path)
    offset = 0
    with path.open("rb") as file:
        for line in file:
            length = len(line)
            try:
                found.rows.append(_row(line, offset))
            except (ValueError, RecursionError):
                found.broken += 1
            offset += length
    if index:
        _save(found, before)
    return found


def read_run(run_dir: Path) -> Iterator[Rows]:
    """The rows of every file of a run, by name."""
    for path in sorted(run_dir.glob("episodes/*.jsonl")):
        yield read(path)


def index_path(path: Path) -> Path:
    """Where the index of a file of episodes lies."""
    return path.with_suffix(".rows.json")


def episode_at(path: Path, row: Row) -> Trajectory:
    """The whole episode behind a row that was read from a file."""
    with path.open("rb") as file:
        file.seek(row.offset)
        return Trajectory.from_json(json.loads(file.read(row.length).decode("utf-8", "surrogatepass")))


class Writer:
    """Appends episodes to a file, each whole before the next begins, and writes the index in the end.

    Args:
        path: The file; it and its folder are made where needed.
        kept: The rows that the file holds already.
    """

    def __init__(self, path: Path, kept: Iterable[Row] = ()) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.rows = path, list(kept)
        self._file = path.open("ab")
        self._offset = self._file.seek(0, os.SEEK_END)

    def add(self, episode: Trajectory) -> Row:
        """Write one episode; it has left this process when this returns.

        Raises:
            ValueError: If a number is not finite; JSON has no word for it.
        """
        data = episode.to_json()
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        line = text.encode("utf-8", "surrogatepass") + b"\n"
        self._file.write(line)
        self._file.flush()
        row = row_of(data, self._offset, len(line))
        self._offset += len(line)
        self.rows.append(row)
        return row

    def close(self) -> None:
        """Write the index."""
        self._file.close()
        stamp = _stamp(self.path)
        if stamp[0] == self._offset:  # nobody else wrote
            _save(Rows(self.path, self.rows), stamp)


# Inside ---------------------------------------------------------------------------------------------------------------

_COLUMNS = [column.name for column in fields(Row)]
_KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "float": (float, int, type(None)),
}  # fmt: skip


# Token fields as this project writes them. Inside a string a quote is escaped, so no text can look like one.
_TOKENS = re.compile(rb'"(prompt_ids|action_ids|logprobs|token_ends|nodes)":\[([^\]\["]*)\]')


def _row(line: bytes, offset: int) -> Row:
    """The row of a line. Of token fields only their number counts, so they are not parsed: that is most of the time."""
    if len(line) > _LONG:
        try:
            return row_of(json.loads(_TOKENS.sub(_counted, line).decode("utf-8", "surrogatepass")), offset, len(line))
        except (ValueError, RecursionError):
            pass  # somebody else's spelling, or damage: read it whole
    data = json.loads(line.decode("utf-8", "surrogatepass"))
    if not isinstance(data, dict):
        raise BadInput("not an episode: no JSON object")
    return row_of(data, offset, len(line))


def _counted(found: re.Match[bytes]) -> bytes:
    numbers = found[2]
    return b'"%s":%d' % (found[1], numbers.count(b",") + 1 if numbers.strip() else 0)


def _length(tokens: list[int] | int) -> int:
    return tokens if type(tokens) is int else len(tokens)  # type: ignore[arg-type]


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _save(found: Rows, stamp: list[int]) -> None:
    """Write the index beside the file. A folder that cannot be written is read without one."""
    columns: dict[str, list[Any]] = {}
    for name in _COLUMNS:
        values = [getattr(row, name) for row in found.rows]
        columns[name] = [None if value != value else value for value in values]  # JSON has no nan
    data = {"version": _VERSION, "stamp": stamp, "broken": found.broken, "columns": columns}
    beside = index_path(found.path).with_suffix(f".{os.getpid()}.part")
    try:
        beside.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
        if _stamp(found.path) == stamp:
            beside.replace(index_path(found.path))
    except OSError:
        pass
    finally:
        beside.unlink(missing_ok=True)


def _from_index(path: Path) -> Rows | None:
    try:
        data = json.loads(index_path(path).read_bytes())
        if data["version"] != _VERSION or data["stamp"] != _stamp(path):
            return None
        columns = [data["columns"][name] for name in _COLUMNS]
        for column, about in zip(columns, fields(Row), strict=True):
            kinds = _KINDS[str(about.type)]
            if not all(type(value) in kinds for value in column):
                return None
        floats = [str(about.type) == "float" for about in fields(Row)]
        for number, is_float in enumerate(floats):
            if is_float:
                columns[number] = [math.nan if value is None else float(value) for value in columns[number]]
        return Rows(path, [Row(*values) for values in zip(*columns, strict=True)], int(data["broken"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
