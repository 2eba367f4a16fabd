"""Comparators: what is the same under a rule and what is not, for values that code could send."""

from __future__ import annotations

import math
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.errors import BadInput
from proofgym.sandboxes import Opaque
from proofgym.verifiers.code import Comparator

EXACT, PYTHON, JSON = Comparator(types="exact"), Comparator(types="python"), Comparator()

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.binary(max_size=3)
)
keys = st.integers() | st.text(max_size=3)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner, inner) | st.dictionaries(keys, inner, max_size=3)
        | st.frozensets(st.integers(), max_size=3) | st.sets(st.text(max_size=2), max_size=3)
    ),
    max_leaves=12,
)  # fmt: skip


@given(values)
def test_every_value_agrees_with_itself_under_every_rule(value: Any) -> None:
    for rule in (EXACT, PYTHON, JSON, Comparator(rel=1e-9), Comparator(unordered=2)):
        assert rule.agree(value, value)


@given(values, values)
def test_python_rule_is_pythons_own_equality(one: Any, other: Any) -> None:
    assert PYTHON.agree(one, other) == (one == other)


@given(values, values)
def test_exact_is_the_strictest_rule(one: Any, other: Any) -> None:
    if EXACT.agree(one, other):
        assert PYTHON.agree(one, other)
        assert JSON.agree(one, other)


@given(st.lists(values, max_size=5), st.randoms(use_true_random=False))
def test_any_order_accepts_every_order_and_no_other_content(items: list[Any], chance: random.Random) -> None:
    shuffled = items[:]
    chance.shuffle(shuffled)
    assert Comparator(unordered=1).agree(shuffled, items)
    assert not Comparator(unordered=1).agree([*shuffled, None], items)


@given(st.lists(st.lists(st.integers(0, 3), max_size=3), max_size=4), st.randoms(use_true_random=False))
def test_two_levels_in_any_order(rows: list[list[int]], chance: random.Random) -> None:
    mixed = [chance.sample(row, len(row)) for row in rows]
    chance.shuffle(mixed)
    assert Comparator(unordered=2).agree(mixed, rows)
    assert Comparator(unordered=2, abs=0.1).agree(mixed, [[float(n) for n in row] for row in rows])


@given(st.lists(st.floats(-1e6, 1e6), max_size=8), st.randoms(use_true_random=False))
def test_tolerance_in_any_order(numbers: list[float], chance: random.Random) -> None:
    near = [number + chance.uniform(-0.9e-3, 0.9e-3) for number in numbers]
    chance.shuffle(near)
    assert Comparator(unordered=1, abs=1e-3).agree(near, numbers)


@pytest.mark.parametrize(
    ("got", "expected", "exact", "python", "json"),
    [
        (True, 1, False, True, False),
        (1, True, False, True, False),
        (1.0, 1, False, True, True),
        ((1, 2), [1, 2], False, False, True),
        ({1: "a"}, {1.0: "a"}, False, True, True),
        ({True: "a"}, {1: "a"}, False, True, False),
        ({1}, frozenset({1}), False, True, True),
        ("1", 1, False, False, False),
        (b"a", "a", False, False, False),
        (None, 0, False, False, False),
        ([], {}, False, False, False),
        (0.0, -0.0, True, True, True),
        (10**400, 1e308, False, False, False),
    ],
)
def test_types_by_rule(got: Any, expected: Any, exact: bool, python: bool, json: bool) -> None:
    found = tuple(rule.agree(got, expected) for rule in (EXACT, PYTHON, JSON))
    assert found == (exact, python, json)


@pytest.mark.parametrize("rule", [EXACT, PYTHON, JSON, Comparator(rel=0.5, abs=1e300), Comparator(unordered=3)])
def test_nan_and_foreign_objects_equal_nothing(rule: Comparator) -> None:
    nan, foreign = math.nan, Opaque("Yes")
    for got in (nan, foreign, [nan], {"a": nan}, [foreign], complex(nan, 0), {1: foreign}):
        for expected in (nan, 0.0, [nan], {"a": nan}, got, [1.0], complex(0, 0), {1: 1}):
            assert not rule.agree(got, expected)


