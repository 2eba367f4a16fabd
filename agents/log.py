"""What a run writes while it goes: JSON Lines, TensorBoard, and a live table in the terminal.

Every file only grows. A checkpoint remembers how long each was; resuming cuts them back to there, so that a run that
was killed and resumed leaves the same lines as one that was not.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from proofgym.envs import trajectory
from proofgym.envs.trajectory import Trajectory
from proofgym.errors import need

__all__ = ["RunLog"]


class RunLog:
    """The written and the visible record of one run.

    Args:
        folder: The run's directory; made on entering.
        console: Where the live table goes; nothing is drawn when it is not a terminal, but milestones are printed.
    """

    def __init__(self, folder: Path, console: Console | None = None) -> None:
        self.folder = folder
        self.console = console or Console(stderr=True)
        self._writer: Any = None
        self._progress = Progress(
            TextColumn("[bold]{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TimeRemainingColumn(), console=self.console,
        )  # fmt: skip
        self._task: Any = None
        self._rows: list[Mapping[str, Any]] = []
        self._live = Live(console=self.console, refresh_per_second=4, transient=False)

    def __enter__(self) -> RunLog:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._writer = need("torch.utils.tensorboard", "train").SummaryWriter(str(self.folder / "tensorboard"))
        if self.console.is_terminal:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.console.is_terminal:
            self._live.__exit__(kind, error, trace)
        self._writer.close()

    def say(self, text: str) -> None:
        """Print one line above the table."""
        self.console.print(text)

    def stage(self, name: str, total: int, done: int = 0) -> None:
        """Start a progress bar; the one before it stops."""
        if self._task is not None:
            self._progress.stop_task(self._task)
        self._task = self._progress.add_task(name, total=total, completed=done)
        self._rows.clear()

    def metrics(self, stage: str, step: int, **values: float) -> None:
        """Write one line of numbers, and show them.

        A number that is not finite is written as null: JSON has no word for it, and a reader must not trip over it.
        """
        clean = {key: value if math.isfinite(value) else None for key, value in values.items()}
        line = {"stage": stage, "step": step, **clean}
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        for key, value in values.items():
            self._writer.add_scalar(f"{stage}/{key}", value, step)
        if self._task is not None and stage != "validation":
            self._progress.update(self._task, completed=step)
        self._rows.append(line)
        self._live.update(Group(self._progress, self._table()))

    def episodes(self, name: str, episodes: Iterable[Trajectory]) -> None:
        """Append trajectories to `episodes/NAME.jsonl`."""
        trajectory.write(self.folder / "episodes" / f"{name}.jsonl", episodes)

    def sizes(self) -> dict[str, int]:
        """How long every growing file is now, in bytes."""
        found = [self.folder / "metrics.jsonl", *sorted((self.folder / "episodes").glob("*.jsonl"))]
        return {str(path.relative_to(self.folder)): path.stat().st_size for path in found if path.is_file()}

    def cut_back(self, sizes: Mapping[str, int]) -> None:
        """Return every growing file to the length it had at a checkpoint."""
        for name in self.sizes():
            os.truncate(self.folder / name, sizes.get(name, 0))

    def _table(self) -> Table:
        names = ("stage", "step", "reward", "accuracy", "loss", "entropy", "clip_share", "kl", "unjudged", "seconds")
        always = ("stage", "step", "reward", "accuracy", "loss", "unjudged")
        shown = [name for name in names if any(row.get(name) or (name in row and name in always) for row in self._rows)]
        table = Table(box=None, pad_edge=False)
        for name in shown:
            table.add_column(name, justify="left" if name == "stage" else "right")
        for row in self._rows[-8:]:
            table.add_row(*(_cell(row.get(name)) for name in shown))
        return table


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.3f}"
    return str(value)
