"""The documentation against the code: the table is fresh, the examples run, every command and link is there."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from gymnasium.utils.env_checker import check_env

from proofgym import __main__ as cli
from proofgym.envs.registry import EnvEntry

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def fenced(page: Path) -> dict[str, str]:
    """The Python blocks of a page that name the file they stand for."""
    found = re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return dict(found)


def test_table_of_environments_is_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "docs/make_tables.py"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[types.ModuleType]:
    """The example of CONTRIBUTING.md as the module that it says it is."""
    name = "proofgym.envs.puzzles.letters"
    path = tmp_path / "letters.py"
    path.write_text(fenced(ROOT / "CONTRIBUTING.md")["envs/puzzles/letters.py"], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[name]


def test_the_environment_in_the_guide_keeps_every_promise(letters: types.ModuleType) -> None:
    check_env(letters.Letters(), skip_render_check=True)
    for level in (0.0, 0.5, 1.0):
        env, other = letters.Letters(level=level), letters.Letters(level=level)
        for item in range(40):
            question, info = env.reset(seed=3, options={"index": item})
            assert other.reset(seed=3, options={"index": item})[0] == question
            assert len(question) <= 130
            json.dumps(env.state())
            twin = env.fork()
            assert twin.step(env.oracle()) == env.step(env.oracle())
            assert info["task"]["split"] == "train"
    env = letters.Letters()
    for cheat in env.cheats():
        env.reset(seed=4)
        assert env.step(cheat)[1] == 0.0
    blind = []
    for item in range(600):
        env.reset(seed=5, options={"index": item})
        blind.append(env.step("7")[1])
    assert np.mean(blind) <= env.floor + 3 * np.sqrt(env.floor / len(blind))


def test_the_registry_line_in_the_guide_names_the_environment(letters: types.ModuleType) -> None:
    entry = eval(fenced(ROOT / "CONTRIBUTING.md")["envs/registry.py"], {"EnvEntry": EnvEntry})
    module, _, name = entry.target.partition(":")
    assert getattr(sys.modules[module], name) is letters.Letters
    assert entry.max_turns == letters.Letters.default_max_turns


def test_the_test_in_the_guide_passes(letters: types.ModuleType) -> None:
    space: dict[str, Any] = {"__name__": "guide"}
    exec(fenced(ROOT / "CONTRIBUTING.md")["tests/envs/test_letters.py"], space)
    space["test_only_the_right_number_is_right"]()
    (cheats,) = (m for m in space["test_cheat_earns_nothing"].pytestmark if m.name == "parametrize")
    for cheat in cheats.args[1]:
        space["test_cheat_earns_nothing"](cheat)


@pytest.mark.slow
def test_the_code_in_the_guide_is_typed_and_tidy(tmp_path: Path) -> None:
    blocks = fenced(ROOT / "CONTRIBUTING.md")
    (tmp_path / "letters.py").write_text(blocks["envs/puzzles/letters.py"], encoding="utf-8")
    for command in (
        ["mypy", "--config-file", str(ROOT / "pyproject.toml"), str(tmp_path / "letters.py")],
        ["ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(tmp_path / "letters.py")],
    ):
        tool = [sys.executable, "-m", *command]
        done = subprocess.run(tool, capture_output=True, text=True, check=False, cwd=ROOT)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_first_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/index.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(block, {})
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_every_command_and_option_is_described() -> None:
    page = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    group = typer.main.get_command(cli.app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert f"## proofgym {name}" in page
        section = page.split(f"## proofgym {name}", 1)[1].split("\n## ", 1)[0]
        options = [option for parameter in command.params for option in parameter.opts if option.startswith("-")]
        for option in options:
            assert f"`{option}" in section or option in ("--set", "--json"), f"{option} of {name} is not described"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), target
    assert not re.search(r"/work/|/root/|/home/\w", text), "a page names a folder of somebody's machine"


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path / "site")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    fetched = re.findall(
        r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://[^\"]+", (tmp_path / "site/index.html").read_text()
    )
    assert not [tag for tag in fetched if "canonical" not in tag]
