"""Coverage-guided fuzzing of reading and extraction, with atheris; a minute of it in the slow tests."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TARGET = """
import sys, time
import atheris
with atheris.instrument_imports(include=["proofgym.verifiers.math"]):
    from proofgym.verifiers.math.extract import extract
    from proofgym.verifiers.math.reading import read
    from proofgym.verifiers.math.segments import segments
    from proofgym.verifiers.math.compare import Comparer, Undecided
    from proofgym.verifiers.math.identity import NeedsWorker
    from proofgym.verifiers.math.policy import STRICT
    from proofgym.verifiers.math.tree import Unreadable, dumps, loads

def one(data):
    text = atheris.FuzzedDataProvider(data).ConsumeUnicode(400)
    began = time.process_time()
    place = extract(text)
    assert 0 <= place.start <= place.end <= len(text)
    for segment in segments(text):
        assert 0 <= segment.start < segment.end <= len(text)
    try:
        node = read(text).node
        assert loads(dumps(node)) == node
        Comparer(STRICT, deep=False).same(node, read("x+1").node)
    except (Unreadable, NeedsWorker, Undecided, RecursionError):
        pass
    assert time.process_time() - began < 5

atheris.Setup(sys.argv, one)
atheris.Fuzz()
"""
WORDS = [
    r"\\frac{1}{2}", r"\\sqrt", r"\\boxed{", "####", r"\\left(", r"\\begin{pmatrix}", r"\\end{pmatrix}", r"\\{", r"\\}",
    "^{", "_{",
    r"\\sum_{k=1}^{n}", r"\\text{ or }", "answer is", "1,000", "0.(3)", r"\\overline{3}", "e^", "x<", r"\\cup", r"\\pm",
    r"\xc2\xbd",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_minute_of_fuzzing_finds_no_crash(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed")
    (tmp_path / "target.py").write_text(TARGET, encoding="utf-8")
    (tmp_path / "words").write_text("\n".join(f'"{word}"' for word in WORDS), encoding="utf-8")
    (tmp_path / "corpus").mkdir()
    command = [
        sys.executable,
        "target.py",
        "corpus",
        "-max_total_time=60",
        "-dict=words",
        "-max_len=600",
        "-timeout=10",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, (done.stdout[-3000:], done.stderr[-600:])
