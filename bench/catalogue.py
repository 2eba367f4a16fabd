"""All episodes of one run or several, to be counted, filtered, sorted and fetched without holding them in memory."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofgym.bench import index as indexes
from proofgym.bench.index import LABELS, ROW, Index
from proofgym.bench.opened import Opened
from proofgym.errors import BadInput

__all__ = ["SORTS", "Catalogue", "Query"]

Numbers = NDArray[np.int64]

_COLUMNS = [*ROW.descr, ("run", "i4"), ("file", "i4"), ("row", "i8")]
SORTS = ("order", "reward", "turns", "tokens", "level")
_REMEMBERED = 32  # answers to recent queries: a list is fetched in pages


@dataclass(frozen=True, slots=True)
class Query:
    """Which episodes, in which order. An empty field asks for nothing.

    Args:
        file: Number of the file, -1 for any; `run` likewise.
        labels: Outcomes, any of them.
        env, family: Names.
        levels: Least and greatest difficulty.
        text: Found, whatever its case, in what was shown, what was written, or what was said of it.
        sort: One of `SORTS`.
    """

    run: int = -1
    file: int = -1
    labels: tuple[str, ...] = ()
    env: str = ""
    family: str = ""
    levels: tuple[float, float] | None = None
    text: str = ""
    sort: str = "order"
    descending: bool = False

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise BadInput(f"episodes are sorted by one of {', '.join(SORTS)}, found {self.sort!r}")
        unknown = set(self.labels) - set(LABELS)
        if unknown:
            raise BadInput(f"an outcome is one of {', '.join(LABELS)}, found {sorted(unknown)[0]!r}")


@dataclass(slots=True)
class Catalogue:
    """Every episode of the runs that a page shows.

    Args:
        runs: The runs, in the order given.
        indexes: Of all files, and in `owners` the run of each.
        rows: One for each episode: its `ROW` with names numbered alike for all files, and where it lies.
    """

    runs: list[Opened]
    indexes: list[Index] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    rows: NDArray[Any] = field(default_factory=lambda: np.zeros(0, _COLUMNS))
    envs: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)
    _answers: OrderedDict[Query, Numbers] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, runs: Sequence[Opened]) -> Catalogue:
        """Index every file of some runs."""
        made = cls(list(runs))
        names: tuple[dict[str, int], ...] = ({}, {}, {})
        parts = []
        for owner, run in enumerate(runs):
            for path in run.episodes:
                index = indexes.load(path)
                part = np.zeros(len(index.rows), _COLUMNS)
                for key in ROW.names or ():
                    part[key] = index.rows[key]
                own_names = (index.envs, index.families, index.tasks)
                for key, seen, own in zip(("env", "family", "task"), names, own_names, strict=True):
                    numbers = np.array([seen.setdefault(name, len(seen)) for name in own], np.int64)
                    part[key] = numbers[index.rows[key]] if len(own) else 0
                part["run"], part["file"], part["row"] = owner, len(made.indexes), np.arange(len(part))
                parts.append(part)
                made.indexes.append(index)
                made.owners.append(owner)
        made.envs, made.families, made.tasks = (list(seen) for seen in names)
        made.rows = np.concatenate(parts) if parts else made.rows
        return made

    def select(self, query: Query) -> Numbers:
        """The numbers of the episodes that a query asks for, in its order."""
        with self._lock:
            if query in self._answers:
                self._answers.move_to_end(query)
                return self._answers[query]
        rows = self.rows
        fits = np.ones(len(rows), bool)
        for key, wanted in (("run", query.run), ("file", query.file)):
            if wanted >= 0:
                fits &= rows[key] == wanted
        for key, name, names in (("env", query.env, self.envs), ("family", query.family, self.families)):
            if name:
                fits &= rows[key] == (names.index(name) if name in names else -1)
        if query.labels:
            fits &= np.isin(rows["label"], [LABELS.index(name) for name in query.labels])
        if query.levels:
            fits &= (rows["level"] >= query.levels[0]) & (rows["level"] <= query.levels[1])
        found: Numbers = np.flatnonzero(fits)
        if query.text.strip():
            found = self._holding(query.text.strip().lower(), found)
        if query.sort != "order":
            values = rows[query.sort][found].astype(float)
            # What has no value (an unjudged reward) comes last in either direction; equals stay in the file's order.
            order = np.argsort(
                np.where(np.isnan(values), np.inf, -values if query.descending else values), kind="stable"
            )
            found = found[order]
        elif query.descending:
            found = found[::-1]
        with self._lock:
            self._answers[query] = found
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return found

    def _holding(self, words: str, among: Numbers) -> Numbers:
        """Those of some episodes whose text holds the words.

        Letters, digits and spaces of plain ASCII stand in a line of JSON as they are, so a search for the longest run
        of them in the raw bytes spares reading most lines.
        """
        plain = max(re.findall(r"[a-z0-9 ]+", words), key=len, default="").encode()
        kept: list[int] = []
        for number, index in enumerate(self.indexes):
            mine = among[self.rows["file"][among] == number]
            for at, line in zip(mine.tolist(), index.lines(self.rows["row"][mine]), strict=True):
                if plain in line.lower():
                    data = indexes.decode(line)
                    if data is not None and any(words in text.lower() for text in texts(data)):
                        kept.append(at)
        return np.array(kept, np.int64)

    def find(self, name: str) -> int | None:
        """The number of the episode that a permalink `RUN.FILE.LINE` names."""
        match = re.fullmatch(r"(\d{1,9})\.(\d{1,9})\.(\d{1,15})", name, re.ASCII)
        if not match:
            return None
        run, file, line = map(int, match.groups())
        here = np.flatnonzero((self.rows["run"] == run) & (self.rows["file"] == file) & (self.rows["line"] == line))
        return int(here[0]) if len(here) else None

    def name(self, number: int) -> str:
        """The permalink of an episode."""
        row = self.rows[number]
        return f"{row['run']}.{row['file']}.{row['line']}"

    def head(self, number: int) -> dict[str, Any]:
        """What a list shows of an episode."""
        row = self.rows[number]
        return {
            "id": self.name(number), "label": LABELS[row["label"]], "reward": _none_for_nan(row["reward"]),
            "level": _none_for_nan(row["level"]), "turnCount": int(row["turns"]), "tokens": int(row["tokens"]),
            "env": self.envs[row["env"]], "family": self.families[row["family"]], "taskKey": int(row["task"]),
            "sample": int(row["sample"]),
            "branched": bool(row["branched"]),
            "gist": self.indexes[row["file"]].gist(int(row["row"])),
        }  # fmt: skip

    def read(self, number: int) -> dict[str, Any] | None:
        """An episode itself; nothing if its file has changed meanwhile."""
        row = self.rows[number]
        index: Index = self.indexes[row["file"]]
        return index.read(int(row["row"]))

    def attempts(self, number: int, most: int = 60) -> list[int]:
        """All attempts at the task of an episode, in every run, itself included."""
        row = self.rows[number]
        same = np.flatnonzero((self.rows["task"] == row["task"]) & (self.rows["env"] == row["env"]))
        if len(same) > most:  # those around it
            at = int(np.searchsorted(same, number))
            same = same[max(0, min(at - most // 2, len(same) - most)) :][:most]
        return [int(n) for n in same]

    def branches(self, number: int) -> list[int]:
        """The leaves of the tree that an episode belongs to; nothing for an episode of no tree.

        Tree nodes are numbered anew for every tree. An item that was asked again later in the run repeats its attempts'
        numbers, which is where the next tree of that item begins.
        """
        row, rows = self.rows[number], self.rows
        if not row["branched"]:
            return []
        same = np.flatnonzero(
            (rows["file"] == row["file"]) & (rows["env"] == row["env"]) & (rows["seed"] == row["seed"])
            & (rows["index"] == row["index"]) & rows["branched"]
        )  # fmt: skip
        trees: dict[int, list[int]] = {}
        times: dict[int, int] = {}
        mine = 0
        for n in same.tolist():
            sample = int(rows["sample"][n])
            turn = times[sample] = times.get(sample, -1) + 1
            trees.setdefault(turn, []).append(n)
            if n == number:
                mine = turn
        return trees[mine]


def texts(data: dict[str, Any]) -> Iterator[str]:
    """Everything in an episode that a search looks into."""
    yield str(data.get("fault", ""))
    yield str(data["task"].get("id", ""))
    for turn in data["turns"]:
        yield turn["observation"]
        yield turn["action"]
        verdict = turn.get("verdict")
        if verdict:
            yield str(verdict.get("reason", ""))
        for credit in turn["credits"]:
            yield str(credit[4])


def _none_for_nan(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def as_json(value: Any) -> str:
    """JSON that any page can hold: no character in it ends a script or hides.

    >>> as_json("</script>\\u202e")
    '"\\\\u003c/script>\\\\u202e"'
    """
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
