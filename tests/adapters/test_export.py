"""Exported files: the same bytes everywhere, no answers, no mixed splits, and read by the trainers' own loaders."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proofgym.adapters import nemo_gym, openrlhf, skyrl, verl
from proofgym.adapters.export import FORMATS, Export, export, shaped
from proofgym.adapters.rows import Row, rows, start_row
from proofgym.errors import BadInput

needs_arrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs pyarrow")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@needs_arrow
@pytest.mark.parametrize("suffix", [".parquet", pytest.param(".jsonl", marks=pytest.mark.slow)])
def test_the_same_arguments_give_the_same_bytes_in_other_processes(tmp_path: Path, suffix: str) -> None:
    made = []
    for seed, jobs in (("1", "1"), ("2", "2")):
        path = tmp_path / f"run{seed}{suffix}"
        arguments = ["export", "RunningTotal", "Countdown", "-n", "301", "--out", str(path), "--jobs", jobs]
        done = subprocess.run(
            [sys.executable, "-m", "proofgym", *arguments], env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "301 rows" in done.stdout
        made.append(digest(path))
    assert made[0] == made[1]
    other = tmp_path / f"other{suffix}"
    export(Export(("RunningTotal", "Countdown"), 301, seed=1), other)
    assert digest(other) != made[0]


def test_a_longer_file_begins_with_the_shorter_one(tmp_path: Path) -> None:
    short, long = tmp_path / "short.jsonl", tmp_path / "long.jsonl"
    export(Export(("RunningTotal", "Countdown"), 7), short)
    export(Export(("RunningTotal", "Countdown"), 300), long)
    assert long.read_bytes().startswith(short.read_bytes())
    lines = [json.loads(line) for line in long.read_text(encoding="utf-8").splitlines()]
    assert [(row["env"].split("/")[1], row["index"]) for row in lines[:4]] == [
        ("RunningTotal-v0", 0), ("Countdown-v0", 0), ("RunningTotal-v0", 1), ("Countdown-v0", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("split", ["train", "test"])
def test_every_row_is_of_the_split_that_was_asked_for(tmp_path: Path, split: Any) -> None:
    path = tmp_path / f"{split}.jsonl"
    written = export(Export(("Countdown",), 40, split=split), path)
    found = [Row.from_json(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row.split for row in found} == {split}
    assert written.distinct == len({row.fingerprint for row in found}) == 40
    meta = json.loads(path.with_name(path.name + ".meta.json").read_text(encoding="utf-8"))
    assert (meta["split"], meta["envs"], meta["n"], meta["distinct"]) == (split, ["proofgym/Countdown-v0"], 40, 40)


@pytest.mark.parametrize(
    ("name", "split", "format_", "said"),
    [
        ("train.jsonl", "test", "trl", "speaks of the train split"),
        ("my-val_rows.jsonl", "train", "trl", "speaks of the validation split"),
        ("rows.jsonl", "test", "trl", "a file that says so"),
        ("rows.csv", "train", "trl", "ends in .parquet or .jsonl"),
        ("rows.parquet", "train", "nemo", "JSON Lines"),
    ],
)
def test_held_out_tasks_do_not_get_lost_in_a_file(
    tmp_path: Path, name: str, split: Any, format_: Any, said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        export(Export(("Countdown",), 2, format_, split), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_is_not_written_over_and_a_failed_one_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(BadInput, match="exists"):
        export(Export(("Countdown",), 2), path)
    assert path.read_text(encoding="utf-8") == "mine"
    with pytest.raises(BadInput):
        export(Export(("Countdown",), 2, env_kwargs={"colour": "red"}), tmp_path / "other.jsonl")
    assert [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]


@pytest.mark.parametrize("format_", FORMATS)
def test_no_row_holds_the_answer_and_every_adapter_finds_its_item(format_: Any) -> None:
    for row in rows("RunningTotal", 5, seed=3, split="train"):
        data = shaped(row, format_)
        episode, _ = start_row(row)
        with episode:
            assert episode.env.unwrapped.oracle() not in json.dumps(data)  # type: ignore[attr-defined]
        found = {
            "trl": lambda d: Row.from_json(d),
            "verl": lambda d: verl.row_of(d["reward_model"]["ground_truth"]),
            "openrlhf": lambda d: openrlhf._row(d["label"]),
            "skyrl": skyrl.row_of,
            "nemo": nemo_gym.row_of,
        }[format_](data)
        assert found.reference() == row.reference()


def test_a_mistaken_request_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from proofgym.__main__ import main

    assert main(["export", "Countdwn", "--out", str(tmp_path / "a.jsonl")]) == 2
    assert "did you mean" in capsys.readouterr().err
    assert main(["export", "Countdown", "--format", "rllib", "--out", str(tmp_path / "a.jsonl")]) == 2
    assert "the formats are trl, verl, openrlhf, skyrl, nemo" in capsys.readouterr().err


@needs_arrow
def test_a_parquet_file_says_what_it_was_made_from(tmp_path: Path) -> None:
    import pyarrow.parquet

    path = tmp_path / "rows.parquet"
    export(Export(("Countdown",), 3, "verl", seed=9, env_kwargs={"level": 0.2}), path)
    meta = json.loads(pyarrow.parquet.read_schema(path).metadata[b"proofgym"])
    assert (meta["seed"], meta["env_kwargs"], meta["envs"]) == (9, {"level": 0.2}, ["proofgym/Countdown-v0"])


# The trainers' own loaders --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_verl_reads_its_file(real: Any, tiny: Any, tmp_path: Path) -> None:
    loader = real("verl.utils.dataset.rl_dataset")
    from omegaconf import OmegaConf

    path = tmp_path / "train.parquet"
    export(Export(("Countdown", "Sudoku4Steps"), 6, "verl"), path)
    config = OmegaConf.create({"prompt_key": "prompt", "max_prompt_length": 2000, "cache_dir": str(tmp_path)})
    data = loader.RLHFDataset(str(path), tiny().tokenizer, config)
    items = [data[i] for i in range(len(data))]
    assert len(items) == 6
    assert items[1]["agent_name"] == "proofgym"
    assert verl.row_of(items[0]["reward_model"]["ground_truth"]).env == "proofgym/Countdown-v0"
    assert items[0]["raw_prompt"][0]["content"].startswith("Reach")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("suffix", [".parquet", ".jsonl"])
def test_openrlhf_reads_its_file(real: Any, tiny: Any, tmp_path: Path, suffix: str) -> None:
    loader = real("openrlhf.datasets.prompts_dataset")
    import datasets

    path = tmp_path / f"train{suffix}"
    export(Export(("Countdown",), 4, "openrlhf"), path)
    kind = "parquet" if suffix == ".parquet" else "json"
    rows_ = datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    options = SimpleNamespace(input_key="prompt", label_key="label", apply_chat_template=True)
    strategy = SimpleNamespace(args=SimpleNamespace(data=options), is_rank_0=lambda: False)
    data = loader.PromptDataset(rows_, tiny().tokenizer, strategy)
    _, prompt, label, _ = data[0]
    assert prompt.startswith("<|im_start|>user\nReach")
    assert openrlhf._row(label).env == "proofgym/Countdown-v0"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_trl_rows_load_as_a_data_set(real: Any, tmp_path: Path) -> None:
    datasets = real("datasets")
    path = tmp_path / "train.parquet"
    export(Export(("Countdown",), 4), path)
    data = datasets.load_dataset("parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache"))
    assert Row.from_json(data[2]) == list(rows("Countdown", 3, split="train"))[2]
