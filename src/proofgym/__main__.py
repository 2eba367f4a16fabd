"""The command line: `proofgym list`, `show`, `play`, `train`, `eval`, `view`, `doctor`.

Each command builds arguments and calls one function that a notebook can call too; whatever is heavy is imported when a
command runs. Exit codes: 0 done, 1 a check failed, 2 a mistaken request, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from proofgym import __version__
from proofgym.envs.registry import find, list_envs
from proofgym.errors import BadInput, ProofgymError, Unjudged

__all__ = ["app", "main"]


class SubApp(NamedTuple):
    """A command or a group of commands that lives with its part of the house: `module:app`, loaded when it is used."""

    target: str
    help: str


SUB_APPS: dict[str, SubApp] = {
    "lean": SubApp("proofgym.verifiers.proof.cli:app", "Lean without a toolchain: make it, and see whether it proves."),
    "sandbox": SubApp("proofgym.sandboxes.cli:app", "Where untrusted code runs: what is contained here, and how well."),
    "verify": SubApp("proofgym.verifiers.cli:app", "Judge an answer, and say why."),
}


class _Commands(TyperGroup):
    """Our own commands and those of `SUB_APPS`, whose modules stay unloaded until one of their commands runs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *SUB_APPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in SUB_APPS:  # for the list of commands; what runs comes from resolve_command
            return TyperCommand(cmd_name, help=SUB_APPS[cmd_name].help)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in SUB_APPS:
            module, _, name = SUB_APPS[args[0]].target.partition(":")
            command = typer.main.get_command(getattr(importlib.import_module(module), name))
            command.name = args[0]
            return args[0], command, args[1:]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Environments for language-model policies whose rewards are proved, not guessed.",
)

