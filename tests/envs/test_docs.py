"""The sessions on the pages of the environments are what really happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from proofgym.envs.registry import ENTRIES

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs" / "envs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_sessions_of_a_page_run(page: Path) -> None:
    sessions = re.findall(r"```pycon\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert sessions
    test = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, page.name, str(page), 0)
    said: list[str] = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert result.failed == 0, "".join(said)


@pytest.mark.parametrize("domain", ["code", "math", "puzzles"])
def test_every_environment_of_a_domain_is_on_its_page(domain: str) -> None:
    (page,) = (page for page in PAGES if page.stem == domain)
    text = page.read_text(encoding="utf-8")
    for entry in ENTRIES:
        if entry.domain == domain:
            name = entry.id.removeprefix("proofgym/").rsplit("-v", 1)[0]
            assert f"\n## {name}\n" in text
