"""The statistics against brute force, against scipy's own, and against the coverage they claim."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from proofgym.bench import statistics
from proofgym.errors import BadInput

scores = st.lists(st.floats(0, 1, allow_subnormal=False), min_size=3, max_size=30)


@given(scores, st.sampled_from([0.8, 0.95, 0.99]))
def test_lone_values_get_the_textbook_t_interval(values: list[float], level: float) -> None:
    found = statistics.mean_interval(values, level=level)
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    half = scipy.stats.t.ppf((1 + level) / 2, len(values) - 1) * error
    assert found.mean == pytest.approx(np.mean(values), abs=1e-12)
    assert (found.high - found.low) / 2 == pytest.approx(half, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=3, max_size=20))
def test_clustered_interval_is_the_sandwich_summed_by_hand(pairs: list[tuple[int, float]]) -> None:
    clusters, values = [c for c, _ in pairs], [v for _, v in pairs]
    names = set(clusters)
    if len(names) < 2:
        return
    mean = sum(values) / len(values)
    meat = 0.0
    for first, second in itertools.product(range(len(values)), repeat=2):
        if clusters[first] == clusters[second]:
            meat += (values[first] - mean) * (values[second] - mean)
    G = len(names)
    error = math.sqrt(max(0.0, meat) * G / (G - 1)) / len(values)
    found = statistics.mean_interval(values, clusters)
    half = scipy.stats.t.ppf(0.975, G - 1) * error
    assert (found.high - found.low) / 2 == pytest.approx(half, abs=1e-6)


def test_copies_of_an_answer_add_no_certainty() -> None:
    values, tasks = [0.1, 0.9, 0.4, 0.7], ["a", "b", "c", "d"]
    once = statistics.mean_interval(values, tasks)
    often = statistics.mean_interval(values * 50, tasks * 50)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))
    assert often.n == 200


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counts: tuple[int, int]) -> None:
    found = statistics.wilson(*counts)
    theirs = scipy.stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=1e-9)
    assert 0 <= found.low <= found.mean <= found.high <= 1


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_share_of_one_attempt_a_task_is_wilson(solved: list[bool]) -> None:
    found, expected = statistics.share(solved), statistics.wilson(sum(solved), len(solved))
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(st.lists(st.booleans(), min_size=2, max_size=10), st.integers(2, 6))
def test_share_of_copied_attempts_is_as_wide_as_one_attempt(solved: list[bool], copies: int) -> None:
    tasks = list(range(len(solved)))
    once, often = statistics.share(solved), statistics.share(solved * copies, tasks * copies)
    assert (often.low, often.high) == pytest.approx((once.low, once.high), abs=1e-9)


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_counts_subsets(case: tuple[int, int, int]) -> None:
    n, c, k = case
    attempts = [True] * c + [False] * (n - c)
    subsets = list(itertools.combinations(attempts, k))
    assert statistics.pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets), abs=1e-12)
    assert statistics.pass_hat_k(n, c, k) == pytest.approx(sum(map(all, subsets)) / len(subsets), abs=1e-12)


def test_pass_at_k_of_thousands_of_attempts_neither_overflows_nor_rounds_to_one() -> None:
    assert statistics.pass_at_k(10_000, 1, 5_000) == 0.5
    assert statistics.pass_hat_k(10_000, 9_999, 5_000) == 0.5


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=30))
def test_paired_agrees_with_scipy(pairs: list[tuple[float, float]]) -> None:
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    if np.ptp(np.subtract(b, a)) < 1e-6:
        return
    found = statistics.paired(a, b)
    theirs = scipy.stats.ttest_rel(b, a)
    interval = theirs.confidence_interval()
    assert found.p == pytest.approx(theirs.pvalue, abs=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
    assert statistics.paired(b, a).difference == pytest.approx(-found.difference)


def test_a_difference_that_never_varies_is_tested_by_its_signs() -> None:
    assert statistics.paired([0.0, 1.0], [0.0, 1.0]).p == 1.0
    always = statistics.paired([0.0, 1.0], [0.5, 1.5])
    assert (always.difference, always.p, always.effect) == (0.5, 0.5, math.inf)  # two tasks prove nothing
    ten = statistics.paired([0.0] * 10, [1.0] * 10)
    assert ten.p == pytest.approx(scipy.stats.binomtest(10, 10).pvalue)


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=5), min_size=2, max_size=12), st.integers(1, 5))
def test_passes_averages_the_tasks_that_have_enough_attempts(tasks: list[list[bool]], k: int) -> None:
    solved = [right for attempts in tasks for right in attempts]
    clusters = [name for name, attempts in enumerate(tasks) for _ in attempts]
    enough = [attempts for attempts in tasks if len(attempts) >= k]
    for every, decide in ((False, any), (True, all)):
        found = statistics.passes(solved, clusters, k, every=every)
        if not enough:
            assert found is None
            continue
        subsets = [list(itertools.combinations(attempts, k)) for attempts in enough]
        shares = [sum(decide(subset) for subset in chosen) / len(chosen) for chosen in subsets]
        assert found is not None
        assert (found.mean, found.n) == (pytest.approx(sum(shares) / len(shares)), len(enough))
        assert 0.0 <= found.low <= found.mean + 1e-9
        assert found.mean <= found.high + 1e-9 <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("effect", "tasks"),  # statsmodels 0.15, TTestPower().solve_power(effect, power=0.8, alpha=0.05), rounded up
    [(0.1, 787), (0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)],
)
def test_tasks_needed_agree_with_published_tables(effect: float, tasks: int) -> None:
    assert statistics.tasks_for_difference(effect, 1.0) == tasks
    assert statistics.power(effect, 1.0, tasks) >= 0.8 > statistics.power(effect, 1.0, tasks - 1)
    assert statistics.tasks_for_difference(-effect / 50, 1.0 / 50) == tasks


def test_power_is_what_simulated_t_tests_find() -> None:
    rng = np.random.default_rng(5)
    draws = rng.normal(0.4, 1.0, size=(4000, 30))
    share = float(np.mean(scipy.stats.ttest_1samp(draws, 0.0, axis=1).pvalue < 0.05))
    assert statistics.power(0.4, 1.0, 30) == pytest.approx(share, abs=0.025)
    assert statistics.power(0.4, 1.0, 30) == pytest.approx(0.5628136071410574, abs=1e-9)  # statsmodels 0.15
    assert statistics.power(0.02, 0.5, 5000) == pytest.approx(statistics.power(0.02, 0.5, 5001), abs=1e-3)


def test_clustered_comparison_agrees_with_statsmodels() -> None:
    rng = np.random.default_rng(3)
    groups = np.repeat(np.arange(25), 4)
    differences = rng.normal(0.1, 1, 100) + rng.normal(0, 0.5, 25)[groups]
    found = statistics.paired([0.0] * 100, differences.tolist(), groups.tolist())
    # statsmodels 0.15: OLS(d, 1).fit(cov_type="cluster", use_t=True), with its small-sample corrections
    assert found.error == pytest.approx(0.13889262, abs=1e-8)
    assert found.p == pytest.approx(0.46459894, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((-0.18344108, 0.38987949), abs=1e-7)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_is_between_the_raw_and_bonferroni(ps: list[float]) -> None:
    adjusted = statistics.holm(ps)
    assert all(p <= q <= min(1.0, len(ps) * p) + 1e-12 for p, q in zip(ps, adjusted, strict=True))
    assert sorted(range(len(ps)), key=lambda at: (ps[at], at)) == sorted(
        range(len(ps)), key=lambda at: (adjusted[at], ps[at], at)
    )


def test_more_tasks_narrow_an_interval_by_the_square() -> None:
    found = statistics.mean_interval([0.0, 1.0] * 50)
    wanted = statistics.tasks_for_width(0.02, found, 100)
    assert wanted is not None
    again = statistics.mean_interval(([0.0, 1.0] * wanted)[:wanted])
    assert (again.high - again.low) / 2 <= 0.02
    assert statistics.tasks_for_width(0.02, statistics.mean_interval([1.0]), 1) is None


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    tasks = np.repeat(np.arange(30), 4)
    hits = {"mean": 0, "ignoring tasks": 0, "share": 0}
    rounds = 400
    for _ in range(rounds):
        solved = rng.random(120) < np.repeat(rng.beta(0.5, 0.5, 30), 4)
        for name, found in (
            ("mean", statistics.mean_interval(solved.astype(float).tolist(), tasks.tolist())),
            ("ignoring tasks", statistics.mean_interval(solved.astype(float).tolist())),
            ("share", statistics.share(solved.tolist(), tasks.tolist())),
        ):
            hits[name] += found.low <= 0.5 <= found.high
    assert hits["mean"] / rounds == pytest.approx(0.95, abs=0.03)
    assert hits["share"] / rounds == pytest.approx(0.95, abs=0.03)
    assert hits["ignoring tasks"] / rounds < 0.85  # which is why tasks are clusters


def test_one_task_says_nothing_about_others() -> None:
    assert statistics.mean_interval([0.2, 0.4], ["only", "only"]).low == -math.inf
    assert statistics.mean_interval([0.5]).to_json() == {"mean": 0.5, "low": None, "high": None, "n": 1}
    assert statistics.mean_interval([0.5], bounds=(0, 1)).high < 1


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: statistics.mean_interval([]), "not one episode was judged"),
        (lambda: statistics.mean_interval([1.0, math.nan, math.nan]), "2 of 3 values are not finite"),
        (lambda: statistics.mean_interval([1.0, math.inf]), "unjudged"),
        (lambda: statistics.mean_interval([1.0], ["a", "b"]), "1 values and 2 clusters"),
        (lambda: statistics.mean_interval([0.0, 2.0], bounds=(0, 1)), r"lie in \[0, 1\]"),
        (lambda: statistics.mean_interval([1.0], level=95), "between 0 and 1"),
        (lambda: statistics.wilson(0, 0), "found 0 of 0"),
        (lambda: statistics.wilson(3, 2), "found 3 of 2"),
        (lambda: statistics.pass_at_k(4, 5, 1), "5 of 4"),
        (lambda: statistics.pass_at_k(4, 2, 5), "k = 5 for 4"),
        (lambda: statistics.paired([1.0], [1.0, 2.0]), "found 1 and 2"),
        (lambda: statistics.paired([1.0], [1.0]), "at least two tasks"),
        (lambda: statistics.share([]), "not one episode"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_reason(call: object, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        call()  # type: ignore[operator]


def test_importing_statistics_loads_no_scipy() -> None:
    code = "import sys, proofgym.bench.statistics; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
