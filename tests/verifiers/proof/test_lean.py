"""Lean for real: goals, branches, faults of workers, and the layers of the final check one by one."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.proof import Budget, ProofTask, ProverMissing, StatementRefused
from proofgym.verifiers.proof.lean import toolchain
from proofgym.verifiers.proof.lean.audit import Library, audit
from proofgym.verifiers.proof.lean.olean import BadOlean, Module
from proofgym.verifiers.proof.lean.session import document, parse_goals

pytestmark = pytest.mark.lean

TASK = ProofTask("goal", "(p q r : Prop) : p ∧ (q ∨ r) → (p ∧ q) ∨ (p ∧ r)")
SWAP = ProofTask("goal", "(p q : Prop) (h : p ∧ q) : q ∧ p")


def test_goals_are_read_with_names_types_and_cases(lean: Any) -> None:
    state = lean.open(TASK)
    for tactic in ("intro h", "rcases h with ⟨a, b | c⟩"):
        state = lean.run(state, tactic).state
    assert [goal.target for goal in state.goals] == ["p ∧ q ∨ p ∧ r"] * 2
    assert [str(h) for h in state.goals[1].hypotheses] == ["p q r : Prop", "a : p", "c : r"]
    assert not state.finished


def test_a_local_definition_shows_its_value(lean: Any) -> None:
    state = lean.run(lean.open(ProofTask("goal", ": True")), "let x : Nat := 2").state
    assert any(h.names == ("x",) and h.type == "Nat" and h.value == "2" for h in state.goals[0].hypotheses)


def test_any_earlier_state_can_be_returned_to_in_any_order(lean: Any) -> None:
    first = lean.open(TASK)
    one = lean.run(first, "intro h").state
    two = lean.run(one, "cases h.2 with\n| inl b => exact Or.inl ⟨h.1, b⟩\n| inr c => exact Or.inr ⟨h.1, c⟩").state
    assert two.finished
    assert lean.run(first, "intro k").state.goals[0].hypotheses[-1].names == ("k",)
    assert lean.run(one, "exact h").error.startswith("Type mismatch")
    assert lean.run(one, "rcases h with ⟨a, b⟩").ok
    assert lean.open(TASK) == first


def test_siblings_run_in_parallel_and_keep_their_order(lean: Any) -> None:
    state = lean.open(SWAP)
    tactics = ["constructor", "exact h", "sorry", "exact ⟨h.2, h.1⟩", "foo", "rcases h with ⟨a, b⟩"] * 3
    results = lean.expand(state, tactics)
    assert [r.ok for r in results] == [True, False, False, True, False, True] * 3
    assert results[2].layer == "gate"
    assert asyncio.run(lean.aexpand(state, tactics[:4])) == results[:4]
    assert asyncio.run(lean.arun(state, "constructor")) == results[0]


@pytest.mark.parametrize(
    "tactic", ["have k : q := by\n  skip", "constructor; · skip", "· skip", "have k : q := by skip\nexact ⟨k, h.1⟩"]
)
def test_an_inner_block_that_is_not_closed_is_an_error_and_not_a_state(tactic: str, lean: Any) -> None:
    result = lean.run(lean.open(SWAP), tactic)
    assert not result.ok
    assert "unsolved goals" in result.error


def test_the_prover_says_no_to_a_hole_that_the_gate_would_miss(lean: Any) -> None:
    reply = lean.pool.goto(lean.complete(SWAP), ("exact sorry",))
    assert reply.goals == (), "the live session believes it"
    assert lean.judge.examine(lean.complete(SWAP), "exact sorry", gated=False).layer == "axioms"


def test_a_killed_worker_costs_a_restart_and_loses_nothing(lean: Any) -> None:
    state = lean.run(lean.open(TASK), "intro h").state
    for pid in lean.pool.pids():
        os.kill(pid, signal.SIGKILL)
    before = lean.pool.report.died
    result = lean.run(state, "rcases h with ⟨a, b⟩")
    assert result.ok
    assert lean.pool.report.died > before


def test_a_tactic_past_its_heartbeats_or_time_is_a_limit_and_the_next_one_works(lean: Any) -> None:
    slow = ProofTask("goal", ": True", "", Budget(heartbeats=2000, step_s=20.0))
    result = lean.run(lean.open(slow), "repeat (first | skip | skip)")
    assert (result.ok, result.limit) == (False, True)
    stuck = ProofTask("goal", ": 3 ^ 200000 % 7 = 10", "", Budget(step_s=0.4))
    result = lean.run(lean.open(stuck), "decide")
    assert not result.ok
    assert lean.run(lean.open(SWAP), "constructor").ok


def test_a_statement_that_does_not_compile_is_the_tasks_fault(lean: Any) -> None:
    for bad in ("(n : Nat) : foo n", "(n : Nat) : n +", ": 5", ""):
        with pytest.raises(StatementRefused):
            lean.open(ProofTask("goal", bad))
    with pytest.raises(StatementRefused):
        lean.examine(ProofTask("goal", ": foo"), "trivial")
    with pytest.raises(BadInput, match="plain name"):
        lean.open(ProofTask("x : True := trivial --", ": True"))


def test_a_proof_is_accepted_with_its_axioms_and_constants(lean: Any) -> None:
    report = lean.examine(SWAP, "exact ⟨h.2, h.1⟩")
    assert report.accepted
    assert (report.layer, report.axioms, report.constants, report.files) == ("", (), ("goal",), ())
    assert lean.examine(SWAP, "simp_all").axioms == ("propext",)
    em = lean.examine(ProofTask("goal", "(p : Prop) : p ∨ ¬p"), "exact Classical.em p")
    assert em.axioms == ("Classical.choice", "Quot.sound", "propext")


def test_axioms_can_be_forbidden(lean: Any) -> None:
    from proofgym.verifiers.proof.lean.final import LeanJudge

    judge = LeanJudge(lean.toolchain, axioms=(), workers=1)
    try:
        report = judge.examine(lean.complete(SWAP), "simp_all")
    finally:
        judge.close()
    assert report.layer == "axioms"
    assert "propext" in report.verdict.reason


def test_messages_name_the_line_of_the_proof(lean: Any) -> None:
    report = lean.examine(SWAP, "constructor\n· exact h.2\n· exact h.2")
    assert report.messages.startswith("line 3: Type mismatch")


def _compiled(lean: Any, text: str) -> Module:
    result = lean.judge._compile(text, Budget())
    return Module(next(a.data for a in result.artifacts if a.path == "Proof.olean"))


@pytest.mark.parametrize(
    ("before", "statement", "proof"),
    [
        ("instance (priority := 2000) fake : Add Nat := ⟨Nat.mul⟩", ": 1 + 0 = 0", "rfl"),
        ("local instance (priority := 2000) fake (n : Nat) : OfNat Nat n := ⟨.zero⟩", ": (2 : Nat) = 3", "rfl"),
        ("notation:max \"False\" => True", ": False", "trivial"),
        ("macro_rules | `($_ + $b) => `($b)", ": 1 + 0 = 0", "rfl"),
        ("namespace Fake\ndef Nat.le (_ _ : Nat) : Prop := True", ": 1 + 1 = 2", "rfl"),
        ("variable (h : False)", ": 1 = 1", "exact h.elim"),
        ("universe u\nvariable (α : Type u)", "(p : Prop) : p → p", "exact fun h => h"),
    ],
)  # fmt: skip
def test_a_statement_that_silently_means_something_else_is_told_by_its_structure(
    before: str, statement: str, proof: str, lean: Any
) -> None:
    """A submission cannot write before the theorem; if it could, the comparison would still see it."""
    task = lean.complete(ProofTask("goal", statement))
    asked = lean.judge._reference(task) if "False" not in statement else None
    head, _ = document(task, ())
    tampered = head.replace("theorem goal", f"{before}\ntheorem goal") + f"  {proof}\n"
    if "variable (h" in before:
        tampered = tampered.replace("theorem goal", "include h in\ntheorem goal")
    module = _compiled(lean, tampered)
    name = "Fake.goal" if before.startswith("namespace") else "goal"
    seen = audit(module, name, lean.judge._library)
    asked = asked or lean.judge._reference(task)
    if name != "goal":
        assert audit(module, "goal", lean.judge._library) is None
        return
    assert seen is not None
    report = lean.judge._judged(task, seen, asked, {"messages": "", "files": (), "statement_key": ""})
    if "universe" in before:
        assert report.accepted, "an unused variable is not included, so nothing changed"
        return
    assert report.layer in ("statement", "constants")
    assert not report.accepted


def test_statements_are_compared_by_structure_not_by_text(lean: Any) -> None:
    key = lean.judge.statement_key
    plain = key(lean.complete(ProofTask("a", "(p q : Prop) : p ∧ q → q ∧ p")))
    assert key(lean.complete(ProofTask("b", ": ∀ x y : Prop, And x y → (y ∧ x)"))) == plain
    assert key(lean.complete(ProofTask("c", "(p q : Prop) : p ∧ q → p ∧ q"))) != plain
    big = [key(lean.complete(ProofTask("d", f": {n} = {n}"))) for n in (2**64, 2**64 + 1, 2**64)]
    assert big[0] == big[2] != big[1]


def test_a_header_may_declare_what_the_statement_is_about(lean: Any) -> None:
    header = "prelude\nimport MiniNat\ndef double (n : Nat) : Nat := n + n\n"
    task = ProofTask("goal", "(n : Nat) : double n = n + n", header)
    assert lean.run(lean.open(task), "rfl").state.finished
    report = lean.examine(task, "rfl")
    assert report.accepted
    assert report.constants == ("double", "goal")


def test_our_definitions_agree_with_the_kernels_own_arithmetic(lean: Any) -> None:
    """The kernel computes these functions by name; a prelude that meant something else by one would be unsound."""
    header = (
        "prelude\nimport MiniNat\n"
        "def gcd' (a b : Nat) : Nat := Nat.gcdFuel (.succ a) a b\n"
        "def land' (a b : Nat) : Nat := Nat.bitsFuel (fun x y => cond x y .false) (Nat.add a b) a b\n"
        "def lor' (a b : Nat) : Nat := Nat.bitsFuel (fun x y => cond x .true y) (Nat.add a b) a b\n"
        "def xor' (a b : Nat) : Nat := Nat.bitsFuel (fun x y => cond x (cond y .false .true) y) (Nat.add a b) a b\n"
        "def log2' (n : Nat) : Nat := Nat.log2Fuel n n\n"
        "def div' (n m : Nat) : Nat := match m with | 0 => 0 | k+1 => Nat.divFuel n n (k+1)\n"
        "def mod' (n m : Nat) : Nat := Nat.sub n (Nat.mul m (div' n m))\n"
        "def agree : Nat → Nat → Bool\n  | a, b => Nat.beq (gcd' a b) (Nat.gcd a b)\n"
        "    && Nat.beq (land' a b) (Nat.land a b) && Nat.beq (lor' a b) (Nat.lor a b)\n"
        "    && Nat.beq (xor' a b) (Nat.xor a b) && Nat.beq (div' a b) (Nat.div a b)\n"
        "    && Nat.beq (mod' a b) (Nat.mod a b) && Nat.beq (log2' a) (Nat.log2 a)\n"
        "def all (f : Nat → Bool) : Nat → Bool\n  | 0 => f 0\n  | n+1 => f n && all f n\n"
    )
    task = ProofTask("agree_upto", ": all (fun a => all (fun b => agree a b) 9) 9 = true", header)
    report = lean.examine(task, "decide")
    assert report.accepted, report
    assert report.axioms == ()


def test_every_name_that_the_kernel_computes_is_declared_by_the_prelude(lean: Any) -> None:
    """Otherwise a submission could declare it with another meaning and prove False without axioms."""
    library = Library(lean.toolchain.path)
    library.load(["MiniNat"])
    names = [
        "add",
        "sub",
        "mul",
        "div",
        "mod",
        "gcd",
        "beq",
        "ble",
        "land",
        "lor",
        "xor",
        "shiftLeft",
        "shiftRight",
        "pow",
        "log2",
    ]
    for name in [*(f"Nat.{n}" for n in names), "Lean.reduceBool", "Lean.reduceNat"]:
        assert name in library
    assert library.axioms("Lean.reduceBool") == {"Lean.trustCompiler"}
    assert library.axioms("Nat.gcd") == frozenset()


def test_a_broken_module_is_told_and_never_crashes_the_reader(lean: Any) -> None:
    head, _ = document(lean.complete(SWAP), ())
    result = lean.judge._compile(head + "  exact ⟨h.2, h.1⟩\n", Budget())
    good = next(a.data for a in result.artifacts if a.path == "Proof.olean")
    library = lean.judge._library
    assert audit(Module(good), "goal", library) is not None
    tried = refused = 0
    for at in range(80, len(good), 29):
        broken = bytearray(good)
        broken[at] ^= 0xA5
        tried += 1
        try:
            seen = audit(Module(bytes(broken)), "goal", library)
            refused += seen is None
        except (BadOlean, Unjudged):
            refused += 1
    assert tried > 100
    for bad in (b"", b"olean", good[:90], good[: len(good) // 2], b"\x00" * 200, b"olean\x07" + good[6:]):
        with pytest.raises(BadOlean):
            audit(Module(bad), "goal", library)


def test_setup_compiles_once_and_is_found_again(lean: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFGYM_CACHE", str(tmp_path))
    home = toolchain.setup()
    assert sorted(p.name for p in home.iterdir()) == [
        "MiniLean.lean", "MiniLean.olean", "MiniNat.lean", "MiniNat.olean", "ready", "run_lean.py",
    ]  # fmt: skip
    stamp = (home / "MiniLean.olean").stat().st_mtime_ns
    assert toolchain.setup() == home
    assert (home / "MiniLean.olean").stat().st_mtime_ns == stamp
    assert [p.name for p in home.parent.iterdir()] == [home.name], "nothing half made is left"


def test_a_program_that_is_no_lean_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProverMissing, match="no program"):
        toolchain.find(tmp_path / "lean")
    fake = tmp_path / "lean"
    fake.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    fake.chmod(0o755)
    with pytest.raises(ProverMissing, match="does not run"):
        toolchain.find(fake)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProverMissing, match="lake"):
        toolchain.find(tmp_path)


def test_a_users_own_lean_program_is_preferred_and_judged_with(lean: Any, tmp_path: Path) -> None:
    """A stand-in for elan's layout, PREFIX/bin/lean and PREFIX/lib/lean, over the same binary."""
    prefix = tmp_path / "prefix"
    (prefix / "bin").mkdir(parents=True)
    (prefix / "lib").mkdir()
    (prefix / "lib" / "lean").symlink_to(lean.toolchain.path[0])
    program = prefix / "bin" / "lean"
    words = " ".join(lean.toolchain.argv)
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --print-prefix ] && echo {prefix} && exit\nexec {words} "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    found = toolchain.find(program)
    assert found.argv == (str(program),)
    assert found.path == (str(prefix / "lib" / "lean"),)
    from proofgym.verifiers.proof.lean import LeanBackend

    with LeanBackend(found, workers=1) as backend:
        task = ProofTask("goal", SWAP.statement, lean.toolchain.header)
        assert backend.run(backend.open(task), "constructor").ok


def test_goals_with_types_over_several_lines_are_read() -> None:
    goals = parse_goals("case a\nx : Nat\nh :\n  x = 1 ∨\n    x = 2\ny : Nat := 3\n⊢ x =\n  y\n\n⊢ True")
    assert len(goals) == 2
    assert goals[0].case == "a"
    assert [h.names for h in goals[0].hypotheses if h.names] == [("x",), ("y",)]
    assert goals[0].target == "x =\n  y"
