"""One update: faults never touch a gradient, nothing to learn changes nothing, and the penalty pulls back."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import pytest

import proofgym
from proofgym.envs.trajectory import Trajectory
from proofgym.envs.wrappers import InjectFaults

torch: Any = pytest.importorskip("torch")
from proofgym.agents import grpo, warm_start  # noqa: E402 - only where torch is
from proofgym.agents.config import GRPO, KL  # noqa: E402
from proofgym.agents.credit import token_advantages  # noqa: E402
from proofgym.agents.policy import Policy, tiny  # noqa: E402
from proofgym.agents.rollout import Item  # noqa: E402

pytestmark = pytest.mark.train

CONFIG = GRPO(prompts=6, group=4, max_tokens=5, learning_rate=0.01)
ENV = {"style": "bare", "steps": 3, "largest": 2}


@pytest.fixture
def policy() -> Policy:
    return tiny("0123456789", width=16, layers=1, heads=2, context=32, seed=1)


def envs(rate: float = 0.0, count: int = CONFIG.prompts * CONFIG.group) -> list[Any]:
    made = [proofgym.make("RunningTotal", **ENV) for _ in range(count)]
    return [InjectFaults(env, rate, seed=i) for i, env in enumerate(made)] if rate else made


def weights(policy: Policy) -> Any:
    return torch.cat([p.detach().flatten().clone() for p in policy.model.parameters()])


class Spy(torch.optim.SGD):  # type: ignore[misc]
    """Remembers the gradient of every step, and takes it."""

    def __init__(self, policy: Policy, rate: float = 0.0) -> None:
        super().__init__(policy.model.parameters(), lr=rate)
        self.seen: list[Any] = []

    def step(self, closure: Any = None) -> None:
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        self.seen.append(torch.cat([g.flatten().clone() for g in gradients]))
        super().step(closure)


@pytest.mark.parametrize("kind", ["step", "trajectory", "outcome", "grpo"])
@pytest.mark.parametrize("steps", [1, 3])
def test_faults_never_change_a_gradient(kind: Any, steps: int, policy: Policy) -> None:
    config = dataclasses.replace(CONFIG, advantage=kind, tokens_per_batch=100)
    found = grpo.collect(policy, envs(0.3), config, seed=4, step=0)
    sound = [e for e in found if not e.unjudged]
    assert 3 <= len(found) - len(sound) < len(found) - 5
    if kind == "outcome":  # an untrained policy never solves: let one in three have done so
        for e in found[::3]:
            e.turns[-1].verdict = proofgym.Verdict.right()
    for e in found:  # whatever a masked episode holds, it is not read
        if e.unjudged:
            e.turns[-1].reward = 1e9
            e.turns[-1].logprobs = [math.nan] * len(e.turns[-1].logprobs)
    config = dataclasses.replace(config, optimizer_steps=steps)
    with_faults, without = Spy(policy), Spy(policy)
    numbers = grpo.learn(policy, with_faults, found, config)
    assert grpo.learn(policy, without, sound, config) == numbers
    assert len(with_faults.seen) == len(without.seen) >= max(1, steps - 1)  # a share may be flat, and then is idle
    for a, b in zip(with_faults.seen, without.seen, strict=True):
        assert a.abs().max() > 1e-4
        assert torch.equal(a, b)


def test_faults_are_counted(policy: Policy) -> None:
    episodes, numbers = grpo.update(policy, Spy(policy), envs(0.3), CONFIG, seed=4, step=0)
    faults = [e for e in episodes if e.unjudged]
    assert numbers["unjudged"] == len(faults) > 0
    assert all("injected fault" in e.fault for e in faults)
    assert numbers["tokens"] == sum(len(t.action_ids) for e in episodes if not e.unjudged for t in e.turns)
    assert numbers["reward"] == pytest.approx(np.mean([e.reward for e in episodes if not e.unjudged]))


@pytest.mark.parametrize("kl", [0.0, 0.5])
def test_all_unjudged_changes_nothing(kl: float, policy: Policy) -> None:
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=0.1, weight_decay=0.1)
    learned, _ = grpo.update(policy, optimizer, envs(), CONFIG, seed=4, step=0)  # now it has momentum
    before = weights(policy)
    config = dataclasses.replace(CONFIG, kl=KL(weight=kl))
    reference = policy.frozen_copy() if kl else None
    _, numbers = grpo.update(policy, optimizer, envs(1.0), config, seed=4, step=1, reference=reference)
    assert torch.equal(weights(policy), before)
    assert numbers["unjudged"] == len(learned)
    assert math.isnan(numbers["reward"])
    assert numbers["tokens"] == 0


def test_flat_groups_change_nothing(policy: Policy) -> None:
    """Momentum and weight decay would; every advantage is exactly zero, so no step is taken."""
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=0.1, weight_decay=0.1)
    episodes, _ = grpo.update(policy, optimizer, envs(), CONFIG, seed=4, step=0)
    before = weights(policy)
    for scale in (True, False):
        flat = [dataclasses.replace(episodes[i // 4 * 4], sample=i % 4) for i in range(len(episodes))]
        numbers = grpo.learn(policy, optimizer, flat, dataclasses.replace(CONFIG, scale=scale))
        assert numbers["idle"] == 1
        assert torch.equal(weights(policy), before)


@pytest.mark.parametrize("poison", ["logprob", "weights"])
def test_a_step_that_is_not_finite_is_skipped_and_counted(poison: str, policy: Policy) -> None:
    episodes = grpo.collect(policy, envs(), CONFIG, seed=4, step=0)
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=0.1)
    if poison == "logprob":
        episodes[0].turns[0].logprobs[0] = math.nan
    else:
        with torch.no_grad():
            next(iter(policy.model.parameters()))[:] = math.inf
    before = weights(policy)
    numbers = grpo.learn(policy, optimizer, episodes, CONFIG)
    assert numbers["skipped"] == 1
    assert numbers["tokens"] == 0
    assert all(math.isfinite(x) for x in numbers.values())
    assert torch.equal(weights(policy), before)


def test_one_bad_step_of_two_does_not_spoil_the_other(policy: Policy) -> None:
    episodes = grpo.collect(policy, envs(), CONFIG, seed=4, step=0)
    episodes[0].turns[0].logprobs[0] = math.nan
    before = weights(policy)
    numbers = grpo.learn(policy, Spy(policy, 0.1), episodes, dataclasses.replace(CONFIG, optimizer_steps=2))
    assert numbers["skipped"] == 1
    assert math.isfinite(numbers["loss"])
    assert numbers["entropy"] > 0.5
    assert not torch.equal(weights(policy), before)


def test_the_first_update_is_on_policy(policy: Policy) -> None:
    """Nothing is clipped, and the loss is minus the mean advantage: every ratio is 1."""
    episodes = grpo.collect(policy, envs(), CONFIG, seed=4, step=0)
    taught = np.concatenate([x for turns in token_advantages(episodes) for x in turns])
    numbers = grpo.learn(policy, Spy(policy), episodes, CONFIG)
    assert numbers["clip_share"] == 0
    assert numbers["loss"] == pytest.approx(-taught.mean(), abs=1e-5)


def test_an_update_is_a_function_of_weights_seed_and_number(policy: Policy) -> None:
    def lines(seed: int, step: int) -> list[str]:
        return [e.line() for e in grpo.collect(policy, envs(), CONFIG, seed=seed, step=step)]

    assert lines(4, 0) == lines(4, 0)
    items = [{e.split('"fingerprint":"')[1][:32] for e in lines(seed, step)} for seed, step in ((4, 0), (4, 1), (5, 0))]
    assert not items[0] & items[1]
    assert all(len(group) > 1 for group in items)


def test_attempts_of_a_group_share_the_item_and_differ(policy: Policy) -> None:
    episodes = grpo.collect(policy, envs(), CONFIG, seed=4, step=0)
    for k in range(CONFIG.prompts):
        group = episodes[4 * k : 4 * k + 4]
        assert len({e.turns[0].observation for e in group}) == 1
        assert [e.sample for e in group] == [0, 1, 2, 3]
        assert len({e.turns[0].action for e in group}) > 1


def test_the_penalty_pulls_towards_the_reference(policy: Policy) -> None:
    """With flat rewards the penalty is all there is: the policy comes back to where it started."""
    reference = policy.frozen_copy()
    with torch.no_grad():
        for p in policy.model.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(0)))
    config = dataclasses.replace(CONFIG, kl=KL(weight=1.0))
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=0.006)
    found = []
    for step in range(8):
        episodes = grpo.collect(policy, envs(), config, seed=4, step=step)
        for e in episodes:
            for t in e.turns:
                t.credits, t.reward = [], 0.0
        found.append(grpo.learn(policy, optimizer, episodes, config, reference)["kl"])
    assert found[0] > 0.05
    assert found[-1] < found[0] / 2


def test_a_reference_never_moves(policy: Policy) -> None:
    reference = policy.frozen_copy()
    before = weights(reference)
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=0.1)
    _, numbers = grpo.update(
        policy, optimizer, envs(), dataclasses.replace(CONFIG, kl=KL(weight=0.1)), seed=0, step=0, reference=reference
    )
    assert numbers["kl"] == pytest.approx(0.0, abs=1e-6)  # the first step is taken where the two agree
    assert torch.equal(weights(reference), before)
    assert not torch.equal(weights(policy), before)


def test_episodes_of_several_turns_are_learned_from(policy: Policy) -> None:
    """A text game of three turns in which writing a 7 first is what pays, later."""

    def episode(i: int, good: bool) -> Trajectory:
        found = copy.deepcopy(base[i])
        found.turns = [copy.deepcopy(found.turns[0]) for _ in range(3)]
        for t in found.turns:
            t.credits, t.reward = [], 0.0
        found.turns[2].credits = [proofgym.Credit(0, len(found.turns[2].action), float(good), "end")]
        found.turns[2].reward = float(good)
        found.index, found.sample = 0, i
        return found

    base = grpo.collect(policy, envs(), CONFIG, seed=4, step=0)
    taught = token_advantages([episode(0, True), episode(1, False)])
    assert all((x > 0).all() for x in taught[0])  # every turn of the good one is praised, its end tokens too
    assert all((x < 0).all() for x in taught[1])


# Learning -------------------------------------------------------------------------------------------------------------


def test_it_learns() -> None:
    """Three running totals of digits up to 2: sampled answers to held-out items get better by more than 0.12."""
    from proofgym.agents import evaluation
    from proofgym.agents.sampling import Sampling

    policy = tiny("0123456789", width=48, layers=2, heads=2, context=32)
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=3e-3, betas=(0.9, 0.98))
    train = envs(count=128)
    held_out: list[Any] = [proofgym.make("RunningTotal", split="test", **ENV) for _ in range(250)]

    def measure() -> evaluation.Score:
        return evaluation.score(evaluation.play(policy, held_out, 250, seed=9, sampling=Sampling(1.0, 5)))

    for step in range(100):
        items = [Item(1, 32 * step + i) for i in range(32)]
        warm_start.supervised_step(policy, optimizer, warm_start.demonstrations(policy, train[:32], items))
        if step % 5 == 4 and measure().mean > 0.45:
            break
    before = measure()
    config = GRPO(prompts=16, group=8, max_tokens=5, learning_rate=1e-3, gamma=0.0)
    optimizer = torch.optim.AdamW(policy.model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98))
    for step in range(60):
        grpo.update(policy, optimizer, train, config, seed=2, step=step)
    after = measure()
    print(f"held-out reward {before.mean:.3f} [{before.low:.3f}, {before.high:.3f}] -> {after.mean:.3f}")
    assert 0.45 < before.mean < 0.65
    assert after.mean > before.mean + 0.12
