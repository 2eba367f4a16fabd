"""The pools that `grade` uses when it is given none, and the order in which jobs of one submission are run.

One pool for submissions that see only the standard library, one for those that may import the installed packages; each
is started when first needed, shared by all threads, made anew in a forked process, and closed at exit.
"""

from __future__ import annotations

import collections
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from proofgym.errors import Unjudged
from proofgym.sandboxes import IsolationUnavailable, Pool
from proofgym.verifiers.code import texts
from proofgym.verifiers.code.report import Ending, Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proofgym.sandboxes import Job, JobFuture, Result
    from proofgym.verifiers.code.task import Case, CodeTask

__all__ = ["Runner", "shared"]

_lock = threading.Lock()
_shared: dict[bool, Pool] = {}
_owner = 0


def shared(packages: bool = False) -> Pool:
    """The process's own pool, with or without the installed packages.

    Raises:
        Unjudged: This machine cannot give the isolation that judging needs.
    """
    global _owner
    with _lock:
        if _owner != os.getpid():
            _shared.clear()
            _owner = os.getpid()
        pool = _shared.get(packages)
        if pool is None or pool._closed:
            try:
                pool = _shared[packages] = Pool(site=packages)
            except IsolationUnavailable as error:
                raise Unjudged(f"no sandbox to judge in: {error}") from error
        return pool


class Runner:
    """Runs the jobs of one submission on a pool and remembers how they were contained."""

    def __init__(self, pool: Pool, patience: int) -> None:
        self.pool, self.patience = pool, patience
        self.isolation = ""
        self.gaps: tuple[str, ...] = ()

    def run(self, job: Job) -> Result:
        """Run one job. Raises `Unjudged` when the machinery fails."""
        return self._seen(self.pool.run(job))

    def in_order(self, jobs: Sequence[Job], enough: Callable[[Result], bool], *, warm: bool = False) -> list[Result]:
        """Run jobs side by side and take their results in order, until `enough` says so of one of them.

        What is returned does not depend on how many run at once: the results up to and including the one that was
        enough.

        Args:
            warm: Run the first by itself, because what it compiles will serve the others.
        """
        results: list[Result] = []
        waiting: collections.deque[JobFuture] = collections.deque()
        at = 0
        try:
            while len(results) < len(jobs):
                room = 1 if warm and not results else 2 * self.pool.workers
                while at < len(jobs) and len(waiting) < room:
                    waiting.append(self.pool.submit(jobs[at]))
                    at += 1
                results.append(self._seen(waiting.popleft().result()))
                if enough(results[-1]):
                    break
        finally:
            for future in waiting:
                future.cancel()
        return results

    def side_by_side(self, task: CodeTask, cases: Sequence[Case], trial: Callable[[Case], Fate]) -> list[Fate]:
        """Fates in the order of the cases, several tried at a time; once patience is spent, the rest are `unrun`.

        As with `in_order`, how many are tried at once makes no difference to what is returned.
        """
        fates: list[Fate] = []
        spent, waiting = 0, collections.deque[Future[Fate]]()
        executor = ThreadPoolExecutor(self.pool.workers, thread_name_prefix="trial")
        try:
            for at in range(len(cases)):
                while len(waiting) < self.pool.workers and at + len(waiting) < len(cases):
                    waiting.append(executor.submit(trial, cases[at + len(waiting)]))
                fates.append(waiting.popleft().result())
                spent += fates[-1].costly((cases[at].limits or task.limits).wall_s)
                if spent >= self.patience or fates[-1].ending is Ending.TAMPERED:
                    break
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
        return fates + [texts.unrun(case, self.patience) for case in cases[len(fates) :]]

    def _seen(self, result: Result) -> Result:
        self.isolation, self.gaps = result.isolation.label, result.gaps
        return result
