"""`proofgym mcp ENV`: over standard input and output, as desktop clients start it, or over streamable HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from proofgym.adapters.server.cli import token, values
from proofgym.adapters.server.settings import Settings
from proofgym.envs.registry import find
from proofgym.errors import need

__all__ = ["app", "server"]

app = typer.Typer(name="mcp", help="Offer an environment's tools to any MCP client.")


def server(settings: Settings, *, hints: bool = False) -> Any:
    """The MCP server of an environment, which is made once to see that it can be.

    Raises:
        MissingExtra: If the extra `mcp` is not installed.
    """
    need("mcp", "mcp")
    from proofgym.adapters.mcp.tools import create
    from proofgym.adapters.server.sessions import describe, make_env

    env = make_env(settings.envs[0], **settings.env_args)
    try:
        told = describe(settings.envs[0], env)
    finally:
        env.close()
    return create(settings, told, hints=hints)


@app.command()
def mcp(
    env: Annotated[str, typer.Argument(metavar="ENV", help="An id; `proofgym/` and the version may be left out.")],
    http: Annotated[bool, typer.Option("--http", help="Streamable HTTP at /mcp instead of standard input.")] = False,
    host: Annotated[str, typer.Option(help="With --http; an open address needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="With --http.")] = 8001,
    token_file: Annotated[
        Path | None, typer.Option(help="A file with the token; without it, PROOFGYM_TOKEN is read.")
    ] = None,
    hints: Annotated[bool, typer.Option("--hints", help="Offer the tool `hint`, which gives the answer away.")] = False,
    max_episodes: Annotated[int, typer.Option(help="Episodes that run at once.")] = 64,
    step_timeout: Annotated[float, typer.Option(help="Seconds of one call; what takes longer is unjudged.")] = 120.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="An argument of the environment.")
    ] = None,
) -> None:
    """Offer an environment's tools to an MCP client."""
    configured = Settings(
        envs=(env if ":" in env else find(env).id,), env_args=values(settings), host=host, port=port,
        token=token(token_file), max_sessions=max_episodes, step_timeout_s=step_timeout, ttl_s=3600.0,
    )  # fmt: skip
    made = server(configured, hints=hints)
    if not http:
        made.run("stdio")
        return
    uvicorn = need("uvicorn", "mcp")
    from mcp.server.transport_security import TransportSecuritySettings

    from proofgym.adapters.server.guard import Guard

    # The guard looks at names and origins itself, and knows of tokens.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    inner = made.streamable_http_app(transport_security=security, max_request_body_size=configured.max_body)
    uvicorn.run(
        Guard(inner, configured, lambda _: None), host=host, port=port, log_level="warning", access_log=False,
        server_header=False, timeout_graceful_shutdown=10,
    )  # fmt: skip
