"""Sandboxes for the judges of code: skipped by name where this machine has none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from proofgym.errors import Unjudged
from proofgym.sandboxes import Pool
from proofgym.verifiers.code import CodeReport, CodeTask, judge, shared


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled programs go to a folder of this run."""
    before = os.environ.get("PROOFGYM_CACHE")
    os.environ["PROOFGYM_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("PROOFGYM_CACHE") if before is None else os.environ.update(PROOFGYM_CACHE=before)


@pytest.fixture(scope="session")
def sandbox() -> Pool:
    """The process's own pool."""
    try:
        return shared()
    except Unjudged as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def run(sandbox: Pool) -> Callable[..., CodeReport]:
    """Judge a bare program by a task."""

    def judged(task: CodeTask | dict[str, Any], code: str, **options: Any) -> CodeReport:
        return judge(task, code, **{"extract": False, **options})

    return judged
