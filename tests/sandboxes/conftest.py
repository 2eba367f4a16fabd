"""Pools for the tests: one per tier that works here, made once, and skipped by name where it does not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from proofgym.sandboxes import Isolation, Pool, languages, probe
from proofgym.sandboxes.embedded import EmbeddedBackend

if TYPE_CHECKING:
    from collections.abc import Iterator


TIERS = ("namespaced+cgroup", "namespaced", "reduced")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Compiled programs go to a folder of this run, so that no test finds what another run left."""
    before = os.environ.get("PROOFGYM_CACHE")
    os.environ["PROOFGYM_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("PROOFGYM_CACHE") if before is None else os.environ.update(PROOFGYM_CACHE=before)


@pytest.fixture(scope="session", params=TIERS)
def tier_pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """A pool in each tier in turn."""
    isolation = Isolation.parse(request.param)
    tier = next(tier for tier in probe.probe().tiers if tier.isolation is isolation)
    if not tier.works:
        pytest.skip(f"{request.param}: {tier.reason}")
    with Pool(EmbeddedBackend(isolation), 2, min_isolation=Isolation.REDUCED) as pool:
        yield pool


@pytest.fixture(scope="session")
def pool() -> Iterator[Pool]:
    """A pool in the best tier there is, at least `reduced`."""
    backend = EmbeddedBackend(probe.choose("reduced"), binds=languages.binds())
    with Pool(backend, 2, min_isolation="reduced") as pool:
        yield pool
