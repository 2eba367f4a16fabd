"""GSM8K: rows are read, checked, split and walked through; the real data verifies."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgym.envs.base import VerifiableEnv
from proofgym.envs.math import gsm8k
from proofgym.envs.math.gsm8k import GSM8K
from proofgym.errors import BadInput, MissingExtra

MakeEnv = Callable[..., VerifiableEnv]
ROW = {"question": "How many legs have 3 cats?", "answer": "3 * 4 = <<3*4=12>>12\n#### 12"}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return path


def test_items_of_one_seed_are_distinct_rows_and_then_begin_anew(word_problems: Path) -> None:
    env = GSM8K(word_problems, whole_file=True)
    asked = [env.reset(seed=3, options={"index": i})[1]["task"]["id"] for i in range(24)]
    assert len(set(asked[:12])) == 12
    assert set(asked[12:]) == set(asked[:12])
    assert asked[12:] != asked[:12], "the second round has an order of its own"
    other = [env.reset(seed=4, options={"index": i})[1]["task"]["id"] for i in range(12)]
    assert other != asked[:12]
    assert set(other) == set(asked[:12])


def test_the_splits_of_a_file_are_its_parts(word_problems: Path) -> None:
    parts = []
    for split in ("train", "validation", "test"):
        env = GSM8K(word_problems, split=split)
        parts.append({env.reset(seed=0, options={"index": i})[1]["task"]["id"] for i in range(24)})
    assert sum(map(len, parts)) == len(set.union(*parts)) == 12


def test_a_row_drawn_at_random_is_one_of_the_splits(word_problems: Path) -> None:
    env, rng = GSM8K(word_problems, split="validation"), np.random.default_rng(0)
    asked = {env.reset(seed=0, options={"index": i})[0].splitlines()[0] for i in range(4)}
    assert {env.generate(rng)["question"] for _ in range(20)} == asked


def test_the_calculator_marks_are_not_part_of_the_oracles_answer(tmp_path: Path) -> None:
    env = GSM8K(write(tmp_path / "d.jsonl", ROW), whole_file=True)
    observation, _ = env.reset(seed=0)
    assert observation.startswith(ROW["question"])
    assert env.oracle() == "3 * 4 = 12\n#### 12"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "Expecting property name"),
        ("[]", "found list"),
        ({"question": "?"}, "a text 'answer'"),
        ({"question": "", "answer": "#### 1"}, "a text 'question'"),
        ({"question": 5, "answer": "#### 1"}, "a text 'question'"),
        ({"question": "?", "answer": "twelve"}, "ends in '#### 42'"),
        ({"question": "?", "answer": "#### twelve"}, "ends in '#### 42'"),
        ({"question": "?", "answer": "#### 1 2"}, "ends in '#### 42'"),
        ({"question": "?", "answer": "#### 1\n#### 2"}, "several final numbers"),
        ({"question": "x" * 5000, "answer": "#### 1"}, "at most 3600"),
    ],
)
def test_a_broken_row_is_refused_with_its_file_line_and_reason(tmp_path: Path, row: Any, said: str) -> None:
    path = write(tmp_path / "d.jsonl", ROW, "", row)
    with pytest.raises(BadInput) as caught:
        GSM8K(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert said in str(caught.value)


def test_files_that_cannot_be_read_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        GSM8K(tmp_path / "none.jsonl")
    with pytest.raises(BadInput, match="pass path=FILE"):
        GSM8K(tmp_path)
    with pytest.raises(BadInput, match="has no rows"):
        GSM8K(write(tmp_path / "empty.jsonl", "", ""))
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        GSM8K(tmp_path / "bytes.jsonl")
    with pytest.raises(BadInput, match="part is train or test"):
        GSM8K(tmp_path, part="dev")


def test_a_split_without_rows_says_what_to_do(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", ROW)
    splits = {GSM8K(path, whole_file=True).reset(seed=0)[1]["task"]["split"]}
    (empty,) = {"validation", "test"} - splits if splits != {"train"} else {"test"}
    with pytest.raises(BadInput, match="whole_file=True"):
        GSM8K(path, split=empty)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", ROW)
    assert GSM8K(path, whole_file=True).reset(seed=0)[0].startswith("How many legs")
    write(path, {**ROW, "question": "How many tails have 12 cats?"})
    os.utime(path, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert GSM8K(path, whole_file=True).reset(seed=0)[0].startswith("How many tails")


class FakeHub:
    """Stands in for the `datasets` package: no test goes to the network."""

    def __init__(self, rows: list[dict[str, str]] | Exception) -> None:
        self.rows = rows

    def load_dataset(self, name: str, configuration: str, split: str) -> list[dict[str, str]]:
        assert (name, configuration) == ("openai/gsm8k", "main")
        if isinstance(self.rows, Exception):
            raise self.rows
        return [{**row, "question": f"{split}: {row['question']}"} for row in self.rows]


def with_hub(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, str]] | Exception) -> None:
    gsm8k._from_hub.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setattr(gsm8k, "need", lambda *_: FakeHub(rows))


def test_without_a_path_the_hub_is_asked_at_the_first_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    with_hub(monkeypatch, [ROW])
    env = GSM8K(part="test", whole_file=True)
    assert env.reset(seed=0)[0].startswith("test: How many legs")


def test_a_hub_out_of_reach_says_to_pass_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with_hub(monkeypatch, ConnectionError("no network"))
    env = GSM8K()
    with pytest.raises(BadInput, match=r"could not be fetched \(ConnectionError: no network\).*pass path=FILE"):
        env.reset(seed=0)


def test_without_datasets_and_path_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str, extra: str) -> None:
        raise MissingExtra(f"{module} is not installed; `pip install 'proofgym[{extra}]'` brings it")

    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(gsm8k, "need", absent)
    with pytest.raises(MissingExtra, match=r"proofgym\[data\]"):
        GSM8K()


def test_every_gold_answer_of_the_real_test_set_is_right_and_anothers_is_wrong(data_folder: Path) -> None:
    path = data_folder / "gsm8k_test.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    env = GSM8K(path, whole_file=True)
    instance = [{"question": row["question"], "answer": row["answer"]} for row in rows]
    for k, row in enumerate(rows):
        for answer, earned in ((row["answer"], 1.0), (rows[k - 1]["answer"], 0.0)):
            same = row["answer"].split("####")[1].replace(",", "") == answer.split("####")[1].replace(",", "")
            env.reset(options={"instance": instance[k]})
            assert env.step(answer)[1] == (1.0 if same else earned), row["question"]
    seen = {env.reset(seed=1, options={"index": i})[1]["task"]["fingerprint"] for i in range(len(rows))}
    assert len(seen) == len(rows) == 1319
