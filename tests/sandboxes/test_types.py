"""Jobs and limits say in one sentence what is wrong with them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from proofgym.errors import BadInput, ProofgymError, Unjudged
from proofgym.sandboxes import (
    Call,
    InfraError,
    Isolation,
    IsolationUnavailable,
    Job,
    JobRefused,
    Limits,
    MissingProgram,
    Opaque,
    Outcome,
    Result,
    ToolchainMissing,
    client,
    languages,
)


@pytest.mark.parametrize(
    "limits",
    [
        {"wall_s": 0},
        {"wall_s": float("nan")},
        {"wall_s": float("inf")},
        {"wall_s": 10**9},
        {"wall_s": True},
        {"cpu_s": -1},
        {"memory_mb": 1},
        {"memory_mb": 2.5},
        {"processes": 0},
        {"output_kb": -1},
        {"scratch_mb": 0},
        {"inodes": 1},
        {"files": "many"},
    ],
)
def test_impossible_limits_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(JobRefused, match=next(iter(limits))) as caught:
        Limits(**limits)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, BadInput)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Job.calls("", "not a name", [()]),
        lambda: Job.calls("", "f", ["abc"]),
        lambda: Job.calls("", "f", [()] * 10_001),
        lambda: Job.calls("", "f", [()], observe="nothing"),  # type: ignore[arg-type]
        lambda: Job.command([]),
        lambda: Job.command("ls -l"),
        lambda: Job.command(["a\0b"]),
        lambda: Job.script("", files={"../a": ""}),
        lambda: Job.script("", files={"/a": ""}),
        lambda: Job.script("", files={"": ""}),
        lambda: Job.script("", artifacts=["a/../../b"]),
        lambda: Job.pytest({"test_a.py": ""}, []),
        lambda: Job.pytest({"test_a.py": ""}, ["test_a.py"]),
        lambda: Job.pytest({"test_a.py": ""}, ["test_a.py::t", "test_a.py::t"]),
        lambda: Job.script("", files={f"f{n}": "" for n in range(2001)}),
        lambda: languages.check("brainfuck"),
        lambda: Isolation.parse("total"),
        lambda: client.pack_job(Job.calls("", "f", [(object(),)]), Limits()),
        lambda: client.pack_job(Job.script("x" * (33 << 20)), Limits()),
    ],
)
def test_jobs_that_make_no_sense_are_refused(make: Any) -> None:
    with pytest.raises(JobRefused) as caught:
        make()
    assert len(str(caught.value)) < 300


def test_a_dict_as_second_argument_is_an_argument() -> None:
    job = Job.calls("", "f", [([1], {}), Call(1, k=2)])
    assert job.args == ((([1], {}), {}), ((1,), {"k": 2}))


def test_jobs_and_results_pickle() -> None:
    job = Job.calls("def f(): pass", "f", [()], files={"a": "b"}, limits=Limits(wall_s=1))
    assert pickle.loads(pickle.dumps(job)) == job
    result = Result(Outcome.OK, 0, stdout=b"x", isolation=Isolation.REDUCED)
    assert pickle.loads(pickle.dumps(result)) == result


def test_tiers_are_ordered_and_named() -> None:
    names = ["none", "reduced", "namespaced", "container", "namespaced+cgroup"]
    assert [Isolation.parse(name) for name in names] == sorted(Isolation)
    assert [tier.label for tier in sorted(Isolation)] == names


def test_faults_are_never_results() -> None:
    assert issubclass(InfraError, Unjudged)
    assert issubclass(ToolchainMissing, Unjudged)
    assert issubclass(MissingProgram, JobRefused)
    assert issubclass(IsolationUnavailable, ProofgymError)


def test_values_of_unanswered_calls_equal_nothing() -> None:
    from proofgym.sandboxes import Answer

    result = Result(
        Outcome.ERROR, answers=(Answer("missing"), Answer("raised", None, "ValueError", "x"), Answer("returned", 3))
    )
    assert [type(value) for value in result.values] == [Opaque, Opaque, int]
    assert result.values[0] != result.values[0]
