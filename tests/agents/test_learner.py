"""The learner: packing, chunks, micro-batches and processes change nothing; every lever does what it says."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from proofgym.envs.trajectory import Trajectory, Turn

torch: Any = pytest.importorskip("torch")
from proofgym.agents import credit, lora  # noqa: E402 - only where torch is
from proofgym.agents.batch import pack, row_of  # noqa: E402
from proofgym.agents.config import GRPO, KL, Correction, Entropy, Lora, Loss, Value  # noqa: E402
from proofgym.agents.forward import Scorer, weights  # noqa: E402
from proofgym.agents.learner import Learner, Settings  # noqa: E402
from proofgym.agents.policy import Policy, load, tiny  # noqa: E402

pytestmark = pytest.mark.train
MakeTurn, MakeEpisode = Callable[..., Turn], Callable[..., Trajectory]
CPU = torch.device("cpu")


@pytest.fixture
def policy() -> Policy:
    return tiny("0123456789", width=16, layers=2, heads=2, context=64, seed=3)


@pytest.fixture
def episodes(turn: MakeTurn, episode: MakeEpisode, policy: Policy) -> list[Trajectory]:
    """Twelve ragged attempts of one to three turns at three tasks; old log-probabilities a little off."""
    rng = np.random.default_rng(1)
    made = []
    for i in range(12):
        turns = []
        for _ in range(rng.integers(1, 4)):
            text = "".join(map(str, rng.integers(10, size=rng.integers(1, 7))))
            new = turn(text, [(k, k + 1, float(rng.random())) for k in range(len(text))])
            new.prompt_ids = policy.format.open("".join(map(str, rng.integers(10, size=rng.integers(1, 9)))))
            new.action_ids = policy.format.encode_action(text)
            turns.append(new)
        made.append(episode(turns, index=i // 4, sample=i % 4))
    noise = np.random.default_rng(2)
    with torch.no_grad():
        for e in made:
            row = row_of(e, [np.zeros(len(t.action_ids)) for t in e.turns])
            batch = pack([row], 0, tokens_per_batch=1, device=CPU)[0]
            found = Scorer(policy.model)(batch.ids_BL, batch.keep_BL).logprobs.tolist()
            for t in e.turns:
                t.logprobs = [found.pop(0) + float(noise.normal(0, 0.1)) for _ in t.action_ids]
    return made


class Spy(torch.optim.SGD):  # type: ignore[misc]
    """Remembers the gradients of every step, and takes none."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, lr=0.0)
        self.seen: list[Any] = []

    def step(self, closure: Any = None) -> None:
        parts = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        self.seen.append(torch.cat([g.flatten().clone() for g in parts]))


def gradient(policy: Policy, episodes: Sequence[Trajectory], settings: Settings | None = None, **changes: Any) -> Any:
    config = GRPO(max_grad_norm=1e9, **changes)
    reference = policy.frozen_copy() if config.kl.weight else None
    learner = Learner(policy, config, settings=settings, reference=reference)
    learner.optimizer = spy = Spy([p for p in learner.scorer.parameters() if p.requires_grad])
    numbers = learner.learn(episodes)
    assert numbers["skipped"] == 0
    assert all(math.isfinite(x) for x in numbers.values())
    return spy.seen[0]


# What must not change anything ----------------------------------------------------------------------------------------

LEVERS: dict[str, dict[str, Any]] = {
    "default": {},
    "gspo": {"loss": Loss(kind="gspo", aggregate="sequence_mean")},
    "gmpo": {"loss": Loss(kind="gmpo", aggregate="sequence_mean"), "advantage": "grpo"},
    "cispo": {"loss": Loss(kind="cispo")},
    "topr": {"loss": Loss(kind="topr", aggregate="constant")},
    "dual": {"loss": Loss(dual=3.0, aggregate="prompt_mean")},
    "kl": {"kl": KL(weight=0.3, estimator="k3_ratio")},
    "bonus": {"entropy": Entropy(bonus=0.1)},
    "gae": {"advantage": "gae"},
    "turn_gae": {"advantage": "turn_gae", "value": Value(lam=0.9, critic_lam=1.0)},
    "corrected": {"recompute_old": True, "correction": Correction(mode="truncate", level="geometric", high=1.05)},
    "masked": {"recompute_old": True, "correction": Correction(mode="mask", high=1.1), "truncated": "mask"},
}


