"""The program in an answer: found, placed, and never at a price that grows faster than the text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.verifiers.code import extract

CODE = "def f(x):\n    return x\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"Here:\n```python\n{CODE}```\nDone.", CODE),
        (f"```\n{CODE}```", CODE),
        (f"```py\nx = 1\n```\nbetter:\n```Python\n{CODE}```", CODE),
        (f"```python\n{CODE}```\nUsage:\n```python\nprint(f(3))\n```", CODE),
        (f"```python\n{CODE}```\nIt prints\n```text\n3\n```", CODE),
        (f"```python\nwrong\n```</think>```python\n{CODE}```", None),
        (f"<think>```python\nwrong\n```\n</think>\n```python\n{CODE}```", CODE),
        (f"~~~python\n{CODE}~~~", CODE),
        (f"````python\n{CODE}s = '''\n```\n'''\n````", f"{CODE}s = '''\n```\n'''\n"),
        ("1. So\n   ```python\n   def f(x):\n       return x\n   ```", CODE),
        (f"```python\n{CODE}", CODE),
        (f"```{{.python}}\n{CODE}```", CODE),
        (CODE, CODE),
        (f'"""Usage:\n```\nf(3)\n```\n"""\n{CODE}', f'"""Usage:\n```\nf(3)\n```\n"""\n{CODE}'),
        ("```java\nclass A {}\n```", None),
        ("", None),
        ("<think> and so on", None),
        ("```python\n```", None),
    ],
)  # fmt: skip
def test_which_block_is_taken(text: str, code: str | None) -> None:
    found = extract(text, "python", "f")
    if code is None:
        assert found is None or found.code != "wrong\n"
    else:
        assert found is not None
        assert found.code == code


def test_an_open_block_says_so() -> None:
    found = extract(f"```python\n{CODE}")
    assert found is not None
    assert found.fenced
    assert not found.closed


@given(st.text(alphabet="`~ abc\n<think>/{}."))
def test_the_span_holds_the_code_of_any_text(text: str) -> None:
    found = extract(text)
    if found is not None:
        assert 0 <= found.start <= found.end <= len(text)
        held = text[found.start : found.end]
        assert found.code == held or [line.lstrip() for line in found.code.splitlines()] == [
            line.lstrip() for line in held.splitlines()
        ]


@given(st.text(alphabet="abc \n#"), st.text(alphabet="abc \n#"))
def test_a_fenced_program_is_found_between_any_words(before: str, after: str) -> None:
    text = f"{before}\n```python\n{CODE}```\n{after}"
    found = extract(text, entry="f")
    assert found is not None
    assert text[found.start : found.end] == found.code == CODE


@pytest.mark.parametrize(
    "text",
    ["```\n" * 100_000, "`" * 500_000, "~~~a\n" * 80_000, "</think>" * 60_000, " " * 500_000 + "```",
     "def f\n" * 80_000,
     "```python\n" + "from a import " * 40_000 + "\n```", "f:" * 250_000],
)  # fmt: skip
def test_hostile_text_costs_little(text: str) -> None:
    begun = time.process_time()
    extract(text, "python", "f")
    assert time.process_time() - begun < 2.0
