"""`proofgym audit` says what it found in words, JSON, a badge and an exit code."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from proofgym.__main__ import main

PLANTED = Path(__file__).with_name("planted.py")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["audit", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_pass_is_one_line_a_check_and_exit_code_0(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    badge = tmp_path / "badge.svg"
    where = ("--badge", str(badge), "--out", str(tmp_path))
    code, out, _ = run(capsys, "Sudoku4", "--quick", "--only", "oracle", "--only", "cheats", *where)
    assert code == 0
    assert "PASS oracle" in out
    assert "passed: 2 passed" in out
    assert ET.fromstring(badge.read_text(encoding="utf-8")).attrib["aria-label"] == "proofgym audit: 2 checks pass"
    assert json.loads((tmp_path / "proofgym_Sudoku4-v0.json").read_text(encoding="utf-8"))["passed"] is True


def test_a_failure_shows_how_to_repeat_it_and_exits_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target, badge = f"{PLANTED}:PaysCheats", tmp_path / "badge.json"
    code, out, _ = run(capsys, target, "--quick", "--only", "cheats", "--badge", str(badge))
    assert code == 1
    assert "FAIL cheats" in out
    assert "env.step('correct')" in out
    assert json.loads(badge.read_text(encoding="utf-8"))["message"] == "fails cheats"
    code, out, _ = run(capsys, target, "--quick", "--only", "cheats", "--json")
    assert code == 1
    assert json.loads(out)["findings"][0]["outcome"] == "fail"


def test_several_are_counted_and_whoever_fails_is_shown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = [f"{PLANTED}:Sums", f"{PLANTED}:WrongOracle"]
    code, out, err = run(capsys, *names, "--quick", "-j", "2", "--out", str(tmp_path))
    assert code == 1
    assert "FAIL" in err
    assert "1 of 2 environments pass, 1 fail" in out


def test_a_reward_function_is_audited(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"prompt": f"{n}?", "answer": str(n)}) + "\n" for n in range(30)))
    code, out, _ = run(capsys, "--reward-func", f"{PLANTED}:truthy", "--prompts", str(prompts), "--quick")
    assert code == 1
    assert "FAIL floor" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name environments, or give --all"),
        (["Sudoku4", "--all"], "not both"),
        (["Sudoku4", "--quick", "--thorough"], "not both"),
        (["Sudoku4", "--only", "flor"], "no check 'flor'"),
        (["Sudoku9000"], "did you mean"),
        (["--reward-func", "f.py:g"], "takes --prompts"),
        (["--reward-func", "f.py:g", "--prompts", "p.jsonl"], "no file"),
        (["Sudoku4", "Countdown", "--floor", "0.1"], "one environment at a time"),
    ],
)
def test_a_mistaken_request_is_one_sentence_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