@pytest.mark.parametrize("name", LEVERS)
def test_packing_chunks_and_micro_batches_do_not_change_the_gradient(
    name: str, episodes: list[Trajectory], policy: Policy
) -> None:
    whole = gradient(policy, episodes, **LEVERS[name])
    assert whole.abs().max() > 1e-4
    for changes, settings in (
        ({"packing": True}, None),
        ({"packing": True, "tokens_per_batch": 70}, None),
        ({"tokens_per_batch": 40}, None),
        ({}, Settings(chunk=5)),
        ({}, Settings(checkpointing=True)),
    ):
        found = gradient(copy.deepcopy(policy), episodes, settings, **LEVERS[name], **changes)
        assert (found - whole).abs().max() < 1e-5 * max(1.0, float(whole.abs().max())), (changes, settings)


def test_a_packed_row_reads_nothing_of_its_neighbours(episodes: list[Trajectory], policy: Policy) -> None:
    rows = [row_of(e, [np.zeros(len(t.action_ids)) for t in e.turns], number=i) for i, e in enumerate(episodes)]
    packed = pack(rows, 0, tokens_per_batch=120, device=CPU, packing=True)
    assert sum(b.ids_BL.numel() for b in packed) == sum(len(row.ids) for row in rows)  # no padding at all
    assert sorted(n for b in packed for n in b.numbers) == list(range(12))
    scorer = Scorer(policy.model, head=torch.nn.Linear(16, 1))
    for b in packed:
        assert b.ids_BL.shape[1] <= 120
        found = scorer(b.ids_BL, b.keep_BL, positions_BL=b.positions_BL, ends_R=b.ends_R)
        for i, n in enumerate(b.numbers):
            alone = pack([rows[n]], 0, tokens_per_batch=1, device=CPU)[0]
            expected = scorer(alone.ids_BL, alone.keep_BL, ends_R=alone.ends_R)
            assert torch.allclose(found.logprobs[b.row_N == i], expected.logprobs, atol=1e-5)
            assert torch.allclose(found.values[b.row_N == i], expected.values, atol=1e-5)
            assert torch.allclose(found.after[i], expected.after[0], atol=1e-5)


def test_no_full_logits_are_kept(policy: Policy) -> None:
    """Of 60 positions, at most 8 have logits at a time, backward included."""
    widest = 0

    def watch(module: Any, given: Any, logits: Any) -> None:
        nonlocal widest
        widest = max(widest, logits.shape[0])

    policy.model.get_output_embeddings().register_forward_hook(watch)
    ids, keep = torch.randint(5, 15, (4, 16)), torch.ones(4, 16, dtype=torch.bool)
    keep[:, 0] = False
    Scorer(policy.model, chunk=8)(ids, keep).logprobs.sum().backward()
    assert widest == 8


# Levers ---------------------------------------------------------------------------------------------------------------


def test_recomputed_old_logprobs_make_the_first_step_on_policy(episodes: list[Trajectory], policy: Policy) -> None:
    learner = Learner(policy, GRPO(recompute_old=True))
    numbers = learner.learn(episodes)
    taught = np.concatenate([x for turns in credit.token_advantages(episodes) for x in turns])
    assert numbers["loss"] == pytest.approx(-taught.mean(), abs=1e-5)
    assert numbers["clip_share"] == 0
    assert 0.001 < numbers["mismatch_kl"] < 0.05
    assert 0.1 < numbers["mismatch_max"] < 1.0
    assert 0.9 < numbers["effective_share"] < 1.0


