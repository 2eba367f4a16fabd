"""The pages on proofs: sessions run as printed, and the examples with provers hold."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[3] / "docs" / "verify-proof.md"


def test_the_sessions_of_the_page_run_as_printed() -> None:
    sessions = re.findall(r"```pycon\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert sessions
    test = doctest.DocTestParser().get_doctest("\n".join(sessions), {}, PAGE.name, str(PAGE), 0)
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.lean
@pytest.mark.coq
def test_the_examples_with_provers_hold(lean: Any, coq: Any) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        exec(example, {})  # our own page


def test_the_figures_on_the_page_are_those_of_the_code() -> None:
    from proofgym.verifiers.proof.attacks import ATTACKS
    from proofgym.verifiers.proof.protocol import LAYERS

    text = PAGE.read_text(encoding="utf-8")
    lean = sum(attack.prover == "lean" for attack in ATTACKS)
    assert f"{len(ATTACKS)} cheating and broken proofs ({lean} Lean, {len(ATTACKS) - lean} Coq)" in text
    for layer in LAYERS:
        assert f"| `{layer}` |" in text
