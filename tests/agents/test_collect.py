"""Collectors: whole groups, in order, repeatable and resumable; and asynchronous ones that keep their bound."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

import proofgym
from proofgym.envs.trajectory import Trajectory
from proofgym.envs.wrappers import InjectFaults

torch: Any = pytest.importorskip("torch")
from proofgym.agents import asynchronous, plans  # noqa: E402 - only where torch is
from proofgym.agents.asynchronous import AsynchronousCollector  # noqa: E402
from proofgym.agents.collect import ChoosingCollector, Collector, make_collector  # noqa: E402
from proofgym.agents.config import GRPO  # noqa: E402
from proofgym.agents.curriculum import Posterior  # noqa: E402
from proofgym.agents.dynamic import is_flat  # noqa: E402
from proofgym.agents.policy import Policy, tiny  # noqa: E402
from proofgym.agents.replay import oldest  # noqa: E402
from proofgym.errors import BadInput  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture
def policy() -> Policy:
    return tiny("0123456789", width=16, layers=1, heads=2, context=64, seed=3)


class Envs:
    def __init__(self, faults: float = 0.0, **kwargs: Any) -> None:
        self.kwargs, self.made, self.faults = {"style": "bare", "steps": 4, "largest": 1, **kwargs}, list[Any](), faults

    def __call__(self, split: str, count: int) -> list[Any]:
        while len(self.made) < count:
            env: Any = proofgym.make("RunningTotal", split=split, **self.kwargs)
            self.made.append(InjectFaults(env, self.faults, seed=len(self.made)) if self.faults else env)
        return self.made[:count]


class Levels:
    """An environment with levels: at level 1 nothing is ever right."""

    def __call__(self, split: str, count: int) -> list[Any]:
        return [proofgym.make("Countdown", split=split) for _ in range(count)]


def config(**kwargs: Any) -> GRPO:
    return GRPO(**{"prompts": 4, "group": 4, "max_tokens": 6, "validate_every": 0, **kwargs})


def collector(policy: Policy, envs: Any = None, **kwargs: Any) -> Collector:
    return make_collector(policy, envs or Envs(), config(**kwargs), seed=5)


def names(episodes: list[Trajectory]) -> list[tuple[int, int]]:
    return [(e.index, e.sample) for e in episodes]


def lines(episodes: list[Trajectory]) -> list[str]:
    return [e.line() for e in episodes]


def trained(policy: Policy, made: Collector, episodes: list[Trajectory]) -> None:
    """As if there had been an update: other weights, another version."""
    with torch.no_grad():
        for weight in policy.model.parameters():
            weight.mul_(0.97)
    policy.version += 1
    made.updated(episodes, {})


CHOOSING: list[dict[str, Any]] = [
    {"sampler": plans.Sampler(dynamic=True, max_factor=3.0)},
    {"sampler": plans.Sampler(curriculum="posterior", pool=6)},
    {"sampler": plans.Sampler(hard_share=0.5, least=2, most=6, curriculum="learnability")},
    {"replay": plans.Replay(share=0.5, keep="all")},
    {"tree": plans.Tree(roots=1, rounds=2, points=2, at="token")},
]


def test_plain_groups_are_whole_and_in_order(policy: Policy) -> None:
    made = collector(policy)
    for step in range(2):
        found = made.collect(step).episodes
        assert names(found) == [(4 * step + p, s) for p in range(4) for s in range(4)]
        trained(policy, made, found)
    assert made.state_dict() == {}


def test_what_is_collected_depends_on_weights_seed_and_update_only(policy: Policy) -> None:
    made = collector(policy)
    made.collect(0)
    again = collector(policy)
    assert lines(made.collect(7).episodes) == lines(again.collect(7).episodes)
    bounded = make_collector(policy, Envs(), config(engine=plans.Engine(slots=3, workers=2)), seed=5)
    assert [t.action_ids for e in bounded.collect(7).episodes for t in e.turns] == [
        t.action_ids for e in again.collect(7).episodes for t in e.turns
    ]


def test_ranks_share_the_prompts(policy: Policy) -> None:
    whole = lines(collector(policy).collect(2).episodes)
    parts = [make_collector(policy, Envs(), config(), seed=5, rank=r, world=3).collect(2).episodes for r in range(3)]
    assert [len(part) for part in parts] == [8, 4, 4]
    assert sorted(names([e for part in parts for e in part])) == sorted(names(collector(policy).collect(2).episodes))
    together = {(e.index, e.sample): e.turns[0].action_ids for part in parts for e in part}
    for line in whole:
        episode = Trajectory.from_json(json.loads(line))
        assert together[episode.index, episode.sample] == episode.turns[0].action_ids


def test_a_greedy_baseline_comes_along_where_it_is_wanted(policy: Policy) -> None:
    found = collector(policy, advantage="remax").collect(0)
    assert names(found.greedy) == [(p, 0) for p in range(4)]
    again = collector(policy, advantage="remax", temperature=0.3).collect(0)
    assert [e.turns[0].action_ids for e in again.greedy] == [e.turns[0].action_ids for e in found.greedy]
    assert collector(policy).collect(0).greedy == []


def test_an_engine_with_a_copy_follows_the_policy(policy: Policy) -> None:
    ours, copy = collector(policy), collector(policy, engine=plans.Engine(dtype="bfloat16"))
    for step in range(2):
        a, b = ours.collect(step).episodes, copy.collect(step).episodes
        assert {t.policy_version for e in b for t in e.turns} == {policy.version}
        agree = sum(x.turns[0].action_ids == y.turns[0].action_ids for x, y in zip(a, b, strict=True))
        assert agree >= 12  # of 16: bfloat16 moves a draw now and then
        trained(policy, ours, a)
        copy.updated(a, {})


def test_dynamic_sampling_fills_up_with_groups_that_teach(policy: Policy) -> None:
    plain = collector(policy, advantage="outcome")
    dynamic = collector(policy, advantage="outcome", sampler=plans.Sampler(dynamic=True, max_factor=12.0))
    flat = 0
    for step in range(3):
        groups: dict[int, list[Trajectory]] = {}
        for episode in plain.collect(step).episodes:
            groups.setdefault(episode.index, []).append(episode)
        flat += sum(is_flat(group) for group in groups.values())
        found = dynamic.collect(step)
        groups = {}
        for episode in found.episodes:
            groups.setdefault(episode.index, []).append(episode)
        assert len(groups) == 4
        assert all(len(group) == 4 and not is_flat(group) for group in groups.values())
        assert found.numbers["groups_asked"] >= 4
    assert flat > 0  # so there was something to leave out


def test_dynamic_sampling_gives_up_at_its_limit(policy: Policy) -> None:
    hopeless = Envs(faults=1.0)
    made = collector(policy, hopeless, sampler=plans.Sampler(dynamic=True, max_factor=2.0))
    found = made.collect(0)
    assert found.numbers["groups_asked"] == 8
    assert found.numbers["groups_flat"] == 8
    assert len(found.episodes) == 8 * 4
    assert all(e.unjudged for e in found.episodes)


@pytest.mark.parametrize("kwargs", CHOOSING)
def test_choosing_is_repeatable_and_resumes_where_it_was(policy: Policy, kwargs: dict[str, Any]) -> None:
    one, other = collector(policy, **kwargs), collector(policy, **kwargs)
    assert isinstance(one, ChoosingCollector)
    for step in range(3):
        a, b = one.collect(step), other.collect(step)
        assert lines(a.episodes) == lines(b.episodes)
        if step == 1:  # a third takes up the state of the first, as plain data
            state = json.loads(json.dumps(one.state_dict()))
        policy.version += 1
    third = collector(policy, **kwargs)
    third.load_state_dict(state)
    policy.version -= 1
    assert lines(third.collect(2).episodes) == lines(a.episodes)


def test_budgets_move_attempts_and_keep_their_number(policy: Policy) -> None:
    made = collector(policy, sampler=plans.Sampler(curriculum="posterior", pool=4, least=2, most=8))
    assert isinstance(made, ChoosingCollector)
    assert isinstance(made.curriculum, Posterior)
    made.curriculum.alpha[0], made.curriculum.beta[0] = [90.0, 90.0, 9.0, 9.0], [1.0, 1.0, 9.0, 9.0]
    found = made.collect(0).episodes
    sizes = [sum(e.index == index for e in found) for index in range(4)]
    assert sum(sizes) == 16
    assert sizes[0] == sizes[1] == 2  # as good as solved: what they teach is soon known
    assert sizes[2] == sizes[3] == 6


def test_levels_are_set_and_named(policy: Policy) -> None:
    wide = tiny("0123456789", width=16, layers=1, heads=2, context=1024, seed=3)
    made = make_collector(
        wide, Levels(), config(sampler=plans.Sampler(curriculum="uniform", levels=(0.0, 1.0)), prompts=8), seed=5
    )
    found = made.collect(0)
    by_level: dict[float, set[float]] = {}
    for episode in found.episodes:
        by_level.setdefault(episode.task["level"], set()).add(episode.task["difficulty"])
    assert set(by_level) == {0.0, 1.0}
    assert max(by_level[0.0]) < min(by_level[1.0])
    assert found.numbers["level_1_success"] < 0.5
    assert len({(e.seed, e.index) for e in found.episodes}) == 8


def test_replayed_episodes_join_without_mixing_groups(policy: Policy) -> None:
    made = collector(policy, replay=plans.Replay(share=0.5, keep="all", max_staleness=2))
    for step in range(4):
        found = made.collect(step)
        fresh = [e for e in found.episodes if e.source == "policy"]
        old = [e for e in found.episodes if e.source == "replay"]
        assert len(fresh) == 16
        assert len(old) == (8 if step else 0)
        assert not {e.index for e in fresh} & {e.index for e in old}
        assert all(policy.version - oldest(e) <= 2 for e in old)
        trained(policy, made, found.episodes)


def test_trees_come_as_groups_with_their_nodes(policy: Policy) -> None:
    found = collector(policy, tree=plans.Tree(roots=2, rounds=1, points=3, at="token")).collect(0).episodes
    assert names(found) == [(p, s) for p in range(4) for s in range(5)]
    assert all(len(t.nodes) == len(t.action_ids) for e in found for t in e.turns)
    group = [{n for t in e.turns for n in t.nodes} for e in found[:5]]
    assert any(group[0] & leaf or group[1] & leaf for leaf in group[2:])


# Asynchronous ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def running() -> Iterator[list[AsynchronousCollector]]:
    made: list[AsynchronousCollector] = []
    yield made
    for one in made:
        one.close()


def asynchronous_collector(policy: Policy, staleness: int, envs: Any = None, **engine: Any) -> AsynchronousCollector:
    made = collector(policy, envs, engine=plans.Engine(staleness=staleness, **engine))
    assert isinstance(made, AsynchronousCollector)
    return made


@pytest.mark.parametrize("staleness", [1, 3])
@pytest.mark.parametrize("workers", [0, 3])
def test_nothing_is_older_than_the_bound(policy: Policy, staleness: int, workers: int, running: list[Any]) -> None:
    running.append(made := asynchronous_collector(policy, staleness, workers=workers))
    seen, ages = [], set()
    for step in range(9):
        found = made.collect(step)
        assert names(found.episodes) == [(4 * step + p, s) for p in range(4) for s in range(4)]
        ages |= {policy.version - oldest(e) for e in found.episodes}
        assert max(ages) <= staleness
        seen.append(found.numbers["staleness_max"])
        time.sleep(0.05)  # an update takes time, in which the engine runs ahead as far as it may
        trained(policy, made, found.episodes)
    assert max(ages) == staleness  # it did run ahead
    assert max(seen) == staleness


def test_episodes_are_sampled_while_the_policy_is_trained(policy: Policy, running: list[Any]) -> None:
    running.append(made := asynchronous_collector(policy, 1))
    found = made.collect(0)
    time.sleep(0.5)  # the policy is being trained
    ready = sum(e is not None for group in made._attempts.values() for e in group)
    assert ready == 16  # the next update's, and none of the one after it
    trained(policy, made, found.episodes)
    assert made.collect(1).numbers["waited_seconds"] < 0.2


def test_the_first_update_is_what_a_synchronous_one_would_be(policy: Policy, running: list[Any]) -> None:
    running.append(made := asynchronous_collector(policy, 2))
    a, b = made.collect(0).episodes, collector(policy).collect(0).episodes
    assert [t.action_ids for e in a for t in e.turns] == [t.action_ids for e in b for t in e.turns]


def test_a_stopped_run_loses_no_finished_episode(policy: Policy, running: list[Any]) -> None:
    made = asynchronous_collector(policy, 2)
    found = made.collect(0)
    time.sleep(0.3)
    state = json.loads(json.dumps(made.state_dict()))
    kept = {line for group in state["attempts"].values() for line in group if line is not None}
    made.close()
    assert kept
    trained(policy, made, found.episodes)
    running.append(again := asynchronous_collector(policy, 2))
    again.load_state_dict(state)
    following = [line for step in (1, 2) for line in lines(again.collect(step).episodes)]
    assert kept <= set(following)  # learned from in their turn, not sampled again
    assert len(following) == 32


def test_faults_are_masked_and_the_rollout_goes_on(policy: Policy, running: list[Any]) -> None:
    running.append(made := asynchronous_collector(policy, 1, Envs(faults=0.2)))
    found = [e for step in range(3) for e in made.collect(step).episodes]
    assert len(found) == 48
    assert 0 < sum(e.unjudged for e in found) < 48


def test_what_ends_the_thread_is_raised_where_it_is_waited_for(policy: Policy, running: list[Any]) -> None:
    class Broken:
        def __call__(self, split: str, count: int) -> list[Any]:
            raise BadInput("no such environment")

    running.append(made := asynchronous_collector(policy, 1, Broken()))
    with pytest.raises(BadInput, match="no such environment"):
        made.collect(0)


def test_closing_ends_the_thread(policy: Policy) -> None:
    made = asynchronous_collector(policy, 1)
    made.collect(0)
    made.close()
    assert not any(thread.name == "rollouts" for thread in threading.enumerate())


def test_staleness_goes_with_plain_groups_only(policy: Policy) -> None:
    with pytest.raises(BadInput, match="turn off sampler, replay and tree"):
        collector(policy, engine=plans.Engine(staleness=1), sampler=plans.Sampler(dynamic=True))
    assert asynchronous.__doc__


@pytest.mark.parametrize(
    ("kind", "kwargs", "said"),
    [
        (plans.Sampler, {"curriculum": "posterior"}, "pool should be at least 1"),
        (plans.Sampler, {"band": (0.8, 0.2)}, "from low to high"),
        (plans.Sampler, {"least": 5, "most": 2}, "least <= most"),
        (plans.Sampler, {"most": 2}, "least <= most"),
        (plans.Engine, {"kind": "server"}, "needs a url"),
        (plans.Tree, {"at": "letter"}, "turn"),
    ],
)
def test_plans_that_contradict_themselves_are_refused(kind: Any, kwargs: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        kind(**kwargs)
