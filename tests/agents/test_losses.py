"""Losses: hand-worked two by two, values and gradients, and what no micro-batch may change."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

torch: Any = pytest.importorskip("torch")
from proofgym.agents import losses  # noqa: E402 - only where torch is

pytestmark = pytest.mark.train


def tensor(rows: Any, grad: bool = False) -> Any:
    return torch.tensor(rows, dtype=torch.float64, requires_grad=grad)


def backward(loss: Any) -> None:
    loss.backward()


LOG = math.log


def test_the_clipped_loss_by_hand() -> None:
    # Ratios 1.5 and 0.5 in both rows; advantages +2 above, -2 below; bounds 0.8 and 1.28.
    logprobs = tensor([[LOG(0.3), LOG(0.1)], [LOG(0.3), LOG(0.1)]], grad=True)
    old = tensor([[LOG(0.2), LOG(0.2)], [LOG(0.2), LOG(0.2)]])
    advantages = tensor([[2.0, 2.0], [-2.0, -2.0]])
    loss, clipped = losses.clipped_policy_loss(logprobs, old, advantages)
    #   +2, 1.5 -> -min(3.0, 2.56) = -2.56, clipped       +2, 0.5 -> -min(1.0, 1.6) = -1.0
    #   -2, 1.5 -> -min(-3.0, -2.56) = 3.0                -2, 0.5 -> -min(-1.0, -1.6) = 1.6, clipped
    assert loss.tolist() == [pytest.approx([-2.56, -1.0]), pytest.approx([3.0, 1.6])]
    assert clipped.tolist() == [[True, False], [False, True]]
    backward(loss.sum())
    # d/d logprob of -ratio * A is -ratio * A where it is not clipped, 0 where it is.
    assert logprobs.grad.tolist() == [pytest.approx([0.0, -1.0]), pytest.approx([3.0, 0.0])]


def test_the_upper_bound_is_its_own() -> None:
    ratio = 1.25  # inside 1.28, outside 1.2
    one = tensor([LOG(ratio)], grad=True)
    loss, clipped = losses.clipped_policy_loss(one, tensor([0.0]), tensor([1.0]))
    assert [loss.item(), clipped.item()] == pytest.approx([-1.25, False])
    loss, clipped = losses.clipped_policy_loss(one, tensor([0.0]), tensor([1.0]), clip_high=0.2)
    assert [loss.item(), clipped.item()] == pytest.approx([-1.2, True])
    loss, clipped = losses.clipped_policy_loss(tensor([LOG(0.75)]), tensor([0.0]), tensor([-1.0]))
    assert [loss.item(), clipped.item()] == pytest.approx([0.8, True])


@pytest.mark.parametrize("name", ["clip", "kl"])
def test_gradients_agree_with_finite_differences(name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    old, advantages = (torch.randn(40, generator=generator, dtype=torch.float64) for _ in range(2))
    start = old + 0.4 * torch.randn(40, generator=generator, dtype=torch.float64)
    functions: dict[str, Callable[[Any], Any]] = {
        "clip": lambda x: losses.clipped_policy_loss(x, old, advantages)[0],
        "kl": lambda x: losses.kl_k3(x, old),
    }
    function = functions[name]
    x = start.clone().requires_grad_(True)
    backward(function(x).sum())
    step = 1e-6
    slope = (function(start + step) - function(start - step)) / (2 * step)
    assert torch.allclose(x.grad, slope, atol=1e-7)


def test_old_logprobs_and_advantages_get_no_gradient() -> None:
    x, old, advantages = (tensor([0.1, -0.2], grad=True) for _ in range(3))
    backward(losses.clipped_policy_loss(x, old, advantages)[0].sum())
    backward(losses.kl_k3(x, old).sum())
    assert x.grad is not None
    assert old.grad is None
    assert advantages.grad is None


def test_an_on_policy_step_is_plain_policy_gradient() -> None:
    x = tensor([-1.0, -2.0, -3.0], grad=True)
    advantages = tensor([0.5, -1.5, 0.0])
    loss, clipped = losses.clipped_policy_loss(x, x.detach(), advantages)
    backward(loss.sum())
    assert not clipped.any()
    assert x.grad.tolist() == [-0.5, 1.5, 0.0]


def test_k3_by_hand() -> None:
    x = tensor([LOG(0.5), LOG(0.25)], grad=True)
    found = losses.kl_k3(x, tensor([LOG(0.25), LOG(0.5)]))
    # d = log(1/2), log(2): e^d - d - 1 = 0.5 + 0.6931 - 1, 2 - 0.6931 - 1; its slope by logprob is 1 - e^d
    assert found.tolist() == pytest.approx([LOG(2) - 0.5, 1 - LOG(2)])
    backward(found.sum())
    assert x.grad.tolist() == pytest.approx([0.5, -1.0])


def test_k3_is_never_negative_and_zero_where_the_two_agree() -> None:
    x = torch.linspace(-20, 0, 101, dtype=torch.float64)
    table = losses.kl_k3(x[:, None], x[None, :])
    assert (table >= 0).all()
    assert not table.diagonal().any()


def test_k3_is_unbiased() -> None:
    p, q = tensor([0.5, 0.3, 0.2]), tensor([0.2, 0.3, 0.5])
    expected = (p * losses.kl_k3(p.log(), q.log())).sum()
    assert expected.item() == pytest.approx((p * (p / q).log()).sum().item())


def test_the_token_mean_does_not_depend_on_micro_batches() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(6, 5, generator=generator, dtype=torch.float64)
    mask = torch.rand(6, 5, generator=generator) < 0.6
    whole = losses.token_mean(values, mask, mask.sum())
    for cut in ([6], [1, 5], [2, 2, 2], [1] * 6):
        parts = zip(values.split(cut), mask.split(cut), strict=True)
        summed = sum(losses.token_mean(v, m, mask.sum()) for v, m in parts)
        assert torch.allclose(summed, whole, atol=1e-15)
    assert whole.item() == pytest.approx(values[mask].mean().item())


def test_masked_tokens_have_no_gradient_even_if_they_are_not_finite() -> None:
    values = tensor([1.0, math.inf, math.nan], grad=True)
    backward(losses.token_mean(values, torch.tensor([True, False, False]), 1.0))
    assert values.grad.tolist() == [1.0, 0.0, 0.0]
