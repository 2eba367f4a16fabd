"""Data for environments that read a file, so that they can be audited where nobody brought one."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

__all__ = ["sample_kwargs"]


def sample_kwargs(env_id: str) -> dict[str, Any]:
    """The arguments that an environment of ours cannot be made without; empty for most."""
    made = _NEEDED.get(env_id)
    return made() if made is not None else {}


@functools.lru_cache(maxsize=1)
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="proofgym-audit-"))
    atexit.register(shutil.rmtree, folder, True)
    return folder


def _words() -> Path:
    path = _folder() / "word_problems.jsonl"
    things, people = ("plums", "tiles", "beans", "maps", "lamps"), ("Ola", "Mira", "Tom", "Ines", "Bela")
    rows = []
    for k in range(300):
        a, b, c = 3 + k * 7 % 41, 2 + k * 5 % 17, 1 + k * 11 % 23
        question = (
            f"{people[k % 5]} packs {a} boxes of {b} {things[k // 5 % 5]} and finds {c} more. How many are there?"
        )
        rows.append(
            {"question": question, "answer": f"{a} * {b} = {a * b}\n{a * b} + {c} = {a * b + c}\n#### {a * b + c}"}
        )
    return _write(path, rows)


def _programs() -> Path:
    path = _folder() / "programs.jsonl"
    rows = []
    for k in range(2, 122):
        tests = {"fn_name": "work", "inputs": [[n] for n in range(4, 8)], "outputs": [[n * k + k] for n in range(4, 8)]}
        row = {
            "problem_id": k, "question": f"Return n times {k} plus {k}.", "input_output": json.dumps(tests),
            "solutions": json.dumps([f"def work(n):\n    return n * {k} + {k}"]), "difficulty": "introductory",
        }  # fmt: skip
        rows.append(row)
    return _write(path, rows)


def _write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if not path.exists():
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


_NEEDED: Mapping[str, Callable[[], dict[str, Any]]] = {
    "proofgym/GSM8K-v0": lambda: {"path": str(_words())},
    "proofgym/MathDataset-v0": lambda: {"path": str(_words()), "preset": "gsm8k"},
    "proofgym/CodeDataset-v0": lambda: {"path": str(_programs()), "format": "apps"},
    "proofgym/CodeTranslate-v0": lambda: {"language": "c"},
}
