"""Every claim of the conformance suite, in every tier; and the suite itself, which must find what is broken."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from proofgym.sandboxes import Isolation, Pool, conformance
from proofgym.sandboxes.attacks import ESCAPES
from proofgym.sandboxes.embedded import EmbeddedBackend

if TYPE_CHECKING:
    from collections.abc import Iterator

# These need an ordinary user to mean anything, or a place in another tier; without walls they get nothing here either.
TOOTHLESS = {
    "becoming root",  # we may be root already, or may not
    "a directory that was open",
    "descriptors left open",
    "raising limits",
    "perf",  # often forbidden by the host itself
    "memory of the parent",
    "userfaultfd",
}


@pytest.mark.parametrize("claim", conformance.CLAIMS)
def test_claim_is_kept(claim: str, tier_pool: Pool) -> None:
    finding = conformance.run(claim, tier_pool)
    assert finding.kept, finding.seen


class NoWalls(EmbeddedBackend):
    """Not even another user."""

    def _config(self) -> dict[str, Any]:
        return {**super()._config(), "uid": None}


@pytest.fixture(scope="module")
def open_pool() -> Iterator[Pool]:
    with Pool(NoWalls(Isolation.NONE), 1, min_isolation="none", insecure=True) as pool:
        yield pool


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can do harm without walls")
@pytest.mark.parametrize("name", sorted(ESCAPES.keys() - TOOTHLESS))
def test_attack_bites_where_there_are_no_walls(name: str, open_pool: Pool) -> None:
    """Otherwise being refused would prove nothing."""
    result = conformance.attack_result(name, open_pool)
    answer = result.answers[0]
    if answer.error == "OSError" and "[Errno 38]" in answer.message:
        pytest.skip(f"this kernel has no such call: {answer.message}")
    assert answer.status == "returned", f"{answer} {result.stderr.decode()[-500:]}"
    assert answer.value is not None


def test_check_reports_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pool: Pool) -> None:
        raise AssertionError("seen with our own eyes")

    monkeypatch.setitem(conformance.CLAIMS, "a broken claim", broken)
    backend = EmbeddedBackend(Isolation.REDUCED)
    report = conformance.check(backend, only=["a broken claim", "commands"], workers=1)
    assert not report.ok
    assert [finding.kept for finding in report.findings] == [False, True]
    assert "seen with our own eyes" in str(report)
    assert "1 of 2 claims kept" in str(report)
