"""`proofgym verify math` prints the verdict and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proofgym import __main__ as cli


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--gold", "1/2", "--answer", "0.5"], 0, "correct"),
        (["--gold", "1/2", "--answer", "0.51"], 1, "wrong"),
        (["--gold", "1/2", "--answer", "\\frac{"], 1, "malformed"),
        (["--gold", "\\frac{", "--answer", "1"], 3, "unjudged"),
        (["--gold", "25%", "--answer", "25", "--set", "percent=either"], 0, "correct"),
    ],
)
def test_the_verdict_is_printed(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "math", *arguments]) == code
    assert says in capsys.readouterr().out


def test_a_response_is_read_from_a_file_and_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "said.txt").write_text("Thus \\boxed{x>3}.", encoding="utf-8")
    command = ["verify", "math", "--gold", "(3,\\infty)", "--response", str(tmp_path / "said.txt"), "--json"]
    assert cli.main(command) == 0
    assert json.loads(capsys.readouterr().out)["status"] == "correct"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--gold", "1"],
        ["--gold", "1", "--answer", "1", "--set", "colour=red"],
        ["--gold", "1", "--answer", "1", "--set", "percent=3"],
        ["--gold", "1", "--response", "/nowhere"],
    ],
)  # fmt: skip
def test_a_mistaken_request_gets_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["verify", "math", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err
