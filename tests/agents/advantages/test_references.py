"""Every estimator equals a slow reference in plain Python, written from its paper, on ragged batches with gaps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proofgym.agents import advantages as adv

NAN = math.nan
few = settings(max_examples=40, deadline=None)


class Case:
    """B trajectories over K places with gaps, in groups, some unjudged."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.B, self.K = int(rng.integers(1, 9)), int(rng.integers(1, 7))
        self.mask = rng.random((self.B, self.K)) < 0.7
        self.rewards = rng.normal(size=(self.B, self.K)).round(3)
        self.values = rng.normal(size=(self.B, self.K)).round(3)
        self.judged = rng.random(self.B) < 0.85
        self.mask[~self.judged, 0] = True
        self.rewards[~self.judged] = NAN
        self.group = rng.integers(3, size=self.B)
        self.turn = np.sort(rng.integers(3, size=(self.B, self.K)), axis=1)
        self.lengths = rng.integers(1, 9, size=self.B).astype(float)
        self.bootstrap = rng.normal(size=self.B).round(3)
        self.anchors = rng.integers(3, size=(self.B, self.K)).tolist()
        self.returns = np.array(
            [self.rewards[b][self.mask[b]].sum() if self.judged[b] else NAN for b in range(self.B)]
        ).round(6)

    def places(self, b: int) -> list[int]:
        return [k for k in range(self.K) if self.mask[b, k]] if self.judged[b] else []

    def siblings(self, b: int) -> list[int]:
        """The judged trajectories of its group, itself included."""
        return [j for j in range(self.B) if self.group[j] == self.group[b] and self.judged[j]]


cases = st.builds(Case, st.integers(0, 10**6))


def std(values: list[float], ddof: int = 1) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((x - mean) ** 2 for x in values) / (len(values) - ddof))


# One number a trajectory ----------------------------------------------------------------------------------------------


@given(cases)
@few
def test_group_estimators(case: Any) -> None:
    r, group = case.returns, case.group
    teaching = [
        b for b in range(case.B)
        if case.judged[b] and len(case.siblings(b)) > 1 and len({r[j] for j in case.siblings(b)}) > 1
    ]  # fmt: skip
    counted = int(case.judged.sum())
    found = {
        "dr": adv.dr_grpo(r, group), "opo": adv.opo(r, case.lengths, group), "max": adv.max_rl(r, group),
        "batch": adv.trajectory_grpo(r, group, batch_std=True), "best": adv.best_of_group(r, group),
        "gpg": adv.gpg(r, group), "ddof0": adv.trajectory_grpo(r, group, ddof=0, eps=1e-6),
    }  # fmt: skip
    everyone = [float(x) for x in r if np.isfinite(x)]
    for b in range(case.B):
        others = case.siblings(b)
        if not case.judged[b] or len(others) < 2:
            assert all(f[b] == 0 for f in found.values())
            continue
        pool = [float(r[j]) for j in others]
        mean = sum(pool) / len(pool)
        weighted = sum(r[j] * case.lengths[j] for j in others) / sum(case.lengths[j] for j in others)
        assert found["dr"][b] == pytest.approx(r[b] - mean, abs=1e-9)
        assert found["opo"][b] == pytest.approx(r[b] - weighted, abs=1e-9)
        assert found["max"][b] == pytest.approx((r[b] - mean) / mean if mean > 0 else 0.0, abs=1e-6)
        flat = len(set(pool)) == 1
        assert found["batch"][b] == pytest.approx(0.0 if flat else (r[b] - mean) / (std(everyone) + 1e-4), abs=1e-9)
        assert found["ddof0"][b] == pytest.approx(0.0 if flat else (r[b] - mean) / (std(pool, 0) + 1e-6), abs=1e-6)
        first, second = sorted(pool)[-1], sorted(pool)[-2]
        best = next(j for j in others if r[j] == first)
        assert found["best"][b] == pytest.approx(first - second if b == best else 0.0)
        nonzero = [j for j in teaching if abs(r[j] - np.mean([r[i] for i in case.siblings(j)])) > 0]
        if nonzero and abs(len(nonzero) - np.count_nonzero(found["dr"])) == 0:
            assert found["gpg"][b] == pytest.approx((r[b] - mean) * counted / len(nonzero), abs=1e-9)


