"""Our estimators and losses against functions of verl, TRL and OpenRLHF themselves, on random ragged batches.

They bring many dependencies, so they are not installed with proofgym. Give PROOFGYM_PEERS_PYTHON the interpreter of an
environment that has them (`pip install --no-deps verl trl openrlhf` and what their modules import) beside torch and
pytest; this file is then run there. Without it, whatever cannot be imported is skipped by name.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import math
import os
import subprocess
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch: Any = pytest.importorskip("torch")
from proofgym.agents import advantages as adv  # noqa: E402 - only where torch is
from proofgym.agents import losses  # noqa: E402
from proofgym.agents.config import GRPO  # noqa: E402

pytestmark = [pytest.mark.slow, pytest.mark.train, pytest.mark.filterwarnings("ignore")]

SEEDS = range(8)


def peer(name: str) -> Any:
    if importlib.util.find_spec(name.split(".")[0]) is None:
        pytest.skip(f"{name.split('.')[0]} is not installed here; see PROOFGYM_PEERS_PYTHON")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def test_peers_in_an_environment_of_their_own() -> None:
    python = os.environ.get("PROOFGYM_PEERS_PYTHON")
    if not python:
        pytest.skip("PROOFGYM_PEERS_PYTHON names no interpreter")
    if os.environ.get("PROOFGYM_PEERS_HERE"):
        pytest.skip("this is that environment")
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__))],
        capture_output=True, text=True, check=False, env={**os.environ, "PROOFGYM_PEERS_HERE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


class Case:
    """B padded rows with masks that have interior gaps (tool output), groups of at least two, all judged."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.B, self.T = 8, 9
        lengths = rng.integers(3, self.T + 1, self.B)
        self.mask = (np.arange(self.T) < lengths[:, None]) & (rng.random((self.B, self.T)) < 0.75)
        self.mask[:, 0] = True
        self.group = np.repeat(np.arange(3), [2, 3, 3])
        shape = (self.B, self.T)
        self.rewards = rng.normal(size=shape) * self.mask
        self.values = rng.normal(size=shape)
        self.old = -rng.exponential(1.5, shape)
        self.new = self.old + rng.normal(0, 0.4, shape)
        self.far = self.old + rng.normal(0, 0.4, shape)
        self.row_advantage = rng.normal(size=(self.B, 1)) * np.ones(shape)
        self.advantage = rng.normal(size=shape)
        self.row_N = torch.from_numpy(np.argwhere(self.mask)[:, 0])

    def flat(self, name: str, grad: bool = False) -> Any:
        return torch.tensor(getattr(self, name)[self.mask], dtype=torch.float64, requires_grad=grad)

    def padded(self, name: str, grad: bool = False) -> Any:
        return torch.tensor(np.asarray(getattr(self, name), dtype=np.float64), requires_grad=grad)

    def weights(self, mode: Any, length: int | None = None) -> Any:
        return torch.tensor(losses.row_weights(self.mask.sum(1), mode, length=length))[self.row_N]


def same(ours: Any, theirs: Any, mask: Any) -> None:
    assert np.allclose(np.asarray(ours)[mask], np.asarray(theirs)[mask], rtol=1e-5, atol=1e-6)


# verl -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def verl() -> Any:
    return peer("verl.trainer.ppo.core_algos")


@pytest.mark.parametrize("seed", SEEDS)
def test_verl_outcome_advantages(verl: Any, seed: int) -> None:
    case = Case(seed)
    mask, group = case.padded("mask"), case.group
    returns = case.rewards.sum(1)
    spread = lambda found: np.broadcast_to(np.asarray(found)[:, None], case.mask.shape)  # noqa: E731

    def theirs(name: str, **kwargs: Any) -> Any:
        function = getattr(verl, f"compute_{name}_outcome_advantage")
        return function(case.padded("rewards"), response_mask=mask, index=group, **kwargs)[0].numpy()

    config = GRPO(convention="verl")
    same(
        spread(adv.trajectory_grpo(returns, group, ddof=config.std_ddof, eps=config.std_eps)), theirs("grpo"), case.mask
    )
    same(spread(adv.dr_grpo(returns, group)), theirs("grpo", norm_adv_by_std_in_grpo=False), case.mask)
    same(spread(adv.trajectory_leave_one_out(returns, group)), theirs("rloo"), case.mask)
    same(spread(adv.opo(returns, case.mask.sum(1).astype(float), group)), theirs("opo"), case.mask)
    same(
        spread(adv.reinforce_plus_plus_baseline(returns, case.mask.sum(1), group)),
        theirs("reinforce_plus_plus_baseline"), case.mask,
    )  # fmt: skip
    best = theirs(
        "grpo_passk", norm_adv_by_std_in_grpo=False, config=SimpleNamespace(get=lambda _, default=None: False)
    )
    same(spread(adv.best_of_group(returns, group)), best, case.mask)


