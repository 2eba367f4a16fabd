"""The sessions on the pages of the environments are what really happens."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from proofgym.envs.puzzles.families import FAMILIES, load
from proofgym.envs.puzzles.levels import table
from proofgym.envs.registry import ENTRIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "envs").glob("*.md"))
GALLERY = (ROOT / "docs" / "puzzle-gallery.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_sessions_of_a_page_run(page: Path) -> None:
    sessions = re.findall(r"```pycon\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert sessions
    test = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, page.name, str(page), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize("domain", ["code", "math", "puzzles", "worlds"])
def test_every_environment_of_a_domain_is_on_its_page(domain: str) -> None:
    (page,) = (page for page in PAGES if page.stem == domain)
    text = page.read_text(encoding="utf-8")
    for entry in ENTRIES:
        if entry.domain == domain:
            name = entry.id.removeprefix("proofgym/").rsplit("-v", 1)[0]
            if entry.target.startswith("proofgym.envs.puzzles.environments:"):
                assert f"`{name}`" in GALLERY
            else:
                assert f"\n## {name}\n" in text


def test_the_table_of_hardness_knows_every_family_and_its_knobs() -> None:
    rows = {row["name"]: row for row in table()}
    assert list(rows) == [entry.name for entry in FAMILIES]
    for entry in FAMILIES:
        kind = load(entry.target)
        assert rows[entry.name]["hardness_of"] == kind.hardness_of, "run `python docs/make_puzzles.py --measure`"
        assert list(rows[entry.name]["knobs"]) == list(kind.knobs)
        means = [rows[entry.name]["hardness"][str(level)]["mean"] for level in (0.0, 1.0)]
        assert means[0] < means[1], entry.name


@pytest.mark.slow
def test_the_gallery_is_fresh() -> None:
    run = subprocess.run(
        [sys.executable, "docs/make_puzzles.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
