"""The text space admits every string and carries it through Gymnasium's vector machinery unchanged."""

from __future__ import annotations

import copy
from typing import Any, cast

import pytest
from gymnasium.vector.utils import create_empty_array, create_shared_memory
from gymnasium.vector.utils.shared_memory import read_from_shared_memory, write_to_shared_memory
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.spaces import AnyText, Messages

write = cast("Any", write_to_shared_memory)  # Gymnasium types it for arrays alone
any_text = st.text(st.characters(), max_size=64)  # surrogates included


@given(st.lists(any_text, min_size=1, max_size=5))
def test_any_text_comes_through_shared_memory_unchanged(texts: list[str]) -> None:
    space = AnyText(64)
    memory = create_shared_memory(space, n=len(texts))
    view: Any = read_from_shared_memory(space, memory, n=len(texts))
    for index, text in enumerate(texts):
        write(space, index, text, memory)
    assert copy.deepcopy(view) == tuple(texts)
    write(space, 0, "now", memory)
    assert view[0] == "now", "the view shows what lies in memory now"


@given(any_text, st.integers(1, 64))
def test_a_text_belongs_to_the_space_by_its_length_alone(text: str, length: int) -> None:
    assert AnyText(length).contains(text) == (len(text) <= length)


def test_samples_lie_in_the_space_and_repeat_by_seed() -> None:
    for space in (AnyText(5), AnyText(200), Messages(AnyText(200))):
        space.seed(3)
        first = [space.sample() for _ in range(50)]
        space.seed(3)
        assert [space.sample() for _ in range(50)] == first
        assert all(space.contains(sample) for sample in first)
        with pytest.raises(ValueError, match="mask"):
            space.sample(mask=1)


def test_equal_spaces_are_equal() -> None:
    assert AnyText(3) == AnyText(3)
    assert AnyText(3) != AnyText(4)
    assert hash(AnyText(3)) == hash(AnyText(3))
    assert Messages(AnyText(3)) == Messages(AnyText(3)) != Messages(AnyText(4))
    assert len({Messages(AnyText(3)), Messages(AnyText(3))}) == 1
    assert (repr(AnyText(3)), repr(Messages(AnyText(3)))) == ("AnyText(3)", "Messages(AnyText(3))")


def test_what_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="room for at least one"):
        AnyText(0)
    memory = create_shared_memory(AnyText(2), n=1)
    with pytest.raises(ValueError, match="3 characters"):
        write(AnyText(2), 0, "abc", memory)
    assert create_empty_array(AnyText(2), n=3) == ("", "", "")


@pytest.mark.parametrize("no", [7, [{"role": "user"}], [{"role": "king", "content": ""}], ["hi"], [{"content": "a"}]])
def test_what_is_no_conversation_is_outside(no: Any) -> None:
    assert not Messages(AnyText(5)).contains(no)
    assert not Messages(AnyText(5)).contains([{"role": "user", "content": "too long"}])
    assert Messages(AnyText(5)).contains([])
