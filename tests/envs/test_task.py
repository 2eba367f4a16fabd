"""Fingerprints and splits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.task import SPLITS, Task, canonical_json, fingerprint, split_of
from proofgym.errors import BadInput

content = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), content))
def test_the_order_of_keys_does_not_matter(data: dict[str, object]) -> None:
    backwards = dict(reversed(list(data.items())))
    assert fingerprint("f", data) == fingerprint("f", backwards)
    assert len(fingerprint("f", data)) == 32


@given(content, content)
def test_fingerprints_are_equal_only_for_equal_content(one: object, other: object) -> None:
    same = canonical_json(one) == canonical_json(other)
    assert (fingerprint("f", one) == fingerprint("f", other)) == same
    assert fingerprint("f", one) != fingerprint("g", one)


def test_splits_have_their_shares() -> None:
    splits = [split_of(fingerprint("f", i)) for i in range(5000)]
    shares = [splits.count(split) / 5000 for split in SPLITS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_not_a_number_has_no_fingerprint() -> None:
    with pytest.raises(ValueError, match="JSON"):
        fingerprint("f", float("nan"))


def test_a_task_shows_everything_but_its_content() -> None:
    task = Task("f", {"secret": 42}, fingerprint("f", 1), 0.5)
    assert "secret" not in str(task.public())
    assert "secret" not in repr(task)
    assert task.id.startswith("f:")
    with pytest.raises(BadInput, match="difficulty"):
        Task("f", {}, "00" * 16, 1.5)
