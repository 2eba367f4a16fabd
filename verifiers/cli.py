"""`proofgym verify`: judge an answer from the command line."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from proofgym.errors import BadInput, Unjudged

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def _group() -> None:
    """Judge an answer, and say why."""


@app.command()
def math(
    gold: Annotated[str, typer.Option(help="The right answer, in LaTeX, plain or Unicode notation.")],
    answer: Annotated[str | None, typer.Option(help="A bare answer.")] = None,
    response: Annotated[Path | None, typer.Option(help="A file with a model's whole text, or - for stdin.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="An option of MathPolicy, such as units=keep."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Compare an answer with the gold answer. Exit code 0: correct, 1: not, 3: could not be judged."""
    from proofgym.verifiers import math as judge

    if (answer is None) == (response is None):
        raise BadInput("give either --answer or --response")
    policy = _policy(settings or [])
    try:
        if answer is not None:
            verdict = judge.verify_answer(gold, answer, policy=policy)
        else:
            text = sys.stdin.read() if str(response) == "-" else _text(response)
            verdict = judge.verify(gold, text, policy=policy)
    except Unjudged as error:
        print(json.dumps({"status": "unjudged", "reason": str(error)}) if as_json else f"unjudged: {error}")
        raise typer.Exit(3) from None
    if as_json:
        print(json.dumps(verdict.to_json()))
    else:
        print(f"{verdict.status.value}{': ' if verdict.reason else ''}{verdict.reason}")
    if not verdict.correct:
        raise typer.Exit(1)


@app.command()
def code(
    task: Annotated[Path, typer.Option(help="A task as JSON; see docs/verify-code.md.")],
    submission: Annotated[Path, typer.Option(help="A file with code or a model's whole answer, or - for stdin.")],
    only: Annotated[str, typer.Option(help="Judge by all, visible or hidden cases.")] = "all",
    bare: Annotated[bool, typer.Option("--bare", help="Take the whole text as code; look for no fences.")] = False,
    quality: Annotated[
        list[str] | None, typer.Option(help="Measure this too, if every case passes: lint, types, time, ...")
    ] = None,
    show_hidden: Annotated[bool, typer.Option("--show-hidden", help="Print the details of hidden cases.")] = False,
    in_process: Annotated[bool, typer.Option("--in-process", help="Accept a suite that can be forged.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every detail.")] = False,
) -> None:
    """Judge a program by a task's cases, and print every case's fate. Exit code 0: all passed, 1: not, 3: unjudged."""
    from proofgym.verifiers.code import judge

    try:
        data = json.loads(_text(task))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{task} is no JSON: {error}") from error
    text = sys.stdin.read() if str(submission) == "-" else _text(submission)
    if only not in ("all", "visible", "hidden"):
        raise BadInput(f"--only takes all, visible or hidden, found {only!r}")
    try:
        report = judge(
            data, text, only=only, extract=not bare, quality=quality or (), in_process=in_process  # type: ignore[arg-type]
        )  # fmt: skip
    except Unjudged as error:
        print(json.dumps({"status": "unjudged", "reason": str(error)}) if as_json else f"unjudged: {error}")
        raise typer.Exit(3) from None
    if as_json:
        print(json.dumps(report.to_json()))
    else:
        from rich.console import Console

        from proofgym.verifiers.code import show

        Console(width=None if sys.stdout.isatty() else 120).print(show.table(report, hidden=show_hidden))
        print(show.summary(report))
    if not report.verdict.correct:
        raise typer.Exit(1)


@app.command()
def proof(
    statement: Annotated[str, typer.Option(help="What stands after the theorem's name, such as '(p : Prop) : p → p'.")],
    script: Annotated[Path, typer.Option("--proof", help="A file with the tactics, or - for stdin.")],
    prover: Annotated[str, typer.Option(help="lean, coq or toy.")] = "lean",
    header: Annotated[Path | None, typer.Option(help="A file with trusted text before the theorem.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: the layer that refused, axioms, constants.")
    ] = False,
) -> None:
    """Judge a formal proof in a fresh process. Exit code 0: proved, 1: not, 3: could not be judged."""
    from proofgym.verifiers import proof as judge

    text = sys.stdin.read() if str(script) == "-" else _text(script)
    try:
        report = judge.examine(statement, text, prover, header=_text(header) if header else "")
    except Unjudged as error:
        print(json.dumps({"status": "unjudged", "reason": str(error)}) if as_json else f"unjudged: {error}")
        raise typer.Exit(3) from None
    if as_json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        print(f"{report.verdict.status.value}: {report.verdict.reason}")
        if report.messages and not report.accepted:
            print(report.messages)
    if not report.accepted:
        raise typer.Exit(1)


def _text(path: Path | None) -> str:
    try:
        return Path(path or "").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error


def _policy(settings: list[str]) -> Any:
    import yaml

    from proofgym.verifiers.math import MathPolicy

    known = {field.name for field in fields(MathPolicy)}
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or key not in known:
            raise BadInput(f"--set takes KEY=VALUE with a KEY among {', '.join(sorted(known))}, found {setting!r}")
        values[key] = yaml.safe_load(value)
    try:
        return MathPolicy(**values)
    except (TypeError, ValueError) as error:
        raise BadInput(str(error)) from error
