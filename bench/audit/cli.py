"""`proofgym audit`: try an environment's promises.

Exit code 0: nothing failed, 1: something did, 2: a mistaken request, 130: stopped by Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from proofgym.errors import BadInput

__all__ = ["app"]

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def audit(
    envs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ENV...", help="Ids, of any registered environment, or file.py:name.", show_default=False
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Audit every environment of the registry.")] = False,
    reward_func: Annotated[
        str | None, typer.Option(metavar="FILE.py:NAME", help="Audit a bare reward_func(prompt, completion).")
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option(help="For --reward-func: JSON Lines with 'prompt' and, if known, 'answer'.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds an environment.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="Minutes an environment.")] = False,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="Make this check; may be repeated.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An argument of the environment.")
    ] = None,
    floor: Annotated[
        float | None, typer.Option(help="The chance level, for an environment that states none.", show_default=False)
    ] = None,
    maximum: Annotated[float, typer.Option(help="What the best policy earns in an episode.")] = 1.0,
    minimum: Annotated[float, typer.Option(help="For --reward-func: the least that it pays.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Of the items that are asked and of the audit's own chance.")] = 0,
    jobs: Annotated[int, typer.Option("-j", "--jobs", help="Worker processes, for several environments.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="A folder for the reports; the same command goes on after a stop.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    badge: Annotated[Path | None, typer.Option(help="Write a badge: FILE.svg, or FILE.json for shields.io.")] = None,
) -> None:
    """Audit environments or a reward function: solvable, unguessable, repeatable, forkable, held out, unfarmable?"""
    from proofgym.bench.audit.core import chosen

    depth = _depth(quick, thorough)
    chosen(only)  # a slip of the pen is told before anything runs
    if reward_func is not None:
        if envs or all_ or prompts is None:
            raise BadInput("--reward-func takes --prompts FILE, and no environment beside it")
        from proofgym.bench.audit.reward_function import audit_reward_function

        found = audit_reward_function(
            reward_func, prompts, depth=depth, floor=floor, maximum=maximum, minimum=minimum, seed=seed
        )  # fmt: skip
        _end([found], as_json, badge, out)
        return
    if bool(envs) == all_:
        raise BadInput("name environments, or give --all" if not envs else "give environments or --all, not both")
    targets = _targets(envs or (), all_, settings)
    if len(targets) == 1 and not all_:
        from proofgym.bench.audit.core import audit as run

        name, kwargs = targets[0]
        reports = [run(name, kwargs=kwargs, depth=depth, seed=seed, floor=floor, maximum=maximum, only=only)]
        _end(reports, as_json, badge, out)
        return
    if only or floor is not None or maximum != 1.0:
        raise BadInput("--only, --floor and --maximum are for one environment at a time")
    _end(_many(targets, depth, seed, jobs or min(4, os.cpu_count() or 1), out), as_json, badge, None, many=True)


def _depth(quick: bool, thorough: bool) -> str:
    if quick and thorough:
        raise BadInput("--quick or --thorough, not both")
    return "quick" if quick else "thorough" if thorough else "default"


def _targets(envs: Sequence[str], all_: bool, settings: Sequence[str] | None) -> list[tuple[str, Mapping[str, Any]]]:
    from proofgym.bench.audit.samples import sample_kwargs
    from proofgym.envs.registry import find, list_envs

    given = _settings(settings)
    if all_:
        return [(entry.id, {**sample_kwargs(entry.id), **given}) for entry in list_envs() if entry.domain != "imports"]
    import gymnasium

    named = [env if env in gymnasium.registry or ":" in env else find(env).id for env in envs]
    return [(name, given if given else sample_kwargs(name)) for name in named]


def _settings(settings: Sequence[str] | None) -> dict[str, Any]:
    import yaml

    given: dict[str, Any] = {}
    for setting in settings or ():
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise BadInput(f"--set takes KEY=VALUE, found {setting!r}")
        try:
            given[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise BadInput(f"the value of --set {key}=... is no YAML: {value!r}") from error
    return given


def _many(
    targets: Sequence[tuple[str, Mapping[str, Any]]], depth: str, seed: int, jobs: int, out: Path | None
) -> list[Any]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from proofgym.bench.audit.many import audit_many

    console = Console(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("", total=len(targets))

            def done(report: Any) -> None:
                progress.advance(task)
                if report.exit_code:
                    failed = ", ".join(finding.check for finding in report.of("fail"))
                    progress.console.print(f"FAIL {report.target}: {failed}", markup=False, highlight=False)

            return audit_many(
                targets, depth=depth, seed=seed, jobs=jobs, out=out, done=done,
                started=lambda name: progress.update(task, description=name),
            )  # fmt: skip
    except KeyboardInterrupt:
        where = (
            f"what was reached is in {out}, and the same command goes on from there" if out else "nothing was written"
        )
        print(f"\nproofgym: stopped; {where}", file=sys.stderr)
        raise typer.Exit(130) from None


def _end(reports: Sequence[Any], as_json: bool, badge: Path | None, out: Path | None, *, many: bool = False) -> None:
    from rich.console import Console

    from proofgym.bench.audit import badge as badges
    from proofgym.bench.audit import show
    from proofgym.bench.audit.many import file_name

    if badge is not None:
        badges.write(badge, reports)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        for report in reports:
            (out / file_name(report.target)).write_text(report.dumps() + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps([r.to_json() for r in reports] if many else reports[0].to_json(), indent=2))
    else:
        console = show.width(Console())
        console.print(show.overview(reports) if many else show.report(reports[0]))
    if any(report.exit_code for report in reports):
        raise typer.Exit(1)
