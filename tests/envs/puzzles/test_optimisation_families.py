"""Optimisation families: the stated optimum against brute force, other optimal answers, near misses."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles import family
from proofgym.errors import BadInput


def drawn(name: str, count: int, level: float = 0.0, seed: int = 9) -> list[Any]:
    kind = family(name)
    return [kind.generate(np.random.default_rng([seed, i]), kind.settings(level)) for i in range(count)]


def judged(name: str, data: dict[str, object], answer: str) -> bool:
    return family(name).from_instance(data).verify(f"Answer: {answer}").correct


def subsets(n: int) -> list[tuple[int, ...]]:
    return [some for size in range(n + 1) for some in itertools.combinations(range(n), size)]


def test_knapsacks_by_trying_all() -> None:
    for puzzle in drawn("Knapsack", 10, level=0.2):
        best = max(
            sum(puzzle.items[i][1] for i in some)
            for some in subsets(len(puzzle.items))
            if sum(puzzle.items[i][0] for i in some) <= puzzle.capacity
        )
        assert puzzle.best[0] == best
        assert puzzle.greedy() < best


def test_knapsack_takes_any_of_the_best_and_tells_the_gap() -> None:
    asked: dict[str, object] = {"items": [[5, 5], [5, 5], [6, 7]], "capacity": 10}
    assert judged("Knapsack", asked, "1 2")
    puzzle = family("Knapsack").from_instance(asked)
    assert puzzle.verify("Answer: 3").parts["optimal"] == 0.7
    for wrong in ("1", "1 2 3", "1 1", "0 1", "4", ""):
        assert not judged("Knapsack", asked, wrong), wrong


def test_bins_by_trying_all() -> None:
    for puzzle in drawn("BinPacking", 6):
        n = len(puzzle.items)
        if n > 7:
            continue
        fewest = min(
            len(set(bins))
            for bins in itertools.product(range(4), repeat=n)
            if all(
                sum(s for s, b in zip(puzzle.items, bins, strict=True) if b == k) <= puzzle.capacity for k in range(4)
            )
        )
        assert puzzle.fewest == fewest


def test_bins_without_a_stored_solution_are_packed_exactly() -> None:
    for puzzle in drawn("BinPacking", 10, level=0.4):
        alone = family("BinPacking").from_instance({"items": puzzle.items, "capacity": puzzle.capacity})
        assert alone.fewest == puzzle.fewest  # type: ignore[attr-defined]
        assert puzzle.verify(alone.solution()).correct
    asked: dict[str, object] = {"items": [6, 6, 6, 4, 4], "capacity": 10}
    assert judged("BinPacking", asked, "5 7 9 5 7")
    for wrong in ("1 1 2 3 3", "1 2 3 4 1", "1 2 3 1", "1 2 3 1 1"):
        assert not judged("BinPacking", asked, wrong), wrong
    with pytest.raises(BadInput, match="wrong"):
        family("BinPacking").from_instance({**asked, "solution": "1 1 2 3 3"})
    wasteful = {**asked, "solution": "1 2 3 4 5"}
    assert not judged("BinPacking", wasteful, "1 2 3 4 5"), "a stored packing that is not the best is no gold"


def test_round_trips_by_trying_all() -> None:
    for puzzle in drawn("TravellingSalesman", 6, level=0.2):
        n = len(puzzle.towns)
        far = [[abs(a - c) + abs(b - d) for c, d in puzzle.towns] for a, b in puzzle.towns]
        best = min(
            sum(far[u][v] for u, v in zip(trip, [*trip[1:], 0], strict=True))
            for rest in itertools.permutations(range(1, n))
            for trip in [(0, *rest)]
        )
        assert puzzle.best[0] == best


def test_round_trips_in_any_direction_from_any_town() -> None:
    square: dict[str, object] = {"towns": [[0, 0], [5, 5], [5, 0], [0, 5]]}
    for right in ("0 2 1 3", "1 3 0 2", "3 1 2 0", "0 -> 2 -> 1 -> 3 -> 0"):
        assert judged("TravellingSalesman", square, right)
    for wrong in ("0 1 2 3", "0 2 1", "0 2 1 3 2", "0 0 1 2"):
        assert not judged("TravellingSalesman", square, wrong)


def makespan(jobs: Any, order: tuple[int, ...]) -> int:
    ready, free, done = [0] * len(jobs), [0] * len(jobs[0]), [0] * len(jobs)
    for j in order:
        machine, duration = jobs[j][done[j]]
        ready[j] = free[machine] = max(ready[j], free[machine]) + duration
        done[j] += 1
    return max(ready)


def test_job_shops_by_trying_all() -> None:
    for level in (0.0, 0.6):
        for puzzle in drawn("JobShop", 5, level=level):
            steps = [j for j, job in enumerate(puzzle.jobs) for _ in job]
            best = (
                min(makespan(puzzle.jobs, order) for order in set(itertools.permutations(steps)))
                if len(steps) <= 6
                else None
            )
            if best is not None:
                assert puzzle.best[0] == best
            assert puzzle.bound() <= puzzle.best[0] <= puzzle.dispatched()


def test_job_shops_refuse_what_overlaps() -> None:
    asked: dict[str, object] = {"jobs": [[[0, 2], [1, 3]], [[0, 4], [1, 1]]]}
    assert judged("JobShop", asked, "\n0 2\n2 6")
    assert judged("JobShop", asked, "\njob 1: 0 3\njob 2: 2 6")
    for wrong in ("\n0 2\n1 6", "\n0 1\n2 6", "\n4 6\n0 4", "\n0 2\n2 6\n1 1", "\n0 2", "\n-2 2\n0 6", "\n0 4\n2 6"):
        assert not judged("JobShop", asked, wrong), wrong


def test_bookings_by_trying_all() -> None:
    for puzzle in drawn("IntervalScheduling", 10, level=0.2):
        rows = puzzle.bookings
        best = max(
            sum(rows[i][2] for i in some)
            for some in subsets(len(rows))
            if all(rows[i][1] <= rows[j][0] or rows[j][1] <= rows[i][0] for i, j in itertools.combinations(some, 2))
        )
        assert puzzle.best[0] == best == sum(rows[i - 1][2] for i in puzzle.best[1])
    asked: dict[str, object] = {"bookings": [[0, 3, 4], [3, 5, 2], [2, 4, 5], [4, 6, 1]]}
    assert judged("IntervalScheduling", asked, "1 2")
    assert judged("IntervalScheduling", asked, "4, 3")
    assert not judged("IntervalScheduling", asked, "1 3")
    assert not judged("IntervalScheduling", asked, "3")


def test_assignments_by_trying_all() -> None:
    for puzzle in drawn("Assignment", 10, level=0.5):
        n = len(puzzle.costs)
        best = min(sum(puzzle.costs[i][j] for i, j in enumerate(p)) for p in itertools.permutations(range(n)))
        assert puzzle.best[0] == best
    assert judged("Assignment", {"costs": [[1, 2], [2, 3]]}, "1 2")
    assert judged("Assignment", {"costs": [[1, 2], [2, 3]]}, "2 1")
    assert not judged("Assignment", {"costs": [[1, 3], [2, 3]]}, "2 1")


def test_set_covers_by_trying_all() -> None:
    for puzzle in drawn("SetCover", 10, level=0.3):
        whole = set(range(1, puzzle.elements + 1))
        best = min(
            sum(puzzle.costs[i] for i in some)
            for some in subsets(len(puzzle.sets))
            if whole == {e for i in some for e in puzzle.sets[i]}
        )
        assert puzzle.best[0] == best
        assert best < puzzle.greedy()
    asked: dict[str, object] = {"elements": 3, "sets": [[3, 1, 2, 3], [2, 1, 2], [1, 3], [1, 1]]}
    assert judged("SetCover", asked, "1")
    assert judged("SetCover", asked, "3 2")
    for wrong in ("1 4", "3 4", "2", "2 2 3", "5"):
        assert not judged("SetCover", asked, wrong)
    with pytest.raises(BadInput, match="none of the sets"):
        family("SetCover").from_instance({"elements": 4, "sets": [[3, 1, 2, 3]]})
