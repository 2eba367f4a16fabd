"""Every loss equals a slow reference in plain Python and float64, written from its paper, on ragged masked batches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

torch: Any = pytest.importorskip("torch")
from proofgym.agents import losses  # noqa: E402 - only where torch is

pytestmark = pytest.mark.train

Rows = list[list[int]]  # the places of each sequence's tokens in the flat arrays
EXP, LOG = math.exp, math.log


class Case:
    """A random ragged batch: B padded rows with masks that have gaps, and the same flat."""

    def __init__(self, seed: int, spread: float) -> None:
        rng = np.random.default_rng(seed)
        self.B, self.T = int(rng.integers(1, 6)), int(rng.integers(1, 9))
        mask = rng.random((self.B, self.T)) < 0.7
        mask[0, 0] = True
        self.mask = mask
        shape = (self.B, self.T)
        self.old_BT = -rng.exponential(1.5, shape)
        self.new_BT = np.minimum(self.old_BT + rng.normal(0, spread, shape), -1e-3)
        self.sampled_BT = np.minimum(self.old_BT + rng.normal(0, spread, shape), -1e-3)
        self.reference_BT = -rng.exponential(1.5, shape)
        per_row = rng.normal(0, 1.5, (self.B, 1)) * np.ones(shape)
        self.advantage_BT = np.where(rng.random((self.B, 1)) < 0.5, per_row, rng.normal(0, 1.5, shape))
        self.places = np.argwhere(mask)
        numbers = {int(b): i for i, b in enumerate(dict.fromkeys(self.places[:, 0].tolist()))}
        self.row = [numbers[int(b)] for b in self.places[:, 0]]
        self.rows: Rows = [[n for n, r in enumerate(self.row) if r == i] for i in range(len(numbers))]
        for name in ("old", "new", "sampled", "reference", "advantage"):
            setattr(self, name, getattr(self, f"{name}_BT")[mask].tolist())

    def __getattr__(self, name: str) -> Any:  # the flat lists, set above
        raise AttributeError(name)

    def tensor(self, name: str, grad: bool = False) -> Any:
        return torch.tensor(getattr(self, name), dtype=torch.float64, requires_grad=grad)

    @property
    def row_N(self) -> Any:  # noqa: N802 - an axis
        return torch.tensor(self.row)


cases = st.builds(Case, st.integers(0, 10**6), st.sampled_from([0.05, 0.4, 1.5]))
few = settings(max_examples=40, deadline=None)


def close(found: Any, expected: Sequence[float]) -> bool:
    return bool(np.allclose(found.detach().numpy(), np.array(expected), rtol=1e-9, atol=1e-12))


def slope(f: Callable[[list[float]], float], at: list[float]) -> list[float]:
    """Central differences."""
    h, found = 1e-6, []
    for n in range(len(at)):
        up, down = list(at), list(at)
        up[n], down[n] = at[n] + h, at[n] - h
        found.append((f(up) - f(down)) / (2 * h))
    return found


# Policy losses: written from the papers, a token at a time ------------------------------------------------------------


def ppo(lp: float, lo: float, a: float, low: float, high: float, dual: float | None) -> float:
    r = EXP(lp - lo)
    objective = min(r * a, min(max(r, 1 - low), 1 + high) * a)
    if dual is not None and a < 0:
        objective = max(objective, dual * a)
    return -objective


@given(cases, st.sampled_from([(0.2, 0.2, None), (0.2, 0.28, None), (0.2, 0.2, 3.0), (0.1, 0.5, 1.3)]))
@few
def test_ppo(case: Any, bounds: tuple[float, float, float | None]) -> None:
    low, high, dual = bounds
    new = case.tensor("new", grad=True)
    loss, clipped = losses.clipped_policy_loss(
        new, case.tensor("old"), case.tensor("advantage"), clip_low=low, clip_high=high, dual=dual
    )
    triples = list(zip(case.new, case.old, case.advantage, strict=True))
    assert close(loss, [ppo(*triple, *bounds) for triple in triples])
    loss.sum().backward()
    for n, (lp, lo, a) in enumerate(triples):
        r = EXP(lp - lo)
        outside = (a > 0 and r > 1 + high) or (a < 0 and r < 1 - low) or (dual is not None and a < 0 and r > dual)
        assert bool(clipped[n]) == outside
        assert new.grad[n].item() == pytest.approx(0.0 if outside else -r * a, rel=1e-9)


@given(cases)
@few
def test_gspo(case: Any) -> None:
    low, high = 0.05, 0.08
    new = case.tensor("new", grad=True)
    loss, _ = losses.gspo(new, case.tensor("old"), case.tensor("advantage"), case.row_N, clip_low=low, clip_high=high)
    expected, gradient = [0.0] * len(case.new), [0.0] * len(case.new)
    for row in case.rows:
        s = EXP(sum(case.new[n] - case.old[n] for n in row) / len(row))
        for n in row:
            a = case.advantage[n]
            expected[n] = -min(s * a, min(max(s, 1 - low), 1 + high) * a)
            gradient[n] = 0.0 if (a > 0 and s > 1 + high) or (a < 0 and s < 1 - low) else -s * a
    assert close(loss, expected)
    loss.sum().backward()
    assert close(new.grad, gradient)


@given(cases)
@few
def test_gspo_is_its_sequence_form_where_a_sequence_has_one_advantage(case: Any) -> None:
    """The gradient of the mean over sequences of min(s A, clip(s) A), taken numerically."""
    taught = [case.advantage[case.rows[r][0]] for r in case.row]

    def sequence_form(lp: list[float]) -> float:
        total = 0.0
        for row in case.rows:
            s, a = EXP(sum(lp[n] - case.old[n] for n in row) / len(row)), taught[row[0]]
            total -= min(s * a, min(max(s, 0.95), 1.08) * a)
        return total / len(case.rows)

    new = case.tensor("new", grad=True)
    loss, _ = losses.gspo(
        new, case.tensor("old"), torch.tensor(taught, dtype=torch.float64), case.row_N, clip_low=0.05, clip_high=0.08
    )
    counts = np.array([len(row) for row in case.rows])
    weight = torch.tensor(losses.row_weights(counts, "sequence_mean"))[case.row_N]
    whole = (weight * loss).sum()
    assert whole.item() == pytest.approx(sequence_form(case.new), rel=1e-9, abs=1e-12)
    whole.backward()
    assert np.allclose(new.grad.numpy(), slope(sequence_form, case.new), rtol=1e-4, atol=1e-7)


@given(cases)
@few
def test_cispo(case: Any) -> None:
    new = case.tensor("new", grad=True)
    loss, _ = losses.cispo(new, case.tensor("old"), case.tensor("advantage"), ratio_low=0.5, ratio_high=1.5)
    weight = [min(max(EXP(lp - lo), 0.5), 1.5) for lp, lo in zip(case.new, case.old, strict=True)]
    assert close(loss, [-w * a * lp for w, a, lp in zip(weight, case.advantage, case.new, strict=True)])
    loss.sum().backward()
    assert close(new.grad, [-w * a for w, a in zip(weight, case.advantage, strict=True)])


@given(cases)
@few
def test_gmpo(case: Any) -> None:
    taught = [case.advantage[case.rows[r][0]] for r in case.row]

    def paper(lp: list[float]) -> float:
        total = 0.0
        for row in case.rows:
            a, logs = taught[row[0]], 0.0
            for n in row:
                sign = 1.0 if a > 0 else -1.0
                d = sign * (lp[n] - case.old[n])
                logs += sign * min(d, min(max(d, -0.4), 0.4))
            total -= a * EXP(logs / len(row))
        return total / len(case.rows)

    new = case.tensor("new", grad=True)
    loss, _ = losses.gmpo(new, case.tensor("old"), torch.tensor(taught, dtype=torch.float64), case.row_N)
    weight = losses.row_weights(np.array([len(row) for row in case.rows]), "sequence_mean")
    whole = (torch.tensor(weight)[case.row_N] * loss).sum()
    assert whole.item() == pytest.approx(paper(case.new), rel=1e-9, abs=1e-12)
    whole.backward()
    assert np.allclose(new.grad.numpy(), slope(paper, case.new), rtol=1e-4, atol=1e-7)


@given(cases)
@few
def test_sapo(case: Any) -> None:
    def one(lp: float, lo: float, a: float) -> float:
        tau = 1.0 if a > 0 else 1.05
        return -a * (4 / tau) / (1 + EXP(-tau * (EXP(lp - lo) - 1)))

    loss = losses.sapo(case.tensor("new"), case.tensor("old"), case.tensor("advantage"))
    assert close(loss, [one(*x) for x in zip(case.new, case.old, case.advantage, strict=True)])


@given(cases)
@few
def test_dppo(case: Any) -> None:
    new = case.tensor("new", grad=True)
    loss, _ = losses.dppo(new, case.tensor("old"), case.tensor("advantage"), delta=0.1, cap=1.5)
    gradient = []
    for lp, lo, a in zip(case.new, case.old, case.advantage, strict=True):
        moved = EXP(lp) - EXP(lo)
        keep = not ((a > 0 and moved > 0.1) or (a < 0 and moved < -0.1))
        gradient.append(-a * min(EXP(lp - lo), 1.5) * keep)
    assert close(loss, [g * lp for g, lp in zip(gradient, case.new, strict=True)])
    loss.sum().backward()
    assert close(new.grad, gradient)


@given(cases)
@few
def test_topr(case: Any) -> None:
    new = case.tensor("new", grad=True)
    loss = losses.topr(new, case.tensor("old"), case.tensor("advantage"), case.row_N)
    gradient = [0.0] * len(case.new)
    for row in case.rows:
        product = 1.0
        for n in row:
            product *= EXP(case.new[n] - case.old[n])
        for n in row:
            a = case.advantage[n]
            gradient[n] = -a * (min(product, 1.0) if a < 0 else 1.0)
    assert close(loss, [g * lp for g, lp in zip(gradient, case.new, strict=True)])
    loss.sum().backward()
    assert close(new.grad, gradient)


@given(cases)
@few
def test_reinforce_and_luffy(case: Any) -> None:
    new, old, a = case.tensor("new"), case.tensor("old"), case.tensor("advantage")
    assert close(losses.reinforce(new, a), [-x * lp for x, lp in zip(case.advantage, case.new, strict=True)])
    weighted = [-x * EXP(lp - lo) for x, lp, lo in zip(case.advantage, case.new, case.old, strict=True)]
    assert close(losses.reinforce(new, a, old), weighted)
    shaped = [-x * EXP(lp) / (EXP(lp) + 0.1) for x, lp in zip(case.advantage, case.new, strict=True)]
    assert close(losses.luffy(new, a, gamma=0.1), shaped)


# Aggregation ----------------------------------------------------------------------------------------------------------


@given(cases, st.booleans())
@few
def test_aggregation_by_padded_loops(case: Any, count_empty: bool) -> None:
    values = np.random.default_rng(case.B).normal(size=(case.B, case.T))
    prompt = np.arange(case.B) // 2
    tokens = case.mask.sum(1)
    by_row = [[float(values[b, t]) for t in range(case.T) if case.mask[b, t]] for b in range(case.B)]
    there = [row for row in by_row if row]
    rows = case.B if count_empty else len(there)
    prompts: dict[int, list[float]] = {}
    for b, row in enumerate(by_row):
        prompts.setdefault(int(prompt[b]), []).extend(row)
    full = [p for p in prompts.values() if p]
    expected = {
        "token_mean": sum(map(sum, there)) / sum(map(len, there)),
        "sequence_mean": sum(sum(row) / len(row) for row in there) / rows,
        "sequence_sum": sum(map(sum, there)) / rows,
        "constant": sum(map(sum, there)) / (rows * 7),
        "prompt_mean": sum(sum(p) / len(p) for p in full) / (len(prompts) if count_empty else len(full)),
    }
    for mode, number in expected.items():
        weights = losses.row_weights(tokens, mode, length=7, prompt_R=prompt, count_empty=count_empty)  # type: ignore[arg-type]
        found = float((weights[:, None] * np.where(case.mask, values, 0.0)).sum())
        assert found == pytest.approx(number, rel=1e-9, abs=1e-12), mode


@given(cases, st.integers(0, 10**6), st.sampled_from(["token_mean", "sequence_mean", "constant"]))
@few
def test_aggregation_does_not_depend_on_how_rows_are_split(case: Any, seed: int, mode: Any) -> None:
    """Micro-batches: the weights are made once, so any partition of the rows adds up to the same."""
    rng = np.random.default_rng(seed)
    values, tokens = rng.normal(size=len(case.row)), np.array([len(row) for row in case.rows])
    weights = losses.row_weights(tokens, mode, length=7)
    whole = sum(weights[r] * v for r, v in zip(case.row, values, strict=True))
    part = rng.integers(3, size=len(case.rows))
    split = sum(sum(weights[r] * v for r, v in zip(case.row, values, strict=True) if part[r] == p) for p in range(3))
    assert split == pytest.approx(whole, abs=1e-12)


def test_what_cannot_be_aggregated_is_said() -> None:
    with pytest.raises(ValueError, match="needs its length"):
        losses.row_weights(np.array([1]), "constant")
    with pytest.raises(ValueError, match="needs the prompt"):
        losses.row_weights(np.array([1]), "prompt_mean")
    assert losses.row_weights(np.array([0, 0])).tolist() == [0.0, 0.0]


# KL -------------------------------------------------------------------------------------------------------------------


@given(cases)
@few
def test_kl_estimators(case: Any) -> None:
    new, far, old = case.tensor("new"), case.tensor("reference"), case.tensor("old")
    gaps = [a - b for a, b in zip(case.new, case.reference, strict=True)]
    k3 = [EXP(-d) + d - 1 for d in gaps]
    assert close(losses.kl(new, far, "k1"), gaps)
    assert close(losses.kl(new, far, "k2"), [d * d / 2 for d in gaps])
    assert close(losses.kl(new, far, "k3"), k3)
    ratio = [EXP(a - b) for a, b in zip(case.new, case.old, strict=True)]
    assert close(losses.kl(new, far, "k3_ratio", old=old), [r * k for r, k in zip(ratio, k3, strict=True)])


@given(cases)
@few
def test_straight_through_forms_have_the_value_of_one_and_the_gradient_of_another(case: Any) -> None:
    for name, value in (("k1+", "k1"), ("k3+", "k3")):
        new = case.tensor("new", grad=True)
        found = losses.kl(new, case.tensor("reference"), name)  # type: ignore[arg-type]
        assert close(found, losses.kl(new, case.tensor("reference"), value).tolist())  # type: ignore[arg-type]
        found.sum().backward()
        assert close(new.grad, [a - b for a, b in zip(case.new, case.reference, strict=True)])


def expected_gradients(name: str) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """By enumeration over a vocabulary of three: the mean gradient of an estimator by the logits, and the true one."""
    logits = torch.tensor([0.3, -0.5, 0.9], dtype=torch.float64, requires_grad=True)
    other = torch.tensor([-0.2, 0.4, 0.1], dtype=torch.float64).log_softmax(-1)
    lp = logits.log_softmax(-1)
    p = lp.exp().detach()
    truth = (lp.exp() * (lp - other)).sum()
    (true_gradient,) = torch.autograd.grad(truth, logits, retain_graph=True)
    estimate = (p * losses.kl(lp, other, name, old=lp.detach())).sum()  # type: ignore[arg-type]
    (gradient,) = torch.autograd.grad(estimate, logits)
    return gradient.numpy(), true_gradient.numpy(), estimate.item(), truth.item()


@pytest.mark.parametrize("name", ["k2", "k1+", "k3+", "k3_ratio"])
def test_gradient_correct_forms_follow_the_gradient_of_kl(name: str) -> None:
    gradient, truth, _, _ = expected_gradients(name)
    assert np.allclose(gradient, truth, atol=1e-12)


@pytest.mark.parametrize(("name", "why"), [("k1", "noise"), ("k3", "forward KL")])
def test_k1_and_k3_do_not(name: str, why: str) -> None:
    gradient, truth, _, _ = expected_gradients(name)
    assert not np.allclose(gradient, truth, atol=1e-3), why
    if name == "k1":
        assert np.allclose(gradient, 0.0, atol=1e-12)


@pytest.mark.parametrize("name", ["k1", "k3", "k1+", "k3+", "k3_ratio"])
def test_estimates_of_the_value_are_unbiased(name: str) -> None:
    _, _, estimate, truth = expected_gradients(name)
    assert estimate == pytest.approx(truth, abs=1e-12)


def test_a_ratio_needs_old_logprobs() -> None:
    with pytest.raises(ValueError, match="k3_ratio weighs"):
        losses.kl(torch.zeros(1), torch.zeros(1), "k3_ratio")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_adaptive_weight_steers_towards_its_target(measured: list[float]) -> None:
    steer, weight = losses.AdaptiveKL(0.1, target=0.25, horizon=40.0), 0.1
    for kl in measured:
        weight *= 1 + min(max(kl / 0.25 - 1, -0.2), 0.2) * 8 / 40
        assert steer.update(kl, 8) == pytest.approx(weight)


# Entropy --------------------------------------------------------------------------------------------------------------


@given(cases)
@few
def test_covariance_and_its_clips(case: Any) -> None:
    new, a, old = case.tensor("new"), case.tensor("advantage"), case.tensor("old")
    n = len(case.new)
    mean_a, mean_lp = sum(case.advantage) / n, sum(case.new) / n
    cov = [(x - mean_a) * (lp - mean_lp) for x, lp in zip(case.advantage, case.new, strict=True)]
    assert close(losses.covariance(new, a), cov)
    share = 0.3
    if np.ptp(case.advantage) < 1e-9:
        return  # every covariance is 0 up to rounding, so rounding decides which are highest
    top = set(sorted(range(n), key=lambda i: -cov[i])[: max(1, int(share * n))])
    expected = [2.0 * abs(lp - lo) * (i in top) for i, (lp, lo) in enumerate(zip(case.new, case.old, strict=True))]
    assert close(losses.kl_cov(new, old, a, share=share, weight=2.0), expected)
    clipped = torch.tensor([i % 4 == 0 for i in range(n)])
    dropped = losses.clip_cov(new, a, clipped, share=share, low=0.1, high=2.0)
    band = [i for i in range(n) if 0.1 < cov[i] < 2.0 and i % 4]
    chosen = [i for i in range(n) if dropped[i]]
    assert set(chosen) <= set(band)
    assert len(chosen) == min(len(band), max(1, int(share * n)))


def test_the_choice_of_clip_cov_repeats() -> None:
    lp, a = -torch.rand(200, generator=torch.Generator().manual_seed(1)), torch.randn(200) * 0 + torch.arange(200) / 9
    none = torch.zeros(200, dtype=torch.bool)
    first, second, other = (
        losses.clip_cov(lp, a, none, share=0.05, low=0.0, generator=torch.Generator().manual_seed(s)) for s in (3, 3, 4)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


@given(cases, st.sampled_from([0.2, 0.5, 1.0]))
@few
def test_the_most_uncertain_tokens(case: Any, share: float) -> None:
    entropy = [-x for x in case.old]
    kept = losses.most_uncertain(torch.tensor(entropy), share)
    count = max(1, round(share * len(entropy)))
    assert int(kept.sum()) == count
    assert min(e for e, k in zip(entropy, kept, strict=True) if k) >= max(
        (e for e, k in zip(entropy, kept, strict=True) if not k), default=0.0
    )


# Correction -----------------------------------------------------------------------------------------------------------


@given(cases, st.sampled_from(["token", "sequence", "geometric"]), st.sampled_from(["truncate", "mask"]))
@few
def test_importance_weights(case: Any, level: Any, mode: Any) -> None:
    found, outside = losses.importance_weights(
        case.tensor("old"), case.tensor("sampled"), case.row_N, level=level, mode=mode, low=0.5, high=1.5
    )
    for row in case.rows:
        gaps = [case.old[n] - case.sampled[n] for n in row]
        for n, gap in zip(row, gaps, strict=True):
            w = EXP({"token": gap, "sequence": sum(gaps), "geometric": sum(gaps) / len(gaps)}[level])
            inside = 0.5 <= w <= 1.5
            expected = (w if inside else 0.0) if mode == "mask" else min(max(w, 0.5), 1.5)
            assert found[n].item() == pytest.approx(expected, rel=1e-9)
            assert bool(outside[n]) != inside


@given(cases)
@few
def test_sequences_left_behind(case: Any) -> None:
    found = losses.off_policy_rows(
        case.tensor("new"), case.tensor("sampled"), case.tensor("advantage"), case.row_N, 0.1
    )
    for row in case.rows:
        mean = sum(case.sampled[n] - case.new[n] for n in row) / len(row)
        assert [bool(found[n]) for n in row] == [case.advantage[n] < 0 and mean > 0.1 for n in row]


@given(cases)
@few
def test_the_mismatch(case: Any) -> None:
    found = losses.mismatch(case.tensor("old"), case.tensor("sampled"))
    gaps = [a - b for a, b in zip(case.old, case.sampled, strict=True)]
    weights = [EXP(g) for g in gaps]
    assert found.kl == pytest.approx(sum(EXP(g) - g - 1 for g in gaps) / len(gaps), rel=1e-9, abs=1e-12)
    assert found.largest == pytest.approx(max(abs(g) for g in gaps))
    assert found.effective == pytest.approx(sum(weights) ** 2 / (len(weights) * sum(w * w for w in weights)))


# Value and preference -------------------------------------------------------------------------------------------------


@given(cases, st.sampled_from([0.2, 0.5, None]))
@few
def test_the_value_loss(case: Any, clip: float | None) -> None:
    found, _ = losses.clipped_value_loss(case.tensor("new"), case.tensor("old"), case.tensor("advantage"), clip=clip)
    expected = []
    for v, before, aim in zip(case.new, case.old, case.advantage, strict=True):
        held = v if clip is None else min(max(v, before - clip), before + clip)
        expected.append(max((v - aim) ** 2, (held - aim) ** 2) / 2)
    assert close(found, expected)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0.01, 2))
def test_dpo(better: float, worse: float, beta: float) -> None:
    found = losses.dpo(torch.tensor(better, dtype=torch.float64), torch.tensor(worse, dtype=torch.float64), beta)
    assert found.item() == pytest.approx(LOG(1 + EXP(-beta * (better - worse))))