@pytest.mark.parametrize("seed", SEEDS)
def test_verl_token_advantages(verl: Any, seed: int) -> None:
    case = Case(seed)
    mask = case.padded("mask")
    found, returns = adv.gae(case.rewards, case.values, case.mask, gamma=0.9, lam=0.8)
    white, aims = verl.compute_gae_advantage_return(
        case.padded("rewards"), case.padded("values"), mask, torch.tensor(0.9), torch.tensor(0.8)
    )
    same(returns, aims, case.mask)
    same(adv.whiten(found, case.mask), white, case.mask)
    plus, _ = verl.compute_reinforce_plus_plus_outcome_advantage(
        case.padded("rewards"), mask, config=SimpleNamespace(gamma=0.9)
    )
    same(adv.reinforce_plus_plus(case.rewards, case.mask, gamma=0.9), plus, case.mask)
    greedy = np.linspace(-1, 1, case.B)
    remax, _ = verl.compute_remax_outcome_advantage(case.padded("rewards"), torch.tensor(greedy), mask)
    ours = adv.remax(case.rewards.sum(1), greedy)
    same(ours[:, None], remax[:, :1], case.mask[:, :1])  # verl's later tokens take the reward to go


def actor(**fields: Any) -> Any:
    """verl's actor configuration with these fields, past its checks, which ask for a whole cluster."""
    kind = peer("verl.workers.config").ActorConfig
    config = object.__new__(kind)
    for name, value in {"global_batch_info": {}, "clip_ratio_c": 3.0, **fields}.items():
        object.__setattr__(config, name, value)
    return config


MODES = {
    "token-mean": "token_mean", "seq-mean-token-sum": "sequence_sum", "seq-mean-token-mean": "sequence_mean",
    "seq-mean-token-sum-norm": "constant",
}  # fmt: skip


ONE_WAY = ("gspo", "geo_mean", "sapo")  # aggregated in one way only
KINDS_AND_MODES = [
    *[(kind, mode) for kind in ("vanilla", "cispo", "clip_cov", "kl_cov") for mode in MODES],
    *[(kind, "seq-mean-token-mean") for kind in ONE_WAY],
]


