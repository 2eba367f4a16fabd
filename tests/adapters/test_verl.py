"""Our environments as verl sees them: its own base classes where it is installed, its signatures elsewhere."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import math
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from proofgym.adapters import verl
from proofgym.adapters.export import shaped
from proofgym.adapters.rows import rows
from proofgym.errors import BadInput, MissingExtra, Unjudged

HAVE = importlib.util.find_spec("verl") is not None
HAVE_MODEL = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
pytestmark = [
    pytest.mark.skipif(not HAVE_MODEL, reason="needs torch and transformers"),
    pytest.mark.filterwarnings("ignore"),
]


def fakes() -> dict[str, ModuleType]:
    """The signatures of verl 0.9.1 that our classes use."""

    class RewardManagerBase:
        def __init__(self, config: Any, tokenizer: Any, compute_score: Any) -> None:
            self.config, self.tokenizer, self.compute_score = config, tokenizer, compute_score
            self.loop = asyncio.get_event_loop()

    class AgentLoopBase:
        def __init__(
            self, trainer_config: Any, server_manager: Any, tokenizer: Any, processor: Any, dataset_cls: Any,
            data_config: Any, hf_model_type: str | None = None, **_: Any,
        ) -> None:  # fmt: skip
            self.rollout_config = trainer_config.config.actor_rollout_ref.rollout
            self.server_manager, self.tokenizer = server_manager, tokenizer

        async def ct_build_initial_tokens(self, messages: list[dict[str, str]]) -> list[int]:
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            return list(self.tokenizer.encode(text, add_special_tokens=False))

    def register(_: str) -> Any:
        return lambda made: made

    manager, base = ModuleType("manager"), ModuleType("base")
    vars(manager).update(register=register)
    vars(base).update(RewardManagerBase=RewardManagerBase)
    loop = ModuleType("loop")
    vars(loop).update(AgentLoopBase=AgentLoopBase, AgentLoopOutput=SimpleNamespace, register=register)
    empty = ["verl", "verl.experimental", "verl.experimental.reward_loop", "verl.experimental.agent_loop"]
    return {
        **{name: ModuleType(name) for name in empty},
        "verl.experimental.reward_loop.reward_manager": manager,
        "verl.experimental.reward_loop.reward_manager.base": base,
        "verl.experimental.agent_loop.agent_loop": loop,
    }


def _forget() -> None:
    for name in ("ProofgymRewardManager", "ProofgymAgentLoop"):
        vars(verl).pop(name, None)


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    if not HAVE:
        for name, module in fakes().items():
            monkeypatch.setitem(sys.modules, name, module)
        _forget()
    yield verl
    if not HAVE:  # verl refuses to register one name for two classes
        _forget()


def truth(env_id: str, **kwargs: Any) -> str:
    return json.dumps(next(rows(env_id, 1, **kwargs)).reference())


# One answer -----------------------------------------------------------------------------------------------------------


def test_compute_score_pays_what_the_environment_pays(caplog: pytest.LogCaptureFixture) -> None:
    row = shaped(next(rows("RunningTotal", 1)), "verl")
    with caplog.at_level(logging.WARNING, "proofgym.adapters"):
        found = verl.compute_score(
            data_source=row["data_source"], solution_str="4914444539",
            ground_truth=row["reward_model"]["ground_truth"], extra_info=row["extra_info"], reward_router_address="x",
        )  # fmt: skip
    assert found == {"score": pytest.approx(1.0), "acc": 1.0, "credits": 10.0}
    assert "this path of verl takes one scalar an episode, at its last token: 10 step rewards" in caplog.text


def test_compute_score_raises_what_nobody_could_judge(flaky: str) -> None:
    with pytest.raises(Unjudged, match="no way to leave one episode out"):
        verl.compute_score("x", "break", truth(flaky))
    with pytest.raises(BadInput):
        verl.compute_score("x", "1", "42", {})


# The reward manager ---------------------------------------------------------------------------------------------------


def config(*, batch: bool) -> Any:
    return SimpleNamespace(
        reward=SimpleNamespace(reward_model=SimpleNamespace(enable=batch, enable_resource_pool=False))
    )


class Proto:
    """What a reward manager reads of verl's DataProto, where verl is absent."""

    def __init__(self, batch: dict[str, Any], others: dict[str, list[Any]]) -> None:
        self.batch, self.non_tensor_batch = batch, others

    def __getitem__(self, i: int) -> Any:
        return SimpleNamespace(
            batch={k: v[i] for k, v in self.batch.items()},
            non_tensor_batch={k: v[i] for k, v in self.non_tensor_batch.items()},
        )


