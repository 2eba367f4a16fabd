"""What `eval`, `compare`, `rescore` and `leaderboard` print: figures with their intervals, in rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from proofgym.bench.compare import Comparison, Difference
from proofgym.bench.hidden import named
from proofgym.bench.leaderboard import Board
from proofgym.bench.rescore import Rescored
from proofgym.bench.summary import POINTS, EnvResult, Slice

__all__ = ["board", "comparison", "evaluation", "rescored"]

_FLIPS_SHOWN = 20


def evaluation(results: Sequence[EnvResult], notes: Sequence[str] = ()) -> RenderableType:
    """The results of an evaluation: a table, and what the table does not say."""
    drawn = _table("environment", "judged", "unjudged", "mean reward", "solved", "tokens", "seconds")
    for result in results:
        drawn.add_row(
            Text(_short(result.env), "bold"), *_counts(result), *_figures(result),
            f"{result.tokens:.0f}", f"{result.seconds:.1f}",
        )  # fmt: skip
        parts = [*result.by_family.items(), *((f"level {name}", part) for name, part in result.by_level.items())]
        for name, part in parts:
            drawn.add_row(Text(f"  {name}", "dim"), *_counts(part), *_figures(part), "", "")
    return Group(drawn, *(Text(said) for said in (*_sentences(results), *notes)))


def comparison(found: Comparison) -> RenderableType:
    """Two runs beside each other."""
    drawn = _table(f"mean {found.metric}", "tasks", "A", "B", "B - A", "p", "d", "B better", "B worse")
    for name, part in found.by_env.items():
        drawn.add_row(Text(_short(name), "bold"), *_difference(part))
        for label, parts in (("", found.by_family), ("level ", found.by_level)):
            for part_name, inner in parts.items():
                if part_name.startswith(f"{name}: "):
                    short = part_name.removeprefix(f"{name}: ")
                    drawn.add_row(Text(f"  {label}{short}", "dim"), *_difference(inner))
    if len(found.by_env) > 1:
        drawn.add_row(Text("all", "bold"), *_difference(found.overall))
    said = [f"A = {found.a}", f"B = {found.b}"]
    left_out = [f"not compared: {count} tasks, {why}" for why, count in found.unmatched.items()]
    return Group(*map(Text, said), drawn, Text(found.overall.sentence()), *(Text(text, "yellow") for text in left_out))


def rescored(found: Rescored) -> RenderableType:
    """What flips, who was right, and what it does to the mean."""
    parts: list[RenderableType] = []
    flips = [flip for flip in found.flips if flip.solved]
    others = len(found.flips) - len(flips)
    for flip in (flips or found.flips)[:_FLIPS_SHOWN]:
        right = f"  ({flip.right} was right)" if flip.right else ""
        where = f"{_short(flip.env)} seed {flip.seed}, item {flip.index}, attempt {flip.sample}"
        parts.append(Text.assemble((where, "bold"), right))
        parts.append(Text(f"  before  {_verdict(flip.before)}"))
        parts.append(Text(f"  after   {_verdict(flip.after)}"))
    shown = min(_FLIPS_SHOWN, len(flips or found.flips))
    hidden = len(flips or found.flips) - shown
    if hidden:
        parts.append(Text(f"... and {hidden} more; summary.json of the new run has them all", "dim"))
    parts.append(
        Text(f"{found.episodes} episodes: {len(flips)} flips between solved and not, {others} other changes of verdict")
    )
    if found.paired is not None and found.solved is not None:
        for name, d in (("mean reward", found.paired), ("solved", found.solved)):
            interval = f"{100 * d.difference:+.1f} points [{100 * d.low:+.1f}, {100 * d.high:+.1f}], p = {d.p:.2g}"
            parts.append(Text(f"{name}, after - before: {interval} over {d.tasks} tasks"))
    for name, share in found.agreement.items():
        parts.append(Text(f"agrees with the labels {name}: {share}"))
    for count, said in (
        (found.newly_unjudged, "episodes cannot be judged any more; they are in no figure"),
        (found.newly_judged, "episodes could not be judged before and are now; they are in no difference"),
        (found.broken, "damaged lines were left out"),
    ):
        if count:
            parts.append(Text(f"{count} {said}", "yellow"))
    parts += [Text(f"  {count} unjudged: {named(why)}", "yellow") for why, count in found.faults.items()]
    return Group(*parts)


def board(found: Board, metric: str = "reward") -> RenderableType:
    """The leaderboard, environment by environment."""
    parts: list[RenderableType] = []
    for env, entries in found.envs.items():
        drawn = _table(_short(env), "model", "judged", "unjudged", "mean reward", "solved", "ahead of")
        names = {entry.run: number for number, entry in enumerate(entries, start=1)}
        for entry in entries:
            beats = ", ".join(str(n) for n in sorted(names[run] for run in entry.beats if run in names))
            apart = ", ".join(str(n) for n in sorted({names[run] for run in entry.uncompared if run in names}))
            drawn.add_row(
                Text.assemble((f"{names[entry.run]}. ", "dim"), (entry.run, "bold")), Text(entry.model or "-"),
                *_counts(entry.result), *_figures(entry.result),
                (f"{beats}" or "-") + (f" (shares no tasks with {apart})" if apart else ""),
            )  # fmt: skip
        parts += [drawn, Text("")]
    parts.append(
        Text(f"ahead of: a paired difference in {metric} on shared tasks, p < 0.05 after Holm's correction", "dim")
    )
    return Group(*parts, *(Text(problem, "yellow") for problem in found.problems))


# Inside ---------------------------------------------------------------------------------------------------------------


def _sentences(results: Sequence[EnvResult]) -> Iterator[str]:
    for result in results:
        name = _short(result.env)
        if result.pass_at:
            at = [f"pass@{k} {_interval(found)}" for k, found in result.pass_at.items()]
            hat = [f"pass^{k} {_interval(found)}" for k, found in result.pass_hat.items() if k > 1]
            yield f"{name}: {', '.join([*at, *hat])}"
        if result.more_tasks:
            points = f"{100 * POINTS:.0f} points"
            yield f"{name}: {result.more_tasks:,} more tasks narrow the mean's interval to +-{points}"
        for fault, count in result.faults.items():
            yield f"{name}: {count} unjudged: {named(fault)}"
    read, written = (sum(getattr(r, key) for r in results) for key in ("prompt_tokens", "completion_tokens"))
    costs = [result.cost_usd for result in results if result.cost_usd is not None]
    if read or written:
        yield f"{read:,} tokens read, {written:,} written" + (f", ${math.fsum(costs):.4f}" if costs else "")


def _interval(found: Mapping[str, Any]) -> str:
    low, high = found["low"], found["high"]
    return f"{found['mean']:.3f}" + ("" if low is None or high is None else f" [{low:.3f}, {high:.3f}]")


def _table(first: str, *columns: str) -> Table:
    drawn = Table(box=None, header_style="dim", pad_edge=False)
    drawn.add_column(first, no_wrap=True)
    for name in columns:
        drawn.add_column(name, justify="left" if name in ("model", "ahead of") else "right", no_wrap=True)
    return drawn


def _counts(part: EnvResult | Slice) -> tuple[Text, Text]:
    return Text(str(part.n)), Text(str(part.unjudged), "yellow" if part.unjudged else "")


def _figures(part: EnvResult | Slice) -> tuple[Text, Text]:
    return _figure(part.mean, part.low, part.high), _figure(part.solved, part.solved_low, part.solved_high)


def _figure(value: float | None, low: float | None, high: float | None) -> Text:
    if value is None or not math.isfinite(value):
        return Text("-")
    known = low is not None and high is not None and math.isfinite(low) and math.isfinite(high)
    return Text.assemble((f"{value:.3f}", "bold"), (f" [{low:.3f}, {high:.3f}]" if known else " no interval", "dim"))


def _difference(part: Difference) -> tuple[str | Text, ...]:
    sides = (str(part.tasks), f"{part.a:.3f}", f"{part.b:.3f}")
    better, worse = str(part.better), str(part.worse)
    if part.paired is None:
        return (*sides, "-", "-", "-", better, worse)
    d = part.paired
    style = "" if not part.significant else "bold green" if d.difference > 0 else "bold red"
    interval = f" [{d.low:+.3f}, {d.high:+.3f}]"
    return (
        *sides, Text.assemble((f"{d.difference:+.3f}", style), (interval, "dim")), f"{d.p:.2g}", f"{d.effect:.2f}",
        better, worse,
    )  # fmt: skip


def _verdict(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return "no verdict"
    reason = f"  {named(verdict['reason'])}" if verdict["reason"] else ""
    return f"{verdict['status']} {verdict['score']:.3g}{reason}"


def _short(env: str) -> str:
    return env.removeprefix("proofgym/")
