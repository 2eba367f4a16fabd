"""Runs the application under uvicorn: signals, limits of the protocol, and a shutdown that finishes what is running."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from proofgym.adapters.server.settings import Settings
from proofgym.errors import need

__all__ = ["serve", "server"]


def server(settings: Settings, *, log_level: str = "warning", started: Callable[[int], None] | None = None) -> Any:
    """A uvicorn server that is not running yet.

    Args:
        log_level: uvicorn's.
        started: Told the port once connections are taken, which matters for `port=0`.
    """
    uvicorn = need("uvicorn", "serve")
    need("websockets", "serve")
    from proofgym.adapters.server import create_app

    base: Any = uvicorn.Server

    class Server(base):  # type: ignore[misc]
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets=sockets)
            if self.started and started is not None:
                started(self.servers[0].sockets[0].getsockname()[1])

    config = uvicorn.Config(
        create_app(settings), host=settings.host, port=settings.port, log_level=log_level, access_log=False,
        server_header=False, ws_max_size=settings.max_body, ws_per_message_deflate=False, ws_ping_interval=20.0,
        ws_ping_timeout=60.0, timeout_graceful_shutdown=30, timeout_keep_alive=30, backlog=2048,
    )  # fmt: skip
    return Server(config)


def serve(settings: Settings, *, log_level: str = "warning") -> None:
    """Serve until SIGINT or SIGTERM; calls in work are finished, at most 30 s."""

    def started(port: int) -> None:
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        guarded = "a token is needed" if settings.token else "no token, this machine only"
        print(f"serving {', '.join(settings.envs)} at http://{name}:{port} ({guarded})", file=sys.stderr, flush=True)

    server(settings, log_level=log_level, started=started).run()