def proto(tokenizer: Any, texts: list[str], references: list[str], uids: list[str]) -> Any:
    """Two tokens of prompt, responses padded on the right."""
    import torch

    made = [[*tokenizer.encode(text, add_special_tokens=False), 2] for text in texts]
    width = max(map(len, made))
    batch = {
        "prompts": torch.ones(len(made), 2, dtype=torch.long),
        "responses": torch.tensor([ids + [0] * (width - len(ids)) for ids in made]),
        "attention_mask": torch.tensor([[1, 1] + [1] * len(ids) + [0] * (width - len(ids)) for ids in made]),
    }
    others = {"reward_model": [{"ground_truth": reference} for reference in references], "uid": uids}
    if not HAVE:
        return Proto(batch, others)
    import numpy as np
    from verl import DataProto

    return DataProto.from_dict(
        tensors=batch, non_tensors={key: np.array(value, dtype=object) for key, value in others.items()}
    )


def scored(classes: Any, tokenizer: Any, data: Any, count: int, *, batch: bool) -> tuple[Any, list[Any]]:
    async def run() -> tuple[Any, list[Any]]:
        manager = classes.ProofgymRewardManager(config(batch=batch), tokenizer, None, reward_router_address=None)
        manager.loop = asyncio.get_running_loop()
        return manager, [await manager.run_single(data[i : i + 1] if HAVE else Some(data, i)) for i in range(count)]

    return asyncio.run(run())


class Some:
    """`data[i : i + 1]` of the stand-in."""

    def __init__(self, data: Any, i: int) -> None:
        self.data, self.i = data, i

    def __getitem__(self, _: int) -> Any:
        return self.data[self.i]


def test_credits_land_on_the_tokens_that_earned_them(classes: Any, tiny: Any) -> None:
    tokenizer = tiny().tokenizer
    data = proto(tokenizer, ["4914444539", "49", "4 9"], [truth("RunningTotal")] * 3, ["a"] * 3)
    manager, results = scored(classes, tokenizer, data, 3, batch=True)
    scores = [pickle.loads(pickle.dumps(result["reward_score"])) for result in results]  # as Ray carries them
    assert scores[0] == pytest.approx(1.0)
    assert {tuple(sorted(result["reward_extra_info"])) for result in results} == {
        ("acc", "credits", "score", "unjudged")
    }
    table = type(manager).assemble_rm_scores(data, scores)
    assert tuple(table.shape) == (3, 11)
    assert table[0].tolist() == pytest.approx([0.1] * 10 + [0.0])
    assert table[1].tolist() == pytest.approx([0.1, 0.1] + [0.0] * 9)
    assert table[2].tolist() == pytest.approx([0.1, 0.0, 0.1] + [0.0] * 8)
    assert table.sum(1).tolist() == pytest.approx([float(score) for score in scores])


