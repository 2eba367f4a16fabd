"""Advantages: hand-worked, against a slow reference in plain Python, and by exact enumeration of a decision process."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.agents import advantages as adv
from proofgym.agents.advantages import Bools, Floats, Ints

NAN = math.nan

# Hand-worked ----------------------------------------------------------------------------------------------------------


def test_rewards_to_go_by_hand() -> None:
    rewards = np.array([[1.0, 2.0, 4.0], [8.0, 5.0, 5.0]])
    mask = np.array([[True, True, True], [True, False, False]])
    assert adv.rewards_to_go(rewards, mask).tolist() == [[7.0, 6.0, 4.0], [8.0, 0.0, 0.0]]
    assert adv.rewards_to_go(rewards, mask, 0.5).tolist() == [[3.0, 4.0, 4.0], [8.0, 0.0, 0.0]]
    assert adv.rewards_to_go(rewards, mask, 0.0).tolist() == [[1.0, 2.0, 4.0], [8.0, 0.0, 0.0]]


def test_a_gap_is_passed_through_undiscounted() -> None:
    assert adv.rewards_to_go(np.array([[1.0, NAN, 4.0]]), np.array([[True, False, True]]), 0.5).tolist() == [[3, 4, 4]]


@pytest.mark.parametrize("gamma", [-0.1, 1.1, NAN])
def test_a_discount_outside_its_range_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match="gamma lies in"):
        adv.rewards_to_go(np.zeros((1, 1)), np.ones((1, 1), dtype=bool), gamma)


def test_step_leave_one_out_by_hand() -> None:
    # To go: [3, 2], [1, ended], [2, 1]. Others' means: step 0 -> 1.5, 2.5, 2; step 1 -> 0.5, -, 1.
    rewards = np.array([[1.0, 2.0], [1.0, 9.0], [1.0, 1.0]])
    mask = np.array([[True, True], [True, False], [True, True]])
    found = adv.step_leave_one_out(rewards, mask, np.zeros(3, dtype=np.int64))
    assert found.tolist() == [[1.5, 1.5], [-1.5, 0.0], [0.0, 0.0]]


def test_trajectory_leave_one_out_by_hand() -> None:
    found = adv.trajectory_leave_one_out(np.array([3.0, 0.0, 0.0, 7.0, 5.0]), np.array([0, 0, 0, 1, 1]))
    assert found.tolist() == [3.0, -1.5, -1.5, 2.0, -2.0]


def test_trajectory_grpo_by_hand() -> None:
    returns, group = np.array([1.0, 0.0, 1.0, 0.0]), np.zeros(4, dtype=np.int64)
    assert adv.trajectory_grpo(returns, group, ddof=0, eps=0.5).tolist() == [0.5, -0.5, 0.5, -0.5]
    std = math.sqrt(1 / 3)  # ddof 1
    assert adv.trajectory_grpo(returns, group) == pytest.approx([s * 0.5 / (std + 1e-4) for s in (1, -1, 1, -1)])


def test_step_index_centred_by_hand() -> None:
    rewards = np.array([[1.0, 4.0], [3.0, 9.0]])
    mask = np.array([[True, True], [True, False]])
    found = adv.step_index_centred(rewards, mask, np.zeros(2, dtype=np.int64))
    assert found.tolist() == [[-1.0, 0.0], [1.0, 0.0]]  # alone at step 1, so nothing is left of the 4


def test_batch_scale_by_hand() -> None:
    table = np.array([[3.0, 4.0], [100.0, 0.0]])
    mask = np.array([[True, True], [False, False]])
    assert adv.batch_scale(table, mask) == pytest.approx(1 / math.sqrt(12.5))
    assert adv.scale_by_batch_std(table, mask) == pytest.approx(
        np.array([[3.0, 4.0], [0.0, 0.0]]) / math.sqrt(12.5), abs=1e-15
    )


def test_scaling_nothing_gives_nothing() -> None:
    assert adv.scale_by_batch_std(np.zeros((2, 2)), np.ones((2, 2), dtype=bool)).tolist() == [[0, 0], [0, 0]]
    assert adv.scale_by_batch_std(np.ones((2, 2)), np.zeros((2, 2), dtype=bool)).tolist() == [[0, 0], [0, 0]]


# Against a slow reference ---------------------------------------------------------------------------------------------

Steps = list[float | None]  # the steps of one trajectory; None where it has none
Case = tuple[list[Steps], list[int], list[bool]]


def make_case(columns: int, count: int, seed: int) -> Case:
    """Ragged multi-turn trajectories: rows of steps with gaps, their groups, and which could be judged."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, columns)).round(3).tolist()
    rows: list[Steps] = [[None if rng.random() < 0.4 else x for x in row] for row in values]
    return rows, rng.integers(3, size=count).tolist(), (rng.random(count) < 0.8).tolist()