def test_a_correction_weighs_each_token_by_what_the_trainer_finds(episodes: list[Trajectory], policy: Policy) -> None:
    config = GRPO(
        recompute_old=True, correction=Correction(mode="truncate", high=1.05), loss=Loss(kind="reinforce"), scale=False
    )
    numbers = Learner(policy, config).learn(episodes)
    taught = credit.token_advantages(episodes, scale=False)
    expected, outside, count = 0.0, 0, 0
    for e, a in zip(episodes, taught, strict=True):
        batch = pack([row_of(e, a)], 0, tokens_per_batch=1, device=CPU)[0]
        fresh = tiny("0123456789", width=16, layers=2, heads=2, context=64, seed=3)
        lp = Scorer(fresh.model)(batch.ids_BL, batch.keep_BL).logprobs.tolist()
        for new, lb, x in zip(lp, batch.sampled_N.tolist(), batch.advantages_N.tolist(), strict=True):
            w = math.exp(new - lb)
            expected -= min(w, 1.05) * x * new
            outside, count = outside + (w > 1.05), count + 1
    assert numbers["loss"] == pytest.approx(expected / count, rel=1e-4)
    assert numbers["corrected_share"] == pytest.approx(outside / count)


def test_an_expert_is_imitated_without_a_ratio(episodes: list[Trajectory], policy: Policy) -> None:
    expert = episodes[0]
    expert.source = "expert"
    for t in expert.turns:
        t.logprobs = []
    numbers = Learner(policy, GRPO(recompute_old=True)).learn(episodes)
    tokens = [sum(len(t.action_ids) for t in e.turns) for e in episodes]
    assert numbers["expert_share"] == pytest.approx(tokens[0] / sum(tokens))
    assert math.isfinite(numbers["loss"])
    again = Learner(policy, GRPO()).learn(episodes)  # nothing was computed for it, and nothing is needed
    assert math.isfinite(again["loss"])
    expert.source = "policy"
    with pytest.raises(ValueError, match="only what this policy sampled"):
        Learner(policy, GRPO()).learn(episodes)


def test_truncated_episodes_can_be_masked_and_stay_in_the_statistics(
    episodes: list[Trajectory], policy: Policy
) -> None:
    before = credit.teach(episodes, GRPO())
    for e in episodes[::3]:
        e.turns[-1].cut = True
    found = credit.teach(episodes, GRPO(truncated="mask"))
    for i, (a, b) in enumerate(zip(before.advantages, found.advantages, strict=True)):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        assert all(bool(k.all()) == bool(i % 3) and bool(k.any()) == bool(i % 3) for k in found.keep[i])
    masked = sum(len(t.action_ids) for e in episodes[::3] for t in e.turns)
    assert found.numbers["left_out"] == masked
    numbers = Learner(policy, GRPO(truncated="mask")).learn(episodes)
    assert numbers["tokens"] == sum(len(t.action_ids) for e in episodes for t in e.turns) - masked


def test_stale_turns_are_left_out(episodes: list[Trajectory], policy: Policy) -> None:
    policy.version = 5
    for i, e in enumerate(episodes):
        for t in e.turns:
            t.policy_version = i % 6
    numbers = Learner(policy, GRPO(max_staleness=2)).learn(episodes)
    fresh = sum(len(t.action_ids) for i, e in enumerate(episodes) for t in e.turns if i % 6 >= 3)
    assert numbers["tokens"] == fresh
    assert policy.version == 6


def test_the_entropy_bonus_raises_entropy(episodes: list[Trajectory], policy: Policy) -> None:
    for e in episodes:
        for t in e.turns:
            t.credits, t.reward = [], 0.0  # nothing to learn but the bonus
    with torch.no_grad():
        policy.model.get_output_embeddings().weight.mul_(3)  # less than the most uncertain there can be
    learner = Learner(policy, GRPO(entropy=Entropy(bonus=1.0), learning_rate=0.005))
    found = [learner.learn(episodes)["entropy"] for _ in range(8)]
    assert found[-1] > found[0] + 0.05