def test_an_unjudged_row_has_no_advantage_and_changes_no_baseline(classes: Any, tiny: Any, flaky: str) -> None:
    tokenizer = tiny().tokenizer
    data = proto(tokenizer, ["ae", "break", "x", "a"], [truth(flaky)] * 4, ["g", "g", "g", "h"])
    manager, results = scored(classes, tokenizer, data, 4, batch=True)
    assert math.isnan(results[1]["reward_score"])
    assert results[1]["reward_extra_info"]["unjudged"] == 1.0
    table = type(manager).assemble_rm_scores(data, [result["reward_score"] for result in results])
    assert table.sum(1).tolist() == pytest.approx([0.5, 0.25, 0.0, 0.25])
    with pytest.raises(Unjudged, match="no member of a group"):
        type(manager).assemble_rm_scores(data, [1.0, 1.0, 1.0, math.nan])


def test_the_streaming_path_raises_instead(classes: Any, tiny: Any, flaky: str) -> None:
    tokenizer = tiny().tokenizer
    data = proto(tokenizer, ["break"], [truth(flaky)], ["g"])
    with pytest.raises(Unjudged, match="the step stops here"):
        scored(classes, tokenizer, data, 1, batch=False)


# The agent loop -------------------------------------------------------------------------------------------------------


class Server:
    """Stands for verl's client of the rollout server: plays given texts."""

    def __init__(self, tokenizer: Any, texts: list[str]) -> None:
        self.tokenizer, self.texts, self.seen = tokenizer, iter(texts), []  # type: ignore[var-annotated]

    async def generate(self, *, request_id: str, prompt_ids: list[int], sampling_params: dict[str, Any]) -> Any:
        assert request_id
        assert sampling_params
        self.seen.append(list(prompt_ids))
        ids = [*self.tokenizer.encode(next(self.texts), add_special_tokens=False), 2]
        return SimpleNamespace(token_ids=ids, log_probs=[-0.5] * len(ids), extra_fields={})


def looped(classes: Any, tokenizer: Any, env_id: str, texts: list[str], *, room: int = 500, **settings: Any) -> Any:
    server = Server(tokenizer, texts)
    row = next(rows(env_id, 1))
    if HAVE:
        from omegaconf import OmegaConf

        whole = OmegaConf.create({"actor_rollout_ref": {"rollout": {"prompt_length": 900, "response_length": room}}})
        data = OmegaConf.create({})
    else:
        rollout = SimpleNamespace(prompt_length=900, response_length=room)
        whole, data = SimpleNamespace(actor_rollout_ref=SimpleNamespace(rollout=rollout)), {}

    async def run() -> Any:
        loop = classes.ProofgymAgentLoop(
            trainer_config=SimpleNamespace(config=whole), server_manager=server, tokenizer=tokenizer, processor=None,
            dataset_cls=None, data_config=SimpleNamespace(config=data), hf_model_type=None, tools=None, **settings,
        )  # fmt: skip
        reference = {"ground_truth": json.dumps(row.reference())}
        return await loop.run({"temperature": 1.0}, raw_prompt=row.prompt, reward_model=reference, extra_info={})

    return asyncio.run(run()), server


def test_an_episode_keeps_its_sampled_ids_and_every_turns_reward(classes: Any, tiny: Any, flaky: str) -> None:
    tokenizer = tiny().tokenizer
    out, server = looped(classes, tokenizer, flaky, ["ae", "i"])
    assert tokenizer.decode(out.response_ids) == (
        "ae<|im_end|>\n<|im_start|>user\nYou said ae.<|im_end|>\n<|im_start|>assistant\ni<|im_end|>"
    )
    mine = [i for i, own in zip(out.response_ids, out.response_mask, strict=True) if own]
    assert tokenizer.decode(mine) == "ae<|im_end|>i<|im_end|>"
    assert len(out.response_logprobs) == len(out.response_ids)
    assert server.seen[1] == [*out.prompt_ids, *out.response_ids[:-2]]
    assert out.reward_score == 0.75
    assert out.extra_fields["turn_scores"] == [0.5, 0.25]
    placed = out.extra_fields["token_rewards"]
    assert [k for k, paid in enumerate(placed) if paid] == [0, 1, len(placed) - 2]
    assert out.num_turns == 4