@pytest.mark.parametrize(("kind", "mode"), KINDS_AND_MODES)
def test_verl_policy_losses(verl: Any, kind: str, mode: str) -> None:
    for seed in SEEDS:
        case = Case(seed)
        per_row = kind in ("gspo", "geo_mean")
        taught = case.flat("row_advantage" if per_row else "advantage")
        config = GRPO(convention="verl")
        low, high = (0.05, 0.08) if kind == "gspo" else (0.4, 0.4) if kind == "geo_mean" else config.loss.bounds()
        settings = actor(
            clip_ratio=low, clip_ratio_low=low, clip_ratio_high=high, clip_ratio_c=config.loss.dual, tau_pos=1.0,
            tau_neg=1.05,
            policy_loss=SimpleNamespace(
                clip_cov_ratio=1.0, clip_cov_lb=0.05, clip_cov_ub=0.5, kl_cov_ratio=0.3, ppo_kl_coef=0.7
            ),
        )  # fmt: skip
        new, theirs = case.flat("new", grad=True), case.padded("new", grad=True)
        function = verl.get_policy_loss_fn(kind)
        expected, _ = function(
            old_log_prob=case.padded("old"), log_prob=theirs,
            advantages=case.padded("row_advantage" if per_row else "advantage"),
            response_mask=case.padded("mask"), loss_agg_mode=mode, config=settings,
        )  # fmt: skip
        old = case.flat("old")
        if kind == "vanilla":
            loss, _ = losses.clipped_policy_loss(new, old, taught, clip_low=low, clip_high=high, dual=config.loss.dual)
        elif kind == "gspo":
            loss, _ = losses.gspo(new, old, taught, case.row_N, clip_low=low, clip_high=high)
        elif kind == "geo_mean":
            loss, _ = losses.gmpo(new, old, taught, case.row_N)
        elif kind == "cispo":
            loss, _ = losses.cispo(new, old, taught, ratio_low=config.loss.ratio_low, ratio_high=config.loss.ratio_high)
        elif kind == "sapo":
            loss = losses.sapo(new, old, taught)
        elif kind == "clip_cov":  # share 1 takes all of the band, so chance has no say
            loss, clipped = losses.clipped_policy_loss(new, old, taught, clip_low=low, clip_high=high)
            dropped = losses.clip_cov(new, taught, clipped, share=1.0, low=0.05, high=0.5)
            loss = torch.where(dropped, torch.zeros_like(loss), loss)
        else:
            loss = losses.reinforce(new, taught, old) + losses.kl_cov(new, old, taught, share=0.3, weight=0.7)
        whole = (case.weights(MODES[mode], case.T) * loss).sum()
        assert whole.item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-7), (kind, mode, seed)
        whole.backward()
        expected.backward()
        assert np.allclose(new.grad.numpy(), theirs.grad.numpy()[case.mask], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("seed", SEEDS)
def test_verl_value_loss_and_kl(verl: Any, seed: int) -> None:
    case = Case(seed)
    clip = GRPO(convention="verl").value.clip
    expected, _ = verl.compute_value_loss(
        case.padded("new"), case.padded("rewards"), case.padded("values"), case.padded("mask"), clip
    )
    loss, _ = losses.clipped_value_loss(case.flat("new"), case.flat("values"), case.flat("rewards"), clip=clip)
    assert (case.weights("token_mean") * loss).sum().item() == pytest.approx(expected.item(), rel=1e-5)
    for name in ("k1", "k2", "k3", "k1+", "k3+"):
        ours, theirs = case.flat("new", grad=True), case.padded("new", grad=True)
        found = losses.kl(ours, case.flat("far"), name)  # type: ignore[arg-type]
        table = verl.kl_penalty(theirs, case.padded("far"), name)
        assert np.allclose(found.detach().numpy(), table.detach().numpy()[case.mask], rtol=1e-5)
        found.sum().backward()
        (table * case.padded("mask")).sum().backward()
        assert np.allclose(ours.grad.numpy(), theirs.grad.numpy()[case.mask], rtol=1e-5, atol=1e-9)


# TRL ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def trl() -> Any:
    return peer("trl.trainer.grpo_trainer").GRPOTrainer


class Settings(SimpleNamespace):
    """A TRL trainer as far as its `_compute_loss` reads it."""

    def __init__(self, trl: Any, case: Case, logps: Any, **fields: Any) -> None:
        from collections import defaultdict

        config: dict[str, Any] = {"delta": None, "use_bias_correction_kl": True, "sapo_temperature_pos": 1.0,
                                  "sapo_temperature_neg": 1.05, "gradient_accumulation_steps": 1,
                                  "steps_per_generation": 1}  # fmt: skip
        config |= {k: fields.pop(k) for k in list(fields) if k in config}
        accelerator = SimpleNamespace(
            num_processes=1, gather=lambda x: x, reduce=lambda x, **_: x, gather_for_metrics=lambda x: x
        )
        super().__init__(
            args=SimpleNamespace(**config), model=SimpleNamespace(training=True), accelerator=accelerator,
            aux_loss_enabled=False, top_entropy_quantile=1.0, off_policy_mask_threshold=None, use_vllm=False,
            vllm_importance_sampling_correction=True, importance_sampling_level="token", beta=0.0, epsilon_low=0.2,
            epsilon_high=0.2, loss_type="dapo", max_completion_length=case.T, current_gradient_accumulation_steps=1,
            _entropy_bonus_enabled=False, use_adaptive_entropy=False, router_aux_loss_coef=0.0,
            _metrics={"train": defaultdict(list)}, use_liger_kernel=False,
            _get_per_token_logps_and_entropies=lambda *_, **__: (logps, torch.zeros_like(logps), None),
            get_off_policy_mask=getattr(trl, "get_off_policy_mask", None),
        )  # fmt: skip
        self.__dict__.update(fields)


TRL_CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # name: (TRL's settings, ours)
    "the default": ({}, {}),
    "grpo": ({"loss_type": "grpo"}, {"aggregate": "sequence_mean"}),
    "bnpo": ({"loss_type": "bnpo"}, {}),
    "dr_grpo": ({"loss_type": "dr_grpo"}, {"aggregate": "constant"}),
    "two-sided": ({"delta": 1.5}, {"dual": 1.5}),
    "cispo": ({"loss_type": "cispo", "epsilon_high": 5.0}, {"kind": "cispo"}),
    "sapo": ({"loss_type": "sapo"}, {"kind": "sapo", "aggregate": "sequence_mean"}),
    "gspo": (
        {"loss_type": "grpo", "importance_sampling_level": "sequence", "epsilon_low": 0.05, "epsilon_high": 0.08},
        {"kind": "gspo", "aggregate": "sequence_mean", "clip_low": 0.05, "clip_high": 0.08},
    ),
    "kl": ({"beta": 0.3}, {"kl": 0.3}),
    "vllm": ({"use_vllm": True}, {"correction": True}),
    "opsm": ({"off_policy_mask_threshold": 0.05}, {"delta": 0.05}),
}


