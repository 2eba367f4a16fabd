"""How far a judge can be trusted: its verdicts against labelled examples.

Unjudged examples are no verdicts: they are counted and left out of every figure, so a judge that abstains looks as
good as its verdicts are; look at both. Intervals are 95 %: Wilson's for shares, the percentile bootstrap over examples
for kappa and AUC, with a fixed seed.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proofgym.chat import Usage
from proofgym.errors import BadInput, Unjudged
from proofgym.verifiers.judge.judge import Judge, Judgement, Undecided

__all__ = [
    "SHIPPED", "Calibration", "Example", "Isotonic", "Outcome", "Platt", "auc", "calibrate", "examples", "kappa",
    "measure", "reliability", "svg",
]  # fmt: skip

Floats = NDArray[np.float64]
Range = tuple[float, float, float]
SHIPPED = Path(__file__).parent / "data" / "equivalence.jsonl"
"""The labelled set that comes along."""
_RESAMPLES, _Z = 1000, 1.959963984540054


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled answer; `rubric` names a shipped rubric, or is empty for the judge's own."""

    question: str
    reference: str | None
    answer: str
    correct: bool
    kind: str = ""
    rubric: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge said about one example: a judgement, or why there is none and what that cost."""

    example: Example
    judgement: Judgement | None
    why: str = ""
    calls: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The figures. A triple is a value with the ends of its 95 % interval.

    Args:
        n: Examples.
        unjudged: Of those; the rest counts below.
        accuracy: Share of verdicts that agree with the label.
        false_positive: Share of wrong answers judged correct.
        false_negative: Share of right answers judged not correct.
        kappa: Cohen's kappa; 0 is chance.
        auc: Chance that a right answer is believed more than a wrong one; `None` if one side is missing.
        ece: Expected calibration error of the judge's belief, in ten bins of equal width.
        by_kind: For every kind of example: verdicts, those that agree, and unjudged ones.
        bins: `reliability` of the beliefs.
        calls, prompt_tokens, completion_tokens: What it cost.
    """

    n: int
    unjudged: int
    accuracy: Range | None
    false_positive: Range | None
    false_negative: Range | None
    kappa: Range | None
    auc: Range | None
    ece: float | None
    by_kind: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    bins: tuple[tuple[float, float, int], ...] = ()
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary."""
        from dataclasses import asdict

        return asdict(self)

    def __str__(self) -> str:
        def shown(name: str, found: Range | None) -> str:
            text = "-" if found is None else f"{found[0]:.3f} [{found[1]:.3f}, {found[2]:.3f}]"
            return f"{name:<16} {text}"

        rows = [
            f"{'examples':<16} {self.n}, of which {self.unjudged} unjudged",
            shown("accuracy", self.accuracy), shown("false positives", self.false_positive),
            shown("false negatives", self.false_negative), shown("Cohen's kappa", self.kappa), shown("AUC", self.auc),
            f"{'ECE':<16} {'-' if self.ece is None else format(self.ece, '.3f')}",
            f"{'cost':<16} {self.calls} calls, {self.prompt_tokens} + {self.completion_tokens} tokens",
        ]  # fmt: skip
        return "\n".join(rows)


def examples(path: str | Path = SHIPPED) -> list[Example]:
    """Read labelled examples, one JSON object a line: question, reference, answer, correct; kind and rubric if wanted.

    Raises:
        BadInput: For a line that is none, with its number.

    >>> len(examples()) >= 200
    True
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            reference = row.get("reference")
            if type(row["correct"]) is not bool or not all(isinstance(row[key], str) for key in ("question", "answer")):
                raise TypeError("question and answer are text, and correct is true or false")
            if reference is not None and not isinstance(reference, str):
                raise TypeError("a reference is text")
            found.append(
                Example(
                    row["question"], reference, row["answer"], row["correct"], str(row.get("kind", "")),
                    str(row.get("rubric", "")),
                )
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"{path}, line {number}: {type(error).__name__}: {error}") from error
    if not found:
        raise BadInput(f"{path} holds no examples")
    return found


def calibrate(
    judge: Judge, rows: Sequence[Example], *, workers: int = 1, progress: Callable[[], None] | None = None
) -> list[Outcome]:
    """Ask a judge about every example, in order.

    Args:
        workers: Threads; more than one helps with an endpoint.
        progress: Called after each example.
    """
    judges = {name: Judge(judge.model, name, judge.config) for name in {row.rubric for row in rows} if name}

    def one(row: Example) -> Outcome:
        try:
            bound = judges.get(row.rubric, judge).bind(row.question, row.reference)
            found = bound.examine(row.answer)
            outcome = Outcome(row, found, "", found.calls, found.usage)
        except Undecided as error:
            outcome = Outcome(row, None, str(error), error.calls, error.usage)
        except Unjudged as error:
            outcome = Outcome(row, None, str(error))
        if progress is not None:
            progress()
        return outcome

    if workers <= 1:
        return [one(row) for row in rows]
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(one, rows))


