"""LeanDojo's shape over our provers; adapters to the real LeanDojo and REPL, against stand-ins for both."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from proofgym.errors import BadInput, MissingExtra, Unjudged
from proofgym.verifiers.proof import ProofTask, ProverLost, StatementRefused, backend
from proofgym.verifiers.proof import dojo as shape
from proofgym.verifiers.proof.dojo import Dojo, LeanDojoBackend, LeanGitRepo, Theorem, read_benchmark
from proofgym.verifiers.proof.repl import ReplBackend

REPO = LeanGitRepo("https://example.org/x", "abc")


def test_a_dojo_over_the_toy_prover_finishes_only_after_the_final_check() -> None:
    theorem = Theorem(REPO, "x.lean", "t", "p & q -> q & p")
    with Dojo(theorem, backend("toy")) as (dojo, state):
        assert (state.id, state.num_goals) == (0, 1)
        first = dojo.run_tac(state, "intro h")
        assert isinstance(first, shape.TacticState)
        assert isinstance(dojo.run_tac(first, "foo"), shape.LeanError)
        assert isinstance(dojo.run_tac(first, "sorry"), shape.ProofGivenUp)
        for tactic in ("cases h a b", "split", "exact b"):
            first = dojo.run_tac(first, tactic)
            assert isinstance(first, shape.TacticState)
        assert isinstance(dojo.run_tac(first, "exact a"), shape.ProofFinished)
        assert isinstance(dojo.run_tac(state, "intro k"), shape.TacticState), "any earlier state may be used again"
        with pytest.raises(BadInput, match="not of this dojo"):
            dojo.run_tac(shape.TacticState("x", 999), "intro h")


@pytest.mark.lean
def test_a_dojo_over_lean(lean: Any) -> None:
    with Dojo(Theorem(REPO, "x.lean", "t", "(p q : Prop) (h : p ∧ q) : q ∧ p"), lean) as (dojo, state):
        middle = dojo.run_tac(state, "constructor")
        assert isinstance(middle, shape.TacticState)
        assert middle.num_goals == 2
        last = dojo.run_tac(middle, "exact h.2")
        assert isinstance(last, shape.TacticState)
        assert isinstance(dojo.run_tac(last, "exact h.1"), shape.ProofFinished)


def test_a_traced_benchmark_is_read_with_its_tactics(tmp_path: Path) -> None:
    row = {
        "url": "u", "commit": "c", "file_path": "A.lean", "full_name": "foo.bar",
        "traced_tactics": [{"tactic": "rfl", "annotated_tactic": ["rfl", []], "state_before": "⊢ 1 = 1",
        "state_after": "no goals"}],
    }  # fmt: skip
    path = tmp_path / "train.json"
    path.write_text(json.dumps([row]), encoding="utf-8")
    (theorem,) = read_benchmark(path)
    assert (theorem.full_name, theorem.traced[0].tactic) == ("foo.bar", "rfl")
    with pytest.raises(BadInput, match="repository only"):
        _ = theorem.task
    for bad in ("{}", "[1]", '[{"url": 1}]', "no json"):
        path.write_text(bad, encoding="utf-8")
        with pytest.raises(BadInput):
            list(read_benchmark(path))


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with lean-dojo's names and shapes, over the toy prover."""

    @dataclass(frozen=True)
    class TacticState:
        pp: str
        path: tuple[str, ...]

    @dataclass(frozen=True)
    class ProofFinished:
        tactic_state_id: int

    @dataclass(frozen=True)
    class LeanError:
        error: str

    class RealDojo:
        def __init__(self, theorem: Any) -> None:
            self.theorem = theorem

        def __enter__(self) -> Any:
            if self.theorem[2] == "missing":
                raise RuntimeError("no such theorem")
            self.first = backend("toy").open(ProofTask("t", "p -> p & p"))
            return self, TacticState(str(self.first), ())

        def __exit__(self, *_: object) -> None:
            pass

        def run_tac(self, state: Any, tactic: str) -> Any:
            if tactic == "crash":
                raise OSError("the process died")
            at = self.first
            for step in state.path:
                after = backend("toy").run(at, step).state
                assert after is not None
                at = after
            result = backend("toy").run(at, tactic)
            if result.state is None:
                return LeanError(result.error)
            if result.state.finished:
                return ProofFinished(1)
            return TacticState(str(result.state), (*state.path, tactic))

    module = types.ModuleType("lean_dojo")
    module.LeanGitRepo = lambda url, commit: (url, commit)  # type: ignore[attr-defined]
    module.Theorem = lambda repo, path, name: (repo, path, name)  # type: ignore[attr-defined]
    module.Dojo = RealDojo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "lean_dojo", module)


