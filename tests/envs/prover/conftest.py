"""Provers for the tests: without one they skip by name, or fail where REQUIRE_PROVERS=1 says that it must be there."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from proofgym.errors import Unjudged
from proofgym.verifiers.proof.coq import CoqBackend
from proofgym.verifiers.proof.lean import LeanBackend


def _missing(error: Unjudged) -> None:
    (pytest.fail if os.environ.get("REQUIRE_PROVERS") == "1" else pytest.skip)(str(error))


@pytest.fixture(scope="session")
def lean() -> Iterator[LeanBackend]:
    """The Lean that `find` finds."""
    try:
        backend = LeanBackend(workers=2)
    except Unjudged as error:
        _missing(error)
        raise
    yield backend
    backend.close()


@pytest.fixture(scope="session")
def coq() -> Iterator[CoqBackend]:
    """The Coq on the path."""
    try:
        backend = CoqBackend(workers=2)
    except Unjudged as error:
        _missing(error)
        raise
    yield backend
    backend.close()
