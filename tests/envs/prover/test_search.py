"""Best-first search, the enumerating policies, and the tree as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

from proofgym.envs.prover import formulas
from proofgym.envs.prover.library import theorems
from proofgym.envs.prover.policies import enumerate_coq, enumerate_lean, enumerate_toy
from proofgym.envs.prover.search import search
from proofgym.envs.prover.tree import picture
from proofgym.verifiers.proof import Budget, Goal, ProofTask, Report, backend
from proofgym.verifiers.proof.toy import ToyBackend


def test_the_search_proves_what_the_final_check_accepts_and_draws_its_tree() -> None:
    task = ProofTask("t", "(p | q) & r -> (p & r) | (q & r)")
    found = search(backend("toy"), task, enumerate_toy, keep_failures=True)
    assert found.why == "proved"
    assert found.proof is not None
    assert backend("toy").final_check(task, "\n".join(found.proof)).correct
    root = ET.fromstring(picture(found, title="a <tree> & more", most=1000))
    assert sum(1 for _ in root.iter("{http://www.w3.org/2000/svg}rect")) == len(found.nodes)
    assert found.to_json()["why"] == "proved"
    part = ET.fromstring(picture(found, most=10))
    assert 10 <= sum(1 for _ in part.iter("{http://www.w3.org/2000/svg}rect")) < 40, "the proof is always drawn"


def test_a_log_probability_orders_the_queue() -> None:
    def policy(goal: Goal) -> Any:
        yield ("have x1 : q", -9.0)
        yield ("have x2 : p -> p", -5.0)
        yield ("intro h", -0.1)
        yield ("exact h", -0.1)

    found = search(backend("toy"), ProofTask("t", "p -> p"), policy)
    assert found.proof == ("intro h", "exact h")
    assert found.expansions == 2


def test_a_search_ends_by_itself_by_expansions_or_by_time() -> None:
    task = ProofTask("t", "p | ~p")
    assert search(backend("toy"), task, enumerate_toy).proof is None
    many = ProofTask("t", "(p -> q) -> (q -> p) -> p | q")
    assert search(backend("toy"), many, enumerate_toy, most_expansions=2).why in ("expansions", "exhausted")
    assert search(backend("toy"), many, enumerate_toy, most_seconds=0.0).why == "time"


def test_a_path_that_the_final_check_refuses_does_not_end_the_search() -> None:
    class Refuses(ToyBackend):
        def examine(self, task: Any, proof: str) -> Report:
            return Report.rejected("axioms", "it rests on cheat")

    found = search(Refuses(), ProofTask("t", "p -> p"), enumerate_toy)
    assert found.proof is None
    assert found.why == "exhausted"
    assert found.reports
    assert "axioms" in picture(found)


def test_states_with_the_same_goals_are_one() -> None:
    found = search(backend("toy"), ProofTask("t", "p -> q -> r"), lambda goal: ["intro a", "intro a", "intro b"])
    keys = [node.state.key for node in found.nodes if node.state is not None]
    assert len(keys) == len(set(keys))


def test_enumeration_proves_the_easy_part_and_not_everything() -> None:
    proved = 0
    for i in range(40):
        _, text = formulas.draw(np.random.default_rng([9, i]), 0.0)
        proved += search(backend("toy"), ProofTask("t", text), enumerate_toy, most_expansions=40).proof is not None
    assert 8 <= proved <= 38


@pytest.mark.lean
def test_enumeration_proves_some_of_the_lean_library(lean: Any) -> None:
    chosen = [
        p for p in theorems("lean") if p.name in ("and_swap", "mul_comm_thm", "rev_rev_thm", "power_value", "peirce")
    ]
    results = {
        p.name: search(lean, p.task(Budget()), enumerate_lean, most_expansions=6).proof is not None for p in chosen
    }
    assert results["and_swap"]
    assert results["power_value"]
    assert not results["rev_rev_thm"]


@pytest.mark.coq
def test_enumeration_proves_some_of_the_coq_library(coq: Any) -> None:
    chosen = [p for p in theorems("coq") if p.name in ("and_swap", "mul_zero_thm", "cantor")]
    results = {
        p.name: search(coq, p.task(Budget()), enumerate_coq, most_expansions=6).proof is not None for p in chosen
    }
    assert results == {"and_swap": True, "mul_zero_thm": True, "cantor": False}
