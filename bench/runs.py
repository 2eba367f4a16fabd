"""Read a run directory: what training and evaluation leave behind, whole or damaged.

    config.json             kind ("train" or "eval"), version, commit, seed, command, the full configuration
    summary.json            the figures at the end
    metrics.jsonl           one object a line: stage, step, and numbers
    episodes/NAME.jsonl     trajectories

A run that was killed lacks files and ends in half a line. Whatever can be read is read, a damaged line loses that line
only, and everything that is missing or damaged is said in `Run.problems`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from proofgym.envs.trajectory import Trajectory
from proofgym.errors import BadInput
from proofgym.verifiers import Status

__all__ = ["OUTCOMES", "EpisodeFile", "Outcome", "Run", "load", "number", "outcome"]

Outcome = Literal["solved", "partial", "wrong", "unjudged", "no verdict"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_LARGEST = 1e100  # beyond it a figure is damage, and sums overflow
_ORDER = {"before": 0, "after": 1, "train": 2}
_TEXT_BUDGET = 3_000_000  # characters of episodes kept for showing, over all files of a run


def outcome(episode: Trajectory) -> Outcome:
    """Under which heading an episode is counted and filtered.

    >>> outcome(Trajectory("e", {}, 0, 0, end="unjudged"))
    'unjudged'
    """
    if episode.unjudged:
        return "unjudged"
    verdict = episode.verdict
    if verdict is None:
        return "no verdict"
    if verdict.correct:
        return "solved"
    return "partial" if verdict.status is Status.PARTIAL or verdict.score > 0 else "wrong"


def number(value: Any) -> float | None:
    """A finite number, or none for anything else that a file may hold in its place.

    >>> number(3), number(float("nan")), number("3"), number(10**400)
    (3.0, None, None, None)
    """
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST
    return float(value) if good else None


@dataclass(slots=True)
class EpisodeFile:
    """One file of episodes: figures over all of them, and a sample to look at.

    Args:
        name: `before`, `after`, `train`, or an environment's name.
        sample: Some of the episodes, in the order of the file; every outcome is represented.
        counts: Episodes by outcome.
        broken: Lines that hold no episode.
        rewards, solved, tasks: One for each judged episode: its reward, whether it was solved, its task.
    """

    name: str
    sample: list[Trajectory] = field(default_factory=list)
    counts: dict[Outcome, int] = field(default_factory=dict)
    broken: int = 0
    rewards: list[float] = field(default_factory=list)
    solved: list[bool] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Episodes in the file, unjudged ones included."""
        return sum(self.counts.values())


