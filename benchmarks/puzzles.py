"""How fast puzzles are drawn and judged, beside reasoning-gym on the same jobs: `python benchmarks/puzzles.py`.

Both run in this process, in turns, and are measured in CPU seconds of it, so that other work on the machine disturbs
less; a rate is the middle of `--repeats` passes, each of about `--seconds`, and the spread is that of the passes. Jobs
are made alike (sizes, numbers of clues, uniqueness) as far as the settings of both allow; what differs is said in the
table's last column. Ours prove what they claim (one solution, shortest solution); where reasoning-gym does not, the
column says so. Needs `pip install 'proofgym[reasoning-gym]'`; without it our own rates are printed alone.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from proofgym.envs.puzzles import FAMILIES, family

Work = Callable[[int], object]
"""One call of a job; the number tells calls apart."""


@dataclass(frozen=True, slots=True)
class Job:
    """One comparison: our family with its knobs, reasoning-gym's data set with its settings, the ratio wished for."""

    name: str
    ours: str
    knobs: Mapping[str, Any]
    theirs: str
    config: Mapping[str, Any]
    wish: float
    differs: str = ""


GENERATE = (
    Job("sudoku 9x9", "Sudoku", {"size": 9, "clues": 0.4}, "sudoku", {"min_empty": 49, "max_empty": 49}, 2, "32 clues"),
    Job("futoshiki", "Futoshiki", {"size": 5}, "futoshiki", {"min_board_size": 5, "max_board_size": 5}, 20),
    Job("zebra 4x4", "Zebra", {"houses": 4, "attributes": 4}, "zebra_puzzles", {}, 10, "minimal clues both"),
    Job(
        "sokoban 7x7, 2 boxes", "Sokoban", {"size": 7, "boxes": 2}, "sokoban",
        {"min_w": 7, "max_w": 7, "min_h": 7, "max_h": 7, "min_boxes": 2, "max_boxes": 2}, 20, "ours with the optimum",
    ),
    Job("countdown", "Countdown", {"numbers": 6}, "countdown", {"min_numbers": 6, "max_numbers": 6}, 100),
    Job("game of 24", "Game24", {"highest": 10, "target": 24}, "puzzle24", {}, 100, "ours with impossible ones"),
    Job("knights and knaves", "KnightsAndKnaves", {"people": 5}, "knights_knaves", {"n_people": 5}, 3),
    Job("life 10x10", "LifeForward", {"size": 10, "generations": 1}, "game_of_life", {}, 15),
    Job("queens 8", "Queens", {"size": 8}, "n_queens", {"n": 8}, 2, "theirs picks from a stored list"),
    Job(
        "maze 10x10", "Maze", {"rows": 5, "columns": 5}, "maze",
        {"min_grid_size": 10, "max_grid_size": 10}, 1.5, "10 x 10 with walls; ours with the distance",
    ),
)  # fmt: skip
SCORE = (
    Job("countdown", "Countdown", {"numbers": 6}, "countdown", {"min_numbers": 6, "max_numbers": 6}, 20),
    Job("game of 24", "Game24", {"highest": 10, "target": 24}, "puzzle24", {}, 20),
    Job("sudoku 9x9", "Sudoku", {"size": 9, "clues": 0.4}, "sudoku", {}, 0, "ours by all rules; theirs by equality"),
)


def rates(work: Work, seconds: float, repeats: int) -> list[float]:
    """Calls per CPU second of each pass, sorted; a first pass warms up and sizes the others."""
    started, calls = time.process_time(), 0
    while time.process_time() - started < seconds / 2 or calls < 2:
        work(calls)
        calls += 1
    size = max(2, round(calls * 2))
    found = []
    for repeat in range(1, repeats + 1):
        started = time.process_time()
        for i in range(size):
            work(repeat * size + i)
        found.append(size / (time.process_time() - started))
    return sorted(found)


def our_generator(job: Job) -> Work:
    """Draws an instance, proved, with its question."""
    kind = family(job.ours)
    settings = kind.settings(0.5, job.knobs)
    return lambda i: kind.generate(np.random.default_rng([9, i]), settings).question()


def our_scorer(job: Job) -> Work:
    """Judges the right answer of one of fifty instances."""
    kind = family(job.ours)
    settings = kind.settings(0.5, job.knobs)
    puzzles = [kind.generate(np.random.default_rng([9, i]), settings) for i in range(50)]
    texts = [f"Answer: {puzzle.solution()}" for puzzle in puzzles]
    return lambda i: puzzles[i % 50].verify(texts[i % 50])


