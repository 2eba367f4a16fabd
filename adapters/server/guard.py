"""What stands before the application: the token, the size of bodies, and requests that a web page in a browser sends.

Pure ASGI, so that it costs little and sees websockets too.
"""

from __future__ import annotations

import contextlib
import hmac
import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from proofgym.adapters import wire
from proofgym.adapters.server.settings import Settings, is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard"]

OPEN_PATHS = ("/health/live", "/health/ready", "/health", "/docs", "/openapi.json")
"""What needs no token: it says nothing of environments or sessions."""


class Guard:
    """Turns away what may not come in, with a problem document and a count.

    A websocket that is turned away is answered with the same document at its handshake.
    """

    def __init__(self, app: ASGIApp, settings: Settings, refused: Callable[[str], None]) -> None:
        self.app, self._settings, self._refused = app, settings, refused
        self._token = settings.token.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it in, or say why not."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        headers = {key: value for key, value in scope["headers"] if key in _LOOKED_AT}
        refused = self._foreign(headers) or self._stranger(scope, headers) or self._large(headers)
        if refused is not None:
            await self._refuse(scope, send, *refused)
            return
        if scope["type"] == "websocket":
            await self.app(scope, receive, send)
            return
        await self._counted(scope, receive, send)

    def _foreign(self, headers: dict[bytes, bytes]) -> tuple[str, str] | None:
        """A page in somebody's browser may reach a server on that machine; it must not play there."""
        host = headers.get(b"host", b"").decode("latin-1")
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").partition("://")[2] != host:
            return "forbidden", "requests from other web pages are not taken"
        if not self._settings.token and not is_loopback(_without_port(host)):
            return "forbidden", "a server without a token answers to the names localhost, 127.0.0.1 and [::1] only"
        return None

    def _stranger(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[str, str] | None:
        if not self._token or scope["path"] in OPEN_PATHS:
            return None
        scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer" and hmac.compare_digest(given.strip(), self._token):
            return None
        return "unauthorized", "send the header `Authorization: Bearer TOKEN`"

    def _large(self, headers: dict[bytes, bytes]) -> tuple[str, str] | None:
        length = headers.get(b"content-length", b"")
        if length.isdigit() and (len(length) > 15 or int(length) > self._settings.max_body):
            return "too-large", f"a body has at most {self._settings.max_body} bytes"
        return None

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A body that does not say its length is counted as it comes."""
        seen = 0

        async def watched() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._settings.max_body:
                raise _TooLarge
            return message

        async def gated(message: Message) -> None:
            if seen <= self._settings.max_body:  # what the application makes of a cut body is not what we say
                await send(message)

        with contextlib.suppress(_TooLarge):
            await self.app(scope, watched, gated)
        if seen > self._settings.max_body:
            await self._refuse(scope, send, "too-large", f"a body has at most {self._settings.max_body} bytes")

    async def _refuse(self, scope: Scope, send: Send, kind: str, detail: str) -> None:
        self._refused(kind)
        document = wire.problem(kind, detail)
        body = json.dumps(document).encode()
        extra: Iterable[tuple[bytes, bytes]] = [(b"www-authenticate", b"Bearer")] if kind == "unauthorized" else []
        if kind == "too-large":
            extra = [(b"connection", b"close")]
        headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode()), *extra]
        start: dict[str, Any] = {"type": "http.response.start", "status": document["status"], "headers": headers}
        if scope["type"] == "websocket":
            if "websocket.http.response" not in scope.get("extensions", {}):
                await send({"type": "websocket.close", "code": 1008, "reason": detail})
                return
            await send({**start, "type": "websocket.http.response.start"})
            await send({"type": "websocket.http.response.body", "body": body})
            return
        await send(start)
        await send({"type": "http.response.body", "body": body})


class _TooLarge(Exception):
    pass


_LOOKED_AT = {b"host", b"origin", b"authorization", b"content-length"}


def _without_port(host: str) -> str:
    """The name of a Host header.

    >>> _without_port("[::1]:8000"), _without_port("localhost:80"), _without_port("127.0.0.1")
    ('[::1]', 'localhost', '127.0.0.1')
    """
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
