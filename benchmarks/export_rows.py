"""How many rows `proofgym export` writes in a second of processor time.

    python benchmarks/export_rows.py [-n 1000] [--repeats 3]

Drawing a task is nearly all of the cost, so each environment has its own figure. Processor time, since a busy machine
stretches the clock; the first export of each environment warms up and is not counted.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from proofgym.adapters.export import Export, export

ENVS = ("RunningTotal", "Arithmetic", "Countdown", "Sudoku4", "Zebra", "CodeFunction", "Household")


def main() -> None:
    """Print one line an environment: the median of the repeats, and their range."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--format", default=".parquet", choices=[".parquet", ".jsonl"])
    options = parser.parse_args()
    print(f"{options.n} rows, {options.format}, one process, {options.repeats} repeats after one that is not counted")
    print(f"{platform.processor() or platform.machine()}, Python {sys.version.split()[0]}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows{options.format}"
        for env in ENVS:
            speeds = []
            export(Export((env,), max(1, options.n // 10), "verl"), path, force=True)
            for _ in range(options.repeats):
                started = time.process_time()
                written = export(Export((env,), options.n, "verl"), path, force=True)
                speeds.append(written.rows / (time.process_time() - started))
            middle, low, high = statistics.median(speeds), min(speeds), max(speeds)
            print(f"{env:>14}: {middle:7.0f} rows a CPU second ({low:.0f} to {high:.0f}), {written.distinct} different")


if __name__ == "__main__":
    main()
