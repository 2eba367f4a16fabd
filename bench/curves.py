"""Learning curves as inline SVG that takes its colours and its font from the page around it."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proofgym.bench.runs import number
from proofgym.errors import need

__all__ = ["Curve", "beside", "curves"]

_STAGES = ("warm_start", "grpo")
_STAGE_NAMES = {"warm_start": "warm start (supervised steps)", "grpo": "GRPO (updates)"}
# Colours that stand for the page's own, replaced after drawing: a dark page gets a dark plot without drawing twice.
_PAGE_COLOURS = {
    "#010101": "var(--ink)",
    "#020202": "var(--soft)",
    "#030303": "var(--line)",
    "#040404": "var(--accent)",
    "#050505": "var(--run1)",
    "#060606": "var(--run2)",
    "#070707": "var(--run3)",
    "#080808": "var(--run4)",
    "#090909": "var(--run5)",
}
_INK, _SOFT, _LINE, _ACCENT, *_OTHERS = _PAGE_COLOURS
_RUNS = (_ACCENT, *_OTHERS)
_DIAGNOSTICS = {
    "reward": "Mean reward of sampled episodes",
    "loss": "Loss",
    "entropy": "Entropy (nats per token)",
    "kl": "KL to the reference (nats per token)",
    "clip_share": "Share of tokens clipped",
    "grad_norm": "Gradient norm",
}


@dataclass(frozen=True, slots=True)
class Curve:
    """One drawing: a title, what it shows in words for those who cannot see it, and the SVG."""

    title: str
    words: str
    svg: str
    wide: bool


def curves(metrics: Sequence[Mapping[str, Any]]) -> list[Curve]:
    """Every curve that the metrics of a run allow: held-out accuracy first, then reward, loss and diagnostics."""
    stages = _by_stage(metrics)
    drawn = []
    accuracy = {name: rows for name, (_, rows) in stages.items() if any(_number(row, "accuracy") for row in rows)}
    if accuracy:
        drawn.append(_accuracy(accuracy))
    for key, title in _DIAGNOSTICS.items():
        series = {name: _series(rows, key) for name, (rows, _) in stages.items()}
        series = {name: points for name, points in series.items() if _moves(points)}
        if series:
            drawn.append(_small(key, title, series))
    return drawn


def beside(runs: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[Curve]:
    """What several runs have in common, a line for each: the last stage of training, where at least two have it.

    Args:
        runs: The name and the metrics of each; the colour goes by the place.
    """
    staged = [(name, _by_stage(metrics)) for name, metrics in runs]
    for stage in reversed(_STAGES):
        if sum(stage in stages for _, stages in staged) > 1:
            break
    else:
        return []
    drawn = []
    for key, title in {"accuracy": "Held-out accuracy", **_DIAGNOSTICS}.items():
        series = {
            place: (name, _series(stages[stage][key == "accuracy"], key))
            for place, (name, stages) in enumerate(staged)
            if stage in stages
        }
        series = {place: found for place, found in series.items() if _moves(found[1])}
        if len(series) > 1:
            drawn.append(_overlaid(key, title, stage, series))
    return drawn


def _overlaid(key: str, title: str, stage: str, series: Mapping[int, tuple[str, list[tuple[int, float]]]]) -> Curve:
    wide = key == "accuracy"
    figure, (axis,) = _figure([1.0], (9.6, 3.1) if wide else (3.5, 2.0))
    words = []
    for place, (name, points) in series.items():
        steps, values = zip(*points, strict=True)
        shown = values if wide or len(values) <= 12 else _smooth(values)
        axis.plot(
            steps, shown, color=_RUNS[place % len(_RUNS)], linewidth=1.8, marker="o" if wide else "", markersize=4
        )
        words.append(f"{name}: {values[0]:.3g} to {values[-1]:.3g}")
    axis.set_xlabel(_STAGE_NAMES[stage] if wide else _STAGE_NAMES[stage].split(" (")[0], color=_SOFT, fontsize=9)
    axis.margins(x=0.02, y=0.12)
    axis.locator_params(axis="x", integer=True, nbins=10 if wide else 4)
    return Curve(title, "; ".join(words), _svg(figure, f"beside {key}"), wide)


Rows = list[Mapping[str, Any]]


def _by_stage(metrics: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Rows, Rows]]:
    """Training rows and validation rows of each stage.

    Lines are in the order of time, and each stage counts its own steps from 0. A validation line belongs to the stage
    that is running, or to the next one when its step has fallen back. A step that was logged again after a resume
    counts once, as it was logged last.
    """
    found: dict[str, tuple[dict[int, Mapping[str, Any]], dict[int, Mapping[str, Any]]]] = {}
    stage, last = "", 0
    order = [name for name in _STAGES if any(row["stage"] == name for row in metrics)]
    for row in metrics:
        name, step = row["stage"], row["step"]
        if name in _STAGES:
            stage, last = name, step
            found.setdefault(name, ({}, {}))[0][step] = row
        elif name == "validation" and order:
            place = order.index(stage) if stage in order else 0
            if step < last and place + 1 < len(order):
                place += 1
            found.setdefault(order[place], ({}, {}))[1][step] = row
    return {
        name: tuple([rows[step] for step in sorted(rows)] for rows in found[name])  # type: ignore[misc]
        for name in order
        if name in found
    }


def _number(row: Mapping[str, Any], key: str) -> list[float]:
    value = number(row.get(key))
    return [] if value is None else [value]


def _series(rows: Rows, key: str) -> list[tuple[int, float]]:
    return [(row["step"], value) for row in rows for value in _number(row, key)]


def _moves(points: Sequence[tuple[int, float]]) -> bool:
    """Whether there is something to see: a lever that was left at 0 needs no plot."""
    return len(points) > 1 and any(value for _, value in points)


def _figure(widths: Sequence[float], size: tuple[float, float]) -> tuple[Any, list[Any]]:
    figure = need("matplotlib.figure", "eval").Figure(figsize=size, layout="constrained")
    axes = list(figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0])
    for axis in axes:
        axis.grid(axis="y", color=_LINE, linewidth=0.8)
        axis.set_axisbelow(True)
        axis.tick_params(length=0, colors=_SOFT, labelsize=9)
        for name, spine in axis.spines.items():
            spine.set_visible(name == "bottom")
            spine.set_color(_LINE)
    return figure, axes


def _accuracy(stages: Mapping[str, Rows]) -> Curve:
    widths = [0.6 if name == "warm_start" and len(stages) > 1 else 1.0 for name in stages]
    figure, axes = _figure(widths, (9.6, 3.1))
    words = []
    for axis, (name, rows) in zip(axes, stages.items(), strict=True):
        points = _series(rows, "accuracy")
        band = [
            (row["step"], low, high)
            for row in rows
            for low in _number(row, "accuracy_low")
            for high in _number(row, "accuracy_high")
        ]
        if band:
            steps, lows, highs = zip(*band, strict=True)
            axis.fill_between(steps, lows, highs, color=_ACCENT, alpha=0.16, linewidth=0)
        axis.plot(*zip(*points, strict=True), color=_ACCENT, linewidth=2, marker="o", markersize=4)
        axis.set_ylim(-0.02, 1.02)
        axis.locator_params(axis="x", integer=True)
        if len(points) == 1:
            axis.set_xlim(0, 2 * max(1, points[0][0]))
        axis.set_xlabel(_STAGE_NAMES[name], color=_SOFT, fontsize=9)
        axis.annotate(
            f"{points[-1][1]:.2f}", points[-1], xytext=(0, 9), textcoords="offset points", ha="center",
            color=_INK, fontsize=10, fontweight="bold",
        )  # fmt: skip
        words.append(f"{_STAGE_NAMES[name]}: {points[0][1]:.2f} to {points[-1][1]:.2f}")
    for axis in axes[1:]:
        axis.set_yticklabels([])
    return Curve("Held-out accuracy", "; ".join(words), _svg(figure, "accuracy"), wide=True)


def _small(key: str, title: str, series: Mapping[str, list[tuple[int, float]]]) -> Curve:
    figure, axes = _figure([1.0] * len(series), (3.5, 2.0))
    words = []
    for axis, (name, points) in zip(axes, series.items(), strict=True):
        steps, values = zip(*points, strict=True)
        smooth = _smooth(values)
        if len(values) > 12:
            axis.plot(steps, values, color=_ACCENT, linewidth=0.8, alpha=0.35)
        axis.plot(steps, smooth if len(values) > 12 else values, color=_ACCENT, linewidth=1.8)
        axis.set_xlabel(_STAGE_NAMES[name].split(" (")[0], color=_SOFT, fontsize=9)
        axis.margins(x=0.02, y=0.12)
        axis.locator_params(nbins=4)
        words.append(f"{_STAGE_NAMES[name]}: {values[0]:.3g} to {values[-1]:.3g}")
    return Curve(title, "; ".join(words), _svg(figure, key), wide=False)


def _smooth(values: Sequence[float]) -> list[float]:
    """A centred mean over a tenth of the run, drawn over the raw line and never instead of it."""
    reach = max(1, len(values) // 20)
    windows = (values[max(0, i - reach) : i + reach + 1] for i in range(len(values)))
    return [math.fsum(window) / len(window) for window in windows]


def _svg(figure: Any, name: str) -> str:
    matplotlib = need("matplotlib", "eval")
    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": f"proofgym {name}", "svg.fonttype": "none"}):
        metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=metadata)
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)
    svg = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>',
        r'<svg \1 xmlns:xlink="http://www.w3.org/1999/xlink" role="img">',
        svg,
        count=1,
    )
    for stand_in, colour in _PAGE_COLOURS.items():
        svg = svg.replace(stand_in, colour)
    return svg
