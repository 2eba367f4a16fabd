"""`proofgym export`: tasks as a data set for another trainer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from proofgym.errors import BadInput

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("export")
def export_(
    envs: Annotated[list[str], typer.Argument(metavar="ENV...", help="One or more environment ids.")],
    out: Annotated[Path, typer.Option(help="The file: .parquet or .jsonl; its name must not speak of another split.")],
    format_: Annotated[str, typer.Option("--format", help="trl, verl, openrlhf, skyrl or nemo.")] = "trl",
    n: Annotated[int, typer.Option("-n", help="Rows in all.")] = 1000,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "train",
    seed: Annotated[int, typer.Option(help="Which stream of tasks.")] = 0,
    system: Annotated[str | None, typer.Option(help="A system message to put first.")] = None,
    data: Annotated[Path | None, typer.Option(help="A file of tasks, for environments that read one.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An argument of the environments, such as level=0.8."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes that draw tasks; the file does not depend on it.")] = 1,
    force: Annotated[bool, typer.Option(help="Write over a file that exists.")] = False,
) -> None:
    """Write tasks as a data set for another trainer. The same arguments give the same bytes."""
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from proofgym.adapters.export import Export, Format, export
    from proofgym.envs.task import Split

    kwargs = _kwargs(settings)
    if data is not None:
        kwargs["path"] = str(data)
    plan = Export(tuple(envs), n, cast("Format", format_), cast("Split", split), seed, system, kwargs)  # checked there
    columns = (TextColumn("drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    started = time.perf_counter()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("rows", total=n)
        written = export(plan, out, jobs=jobs, on_rows=lambda k: bar.advance(task, k), force=force)
    seconds = time.perf_counter() - started
    print(
        f"{written.path}: {written.rows} rows, {written.distinct} different tasks, {written.rows / seconds:.0f} rows/s"
    )


def _kwargs(settings: list[str] | None) -> dict[str, Any]:
    import yaml

    kwargs: dict[str, Any] = {}
    for setting in settings or ():
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise BadInput(f"--set takes KEY=VALUE, found {setting!r}")
        try:
            kwargs[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise BadInput(f"the value of --set {key}=... is no YAML: {value!r}") from error
    return kwargs
