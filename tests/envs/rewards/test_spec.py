"""A reward in one line, in YAML or in terms: each form reads the others, and a mistake is said where it is."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.envs.rewards import Gate, Played, RewardSpec, Schedule, Term, TermKind, kinds, register
from proofgym.envs.rewards.grammar import parse, parse_gates
from proofgym.envs.rewards.terms import bind
from proofgym.errors import BadInput
from proofgym.verifiers import Verdict


def test_the_line_of_the_documentation_reads_as_it_looks() -> None:
    spec = RewardSpec.parse("correctness + 0.1*format[think] + 0.05*brevity[soft=200,hard=400] if correct")
    correct = (Gate("correct"),)
    assert spec.terms == (
        Term("correctness", gates=correct),
        Term("format", {"kind": "think"}, 0.1, gates=correct),
        Term("brevity", {"soft": 200, "hard": 400}, 0.05, gates=correct),
    )


def test_if_closes_over_what_stands_left_of_it_up_to_the_parenthesis() -> None:
    spec = RewardSpec.parse("env + (0.1*tools if score >= 0.5 and not readable) - 2*(language[en] + language[zh])")
    assert [len(term.gates) for term in spec.terms] == [0, 2, 0, 0]
    assert [term.weight for term in spec.terms] == [1.0, 0.1, -2.0, -2.0]
    nested = RewardSpec.parse("((env if correct) + tools if readable)")
    assert [[str(gate) for gate in term.gates] for term in nested.terms] == [["correct", "readable"], ["readable"]]


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ("overlong[400, 100]", {"limit": 400, "buffer": 100}),
        ("tools[names=add|rm]", {"names": ("add", "rm")}), ("tools[add|]", {"names": ("add",)}),
        ("cosine[100, right=2|1, wrong=-1|-0.5]", {"limit": 100, "right": (2, 1), "wrong": (-1, -0.5)}),
        ("part[\"a b\\\"c\", high=2.5]", {"name": 'a b"c', "high": 2.5}), ("l1[target=.5e2]", {"target": 50.0}),
        ("format[fence, language=python, count=2]", {"kind": "fence", "language": "python", "count": 2}),
    ],
)  # fmt: skip
def test_arguments_are_read(line: str, arguments: dict[str, Any]) -> None:
    assert dict(RewardSpec.parse(line).terms[0].arguments) == arguments


MISTAKES = [
    ("", 1, "expected a term, found the end"),
    ("correctness +", 14, "expected a term"),
    ("correctness + *format[think]", 15, "expected a term, found '*'"),
    ("0.1 format[think]", 5, "expected '*'"),
    ("fromat[think]", 1, "did you mean 'format'"),
    ("format[kond=think]", 1, "did you mean 'kind'"),
    ("format", 1, "format needs kind"),
    ("format[thunk]", 1, "a format is one of"),
    ("format[think", 13, "expected ','"),
    ("format[kind=think, kind=box]", 20, "given twice"),
    ("brevity[soft=1, 2]", 17, "each needs one"),
    ("brevity[soft=5, hard=4]", 1, "0 <= soft < hard"),
    ("brevity[soft=1, hard=2, unit=tokens]", 1, "unit is one of"),
    ("correctness[1]", 13, "no parameter that can go without a name"),
    ("env if", 7, "expected a condition"),
    ("env if corect", 8, "a gate looks at"),
    ("env if score", 8, "compare it"),
    ("env if correct > 1", 8, "true or false"),
    ("env if score >= high", 17, "expected a number"),
    ("env )", 5, "expected '+'"),
    ("(env", 5, "expected ')'"),
    ("env@fast(0,1)", 5, "expected a schedule"),
    ("env@linear(0)", 5, "a start, an end"),
    ("env@linear(0,1,0.9,0.1)", 5, "begin <= until"),
    ("(env@linear(0,1))@linear(0,1)", 19, "a schedule inside a schedule"),
    ("(env + tools) as both", 15, "one term"),
    ("env as if", 8, "expected a name"),
    ("env ; import os", 5, "cannot read ';'"),
    ('part["open]', 6, "cannot read"),
    ("-0.5*repetition", 2, "is a penalty"),
    ("(" * 30 + "env" + ")" * 30, 22, "parentheses"),
    ("no.such.module:f", 1, "cannot be imported"),
    ("math:pi", 1, "has to be a function"),
    ("repetition[n=0]", 1, "whole number"),
    ("env + 1e999999*env", 7, "cannot read"),
]


@pytest.mark.parametrize(("line", "place", "message"), MISTAKES, ids=[m[0][:30] for m in MISTAKES])
def test_a_mistake_is_said_with_its_place(line: str, place: int, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        RewardSpec.parse(line)
    said = str(caught.value)
    assert said.startswith(f"reward, character {place}: ")
    assert message in said
    assert said.endswith("^")


@given(st.text(alphabet='enviftas correctnot+-*/()[]@=,|.0123456789"\\<>:_#', max_size=60) | st.text(max_size=40))
def test_any_text_is_read_or_refused(line: str) -> None:
    try:
        spec = RewardSpec.parse(line)
    except BadInput:
        return
    assert RewardSpec.parse(str(spec)) == spec


names = st.sampled_from(
    [
        ("env", {}), ("correctness", {}), ("score", {}), ("part", {"name": "tests"}),
        ("part", {"name": "a b", "high": 2.0}),
        ("format", {"kind": "tags"}), ("format", {"kind": "fence", "language": "c++"}),
        ("tools", {"names": ("a", "b c")}),
        ("tools", {"names": ("x",)}), ("language", {"lang": "zh"}), ("cosine", {"limit": 10, "wrong": (-1, 0.5)}),
        ("brevity", {"soft": 0.5, "hard": 2, "unit": "words"}),
    ]
)  # fmt: skip
gates = st.builds(Gate, st.sampled_from(["correct", "readable"]), negated=st.booleans()) | st.builds(
    Gate, st.sampled_from(["score", "reward", "part.x"]), st.sampled_from([">=", "<=", "<", ">"]),
    st.floats(-10, 10), st.booleans(),
)  # fmt: skip
schedules = st.builds(
    lambda kind, a, b, marks: Schedule(kind, a, b, *sorted(marks)),
    st.sampled_from(["linear", "cosine", "step"]), st.floats(-2, 2), st.floats(-2, 2),
    st.tuples(*[st.floats(0, 1)] * 2),
)  # fmt: skip
terms = st.builds(
    lambda name, weight, gates_, schedule, per, n: Term(
        name[0], name[1], weight, tuple(dict.fromkeys(gates_)), schedule, per, f"t{n}" if n else ""
    ),
    names, st.floats(-5, 5), st.lists(gates, max_size=2), st.just(Schedule()) | schedules,
    st.sampled_from([None, "turn", "episode", "end"]), st.integers(0, 99),
)  # fmt: skip


@given(st.lists(terms, min_size=1, max_size=4, unique_by=lambda term: term.label))
def test_every_specification_survives_its_line_its_yaml_and_pickling(found: list[Term]) -> None:
    import yaml

    spec = RewardSpec(tuple(found))
    assert RewardSpec.parse(str(spec)) == spec
    assert RewardSpec.of(yaml.safe_load(yaml.safe_dump(json.loads(json.dumps(spec.to_json()))))) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_yaml_is_read_as_terms_or_as_a_line(tmp_path: Path) -> None:
    file = tmp_path / "reward.yaml"
    file.write_text(
        "terms:\n"
        "- correctness\n"
        "- {term: format, kind: think, weight: 0.1, if: correct, per: end, as: style,\n"
        "   schedule: {kind: linear, start: 1, end: 0}}\n",
        encoding="utf-8",
    )
    spec = RewardSpec.of(str(file))
    assert str(spec) == "1*correctness + (0.1*format[think, per=end]@linear(1, 0, 0, 1) as style if correct)"
    file.write_text("correctness + 0.1*format[think]", encoding="utf-8")
    assert len(RewardSpec.of(file).terms) == 2


@pytest.mark.parametrize(
    "content",
    [[], {}, {"term": "env"}, [{"kind": "think"}], [3], 3, None, "no/such/file.yaml", [{"term": "env", "weight": "1"}],
     [{"term": "env", "schedule": {"slope": 1}}], [{"term": "env", "if": "corect"}], ["env", "env"],
     [{"term": "env", "weight": math.nan}], [{"term": "env", "per": "week"}], {"terms": "env", "more": 1}],
)  # fmt: skip
def test_what_is_no_reward_is_refused(content: Any) -> None:
    with pytest.raises(BadInput):
        RewardSpec.of(content)


def test_schedules_go_from_start_to_end_and_stay() -> None:
    linear, cosine = Schedule("linear", 2.0, 0.0, 0.25, 0.75), Schedule("cosine", 0.0, 1.0)
    assert [linear(p) for p in (0.0, 0.25, 0.5, 0.75, 1.0)] == [2.0, 2.0, 1.0, 0.0, 0.0]
    assert [cosine(p) for p in (-1.0, 0.5, 2.0)] == [0.0, pytest.approx(0.5), 1.0]
    assert [Schedule("step", 0.0, 1.0, 0.5)(p) for p in (0.49, 0.5)] == [0.0, 1.0]
    assert Schedule("linear", 0.0, 1.0, 0.5, 0.5)(0.5) == 1.0
    assert Schedule(start=3.0)(0.7) == 3.0


@pytest.mark.parametrize(
    ("gate", "verdict", "earned", "opens"),
    [
        ("correct", Verdict.right(), 0, True), ("correct", Verdict.wrong("no"), 0, False),
        ("not correct", Verdict.wrong("no"), 0, True), ("readable", Verdict.wrong("no"), 0, True),
        ("readable", Verdict.malformed("?"), 0, False), ("readable", Verdict.limit("slow"), 0, False),
        ("score >= 0.5", Verdict.partial(0.5, ""), 0, True), ("score > 0.5", Verdict.partial(0.5, ""), 0, False),
        ("part.tests < 1", Verdict.partial(0.5, "", tests=0.5), 0, True), ("part.x >= 0", Verdict.right(), 0, True),
        ("reward >= 1", None, 1.0, True), ("not reward >= 1", None, 1.0, False), ("correct", None, 0, False),
        ("not correct", None, 0, False),
    ],
)  # fmt: skip
def test_gates_look_at_the_verdict(gate: str, verdict: Verdict | None, earned: float, opens: bool) -> None:
    played = Played("x", verdict=verdict, over=verdict is not None, earned=earned)
    assert parse_gates(gate)[0].opens(played) is opens


def test_every_term_in_the_register_is_described_and_works_with_what_it_needs() -> None:
    given = {"kind": "boxed", "lang": "en", "name": "tests", "soft": 1, "hard": 2, "limit": 9, "buffer": 3, "target": 5}
    for kind in kinds():
        assert kind.summary.endswith(".")
        assert all(parameter.meaning for parameter in kind.parameters)
        arguments = {p.name: given[p.name] for p in kind.parameters if p.default is None}
        value = Term(kind.name, arguments).build()(Played("some answer", verdict=Verdict.right(tests=0.5)))
        assert value is not None
        assert kind.judged or kind.source
        # what can be farmed is said, and what is said not to be farmed cannot pay a wrong answer
        most = Term(kind.name, arguments).unsolved
        assert bool(kind.farm) == (most > 0.0) or kind.name == "cosine"


def test_a_term_may_be_registered_once() -> None:
    kind = TermKind("shout", bind(lambda played: float(played.action.isupper())), "Whether it shouts.")
    register(kind)
    assert register(kind) is kind
    assert RewardSpec.parse("0.5*shout").terms[0].build()(Played("AH")) == 1.0
    with pytest.raises(BadInput, match="already"):
        register(TermKind("shout", bind(lambda _: 0.0), ""))
    with pytest.raises(BadInput, match="name is a word"):
        register(TermKind("not", bind(lambda _: 0.0), ""))


def test_a_function_can_be_named_by_its_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_rewards.py").write_text("def short(played, most):\n    return float(len(played.action) < most)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = RewardSpec.parse("0.5*my_rewards:short[most=5]")
    assert spec.terms[0].label == "short"
    assert spec.terms[0].build()(Played("four")) == 1.0
    assert RewardSpec.parse(str(spec)) == spec


def test_reading_a_reward_imports_nothing_heavy() -> None:
    code = (
        "import sys; from proofgym.envs.rewards import RewardSpec; RewardSpec.parse('correctness + 0.1*format[think]');"
        "print(sorted({'torch', 'scipy', 'jsonschema', 'yaml', 'sympy', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_bounds_and_what_can_be_farmed_are_told_by_the_specification() -> None:
    spec = RewardSpec.parse(
        "correctness + 0.1*format[think] + (0.05*brevity[soft=1,hard=2] if correct) + 0.2*repetition"
    )
    assert spec.unsolved == pytest.approx(0.1)
    assert [term.bounds for term in spec.terms] == [(0.0, 1.0), (0.0, 0.1), (0.0, 0.05), (-0.2, 0.0)]
    assert RewardSpec.parse("-0.1*tools + 0.3*language[en]@linear(0, 2)").unsolved == pytest.approx(0.6)
    assert parse("0.5*cosine[10]")[0].unsolved == 0.0
