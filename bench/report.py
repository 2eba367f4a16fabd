"""One self-contained page about a run: figures with their intervals, learning curves, and episodes to read.

The page needs no network and no server, and it is readable without JavaScript. Every text in it that a policy or an
environment wrote passes through autoescape, and characters that hide or reorder text are shown by name.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from proofgym.bench import hidden, runs, statistics
from proofgym.bench.curves import curves
from proofgym.bench.spans import pieces
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.errors import need

__all__ = ["render", "visible", "write"]

_TEXT_LIMIT = 6000  # characters of one observation or action that are shown
_TURN_LIMIT = 60  # turns of one episode that are shown
_CREDIT_LIMIT = 500  # credits of one action that are shown


def write(run_dir: str | Path) -> Path:
    """Write `report.html` into a run directory and return its path.

    Raises:
        BadInput: If there is no run at that place.
        MissingExtra: Without jinja2 and matplotlib, which `proofgym[eval]` brings.
    """
    run = runs.load(run_dir)
    path = run.path / "report.html"
    path.write_text(render(run), encoding="utf-8", errors="backslashreplace")
    return path


def render(run: runs.Run) -> str:
    """The page of a run as HTML."""
    jinja2 = need("jinja2", "eval")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("proofgym.bench", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    every_credit = (c for file in run.files for episode in file.sample for turn in episode.turns for c in turn.credits)
    strongest = max((abs(credit.value) for credit in every_credit), default=0.0) or 1.0
    environment.filters |= {"num": num, "count": count, "percent": percent, "visible": visible, "duration": duration}
    rows = _rows(run)
    page: str = environment.get_template("report.html").render(
        run=run,
        config=run.config,
        config_text=json.dumps(run.config, indent=2, ensure_ascii=False, default=str),
        title=_title(run),
        headline=_headline(run, rows),
        rows=rows,
        scale=_scale(rows),
        curves=curves(run.metrics),
        files=[_shown_file(file, strongest) for file in run.files],
        first=next((i for i, file in enumerate(run.files) if file.name == "after"), 0),
        outcomes=[name for name in runs.OUTCOMES if any(file.counts.get(name) for file in run.files)],
        computed=bool(rows) and not run.summary,
        unjudged=sum(row["unjudged"] or 0 for row in rows),
    )
    return page


# Figures --------------------------------------------------------------------------------------------------------------


def _title(run: runs.Run) -> str:
    env = run.summary.get("env")
    if isinstance(env, str):
        return env
    names = [row["env"] for row in _dicts(run.summary.get("results")) if isinstance(row.get("env"), str)]
    model = run.config.get("model")
    if names and isinstance(model, str):
        return f"{model} on {names[0] if len(names) == 1 else f'{len(names)} environments'}"
    return names[0] if len(names) == 1 else run.path.resolve().name


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _rows(run: runs.Run) -> list[dict[str, Any]]:
    """The table of results, from the summary or, where that is missing, from the episodes themselves."""
    keys = ("mean", "low", "high", "solved", "solved_low", "solved_high", "turns", "tokens", "seconds", "n", "unjudged")
    found: list[tuple[str, Mapping[str, Any]]] = [
        (str(row.get("env", "?")), row) for row in _dicts(run.summary.get("results"))
    ]
    for name in ("before", "after"):
        if isinstance(figures := run.summary.get(name), dict):
            file = next((file for file in run.files if file.name == name), None)
            found.append((name, {**(_computed(file) if file else {}), **figures}))
    if not found:
        found = [(file.name, _computed(file)) for file in run.files if file.name != "train"]
    return [
        {"name": name.removeprefix("proofgym/"), **{key: runs.number(row.get(key)) for key in keys}}
        for name, row in found
    ]


def _computed(file: runs.EpisodeFile) -> dict[str, Any]:
    figures: dict[str, Any] = {"n": len(file.rewards), "unjudged": file.counts.get("unjudged", 0)}
    if file.rewards:
        mean = statistics.mean_interval(file.rewards, file.tasks)
        solved = statistics.share(file.solved, file.tasks)
        figures |= mean.to_json() | {"solved": solved.mean, "solved_low": solved.low, "solved_high": solved.high}
    return figures


def _headline(run: runs.Run, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Before and after, and one sentence that claims no more than the intervals do."""
    before, after = (next((row for row in rows if row["name"] == name), None) for name in ("before", "after"))
    if not before or not after or before["mean"] is None or after["mean"] is None:
        return None
    words = "The intervals overlap: no clear change."
    if None not in (before["low"], before["high"], after["low"], after["high"]):
        if after["low"] > before["high"]:
            words = "The intervals do not meet: a clear gain."
        elif after["high"] < before["low"]:
            words = "The intervals do not meet: a clear loss."
    metric = run.summary.get("metric")
    return {
        "before": before, "after": after, "words": words,
        "metric": metric[:1].upper() + metric[1:] if isinstance(metric, str) else "Mean reward",
        "seconds": runs.number(run.summary.get("seconds")), "updates": runs.number(run.summary.get("updates")),
    }  # fmt: skip


