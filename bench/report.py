"""One self-contained page about a run, or several beside each other: figures, learning curves, and episodes to read.

The page needs no network and no server. Its figures are drawn here; its episodes lie in it as JSON, and a script puts
them on the screen as text, never as markup. A content security policy allows that one script, by its hash, and nothing
from elsewhere. A page that `proofgym.bench.serve` hands out holds no episodes and asks for them.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import random
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from proofgym.bench import branches, figures, hidden
from proofgym.bench.catalogue import Catalogue, as_json
from proofgym.bench.curves import beside, curves
from proofgym.bench.index import LABELS
from proofgym.bench.opened import Opened, open_run
from proofgym.bench.runs import number
from proofgym.bench.shown import shown
from proofgym.errors import BadInput, need

__all__ = ["open_runs", "render", "tree_of", "visible", "write"]

_SCRIPTS = ("text.js", "source.js", "tree.js", "episode.js", "list.js", "main.js")
_EPISODE_BYTES = 2_600_000  # of episodes in a page that is one file
_EPISODES = 3000
_CONFIG = 200_000  # characters of a configuration
_TREE_BYTES = 300_000


def write(run_dir: str | Path | Sequence[str | Path], path: Path | None = None) -> Path:
    """Write the page of a run, or of several, and return its path.

    Args:
        run_dir: A run directory, or several.
        path: Where to write; by default `report.html` in the run's directory, or `compared.html` in the first one's.
    Raises:
        BadInput: If there is no run at a place, or nothing can be written there.
        MissingExtra: Without jinja2 and matplotlib, which `proofgym[eval]` brings.
    """
    runs = open_runs(run_dir)
    path = path or runs[0].path / ("report.html" if len(runs) == 1 else "compared.html")
    page = render(Catalogue.of(runs))
    try:
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise BadInput(f"the page cannot be written to {path}: {error.strerror}") from error
    return path


def open_runs(run_dir: str | Path | Sequence[str | Path]) -> list[Opened]:
    """Open one run or several, each under a name of its own.

    Raises:
        BadInput: If there is no run at a place.
    """
    places = [run_dir] if isinstance(run_dir, (str, Path)) else list(run_dir)
    if not places:
        raise BadInput("a page needs at least one run")
    runs = [open_run(place) for place in places]
    names = [run.name for run in runs]
    for number_, run in enumerate(runs):
        if names.count(run.name) > 1:
            run.name = f"{run.name} ({number_ + 1})"
    return runs


def render(catalogue: Catalogue, *, served: bool = False) -> str:
    """The page as HTML."""
    jinja2 = need("jinja2", "eval")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("proofgym.bench", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "num": num, "count": count, "percent": percent, "visible": visible, "duration": duration, "picture": picture,
    }  # fmt: skip
    loader = environment.loader
    script = "\n".join(loader.get_source(environment, name)[0] for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}\n}})();\n'
    runs = catalogue.runs
    tables = [figures.results(catalogue, run) for run in range(len(runs))]
    every = [row for table in tables for row in table]
    by_level = figures.breakdown(catalogue, "level")
    by_family = figures.breakdown(catalogue, "family")
    cells = [cell for row in [*by_level, *by_family] for cell in row["cells"]]
    page: str = environment.get_template("report.html").render(
        runs=[
            {
                "name": hidden.named(run.name),
                "title": hidden.named(_title(run, table)),
                "kind": {"train": "training run", "eval": "evaluation"}.get(str(run.config.get("kind")), "run"),
                "facts": _facts(run),
                "config": run.config,
                "config_text": json.dumps(run.config, indent=2, ensure_ascii=False, default=str)[:_CONFIG],
                "problems": [*run.problems, *_broken(catalogue, n)],
                "headline": _headline(run, table),
                "rows": table,
                "curves": curves(run.metrics),
                "pictures": [(hidden.named(name), svg) for name, svg in run.pictures],
                "computed": bool(table) and not run.summary,
                "unjudged": sum(row["unjudged"] or 0 for row in table),
            }
            for n, (run, table) in enumerate(zip(runs, tables, strict=True))
        ],
        title=hidden.named(_title(runs[0], tables[0]) if len(runs) == 1 else " · ".join(run.name for run in runs)),
        scale=_scale([*every, *cells]),
        breakdowns=[
            {"name": "By environment", "rows": figures.breakdown(catalogue, "env") if len(runs) > 1 else []},
            {"name": "By family", "rows": by_family if len(by_family) > 1 else []},
            {"name": "By level of difficulty", "rows": by_level if len(by_level) > 1 else []},
        ],
        compared=figures.compared(catalogue),
        beside=beside([(hidden.named(run.name), run.metrics) for run in runs]) if len(runs) > 1 else [],
        data=as_json(_data(catalogue, served=served)),
        script=script,
        policy=content_policy(script, served=served),
        total=len(catalogue.rows),
    )
    return page


def content_policy(script: str, *, served: bool) -> str:
    """What the page may do: run its own script, use its own styles, and ask its own server if it has one."""
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        f"connect-src {chr(39)}{'self' if served else 'none'}{chr(39)}; base-uri 'none'; form-action 'none'"
    )


# Figures --------------------------------------------------------------------------------------------------------------


def _title(run: Opened, rows: Sequence[Mapping[str, Any]]) -> str:
    env = run.summary.get("env")
    if isinstance(env, str):
        return env
    names, model = [row["name"] for row in rows], _model(run)
    if names and model:
        return f"{model} on {names[0] if len(names) == 1 else f'{len(names)} environments'}"
    return str(names[0]) if len(names) == 1 else run.name


def _model(run: Opened) -> str:
    settings = run.config.get("settings")
    model = run.config.get("model", settings.get("model") if isinstance(settings, dict) else None)
    return model if isinstance(model, str) else ""


def _facts(run: Opened) -> list[tuple[str, str]]:
    settings = run.config.get("settings")
    known = {**(settings if isinstance(settings, dict) else {}), **run.config}
    keys = ("model", "n", "k", "split", "seed", "temperature", "version", "commit")
    return [(key, str(known[key])[:40]) for key in keys if isinstance(known.get(key), (str, int, float))]


def _broken(catalogue: Catalogue, run: int) -> list[str]:
    files = [index for index, owner in zip(catalogue.indexes, catalogue.owners, strict=True) if owner == run]
    return [
        f"{index.broken:,} line{'s' if index.broken > 1 else ''} of episodes/{index.path.name} could not be read"
        for index in files
        if index.broken
    ]


def _headline(run: Opened, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
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
        "seconds": number(run.summary.get("seconds")), "updates": number(run.summary.get("updates")),
    }  # fmt: skip


def _scale(rows: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    ends = [row[key] for row in rows for key in ("mean", "low", "high") if row[key] is not None]
    return min([0.0, *ends]), max([1.0, *ends])


# Episodes -------------------------------------------------------------------------------------------------------------


def _data(catalogue: Catalogue, *, served: bool) -> dict[str, Any]:
    rows = catalogue.rows
    files = []
    for n, (index, owner) in enumerate(zip(catalogue.indexes, catalogue.owners, strict=True)):
        mine = (rows["file"] == n).nonzero()[0]
        files.append({
            "run": owner, "name": index.path.stem, "total": len(mine), "broken": index.broken,
            "counts": figures.counts(catalogue, mine),
        })  # fmt: skip
    data: dict[str, Any] = {
        "served": served,
        "runs": [{"name": run.name, "model": _model(run)} for run in catalogue.runs],
        "files": files,
        "labels": list(LABELS),
        "envs": catalogue.envs,
        "families": sorted(name for name in catalogue.families if name),
        "levels": figures.level_bins(rows["level"].tolist()),
        "total": len(rows),
        "names": _character_names(),
    }
    if not served:
        data["episodes"], data["trees"] = _sample(catalogue)
    return data


def _sample(catalogue: Catalogue) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Episodes that the page holds: all of them if they fit; else some of every file and outcome, and whole trees."""
    rows = catalogue.rows
    queues: dict[tuple[int, int], list[int]] = {}
    chance = random.Random(0)  # noqa: S311 - which episodes are shown is no secret
    for n, (file, label) in enumerate(zip(rows["file"].tolist(), rows["label"].tolist(), strict=True)):
        queues.setdefault((file, label), []).append(n)
    for queue in queues.values():
        chance.shuffle(queue)
        del queue[_EPISODES:]
    chosen: dict[int, dict[str, Any]] = {}
    trees: list[dict[str, Any]] = []
    size = 0
    while any(queues.values()) and len(chosen) < _EPISODES and size < _EPISODE_BYTES:
        for queue in queues.values():
            if not queue or len(chosen) >= _EPISODES or size >= _EPISODE_BYTES:
                continue
            wanted = queue.pop()
            if wanted in chosen:
                continue
            leaves = catalogue.branches(wanted)
            for n in leaves or [wanted]:
                data = None if n in chosen or size > _EPISODE_BYTES else catalogue.read(n)
                if data is not None:
                    chosen[n] = {**catalogue.head(n), **shown(data)}
                    size += len(as_json(chosen[n]))
            drawn = tree_of(catalogue, wanted) if leaves else None
            if drawn and (bytes_ := len(as_json(drawn))) <= _TREE_BYTES:
                trees.append(drawn)
                size += bytes_
    return [chosen[n] for n in sorted(chosen)], trees


def tree_of(catalogue: Catalogue, number_: int) -> dict[str, Any] | None:
    """The tree that an episode is a leaf of, placed for drawing."""
    leaves = [(catalogue.name(n), catalogue.read(n)) for n in catalogue.branches(number_)]
    return branches.tree([(name, data) for name, data in leaves if data is not None])


def _character_names() -> dict[str, str]:
    found = {}
    for code in (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF):
        if name := unicodedata.name(chr(code), ""):
            found[f"{code:04X}"] = name
    return found


# Words and numbers ----------------------------------------------------------------------------------------------------


def picture(svg: str) -> str:
    """An SVG file as the address of an image, in which no script runs and nothing is fetched."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8", "replace")).decode()


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
