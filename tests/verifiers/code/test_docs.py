"""The page on judging code: its sessions run as printed."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from proofgym.sandboxes import Pool

PAGE = Path(__file__).resolve().parents[3] / "docs" / "verify-code.md"


def test_the_sessions_of_the_page_run_as_printed(sandbox: Pool) -> None:
    sessions = re.findall(r"```pycon\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(sessions) >= 2
    test = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, PAGE.name, str(PAGE), 0)
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert results.failed == 0
    assert results.attempted > 5
