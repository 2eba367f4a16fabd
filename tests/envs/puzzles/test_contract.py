"""What every puzzle family promises, in one loop over the table of families."""

from __future__ import annotations

import copy
import functools
import json
import time
import xml.etree.ElementTree as ET
from collections import Counter, deque
from typing import Any

import numpy as np
import pytest

from proofgym.envs.puzzles import FAMILIES, family
from proofgym.envs.puzzles.contract import Illegal, Knob, MovePuzzle, Puzzle
from proofgym.envs.puzzles.families import load
from proofgym.envs.task import canonical_json, fingerprint
from proofgym.errors import BadInput

NAMES = [entry.name for entry in FAMILIES]
SINGLE = [entry.name for entry in FAMILIES if entry.single_name]
MOVES = [entry.name for entry in FAMILIES if entry.steps_name]

each_family = pytest.mark.parametrize("name", NAMES)
each_answered = pytest.mark.parametrize("name", SINGLE)
each_moved = pytest.mark.parametrize("name", MOVES)

JUNK = [
    "", " ", "\n\n", "\x00", "nan", "inf", "-inf", "1e400", "0", "1", "-1", "[]", "{}", "foo", "None", "(" * 4000,
    ")" * 4000, "{" * 4000, "9" * 5000, "9**9**9", "__import__('os').abort()", "<answer></answer>", "Answer:",
    "Answer: \n\n", "٤٢", "𝟜𝟚", "\ud800", "🙂" * 500, "a = b = c", "1 2 3 4 5", "1/0", "0" * 8000, "#" * 8000,
    "," * 8000, "\n" * 8000, "up " * 2000, "1," * 4000, "r1c1=1," * 1000, "a" * 8000, " " * 8000, "." * 8000,
    "( " * 4000, "1+" * 4000, "-" * 8000, "Answer: " * 1000, "Answer:\n" * 1000, "```\n" * 2000, "=" * 8000,
]  # fmt: skip


@functools.cache
def items(name: str, level: float, count: int, seed: int = 5) -> tuple[Puzzle, ...]:
    """Generated once for all tests; a puzzle never changes."""
    kind = family(name)
    settings = kind.settings(level)
    return tuple(kind.generate(np.random.default_rng([seed, i]), settings) for i in range(count))


def answered(puzzle: Puzzle) -> str:
    return f"Let me think about it.\nAnswer: {puzzle.solution()}"


def test_the_table_is_sound() -> None:
    assert len({entry.name for entry in FAMILIES}) == len(FAMILIES)
    kinds = [load(entry.target) for entry in FAMILIES]
    assert len({kind.family for kind in kinds}) == len(kinds)
    for entry, kind in zip(FAMILIES, kinds, strict=True):
        assert entry.summary.endswith(".")
        assert kind.family.replace("_", "") == entry.name.lower(), "the name in the table is the family's"
        assert kind.__doc__
        assert kind.hardness_of
        assert entry.forms == "single" or issubclass(kind, MovePuzzle)


def test_an_unknown_family_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadInput, match="did you mean 'lightsout'"):
        family("lightout")


@each_answered
@pytest.mark.parametrize("count", [50, pytest.param(1000, marks=pytest.mark.slow)])
def test_its_own_solution_is_right(name: str, count: int) -> None:
    for puzzle in items(name, 0.5, count):
        verdict = puzzle.verify(answered(puzzle))
        assert verdict.correct, (puzzle.data, puzzle.solution(), verdict)
        assert puzzle.verify(puzzle.solution()).correct, "also without a marker, alone"
        assert puzzle.verify(f"**Answer:**\n```\n{puzzle.solution()}\n```\n").correct, "also in markdown"


@each_family
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_an_instance_is_text_and_comes_back(name: str, level: float) -> None:
    for puzzle in items(name, level, 50 if level == 0.5 else 12)[:5]:
        again = type(puzzle).loads(puzzle.dumps())
        assert again.data == json.loads(canonical_json(dict(puzzle.data)))
        assert again.canonical() == puzzle.canonical()
        assert again.question() == puzzle.question()
        assert len(puzzle.question()) <= puzzle.observation_limit
        if type(puzzle) in {load(entry.target) for entry in FAMILIES if entry.single_name}:
            assert again.verify(answered(puzzle)).correct
            assert len(answered(puzzle)) <= puzzle.action_limit
            assert again.verify(answered(again)).correct, "solved without what the generator knew"
    with pytest.raises(BadInput, match="family"):
        family(name).loads('{"family": "another"}')
    with pytest.raises(BadInput, match="JSON"):
        family(name).loads("{" * 10)


