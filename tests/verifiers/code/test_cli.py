"""`proofgym verify code`: every case's fate, nothing of hidden cases unless asked, exit codes for scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from proofgym.__main__ import main
from proofgym.sandboxes import Pool

TASK = {
    "kind": "function",
    "entry": "double",
    "cases": [
        {"name": "a number", "args": [21], "expected": 42, "visible": True},
        {"name": "a secret", "args": ["krypton"], "expected": "kryptonkrypton"},
    ],
}


@pytest.fixture
def files(tmp_path: Path) -> Any:
    def write(program: str, task: Any = TASK) -> list[str]:
        (tmp_path / "task.json").write_text(task if isinstance(task, str) else json.dumps(task))
        (tmp_path / "answer.md").write_text(program)
        return ["verify", "code", "--task", str(tmp_path / "task.json"), "--submission", str(tmp_path / "answer.md")]

    return write


def test_right_is_0_and_every_case_is_listed(files: Any, sandbox: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(files("```python\ndef double(x): return x + x\n```")) == 0
    out = capsys.readouterr().out
    assert "a number" in out
    assert "a secret" in out
    assert "correct: 2 of 2 cases passed, score 1" in out


def test_wrong_is_1_and_hidden_values_stay_hidden(
    files: Any, sandbox: Pool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(files("def double(x): return x")) == 1
    out = capsys.readouterr().out
    assert "it returned 21, expected 42" in out
    assert "krypton" not in out
    assert main([*files("def double(x): return x"), "--show-hidden"]) == 1
    assert "krypton" in capsys.readouterr().out


def test_json_holds_the_whole_report(files: Any, sandbox: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*files("def double(x): return 42"), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [test["ending"] for test in data["tests"]] == ["passed", "failed"]
    assert data["verdict"]["parts"] == {"passed": 0.5, "visible": 1.0, "hidden": 0.0}


@pytest.mark.parametrize(
    ("task", "more", "words"),
    [
        ("{", [], "is no JSON"), ({**TASK, "kind": "poem"}, [], "kind is 'poem'"),
        ({**TASK, "cases": [{"argz": 1}]}, [], "did you mean 'args'"), (TASK, ["--only", "some"], "--only takes"),
        (TASK, ["--quality", "beauty"], "no quality 'beauty'"),
    ],
)  # fmt: skip
def test_a_mistaken_request_is_2(
    files: Any, sandbox: Pool, capsys: pytest.CaptureFixture[str], task: Any, more: list[str], words: str
) -> None:
    assert main([*files("def double(x): return x", task), *more]) == 2
    assert words in capsys.readouterr().err


def test_unjudged_is_3(files: Any, sandbox: Pool, capsys: pytest.CaptureFixture[str]) -> None:
    broken = {**TASK, "compare": "checker", "checker": "def check(given, output, expected): return undefined"}
    assert main(files("def double(x): return x", broken)) == 3
    assert "unjudged" in capsys.readouterr().out
