"""Read a large run in the browser: a server on this machine hands out one page, and episodes as they are asked for.

What is served: the page, and in JSON the episodes of the runs that were named. No path of a request ever names a file.
Who is served: this machine only. The server listens on 127.0.0.1 and refuses a request that was sent to another name,
so that no page from elsewhere can reach it by pointing its own name here (DNS rebinding). No answer may be read, framed
or embedded by another site. What is not defended: other users of this machine, who can connect as you can.
"""

from __future__ import annotations

import math
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from proofgym.bench import report
from proofgym.bench.catalogue import Catalogue, Query, as_json
from proofgym.bench.shown import EVERYTHING, shown
from proofgym.errors import BadInput

__all__ = ["PORT", "Server", "answer"]

PORT = 8420
_PAGE = 200  # rows of one answer, at most
_HEADERS = {
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY",
}  # fmt: skip


class Server(ThreadingHTTPServer):
    """Serves the page of some runs until it is shut down.

    Args:
        catalogue: Their episodes.
        port: A port of this machine; 0 takes a free one, and none takes `PORT` or, if that is taken, a free one.
    Raises:
        BadInput: If the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, catalogue: Catalogue, port: int | None = None) -> None:
        self.catalogue = catalogue
        self.page = report.render(catalogue, served=True).encode("utf-8", "backslashreplace")
        try:
            super().__init__(("127.0.0.1", PORT if port is None else port), _Handler)
        except (OSError, OverflowError) as error:
            if port is not None:
                raise BadInput(f"port {port} cannot be used ({error}); --port 0 takes a free one") from error
            super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who closes the page in mid-answer is no event worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "proofgym", ""
    timeout = 60

    def do_GET(self) -> None:
        """Answer one question."""
        port = self.server.server_port
        if self.headers.get("Host", "") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"this server answers to 127.0.0.1 and localhost only\n")
            return
        url = urlsplit(self.path)
        if url.path == "/":
            self._send(HTTPStatus.OK, "text/html", self.server.page)
            return
        try:
            found = answer(self.server.catalogue, url.path, parse_qs(url.query, max_num_fields=100))
            status, body = (
                (HTTPStatus.OK, found) if found is not None else (HTTPStatus.NOT_FOUND, {"error": "not here"})
            )
        except ValueError as error:  # BadInput, and what the standard library says of a question it cannot read
            status, body = HTTPStatus.BAD_REQUEST, {"error": str(error)}
        except OSError as error:
            status, body = HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"the run cannot be read ({error.strerror})"}
        self._send(status, "application/json", as_json(body).encode())

    do_HEAD = do_GET

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the standard library's name
        """Keep the terminal quiet."""


def answer(catalogue: Catalogue, path: str, asked: dict[str, list[str]]) -> dict[str, Any] | None:
    """What the server says to a question; nothing if there is no such thing.

    Raises:
        BadInput: If the question cannot be understood.
    """
    first = {key: values[0] for key, values in asked.items()}
    if path == "/api/episodes":
        levels = (_real(first["low"]), _real(first["high"])) if "low" in first and "high" in first else None
        query = Query(
            run=_whole(first, "run", -1), file=_whole(first, "file", -1), labels=tuple(sorted(asked.get("label", ()))),
            env=first.get("env", ""), family=first.get("family", ""), levels=levels, text=first.get("text", ""),
            sort=first.get("sort", "order"), descending="down" in first,
        )  # fmt: skip
        found = catalogue.select(query)
        offset, limit = _whole(first, "offset", 0), min(_PAGE, _whole(first, "limit", _PAGE))
        at = catalogue.find(first.get("at", ""))
        places = (found == at).nonzero()[0].tolist() if at is not None else []
        return {
            "total": len(found),
            "position": places[0] if places else -1,
            "rows": [catalogue.head(number) for number in found[offset : offset + limit].tolist()],
        }
    if path == "/api/episode":
        number = catalogue.find(first.get("id", ""))
        data = None if number is None else catalogue.read(number)
        if number is None or data is None:
            return None
        return {
            "episode": {**catalogue.head(number), **shown(data, EVERYTHING)},
            "attempts": [catalogue.head(other) for other in catalogue.attempts(number)],
            "tree": report.tree_of(catalogue, number),
        }
    return None


def _whole(asked: dict[str, str], key: str, default: int) -> int:
    text = asked.get(key, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise BadInput(f"{key} is a whole number, found {text[:40]!r}")
    return int(text)


def _real(text: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise BadInput(f"a level is a number, found {text[:40]!r}") from error
    if not math.isfinite(value):
        raise BadInput(f"a level is a finite number, found {text[:40]!r}")
    return value
