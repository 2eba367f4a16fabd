"""Job shop scheduling."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from typing_extensions import Self

from proofgym.envs.puzzles import answers, fields
from proofgym.envs.puzzles.contract import Knob, Knobs, Puzzle
from proofgym.envs.puzzles.draw import Board
from proofgym.envs.puzzles.draws import Draws
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict

__all__ = ["JobShop"]

Times = tuple[int, ...]


class JobShop(Puzzle):
    """Schedule jobs on machines so that all are done as early as possible; any schedule that ends then is right.

    Every job visits every machine once, in an order of its own. The optimum is exact: dynamic programming over how far
    each job has come keeps every choice of ready times that no other one beats.
    """

    family = "job_shop"
    knobs: ClassVar[Mapping[str, Knob]] = {
        "jobs": Knob(2, 4, "jobs", 2, 4),
        "machines": Knob(2, 3, "machines", 2, 4),
        "longest": Knob(5, 12, "largest duration", 2, 99),
    }
    hardness_of = "undominated partial schedules"
    floor: ClassVar[float] = 0.05

    @classmethod
    def generate(cls, rng: np.random.Generator, knobs: Knobs) -> Self:
        attempts = Draws(cls.family)
        while True:
            attempts.count()
            jobs = []
            for _ in range(knobs["jobs"]):
                machines = rng.permutation(knobs["machines"]).tolist()
                jobs.append([[m, int(rng.integers(1, knobs["longest"] + 1))] for m in machines])
            puzzle = cls({"jobs": jobs})
            if puzzle.best[0] > puzzle.bound():
                return puzzle
            if rng.random() < 0.3:  # where a machine or a job alone proves the optimum is asked less often
                return puzzle

    def read(self, data: Mapping[str, Any]) -> None:
        fields.only(data, "jobs")
        jobs = data["jobs"]
        if not (isinstance(jobs, (list, tuple)) and 2 <= len(jobs) <= 4):
            raise BadInput(f"'jobs' are 2 to 4 lists of pairs [machine, duration], found {jobs!r:.80}")
        self.jobs = [fields.matrix({"jobs": job}, "jobs", 0, 999, columns=2, most=4) for job in jobs]
        self.machines = len(self.jobs[0])
        for job in self.jobs:
            if sorted(m for m, _ in job) != list(range(self.machines)):
                raise BadInput(f"every job visits each of the machines 0 to {self.machines - 1} once, found {job}")
            if min(d for _, d in job) < 1:
                raise BadInput(f"every duration is at least 1, found {job}")

    @functools.cached_property
    def best(self) -> tuple[int, list[list[int]], int]:
        """The earliest end, the start times of each job, and the number of undominated partial schedules."""
        n, m = len(self.jobs), self.machines
        level: dict[Times, list[tuple[Times, Times]]] = {(0,) * n: [((0,) * (n + m), ())]}
        count, enough = 0, self.dispatched()
        for _ in range(n * m):
            after: dict[Times, list[tuple[Times, Times]]] = {}
            for done, front in level.items():
                for j in range(n):
                    if done[j] == m:
                        continue
                    machine, duration = self.jobs[j][done[j]]
                    now = (*done[:j], done[j] + 1, *done[j + 1 :])
                    ahead, left = after.setdefault(now, []), self._left(now)
                    for ready, starts in front:
                        start = max(ready[j], ready[n + machine])
                        times = list(ready)
                        times[j] = times[n + machine] = start + duration
                        if all(a + b <= enough for a, b in zip(times, left, strict=True)):
                            ahead.append((tuple(times), (*starts, j, start)))
            level = {done: _undominated(front) for done, front in after.items() if front}
            count += sum(map(len, level.values()))
        ready, starts = min(level[(m,) * n], key=lambda choice: (max(choice[0]), choice))
        schedule: list[list[int]] = [[] for _ in range(n)]
        for j, start in zip(starts[::2], starts[1::2], strict=True):
            schedule[j].append(start)
        return max(ready), schedule, count

    def _left(self, done: Times) -> Times:
        """The work that is left for each job and each machine."""
        jobs = [sum(d for _, d in job[k:]) for job, k in zip(self.jobs, done, strict=True)]
        machines = [0] * self.machines
        for job, k in zip(self.jobs, done, strict=True):
            for machine, d in job[k:]:
                machines[machine] += d
        return (*jobs, *machines)

    def dispatched(self) -> int:
        """The end of the best schedule by a few simple rules: always the step that can start first, ties by a rule."""
        ends = []
        for sign in (1, -1):
            for whole in (True, False):
                done, ready = [0] * len(self.jobs), [0] * (len(self.jobs) + self.machines)
                for _ in range(len(self.jobs) * self.machines):
                    j = min(
                        (j for j, k in enumerate(done) if k < self.machines),
                        key=lambda j: (
                            max(ready[j], ready[len(self.jobs) + self.jobs[j][done[j]][0]]),
                            sign * (sum(d for _, d in self.jobs[j][done[j] :]) if whole else self.jobs[j][done[j]][1]),
                        ),
                    )
                    machine, duration = self.jobs[j][done[j]]
                    at = len(self.jobs) + machine
                    ready[j] = ready[at] = max(ready[j], ready[at]) + duration
                    done[j] += 1
                ends.append(max(ready))
        return min(ends)

    def bound(self) -> int:
        """The work of the busiest machine or the longest job."""
        busy = [sum(d for job in self.jobs for k, d in job if k == m) for m in range(self.machines)]
        return max(*busy, *(sum(d for _, d in job) for job in self.jobs))

    def canonical(self) -> Any:
        return sorted([list(map(list, job)) for job in self.jobs])

    def question(self) -> str:
        lines = "\n".join(
            f"job {j}: " + ", then ".join(f"machine {m} for {d}" for m, d in job) for j, job in enumerate(self.jobs, 1)
        )
        return (
            f"These jobs are to be done; each visits its machines in the given order:\n{lines}\nA machine works on "
            "one job at a time and is not interrupted. Find a schedule that starts at time 0 or later and ends as "
            "early as possible.\n"
            "End with 'Answer:' and below it one line for each job, in order: the start times of its steps, "
            "separated by blanks."
        )

    def answer_lines(self) -> int:
        return len(self.jobs)

    def judge(self, answer: str) -> Verdict:
        lines = [line for line in answer.split("\n") if line.strip()]
        if len(lines) != len(self.jobs):
            raise answers.Unreadable(f"{len(self.jobs)} lines are asked for, found {len(lines)}")
        used: list[list[tuple[int, int]]] = [[] for _ in range(self.machines)]
        end = 0
        for number, (job, line) in enumerate(zip(self.jobs, lines, strict=True), 1):
            line = line.lower().strip(" `").removeprefix(f"job {number}:")
            ready = 0
            for (machine, duration), start in zip(job, answers.wholes(line, count=self.machines), strict=True):
                if start < ready:
                    return Verdict.wrong(
                        f"job {number} starts on machine {machine} at {start}, and is ready at {ready}"
                    )
                ready = start + duration
                used[machine].append((start, ready))
            end = max(end, ready)
        for machine, spans in enumerate(used):
            spans.sort()
            for (_, before), (start, _) in itertools.pairwise(spans):
                if start < before:
                    return Verdict.wrong(f"machine {machine} does two jobs at time {start}")
        best = self.best[0]
        if end > best:
            return Verdict.wrong(f"it ends at {end}, and {best} is possible", optimal=best / end)
        return Verdict.right(f"ends at {end}", optimal=1.0)

    def solution(self) -> str:
        return "\n".join(" ".join(map(str, starts)) for starts in self.best[1])

    def hardness(self) -> float:
        return float(self.best[2])

    def cheats(self) -> Sequence[str]:
        n, m = len(self.jobs), self.machines
        late = "\n".join(" ".join(str(1000 * (j * m + k)) for k in range(m)) for j in range(n))
        return ("Answer:\n" + "\n".join(["0 " * m] * n), f"Answer:\n{late}", "\n".join(["-5 " * m] * n))

    def svg(self) -> str:
        """How long each step takes, one row a job."""
        longest = max(sum(d for _, d in job) for job in self.jobs)
        board = Board(len(self.jobs), longest)
        colours = ("#f5c542", "#8fb8de", "#a3d9a5", "#e59ca9")
        for j, job in enumerate(self.jobs):
            at = 0
            for machine, duration in job:
                for x in range(at, at + duration):
                    board.fill(j, x, colours[machine % 4])
                board.text(j, at, str(machine))
                at += duration
        return board.svg()


def _undominated(front: list[tuple[Times, Times]]) -> list[tuple[Times, Times]]:
    """Those that no other one beats or equals in every ready time."""
    kept: list[tuple[Times, Times]] = []
    for choice in sorted(front, key=lambda choice: (sum(choice[0]), choice)):
        times = choice[0]
        if not any(all(a <= b for a, b in zip(other, times, strict=True)) for other, _ in kept):
            kept.append(choice)
    return kept
