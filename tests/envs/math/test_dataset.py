"""MathDataset: presets read their data sets' rows; broken rows are told by place and reason; copies earn nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgym.envs.math import dataset
from proofgym.envs.math.dataset import PRESETS, MathDataset, Preset
from proofgym.errors import BadInput, MissingExtra
from proofgym.verifiers.math import MathPolicy

ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "gsm8k": ({"question": "How many legs have 3 cats?", "answer": "3 * 4 = <<3*4=12>>12\n#### 12"}, "12"),
    "math": (
        {
            "problem": "Compute $\\sqrt{50}$.",
            "level": "Level 2",
            "type": "Algebra",
            "solution": "It is $\\sqrt{25 \\cdot 2} = \\boxed{5\\sqrt{2}}$.",
        },
        r"5\sqrt{2}",
    ),
    "aime": ({"ID": "2024-I-1", "Problem": "Find the sum.", "Solution": "...", "Answer": 204}, "204"),
    "amc": ({"id": 0, "problem": "What is m + n?", "answer": 142.0, "url": "https://example.org"}, "142"),
    "numina": (
        {
            "source": "olympiads",
            "problem": "Solve $x^2 = 9$.",
            "solution": "So $x = \\boxed{\\pm 3}$.",
            "messages": [{"content": "...", "role": "user"}],
        },
        r"\pm 3",
    ),
    "bigmath": (
        {"problem": "Which part is left?", "answer": r"\frac{3}{4}", "llama8b_solve_rate": 0.5},
        r"\frac{3}{4}",
    ),
    "deepscaler": ({"problem": "Find $x$.", "answer": "-2/3", "solution": "Thus $x = \\boxed{-2/3}$."}, "-2/3"),
}
ROW = {"problem": "What is half of 9?", "answer": "9/2"}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return path


def test_every_preset_is_tried() -> None:
    assert set(PRESETS) == {*ROWS, "auto"}


@pytest.mark.parametrize("preset", ROWS)
def test_each_preset_reads_a_row_of_its_data_set(tmp_path: Path, preset: str) -> None:
    row, gold = ROWS[preset]
    env = MathDataset(write(tmp_path / "d.jsonl", row), preset=preset, whole_file=True)
    observation, _ = env.reset(seed=0)
    assert observation.startswith(str(row.get("problem") or row.get("question") or row["Problem"]))
    assert env.state()["instance"]["answer"] == gold
    assert env.step(env.oracle())[1] == 1.0
    env.reset(seed=0)
    assert env.step(rf"\boxed{{{gold}}}")[1] == 1.0
    env.reset(seed=0)
    assert env.step(r"\boxed{17}")[1] == 0.0


@pytest.mark.parametrize("preset", ROWS)
def test_without_a_preset_the_usual_names_are_tried(tmp_path: Path, preset: str) -> None:
    row, gold = ROWS[preset]
    env = MathDataset(write(tmp_path / "d.jsonl", row), whole_file=True)
    env.reset(seed=0)
    assert env.state()["instance"]["answer"] == gold


def test_a_preset_of_your_own_names_its_columns(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", {"ask": "2 + 3?", "gold": 5})
    env = MathDataset(path, preset=Preset(("ask",), ("gold",)), whole_file=True)
    env.reset(seed=0)
    assert env.step("The answer is 5.")[1] == 1.0
    with pytest.raises(BadInput, match="needs path"):
        MathDataset(preset=Preset(("ask",), ("gold",)))
    with pytest.raises(BadInput, match="preset is one of auto, gsm8k"):
        MathDataset(path, preset="imagined")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "Expecting property name"),
        ("[]", "found list"),
        ("7", "found int"),
        ({"prompt": "?"}, "no text in 'problem' or"),
        ({"problem": "?"}, "no answer in 'answer' or"),
        ({"problem": " ", "answer": "1"}, "no text in 'problem' or"),
        ({"problem": "?", "answer": "proof"}, "no answer to compare with"),
        ({"problem": "?", "solution": "It is clear."}, "ends in no answer"),
        ({"problem": "?", "solution": "Either \\boxed{1} or \\boxed{2}."}, "ends in no answer"),
        ({"problem": "?", "answer": "1/0"}, "cannot be judged"),
        ({"problem": "?", "answer": float("inf")}, "infinity"),
        ({"problem": "x" * 5000, "answer": "1"}, "at most 3600"),
        ({"problem": "?", "answer": "9" * 600}, "at most 500"),
    ],
)
def test_a_broken_row_is_refused_or_counted_with_its_place_and_reason(tmp_path: Path, row: Any, said: str) -> None:
    path = write(tmp_path / "d.jsonl", ROW, "", row, "nonsense")
    with pytest.raises(BadInput) as caught:
        MathDataset(path, whole_file=True)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert said in str(caught.value)
    assert "and 1 more" in str(caught.value)
    env = MathDataset(path, whole_file=True, skip_broken=True)
    assert len(env.broken) == 2
    assert env.broken[0].startswith(f"{path}:3: ")
    assert env.reset(seed=0)[0].startswith("What is half")


def test_files_that_cannot_be_read_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        MathDataset(tmp_path / "none.jsonl")
    with pytest.raises(BadInput, match="has no rows"):
        MathDataset(write(tmp_path / "empty.jsonl", ""))
    with pytest.raises(BadInput, match="has no rows that can be used"):
        MathDataset(write(tmp_path / "bad.jsonl", "{"), skip_broken=True)
    with pytest.raises(BadInput, match="is no JSON"):
        MathDataset(write(tmp_path / "cut.json", '[{"problem": 1'))
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="not UTF-8"):
        MathDataset(tmp_path / "bytes.jsonl")


def test_a_json_array_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [{"problem": f"What is {n} + {n}?", "answer": str(2 * n), "solution": None} for n in range(2, 30)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "d.parquet")
    (tmp_path / "d.json").write_text(json.dumps(rows), encoding="utf-8")
    one, other = (MathDataset(tmp_path / f"d.{kind}", whole_file=True) for kind in ("parquet", "json"))
    for index in range(28):
        assert one.reset(seed=1, options={"index": index}) == other.reset(seed=1, options={"index": index})
    (tmp_path / "e.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadInput, match="as Parquet"):
        MathDataset(tmp_path / "e.parquet")


def test_rows_are_walked_each_once_and_split_by_their_question(tmp_path: Path) -> None:
    rows = [{"problem": f"What is {n} squared?", "answer": str(n * n)} for n in range(60)]
    path = write(tmp_path / "d.jsonl", *rows)
    env = MathDataset(path, whole_file=True)
    marks = [env.reset(seed=3, options={"index": i})[1]["task"]["fingerprint"] for i in range(120)]
    assert len(set(marks[:60])) == 60
    assert set(marks[60:]) == set(marks[:60])
    assert marks[60:] != marks[:60]
    parts = [
        {MathDataset(path, split=split).reset(seed=0, options={"index": i})[1]["task"]["id"] for i in range(60)}
        for split in ("train", "validation", "test")
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    assert env.generate(np.random.default_rng(0))["question"] in {row["problem"] for row in rows}


@pytest.mark.parametrize(
    ("question", "answer", "copy", "earned"),
    [
        ("Compute $2 + 3$.", "5", "2 + 3", 0.0),
        ("Compute $2 + 3$.", "5", "5", 1.0),
        (r"Evaluate $\int_0^1 2x \, dx$.", "1", r"\int_0^1 2x \, dx", 0.0),
        ("Expand $(x+1)^2$.", "x^2+2x+1", "(x+1)^2", 0.0),
        ("Expand $(x+1)^2$.", "x^2+2x+1", "1 + 2x + x^2", 1.0),
        ("Is it 3/4 or 4/3?", "3/4", r"\frac{3}{4}", 1.0),
        ("Which is larger, $2^3$ or $3^2$?", "3^2", "3^2", 1.0),
    ],
)
def test_a_formula_copied_from_the_question_is_no_answer(
    tmp_path: Path, question: str, answer: str, copy: str, earned: float
) -> None:
    path = write(tmp_path / "d.jsonl", {"problem": question, "answer": answer})
    env = MathDataset(path, whole_file=True)
    env.reset(seed=0)
    assert env.step(rf"\boxed{{{copy}}}")[1] == earned


def test_the_policy_of_a_preset_can_be_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "d.jsonl", {"question": "How many percent?", "answer": "#### 50"})
    for policy, earned in ((None, 1.0), (MathPolicy(), 0.0)):
        env = MathDataset(path, preset="gsm8k", whole_file=True, policy=policy)
        env.reset(seed=0)
        assert env.step("#### 50%")[1] == earned


def test_the_real_test_set_of_gsm8k_verifies(data_folder: Path) -> None:
    path = data_folder / "gsm8k_test.jsonl"
    if not path.is_file():
        pytest.skip(f"no {path}")
    env = MathDataset(path, preset="gsm8k", whole_file=True)
    for index in range(0, 1319, 4):
        env.reset(seed=1, options={"index": index})
        assert env.step(env.oracle())[1] == 1.0


class FakeHub:
    """Stands in for the `datasets` package: no test goes to the network."""

    def __init__(self, rows: list[dict[str, Any]] | Exception) -> None:
        self.rows = rows

    def load_dataset(self, name: str, configuration: str | None, split: str) -> list[dict[str, Any]]:
        assert (name, configuration) == ("HuggingFaceH4/MATH-500", None)
        if isinstance(self.rows, Exception):
            raise self.rows
        return [{**row, "problem": f"{split}: {row['problem']}"} for row in self.rows]


def with_hub(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]] | Exception) -> None:
    dataset._from_hub.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setattr(dataset, "need", lambda *_: FakeHub(rows))


def test_without_a_path_the_hub_is_asked_at_the_first_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    with_hub(monkeypatch, [ROW])
    assert MathDataset(part="test", whole_file=True).reset(seed=0)[0].startswith("test: What is half")


def test_a_hub_out_of_reach_says_to_pass_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    with_hub(monkeypatch, ConnectionError("no network"))
    with pytest.raises(BadInput, match=r"could not be fetched \(ConnectionError: no network\).*pass path=FILE"):
        MathDataset().reset(seed=0)


def test_without_datasets_and_path_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(module: str, extra: str) -> None:
        raise MissingExtra(f"{module} is not installed; `pip install 'proofgym[{extra}]'` brings it")

    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr(dataset, "need", absent)
    with pytest.raises(MissingExtra, match=r"proofgym\[data\]"):
        MathDataset()
