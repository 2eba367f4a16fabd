"""The audit of bare reward functions passes an honest one and finds what is planted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proofgym.bench.audit import AuditReport, Outcome, audit_reward_function, reward_function
from proofgym.errors import BadInput

PLANTED = Path(__file__).with_name("planted.py")
ROWS = [{"prompt": f"What is {n} and {n * n}?", "answer": str(n + n * n)} for n in range(30, 60)]


def audited(name: str, rows: list[dict[str, str]] | None = None, **kwargs: float) -> AuditReport:
    return audit_reward_function(f"{PLANTED}:{name}", rows or ROWS, depth="quick", **kwargs)


@pytest.mark.parametrize("name", ["honest", "batched"])
def test_an_honest_function_passes_in_both_forms(name: str) -> None:
    report = audited(name, floor=0.02)
    assert {finding.outcome for finding in report.findings} == {Outcome.PASS}, report.dumps()
    assert "'Answer: x'" in report["oracle"].figure


@pytest.mark.parametrize(
    ("name", "check", "said"),
    [
        ("truthy", "floor", "earns the maximum on 24 of 24"),
        ("truthy", "forged", "earns the maximum on 24 of 24"),
        ("contains", "floor", "all answers in"),
        ("believes", "forged", "earns the maximum on 24 of 24"),
        ("crashes", "junk", "raised ValueError: Exceeds the limit"),
        ("hangs", "junk", "did not answer within"),
        ("hashed", "verifier", "PYTHONHASHSEED"),
        ("threads", "verifier", "in another thread"),
        ("unbounded", "bounds", "a reward of 5 outside 0 to 1"),
        ("not_a_number", "bounds", "it returned nan on ''"),
        ("nothing", "bounds", "every reward is None"),
    ],
)
def test_a_planted_defect_is_found(name: str, check: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reward_function, "TIMEOUT_S", 2.0)
    finding = audited(name)[check]
    assert finding.outcome is Outcome.FAIL, finding
    assert said in finding.figure
    assert finding.recipe is not None


def test_without_answers_or_a_floor_that_is_said() -> None:
    rows = [{"prompt": row["prompt"]} for row in ROWS]
    report = audited("truthy", rows)
    assert "no row has an answer" in report["oracle"].figure
    assert report["oracle"].outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("lines", "said"), [("", "no prompts"), ("{", "line 1 .* no JSON"), ('{"question": 1}', "column 'prompt'")]
)
def test_prompts_that_cannot_be_read_are_told(lines: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(BadInput, match=said):
        audit_reward_function(f"{PLANTED}:honest", path, depth="quick")
    path.write_text("\n".join(map(json.dumps, ROWS)), encoding="utf-8")
    assert len(reward_function.read_prompts(path)) == len(ROWS)