@each_family
def test_a_malformed_instance_is_refused_with_the_reason(name: str) -> None:
    kind = family(name)
    data: dict[str, Any] = json.loads(canonical_json(dict(items(name, 0.5, 50)[0].data)))
    bad: list[Any] = [None, [], "text", 7, {}, {"x": 1}, {**data, "more": 1}]
    for key in data:
        bad += [{k: v for k, v in data.items() if k != key}] if key != "solution" else []
        bad += [
            {**data, key: value} for value in ({}, [None], -1.5, True if data[key] is not True else 2, None, "\x00")
        ]
        if isinstance(data[key], list) and data[key]:
            bad += [{**data, key: [*data[key], {}]}, {**data, key: [None, *data[key][1:]]}]
        if isinstance(data[key], int) and not isinstance(data[key], bool):
            bad += [{**data, key: 10**30}, {**data, key: -(10**6)}]
    for instance in bad:
        with pytest.raises(BadInput) as caught:
            kind.from_instance(instance)
        assert len(str(caught.value)) > 10
        assert len(str(caught.value)) < 1000


@each_answered
def test_junk_never_raises_and_never_pays(name: str) -> None:
    for puzzle in items(name, 0.5, 50)[:3]:
        for junk in [*JUNK, puzzle.question(), f"Answer: {puzzle.question()}", *puzzle.cheats()]:
            verdict, credits_ = puzzle.grade(junk)
            assert not verdict.correct, junk[:100]
            assert verdict.score == 0.0, junk[:100]
            assert all(0 <= c.start <= c.end <= len(junk) for c in credits_)


@pytest.mark.slow
@each_answered
def test_no_junk_takes_five_milliseconds(name: str) -> None:
    puzzle = items(name, 0.5, 50)[0]
    puzzle.verify(answered(puzzle))
    for junk in [*JUNK, puzzle.question(), *puzzle.cheats(), answered(puzzle)]:
        best = min(_spent(puzzle, junk) for _ in range(5))
        assert best < 0.005, (junk[:60], best)


def _spent(puzzle: Puzzle, text: str) -> float:
    before = time.thread_time()
    puzzle.verify(text)
    return time.thread_time() - before


@each_answered
def test_an_answer_to_one_is_no_answer_to_the_others(name: str) -> None:
    """The majority answer, and the answer of the neighbour, earn no more than the stated floor."""
    puzzles = items(name, 0.5, 50)
    solutions = [puzzle.solution() for puzzle in puzzles]
    majority = Counter(solutions).most_common(1)[0][0]
    floor = family(name).floor
    for blind in ([majority] * 50, [*solutions[1:], solutions[0]], [solutions[7]] * 50):
        right = sum(p.verify(f"Answer: {text}").correct for p, text in zip(puzzles, blind, strict=True))
        assert right <= 50 * floor + 2 + 3 * (50 * floor * (1 - floor)) ** 0.5


@each_family
def test_items_repeat_and_seldom_twice(name: str) -> None:
    kind = family(name)
    puzzles = items(name, 0.5, 50)
    for i in (0, 17):
        again = kind.generate(np.random.default_rng([5, i]), kind.settings(0.5))
        assert canonical_json(dict(again.data)) == canonical_json(dict(puzzles[i].data))
    marks = {fingerprint(kind.family, puzzle.canonical()) for puzzle in puzzles}
    assert len(marks) >= 49


@each_family
def test_it_is_harder_at_higher_levels(name: str) -> None:
    means = [float(np.mean([p.hardness() for p in items(name, level, n)[:12]])) for level, n in ((0.0, 12), (1.0, 12))]
    assert means[0] < means[1], (family(name).hardness_of, means)


@pytest.mark.slow
@each_family
def test_hardness_grows_with_the_level(name: str) -> None:
    means = [float(np.mean([p.hardness() for p in items(name, level, 100)])) for level in (0.0, 0.5, 1.0)]
    assert means[0] < means[1] < means[2] or means[0] < means[1] * 1.05 < means[2] * 1.1, means


