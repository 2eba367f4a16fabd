"""Shared beginnings go through the model once, and nothing but the time it takes is different."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")
from proofgym.agents.forward import Scorer  # noqa: E402 - only where torch is
from proofgym.agents.policy import Policy, tiny  # noqa: E402
from proofgym.agents.shared import fold  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def policy() -> Policy:
    return tiny("0123456789", width=24, layers=2, heads=2, context=64, seed=3)


def batch(kind: str) -> tuple[Any, Any]:
    """Groups with equal prompts; trees, whose leaves share turns; and ragged rows with gaps of observations."""
    rng = np.random.default_rng(0)
    rows, keeps = [], []
    for g in range(3):
        prompt = [1, *rng.integers(5, 15, size=6 + g).tolist(), 2]
        trunk = rng.integers(5, 15, size=9).tolist()
        for n in range(5):
            shared = 0 if kind == "groups" else [0, 4, 4, 7, 9][n]
            own = rng.integers(5, 15, size=int(rng.integers(2, 8))).tolist()
            ids = [*prompt, *trunk[:shared], *own]
            keep = [False] * len(prompt) + [True] * (shared + len(own))
            if kind == "turns" and shared > 3:
                keep[len(prompt) + 2] = False  # a token that nobody sampled, in the middle of what is shared
            rows.append(ids)
            keeps.append(keep)
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    keep = torch.tensor([row + [False] * (longest - len(row)) for row in keeps])
    return ids, keep


@pytest.mark.parametrize("kind", ["groups", "trees", "turns"])
def test_values_and_gradients_are_those_of_separate_rows(policy: Policy, kind: str, monkeypatch: Any) -> None:
    ids, keep = batch(kind)
    weight = torch.linspace(-1.0, 1.0, int(keep.sum()))
    found = []
    for sharing in (True, False):
        if not sharing:
            monkeypatch.setattr("proofgym.agents.forward.fold", lambda *_: None)
        policy.model.zero_grad(set_to_none=True)
        scores = Scorer(policy.model)(ids, keep, temperature=0.8)
        (scores.logprobs * weight).sum().backward()
        grads = torch.cat([p.grad.flatten() for p in policy.model.parameters()])
        found.append((scores.logprobs.detach(), scores.entropy, grads))
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, atol=2e-5, rtol=1e-4)


def test_every_shared_token_is_there_once() -> None:
    for kind in ("groups", "trees", "turns"):
        ids, keep = batch(kind)
        folded = fold(ids, keep)
        assert folded is not None
        by_place: dict[tuple[int, int], tuple[int, ...]] = {}
        for b, row in enumerate(ids.tolist()):
            last = int(keep[b].nonzero().max())
            for n in range(last):  # the last one is predicted and predicts nothing
                at = int(folded.cluster_B[b]), int(folded.place_BL[b, n])
                assert by_place.setdefault(at, tuple(row[: n + 1])) == tuple(row[: n + 1])
                assert int(folded.ids_CU[at]) == row[n]
                assert int(folded.positions_CU[at]) == n
                assert int(folded.seen_CUU[at].sum()) == n + 1
        firsts = {tuple(row[: int(np.argmax(kept))]) for row, kept in zip(ids.tolist(), keep.tolist(), strict=True)}
        assert len(folded.ids_CU) == len(firsts)
        assert len(by_place) == len({(cluster, way) for (cluster, _), way in by_place.items()})


def test_what_shares_too_little_is_left_alone() -> None:
    rng = np.random.default_rng(1)
    ids = torch.from_numpy(rng.integers(5, 15, size=(6, 12)))
    keep = torch.zeros((6, 12), dtype=torch.bool)
    keep[:, 4:] = True
    assert fold(ids, keep) is None
    assert fold(ids[:1], keep[:1]) is None