@pytest.mark.parametrize("name", TRL_CASES)
def test_trl_loss(trl: Any, name: str) -> None:
    """The loss that TRL's trainer computes, and ours with `convention="trl"`: value and gradient."""
    theirs_set, ours_set = TRL_CASES[name]
    config = GRPO(convention="trl")
    for seed in SEEDS:
        case = Case(seed)
        theirs, new = case.padded("new", grad=True), case.flat("new", grad=True)
        taught = case.padded("row_advantage")[:, 0]
        weights, _ = losses.importance_weights(
            case.flat("old"), case.flat("far"), case.row_N,
            level=config.correction.level, mode="mask", high=config.correction.high,
        )  # fmt: skip
        table = torch.zeros(case.B, case.T, dtype=torch.float64)
        table[torch.from_numpy(case.mask)] = weights
        inputs = {
            "prompt_ids": torch.zeros(case.B, 1), "prompt_mask": torch.ones(case.B, 1),
            "completion_ids": torch.zeros(case.B, case.T), "completion_mask": torch.ones(case.B, case.T),
            "tool_mask": case.padded("mask"), "advantages": taught, "old_per_token_logps": case.padded("old"),
            "ref_per_token_logps": case.padded("far"), "num_items_in_batch": case.padded("mask").sum(),
            "sampling_per_token_logps": case.padded("far"), "importance_sampling_ratio": table,
        }  # fmt: skip
        expected = trl._compute_loss(Settings(trl, case, theirs, **theirs_set), None, inputs)
        kind = ours_set.get("kind", "ppo")
        old, row_advantage = case.flat("old"), case.flat("row_advantage")
        low, high = config.loss.bounds()
        if kind == "ppo":
            loss, _ = losses.clipped_policy_loss(
                new, old, row_advantage, clip_low=low, clip_high=high, dual=ours_set.get("dual")
            )
        elif kind == "gspo":
            loss, _ = losses.gspo(new, old, row_advantage, case.row_N, clip_low=0.05, clip_high=0.08)
        elif kind == "cispo":
            loss, _ = losses.cispo(
                new, old, row_advantage, ratio_low=config.loss.ratio_low, ratio_high=config.loss.ratio_high
            )
        else:
            loss = losses.sapo(new, old, row_advantage)
        if "correction" in ours_set:
            loss = loss * weights
        if "delta" in ours_set:
            left = losses.off_policy_rows(new, case.flat("far"), row_advantage, case.row_N, ours_set["delta"])
            loss = torch.where(left, torch.zeros_like(loss), loss)
        if "kl" in ours_set:
            loss = loss + ours_set["kl"] * losses.kl(new, case.flat("far"), config.kl.estimator, old=old)
        whole = (case.weights(ours_set.get("aggregate", config.loss.aggregate), case.T) * loss).sum()
        assert whole.item() == pytest.approx(expected.item(), rel=1e-6, abs=1e-9), (name, seed)
        whole.backward()
        expected.backward()
        assert np.allclose(new.grad.numpy(), theirs.grad.numpy()[case.mask], rtol=1e-6, atol=1e-9)


