"""What the tests of code environments share: environments that are closed again, and a sandbox or a skip by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proofgym.envs.code.base import CodeEnv
from proofgym.sandboxes import Isolation, IsolationUnavailable, Pool, probe


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Pool]:
    """One pool for the whole run; skips by name where nothing can be isolated."""
    try:
        probe.choose(Isolation.NAMESPACED)
    except IsolationUnavailable as error:
        pytest.skip(f"no sandbox: {error}")
    with Pool(workers=2, site=False) as pool:
        yield pool


@pytest.fixture
def made(sandbox: Pool) -> Iterator[Callable[..., Any]]:
    """Make an environment by its class, on the shared pool, and close it afterwards."""
    open_: list[CodeEnv] = []

    def make(kind: type[CodeEnv], **kwargs: Any) -> CodeEnv:
        env = kind(**{"pool": sandbox, **kwargs})
        open_.append(env)
        return env

    yield make
    for env in open_:
        env.close()