def batches() -> st.SearchStrategy[Case]:
    return st.builds(make_case, st.integers(1, 6), st.integers(1, 9), st.integers(0, 10**6))


def arrays(case: Case) -> tuple[Floats, Bools, Ints]:
    rows, groups, judged = case
    mask = np.array([[step is not None for step in row] for row in rows])
    rewards = np.array([[0.0 if step is None else step for step in row] for row in rows])
    for b, fine in enumerate(judged):
        if not fine:
            rewards[b], mask[b, 0] = NAN, True
    return rewards, mask, np.array(groups, dtype=np.int64)


def to_go(row: Steps, k: int, gamma: float = 1.0) -> float:
    total, weight = 0.0, 1.0
    for step in row[k:]:
        if step is not None:
            total += weight * step
            weight *= gamma
    return total


def siblings(case: Case, i: int) -> list[int]:
    _, groups, judged = case
    return [j for j in range(len(groups)) if j != i and groups[j] == groups[i] and judged[j]]


@given(batches(), st.sampled_from([0.0, 0.5, 1.0]))
def test_step_leave_one_out_is_the_reference(case: Case, gamma: float) -> None:
    rows, _, judged = case
    found = adv.step_leave_one_out(*arrays(case), gamma)
    for i, row in enumerate(rows):
        others = siblings(case, i)
        for k, step in enumerate(row):
            expected = 0.0
            if step is not None and judged[i] and others:
                expected = to_go(row, k, gamma) - sum(to_go(rows[j], k, gamma) for j in others) / len(others)
            assert found[i, k] == pytest.approx(expected, abs=1e-9)


@given(batches())
def test_whole_trajectory_estimators_are_the_reference(case: Case) -> None:
    rows, groups, judged = case
    returns = np.array([to_go(row, 0) if fine else NAN for row, fine in zip(rows, judged, strict=True)])
    leave, grpo = (f(returns, np.array(groups)) for f in (adv.trajectory_leave_one_out, adv.trajectory_grpo))
    for i in range(len(rows)):
        others = siblings(case, i)
        if not judged[i] or not others:
            assert leave[i] == grpo[i] == 0.0
            continue
        assert leave[i] == pytest.approx(returns[i] - sum(returns[j] for j in others) / len(others), abs=1e-9)
        everyone = [float(returns[j]) for j in [i, *others]]
        mean = sum(everyone) / len(everyone)
        std = math.sqrt(sum((x - mean) ** 2 for x in everyone) / (len(everyone) - 1))
        assert grpo[i] == pytest.approx((everyone[0] - mean) / (std + 1e-4), abs=1e-9)


@given(batches())
def test_step_index_centred_is_the_reference(case: Case) -> None:
    rows, _, judged = case
    found = adv.step_index_centred(*arrays(case))
    for i, row in enumerate(rows):
        if not judged[i] or not siblings(case, i):
            assert not found[i].any()
            continue
        centred: Steps = []
        for k, step in enumerate(row):
            alive = [rows[j][k] for j in [i, *siblings(case, i)]]
            living = [x for x in alive if x is not None]
            centred.append(None if step is None else step - sum(living) / len(living))
        assert found[i].tolist() == pytest.approx([to_go(centred, k) for k in range(len(row))], abs=1e-9)


