"""Horn chaining: fewest steps by breadth-first search, steps that are wasted, and rules in a circle."""

from __future__ import annotations

import numpy as np
import pytest

from proofgym.envs.puzzles.contract import Illegal
from proofgym.envs.puzzles.horn import HornChaining
from proofgym.errors import BadInput

DATA = {
    "facts": ["A"],
    "rules": [["A", "B"], ["A", "C"], ["B", "C", "D"], ["A", "E"], ["E", "D"]],
    "goal": "D",
    "steps": 2,
}


def fewest(facts: set[str], rules: list[list[str]], goal: str) -> int:
    level, seen, steps = {frozenset(facts)}, set(), 0
    while not any(goal in known for known in level):
        seen |= level
        level = {known | {rule[-1]} for known in level for rule in rules if known.issuperset(rule[:-1])} - seen
        steps += 1
    return steps


def test_distances_are_those_of_a_breadth_first_search() -> None:
    for i in range(40):
        puzzle = HornChaining.generate(np.random.default_rng([1, i]), HornChaining.settings(0.1, {"rules": 10}))
        data = puzzle.data
        assert fewest(set(data["facts"]), data["rules"], data["goal"]) == puzzle.distance(puzzle.start())


def test_the_shorter_of_two_ways_is_the_distance_and_a_wasted_step_is_a_dead_end() -> None:
    puzzle = HornChaining.from_instance(DATA)
    assert puzzle.distance(puzzle.start()) == 2
    assert puzzle.solution() == "4, 5"
    assert puzzle.verify("Answer: rule 4, rule 5").correct
    wasted = puzzle.apply(puzzle.start(), "1")
    assert puzzle.distance(wasted) is None
    assert puzzle.potential(wasted) == -1.0
    longer = HornChaining.from_instance({**DATA, "steps": 3})
    assert longer.verify("Answer: 1, 2, 3").correct
    assert longer.verify("Answer: 1, 4, 5").correct
    for wrong in ("3", "1, 3", "1, 1, 2, 3", "4, 5, 6", "1, 2, 4, 5", "D", "0"):
        assert longer.verify(f"Answer: {wrong}").score == 0.0, wrong


def test_refusals_say_why() -> None:
    puzzle = HornChaining.from_instance(DATA)
    with pytest.raises(Illegal, match="B is not known"):
        puzzle.apply(puzzle.start(), "3")
    after = puzzle.apply(puzzle.start(), "4")
    with pytest.raises(Illegal, match="E is known already"):
        puzzle.apply(after, "4")


def test_trying_every_rule_in_order_does_not_pay() -> None:
    earned = []
    for i in range(60):
        puzzle = HornChaining.generate(np.random.default_rng([2, i]), HornChaining.settings(0.5))
        state = puzzle.start()
        for number in [*range(1, len(puzzle.rules_) + 1)] * 3:
            try:
                state = puzzle.apply(state, str(number))
            except Illegal:
                continue
            if puzzle.solved(state) or puzzle.lost(state):
                break
        earned.append(puzzle.potential(state))
    assert sum(earned) / len(earned) <= 0.05


def test_what_cannot_be_derived_is_refused() -> None:
    for change in ({"goal": "Z"}, {"steps": 1}, {"goal": "A"}):
        with pytest.raises(BadInput):
            HornChaining.from_instance({**DATA, **change})
    with pytest.raises(BadInput, match="circle"):
        HornChaining.from_instance({**DATA, "rules": [["A", "B", "C"], ["C", "B"]]})