@each_family
def test_knobs_are_checked(name: str) -> None:
    kind = family(name)
    with pytest.raises(BadInput, match="colour"):
        kind.settings(0.5, {"colour": 1})
    for key, knob in kind.knobs.items():
        assert kind.settings(0.5, {key: knob.at(0.0)})[key] == knob.at(0.0)
        for value in ("\x00", True, None, *((10**9,) if isinstance(knob, Knob) else ())):
            with pytest.raises(BadInput, match=key):
                kind.settings(0.5, {key: value})


@each_family
def test_its_picture_is_well_formed(name: str) -> None:
    picture = items(name, 0.5, 50)[0].svg()
    if picture is not None:
        assert ET.fromstring(picture).tag.endswith("svg")
        assert len(picture) < 200_000


# Moves ----------------------------------------------------------------------------------------------------------------


@each_moved
def test_the_best_moves_solve_it_in_exactly_its_distance(name: str) -> None:
    for level in (0.0, 0.5, 1.0):
        for puzzle in items(name, level, 50 if level == 0.5 else 12)[:4]:
            assert isinstance(puzzle, MovePuzzle)
            state = puzzle.start()
            assert puzzle.potential(state) == 0.0
            assert puzzle.lost(state) is None
            assert not puzzle.solved(state)
            left = puzzle.distance(state)
            for _ in range(1000):
                if puzzle.solved(state):
                    break
                move = puzzle.best(state)
                assert move in puzzle.moves(state)
                state = puzzle.apply(state, move)
                now = puzzle.distance(state)
                assert left is not None
                assert now is not None
                if type(puzzle).potential is MovePuzzle.potential:
                    assert now == left - 1
                left = now
            assert puzzle.solved(state)
            assert puzzle.distance(state) == 0
            assert puzzle.potential(state) == pytest.approx(1.0, abs=1e-12)


@each_moved
def test_distances_agree_with_a_breadth_first_search(name: str) -> None:
    """At the easiest level, as far as a few thousand positions reach."""
    for puzzle in items(name, 0.0, 12)[:3]:
        assert isinstance(puzzle, MovePuzzle)
        if type(puzzle).potential is not MovePuzzle.potential:
            pytest.skip("its potential is not a distance; its own tests check it")
        start = puzzle.start()
        depth = {start: 0}
        queue, found = deque([start]), None
        while queue and found is None and len(depth) < 3000:
            state = queue.popleft()
            if puzzle.solved(state):
                found = depth[state]
                break
            for move in puzzle.moves(state):
                after = puzzle.apply(state, move)
                if after not in depth:
                    depth[after] = depth[state] + 1
                    queue.append(after)
        reached = depth[queue[0]] if queue and found is None else found
        distance = puzzle.distance(start)
        assert distance is not None
        assert distance == found if found is not None else distance >= (reached or 0)


@each_moved
def test_a_move_changes_the_distance_by_at_most_one_and_states_are_json(name: str) -> None:
    for index, puzzle in enumerate(items(name, 0.5, 50)[:3]):
        assert isinstance(puzzle, MovePuzzle)
        rng = np.random.default_rng([1, index])
        state = puzzle.start()
        for _ in range(15):
            moves = puzzle.moves(state)
            if puzzle.solved(state) or puzzle.lost(state) or not moves:
                break
            assert len(set(moves)) == len(moves)
            before, kept = puzzle.distance(state), copy.deepcopy(state)
            move = moves[int(rng.integers(len(moves)))]
            after = puzzle.apply(state, move)
            assert state == kept, "a state never changes"
            hash(after)
            assert puzzle.unpack(json.loads(json.dumps(puzzle.pack(after)))) == after
            assert puzzle.view(after)
            assert -1.0 <= puzzle.potential(after) <= 1.0
            now = puzzle.distance(after)
            if before is not None and now is not None and type(puzzle).potential is MovePuzzle.potential:
                assert now >= before - 1
            state = after
        for bad in (None, {}, "\x00", [None], -7, 10**30):
            with pytest.raises(BadInput):
                puzzle.unpack(bad)


@each_moved
def test_what_is_no_move_is_refused_in_words(name: str) -> None:
    for puzzle in items(name, 0.5, 50)[:2]:
        assert isinstance(puzzle, MovePuzzle)
        legal = set(puzzle.moves(puzzle.start()))
        for junk in ["", "zzz", "99", "-1", "r0c0", "٤", "\x00", "move", "(" * 100, "9" * 100]:
            if junk in legal:
                continue
            with pytest.raises(Illegal) as caught:
                puzzle.apply(puzzle.start(), junk)
            assert len(str(caught.value)) > 5
