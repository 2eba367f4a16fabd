"""The three doors of TRL: what they return, and GRPOTrainer really training through each of them."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proofgym.adapters import trl as door
from proofgym.adapters.episode import Episode, Outcome
from proofgym.adapters.rows import rows
from proofgym.errors import BadInput


def columns(env_id: str, n: int, **kwargs: Any) -> tuple[list[dict[str, Any]], dict[str, list[Any]]]:
    data = [row.to_json() for row in rows(env_id, n, **kwargs)]
    return data, {key: [row[key] for row in data] for key in data[0]}


def test_a_completion_earns_what_the_environment_pays(caplog: pytest.LogCaptureFixture) -> None:
    data, table = columns("RunningTotal", 2)
    with Episode("RunningTotal") as episode:
        episode.start(0, 1)
        gold = episode.env.unwrapped.oracle()  # type: ignore[attr-defined]
    prompts = table.pop("prompt")
    with caplog.at_level(logging.WARNING, "proofgym.adapters"):
        paid = door.reward_func([[{"role": "assistant", "content": "no"}], gold], prompts=prompts, **table)
        door.reward_func(["1", gold], prompts=prompts, **table)
    assert paid == [0.0, 1.0]
    assert [record.message for record in caplog.records] == [
        "TRL takes one scalar an episode: 10 step rewards of proofgym/RunningTotal-v0 were summed"
    ]
    assert data[0]["prompt"][0]["role"] == "user"


def test_an_unjudged_completion_is_none_and_never_a_number(flaky: str) -> None:
    _, table = columns(flaky, 2)
    assert door.reward_func(["break", "a"], **table) == [None, 0.25]


def test_a_row_that_asks_another_task_now_is_refused() -> None:
    _, table = columns("RunningTotal", 1)
    table["fingerprint"] = ["0" * 32]
    with pytest.raises(BadInput, match="export the rows again"):
        door.reward_func(["1"], **table)


def test_the_tool_plays_and_the_reward_is_the_sum(flaky: str) -> None:
    [row], _ = columns(flaky, 1)
    seat = door.environment_factory()()
    assert seat.reset(**row) is None  # the prompt shows the question already
    assert seat.act(text="a e") == "You said a e."
    assert seat.act(text="o") == "You said o.\nThe episode is over."
    assert seat.act(text="aaa") == "The episode is over."
    assert seat.get_reward() == 0.75
    assert seat.reset(**{**row, "prompt": [{"role": "user", "content": ""}]}).startswith("Say something")
    assert seat.get_reward() == 0.0
    assert seat.act(text="break") == "The episode is over."
    assert seat.get_reward() is None


def test_an_environment_without_rows_is_refused(flaky: str) -> None:
    with pytest.raises(BadInput, match="names an item"):
        door.environment_factory(flaky)().reset(prompt=[])


class Sampler:
    """Stands for TRL's trainer: samples given texts, as ids of the tiny tokenizer."""

    def __init__(self, tokenizer: Any, texts: list[list[str]]) -> None:
        self.processing_class = tokenizer
        self.args = SimpleNamespace(max_completion_length=200)
        self.texts, self.seen = iter(texts), []  # type: ignore[var-annotated]

    def _generate_single_turn(self, ids: list[list[int]], *_: Any) -> tuple[list[list[int]], None]:
        self.seen.append(ids)
        texts = next(self.texts)
        assert len(texts) == len(ids)
        return [[*self.processing_class.encode(t, add_special_tokens=False), 2] for t in texts], None


@pytest.mark.train
@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("torch", "transformers"))), reason="needs torch and transformers"
)
def test_a_rollout_keeps_the_sampled_ids_and_masks_what_the_environment_said(flaky: str, tiny: Any) -> None:
    tokenizer = tiny().tokenizer
    data, _ = columns(flaky, 2)
    trainer = Sampler(tokenizer, [["ae", "break"], ["i"]])
    out = door.rollout_func(data)([row["prompt"] for row in data], trainer)
    ids, mask = out["completion_ids"][0], out["env_mask"][0]
    mine = [i for i, own in zip(ids, mask, strict=True) if own]
    assert tokenizer.decode(mine) == "ae<|im_end|>i<|im_end|>"
    assert tokenizer.decode(ids) == (
        "ae<|im_end|>\n<|im_start|>user\nYou said ae.<|im_end|>\n<|im_start|>assistant\ni<|im_end|>"
    )
    assert trainer.seen[1][0] == out["prompt_ids"][0] + ids[: -len("i") - 1]
    assert out["proofgym_reward"][0] == 0.75
    assert math.isnan(out["proofgym_reward"][1])
    assert door.rollout_reward(**out) == [0.75, None]