def test_an_adaptive_bonus_starts_when_entropy_is_below_its_target(episodes: list[Trajectory], policy: Policy) -> None:
    learner = Learner(policy, GRPO(entropy=Entropy(target=10.0, step=0.25), learning_rate=1e-6))
    assert [learner.learn(episodes)["entropy_bonus"] for _ in range(2)] == [0.25, 0.5]
    learner = Learner(policy, GRPO(entropy=Entropy(target=0.01), learning_rate=1e-6))
    assert learner.learn(episodes)["entropy_bonus"] == 0.0


def test_the_weight_of_the_penalty_adapts(episodes: list[Trajectory], policy: Policy) -> None:
    far = tiny("0123456789", width=16, layers=2, heads=2, context=64, seed=4)
    far.model.requires_grad_(False)
    learner = Learner(policy, GRPO(kl=KL(weight=0.5, target=1e-4, horizon=12.0), learning_rate=1e-6), reference=far)
    numbers = learner.learn(episodes)
    assert numbers["kl"] > 1e-3
    assert numbers["kl_weight"] == pytest.approx(0.6)


def test_a_penalty_in_the_reward_reaches_the_advantage(episodes: list[Trajectory], policy: Policy) -> None:
    far = tiny("0123456789", width=16, layers=2, heads=2, context=64, seed=4)
    config = GRPO(advantage="reinforce_pp", kl=KL(weight=0.5, place="reward"))
    learner = Learner(policy, config, reference=far)
    found = learner.reader.read(episodes, range(12), 0.5)
    assert found.penalties is not None
    e = episodes[0]
    row = row_of(e, [np.zeros(len(t.action_ids)) for t in e.turns])
    batch = pack([row], 0, tokens_per_batch=1, device=CPU)[0]
    theirs = Scorer(far.model)(batch.ids_BL, batch.keep_BL).logprobs.detach().numpy()
    ours = np.array([x for t in e.turns for x in t.logprobs])
    assert np.concatenate(found.penalties[0]) == pytest.approx(0.5 * (ours - theirs), abs=1e-5)
    plain = credit.teach(episodes, dataclasses.replace(config, kl=KL()))
    bent = credit.teach(episodes, config, credit.Evidence(penalties=found.penalties))
    assert not np.allclose(plain.advantages[0][0], bent.advantages[0][0])


def test_most_uncertain_tokens_only(episodes: list[Trajectory], policy: Policy) -> None:
    whole, some = (gradient(policy, episodes, entropy=Entropy(top=share)) for share in (1.0, 0.2))
    assert 0 < float(some.norm()) < float(whole.norm())


@pytest.mark.parametrize("cov", ["clip", "kl"])
def test_covariance_clips_change_the_gradient(cov: Any, episodes: list[Trajectory], policy: Policy) -> None:
    plain = gradient(policy, episodes)
    plan = Entropy(cov=cov, cov_share=0.3, cov_low=0.01, cov_high=50.0)
    assert not torch.allclose(gradient(policy, episodes, entropy=plan), plain)


# Value models ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["head", "separate"])
@pytest.mark.parametrize("kind", ["gae", "turn_gae", "bilevel_gae"])
def test_a_value_model_comes_to_predict_returns(
    model: Any, kind: Any, episodes: list[Trajectory], policy: Policy
) -> None:
    plan = Value(
        model=model, learning_rate=0.02, clip=None, warm_up=100, critic_lam=1.0 if kind != "bilevel_gae" else None
    )
    config = GRPO(advantage=kind, value=plan, learning_rate=1e-3)
    learner = Learner(policy, config)
    before = {n: p.clone() for n, p in policy.model.state_dict().items()}
    found = [learner.learn(episodes) for _ in range(40)]
    assert found[0]["explained_variance"] == pytest.approx(0.0, abs=1e-6)  # it starts without opinions
    assert found[-1]["value_loss"] < 0.75 * found[0]["value_loss"]
    if (kind, model) != ("bilevel_gae", "head"):  # whose aims move with it too far for a line through random features
        assert found[-1]["explained_variance"] > 0.15
    # While the critic warms up, nothing pulls at the policy, not even through a head on its last layer.
    assert all(torch.equal(before[n], p) for n, p in policy.model.state_dict().items())


