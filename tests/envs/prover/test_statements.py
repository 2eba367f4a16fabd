"""Generators, the library and the readers: every known proof is one, and equal theorems have equal keys."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgym.envs.prover import formulas, generators, readers
from proofgym.envs.prover.library import lemmas, theorems
from proofgym.envs.prover.mirror import COQ, LEAN, script, statement
from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.statements import key_of
from proofgym.envs.task import split_of
from proofgym.errors import BadInput
from proofgym.verifiers.proof import Budget, backend
from proofgym.verifiers.proof.toy.auto import prove


def one_file(problems: list[Problem], prover: str) -> list[Problem]:
    """Many theorems, each in a namespace of its own, so that one process can judge them."""
    return [replace(problem, name=f"{problem.name}_{i}") for i, problem in enumerate(problems)]


def compiled(problems: list[Problem], prover: Any) -> Any:
    """Compile theorems that need no header in one fresh sandboxed process; the raw result."""
    if prover.name == "lean":
        text = prover.toolchain.header
        for p in problems:
            body = "\n".join(p.script).replace("\n", "\n  ")
            text += f"theorem {p.name} {p.statement} := by\n  {body}\n"
        return prover.judge._compile(text, Budget(check_s=120.0))
    text = prover.header
    for p in problems:
        body = "\n".join(p.script)
        text += f"Theorem {p.name} {p.statement}.\nProof.\n{body}\nQed.\n"
    return prover.judge._coqc("All", text, {}, Budget(check_s=120.0))


def drawn(prover: str, count: int, kinds: tuple[str, ...] = generators.KINDS) -> list[Problem]:
    found = [
        generators.generate(np.random.default_rng([4, i]), prover, level, kind, "train")
        for kind in kinds for level in (0.0, 0.5, 1.0) for i in range(count)
    ]  # fmt: skip
    plain = [problem for problem in found if problem is not None]
    return [replace(problem, header="") if problem.header == generators.BARE else problem for problem in plain]


def test_the_library_is_large_and_nothing_in_it_is_said_twice() -> None:
    for prover, least in (("lean", 120), ("coq", 80)):
        found = theorems(prover)
        assert len(found) >= least
        for what in ("name", "key"):
            twice = [x for x, n in Counter(getattr(p, what) for p in found).items() if n > 1]
            assert not twice or what == "key", twice
        assert len({p.key for p in found}) >= 0.97 * len(found)
        assert len(lemmas(prover)) >= 50


@pytest.mark.lean
def test_lean_accepts_the_whole_library(lean: Any) -> None:
    result = compiled(list(theorems("lean")), lean)
    assert result.ok, result.stdout.decode()[-2000:]


@pytest.mark.coq
def test_coq_accepts_the_whole_library(coq: Any) -> None:
    result = compiled(list(theorems("coq")), coq)
    assert result.ok, result.stderr.decode()[-2000:]


@pytest.mark.lean
def test_lean_accepts_every_generated_proof(lean: Any) -> None:
    problems = drawn("lean", 2)
    plain = one_file([p for p in problems if not p.header], "lean")
    result = compiled(plain, lean)
    assert result.ok, result.stdout.decode()[-2000:]
    for problem in [p for p in problems if p.header][:2]:
        assert lean.examine(problem.task(Budget()), "\n".join(problem.script)).accepted


@pytest.mark.coq
def test_coq_accepts_every_generated_proof(coq: Any) -> None:
    problems = drawn("coq", 2)
    result = compiled(one_file([p for p in problems if not p.header], "coq"), coq)
    assert result.ok, result.stderr.decode()[-2000:]
    bare = generators.generate(np.random.default_rng([4, 0]), "coq", 0.5, "horn", "train")
    assert bare is not None
    assert bare.header == generators.BARE
    for problem in [bare, *[p for p in problems if p.header][:1]]:
        assert coq.examine(problem.task(Budget()), "\n".join(problem.script)).accepted


@pytest.mark.slow
@pytest.mark.lean
@pytest.mark.parametrize("problem", theorems("lean"), ids=lambda p: p.name)
def test_each_lean_theorem_passes_its_own_final_check(problem: Problem, lean: Any) -> None:
    report = lean.examine(problem.task(Budget()), "\n".join(problem.script))
    assert report.accepted, report


@pytest.mark.slow
@pytest.mark.coq
@pytest.mark.parametrize("problem", theorems("coq"), ids=lambda p: p.name)
def test_each_coq_theorem_passes_its_own_final_check(problem: Problem, coq: Any) -> None:
    report = coq.examine(problem.task(Budget()), "\n".join(problem.script))
    assert report.accepted, report


@pytest.mark.slow
@pytest.mark.parametrize(
    "prover", [pytest.param("lean", marks=pytest.mark.lean), pytest.param("coq", marks=pytest.mark.coq)]
)
def test_many_generated_proofs_are_accepted(prover: str, request: pytest.FixtureRequest) -> None:
    judge = request.getfixturevalue(prover)
    result = compiled(one_file([p for p in drawn(prover, 12) if not p.header], prover), judge)
    assert result.ok, (result.stdout + result.stderr).decode()[-2000:]


@pytest.mark.parametrize("kind", formulas.KINDS)
def test_every_drawn_formula_has_a_proof_that_the_kernel_accepts(kind: str) -> None:
    proved = 0
    for level in (0.0, 0.5, 1.0):
        for i in range(8):
            _, text = formulas.draw(np.random.default_rng([5, i]), level, [kind])
            found = prove(text)
            proved += found is not None
            if found is not None:
                from proofgym.verifiers.proof import ProofTask

                assert backend("toy").final_check(ProofTask("t", text), "\n".join(found)).correct
                for tongue in (LEAN, COQ):
                    assert len(script(text, found, tongue)) == len(found)
    assert proved >= 22, "the search gives up too often"


def test_what_the_toy_kernel_accepts_lean_accepts_too(lean: Any) -> None:
    problems = []
    for i in range(40):
        _, text = formulas.draw(np.random.default_rng([6, i]), 0.7)
        found = prove(text)
        if found is not None:
            problems.append(Problem("x", f"t{i}", statement(text, LEAN), "", tuple(script(text, found, LEAN)), "k"))
    assert len(problems) > 30
    assert compiled(problems, lean).ok


def test_what_is_no_theorem_lean_refuses_too(lean: Any) -> None:
    """Every propositional formula over p and q that is no tautology, of a small form: `decide` finds the row."""
    header = lean.toolchain.header
    lines = []
    for i, text in enumerate(["p -> q", "p | q", "(p -> q) -> q", "p | q -> p & q", "~p -> p", "(p -> q) -> (q -> p)"]):
        assert prove(text) is None
        said = statement(text, LEAN)
        body = said[said.index(") : ") + 4 :]
        lines.append(f"theorem t{i} : ∃ p : Prop, ∃ q : Prop, ¬({body}) := by\n  first\n")
        rows = itertools.product(("True", "False"), repeat=2)
        lines += [f"  | exact ⟨{p}, {q}, by decide⟩\n" for p, q in rows]
    result = lean.judge._compile(header + "".join(lines), Budget())
    assert result.ok, result.stdout.decode()[-1500:]


def test_names_do_not_change_a_key_and_structure_does() -> None:
    assert formulas.canonical("q & r -> r & q") == formulas.canonical("p & q -> q & p")
    assert formulas.canonical("p & q -> p & q") != formulas.canonical("p & q -> q & p")
    assert key_of("(n m : Nat) : n + m = m + n") == key_of("(a b : Nat) :  a + b\n = b + a -- note")
    assert key_of(": ∀ x y, R x y → R y x") == key_of(": ∀ a b, R a b → R b a")
    assert key_of("(n : nat) : n = n") != key_of("(n : nat) : n = 0")


def test_a_theorem_is_held_out_from_every_environment_or_from_none() -> None:
    """The same law, asked by three provers under other names, has one fingerprint and so one split."""
    import proofgym
    from proofgym.envs.base import VerifiableEnv

    problem = Problem("horn", "goal", "p & q -> q & p", "", (), formulas.canonical("p & q -> q & p"))
    marks = set()
    for env_id in ("ToyProof", "LeanProof", "LeanTactic", "CoqProof", "CoqTactic"):
        env = proofgym.make(env_id).unwrapped
        assert isinstance(env, VerifiableEnv)
        marks.add(env._as_task(problem.to_json()).fingerprint)
        env.close()
    assert len(marks) == 1


def test_a_kind_without_a_theorem_in_the_split_leaves_the_others_alone() -> None:
    from proofgym.envs.prover.source import Source

    assert generators.generate(np.random.default_rng(1), "lean", 0.0, "functions", "test") is None
    source = Source("lean", ("functions", "evaluate"), None)
    assert source.draw(np.random.default_rng(1), 0.0, "test").kind == "evaluate"
    with pytest.raises(BadInput, match="raise the level"):
        Source("lean", ("functions",), None).draw(np.random.default_rng(1), 0.0, "test")


def test_generated_theorems_of_a_split_belong_to_it() -> None:
    from proofgym.envs.prover.toy import logic

    for split in ("train", "validation", "test"):
        for i in range(5):
            drawn_ = logic(np.random.default_rng([1, i]), 0.5, tuple(formulas.KINDS), split)
            assert drawn_ is not None
            *_, key, found = drawn_
            from proofgym.envs.prover.base import FINGERPRINTS
            from proofgym.envs.task import fingerprint

            assert split_of(fingerprint(FINGERPRINTS, key)) == split
            assert len(found) > 2


@pytest.mark.parametrize(
    "bad",
    [{}, {"kind": 1}, None, [], {"kind": "x", "name": "", "statement": "p", "header": "", "script": [], "key": "k"}],
)
def test_what_is_no_theorem_is_refused(bad: Any) -> None:
    with pytest.raises(BadInput):
        Problem.read(bad)


# Readers: small files in the form of the public sets ------------------------------------------------------------------


def test_minif2f_is_read_from_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "MiniF2F" / "Valid"
    folder.mkdir(parents=True)
    (folder / "x.lean").write_text(
        "import Mathlib\nset_option maxHeartbeats 400000\nopen Nat\n\n"
        "theorem mathd_algebra_1 (x : ℕ) (h₀ : x = 2) :\n    x + 1 = 3 := by\n  sorry\n\n"
        "theorem mathd_algebra_2 : 1 + 1 = 2 := by sorry\n", encoding="utf-8",
    )  # fmt: skip
    one, two = readers.minif2f(tmp_path, "Valid")
    assert (one.name, one.statement) == ("mathd_algebra_1", "(x : ℕ) (h₀ : x = 2) :\n    x + 1 = 3")
    assert one.header.startswith("import Mathlib")
    assert two.statement == ": 1 + 1 = 2"
    assert "sorry" not in two.header, "an unproved theorem must not be assumed by the next"
    assert Problem.read(one.to_json()) == one
    with pytest.raises(BadInput, match="no Lean 4 theorems"):
        list(readers.minif2f(tmp_path, "Test"))


def test_putnambench_is_read_and_problems_that_ask_for_an_answer_are_left_out(tmp_path: Path) -> None:
    lean, coq = tmp_path / "lean4", tmp_path / "coq"
    lean.mkdir()
    coq.mkdir()
    (lean / "putnam_1962_a1.lean").write_text(
        "import Mathlib\n\n/-- Text. -/\ntheorem putnam_1962_a1\n(n : ℕ)\n: n = n :=\nsorry\n", encoding="utf-8"
    )
    (lean / "putnam_1962_a2.lean").write_text(
        "import Mathlib\nabbrev putnam_1962_a2_solution : ℕ := sorry\ntheorem putnam_1962_a2 : 1 = 1 :=\nsorry\n",
        encoding="utf-8",
    )
    (coq / "putnam_1962_a1.v").write_text(
        "Require Import Arith.\nTheorem putnam_1962_a1\n  (n : nat)\n  : n = n.\nProof. Admitted.\n", encoding="utf-8"
    )
    (found,) = readers.putnam_lean(lean)
    assert found.statement == "(n : ℕ)\n: n = n"
    (found,) = readers.putnam_coq(coq)
    assert (found.name, found.statement) == ("putnam_1962_a1", "(n : nat)\n  : n = n")
    with pytest.raises(BadInput, match=r"putnam_\*\.v"):
        list(readers.putnam_coq(lean))


def test_proofnet_is_read_and_lean_3_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text(
        '{"name": "Rudin|1_1", "lean4_formalization": "theorem r (x : ℝ) : x = x :=", '
        '"lean4_src_header": "import Mathlib"}\n\n',
        encoding="utf-8",
    )
    (found,) = readers.proofnet(path)
    assert (found.name, found.statement, found.header) == ("Rudin_1_1", "(x : ℝ) : x = x", "import Mathlib")
    path.write_text('{"id": "x", "formal_statement": 3}\n', encoding="utf-8")
    with pytest.raises(BadInput, match="Lean 3"):
        list(readers.proofnet(path))
    path.write_text("[1\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 1"):
        list(readers.proofnet(path))


@pytest.mark.coq
def test_a_coq_problem_of_a_set_is_opened_and_judged(coq: Any, tmp_path: Path) -> None:
    (tmp_path / "putnam_1.v").write_text(
        "Require Import Arith.\nTheorem putnam_1\n  (n : nat)\n  : n = n.\nProof. Admitted.\n", encoding="utf-8"
    )
    (found,) = readers.putnam_coq(tmp_path)
    assert coq.examine(found.task(Budget()), "reflexivity.").accepted
