"""The figures of a page: what each file came to, by family and by level, and how two runs differ on the same tasks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofgym.bench import statistics
from proofgym.bench.catalogue import Catalogue
from proofgym.bench.index import LABELS
from proofgym.bench.runs import number

__all__ = ["breakdown", "compared", "counts", "figures", "level_bins", "results"]

Numbers = NDArray[np.int64]

_SOLVED, _UNJUDGED = LABELS.index("solved"), LABELS.index("unjudged")
_KEYS = ("mean", "low", "high", "solved", "solved_low", "solved_high", "turns", "tokens", "seconds", "n", "unjudged")
_MOST = 60  # rows of one breakdown
_LEVEL_BINS = 5


def figures(catalogue: Catalogue, numbers: Numbers) -> dict[str, float | None]:
    """Mean reward and share solved over some episodes, with 95 % intervals clustered by task."""
    rows = catalogue.rows[numbers]
    judged = rows[rows["label"] != _UNJUDGED]
    found: dict[str, Any] = dict.fromkeys(_KEYS) | {"n": len(judged), "unjudged": len(rows) - len(judged)}
    if len(judged):
        tasks = (judged["task"].astype(np.int64) * len(catalogue.envs) + judged["env"]).tolist()
        mean = statistics.mean_interval(judged["reward"].tolist(), tasks).to_json()
        solved = statistics.share((judged["label"] == _SOLVED).tolist(), tasks).to_json()
        found |= {key: mean[key] for key in ("mean", "low", "high")}
        found |= {"solved": solved["mean"], "solved_low": solved["low"], "solved_high": solved["high"]}
        found |= {"turns": float(judged["turns"].mean()), "tokens": float(judged["tokens"].mean()) or None}
    return {key: number(found[key]) for key in _KEYS}


def counts(catalogue: Catalogue, numbers: Numbers) -> dict[str, int]:
    """How many episodes have each outcome; those that none has are left out."""
    found = np.bincount(catalogue.rows["label"][numbers], minlength=len(LABELS)).tolist()
    return {name: n for name, n in zip(LABELS, found, strict=True) if n}


def results(catalogue: Catalogue, run: int) -> list[dict[str, Any]]:
    """The table of results of a run: from its summary or, where that is missing, from the episodes themselves."""
    opened = catalogue.runs[run]
    files = {index.path.stem: n for n, index in enumerate(catalogue.indexes) if catalogue.owners[n] == run}

    def computed(name: str) -> Mapping[str, Any]:
        if name not in files:
            return {}
        return figures(catalogue, np.flatnonzero(catalogue.rows["file"] == files[name]))

    found: list[tuple[str, Mapping[str, Any]]] = [
        (str(row.get("env", "?")), row) for row in _dicts(opened.summary.get("results"))
    ]
    held_out = {name: opened.summary.get(name) for name in ("before", "after")}
    found += [(name, {**computed(name), **said}) for name, said in held_out.items() if isinstance(said, dict)]
    if not found:
        found = [(name, computed(name)) for name in files if name != "train"]
    return [
        {"name": name.removeprefix("proofgym/"), **{key: number(row.get(key)) for key in _KEYS}} for name, row in found
    ]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def measured(catalogue: Catalogue, run: int) -> Numbers:
    """The episodes that say how good a run's policy is: held out after training, or all that were evaluated."""
    files = [n for n, owner in enumerate(catalogue.owners) if owner == run]
    names = {catalogue.indexes[n].path.stem: n for n in files}
    chosen = [names["after"]] if "after" in names else [n for n in files if catalogue.indexes[n].path.stem != "train"]
    return np.flatnonzero(np.isin(catalogue.rows["file"], chosen or files) & (catalogue.rows["run"] == run))