def test_values_of_truncated_episodes_are_bootstrapped(turn: MakeTurn, episode: MakeEpisode, policy: Policy) -> None:
    def one(end: Any) -> list[Trajectory]:
        e = episode([turn("12", [(1, 2, 1.0)])], end=end)
        e.turns[0].action_ids = policy.format.encode_action("12")
        e.turns[0].prompt_ids = policy.format.open("3")
        return [e]

    values = [[np.array([0.5, 0.25, 0.125])]]
    evidence = credit.Evidence(values=values, after=np.array([2.0]))
    config = GRPO(advantage="gae", value=Value(lam=1.0, whiten=False))
    ended, cut = (credit.teach(one(end), config, evidence) for end in ("terminated", "truncated"))
    assert ended.advantages[0][0].tolist() == [0.5, 0.75, -0.125]
    assert cut.advantages[0][0].tolist() == [2.5, 2.75, 1.875]
    assert ended.returns is not None
    assert ended.returns[0][0].tolist() == [1.0, 1.0, 0.0]


def test_turn_values_are_taught_where_a_turn_begins(turn: MakeTurn, episode: MakeEpisode) -> None:
    e = episode([turn("12", [(0, 2, 1.0)]), turn("3", [(0, 1, 2.0)])])
    values = [[np.array([0.5, 9.0, 9.0]), np.array([0.25, 9.0])]]
    config = GRPO(advantage="turn_gae", gamma=0.5, value=Value(lam=0.5, whiten=False))
    found = credit.teach([e], config, credit.Evidence(values=values, after=np.zeros(1)))
    second = 2.0 - 0.25
    first = 1.0 + 0.5 * 0.25 - 0.5 + 0.5 * 0.5 * second
    assert [x.tolist() for x in found.advantages[0]] == [[first] * 3, [second] * 2]
    assert found.returns is not None
    assert np.isnan(found.returns[0][0]).tolist() == [False, True, True]
    assert np.isnan(found.returns[0][1]).tolist() == [False, True]
    assert found.returns[0][0][0] == first + 0.5


def test_evidence_that_is_missing_is_asked_for(episodes: list[Trajectory]) -> None:
    with pytest.raises(ValueError, match="needs the values"):
        credit.teach(episodes, GRPO(advantage="gae"))
    with pytest.raises(ValueError, match="greedy answers"):
        credit.teach(episodes, GRPO(advantage="remax"))


# LoRA -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def adapted(policy: Policy) -> Policy:
    pytest.importorskip("peft", reason="needs peft: pip install 'proofgym[lora]'")
    lora.attach(policy, Lora(rank=4, alpha=8.0), seed=1)
    return policy


def test_a_lora_trains_its_addition_and_nothing_else(episodes: list[Trajectory], adapted: Policy) -> None:
    before = {n: p.detach().clone() for n, p in adapted.model.named_parameters()}
    learner = Learner(adapted, GRPO(learning_rate=0.01))
    for _ in range(2):
        learner.learn(episodes)
    moved = {n for n, p in adapted.model.named_parameters() if not torch.equal(before[n], p)}
    assert moved == {n for n in before if "lora_" in n}
    assert len(moved) == 2 * 2 * 7  # two halves, two layers, seven linear maps each


def test_the_base_model_is_the_reference_of_a_lora(episodes: list[Trajectory], adapted: Policy) -> None:
    learner = Learner(adapted, GRPO(learning_rate=0.02, kl=KL(weight=1e-6)))
    assert learner.reference is None
    first = learner.learn(episodes)
    assert first["kl"] == pytest.approx(0.0, abs=1e-7)
    assert learner.learn(episodes)["kl"] > 1e-4
    assert all(p.requires_grad == ("lora_" in n) for n, p in adapted.model.named_parameters())