def measure(outcomes: Sequence[Outcome]) -> Calibration:
    """The figures of a calibration."""
    judged = [(o.example, o.judgement) for o in outcomes if o.judgement is not None]
    truth = np.array([example.correct for example, _ in judged], dtype=bool)
    said = np.array([judgement.verdict.correct for _, judgement in judged], dtype=bool)
    belief = np.array([_belief(judgement) for _, judgement in judged], dtype=np.float64)
    kinds: dict[str, tuple[int, int, int]] = {}
    for outcome in outcomes:
        found, agreed, lost = kinds.get(outcome.example.kind, (0, 0, 0))
        if outcome.judgement is None:
            lost += 1
        else:
            found += 1
            agreed += outcome.judgement.verdict.correct == outcome.example.correct
        kinds[outcome.example.kind] = (found, agreed, lost)
    bins = reliability(belief, truth)
    several = len(judged) > 1
    return Calibration(
        len(outcomes), len(outcomes) - len(judged), _share(said == truth), _share(said[~truth]), _share(~said[truth]),
        _bootstrap(lambda index: kappa(truth[index], said[index]), len(judged)) if several else None,
        _bootstrap(lambda index: auc(truth[index], belief[index]), len(judged)) if several else None,
        math.fsum(abs(mean - share) * count for mean, share, count in bins) / len(judged) if judged else None,
        kinds, bins, sum(o.calls for o in outcomes), sum(o.usage.prompt_tokens for o in outcomes),
        sum(o.usage.completion_tokens for o in outcomes),
    )  # fmt: skip


def _belief(judgement: Judgement) -> float:
    return judgement.verdict.score if judgement.belief is None else judgement.belief


def kappa(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float | None:
    """Cohen's kappa: agreement beyond chance; `None` if chance alone agrees fully.

    >>> kappa(np.array([True, True, False, False]), np.array([True, False, False, False]))
    0.5
    """
    if len(truth) == 0:
        return None
    observed = float(np.mean(truth == said))
    chance = float(truth.mean() * said.mean() + (1 - truth.mean()) * (1 - said.mean()))
    return None if chance >= 1 - 1e-12 else (observed - chance) / (1 - chance)


def auc(truth: NDArray[np.bool_], belief: Floats) -> float | None:
    """The area under the ROC curve, ties counted half; `None` if one side is missing.

    >>> auc(np.array([True, True, False]), np.array([0.9, 0.4, 0.4]))
    0.75
    """
    right, wrong = belief[truth], belief[~truth]
    if not len(right) or not len(wrong):
        return None
    order = np.sort(wrong)
    below = np.searchsorted(order, right, side="left")
    ties = np.searchsorted(order, right, side="right") - below
    return float((below.sum() + 0.5 * ties.sum()) / (len(right) * len(wrong)))


def reliability(belief: Floats, truth: NDArray[np.bool_], bins: int = 10) -> tuple[tuple[float, float, int], ...]:
    """For every bin that is not empty: the mean belief, the share that is right, and how many there are.

    >>> reliability(np.array([0.05, 0.95, 1.0]), np.array([False, True, False]))
    ((0.05, 0.0, 1), (0.975, 0.5, 2))
    """
    places = np.minimum((belief * bins).astype(int), bins - 1)
    found = []
    for place in range(bins):
        here = places == place
        if here.any():
            found.append((float(belief[here].mean()), float(truth[here].mean()), int(here.sum())))
    return tuple(found)


# From a judge's belief to a probability -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising step function fitted by pooling adjacent violators; it needs a few hundred examples.

    >>> fitted = Isotonic.fit(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, True, False, True]))
    >>> [fitted(x) for x in (0.0, 0.5, 0.9)]
    [0.0, 0.5, 1.0]
    """

    edges: tuple[float, ...]
    values: tuple[float, ...]

    @classmethod
    def fit(cls, belief: Floats, truth: NDArray[np.bool_]) -> Isotonic:
        """Fit to beliefs and labels of equal length, at least one."""
        _check_fit(belief, truth)
        blocks: list[list[float]] = []  # sum, count, first belief
        order = np.argsort(belief, kind="stable")
        for x in np.unique(belief):
            here = truth[order][belief[order] == x]
            blocks.append([float(here.sum()), float(len(here)), float(x)])
            while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
                last = blocks.pop()
                blocks[-1][0] += last[0]
                blocks[-1][1] += last[1]
        return cls(tuple(block[2] for block in blocks), tuple(block[0] / block[1] for block in blocks))

    def __call__(self, belief: float) -> float:
        """The probability for a belief."""
        place = int(np.searchsorted(np.array(self.edges), belief, side="right")) - 1
        return self.values[max(0, place)]


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic curve over the belief's log-odds; two parameters, for few examples.

    Source: Platt 1999, with his smoothed targets; fitted by Newton's method with a small ridge.
    """

    slope: float
    offset: float

    @classmethod
    def fit(cls, belief: Floats, truth: NDArray[np.bool_]) -> Platt:
        """Fit to beliefs and labels of equal length, at least one."""
        _check_fit(belief, truth)
        x = np.stack([_odds(belief), np.ones(len(belief))], axis=1)
        right = float(truth.sum())
        wrong = len(truth) - right
        target = np.where(truth, (right + 1) / (right + 2), 1 / (wrong + 2))
        w = np.array([1.0, 0.0])
        for _ in range(50):
            p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
            gradient = x.T @ (p - target) + 1e-3 * w
            hessian = (x * (p * (1 - p))[:, None]).T @ x + 1e-3 * np.eye(2)
            step = np.linalg.solve(hessian, gradient)
            w = w - step
            if float(np.abs(step).max()) < 1e-9:
                break
        return cls(float(w[0]), float(w[1]))

    def __call__(self, belief: float) -> float:
        """The probability for a belief."""
        z = self.slope * float(_odds(np.array([belief]))[0]) + self.offset
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))