@pytest.mark.usefixtures("stand_in")
def test_the_real_package_is_driven_through_our_protocol() -> None:
    driven = LeanDojoBackend("u", "c")
    task = ProofTask("foo", "", "A.lean")
    state = driven.open(task)
    assert state.goals[0].target == "p -> p & p"
    one = driven.run(state, "intro h").state
    assert one is not None
    two, bad = driven.expand(one, ["split", "left"])
    assert two.state is not None
    assert "disjunction" in bad.error
    driven._states.clear()
    driven._states[task, ()] = driven._dojos[task][1].run_tac and driven._dojos[task][0].__enter__()[1]
    three = driven.run(two.state, "exact h").state
    assert three is not None
    done = driven.run(three, "exact h").state
    assert done is not None
    assert done.finished
    with pytest.raises(ProverLost, match="died"):
        driven.run(one, "crash")
    with pytest.raises(Unjudged, match="judge"):
        driven.final_check(task, "intro h")
    with pytest.raises(ProverLost, match="cannot start"):
        driven.open(ProofTask("missing", "", "A.lean"))
    driven.close()


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lean_dojo", None)
    with pytest.raises((MissingExtra, ImportError)):
        LeanDojoBackend("u", "c")


# A REPL that answers as the real one does for one theorem (shapes from its README), and dies or hangs on demand.
_REPL = r"""
import json, sys, time
states = {0: "h : p\n⊢ p ∧ p"}
text = ""
for line in sys.stdin:
    text += line
    if line.strip():
        continue
    ask, text = json.loads(text), ""
    if "cmd" in ask and "theorem" not in ask["cmd"]:
        answer = {"env": 0} if "Bad" not in ask["cmd"] else {"messages": [{"severity": "error",
        "data": "unknown module"}]}
    elif "cmd" in ask:
        assert ask.get("env") == 0
        if "wrong" in ask["cmd"]:
            answer = {"messages": [{"severity": "error", "data": "unknown identifier"}], "env": 1}
        else:
            hole = {"proofState": 0, "goal": states[0], "pos": {"line": 1, "column": 1}}
            answer = {"sorries": [hole], "messages": [{"severity": "warning", "data": "declaration uses 'sorry'"}],
            "env": 1}
    elif ask["tactic"] == "die":
        sys.exit(1)
    elif ask["tactic"] == "hang":
        time.sleep(60)
    elif ask["tactic"] == "constructor":
        answer = {"proofState": 1, "goals": ["case left\nh : p\n⊢ p", "case right\nh : p\n⊢ p"]}
    elif ask["tactic"] == "exact h":
        answer = {"proofState": ask["proofState"] + 1,
        "goals": ["case right\nh : p\n⊢ p"] if ask["proofState"] == 1 else []}
    else:
        answer = {"message": "Lean error:\nunknown tactic"}
    print(json.dumps(answer) + "\n", flush=True)
"""


@pytest.fixture
def repl(tmp_path: Path) -> Any:
    program = tmp_path / "repl.py"
    program.write_text(_REPL, encoding="utf-8")
    driven = ReplBackend([sys.executable, str(program)])
    yield driven
    driven.close()


def test_the_repl_is_driven_through_our_protocol(repl: ReplBackend) -> None:
    from proofgym.verifiers.proof import Budget

    task = ProofTask("t", "(p : Prop) (h : p) : p ∧ p", "import Mathlib", Budget(step_s=0.5))
    state = repl.open(task)
    assert [goal.target for goal in state.goals] == ["p ∧ p"]
    one = repl.run(state, "constructor").state
    assert one is not None
    assert [goal.case for goal in one.goals] == ["left", "right"]
    good, bad, gated = repl.expand(one, ["exact h", "foo", "sorry"])
    assert good.state is not None
    assert "unknown tactic" in bad.error
    assert gated.layer == "gate"
    done = repl.run(good.state, "exact h").state
    assert done is not None
    assert done.finished
    with pytest.raises(ProverLost, match="ended"):
        repl.run(one, "die")
    state = repl.open(task)
    with pytest.raises(ProverLost, match="in time"):
        repl.run(state, "hang")
    for broken in (ProofTask("wrong", ": x", "import Mathlib"), ProofTask("t", ": x", "import Bad")):
        with pytest.raises(StatementRefused):
            repl.open(broken)
    with pytest.raises(Unjudged, match="judge"):
        repl.examine(task, "constructor")


def test_a_repl_that_is_not_there_is_told() -> None:
    with pytest.raises(ProverLost, match="cannot be started"):
        ReplBackend(["/no/such/repl"]).open(ProofTask("t", ": True"))