def chat_tokenizer() -> Any:
    """One token a character, and a chat template."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "<user>", "<assistant>", "<end>", "<unk>"]
    core = Tokenizer(models.WordLevel({c: n for n, c in enumerate([*special, *"0123456789"])}, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    found = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", eos_token="<end>", unk_token="<unk>",
        additional_special_tokens=["<user>", "<assistant>"],
    )  # fmt: skip
    found.chat_template = (
        "{% for m in messages %}{{ '<' + m['role'] + '>' + m['content'] + '<end>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"
    )
    return found


def test_trl_preferences(tmp_path: Path) -> None:
    """TRL's DPOTrainer on our pairs as conversations, and our own step on their tokens: loss and gradient."""
    trl = peer("trl")
    datasets = peer("datasets")
    from proofgym.agents import preferences
    from proofgym.agents.learner import Learner
    from proofgym.agents.policy import Policy, tiny
    from proofgym.agents.tokens import ChatFormat
    from proofgym.envs.trajectory import Trajectory, Turn

    tokenizer = chat_tokenizer()
    form = ChatFormat(tokenizer)
    base, far = (tiny("0123456789", width=32, layers=2, heads=2, context=64, seed=n).model for n in (0, 1))

    def attempt(index: int, sample: int, texts: list[str], reward: float) -> Trajectory:
        turns, before = [], []
        for n, text in enumerate(texts):
            asked = str(31 * index + n)
            made = Turn(asked, text, reward / len(texts))
            made.prompt_ids = form.between(asked, before) if turns else form.open(asked)
            made.action_ids = before = form.encode_action(text)
            made.logprobs = [-1.0] * len(made.action_ids)
            turns.append(made)
        return Trajectory("test", {}, 0, index, sample, turns, "terminated")

    attempts = [  # they part in their last turn: there TRL has no observation to count
        *(attempt(0, n, ["12", text], r) for n, (text, r) in enumerate([("345", 1.0), ("6", 0.0), ("347", 0.5)])),
        *(attempt(1, n, [text], r) for n, (text, r) in enumerate([("98", 0.2), ("7654", 1.0)])),
    ]
    chosen = preferences.pairs(attempts, 0.1)
    assert len(chosen) == 3
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in preferences.conversations(chosen)), encoding="utf-8")
    config = trl.DPOConfig(
        output_dir=str(tmp_path), use_cpu=True, bf16=False, gradient_checkpointing=False, report_to=[], beta=0.3,
        per_device_train_batch_size=len(chosen), max_length=None, disable_dropout=True,
    )  # fmt: skip
    theirs = trl.DPOTrainer(
        model=copy.deepcopy(base), ref_model=copy.deepcopy(far), args=config, processing_class=tokenizer,
        train_dataset=datasets.Dataset.from_json(str(file), cache_dir=str(tmp_path)),
    )  # fmt: skip
    batch = next(iter(theirs.get_train_dataloader()))
    expected = theirs.compute_loss(theirs.model, batch)
    expected.backward()

    learner = Learner(Policy(base, form, "tiny"), GRPO(max_grad_norm=1e9), reference=Policy(far, form, "far"))
    steps: list[Any] = []
    learner.optimizer.step = lambda: steps.append([p.grad.clone() for p in base.parameters()])  # type: ignore[method-assign]
    found = preferences.preference_step(learner, chosen, 0.3)
    assert found["loss"] == pytest.approx(expected.item(), rel=1e-5)
    for ours, other in zip(steps[0], theirs.model.parameters(), strict=True):
        assert torch.allclose(ours, other.grad, rtol=1e-3, atol=1e-6)


