"""Servers on a free port of this machine, in a thread of the test's own process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
pytest.importorskip("websockets")
pytest.importorskip("prometheus_client")

from proofgym.adapters.server import Settings
from proofgym.adapters.server.run import server

Serve = Callable[..., contextlib.AbstractContextManager[str]]
ENVS = ("proofgym/Countdown-v0", "proofgym/Sudoku4Steps-v0")


@contextlib.contextmanager
def running(**settings: Any) -> Iterator[str]:
    """The URL of a server that runs until the block ends."""
    told: list[int] = []
    up = threading.Event()

    def started(port: int) -> None:
        told.append(port)
        up.set()

    made = server(Settings(**{"envs": ENVS, "port": 0, "workers": 0, **settings}), started=started)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    try:
        assert up.wait(60), "the server did not come up"
        yield f"http://127.0.0.1:{told[0]}"
    finally:
        made.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Start a server of its own: `with serve(ttl_s=1) as url`."""
    return running


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A server that several tests share: two environments, threads, no token."""
    with running() as found:
        yield found
