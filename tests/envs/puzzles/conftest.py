"""What the tests of puzzle families share."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from proofgym.envs.puzzles.contract import MovePuzzle

Lefts = dict[Any, int]


@pytest.fixture
def every_distance() -> Callable[[MovePuzzle[Any]], tuple[set[Any], Lefts]]:
    """All positions that can be reached, and the distances of those that reach the goal: by the moves alone."""

    def search(puzzle: MovePuzzle[Any]) -> tuple[set[Any], Lefts]:
        seen, queue = {puzzle.start()}, deque([puzzle.start()])
        before: dict[Any, list[Any]] = {}
        while queue:
            state = queue.popleft()
            if puzzle.solved(state) or puzzle.lost(state):
                continue
            for move in puzzle.moves(state):
                after = puzzle.apply(state, move)
                before.setdefault(after, []).append(state)
                if after not in seen:
                    seen.add(after)
                    queue.append(after)
        lefts = {state: 0 for state in seen if puzzle.solved(state)}
        queue = deque(lefts)
        while queue:
            state = queue.popleft()
            for earlier in before.get(state, []):
                if earlier not in lefts:
                    lefts[earlier] = lefts[state] + 1
                    queue.append(earlier)
        return seen, lefts

    return search
