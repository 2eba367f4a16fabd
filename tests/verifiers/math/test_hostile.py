"""Bombs end in time, and no text of a model is ever run."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

from proofgym.errors import Unjudged
from proofgym.verifiers import math

BOMBS = [
    r"9^{9^{9^9}}", r"(10^9)!", r"((100!)!)!", r"\binom{10^9}{5\cdot10^8}", r"\sum_{k=1}^{10^9}k^k",
    r"\prod_{k=1}^{10^9}k",
    r"(x+y+z+w)^{3000}", r"e^{e^{e^{e^{e}}}}", r"10^{-10^{10}}", "1e999999999", "1+" * 9_000 + "1", "$" * 19_000,
    "{" * 5_000,
    "(" * 5_000, r"\sqrt{" * 500 + "2" + "}" * 500, "1/" * 5_000 + "1", "2^" * 3_000 + "2", "5" + "!" * 3_000,
    "-" * 10_000 + "1",
    "9" * 19_999, "0." + "3" * 19_000, "|" * 5_000,
    r"\begin{pmatrix}" + r"\\".join(["&".join(["1"] * 60)] * 60) + r"\end{pmatrix}",
    r"\cup".join(f"({2 * k},{2 * k + 1})" for k in range(300)), ",".join(map(str, range(3_000))),
    "x_{" * 3_000 + "1" + "}" * 3_000,
    r"\sin(" * 90 + "1" + ")" * 90, "".join(f"(x+{k})" for k in range(50)) + "=0", r"\text{" * 2_000, r"\frac" * 5_000,
    r"\left(" * 3_000, r"\int_0^1x^{x^x}dx", "gcd(" * 50 + "1" + ")" * 50, r"\overline{" * 2_000,
    "1" * 100 + "^" + "1" * 100,
    r"\pm" * 40 + "1", "+".join(rf"\pm {k}" for k in range(30)), r"\{x|" * 200, "=".join("1" * 3_000),
    "<".join("x" * 2_000),
    "1,000" * 3_000, "½" * 4_000, "\ud800", "\x00" * 100, "²" * 5_000, r"\boxed{" * 2_000, r"\begin{cases}" * 500,
]  # fmt: skip
INJECTIONS = [
    "__import__('os').system('touch {path}')", "eval(\"open('{path}','w')\")",
    "exec('import os; os.mknod(\"{path}\")')",
    r"\input|touch {path}", r"\write18{{touch {path}}}", "open('{path}','w').write('x')",
    "x.__class__.__mro__[1].__subclasses__()",
    "lambda: open('{path}','w')", "[open('{path}','w') for x in (1,)]", "sympy.sympify(\"open('{path}','w')\")",
    r"\pi; import os; os.mknod('{path}')", "(1).__class__", "`touch {path}`", "$(touch {path})",
    "f(open('{path}', 'w'))",
    r"\begin{{pmatrix}}__import__('os').system('touch {path}')\end{{pmatrix}}", "S('open(\"{path}\",\"w\")')", "@eval",
    "{{7*7}}",
]  # fmt: skip


BRIEF = math.MathPolicy(budget_s=0.5)


@pytest.mark.parametrize("gold", ["5", r"\sqrt{2}+x"])
@pytest.mark.parametrize("number", range(len(BOMBS)))
def test_a_bomb_ends_in_time_and_earns_nothing(number: int, gold: str) -> None:
    began = time.monotonic()
    try:
        correct = math.verify_answer(gold, BOMBS[number], policy=BRIEF).correct
    except Unjudged:
        correct = False
    assert time.monotonic() - began < 8  # of which half a second is budget; the machine may be busy
    assert not correct


@pytest.mark.parametrize("number", range(len(BOMBS)))
def test_a_bomb_as_gold_ends_in_time_too(number: int) -> None:
    began = time.monotonic()
    with contextlib.suppress(Unjudged):
        assert not math.verify_answer(BOMBS[number], "x+1", policy=BRIEF).correct
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_is_ever_run(text: str, tmp_path: Path) -> None:
    path = tmp_path / "touched"
    text = text.replace("{path}", str(path))
    for response in (text, f"\\boxed{{{text}}}", f"#### {text}", f"The answer is ${text}$"):
        assert not math.verify("5", response).correct
        with contextlib.suppress(Unjudged):
            assert not math.verify(r"\sqrt{2}", response).correct
    assert not path.exists()


def test_a_reason_is_short_whatever_the_answer() -> None:
    for text in BOMBS[:12]:
        with contextlib.suppress(Unjudged):
            assert len(math.verify_answer("5", text, policy=BRIEF).reason) < 500