@given(cases)
@few
def test_remax(case: Any) -> None:
    greedy = np.where(case.lengths > 7, NAN, case.bootstrap)
    found = adv.remax(case.returns, greedy)
    for b in range(case.B):
        known = case.judged[b] and not math.isnan(greedy[b])
        assert found[b] == pytest.approx(case.returns[b] - greedy[b] if known else 0.0)


# GAE ------------------------------------------------------------------------------------------------------------------


def gae_by_hand(
    rewards: list[float], values: list[float], gamma: float, lam: list[float], bootstrap: float
) -> list[float]:
    """A_t as the sum over later deltas, straight from the definition."""
    after = [*values[1:], bootstrap][: len(values)]
    deltas = [r + gamma * v1 - v for r, v1, v in zip(rewards, after, values, strict=True)]
    found = []
    for t in range(len(deltas)):
        total, weight = 0.0, 1.0
        for j in range(t, len(deltas)):
            total += weight * deltas[j]
            weight *= gamma * lam[j]
        found.append(total)
    return found


@given(cases, st.sampled_from([(1.0, 0.95), (0.9, 0.5), (1.0, 1.0), (0.9, 0.0)]), st.booleans())
@few
def test_gae_skips_what_is_not_sampled(case: Any, constants: tuple[float, float], truncated: bool) -> None:
    gamma, lam = constants
    bootstrap = case.bootstrap if truncated else None
    found, returns = adv.gae(case.rewards, case.values, case.mask, gamma=gamma, lam=lam, bootstrap_B=bootstrap)
    for b in range(case.B):
        at = case.places(b)
        end = float(case.bootstrap[b]) if truncated else 0.0
        expected = gae_by_hand(
            [case.rewards[b, k] for k in at], [case.values[b, k] for k in at], gamma, [lam] * len(at), end
        )
        assert found[b, at] == pytest.approx(expected, abs=1e-9)
        assert returns[b, at] == pytest.approx([a + case.values[b, k] for a, k in zip(expected, at, strict=True)])
        rest = [k for k in range(case.K) if k not in at]
        assert not found[b, rest].any()
        assert not returns[b, rest].any()


@given(cases)
@few
def test_with_lambda_one_gae_is_what_is_still_to_come_minus_the_value(case: Any) -> None:
    """Vapo's critic: its returns are the true ones, whatever the values say."""
    _, returns = adv.gae(case.rewards, case.values, case.mask, lam=1.0)
    truth = adv.rewards_to_go(np.where(case.judged[:, None], case.rewards, 0.0), case.mask)
    live = case.mask & case.judged[:, None]
    assert np.allclose(returns[live], truth[live], atol=1e-9)


@given(cases)
@few
def test_lambdas_may_differ_by_trajectory(case: Any) -> None:
    lam = adv.length_adaptive_lambda(case.lengths, 0.5)
    assert lam.tolist() == pytest.approx([max(0.0, 1 - 1 / (0.5 * n)) for n in case.lengths])
    found, _ = adv.gae(case.rewards, case.values, case.mask, lam=lam[:, None])
    for b in range(case.B):
        alone, _ = adv.gae(case.rewards[b : b + 1], case.values[b : b + 1], case.mask[b : b + 1], lam=float(lam[b]))
        assert np.allclose(found[b], alone[0])


@given(cases)
@few
def test_bilevel_gae(case: Any) -> None:
    found, returns = adv.bilevel_gae(
        case.rewards, case.values, case.mask, case.turn,
        gamma=0.9, lam=0.8, turn_gamma=0.7, turn_lam=0.6, bootstrap_B=case.bootstrap,
    )  # fmt: skip
    for b in range(case.B):
        at = case.places(b)
        turns = sorted({int(case.turn[b, k]) for k in at})
        tokens = {t: [k for k in at if case.turn[b, k] == t] for t in turns}
        worth = gae_by_hand(
            [sum(case.rewards[b, k] for k in tokens[t]) for t in turns],
            [case.values[b, tokens[t][-1]] for t in turns], 0.7, [0.6] * len(turns), float(case.bootstrap[b]),
        )  # fmt: skip
        for t, value in zip(turns, worth, strict=True):
            running = 0.0
            for i, k in reversed(list(enumerate(tokens[t]))):
                if i == len(tokens[t]) - 1:
                    running = value
                else:  # gamma V of the next token minus V here, as VAGEN has it
                    running = 0.9 * case.values[b, tokens[t][i + 1]] - case.values[b, k] + 0.9 * 0.8 * running
                assert found[b, k] == pytest.approx(running, abs=1e-9)
                assert returns[b, k] == pytest.approx(running + case.values[b, k], abs=1e-9)


