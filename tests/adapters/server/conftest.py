"""Servers on a free port of this machine, in a thread of the test's own process; environments that go wrong."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import gymnasium
import numpy as np
import pytest

for module in ("fastapi", "uvicorn", "websockets", "prometheus_client", "httpx"):
    pytest.importorskip(module)

from proofgym.adapters.server import Settings  # noqa: E402
from proofgym.adapters.server.run import server  # noqa: E402
from proofgym.envs.base import TurnResult, VerifiableEnv  # noqa: E402
from proofgym.errors import Unjudged  # noqa: E402
from proofgym.verifiers import Credit, Verdict  # noqa: E402

Serve = Callable[..., contextlib.AbstractContextManager[str]]
ENVS = ("proofgym/Countdown-v0", "proofgym/Sudoku4Steps-v0", "tests/Broken-v0")


class Broken(VerifiableEnv):
    """Says a number, and breaks in the way that it is asked to."""

    family = "broken"
    floor = 0.0
    default_max_turns = 5
    held = threading.Event()

    def generate(self, rng: np.random.Generator) -> Mapping[str, Any]:
        return {"n": int(rng.integers(10**9))}

    def begin(self, instance: Mapping[str, Any]) -> str:
        return str(instance["n"])

    def turn(self, action: str) -> TurnResult:
        if action == "unjudged":
            raise Unjudged("the sandbox died")
        if action == "bug":
            raise ZeroDivisionError
        if action == "nan":
            self.__dict__["step"] = lambda _: ("", float("nan"), True, False, {})
        if action == "hang":
            self.held.wait(30)
        return TurnResult(f"heard {action}", [Credit(0, len(action), 0.25, "turn")], Verdict.wrong("go on"))

    def save(self) -> dict[str, Any]:
        return {}

    def load(self, data: Mapping[str, Any]) -> None:
        pass

    def oracle(self) -> str:
        return "nothing helps"


gymnasium.register("tests/Broken-v0", entry_point=Broken)


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
        Broken.held.set()
        made.should_exit = True
        thread.join(60)
        Broken.held.clear()
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def serve() -> Serve:
    """Start a server of its own: `with serve(ttl_s=1) as url`."""
    return running


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A server that several tests share: three environments, threads, no token."""
    with running() as found:
        yield found