def test_a_lora_is_merged_when_weights_leave(episodes: list[Trajectory], adapted: Policy, tmp_path: Path) -> None:
    plain = tiny("0123456789", width=16, layers=2, heads=2, context=64, seed=3)
    Learner(adapted, GRPO(learning_rate=0.02)).learn(episodes)
    given = dict(weights(adapted.model))
    assert given.keys() == plain.model.state_dict().keys()
    plain.model.load_state_dict(given)
    ids = torch.randint(5, 15, (2, 9))
    assert torch.allclose(plain.model(ids).logits, adapted.model(ids).logits, atol=1e-5)
    lora.merged_policy(adapted).save(tmp_path)
    again = load(f"hf:{tmp_path}", dtype=torch.float32)
    assert torch.allclose(again.model(ids).logits, adapted.model(ids).logits, atol=1e-5)
    assert lora.own_state(adapted.model).keys() == {n for n in adapted.model.state_dict() if "lora_" in n}


# Precision ------------------------------------------------------------------------------------------------------------


def test_mixed_precision_keeps_weights_in_float32_and_is_near(episodes: list[Trajectory], policy: Policy) -> None:
    full, mixed = gradient(policy, episodes), gradient(policy, episodes, Settings(mixed=True))
    assert mixed.dtype == torch.float32
    assert not torch.equal(full, mixed)
    assert torch.nn.functional.cosine_similarity(full, mixed, dim=0) > 0.98


# Trees ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["spo", "treerl", "treepo", "tree_grpo"])
def test_text_that_leaves_share_is_taught_once(kind: Any, turn: MakeTurn, episode: MakeEpisode) -> None:
    """Two leaves share a first turn and the first token of the second; a third leaf is a branch of its own."""

    def leaf(sample: int, last: str, nodes: list[int], reward: float) -> Trajectory:
        e = episode([turn("1"), turn(last, [(0, len(last), reward)])], sample=sample)
        e.turns[0].nodes, e.turns[1].nodes = [10, 10], nodes
        return e

    leaves = [leaf(0, "23", [10, 11, 11], 1.0), leaf(1, "24", [10, 12, 12], 0.0)]
    other = episode([turn("9", [(0, 1, 0.2)])], sample=2)
    other.turns[0].nodes = [20, 20]
    found = credit.teach([*leaves, other], GRPO(advantage=kind, scale=False))
    kept = [np.concatenate(k).tolist() for k in found.keep]
    assert kept == [[True] * 5, [False] * 3 + [True] * 2, [True] * 2]
    taught = [np.concatenate(a).tolist() for a in found.advantages]
    if kind == "spo":  # V: root (0.5 + 0.2) / 2, shared 0.5
        assert taught[0] == pytest.approx([0.15, 0.15, 0.15, 0.5, 0.5])
        assert taught[1][3:] == pytest.approx([-0.5, -0.5])
        assert taught[2] == pytest.approx([-0.15] * 2)
    if kind == "treepo":  # the shared text gets the sum over its leaves
        ends = [taught[0][-1], taught[1][-1]]
        assert taught[0][0] == pytest.approx(sum(ends))
    assert found.numbers["left_out"] == 3