@dataclass(slots=True)
class Run:
    """Everything that could be read of a run, and in `problems` one sentence for each thing that could not."""

    path: Path
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    metrics: list[dict[str, Any]] = field(default_factory=list)
    files: list[EpisodeFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def load(run_dir: str | Path, *, sample: int = 60) -> Run:
    """Read a run directory.

    Args:
        run_dir: Where `proofgym train` or `proofgym eval` wrote.
        sample: Episodes kept of each file, at most; very long ones lower the number.
    Raises:
        BadInput: If there is no run at all at that place.
    """
    path = Path(run_dir)
    episodes = sorted(path.glob("episodes/*.jsonl"), key=lambda file: (_ORDER.get(file.stem, 3), file.name))
    known = [path / name for name in ("config.json", "summary.json", "metrics.jsonl")]
    if not episodes and not any(file.is_file() for file in known):
        found = "the directory holds none of its files" if path.is_dir() else "there is no such directory"
        raise BadInput(f"no run at {path}: {found}; expected config.json, metrics.jsonl or episodes/*.jsonl")
    run = Run(path)
    run.config = _object(path / "config.json", run.problems)
    run.summary = _object(path / "summary.json", run.problems)
    run.metrics = _metrics(path / "metrics.jsonl", run.problems, expected=run.config.get("kind") == "train")
    for file in episodes:
        read = _episodes(file, sample, _TEXT_BUDGET // len(episodes))
        if read.broken:
            run.problems.append(f"{_lines(read.broken)} of episodes/{file.name} could not be read")
        run.files.append(read)
    return run


def _episodes(path: Path, sample: int, budget: int) -> EpisodeFile:
    """One pass, bounded memory: a reservoir for each outcome, shared out fairly at the end."""
    file = EpisodeFile(path.stem)
    kept: dict[Outcome, list[tuple[int, Trajectory]]] = {}
    chance = random.Random(0)  # noqa: S311 - which episodes are shown is no secret
    for number, data in enumerate(_json_lines(path)):
        try:
            if data is None:
                raise ValueError("not JSON")
            episode = Trajectory.from_json(data)
            _check(episode)
        except (ValueError, TypeError, OverflowError):
            file.broken += 1
            continue
        kind = outcome(episode)
        count = file.counts[kind] = file.counts.get(kind, 0) + 1
        if not episode.unjudged:
            file.rewards.append(episode.reward)
            file.solved.append(kind == "solved")
            file.tasks.append(str(episode.task.get("fingerprint", f"{episode.seed}:{episode.index}")))
        held = kept.setdefault(kind, [])
        if len(held) < sample:
            held.append((number, episode))
        elif (slot := chance.randrange(count)) < sample:
            held[slot] = (number, episode)
    chosen: list[tuple[int, Trajectory]] = []
    size = 0
    queues = [sorted(held, key=lambda item: item[0], reverse=True) for held in kept.values()]
    while any(queues) and len(chosen) < sample and size <= budget:
        for queue in queues:
            if queue and len(chosen) < sample:
                chosen.append(queue.pop())
                size += _size(chosen[-1][1])
    file.sample = [episode for _, episode in sorted(chosen, key=lambda item: item[0])]
    return file


def _check(episode: Trajectory) -> None:
    """What `Trajectory.from_json` takes on trust and a page would stumble over."""
    whole = (episode.seed, episode.index, episode.sample)
    texts = (episode.env, episode.fault, *(text for turn in episode.turns for text in (turn.observation, turn.action)))
    if not all(type(n) is int for n in whole) or not all(isinstance(text, str) for text in texts):
        raise TypeError("a field of the wrong kind")
    containers: list[tuple[object, type]] = [(episode.task, dict), *((turn.action_ids, list) for turn in episode.turns)]
    if not all(isinstance(value, kind) for value, kind in containers):
        raise TypeError("a field of the wrong kind")
    if any(number(turn.reward) is None for turn in episode.turns):
        raise TypeError("a field of the wrong kind")


def _size(episode: Trajectory) -> int:
    return 500 + sum(len(t.observation) + len(t.action) + 150 * len(t.credits) for t in episode.turns)


def _json_lines(path: Path) -> Iterator[Any]:
    """Each line's content, `None` for a line that is no JSON object; damage in one line never reaches the next."""
    with path.open("rb") as file:
        for line in file:
            try:
                data = json.loads(line.decode("utf-8", "surrogatepass"))
            except (ValueError, RecursionError):
                data = None
            yield data if isinstance(data, dict) else None


def _metrics(path: Path, problems: list[str], *, expected: bool) -> list[dict[str, Any]]:
    if not path.is_file():
        if expected:
            problems.append("metrics.jsonl is missing: no learning curves")
        return []
    rows = list(_json_lines(path))
    good = [cast("dict[str, Any]", row) for row in rows if _is_metric(row)]
    if len(good) < len(rows):
        problems.append(f"{_lines(len(rows) - len(good))} of metrics.jsonl could not be read")
    return good


def _is_metric(row: Any) -> bool:
    good = isinstance(row, dict) and isinstance(row.get("stage"), str) and type(row.get("step")) is int
    return good and 0 <= row["step"] < 2**53


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


def _lines(n: int) -> str:
    return "1 line" if n == 1 else f"{n} lines"