def test_an_episode_is_cut_to_the_response_length(classes: Any, tiny: Any, flaky: str) -> None:
    out, _ = looped(classes, tiny().tokenizer, flaky, ["aeiou", "i"], room=8)
    assert len(out.response_ids) == len(out.response_mask) == len(out.extra_fields["token_rewards"]) == 6
    assert out.reward_score == 1.25


def test_an_unjudged_episode_is_tried_again_and_then_raised(classes: Any, tiny: Any, flaky: str) -> None:
    tokenizer = tiny().tokenizer
    out, _ = looped(classes, tokenizer, flaky, ["break", "a", "e"])
    assert out.reward_score == 0.5
    with pytest.raises(Unjudged, match="the step stops here"):
        looped(classes, tokenizer, flaky, ["break", "break"])
    out, _ = looped(classes, tokenizer, flaky, ["break", "break"], leave_score=True)
    assert out.reward_score is None
    assert "strike" in out.extra_fields["fault"]


@pytest.mark.skipif(HAVE, reason="verl is installed")
def test_a_missing_verl_is_named() -> None:
    _forget()
    for name in ("ProofgymRewardManager", "ProofgymAgentLoop"):
        with pytest.raises(MissingExtra, match="pip install verl"):
            getattr(verl, name)


# Its own code ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_verl_finds_both_classes_and_the_function_by_its_configuration(real: Any, tmp_path: Path) -> None:
    reward = real("verl.trainer.ppo.reward")
    import hydra
    from omegaconf import OmegaConf

    file = tmp_path / "rewards.py"
    file.write_text(
        "from proofgym.adapters.verl import ProofgymRewardManager, compute_score  # noqa: F401\n", encoding="utf-8"
    )
    settings = OmegaConf.create(
        {
            "reward": {
                "custom_reward_function": {"path": str(file), "name": "compute_score", "reward_kwargs": {}},
                "reward_manager": {
                    "source": "importlib", "name": "ProofgymRewardManager", "module": {"path": str(file)},
                },
                "reward_model": {"enable": False, "enable_resource_pool": False},
            }
        }
    )  # fmt: skip
    assert reward.resolve_reward_manager_cls(settings) is verl.ProofgymRewardManager
    score = reward.get_custom_reward_fn(settings)
    found = score(data_source="x", solution_str="4914444539", ground_truth=truth("RunningTotal"), extra_info={})
    assert found["score"] == pytest.approx(1.0)
    assert hydra.utils.get_class("proofgym.adapters.verl.ProofgymAgentLoop") is verl.ProofgymAgentLoop
    from verl.experimental.agent_loop.agent_loop import _agent_loop_registry

    assert _agent_loop_registry["proofgym"] == {"_target_": "proofgym.adapters.verl.ProofgymAgentLoop"}


@pytest.mark.slow
@pytest.mark.skipif(not HAVE, reason="verl is not installed here; `make test-adapters` brings it")
def test_verls_estimators_use_the_placed_rewards(real: Any, classes: Any, tiny: Any) -> None:
    """GAE sees each credit at its token."""
    algos = real("verl.trainer.ppo.core_algos")
    torch = real("torch")
    tokenizer = tiny().tokenizer
    data = proto(tokenizer, ["4900000000", "0000000000"], [truth("RunningTotal")] * 2, ["a", "a"])
    manager, results = scored(classes, tokenizer, data, 2, batch=True)
    table = type(manager).assemble_rm_scores(data, [result["reward_score"] for result in results])
    mask = data.batch["attention_mask"][:, 2:]
    _, returns = algos.compute_gae_advantage_return(
        token_level_rewards=table, values=torch.zeros_like(table), response_mask=mask, gamma=1.0, lam=1.0
    )
    assert returns[0, 0] == pytest.approx(float(table[0].sum()))
    assert returns[0, 2] == pytest.approx(float(table[0, 2:].sum()))
    assert returns[0, 0] > returns[0, 2]
