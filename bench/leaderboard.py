"""`proofgym leaderboard DIR`: all runs below a directory, environment by environment, and which differences are real.

Two runs are compared on the tasks that both had judged. With m runs there are m(m - 1)/2 comparisons in each
environment, so their probabilities are adjusted (Holm) before any of them is called a difference.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from proofgym.bench import rows as stored
from proofgym.bench import statistics, summary
from proofgym.bench.compare import Comparison, compare_rows
from proofgym.bench.rows import Row
from proofgym.bench.summary import EnvResult
from proofgym.errors import BadInput

__all__ = ["Board", "Entry", "leaderboard"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One run in one environment.

    Args:
        run: Its folder, from the directory of the board.
        model: From the run's configuration; empty where that is missing.
        result: All its figures.
        beats: The runs that it scores higher than, beyond what chance explains.
        uncompared: The runs that share no two judged tasks with it.
    """

    run: str
    model: str
    result: EnvResult
    beats: list[str] = field(default_factory=list)
    uncompared: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Board:
    """Entries by environment, the best first, and sentences about runs that could not be read whole."""

    envs: dict[str, list[Entry]]
    problems: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        return {
            "envs": {env: [asdict(e) for e in entries] for env, entries in self.envs.items()},
            "problems": self.problems,
        }


def leaderboard(directory: str | Path, *, metric: str = "reward") -> Board:
    """Read every run of `proofgym eval` below a directory.

    Args:
        metric: `reward` or `solved`: what runs are ordered and compared by.
    Raises:
        BadInput: If there is no run.
    """
    root = Path(directory)
    if metric not in ("reward", "solved"):
        raise BadInput(f"runs are ordered by reward or solved, found {metric!r}")
    problems: list[str] = []
    table: dict[str, list[tuple[Entry, list[Row]]]] = {}
    for folder in sorted({path.parent.parent for path in root.glob("**/episodes/*.jsonl")}):
        config = _config(folder, problems)
        if config.get("kind", "eval") != "eval":
            continue
        name = str(folder.relative_to(root)) if folder != root else folder.name
        settings = config.get("settings")
        model = str(settings.get("model", "")) if isinstance(settings, dict) else ""
        for file in stored.read_run(folder):
            if file.broken:
                problems.append(f"{name}: {file.broken} damaged line{'s' * (file.broken != 1)} of {file.path.name}")
            by_env: dict[str, list[Row]] = {}
            for row in file.rows:
                by_env.setdefault(row.env, []).append(row)
            for env, rows in by_env.items():
                entry = Entry(name, model, summary.summarise(env, rows, broken=file.broken))
                table.setdefault(env, []).append((entry, rows))
    if not table:
        found = "no run below it" if root.is_dir() else "no such directory"
        raise BadInput(f"no leaderboard of {root}: {found}; `proofgym eval` writes runs")
    for entries in table.values():
        _decide(entries, metric)
        entries.sort(key=lambda pair: -_score(pair[0], metric))
    return Board({env: [entry for entry, _ in table[env]] for env in sorted(table)}, problems)


def _score(entry: Entry, metric: str) -> float:
    value = entry.result.mean if metric == "reward" else entry.result.solved
    return float("-inf") if value is None else value


def _decide(entries: list[tuple[Entry, list[Row]]], metric: str) -> None:
    """Compare everybody with everybody, and note who is ahead beyond chance."""
    found: list[tuple[Entry, Entry, Comparison]] = []
    for (a, rows_a), (b, rows_b) in combinations(entries, 2):
        try:
            comparison = compare_rows(rows_a, rows_b, a=a.run, b=b.run, metric=metric)
        except BadInput:  # they share no task
            comparison = None
        if comparison is None or comparison.overall.paired is None:
            a.uncompared.append(b.run)
            b.uncompared.append(a.run)
        else:
            found.append((a, b, comparison))
    ps = [comparison.overall.paired.p for _, _, comparison in found if comparison.overall.paired]
    for (a, b, comparison), p in zip(found, statistics.holm(ps), strict=True):
        if p < 0.05 and comparison.overall.paired is not None:
            ahead, behind = (b, a) if comparison.overall.paired.difference > 0 else (a, b)
            ahead.beats.append(behind.run)


def _config(folder: Path, problems: list[str]) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        problems.append(f"{folder}: config.json is missing or damaged; its model is not known")
        return {}
    return data