def _scale(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    ends = [row[key] for row in rows for key in ("mean", "low", "high") if row[key] is not None]
    return min([0.0, *ends]), max([1.0, *ends])


# Episodes -------------------------------------------------------------------------------------------------------------


def _shown_file(file: runs.EpisodeFile, strongest: float) -> dict[str, Any]:
    episodes = [_shown_episode(episode, strongest) for episode in file.sample]
    label = file.name
    if file.sample and label not in ("before", "after", "train"):
        label = file.sample[0].env.removeprefix("proofgym/")
    return {"label": label, "total": file.total, "counts": file.counts, "broken": file.broken, "episodes": episodes}


def _shown_episode(episode: Trajectory, strongest: float) -> dict[str, Any]:
    verdict, outcome = episode.verdict, runs.outcome(episode)
    return {
        "outcome": outcome,
        "status": verdict.status.value if verdict and outcome == "wrong" else outcome,
        "task": str(episode.task.get("id", episode.env)),
        "seed": episode.seed,
        "index": episode.index,
        "sample": episode.sample,
        "reward": None if episode.unjudged else episode.reward,
        "end": episode.end,
        "reason": episode.fault if episode.unjudged else verdict.reason if verdict else "",
        "parts": dict(verdict.parts) if verdict else {},
        "turns": [_shown_turn(turn, strongest) for turn in episode.turns[:_TURN_LIMIT]],
        "more_turns": max(0, len(episode.turns) - _TURN_LIMIT),
        "all_turns": len(episode.turns),
        "gist": _gist(episode),
    }


def _gist(episode: Trajectory) -> str:
    text = " ".join(episode.turns[0].observation.split()) if episode.turns else ""
    return text[:110] + ("…" if len(text) > 110 else "")


def _shown_turn(turn: Turn, strongest: float) -> dict[str, Any]:
    terms: dict[str, float] = {}
    for credit in turn.credits:
        terms[credit.label] = terms.get(credit.label, 0.0) + credit.value
    return {
        "observation": turn.observation[:_TEXT_LIMIT],
        "observation_more": max(0, len(turn.observation) - _TEXT_LIMIT),
        "pieces": pieces(turn.action[:_TEXT_LIMIT], turn.credits[:_CREDIT_LIMIT], strongest),
        "action_more": max(0, len(turn.action) - _TEXT_LIMIT),
        "credits_more": max(0, len(turn.credits) - _CREDIT_LIMIT),
        "reward": turn.reward,
        "terms": terms,
        "tokens": len(turn.action_ids),
        "cut": turn.cut,
    }


# Words and numbers ----------------------------------------------------------------------------------------------------


def visible(text: str) -> Any:
    """Text as safe markup in which no character hides, reorders its neighbours or breaks the page.

    >>> str(visible("a<b\\u202e"))
    'a&lt;b<i class="ch" title="RIGHT-TO-LEFT OVERRIDE">U+202E</i>'
    """
    markupsafe = need("markupsafe", "eval")
    return markupsafe.Markup(hidden.replace(str(markupsafe.escape(text)), _shown_character))


def _shown_character(char: str, times: int) -> str:
    name = unicodedata.name(char, f"CONTROL U+{ord(char):04X}")
    return f'<i class="ch" title="{name}">{hidden.sign(char).strip("[]")}{f"×{times}" if times > 1 else ""}</i>'


def num(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """A number as people read it; a dash for none.

    >>> num(0.5), num(None), num(0.25, sign=True), num(1234.5, 1)
    ('0.500', '–', '+0.250', '1,234.5')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "−")


def count(value: float | None) -> str:
    """A whole number with its thousands apart."""
    return "–" if value is None else f"{round(value):,}"


def percent(value: float, ends: Iterable[float]) -> str:
    """Where a value lies between two ends, for a style sheet."""
    low, high = ends
    return f"{100 * (value - low) / (high - low):.2f}%"


def duration(seconds: float | None) -> str:
    """Seconds as people say them.

    >>> duration(7.25), duration(200), duration(8000)
    ('7.2 s', '3 min 20 s', '2 h 13 min')
    """
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
