"""Environments over HTTP and websocket: `proofgym serve ENV...`.

`Settings` says what is served and within which limits, `create_app` makes the ASGI application, `serve` runs it.
Parts: `sessions` (the table of running episodes), `hosts` (threads or worker processes that hold them), `models` (what
requests and replies look like), `app` (HTTP), `socket` (websocket), `openenv` (OpenEnv's protocol), `metrics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proofgym.adapters.server.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["Settings", "create_app", "serve"]


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application, for any ASGI server.

    Raises:
        MissingExtra: If the extra `serve` is not installed.
    """
    from proofgym.errors import need

    for module in ("fastapi", "prometheus_client"):
        need(module, "serve")
    from proofgym.adapters.server.app import create_app as create

    return create(settings)


def serve(settings: Settings, **options: Any) -> None:
    """Serve until told to stop; see `run.serve`."""
    from proofgym.adapters.server.run import serve as run

    run(settings, **options)