ESTIMATORS: dict[str, Callable[[Floats, Bools, Ints], Floats]] = {
    "step": adv.step_leave_one_out,
    "discounted": lambda r, m, g: adv.step_leave_one_out(r, m, g, 0.3),
    "centred": adv.step_index_centred,
    "trajectory": lambda r, m, g: adv.trajectory_leave_one_out(np.where(m, r, 0.0).sum(1), g)[:, None],
    "grpo": lambda r, m, g: adv.trajectory_grpo(np.where(m, r, 0.0).sum(1), g)[:, None],
}
each_estimator = pytest.mark.parametrize("name", ESTIMATORS)


@each_estimator
@given(case=batches())
def test_unjudged_rows_change_no_bit_of_the_others(name: str, case: Case) -> None:
    rewards, mask, group = arrays(case)
    judged = np.array(case[2])
    found = ESTIMATORS[name](rewards, mask, group)
    assert not found[~judged].any()
    assert np.array_equal(found[judged], ESTIMATORS[name](rewards[judged], mask[judged], group[judged]))


@each_estimator
@given(row=st.lists(st.floats(-1, 1), min_size=1, max_size=5), count=st.integers(2, 17))
def test_a_flat_group_is_exactly_zero(name: str, row: list[float], count: int) -> None:
    rewards = np.tile(np.array(row), (count, 1))
    found = ESTIMATORS[name](rewards, np.ones(rewards.shape, dtype=bool), np.zeros(count, dtype=np.int64))
    if name == "centred":
        assert np.abs(found).max() < 1e-12  # it divides a sum, and is not to be trained with anyway
    else:
        assert not found.any()


@each_estimator
def test_a_group_of_one_is_zero(name: str) -> None:
    rewards, mask = np.array([[1.0, 2.0], [NAN, NAN], [3.0, 4.0]]), np.ones((3, 2), dtype=bool)
    assert not ESTIMATORS[name](rewards, mask, np.array([0, 0, 1])).any()


@pytest.mark.parametrize("name", ["step", "trajectory", "grpo"])
@given(case=batches(), seed=st.integers(0, 10**6))
def test_the_order_of_rows_does_not_matter(name: str, case: Case, seed: int) -> None:
    rewards, mask, group = arrays(case)
    order = np.random.default_rng(seed).permutation(len(group))
    found = ESTIMATORS[name](rewards, mask, group)
    assert ESTIMATORS[name](rewards[order], mask[order], group[order]) == pytest.approx(found[order], abs=1e-9)


# Exact enumeration of a decision process ------------------------------------------------------------------------------
#
# Two attempts at one task. At each of up to three steps the policy stops (probability s_k) or goes on (1 - s_k). The
# first step costs and the next ones earn, so going on is right from the start. Everything is finite: all pairs of
# trajectories are enumerated with their probabilities, so expectations are exact.

STOP = (0.3, 0.4, 0.5)  # the probability of stopping before step k
PAY = ((-0.3, 0.9), (1.0, 0.8), (0.2, 0.5))  # (reward, its probability), else 0: first an outlay, then its yield


def toy_trajectories() -> list[tuple[float, list[tuple[bool, float]]]]:
    """(probability, [(went on, paid) a decision])."""
    found: list[tuple[float, list[tuple[bool, float]]]] = []

    def walk(k: int, probability: float, so_far: list[tuple[bool, float]]) -> None:
        if k == len(STOP):
            found.append((probability, so_far))
            return
        found.append((probability * STOP[k], [*so_far, (False, 0.0)]))
        pay, chance = PAY[k]
        for paid, likely in ((pay, chance), (0.0, 1 - chance)):
            walk(k + 1, probability * (1 - STOP[k]) * likely, [*so_far, (True, paid)])

    walk(0, 1.0, [])
    return found


def score(went_on: bool, k: int) -> float:
    """The derivative of a decision's log-probability by the logit of stopping there."""
    return -STOP[k] if went_on else 1 - STOP[k]