def test_rows_that_cannot_be_told_apart_are_refused(flaky: str) -> None:
    data, _ = columns(flaky, 2)
    data[1]["prompt"] = data[0]["prompt"]
    with pytest.raises(BadInput, match="the same prompt"):
        door.rollout_func(data)


# The trainer itself ---------------------------------------------------------------------------------------------------


def grpo(tiny: Any, folder: Path, data: Any, *, length: int, **doors: Any) -> list[dict[str, float]]:
    import trl

    config = trl.GRPOConfig(
        output_dir=str(folder), max_steps=3, per_device_train_batch_size=4, num_generations=4, learning_rate=1e-3,
        max_completion_length=length, logging_steps=1, report_to="none", use_cpu=True, bf16=False, save_strategy="no",
        seed=0, temperature=1.0, gradient_checkpointing=False, shuffle_dataset=False,
    )  # fmt: skip
    trainer = trl.GRPOTrainer(
        tiny.model, args=config, train_dataset=data, processing_class=tiny.tokenizer, **doors
    )  # fmt: skip
    before = {name: value.clone() for name, value in tiny.model.named_parameters()}
    trainer.train()
    assert any(not before[name].equal(value) for name, value in trainer.model.named_parameters()), "nothing learned"
    logs: list[dict[str, float]] = [entry for entry in trainer.state.log_history if "reward" in entry]
    for entry in logs:
        print({k: round(float(entry[k]), 4) for k in ("loss", "reward", "reward_std", "completions/mean_length")})
    assert len(logs) == 3
    assert all(math.isfinite(float(entry["loss"])) for entry in logs)
    return logs


def warmed(tiny: Any, template: str, data: Any, answers: list[str], steps: int, **kwargs: Any) -> Any:
    made = tiny(template) if template else tiny()
    texts = [
        made.tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True, **kwargs)
        for row in data
    ]
    made.teach([(text, answer) for text in texts for answer in answers], steps)
    return made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_grpo_trains_through_reward_funcs(real: Any, tiny: Any, tmp_path: Path) -> None:
    real("trl")
    data = door.dataset("RunningTotal", 2)
    made = warmed(tiny, "", data, ["4914444539", "8391029384", "0000000000", "7777777777"], 120)
    logs = grpo(made, tmp_path, data, length=12, reward_funcs=door.reward_func)
    assert any(float(entry["reward"]) > 0.0 for entry in logs)
    assert "rewards/proofgym/mean" in logs[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_grpo_leaves_out_what_nobody_could_judge(
    real: Any, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of four are unjudged: TRL's mean is that of the other two, and the loss stays finite."""
    real("trl")
    outcomes = itertools.cycle(
        [
            Outcome("", math.nan, True, unjudged="on strike"),
            Outcome("", 1.0, True),
            Outcome("", math.nan, True, unjudged="on strike"),
            Outcome("", 0.0, True),
        ]
    )
    monkeypatch.setattr(door, "judge_row", lambda *_: next(outcomes))
    logs = grpo(tiny(), tmp_path, door.dataset("RunningTotal", 1), length=4, reward_funcs=door.reward_func)
    assert [float(entry["reward"]) for entry in logs] == [0.5] * 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_grpo_trains_through_environment_factory(real: Any, tiny: Any, tmp_path: Path) -> None:
    package = Path(real("trl").__file__).parent
    template = (package / "chat_templates" / "qwen3_instruct_2507.jinja").read_text(encoding="utf-8")
    data = door.dataset("RunningTotal", 1)
    seat = door.environment_factory()()
    calls = [
        f'<tool_call>\n{{"name": "act", "arguments": {{"text": "{text}"}}}}\n</tool_call>'
        for text in ("4914444539", "0000000000", "7777777777")
    ]
    made = warmed(tiny, template, data, calls, 150, tools=[seat.act])
    logs = grpo(made, tmp_path, data, length=160, environment_factory=door.environment_factory())
    assert max(float(entry["tools/call_frequency"]) for entry in logs) > 0.0
    assert max(float(entry["reward"]) for entry in logs) > 0.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_grpo_trains_through_rollout_func(real: Any, tiny: Any, tmp_path: Path) -> None:
    real("trl")
    data = door.dataset("Sudoku4Steps", 1, max_turns=3)
    moves = [f"row {r} column {c} = {v}" for r, c, v in ((1, 1, 4), (1, 3, 1), (2, 1, 1), (2, 2, 3), (4, 1, 2))]
    made = warmed(tiny, "", data, moves, 200)
    logs = grpo(
        made, tmp_path, data, length=400, rollout_func=door.rollout_func(data, max_turns=3),
        reward_funcs=door.rollout_reward,
    )  # fmt: skip
    assert any(float(entry["reward_std"]) > 0.0 for entry in logs)
