"""A run directory opened for viewing: everything but its episodes is read, and the episodes are found.

What is missing or damaged is said in `Opened.problems`; nothing that a killed run leaves behind stops the page.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proofgym.errors import BadInput

__all__ = ["Opened", "open_run"]

_ORDER = {"before": 0, "after": 1, "train": 2}
_PICTURES, _PICTURE_BYTES = 40, 800_000  # pictures of a run that are shown, and bytes of all together
_LARGEST_STEP = 2**53


@dataclass(slots=True)
class Opened:
    """One run.

    Args:
        path: Its directory.
        name: What tells it from the others on the same page.
        episodes: Its files of episodes.
        pictures: SVG files that lie in it, such as proof searches, as text.
        problems: One sentence for each thing that could not be read.
    """

    path: Path
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    episodes: list[Path] = field(default_factory=list)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def open_run(run_dir: str | Path) -> Opened:
    """Open a run directory.

    Raises:
        BadInput: If there is no run at that place.
    """
    path = Path(run_dir)
    episodes = sorted(path.glob("episodes/*.jsonl"), key=lambda file: (_ORDER.get(file.stem, 3), file.name))
    known = [path / name for name in ("config.json", "summary.json", "metrics.jsonl")]
    if not episodes and not any(file.is_file() for file in known):
        found = "the directory holds none of its files" if path.is_dir() else "there is no such directory"
        raise BadInput(f"no run at {path}: {found}; expected config.json, metrics.jsonl or episodes/*.jsonl")
    run = Opened(path, path.resolve().name, episodes=[file for file in episodes if file.is_file()])
    run.config = _object(path / "config.json", run.problems)
    run.summary = _object(path / "summary.json", run.problems)
    run.metrics = _metrics(path / "metrics.jsonl", run.problems, expected=run.config.get("kind") == "train")
    run.pictures = _pictures(path)
    return run


def _object(path: Path, problems: list[str]) -> dict[str, Any]:
    if not path.is_file():
        problems.append(f"{path.name} is missing")
        return {}
    try:
        data = json.loads(path.read_bytes().decode("utf-8", "surrogatepass"))
        if not isinstance(data, dict):
            raise TypeError(f"it holds a {type(data).__name__}, not an object")
    except (ValueError, TypeError, RecursionError) as error:
        problems.append(f"{path.name} could not be read ({error})")
        return {}
    return data


def _metrics(path: Path, problems: list[str], *, expected: bool) -> list[dict[str, Any]]:
    if not path.is_file():
        if expected:
            problems.append("metrics.jsonl is missing: no learning curves")
        return []
    good: list[dict[str, Any]] = []
    bad = 0
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line.decode("utf-8", "surrogatepass"))
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict) and _is_metric(row):
                good.append(row)
            else:
                bad += 1
    if bad:
        problems.append(f"{bad} line{'s' if bad > 1 else ''} of metrics.jsonl could not be read")
    return good


def _is_metric(row: dict[str, Any]) -> bool:
    step = row.get("step")
    return isinstance(row.get("stage"), str) and type(step) is int and 0 <= step < _LARGEST_STEP


def _pictures(path: Path) -> list[tuple[str, str]]:
    """Pictures that the run drew, for instance by `envs.prover.tree.picture`, a folder deep at most."""
    found: list[tuple[str, str]] = []
    room = _PICTURE_BYTES
    for file in sorted([*path.glob("*.svg"), *path.glob("*/*.svg")])[:_PICTURES]:
        if file.is_file() and (size := file.stat().st_size) <= room:
            room -= size
            found.append((file.relative_to(path).as_posix(), file.read_text(encoding="utf-8", errors="replace")))
    return found
