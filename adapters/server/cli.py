"""`proofgym serve ENV...`: environments for other machines and other languages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from proofgym.adapters.server.settings import ARGUMENTS, Settings
from proofgym.envs.registry import find
from proofgym.errors import BadInput

__all__ = ["app", "token", "values"]

app = typer.Typer(name="serve", help="Serve environments over HTTP and websocket.")


def token(file: Path | None) -> str:
    """The token of PROOFGYM_TOKEN or of a file; never an argument, which every user of a machine can read.

    Raises:
        BadInput: If the file cannot be read or is empty.
    """
    if file is None:
        return os.environ.get("PROOFGYM_TOKEN", "").strip()
    try:
        found = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"the token file cannot be read: {error}") from None
    if not found:
        raise BadInput(f"the token file {file} is empty")
    return found


def values(settings: list[str] | None) -> dict[str, Any]:
    """What `--set KEY=VALUE` says, read as YAML."""
    import yaml

    found: dict[str, Any] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not (key and equals):
            raise BadInput(f"--set takes KEY=VALUE, found {setting!r}")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise BadInput(f"the value of --set {key}=... is no YAML: {value!r}") from error
    return found


@app.command()
def serve(
    envs: Annotated[list[str], typer.Argument(metavar="ENV", help="One or more environment ids.")],
    host: Annotated[str, typer.Option(help="Address to listen at; an open one needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes any free port.")] = 8000,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the token; without it, PROOFGYM_TOKEN is read.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that hold the sessions; 0 for threads.")] = 1,
    threads: Annotated[int, typer.Option(help="Calls that one worker carries out at once.")] = 8,
    max_sessions: Annotated[int, typer.Option(help="Live sessions, all workers together.")] = 1024,
    ttl: Annotated[float, typer.Option(help="Seconds without a call until a session is closed.")] = 900.0,
    grace: Annotated[float, typer.Option(help="The same after a websocket broke off.")] = 60.0,
    max_body: Annotated[int, typer.Option(help="Bytes of one request.")] = 1 << 20,
    step_timeout: Annotated[float, typer.Option(help="Seconds of one call; what takes longer is unjudged.")] = 120.0,
    no_state: Annotated[bool, typer.Option("--no-state", help="Give out no states and no expert's answers.")] = False,
    trust_states: Annotated[bool, typer.Option("--trust-states", help="Restore states that nobody signed.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An argument of every environment.")
    ] = None,
    allow: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A further argument that clients may choose.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="critical, error, warning, info or debug.")] = "warning",
) -> None:
    """Serve environments over HTTP and websocket until stopped."""
    from proofgym.adapters.server import serve as run

    run(
        Settings(
            envs=tuple(dict.fromkeys(env if ":" in env else find(env).id for env in envs)), env_args=values(settings),
            client_args=(*ARGUMENTS, *(allow or ())), host=host, port=port, token=token(token_file), workers=workers,
            threads=threads, max_sessions=max_sessions, ttl_s=ttl, grace_s=grace, max_body=max_body,
            step_timeout_s=step_timeout, states=not no_state, trust_states=trust_states,
        ),
        log_level=log_level,
    )  # fmt: skip
