"""The README is true: its Python runs, and its commands exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tour_runs_and_shows_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    space: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, space)
    printed = capsys.readouterr().out
    assert "3 of 4 steps follow" in printed
    assert "2 3 0.0 the sum is 11, so 2 does not follow" in printed


def test_every_command_in_the_tour_exists() -> None:
    commands = set(re.findall(r"^    proofgym (\w+)", README, re.MULTILINE))
    assert commands >= {"list", "show", "play", "train", "eval", "doctor"}
    for command in sorted(commands):
        done = subprocess.run(
            [sys.executable, "-m", "proofgym", command, "--help"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert "://" in target or (ROOT / target).exists(), target


def test_the_two_commands_are_in_the_makefile() -> None:
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^    make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", targets, re.MULTILINE)