def their_generator(job: Job) -> Work:
    """Draws an item of a data set without an end."""
    from reasoning_gym import create_dataset

    data = create_dataset(job.theirs, seed=9, size=10**7, **job.config)
    return data.__getitem__


def their_scorer(job: Job) -> Work:
    """Scores the stored answer of one of twenty items."""
    from reasoning_gym import create_dataset

    data = create_dataset(job.theirs, seed=9, size=20, **job.config)
    entries = [data[i] for i in range(20)]
    return lambda i: data.score_answer(entries[i % 20]["answer"], entries[i % 20])


def slide(seconds: float, repeats: int) -> list[float]:
    """Steps of the 8-puzzle a CPU second: the move, the view as text, and the exact distance."""
    kind = family("NPuzzle")
    puzzle = kind.generate(np.random.default_rng(1), kind.settings(1.0))
    state = puzzle.start()  # type: ignore[attr-defined]
    walk = []
    rng = np.random.default_rng(2)
    for _ in range(5000):
        moves = puzzle.moves(state)  # type: ignore[attr-defined]
        walk.append((state, moves[int(rng.integers(len(moves)))]))
        state = puzzle.apply(*walk[-1])  # type: ignore[attr-defined]

    def step(i: int) -> None:
        after = puzzle.apply(*walk[i % 5000])  # type: ignore[attr-defined]
        puzzle.view(after)  # type: ignore[attr-defined]
        puzzle.distance(after)  # type: ignore[attr-defined]

    return rates(step, seconds, repeats)


def shown(found: list[float]) -> str:
    """The middle with the ends."""
    middle = statistics.median(found)
    return f"{middle:,.3g} [{found[0]:,.3g}, {found[-1]:,.3g}]" if middle < 1000 else (
        f"{middle:,.0f} [{found[0]:,.0f}, {found[-1]:,.0f}]")  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU seconds of one pass")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="also draw every family at levels 0, 0.5 and 1")
    options = parser.parse_args()
    try:
        import reasoning_gym
    except ImportError:
        reasoning_gym = None
        print("reasoning-gym is not installed: our rates stand alone", file=sys.stderr)
    table = Table("job", "proofgym /s", "reasoning-gym /s", "ratio", "wished", "differs", box=None)
    for title, jobs, ours, theirs in (
        ("draw", GENERATE, our_generator, their_generator),
        ("score", SCORE, our_scorer, their_scorer),
    ):
        for job in jobs:
            mine = rates(ours(job), options.seconds, options.repeats)
            row = [f"{title} {job.name}", shown(mine), "-", "-", f"{job.wish:g}x" if job.wish else "-", job.differs]
            if reasoning_gym is not None:
                peer = rates(theirs(job), options.seconds, options.repeats)
                low, high = mine[0] / peer[-1], mine[-1] / peer[0]
                ratio = statistics.median(mine) / statistics.median(peer)
                row[2:4] = shown(peer), f"{ratio:,.3g}x [{low:,.3g}, {high:,.3g}]"
            table.add_row(*row)
    table.add_row("step 8-puzzle", shown(slide(options.seconds, options.repeats)), "-", "-", "150,000/s", "")
    console = Console(width=160)
    console.print(table)
    if options.all:
        console.print(_every())
    print(f"CPU time of one thread; {platform.machine()}, Python {platform.python_version()}, {' '.join(sys.argv)}")
    return 0


def _every() -> Table:
    table = Table("family", "ms at level 0", "0.5", "1.0", "share of the most frequent answer", box=None)
    for entry in FAMILIES:
        kind = family(entry.name)
        row = []
        for level in (0.0, 0.5, 1.0):
            settings = kind.settings(level)
            started = time.process_time()
            puzzles = [kind.generate(np.random.default_rng([3, i]), settings) for i in range(20)]
            row.append(f"{(time.process_time() - started) * 50:.2f}")
        answers = [puzzle.solution() for puzzle in puzzles] if entry.single_name else []
        most = max((answers.count(answer) for answer in set(answers)), default=0)
        table.add_row(entry.name, *row, f"{most / 20:.2f}" if answers else "-")
    return table


if __name__ == "__main__":
    raise SystemExit(main())