@given(cases)
@few
def test_reinforce_plus_plus(case: Any) -> None:
    found = adv.reinforce_plus_plus(case.rewards, case.mask, gamma=0.9)
    returns: dict[tuple[int, int], float] = {}
    for b in range(case.B):
        running = 0.0
        for k in reversed(case.places(b)):
            running = case.rewards[b, k] + 0.9 * running
            returns[b, k] = running
    if len(returns) < 2:
        assert not found.any()
        return
    mean = sum(returns.values()) / len(returns)
    variance = sum((x - mean) ** 2 for x in returns.values()) / (len(returns) - 1)
    for b in range(case.B):
        for k in range(case.K):
            expected = (returns[b, k] - mean) / math.sqrt(variance + 1e-8) if (b, k) in returns else 0.0
            assert found[b, k] == pytest.approx(expected, abs=1e-7)


@given(cases)
@few
def test_reinforce_plus_plus_with_baseline(case: Any) -> None:
    tokens = case.mask.sum(1)
    found = adv.reinforce_plus_plus_baseline(case.returns, tokens, case.group)
    centred = adv.dr_grpo(case.returns, case.group)
    flat = [centred[b] for b in range(case.B) if case.judged[b] for _ in range(tokens[b])]
    if len(flat) < 2:
        return
    mean, variance = np.mean(flat), np.var(flat, ddof=1)
    for b in range(case.B):
        if case.judged[b] and tokens[b]:
            assert found[b] == pytest.approx((centred[b] - mean) / math.sqrt(variance + 1e-8), abs=1e-7)


# Steps ----------------------------------------------------------------------------------------------------------------


@given(cases, st.booleans())
@few
def test_gigpo(case: Any, with_std: bool) -> None:
    found = adv.gigpo(case.rewards, case.mask, case.group, case.anchors, gamma=0.9, weight=0.5, std=with_std, eps=1e-6)
    for b in range(case.B):
        others = case.siblings(b)
        for k in range(case.K):
            if not case.judged[b] or not case.mask[b, k] or len(others) < 2:
                assert found[b, k] == 0
                continue

            def to_go(j: int, at: int) -> float:
                later = [i for i in case.places(j) if i >= at]
                return sum(0.9**n * case.rewards[j, i] for n, i in enumerate(later))

            episodes = [float(case.returns[j]) for j in others]
            same = [to_go(j, i) for j in others for i in case.places(j) if case.anchors[j][i] == case.anchors[b][k]]

            def part(x: float, pool: list[float]) -> float:
                if len(pool) < 2 or max(pool) == min(pool):
                    return 0.0
                return (x - sum(pool) / len(pool)) / (std(pool) + 1e-6 if with_std else 1.0)

            if with_std and (0 < np.ptp(episodes) < 1e-4 or 0 < np.ptp(same) < 1e-4):
                continue  # rounding decides whether such a set is flat
            whole = part(float(case.returns[b]), episodes)
            assert found[b, k] == pytest.approx(whole + 0.5 * part(to_go(b, k), same), abs=1e-6)


@given(cases, st.sampled_from([0.05, 0.5, 5.0]))
@few
def test_min_form(case: Any, temperature: float) -> None:
    found = adv.min_form_rewards(case.rewards, case.mask, temperature)
    for b in range(case.B):
        if not case.judged[b]:
            assert np.isnan(found[b]).all()
            continue
        at = case.places(b)
        low = min((case.rewards[b, k] for k in at), default=0.0)
        weights = [math.exp(-(case.rewards[b, k] - low) / temperature) for k in at]
        expected = [w / sum(weights) * case.rewards[b, k] for w, k in zip(weights, at, strict=True)]
        assert found[b, at] == pytest.approx(expected, abs=1e-9)
        assert not found[b, [k for k in range(case.K) if k not in at]].any()


def test_min_form_tends_to_the_worst_step() -> None:
    rewards, mask = np.array([[0.9, -0.7, 0.4]]), np.ones((1, 3), dtype=bool)
    assert adv.min_form_rewards(rewards, mask, 1e-3).sum() == pytest.approx(-0.7)
    with pytest.raises(ValueError, match="temperature is positive"):
        adv.min_form_rewards(rewards, mask, 0.0)