EnvId = Annotated[str, typer.Argument(metavar="ENV", help="An id; `proofgym/` and the version may be left out.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="An argument of the environment, such as level=0.8."),
]
Data = Annotated[Path | None, typer.Option(help="A file of tasks, for environments that read one.")]
Seed = Annotated[int, typer.Option(help="Which stream of tasks.")]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character shows its code instead of a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return int(_command().main(args=argv, prog_name="proofgym", standalone_mode=False) or 0)
    except ProofgymError as error:
        print(f"proofgym: {error}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        print("proofgym: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `proofgym list | head`
        sys.stderr.close()
        return 0
    except _ClickException as error:
        error.show()
        return 2


def _command() -> Any:
    return typer.main.get_command(app)


# Typer has carried its own copy of click since 0.26; its root of mistaken requests is the same class by another name.
_ClickException: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def _version(asked: bool) -> None:
    if asked:
        print(f"proofgym {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_(
    domain: Annotated[str | None, typer.Option(help="Only this domain: math, puzzles, ...")] = None,
    puzzles: Annotated[bool, typer.Option("--puzzles", help="The puzzle families, their knobs and hardness.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the environments."""
    if puzzles:
        _list_puzzles(as_json)
        return
    entries = list_envs(domain)
    if not entries:
        domains = sorted({entry.domain for entry in list_envs()})
        raise BadInput(f"no environments in the domain {domain!r}; there are {', '.join(domains)}")
    if as_json:
        keys = ("id", "domain", "summary", "max_turns", "needs", "target")
        print(json.dumps([{key: getattr(entry, key) for key in keys} for entry in entries], indent=2))
        return
    from rich.console import Console

    from proofgym.bench.show import table

    Console().print(table(entries))


def _list_puzzles(as_json: bool) -> None:
    from proofgym.envs.puzzles.levels import table as families

    if as_json:
        print(json.dumps(families(), indent=2))
        return
    from rich.console import Console

    from proofgym.bench.show import puzzles_table

    Console().print(puzzles_table(families()))


@app.command()
def show(env: EnvId, seed: Seed = 0, data: Data = None, settings: Settings = None) -> None:
    """Describe one environment, with an example question and its expert's answer."""
    from rich.console import Console

    from proofgym.bench import show as shown

    shown.show(shown.card(env, seed=seed, env_kwargs=_kwargs(settings, data)), Console())


@app.command()
def play(
    env: EnvId,
    seed: Seed = 0,
    index: Annotated[int, typer.Option(help="Which task of the stream.")] = 0,
    data: Data = None,
    settings: Settings = None,
    record: Annotated[Path | None, typer.Option(help="Append the episode to this JSON Lines file.")] = None,
) -> None:
    """Play one environment yourself."""
    from proofgym import make
    from proofgym.bench import play as played
    from proofgym.envs.wrappers import RecordEpisodes

    made = make(env, **_kwargs(settings, data))
    try:
        played.play(RecordEpisodes(made, record) if record else made, seed=seed, index=index)
    except Unjudged as error:
        print(f"proofgym: nobody could judge this answer, so the episode has no score: {error}", file=sys.stderr)
        raise typer.Exit(3) from None
    finally:
        made.close()


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A shipped recipe's name, or a YAML file.")] = "demo",
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, such as grpo.updates=20.")
    ] = None,
    run_dir: Annotated[Path | None, typer.Option(help="Where to write; runs/RECIPE by default.")] = None,
    resume: Annotated[bool, typer.Option(help="Go on where a stopped run left off.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Every stage once with a tiny model; say what is missing.")] = False,
) -> None:
    """Train a policy by a recipe, and write a report."""
    for setting in settings or []:
        _pair(setting)
    if dry_run:
        from proofgym.agents.recipe import rehearse

        text, fine = rehearse(recipe, overrides=settings or ())
        typer.echo(text)
        raise typer.Exit(0 if fine else 1)
    from proofgym.agents.recipe import train as run_recipe

    try:
        written = run_recipe(recipe, overrides=settings or (), run_dir=run_dir, resume=resume)
    except KeyboardInterrupt as stop:
        raise _stopped(stop, run_dir or Path("runs") / Path(recipe).stem) from None
    if os.environ.get("RANK", "0") != "0":  # of several processes under torchrun, the first one reports
        return
    _say_report(written if written.is_dir() else written.parent)


@app.command("eval")
def eval_(
    envs: Annotated[list[str], typer.Argument(metavar="ENV", help="One or more environment ids.")],
    model: Annotated[str, typer.Option(help="smollm2, hf:PATH, oracle or random.")],
    n: Annotated[int, typer.Option("-n", help="Tasks of each environment.")] = 100,
    k: Annotated[int, typer.Option("-k", help="Attempts at each task.")] = 1,
    data: Data = None,
    settings: Settings = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    seed: Seed = 0,
    temperature: Annotated[float, typer.Option(help="0 takes the likeliest token.")] = 0.0,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of one action, at most; 256, or 32 a turn.")] = None,
    batch_size: Annotated[int, typer.Option(help="Episodes played side by side.")] = 16,
    run_dir: Annotated[Path | None, typer.Option(help="Where to write; a new folder below runs/ by default.")] = None,
    resume: Annotated[bool, typer.Option(help="Keep what the run directory already holds; ask nothing twice.")] = False,
) -> None:
    """Evaluate a model, with intervals, and write a report."""
    import gymnasium

    for env in envs:  # a slip of the pen should not first load a model
        if env not in gymnasium.registry and ":" not in env:
            find(env)
    from proofgym.bench.evaluate import evaluate

    try:
        summary = evaluate(
            envs, model, n=n, k=k, seed=seed, split=split, run_dir=run_dir, env_kwargs=_kwargs(settings, data),
            temperature=temperature, max_tokens=max_tokens, batch_size=batch_size, resume=resume,
        )  # fmt: skip
    except KeyboardInterrupt as stop:
        raise _stopped(stop, run_dir) from None
    from rich.console import Console

    from proofgym.bench.show import results

    # In a file or a pipe there is no width to keep to, and a figure cut short is none.
    Console(width=None if sys.stdout.isatty() else 120).print(results(summary.results))
    _say_report(summary.run_dir)


@app.command()
def view(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="One run directory, or several to compare.")],
    serve: Annotated[
        bool, typer.Option("--serve", help="Serve all episodes to this machine's browser, until Ctrl-C.")
    ] = False,
    port: Annotated[int | None, typer.Option(help="For --serve; 8420, or a free one, by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write the page; in the RUN by default.")] = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the page of a run, or of several beside each other, and print where it is; or serve it."""
    from proofgym.bench import report

    if serve:
        from proofgym.bench.catalogue import Catalogue
        from proofgym.bench.serve import Server

        server = Server(Catalogue.of(report.open_runs(runs)), port)
        print(f"{server.url} (Ctrl-C ends it)", flush=True)
        _open(server.url, open_)
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return
    path = report.write(runs, out)
    print(path)
    _open(path.resolve().as_uri(), open_)


def _open(url: str, wanted: bool) -> None:
    if wanted:
        import webbrowser

        webbrowser.open(url)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which extras, sandboxes, provers, accelerators and models are here, and how to get the rest."""
    from proofgym.bench import doctor as doctors

    found = doctors.checks()
    if as_json:
        print(json.dumps([check.to_json() for check in found], indent=2))
    else:
        from rich.console import Console

        Console().print(doctors.table(found))
    if not all(check.found for check in found if check.group == "core"):
        raise typer.Exit(1)


def _pair(setting: str) -> tuple[str, str]:
    key, equals, value = setting.partition("=")
    if not (key and equals):
        raise BadInput(f"--set takes KEY=VALUE, found {setting!r}")
    return key, value


def _kwargs(settings: Sequence[str] | None, data: Path | None) -> dict[str, Any]:
    import yaml

    kwargs: dict[str, Any] = {}
    for key, value in map(_pair, settings or ()):
        try:
            kwargs[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise BadInput(f"the value of --set {key}=... is no YAML: {value!r}") from error
    return kwargs if data is None else {**kwargs, "path": str(data)}


def _say_report(run_dir: Path) -> Path:
    from proofgym.bench import report

    path = report.write(run_dir)
    print(path)
    return path


def _stopped(stop: KeyboardInterrupt, run_dir: Path | None) -> typer.Exit:
    """Say what Ctrl-C left behind: in the words of whoever was stopped, or by looking."""
    saved = str(stop)
    if not saved and run_dir is not None and run_dir.is_dir():
        saved = f"what was reached is in {run_dir}, and the same command with --resume goes on from there"
    print(f"\nproofgym: stopped; {saved or 'nothing was written'}", file=sys.stderr)
    return typer.Exit(130)


if __name__ == "__main__":
    sys.exit(main())
