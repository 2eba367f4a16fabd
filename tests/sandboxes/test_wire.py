"""Frames and values: what is sent comes back, and what we did not write is refused in bounded time."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, defaultdict, namedtuple
from enum import IntEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.sandboxes import Opaque, wire

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
keys = st.integers() | st.text() | st.binary() | st.tuples(st.integers(), st.text())
values: st.SearchStrategy[Any] = st.recursive(
    scalars | st.complex_numbers(allow_nan=False) | st.sets(keys) | st.frozensets(keys),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(keys, inner),
    max_leaves=30,
)


@given(values)
def test_plain_values_come_back_equal_and_of_the_same_type(value: Any) -> None:
    back = wire.decode(wire.encode(value))
    assert back == value
    assert type(back) is type(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_malformed(data: bytes) -> None:
    try:
        value = wire.decode(data)
    except wire.Malformed:
        return
    assert wire.decode(wire.encode(value)) == value or "nan" in repr(value) or "Opaque" in repr(value)


@given(values, st.data())
def test_a_damaged_value_never_raises_anything_else(value: Any, data: st.DataObject) -> None:
    good = bytearray(wire.encode(value))
    place = data.draw(st.integers(0, len(good) - 1))
    good[place] = data.draw(st.integers(0, 255))
    for damaged in (bytes(good), bytes(good[:place])):
        try:
            wire.decode(damaged)
        except wire.Malformed:
            continue


class Colour(IntEnum):
    RED = 3


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "back"),
    [
        (Colour.RED, 3),
        (OrderedDict(a=1), {"a": 1}),
        (defaultdict(int, a=1), {"a": 1}),
        (Counter("aa"), {"a": 2}),
        (Point(1, 2), (1, 2)),
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
    ],
)
def test_relatives_of_plain_types_travel_as_those(value: Any, back: Any) -> None:
    got = wire.decode(wire.encode(value))
    assert got == back
    assert type(got) is type(back)


@pytest.mark.parametrize(
    "value",
    [object(), print, np.zeros(3), iter([]), "\ud800", 1 << 10**6, range(3), slice(1)],
    ids=lambda value: type(value).__name__,
)
def test_everything_else_is_opaque_and_equals_nothing(value: Any) -> None:
    got = wire.decode(wire.encode(value))
    assert isinstance(got, Opaque)
    assert not isinstance(value, type(got))
    assert got != wire.decode(wire.encode(value))
    with pytest.raises(TypeError):
        wire.encode(value, strict=True)


def test_nan_and_minus_zero_survive() -> None:
    assert math.isnan(wire.decode(wire.encode(math.nan)))
    assert math.copysign(1, wire.decode(wire.encode(-0.0))) == -1


def test_depth_is_bounded_on_both_sides() -> None:
    value: Any = []
    for _ in range(100):
        value = [value]
    assert "Opaque" in repr(wire.decode(wire.encode(value)))
    with pytest.raises(wire.Malformed, match="deep"):
        wire.decode(b"l\x01\x00\x00\x00" * 100 + b"N")


@pytest.mark.timeout(60)
def test_a_value_that_holds_itself_many_times_is_given_up_soon() -> None:
    knot: list[Any] = []
    knot += [knot] * 50
    assert isinstance(wire.decode(wire.encode_answer(knot)), Opaque)  # without a bound it would take 50^40 steps


@pytest.mark.parametrize(
    "data",
    [
        b"l\xff\xff\xff\xff",  # four billion items
        b"d\xff\xff\xff\x7f",
        b"i\x00\x00\x00\x00",
        b"i\xff\xff\xff\xff" + bytes(100),
        b"s\x01\x00\x00\x00\xff",  # not UTF-8
        b"NN",
        b"",
        b"Z\x01\x00\x00\x00l\x00\x00\x00\x00",  # a list in a set
        b"S\x02\x00\x00\x00TT",
        b"d\x02\x00\x00\x00TNTN",
        b"cbuiltins\neval\n(S'1'\ntR.",  # a pickle
    ],
)
def test_what_the_encoder_does_not_write_is_malformed(data: bytes) -> None:
    with pytest.raises(wire.Malformed):
        wire.decode(data)


@pytest.mark.timeout(60)
def test_colliding_keys_cost_no_quadratic_time() -> None:
    count = 50_000
    numbers = (n * (2**61 - 1) for n in range(count))  # all have hash 0
    body = b"S" + count.to_bytes(4, "little") + b"".join(wire.encode(number) for number in numbers)
    with pytest.raises(wire.Malformed, match="collide"):  # a set of these would take hours
        wire.decode(body)


def test_too_many_parts_are_refused_before_they_are_made() -> None:
    data = b"l" + (1 << 20).to_bytes(4, "little") + b"N" * (1 << 20)
    with pytest.raises(wire.Malformed, match="more values"):
        wire.decode(data)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50), st.integers(0, 65535))), st.integers(1, 7))
def test_frames_survive_any_cutting(sent: list[tuple[int, bytes, int]], step: int) -> None:
    data = b"".join(wire.frame(*one) for one in sent)
    frames, got = wire.Frames(), []
    for at in range(0, len(data), step):
        frames.feed(data[at : at + step])
        got += list(frames)
    assert got == [(kind, index, body) for kind, body, index in sent]


@pytest.mark.parametrize(
    "data", [b"\x20", bytes([99]) + bytes(7), wire.frame(wire.END, b"x"), wire.frame(wire.RAISED, b"T")]
)
def test_a_hostile_channel_is_refused_at_its_first_odd_byte(data: bytes) -> None:
    good = wire.frame(wire.VALUE, wire.encode(1), 0)
    reader = wire.read_answers(good + data)
    assert next(reader) == (wire.VALUE, 0, 1)
    with pytest.raises(wire.Malformed):
        next(reader)