@given(cases)
@few
def test_prime(case: Any) -> None:
    implicit = adv.implicit_rewards(case.values, np.nan_to_num(case.rewards), beta=0.1)
    found = adv.prime(implicit, case.mask, case.returns, case.group, gamma=0.9)
    for b in range(case.B):
        others = [j for j in case.siblings(b) if j != b]
        for k in range(case.K):
            if not case.judged[b] or not case.mask[b, k] or not others:
                assert found[b, k] == 0
                continue

            def mean(j: int) -> float:
                at = case.places(j)
                return sum(implicit[j, i] for i in at) / len(at) if at else 0.0

            baseline = sum(mean(j) for j in others) / len(others)
            later = [i for i in case.places(b) if i >= k]
            process = sum(0.9**n * (implicit[b, i] - baseline) for n, i in enumerate(later))
            outcome = case.returns[b] - sum(case.returns[j] for j in others) / len(others)
            assert found[b, k] == pytest.approx(process + outcome, abs=1e-9)


@given(cases)
@few
def test_vineppo(case: Any) -> None:
    found = adv.vineppo(case.rewards, case.values, case.mask, gamma=0.9)
    for b in range(case.B):
        at = case.places(b)
        after = [*[case.values[b, k] for k in at][1:], 0.0][: len(at)]
        expected = [case.rewards[b, k] + 0.9 * v - case.values[b, k] for k, v in zip(at, after, strict=True)]
        assert found[b, at] == pytest.approx(expected, abs=1e-9)


# Trees ----------------------------------------------------------------------------------------------------------------

Paths = list[list[int]]


def make_tree(seed: int) -> tuple[Paths, np.ndarray[Any, Any]]:
    """A random tree by its leaves; some leaves unjudged."""
    rng = np.random.default_rng(seed)
    paths: Paths = [[0]] if rng.random() < 0.3 else [[0], [1]]
    fresh = len(paths)
    for _ in range(int(rng.integers(0, 6))):
        stem = paths[int(rng.integers(len(paths)))]
        cut = int(rng.integers(0, len(stem) + 1))
        if cut == len(stem):  # the leaf itself branches: it becomes an inner node with two children
            paths.remove(stem)
            paths.append([*stem, fresh])
            fresh += 1
        paths.append([*stem[:cut], fresh])
        fresh += 1
    returns = rng.normal(size=len(paths)).round(3)
    return paths, np.where(rng.random(len(paths)) < 0.15, NAN, returns)


trees = st.builds(make_tree, st.integers(0, 10**6))


def leaves_below(paths: Paths, returns: Any, node: int | None) -> list[float]:
    return [float(r) for p, r in zip(paths, returns, strict=True) if (node is None or node in p) and not math.isnan(r)]


def child_mean(paths: Paths, returns: Any, prefix: list[int]) -> float:
    """A node's value by recursion over its children."""
    n = len(prefix)
    below = [(p, r) for p, r in zip(paths, returns, strict=True) if p[:n] == prefix]
    children = {p[n] for p, _ in below if len(p) > n}
    own = [float(r) for p, r in below if len(p) == n and not math.isnan(r)]
    values = [child_mean(paths, returns, [*prefix, c]) for c in children]
    known = [v for v in values if not math.isnan(v)] or own
    return sum(known) / len(known) if known else NAN


@given(trees)
@few
def test_tree_estimators(tree: tuple[Paths, Any]) -> None:
    paths, returns = tree
    by_leaf, by_child = adv.node_values(paths, returns), adv.node_values(paths, returns, "child")
    spo, treerl = adv.spo(paths, returns), adv.treerl(paths, returns)
    treepo = adv.treepo(paths, returns)
    root = leaves_below(paths, returns, None)
    for i, path in enumerate(paths):
        gaps = []
        if len(root) > 1:
            gaps.append(returns[i] - sum(root) / len(root))
        for depth, node in enumerate(path):
            below = leaves_below(paths, returns, node)
            value = sum(below) / len(below) if below else NAN
            assert by_leaf[node] == pytest.approx(value, nan_ok=True)
            child = child_mean(paths, returns, path[: depth + 1])
            assert by_child[node] == pytest.approx(child, nan_ok=True)
            before = child_mean(paths, returns, path[:depth])
            gain = child - before
            assert spo[i][depth] == pytest.approx(0.0 if math.isnan(gain) else gain, abs=1e-9)
            parent = leaves_below(paths, returns, path[depth - 1]) if depth else root
            if below:
                expected = 2 * value - sum(root) / len(root) - sum(parent) / len(parent)
                assert treerl[i][depth] == pytest.approx(expected / math.sqrt(len(below)), abs=1e-9)
            else:
                assert treerl[i][depth] == 0
            if len(below) > 1:
                gaps.append(returns[i] - value)
        judged = not math.isnan(returns[i])
        assert treepo[i] == pytest.approx(sum(gaps) / len(gaps) if gaps and judged else 0.0, abs=1e-9)