def test_trl_advantages(trl: Any) -> None:
    """TRL computes them inside its trainer: `(r - mean) / (std + 1e-4)`, torch's std, as its source says."""
    source = Path(importlib.import_module("trl.trainer.grpo_trainer").__file__ or "").read_text(encoding="utf-8")
    assert "1e-4" in source
    config, rewards = GRPO(convention="trl"), np.array([1.0, 0.0, 0.5, 1.0])
    found = adv.trajectory_grpo(rewards, np.zeros(4, dtype=np.int64), ddof=config.std_ddof, eps=config.std_eps)
    table = torch.tensor(rewards)
    assert found == pytest.approx(((table - table.mean()) / (table.std() + 1e-4)).tolist())
    assert not math.isnan(found.sum())


# OpenRLHF -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def openrlhf(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its losses without the rest of it, which wants a cluster's libraries: those are stood in for."""
    found = importlib.util.find_spec("openrlhf")
    if found is None or not found.submodule_search_locations:
        pytest.skip("openrlhf is not installed here; see PROOFGYM_PEERS_PYTHON")
    import sys
    from types import ModuleType
    from unittest.mock import MagicMock

    package = ModuleType("openrlhf_models")
    package.__path__ = [str(Path(next(iter(found.submodule_search_locations))) / "models")]
    monkeypatch.setitem(sys.modules, "openrlhf_models", package)
    for name in (
        "deepspeed",
        "flash_attn",
        "flash_attn.bert_padding",
        "flash_attn.utils",
        "flash_attn.utils.distributed",
    ):
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, MagicMock())
    return SimpleNamespace(
        losses=importlib.import_module("openrlhf_models.loss"), utils=importlib.import_module("openrlhf_models.utils")
    )


@pytest.mark.parametrize("kind", ["ppo", "dual", "gspo"])
def test_openrlhf_policy_loss(openrlhf: Any, kind: str) -> None:
    config = GRPO(convention="openrlhf")
    for seed in SEEDS:
        case = Case(seed)
        low, high = (0.05, 0.08) if kind == "gspo" else config.loss.bounds()
        dual = 2.0 if kind == "dual" else config.loss.dual
        peer_loss = openrlhf.losses.PolicyLoss(
            clip_eps_low=low, clip_eps_high=high, dual_clip=dual, policy_loss_type="gspo" if kind == "gspo" else "ppo"
        )
        theirs, new = case.padded("new", grad=True), case.flat("new", grad=True)
        name = "row_advantage" if kind == "gspo" else "advantage"
        expected = peer_loss(theirs, case.padded("old"), case.padded(name), case.padded("mask"))
        expected = expected[0] if isinstance(expected, tuple) else expected
        if kind == "gspo":
            loss, _ = losses.gspo(new, case.flat("old"), case.flat(name), case.row_N, clip_low=low, clip_high=high)
        else:
            loss, _ = losses.clipped_policy_loss(
                new, case.flat("old"), case.flat(name), clip_low=low, clip_high=high, dual=dual
            )
        whole = (case.weights("sequence_mean" if kind == "gspo" else config.loss.aggregate) * loss).sum()
        assert whole.item() == pytest.approx(expected.item(), rel=1e-6, abs=1e-9)
        whole.backward()
        expected.backward()
        assert np.allclose(new.grad.numpy(), theirs.grad.numpy()[case.mask], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_openrlhf_value_loss_and_kl(openrlhf: Any, seed: int) -> None:
    case = Case(seed)
    clip = GRPO(convention="openrlhf").value.clip
    expected = openrlhf.losses.ValueLoss(clip_eps=clip)(
        case.padded("new"), case.padded("values"), case.padded("rewards"), case.padded("mask")
    )
    loss, _ = losses.clipped_value_loss(case.flat("new"), case.flat("values"), case.flat("rewards"), clip=clip)
    assert (case.weights("token_mean") * loss).sum().item() == pytest.approx(expected.item(), rel=1e-6)
    for name in ("k1", "k2", "k3"):
        table = openrlhf.utils.compute_approx_kl(case.padded("new"), case.padded("far"), kl_estimator=name).double()
        ours = losses.kl(case.flat("new"), case.flat("far"), name)  # type: ignore[arg-type]
        assert np.allclose(ours.numpy(), table.numpy()[case.mask], rtol=1e-4, atol=1e-6)
