"""The labelled development set, where it is present: no false positives, few misses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proofgym.errors import Unjudged
from proofgym.verifiers import math


def test_the_clean_core_is_judged_well(data_folder: Path) -> None:
    path = data_folder / "math_equivalence_dev.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    counts = {True: [0, 0], False: [0, 0]}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["tier"] != "core" or row["ambiguous"]:
            continue
        judge = math.verify_answer if row["pred_kind"] == "answer" else math.verify
        try:
            match = judge(row["gold"], row["pred"]).correct
        except Unjudged:
            match = False
        counts[row["should_match"]][0] += match
        counts[row["should_match"]][1] += 1
    assert counts[True][0] / counts[True][1] >= 0.96
    assert counts[False][0] / counts[False][1] <= 0.01