def test_training_shared_text_once_equals_training_all_paths(
    policy: Policy, turn: MakeTurn, episode: MakeEpisode
) -> None:
    """Same gradient, up to the number of tokens that the sum is divided by, on policy."""
    form = policy.format

    def leaf(sample: int, text: str, reward: float) -> Trajectory:
        e = episode([turn(text, [(0, len(text), reward)])], sample=sample)
        e.turns[0].prompt_ids, e.turns[0].action_ids = form.open("5"), form.encode_action(text)
        e.turns[0].nodes = [1, 1, 2 + sample, 2 + sample, 2 + sample]
        return e

    leaves = [leaf(0, "1234", 1.0), leaf(1, "1256", 0.0), leaf(2, "1278", 0.25)]
    shared = {"scale": False, "recompute_old": True, "loss": Loss(kind="is_reinforce", aggregate="sequence_sum")}
    once = gradient(policy, leaves, advantage="treepo", **shared)
    for e in leaves:
        e.turns[0].nodes = []
    alone = credit.teach(leaves, GRPO(advantage="dr_grpo")).advantages  # what treepo gives when only the root is shared
    every = gradient(policy, leaves, advantage="dr_grpo", **shared)
    assert [x[0][-1] for x in alone] == pytest.approx(
        [a[0][-1] for a in credit.teach(leaves, GRPO(advantage="treepo", scale=False)).advantages]
    )
    assert torch.allclose(once, every, atol=1e-6)


# Two processes --------------------------------------------------------------------------------------------------------

TWO = """
import json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from proofgym.agents.config import GRPO, KL, Loss, Value
from proofgym.agents.distributed import World
from proofgym.agents.learner import Learner
from proofgym.agents.policy import tiny
from proofgym.envs.trajectory import read

world = World.join()
episodes, broken = read(Path(sys.argv[1]))
assert not broken
found = []
for changes in ({}, {"advantage": "gae"}, {"kl": KL(weight=0.1), "loss": Loss(kind="gspo", aggregate="sequence_mean")},
                {"advantage": "turn_gae", "value": Value(model="separate"), "recompute_old": True}):
    policy = tiny("0123456789", width=16, layers=2, heads=2, context=64, seed=3)
    config = GRPO(learning_rate=1e-3, optimizer_steps=2, tokens_per_batch=60, **changes)
    reference = policy.frozen_copy() if config.kl.weight else None
    learner = Learner(policy, config, reference=reference, world=world)
    numbers = [learner.learn(episodes) for _ in range(2)]
    numbers.append(learner.supervised(episodes))
    state = learner.state_dict()
    again = Learner(policy, config, reference=reference, world=world)
    again.load_state_dict(state)
    numbers.append(again.learn(episodes))
    found.append([numbers, {n: p.double().sum().item() for n, p in policy.model.state_dict().items()}])
if world.first:
    Path(sys.argv[2]).write_text(json.dumps(found))
world.wait()
world.leave()
"""


@pytest.mark.slow
def test_two_processes_are_one(episodes: list[Trajectory], tmp_path: Path) -> None:
    """FSDP2 over gloo: the same losses and weights as in one process."""
    from proofgym.envs import trajectory

    trajectory.write(tmp_path / "episodes.jsonl", episodes)
    script = tmp_path / "two.py"
    script.write_text(TWO, encoding="utf-8")
    results = []
    for launch in (
        [sys.executable],
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    ):
        out = tmp_path / f"{len(results)}.json"
        command = [*launch, str(script), str(tmp_path / "episodes.jsonl"), str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        results.append(json.loads(out.read_text(encoding="utf-8")))
    for (one, first), (two, second) in zip(*results, strict=True):
        for a, b in zip(one, two, strict=True):
            assert a.keys() == b.keys()
            for name in a:
                assert b[name] == pytest.approx(a[name], rel=2e-4, abs=2e-5), name
        for name in first:
            assert second[name] == pytest.approx(first[name], rel=1e-3, abs=1e-3), name


def test_the_optimizers_rounding_does_not_depend_on_threads() -> None:
    """Or a run could not be resumed exactly on a machine with other cores."""
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            generator = torch.Generator().manual_seed(0)
            weight = torch.nn.Parameter(torch.randn(70_001, generator=generator))
            optimizer = torch.optim.AdamW([weight], lr=1e-2, weight_decay=0.01, betas=(0.9, 0.98), fused=True)
            for _ in range(5):
                weight.grad = torch.randn(weight.shape, generator=generator)
                optimizer.step()
            found.append(weight.detach().clone())
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])