def test_infinity_is_near_nothing_but_itself() -> None:
    rule = Comparator(rel=0.9, abs=1e308)
    assert rule.agree(math.inf, math.inf)
    assert not rule.agree(math.inf, 1e308)
    assert not rule.agree(1e308, math.inf)
    assert not rule.agree(-math.inf, math.inf)


def test_integers_that_were_expected_exactly_have_no_tolerance() -> None:
    assert not Comparator(abs=1).agree(4, 5)
    assert Comparator(abs=1).agree(4, 5.0)


def test_any_of_accepts_each_alternative_and_nothing_between() -> None:
    rule = Comparator(any_of=True)
    assert rule.agree([1], [[1], [2]])
    assert not rule.agree([[1], [2]], [[1], [2]])


@pytest.mark.parametrize(
    ("rule", "got", "expected", "same"),
    [
        ("tokens", " 1  2\n\n3 ", "1 2 3", True),
        ("tokens", "1 2", "1 2 3", False),
        ("tokens", "12 3", "1 2 3", False),
        ("lines", "a \nb\n\n", "a\nb", True),
        ("lines", "a b", "a  b", False),
        ("lines", "a\nb", "a b", False),
        ("lines", "a\r\nb\r\n", "a\nb", True),
        ("text", "a \nb\n", "a\nb", False),
        ("text", "a\nb\n\n", "a\nb", True),
        ({"kind": "tokens", "case": False}, "YES", "yes", True),
        ({"kind": "tokens", "rel": 1e-6}, "0.3333333", "0.33333333333", True),
        ({"kind": "tokens", "rel": 1e-6}, "1e-1", "0.1", True),
        ({"kind": "tokens", "rel": 1e-6}, "nan", "nan", True),
        ({"kind": "tokens", "rel": 1e-6}, "nan", "1", False),
        ({"kind": "tokens", "rel": 1e-6}, "inf", "1e300", False),
        ({"kind": "tokens", "rel": 0.5}, "1_0", "10", False),
        ({"kind": "tokens", "rel": 0.5}, "١", "1", False),
        ({"kind": "lines", "rel": 1e-6}, "1.0 2\n3", "1 2\n3.0", True),
        ({"kind": "lines", "rel": 1e-6}, "1.0 2 3", "1 2\n3.0", False),
        ({"kind": "lines", "unordered": 1}, "b\na", "a\nb", True),
        ({"kind": "lines", "unordered": 1, "abs": 0.1}, "2.01 1\n3 4", "3 4\n2 1", True),
        ({"kind": "tokens", "unordered": 1}, "3 1 1", "1 1 3", True),
        ({"kind": "tokens", "unordered": 1}, "3 3 1", "1 1 3", False),
    ],
)
def test_printed_text(rule: Any, got: str, expected: str, same: bool) -> None:
    assert Comparator.from_json(rule).agree(got, expected) is same


@given(st.text(), st.text(), st.sampled_from(["text", "lines", "tokens"]))
def test_printed_text_is_compared_in_both_directions_alike(one: str, other: str, kind: Any) -> None:
    rule = Comparator(kind=kind)
    assert rule.agree(one, other) == rule.agree(other, one)
    assert rule.agree(one, one + "\n \n")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"kind": "tokenz"}, "compare.kind"), ({"rel": -1}, "compare.rel"), ({"abs": math.inf}, "compare.abs"),
        ({"rel": 2}, "compare.rel"), ({"types": "loose"}, "compare.types"), ({"order": 1}, "compare.order"),
        ({"unordered": "yes"}, "compare.unordered"), ({"case": 1}, "compare.case"), (3, "compare is"),
    ],
)  # fmt: skip
def test_a_bad_rule_is_refused_by_its_field(data: Any, field: str) -> None:
    with pytest.raises(BadInput, match=field):
        Comparator.from_json(data)


def test_values_made_to_collide_cost_little() -> None:
    collide = [[n * (2**61 - 1)] for n in range(60_000)]
    begun = time.process_time()
    assert not Comparator(unordered=1).agree(collide, [[n] for n in range(60_000)])
    assert time.process_time() - begun < 5


def test_too_many_composite_items_with_a_tolerance_are_refused_not_guessed() -> None:
    rows = [[float(n)] for n in range(400)]
    with pytest.raises(BadInput, match="write a checker"):
        Comparator(unordered=1, abs=0.1).agree(rows, rows)
