"""Tasks: they survive JSON, equal content is equal, and every mistake is named by its field."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.errors import BadInput
from proofgym.verifiers.code import Case, CodeTask, Comparator, Step
from proofgym.verifiers.code.exploits import TASKS
from proofgym.verifiers.code.values import dump, load

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
hashable = st.integers() | st.text() | st.tuples(st.integers(), st.text())
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(hashable, inner) | st.sets(hashable)
        | st.frozensets(hashable) | st.dictionaries(st.sampled_from(["$tuple", "$x", "a"]), inner)
    ),
    max_leaves=15,
)  # fmt: skip


@given(values)
def test_plain_values_survive_json(value: Any) -> None:
    back = load(json.loads(json.dumps(dump(value), allow_nan=False)))
    assert back == value
    assert repr(type(back)) == repr(type(value))


def test_nan_survives_json_as_nan() -> None:
    assert math.isnan(load(json.loads(json.dumps(dump(math.nan), allow_nan=False))))


@pytest.mark.parametrize(
    "data", [{"$tuple": 3}, {"$float": "1"}, {"$evil": []}, {"$set": [[]]}, {"$bytes": "xyz"}, {"$dict": [1]}]
)
def test_an_unknown_or_broken_tag_is_refused(data: Any) -> None:
    with pytest.raises(BadInput, match="expected"):
        load(data, "expected")


@pytest.mark.parametrize("name", sorted(TASKS))
def test_tasks_survive_json(name: str) -> None:
    task = TASKS[name]
    back = CodeTask.from_json(json.loads(json.dumps(task.to_json())))
    assert back == task
    assert back.fingerprint == task.fingerprint


def test_what_differs_has_another_fingerprint() -> None:
    base: dict[str, Any] = {"kind": "function", "entry": "f", "cases": [{"args": [1], "expected": 2}]}
    others = [
        {**base, "entry": "g"},
        {**base, "cases": [{"args": [1], "expected": 2.0}]},
        {**base, "cases": [{"args": [1], "expected": 2, "visible": True}]},
        {**base, "compare": {"types": "exact"}},
        {**base, "limits": {"wall_s": 9}},
    ]
    prints = {CodeTask.from_json(data).fingerprint for data in (base, *others)}
    assert len(prints) == len(others) + 1


GOOD: dict[str, Any] = {"kind": "function", "entry": "f", "cases": [{"args": [1], "expected": 2}]}
MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "functoin"}, r"^kind is 'functoin'"),
    ({"cases": []}, r"^cases holds 0"),
    ({"cases": 3}, r"^cases is a int"),
    ({"cases": [3]}, r"^cases\[0\] is a int"),
    ({"cases": [{"arsg": []}]}, r"^cases\[0\]\.arsg is unknown; did you mean 'args'"),
    ({"cases": [{"args": 3}]}, r"^cases\[0\]\.args is a int"),
    ({"cases": [{}, {"weight": 0}]}, r"^cases\[1\]\.weight is 0"),
    ({"cases": [{"visible": 1}]}, r"^cases\[0\]\.visible is 1"),
    ({"cases": [{"limits": {"wall": 1}}]}, r"^cases\[0\]\.limits\.wall is unknown"),
    ({"cases": [{"limits": {"wall_s": -1}}]}, r"^cases\[0\]\.limits\.wall_s=-1"),
    ({"cases": [{"compare": {"kind": "x"}}]}, r"^cases\[0\]\.compare\.kind is 'x'"),
    ({"cases": [{"compare": "tokens", "expected": 3}]}, r"^cases\[0\]\.compare is for text"),
    ({"cases": [{"compare": "checker"}]}, r"^cases\[0\] leaves it to a checker"),
    ({"cases": [{"compare": {"any_of": True}, "expected": 3}]}, r"^cases\[0\]\.expected is 3"),
    ({"cases": [{"raises": "not a name"}]}, r"^cases\[0\]\.raises is"),
    ({"cases": [{"name": "a"}, {"name": "a"}]}, r"^cases\[1\]\.name is 'a'"),
    ({"cases": [{"expected": {"$what": 1}}]}, r"^cases\[0\]\.expected: '\$what'"),
    ({"entry": "f()"}, r"^entry is"),
    ({"entry": ""}, r"^entry is"),
    ({"language": "cpp"}, r"^language is 'cpp'"),
    ({"limits": 3}, r"^limits is a int"),
    ({"limits": {"memory_mb": 1}}, r"^limits\.memory_mb=1"),
    ({"files": {"../x": ""}}, r"^files: "),
    ({"files": {"x": 3}}, r"^files\['x'\] is a int"),
    ({"packages": "yes"}, r"^packages is 'yes'"),
    ({"integrity": "perhaps"}, r"^integrity is 'perhaps'"),
    ({"kind": "class"}, r"^cases\[0\]\.steps is empty"),
    ({"kind": "class", "cases": [{"steps": [["push"]]}]}, r"^cases\[0\]\.steps\[0\] is a list of 1"),
    ({"kind": "class", "cases": [{"steps": [{"method": "a b"}]}]}, r"^cases\[0\]\.steps\[0\]\.method is"),
    ({"kind": "stdio"}, r"^cases\[0\]\.expected is 2"),
    ({"kind": "stdio", "language": "cobol", "cases": [{"expected": ""}]}, r"no language 'cobol'"),
    ({"kind": "pytest"}, r"^files is empty"),
    ({"kind": "pytest", "files": {"t.py": ""}}, r"^cases\[0\]\.node is ''"),
    ({"kind": "pytest", "files": {"t.py": ""}, "cases": [{"node": "u.py::a"}]}, r"^cases\[0\]\.node is 'u\.py::a'"),
    ({"kind": "interactive"}, r"^interactor is"),
    ({"kind": "class", "cases": [{"steps": [["a", []]], "compare": "checker"}]}, r"^cases\[0\] leaves it to a checker"),
    ({"kind": "stdio", "language": "c", "files": {"x": ""}, "cases": [{"expected": ""}]}, r"^files is for programs"),
    ({"nonsense": 1}, r"^nonsense is unknown"),
]


@pytest.mark.parametrize(("change", "message"), MISTAKES)
def test_a_mistake_is_named_by_its_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        CodeTask.from_json({**GOOD, **change})


@pytest.mark.parametrize("missing", ["kind", "cases"])
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(BadInput, match=f"^{missing} is missing"):
        CodeTask.from_json({key: value for key, value in GOOD.items() if key != missing})


def test_a_case_inherits_the_limits_it_does_not_give() -> None:
    task = CodeTask.from_json({**GOOD, "limits": {"wall_s": 2}, "cases": [{"limits": {"memory_mb": 64}}]})
    (case,) = task.cases
    assert case.limits is not None
    assert (case.limits.wall_s, case.limits.memory_mb) == (2, 64)


def test_printed_text_is_compared_by_lines_unless_said_otherwise() -> None:
    assert CodeTask("stdio", (Case(expected="1"),)).compare == Comparator(kind="lines")


def test_a_step_without_an_expectation_is_not_checked() -> None:
    assert not Step.from_json(["push", [1]]).checked
    assert Step.from_json(["pop", [], None]).checked
    assert Step.from_json(Step("pop", expected=None).to_json()) == Step("pop", expected=None)
