"""`proofgym sandbox check` in words, with exit codes."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from proofgym.sandboxes import Isolation, cli, probe


def found(*works: bool) -> probe.Probe:
    tiers = zip((Isolation.NAMESPACED_CGROUP, Isolation.NAMESPACED, Isolation.REDUCED), works, strict=True)
    return probe.Probe(
        tuple(
            probe.Tier(tier, ok, "" if ok else f"{tier.name} broke", "" if ok else "try this", ("a gap",) if ok else ())
            for tier, ok in tiers
        )
    )


def run(monkeypatch: pytest.MonkeyPatch, works: tuple[bool, bool, bool], *args: str) -> tuple[int, str]:
    monkeypatch.setattr(probe, "probe", lambda: found(*works))
    monkeypatch.setattr(cli, "_docker", lambda: "does not work: no daemon")
    result = CliRunner().invoke(cli.app, ["check", *args])
    return result.exit_code, result.output


def test_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = run(monkeypatch, (True, True, True))
    assert code == 0
    assert "namespaced+cgroup" in text
    assert "Pools take 'namespaced+cgroup' by default" in text


def test_too_little_exits_with_one_and_says_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = run(monkeypatch, (False, False, True))
    assert code == 1
    assert "why:  NAMESPACED broke" in text
    assert "cure: try this" in text
    assert "min_isolation='reduced'" in text
    assert "Docker backend: does not work: no daemon" in text


def test_less_can_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, (False, False, True), "--min", "reduced")[0] == 0
    assert run(monkeypatch, (False, False, False), "--min", "reduced")[0] == 1
    code, text = run(monkeypatch, (True, True, True), "--min", "total")
    assert code == 2
    assert "namespaced+cgroup" in text


def test_the_real_probe_renders() -> None:
    text = cli.render(probe.probe())
    assert "tried just now" in text
    assert "Compiled languages here:" in text
