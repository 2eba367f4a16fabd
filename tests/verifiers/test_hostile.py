"""Hostile text is judged in bounded time, never raises, and earns nothing, from any thread."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers import Verifier
from proofgym.verifiers.math.arithmetic import ArithmeticVerifier
from proofgym.verifiers.math.expression import parse
from proofgym.verifiers.math.numeric import NumericVerifier
from proofgym.verifiers.math.running_total import RunningTotalVerifier
from proofgym.verifiers.puzzles.countdown import CountdownVerifier
from proofgym.verifiers.puzzles.sudoku import SudokuVerifier

VERIFIERS: dict[str, Verifier] = {
    "arithmetic": ArithmeticVerifier(parse("2 * 3 + 4")),
    "numeric": NumericVerifier(Fraction(987654321)),
    "running_total": RunningTotalVerifier((3, 1, 4, 1, 5)),
    "countdown": CountdownVerifier((2, 3, 7, 7), 13),
    "sudoku": SudokuVerifier("1....23....4...."),
}
SIZE = 100_000
UNITS = [
    "{", "}", "(", ")", "9", "-", "=", "#", "1+", "1=", "9**", "((1)", "1.", "1,", "\\boxed{", "####", "#### 1\n",
    "1\n", "answer is ", "answer: 1\n", "$", "\n", " ", "\x00", "٣", "½", "a ", "= = ", "1/", "1/0\n", "Answer: 1\n",
    "1 2 3 4\n", "\\frac{1}{2}", "2 * 3 + 4\n", "row 1 column 1 = 1\n", "9" * 20 + "*", "\ud800", "🙂", "\r\n", "|",
    ". ", "-1 = ", "e",
]  # fmt: skip


@pytest.mark.parametrize("name", VERIFIERS)
def test_100_kilobytes_of_anything_take_bounded_time(name: str) -> None:
    slowest: tuple[float, str] = (0.0, "")
    for unit in UNITS:
        for text in (unit * (SIZE // len(unit)), unit * 900 + "\n" + "1" * 900, f"#### {unit * 3000}\n{unit * 300}"):
            started = time.process_time()
            verdict = VERIFIERS[name].verify(text)
            slowest = max(slowest, (time.process_time() - started, unit))
            assert not verdict.correct
            assert len(verdict.reason) < 500
    assert slowest[0] < 2.0, slowest


@pytest.mark.parametrize("name", VERIFIERS)
@given(text=st.text(st.characters(), max_size=200))
def test_no_text_raises_and_the_verdict_repeats(name: str, text: str) -> None:
    assert VERIFIERS[name].verify(text) == VERIFIERS[name].verify(text)


@pytest.mark.parametrize("name", VERIFIERS)
def test_threads_get_the_same_verdicts(name: str) -> None:
    texts = [f"{k}\n{k} + {k}\nAnswer: {k} * 2\n#### {k}" for k in range(200)]
    expected = [VERIFIERS[name].verify(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(VERIFIERS[name].verify, texts)) == expected
