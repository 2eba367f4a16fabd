"""Shared beginnings go through the model once, and nothing but the time it takes is different."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")
from proofgym.agents.engines.lean import Lean, lean  # noqa: E402 - only where torch is
from proofgym.agents.forward import Scorer  # noqa: E402
from proofgym.agents.policy import tiny  # noqa: E402
from proofgym.agents.shared import _attend, _attend_short, fold  # noqa: E402

pytestmark = pytest.mark.train


def batch(kind: str) -> tuple[Any, Any]:
    """Groups with equal prompts; trees, whose leaves share turns, and bushes, most of it; ragged rows with gaps."""
    rng = np.random.default_rng(0)
    rows, keeps = [], []
    for g in range(3):
        prompt = [1, *rng.integers(5, 15, size=6 + g).tolist(), 2]
        trunk = rng.integers(5, 15, size=9).tolist()
        for n in range(20 if kind == "bushes" else 5):
            shared = {"groups": 0, "bushes": 9}.get(kind, [0, 4, 4, 7, 9][n % 5])
            # The padding's token can be sampled like any other.
            own = [
                *rng.integers(5, 15, size=int(rng.integers(2, 3 if kind == "bushes" else 8))).tolist(),
                *([0] if n % 2 else []),
                5,
            ]
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


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kind", ["groups", "trees", "bushes", "turns"])
def test_values_and_gradients_are_those_of_separate_rows(kind: str, groups: int, monkeypatch: Any) -> None:
    """By the layers of `lean`, by the model's own, and apart; with fewer heads of keys than of queries, too."""
    policy = tiny("0123456789", width=24, layers=2, heads=2, context=64, seed=3)
    if groups == 1:
        transformers: Any = pytest.importorskip("transformers")
        policy.model.config.num_key_value_heads = 1
        torch.manual_seed(0)
        policy.model = transformers.LlamaForCausalLM(policy.model.config).eval()
    ids, keep = batch(kind)
    weight = torch.linspace(-1.0, 1.0, int(keep.sum()))
    found = []
    for way in ("lean", "model", "separate"):
        if way == "model":
            monkeypatch.setattr("proofgym.agents.forward.lean", lambda _: None)
        elif way == "separate":
            monkeypatch.setattr("proofgym.agents.forward.fold", lambda *_: None)
        policy.model.zero_grad(set_to_none=True)
        scores = Scorer(policy.model)(ids, keep, temperature=0.8)
        (scores.logprobs * weight).sum().backward()
        grads = torch.cat([p.grad.flatten() for p in policy.model.parameters()])
        found.append((scores.logprobs.detach(), scores.entropy, grads))
    for ways in (found[::2], found[1:]):
        for a, b in zip(*ways, strict=True):
            assert torch.allclose(a, b, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["groups", "trees", "bushes", "turns"])
def test_attention_goes_row_by_row_where_that_is_less(kind: str, monkeypatch: Any) -> None:
    seen = []

    def step(tokens: Any, positions: Any, attend: Any, wanted: Any) -> Any:
        del positions
        q = torch.ones(*tokens.shape, 2, 4)
        for way in ("_attend", "_attend_short"):
            monkeypatch.setattr(f"proofgym.agents.shared.{way}", lambda q, k, *_, **__: seen.append(k.shape) or q)
        return attend(q, q, q, 0).reshape(tokens.numel(), -1)[wanted]

    ids, keep = batch(kind)
    folded = fold(ids, keep)
    assert folded is not None
    folded.through(step, keep)
    assert len(seen) == (1 if kind == "bushes" else 2)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_attention_by_plain_products_is_the_fused_kernels(groups: int) -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (
        torch.randn(shape, generator=generator).requires_grad_()
        for shape in ((3, 5, 4, 8), (3, 9, groups, 8), (3, 9, groups, 8))
    )
    seen = torch.arange(9)[4:, None] >= torch.arange(9)
    bias = torch.zeros(seen.shape).masked_fill_(~seen, -torch.inf)
    weight = torch.randn((3, 5, 4, 8), generator=generator)
    found = [
        (out, *torch.autograd.grad((out * weight).sum(), (q, k, v)))
        for out in (_attend(q, k, v, seen), _attend_short(q, k, v, bias))
    ]
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, atol=1e-5)


def test_the_first_layers_projections_come_from_a_table_only_where_that_is_less(monkeypatch: Any) -> None:
    """With more kinds of tokens than places it is the tokens that are projected; both ways are equal."""
    made = []
    of_tokens = Lean._of_tokens
    monkeypatch.setattr(Lean, "_of_tokens", lambda self: made.append(1) or of_tokens(self))
    step = lean(tiny("0123456789", width=24, layers=2, heads=2, context=64, seed=3).model)
    assert step is not None
    tokens = torch.arange(40).remainder(15).view(4, 10)
    positions = torch.arange(10).expand(4, 10)

    def attend(q: Any, k: Any, v: Any, _: int) -> Any:
        return _attend(q, k, v, causal=True)

    whole = step(tokens, positions, attend)
    assert len(made) == 1
    parts = [step(tokens[b : b + 1], positions[b : b + 1], attend) for b in range(4)]
    assert len(made) == 1
    assert torch.allclose(whole, torch.cat(parts), atol=1e-5)


def test_every_shared_token_is_there_once() -> None:
    for kind in ("groups", "trees", "bushes", "turns"):
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
