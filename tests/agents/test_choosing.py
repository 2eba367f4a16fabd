"""Dynamic sampling, budgets, curricula and replay: what they choose, what they remember, and that it can be resumed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proofgym.agents.curriculum import Bandit, Curriculum, Outcome, Pick, Posterior, SuccessRates, Uniform, outcome
from proofgym.agents.dynamic import allocate, is_flat
from proofgym.agents.replay import EpisodeReplay, HardTasks, oldest
from proofgym.envs.trajectory import Trajectory, Turn
from proofgym.verifiers import Credit, Verdict


def episode(*credits_: float, solved: bool = False, index: int = 0, version: int = 0, **fields: Any) -> Trajectory:
    turn = Turn("?", "x" * len(credits_), sum(credits_), [Credit(n, n + 1, v, "s") for n, v in enumerate(credits_)])
    turn.action_ids, turn.logprobs, turn.policy_version = [5] * len(credits_), [-1.0] * len(credits_), version
    turn.verdict = Verdict.right() if solved else Verdict.wrong("no")
    return Trajectory("test", {}, 0, index, 0, [turn], **{"end": "terminated", **fields})


UNJUDGED: dict[str, Any] = {"end": "unjudged", "fault": "gone"}


def test_flat_groups_are_those_that_teach_nothing() -> None:
    right, wrong, half, other_half = episode(1.0, 1.0), episode(0.0, 0.0), episode(1.0, 0.0), episode(0.0, 1.0)
    lost = episode(1.0, 0.0, **UNJUDGED)
    for steps in (True, False):
        assert is_flat([right, right], steps=steps)
        assert is_flat([wrong, wrong, wrong], steps=steps)
        assert is_flat([right, lost], steps=steps)  # one judged: nothing to compare with
        assert is_flat([right, right, lost], steps=steps)
        assert is_flat([], steps=steps)
        assert not is_flat([right, wrong], steps=steps)
    assert is_flat([half, other_half])
    assert not is_flat([half, other_half], steps=True)


@given(
    rates=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12),
    least=st.integers(1, 4), extra=st.integers(0, 8), total=st.integers(0, 150),
)  # fmt: skip
def test_budgets_add_up_within_their_bounds(rates: list[float], least: int, extra: int, total: int) -> None:
    sizes = allocate(total, rates, least, least + extra)
    assert all(least <= size <= least + extra for size in sizes)
    assert sum(sizes) == min(max(total, least * len(rates)), (least + extra) * len(rates))


def test_budgets_are_optimal() -> None:
    """The variance of the means, Σ p(1−p)/n, by trying every division."""
    rates, total = [0.5, 0.9, 0.2], 12

    def variance(sizes: tuple[int, ...]) -> float:
        return sum(p * (1 - p) / n for p, n in zip(rates, sizes, strict=True))

    best = min((s for s in itertools.product(range(1, 11), repeat=3) if sum(s) == total), key=variance)
    found = allocate(total, rates, 1, 10)
    assert variance(tuple(found)) <= variance(best) * 1.02
    with pytest.raises(ValueError, match="least"):
        allocate(5, rates, 3, 2)


def test_an_outcome_leaves_the_unjudged_out() -> None:
    group = [episode(1.0), episode(0.0), episode(0.5), episode(1.0, **UNJUDGED), episode(-3.0)]
    found = outcome(2, 7, group)
    assert (found.level, found.index, found.attempts, found.successes) == (2, 7, 4, 1.5)
    rewards = np.array([1.0, 0.0, 0.5, -3.0])
    assert found.spread == pytest.approx(np.abs(rewards - rewards.mean()).mean())
    assert outcome(0, 0, [episode(1.0, **UNJUDGED)]).attempts == 0


TRUE_RATES = [0.98, 0.8, 0.5, 0.05]  # four levels; the third is worth most


def lesson(curriculum: Curriculum, rounds: int = 60, seed: int = 0) -> np.ndarray[Any, Any]:
    """Teach a policy whose success rates never change; how often each level was asked in the second half."""
    rng = np.random.default_rng(seed)
    asked = np.zeros(4)
    for n in range(rounds):
        picks = curriculum.choose(8, rng)
        if n >= rounds // 2:
            asked += np.bincount([pick.level for pick in picks], minlength=4)
        found = []
        for pick in picks:
            wins = rng.random(8) < TRUE_RATES[pick.level]
            found.append(
                Outcome(pick.level, pick.index or 0, float(wins.sum()), 8, float(2 * wins.mean() * (1 - wins.mean())))
            )
        curriculum.observe(found)
    return asked / asked.sum()


def test_curricula_find_the_levels_that_teach() -> None:
    assert np.allclose(lesson(Uniform(4)), 0.25, atol=0.08)
    for curriculum in (Bandit(4, temperature=0.1), SuccessRates(4), SuccessRates(4, band=(0.3, 0.7))):
        share = lesson(curriculum)
        assert share.argmax() == 2
        assert share[2] > 0.35
        assert share.min() > 0.0  # nobody is ever given up
        assert share[0] < 0.2
        assert share[3] < 0.2


def test_estimates_follow_what_was_seen() -> None:
    rates = SuccessRates(2, rate=0.5)
    rates.observe([Outcome(0, 0, 8.0, 8, 0.0), Outcome(0, 1, 4.0, 8, 0.5), Outcome(1, 0, 0.0, 0, 0.0)])
    assert rates.p.tolist() == [0.5 + 0.5 * 0.25, 0.5]
    assert rates.rate(Pick(0)) == 0.625
    bandit = Bandit(2, rate=0.5)
    bandit.observe([Outcome(0, 0, 8.0, 8, 0.1), Outcome(0, 1, 4.0, 8, 0.5), Outcome(1, 0, 1.0, 1, 0.0)])
    assert bandit.q.tolist() == [0.4, 0.5]  # one attempt has no spread: it says nothing


def test_the_posterior_asks_the_tasks_nearest_its_target() -> None:
    rng = np.random.default_rng(0)
    pool = Posterior(1, 40, target=0.5)
    true = np.linspace(0.0, 1.0, 40)
    late: list[int] = []
    for n in range(120):
        picks = pool.choose(6, rng)
        assert len({pick.index for pick in picks}) == 6
        late += [pick.index or 0 for pick in picks] if n >= 60 else []
        pool.observe(
            [Outcome(0, p.index or 0, float((rng.random(8) < true[p.index or 0]).sum()), 8, 0.0) for p in picks]
        )
    assert 0.4 < true[late].mean() < 0.6
    assert np.abs(true[late] - 0.5).mean() < 0.15  # uniform asking would give 0.25
    assert len(pool.choose(100, rng)) == 100  # a pool that is too small is asked again
    before = pool.alpha[0, 3], pool.beta[0, 3]
    pool.observe([Outcome(0, 3, 2.0, 8, 0.0), Outcome(0, 99, 1.0, 1, 0.0), Outcome(0, 4, 0.0, 0, 0.0)])
    assert pool.alpha[0, 3] == pytest.approx(1.0 + 0.8 * (before[0] - 1.0) + 2.0)
    assert pool.beta[0, 3] == pytest.approx(1.0 + 0.8 * (before[1] - 1.0) + 6.0)


@pytest.mark.parametrize(
    "make", [lambda: Uniform(4), lambda: Bandit(4), lambda: SuccessRates(4), lambda: Posterior(4, 5)]
)
def test_a_curriculum_resumes_where_it_was(make: Callable[[], Curriculum]) -> None:
    one = make()
    lesson(one, 10)
    other = make()
    other.load_state_dict(json.loads(json.dumps(one.state_dict())))
    assert np.array_equal(lesson(one, 10, seed=3), lesson(other, 10, seed=3))
    assert one.numbers() == other.numbers()


def test_hard_tasks_come_back_until_they_are_easy() -> None:
    hard = HardTasks(3, rate=1.0)
    hard.observe([Outcome(0, n, float(wins), 8, 0.0) for n, wins in enumerate([1, 8, 0, 3, 4])])
    assert set(hard.success) == {(0, 0), (0, 2), (0, 3)}  # one was easy, and of the others the easiest had no room
    rng = np.random.default_rng(0)
    drawn = [pick.index for _ in range(300) for pick in hard.choose(1, rng)]
    assert drawn.count(0) > drawn.count(3) > drawn.count(2) > 0  # what nobody ever solved does not crowd out the rest
    assert {pick.index for pick in hard.choose(9, rng)} == {0, 2, 3}
    hard.observe([Outcome(0, 0, 8.0, 8, 0.0), Outcome(0, 3, 0.0, 0, 0.0)])
    assert set(hard.success) == {(0, 2), (0, 3)}
    again = HardTasks(3)
    again.load_state_dict(json.loads(json.dumps(hard.state_dict())))
    assert again.success == hard.success
    assert HardTasks(3).choose(2, rng) == []


def test_replay_keeps_what_it_should_and_hands_out_nothing_stale() -> None:
    rng = np.random.default_rng(0)
    replay = EpisodeReplay(4, max_staleness=2)
    untold = episode(1.0, solved=True)
    untold.turns[0].logprobs = []
    replay.add([episode(1.0, solved=True, index=1, version=3), episode(0.0), untold, episode(1.0, **UNJUDGED)])
    assert len(replay) == 1
    replay.add([episode(1.0, solved=True, index=n, version=n) for n in range(2, 7)])
    assert [e.index for e in replay.episodes] == [3, 4, 5, 6]  # the oldest went first
    drawn = replay.draw(9, 7, rng, without=[episode(1.0, index=6)])
    assert [e.index for e in drawn] == [5]  # 3 and 4 are too old, 6 has a fresh group
    assert drawn[0].source == "replay"
    assert replay.episodes[0].source == "policy"
    assert all(7 - oldest(e) <= 2 for e in replay.episodes)
    replay.add(drawn)
    assert len(replay) == 2  # what is replayed is not kept twice
    again = EpisodeReplay(4, max_staleness=2, keep="all")
    again.load_state_dict(json.loads(json.dumps(replay.state_dict())))
    assert [e.line() for e in again.episodes] == [e.line() for e in replay.episodes]
    again.add([episode(0.0)])
    assert len(again) == 3
