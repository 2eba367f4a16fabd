"""Cheating and broken proofs: each is refused, by the layer that is named, with the gate and without it."""

from __future__ import annotations

from typing import Any

import pytest

from proofgym.verifiers.proof import LAYERS, ProofTask
from proofgym.verifiers.proof.attacks import ATTACKS, Attack

_LEAN = [attack for attack in ATTACKS if attack.prover == "lean"]
_COQ = [attack for attack in ATTACKS if attack.prover == "coq"]


def _name(attack: Attack) -> str:
    return f"{attack.row}-{attack.proof[:30]!r}".encode("ascii", "backslashreplace").decode()


def _refused(backend: Any, attack: Attack, *, gated: bool) -> None:
    task = backend.complete(ProofTask("goal", attack.statement, "", attack.budget))
    report = backend.judge.examine(task, attack.proof, gated=gated)
    assert not report.accepted
    assert report.verdict.score == 0.0
    assert report.layer == (attack.layer if gated else attack.beneath), report.verdict.reason
    assert report.verdict.reason.startswith(f"{report.layer}: ")


def test_there_are_enough_of_them_and_each_has_two_layers() -> None:
    assert len(ATTACKS) >= 200
    assert len(set(ATTACKS)) == len(ATTACKS)
    assert {attack.layer for attack in ATTACKS} | {attack.beneath for attack in ATTACKS} <= set(LAYERS)
    assert all(attack.beneath != "gate" for attack in ATTACKS)


@pytest.mark.lean
@pytest.mark.parametrize("attack", _LEAN, ids=_name)
def test_lean_refuses_it(attack: Attack, lean: Any) -> None:
    _refused(lean, attack, gated=True)


@pytest.mark.lean
@pytest.mark.parametrize("attack", [a for a in _LEAN if a.layer == "gate"][::2], ids=_name)
def test_lean_refuses_it_without_the_gate(attack: Attack, lean: Any) -> None:
    _refused(lean, attack, gated=False)


@pytest.mark.slow
@pytest.mark.lean
@pytest.mark.parametrize("attack", [a for a in _LEAN if a.layer == "gate"][1::2], ids=_name)
def test_lean_refuses_the_others_without_the_gate(attack: Attack, lean: Any) -> None:
    _refused(lean, attack, gated=False)


@pytest.mark.coq
@pytest.mark.parametrize(
    "attack", [a for a in _COQ if a.layer == "gate"] + [a for a in _COQ if a.layer != "gate"][::4], ids=_name
)
def test_coq_refuses_it(attack: Attack, coq: Any) -> None:
    _refused(coq, attack, gated=True)


@pytest.mark.coq
@pytest.mark.parametrize("attack", [a for a in _COQ if a.layer == "gate" and a.beneath != "compile"], ids=_name)
def test_coq_refuses_it_without_the_gate(attack: Attack, coq: Any) -> None:
    _refused(coq, attack, gated=False)


@pytest.mark.slow
@pytest.mark.coq
@pytest.mark.parametrize("attack", [a for a in _COQ if a.layer != "gate"], ids=_name)
def test_coq_refuses_all_mistakes(attack: Attack, coq: Any) -> None:
    _refused(coq, attack, gated=True)


@pytest.mark.slow
@pytest.mark.coq
@pytest.mark.parametrize("attack", [a for a in _COQ if a.layer == "gate" and a.beneath == "compile"], ids=_name)
def test_coq_refuses_the_others_without_the_gate(attack: Attack, coq: Any) -> None:
    _refused(coq, attack, gated=False)
