"""Figures one can publish: means and shares with intervals, pass@k, and paired comparisons.

Every function takes judged values only. An unjudged episode has no value: take it out and count it first. A `nan` that
slips through is refused, because a mean over it would be wrong in silence or `nan` without a reason.

Several answers to one task resemble each other, so they are not that many independent observations. Wherever it
matters a function takes `clusters`, the task of each value, and widens the interval accordingly.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofgym.errors import BadInput, need

__all__ = [
    "Interval", "Paired", "holm", "mean_interval", "paired", "pass_at_k", "pass_hat_k", "passes", "power", "share",
    "tasks_for_difference", "tasks_for_width", "wilson",
]  # fmt: skip

Floats = NDArray[np.float64]

_MANY = 5000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean, the interval that holds the true one at the asked level, and how many values stand behind it.

    `low` and `high` are infinite where a single task leaves the spread unknown; `to_json` writes those as null.

    >>> print(wilson(8, 10))
    0.800 [0.490, 0.943] (n = 10)
    """

    mean: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int | None]:
        """A plain dictionary; JSON has no infinity, so an unknown end is null."""
        low, high = (end if math.isfinite(end) else None for end in (self.low, self.high))
        return {"mean": self.mean, "low": low, "high": high, "n": self.n}

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}] (n = {self.n})"


@dataclass(frozen=True, slots=True)
class Paired:
    """How two runs over the same tasks differ.

    Args:
        difference: Mean of b - a: positive when b is better.
        low, high: The t interval of the difference.
        p: Two-sided probability of a difference at least this large if there were none. By the t test; where the
            difference never varies, by the signs of the tasks alone.
        effect: The difference in units of its own standard deviation (Cohen's d_z); infinite if it never varies.
        n: Pairs.
        error: Standard error of the difference, clustered by task.
        tasks: Clusters.
    """

    difference: float
    low: float
    high: float
    p: float
    effect: float
    n: int
    error: float = math.nan
    tasks: int = 0

    @property
    def spread(self) -> float:
        """What the standard deviation of tasks would have to be for this standard error, for `power`."""
        return self.error * math.sqrt(self.tasks)

    def to_json(self) -> dict[str, float | int | None]:
        """A plain dictionary; an infinite number is null."""
        values = {name: getattr(self, name) for name in ("difference", "low", "high", "p", "effect", "n", "tasks")}
        return {key: value if math.isfinite(value) else None for key, value in values.items()}


def mean_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    level: float = 0.95,
    *,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    """The mean with its t interval, robust to values that come in clusters.

    Args:
        values: Judged values, in any unit.
        clusters: The task of each value, when a task was tried several times. Degrees of freedom are clusters - 1.
        level: Coverage, such as 0.95.
        bounds: The least and the most a value can be. Ends are clipped to them; and values that are all equal, whose
            t interval has no width, get the widest interval that bounded values allow (Wilson's, scaled) instead.
    Raises:
        BadInput: For no values, values that are not finite or outside the bounds, or lists of unequal length.
        MissingExtra: Without scipy.
    Source:
        The sandwich estimator for a mean, with the factor G / (G - 1): Liang and Zeger 1986; Miller 2024, "Adding
        Error Bars to Evals" (arXiv:2411.00640), section 2.2.

    >>> print(mean_interval([0.0, 1.0, 0.5, 0.5]))
    0.500 [-0.150, 1.150] (n = 4)
    >>> print(mean_interval([0.0, 0.0, 1.0, 1.0], clusters=["p", "p", "q", "q"], bounds=(0, 1)))
    0.500 [0.000, 1.000] (n = 4)
    >>> print(mean_interval([1.0] * 20, bounds=(0, 1)))
    1.000 [0.839, 1.000] (n = 20)
    >>> mean_interval([0.5, float("nan")])
    Traceback (most recent call last):
    proofgym.errors.BadInput: 1 of 2 values is not finite: take unjudged episodes out and count them first
    """
    _check_level(level)
    x = _finite(values)
    least, most = bounds
    if x.min() < least or x.max() > most:
        raise BadInput(f"values lie in [{least:g}, {most:g}], found {x.min():g} to {x.max():g}")
    mean = math.fsum(x) / len(x)
    labels, G = _labels(clusters, len(x))
    if G == 1 and not math.isfinite(most - least):
        return Interval(mean, least, most, len(x))
    if math.isfinite(most - least) and most > least and (G == 1 or x.min() == x.max()):
        low, high = _wilson((mean - least) / (most - least), G, level)
        return Interval(mean, least + low * (most - least), least + high * (most - least), len(x))
    half = _t_quantile(level, G - 1) * _standard_error(x - mean, labels, G)
    return Interval(mean, max(least, mean - half), min(most, mean + half), len(x))


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """The share of successes with Wilson's interval, which stays inside [0, 1] and is right for few trials too.

    Raises:
        BadInput: Unless 0 <= successes <= n and n >= 1.
    Source:
        Wilson 1927; recommended by Brown, Cai and DasGupta 2001.

    >>> print(wilson(0, 20))
    0.000 [0.000, 0.161] (n = 20)
    """
    _check_level(level)
    if n < 1 or not 0 <= successes <= n:
        raise BadInput(f"a share needs 0 <= successes <= n and n >= 1, found {successes} of {n}")
    low, high = _wilson(successes / n, n, level)
    return Interval(successes / n, low, high, n)