def _odds(belief: Floats) -> Floats:
    clipped = np.clip(belief, 1e-3, 1 - 1e-3)
    odds: Floats = np.log(clipped / (1 - clipped))
    return odds


def _check_fit(belief: Floats, truth: NDArray[np.bool_]) -> None:
    if len(belief) != len(truth) or not len(belief) or not np.isfinite(belief).all():
        raise BadInput(f"a fit needs as many labels as finite beliefs, at least one; found {len(truth)}, {len(belief)}")


# Inside ---------------------------------------------------------------------------------------------------------------


def _share(hits: NDArray[np.bool_]) -> Range | None:
    n = len(hits)
    if not n:
        return None
    p, z2 = float(hits.mean()), _Z**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 / n * (p * (1 - p) + z2 / (4 * n))) / (1 + z2 / n)
    return p, 0.0 if p == 0 else max(0.0, middle - half), 1.0 if p == 1 else min(1.0, middle + half)


def _bootstrap(figure: Callable[[Any], float | None], n: int) -> Range | None:
    value = figure(np.arange(n))
    if value is None:
        return None
    rng = np.random.default_rng(0)
    drawn = [found for _ in range(_RESAMPLES) if (found := figure(rng.integers(n, size=n))) is not None]
    low, high = np.quantile(np.array(drawn), [0.025, 0.975]) if drawn else (math.nan, math.nan)
    return value, float(low), float(high)


def svg(found: Calibration, title: str = "") -> str:
    """The reliability plot as a standalone SVG: belief against the share that is right, area by count."""
    side, margin = 320, 46
    total = max(1, sum(count for *_, count in found.bins))

    def at(x: float, y: float) -> tuple[float, float]:
        return margin + x * side, margin + (1 - y) * side

    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    whole = side + 2 * margin
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{whole}" viewBox="0 0 {whole} {whole}" '
        'font-family="sans-serif" font-size="12" role="img">'
    )
    parts = [
        head,
        f"<title>{html.escape(title or 'Reliability of a judge')}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<rect x="{x0}" y="{y1}" width="{side}" height="{side}" fill="none" stroke="#999"/>',
        f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="#999" stroke-dasharray="4 4"/>',
    ]
    for i in (0.0, 0.5, 1.0):
        (x, _), (_, y) = at(i, 0), at(0, i)
        parts.append(f'<text x="{x}" y="{y0 + 16}" text-anchor="middle">{i:g}</text>')
        parts.append(f'<text x="{x0 - 8}" y="{y + 4}" text-anchor="end">{i:g}</text>')
    for mean, share, count in found.bins:
        x, y = at(mean, share)
        low, high = _wilson_ends(share, count)
        parts.append(
            f'<line x1="{x:.1f}" y1="{at(0, low)[1]:.1f}" x2="{x:.1f}" y2="{at(0, high)[1]:.1f}" stroke="#3949ab"/>'
        )
        radius = 3 + 14 * math.sqrt(count / total)
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="#3949ab" fill-opacity="0.6">'
            f"<title>{count} answers, believed {mean:.2f}, right {share:.2f}</title></circle>"
        )
    middle = margin + side / 2
    parts.append(f'<text x="{middle}" y="{margin + side + 34}" text-anchor="middle">the judge\'s belief</text>')
    parts.append(
        f'<text x="14" y="{middle}" text-anchor="middle" transform="rotate(-90 14 {middle})">share that is right</text>'
    )
    parts.append(f'<text x="{middle}" y="24" text-anchor="middle">{html.escape(title)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _wilson_ends(share: float, count: int) -> tuple[float, float]:
    hits = np.zeros(count, dtype=bool)
    hits[: round(share * count)] = True
    found = _share(hits)
    return (0.0, 1.0) if found is None else found[1:]
