"""What a run writes while it goes: JSON Lines, TensorBoard, trackers if asked for, and a live table in the terminal.

Every file only grows. A checkpoint remembers how long each was; resuming cuts them back to there, so that a run that
was killed and resumed leaves the same lines as one that was not. TensorBoard's file cannot be cut: it is written again
from the lines that stay, so there is always one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
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
        trackers: Further places for the numbers, `trackio` or `wandb`; they must be installed.
        silent: Write and show nothing: of several processes, one keeps the record.
    """

    def __init__(
        self, folder: Path, console: Console | None = None, *, trackers: Sequence[str] = (), silent: bool = False
    ) -> None:
        self.folder, self.silent = folder, silent
        self.console = console or Console(stderr=True)
        # A missing tracker is found before anything is written.
        self._modules = [] if silent else [need(name, name) for name in trackers]
        self._trackers: list[Any] = []
        self._writer: Any = None
        self._progress = Progress(
            TextColumn("[bold]{task.description:<10}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TimeRemainingColumn(), console=self.console,
        )  # fmt: skip
        self._task: Any = None
        self._rows: list[Mapping[str, Any]] = []
        self._live = Live(console=self.console, refresh_per_second=4, transient=False)

    def __enter__(self) -> RunLog:
        if self.silent:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        self._trackers = [module.init(project="proofgym", name=self.folder.name) for module in self._modules]
        if self.console.is_terminal:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.silent:
            return
        if self.console.is_terminal:
            self._live.__exit__(kind, error, trace)
        if self._writer is not None:
            self._writer.close()
        for run in self._trackers:
            run.finish()

    def say(self, text: str) -> None:
        """Print one line above the table."""
        if not self.silent:
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
        if self.silent:
            return
        clean = {key: value if math.isfinite(value) else None for key, value in values.items()}
        line = {"stage": stage, "step": step, **clean}
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        self._board(line)
        for run in self._trackers:
            run.log({f"{stage}/{key}": value for key, value in clean.items() if value is not None} | {"step": step})
        if self._task is not None and stage != "validation":
            self._progress.update(self._task, completed=step)
        self._rows.append(line)
        self._live.update(Group(self._progress, self._table()))

    def _board(self, line: Mapping[str, Any]) -> None:
        """The same numbers for TensorBoard; null stands for nan."""
        if self._writer is None:
            board = need("torch.utils.tensorboard", "train")
            self._writer = board.SummaryWriter(str(self.folder / "tensorboard"))
        for key, value in line.items():
            if key not in ("stage", "step"):
                self._writer.add_scalar(f"{line['stage']}/{key}", math.nan if value is None else value, line["step"])

    def episodes(self, name: str, episodes: Iterable[Trajectory]) -> None:
        """Append trajectories to `episodes/NAME.jsonl`."""
        if not self.silent:
            trajectory.write(self.folder / "episodes" / f"{name}.jsonl", episodes)

    def sizes(self) -> dict[str, int]:
        """How long every growing file is now, in bytes."""
        found = [self.folder / "metrics.jsonl", *sorted((self.folder / "episodes").glob("*.jsonl"))]
        return {str(path.relative_to(self.folder)): path.stat().st_size for path in found if path.is_file()}

    def cut_back(self, sizes: Mapping[str, int]) -> None:
        """Return every growing file to the length it had at a checkpoint."""
        if self.silent:
            return
        for name in self.sizes():
            os.truncate(self.folder / name, sizes.get(name, 0))
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for events in (self.folder / "tensorboard").glob("events.out.tfevents.*"):
            events.unlink()
        path = self.folder / "metrics.jsonl"
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            self._board(json.loads(line))

    def _table(self) -> Table:
        names = ("stage", "step", "reward", "accuracy", "loss", "entropy", "clip_share", "kl", "value_loss", "skipped",
                 "unjudged", "seconds")  # fmt: skip
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