def share(solved: Sequence[bool], clusters: Sequence[Hashable] | None = None, level: float = 0.95) -> Interval:
    """The share of solved attempts with Wilson's interval, widened for several attempts at one task.

    With one attempt a task this is `wilson`. Otherwise the number of attempts is divided by the design effect: how
    much larger the cluster-robust variance is than the binomial one, never less than 1. A share of exactly 0 or 1 has
    no variance to compare, and counts each task once.

    Raises:
        BadInput: For no attempts, or lists of unequal length.
    Source:
        The effective sample size of Kish 1965, used as Korn and Graubard 1998 do.

    >>> print(share([True, True, False, False], clusters=["p", "p", "q", "q"]))
    0.500 [0.095, 0.905] (n = 4)
    """
    _check_level(level)
    x = _finite([float(bool(value)) for value in solved])
    n, p = len(x), math.fsum(x) / len(x)
    labels, G = _labels(clusters, n)
    effective = float(G)
    if G > 1 and 0.0 < p < 1.0:
        binomial = p * (1 - p) / n
        effective = n / max(1.0, (_standard_error(x - p, labels, G) ** 2 * (G - 1) / G) / binomial)
    low, high = _wilson(p, effective, level)
    return Interval(p, low, high, n)


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that at least one of k attempts solves the task, estimated without bias from n attempts.

    Args:
        n: Judged attempts at the task.
        c: How many of them solved it.
        k: At most n.
    Raises:
        BadInput: Unless 0 <= c <= n and 1 <= k <= n.
    Source:
        Chen et al. 2021, "Evaluating Large Language Models Trained on Code" (arXiv:2107.03374), equation 1.

    >>> pass_at_k(10, 1, 1), pass_at_k(4, 2, 2)
    (0.1, 0.8333333333333334)
    """
    _check_counts(n, c, k)
    subsets = math.comb(n, k)
    return (subsets - math.comb(n - c, k)) / subsets


def pass_hat_k(n: int, c: int, k: int) -> float:
    """The chance that all of k attempts solve the task (pass^k), estimated without bias from n attempts.

    Raises:
        BadInput: Unless 0 <= c <= n and 1 <= k <= n.
    Source:
        Yao et al. 2024, tau-bench (arXiv:2406.12045), section 3.

    >>> pass_hat_k(10, 5, 1), pass_hat_k(4, 2, 2)
    (0.5, 0.16666666666666666)
    """
    _check_counts(n, c, k)
    return math.comb(c, k) / math.comb(n, k)


def paired(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable] | None = None, level: float = 0.95
) -> Paired:
    """Compare two runs pair by pair, which removes how hard each task is from the noise.

    Args:
        a: Values of the first run, one for each pair.
        b: Values of the second run on the same tasks in the same order; keep only pairs that both runs had judged.
        clusters: The task of each pair, when a task was tried several times.
        level: Coverage of the interval.
    Raises:
        BadInput: For fewer than two tasks, values that are not finite, or lists of unequal length.
        MissingExtra: Without scipy.

    >>> result = paired([0, 0, 1, 0, 1, 0], [1, 0, 1, 1, 1, 0])
    >>> f"{result.difference:.2f} [{result.low:.2f}, {result.high:.2f}], p = {result.p:.2f}, d = {result.effect:.2f}"
    '0.33 [-0.21, 0.88], p = 0.17, d = 0.65'
    """
    _check_level(level)
    if len(a) != len(b):
        raise BadInput(f"pairs need two lists of equal length, found {len(a)} and {len(b)}")
    d = _finite(b) - _finite(a)
    labels, G = _labels(clusters, len(d))
    if G < 2:
        raise BadInput(f"a comparison needs at least two tasks, found {G}")
    mean = math.fsum(d) / len(d)
    if d.min() == d.max():  # the difference never varies: no width to the interval, and only signs to test
        same = mean == 0
        effect = 0.0 if same else math.copysign(math.inf, mean)
        return Paired(mean, mean, mean, 1.0 if same else 2.0 ** (1 - G), effect, len(d), 0.0, G)
    error = _standard_error(d - mean, labels, G)
    half = _t_quantile(level, G - 1) * error
    p = 2 * float(_special().stdtr(G - 1, -abs(mean) / error)) if error > 0 else float(mean == 0)
    return Paired(mean, mean - half, mean + half, p, mean / float(d.std(ddof=1)), len(d), error, G)


def passes(
    solved: Sequence[bool], clusters: Sequence[Hashable], k: int, *, every: bool = False, level: float = 0.95
) -> Interval | None:
    """pass@k over tasks, or pass^k with `every`: the mean of the tasks' unbiased estimates and its interval.

    Args:
        solved: One for each judged attempt.
        clusters: The task of each.
        k: Tasks with fewer judged attempts are left out.
        every: All of k attempts have to solve the task, instead of at least one.
    Returns:
        `n` is the number of tasks; None if no task has k judged attempts.

    >>> print(passes([True, False, False, False], ["p", "p", "q", "q"], 2))
    0.500 [0.000, 1.000] (n = 2)
    """
    counts: dict[Hashable, list[int]] = {}
    for right, task in zip(solved, clusters, strict=True):
        count = counts.setdefault(task, [0, 0])
        count[0] += 1
        count[1] += bool(right)
    estimate = pass_hat_k if every else pass_at_k
    values = [estimate(n, c, k) for n, c in counts.values() if n >= k]
    return mean_interval(values, level=level, bounds=(0.0, 1.0)) if values else None


def power(difference: float, spread: float, tasks: int, level: float = 0.95) -> float:
    """The chance that a two-sided paired t test over so many tasks finds a difference that is there.

    Args:
        difference: The true mean difference.
        spread: The standard deviation of the tasks' differences; above 0.
        tasks: At least 2.
        level: 1 minus the test's level.
    Source:
        Cohen 1988, chapter 2: the noncentral t distribution.

    >>> round(power(0.5, 1.0, 34), 3)
    0.808
    """
    _check_level(level)
    if spread <= 0 or tasks < 2:
        raise BadInput(f"power needs a spread above 0 and at least 2 tasks, found {spread:g} and {tasks}")
    shift = abs(difference) / spread * math.sqrt(tasks)
    if tasks > _MANY:  # the t distribution is the normal one here, and the series for the other is slow
        z, normal = NormalDist().inv_cdf((1 + level) / 2), NormalDist()
        return normal.cdf(shift - z) + normal.cdf(-shift - z)
    critical = _t_quantile(level, tasks - 1)
    above, below = (float(_special().nctdtr(tasks - 1, shift, end)) for end in (critical, -critical))
    below = below if math.isfinite(below) else 0.0  # too small for the series
    return 1.0 - above + below if math.isfinite(above) else 1.0


def tasks_for_difference(difference: float, spread: float, chance: float = 0.8, level: float = 0.95) -> int:
    """How many tasks a paired comparison needs to find a difference with this chance.

    >>> tasks_for_difference(0.5, 1.0)
    34
    """
    if difference == 0 or not 0.0 < chance < 1.0:
        raise BadInput("a difference of 0 is never found, and a chance lies between 0 and 1")
    few, many = 1, 2
    while power(difference, spread, many, level) < chance:
        few, many = many, many * 2
        if many > 2**50:
            raise BadInput(f"a difference of {difference:g} is lost in a spread of {spread:g}")
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if power(difference, spread, middle, level) >= chance else (middle, many)
    return many


def tasks_for_width(half_width: float, interval: Interval, tasks: int) -> int | None:
    """How many tasks would bring a mean's interval down to +- `half_width`, if they vary as these did.

    Args:
        interval: A t interval that was not clipped at a bound, or its wider end counts.
        tasks: Clusters behind it.
    Returns:
        None where the interval has no width or no end.
    """
    half = max(interval.high - interval.mean, interval.mean - interval.low)
    if not math.isfinite(half) or half <= 0:
        return None
    return math.ceil(tasks * (half / half_width) ** 2)


def holm(ps: Sequence[float]) -> list[float]:
    """Probabilities adjusted so that the chance of any false finding among them stays at the level.

    Source:
        Holm 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(ps)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(ps)), key=lambda at: ps[at])):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[place]))
        adjusted[place] = highest
    return adjusted


