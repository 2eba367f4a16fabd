"""An environment's figures over its episodes: means with intervals, pass@k, by family and level, tokens and cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from proofgym.bench import statistics
from proofgym.bench.rows import Row

__all__ = ["EnvResult", "Slice", "level_of", "summarise"]

POINTS = 0.02
"""What the sentence about power is about: two points."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the episodes: those of one family, or of one level of difficulty.

    Args:
        n: Judged episodes; `unjudged` ones are in no other number.
        mean, low, high: Reward an episode, with a 95 % interval clustered by task.
        solved, solved_low, solved_high: Share of fully correct episodes, with a 95 % interval.
    """

    n: int
    unjudged: int
    mean: float | None
    low: float | None
    high: float | None
    solved: float | None
    solved_low: float | None
    solved_high: float | None


@dataclass(frozen=True, slots=True)
class EnvResult:
    """One model on one environment.

    Args:
        n: Judged episodes; `unjudged` ones are in no other number.
        mean, low, high: Reward an episode, with a 95 % interval clustered by task. None if nothing was judged.
        solved, solved_low, solved_high: Share of fully correct episodes, with a 95 % interval.
        turns, tokens: Mean an episode; tokens are those written.
        seconds: Wall clock for the whole environment.
        tasks: Different tasks among the judged episodes.
        pass_at, pass_hat: By k: the chance that one of k, or all of k attempts solve a task, over tasks.
        by_family, by_level: The same figures for parts of the episodes; families only where there are several.
        more_tasks: Further tasks after which the mean's interval would be +- 0.02; None where the spread is unknown.
        prompt_tokens, completion_tokens, cost_usd: In total, unjudged episodes included; cost only where known.
        faults: Why episodes could not be judged, the commonest first, with how many.
        broken: Lines of the file that held no episode.
    """

    env: str
    n: int
    unjudged: int
    mean: float | None
    low: float | None
    high: float | None
    solved: float | None
    solved_low: float | None
    solved_high: float | None
    turns: float
    tokens: float
    seconds: float
    tasks: int = 0
    pass_at: dict[int, dict[str, Any]] = field(default_factory=dict)
    pass_hat: dict[int, dict[str, Any]] = field(default_factory=dict)
    by_family: dict[str, Slice] = field(default_factory=dict)
    by_level: dict[str, Slice] = field(default_factory=dict)
    more_tasks: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    faults: dict[str, int] = field(default_factory=dict)
    broken: int = 0


def summarise(env: str, rows: Sequence[Row], seconds: float = 0.0, broken: int = 0) -> EnvResult:
    """All figures of one environment."""
    whole = _slice(rows)
    judged = [row for row in rows if not row.unjudged]
    tasks = [row.task for row in judged]
    different = len(set(tasks))
    costs = [row.cost_usd for row in rows if not math.isnan(row.cost_usd)]
    families = _grouped(rows, lambda row: row.family or "unknown")
    levels = _grouped(rows, lambda row: level_of(row.difficulty))
    solved = [row.solved for row in judged]
    attempts = max(Counter(tasks).values(), default=0)
    ks = [k for k in (1, 2, 4, 8, 16, 32, 64, 128, 256) if k < attempts] + [attempts] if attempts > 1 else []
    at, hat = ({k: statistics.passes(solved, tasks, k, every=every) for k in ks} for every in (False, True))
    more = None
    if whole.mean is not None and whole.low is not None and whole.high is not None:
        interval = statistics.Interval(whole.mean, whole.low, whole.high, whole.n)
        wanted = statistics.tasks_for_width(POINTS, interval, different)
        more = None if wanted is None else max(0, wanted - different)
    return EnvResult(
        env, whole.n, whole.unjudged, whole.mean, whole.low, whole.high,
        whole.solved, whole.solved_low, whole.solved_high,
        turns=sum(row.turns for row in judged) / max(1, len(judged)),
        tokens=sum(row.tokens for row in judged) / max(1, len(judged)),
        seconds=seconds,
        tasks=different,
        pass_at={k: found.to_json() for k, found in at.items() if found},
        pass_hat={k: found.to_json() for k, found in hat.items() if found},
        by_family={name: _slice(part) for name, part in families.items()} if len(families) > 1 else {},
        by_level={name: _slice(part) for name, part in levels.items()} if len(levels) > 1 else {},
        more_tasks=more,
        prompt_tokens=sum(row.prompt_tokens for row in rows),
        completion_tokens=sum(row.tokens for row in rows),
        cost_usd=math.fsum(costs) if costs else None,
        faults=dict(Counter(row.fault for row in rows if row.unjudged).most_common(5)),
        broken=broken,
    )  # fmt: skip


def level_of(difficulty: float) -> str:
    """The fifth of the range that a difficulty lies in.

    >>> level_of(0.0), level_of(0.2), level_of(1.0), level_of(float("nan"))
    ('0.0-0.2', '0.2-0.4', '0.8-1.0', 'unknown')
    """
    if math.isnan(difficulty):
        return "unknown"
    fifth = min(4, max(0, math.floor(difficulty * 5)))
    return f"{fifth / 5:.1f}-{(fifth + 1) / 5:.1f}"


def _slice(rows: Sequence[Row]) -> Slice:
    judged = [row for row in rows if not row.unjudged]
    unjudged = len(rows) - len(judged)
    if not judged:
        return Slice(0, unjudged, None, None, None, None, None, None)
    tasks = [row.task for row in judged]
    reward = statistics.mean_interval([row.reward for row in judged], tasks).to_json()
    right = statistics.share([row.solved for row in judged], tasks).to_json()
    return Slice(
        len(judged), unjudged, reward["mean"], reward["low"], reward["high"],
        right["mean"], right["low"], right["high"],
    )  # fmt: skip


def _grouped(rows: Sequence[Row], key: Any) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return dict(sorted(groups.items()))
