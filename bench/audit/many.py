"""Audits of many environments in worker processes: one that hangs or dies is a finding, and none is made twice.

Each report is written to its own file as soon as it is there. Whoever is stopped goes on with the same command.
"""

from __future__ import annotations

import json
import queue
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from proofgym.bench.audit.child import Child, ChildFailed, ChildLost
from proofgym.bench.audit.core import versions
from proofgym.bench.audit.finding import AuditReport, failed
from proofgym.errors import BadInput

__all__ = ["TIMEOUT_S", "audit_many", "file_name", "kept"]

TIMEOUT_S: Mapping[str, float] = {"quick": 300.0, "default": 1800.0, "thorough": 14_400.0}
"""Wall-clock seconds after which an audit is ended and its environment has failed."""

Done = Callable[[AuditReport], None]


def file_name(target: str) -> str:
    """Where the report of a target is kept in a folder.

    >>> file_name("proofgym/Sudoku4-v0")
    'proofgym_Sudoku4-v0.json'
    """
    return re.sub(r"[^\w.-]+", "_", target).strip("_") + ".json"


def kept(folder: Path, target: str, kwargs: Mapping[str, Any], depth: str, seed: int) -> AuditReport | None:
    """A report that is there already, of the same arguments, depth, seed and version; a broken file counts as none."""
    path = folder / file_name(target)
    try:
        report = AuditReport.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    found = report.target, dict(report.kwargs), report.depth, report.seed, dict(report.versions)
    return report if found == (target, dict(kwargs), depth, seed, versions()) else None


def audit_many(
    targets: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    depth: str = "default",
    seed: int = 0,
    jobs: int = 1,
    out: Path | None = None,
    started: Callable[[str], None] | None = None,
    done: Done | None = None,
) -> list[AuditReport]:
    """Audit each target in one of several worker processes.

    Args:
        targets: Names and what they are made with.
        depth: `quick`, `default` or `thorough`.
        seed: Of every audit.
        jobs: Worker processes.
        out: A folder for the reports. What it holds of the same depth, seed and versions is not made again.
        started, done: Called when an audit begins, and with its report, from whatever thread.
    Returns:
        The reports in the order of the targets.
    Raises:
        BadInput: If there are fewer than one job, or `out` is no folder that can be written to.
    """
    if jobs < 1:
        raise BadInput(f"at least one worker is needed, found {jobs}")
    if depth not in TIMEOUT_S:
        raise BadInput(f"depth is one of {', '.join(TIMEOUT_S)}, found {depth!r}")
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{out} cannot be made: {error}") from error
    found: dict[int, AuditReport] = {}
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number, (name, kwargs) in enumerate(targets):
        report = kept(out, name, kwargs, depth, seed) if out is not None else None
        if report is None:
            waiting.put(number)
        else:
            found[number] = report
            if done is not None:
                done(report)
    stop = threading.Event()
    children: set[Child] = set()
    faults: list[Exception] = []

    def work() -> None:
        child: Child | None = None
        try:
            while not stop.is_set():
                try:
                    number = waiting.get_nowait()
                except queue.Empty:
                    return
                name, kwargs = targets[number]
                if started is not None:
                    started(name)
                if child is not None and not child.alive:
                    child.close()
                    child = None
                if child is None:
                    child = Child()
                    children.add(child)
                report = _one(child, name, kwargs, depth, seed)
                if stop.is_set():
                    return
                if out is not None:
                    _write(out / file_name(name), report)
                found[number] = report
                if done is not None:
                    done(report)
        except Exception as error:  # told by whoever waits, not by a thread
            faults.append(error)
            stop.set()
        finally:
            if child is not None:
                child.close()

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(jobs, waiting.qsize()))]
    try:
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):  # a plain join would not be interrupted
            for thread in threads:
                thread.join(0.2)
    except KeyboardInterrupt:
        stop.set()
        for child in list(children):
            child.close()
        raise
    if faults:
        raise faults[0]
    return [found[number] for number in range(len(targets))]


def _one(child: Child, name: str, kwargs: Mapping[str, Any], depth: str, seed: int) -> AuditReport:
    request = {"op": "audit", "target": name, "kwargs": dict(kwargs), "depth": depth, "seed": seed}
    try:
        return AuditReport.from_json(child.ask(request, TIMEOUT_S[depth]))
    except (ChildFailed, ChildLost) as error:
        finding = failed("audit", f"the audit did not come to an end: {error}")
        return AuditReport(name, kwargs, depth, seed, [finding], 0.0, versions())


def _write(path: Path, report: AuditReport) -> None:
    half = path.with_suffix(".part")
    half.write_text(report.dumps() + "\n", encoding="utf-8")
    half.replace(path)
