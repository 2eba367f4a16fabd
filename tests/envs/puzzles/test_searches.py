"""The exact searches that board puzzles share: they find every solution, and only solutions."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgym.envs.puzzles.chance import Chance
from proofgym.envs.puzzles.counts import Counts, at_least, at_most, bits, exactly, reach
from proofgym.envs.puzzles.domains import Domains, among, less, packed, values

CELLS = 7
limit = st.tuples(st.integers(1, (1 << CELLS) - 1), st.integers(1, (1 << (CELLS + 1)) - 1))


@settings(max_examples=150, deadline=None)
@given(st.lists(limit, max_size=5), st.integers(0, 2**32 - 1))
def test_counts_finds_every_position_within_the_limits(limits: list[tuple[int, int]], seed: int) -> None:
    expected = {
        on for on in range(1 << CELLS) if all(allowed >> (on & mask).bit_count() & 1 for mask, allowed in limits)
    }
    found = Counts(CELLS, limits).solve(1000)
    assert len(found) == len(set(found))
    assert set(found) == expected
    shuffled = Counts(CELLS, limits).solve(1000, chance=Chance(np.random.default_rng(seed)))
    assert set(shuffled) == expected
    assert len(Counts(CELLS, limits).solve(2)) == min(2, len(expected))


@settings(max_examples=60, deadline=None)
@given(st.lists(limit, max_size=4), st.integers(0, (1 << CELLS) - 1), st.integers(0, (1 << CELLS) - 1))
def test_counts_respects_known_cells_and_a_check(limits: list[tuple[int, int]], on: int, off: int) -> None:
    def even(on: int, off: int) -> tuple[int, int] | None:
        return None if (on | off).bit_count() == CELLS and on.bit_count() % 2 else (on, off)

    expected = {
        position
        for position in range(1 << CELLS)
        if all(allowed >> (position & mask).bit_count() & 1 for mask, allowed in limits)
        and position & on == on
        and not position & off
        and position.bit_count() % 2 == 0
    }
    assert set(Counts(CELLS, limits, even).solve(1000, on, off)) == expected


def test_numbers_of_marks_and_connected_cells() -> None:
    assert bits(exactly(0, 2)) == [0, 2]
    assert bits(at_most(2)) == [0, 1, 2]
    assert bits(at_least(2, 4)) == [2, 3, 4]
    line = [0b10, 0b101, 0b1010, 0b100]  # 0 - 1 - 2 - 3
    assert bits(reach(1, 0b1111, line)) == [0, 1, 2, 3]
    assert bits(reach(1, 0b1011, line)) == [0, 1]


domain = st.integers(1, 15)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(domain, min_size=5, max_size=5),
    st.lists(st.sets(st.integers(0, 4), min_size=2, max_size=4), max_size=3),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)).filter(lambda pair: pair[0] != pair[1]), max_size=2),
    st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=30),
)
def test_domains_finds_every_solution(
    start: list[int], units: list[set[int]], pairs: list[tuple[int, int]], triples: list[tuple[int, int, int]]
) -> None:
    rules = [less(a, b) for a, b in pairs] + [among((0, 2, 4), 4, [packed(triple, 4) for triple in triples])]
    expected = {
        chosen
        for chosen in itertools.product(*(values(d) for d in start))
        if all(len({chosen[at] for at in unit}) == len(unit) for unit in units)
        and all(chosen[a] < chosen[b] for a, b in pairs)
        and (chosen[0], chosen[2], chosen[4]) in triples
    }
    search = Domains(5, 4, [sorted(unit) for unit in units], rules)
    found = search.solve(start, 10_000)
    assert len(found) == len(set(found))
    assert set(found) == expected
    assert len(search.solve(start, 1)) == min(1, len(expected))


def test_random_choices_come_from_the_generator_alone() -> None:
    one, other = Chance(np.random.default_rng(7)), Chance(np.random.default_rng(7))
    for chance in (one, other):
        assert all(0 <= chance.below(3) < 3 for _ in range(300))
    assert one.shuffled(range(50)) == other.shuffled(range(50))
    assert sorted(one.shuffled(range(50))) == list(range(50))
    picked = [one.pick("abc") for _ in range(3000)]
    assert all(900 < picked.count(letter) < 1100 for letter in "abc")
