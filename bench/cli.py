"""The commands of evaluation: `eval`, `compare`, `rescore` and `leaderboard`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from proofgym.bench.options import env_kwargs, price
from proofgym.envs.registry import find
from proofgym.errors import BadInput

__all__ = ["compare_app", "eval_app", "leaderboard_app", "rescore_app"]

_OPTIONS: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}
eval_app = typer.Typer(**_OPTIONS)
compare_app = typer.Typer(**_OPTIONS)
rescore_app = typer.Typer(**_OPTIONS)
leaderboard_app = typer.Typer(**_OPTIONS)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Metric = Annotated[str, typer.Option(help="reward, or solved for the share of fully correct episodes.")]


@eval_app.command()
def eval_(
    envs: Annotated[list[str], typer.Argument(metavar="ENV", help="One or more environment ids.")],
    model: Annotated[
        str, typer.Option(help="api:NAME@URL, hf:PATH, vllm:PATH, smollm2, tiny:ALPHABET, oracle, expert or random.")
    ],
    n: Annotated[int, typer.Option("-n", help="Tasks of each environment.")] = 100,
    k: Annotated[int, typer.Option("-k", help="Attempts at each task.")] = 1,
    data: Annotated[Path | None, typer.Option(help="A file of tasks, for environments that read one.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An argument of the environment.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    seed: Annotated[int, typer.Option(help="Which stream of tasks.")] = 0,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = 0.0,
    max_tokens: Annotated[
        int | None, typer.Option(help="Tokens of one action, at most; 256, or 32 a turn; 2048 or 512 behind an API.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Episodes played side by side.")] = 16,
    run_dir: Annotated[Path | None, typer.Option(help="Where to write; a new folder below runs/ by default.")] = None,
    resume: Annotated[bool, typer.Option(help="Keep what the run directory already holds; ask nothing twice.")] = False,
    tools: Annotated[bool, typer.Option(help="Native tool calls where the environment has tools (api: only).")] = False,
    system: Annotated[str | None, typer.Option(help="A system message (api: only).")] = None,
    price_: Annotated[
        str | None, typer.Option("--price", metavar="IN,OUT", help="Dollars for a million tokens read, written.")
    ] = None,
    rpm: Annotated[float | None, typer.Option(help="Requests a minute, at most (api: only).")] = None,
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds for one request (api: only).")] = 120.0,
    retries: Annotated[int, typer.Option(help="Of a request that failed (api: only).")] = 4,
    key_env: Annotated[str, typer.Option(help="The environment variable with the key (api: only).")] = "OPENAI_API_KEY",
    as_json: AsJson = False,
) -> None:
    """Evaluate a model, with intervals, and write a report."""
    import gymnasium

    for env in envs:  # a slip of the pen should not first load a model
        if env not in gymnasium.registry and ":" not in env:
            find(env)
    prices = price(price_)
    from proofgym.bench.evaluate import evaluate
    from proofgym.bench.models import Client

    try:
        summary = evaluate(
            envs, model, n=n, k=k, seed=seed, split=split, run_dir=run_dir, env_kwargs=env_kwargs(settings, data),
            temperature=temperature, max_tokens=max_tokens, batch_size=batch_size, resume=resume, tools=tools,
            system=system, client=Client(key_env, timeout_s, retries, rpm, prices),
        )  # fmt: skip
    except KeyboardInterrupt as stop:
        saved = str(stop)
        if not saved and run_dir is not None and run_dir.is_dir():
            saved = f"what was reached is in {run_dir}, and the same command with --resume goes on from there"
        print(f"\nproofgym: stopped; {saved or 'nothing was written'}", file=sys.stderr)
        raise typer.Exit(130) from None
    from proofgym.bench import report

    page = report.write(summary.run_dir)
    if as_json:
        print((summary.run_dir / "summary.json").read_text(encoding="utf-8"))
        return
    from proofgym.bench.tables import evaluation

    _print(evaluation(summary.results, summary.notes))
    print(page)


@compare_app.command()
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A run directory.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    metric: Metric = "reward",
    as_json: AsJson = False,
) -> None:
    """Compare two runs task by task: the difference, its interval, a test, and how many tasks it would take."""
    from proofgym.bench.compare import compare as compared

    found = compared(a, b, metric=metric)
    if as_json:
        print(json.dumps(found.to_json(), indent=2))
        return
    from proofgym.bench.tables import comparison

    _print(comparison(found))


@rescore_app.command()
def rescore(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    verifier: Annotated[
        str, typer.Option(metavar="SPEC", help="env replays in today's environment; module:function; file.py:function.")
    ] = "env",
    labels: Annotated[Path | None, typer.Option(help="JSON Lines of what people know to be right.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge stored episodes anew without any model, and print the flips."""
    from rich.console import Console

    from proofgym.bench.rescore import rescore as judged_anew

    found = judged_anew(run, verifier, labels=labels, console=Console(stderr=True))
    if as_json:
        print(json.dumps(found.to_json(), indent=2))
        return
    from proofgym.bench.tables import rescored

    _print(rescored(found))
    print(found.run_dir)


@leaderboard_app.command()
def leaderboard(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where runs lie, at any depth.")] = Path("runs"),
    metric: Metric = "reward",
    as_json: AsJson = False,
    html: Annotated[Path | None, typer.Option(help="Write the table to this file as a page.")] = None,
) -> None:
    """Order all runs below a directory, and say which differences are more than chance."""
    from proofgym.bench.leaderboard import leaderboard as ordered

    found = ordered(directory, metric=metric)
    if as_json:
        print(json.dumps(found.to_json(), indent=2))
    from proofgym.bench.tables import board

    if html is not None:
        import io

        from rich.console import Console

        page = Console(record=True, width=160, file=io.StringIO())
        page.print(board(found, metric))
        try:
            html.write_text(page.export_html(), encoding="utf-8")
        except OSError as error:
            raise BadInput(f"the page cannot be written to {html} ({error})") from error
    if not as_json:
        _print(board(found, metric))


def _print(shown: Any) -> None:
    from rich.console import Console

    # In a file or a pipe there is no width to keep to, and a figure cut short is none.
    Console(width=None if sys.stdout.isatty() else 160).print(shown)