@given(trees)
@few
def test_what_the_edges_of_a_path_add_up_to(tree: tuple[Paths, Any]) -> None:
    """SPO's numbers telescope: a leaf's return minus the root's value."""
    paths, returns = tree
    for path, earned, found in zip(paths, returns, adv.spo(paths, returns), strict=True):
        if not math.isnan(earned):
            assert found.sum() == pytest.approx(earned - child_mean(paths, returns, []), abs=1e-9), path


@given(cases)
@few
def test_tree_grpo(case: Any) -> None:
    tree = np.array([n % 2 for n in range(case.B)])
    found = adv.tree_grpo(case.returns, tree, case.group, eps=1e-6)
    for b in range(case.B):
        expected = 0.0
        for pool in (case.siblings(b), [j for j in case.siblings(b) if tree[j] == tree[b]]):
            values = [float(case.returns[j]) for j in pool]
            if case.judged[b] and len(values) > 1 and max(values) > min(values):
                expected += (case.returns[b] - sum(values) / len(values)) / (std(values) + 1e-6)
        assert found[b] == pytest.approx(expected, abs=1e-6)


# Scaling --------------------------------------------------------------------------------------------------------------


@given(cases, st.booleans(), st.integers(0, 1))
@few
def test_whitening(case: Any, shift: bool, ddof: int) -> None:
    live = case.mask & case.judged[:, None]
    found = adv.whiten(np.nan_to_num(case.rewards), live, ddof=ddof, shift_mean=shift)
    pool = [float(x) for x in case.rewards[live]]
    if len(pool) < 2:
        assert not found.any()
        return
    mean = sum(pool) / len(pool)
    variance = sum((x - mean) ** 2 for x in pool) / (len(pool) - ddof)
    expected = [(x - mean) / math.sqrt(variance + 1e-8) + (0 if shift else mean) for x in pool]
    assert found[live] == pytest.approx(expected, abs=1e-7)
    assert not found[~live].any()


@given(st.integers(1, 60), st.integers(1, 20))
def test_the_overlong_penalty(length: int, buffer: int) -> None:
    found = adv.overlong_penalty(np.array([float(length)]), 40, buffer)[0]
    expected = 0.0 if length <= 40 - buffer else max((40 - buffer - length) / buffer, -1.0)
    assert found == pytest.approx(expected)
    with pytest.raises(ValueError, match="buffer lies between"):
        adv.overlong_penalty(np.array([1.0]), 40, 41)


# What every estimator owes --------------------------------------------------------------------------------------------


@given(cases)
@few
def test_unjudged_trajectories_change_no_bit_of_the_others(case: Any) -> None:
    kept = np.flatnonzero(case.judged)
    args = (case.rewards, case.values, case.mask)
    some = tuple(x[kept] for x in args)
    pairs = [
        (adv.gae(*args)[0], adv.gae(*some)[0]),
        (adv.bilevel_gae(*args, case.turn)[0], adv.bilevel_gae(*some, case.turn[kept])[0]),
        (adv.reinforce_plus_plus(args[0], args[2]), adv.reinforce_plus_plus(some[0], some[2])),
        (
            adv.gigpo(case.rewards, case.mask, case.group, case.anchors),
            adv.gigpo(some[0], some[2], case.group[kept], [case.anchors[b] for b in kept]),
        ),
        (
            adv.prime(case.values, case.mask, case.returns, case.group),
            adv.prime(case.values[kept], case.mask[kept], case.returns[kept], case.group[kept]),
        ),
        (adv.vineppo(*args), adv.vineppo(*some)),
    ]
    for whole, part in pairs:
        assert not whole[~case.judged].any()
        assert np.array_equal(whole[kept], part)
