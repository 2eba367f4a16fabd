"""Translation: the same program in every language whose toolchain is here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from proofgym.envs.code.program import Draw, block
from proofgym.envs.code.tiny import draw_tiny
from proofgym.envs.code.tongues import LANGUAGES, write
from proofgym.envs.code.translate import CodeTranslate
from proofgym.errors import BadInput
from proofgym.sandboxes.languages import available

Made = Callable[..., Any]
TARGETS = sorted(set(LANGUAGES) - {"python"})


def here(language: str) -> None:
    if not available()[language]:
        pytest.skip(f"no toolchain for {language}")


@pytest.mark.parametrize("language", ["c", "cpp", "javascript"])
def test_the_translation_earns(made: Made, language: str) -> None:
    here(language)
    env = made(CodeTranslate, language=language)
    env.reset(seed=1)
    assert env.step(env.oracle())[1] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("language", TARGETS)
def test_translations_earn_in_every_language(made: Made, language: str) -> None:
    here(language)
    # Go compiles its own library anew in every sandbox, which takes half a minute
    for level in (1.0,) if language == "go" else (0.0, 0.5, 1.0):
        env = made(CodeTranslate, language=language, level=level)
        for index in range(2 if language == "go" else 4):
            env.reset(seed=2, options={"index": index})
            assert env.step(env.oracle())[1] == 1.0, env.oracle()


def test_every_statement_can_be_written_in_every_language() -> None:
    for seed in range(60):
        body = draw_tiny(Draw(np.random.default_rng(seed), 1.0))
        for language in LANGUAGES:
            text = write(body, language)
            assert "None" not in text
            assert text.count("{") == text.count("}"), (language, text)
    python = write(body, "python")
    run = subprocess.run(
        [sys.executable, "-c", python], input="3\n1 -2 7 7 12\n", capture_output=True, text=True, check=True
    )
    assert run.stdout


def test_division_that_rounds_towards_zero_is_no_translation(made: Made) -> None:
    here("c")
    env = made(CodeTranslate, language="c")
    wrong = 0
    for index in range(12):
        env.reset(seed=3, options={"index": index})
        naive = env._reference.replace("a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q", "q")
        assert naive != env._reference
        wrong += env.step(block(naive, "c"))[1] == 0.0
    assert wrong >= 2


def test_the_python_program_itself_is_no_translation(made: Made) -> None:
    here("c")
    env = made(CodeTranslate, language="c", max_turns=2)
    env.reset(seed=1)
    observation, reward, *_ = env.step(block(env.task.instance["spec"], "c"))
    assert reward == 0.0
    assert "visible cases passed" in observation
    assert env.step(block(env.task.instance["spec"]))[1] == 0.0


def test_what_is_held_out_in_one_language_is_held_out_in_all(made: Made) -> None:
    here("c")
    here("javascript")
    marks = [
        made(CodeTranslate, language=language).reset(seed=4)[1]["task"]["fingerprint"]
        for language in ("c", "javascript")
    ]
    assert marks[0] == marks[1]


def test_an_unknown_language_is_refused(made: Made) -> None:
    for language in ("cobol", "typescript"):
        with pytest.raises(BadInput):
            made(CodeTranslate, language=language)