def level_bins(levels: Sequence[float]) -> list[tuple[float, float, str]]:
    """Difficulties as few enough steps to draw: each value alone where there are few, else fifths of [0, 1].

    >>> level_bins([0.5, 0.5, 1.0])
    [(0.5, 0.5, '0.5'), (1.0, 1.0, '1')]
    >>> [name for _, _, name in level_bins([n / 10 for n in range(10)])]
    ['0–0.2', '0.2–0.4', '0.4–0.6', '0.6–0.8', '0.8–1']
    """
    values = np.unique(np.asarray(levels, float))
    values = values[~np.isnan(values)]
    rounded = np.round(values, 6)
    steps = np.unique(rounded)
    if len(steps) <= _LEVEL_BINS + 1:
        alike = [values[rounded == step] for step in steps]
        return [(float(same[0]), float(same[-1]), f"{same[0]:.3g}") for same in alike]
    edges = np.linspace(0.0, 1.0, _LEVEL_BINS + 1)
    bins = [
        (float(low), float(np.nextafter(high, 0)) if high < 1 else 1.0, f"{low:.3g}–{high:.3g}")
        for low, high in itertools.pairwise(edges.tolist())
    ]
    return [(low, high, name) for low, high, name in bins if ((values >= low) & (values <= high)).any()]


def breakdown(catalogue: Catalogue, by: str) -> list[dict[str, Any]]:
    """Figures by `env`, `family` or `level`: one row each, with a cell for every run."""
    everything = [measured(catalogue, run) for run in range(len(catalogue.runs))]
    if by == "level":
        levels = catalogue.rows["level"]
        shown = np.concatenate(everything) if everything else np.zeros(0, np.int64)
        groups = [
            (
                name,
                [numbers[(levels[numbers] >= low) & (levels[numbers] <= high)] for numbers in everything],
            )
            for low, high, name in level_bins(levels[shown].tolist())
        ]
    else:
        names = catalogue.envs if by == "env" else catalogue.families
        groups = [
            (name.removeprefix("proofgym/"), [numbers[catalogue.rows[by][numbers] == n] for numbers in everything])
            for n, name in enumerate(names)
            if name
        ]
        groups.sort(key=lambda group: group[0])
    rows = [
        {"name": name, "cells": [figures(catalogue, numbers) for numbers in cells]}
        for name, cells in groups
        if any(len(numbers) for numbers in cells)
    ]
    return rows[:_MOST]


def compared(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every later run beside the first, environment by environment, on the tasks that both were judged on.

    Attempts at a task are averaged first, so that a pair is one task.
    """
    rows: list[dict[str, Any]] = []
    first = _by_task(catalogue, 0) if catalogue.runs else {}
    for run in range(1, len(catalogue.runs)):
        other = _by_task(catalogue, run)
        for env in sorted(first.keys() & other.keys()):
            shared = sorted(first[env].keys() & other[env].keys())
            name = catalogue.envs[env].removeprefix("proofgym/")
            row: dict[str, Any] = {"run": run, "name": name, "n": len(shared)}
            if len(shared) > 1:
                for place, key in enumerate(("reward", "solved")):
                    pairs = [(first[env][task][place], other[env][task][place]) for task in shared]
                    result = statistics.paired([a for a, _ in pairs], [b for _, b in pairs])
                    row[key] = {
                        "a": sum(a for a, _ in pairs) / len(pairs), "b": sum(b for _, b in pairs) / len(pairs),
                        "difference": number(result.difference), "low": number(result.low),
                        "high": number(result.high), "p": number(result.p), "effect": number(result.effect),
                    }  # fmt: skip
            rows.append(row)
    return rows


def _by_task(catalogue: Catalogue, run: int) -> dict[int, dict[int, tuple[float, float]]]:
    rows = catalogue.rows[measured(catalogue, run)]
    rows = rows[rows["label"] != _UNJUDGED]
    found: dict[int, dict[int, list[tuple[float, float]]]] = {}
    columns = (rows["env"], rows["task"], rows["reward"], rows["label"] == _SOLVED)
    for env, task, reward, solved in zip(*(column.tolist() for column in columns), strict=True):
        found.setdefault(env, {}).setdefault(task, []).append((reward, float(solved)))
    return {
        env: {
            task: (sum(r for r, _ in tries) / len(tries), sum(s for _, s in tries) / len(tries))
            for task, tries in tasks.items()
        }
        for env, tasks in found.items()
    }