def true_gradient() -> list[float]:
    gradient = [0.0] * len(STOP)
    for probability, decisions in toy_trajectories():
        total = sum(paid for _, paid in decisions)
        for k, (went_on, _) in enumerate(decisions):
            gradient[k] += probability * score(went_on, k) * total
    return gradient


def expected_gradient(estimate: Callable[[Floats, Bools, Ints], Floats]) -> tuple[Floats, Floats]:
    """Mean and variance, a logit, of the gradient from a group of two."""
    mean, square = np.zeros(len(STOP)), np.zeros(len(STOP))
    for (p, a), (q, b) in itertools.product(toy_trajectories(), repeat=2):
        rewards, mask = np.zeros((2, len(STOP))), np.zeros((2, len(STOP)), dtype=bool)
        for i, decisions in enumerate((a, b)):
            rewards[i, : len(decisions)] = [paid for _, paid in decisions]
            mask[i, : len(decisions)] = True
        table = np.broadcast_to(estimate(rewards, mask, np.zeros(2, dtype=np.int64)), mask.shape)
        gradient = np.zeros(len(STOP))
        for i, decisions in enumerate((a, b)):
            for k, (went_on, _) in enumerate(decisions):
                gradient[k] += score(went_on, k) * table[i, k] / 2
        mean += p * q * gradient
        square += p * q * gradient**2
    return mean, square - mean**2


def test_the_toy_process_is_a_distribution() -> None:
    assert sum(p for p, _ in toy_trajectories()) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("name", ["step", "trajectory"])
def test_leave_one_out_gives_the_true_gradient(name: str) -> None:
    mean, _ = expected_gradient(ESTIMATORS[name])
    assert np.abs(mean - true_gradient()).max() < 1e-12


def test_subtracting_the_mean_of_the_whole_group_shrinks_the_true_gradient() -> None:
    """Dr. GRPO: the baseline contains the trajectory itself, which costs (G - 1) / G and nothing else."""
    mean, _ = expected_gradient(lambda r, m, g: adv.dr_grpo(np.where(m, r, 0.0).sum(1), g)[:, None])
    assert np.abs(mean - np.array(true_gradient()) / 2).max() < 1e-12


def test_turn_gae_with_true_values_gives_the_true_gradient() -> None:
    """Values of the process itself, before each decision; any lambda will do then."""
    value = [0.0] * (len(STOP) + 1)
    for k in reversed(range(len(STOP))):
        pay, chance = PAY[k]
        value[k] = (1 - STOP[k]) * (pay * chance + value[k + 1])
    for lam in (0.0, 0.7, 1.0):

        def estimate(r: Floats, m: Bools, _: Ints, lam: float = lam) -> Floats:
            return adv.gae(r, np.broadcast_to(np.array(value[:-1]), r.shape), m, lam=lam)[0]

        mean, _ = expected_gradient(estimate)
        assert np.abs(mean - true_gradient()).max() < 1e-12


def test_centring_by_step_index_has_the_wrong_sign() -> None:
    truth = true_gradient()
    mean, _ = expected_gradient(ESTIMATORS["centred"])
    assert truth[0] < -0.05  # the first outlay is worth it: stopping there should become rarer
    assert mean[0] > 0.02  # and would become more frequent


def test_step_credit_has_less_variance_than_one_advantage_a_trajectory() -> None:
    _, by_step = expected_gradient(ESTIMATORS["step"])
    _, by_trajectory = expected_gradient(ESTIMATORS["trajectory"])
    assert by_step.sum() < 0.8 * by_trajectory.sum()
    assert by_step[-1] < 0.05 * by_trajectory[-1]  # the later a decision, the more of the past it would carry


def test_the_spread_biases_grpo() -> None:
    mean, _ = expected_gradient(ESTIMATORS["grpo"])
    truth: Any = np.array(true_gradient())
    ratio = mean / truth
    assert ratio.max() / ratio.min() > 1.05  # no common factor repairs it
