"""`proofgym compare A B`: which of two runs is better, task by task, and how sure one can be.

Two runs are compared on the tasks that both had judged: the same environment, the same item of the same seed, the same
fingerprint. A task that was tried several times counts once, by its mean. What could not be matched is counted and
told apart, never dropped in silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from proofgym.bench import rows as stored
from proofgym.bench import statistics
from proofgym.bench.rows import Row
from proofgym.bench.statistics import Paired
from proofgym.bench.summary import POINTS, level_of
from proofgym.errors import BadInput

__all__ = ["Comparison", "Difference", "compare", "compare_rows", "run_rows"]

Key = tuple[str, int, int, str]  # environment, seed, index, fingerprint


@dataclass(frozen=True, slots=True)
class Difference:
    """How two runs differ on some tasks: b minus a.

    Args:
        a, b: The mean of each on these tasks.
        paired: The test, its interval and effect size; None for fewer than two tasks.
        better, worse: Tasks on which b did better, and worse, than a.
        power_now: The chance that so many tasks show a difference of two points, if there is one.
        more_tasks: Further tasks that would show it in 80 of 100 comparisons; None where the spread is unknown.
    """

    tasks: int
    a: float
    b: float
    paired: Paired | None
    better: int
    worse: int
    power_now: float | None = None
    more_tasks: int | None = None

    @property
    def significant(self) -> bool:
        """Whether a difference of 0 lies outside the 95 % interval."""
        return self.paired is not None and self.paired.p < 0.05

    def sentence(self, a: str = "A", b: str = "B") -> str:
        """What the figures say, in words."""
        if self.paired is None:
            return f"{self.tasks} matched task{'s' * (self.tasks != 1)}: a comparison needs at least two."
        d, tasks = self.paired, f"{self.tasks} tasks"
        if self.better == self.worse == 0:
            return f"{a} and {b} score the same on each of {tasks}."
        found = f"{b} scores {100 * d.difference:+.1f} points against {a} on {tasks} (95 % interval "
        found += f"{100 * d.low:+.1f} to {100 * d.high:+.1f}, p = {d.p:.2g}, d = {d.effect:.2f})."
        if self.power_now is None:
            return found
        seen = f"With so many tasks a true difference of {100 * POINTS:.0f} points shows up {self.power_now:.0%} of the"
        enough = "enough." if not self.more_tasks else f"{self.more_tasks:,} more tasks make that 80%."
        return f"{found} {seen} time; {enough}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs over the tasks that they share.

    Args:
        a, b: Their names.
        metric: `reward` or `solved`.
        overall: Over all environments.
        by_env, by_family, by_level: For parts of the tasks; families and levels are named `environment: family`.
        unmatched: Why tasks were left out, with how many.
    """

    a: str
    b: str
    metric: str
    overall: Difference
    by_env: dict[str, Difference] = field(default_factory=dict)
    by_family: dict[str, Difference] = field(default_factory=dict)
    by_level: dict[str, Difference] = field(default_factory=dict)
    unmatched: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary; an infinite number is null."""
        data: dict[str, Any] = _finite(asdict(self))
        return data


def compare(a: str | Path, b: str | Path, *, metric: str = "reward") -> Comparison:
    """Compare two run directories, task by task.

    Args:
        a, b: Where `proofgym eval` wrote.
        metric: `reward`, or `solved` for the share of fully correct episodes.
    Raises:
        BadInput: If a directory holds no run, or the two share no task.
    """
    return compare_rows(run_rows(Path(a)), run_rows(Path(b)), a=str(a), b=str(b), metric=metric)


def compare_rows(
    rows_a: Iterable[Row], rows_b: Iterable[Row], *, a: str = "A", b: str = "B", metric: str = "reward"
) -> Comparison:
    """Compare the episodes of two runs.

    Raises:
        BadInput: If they share no task that both had judged, or the metric is unknown.
    """
    if metric not in ("reward", "solved"):
        raise BadInput(f"runs are compared by reward or solved, found {metric!r}")
    first, second = _by_task(rows_a), _by_task(rows_b)
    shared = [key for key in first if key in second]
    places_a, places_b = ({key[:3] for key in tasks} for tasks in (first, second))
    other = len({key[:3] for key in first if key not in second} & places_b)
    unmatched = {
        "the same item is another task in the other run": other,
        f"only in {a}": len(first) - len(shared) - other,
        f"only in {b}": len(second) - len(shared) - len({k[:3] for k in second if k not in first} & places_a),
    }
    both = [
        key for key in shared if any(not r.unjudged for r in first[key]) and any(not r.unjudged for r in second[key])
    ]
    unmatched["unjudged in one run or both"] = len(shared) - len(both)
    unmatched = {why: count for why, count in unmatched.items() if count}
    if not both:
        reasons = "; ".join(f"{why}: {count}" for why, count in unmatched.items()) or "both are empty"
        raise BadInput(f"{a} and {b} share no task that both had judged ({reasons})")
    pairs = {key: (_mean(first[key], metric), _mean(second[key], metric)) for key in both}
    about = {key: first[key][0] for key in both}
    envs = _parts(pairs, lambda key: key[0])
    families = _parts(pairs, lambda key: f"{key[0]}: {about[key].family or 'unknown'}")
    levels = _parts(pairs, lambda key: f"{key[0]}: {level_of(about[key].difficulty)}")
    return Comparison(
        a, b, metric, _difference(list(pairs.values())),
        by_env=envs,
        by_family=families if len(families) > len(envs) else {},
        by_level=levels if len(levels) > len(envs) else {},
        unmatched=unmatched,
    )  # fmt: skip


def run_rows(run_dir: Path) -> list[Row]:
    """The rows of all episodes of a run.

    Raises:
        BadInput: If there is no run, or it holds no episode.
    """
    files = list(stored.read_run(run_dir))
    rows = [row for file in files for row in file.rows]
    if not rows:
        broken = sum(file.broken for file in files)
        found = "there is no such directory"
        if run_dir.is_dir():
            found = f"{broken} damaged lines" if broken else "the directory holds no episodes/*.jsonl with episodes"
        raise BadInput(f"no episodes of a run at {run_dir}: {found}")
    return rows


def _by_task(rows: Iterable[Row]) -> dict[Key, list[Row]]:
    tasks: dict[Key, list[Row]] = {}
    for row in rows:
        tasks.setdefault((row.env, row.seed, row.index, row.task), []).append(row)
    return dict(sorted(tasks.items()))


def _judged(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not row.unjudged]


def _mean(rows: Sequence[Row], metric: str) -> float:
    judged = _judged(rows)
    return math.fsum(row.reward if metric == "reward" else row.solved for row in judged) / len(judged)


def _parts(pairs: Mapping[Key, tuple[float, float]], name: Any) -> dict[str, Difference]:
    parts: dict[str, list[tuple[float, float]]] = {}
    for key, pair in pairs.items():
        parts.setdefault(name(key), []).append(pair)
    return {name: _difference(part) for name, part in sorted(parts.items())}


def _difference(pairs: Sequence[tuple[float, float]]) -> Difference:
    a, b = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    means = math.fsum(a) / len(a), math.fsum(b) / len(b)
    better, worse = sum(y > x for x, y in pairs), sum(y < x for x, y in pairs)
    if len(pairs) < 2:
        return Difference(len(pairs), *means, None, better, worse)
    found = statistics.paired(a, b)
    if not found.spread > 0:
        return Difference(len(pairs), *means, found, better, worse)
    wanted = statistics.tasks_for_difference(POINTS, found.spread)
    now = statistics.power(POINTS, found.spread, len(pairs))
    return Difference(len(pairs), *means, found, better, worse, now, max(0, wanted - len(pairs)))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