# Inside ---------------------------------------------------------------------------------------------------------------


def _special() -> Any:
    return need("scipy.special", "eval")  # the t distribution without the half second that scipy.stats takes to load


def _t_quantile(level: float, freedom: int) -> float:
    return float(_special().stdtrit(freedom, (1 + level) / 2))


def _standard_error(residuals: Floats, labels: NDArray[np.intp], G: int) -> float:
    sums = np.bincount(labels, weights=residuals, minlength=G)
    return math.sqrt(G / (G - 1) * math.fsum(sums**2)) / len(residuals)


def _wilson(p: float, n: float, level: float) -> tuple[float, float]:
    z2 = NormalDist().inv_cdf((1 + level) / 2) ** 2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 / n * (p * (1 - p) + z2 / (4 * n))) / (1 + z2 / n)
    return (0.0 if p == 0 else max(0.0, middle - half)), (1.0 if p == 1 else min(1.0, middle + half))


def _labels(clusters: Sequence[Hashable] | None, n: int) -> tuple[NDArray[np.intp], int]:
    if clusters is None:
        return np.arange(n), n
    if len(clusters) != n:
        raise BadInput(f"each value belongs to one cluster, found {n} values and {len(clusters)} clusters")
    seen: dict[Hashable, int] = {}
    labels = np.array([seen.setdefault(cluster, len(seen)) for cluster in clusters], dtype=np.intp)
    return labels, len(seen)


def _finite(values: Sequence[float]) -> Floats:
    x = np.asarray(values, dtype=np.float64)
    if x.size == 0:
        raise BadInput("no values: not one episode was judged")
    bad = int(np.count_nonzero(~np.isfinite(x)))
    if bad:
        verb = "is" if bad == 1 else "are"
        raise BadInput(f"{bad} of {x.size} values {verb} not finite: take unjudged episodes out and count them first")
    return x


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise BadInput(f"a confidence level lies between 0 and 1, found {level!r}")


def _check_counts(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n:
        raise BadInput(f"{c} of {n} attempts cannot have solved the task")
    if not 1 <= k <= n:
        raise BadInput(f"k lies between 1 and the number of judged attempts, found k = {k} for {n}")
